//! Financial strength: how profitable, indebted and liquid a company is.
//!
//! Definition: 0.4·M + 0.3·D + 0.3·C over the figures that are known, their weights normalised. Margin m ≥ 0:
//! M = min(1, 0.5 + 2.5m), else max(0, 0.5 + 2m). Debt to equity d as a ratio: D = max(0, 1 − min(2, d)/2), so no debt
//! is best. Current ratio c: C = min(1, min(3, c)/2), so none is worst. Units: fractions and ratios. Range: 0 to 1.
//! Nothing known, or not a number: `None`. [`reference()`] takes a zero for unknown and puts constants in.

use crate::finite::finite;

const SHARES: [f64; 3] = [0.4, 0.3, 0.3];

/// Scores financial strength from margin, debt to equity and current ratio.
///
/// # Examples
/// ```
/// use formulas::curves::solidity::score;
/// // Margin 10 %: 0.75; debt 0.5: 0.75; liquidity 1.5: 0.75.
/// assert!((score(Some(0.10), Some(0.5), Some(1.5)).unwrap() - 0.75).abs() < 1e-12);
/// assert_eq!(score(None, Some(0.0), None), Some(1.0), "no debt is the best case");
/// assert_eq!(score(None, None, Some(0.0)), Some(0.0));
/// assert_eq!(score(None, None, None), None);
/// ```
pub fn score(margin: Option<f64>, debt: Option<f64>, liquidity: Option<f64>) -> Option<f64> {
    let parts = [margin.map(margin_score), debt.map(debt_score), liquidity.map(liquidity_score)];
    let known = || SHARES.iter().zip(parts).filter_map(|(share, part)| Some((share, part?)));
    let weight: f64 = known().map(|(share, _)| share).sum();
    if weight > 0.0 { finite(known().map(|(share, part)| share * part).sum::<f64>() / weight) } else { None }
}

/// Scores as the reference did: an absent margin is 0, debt absent or 0 is 0.5, liquidity absent or 0 is 1.
///
/// # Examples
/// ```
/// // 0.4·0.5 + 0.3·0.75 + 0.3·0.5.
/// let unknown = formulas::curves::solidity::reference(None, None, None).unwrap();
/// assert!((unknown - 0.575).abs() < 1e-12);
/// ```
pub fn reference(margin: Option<f64>, debt: Option<f64>, liquidity: Option<f64>) -> Option<f64> {
    let positive =
        |value: Option<f64>, otherwise: f64| value.filter(|value| *value != 0.0).unwrap_or(otherwise);
    let parts = [
        margin_score(margin.unwrap_or(0.0)),
        debt_score(positive(debt, 0.5)),
        liquidity_score(positive(liquidity, 1.0)),
    ];
    finite(SHARES.iter().zip(parts).map(|(share, part)| share * part).sum())
}

fn margin_score(margin: f64) -> f64 {
    if margin >= 0.0 { (0.5 + 2.5 * margin).min(1.0) } else { clip_below(0.5 + 2.0 * margin) }
}

fn debt_score(debt: f64) -> f64 {
    clip_below(1.0 - cap(debt, 2.0) / 2.0)
}

fn liquidity_score(liquidity: f64) -> f64 {
    cap(cap(liquidity, 3.0) / 2.0, 1.0)
}

/// Like `min` and `max`, but not a number stays one and is found at the end.
fn cap(value: f64, most: f64) -> f64 {
    if value > most { most } else { value }
}

fn clip_below(value: f64) -> f64 {
    if value < 0.0 { 0.0 } else { value }
}
