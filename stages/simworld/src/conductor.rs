//! Decides when stepped time may move on: every stage has finished the step, nothing is under way, and every
//! statement has reached everyone who reads it.
//!
//! Owners and readers each report a fingerprint of the statements between them. They agree only when nothing is in
//! flight, so a step never ends while a message is still travelling, whatever the transport does.

use std::collections::BTreeMap;

use contracts::{Health, HealthState, stage_of};
use market::Timestamp;

/// What the conductor knows of the stages.
#[derive(Debug, Clone, Default)]
pub struct Conductor {
    expected: Vec<String>,
    healths: BTreeMap<String, Health>,
}

impl Conductor {
    /// Waits for these instances.
    #[must_use]
    pub fn new(expected: Vec<String>) -> Conductor {
        Conductor { expected, healths: BTreeMap::new() }
    }

    /// Notes what a stage says about itself.
    pub fn hear(&mut self, health: Health) {
        self.healths.insert(health.stage.clone(), health);
    }

    /// A stage has been forgotten by the bus.
    pub fn forget(&mut self, stage: &str) {
        self.healths.remove(stage);
    }

    /// Why the step is not over yet; `None` when it is.
    #[must_use]
    pub fn waits_for(&self, step: u64) -> Option<String> {
        for name in &self.expected {
            let Some(health) = self.healths.get(name) else {
                return Some(format!("{name} has not reported yet"));
            };
            if health.state == HealthState::Gone {
                return Some(format!("{name} is gone"));
            }
            if health.step != step || !health.idle {
                return Some(format!("{name} is at step {} of {step}", health.step));
            }
        }
        self.undelivered()
    }

    /// Whether the step lacks nothing but an answer that only time can bring: everybody has heard everything of this
    /// step, and whoever is still busy has set a time to try again. A lost job of a killed worker looks like this.
    #[must_use]
    pub fn only_time_helps(&self, step: u64) -> bool {
        let here = self.expected.iter().all(|name| {
            let health = self.healths.get(name);
            health.is_some_and(|health| {
                health.state != HealthState::Gone
                    && health.step == step
                    && (health.idle || health.wake_at.is_some())
            })
        });
        here && self.undelivered().is_none()
    }

    /// The next instant at which any stage wants to act.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.expected.iter().filter_map(|name| self.healths.get(name)?.wake_at).min()
    }

    fn undelivered(&self) -> Option<String> {
        for owner in &self.expected {
            let said = &self.healths.get(owner)?.said;
            for reader in &self.expected {
                let should = said.get(stage_of(reader)).copied().unwrap_or(0);
                let seen = self.healths.get(reader)?.seen.get(stage_of(owner)).copied().unwrap_or(0);
                if should != seen {
                    return Some(format!("{reader} has not seen all that {owner} says"));
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use contracts::Sample;

    use super::*;

    fn health(stage: &str, step: u64, said: &[(&str, u64)], seen: &[(&str, u64)]) -> Health {
        let map =
            |pairs: &[(&str, u64)]| pairs.iter().map(|(name, sum)| ((*name).to_string(), *sum)).collect();
        Health {
            stage: stage.into(),
            step,
            idle: true,
            said: map(said),
            seen: map(seen),
            wake_at: None,
            ..Health::sample()
        }
    }

    fn conductor(healths: &[Health]) -> Conductor {
        let mut conductor = Conductor::new(vec!["ingest".into(), "evaluate-1".into()]);
        healths.iter().cloned().for_each(|health| conductor.hear(health));
        conductor
    }

    #[test]
    fn a_step_ends_when_all_are_idle_and_all_is_delivered() {
        let both =
            [health("ingest", 3, &[("evaluate", 9)], &[]), health("evaluate-1", 3, &[], &[("ingest", 9)])];
        assert_eq!(conductor(&both).waits_for(3), None);
    }

    #[test]
    fn a_message_in_flight_holds_the_step() {
        let both =
            [health("ingest", 3, &[("evaluate", 9)], &[]), health("evaluate-1", 3, &[], &[("ingest", 8)])];
        assert!(conductor(&both).waits_for(3).is_some_and(|why| why.contains("has not seen")));
    }

    #[test]
    fn a_missing_late_busy_or_gone_stage_holds_the_step() {
        let good = health("ingest", 3, &[], &[]);
        let cases = [
            vec![good.clone()],
            vec![good.clone(), health("evaluate-1", 2, &[], &[])],
            vec![good.clone(), Health { idle: false, ..health("evaluate-1", 3, &[], &[]) }],
            vec![good, Health { state: HealthState::Gone, ..health("evaluate-1", 3, &[], &[]) }],
        ];
        for healths in cases {
            assert!(conductor(&healths).waits_for(3).is_some());
        }
    }

    #[test]
    fn a_busy_stage_with_a_timer_can_be_helped_by_time() {
        let busy =
            Health { idle: false, wake_at: Some(Timestamp::from_ms(5)), ..health("evaluate-1", 3, &[], &[]) };
        assert!(conductor(&[health("ingest", 3, &[], &[]), busy.clone()]).only_time_helps(3));
        assert!(
            !conductor(&[health("ingest", 3, &[], &[]), Health { wake_at: None, ..busy.clone() }])
                .only_time_helps(3)
        );
        assert!(!conductor(&[health("ingest", 2, &[], &[]), busy.clone()]).only_time_helps(3));
        assert!(!conductor(&[health("ingest", 3, &[("evaluate", 4)], &[]), busy]).only_time_helps(3));
    }

    #[test]
    fn strangers_do_not_count() {
        let mut healths = vec![health("ingest", 3, &[("bridge", 5)], &[]), health("evaluate-1", 3, &[], &[])];
        healths.push(health("bridge", 1, &[], &[]));
        assert_eq!(conductor(&healths).waits_for(3), None);
    }

    #[test]
    fn the_earliest_wish_is_next() {
        let mut one = health("ingest", 3, &[], &[]);
        one.wake_at = Some(Timestamp::from_ms(70));
        let mut two = health("evaluate-1", 3, &[], &[]);
        two.wake_at = Some(Timestamp::from_ms(60));
        assert_eq!(conductor(&[one, two]).next_wake(), Some(Timestamp::from_ms(60)));
    }
}
