//! Runs `execute` as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    bus_client::main_with::<execute::Execute, _>(execute::ExecuteEdge::http)
}
