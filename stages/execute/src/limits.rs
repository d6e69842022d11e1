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
/// Looks at a final order whose fills do not add up, before it is closed with what is there …
pub const LATE_FILL_LOOKS: u32 = 3;
/// … and the least time that this takes, because lists of trades lag behind those of orders.
pub const LATE_FILL_MS: i64 = 10 * 60_000;
/// A person is told when so many looks in a row were answered and did not show an order that works: some minutes.
pub const UNSEEN_TOLD: u32 = 18;
/// A final order's statement is taken back after this long.
pub const FINAL_KEPT_MS: i64 = 86_400_000;
/// Looks that may fail in a row before a person is told.
pub const FAILED_LOOKS_MAX: u32 = 3;

/// A word on the socket brings a look forward at most this often.
pub const HINT_EVERY_MS: i64 = 5_000;

/// How long to wait for the next look at a working order, by its age.
#[must_use]
pub fn look_pause_ms(age_ms: i64) -> i64 {
    match age_ms {
        ..60_000 => 5_000,
        60_000..300_000 => 15_000,
        _ => 60_000,
    }
}

/// A keeper silent for longer means that nobody knows what the owner wants.
pub const KEEPER_SILENT_MS: i64 = 30_000;
/// Older quotes fill nothing on paper and say nothing about a working order.
pub const QUOTE_AGE_MS: i64 = 30 * 60_000;
/// A working order is cancelled when the price has moved this far from its limit, in 1/1 000 000.
pub const MOVED_AWAY_E6: i128 = 10_000;
/// A cancellation that changed nothing is asked for again after this long.
pub const CANCEL_AGAIN_MS: i64 = 5 * 60_000;
/// The same side of a security rests this long after a fill.
pub const COOL_OFF_MS: i64 = 60 * 60_000;
/// Orders of a security that may go out in one day, of whatever side.
pub const PER_SECURITY_A_DAY: usize = 2;
/// Orders that may go out in one day.
pub const ORDERS_A_DAY: usize = 4;
/// A halt that changed so long after an incident has heard of it.
pub const ANSWERED_BY_THEN_MS: i64 = 10 * 60_000;
/// Orders that may go out in seven days.
pub const ORDERS_A_WEEK: usize = 10;
/// Minutes between two orders where the owner's settings do not say.
pub const GAP_USUAL_MIN: i64 = 60;
/// The most that they may say.
pub const GAP_MOST_MIN: i64 = 10_080;
/// Between two orders in a world without an owner's settings; the real one waits for these.
pub const GAP_MIN: i64 = 5;
/// Orders of the rescue of a negative balance that may go out in one day, on top.
pub const EMERGENCIES_A_DAY: usize = 3;
/// Final orders that are still known after a start, newest first; the store keeps all of them.
pub const FINALS_LOADED: i64 = 100;
/// The same side of a pair of currencies rests this long after a fill.
pub const EXCHANGE_COOL_OFF_MS: i64 = 5 * 60_000;
/// Exchanges of currencies that may go out in one day; they are no trades.
pub const EXCHANGES_A_DAY: usize = 6;
/// An order that says what ours says is ours when it was created this near to its sending …
pub const CREATED_WITHIN_MS: i64 = 10 * 60_000;
/// … on a clock that is at most so many minutes ahead of UTC.
pub const AHEAD_MIN_MAX: i32 = 300;
/// A person settles an order by hand only after all the looks that evidence is given.
pub const SETTLE_AFTER_MS: i64 = 300_000;
/// Seconds that our clock and the broker's may be apart; the broker writes whole seconds, and an answer takes its time.
pub const CLOCK_APART_MAX_S: u64 = 5;
/// A clock that goes back by more was set, …
pub const CLOCK_BACK_MS: i64 = 1_000;
/// … and is not trusted for so long.
pub const CLOCK_RESTS_MS: i64 = 10 * 60_000;
