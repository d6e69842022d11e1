//! Settings of `[stage.bridge]`.

use std::net::SocketAddr;

use serde::Deserialize;

/// As written in `steward.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Address and port, or `off`.
    pub listen: String,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { listen: "127.0.0.1:8080".into() }
    }
}

/// Where to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listen {
    /// Nowhere.
    Off,
    /// On this loopback address.
    On(SocketAddr),
}

impl Settings {
    /// Where to listen.
    ///
    /// # Errors
    /// One sentence naming field and rule.
    pub fn listen(&self) -> Result<Listen, String> {
        if self.listen == "off" {
            return Ok(Listen::Off);
        }
        let address: SocketAddr = self.listen.parse().map_err(|_| {
            format!(
                "[stage.bridge] `listen` is `{}`, it must be an address such as 127.0.0.1:8080, or `off`",
                self.listen
            )
        })?;
        if !address.ip().is_loopback() {
            return Err(format!(
                "[stage.bridge] `listen` is `{address}`, it must be a loopback address: nobody can sign in yet, so nothing is served to a network"
            ));
        }
        Ok(Listen::On(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(text: &str) -> Result<Listen, String> {
        Settings { listen: text.into() }.listen()
    }

    #[test]
    fn loopback_and_off_are_allowed() {
        assert!(matches!(listen("127.0.0.1:8080"), Ok(Listen::On(_))));
        assert!(matches!(listen("[::1]:0"), Ok(Listen::On(_))));
        assert_eq!(listen("off"), Ok(Listen::Off));
        assert!(Settings::default().listen().is_ok());
    }

    #[test]
    fn every_other_address_is_refused_with_the_reason() {
        for text in ["0.0.0.0:8080", "192.168.1.7:80", "[::]:8080"] {
            assert!(listen(text).is_err_and(|sentence| sentence.contains("sign in")), "{text}");
        }
        for text in ["", "8080", "localhost:8080", "127.0.0.1"] {
            assert!(listen(text).is_err_and(|sentence| sentence.contains("`listen`")), "{text}");
        }
    }
}
