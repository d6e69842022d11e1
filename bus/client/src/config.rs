//! `steward.toml`: which environment, where the data is, which broker, and each stage's own settings.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::{Deserialize, de::DeserializeOwned};
use thiserror::Error;

/// The whole file. What nobody reads is refused: a misspelt `dir` would mean empty stores.
#[derive(Debug, Clone)]
pub struct Config {
    /// Real world or a simulated one.
    pub environment: Environment,
    /// Folder of stores, credentials and keys.
    pub dir: PathBuf,
    /// Where the stages' broker is.
    pub bus: Bus,
    /// `[stage.NAME]`, not yet understood.
    stage: toml::Table,
    file: PathBuf,
}

/// `[bus]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bus {
    /// `mqtt://host:port`.
    #[serde(default = "default_url")]
    pub url: String,
    /// First part of every topic, so that several instances can share a broker.
    #[serde(default = "default_prefix")]
    pub prefix: String,
    /// Signs in without a password; only for a broker of one's own that asks for none.
    #[serde(default)]
    pub anonymous: bool,
}

fn default_url() -> String {
    "mqtt://127.0.0.1:1883".into()
}

fn default_prefix() -> String {
    "steward".into()
}

impl Default for Bus {
    fn default() -> Self {
        Bus { url: default_url(), prefix: default_prefix(), anonymous: false }
    }
}

/// Real world or a simulated one. Stores are marked with it and never opened in another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Environment {
    /// Real prices, real account.
    Live,
    /// Simulated world with this seed.
    Sim(u64),
}

impl Environment {
    /// Whether time is virtual.
    #[must_use]
    pub fn is_simulated(&self) -> bool {
        matches!(self, Environment::Sim(_))
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Environment::Live => f.write_str("live"),
            Environment::Sim(seed) => write!(f, "sim:{seed}"),
        }
    }
}

impl FromStr for Environment {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("sim:").map(str::parse) {
            Some(Ok(seed)) => Ok(Environment::Sim(seed)),
            None if text == "live" => Ok(Environment::Live),
            _ => Err(format!("`environment` is `{text}`, it must be `live` or `sim:` and a number")),
        }
    }
}

/// Why `steward.toml` cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file is not there or not readable.
    #[error("{} cannot be read ({why}); pass the right path with --config", file.display())]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// What the system says.
        why: String,
    },
    /// A field breaks a rule.
    #[error("{}: {rule}", file.display())]
    Invalid {
        /// Which file.
        file: PathBuf,
        /// Field and rule.
        rule: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    environment: String,
    #[serde(default)]
    dir: Option<PathBuf>,
    #[serde(default)]
    bus: Bus,
    #[serde(default)]
    stage: toml::Table,
    /// Limits of the broker, which reads them itself.
    #[serde(default, rename = "broker")]
    _broker: toml::Table,
}

