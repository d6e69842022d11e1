//! The seam between the pure library and the outside: one request goes out, one reply or one fault comes back.

use std::future::Future;

use thiserror::Error;

use crate::answer::Service;

/// One request, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who is asked.
    pub service: Service,
    /// Path with query, beginning with `/`.
    pub path: String,
    /// Body of a POST; absent for a GET.
    pub body: Option<String>,
    /// `Cookie` header.
    pub cookie: Option<String>,
    /// The reply may be large, as years of history are.
    pub bulk: bool,
}

impl Request {
    /// A plain GET.
    #[must_use]
    pub fn get(service: Service, path: impl Into<String>) -> Self {
        Request { service, path: path.into(), body: None, cookie: None, bulk: false }
    }
}

/// One complete reply, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Seconds of a `Retry-After`, if it was a number.
    pub retry_after_s: Option<u64>,
    /// Every `Set-Cookie`, as sent.
    pub cookies: Vec<String>,
    /// Whole body.
    pub body: Vec<u8>,
}

impl Response {
    /// A reply without headers.
    #[must_use]
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Response { status, retry_after_s: None, cookies: Vec::new(), body: body.into() }
    }

    /// The body as text; what is no UTF-8 shows as replacement characters.
    #[must_use]
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}

/// No complete reply: the network, a time-out, a reply that is too large.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct FetchFault(pub String);

/// Sends one request once. No retries, no redirects, no cookies of its own.
pub trait Fetch {
    /// Sends `request`.
    fn fetch(&self, request: Request) -> impl Future<Output = Result<Response, FetchFault>>;
}
