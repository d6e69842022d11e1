//! Reads `steward.toml`: the data folder, the address of the bus and the limits of the broker.
//!
//! The file is shared by all stages, so tables and keys of others are passed over; only `[broker]` is ours and must
//! hold nothing unknown.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::limits::{LimitError, LimitOverrides, Limits};

/// Port of the bus where `bus.url` names none.
const DEFAULT_PORT: u16 = 1883;

/// Everything the broker needs to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Data folder; the credentials lie in its folder `credentials`.
    pub dir: PathBuf,
    /// Loopback address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Limits of every buffer, count and wait.
    pub limits: Limits,
    /// Whether small packets are sent at once (`TCP_NODELAY`). Off only to measure what it is worth.
    pub no_delay: bool,
}

/// Why the settings file cannot be used. Each is one sentence for the person who wrote the file.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("{} cannot be read; name an existing file with --config", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not TOML, or a key has the wrong type or is missing.
    #[error("{}, line {line}: {rule}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// First line is 1.
        line: usize,
        /// What is wrong there.
        rule: String,
    },
    /// `bus.url` is not an address this broker serves.
    #[error("{}: bus.url {url:?} {rule}", path.display())]
    Url {
        /// The file.
        path: PathBuf,
        /// The value found.
        url: String,
        /// The rule it breaks.
        rule: UrlRule,
    },
    /// A limit is outside its range.
    #[error("{}: {limit}", path.display())]
    Limit {
        /// The file.
        path: PathBuf,
        /// Which limit and its range.
        limit: LimitError,
    },
}

/// The rule an address breaks, first one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlRule {
    /// Another scheme than `mqtt`.
    #[error("must begin with mqtt://")]
    Scheme,
    /// A user or password in the address.
    #[error("must not contain a user or password; credentials lie in the data folder")]
    Credentials,
    /// No host, a bad port, or text after the port.
    #[error("must be of the form mqtt://127.0.0.1:1883")]
    Shape,
    /// Not an address of this machine alone.
    #[error(
        "is not a loopback address; the broker serves this machine only, so use 127.0.0.1, or do not start it and let \
         the stages use the broker at that address"
    )]
    NotLoopback,
}

/// As every stage reads it, so that none of them takes for right what another takes for a slip of the pen.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    dir: PathBuf,
    #[serde(default)]
    bus: Bus,
    #[serde(default)]
    broker: LimitOverrides,
    #[serde(default, rename = "environment")]
    _environment: Option<String>,
    #[serde(default, rename = "stage")]
    _stage: toml::Table,
}

#[derive(Deserialize)]
struct Bus {
    #[serde(default = "default_url")]
    url: String,
}

fn default_url() -> String {
    format!("mqtt://127.0.0.1:{DEFAULT_PORT}")
}

impl Default for Bus {
    fn default() -> Self {
        Bus { url: default_url() }
    }
}

/// Reads and checks the settings file.
///
/// # Errors
/// Says in one sentence which file, line and rule is at fault.
pub fn load(path: &Path) -> Result<Config, ConfigError> {
    let text =
        fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_path_buf(), source })?;
    parse(path, &text)
}

fn parse(path: &Path, text: &str) -> Result<Config, ConfigError> {
    let file: File = toml::from_str(text).map_err(|error| ConfigError::Syntax {
        path: path.to_path_buf(),
        line: line_of(text, error.span().map_or(0, |span| span.start)),
        rule: error.message().split_whitespace().collect::<Vec<_>>().join(" "),
    })?;
    let listen = loopback(&file.bus.url).map_err(|rule| ConfigError::Url {
        path: path.to_path_buf(),
        url: hide_credentials(&file.bus.url),
        rule,
    })?;
    let limits =
        Limits::with(&file.broker).map_err(|limit| ConfigError::Limit { path: path.to_path_buf(), limit })?;
    // As in every stage, `dir` is meant from where the file lies.
    let dir = path.parent().unwrap_or(Path::new("")).join(file.dir);
    Ok(Config { dir, listen, limits, no_delay: true })
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

/// Keeps a password that was wrongly put into the address out of the error message.
fn hide_credentials(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        _ => url.to_owned(),
    }
}

/// Returns the loopback address a URL names.
fn loopback(url: &str) -> Result<SocketAddr, UrlRule> {
    let place = url.strip_prefix("mqtt://").ok_or(UrlRule::Scheme)?;
    if place.contains('@') {
        return Err(UrlRule::Credentials);
    }
    let place = place.strip_suffix('/').unwrap_or(place);
    let (host, port) = split_port(place)?;
    let ip = match host {
        "" => return Err(UrlRule::Shape),
        "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
        // A name is not looked up: whatever it means today, it is not certainly this machine.
        name => name.parse::<IpAddr>().map_err(|_| UrlRule::NotLoopback)?,
    };
    if ip.is_loopback() { Ok(SocketAddr::new(ip, port)) } else { Err(UrlRule::NotLoopback) }
}

