//! Runs the gate as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    bus_client::main::<risk_gate::RiskGate>()
}
