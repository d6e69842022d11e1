//! Check 10: no order of the security is open.

use limits::Finding;

use super::{Answer, Case};

/// Passes when it is known that no order of the security is open.
pub(super) fn judge(case: &Case<'_>) -> Answer {
    none_open(case.state.pending_order)
}

/// Passes when it is known that no order is open.
pub(super) fn none_open(pending: Option<bool>) -> Answer {
    let found = match pending {
        Some(false) => "none open",
        Some(true) => "one open",
        None => "unknown, counts as open",
    };
    Finding::new(pending == Some(false), found, "none open").into()
}
