//! One run under way: its jobs, their results, and what is asked again.
//!
//! The merge is exact: which evaluator answered, in which order and how often, changes nothing.

use std::{cmp::Ordering, collections::BTreeMap};

use contracts::{
    Evaluated, Finite, LeftOut, PlanContext, PlanJob, PlanResult, ScoreParts, SubsetRange, number_of,
};
use market::Timestamp;

use crate::{
    jobs::Work,
    limits::{JOB_KEEP, RETRIES, RETRY_MS},
};

/// A run that waits for results.
#[derive(Debug, Clone)]
pub struct Round {
    /// What it is about.
    pub context: PlanContext,
    /// Securities that are not in it.
    pub left_out: Vec<LeftOut>,
    /// Why it began.
    pub cause: String,
    jobs: BTreeMap<u64, Job>,
    merged: Merged,
}

#[derive(Debug, Clone)]
struct Job {
    body: PlanJob,
    pause_ms: i64,
    again_at: Timestamp,
    answered: bool,
}

/// Everything that the results say together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Merged {
    /// Score of doing nothing.
    pub unchanged: Option<Finite>,
    /// What that is made of.
    pub unchanged_parts: ScoreParts,
    /// Best first.
    pub best: Vec<Evaluated>,
    /// Sequences scored.
    pub evaluated: u32,
    /// Sequences that were not, by reason.
    pub infeasible: BTreeMap<String, u32>,
}

/// What a result meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Of another context, an unknown job, or one that is answered.
    NotWanted,
    /// It does not fit its job.
    Wrong(&'static str),
    /// Others are still missing.
    Part,
    /// That was the last one.
    Whole,
}

/// A job stayed without a result too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GaveUp {
    /// Its number.
    pub n: u64,
}

impl Round {
    /// Numbers the jobs from `first` on.
    #[must_use]
    pub fn new(
        context: PlanContext,
        left_out: Vec<LeftOut>,
        works: Vec<Work>,
        first: u64,
        now: Timestamp,
    ) -> Round {
        let job = |(n, Work { ranges, sequences })| {
            let body = PlanJob {
                n,
                context_id: context.context_id.clone(),
                bucket_id: context.bucket_id.clone(),
                attempt: 1,
                ranges,
                sequences,
                keep: JOB_KEEP,
            };
            let again_at = now.saturating_plus_ms(RETRY_MS);
            (n, Job { body, pause_ms: RETRY_MS, again_at, answered: false })
        };
        let jobs = (first..).zip(works).map(job).collect();
        Round { context, left_out, cause: String::new(), jobs, merged: Merged::default() }
    }

    /// The jobs to publish.
    pub fn jobs(&self) -> impl Iterator<Item = &PlanJob> {
        self.jobs.values().map(|job| &job.body)
    }

    /// The first number that is still free.
    #[must_use]
    pub fn next_number(&self) -> u64 {
        self.jobs.last_key_value().map_or(0, |(n, _)| n + 1)
    }

    /// All results together, once [`Heard::Whole`].
    #[must_use]
    pub fn merged(&self) -> &Merged {
        &self.merged
    }

    /// Takes a result.
    pub fn accept(&mut self, result: PlanResult) -> Heard {
        if result.context_id != self.context.context_id {
            return Heard::NotWanted;
        }
        let Some(job) = self.jobs.get_mut(&result.n).filter(|job| !job.answered) else {
            return Heard::NotWanted;
        };
        if let Err(why) = fits(&job.body, &self.context.pool, &result, self.merged.unchanged) {
            return Heard::Wrong(why);
        }
        job.answered = true;
        self.merged.take(result);
        if self.jobs.values().all(|job| job.answered) { Heard::Whole } else { Heard::Part }
    }

    /// When a job is due again.
    #[must_use]
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.waiting().map(|job| job.again_at).min()
    }

    /// The jobs that are due again, each pause twice the last.
    ///
    /// # Errors
    /// [`GaveUp`] once a job was published [`RETRIES`] times more in vain.
    pub fn again(&mut self, now: Timestamp) -> Result<Vec<PlanJob>, GaveUp> {
        let mut due = Vec::new();
        for (n, job) in &mut self.jobs {
            if job.answered || job.again_at > now {
                continue;
            }
            if job.body.attempt > RETRIES {
                return Err(GaveUp { n: *n });
            }
            job.body.attempt += 1;
            job.pause_ms *= 2;
            job.again_at = now.saturating_plus_ms(job.pause_ms);
            due.push(job.body.clone());
        }
        Ok(due)
    }

    fn waiting(&self) -> impl Iterator<Item = &Job> {
        self.jobs.values().filter(|job| !job.answered)
    }
}

