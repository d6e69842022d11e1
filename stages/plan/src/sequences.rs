//! How many candidates the pool may have, so that all its subsets up to a depth can be tried.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pool_shrinks_until_its_sequences_fit() {
        assert_eq!((count(12, 3), pool_that_fits(12, 3)), (298, 12));
        assert_eq!(pool_that_fits(24, 5), 24);
        assert!(count(24, 5) <= SEQUENCES_MAX && count(25, 5) > SEQUENCES_MAX);
    }
}
