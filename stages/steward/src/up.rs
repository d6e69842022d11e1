//! `steward up`: the real world, from a configuration that the owner wrote.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    sync::Arc,
};

use bus_client::{Config, Environment};

use crate::{
    Fault, Log,
    cli::UpOptions,
    launch::{self, launch, stop_signal},
    lock,
    log_lines::Shown,
    ports, print,
    programs::{self, Selection},
    supervisor::Change,
};

const EXAMPLE: &str = r#"# A minimal steward.toml:
environment = "live"
dir = "data"

[bus]
url = "mqtt://127.0.0.1:1883"

[stage.ingest]
public_key = "…"
private_key_file = "keys/broker"

[stage.portfolio]
public_key = "…"
private_key_file = "keys/broker"

[stage.execute]
public_key = "…"
private_key_file = "keys/broker"

[stage.risk-gate]
mode = "research"        # `live` places real orders"#;

/// Runs everything until a person ends it; the exit code.
///
/// # Errors
/// When it cannot start, or a program was given up.
pub async fn run(options: &UpOptions) -> Result<u8, Fault> {
    let file = options.place.file();
    if !file.exists() {
        print::note(EXAMPLE);
        return Err(Fault::Refused(format!(
            "{} does not exist, and nothing is guessed about real money; write one like the above, or try `steward demo`",
            file.display()
        )));
    }
    let config = Config::read(&file)?;
    if config.environment != Environment::Live {
        return Err(Fault::Refused(format!(
            "{} is of environment `{}`, not of the real world; use `steward demo` for it",
            file.display(),
            config.environment
        )));
    }
    let (folder, name) = parts(&file);
    let executable = launch::own_executable()?;
    let selection =
        Selection { simulated: false, evaluators: options.evaluators, without: options.without.clone() };
    let programs =
        programs::find(executable.parent().unwrap_or(Path::new(".")), Path::new(&name), &selection)?;
    let _lock = lock::take(&config.dir)?;
    let broker = launch::own_broker(&config.bus, &options.without)?;
    if let Some(address) = broker {
        ports::ensure_free(address, "the bus", "set another port in `bus.url`")?;
    }
    if !programs.missing.is_empty() {
        print::note(&format!("Not installed and left out: {}.", programs.missing.join(", ")));
    }
    let mut stop = std::pin::pin!(stop_signal()?);
    let mut supervisor = launch(folder, &programs, broker, Arc::new(Log::shown(Shown::All))).await?;
    let given_up = loop {
        tokio::select! {
            biased;
            () = &mut stop => break None,
            change = supervisor.next() => if let Change::GivenUp { sentence, .. } = change { break Some(sentence) },
        }
    };
    supervisor.stop().await;
    match given_up {
        Some(sentence) => Err(Fault::Refused(sentence)),
        None => {
            print::note("Stopped as asked.");
            Ok(0)
        }
    }
}

/// The programs run in the folder of the file, because the file's own paths are relative to it.
fn parts(file: &Path) -> (PathBuf, PathBuf) {
    let folder = file.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    (folder.into(), file.file_name().unwrap_or(OsStr::new("steward.toml")).into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_a_configuration() {
        let config = Config::parse(EXAMPLE, Path::new("x/steward.toml")).unwrap();
        assert_eq!(config.environment, Environment::Live);
    }

    #[test]
    fn programs_run_where_the_file_is() {
        assert_eq!(parts(Path::new("steward.toml")), (".".into(), "steward.toml".into()));
        assert_eq!(parts(Path::new("/etc/x/s.toml")), ("/etc/x".into(), "s.toml".into()));
    }
}
