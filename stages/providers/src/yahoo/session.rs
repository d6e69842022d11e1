//! Cookie and crumb: two requests that together open the guarded part for a day.

use crate::{
    answer::{DataFault, Service},
    fetch::{Request, Response},
};

/// Longest crumb that is one.
const CRUMB_CHARS_MAX: usize = 64;

/// A cookie and the crumb that belongs to it.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    pub(crate) cookie: String,
    pub(crate) crumb: String,
}

impl std::fmt::Debug for Session {
    /// Shows neither.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session")
    }
}

/// Asks for the cookie; any status is normal, the header counts.
#[must_use]
pub fn session_start() -> Request {
    Request::get(Service::Yahoo, "/")
}

/// Asks for the crumb of the cookies that came.
///
/// # Errors
/// What the reply's status says when no cookie came.
pub fn session_request(reply: &Response) -> Result<Request, DataFault> {
    let pairs = reply.cookies.iter().filter_map(|cookie| cookie.split(';').next());
    let cookie = pairs.map(str::trim).collect::<Vec<_>>().join("; ");
    if cookie.is_empty() {
        let fault = DataFault::of_status(reply);
        return Err(fault.unwrap_or_else(|| DataFault::Outage("no cookie came".into())));
    }
    let request = Request::get(Service::Yahoo, "/v1/test/getcrumb");
    Ok(Request { cookie: Some(cookie), ..request })
}

impl Session {
    /// Joins the cookie of a request with the crumb of its reply.
    ///
    /// # Errors
    /// [`DataFault`] for what is no crumb.
    pub fn of(cookie: &str, reply: &Response) -> Result<Session, DataFault> {
        if let Some(fault) = DataFault::of_status(reply) {
            return Err(fault);
        }
        let text = reply.text();
        let crumb = text.trim();
        let bad = reply.status != 200
            || crumb.is_empty()
            || crumb.len() > CRUMB_CHARS_MAX
            || crumb.contains('<')
            || crumb.contains(char::is_whitespace);
        if bad {
            return Err(DataFault::malformed("it is no crumb", &reply.body));
        }
        Ok(Session { cookie: cookie.to_owned(), crumb: crumb.to_owned() })
    }

    /// Adds cookie and crumb to a request.
    #[must_use]
    pub fn guard(&self, mut request: Request) -> Request {
        let joint = if request.path.contains('?') { '&' } else { '?' };
        request.path.push(joint);
        request.path.push_str("crumb=");
        request.path.push_str(&super::encoded(&self.crumb));
        request.cookie = Some(self.cookie.clone());
        request
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_leads_to_a_crumb_and_both_to_a_guarded_request() {
        let mut first = Response::new(404, "<html>");
        first.cookies = vec!["A3=d=AQ; Expires=x; Path=/".into(), "A1=e; Path=/".into()];
        let request = session_request(&first).unwrap();
        assert_eq!(request.cookie.as_deref(), Some("A3=d=AQ; A1=e"));
        let session = Session::of("A3=d=AQ", &Response::new(200, "Zx9.qW/1aBc\n")).unwrap();
        let guarded = session.guard(Request::get(Service::Yahoo, "/v7?symbols=A"));
        assert_eq!(guarded.path, "/v7?symbols=A&crumb=Zx9.qW%2F1aBc");
        assert_eq!(format!("{session:?}"), "Session");
    }

    #[test]
    fn what_is_no_crumb_is_a_fault() {
        assert!(matches!(session_request(&Response::new(200, "ok")), Err(DataFault::Outage(_))));
        assert!(matches!(session_request(&Response::new(429, "")), Err(DataFault::RateLimited { .. })));
        for (status, body) in
            [(200, "<html>"), (200, ""), (200, "Too Many Requests"), (429, "x"), (404, "abc")]
        {
            assert!(Session::of("c", &Response::new(status, body)).is_err(), "{status} {body}");
        }
        assert!(Session::of("c", &Response::new(200, "x".repeat(65))).is_err());
    }
}
