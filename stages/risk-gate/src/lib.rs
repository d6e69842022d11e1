//! Every check before money moves

pub mod checks;
