//! Runs the optimiser as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    bus_client::main_with::<optimise::Optimise, _>(|start| Ok(optimise::Bars::new(&start.config)))
}
