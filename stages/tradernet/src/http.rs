//! The production transport: HTTP/1.1 over TLS, without redirects, retries, cookies or proxies.
//!
//! Orders get a connection of their own each time: a kept-alive one may turn out dead and tempt the
//! HTTP library to send again.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response};

use crate::exchange::{Exchange, Method, RawReply, RawRequest, RequestKind, TransportError};
use crate::http_address::Address;

/// Idle connections kept for reads.
const IDLE_CONNECTIONS_MAX: usize = 1;
/// Longest value of a reply header that is kept.
const HEADER_CHARS_MAX: usize = 256;

/// Holds the settings of the transport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpSettings {
    /// Where the broker is.
    pub address: Address,
    /// An ordinary browser-like name; bare library names are turned away by the firewall.
    pub user_agent: String,
    /// Limit for name look-up, connection and TLS together.
    pub connect_timeout: Duration,
    /// Limit for a whole read.
    pub read_timeout: Duration,
    /// Limit for a whole read of history or lists.
    pub bulk_timeout: Duration,
    /// Limit for a whole order command.
    pub order_timeout: Duration,
    /// Largest reply body read.
    pub reply_bytes_max: usize,
}

impl HttpSettings {
    /// Returns the usual settings for an address.
    pub fn new(address: Address) -> Self {
        Self {
            address,
            user_agent: "Mozilla/5.0 (compatible; TradernetSDK/2.0)".to_owned(),
            connect_timeout: Duration::from_secs(5),
            read_timeout: Duration::from_secs(20),
            bulk_timeout: Duration::from_secs(60),
            order_timeout: Duration::from_secs(30),
            reply_bytes_max: 16 * 1_024 * 1_024,
        }
    }

    fn timeout(&self, kind: RequestKind) -> Duration {
        match kind {
            RequestKind::Read => self.read_timeout,
            RequestKind::BulkRead => self.bulk_timeout,
            RequestKind::Order => self.order_timeout,
        }
    }
}

/// Says why the transport could not be built.
#[derive(Debug, thiserror::Error)]
pub enum HttpFault {
    /// The user agent cannot stand in a header or is empty.
    #[error("the user agent is empty or holds characters no header may carry")]
    UserAgent,
    /// The HTTP library refused, usually because the machine has no root certificates.
    #[error("the HTTP client could not be built; check that root certificates are installed")]
    Build(#[source] reqwest::Error),
}

/// Sends requests over the network.
pub struct HttpExchange {
    settings: HttpSettings,
    reads: Client,
    orders: Client,
}

impl HttpExchange {
    /// Builds the transport; needs no network.
    ///
    /// # Errors
    /// See [`HttpFault`].
    pub fn new(settings: HttpSettings) -> Result<Self, HttpFault> {
        let agent = &settings.user_agent;
        if agent.trim().is_empty() || !agent.chars().all(|c| c.is_ascii_graphic() || c == ' ') {
            return Err(HttpFault::UserAgent);
        }
        // Fails only when a provider is installed already, which then stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let reads = client(&settings, IDLE_CONNECTIONS_MAX)?;
        let orders = client(&settings, 0)?;
        Ok(Self { settings, reads, orders })
    }
}

fn client(settings: &HttpSettings, idle_max: usize) -> Result<Client, HttpFault> {
    let builder = ClientBuilder::new()
        .user_agent(&settings.user_agent)
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .connect_timeout(settings.connect_timeout)
        .pool_max_idle_per_host(idle_max)
        .referer(false);
    let builder = if settings.address.is_plain() {
        // No TLS will happen; without roots this works on machines that have none.
        builder.tls_certs_only(std::iter::empty())
    } else {
        builder.https_only(true)
    };
    builder.build().map_err(HttpFault::Build)
}

impl Exchange for HttpExchange {
    async fn send(&self, request: RawRequest) -> Result<RawReply, TransportError> {
        let client = if request.kind == RequestKind::Order { &self.orders } else { &self.reads };
        let url = self.settings.address.join(&request.path);
        let builder = match request.method {
            Method::Get => client.get(url),
            Method::Post => client.post(url),
        };
        let builder = request.headers.iter().fold(builder, |b, (name, value)| b.header(*name, value));
        let builder = builder.timeout(self.settings.timeout(request.kind)).body(request.body);
        let response = builder.send().await.map_err(transport_error)?;
        read_whole(response, self.settings.reply_bytes_max).await
    }
}

/// Decides whether a failed request may have arrived; only what happened before a connection
/// existed is certain.
fn transport_error(error: reqwest::Error) -> TransportError {
    let reason = chain(&error);
    if error.is_builder() || error.is_connect() {
        return TransportError::NotSent { reason };
    }
    TransportError::Unknown { reason: if error.is_timeout() { "time-out".to_owned() } else { reason } }
}

/// Writes an error with its causes, without the address it happened at.
fn chain(error: &reqwest::Error) -> String {
    let mut causes = Vec::new();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    let kind = if error.is_timeout() { "time-out" } else { "no exchange" };
    crate::redact::redacted(&format!("{kind}: {}", causes.join(": ")), crate::redact::TEXT_CHARS_MAX)
}

async fn read_whole(mut response: Response, bytes_max: usize) -> Result<RawReply, TransportError> {
    let status = response.status().as_u16();
    let headers = kept_headers(&response);
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(broken_body)? {
        if body.len() + chunk.len() > bytes_max {
            return Err(TransportError::Unknown { reason: format!("reply above {bytes_max} bytes") });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(RawReply { status, headers, body })
}

/// Turns an error inside the body into a doubt: the broker has already answered something.
fn broken_body(error: reqwest::Error) -> TransportError {
    TransportError::Unknown { reason: chain(&error) }
}

fn kept_headers(response: &Response) -> BTreeMap<String, String> {
    let wanted = ["content-type", "retry-after", "date"];
    let value = |name: &str| response.headers().get(name)?.to_str().ok();
    wanted
        .iter()
        .filter_map(|name| Some((*name, value(name)?)))
        .map(|(name, value)| (name.to_owned(), value.chars().take(HEADER_CHARS_MAX).collect()))
        .collect()
}
