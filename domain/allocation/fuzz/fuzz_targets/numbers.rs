//! Every formula and every programme on every input: a finite answer within its limits, or a named refusal.
#![no_main]

#[path = "../any_bytes.rs"]
mod any_bytes;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| any_bytes::examine(data));