impl Config {
    /// One value below `[stage.NAME]` as text, for showing; absent where a default holds.
    #[must_use]
    pub fn value(&self, stage: &str, key: &str) -> Option<String> {
        let value = self.stage.get(stage)?.as_table()?.get(key)?;
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_string))
    }

    /// Reads the file; `dir` is relative to it.
    ///
    /// # Errors
    /// One sentence naming file, field and rule.
    pub fn read(file: &Path) -> Result<Config, ConfigError> {
        let text = fs::read_to_string(file)
            .map_err(|error| ConfigError::Unreadable { file: file.into(), why: error.to_string() })?;
        Config::parse(&text, file)
    }

    /// Understands the text of the file.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn parse(text: &str, file: &Path) -> Result<Config, ConfigError> {
        let invalid = |rule: String| ConfigError::Invalid { file: file.into(), rule };
        let raw: Raw = toml::from_str(text).map_err(|error| invalid(one_line(&error, text)))?;
        let environment = raw.environment.parse().map_err(invalid)?;
        if raw.bus.prefix.is_empty() || raw.bus.prefix.contains(['+', '#', '$']) {
            return Err(invalid(format!(
                "`bus.prefix` is `{}`, it must be plain words without +, # and $",
                raw.bus.prefix
            )));
        }
        for name in raw.stage.keys() {
            if !contracts::STAGES.iter().any(|stage| stage.name == name) {
                return Err(invalid(format!(
                    "[stage.{name}] names no stage; correct the name or remove the table"
                )));
            }
        }
        let base = file.parent().unwrap_or(Path::new("."));
        Ok(Config {
            environment,
            dir: base.join(raw.dir.unwrap_or_default()),
            bus: raw.bus,
            stage: raw.stage,
            file: file.into(),
        })
    }

    /// The settings of one stage, checked.
    ///
    /// # Errors
    /// One sentence naming the field and the rule.
    pub fn settings<T: DeserializeOwned>(&self, stage: &str) -> Result<T, ConfigError> {
        let table = self.stage.get(stage).cloned().unwrap_or(toml::Value::Table(toml::Table::new()));
        table.try_into().map_err(|error: toml::de::Error| ConfigError::Invalid {
            file: self.file.clone(),
            rule: format!("[stage.{stage}]: {}", one_line(&error, "")),
        })
    }

    /// The folder of the stores.
    #[must_use]
    pub fn stores(&self) -> PathBuf {
        self.dir.join("stores")
    }

    /// The file of one store.
    #[must_use]
    pub fn store_file(&self, store: &str) -> PathBuf {
        self.stores().join(format!("{store}.db"))
    }
}

/// The message and the line, without the drawing that the parser adds.
fn one_line(error: &toml::de::Error, text: &str) -> String {
    let message = error.message().replace('\n', "; ");
    match error.span() {
        Some(span) if !text.is_empty() => {
            let line = text.get(..span.start).map_or(1, |before| before.matches('\n').count() + 1);
            format!("line {line}: {message}")
        }
        _ => message,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Config::parse(text, Path::new("x/steward.toml"))
    }

    #[test]
    fn a_small_file_is_enough() {
        let config = parse("environment = \"sim:7\"\ndir = \"data\"\n").unwrap();
        assert_eq!(config.environment, Environment::Sim(7));
        assert_eq!(config.dir, Path::new("x/data"));
        assert_eq!(config.bus.url, "mqtt://127.0.0.1:1883");
    }

    #[test]
    fn each_mistake_is_one_sentence_with_its_place() {
        let cases = [
            ("", "environment"),
            ("environment = \"real\"", "`live` or `sim:`"),
            ("environment = \"sim:x\"", "`live` or `sim:`"),
            ("environment = \"live\"\n[bus]\nurk = 1", "line 3"),
            ("environment = \"live\"\n[bus]\nprefix = \"a/#\"", "bus.prefix"),
            ("environment = \"live\"\n[stage.scor]\n", "[stage.scor]"),
            ("environment = ", "line 1"),
            ("environment = \"live\"\ndri = \"/var/lib/steward\"", "dri"),
            ("environment = \"live\"\n[buss]\nurl = \"mqtt://127.0.0.1:1883\"", "buss"),
            ("environment = \"live\"\n[stages.execute]\nmode = \"live\"", "stages"),
        ];
        for (text, expected) in cases {
            let sentence = parse(text).unwrap_err().to_string();
            assert!(sentence.contains(expected), "{sentence}");
            assert!(sentence.starts_with("x/steward.toml"), "{sentence}");
            assert!(!sentence.contains('\n'), "{sentence}");
        }
    }

    #[test]
    fn a_stage_names_its_bad_setting() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Settings {
            #[allow(dead_code)]
            bars: u32,
        }
        let config = parse("environment = \"live\"\n[stage.score]\nbars = -1\n").unwrap();
        let sentence = config.settings::<Settings>("score").unwrap_err().to_string();
        assert!(sentence.contains("[stage.score]") && sentence.contains("-1"), "{sentence}");
    }
}
