//! Check 4: the owner allows the side; judged by the shared check.

use contracts::Side;

use super::{Answer, Case};

/// Passes when the allow flag of the side is on.
pub(super) fn judge(case: &Case<'_>) -> Answer {
    let side = match case.side {
        Side::Buy => limits::Side::Buy,
        Side::Sell => limits::Side::Sell,
    };
    limits::side_not_allowed::check(side, case.security.allow_buy, case.security.allow_sell).into()
}
