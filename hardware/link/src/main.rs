//! The process `steward-hardware`.

use std::process::ExitCode;

fn main() -> ExitCode {
    bus_client::main_on::<link::Hardware, _>(link::BoardEdge::open)
}
