//! Sells from a country or an industry that is too much of the fund.
//!
//! Rule: the most overweight group of a holding is over its target by more than 2 % of the invested value → min(30 % of
//! the holding, what the group is over). Priority: min(1, over / 15 %); among equals what the sell score likes least to keep.
//!
//! Worked example: invested 10 000, France 8 % over, holding of 2 000: min(600, 800) = 600 EUR, priority 0.53.

use contracts::Side;
use limits::Fine;
use money::{Quantity, Rounding};

use super::{
    No, Proposal, Report, each, overflow, percent,
    proposal::{Wish, proposal, terms},
    selling::{cut, may_sell},
};
use crate::{
    lists::Category,
    sizing::{Size, Terms},
    snapshot::{Snapshot, Usable},
};

/// Its name.
pub const NAME: &str = "rebalance_sells";
/// Overweight from which on the priority is full.
const FULL_OVER: f64 = 0.15;

/// Proposes a sale for every holding of a group over its target.
pub fn propose(snapshot: &Snapshot<'_>, weight: f64) -> Report {
    each(snapshot, |usable| sell(usable, weight, snapshot))
}

/// Pieces that are sold: a part of the holding, at most what the group is over.
///
/// # Errors
/// [`money::MoneyError`].
pub fn sold(value: Fine, part: Fine, over: Fine, held: Quantity, terms: &Terms) -> money::Result<Size> {
    terms.sell_worth(value.times(part, Rounding::Down)?.min(over), held)
}

/// Whether a group is over enough.
#[must_use]
pub fn is_over(over: f64, least: f64) -> bool {
    over > least
}

/// Priority before the finder's weight.
#[must_use]
pub fn priority(over: f64) -> f64 {
    (over / FULL_OVER).min(1.0)
}

fn sell(usable: &Usable<'_>, weight: f64, snapshot: &Snapshot<'_>) -> Result<Proposal, No> {
    let Some(position) = usable.position else {
        return Err(("not_held", "The core does not hold it.".into()));
    };
    let gap = snapshot.widest_gap(usable.security, true);
    let Some(gap) = gap.filter(|gap| is_over(gap.over, snapshot.parameters.overweight)) else {
        return Err(("group_on_target", "Neither its country nor its industry is too much.".into()));
    };
    let terms = terms(usable, Side::Sell)?;
    let held = may_sell(usable, terms.price, snapshot)?.qty_e6;
    let value = position.value_eur.ok_or(("no_value", "What it is worth is not known.".to_string()))?;
    let part = Fine::from(snapshot.parameters.overweight_part);
    let size = sold(value.into(), part, gap.over_eur, held, &terms).map_err(overflow)?;
    let wish = Wish {
        side: Side::Sell,
        size: cut(size, usable, held, &terms, snapshot)?,
        limit: terms.price,
        finder: NAME,
        category: Category::RebalanceSells,
        tags: &["rebalance", "overweight"],
        priority: priority(gap.over) * weight,
        reason: format!("{} is {} over its target.", gap.name, percent(gap.over)),
    };
    proposal(usable, wish, snapshot)
}
