//! Texts and hashes as the old system formed them: its hashes are compared by V18, and ties of V15 are broken by that of a
//! sequence. Included by the tests of several crates.
#![allow(dead_code)]

use md5::{Digest, Md5};
use serde_json::{Value, json};

/// The hash of a sequence of actions, each with `symbol`, `side` and `quantity`.
pub fn sequence_hash(actions: &[Value]) -> String {
    md5_of(&canonical(actions))
}

/// What is hashed of a sequence.
pub fn canonical(actions: &[Value]) -> String {
    let action = |one: &Value| {
        let quoted = |key: &str| ascii(one[key].as_str().unwrap());
        format!("[{}, {}, {}]", quoted("symbol"), quoted("side"), shown(&one["quantity"]))
    };
    format!("[{}]", actions.iter().map(action).collect::<Vec<_>>().join(", "))
}

/// A JSON text with everything beyond ASCII escaped.
fn ascii(text: &str) -> String {
    let quoted = json!(text).to_string();
    let mut out = String::new();
    for unit in quoted.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\u{unit:04x}")),
        }
    }
    out
}

/// All 32 digits.
pub fn md5_of(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A value as the old system's language shows it.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Number(whole) if whole.is_i64() || whole.is_u64() => whole.to_string(),
        Value::String(text) => text.clone(),
        other => number_text(other.as_f64().unwrap()),
    }
}

/// The shortest text that reads back, with a point or an exponent.
pub fn number_text(number: f64) -> String {
    let size = number.abs();
    if number == 0.0 || (1e-4..1e16).contains(&size) {
        return format!("{number:?}");
    }
    let text = format!("{number:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap();
    let exponent: i32 = exponent.parse().unwrap();
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}
