//! Whether a score is recent enough to buy by.
//!
//! Its last prices are at most 7 days old, not of a day to come, and at most two sessions of the venue have been completed
//! since. The planner has no calendar, so every weekday counts as a session: after holidays a purchase may wait a day for
//! the next prices. For sales the age does not matter.
//!
//! Worked example: prices until Thursday before Easter: usable on Tuesday, not on Wednesday.

use contracts::{BARS_AGE_MAX_DAYS, SESSIONS_MISSED_MAX};
use market::Day;

/// Why a score is too old to buy by, if it is; `until` is the last day of its prices.
#[must_use]
pub fn too_old(until: Option<Day>, today: Day) -> Option<String> {
    let Some(until) = until else {
        return Some("Nobody knows how old the prices are that its score rests on.".into());
    };
    let days = until.days_until(today);
    // Today's session is not completed.
    let missed = || (1..days).filter(|ahead| !until.plus_days(*ahead).weekday().is_weekend()).count();
    let old = !(0..=BARS_AGE_MAX_DAYS).contains(&days) || missed() > SESSIONS_MISSED_MAX;
    old.then(|| format!("Its score rests on prices of {until}, which are too old to buy by."))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_usable_while_at_most_two_sessions_are_missing() {
        for (until, today, old) in [
            ("2026-03-02", "2026-03-02", false),
            // Prices of tomorrow are wrong prices, or ours is the wrong day.
            ("2026-03-03", "2026-03-02", true),
            // Tuesday and Wednesday are missing, then Thursday too.
            ("2026-03-02", "2026-03-05", false),
            ("2026-03-02", "2026-03-06", true),
            // Friday: the weekend is no session.
            ("2026-03-06", "2026-03-11", false),
            ("2026-03-06", "2026-03-12", true),
            // Thursday before Easter.
            ("2026-04-02", "2026-04-07", false),
            ("2026-04-02", "2026-04-08", true),
            ("2026-03-02", "2026-03-10", true),
            ("1970-01-01", "2026-03-02", true),
        ] {
            let said = too_old(Some(until.parse().unwrap()), today.parse().unwrap());
            assert_eq!(said.is_some(), old, "{until} {today}: {said:?}");
        }
    }

    #[test]
    fn a_score_of_unknown_age_is_too_old() {
        assert!(too_old(None, "2026-03-02".parse().unwrap()).is_some());
    }
}
