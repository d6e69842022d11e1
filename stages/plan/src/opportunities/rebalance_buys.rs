//! Buys from a country or an industry that is too little of the fund.
//!
//! Rule: the most underweight group of a security is under its target by more than 2 % of the invested value → the base
//! size, at most what the group is under. Priority: min(1, under / 15 % + 0.1 · quality).
//!
//! Worked example: base size 400, France 6 % under in 10 000 invested: min(400, 600) = 400 EUR; quality 0.8: 0.48.

use contracts::Side;
use money::{Currency, Money, Rounding};

use super::{
    No, Proposal, Report,
    buying::{about, base_size, may_buy},
    each, overflow, percent,
    proposal::{Wish, proposal, terms},
};
use crate::{
    lists::Category,
    snapshot::{Snapshot, Usable},
};

/// Its name.
pub const NAME: &str = "rebalance_buys";
/// Underweight from which on the priority is full.
const FULL_UNDER: f64 = 0.15;

/// Proposes a purchase for every good security of a group under its target.
pub fn propose(snapshot: &Snapshot<'_>, weight: f64) -> Report {
    each(snapshot, |usable| buy(usable, weight, snapshot))
}

/// Whether a group lacks enough.
#[must_use]
pub fn is_under(under: f64, least: f64) -> bool {
    under > least
}

/// Priority before the finder's weight.
#[must_use]
pub fn priority(under: f64, quality: f64) -> f64 {
    (under / FULL_UNDER + 0.1 * quality).min(1.0)
}

fn buy(usable: &Usable<'_>, weight: f64, snapshot: &Snapshot<'_>) -> Result<Proposal, No> {
    let gap = snapshot.widest_gap(usable.security, false);
    let Some(gap) = gap.filter(|gap| is_under(-gap.over, snapshot.parameters.underweight)) else {
        return Err(("group_on_target", "Neither its country nor its industry is too little.".into()));
    };
    let Some(quality) = usable.merit.quality else {
        return Err(("quality_unknown", "How good it is is not known.".into()));
    };
    may_buy(usable, snapshot)?;
    let terms = terms(usable, Side::Buy)?;
    let lacking = gap.over_eur.to_money(Currency::EUR, Rounding::Up).map_err(overflow)?;
    let lacking = lacking.checked_neg().map_err(overflow)?;
    let target = Money::from_e4(base_size(snapshot)?.e4().min(lacking.e4()), Currency::EUR);
    let wish = Wish {
        side: Side::Buy,
        size: about(target, &terms, usable, snapshot)?,
        limit: terms.price,
        finder: NAME,
        category: Category::RebalanceBuys,
        tags: &["rebalance", "underweight"],
        priority: priority(-gap.over, quality) * weight,
        reason: format!("{} is {} under its target.", gap.name, percent(-gap.over)),
    };
    proposal(usable, wish, snapshot)
}
