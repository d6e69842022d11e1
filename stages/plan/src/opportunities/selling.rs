//! What every sale must pass, and the most that may be sold at once.
//!
//! The checks are the gate's own, in its order: the owner's flag, price paid known, loss, holding time, pause after a sale.
//! The size is then cut to the largest part of a holding that one order may sell, in whole lots, rounded down; a holding
//! that the owner wants gone, or that is worth less than two of the smallest trades, may go whole.

use contracts::Position;
use limits::{SellCode, SellQuestion, SellTerms};
use money::{Currency, Money, Price, Quantity, Weight, multiply_divide};

use super::{No, overflow};
use crate::{
    limits::SMALL_HOLDING_EUR,
    sizing::{Size, Terms},
    snapshot::{Snapshot, Usable},
};

/// The core's holding, if it may be sold at this limit.
pub(super) fn may_sell<'a>(
    usable: &Usable<'a>,
    limit: Price,
    snapshot: &Snapshot<'_>,
) -> Result<&'a Position, No> {
    let Some(position) = usable.position else {
        return Err(("other_bucket", "The core does not hold it.".into()));
    };
    if !snapshot.parameters.allow_sell {
        return Err(("side_not_allowed", "The planner configuration allows no sales.".into()));
    }
    let question = SellQuestion {
        allow_sell: usable.security.allow_sell,
        price: limit,
        avg_price: position.avg_price_e6,
        days_since_last_transaction: usable.days_since_transaction,
        days_since_last_sell: usable.days_since_sell,
    };
    let terms = SellTerms { min_hold_days: snapshot.min_hold_days, ..snapshot.rules.sell };
    match limits::sell_eligibility(&question, &terms).code {
        None => Ok(position),
        Some(code) => Err(forbidden(code)),
    }
}

/// A size cut to what one order may sell.
pub(super) fn cut(
    size: Size,
    usable: &Usable<'_>,
    held: Quantity,
    terms: &Terms,
    snapshot: &Snapshot<'_>,
) -> Result<Size, No> {
    let most = if may_go_whole(usable) { Weight::ONE } else { snapshot.rules.max_sell };
    let part = multiply_divide(held.e6().into(), most.e6().into(), 1_000_000, money::Rounding::Down);
    let part = part.ok().and_then(|e6| i64::try_from(e6).ok()).unwrap_or(0);
    let allowed = Quantity::from_e6(part).map_err(overflow)?;
    let size = terms.sell(size.quantity.min(allowed), held).map_err(overflow)?;
    if !size.quantity.is_positive() {
        return Err(("max_sell", "Not even one lot of it may be sold at once.".into()));
    }
    let within = limits::max_sell::check(size.quantity, held, most).passed
        && limits::exceeds_position::check(size.quantity, held).passed;
    if within { Ok(size) } else { Err(("max_sell", "Too large a part of it would be sold at once.".into())) }
}

/// Whether all of a holding may be sold at once: the owner wants it gone, or half of it is hardly worth a trade. The gate
/// makes the same exceptions.
fn may_go_whole(usable: &Usable<'_>) -> bool {
    let security = usable.security;
    let unwanted =
        security.marked_for_exit || (!security.allow_buy && security.max_weight_e6 == Some(Weight::ZERO));
    let small = Money::from_units(SMALL_HOLDING_EUR, Currency::EUR);
    unwanted || small.is_ok_and(|small| usable.value.e4() < small.e4())
}

fn forbidden(code: SellCode) -> No {
    let (code, text) = match code {
        SellCode::SideNotAllowed => ("side_not_allowed", "The owner does not allow to sell it."),
        SellCode::CostBasisUnknown => ("cost_basis_unknown", "What was paid for it is not known."),
        SellCode::MaxLoss => ("max_loss", "The sale would realise too large a loss."),
        SellCode::MinHold => ("min_hold", "It was traded too recently to be sold."),
        SellCode::SellCooldown => ("sell_cooldown", "It was sold too recently to be sold again."),
    };
    (code, text.to_string())
}
