//! Check 3b: the limit is a price that the venue can quote.

use limits::Finding;

use super::{Answer, Case};

/// Passes when the limit is a multiple of the tick; on an unknown tick no limit is known to lie.
pub(super) fn judge(case: &Case<'_>) -> Answer {
    let tick = case.security.tick.filter(|tick| !tick.is_zero());
    let on_tick = tick.and_then(|tick| case.price.e6().checked_rem(tick.e6())) == Some(0);
    let limit =
        tick.map_or_else(|| "multiples of an unknown tick".to_owned(), |tick| format!("multiples of {tick}"));
    Finding::new(on_tick, case.price, limit).into()
}
