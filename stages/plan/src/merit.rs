//! What a score says about a security that finders ask for; what it does not say stays unknown.

use contracts::SecurityScore;

/// Figures of one score.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Merit {
    /// How good the business is, 0 to 1.
    pub quality: Option<f64>,
    /// Whether it is kept from being bought as a trap or a bubble.
    pub trap: bool,
    /// The price turned upwards.
    pub turned: Option<bool>,
    /// The price falls without a floor.
    pub falling: Option<bool>,
    /// How urgent a sale is, 0 to 1.
    pub sell: Option<f64>,
    /// When to trade rather than whether, 0 to 1.
    pub timing: Option<f64>,
    /// Dividends of a year as a part of the price.
    pub dividend_yield: Option<f64>,
    /// Gain beyond what its past explains, 0 to 1, and the part of the holding to sell for it.
    pub windfall: Option<(f64, f64)>,
    /// Highest price of 52 weeks, in the trading currency.
    pub high_52w: Option<f64>,
}

/// Flags that keep a security from being bought.
const TRAPS: &[&str] = &["quality-gate-fail", "bubble-risk"];

/// Reads a score.
#[must_use]
pub fn of(score: &SecurityScore) -> Merit {
    let part = |name: &str| score.parts.get(name).map(|part| part.get());
    let input = |name: &str| score.inputs.get(name).map(|input| input.get());
    let is_set = |name: &str| input(name).map(|input| input >= 1.0);
    Merit {
        quality: part("quality").or(score.total.map(|total| total.get())),
        trap: score.flags.iter().any(|flag| TRAPS.contains(&flag.as_str())),
        turned: is_set("turn"),
        falling: is_set("freefall"),
        sell: part("sell"),
        timing: part("timing"),
        dividend_yield: input("dividend_yield"),
        windfall: part("windfall").zip(part("windfall_sell")),
        high_52w: input("high_52w"),
    }
}
