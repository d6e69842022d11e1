//! All subsets of the pool up to a depth.
//!
//! Ascending indexes are the order of execution, so each subset is one sequence. A security occurs once in each.

use contracts::Candidate;

use crate::limits::SEQUENCES_MAX;

/// The largest pool, at most `wanted`, whose sequences stay within [`SEQUENCES_MAX`].
#[must_use]
pub fn pool_that_fits(wanted: usize, depth: usize) -> usize {
    (1..=wanted).rev().find(|size| count(*size, depth) <= SEQUENCES_MAX).unwrap_or(1)
}

/// Σ C(n, k) for k from 1 to the depth.
fn count(n: usize, depth: usize) -> usize {
    let mut sum = 0_usize;
    let mut choose = 1_usize;
    for k in 1..=depth.min(n) {
        choose = choose.saturating_mul(n - k + 1) / k;
        sum = sum.saturating_add(choose);
    }
    sum
}

/// Every subset of 1 to `depth` candidates without a repeated security.
#[must_use]
pub fn subsets(candidates: &[Candidate], depth: usize) -> Vec<Vec<u16>> {
    let mut all = Vec::new();
    let mut chosen = Vec::with_capacity(depth);
    extend(candidates, depth, 0, &mut chosen, &mut all);
    all
}

fn extend(
    candidates: &[Candidate],
    depth: usize,
    from: usize,
    chosen: &mut Vec<u16>,
    all: &mut Vec<Vec<u16>>,
) {
    for next in from..candidates.len() {
        let repeated =
            chosen.iter().any(|known| candidates[usize::from(*known)].isin == candidates[next].isin);
        let Ok(index) = u16::try_from(next) else { return };
        if repeated || all.len() >= SEQUENCES_MAX {
            continue;
        }
        chosen.push(index);
        all.push(chosen.clone());
        if chosen.len() < depth {
            extend(candidates, depth, next + 1, chosen, all);
        }
        chosen.pop();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::{Sample, Side};

    use super::*;

    const ISINS: [&str; 5] = ["DE000SMX0015", "US0378331005", "DE0007164600", "NL0010273215", "FR0000120271"];

    fn candidates(sides: &[(usize, Side)]) -> Vec<Candidate> {
        let of = |(n, side): &(usize, Side)| Candidate {
            isin: ISINS[*n].parse().unwrap(),
            side: *side,
            ..Candidate::sample()
        };
        sides.iter().map(of).collect()
    }

    #[test]
    fn subsets_are_those_of_brute_force() {
        let all =
            candidates(&[(0, Side::Sell), (1, Side::Buy), (2, Side::Buy), (3, Side::Buy), (4, Side::Buy)]);
        let mut found = subsets(&all, 3);
        let mut expected: Vec<Vec<u16>> = (1_u16..32)
            .map(|mask| (0..5).filter(|bit| mask & (1 << bit) != 0).collect::<Vec<u16>>())
            .filter(|subset| subset.len() <= 3)
            .collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
        assert_eq!(found.len(), count(5, 3));
    }

    #[test]
    fn no_sequence_repeats_a_security() {
        let all = candidates(&[(0, Side::Sell), (0, Side::Buy), (1, Side::Buy)]);
        let found = subsets(&all, 3);
        assert!(!found.contains(&vec![0, 1]) && !found.contains(&vec![0, 1, 2]));
        assert_eq!(found, [vec![0], vec![0, 2], vec![1], vec![1, 2], vec![2]]);
    }

    #[test]
    fn the_pool_shrinks_until_its_sequences_fit() {
        assert_eq!((count(12, 3), pool_that_fits(12, 3)), (298, 12));
        assert_eq!(pool_that_fits(24, 5), 24);
        assert!(count(24, 5) <= SEQUENCES_MAX && count(25, 5) > SEQUENCES_MAX);
    }
}
