//! Limits of the scorer, each with its reason.

/// Ten years and a quarter: the ten-year growth takes 121 month-ends, and the present month is not complete.
pub const BARS_MAX: usize = 2_700;
/// Daily closes below which nothing is said at all.
pub const BARS_MIN: usize = 50;
/// Month-ends below which nothing is said at all.
pub const MONTHS_MIN: usize = 12;
/// Month-ends kept: the ten-year growth takes 121.
pub const MONTHS_KEPT: usize = 121;
/// More securities than one person's fund can hold an eye on.
pub const SECURITIES_MAX: usize = 500;
/// Securities whose facts are read in one go.
pub const READ_AT_ONCE: usize = 50;
/// Closes of a trading year: the window of every ratio.
pub const YEAR: usize = 252;
/// Closes kept of each security: the usual volatility of the sell score takes 400.
pub const CLOSES_KEPT: usize = 400;
/// Days after its last bar from which a series is stale.
pub use contracts::BARS_AGE_MAX_DAYS;
/// Days of the regime that are computed again at each new bar of an index.
pub const REGIME_DAYS: usize = 400;
/// Index closes read: the days above and the 200 before their first.
pub const INDEX_BARS_MAX: usize = 700;
/// Regions that an index may be named for.
pub const REGIONS_MAX: usize = 16;
/// Days for which scores are kept: five years.
pub const KEPT_DAYS: i32 = 5 * 366;
/// Coverage below which nothing is bought.
pub const COVERAGE_MIN: f64 = 0.60;
/// Coverage from which a total is not drawn towards neutral.
pub const COVERAGE_FULL: f64 = 0.80;

const _: () = assert!(BARS_MIN < CLOSES_KEPT && CLOSES_KEPT < BARS_MAX && YEAR < CLOSES_KEPT);
const _: () = assert!(READ_AT_ONCE <= SECURITIES_MAX && MONTHS_MIN < MONTHS_KEPT);
const _: () = assert!(REGIME_DAYS + 200 <= INDEX_BARS_MAX && formulas::contrarian::CLOSES_USED < CLOSES_KEPT);
