//! A small writer of JSON, so that answers never pass through the types or the parser of a client.

use std::fmt::Write as _;

use crate::core::fixed;

/// A value to be written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Int(i64),
    /// A scaled integer, written as a plain decimal.
    Decimal(i64, u32),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// Makes one field of an object.
pub(crate) fn field(key: &str, value: Json) -> (String, Json) {
    (key.to_owned(), value)
}

/// Makes an object from fields.
pub(crate) fn object(fields: impl IntoIterator<Item = (&'static str, Json)>) -> Json {
    Json::Object(fields.into_iter().map(|(key, value)| field(key, value)).collect())
}

impl Json {
    /// Makes a text.
    pub(crate) fn text(value: &str) -> Self {
        Self::Text(value.to_owned())
    }

    /// Makes a text, or null when absent.
    pub(crate) fn optional(value: Option<&str>) -> Self {
        value.map_or(Self::Null, Self::text)
    }

    /// Adds a field to an object; other values stay as they are.
    pub(crate) fn with(mut self, entry: Option<(String, Json)>) -> Self {
        if let (Self::Object(fields), Some(entry)) = (&mut self, entry) {
            fields.push(entry);
        }
        self
    }

    /// Turns the order of all keys around.
    pub(crate) fn reverse_keys(&mut self) {
        match self {
            Self::Object(fields) => {
                fields.reverse();
                fields.iter_mut().for_each(|(_, value)| value.reverse_keys());
            }
            Self::List(values) => values.iter_mut().for_each(Self::reverse_keys),
            _ => {}
        }
    }

    /// Writes the value without blanks.
    pub(crate) fn write(&self) -> String {
        let mut out = String::new();
        self.write_to(&mut out);
        out
    }

    fn write_to(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Int(value) => {
                let _ = write!(out, "{value}");
            }
            Self::Decimal(units, scale) => out.push_str(&fixed::text(*units, *scale, 0)),
            Self::Text(value) => write_text(out, value),
            Self::List(values) => {
                out.push('[');
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    value.write_to(out);
                }
                out.push(']');
            }
            Self::Object(fields) => {
                out.push('{');
                for (index, (key, value)) in fields.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_text(out, key);
                    out.push(':');
                    value.write_to(out);
                }
                out.push('}');
            }
        }
    }
}

fn write_text(out: &mut String, value: &str) {
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if u32::from(c) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn writes_what_any_parser_reads_back() {
        let value = object([
            (
                "a",
                Json::List(vec![Json::Int(-1), Json::Decimal(84_500_000, 6), Json::Null, Json::Bool(true)]),
            ),
            ("b", Json::text("say \"é\"\n\\ \u{1}")),
        ]);
        let text = value.write();
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["a"][1].as_f64().map(f64::to_bits), Some(84.5_f64.to_bits()));
        assert_eq!(read["b"], "say \"é\"\n\\ \u{1}");
    }
}
