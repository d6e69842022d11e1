//! Checks 13 to 19: what may be sold; each is judged by the shared check of its name.

use limits::{cost_basis_unknown as basis, exceeds_position as exceeds, max_loss as loss, max_sell as part};
use limits::{min_hold as hold, no_position as none, sell_cooldown as cooldown};

use super::{Answer, Case};

/// Check 13: the last transaction is old enough.
pub(super) fn min_hold(case: &Case<'_>) -> Answer {
    hold::check(case.state.days_since_last_transaction, case.settings.min_hold_days).into()
}

/// Check 14: the last sale is old enough.
pub(super) fn sell_cooldown(case: &Case<'_>) -> Answer {
    cooldown::check(case.state.days_since_last_sell, case.settings.sell_cooldown_days).into()
}

/// Check 15: something is held.
pub(super) fn no_position(case: &Case<'_>) -> Answer {
    none::check(case.state.position_quantity).into()
}

/// Check 16: no more is sold than is held.
pub(super) fn exceeds_position(case: &Case<'_>) -> Answer {
    exceeds::check(case.quantity, case.state.position_quantity).into()
}

/// Check 17: what was paid is known.
pub(super) fn cost_basis_unknown(case: &Case<'_>) -> Answer {
    basis::check(case.state.avg_price).into()
}

/// Check 18: the loss is tolerated.
pub(super) fn max_loss(case: &Case<'_>) -> Answer {
    loss::check(case.price, case.state.avg_price, case.settings.max_loss).into()
}

/// Check 19: the sale takes a tolerated part.
pub(super) fn max_sell(case: &Case<'_>) -> Answer {
    part::check(case.quantity, case.state.position_quantity, case.settings.max_sell).into()
}
