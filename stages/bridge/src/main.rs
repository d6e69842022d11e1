//! The process `steward-bridge`.

use std::process::ExitCode;

fn main() -> ExitCode {
    bus_client::main_on::<bridge::Bridge, _>(bridge::HttpEdge::open)
}
