//! Instability: gains that came too fast, rising volatility, a price far above its average.
//!
//! Definition: 0.4·rate + 0.3·volatility + 0.3·stretch. Rate, a = (1 + profit)^(365/days) − 1: 0.5 within 30 days;
//! above 0.5: 1; 0.3: 0.7; 0.2: 0.4; else 0.1. Volatility now against usual: above 2: 1; 1.5: 0.7; 1.2: 0.4; else 0.1;
//! 0.3 without a usual one. Stretch above the 200-day exponential average: above 0.3: 1; 0.2: 0.7; 0.1: 0.4; else 0.1.
//! At least 0.2 with a profit above 100 %, 0.1 above 75 %. Units: fractions. Range: 0.1 to 1. Nothing known: 0.3.

/// What is known of the price.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Technical {
    /// Volatility of the last 60 closes.
    pub current_volatility: f64,
    /// Volatility of the last 400.
    pub usual_volatility: f64,
    /// Distance from the 200-day exponential average.
    pub stretch: f64,
}

/// Scores instability.
///
/// # Examples
/// ```
/// use formulas::sell::instability::{Technical, score};
/// let calm = Technical { current_volatility: 0.2, usual_volatility: 0.2, stretch: 0.0 };
/// assert!((score(0.1, 400, Some(calm)) - 0.1).abs() < 1e-12);
/// assert!((score(1.2, 4_000, Some(calm)) - 0.2).abs() < 1e-12);
/// let wild = Technical { current_volatility: 0.5, stretch: 0.25, ..calm };
/// assert!((score(0.6, 365, Some(wild)) - (0.4 + 0.3 + 0.21)).abs() < 1e-12);
/// assert_eq!(score(0.1, 400, None), 0.3);
/// ```
pub fn score(profit: f64, days: i64, technical: Option<Technical>) -> f64 {
    let Some(technical) = technical else { return 0.3 };
    let rate = if days <= 30 {
        0.5
    } else {
        steps(libm::pow(1.0 + profit, 365.0 / days as f64) - 1.0, [0.5, 0.3, 0.2])
    };
    let volatility = if technical.usual_volatility > 0.0 {
        steps(technical.current_volatility / technical.usual_volatility, [2.0, 1.5, 1.2])
    } else {
        0.3
    };
    let sum = 0.4 * rate + 0.3 * volatility + 0.3 * steps(technical.stretch, [0.3, 0.2, 0.1]);
    let floor = match profit {
        profit if profit > 1.0 => 0.2,
        profit if profit > 0.75 => 0.1,
        _ => 0.0,
    };
    sum.max(floor)
}

fn steps(value: f64, levels: [f64; 3]) -> f64 {
    match value {
        value if value > levels[0] => 1.0,
        value if value > levels[1] => 0.7,
        value if value > levels[2] => 0.4,
        _ => 0.1,
    }
}
