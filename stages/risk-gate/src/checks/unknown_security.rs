//! Check 2: the security is in the universe.

use limits::Finding;

use super::{Answer, Case};

/// Passes when the security is known.
pub(super) fn judge(case: &Case<'_>) -> Answer {
    let known = case.security.known;
    Finding::new(known, if known { "known" } else { "unknown" }, "known").into()
}
