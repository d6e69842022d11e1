//! Numbers that are not settings: when something is believed, repeated or given up.

/// A price that moved by more than one part in this many is not believed at first sight: a fifth.
pub const JUMP_PART: i64 = 5;
/// Every so many questions also ask about what the socket told of.
pub const ASKED_ALL_THE_SAME: i64 = 10;
/// And more of them where the questions are far apart, so that currency pairs, which are read along, do not get old.
pub const ASKED_WITHIN_MS: i64 = 10 * 60_000;
/// A doubtful word on the socket brings a question forward at most this often, and never so shortly before its turn.
pub const HURRIED_MS: i64 = 10_000;
/// A rate that moved by more than one part in this many needs a second source or reading.
pub const RATE_JUMP_PART: i64 = 20;
/// Two providers say the same within this share.
pub const SECOND_AGREES: f64 = 0.03;
/// Hong Kong pegs its dollar: against the US dollar a move by more than one part in this many needs a second source.
pub const PEG_JUMP_PART: i64 = 50;
/// Sessions without a trade and without another close after which a security counts as halted.
pub const HALTED_SESSIONS: usize = 5;
/// Readings that must name the same new ISIN before the broker's list is asked about it.
pub const RENAMED_READINGS: u32 = 3;
/// What the list did not confirm is not asked about again before this.
pub const RENAMED_AGAIN_MS: i64 = 10 * 60_000;
/// A price above so many times the last close, or below one part of it, stops trading in the security.
pub const CLOSE_FACTOR: i64 = 2;
/// A close of another provider that differs by more than this share is told, and by more than that stops trading.
pub const CROSS_TOLD: f64 = 0.05;
/// See [`CROSS_TOLD`].
pub const CROSS_STOPS: f64 = 0.20;
/// Shortest pause between two questions to a provider besides the broker, and what is added at most.
pub const OUTSIDE_SPACING_MS: i64 = 2_000;
/// See [`OUTSIDE_SPACING_MS`].
pub const OUTSIDE_JITTER_MS: i64 = 1_000;
/// Charts of another provider wait so long at most while the broker's bars are read.
pub const CHARTS_WAIT_MS: i64 = 30 * 60_000;
/// Days of calendar that are written out for readers of the store.
pub const CALENDAR_WRITTEN_DAYS: i32 = 40;
/// Pauses after the first, second, … failure of one kind of read; the last repeats.
pub const RETRY_MS: [i64; 5] = [3_000, 6_000, 12_000, 60_000, 300_000];
/// Quotes are kept this long in the store.
pub const QUOTES_KEPT_MS: i64 = 7 * 86_400_000;
/// Open venues are described again at whole multiples of this.
pub const VENUE_EVERY_MS: i64 = 30 * 60_000;
/// So long after an opening every price should be of today: the gate judges by it.
pub const WARM_MS: i64 = 30 * 60_000;
/// What the broker said about its markets counts for so long, or for two readings where these are further apart.
pub const AGREEMENT_AGE_MS: i64 = 5 * 60_000;
/// Calendar and broker may contradict each other for so long before a person is told.
pub const DISAGREEMENT_MS: i64 = 30 * 60_000;
/// So close to opening and close nothing is traded; the descriptions change exactly there.
pub const EDGE_MS: i64 = 10 * 60_000;
/// A venue whose next change nobody knows is looked at again after this.
pub const VENUE_UNKNOWN_MS: i64 = 3_600_000;
/// Fewer days of calendar than this are reported in live operation.
pub const CALENDAR_DAYS_MIN: i64 = 30;
/// The bar of a day is final this long after its close.
pub const BAR_AFTER_CLOSE_MS: i64 = 30 * 60_000;
/// Days read again with every update, so that a split shows as a changed past.
pub const BAR_OVERLAP_DAYS: i32 = 14;
/// New days continue a series only beside so many known ones that say the same, where so many are known.
pub const COMMON_DAYS_MIN: usize = 5;
/// So many sessions for which the broker has no day make another provider's bars wanted, or
pub const BEHIND_MAX: usize = 5;
/// so many of them when so many questions in a row failed: three quarters of an hour of them.
pub const BEHIND_FAILING: usize = 2;
/// See [`BEHIND_FAILING`].
pub const FAILING: usize = 12;
/// Closes per security that are kept at hand for that comparison, and to tell a usual move from a jump.
pub const CLOSES_KEPT: usize = 61;
/// How often the bar of one day is asked for before it is left to the next close.
pub const BAR_TRIES: usize = 4;
/// Pause between these tries.
pub const BAR_AGAIN_MS: i64 = 15 * 60_000;
/// Most securities of a universe: quotes of all fit into one request each hundred.
pub const SECURITIES_MAX: usize = 500;
/// Most tickers of one request for quotes.
pub const TICKERS_PER_CALL: usize = 100;

const _: () = assert!(QUOTES_KEPT_MS > VENUE_EVERY_MS && JUMP_PART > 1);
