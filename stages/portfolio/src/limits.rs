//! Numbers that are not settings: when the broker is believed, asked again or given up.

/// The regular reading comes this long after the whole interval, behind the prices of that moment.
pub const AFTER_GRID_MS: i64 = 1_000;
/// While an order of ours works the account is read at every whole minute.
pub const ORDER_READING_S: i64 = 60;
/// While a plan has a next step at an open venue no reading gets older: the gate refuses one that is too old.
pub const PLAN_READING_MS: i64 = 120_000;
/// After the start the retained statements are waited for, this long.
pub const START_WAIT_MS: i64 = 1_000;
/// How often one pass is begun again because a trade came in between.
pub const PASSES_MAX: usize = 3;
/// Days of trades read before the first reading of all, to date what is held.
pub const IMPORT_DAYS: i32 = 3_650;
/// Days of trades before the last one seen that are read again with every pass: the broker adds some late, also behind newer
/// ones.
pub const TRADE_OVERLAP_DAYS: i32 = 30;
/// Days of flows read again with every pass: taxes and reversals are booked up to a month late.
pub const FLOW_OVERLAP_DAYS: i32 = 30;
/// Lines of the statement that are named when they cannot be read; the others are counted.
pub const UNREADABLE_NAMED: usize = 3;
/// An empty or shrunken answer is believed when this many equal ones came, each a minute after the one before.
pub const EQUAL_ANSWERS: usize = 3;
/// A difference counts when it is seen again at least this much later; doubtful answers are asked again after it.
pub const DOUBT_MS: i64 = 60_000;
/// An exchange of currencies without an order of ours counts as a difference for this many days: what it halts only a
/// person ends, but no later reading could show that it is gone.
pub const EXCHANGE_TOLD_DAYS: i32 = 7;
/// Pauses after the first, second, … failed pass; the last repeats.
pub const RETRY_MS: [i64; 5] = [3_000, 6_000, 12_000, 60_000, 300_000];
/// A day of the fund ends this long after the last close among the venues of what is held.
pub const AFTER_CLOSE_MS: i64 = 30 * 60_000;
/// Where no calendar knows a day, it ends at 22:30 UTC.
pub const UNKNOWN_END_MS: i64 = (22 * 60 + 30) * 60_000;
/// A day that was over before anybody could value it is valued this long after the start.
pub const LATE_END_MS: i64 = 300_000;
/// A day whose worth is unknown at its end is tried again so often, this long apart; then it stays without a value.
pub const DAY_TRIES: u8 = 3;
/// Pause between these tries.
pub const DAY_RETRY_MS: i64 = 300_000;
/// Days looked back for one whose end nobody saw.
pub const MISSED_DAYS: i32 = 40;
/// Cash of books and broker may differ by less than this, a cent.
pub const CASH_TOLERANCE_E4: i64 = 100;
/// Days for which a fee may be missing.
pub const FEE_DAYS: i32 = 2;
/// A rate of a day may have been made so many days before it.
pub const RATE_DAYS: i32 = 7;
/// Days between a trade and the line of the statement that settles it.
pub const SETTLEMENT_DAYS: i32 = 5;
/// Days between the two sides of a transfer between own accounts.
pub const TRANSFER_DAYS: i32 = 5;
/// Flows stay statements for this many days.
pub const FLOW_DAYS: i32 = 7;
/// What is not held any more is told this many days after its last trade: no pause after a trade lasts longer.
pub const CLOSED_DAYS: i32 = 366;
/// So many of them at most: they share one message with the holdings.
pub const CLOSED_MAX: usize = 400;
/// Orders followed at most; more are a fault of their owner.
pub const ORDERS_MAX: usize = 10_000;
/// Cash of a corporate action explains a removed security for this many days.
pub const REMOVAL_DAYS: i32 = 30;
/// Bytes of one import at most; it is kept in memory until it is whole.
pub const IMPORT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Parts of one import at most.
pub const IMPORT_PARTS_MAX: u32 = 1_000;
/// Commands that may wait for one reading of the account.
pub const WAITING_MAX: usize = 16;
/// The one part of the fund so far.
pub const CORE: &str = "core";
