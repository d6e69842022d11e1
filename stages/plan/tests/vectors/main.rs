//! The planning and trading vectors that belong to proposing. A case of a mode that is not built is printed by name.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "../../../../tests/vectors/old_text.rs"]
mod old_text;
#[path = "../../../../tests/vectors/open.rs"]
mod open;

mod allocation;
mod case;
mod config;
mod diverse_selection;
mod feasibility;
mod filters;
mod generators;
mod hashes;
mod multi_objective;
mod opportunities;
mod patterns;
mod rebalancer;
mod sequence_pool;
mod sizing;
mod windfall;
