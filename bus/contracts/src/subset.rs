//! Subsets by number: how a job names thousands of sequences with three figures.
//!
//! The subsets of `size` places out of `n` are numbered in lexicographic order: of 4 places taken 2 at a time, number 0 is
//! {0, 1}, number 3 is {1, 2}, number 5 is {2, 3}. Whoever asks and whoever answers count the same way.

use serde::{Deserialize, Serialize};

/// A run of subsets of one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SubsetRange {
    /// How many of the pool each has.
    pub size: u16,
    /// Number of the first.
    pub first: u64,
    /// How many.
    pub count: u32,
}

/// How many subsets of `size` places `n` places have; more than 64 bits hold counts as their limit.
#[must_use]
pub fn subset_count(n: usize, size: usize) -> u64 {
    if size > n {
        return 0;
    }
    let mut count = 1_u128;
    for k in 0..size.min(n - size) {
        count = count * (n - k) as u128 / (k + 1) as u128;
        if count > u128::from(u64::MAX) {
            return u64::MAX;
        }
    }
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Writes the subset of this number into `places`, whose length is its size.
///
/// Returns false, leaving `places` in no particular state, if there is no such subset.
#[must_use]
pub fn subset_of(n: usize, number: u64, places: &mut [u16]) -> bool {
    let size = places.len();
    if number >= subset_count(n, size) {
        return false;
    }
    let (mut left, mut next) = (number, 0);
    for (taken, place) in places.iter_mut().enumerate() {
        loop {
            let with_next = subset_count(n - next - 1, size - taken - 1);
            if left < with_next {
                break;
            }
            left -= with_next;
            next += 1;
        }
        let Ok(found) = u16::try_from(next) else { return false };
        *place = found;
        next += 1;
    }
    true
}

/// Turns a subset into the next one; false after the last.
#[must_use]
pub fn next_subset(n: usize, places: &mut [u16]) -> bool {
    let size = places.len();
    for at in (0..size).rev() {
        if usize::from(places[at]) < n - size + at {
            places[at] += 1;
            for later in at + 1..size {
                places[later] = places[later - 1] + 1;
            }
            return true;
        }
    }
    false
}

/// The number of a subset, whose places ascend; `None` for what is no subset of `n` places.
#[must_use]
pub fn number_of(n: usize, places: &[u16]) -> Option<u64> {
    let size = places.len();
    let (mut number, mut next) = (0_u64, 0);
    for (taken, place) in places.iter().enumerate() {
        let place = usize::from(*place);
        if place < next || place >= n {
            return None;
        }
        for skipped in next..place {
            number = number.checked_add(subset_count(n - skipped - 1, size - taken - 1))?;
        }
        next = place + 1;
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subset_has_its_number_and_its_successor() {
        for n in 0..=9_usize {
            for size in 0..=n {
                let mut brute: Vec<Vec<u16>> = (0..1_u32 << n)
                    .filter(|mask| mask.count_ones() as usize == size)
                    .map(|mask| (0..n as u16).filter(|bit| mask & (1 << bit) != 0).collect())
                    .collect();
                brute.sort();
                assert_eq!(subset_count(n, size), brute.len() as u64);
                let mut walking = vec![0; size];
                assert!(subset_of(n, 0, &mut walking));
                for (number, expected) in (0_u64..).zip(&brute) {
                    let mut found = vec![0; size];
                    assert!(subset_of(n, number, &mut found));
                    assert_eq!((&found, &walking), (expected, expected));
                    assert_eq!(number_of(n, expected), Some(number));
                    assert_eq!(next_subset(n, &mut walking), number + 1 < brute.len() as u64);
                }
                assert!(!subset_of(n, brute.len() as u64, &mut vec![0; size]));
            }
        }
    }

    #[test]
    fn what_is_no_subset_has_no_number() {
        for wrong in [&[1, 1][..], &[2, 1], &[0, 4]] {
            assert_eq!(number_of(4, wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn the_counts_of_the_documents_hold() {
        let up_to_five = |n| (1..=5).map(|size| subset_count(n, size)).sum::<u64>();
        assert_eq!([16, 20, 25].map(up_to_five), [6_884, 21_699, 68_405]);
        assert_eq!(subset_count(1_000, 500), u64::MAX);
        assert_eq!(subset_count(3, 4), 0);
    }
}