fn split_port(place: &str) -> Result<(&str, u16), UrlRule> {
    if let Some(rest) = place.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or(UrlRule::Shape)?;
        return Ok((host, port_of(after.strip_prefix(':'))?));
    }
    match place.split_once(':') {
        Some((host, port)) => Ok((host, port_of(Some(port))?)),
        None => Ok((place, DEFAULT_PORT)),
    }
}

fn port_of(text: Option<&str>) -> Result<u16, UrlRule> {
    text.map_or(Ok(DEFAULT_PORT), |text| text.parse().map_err(|_| UrlRule::Shape))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(text: &str) -> Result<Config, String> {
        parse(Path::new("steward.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn accepts_loopback_in_every_notation() {
        let table = [
            ("mqtt://127.0.0.1:1883", "127.0.0.1:1883"),
            ("mqtt://127.0.0.1", "127.0.0.1:1883"),
            ("mqtt://localhost:2000/", "127.0.0.1:2000"),
            ("mqtt://[::1]:1884", "[::1]:1884"),
            ("mqtt://[::1]", "[::1]:1883"),
            ("mqtt://127.9.9.9:0", "127.9.9.9:0"),
        ];
        for (url, address) in table {
            assert_eq!(loopback(url), Ok(address.parse().unwrap()), "{url}");
        }
    }

    #[test]
    fn refuses_everything_that_is_not_loopback() {
        let table = [
            ("127.0.0.1:1883", UrlRule::Scheme),
            ("mqtts://127.0.0.1:1883", UrlRule::Scheme),
            ("mqtt://u:p@127.0.0.1", UrlRule::Credentials),
            ("mqtt://", UrlRule::Shape),
            ("mqtt://127.0.0.1:", UrlRule::Shape),
            ("mqtt://127.0.0.1:65536", UrlRule::Shape),
            ("mqtt://127.0.0.1:-1", UrlRule::Shape),
            ("mqtt://[::1:1883", UrlRule::Shape),
            ("mqtt://0.0.0.0:1883", UrlRule::NotLoopback),
            ("mqtt://192.168.1.5:1883", UrlRule::NotLoopback),
            ("mqtt://broker.example:1883", UrlRule::NotLoopback),
            ("mqtt://[::]:1883", UrlRule::NotLoopback),
        ];
        for (url, rule) in table {
            assert_eq!(loopback(url), Err(rule), "{url}");
        }
    }

    #[test]
    fn passes_over_what_belongs_to_others() {
        let config = check(
            "dir = \"data\"\nenvironment = \"live\"\n[bus]\nurl = \"mqtt://127.0.0.1:1883\"\nprefix = \"s\"\n[stage.plan]\nx = 1\n",
        )
        .unwrap();
        assert_eq!(config.dir, PathBuf::from("data"));
        assert_eq!(config.limits, Limits::default());
        assert!(config.no_delay);
    }

    #[test]
    fn takes_limits_and_refuses_an_unknown_one() {
        let base = "dir = \"d\"\n[bus]\nurl = \"mqtt://127.0.0.1\"\n[broker]\n";
        assert_eq!(check(&format!("{base}max_connections = 20\n")).unwrap().limits.max_connections, 20);
        let refusal = check(&format!("{base}max_conections = 20\n")).unwrap_err();
        assert!(refusal.starts_with("steward.toml, line 5: unknown field `max_conections`"), "{refusal}");
        let refusal = check(&format!("{base}max_connections = 0\n")).unwrap_err();
        assert_eq!(refusal, "steward.toml: broker.max_connections is 0, but must lie between 18 and 896");
    }

    #[test]
    fn says_file_line_and_rule_in_one_sentence() {
        let broken = check("dir = \"d\"\n[bus]\nurl = mqtt\n").unwrap_err();
        assert!(broken.starts_with("steward.toml, line 3: "), "{broken}");
        assert!(!broken.contains('\n'), "{broken}");
        let misspelt = check("dri = \"d\"\n").unwrap_err();
        assert!(misspelt.starts_with("steward.toml, line 1: unknown field `dri`"), "{misspelt}");
    }

    #[test]
    fn what_is_left_out_is_as_in_every_stage() {
        let config = check("environment = \"live\"\n").unwrap();
        assert_eq!(config.dir, PathBuf::from(""));
        assert_eq!(config.listen, "127.0.0.1:1883".parse().unwrap());
    }

    #[test]
    fn never_repeats_a_password_from_the_address() {
        let refusal = check("dir = \"d\"\n[bus]\nurl = \"mqtt://u:secret@127.0.0.1\"\n").unwrap_err();
        assert!(!refusal.contains("secret"), "{refusal}");
    }
}
