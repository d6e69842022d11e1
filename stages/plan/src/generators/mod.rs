//! Sequences that no pattern names: random combinations and beginnings of sequences.

pub mod combinations;
pub mod draws;
pub mod prefixes;

pub use combinations::{Limits, combinations};
pub use prefixes::prefixes;
