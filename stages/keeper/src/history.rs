//! When is a stage's health worth a row?

use std::collections::BTreeMap;

use contracts::{Health, HealthState};
use market::Timestamp;
use serde_json::json;

/// Shortest time between two samples of one stage.
pub(crate) const SAMPLE_PAUSE_MS: i64 = 60_000;
/// Without a change, a sample this often; flash wears out.
pub(crate) const SAMPLE_EVERY_MS: i64 = 15 * 60_000;
/// Samples are kept this long.
pub(crate) const SAMPLES_KEPT_MS: i64 = 30 * 86_400_000;
/// Job runs are kept this long.
pub(crate) const JOB_RUNS_KEPT_MS: i64 = 90 * 86_400_000;
/// Old rows are removed this often.
pub(crate) const PRUNE_EVERY_MS: i64 = 6 * 3_600_000;
/// Stages remembered; more is a stranger inventing names.
const STAGES_MAX: usize = 64;

/// The last sample of each stage.
#[derive(Debug, Default)]
pub(crate) struct Samples(BTreeMap<String, (Timestamp, HealthState, Option<String>)>);

impl Samples {
    /// The row to keep, if this health deserves one.
    pub(crate) fn note(&mut self, health: &Health, now: Timestamp) -> Option<String> {
        let last = self.0.get(&health.stage);
        let worth_it = last.is_none_or(|(at, state, error)| {
            let age = now.since(*at);
            let changed = (*state, error) != (health.state, &health.last_error);
            age >= SAMPLE_EVERY_MS || (changed && age >= SAMPLE_PAUSE_MS)
        });
        if !worth_it || (last.is_none() && self.0.len() >= STAGES_MAX) {
            return None;
        }
        self.0.insert(health.stage.clone(), (now, health.state, health.last_error.clone()));
        Some(
            json!({
                "state": health.state, "version": health.version, "incarnation": health.incarnation,
                "lag_ms": health.lag_ms, "inputs": health.inputs, "refused": health.refused,
                "last_error": health.last_error,
            })
            .to_string(),
        )
    }
}

#[cfg(test)]
mod tests {
    use contracts::Sample;

    use super::*;

    fn kept(samples: &mut Samples, at_ms: i64, error: Option<&str>) -> bool {
        let health = Health { last_error: error.map(Into::into), ..Health::sample() };
        samples.note(&health, Timestamp::from_ms(at_ms)).is_some()
    }

    #[test]
    fn the_first_is_kept_and_the_next_only_after_a_while() {
        let mut samples = Samples::default();
        assert!(kept(&mut samples, 0, None));
        assert!(!kept(&mut samples, SAMPLE_EVERY_MS - 1, None));
        assert!(kept(&mut samples, SAMPLE_EVERY_MS, None));
    }

    #[test]
    fn a_change_is_kept_at_most_once_a_minute() {
        let mut samples = Samples::default();
        assert!(kept(&mut samples, 0, None));
        assert!(!kept(&mut samples, SAMPLE_PAUSE_MS - 1, Some("no price")));
        assert!(kept(&mut samples, SAMPLE_PAUSE_MS, Some("no price")));
        assert!(!kept(&mut samples, SAMPLE_PAUSE_MS + 1, None));
    }

    #[test]
    fn strangers_beyond_the_limit_are_not_kept() {
        let mut samples = Samples::default();
        for number in 0..=STAGES_MAX {
            let health = Health { stage: format!("evaluate-{number}"), ..Health::sample() };
            assert_eq!(samples.note(&health, Timestamp::ZERO).is_some(), number < STAGES_MAX);
        }
    }
}
