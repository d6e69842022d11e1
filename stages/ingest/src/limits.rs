//! Numbers that are not settings: when something is believed, repeated or given up.

/// A price that moved by more than one part in this many is not believed at first sight: a fifth.
pub const JUMP_PART: i64 = 5;
/// Pauses after the first, second, … failure of one kind of read; the last repeats.
pub const RETRY_MS: [i64; 5] = [3_000, 6_000, 12_000, 60_000, 300_000];
/// Quotes are kept this long in the store.
pub const QUOTES_KEPT_MS: i64 = 7 * 86_400_000;
/// Open venues are described again at whole multiples of this.
pub const VENUE_EVERY_MS: i64 = 5 * 60_000;
/// So close to opening and close nothing is traded; the descriptions change exactly there.
pub const EDGE_MS: i64 = 10 * 60_000;
/// A venue whose next change nobody knows is looked at again after this.
pub const VENUE_UNKNOWN_MS: i64 = 3_600_000;
/// Fewer days of calendar than this are reported in live operation.
pub const CALENDAR_DAYS_MIN: i64 = 30;
/// The bar of a day is final this long after its close.
pub const BAR_AFTER_CLOSE_MS: i64 = 15 * 60_000;
/// Days read again with every update, so that a split shows as a changed past.
pub const BAR_OVERLAP_DAYS: i32 = 7;
/// Closes per security that are kept at hand for that comparison.
pub const CLOSES_KEPT: usize = 10;
/// How often the bar of one day is asked for before it is left to the next close.
pub const BAR_TRIES: usize = 4;
/// Pause between these tries.
pub const BAR_AGAIN_MS: i64 = 15 * 60_000;
/// Most securities of a universe: quotes of all fit into one request each hundred.
pub const SECURITIES_MAX: usize = 500;
/// Most tickers of one request for quotes.
pub const TICKERS_PER_CALL: usize = 100;

const _: () = assert!(QUOTES_KEPT_MS > VENUE_EVERY_MS && JUMP_PART > 1);
