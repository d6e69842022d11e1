//! The process `steward-notify`.

use std::process::ExitCode;

fn main() -> ExitCode {
    bus_client::main::<notify::Notify>()
}
