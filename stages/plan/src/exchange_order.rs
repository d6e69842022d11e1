//! How an exchange becomes an order that the gate can let pass: its limit, its size, and what must be there for it.
//!
//! Limit: 0.1 % beyond the nearest offer, rounded to the pair's step towards our side; the middle of the quote may be at
//! most 1 % from the reference rate. Size: at least the broker's smallest exchange, rounded up to it where the source
//! covers that; at most what the source covers, a purchase with 2 % for the price moving. Covers: the balance less what
//! is promised to orders and less the last 5 EUR worth of a currency, which are never spent.
//!
//! Worked example: 4 EUR are wanted sold for pounds at a bid of 0.8600: 10 EUR, because less is not taken, at 0.8592.

use contracts::{Quote, Side};
use limits::{Fine, FxPair};
use money::{Currency, MoneyError, Price, Quantity, Rounding, multiply_divide};

/// What the broker takes at least, in whole units of the base.
pub const LEAST_UNITS: i64 = 10;
/// How far a limit may lie beyond the nearest offer, in 1/1 000 000.
const BUFFER_E6: i128 = 1_000;
/// Room for the price moving while a purchase of the base is made, in 1/1 000 000.
const ROOM_E6: i128 = 20_000;
const ONE_E6: i128 = 1_000_000;
/// Steps of the price: pairs with Hong Kong dollars have one digit more.
const STEP_E6: i64 = 100;
const FINE_STEP_E6: i64 = 10;

/// An exchange to be ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    /// The pair.
    pub pair: FxPair,
    /// Buy or sell the base.
    pub side: Side,
    /// Whole units of the base.
    pub units: i64,
    /// Price of one unit at which it is ordered.
    pub limit: Price,
}

/// Why it cannot be ordered now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoOrder {
    /// The quote says nothing usable.
    #[error("{0} has no usable price")]
    NoPrice(FxPair),
    /// The quote and the reference rate differ.
    #[error("the price of {0} is more than 1 % from the reference rate")]
    OffReference(FxPair),
    /// Even the smallest exchange costs more than is there.
    #[error("{0} exchanges at least {LEAST_UNITS} units, and {1} does not cover that")]
    NotCovered(FxPair, Currency),
    /// A figure does not fit.
    #[error("the exchange cannot be computed: {0}")]
    Arithmetic(#[from] MoneyError),
}

impl Exchange {
    /// The quantity of the order.
    ///
    /// # Errors
    /// [`MoneyError`] when it does not fit.
    pub fn quantity(&self) -> money::Result<Quantity> {
        Quantity::from_units(self.units)
    }

    /// What is given.
    #[must_use]
    pub fn source(&self) -> Currency {
        if self.side == Side::Buy { self.pair.quote } else { self.pair.base }
    }
}

/// Makes the order for `wanted` units. `available` is what may be spent of the source, `reference` the quote currency
/// per unit of the base.
///
/// # Errors
/// [`NoOrder`].
pub fn order(
    (pair, side, wanted): (FxPair, Side, i64),
    quote: &Quote,
    reference: Fine,
    available: Fine,
) -> Result<Exchange, NoOrder> {
    let limit = limit(pair, side, quote).ok_or(NoOrder::NoPrice(pair))?;
    if !is_near(quote, reference) {
        return Err(NoOrder::OffReference(pair));
    }
    let most = most(side, limit, available)?;
    let units = wanted.max(LEAST_UNITS).min(most);
    if units < LEAST_UNITS {
        let source = if side == Side::Buy { pair.quote } else { pair.base };
        return Err(NoOrder::NotCovered(pair, source));
    }
    Ok(Exchange { pair, side, units, limit })
}

/// The most units that the source covers.
fn most(side: Side, limit: Price, available: Fine) -> money::Result<i64> {
    if !available.is_positive() {
        return Ok(0);
    }
    if side == Side::Sell {
        return available.to_units(Rounding::Down);
    }
    let dear = Fine::from(limit).times(Fine::from_e12((ONE_E6 + ROOM_E6) * ONE_E6), Rounding::Up)?;
    available.over(dear, Rounding::Down)?.to_units(Rounding::Down)
}

