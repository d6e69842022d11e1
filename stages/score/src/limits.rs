//! Limits of the scorer, each with its reason.

/// Ten trading years: what the longest formula looks at.
pub const BARS_MAX: usize = 2_520;
/// A quarter of trading: below it nothing meaningful can be said.
pub const BARS_MIN: usize = 60;
/// More securities than one person's fund can hold an eye on.
pub const SECURITIES_MAX: usize = 500;
/// Securities whose bars are read in one go.
pub const READ_AT_ONCE: usize = 50;

const _: () = assert!(BARS_MIN < BARS_MAX && READ_AT_ONCE <= SECURITIES_MAX);
