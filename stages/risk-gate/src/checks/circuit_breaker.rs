//! Check 7: the loss of the day, or an open halt, forbids trading.
//!
//! A halt stops every kind. Blocked sells stop sales, except those of an emergency. An unknown state
//! stops everything but what a person asks for.

use contracts::{Breaker, OrderKind, Side};
use limits::Finding;

use super::{Answer, Case};

/// Passes when the state of the breaker lets this side and kind of order through.
pub(super) fn judge(case: &Case<'_>) -> Answer {
    let (passed, found) = match case.state.breaker {
        Breaker::Normal => (true, "normal"),
        Breaker::SellsBlocked => {
            (case.side != Side::Sell || case.kind == OrderKind::Emergency, "sells_blocked")
        }
        Breaker::Halted => (false, "halted"),
        Breaker::Unknown => (case.kind == OrderKind::Manual, "unknown"),
    };
    Finding::new(passed, found, "normal").into()
}
