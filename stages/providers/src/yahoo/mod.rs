//! Yahoo Finance: daily chart, quotes, fundamentals and search. It has no published interface and no contract, so
//! everything it says may be missing, and nothing it says decides alone.

mod chart;
mod number;
mod quote;
mod search;
mod session;
mod summary;

use serde_json::Value;

use crate::{
    answer::{DataFault, Service},
    fetch::{Request, Response},
};

pub use chart::{Chart, ChartOf};
pub use quote::{QuotesOf, YahooQuote};
pub use search::{Candidate, Search};
pub use session::{Session, session_request, session_start};
pub use summary::{PegOf, Summary, SummaryOf};

/// Reads a body that must be JSON.
pub(crate) fn json(reply: &Response) -> Result<Value, DataFault> {
    serde_json::from_slice(&reply.body).map_err(|_| DataFault::malformed("it is no JSON", &reply.body))
}

/// Opens `root.result[…]` of a reply and names the errors that Yahoo writes beside it.
pub(crate) fn results(reply: &Response, root: &str) -> Result<Vec<Value>, DataFault> {
    if let Some(fault) = DataFault::of_status(reply) {
        return Err(fault);
    }
    let mut body = json(reply)?;
    let error = body[root]["error"]["code"].as_str().unwrap_or("").to_owned();
    match (reply.status, error.as_str()) {
        (200, "") => {}
        (404, _) | (_, "Not Found") => return Err(DataFault::Unknown),
        (400 | 422, _) => return Err(DataFault::malformed("it refuses the question", &reply.body)),
        (_, "Unauthorized") => return Err(DataFault::SessionOver),
        (status, _) => return Err(DataFault::malformed(&format!("status {status}"), &reply.body)),
    }
    match body.get_mut(root).map(|root| root["result"].take()) {
        Some(Value::Array(results)) => Ok(results),
        Some(Value::Null) => Ok(Vec::new()),
        _ => Err(DataFault::malformed("there is no result", &reply.body)),
    }
}

/// Writes a GET with percent-encoded values.
pub(crate) fn get(path: &str, query: &[(&str, &str)]) -> Request {
    let pairs: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let path = if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) };
    Request::get(Service::Yahoo, path)
}

/// Percent-encodes everything but letters, digits, `-`, `.`, `_` and `,`.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._,".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_encoded() {
        for (symbol, text) in
            [("^VIX", "%5EVIX"), ("EURUSD=X", "EURUSD%3DX"), ("LNTC-B", "LNTC-B"), ("a b/", "a%20b%2F")]
        {
            assert_eq!(encoded(symbol), text);
        }
    }

    #[test]
    fn every_reply_has_its_class() {
        let class =
            |status, body: &str| results(&Response::new(status, body), "chart").map(|rows| rows.len());
        let unknown =
            r#"{"chart":{"result":null,"error":{"code":"Not Found","description":"No data found"}}}"#;
        assert_eq!(class(404, unknown), Err(DataFault::Unknown));
        assert_eq!(class(200, unknown), Err(DataFault::Unknown));
        assert_eq!(class(200, r#"{"chart":{"result":[],"error":null}}"#), Ok(0));
        assert_eq!(class(200, r#"{"chart":{"result":null,"error":null}}"#), Ok(0));
        assert_eq!(class(200, r#"{"chart":{"result":[{}],"error":null}}"#), Ok(1));
        for (status, body) in [(200, r#"{"other":1}"#), (200, r#"{"chart":{"re"#), (422, "{}"), (418, "{}")] {
            assert!(matches!(class(status, body), Err(DataFault::Malformed(_))), "{status} {body}");
        }
    }
}
