//! Has a reader missed something its owner said?
//!
//! Both say a fingerprint in their health. They differ for a moment after every statement, so only a difference
//! that stays counts: health comes every two seconds even when nothing changes, and in stepped time, which waits
//! for equal fingerprints, it is all that still moves.

use std::collections::BTreeMap;

use contracts::{Health, HealthState, stage_of};

/// The same difference in this many healths of the reader means that something is lost.
const SAME_MAX: u32 = 2;
/// Any difference in this many, while the owner keeps talking.
const ANY_MAX: u32 = 15;
/// Stages compared; more is a stranger inventing names.
const STAGES_MAX: usize = 64;
/// The command line comes and goes; it asks for itself by connecting again.
const PASSERS_BY: [&str; 1] = ["steward"];

#[derive(Debug, Default)]
struct Difference {
    said: u64,
    seen: u64,
    same: u32,
    any: u32,
}

/// What was last heard of everyone's fingerprints.
#[derive(Debug, Default)]
pub(crate) struct Fingerprints {
    healths: BTreeMap<String, Health>,
    /// By owner and reader.
    differences: BTreeMap<(String, String), Difference>,
}

impl Fingerprints {
    /// Notes a health; names the owners that should say everything again for this reader.
    pub(crate) fn note(&mut self, health: &Health) -> Vec<String> {
        let known = self.healths.contains_key(&health.stage);
        if PASSERS_BY.contains(&health.stage.as_str()) || (!known && self.healths.len() >= STAGES_MAX) {
            return Vec::new();
        }
        self.healths.insert(health.stage.clone(), health.clone());
        if health.state == HealthState::Gone {
            self.differences.retain(|(owner, reader), _| *owner != health.stage && *reader != health.stage);
            return Vec::new();
        }
        let Fingerprints { healths, differences } = self;
        healths
            .values()
            .filter(|owner| owner.state != HealthState::Gone && owner.stage != health.stage)
            .filter(|owner| lost_something(differences, owner, health))
            .map(|owner| stage_of(&owner.stage).to_string())
            .collect()
    }
}

fn lost_something(
    differences: &mut BTreeMap<(String, String), Difference>,
    owner: &Health,
    reader: &Health,
) -> bool {
    let said = owner.said.get(stage_of(&reader.stage)).copied().unwrap_or(0);
    let seen = reader.seen.get(stage_of(&owner.stage)).copied().unwrap_or(0);
    let pair = (owner.stage.clone(), reader.stage.clone());
    if said == seen {
        differences.remove(&pair);
        return false;
    }
    let difference = differences.entry(pair).or_default();
    let same = (difference.said, difference.seen) == (said, seen);
    difference.same = if same { difference.same + 1 } else { 0 };
    difference.any += 1;
    (difference.said, difference.seen) = (said, seen);
    let lost = difference.same >= SAME_MAX || difference.any >= ANY_MAX;
    if lost {
        (difference.same, difference.any) = (0, 0);
    }
    lost
}

#[cfg(test)]
mod tests {
    use contracts::Sample;

    use super::*;

    fn owner(said: u64) -> Health {
        Health { said: BTreeMap::from([("score".into(), said)]), ..Health::sample() }
    }

    fn reader(seen: u64) -> Health {
        Health {
            stage: "score".into(),
            said: BTreeMap::new(),
            seen: BTreeMap::from([("ingest".into(), seen)]),
            ..Health::sample()
        }
    }

    #[test]
    fn equal_fingerprints_ask_for_nothing() {
        let mut prints = Fingerprints::default();
        prints.note(&owner(5));
        assert!((0..50).all(|_| prints.note(&reader(5)).is_empty()));
    }

    #[test]
    fn a_difference_that_stays_asks_the_owner_again_and_again() {
        let mut prints = Fingerprints::default();
        prints.note(&owner(5));
        let asked: Vec<bool> = (0..6).map(|_| !prints.note(&reader(4)).is_empty()).collect();
        assert_eq!(asked, [false, false, true, false, true, false]);
    }

    #[test]
    fn a_difference_that_passes_asks_for_nothing() {
        let mut prints = Fingerprints::default();
        prints.note(&owner(5));
        for _ in 0..20 {
            assert!(prints.note(&reader(4)).is_empty());
            assert!(prints.note(&reader(4)).is_empty());
            assert!(prints.note(&reader(5)).is_empty());
        }
    }

    #[test]
    fn a_talkative_owner_is_asked_in_the_end() {
        let mut prints = Fingerprints::default();
        let asked: Vec<u64> = (1..=20)
            .filter(|number| {
                prints.note(&owner(*number));
                !prints.note(&reader(1_000)).is_empty()
            })
            .collect();
        assert_eq!(asked, [15]);
    }

    #[test]
    fn who_is_gone_is_not_compared() {
        let mut prints = Fingerprints::default();
        prints.note(&Health { state: HealthState::Gone, ..owner(5) });
        assert!((0..50).all(|_| prints.note(&reader(4)).is_empty()));
    }

    #[test]
    fn an_instance_counts_as_its_stage() {
        let mut prints = Fingerprints::default();
        prints.note(&owner(5));
        let instance = Health { stage: "score-2".into(), ..reader(5) };
        assert!((0..50).all(|_| prints.note(&instance).is_empty()));
    }
}
