//! The simulated broker, market data and clock as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    simworld::serve_alone().unwrap_or_else(simworld::serve_process)
}