fn limit(pair: FxPair, side: Side, quote: &Quote) -> Option<Price> {
    let last = quote.price_e6;
    let known = |price: Option<Price>| price.filter(|price| !price.is_zero()).unwrap_or(last);
    let (offer, factor, rounding) = match side {
        Side::Buy => (known(quote.ask_e6), ONE_E6 + BUFFER_E6, Rounding::Down),
        Side::Sell => (known(quote.bid_e6), ONE_E6 - BUFFER_E6, Rounding::Up),
    };
    let fine = [pair.base, pair.quote].contains(&Currency::HKD);
    let step = i128::from(if fine { FINE_STEP_E6 } else { STEP_E6 });
    let steps = multiply_divide(offer.e6().into(), factor, ONE_E6 * step, rounding).ok()?;
    let limit = steps.checked_mul(step).and_then(|e6| i64::try_from(e6).ok())?;
    Price::from_e6(limit).ok().filter(|limit| !limit.is_zero() && !last.is_zero())
}

/// Whether the middle of the quote is at most 1 % from the reference.
fn is_near(quote: &Quote, reference: Fine) -> bool {
    let known = |price: Option<Price>| price.filter(|price| !price.is_zero()).unwrap_or(quote.price_e6);
    let twice = i128::from(known(quote.bid_e6).e6()) + i128::from(known(quote.ask_e6).e6());
    // The middle comes in halves of 1/10⁶, the reference in 1/10¹².
    let (middle, reference) = (twice * ONE_E6, reference.e12().saturating_mul(2));
    reference > 0 && (middle - reference).abs().saturating_mul(100) <= reference
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::Sample;

    use super::*;

    const SEVEN: &str = "0.86";

    fn pair(base: &str, quote: &str) -> FxPair {
        FxPair { base: base.parse().unwrap(), quote: quote.parse().unwrap() }
    }

    fn quote(last: &str, bid: &str, ask: &str) -> Quote {
        Quote {
            price_e6: last.parse().unwrap(),
            bid_e6: bid.parse().ok(),
            ask_e6: ask.parse().ok(),
            ..Quote::sample()
        }
    }

    fn fine(text: &str) -> Fine {
        text.parse::<Price>().unwrap().into()
    }

    fn asked(side: Side, wanted: i64, available: &str) -> Result<(i64, String), NoOrder> {
        let quote = quote(SEVEN, "0.86", "0.8602");
        order((pair("EUR", "GBP"), side, wanted), &quote, fine(SEVEN), fine(available))
            .map(|found| (found.units, found.limit.to_string()))
    }

    #[test]
    fn a_limit_lies_a_thousandth_beyond_the_offer_on_the_step_of_our_side() {
        assert_eq!(asked(Side::Sell, 100, "1000").unwrap(), (100, "0.8592".into()), "0.85914 up");
        assert_eq!(asked(Side::Buy, 100, "1000").unwrap(), (100, "0.861".into()), "0.86106 down");
        let hkd = quote("0.11", "0.10999", "0.11001");
        let found = order((pair("HKD", "EUR"), Side::Buy, 100), &hkd, fine("0.11"), fine("100")).unwrap();
        assert_eq!(found.limit.to_string(), "0.11012");
    }

    #[test]
    fn the_smallest_exchange_is_made_where_it_is_covered() {
        assert_eq!(asked(Side::Sell, 4, "10").unwrap().0, LEAST_UNITS);
        let refused = Err(NoOrder::NotCovered(pair("EUR", "GBP"), Currency::EUR));
        assert_eq!(asked(Side::Sell, 4, "9.999999"), refused);
        assert_eq!(asked(Side::Sell, 40, "0"), refused);
    }

    #[test]
    fn no_more_is_ordered_than_the_source_covers_with_its_room() {
        assert_eq!(asked(Side::Sell, 40, "39.99").unwrap().0, 39);
        // 40 · 0.861 · 1.02 = 35.1288
        assert_eq!(asked(Side::Buy, 40, "35.1288").unwrap().0, 40);
        assert_eq!(asked(Side::Buy, 40, "35.128799").unwrap().0, 39);
    }

    #[test]
    fn a_price_far_from_the_reference_or_none_orders_nothing() {
        let one = |quote: &Quote, reference| {
            order((pair("EUR", "GBP"), Side::Sell, 20), quote, reference, fine("99"))
        };
        let good = quote("0.86", "", "");
        assert!(one(&good, fine("0.8515")).is_ok());
        assert_eq!(one(&good, fine("0.8514")), Err(NoOrder::OffReference(pair("EUR", "GBP"))));
        assert_eq!(one(&good, Fine::ZERO), Err(NoOrder::OffReference(pair("EUR", "GBP"))));
        assert_eq!(one(&quote("0", "", ""), fine("0.86")), Err(NoOrder::NoPrice(pair("EUR", "GBP"))));
    }
}
