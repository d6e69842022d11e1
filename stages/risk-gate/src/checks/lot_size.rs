//! Check 3: the quantity is a whole number of lots.

use limits::{Finding, effective_lot};

use super::{Answer, Case};

/// Passes when the quantity is a multiple of max(1, lot).
pub(super) fn judge(case: &Case<'_>) -> Answer {
    let lot = effective_lot(case.security.min_lot);
    let whole = case.quantity.is_multiple_of(lot).unwrap_or(false);
    Finding::new(whole, case.quantity, format!("multiples of {lot}")).into()
}
