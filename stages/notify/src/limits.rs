//! Bounds of what is remembered and said.

/// Longest text of an alert or of the display, in characters.
pub const TEXT_MAX: usize = 600;
/// Orders, refusals and incidents remembered; the oldest go first.
pub const REMEMBERED_MAX: usize = 1_000;
/// Stages remembered.
pub const STAGES_MAX: usize = 64;
/// Refusals of one security and side in one day that are worth a word.
pub const REFUSALS_A_DAY: usize = 3;
/// Cleared alerts are kept this long.
pub const CLEARED_KEPT_MS: i64 = 90 * 86_400_000;
/// How often the age of the stages is looked at in the real world.
pub const LOOK_EVERY_MS: i64 = 60_000;
/// One day.
pub const DAY_MS: i64 = 86_400_000;

const _: () =
    assert!(TEXT_MAX * 4 + 1_000 < 4_096, "an alert must fit its topic even in four-byte characters");

/// Fall from the highest value of ninety days that a person should know of, as a fraction.
pub const DRAWDOWN_ALARM: f64 = 0.15;
