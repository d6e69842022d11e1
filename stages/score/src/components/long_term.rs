//! Long-term growth: the yearly growth rate over the whole known history, up to ten years.
//!
//! Definition, x = growth a year, t = target 0.11: x ≤ 0: 0.15. Below the target 0.15 + 0.65·exp(−(x − t)²/(2·0.06²)).
//! From the target on (0, 0.8) (0.04, 0.95) (0.09, 1) of x − t. Bubble: x > 1.5·t and at least two of Sharpe < 0.5,
//! Sortino < 0.5, volatility > 0.40 over the last year: 0.6; what is absent does not count. Units: fractions a year.
//! Range: 0.15 to 1. Up to a year of bars, a first or last close that is not positive, or not a number: absent.
//! Continuous at the target, so that falling just short of it never beats reaching it.
//! Worked example: 100 → 113 in 252 bars is two points above the target, hence 0.875.

use formulas::{
    bell::bell, cagr::growth_rate, piecewise_linear::piecewise_linear, returns::simple_returns,
    sharpe::sharpe, sortino::sortino, trading_year::risk_free_per_day, volatility::volatility,
};

use super::Part;

const YEAR: usize = 252;
/// Growth a year that is as much as anyone needs.
const TARGET: f64 = 0.11;
const RISK_FREE: f64 = 0.02;
const FLOOR: f64 = 0.15;
const AT_TARGET: f64 = 0.8;
const WIDTH: f64 = 0.06;
const ABOVE: [(f64, f64); 3] = [(0.0, AT_TARGET), (0.04, 0.95), (0.09, 1.0)];
const BUBBLE: f64 = 0.6;
const BUBBLE_GROWTH: f64 = 1.5;
const BUBBLE_SIGNS: usize = 2;
const RATIO_MIN: f64 = 0.5;
const VOLATILITY_MAX: f64 = 0.40;

/// The part.
#[must_use]
pub fn part(closes: &[f64]) -> Part {
    let growth = growth(closes);
    Part::new(growth.and_then(|growth| curve(growth, bubble_signs(closes))), &[("cagr", growth)])
}

fn growth(closes: &[f64]) -> Option<f64> {
    if closes.len() <= YEAR {
        return None;
    }
    // Both counts are far below what a double holds exactly.
    #[allow(clippy::cast_precision_loss)]
    let years = (closes.len() - 1) as f64 / YEAR as f64;
    growth_rate(*closes.first()?, *closes.last()?, years)
}

fn curve(growth: f64, bubble_signs: usize) -> Option<f64> {
    if growth <= 0.0 {
        return Some(FLOOR);
    }
    if growth > BUBBLE_GROWTH * TARGET && bubble_signs >= BUBBLE_SIGNS {
        return Some(BUBBLE);
    }
    if growth >= TARGET {
        return piecewise_linear(&ABOVE, growth - TARGET);
    }
    // The bell brings a floor and a height of its own; only its shape is used.
    let shape = (bell(growth, TARGET, WIDTH, WIDTH)? - FLOOR) / (1.0 - FLOOR);
    Some(FLOOR + (AT_TARGET - FLOOR) * shape)
}

/// How many signs of a bubble the last year shows.
fn bubble_signs(closes: &[f64]) -> usize {
    let year = &closes[closes.len().saturating_sub(YEAR)..];
    let mut buffer = [0.0; YEAR];
    let Some(returns) = simple_returns(year, &mut buffer) else { return 0 };
    let daily = risk_free_per_day(RISK_FREE).unwrap_or(0.0);
    let low = |ratio: Option<f64>| ratio.is_some_and(|ratio| ratio < RATIO_MIN);
    let restless = volatility(returns).is_some_and(|volatility| volatility > VOLATILITY_MAX);
    let signs = [low(sharpe(returns, daily)), low(sortino(returns, daily)), restless];
    signs.into_iter().filter(|sign| *sign).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(value: Option<f64>, expected: f64) -> bool {
        value.is_some_and(|value| (value - expected).abs() < 1e-9)
    }

    fn grown_to(last: f64) -> Vec<f64> {
        let mut closes = vec![100.0; YEAR + 1];
        closes[YEAR] = last;
        closes
    }

    #[test]
    fn the_worked_example() {
        assert!(near(part(&grown_to(113.0)).value, 0.875));
        // One width below the target: 0.15 + 0.65·e^(−1/2).
        assert!(near(part(&grown_to(105.0)).value, 0.15 + 0.65 * (-0.5_f64).exp()));
    }

    #[test]
    fn reaching_the_target_never_scores_below_falling_short() {
        let at = |growth: f64| curve(growth, 0);
        assert!(near(at(TARGET), AT_TARGET));
        assert!(at(TARGET - 1e-9) < at(TARGET) && at(TARGET) < at(TARGET + 1e-9));
        assert!(near(at(0.20), 1.0) && near(at(3.0), 1.0));
    }

    /// A year that loses two in a thousand each day.
    fn wear() -> impl Iterator<Item = f64> {
        std::iter::successors(Some(1.0), |worth| Some(worth * 0.998))
    }

    #[test]
    fn no_growth_and_loss_score_the_floor() {
        assert!(near(part(&grown_to(100.0)).value, FLOOR) && near(part(&grown_to(50.0)).value, FLOOR));
    }

    #[test]
    fn fast_growth_with_two_bad_signs_is_a_bubble() {
        assert!(near(curve(0.17, 2), BUBBLE));
        assert!(curve(0.17, 1) > Some(BUBBLE), "one sign is not enough");
        assert!(curve(0.16, 3) > Some(BUBBLE), "not fast enough");
    }

    #[test]
    fn a_wild_year_without_gain_shows_all_signs_and_a_calm_rise_none() {
        let wild: Vec<f64> = (0..YEAR)
            .map(|bar| if bar % 2 == 0 { 100.0 } else { 105.0 })
            .zip(wear())
            .map(|(a, b)| a * b)
            .collect();
        assert_eq!(bubble_signs(&wild), 3);
        let mut price = 100.0;
        let calm: Vec<f64> = (0..YEAR)
            .map(|bar| {
                price *= if bar % 2 == 0 { 1.002 } else { 0.999 };
                price
            })
            .collect();
        assert_eq!(bubble_signs(&calm), 0);
        assert_eq!(bubble_signs(&[]), 0);
    }

    #[test]
    fn too_little_and_broken_history_says_nothing() {
        assert_eq!(part(&[]).value, None);
        assert_eq!(part(&[100.0]).value, None);
        assert_eq!(part(&[100.0; YEAR]).value, None);
        assert_eq!(part(&grown_to(-1.0)).value, None);
        assert_eq!(part(&grown_to(f64::NAN)).value, None);
    }
}
