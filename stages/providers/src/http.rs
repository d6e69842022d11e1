//! The production transport: HTTP/1.1, over TLS unless the service is this machine; no redirects, retries or proxies.

use std::{collections::BTreeMap, time::Duration};

use reqwest::{Client, ClientBuilder, redirect::Policy};

use crate::{
    answer::Service,
    base::Base,
    fetch::{Fetch, FetchFault, Request, Response},
};

/// Name look-up, connection and TLS together.
const CONNECT: Duration = Duration::from_secs(5);
/// A whole answer.
const WHOLE: Duration = Duration::from_secs(15);
/// A whole answer of years.
const BULK: Duration = Duration::from_secs(30);
/// The longest reply: the ECB's whole history has about 8 MB.
const REPLY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// A current desktop browser; services turn library names away.
pub(crate) const BROWSER: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";

/// Sends requests over the network.
pub struct HttpFetch {
    client: Client,
    bases: BTreeMap<Service, Base>,
}

impl HttpFetch {
    /// Builds the transport; needs no network. `timeout` replaces the usual limits, for tests.
    ///
    /// # Errors
    /// One sentence, usually because the machine has no root certificates.
    pub fn new(bases: BTreeMap<Service, Base>, timeout: Option<Duration>) -> Result<Self, String> {
        // Fails only when a provider is installed already, which then stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = ClientBuilder::new()
            .user_agent(BROWSER)
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .connect_timeout(timeout.unwrap_or(CONNECT))
            .timeout(timeout.unwrap_or(BULK))
            .pool_max_idle_per_host(1)
            .referer(false);
        let plain = bases.values().all(Base::is_plain);
        // Without roots this works on machines that have none.
        let builder = if plain { builder.tls_certs_only(std::iter::empty()) } else { builder };
        let client = builder
            .build()
            .map_err(|_| "the HTTP client could not be built; check that root certificates are installed")?;
        Ok(HttpFetch { client, bases })
    }

    /// Tells whether the service has an address.
    #[must_use]
    pub fn reaches(&self, service: Service) -> bool {
        self.bases.contains_key(&service)
    }
}

impl Fetch for HttpFetch {
    async fn fetch(&self, request: Request) -> Result<Response, FetchFault> {
        let base = self
            .bases
            .get(&request.service)
            .ok_or_else(|| FetchFault(format!("`{}_url` is not set", request.service.name())))?;
        let url = base.join(&request.path);
        let builder = match &request.body {
            None => self.client.get(url),
            Some(body) => self.client.post(url).header("Content-Type", "application/json").body(body.clone()),
        };
        let builder = match &request.cookie {
            Some(cookie) => builder.header("Cookie", cookie),
            None => builder,
        };
        let builder = if request.bulk { builder } else { builder.timeout(WHOLE) };
        let mut reply = builder.send().await.map_err(fault)?;
        let headers = reply.headers();
        let text = |name: &str| headers.get(name)?.to_str().ok();
        let retry_after_s = text("retry-after").and_then(|seconds| seconds.parse().ok());
        let cookies = headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
        let cookies = cookies.map(str::to_owned).collect();
        let status = reply.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = reply.chunk().await.map_err(fault)? {
            if body.len() + chunk.len() > REPLY_BYTES_MAX {
                return Err(FetchFault(format!("a reply above {REPLY_BYTES_MAX} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response { status, retry_after_s, cookies, body })
    }
}

/// Writes an error with its causes, without the address, which may hold a crumb.
fn fault(error: reqwest::Error) -> FetchFault {
    let error = error.without_url();
    let mut text = if error.is_timeout() { "time-out".to_owned() } else { error.to_string() };
    let mut next = std::error::Error::source(&error);
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    FetchFault(text)
}
