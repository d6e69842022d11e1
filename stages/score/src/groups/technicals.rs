//! Technicals: is the moment good. Published as timing; they decide on the order of execution, never on merit.
//!
//! 0.35 relative strength, 0.35 place in the Bollinger corridor, 0.30 distance from the 200-day average; the quality
//! gate's factor takes up to three tenths.
//! Worked example: strength 40, a quarter up the corridor, 5 % above: 0.35·0.75 + 0.35·0.75 + 0.3·0.35 = 0.63.

use formulas::curves::timing;

use super::{Group, Rules, View};

/// Closes below which the old arithmetic is neutral.
const REFERENCE_CLOSES_MIN: usize = 20;

/// The group before the quality gate.
#[must_use]
pub fn group(view: &View) -> Group {
    let m = view.measures;
    let short = view.rules == Rules::Reference && m.closes < REFERENCE_CLOSES_MIN;
    let part = |value: Option<f64>| view.rules.or(value.filter(|_| !short), 0.5);
    let above = m.price.zip(m.average).and_then(|(price, average)| timing::average(price, average));
    Group::new(
        "technicals",
        view.rules,
        [
            ("rsi", 0.35, part(m.rsi.and_then(timing::rsi))),
            ("bollinger", 0.35, part(m.band.and_then(timing::bollinger))),
            ("ema", 0.30, part(above)),
        ],
    )
}
