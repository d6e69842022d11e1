//! Buys a little more of a good holding that fell, once the fall is over.
//!
//! Rule: −20 % ≤ price / average cost − 1 ≤ −5 %, quality ≥ 0.6, the price has turned and does not fall freely → at most
//! 10 % of the pieces held and at most 500 EUR, in whole lots; never one lot anyway. Priority: min(1, (quality + |change|) /
//! 1.2). Unknown turn or fall: never.
//!
//! Worked example: 90 held, average 50, price 44, quality 0.7: change −12 %, buys 9 for 396 EUR, priority 0.68.

use contracts::Side;
use limits::Fine;
use money::{Currency, Money};

use super::{
    No, Proposal, Report,
    buying::{may_buy, possible},
    each, overflow, percent,
    proposal::{Wish, proposal, terms},
};
use crate::{
    lists::Category,
    snapshot::{Snapshot, Usable},
};

/// Its name.
pub const NAME: &str = "averaging_down";
/// Largest purchase in EUR.
const MOST_EUR: i64 = 500;
/// A purchase is one of so many parts of the pieces held at most.
const PARTS: i128 = 10;

/// Proposes a purchase for every good holding in a dip that is over.
pub fn propose(snapshot: &Snapshot<'_>, weight: f64) -> Report {
    each(snapshot, |usable| buy(usable, weight, snapshot))
}

/// Whether a change against the average cost is a dip to buy into, bounds included.
#[must_use]
pub fn is_dip(change: f64, deepest: f64, smallest: f64) -> bool {
    (deepest..=smallest).contains(&change)
}

/// Priority before the finder's weight.
#[must_use]
pub fn priority(quality: f64, change: f64) -> f64 {
    ((quality + change.abs()) / 1.2).min(1.0)
}

fn buy(usable: &Usable<'_>, weight: f64, snapshot: &Snapshot<'_>) -> Result<Proposal, No> {
    let parameters = snapshot.parameters;
    let Some(position) = usable.position else {
        return Err(("not_held", "The core does not hold it.".into()));
    };
    let Some(paid) = position.avg_price_e6.filter(|paid| !paid.is_zero()) else {
        return Err(("cost_basis_unknown", "What was paid for it is not known.".into()));
    };
    let change = usable.quote.price_e6.to_f64() / paid.to_f64() - 1.0;
    if !is_dip(change, parameters.max_dip, parameters.min_dip) {
        return Err(("no_dip", format!("Its price is {} from its cost.", percent(change))));
    }
    let Some(quality) = usable.merit.quality else {
        return Err(("quality_unknown", "How good it is is not known.".into()));
    };
    if quality < parameters.averaging_quality {
        return Err(("quality_low", format!("Its quality is below {}.", parameters.averaging_quality)));
    }
    if usable.merit.turned != Some(true) || usable.merit.falling != Some(false) {
        return Err(("still_falling", "Its price has not turned upwards.".into()));
    }
    may_buy(usable, snapshot)?;
    let terms = terms(usable, Side::Buy)?;
    let most = Money::from_units(MOST_EUR, Currency::EUR).map_err(overflow)?;
    let tenth = terms.sell_part(position.qty_e6, Fine::from_e12(Fine::SCALE / PARTS)).map_err(overflow)?;
    let by_money = terms.buy_within(most.into()).map_err(overflow)?;
    let size = if by_money.quantity < tenth.quantity { by_money } else { tenth };
    if size.quantity.is_zero() {
        return Err(("lot_too_dear", format!("One lot is more than {most} or a tenth of what is held.")));
    }
    let wish = Wish {
        side: Side::Buy,
        size: possible(size, usable, snapshot)?,
        limit: terms.price,
        finder: NAME,
        category: Category::AveragingDown,
        tags: &["averaging_down", "buy_low"],
        priority: priority(quality, change) * weight,
        reason: format!("It is good and {} below its cost.", percent(-change)),
    };
    proposal(usable, wish, snapshot)
}
