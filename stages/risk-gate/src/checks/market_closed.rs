//! Check 9: the venue is open, or a buy may wait for it.

use contracts::Side;
use limits::Finding;

use super::{Answer, Case};

/// Passes when the venue is open, or for a buy on a venue without strict hours if the owner allows it.
pub(super) fn judge(case: &Case<'_>) -> Answer {
    let security = case.security;
    let may_wait = case.side == Side::Buy && !security.strict_hours && case.settings.allow_offhours_buys;
    let found = match (security.market_open, security.strict_hours) {
        (true, _) => "open",
        (false, false) => "closed",
        (false, true) => "closed, strict hours",
    };
    let limit = if may_wait { "open, or a buy that may wait" } else { "open" };
    Finding::new(security.market_open || may_wait, found, limit).into()
}
