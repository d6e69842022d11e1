//! Decoders never panic, whatever comes.
#![allow(clippy::unwrap_used, missing_docs)]

use contracts::{Address, TOPICS, examine, samples, to_json};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        for spec in TOPICS {
            let _ = examine(spec.id, "", &bytes);
        }
        let _ = to_json("any", &bytes);
    }

    #[test]
    fn mutated_examples_never_panic(which in 0..TOPICS.len(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let example = samples().swap_remove(which);
        let mut payload = example.payload.clone();
        let place = at.index(payload.len());
        payload[place] = byte;
        let _ = examine(example.topic, &example.key, &payload);
        payload.truncate(cut.index(payload.len()));
        let _ = examine(example.topic, &example.key, &payload);
    }

    #[test]
    fn random_paths_never_panic(path in ".{0,80}") {
        let _ = Address::parse("steward", &path);
        let _ = Address::parse("", &path);
    }
}

#[test]
fn deep_nesting_is_an_error_and_not_an_overflow() {
    for opening in [0x91_u8, 0x81] {
        let payload = vec![opening; 8_000];
        for spec in TOPICS {
            assert!(examine(spec.id, "", &payload).is_err());
        }
        assert!(to_json("any", &payload).is_err());
    }
}

#[test]
fn a_promised_length_that_never_comes_is_an_error() {
    // A map that claims four thousand million entries.
    let payload = [0xdf, 0xff, 0xff, 0xff, 0xff, 0xa2];
    for spec in TOPICS {
        assert!(examine(spec.id, "", &payload).is_err());
    }
}
