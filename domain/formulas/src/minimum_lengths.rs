//! How much history each indicator needs before a score may use it.
//!
//! The formulas themselves ask only for what their arithmetic needs; these are the longer lengths
//! below which a number exists but says too little. Every one counts closes unless it says months.

/// Closes for volatility and max drawdown of a security.
pub const VOLATILITY_CLOSES_MIN: usize = 30;
/// Closes for the Sharpe and Sortino ratios of a security, and for the opportunity group.
pub const SHARPE_CLOSES_MIN: usize = 50;
/// Closes for the current volatility of the sell score.
pub const SELL_VOLATILITY_CLOSES_MIN: usize = 60;
/// Bars below which a 52-week range is partial.
pub const YEAR_RANGE_BARS_MIN: usize = 126;
/// Month-end closes for a five-year growth rate that counts intervals.
pub const CAGR_MONTHS_MIN: usize = 13;
/// Closes for scoring a security at all.
pub const SCORE_CLOSES_MIN: usize = 50;
/// Portfolio returns for a historical CVaR.
pub const CVAR_RETURNS_MIN: usize = 250;
/// Common days for a beta.
pub const BETA_DAYS_MIN: usize = 30;
/// Closes of a region's index for its place in the market regime.
pub const REGIME_CLOSES_MIN: usize = 200;

// A ratio needs at least as much history as the volatility inside it.
const _: () = assert!(SHARPE_CLOSES_MIN >= VOLATILITY_CLOSES_MIN);
