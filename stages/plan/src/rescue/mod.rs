//! What is done about a negative balance: exchange what other currencies can spare, sell for the rest, exchange again.
//!
//! Outside of the usual planning: it looks at balances only, and its orders are emergencies. [`exchange`] and [`sale`] say
//! what should be done, [`watch`] whether anything may be done at all.

pub mod exchange;
pub mod sale;
pub mod watch;
