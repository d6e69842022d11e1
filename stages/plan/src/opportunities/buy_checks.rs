//! What every purchase must pass, whoever proposes it; the gate judges again by its own data.

use limits::Side;
use money::{Currency, Money, Rounding, Weight};

use super::No;
use crate::snapshot::{Snapshot, Usable};

/// Largest share that an owner's own limit can allow.
const OWN_LIMIT_MAX_E6: i64 = 300_000;

/// Whether a security may be bought at all.
pub(super) fn may_buy(usable: &Usable<'_>, snapshot: &Snapshot<'_>) -> Result<(), No> {
    let security = usable.security;
    if !limits::side_not_allowed::check(Side::Buy, security.allow_buy, false).passed {
        return Err(("side_not_allowed", "The owner does not allow to buy it.".into()));
    }
    if security.ccy != Currency::EUR {
        return Err(("needs_fx", format!("{} would have to be bought first.", security.ccy)));
    }
    let rules = snapshot.rules;
    if usable.days_since_buy.is_some_and(|days| days < rules.buy_cooldown_days) {
        return Err(("buy_cooldown", format!("It was bought within {} days.", rules.buy_cooldown_days)));
    }
    if usable.days_since_sell.is_some_and(|days| days < rules.rebuy_pause_days) {
        return Err(("recently_sold", format!("It was sold within {} days.", rules.rebuy_pause_days)));
    }
    Ok(())
}

/// How much more of a security the fund may hold.
pub(super) fn room(usable: &Usable<'_>, snapshot: &Snapshot<'_>) -> Result<Money, No> {
    let own = usable.security.max_weight_e6.map(|own| own.e6().min(OWN_LIMIT_MAX_E6));
    let cap = own.and_then(|own| Weight::from_e6(own).ok()).unwrap_or(snapshot.rules.max_position);
    let most = snapshot.total.share(cap, Rounding::Down).and_then(|most| most.checked_sub(usable.value));
    most.map_err(overflow)
}

/// The largest value that the cash pays for, costs included.
pub(super) fn affordable(snapshot: &Snapshot<'_>) -> Result<Money, No> {
    let costs = &snapshot.rules.costs;
    let after_fixed = snapshot.cash.checked_sub(costs.fixed_eur).map_err(overflow)?;
    let whole = Weight::SCALE.saturating_add(costs.percent.e6());
    after_fixed.scale(Weight::SCALE, whole, Rounding::Down).map_err(overflow)
}

pub(super) fn concentration(cap: &Usable<'_>) -> No {
    ("concentration", format!("{} would be too large a part of the fund.", cap.security.ticker))
}

pub(super) fn overflow(error: impl std::fmt::Display) -> No {
    ("overflow", format!("Its size cannot be computed: {error}."))
}
