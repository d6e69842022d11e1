//! How the broker is reached: address, keys, and what may not be mixed with a live system.

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

use crate::{
    Address, AddressFault, Exchange, HttpExchange, HttpFault, HttpSettings, Keys, KeysFault, RawReply,
    RawRequest, TransportError,
};

/// Why the broker cannot be reached at all, in the order in which it is examined.
#[derive(Debug, Error)]
pub enum BrokerError {
    /// No address.
    #[error(
        "`broker_url` is missing; write the broker's address, in a simulated world http://127.0.0.1:PORT/tn"
    )]
    NoUrl,
    /// Not an address that is accepted.
    #[error("`broker_url` cannot be used")]
    Url(#[source] AddressFault),
    /// Live, and not over TLS to another machine.
    #[error(
        "`broker_url` must be https and another machine in a live environment; a simulated broker never serves it"
    )]
    NotLive,
    /// Simulated, and not this machine.
    #[error(
        "`broker_url` must be this machine in a simulated environment; simulated securities never leave it"
    )]
    NotSimulated,
    /// Simulated, and without the path below which the simulated broker answers.
    #[error("`broker_url` needs the path of the simulated broker, such as http://127.0.0.1:8900/tn")]
    NoPath,
    /// The file of the private key.
    #[error(
        "private key file {file} cannot be read ({why}); set `private_key_file` and check who may read it"
    )]
    KeyFile {
        /// Which file.
        file: String,
        /// What the system says.
        why: String,
    },
    /// Others can read it.
    #[error(
        "private key file {file} can be read by others (mode {mode:o}); run `chmod 600` on it and replace the key"
    )]
    KeyExposed {
        /// Which file.
        file: String,
        /// Its mode.
        mode: u32,
    },
    /// The keys.
    #[error("the keys cannot be used")]
    Keys(#[source] KeysFault),
    /// The transport.
    #[error("the transport cannot be built")]
    Http(#[source] HttpFault),
}

impl BrokerError {
    /// One sentence with its cause.
    #[must_use]
    pub fn sentence(&self) -> String {
        match std::error::Error::source(self) {
            Some(cause) => format!("{self}: {cause}"),
            None => self.to_string(),
        }
    }
}

/// An address and the path below which the broker's own paths begin; only simulated brokers have one.
pub struct Place {
    address: Address,
    below: String,
}

impl Place {
    /// Checks an address against the environment.
    ///
    /// # Errors
    /// [`BrokerError`], in the order of its variants.
    pub fn parse(url: &str, simulated: bool) -> Result<Place, BrokerError> {
        if url.trim().is_empty() {
            return Err(BrokerError::NoUrl);
        }
        let (origin, below) = if simulated { split(url) } else { (url, "") };
        let address = Address::parse(origin).map_err(BrokerError::Url)?;
        match simulated {
            false if !origin.starts_with("https://") || address.is_loopback() => Err(BrokerError::NotLive),
            true if !address.is_loopback() => Err(BrokerError::NotSimulated),
            true if below.is_empty() => Err(BrokerError::NoPath),
            _ => Ok(Place { address, below: below.to_owned() }),
        }
    }

    /// Builds the transport to it.
    ///
    /// # Errors
    /// [`BrokerError::Http`].
    pub fn exchange(self) -> Result<Below<HttpExchange>, BrokerError> {
        let inner = HttpExchange::new(HttpSettings::new(self.address)).map_err(BrokerError::Http)?;
        Ok(Below { inner, below: self.below })
    }
}

/// Splits `http://host:port/path` before the path.
fn split(url: &str) -> (&str, &str) {
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    let path = url.get(after_scheme..).and_then(|rest| rest.find('/')).map(|at| at + after_scheme);
    match path {
        Some(at) => (url.get(..at).unwrap_or(url), url.get(at..).unwrap_or("").trim_end_matches('/')),
        None => (url, ""),
    }
}

/// A transport whose paths begin below a path; signatures do not cover the path.
pub struct Below<E> {
    inner: E,
    below: String,
}

impl<E: Exchange> Exchange for Below<E> {
    async fn send(&self, mut request: RawRequest) -> Result<RawReply, TransportError> {
        request.path.insert_str(0, &self.below);
        self.inner.send(request).await
    }
}

/// Reads the private key, which nobody else may be able to read, and joins it to the public one.
///
/// # Errors
/// [`BrokerError`] naming the file and the rule.
pub fn keys(public: &str, file: &Path) -> Result<Keys, BrokerError> {
    let file = &credential(file, std::env::var_os("CREDENTIALS_DIRECTORY").as_deref());
    let shown = || file.display().to_string();
    let unreadable = |error: std::io::Error| BrokerError::KeyFile { file: shown(), why: error.to_string() };
    let mode = fs::metadata(file).map_err(unreadable)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(BrokerError::KeyExposed { file: shown(), mode });
    }
    let text = SecretString::from(fs::read_to_string(file).map_err(unreadable)?);
    Keys::new(public, text.expose_secret().trim().into()).map_err(BrokerError::Keys)
}

