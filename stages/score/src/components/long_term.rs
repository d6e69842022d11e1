//! Long-term growth: the yearly growth rate over the whole known history, up to ten years.
//!
//! Rule: 0 at −5 % a year, 0.5 at 5 %, 1 at 15 %, straight between. Growth far above 15 % earns nothing more: what
//! grows at 40 % rarely goes on. Needs a year of bars. Worked example: 100 → 110 in 252 bars is 10 %, hence 0.75.

use formulas::{cagr::growth_rate, piecewise_linear::piecewise_linear};

use super::Part;

const YEAR: usize = 252;
const CURVE: [(f64, f64); 3] = [(-0.05, 0.0), (0.05, 0.5), (0.15, 1.0)];

/// The part.
#[must_use]
pub fn part(closes: &[f64]) -> Part {
    let growth = growth(closes);
    Part::new(growth.and_then(|growth| piecewise_linear(&CURVE, growth)), &[("cagr", growth)])
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_percent_a_year_is_three_quarters() {
        let mut closes = vec![100.0; YEAR + 1];
        closes[YEAR] = 110.0;
        assert!(part(&closes).value.is_some_and(|value| (value - 0.75).abs() < 1e-9));
    }

    #[test]
    fn less_than_a_year_says_nothing() {
        assert_eq!(part(&vec![100.0; YEAR]).value, None);
    }
}
