//! Whole plans: the planner with a real evaluator, on funds of every shape and on those of the old system.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod baseline;
mod exhaustive;
mod fund;
mod properties;
mod rig;
