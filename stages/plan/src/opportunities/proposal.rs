//! One trade as a finder wants it: limit, value and cost, all from the same figures.

use std::collections::BTreeSet;

use contracts::{Candidate, Finite, Side};
use limits::{Costs, Fine};
use market::{Isin, Mic};
use money::{Currency, Money, Price, Quantity, Rate, Rounding, Weight};

use super::{No, overflow};
use crate::{
    lists::Category,
    price::{self, NoLimit},
    sizing::{Size, Terms},
    snapshot::{Snapshot, Usable},
};

/// A trade with everything that merging, caps and patterns need to know of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// Security.
    pub isin: Isin,
    /// Venue.
    pub mic: Mic,
    /// Buy or sell.
    pub side: Side,
    /// How many.
    pub quantity: Quantity,
    /// Price assumed, also the limit.
    pub limit: Price,
    /// Of the price.
    pub ccy: Currency,
    /// Rate used for the value.
    pub rate: Rate,
    /// Worth in EUR.
    pub value: Money,
    /// Estimated cost in EUR.
    pub cost: Money,
    /// Why.
    pub reason: String,
    /// Which finders found it.
    pub finder: String,
    /// What kind of trade it is.
    pub category: Category,
    /// What else explains it.
    pub tags: BTreeSet<&'static str>,
    /// Higher first.
    pub priority: f64,
    /// Among equal priorities, higher first.
    pub tie: f64,
}

/// What a finder wants to do.
pub(super) struct Wish {
    pub(super) side: Side,
    pub(super) size: Size,
    pub(super) limit: Price,
    pub(super) finder: &'static str,
    pub(super) category: Category,
    pub(super) tags: &'static [&'static str],
    /// 0 to 1, times the finder's weight.
    pub(super) priority: f64,
    pub(super) reason: String,
}

/// The limit and the terms that a trade of this security would have now.
pub(super) fn terms(usable: &Usable<'_>, side: Side) -> Result<Terms, No> {
    let limit = price::limit(side, usable.quote, usable.security.tick_e6).map_err(|no| match no {
        NoLimit::NoPrice => ("no_price", "No limit can be set on its price.".to_string()),
        NoLimit::TooFar => ("spread", "Bid and ask are too far from its last price.".to_string()),
    })?;
    Terms::new(limit, usable.rate, usable.security.lot_e6).map_err(overflow)
}

/// The proposal, unless it is too small to be worth its costs or too unimportant.
pub(super) fn proposal(usable: &Usable<'_>, wish: Wish, snapshot: &Snapshot<'_>) -> Result<Proposal, No> {
    let Wish { side, size, limit, finder, category, tags, priority, reason } = wish;
    let (security, rules) = (usable.security, snapshot.rules);
    // What must be paid rounds up, what will be received rounds down.
    let rounding = if side == Side::Buy { Rounding::Up } else { Rounding::Down };
    let value = money::value(limit, size.quantity, security.ccy, rounding)
        .and_then(|value| money::to_eur(value, usable.rate, rounding))
        .map_err(overflow)?;
    if !value.covers(rules.min_trade).map_err(overflow)? {
        return Err(("below_min_trade", format!("The trade would be under {}.", rules.min_trade)));
    }
    let priority = weighed(priority, side, security.priority_multiplier.map(Finite::get));
    let least = snapshot.parameters.priority_threshold;
    if priority < least {
        return Err(("low_priority", format!("Its priority of {priority:.2} is below {least:.2}.")));
    }
    let cost = limits::commission(value, &rules.costs, Rate::ONE).map_err(overflow)?;
    Ok(Proposal {
        isin: security.isin,
        mic: security.mic,
        side,
        quantity: size.quantity,
        limit,
        ccy: security.ccy,
        rate: usable.rate,
        value,
        cost,
        reason,
        finder: finder.into(),
        category,
        tags: tags.iter().copied().collect(),
        priority,
        tie: if side == Side::Sell { usable.merit.sell } else { usable.merit.timing }.unwrap_or(0.0),
    })
}

/// The largest value that an amount pays for, costs included.
pub(super) fn before_costs(amount: Money, costs: &Costs) -> money::Result<Money> {
    let whole = Weight::SCALE.saturating_add(costs.percent.e6());
    amount.checked_sub(costs.fixed_eur)?.scale(Weight::SCALE, whole, Rounding::Down)
}

/// What the owner prefers is bought sooner and sold later.
fn weighed(priority: f64, side: Side, multiplier: Option<f64>) -> f64 {
    let multiplier = multiplier.unwrap_or(1.0).clamp(0.1, 3.0);
    if side == Side::Buy { priority * multiplier } else { priority / multiplier }
}

impl Proposal {
    /// The larger of a purchase, the smaller of a sale; the larger priority; everything that explains either.
    pub(crate) fn merged(self, other: Proposal) -> Proposal {
        let (priority, category) = if other.priority > self.priority {
            (other.priority, other.category)
        } else {
            (self.priority, self.category)
        };
        let finder = format!("{}, {}", self.finder, other.finder);
        let reason = format!("{} {}", self.reason, other.reason);
        let tags = self.tags.union(&other.tags).copied().collect();
        let keeps_self = (other.quantity > self.quantity) == (self.side == Side::Sell);
        let size = if keeps_self { self } else { other };
        Proposal { priority, category, finder, reason, tags, ..size }
    }

    /// The same purchase as large as the cash alone pays for, costs included; `None` below the smallest trade.
    pub(crate) fn cut_to_cash(&self, snapshot: &Snapshot<'_>) -> Option<Proposal> {
        let rules = snapshot.rules;
        let lot = snapshot.security(self.isin)?.lot_e6;
        let terms = Terms::new(self.limit, self.rate, lot).ok()?;
        let most = before_costs(snapshot.spendable(self.ccy), &rules.costs).ok()?;
        let quantity = terms.buy_within(most.into()).ok()?.quantity;
        let value = money::value(self.limit, quantity, self.ccy, Rounding::Up).ok()?;
        let value = money::to_eur(value, self.rate, Rounding::Up).ok()?;
        let cost = limits::commission(value, &rules.costs, Rate::ONE).ok()?;
        let worth_it = value.covers(rules.min_trade).ok()?;
        worth_it.then(|| Proposal { quantity, value, cost, ..self.clone() })
    }

    /// Worth in EUR.
    pub(crate) fn worth(&self) -> Fine {
        Fine::from(self.value)
    }

    /// The form in which it is published.
    pub(crate) fn candidate(self) -> Candidate {
        Candidate {
            isin: self.isin,
            mic: self.mic,
            side: self.side,
            qty_e6: self.quantity,
            price_e6: self.limit,
            ccy: self.ccy,
            value_eur: self.value,
            cost_eur: self.cost,
            eur_per_unit_e9: self.rate,
            reason: self.reason,
            finder: self.finder,
            category: self.category.name().into(),
            tags: self.tags.iter().map(|tag| (*tag).to_string()).collect(),
            priority: Finite::new(self.priority).unwrap_or(Finite::ZERO),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_owner_prefers_is_bought_sooner_and_sold_later() {
        for (side, multiplier, expected) in [
            (Side::Buy, None, 0.6),
            (Side::Sell, None, 0.6),
            (Side::Buy, Some(2.0), 1.2),
            (Side::Sell, Some(2.0), 0.3),
            (Side::Buy, Some(9.0), 1.8),
            (Side::Sell, Some(0.0), 6.0),
        ] {
            assert!((weighed(0.6, side, multiplier) - expected).abs() < 1e-12, "{side:?} {multiplier:?}");
        }
    }
}
