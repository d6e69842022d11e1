//! Parameters of a request.

use serde_json::Value;

use crate::core::fixed;

/// A parsed request body.
#[derive(Debug, Clone)]
pub(crate) struct Params(Value);

impl Params {
    /// Returns the parameters of a command that got none.
    pub(crate) fn none() -> Self {
        Self(Value::Null)
    }

    /// Reads a body; an empty one means no parameters.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        if body.is_empty() {
            return Some(Self(Value::Null));
        }
        serde_json::from_slice(body).ok().filter(|v: &Value| v.is_object() || v.is_null()).map(Self)
    }

    /// Returns a field.
    pub(crate) fn get(&self, key: &str) -> &Value {
        &self.0[key]
    }

    /// Returns a text.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.0[key].as_str()
    }

    /// Returns an integer, given as number or text.
    pub(crate) fn int(&self, key: &str) -> Option<i64> {
        let value = &self.0[key];
        value.as_i64().or_else(|| value.as_str()?.parse().ok())
    }

    /// Returns a decimal at scale e6; zero counts as absent, as the broker's own library sends it.
    pub(crate) fn price_e6(&self, key: &str) -> Option<i64> {
        let text = match &self.0[key] {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.clone(),
            _ => return None,
        };
        // More digits than any price step has: such a price fits no step and is refused as one.
        fixed::parse(&text, 6).or(Some(1)).filter(|value| *value != 0)
    }

    /// Returns a list of texts, given as list or separated by commas.
    pub(crate) fn list(&self, key: &str) -> Vec<String> {
        match &self.0[key] {
            Value::String(text) => {
                text.split(',').map(|t| t.trim().to_owned()).filter(|t| !t.is_empty()).collect()
            }
            Value::Array(values) => values.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect(),
            _ => Vec::new(),
        }
    }

    /// Returns the ticker a request is about, for fault rules.
    pub(crate) fn ticker(&self) -> String {
        ["instr_name", "ticker", "id", "tickers"].iter().find_map(|k| self.text(k)).unwrap_or("").to_owned()
    }

    /// Lists fields that a command does not know.
    pub(crate) fn unknown<'a>(&'a self, known: &[&str]) -> Vec<&'a str> {
        let fields = self.0.as_object().into_iter().flat_map(|o| o.keys());
        fields.map(String::as_str).filter(|k| !known.contains(k)).collect()
    }
}

/// Decodes `%XX` and `+`; broken escapes stay as they are.
pub(crate) fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok()))
            .flatten();
        match escaped {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(if bytes[at] == b'+' { b' ' } else { bytes[at] });
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Reads `{"cmd":…,"params":{…}}` into command and parameters.
pub(super) fn plain_query(text: &str) -> Option<(String, String)> {
    let value: Value = serde_json::from_str(text).ok()?;
    let command = value["cmd"].as_str()?.to_owned();
    let params = if value["params"].is_null() { "{}".to_owned() } else { value["params"].to_string() };
    Some((command, params))
}
