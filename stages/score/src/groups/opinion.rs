//! Opinion: what at least three analysts say.
//!
//! 0.60 their word, 0.40 their mean target price against the price.
//! Worked example: buy (0.8) and 10 % upside: 0.6·0.8 + 0.4·0.75 = 0.78.

use formulas::curves::opinion;

use super::{Group, View};

/// The group.
#[must_use]
pub fn group(view: &View) -> Group {
    let b = view.business();
    Group::new(
        "opinion",
        view.rules,
        [
            ("recommendation", 0.60, view.rules.or(b.recommendation, 0.5)),
            ("price_target", 0.40, view.rules.or(b.upside.and_then(opinion::upside), 0.5)),
        ],
    )
}
