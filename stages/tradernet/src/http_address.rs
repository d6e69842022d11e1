//! Where the broker is: HTTPS anywhere, plain HTTP on this machine only.

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;

/// Holds a checked base address without path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    base: String,
    loopback: bool,
}

/// Says why an address is not accepted, in order of precedence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// No address at all.
    #[error("the broker address is no URL; write for example https://freedom24.com")]
    NotAUrl,
    /// Neither https nor http.
    #[error("the broker address must begin with https://")]
    Scheme,
    /// Plain text over a network.
    #[error("plain http is accepted for this machine only, not for {host}; write https://")]
    PlainHttp {
        /// The host given.
        host: String,
    },
    /// More than scheme, host and port.
    #[error("the broker address must have no user, path or query; write scheme, host and port only")]
    Extra,
}

impl Address {
    /// Checks an address.
    ///
    /// # Errors
    /// See [`AddressFault`].
    pub fn parse(text: &str) -> Result<Self, AddressFault> {
        let url = Url::parse(text).map_err(|_| AddressFault::NotAUrl)?;
        let host = url.host_str().ok_or(AddressFault::NotAUrl)?.to_owned();
        let loopback = is_loopback(&host);
        match url.scheme() {
            "https" => {}
            "http" if loopback => {}
            "http" => return Err(AddressFault::PlainHttp { host }),
            _ => return Err(AddressFault::Scheme),
        }
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if !bare || !url.username().is_empty() || url.password().is_some() {
            return Err(AddressFault::Extra);
        }
        Ok(Self { base: url.as_str().trim_end_matches('/').to_owned(), loopback })
    }

    /// Returns the address of a cabinet by its domain.
    ///
    /// # Errors
    /// See [`AddressFault`].
    pub fn of_domain(domain: &str) -> Result<Self, AddressFault> {
        Self::parse(&format!("https://{domain}"))
    }

    /// Tells whether the address is this machine: the simulator, never the broker.
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.base.starts_with("http://")
    }

    pub(crate) fn join(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn accepts_https_anywhere_and_http_at_home() {
        for text in ["https://freedom24.com", "https://freedom24.com:8443/", "https://127.0.0.1"] {
            assert!(Address::parse(text).is_ok(), "{text}");
        }
        for text in ["http://127.0.0.1:9000", "http://127.9.9.9", "http://[::1]:80", "http://localhost:1"] {
            assert!(Address::parse(text).unwrap().is_loopback(), "{text}");
        }
        assert!(!Address::of_domain("tradernet.com").unwrap().is_loopback());
    }

    #[test]
    fn refuses_everything_else_by_name() {
        let plain = |host: &str| AddressFault::PlainHttp { host: host.to_owned() };
        let table = [
            ("", AddressFault::NotAUrl),
            ("freedom24.com", AddressFault::NotAUrl),
            ("ftp://127.0.0.1", AddressFault::Scheme),
            ("http://freedom24.com", plain("freedom24.com")),
            ("http://192.168.1.1", plain("192.168.1.1")),
            ("http://localhost.example.test", plain("localhost.example.test")),
            ("http://127.0.0.1.example.test", plain("127.0.0.1.example.test")),
            ("https://freedom24.com/api", AddressFault::Extra),
            ("https://user:secret@freedom24.com", AddressFault::Extra),
            ("https://freedom24.com/?a=1", AddressFault::Extra),
        ];
        for (text, fault) in table {
            assert_eq!(Address::parse(text), Err(fault), "{text}");
        }
    }

    #[test]
    fn joins_paths_behind_the_host() {
        let address = Address::parse("https://freedom24.com/").unwrap();
        assert_eq!(address.join("/api/getHloc"), "https://freedom24.com/api/getHloc");
    }
}
