//! What a score says about a security that finders ask for; what it does not say stays unknown.

use contracts::SecurityScore;
use market::Day;

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
    /// That gain itself, as a part of what was paid.
    pub excess: Option<f64>,
    /// Highest price of 52 weeks, in the trading currency.
    pub high_52w: Option<f64>,
    /// The last day of the prices that it rests on.
    pub bars_until: Option<Day>,
}

/// Reads a score. What the scorer objects to is not bought, whatever else speaks for it.
#[must_use]
pub fn of(score: &SecurityScore) -> Merit {
    let input = |name: &str| score.inputs.get(name).map(|input| input.get());
    Merit {
        quality: score.quality.map(|quality| quality.get()),
        trap: !score.gates.buyable,
        turned: Some(score.gates.turn),
        falling: Some(score.gates.freefall),
        sell: score.sell.as_ref().map(|sell| sell.score.get()),
        timing: score.timing.map(|timing| timing.get()),
        dividend_yield: input("dividend_yield"),
        windfall: score.windfall.as_ref().map(|windfall| (windfall.score.get(), windfall.sell.get())),
        excess: score.windfall.as_ref().map(|windfall| windfall.excess.get()),
        high_52w: input("high_52w"),
        bars_until: score.bars_until,
    }
}
