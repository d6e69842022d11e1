//! What every purchase must pass before its size is a question, and how large it may be.
//!
//! Order: the owner's flag, a score that is high and young enough, a return that the targets expect, traps, price near its
//! high of 52 weeks, pauses after a purchase and after a sale. Room: the limit of one security, and of its country and its
//! industries, whichever is tightest. Means: the cash of its currency, what EUR can be exchanged for it, and what the best
//! sales bring in before it; whether a sale is worth it is the evaluator's question.

use limits::{Fine, side_not_allowed};
use money::{Currency, Money, Rounding, Weight};

use super::{No, overflow, proposal::before_costs};
use crate::{
    groups,
    limits::OWN_LIMIT_MAX_E6,
    score_age,
    sizing::{Size, Terms},
    snapshot::{Snapshot, Usable},
};

/// Product types without a limit against their own high.
const FUNDS: &[&str] = &["etf", "etc", "mutualfund", "fund"];

/// Whether a security may be bought at all now.
pub(super) fn may_buy(usable: &Usable<'_>, snapshot: &Snapshot<'_>) -> Result<(), No> {
    let (security, rules, merit) = (usable.security, snapshot.rules, usable.merit);
    if !snapshot.parameters.allow_buy {
        return Err(("side_not_allowed", "The planner configuration allows no purchases.".into()));
    }
    if !side_not_allowed::check(limits::Side::Buy, security.allow_buy, false).passed {
        return Err(("side_not_allowed", "The owner does not allow to buy it.".into()));
    }
    if usable.score.get() < rules.min_score {
        return Err(("score_low", format!("Its score is below {}.", rules.min_score)));
    }
    if let Some(why) = score_age::too_old(merit.bars_until, snapshot.now.day_utc()) {
        return Err(("score_stale", why));
    }
    if snapshot.expected_return(security.isin).is_none() {
        return Err(("no_expected_return", "The targets expect no return of it.".into()));
    }
    if merit.trap {
        return Err(("quality_gate", "Its score warns of a trap.".into()));
    }
    if snapshot.parameters.correlation_max.is_some_and(|most| snapshot.likeness(security.isin) > most) {
        return Err(("alike", "It moves too much like what is held already.".into()));
    }
    let is_fund = FUNDS.contains(&security.product_type.to_ascii_lowercase().as_str());
    let near_high = |high: f64| usable.quote.price_e6.to_f64() > rules.max_price_vs_high * high;
    if !is_fund && merit.high_52w.is_some_and(near_high) {
        return Err(("price_near_high", "Its price is too near its high of 52 weeks.".into()));
    }
    if usable.days_since_buy.is_some_and(|days| days < rules.buy_cooldown_days) {
        return Err(("buy_cooldown", format!("It was bought within {} days.", rules.buy_cooldown_days)));
    }
    if usable.days_since_sell.is_some_and(|days| days < rules.rebuy_pause_days) {
        return Err(("recently_sold", format!("It was sold within {} days.", rules.rebuy_pause_days)));
    }
    Ok(())
}

/// How much more of a security the fund may hold: of itself, of its country and of its industries.
pub(super) fn room(usable: &Usable<'_>, snapshot: &Snapshot<'_>) -> Result<Money, No> {
    let own = usable.security.max_weight_e6.map(|own| own.e6().min(OWN_LIMIT_MAX_E6));
    let cap = own.and_then(|own| Weight::from_e6(own).ok()).unwrap_or(snapshot.rules.max_position);
    let of_itself = snapshot.total.share(cap, Rounding::Down).and_then(|most| most.checked_sub(usable.value));
    let mut room = of_itself.map_err(overflow)?;
    let (country, industry) = (usable.security.country.as_deref(), usable.security.industry.as_deref());
    for (kind, name, parts) in groups::names(country, industry) {
        if name == groups::OTHER {
            continue; // Unknown is no group that could be too large.
        }
        let limit = match kind {
            groups::Kind::Country => snapshot.rules.max_country,
            groups::Kind::Industry => snapshot.rules.max_industry,
        };
        let most = snapshot.total.share(limit, Rounding::Down).map_err(overflow)?;
        let held =
            snapshot.groups.value(kind, name).to_money(Currency::EUR, Rounding::Up).map_err(overflow)?;
        let parts = i64::try_from(parts).map_err(overflow)?;
        let left = most.checked_sub(held).and_then(|left| left.checked_mul(parts)).map_err(overflow)?;
        if left.e4() < room.e4() {
            room = left;
        }
    }
    Ok(room)
}

/// The largest value that cash and the best sales pay for, costs included.
pub(super) fn affordable(usable: &Usable<'_>, snapshot: &Snapshot<'_>) -> Result<Money, No> {
    before_costs(snapshot.means(usable.security.ccy), &snapshot.rules.costs).map_err(overflow)
}

/// The base size T of a purchase: 1 % of the fund, at least the smallest trade, at most the owner's base amount.
pub(super) fn base_size(snapshot: &Snapshot<'_>) -> Result<Money, No> {
    let (least, most) = (snapshot.rules.min_trade, snapshot.rules.base_trade);
    let hundredth = snapshot.total.scale(1, 100, Rounding::Down).map_err(overflow)?;
    Ok(Money::from_e4(hundredth.e4().clamp(least.e4(), most.e4().max(least.e4())), hundredth.currency()))
}

/// A purchase of about an amount: one lot may cost up to half as much again.
pub(super) fn about(
    target: Money,
    terms: &Terms,
    usable: &Usable<'_>,
    snapshot: &Snapshot<'_>,
) -> Result<Size, No> {
    let size = terms.buy_about(target).map_err(overflow)?;
    let most = target.scale(3, 2, Rounding::Down).map_err(overflow)?;
    if size.value_eur > Fine::from(most) {
        return Err(("lot_too_dear", format!("One lot costs more than {most}.")));
    }
    possible(size, usable, snapshot)
}

/// A size, if limits and means leave it.
pub(super) fn possible(size: Size, usable: &Usable<'_>, snapshot: &Snapshot<'_>) -> Result<Size, No> {
    if size.value_eur > Fine::from(room(usable, snapshot)?) {
        return Err(concentration(usable));
    }
    if size.value_eur > Fine::from(affordable(usable, snapshot)?) {
        return Err(no_cash(usable, snapshot));
    }
    Ok(size)
}

pub(super) fn concentration(usable: &Usable<'_>) -> No {
    let ticker = &usable.security.ticker;
    ("concentration", format!("{ticker}, its country or its industry would be too large a part of the fund."))
}

/// The cash does not suffice: of its own currency, or of any.
pub(super) fn no_cash(usable: &Usable<'_>, snapshot: &Snapshot<'_>) -> No {
    let ccy = usable.security.ccy;
    let other = ccy != Currency::EUR && snapshot.cash.e4() >= snapshot.rules.min_trade.e4();
    if other {
        return ("needs_fx", format!("{ccy} would have to be bought first."));
    }
    ("insufficient_cash", "The cash that may be used does not suffice.".into())
}
