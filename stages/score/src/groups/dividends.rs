//! Dividends: how much is paid, can it be afforded, does it grow.
//!
//! 0.70 yield, 0.30 consistency (half payout, half growth of the dividend, over what is known), plus a boost for total
//! return, at most 1.
//! Worked example: yield 3 %, payout 45 %, growth 5 %, price growth 8.5 %: 0.7·0.7 + 0.3·0.875 + 0.1 = 0.8525.

use formulas::curves::dividend;

use super::{Group, Rules, View};

/// The group, the boost included.
#[must_use]
pub fn group(view: &View) -> Group {
    let b = view.business();
    let paid = b.dividend_yield.and_then(dividend::yield_score);
    let consistent = match view.rules {
        Rules::Decided => {
            mean(b.payout.and_then(dividend::payout), b.dividend_growth.and_then(dividend::growth))
        }
        Rules::Reference => {
            view.business.map_or(Some(0.5), |b| dividend::consistency_reference(b.payout, b.five_year_yield))
        }
    };
    let mut group = Group::new(
        "dividends",
        view.rules,
        [("yield", 0.70, view.rules.or(paid, 0.3)), ("consistency", 0.30, consistent)],
    );
    if view.rules == Rules::Decided
        && let (Some(value), Some(growth), Some(paid)) = (group.value, view.measures.growth, b.dividend_yield)
    {
        group.value = dividend::boost(growth, paid).map(|boost| (value + boost).min(1.0));
    }
    group
}

/// The mean of what is known.
fn mean(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(f64::midpoint(one, other)),
        (one, other) => one.or(other),
    }
}