/// A file that is not there may be a credential of the same name that systemd hands to the service.
fn credential(file: &Path, handed_out: Option<&OsStr>) -> PathBuf {
    let handed = handed_out.zip(file.file_name()).map(|(folder, name)| Path::new(folder).join(name));
    handed.filter(|handed| !file.exists() && handed.exists()).unwrap_or_else(|| file.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(url: &str, simulated: bool) -> Result<String, String> {
        Place::parse(url, simulated).map(|place| place.below).map_err(|error| error.sentence())
    }

    #[test]
    fn each_environment_accepts_only_its_own_addresses() {
        let (live, sim) = (false, true);
        assert_eq!(parse("https://freedom24.com", live), Ok(String::new()));
        assert_eq!(parse("http://127.0.0.1:8900/tn", sim), Ok("/tn".into()));
        assert_eq!(parse("http://127.0.0.1:8900/tn/", sim), Ok("/tn".into()));
        let refused = [
            ("", live, "`broker_url` is missing"),
            ("http://freedom24.com", live, "plain http"),
            ("http://127.0.0.1:8900", live, "must be https"),
            ("https://127.0.0.1:8900", live, "must be https"),
            ("https://freedom24.com/tn", live, "scheme, host and port only"),
            ("https://freedom24.com/tn", sim, "must be this machine"),
            ("127.0.0.1:8900", sim, "cannot be used"),
            ("http://127.0.0.1:8900", sim, "needs the path"),
            ("http://127.0.0.1:8900/", sim, "needs the path"),
        ];
        for (url, environment, expected) in refused {
            let sentence = parse(url, environment).unwrap_err();
            assert!(sentence.contains(expected), "{url}: {sentence}");
        }
    }

    #[test]
    fn a_missing_file_may_be_a_credential_of_the_service_manager() {
        let (own, handed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let file = own.path().join("broker");
        let looked_for = || credential(&file, Some(handed.path().as_os_str()));
        assert_eq!(looked_for(), file, "neither is there");
        fs::write(handed.path().join("broker"), "x").unwrap();
        assert_eq!(looked_for(), handed.path().join("broker"));
        assert_eq!(credential(&file, None), file);
        fs::write(&file, "x").unwrap();
        assert_eq!(looked_for(), file, "the named file wins");
    }

    #[test]
    fn a_key_that_others_can_read_is_refused_without_showing_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        fs::write(&file, "hunter2\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let sentence = keys("public", &file).map(|_| ()).unwrap_err().sentence();
        assert!(sentence.contains("mode 640") && !sentence.contains("hunter2"), "{sentence}");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(keys("public", &file).is_ok());
        assert!(matches!(keys("public", &folder.path().join("none")), Err(BrokerError::KeyFile { .. })));
    }
}
