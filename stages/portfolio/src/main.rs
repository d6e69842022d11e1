//! The process `steward-portfolio`.

use std::process::ExitCode;

fn main() -> ExitCode {
    bus_client::main_with::<portfolio::Portfolio, _>(portfolio::PortfolioEdge::http)
}
