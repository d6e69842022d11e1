//! Tells a successful reply from the many shapes of failure; status 200 alone means nothing.
//!
//! The order of the rules is the contract: throttling, the door (401, 403, redirects), server
//! faults, then the body. An error is never turned into an empty list.

use std::time::Duration;

use crate::exchange::{RawReply, TransportError};
use crate::fault::{ApiErrorKind, Fault, Flaw};
use crate::json::{Node, Shape};
use crate::redact::{EXCERPT_CHARS_MAX, TEXT_CHARS_MAX, redacted};

/// Longest pause a reply may impose; anything longer is cut, the next reply may repeat it.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3_600);
/// Longest part of a body that is searched for the throttling sentence.
const SEARCHED_BYTES_MAX: usize = 2_048;

/// Holds an error the broker wrote into a JSON reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) kind: ApiErrorKind,
    pub(crate) code: Option<i64>,
    /// Redacted.
    pub(crate) text: String,
}

/// Turns a transport error of a read into its fault.
pub(crate) fn read_transport(command: &'static str, error: TransportError) -> Fault {
    match error {
        TransportError::NotSent { reason } => Fault::NotSent { command, reason },
        TransportError::Unknown { reason } => Fault::NoAnswer { command, reason },
    }
}

/// Opens the reply to a read: the JSON of a success, or the fault.
pub(crate) fn open_read<'a>(command: &'static str, reply: &'a RawReply) -> Result<Node<'a>, Fault> {
    check_status(command, reply)?;
    let client_error = (400..500).contains(&reply.status);
    let Some(node) = Node::parse(&reply.body) else {
        return Err(unreadable(command, reply, client_error));
    };
    match api_error(node) {
        Some(error) => Err(fault_of(command, error, retry_after(reply))),
        None if client_error => Err(Fault::RejectedHttp { command, status: reply.status }),
        None => Ok(node),
    }
}

fn check_status(command: &'static str, reply: &RawReply) -> Result<(), Fault> {
    match reply.status {
        429 => Err(Fault::RateLimited { command, retry_after: retry_after(reply) }),
        status @ (401 | 403) => Err(Fault::Forbidden {
            command,
            status,
            content_type: redacted(reply.header("content-type").unwrap_or("no type"), TEXT_CHARS_MAX),
            excerpt: redacted(&String::from_utf8_lossy(head(reply)), EXCERPT_CHARS_MAX),
        }),
        status @ 300..=399 => Err(Fault::Redirected { command, status }),
        200..=299 | 400..=499 => Ok(()),
        status => Err(Fault::Transient { command, status }),
    }
}

fn unreadable(command: &'static str, reply: &RawReply, client_error: bool) -> Fault {
    if says_throttled(&String::from_utf8_lossy(head(reply))) {
        return Fault::RateLimited { command, retry_after: retry_after(reply) };
    }
    if client_error {
        return Fault::RejectedHttp { command, status: reply.status };
    }
    Fault::Malformed { command, flaw: Flaw::new("body", "is not JSON") }
}

fn head(reply: &RawReply) -> &[u8] {
    &reply.body[..reply.body.len().min(SEARCHED_BYTES_MAX)]
}

/// Reads a `Retry-After` in seconds; a date or nonsense counts as absent.
pub(crate) fn retry_after(reply: &RawReply) -> Option<Duration> {
    let seconds: u64 = reply.header("retry-after")?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(RETRY_AFTER_MAX))
}

/// Finds the error in a JSON reply, if there is one.
///
/// An error is a non-empty text under any of four names, or a code that is present and not 0.
pub(crate) fn api_error(node: Node<'_>) -> Option<ApiError> {
    if node.shape() != Shape::Object {
        return None;
    }
    let fields = node.fields();
    let names = ["errMsg", "errorMsg", "error", "error_message"];
    // The list of alerts carries its error in its first row.
    let in_a_row = || error_text(fields.get("alerts").rows()?.first()?.get("error"));
    let text = names.iter().find_map(|name| error_text(fields.get(name))).or_else(in_a_row);
    // Either name may carry the telling code while the other says 0.
    let codes = ["code", "error_code"].map(|name| code_of(fields.get(name)));
    let code = codes.into_iter().flatten().find(|code| *code != 0).or(codes[0]).or(codes[1]);
    if text.is_none() && code.unwrap_or(0) == 0 {
        return None;
    }
    let text = text.unwrap_or_default();
    Some(ApiError { kind: kind_of(code, &text), code, text: redacted(&text, TEXT_CHARS_MAX) })
}

fn error_text(node: Node<'_>) -> Option<String> {
    let written = match node.shape() {
        Shape::Missing | Shape::Null => return None,
        Shape::Text => node.text().unwrap_or_else(|| "unreadable error text".to_owned()),
        _ => node.as_written().to_owned(),
    };
    let bare = written.trim();
    let empty = ["", "false", "null", "0", "[]", "{}"].contains(&bare);
    (!empty).then(|| bare.to_owned())
}

fn code_of(node: Node<'_>) -> Option<i64> {
    let written = node.characters()?;
    let hundredths = crate::decimal::scaled(&written, 2).ok()??;
    // A code with a fraction is no code; it must still not pass for zero.
    Some(if hundredths % 100 == 0 { hundredths / 100 } else { -1 })
}

fn kind_of(code: Option<i64>, text: &str) -> ApiErrorKind {
    let text = text.to_lowercase();
    match code {
        Some(429) => ApiErrorKind::RateLimited,
        _ if says_throttled(&text) => ApiErrorKind::RateLimited,
        _ if text.contains("security session") => ApiErrorKind::NeedSecuritySession,
        Some(4 | 7 | 8 | 12) => ApiErrorKind::Auth,
        _ if text.contains("api key") || text.contains("signature") => ApiErrorKind::Auth,
        Some(14 | 18) => ApiErrorKind::Unavailable,
        _ => ApiErrorKind::Rejected,
    }
}

