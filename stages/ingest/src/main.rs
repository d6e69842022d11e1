//! The process `steward-ingest`.

use std::process::ExitCode;

fn main() -> ExitCode {
    bus_client::main_with::<ingest::Ingest, _>(ingest::IngestEdge::http)
}
