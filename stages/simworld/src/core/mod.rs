//! The simulated world without any input or output: market, books, orders, and the checks on them.
//!
//! Everything here is a function of the seed, the settings, the instant it is asked about and the requests
//! it was given. Nothing reads a clock.

pub(crate) mod account;
pub(crate) mod bookings;
pub(crate) mod calendar;
pub(crate) mod dates;
pub(crate) mod events;
pub(crate) mod faults;
pub(crate) mod fees;
pub(crate) mod fixed;
pub(crate) mod fixings;
pub(crate) mod fundamentals;
pub(crate) mod invariants;
pub(crate) mod ledger;
pub(crate) mod market;
pub(crate) mod matching;
pub(crate) mod orders;
pub(crate) mod place;
pub(crate) mod random;
pub(crate) mod scenarios;
pub(crate) mod universe;
pub(crate) mod views;
pub(crate) mod world;
