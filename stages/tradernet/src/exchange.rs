//! The seam between the pure library and the outside: one request goes out, one reply or one
//! transport error comes back. The production side is `http.rs`; the simulator offers its own.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;

/// Names the HTTP methods the API needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Unsigned reads only.
    Get,
    /// Every signed command.
    Post,
}

/// Tells the transport which time-out and which connection a request deserves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RequestKind {
    /// An ordinary read.
    Read,
    /// A read whose reply may be large (history, directories).
    BulkRead,
    /// An order or a cancellation: a fresh connection, never sent twice.
    Order,
}

/// Holds one request ready to be sent: its bytes are final, the signature covers exactly them.
#[derive(Clone, PartialEq, Eq)]
pub struct RawRequest {
    /// How the transport must treat it.
    pub kind: RequestKind,
    /// HTTP method.
    pub method: Method,
    /// Path with query, beginning with `/`.
    pub path: String,
    /// Header names and values.
    pub headers: Vec<(&'static str, String)>,
    /// Body bytes, empty for GET.
    pub body: Vec<u8>,
}

impl fmt::Debug for RawRequest {
    /// Shows no header value and no body: they carry the public key, signatures and orders.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.split('?').next().unwrap_or("");
        f.debug_struct("RawRequest")
            .field("kind", &self.kind)
            .field("method", &self.method)
            .field("path", &path)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Holds one complete reply, whatever its status.
#[derive(Clone, PartialEq, Eq)]
pub struct RawReply {
    /// HTTP status.
    pub status: u16,
    /// Headers by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// Whole body.
    pub body: Vec<u8>,
}

impl RawReply {
    /// Builds a reply without headers, as simulators and tests need it.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: BTreeMap::new(), body: body.into() }
    }

    /// Adds one header; the name is stored in lower case.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_ascii_lowercase(), value.to_owned());
        self
    }

    /// Looks a header up by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

impl fmt::Debug for RawReply {
    /// Shows no body: account replies hold personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawReply")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Says how a request failed before a complete reply was there.
///
/// The difference decides whether an order may exist at the broker, so a transport that cannot
/// tell must answer `Unknown`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// Not one byte of the request reached the other side.
    #[error("the request surely never left ({reason}); nothing happened at the broker")]
    NotSent {
        /// What stopped it: name look-up, connection, TLS, address.
        reason: String,
    },
    /// The request may have arrived and may have been obeyed.
    #[error("no whole reply came back ({reason}); the broker may have acted")]
    Unknown {
        /// What was seen: time-out, reset, truncated or oversized reply.
        reason: String,
    },
}

/// Sends one request and waits for its reply.
///
/// Implementations must not retry, follow redirects or keep cookies. The future need not be
/// `Send`: a single-threaded runtime is enough.
pub trait Exchange {
    /// Sends `request` exactly once.
    fn send(&self, request: RawRequest) -> impl Future<Output = Result<RawReply, TransportError>>;
}
