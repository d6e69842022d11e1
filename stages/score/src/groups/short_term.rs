//! Short term: recent momentum, and how deep the price fell within a year.
//!
//! 0.50 momentum (0.6 of 30 and 0.4 of 90 bars), 0.50 deepest fall.
//! Worked example: momentum −20 % and a fall of 40 %: 0.5·0.35 + 0.5·0.4 = 0.375.

use formulas::curves::{fall, momentum};

use super::{Group, Rules, View};

/// The group.
#[must_use]
pub fn group(view: &View) -> Group {
    let m = view.measures;
    let curve = match view.rules {
        Rules::Decided => momentum::score,
        Rules::Reference => momentum::reference,
    };
    Group::new(
        "short_term",
        view.rules,
        [
            ("momentum", 0.50, view.rules.or(m.momentum.and_then(curve), 0.5)),
            ("drawdown", 0.50, view.rules.or(m.drawdown.and_then(fall::score), 0.5)),
        ],
    )
}
