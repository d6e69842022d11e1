//! Spends dividends on the security that paid them.
//!
//! Rule: dividends of a security that no purchase has used yet reach the smallest trade, and its yield is at least 3 % →
//! that money, in whole lots, costs included; never one lot anyway. All other dividends are cash like any other.
//! Priority: 0.5 · (1 + quality) · 0.8.
//!
//! Worked example: 320 EUR of dividends, limit 30 EUR: (320 − 2) / 1.002 = 317.36 EUR → buys 10 for 300 EUR.

use contracts::Side;
use money::Money;

use super::{
    No, Proposal, Report,
    buying::{may_buy, possible},
    each, overflow, percent,
    proposal::{Wish, before_costs, proposal, terms},
};
use crate::{
    lists::Category,
    snapshot::{Snapshot, Usable},
};

/// Its name.
pub const NAME: &str = "dividend_reinvestment";

/// Proposes a purchase for every security with enough unused dividends.
pub fn propose(snapshot: &Snapshot<'_>, weight: f64) -> Report {
    each(snapshot, |usable| buy(usable, weight, snapshot))
}

/// What becomes of the dividends of one security.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Too little to trade; stays cash.
    Waits,
    /// Cash for any purchase.
    Pooled,
    /// For the security itself.
    Same,
}

/// Decides by amount and yield; both bounds included.
#[must_use]
pub fn use_of(dividends: Money, dividend_yield: Option<f64>, min_trade: Money, least_yield: f64) -> Use {
    if dividends.e4() < min_trade.e4() {
        Use::Waits
    } else if dividend_yield.is_some_and(|paid| paid >= least_yield) {
        Use::Same
    } else {
        Use::Pooled
    }
}

/// Priority before the finder's weight.
#[must_use]
pub fn priority(quality: f64) -> f64 {
    0.5 * (1.0 + quality) * 0.8
}

fn buy(usable: &Usable<'_>, weight: f64, snapshot: &Snapshot<'_>) -> Result<Proposal, No> {
    let (merit, rules) = (usable.merit, snapshot.rules);
    let least = snapshot.parameters.dividend_yield;
    match use_of(usable.dividends, merit.dividend_yield, rules.min_trade, least) {
        Use::Waits => return Err(("no_dividends", "No dividends of it wait to be used.".into())),
        Use::Pooled => {
            return Err(("yield_low", format!("Its yield is unknown or below {}.", percent(least))));
        }
        Use::Same => {}
    }
    let Some(quality) = merit.quality else {
        return Err(("quality_unknown", "How good it is is not known.".into()));
    };
    may_buy(usable, snapshot)?;
    let terms = terms(usable, Side::Buy)?;
    let money = before_costs(usable.dividends, &rules.costs).map_err(overflow)?;
    let size = terms.buy_within(money.into()).map_err(overflow)?;
    let wish = Wish {
        side: Side::Buy,
        size: possible(size, usable, snapshot)?,
        limit: terms.price,
        finder: NAME,
        category: Category::RebalanceBuys,
        tags: &["dividend_reinvestment"],
        priority: priority(quality) * weight,
        reason: format!("It paid {} in dividends that no purchase has used yet.", usable.dividends),
    };
    proposal(usable, wish, snapshot)
}
