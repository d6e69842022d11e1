//! How much an evaluator takes on at once.

/// Actions of one sequence; `plan` makes at most ten (`max_depth`).
pub const ACTIONS_MAX: usize = 16;
/// Sequences of one job; the payload limit of `plan/job` allows fewer long ones.
pub const SEQUENCES_MAX: usize = 8_192;
/// Best sequences sent back; more would not fit into a `plan/result`.
pub const KEEP_MAX: u16 = 64;
/// Jobs that wait for their context.
pub const WAITING_MAX: usize = 64;
/// How long a job waits for its context; `plan` asks again sooner.
pub const WAIT_MS: i64 = 5_000;
/// Replaced contexts remembered, so that a late job for one is known to be late.
pub const REPLACED_KEPT: usize = 16;
/// Buckets whose contexts are kept.
pub const BUCKETS_MAX: usize = 64;

const _: () = assert!(KEEP_MAX as usize <= SEQUENCES_MAX);
