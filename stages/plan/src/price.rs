//! The limit of an order: near enough to be filled, never far from the price that was decided on.
//!
//! Buy: the smaller of ask + 0.25 % and last + 1 %; sell: the larger of bid − 0.25 % and last − 1 %. Rounded to the
//! tick towards our side: a purchase down, a sale up. A limit that would still lie more than 1 % from the last price
//! (a wide spread, a coarse tick) is no limit at all.
//!
//! Worked example: last 50, ask 50.10, tick 0.05: min(50.22525, 50.5) = 50.22525, down to 50.20.

use contracts::{Quote, Side};
use money::{Price, Rounding, multiply_divide};

use crate::limits::{LIMIT_BUFFER_E6, QUOTE_BUFFER_E6};

/// Tick used where the venue's is unknown; a wrong guess is refused by the broker and costs nothing.
const TICK_UNKNOWN_E6: i64 = 10_000;
const ONE_E6: i64 = 1_000_000;

/// Why no limit can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoLimit {
    /// The last price is zero or out of range.
    NoPrice,
    /// Every price on the tick is too far from the last one.
    TooFar,
}

/// The limit of an order decided on this quote.
///
/// # Errors
/// [`NoLimit`].
pub fn limit(side: Side, quote: &Quote, tick: Option<Price>) -> Result<Price, NoLimit> {
    let last = quote.price_e6;
    if last.is_zero() {
        return Err(NoLimit::NoPrice);
    }
    let known = |price: Option<Price>| price.filter(|price| !price.is_zero()).unwrap_or(last);
    let tick = tick.map_or(TICK_UNKNOWN_E6, Price::e6).max(1);
    let raw = match side {
        Side::Buy => {
            let near = shifted(known(quote.ask_e6), QUOTE_BUFFER_E6, Rounding::Down)?;
            near.min(shifted(last, LIMIT_BUFFER_E6, Rounding::Down)?)
        }
        Side::Sell => {
            let near = shifted(known(quote.bid_e6), -QUOTE_BUFFER_E6, Rounding::Up)?;
            near.max(shifted(last, -LIMIT_BUFFER_E6, Rounding::Up)?)
        }
    };
    let below = raw - raw % tick;
    let on_tick = match side {
        Side::Sell if below < raw => below.checked_add(tick).ok_or(NoLimit::NoPrice)?,
        _ => below,
    };
    let limit = Price::from_e6(on_tick).map_err(|_| NoLimit::NoPrice)?;
    if fits(limit, last) { Ok(limit) } else { Err(NoLimit::TooFar) }
}

/// Whether a limit lies within 1 % of a last price.
#[must_use]
pub fn fits(limit: Price, last: Price) -> bool {
    let distance = i128::from(limit.e6()) - i128::from(last.e6());
    let allowed = i128::from(last.e6()) * i128::from(LIMIT_BUFFER_E6);
    !limit.is_zero() && distance.abs() * i128::from(ONE_E6) <= allowed
}

fn shifted(price: Price, by_e6: i64, rounding: Rounding) -> Result<i64, NoLimit> {
    let factor = i128::from(ONE_E6 + by_e6);
    let shifted = multiply_divide(price.e6().into(), factor, ONE_E6.into(), rounding);
    shifted.ok().and_then(|scaled| i64::try_from(scaled).ok()).ok_or(NoLimit::NoPrice)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::Sample;
    use proptest::prelude::*;

    use super::*;

    fn quote(last: &str, bid: &str, ask: &str) -> Quote {
        Quote {
            price_e6: last.parse().unwrap(),
            bid_e6: bid.parse().ok(),
            ask_e6: ask.parse().ok(),
            ..Quote::sample()
        }
    }

    #[test]
    fn limits_follow_the_rule() {
        let cases = [
            (Side::Buy, "50", "", "50.10", "0.05", Ok("50.2")),
            (Side::Buy, "50", "", "", "0.01", Ok("50.12")),
            (Side::Buy, "50", "", "0", "0.01", Ok("50.12")),
            (Side::Buy, "50", "", "52", "0.01", Ok("50.5")),
            (Side::Buy, "50", "", "40", "0.01", Err(NoLimit::TooFar)),
            (Side::Buy, "50", "", "", "3", Err(NoLimit::TooFar)),
            (Side::Sell, "50", "49.90", "", "0.05", Ok("49.8")),
            (Side::Sell, "50", "", "", "0.01", Ok("49.88")),
            (Side::Sell, "50", "48", "", "0.01", Ok("49.5")),
            (Side::Sell, "50", "60", "", "0.01", Err(NoLimit::TooFar)),
            (Side::Buy, "0", "", "", "0.01", Err(NoLimit::NoPrice)),
            (Side::Buy, "0.5", "", "", "0.01", Ok("0.5")),
            (Side::Buy, "0.0049", "", "", "0.01", Err(NoLimit::TooFar)),
        ];
        for (side, last, bid, ask, tick, expected) in cases {
            let found = limit(side, &quote(last, bid, ask), tick.parse().ok());
            assert_eq!(
                found,
                expected.map(|price| price.parse().unwrap()),
                "{side:?} {last} {bid} {ask} {tick}"
            );
        }
    }

    #[test]
    fn an_unknown_tick_is_a_cent() {
        assert_eq!(limit(Side::Buy, &quote("33.333", "", ""), None), Ok("33.41".parse().unwrap()));
    }

    proptest! {
        #[test]
        fn a_limit_is_on_the_tick_and_within_one_percent(
            last in any::<i64>(), ask in any::<i64>(), bid in any::<i64>(), tick in 0..10_000_000_i64, buys in any::<bool>(),
        ) {
            let quote = Quote {
                price_e6: Price::from_e6(last.saturating_abs()).unwrap(),
                ask_e6: Price::from_e6(ask).ok(),
                bid_e6: Price::from_e6(bid).ok(),
                ..Quote::sample()
            };
            let side = if buys { Side::Buy } else { Side::Sell };
            if let Ok(found) = limit(side, &quote, Price::from_e6(tick).ok()) {
                prop_assert_eq!(found.e6() % tick.max(1), 0);
                prop_assert!(fits(found, quote.price_e6));
            }
        }
    }
}
