//! What is done about a negative balance: exchange what other currencies can spare, sell for the rest, exchange again.
//!
//! Outside of the usual planning: it looks at balances only, and its orders are emergencies. [`watch`] says
//! whether anything may be done at all, [`exchange`] and [`sale`] what it would be, [`act`] what is asked for now.

pub mod act;
pub mod exchange;
pub mod proposal;
pub mod sale;
pub mod watch;
