//! Where the broker's socket is: over TLS anywhere, plain on this machine only.

use reqwest::Url;

use crate::http_address::{AddressFault, is_loopback};

/// Holds a checked address of the socket, without query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketAddress {
    base: String,
    loopback: bool,
}

impl SocketAddress {
    /// Checks an address such as `wss://wss.freedom24.com` or, of a simulated broker, `ws://127.0.0.1:8900/tnws`.
    ///
    /// # Errors
    /// See [`AddressFault`].
    pub fn parse(text: &str) -> Result<Self, AddressFault> {
        let url = Url::parse(text).map_err(|_| AddressFault::NotAUrl)?;
        let host = url.host_str().ok_or(AddressFault::NotAUrl)?.to_owned();
        let loopback = is_loopback(&host);
        match url.scheme() {
            "wss" => {}
            "ws" if loopback => {}
            "ws" => return Err(AddressFault::PlainHttp { host }),
            _ => return Err(AddressFault::Scheme),
        }
        // Only a simulated broker lives below a path.
        let bare = loopback || url.path() == "/";
        let extra = url.query().is_some() || url.fragment().is_some() || !url.username().is_empty();
        if !bare || extra || url.password().is_some() {
            return Err(AddressFault::Extra);
        }
        Ok(Self { base: url.as_str().to_owned(), loopback })
    }

    /// Returns the address that belongs to a cabinet's domain.
    ///
    /// # Errors
    /// See [`AddressFault`].
    pub fn of_domain(domain: &str) -> Result<Self, AddressFault> {
        Self::parse(&format!("wss://wss.{domain}"))
    }

    /// Returns the socket beside an address of the broker: `wss.` before a cabinet's host, `…ws` beside a simulated one.
    ///
    /// # Errors
    /// See [`AddressFault`].
    pub fn beside(broker_url: &str) -> Result<Self, AddressFault> {
        let url = broker_url.trim().trim_end_matches('/');
        match url.strip_prefix("https://") {
            Some(host) => Self::of_domain(host),
            None => Self::parse(&format!("{}ws", url.replacen("http://", "ws://", 1))),
        }
    }

    /// Tells whether the address is this machine.
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }

    pub(crate) fn with_query(&self, query: &str) -> String {
        format!("{}{query}", self.base)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_lies_beside_the_broker() {
        let beside = |url: &str| SocketAddress::beside(url).map(|address| address.base);
        assert_eq!(beside("https://freedom24.com/").as_deref(), Ok("wss://wss.freedom24.com/"));
        assert_eq!(beside("http://127.0.0.1:8900/tn").as_deref(), Ok("ws://127.0.0.1:8900/tnws"));
        assert!(beside("http://freedom24.com").is_err() && beside("").is_err());
    }

    #[test]
    fn plain_sockets_stay_on_this_machine_and_bare_addresses_go_anywhere() {
        assert!(SocketAddress::parse("ws://127.0.0.1:8900/tnws").unwrap().is_loopback());
        assert!(!SocketAddress::of_domain("freedom24.com").unwrap().is_loopback());
        let plain = AddressFault::PlainHttp { host: "freedom24.com".into() };
        for (text, fault) in [
            ("", AddressFault::NotAUrl),
            ("ws://freedom24.com", plain),
            ("https://freedom24.com", AddressFault::Scheme),
            ("wss://wss.freedom24.com/x", AddressFault::Extra),
            ("wss://u:p@wss.freedom24.com", AddressFault::Extra),
            ("ws://127.0.0.1/tnws?a=1", AddressFault::Extra),
        ] {
            assert_eq!(SocketAddress::parse(text), Err(fault), "{text}");
        }
    }
}
