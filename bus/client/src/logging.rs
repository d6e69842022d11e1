//! One log format for every process: fixed sentences, data as fields, colours only on a terminal.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt};

/// Starts logging to standard error. `STEWARD_LOG` overrides the level, for example `debug` or `bus_client=trace`.
/// Under a supervisor that stamps lines itself (`STEWARD_SUPERVISED`), time and colours are left out.
pub fn start_log() {
    let filter = EnvFilter::try_from_env("STEWARD_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let supervised =
        std::env::var_os("STEWARD_SUPERVISED").is_some() || std::env::var_os("JOURNAL_STREAM").is_some();
    // A line that cannot be written, on a full disk for example, is lost; complaining about it would end the process.
    let log = fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .log_internal_errors(false);
    let ansi = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let started = if supervised {
        log.with_ansi(false).without_time().try_init()
    } else {
        log.with_ansi(ansi).try_init()
    };
    // A second start, in tests, keeps the first.
    drop(started);
}