/// Whether a result can be the answer to a job; doubt means it is not.
fn fits(
    job: &PlanJob,
    pool: &[u16],
    result: &PlanResult,
    unchanged: Option<Finite>,
) -> Result<(), &'static str> {
    let infeasible: u64 = result.infeasible.values().map(|count| u64::from(*count)).sum();
    let counted = infeasible + u64::from(result.evaluated);
    if usize::try_from(counted) != Ok(job.sequence_count()) {
        return Err("it does not count every sequence of its job");
    }
    let kept = usize::try_from(result.evaluated).unwrap_or(usize::MAX).min(usize::from(job.keep));
    if result.best.len() != kept {
        return Err("it does not name as many sequences as were asked for");
    }
    let asked = |actions: &Vec<u16>| {
        job.ranges.iter().any(|range| names(*range, pool, actions)) || job.sequences.contains(actions)
    };
    if result.best.iter().any(|best| !asked(&best.actions)) {
        return Err("it names a sequence that was not asked for");
    }
    if unchanged.is_some_and(|known| known != result.unchanged) {
        return Err("it scores doing nothing differently than the others");
    }
    Ok(())
}

/// Whether a list of candidates is one of the subsets of a range.
fn names(range: SubsetRange, pool: &[u16], actions: &[u16]) -> bool {
    let places: Option<Vec<u16>> = actions
        .iter()
        .map(|action| pool.iter().position(|one| one == action).and_then(|place| u16::try_from(place).ok()))
        .collect();
    let number = places.and_then(|places| number_of(pool.len(), &places));
    let end = range.first.saturating_add(u64::from(range.count));
    actions.len() == usize::from(range.size) && number.is_some_and(|n| (range.first..end).contains(&n))
}

impl Merged {
    fn take(&mut self, result: PlanResult) {
        self.unchanged = Some(result.unchanged);
        self.unchanged_parts = result.unchanged_parts;
        self.best.extend(result.best);
        self.best.sort_by(better);
        self.best.truncate(usize::from(JOB_KEEP));
        self.evaluated = self.evaluated.saturating_add(result.evaluated);
        for (why, count) in result.infeasible {
            let sum = self.infeasible.entry(why).or_default();
            *sum = sum.saturating_add(count);
        }
    }
}

