//! `steward`: see `steward --help`.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    steward::run(steward::Cli::parse())
}
