//! Every decoder on every input: refuses, never panics.
#![no_main]

use contracts::{Address, TOPICS, examine, to_json};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let (which, payload) = data.split_first().map_or((0, data), |(first, rest)| (usize::from(*first), rest));
    let spec = &TOPICS[which % TOPICS.len()];
    let _ = examine(spec.id, "", payload);
    let _ = to_json(spec.name, payload);
    let _ = Address::parse("steward", &String::from_utf8_lossy(payload));
});
