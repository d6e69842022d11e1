//! Closes the distance between a holding and its target.
//!
//! Without targets it proposes nothing. Rule: |target − share| > `min_gap` → buy or sell the difference. A purchase is at most what the limits leave and what
//! cash and the best sales could pay for. A sale is in whole lots; a target of zero sells all that one order may. Priority: min(1, |gap| / 5 %).
//!
//! Worked example: fund 20 000, target 8 %, share 5 %, limit 30 EUR, lot 1: gap 600 EUR → buys 20, priority 0.6.

use contracts::Side;
use limits::Fine;
use money::{Currency, Money, Quantity, Rounding};

use super::{
    No, Proposal, Report,
    buying::{affordable, concentration, may_buy, no_cash, room},
    each, overflow, percent,
    proposal::{Wish, proposal, terms},
    selling::{cut, may_sell},
};
use crate::{
    groups::ratio,
    lists::Category,
    sizing::{Size, Terms},
    snapshot::{Snapshot, Usable},
};

/// Its name.
pub const NAME: &str = "weight_gap";
/// Gap from which on the priority is full.
const FULL_GAP: f64 = 0.05;

/// Proposes a purchase or a sale for every security off its target.
pub fn propose(snapshot: &Snapshot<'_>, weight: f64) -> Report {
    each(snapshot, |usable| {
        if snapshot.targets.is_none() {
            return Err(("no_targets", "There are no targets that are young enough.".into()));
        }
        let gap = gap(usable, snapshot)?;
        let least = snapshot.total.share(snapshot.parameters.min_gap, Rounding::Down).map_err(overflow)?;
        if gap.e12().unsigned_abs() <= Fine::from(least).e12().unsigned_abs() {
            let least = percent(snapshot.parameters.min_gap.to_f64());
            return Err(("on_target", format!("It is within {least} of its target.")));
        }
        let share = ratio(gap, snapshot.total.into());
        let priority = (share.abs() / FULL_GAP).min(1.0) * weight;
        if gap.is_positive() {
            buy(usable, gap, share, priority, snapshot)
        } else {
            sell(usable, Fine::from_e12(gap.e12().saturating_abs()), -share, priority, snapshot)
        }
    })
}

/// Target less holding, in EUR.
fn gap(usable: &Usable<'_>, snapshot: &Snapshot<'_>) -> Result<Fine, No> {
    let wanted = Fine::from(snapshot.total).times(usable.target.into(), Rounding::HalfEven);
    wanted.and_then(|wanted| wanted.checked_sub(usable.value.into())).map_err(overflow)
}

/// Pieces that close a gap upwards.
///
/// # Errors
/// [`money::MoneyError`].
pub fn bought(gap: Fine, terms: &Terms) -> money::Result<Size> {
    terms.buy_within(gap)
}

/// Pieces that close a gap downwards; a target of zero sells everything that whole lots allow.
///
/// # Errors
/// [`money::MoneyError`].
pub fn sold(gap: Fine, target_is_zero: bool, held: Quantity, terms: &Terms) -> money::Result<Size> {
    if target_is_zero { terms.sell(held, held) } else { terms.sell_worth(gap, held) }
}

/// Which kind of trade closes a gap: more of what cost more than it does now is averaging down.
#[must_use]
pub fn category(buys: bool, is_below_cost: bool) -> Category {
    match (buys, is_below_cost) {
        (false, _) => Category::RebalanceSells,
        (true, true) => Category::AveragingDown,
        (true, false) => Category::RebalanceBuys,
    }
}

fn buy(
    usable: &Usable<'_>,
    gap: Fine,
    share: f64,
    priority: f64,
    snapshot: &Snapshot<'_>,
) -> Result<Proposal, No> {
    may_buy(usable, snapshot)?;
    let terms = terms(usable, Side::Buy)?;
    let (room, cash) = (room(usable, snapshot)?, affordable(usable, snapshot)?);
    let min_trade = snapshot.rules.min_trade;
    if room.e4() < min_trade.e4() {
        return Err(concentration(usable));
    }
    if cash.e4() < min_trade.e4() {
        return Err(no_cash(usable, snapshot));
    }
    let most = Money::from_e4(cash.e4().min(room.e4()), Currency::EUR);
    let size = bought(gap.min(most.into()), &terms).map_err(overflow)?;
    let paid = usable.position.and_then(|position| position.avg_price_e6);
    let wish = Wish {
        side: Side::Buy,
        size,
        limit: terms.price,
        finder: NAME,
        category: category(true, paid.is_some_and(|paid| paid > usable.quote.price_e6)),
        tags: &["rebalance", "optimizer_target"],
        priority,
        reason: reason(usable, share, "under", snapshot),
    };
    proposal(usable, wish, snapshot)
}

fn reason(usable: &Usable<'_>, gap: f64, over: &str, snapshot: &Snapshot<'_>) -> String {
    let (now, target) = (ratio(usable.value.into(), snapshot.total.into()), usable.target.to_f64());
    format!("{} of the fund, {} {over} its target of {}.", percent(now), percent(gap), percent(target))
}

fn sell(
    usable: &Usable<'_>,
    gap: Fine,
    share: f64,
    priority: f64,
    snapshot: &Snapshot<'_>,
) -> Result<Proposal, No> {
    let terms = terms(usable, Side::Sell)?;
    let held = may_sell(usable, terms.price, snapshot)?.qty_e6;
    let size = sold(gap, usable.target.e6() == 0, held, &terms).map_err(overflow)?;
    let wish = Wish {
        side: Side::Sell,
        size: cut(size, usable, held, &terms, snapshot)?,
        limit: terms.price,
        finder: NAME,
        category: category(false, false),
        tags: &["rebalance", "optimizer_target"],
        priority,
        reason: reason(usable, share, "over", snapshot),
    };
    proposal(usable, wish, snapshot)
}
