//! Check 10: no order of the security is open.

use limits::Finding;

use super::{Answer, Case};

/// Passes when it is known that no order of the security is open.
pub(super) fn judge(case: &Case<'_>) -> Answer {
    let found = match case.state.pending_order {
        Some(false) => "none open",
        Some(true) => "one open",
        None => "unknown, counts as open",
    };
    Finding::new(case.state.pending_order == Some(false), found, "none open").into()
}
