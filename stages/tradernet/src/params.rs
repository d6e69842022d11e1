//! Writes the parameter object of a command as compact JSON, key order as given, decimals exact.

/// Builds one JSON object; what is written is what is signed and sent.
#[derive(Debug, Default)]
pub(crate) struct Params {
    text: String,
}

impl Params {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn text(self, name: &str, value: &str) -> Self {
        let quoted = quote(value);
        self.raw(name, &quoted)
    }

    pub(crate) fn integer(self, name: &str, value: impl Into<i128>) -> Self {
        self.raw(name, &value.into().to_string())
    }

    pub(crate) fn flag(self, name: &str, value: bool) -> Self {
        self.raw(name, if value { "true" } else { "false" })
    }

    pub(crate) fn texts<'v>(self, name: &str, values: impl Iterator<Item = &'v str>) -> Self {
        let list = values.map(quote).collect::<Vec<_>>().join(",");
        self.raw(name, &format!("[{list}]"))
    }

    /// Writes millionths as the shortest plain decimal: 84 500 000 becomes `84.5`.
    pub(crate) fn decimal_e6(self, name: &str, value_e6: i64) -> Self {
        let sign = if value_e6 < 0 { "-" } else { "" };
        let (whole, rest) = (value_e6.unsigned_abs() / 1_000_000, value_e6.unsigned_abs() % 1_000_000);
        let fraction = format!("{rest:06}");
        let fraction = fraction.trim_end_matches('0');
        let point = if fraction.is_empty() { "" } else { "." };
        self.raw(name, &format!("{sign}{whole}{point}{fraction}"))
    }

    /// Adds a value that is JSON already.
    pub(crate) fn raw(mut self, name: &str, value: &str) -> Self {
        if !self.text.is_empty() {
            self.text.push(',');
        }
        self.text.push_str(&quote(name));
        self.text.push(':');
        self.text.push_str(value);
        self
    }

    pub(crate) fn finish(self) -> String {
        format!("{{{}}}", self.text)
    }
}

/// Writes a text as JSON.
pub(crate) fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_decimals_without_padding_or_rounding() {
        let table =
            [(84_500_000, "84.5"), (12_000_000, "12"), (1, "0.000001"), (-250_000, "-0.25"), (0, "0")];
        for (value, expected) in table {
            assert_eq!(Params::new().decimal_e6("p", value).finish(), format!(r#"{{"p":{expected}}}"#));
        }
    }

    #[test]
    fn escapes_text_and_keeps_the_order() {
        let written = Params::new().text("b", "a\"\\\n").integer("a", 7).flag("c", true).finish();
        assert_eq!(written, r#"{"b":"a\"\\\n","a":7,"c":true}"#);
        assert_eq!(Params::new().finish(), "{}");
    }
}
