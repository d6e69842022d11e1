//! Check 22: nothing is bought in a currency that is overdrawn.

use limits::Finding;

use super::cash::amount_of;
use super::{Answer, Case};

/// Passes when the balance of the currency is zero or more.
pub(super) fn judge(case: &Case<'_>) -> Answer {
    let limit = "0 or more";
    match amount_of(&case.state.balances, case.currency) {
        Ok(balance) => Finding::new(!balance.is_negative(), balance, limit).into(),
        Err(error) => Finding::new(false, error, limit).into(),
    }
}
