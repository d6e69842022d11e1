//! Sell score: how much speaks for selling a holding. One file per part.
//!
//! Definition, s = Σ weight·part/Σ weight over the parts that count: underperformance·time 0.53, balance 0.18,
//! instability 0.14, drawdown 0.15. Time is a factor of underperformance (an old holding that does well is no reason
//! to sell), and the drawdown counts only when the quality gate fails, because selling what is good and low locks in
//! the loss. Units: score. Range: 0 to 1. [`reference()`] adds time up and always counts the drawdown.

pub mod balance;
pub mod block;
pub mod drawdown;
pub mod instability;
pub mod quantity;
pub mod time_held;
pub mod underperformance;

/// The five parts, each 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parts {
    /// Annual gain below what is wanted.
    pub underperformance: f64,
    /// Time held.
    pub time_held: f64,
    /// Country, industry and position too large.
    pub balance: f64,
    /// Gains that came too fast, rising volatility, a stretched price.
    pub instability: f64,
    /// Present distance from the highest price.
    pub drawdown: f64,
}

/// Weights in the order of the parts.
pub const WEIGHTS: [f64; 5] = [0.35, 0.18, 0.18, 0.14, 0.15];

/// Combines the parts; `passes_gate` is the security's quality gate.
///
/// # Examples
/// ```
/// use formulas::sell::{Parts, score};
/// let parts =
///     Parts { underperformance: 0.9, time_held: 0.5, balance: 0.5, instability: 0.5, drawdown: 1.0 };
/// // (0.53·0.45 + 0.18·0.5 + 0.14·0.5)/0.85, and with the drawdown as well.
/// assert!((score(&parts, Some(true)) - 0.3985 / 0.85).abs() < 1e-12);
/// assert!((score(&parts, Some(false)) - 0.5485).abs() < 1e-12);
/// ```
pub fn score(parts: &Parts, passes_gate: Option<bool>) -> f64 {
    let [underperformance, time_held, balance, instability, drawdown] = WEIGHTS;
    let doing_badly = underperformance + time_held;
    let mut sum = doing_badly * parts.underperformance * parts.time_held
        + balance * parts.balance
        + instability * parts.instability;
    let mut weight = doing_badly + balance + instability;
    if passes_gate == Some(false) {
        sum += drawdown * parts.drawdown;
        weight += drawdown;
    }
    (sum / weight).clamp(0.0, 1.0)
}

/// Combines the parts as the reference did; weights that do not sum above zero are replaced by the default ones.
///
/// # Examples
/// ```
/// use formulas::sell::{Parts, WEIGHTS, reference};
/// let parts = Parts { underperformance: 1.0, time_held: 0.0, balance: 0.0, instability: 0.0, drawdown: 0.0 };
/// assert!((reference(&parts, &WEIGHTS) - 0.35).abs() < 1e-12);
/// assert!((reference(&parts, &[2.0, 0.0, 0.0, 0.0, 2.0]) - 0.5).abs() < 1e-12);
/// ```
pub fn reference(parts: &Parts, weights: &[f64; 5]) -> f64 {
    let sum: f64 = weights.iter().sum();
    let (weights, sum) = if sum > 0.0 { (weights, sum) } else { (&WEIGHTS, 1.0) };
    let parts = [parts.underperformance, parts.time_held, parts.balance, parts.instability, parts.drawdown];
    parts.iter().zip(weights).map(|(part, weight)| part * weight / sum).sum()
}
