//! How much an evaluator takes on at once.

/// Actions of one sequence; `plan` makes at most ten (`max_depth`).
pub const ACTIONS_MAX: usize = 16;
/// Sequences of one job, listed or by number.
pub const SEQUENCES_MAX: usize = 8_192;
/// Best sequences sent back; more would not fit into a `plan/result`.
pub const KEEP_MAX: u16 = 20;
/// Jobs that wait for their context.
pub const WAITING_MAX: usize = 64;
/// How long a job waits for its context; `plan` asks again sooner.
pub const WAIT_MS: i64 = 5_000;
/// Replaced contexts remembered, so that a late job for one is known to be late.
pub const REPLACED_KEPT: usize = 16;
/// Buckets whose contexts are kept.
pub const BUCKETS_MAX: usize = 64;

/// The evaluator counts in 1/1 000 000 000 EUR.
pub const NANO_PER_EUR: i64 = 1_000_000_000;
/// Of these in the unit of [`money::Money`].
pub const NANO_PER_E4: i64 = NANO_PER_EUR / 10_000;
/// The largest amount that a context may carry; a person's fund is smaller.
pub const EUR_MAX: i64 = 100_000_000;
/// A holding of no more than half a cent is none.
pub const DUST: i64 = NANO_PER_EUR / 200;

const _: () = assert!(KEEP_MAX as usize <= SEQUENCES_MAX);
// Start, every action and its costs of one walk fit into 64 bits without a check.
const _: () =
    assert!((ACTIONS_MAX as i128 + 2) * 3 * (EUR_MAX as i128) * (NANO_PER_EUR as i128) < i64::MAX as i128);
