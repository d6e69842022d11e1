//! Where a service is: HTTPS anywhere, plain HTTP on this machine only, and never the one in place of the other.

use std::{fmt, net::IpAddr};

use reqwest::Url;
use thiserror::Error;

/// A checked base address, with a path where the simulator needs one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base(String);

/// Why an address is not accepted, in the order in which it is examined.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BaseFault {
    /// No URL.
    #[error("`{0}` is no address; write for example https://query1.finance.yahoo.com")]
    NotAUrl(String),
    /// Plain text over a network.
    #[error("plain http is accepted for this machine only, not for {0}; write https://")]
    PlainHttp(String),
    /// A simulated world that would ask a real service.
    #[error("{0} is not this machine; a simulated world must not ask real services")]
    NotHere(String),
    /// A live system that would believe a simulator.
    #[error("{0} is this machine; a live system must not believe a simulator")]
    Here(String),
    /// More than scheme, host, port and path.
    #[error("the address must have no user and no query; write scheme, host, port and path only")]
    Extra,
}

impl Base {
    /// Checks an address.
    ///
    /// # Errors
    /// See [`BaseFault`].
    pub fn parse(text: &str, simulated: bool) -> Result<Self, BaseFault> {
        let url = Url::parse(text).map_err(|_| BaseFault::NotAUrl(text.into()))?;
        let host = url.host_str().ok_or_else(|| BaseFault::NotAUrl(text.into()))?.to_owned();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let here = host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        match url.scheme() {
            "https" => {}
            "http" if here => {}
            "http" => return Err(BaseFault::PlainHttp(host)),
            _ => return Err(BaseFault::NotAUrl(text.into())),
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
            return Err(BaseFault::Extra);
        }
        match (simulated, here) {
            (true, false) => Err(BaseFault::NotHere(host)),
            (false, true) => Err(BaseFault::Here(host)),
            _ => Ok(Self(url.as_str().trim_end_matches('/').to_owned())),
        }
    }

    pub(crate) fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.0.starts_with("http://")
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_world_accepts_only_its_own_addresses() {
        let (live, sim) = (false, true);
        for (text, world) in [
            ("https://query1.finance.yahoo.com", live),
            ("http://127.0.0.1:8900/yh", sim),
            ("http://[::1]:1/yh/", sim),
            ("http://localhost:8900/yh", sim),
        ] {
            assert!(Base::parse(text, world).is_ok(), "{text}");
        }
        for (text, world, part) in [
            ("", live, "no address"),
            ("yahoo.com", live, "no address"),
            ("ftp://127.0.0.1", sim, "no address"),
            ("http://query1.finance.yahoo.com", live, "this machine only"),
            ("http://127.0.0.1.example.test", sim, "this machine only"),
            ("https://user@query1.finance.yahoo.com", live, "no user"),
            ("https://query1.finance.yahoo.com?x=1", live, "no query"),
            ("https://query1.finance.yahoo.com", sim, "must not ask real"),
            ("https://127.0.0.1:1", live, "must not believe"),
        ] {
            let fault = Base::parse(text, world).map_err(|fault| fault.to_string());
            assert!(fault.as_ref().is_err_and(|fault| fault.contains(part)), "{text}: {fault:?}");
        }
    }
}
