//! How a run's sequences are split into jobs.
//!
//! Every subset of the pool up to the depth goes out by number, so a job is a few bytes; listed sequences follow. Jobs
//! are small enough that several evaluators share a run, and large enough that the bus does not count.

use contracts::{SubsetRange, subset_count};

use crate::limits::JOB_SEQUENCES;

/// What one job asks about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Work {
    /// Subsets of the pool, by number.
    pub ranges: Vec<SubsetRange>,
    /// Further sequences.
    pub sequences: Vec<Vec<u16>>,
}

/// Splits all subsets of 1 to `depth` of the pool, and the lists. Without any sequence there is one empty job: it still
/// asks for the score of doing nothing.
#[must_use]
pub fn split(pool: usize, depth: usize, lists: &[Vec<u16>]) -> Vec<Work> {
    let mut all = Vec::new();
    let (mut work, mut room) = (Work::default(), JOB_SEQUENCES);
    for places in 1..=depth.min(pool) {
        let Ok(size) = u16::try_from(places) else { break };
        let (mut first, count) = (0, subset_count(pool, places));
        while first < count {
            let count = u32::try_from((count - first).min(u64::from(room))).unwrap_or(room);
            work.ranges.push(SubsetRange { size, first, count });
            first += u64::from(count);
            room -= count;
            if room == 0 {
                all.push(std::mem::take(&mut work));
                room = JOB_SEQUENCES;
            }
        }
    }
    if !work.ranges.is_empty() {
        all.push(work);
    }
    let listed = usize::try_from(JOB_SEQUENCES).unwrap_or(1);
    all.extend(lists.chunks(listed).map(|part| Work { ranges: Vec::new(), sequences: part.to_vec() }));
    if all.is_empty() {
        all.push(Work::default());
    }
    all
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_subset_and_every_list_is_in_exactly_one_job() {
        let lists: Vec<Vec<u16>> = (0..3).map(|n| vec![n, 30]).collect();
        let jobs = split(20, 5, &lists);
        let mut next = std::collections::BTreeMap::new();
        for work in &jobs {
            for range in &work.ranges {
                let expected = next.entry(range.size).or_insert(0);
                assert_eq!(range.first, *expected);
                *expected += u64::from(range.count);
            }
            assert!(work.ranges.iter().map(|range| range.count).sum::<u32>() <= JOB_SEQUENCES);
        }
        assert_eq!(next.values().sum::<u64>(), 21_699);
        assert_eq!(jobs.last().unwrap().sequences, lists);
    }

    #[test]
    fn a_small_pool_is_one_job() {
        let jobs = split(2, 5, &[]);
        let counts: Vec<_> =
            jobs.iter().flat_map(|work| &work.ranges).map(|range| (range.size, range.count)).collect();
        assert_eq!((jobs.len(), counts), (1, vec![(1, 2), (2, 1)]));
    }

    #[test]
    fn nothing_to_try_is_still_one_question() {
        assert_eq!(split(0, 5, &[]), [Work::default()]);
    }
}
