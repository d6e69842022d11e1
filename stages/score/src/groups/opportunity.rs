//! Opportunity: is it cheap now.
//!
//! 0.50 distance below the 52-week high, 0.50 price to earnings against the market; funds have no earnings. The quality
//! gate's factor takes up to three tenths, because what is cheap because it is bad is no opportunity.
//! Worked example: 15 % below the high and 10 % cheaper than the market: 0.5·0.65 + 0.5·0.7 = 0.675.

use formulas::curves::{below_high, earnings};

use super::{Group, Rules, View};

/// Closes below which the old arithmetic is neutral.
const REFERENCE_CLOSES_MIN: usize = 50;

/// The group before the quality gate; `with_earnings` is false for funds.
#[must_use]
pub fn group(view: &View, with_earnings: bool) -> Group {
    let (m, b) = (view.measures, view.business());
    let short = view.rules == Rules::Reference && m.closes < REFERENCE_CLOSES_MIN;
    let below =
        m.price.zip(m.high).and_then(|(price, high)| below_high::score(price, high)).filter(|_| !short);
    let pe = match view.rules {
        Rules::Decided => b.pe.and_then(|pe| earnings::score(pe, b.forward_pe, view.market_pe)),
        Rules::Reference if short => Some(0.5),
        Rules::Reference => {
            b.pe.filter(|pe| *pe > 0.0)
                .map_or(Some(0.3), |pe| earnings::score(pe, b.forward_pe, view.market_pe))
        }
    };
    let below = view.rules.or(below, 0.5);
    if with_earnings {
        Group::new("opportunity", view.rules, [("below_52w_high", 0.50, below), ("pe_ratio", 0.50, pe)])
    } else {
        Group::new("opportunity", view.rules, [("below_52w_high", 1.0, below)])
    }
}
