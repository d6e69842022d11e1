//! Finds the configuration that a command is about.

use std::path::PathBuf;

use bus_client::Config;

use crate::{Fault, cli::Place};

const NAME: &str = "steward.toml";

impl Place {
    /// The file: as named, else here, else that of a demo here.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        match (&self.config, &self.dir) {
            (Some(file), _) => file.clone(),
            (None, Some(dir)) => dir.join(NAME),
            (None, None) => {
                let (here, demo) = (PathBuf::from(NAME), PathBuf::from("demo").join(NAME));
                if !here.exists() && demo.exists() { demo } else { here }
            }
        }
    }

    /// The configuration.
    ///
    /// # Errors
    /// When it is missing or wrong.
    pub fn read(&self) -> Result<Config, Fault> {
        let file = self.file();
        if !file.exists() {
            return Err(Fault::NoConfig(file));
        }
        Ok(Config::read(&file)?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_configuration_says_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place { dir: Some(dir.path().into()), config: None };
        let fault = place.read().unwrap_err();
        assert_eq!(fault.exit_code(), 2);
        assert!(fault.to_string().contains("steward demo"), "{fault}");
    }

    #[test]
    fn a_named_file_wins() {
        let place = Place { dir: Some("x".into()), config: Some("y.toml".into()) };
        assert_eq!(place.file(), PathBuf::from("y.toml"));
        assert_eq!(Place { dir: Some("x".into()), config: None }.file(), PathBuf::from("x/steward.toml"));
    }
}
