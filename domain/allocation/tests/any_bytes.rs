//! What the fuzz target asks, on random bytes: flat and broken series, singular covariances, bounds of zero, groups that
//! contradict each other.
#![allow(clippy::unwrap_used)]

#[path = "../fuzz/any_bytes.rs"]
mod any_bytes;

use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_answer_is_finite_and_within_its_limits(bytes in prop::collection::vec(any::<u8>(), 0..1_200)) {
        any_bytes::examine(&bytes);
    }

    /// The same byte again and again: everything is the same, flat, zero or infinite.
    #[test]
    fn a_market_of_one_number_is_survived(byte in any::<u8>(), length in 0_usize..600) {
        any_bytes::examine(&vec![byte; length]);
    }
}
