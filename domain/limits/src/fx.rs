//! Exchange between currencies: rates, pairs, routes and the order that covers a need.
//!
//! Rates are EUR per unit; the rate of F to T is `eur_per_unit[F] / eur_per_unit[T]`, units of T for
//! one unit of F. The quantity of an order is in whole units of the pair's base currency.

use std::fmt;

use money::{Currency, MoneyError, Quantity, Rate, Rounding, Weight};
use serde::Serialize;
use thiserror::Error;

use crate::fine::Fine;
use crate::sell_quantity::effective_lot;
use crate::side::Side;

/// A tolerance that keeps the rounding of a rate from ordering one unit more: 10⁻⁹.
const UNIT_TOLERANCE: Fine = Fine::from_e12(1_000);

/// A tradable pair: one unit of the base is priced in the quote currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FxPair {
    /// The currency that is counted.
    pub base: Currency,
    /// The currency of the price.
    pub quote: Currency,
}

impl FxPair {
    /// All pairs that are traded.
    pub const ALL: [Self; 5] = [
        Self { base: Currency::EUR, quote: Currency::USD },
        Self { base: Currency::EUR, quote: Currency::GBP },
        Self { base: Currency::GBP, quote: Currency::USD },
        Self { base: Currency::HKD, quote: Currency::EUR },
        Self { base: Currency::HKD, quote: Currency::USD },
    ];

    /// Finds the pair that exchanges one currency for the other, and the side to take.
    #[must_use]
    pub fn between(source: Currency, target: Currency) -> Option<(Self, Side)> {
        Self::ALL.into_iter().find_map(|pair| match (pair.base, pair.quote) {
            (base, quote) if base == target && quote == source => Some((pair, Side::Buy)),
            (base, quote) if base == source && quote == target => Some((pair, Side::Sell)),
            _ => None,
        })
    }
}

impl fmt::Display for FxPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.quote)
    }
}

/// Says why no exchange can be ordered.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum FxError {
    /// The need or the rate is not above zero.
    #[error("need {need} and rate {rate} must both be above zero; nothing is exchanged on doubt")]
    InvalidRequest {
        /// What is needed.
        need: Fine,
        /// The rate to get it by.
        rate: Fine,
    },
    /// No pair exchanges the two currencies directly.
    #[error("no pair exchanges {source_currency} for {target}; take two legs over EUR")]
    NoDirectPair {
        /// The currency to give.
        source_currency: Currency,
        /// The currency to get.
        target: Currency,
    },
    /// Not even two legs over EUR lead to the target.
    #[error("no pairs lead from {source_currency} to {target}; exchange it at the bank")]
    NoConversionPath {
        /// The currency to give.
        source_currency: Currency,
        /// The currency to get.
        target: Currency,
    },
    /// The currency to give does not suffice.
    #[error("{required} {source_currency} are required and {available} are available")]
    InsufficientSource {
        /// The currency to give.
        source_currency: Currency,
        /// What the exchange takes, with its buffer.
        required: Fine,
        /// What there is.
        available: Fine,
    },
    /// A figure does not fit.
    #[error("the exchange cannot be computed")]
    Arithmetic(#[from] MoneyError),
}

/// What has to be exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FxNeed {
    /// The currency to give.
    pub source: Currency,
    /// The currency to get.
    pub target: Currency,
    /// How much of the target is needed.
    pub need: Fine,
    /// Units of the target for one unit of the source.
    pub target_per_source: Fine,
    /// How much of the source is available.
    pub available: Fine,
    /// Share kept for movements of the rate.
    pub buffer: Weight,
    /// Lot of the pair in base units; less than one counts as one.
    pub lot: Quantity,
}

/// One order that exchanges currencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FxOrder {
    /// The pair to trade.
    pub pair: FxPair,
    /// Whether the base is bought or sold.
    pub side: Side,
    /// Whole units of the base.
    pub quantity: Quantity,
    /// What is given, in the source currency.
    pub spend: Fine,
    /// What is got, in the target currency.
    pub receive: Fine,
}

/// An exchange over EUR. The second leg is computed again from real EUR after the first is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FxTwoLeg {
    /// Source to EUR.
    pub leg1: FxOrder,
    /// EUR to target.
    pub leg2: FxOrder,
    /// EUR that the first leg must bring: what the second spends, with the buffer.
    pub leg1_need_eur: Fine,
}

/// Computes units of the target for one unit of the source.
///
/// # Errors
/// [`MoneyError::Overflow`] for implausible rates.
pub fn cross_rate(source: Rate, target: Rate) -> money::Result<Fine> {
    Fine::from(source).over(target.into(), Rounding::HalfEven)
}

/// Lists the exchanges that lead from one currency to another: none, one, or two over EUR.
///
/// # Errors
/// [`FxError::NoConversionPath`] when a pair is missing.
pub fn fx_route(source: Currency, target: Currency) -> Result<Vec<(Currency, Currency)>, FxError> {
    let exists = |from, to| FxPair::between(from, to).is_some();
    if source == target {
        Ok(Vec::new())
    } else if exists(source, target) {
        Ok(vec![(source, target)])
    } else if exists(source, Currency::EUR) && exists(Currency::EUR, target) {
        Ok(vec![(source, Currency::EUR), (Currency::EUR, target)])
    } else {
        Err(FxError::NoConversionPath { source_currency: source, target })
    }
}

