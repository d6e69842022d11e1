//! Numbers in all forms that Yahoo writes: plain, `{"raw":…,"fmt":…}`, `{}`, null, `"Infinity"`.

use serde_json::Value;

/// The number, if there is a finite one.
pub(crate) fn number(value: &Value) -> Option<f64> {
    let found = match value {
        Value::Number(_) => value.as_f64(),
        Value::Object(fields) => fields.get("raw").and_then(Value::as_f64),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    found.filter(|number| number.is_finite())
}

/// The text, if there is one.
pub(crate) fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_form_of_a_number_is_read_and_no_value_is_none() {
        for value in [json!(0.183), json!({"raw": 0.183, "fmt": "18.30%"}), json!("0.183")] {
            assert_eq!(number(&value), Some(0.183), "{value}");
        }
        for value in [
            json!({}),
            json!(null),
            json!("Infinity"),
            json!("-Infinity"),
            json!("NaN"),
            json!([1]),
            json!("x"),
        ] {
            assert_eq!(number(&value), None, "{value}");
        }
    }
}
