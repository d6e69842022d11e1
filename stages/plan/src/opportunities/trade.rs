//! One trade as a candidate: limit, value and cost, all from the same figures.

use contracts::{Candidate, Finite, Side};
use money::{Currency, Price, Quantity, Rate, Rounding};

use super::{No, buy_checks::overflow};
use crate::{
    price::{self, NoLimit},
    snapshot::{Snapshot, Usable},
};

/// The limit that a trade of this security would have now.
pub(super) fn limit(usable: &Usable<'_>, side: Side) -> Result<Price, No> {
    price::limit(side, usable.quote, usable.security.tick_e6).map_err(|no| match no {
        NoLimit::NoPrice => ("no_price", "No limit can be set on its price.".to_string()),
        NoLimit::TooFar => ("spread", "Bid and ask are too far from its last price.".to_string()),
    })
}

/// What a finder wants to do.
pub(super) struct Wish {
    pub(super) side: Side,
    pub(super) quantity: Quantity,
    pub(super) limit: Price,
    pub(super) finder: &'static str,
    pub(super) priority: f64,
    pub(super) reason: String,
}

/// The candidate, unless it is too small to be worth its costs.
pub(super) fn candidate(usable: &Usable<'_>, wish: Wish, snapshot: &Snapshot<'_>) -> Result<Candidate, No> {
    let Wish { side, quantity, limit, finder, priority, reason } = wish;
    let (security, rules) = (usable.security, snapshot.rules);
    // What must be paid rounds up, what will be received rounds down.
    let rounding = if side == Side::Buy { Rounding::Up } else { Rounding::Down };
    let value = money::value(limit, quantity, security.ccy, rounding)
        .and_then(|value| money::to_eur(value, usable.rate, rounding))
        .map_err(overflow)?;
    let enough = value.covers(rules.min_trade).map_err(overflow)?;
    if !enough {
        return Err(("below_min_trade", format!("The trade would be under {}.", rules.min_trade)));
    }
    let cost = limits::commission(value, &rules.costs, Rate::ONE).map_err(overflow)?;
    debug_assert_eq!(cost.currency(), Currency::EUR);
    Ok(Candidate {
        isin: security.isin,
        mic: security.mic,
        side,
        qty_e6: quantity,
        price_e6: limit,
        ccy: security.ccy,
        value_eur: value,
        cost_eur: cost,
        reason,
        finder: finder.into(),
        priority: Finite::new(priority).unwrap_or(Finite::ZERO),
    })
}

/// A share in 1/1 000 000 as per cent with one decimal, for sentences.
pub(super) fn percent(share_e6: i64) -> String {
    let tenths = share_e6 / 1_000;
    format!("{}.{} %", tenths / 10, (tenths % 10).abs())
}
