//! Limits of the money path, each with its reason.

/// Approvals waiting for their turn; more is a gate gone wild.
pub const WAITING_MAX: usize = 64;
/// A gate silent for longer lets nothing out, in a live environment.
pub const GATE_SILENT_MS: i64 = 30_000;
/// When to look for an order whose fate is unknown, after it was sent.
pub const UNKNOWN_LOOKS_MS: [i64; 6] = [5_000, 15_000, 30_000, 60_000, 120_000, 300_000];
/// Absence must be seen this often …
pub const ABSENCES_MIN: u32 = 3;
/// … and at least this long after sending, because lists lag.
pub const ABSENT_AFTER_MS: i64 = 120_000;
/// A working order that is not final after this long is cancelled; the price has moved on.
pub const CANCEL_AFTER_MS: i64 = 15 * 60_000;
/// Looks at a final order whose fills do not add up, before it is closed with what is there.
pub const LATE_FILL_LOOKS: u32 = 3;
/// A final order's statement is taken back after this long.
pub const FINAL_KEPT_MS: i64 = 86_400_000;
/// Looks that may fail in a row before a person is told.
pub const FAILED_LOOKS_MAX: u32 = 3;

/// How long to wait for the next look at a working order, by its age.
#[must_use]
pub fn look_pause_ms(age_ms: i64) -> i64 {
    match age_ms {
        ..60_000 => 5_000,
        60_000..300_000 => 15_000,
        _ => 60_000,
    }
}