/// Higher score, fewer actions, lower cost, smaller list: no two different sequences are equal.
fn better(one: &Evaluated, other: &Evaluated) -> Ordering {
    other
        .score
        .get()
        .total_cmp(&one.score.get())
        .then_with(|| one.actions.len().cmp(&other.actions.len()))
        .then_with(|| one.cost_eur.e4().cmp(&other.cost_eur.e4()))
        .then_with(|| one.actions.cmp(&other.actions))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::Sample;
    use money::{Currency, Money};
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_000);

    fn round(lists: Vec<Vec<Vec<u16>>>) -> Round {
        let works = lists.into_iter().map(|sequences| Work { ranges: Vec::new(), sequences }).collect();
        Round::new(PlanContext::sample(), Vec::new(), works, 7, NOW)
    }

    fn evaluated(actions: &[u16], score: f64, cost: i64) -> Evaluated {
        Evaluated {
            actions: actions.to_vec(),
            score: Finite::new(score).unwrap(),
            before_costs: Finite::new(score).unwrap(),
            cost_eur: Money::from_e4(cost, Currency::EUR),
            impact_eur: Money::zero(Currency::EUR),
            cash_eur: Money::zero(Currency::EUR),
            parts: ScoreParts::sample(),
        }
    }

    fn result(n: u64, best: Vec<Evaluated>) -> PlanResult {
        PlanResult {
            n,
            evaluated: u32::try_from(best.len()).unwrap(),
            best,
            infeasible: BTreeMap::new(),
            ..PlanResult::sample()
        }
    }

    #[test]
    fn a_round_ends_with_its_last_result() {
        let mut round = round(vec![vec![vec![0]], vec![vec![1]]]);
        assert_eq!(round.accept(result(8, vec![evaluated(&[1], 0.6, 1)])), Heard::Part);
        assert_eq!(round.accept(result(8, vec![evaluated(&[1], 0.6, 1)])), Heard::NotWanted);
        assert_eq!(round.accept(result(7, vec![evaluated(&[0], 0.7, 1)])), Heard::Whole);
        assert_eq!(round.merged().best[0].actions, [0]);
        assert_eq!((round.merged().evaluated, round.wake_at()), (2, None));
    }

    #[test]
    fn results_of_others_are_not_wanted() {
        let mut round = round(vec![vec![vec![0]]]);
        assert_eq!(round.accept(result(9, vec![evaluated(&[0], 0.6, 1)])), Heard::NotWanted);
        let other = PlanResult { context_id: "x".into(), ..result(7, vec![evaluated(&[0], 0.6, 1)]) };
        assert_eq!(round.accept(other), Heard::NotWanted);
    }

    #[test]
    fn results_that_do_not_fit_their_job_are_wrong() {
        let fitting = || result(7, vec![evaluated(&[0], 0.6, 1)]);
        let wrong = [
            PlanResult { evaluated: 2, ..fitting() },
            PlanResult { best: vec![], ..fitting() },
            result(7, vec![evaluated(&[5], 0.6, 1)]),
        ];
        for result in wrong {
            let mut round = round(vec![vec![vec![0]]]);
            assert!(matches!(round.accept(result), Heard::Wrong(_)));
            assert_eq!(round.accept(fitting()), Heard::Whole);
        }
    }

    #[test]
    fn a_range_names_its_subsets_and_no_others() {
        let range = SubsetRange { size: 2, first: 1, count: 3 };
        let pool = [3, 5, 8, 9];
        for (actions, expected) in [
            (&[3, 5][..], false),
            (&[3, 8], true),
            (&[5, 8], true),
            (&[5, 9], false),
            (&[8, 3], false),
            (&[3], false),
            (&[3, 4], false),
        ] {
            assert_eq!(names(range, &pool, actions), expected, "{actions:?}");
        }
    }

    #[test]
    fn evaluators_that_disagree_about_doing_nothing_are_wrong() {
        let mut round = round(vec![vec![vec![0]], vec![vec![1]]]);
        round.accept(result(7, vec![evaluated(&[0], 0.6, 1)]));
        let other =
            PlanResult { unchanged: Finite::new(0.1).unwrap(), ..result(8, vec![evaluated(&[1], 0.6, 1)]) };
        assert!(matches!(round.accept(other), Heard::Wrong(_)));
    }

    #[test]
    fn jobs_come_again_five_times_with_doubling_pauses() {
        let mut round = round(vec![vec![vec![0]]]);
        let mut at = NOW;
        for (attempt, pause) in (2_u32..).zip([500, 1_000, 2_000, 4_000, 8_000]) {
            at = at.saturating_plus_ms(pause);
            assert_eq!(round.wake_at(), Some(at));
            assert!(round.again(at.saturating_plus_ms(-1)).unwrap().is_empty());
            assert_eq!(round.again(at).unwrap()[0].attempt, attempt);
        }
        assert_eq!(round.again(at.saturating_plus_ms(16_000)), Err(GaveUp { n: 7 }));
    }

    proptest! {
        #[test]
        fn the_merge_does_not_depend_on_the_order_of_results(
            scores in prop::collection::vec((0..5_u8, 0..3_i64), 1..80), size in 1..9_usize, turn in any::<u64>(),
        ) {
            let all: Vec<Evaluated> = (0_u16..)
                .zip(&scores)
                .map(|(n, (score, cost))| evaluated(&[n], f64::from(*score) / 5.0, *cost))
                .collect();
            let lists: Vec<Vec<Vec<u16>>> =
                all.chunks(size).map(|part| part.iter().map(|one| one.actions.clone()).collect()).collect();
            let results: Vec<PlanResult> =
                (7..).zip(all.chunks(size)).map(|(n, part)| result(n, part.to_vec())).collect();
            let mut one = round(lists.clone());
            let mut other = round(lists);
            for result in &results {
                one.accept(result.clone());
            }
            let count = u64::try_from(results.len()).unwrap();
            let mut order: Vec<u64> = (0..count).collect();
            order.sort_by_key(|n| n.wrapping_mul(turn | 1).rotate_left(7));
            for n in order {
                other.accept(results[usize::try_from(n).unwrap()].clone());
            }
            prop_assert_eq!(one.merged(), other.merged());
        }
    }
}