/// Computes the order that brings what is needed, when the source covers it.
///
/// Pair {target base, source quote}: BUY ⌈need⌉, which must cost at most available / (1 + buffer).
/// Pair {source base, target quote}: SELL ⌈need · (1 + buffer) / rate⌉, at most what is available.
/// Both round up to the lot of the pair.
///
/// # Errors
/// [`FxError::InvalidRequest`], [`FxError::NoDirectPair`], [`FxError::InsufficientSource`].
pub fn fx_order(request: &FxNeed) -> Result<FxOrder, FxError> {
    let order = order_for(request)?;
    let required = match order.side {
        Side::Buy => order.spend.times(Fine::one_plus(request.buffer)?, Rounding::Up)?,
        Side::Sell => order.spend,
    };
    if required > request.available {
        let (source_currency, available) = (request.source, request.available);
        return Err(FxError::InsufficientSource { source_currency, required, available });
    }
    Ok(order)
}

/// Computes an exchange over EUR: the second leg first, then the first leg that pays for it.
///
/// # Errors
/// As [`fx_order`].
pub fn fx_two_leg(request: &FxNeed, source_rate: Rate, target_rate: Rate) -> Result<FxTwoLeg, FxError> {
    let leg2_need =
        FxNeed { source: Currency::EUR, target_per_source: cross_rate(Rate::ONE, target_rate)?, ..*request };
    // The EUR do not exist yet, so only the first leg is tested against what is available.
    let leg2 = order_for(&leg2_need)?;
    let leg1_need_eur = leg2.spend.times(Fine::one_plus(request.buffer)?, Rounding::Up)?;
    let leg1 = fx_order(&FxNeed {
        target: Currency::EUR,
        need: leg1_need_eur,
        target_per_source: cross_rate(source_rate, Rate::ONE)?,
        ..*request
    })?;
    Ok(FxTwoLeg { leg1, leg2, leg1_need_eur })
}

/// Sizes the order without asking whether the source covers it.
fn order_for(request: &FxNeed) -> Result<FxOrder, FxError> {
    let FxNeed { source, target, need, target_per_source: rate, buffer, lot, .. } = *request;
    if !need.is_positive() || !rate.is_positive() {
        return Err(FxError::InvalidRequest { need, rate });
    }
    let (pair, side) =
        FxPair::between(source, target).ok_or(FxError::NoDirectPair { source_currency: source, target })?;
    let wanted = match side {
        Side::Buy => need,
        Side::Sell => need.times(Fine::one_plus(buffer)?, Rounding::Up)?.over(rate, Rounding::Up)?,
    };
    let quantity = up_to_lot(wanted.checked_sub(UNIT_TOLERANCE)?, lot)?;
    let base = Fine::from(quantity);
    let (spend, receive) = match side {
        Side::Buy => (base.over(rate, Rounding::HalfEven)?, base),
        Side::Sell => (base, base.times(rate, Rounding::HalfEven)?),
    };
    Ok(FxOrder { pair, side, quantity, spend, receive })
}

fn up_to_lot(wanted: Fine, lot: Quantity) -> money::Result<Quantity> {
    let lot = effective_lot(lot);
    let lots = money::divide(wanted.e12(), Fine::from(lot).e12(), Rounding::Up)?;
    let overflow = MoneyError::Overflow { operation: "quantity of an exchange" };
    let lots = i64::try_from(lots).map_err(|_| overflow.clone())?;
    Quantity::from_e6(lot.e6().checked_mul(lots).ok_or(overflow)?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn units(count: i64) -> Fine {
        Quantity::from_units(count).unwrap().into()
    }

    fn request(source: Currency, target: Currency, need: i64) -> FxNeed {
        FxNeed {
            source,
            target,
            need: units(need),
            target_per_source: Fine::ONE,
            available: units(1_000_000),
            buffer: Weight::from_e6(20_000).unwrap(),
            lot: Quantity::ZERO,
        }
    }

    #[test]
    fn nothing_is_exchanged_for_no_need_or_without_a_rate() {
        let none = request(Currency::EUR, Currency::USD, 0);
        assert!(matches!(fx_order(&none), Err(FxError::InvalidRequest { .. })));
        let no_rate = FxNeed { target_per_source: Fine::ZERO, ..request(Currency::EUR, Currency::USD, 1) };
        assert!(matches!(fx_order(&no_rate), Err(FxError::InvalidRequest { .. })));
    }

    #[test]
    fn the_lot_of_the_pair_rounds_up() {
        let lots =
            FxNeed { lot: Quantity::from_units(100).unwrap(), ..request(Currency::EUR, Currency::HKD, 101) };
        assert_eq!(fx_order(&lots).unwrap().quantity, Quantity::from_units(200).unwrap());
    }

    #[test]
    fn a_purchase_must_leave_the_buffer() {
        let mut exact = request(Currency::USD, Currency::EUR, 100);
        exact.available = units(102);
        assert!(fx_order(&exact).is_ok());
        exact.available = Fine::from_e12(units(102).e12() - 1);
        assert!(matches!(fx_order(&exact), Err(FxError::InsufficientSource { .. })));
    }

    #[test]
    fn a_sale_needs_no_more_than_is_there() {
        let mut exact = request(Currency::EUR, Currency::USD, 100);
        exact.available = units(102);
        assert_eq!(fx_order(&exact).unwrap().quantity, Quantity::from_units(102).unwrap());
        exact.available = units(101);
        assert!(matches!(fx_order(&exact), Err(FxError::InsufficientSource { .. })));
    }

    #[test]
    fn the_rounding_of_a_rate_does_not_order_one_unit_more() {
        let mut request = request(Currency::EUR, Currency::HKD, 100);
        request.need = Fine::from_e12(units(100).e12() + 1_000);
        assert_eq!(fx_order(&request).unwrap().quantity, Quantity::from_units(100).unwrap());
        request.need = Fine::from_e12(units(100).e12() + 1_001);
        assert_eq!(fx_order(&request).unwrap().quantity, Quantity::from_units(101).unwrap());
    }
}
