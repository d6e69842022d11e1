//! Runs the scorer as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    bus_client::main_with::<score::Score, _>(|start| Ok(score::Market::new(&start.config)))
}
