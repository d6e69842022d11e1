//! Long term: does it grow, and is the growth worth its risk.
//!
//! 0.40 growth over five years against the target, 0.35 Sortino, 0.25 Sharpe of the last year. Growth is that of the
//! price; a bubble (fast and unsound) is capped.
//! Worked example: growth 13 % against 11 %, Sortino 1, Sharpe 1: 0.4·0.875 + 0.35·0.6 + 0.25·0.7 = 0.735.

use formulas::curves::{
    growth::{self, Health},
    ratios,
};

use super::{Group, Rules, View};

/// The group.
#[must_use]
pub fn group(view: &View) -> Group {
    let m = view.measures;
    let grown = match view.rules {
        Rules::Decided => {
            let health = Health { sharpe: m.sharpe, sortino: m.sortino, volatility: m.volatility };
            m.growth.and_then(|rate| growth::score(rate, view.target, health))
        }
        Rules::Reference => growth::reference(m.growth.unwrap_or(0.0), view.target),
    };
    Group::new(
        "long_term",
        view.rules,
        [
            ("cagr", 0.40, grown),
            ("sortino", 0.35, view.rules.or(m.sortino.and_then(ratios::sortino), 0.5)),
            ("sharpe", 0.25, view.rules.or(m.sharpe.and_then(ratios::sharpe), 0.5)),
        ],
    )
}
