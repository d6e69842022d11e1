//! Stability: even growth, calm prices, shallow falls. Computed for every security, because the gates rest on it.
//!
//! 0.40 closeness of five-year and ten-year growth, 0.30 volatility, 0.30 recovery (Ulcer index) over the last year.
//! Worked example: growth 25 % and 5 %, volatility 22.5 %, Ulcer index 10 %: 0.4·0.3 + 0.3·0.675 + 0.3·0.6 = 0.5025.

use formulas::{consistency::stability_consistency, curves::calmness};

use super::{Group, View};

/// The group.
#[must_use]
pub fn group(view: &View) -> Group {
    let m = view.measures;
    Group::new(
        "stability",
        view.rules,
        [
            ("consistency", 0.40, m.growth.and_then(|five| stability_consistency(five, m.long_growth))),
            ("volatility", 0.30, m.volatility.and_then(calmness::volatility)),
            ("recovery", 0.30, m.ulcer.and_then(calmness::recovery)),
        ],
    )
}
