//! Fundamentals: is the business sound, and does it grow evenly.
//!
//! 0.60 financial strength (margin, debt, liquidity), 0.40 closeness of five-year and ten-year growth.
//! Worked example: margin 10 %, debt 0.5, liquidity 1.5: 0.75; growth 10 % and 6.5 %: 0.9; together 0.81.

use formulas::{
    consistency::{consistency, steps},
    curves::solidity,
};

use super::{Group, Rules, View};

/// The group.
#[must_use]
pub fn group(view: &View) -> Group {
    let (m, b) = (view.measures, view.business());
    let (strength, even) = match view.rules {
        Rules::Decided => (
            solidity::score(b.margin, b.debt, b.liquidity),
            m.growth.zip(m.long_growth).and_then(|(five, ten)| consistency(five, ten)),
        ),
        Rules::Reference => (
            view.business.map_or(Some(0.5), |b| solidity::reference(b.margin, b.debt, b.liquidity)),
            m.long_growth.map_or(Some(0.6), |ten| steps(m.growth.unwrap_or(0.0), ten)),
        ),
    };
    Group::new(
        "fundamentals",
        view.rules,
        [("financial_strength", 0.60, strength), ("consistency", 0.40, even)],
    )
}
