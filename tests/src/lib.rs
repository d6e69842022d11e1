//! Test support shared by the test targets of this crate.
