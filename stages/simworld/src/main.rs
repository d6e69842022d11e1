//! The simulated broker, market data and clock as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    simworld::serve_process()
}
