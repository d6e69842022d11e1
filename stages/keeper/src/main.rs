//! The process `steward-keeper`.

use std::process::ExitCode;

fn main() -> ExitCode {
    bus_client::main::<keeper::Keeper>()
}
