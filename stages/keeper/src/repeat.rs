//! Has a reader missed something its owner said?
//!
//! Both say a fingerprint in their health. They differ for a moment after every statement, so only a difference
//! that stays counts: health comes every two seconds even when nothing changes, and in stepped time, which waits
//! for equal fingerprints, it is all that still moves.
//!
//! A fingerprint is a sum over statements. An owner that goes on speaking moves both sums, but what a reader lacks
//! keeps them apart by the same amount: that amount, seen again and again, is the loss. Where an owner speaks so
//! often that owner and reader never report at the same point, a reader that was never once level is enough.

use std::collections::BTreeMap;

use contracts::{Health, HealthState, stage_of};

/// Owner and reader must both have reported the same difference this often: one of them alone may just be behind.
const REPORTS_MIN: u32 = 3;
/// Reports of both without being level once; a minute of health.
const NEVER_LEVEL: u32 = 30;
/// Amounts remembered for a pair; what is in flight makes others all the time.
const AMOUNTS_MAX: usize = 32;
/// Stages compared; more is a stranger inventing names.
const STAGES_MAX: usize = 64;
/// The command line comes and goes; it asks for itself by connecting again.
const PASSERS_BY: [&str; 1] = ["steward"];

/// How often each of the two has reported.
#[derive(Debug, Default, Clone, Copy)]
struct Reports {
    by_owner: u32,
    by_reader: u32,
}

impl Reports {
    fn count(&mut self, reporter: Reporter) {
        match reporter {
            Reporter::Owner => self.by_owner += 1,
            Reporter::Reader => self.by_reader += 1,
        }
    }

    fn reach(self, least: u32) -> bool {
        self.by_owner >= least && self.by_reader >= least
    }
}

/// What was reported since a pair was last level.
#[derive(Debug, Default)]
struct Difference {
    said: u64,
    seen: u64,
    /// While neither said anything new.
    still: Reports,
    all: Reports,
    /// By the amount that the reader lacks: what the owner had said then, and how often it had said more since.
    amounts: BTreeMap<u64, (u64, u32)>,
}

impl Difference {
    /// Whether this report proves that something is lost.
    fn count(&mut self, said: u64, seen: u64, reporter: Reporter) -> bool {
        if (self.said, self.seen) != (said, seen) {
            (self.said, self.seen, self.still) = (said, seen, Reports::default());
        }
        self.still.count(reporter);
        self.all.count(reporter);
        let amount = said.wrapping_sub(seen);
        if self.amounts.len() >= AMOUNTS_MAX && !self.amounts.contains_key(&amount) {
            self.amounts.clear();
        }
        let (then, times) = self.amounts.entry(amount).or_insert((said, 1));
        if *then != said {
            (*then, *times) = (said, *times + 1);
        }
        *times >= REPORTS_MIN || self.still.reach(REPORTS_MIN) || self.all.reach(NEVER_LEVEL)
    }
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
        let others =
            healths.values().filter(|other| other.state != HealthState::Gone && other.stage != health.stage);
        let mut ask = Vec::new();
        for other in others {
            if lost_something(differences, other, health, Reporter::Reader) {
                ask.push(stage_of(&other.stage).to_string());
            }
            if lost_something(differences, health, other, Reporter::Owner) {
                ask.push(stage_of(&health.stage).to_string());
            }
        }
        ask.sort();
        ask.dedup();
        ask
    }
}

/// Which of the two has just reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reporter {
    Owner,
    Reader,
}

fn lost_something(
    differences: &mut BTreeMap<(String, String), Difference>,
    owner: &Health,
    reader: &Health,
    reporter: Reporter,
) -> bool {
    let said = owner.said.get(stage_of(&reader.stage)).copied().unwrap_or(0);
    let seen = reader.seen.get(stage_of(&owner.stage)).copied().unwrap_or(0);
    let pair = (owner.stage.clone(), reader.stage.clone());
    if said == seen {
        differences.remove(&pair);
        return false;
    }
    let difference = differences.entry(pair).or_default();
    let lost = difference.count(said, seen, reporter);
    if lost {
        *difference = Difference::default();
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
    fn a_difference_that_stays_on_both_sides_asks_the_owner_again_and_again() {
        let mut prints = Fingerprints::default();
        let asked: Vec<bool> = (0..6)
            .map(|_| !prints.note(&owner(5)).is_empty() | !prints.note(&reader(4)).is_empty())
            .collect();
        // The first report of the owner came before there was a reader to compare with.
        assert_eq!(asked.iter().filter(|asked| **asked).count(), 1, "{asked:?}");
    }

    #[test]
    fn a_side_that_is_only_behind_asks_for_nothing() {
        let mut prints = Fingerprints::default();
        prints.note(&owner(5));
        assert!((0..50).all(|_| prints.note(&reader(4)).is_empty()));
        let mut prints = Fingerprints::default();
        prints.note(&reader(4));
        assert!((0..50).all(|_| prints.note(&owner(5)).is_empty()));
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
    fn a_loss_is_found_while_the_owner_goes_on_speaking() {
        let mut prints = Fingerprints::default();
        let asked = (1..5_u64)
            .map(|said| (said * said * 977, said * said * 977 - 5))
            .filter(|(said, seen)| {
                !prints.note(&owner(*said)).is_empty() | !prints.note(&reader(*seen)).is_empty()
            })
            .count();
        assert_eq!(asked, 1);
    }

    #[test]
    fn a_reader_that_is_never_level_is_helped_even_if_no_amount_comes_again() {
        let mut prints = Fingerprints::default();
        let mut asked = Vec::new();
        for report in 1..40_u64 {
            let news = !prints.note(&owner(report * report * 977)).is_empty()
                | !prints.note(&reader(report * 31)).is_empty();
            asked.push(news);
        }
        assert_eq!(asked.iter().filter(|asked| **asked).count(), 1, "{asked:?}");
        assert!(asked[NEVER_LEVEL as usize..].contains(&true));
    }

    #[test]
    fn an_owner_that_speaks_all_the_time_and_is_heard_is_not_asked() {
        let mut prints = Fingerprints::default();
        for said in (0..1_000_u64).map(|number| number * number) {
            assert!(prints.note(&owner(said + 1)).is_empty());
            // The reader is sometimes a statement behind, and level every tenth time.
            let behind = if said % 10 == 0 { 0 } else { said.wrapping_mul(977) + 1 };
            assert!(prints.note(&reader((said + 1).wrapping_sub(behind))).is_empty());
        }
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