fn says_throttled(text: &str) -> bool {
    text.to_lowercase().contains("request limit")
}

fn fault_of(command: &'static str, error: ApiError, retry_after: Option<Duration>) -> Fault {
    let ApiError { kind, code, text } = error;
    match kind {
        ApiErrorKind::RateLimited => Fault::RateLimited { command, retry_after },
        ApiErrorKind::NeedSecuritySession => Fault::NeedSecuritySession { command, text },
        ApiErrorKind::Auth => Fault::Auth { command, code, text },
        ApiErrorKind::Unavailable | ApiErrorKind::Rejected => Fault::Rejected { command, code, text, kind },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::fault::Retry;

    fn opened(status: u16, body: &str) -> Result<(), Fault> {
        open_read("getPositionJson", &RawReply::new(status, body)).map(|_| ())
    }

    #[test]
    fn finds_every_documented_shape_of_error() {
        let table = [
            (r#"{"errMsg":"Bad json","code":2}"#, ApiErrorKind::Rejected, Some(2)),
            (r#"{"error":"User is not found","code":7}"#, ApiErrorKind::Auth, Some(7)),
            (r#"{"code":5,"error":"x","errMsg":"y"}"#, ApiErrorKind::Rejected, Some(5)),
            (r#"{"code":5,"errorMsg":"y"}"#, ApiErrorKind::Rejected, Some(5)),
            (r#"{"error":"Invalid transaction identifier","code":0}"#, ApiErrorKind::Rejected, Some(0)),
            (r#"{"error":"Validation failed","code":400}"#, ApiErrorKind::Rejected, Some(400)),
            (r#"{"alerts":[{"error":"Instrument not found"}]}"#, ApiErrorKind::Rejected, None),
            (r#"{"code":429}"#, ApiErrorKind::RateLimited, Some(429)),
            (r#"{"error":"Your request limit has been exceeded"}"#, ApiErrorKind::RateLimited, None),
            (
                r#"{"error":"you need to open a security session","code":12}"#,
                ApiErrorKind::NeedSecuritySession,
                Some(12),
            ),
            (r#"{"error":"Invalid API key provided"}"#, ApiErrorKind::Auth, None),
            (r#"{"code":"4"}"#, ApiErrorKind::Auth, Some(4)),
            (r#"{"code":0,"error_code":8}"#, ApiErrorKind::Auth, Some(8)),
            (r#"{"error_message":"no","error_code":3}"#, ApiErrorKind::Rejected, Some(3)),
            (r#"{"code":14,"error":"service unavailable"}"#, ApiErrorKind::Unavailable, Some(14)),
            (r#"{"error":true}"#, ApiErrorKind::Rejected, None),
            (r#"{"code":0.5}"#, ApiErrorKind::Rejected, Some(-1)),
        ];
        for (body, kind, code) in table {
            let error = api_error(Node::parse(body.as_bytes()).unwrap()).unwrap();
            assert_eq!((error.kind, error.code), (kind, code), "{body}");
        }
    }

    #[test]
    fn sees_no_error_where_the_fields_are_empty() {
        for body in [
            "{}",
            r#"{"code":0}"#,
            r#"{"code":"0","error":""}"#,
            r#"{"error":false,"errMsg":null}"#,
            r#"{"error":0,"errorMsg":"0"}"#,
            r#"{"code":null,"error":[]}"#,
            "[1]",
        ] {
            assert_eq!(opened(200, body), Ok(()), "{body}");
        }
    }

    #[test]
    fn judges_by_status_before_looking_at_the_body() {
        let table = [
            (429, "{}", Retry::Later(crate::fault::THROTTLE_PAUSE)),
            (401, r#"{"error":"x"}"#, Retry::Later(crate::fault::FORBIDDEN_PAUSE)),
            (403, "<html>challenge</html>", Retry::Later(crate::fault::FORBIDDEN_PAUSE)),
            (302, "", Retry::Later(crate::fault::FORBIDDEN_PAUSE)),
            (500, "{}", Retry::Now),
            (503, "<html>", Retry::Now),
            (101, "", Retry::Now),
            (404, "<html>", Retry::Never),
            (400, "{}", Retry::Never),
            (400, r#"{"code":14}"#, Retry::Now),
            (200, "<html>", Retry::Now),
            (200, "", Retry::Now),
            (200, "Your request limit has been exceeded", Retry::Later(crate::fault::THROTTLE_PAUSE)),
        ];
        for (status, body, retry) in table {
            assert_eq!(opened(status, body).unwrap_err().retry(), retry, "{status} {body}");
        }
    }

    #[test]
    fn keeps_a_redacted_excerpt_of_a_refusal_at_the_door() {
        let reply =
            RawReply::new(403, "Attention user@example.test").with_header("Content-Type", "text/html");
        let fault = open_read("getPositionJson", &reply).map(|_| ()).unwrap_err();
        assert!(fault.stops_trading());
        let Fault::Forbidden { content_type, excerpt, .. } = fault else { panic!("{fault}") };
        assert_eq!((content_type.as_str(), excerpt.as_str()), ("text/html", "Attention [hidden]"));
    }

    #[test]
    fn reads_retry_after_in_seconds_only() {
        let pause = |value| retry_after(&RawReply::new(429, "").with_header("Retry-After", value));
        assert_eq!(pause("30"), Some(Duration::from_secs(30)));
        assert_eq!(pause("999999"), Some(RETRY_AFTER_MAX));
        assert_eq!(pause("Wed, 21 Oct 2026 07:28:00 GMT"), None);
        assert_eq!(pause("-1"), None);
    }
}
