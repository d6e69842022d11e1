//! Whether an order may reach the real account: three conditions, each judged here and none taken from the gate's word.
//!
//! First, `allow_live = true` under `[stage.execute]` in steward.toml; second, the owner's setting `trading_mode` is `live`,
//! said by a keeper that was heard in the last 30 seconds; third, the approval was signed as live. In a simulated world
//! there is no real account: there the third alone decides.

use contracts::{HealthState, Mode};
use market::Timestamp;

use crate::limits::KEEPER_SILENT_MS;

/// What is known of the first two conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) simulated: bool,
    /// The start-up flag.
    pub(crate) allowed: bool,
    /// The owner's setting, once heard.
    pub(crate) asked: Option<Mode>,
    /// The keeper's last health and when it was said.
    pub(crate) keeper: Option<(HealthState, Timestamp)>,
}

/// Why a live order may not leave; `None` when it may.
pub(crate) fn obstacle(standing: Standing, now: Timestamp) -> Option<&'static str> {
    if standing.simulated {
        return None;
    }
    if !standing.allowed {
        return Some("steward.toml does not allow live orders");
    }
    if standing.asked != Some(Mode::Live) {
        return Some("the owner's setting is research");
    }
    match standing.keeper {
        Some((HealthState::Healthy | HealthState::Degraded, said)) if now.since(said) <= KEEPER_SILENT_MS => {
            None
        }
        _ => Some("the keeper of the settings is silent"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_000_000);

    fn all() -> Standing {
        let keeper = Some((HealthState::Healthy, NOW));
        Standing { simulated: false, allowed: true, asked: Some(Mode::Live), keeper }
    }

    #[test]
    fn all_three_together_let_it_out() {
        assert_eq!(obstacle(all(), NOW), None);
        assert_eq!(obstacle(all(), NOW.saturating_plus_ms(KEEPER_SILENT_MS)), None);
    }

    #[test]
    fn each_missing_one_keeps_it_in() {
        for standing in [
            Standing { allowed: false, ..all() },
            Standing { asked: Some(Mode::Research), ..all() },
            Standing { asked: None, ..all() },
            Standing { keeper: None, ..all() },
            Standing { keeper: Some((HealthState::Gone, NOW)), ..all() },
            Standing { keeper: Some((HealthState::Starting, NOW)), ..all() },
        ] {
            assert!(obstacle(standing, NOW).is_some(), "{standing:?}");
        }
        assert!(obstacle(all(), NOW.saturating_plus_ms(KEEPER_SILENT_MS + 1)).is_some());
    }

    #[test]
    fn in_a_simulated_world_there_is_no_real_account() {
        assert_eq!(
            obstacle(Standing { simulated: true, allowed: false, asked: None, keeper: None }, NOW),
            None
        );
    }
}
