//! The outside of the system with real programs: how the past is read, how a universe is kept, how prices are heard.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod backfill;
#[allow(dead_code)]
#[path = "../faults/dice.rs"]
mod dice;
mod socket;
mod universe;
