//! Whether a limit is near enough to the gate's own latest price to be signed.
//!
//! Buy: at most the smaller of ask + 0.25 % and last + 1 %; sell: at least the larger of bid − 0.25 % and last − 1 %.
//! A missing ask or bid counts as the last price. Towards our own side a limit may lie at most 1 % from the last price:
//! further away it would not be filled, and something is wrong with it or with the price.
//!
//! Worked example: last 50, ask 50.10: a buy may be limited from 49.50 to min(50.22525, 50.50).

use contracts::{Quote, Side};
use limits::Fine;
use money::Price;

const ONE_E6: i128 = 1_000_000;
/// 0.25 % from the nearest offer.
const QUOTE_BUFFER_E6: i128 = 2_500;
/// 1 % from the last price.
const LIMIT_BUFFER_E6: i128 = 10_000;

/// Tells whether the limit keeps the rule; nothing keeps it to a price of zero.
#[must_use]
pub(crate) fn keeps(side: Side, limit: Price, quote: &Quote) -> bool {
    let last = i128::from(quote.price_e6.e6());
    if last == 0 || limit.is_zero() {
        return false;
    }
    let known = |price: Option<Price>| price.filter(|price| !price.is_zero()).unwrap_or(quote.price_e6);
    // All sides are scaled by a million; prices are 64 bits, so the products fit 128.
    let limit = i128::from(limit.e6()) * ONE_E6;
    let lowest = last * (ONE_E6 - LIMIT_BUFFER_E6);
    let highest = last * (ONE_E6 + LIMIT_BUFFER_E6);
    let near = match side {
        Side::Buy => limit <= i128::from(known(quote.ask_e6).e6()) * (ONE_E6 + QUOTE_BUFFER_E6),
        Side::Sell => limit >= i128::from(known(quote.bid_e6).e6()) * (ONE_E6 - QUOTE_BUFFER_E6),
    };
    near && (lowest..=highest).contains(&limit)
}

/// An exchange: at most 0.1 % beyond the quote, and the quote's own middle at most 1 % from the reference rate.
const EXCHANGE_BUFFER_E6: i128 = 1_000;

/// Tells whether the limit of an exchange keeps its rule; `reference` is the quote currency per unit of the base.
#[must_use]
pub(crate) fn keeps_for_exchange(side: Side, limit: Price, quote: &Quote, reference: Fine) -> bool {
    let last = i128::from(quote.price_e6.e6());
    if last == 0 || limit.is_zero() || !reference.is_positive() {
        return false;
    }
    let known = |price: Option<Price>| {
        i128::from(price.filter(|price| !price.is_zero()).unwrap_or(quote.price_e6).e6())
    };
    let (bid, ask) = (known(quote.bid_e6), known(quote.ask_e6));
    // The middle comes in halves of 1/10⁶, the reference in 1/10¹²: both become halves of 1/10¹².
    let (middle, reference) = ((bid + ask) * ONE_E6, reference.e12().saturating_mul(2));
    let near = (middle - reference).abs().saturating_mul(100) <= reference;
    let limit = i128::from(limit.e6()) * ONE_E6;
    let kept = match side {
        Side::Buy => {
            limit <= ask * (ONE_E6 + EXCHANGE_BUFFER_E6) && limit >= bid * (ONE_E6 - LIMIT_BUFFER_E6)
        }
        Side::Sell => {
            limit >= bid * (ONE_E6 - EXCHANGE_BUFFER_E6) && limit <= ask * (ONE_E6 + LIMIT_BUFFER_E6)
        }
    };
    near && kept
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::Sample;

    use super::*;

    #[test]
    fn an_exchange_keeps_near_the_quote_and_the_quote_near_the_reference() {
        let cases = [
            (Side::Buy, "1.1011", "1.1", true),
            (Side::Buy, "1.101101", "1.1", false),
            (Side::Sell, "1.0989", "1.1", true),
            (Side::Sell, "1.098899", "1.1", false),
            (Side::Buy, "1.1", "1.0892", true),
            (Side::Buy, "1.1", "1.0890", false),
            (Side::Buy, "1.1", "1.1112", false),
            (Side::Buy, "1.0", "1.1", false),
            (Side::Buy, "0", "1.1", false),
            (Side::Buy, "1.1", "0", false),
        ];
        for (side, limit, reference, expected) in cases {
            let price = "1.1".parse().unwrap();
            let quote =
                Quote { price_e6: price, bid_e6: Some(price), ask_e6: Some(price), ..Quote::sample() };
            let rate = limits::cross_rate(
                money::Rate::ONE.max(reference.parse().unwrap_or(money::Rate::ONE)),
                money::Rate::ONE,
            );
            let rate = if reference == "0" { Fine::from_e12(0) } else { rate.unwrap() };
            let found = keeps_for_exchange(side, limit.parse().unwrap(), &quote, rate);
            assert_eq!(found, expected, "{side:?} {limit} {reference}");
        }
    }

    #[test]
    fn limits_keep_the_rule_up_to_its_boundary() {
        let cases = [
            (Side::Buy, "50.22525", "50.1", "50", true),
            (Side::Buy, "50.225251", "50.1", "50", false),
            (Side::Buy, "50.5", "52", "50", true),
            (Side::Buy, "50.500001", "52", "50", false),
            (Side::Buy, "50.125", "", "50", true),
            (Side::Buy, "50.125001", "", "50", false),
            (Side::Buy, "49.5", "", "50", true),
            (Side::Buy, "49.499999", "", "50", false),
            (Side::Sell, "49.77525", "49.9", "50", true),
            (Side::Sell, "49.775249", "49.9", "50", false),
            (Side::Sell, "49.5", "48", "50", true),
            (Side::Sell, "49.499999", "48", "50", false),
            (Side::Sell, "50.500001", "", "50", false),
            (Side::Buy, "50", "", "0", false),
            (Side::Buy, "0", "", "50", false),
            (Side::Buy, "9223372036854.775807", "9223372036854.775807", "9223372036854.775807", true),
        ];
        for (side, limit, offer, last, expected) in cases {
            let quote = Quote {
                price_e6: last.parse().unwrap(),
                bid_e6: offer.parse().ok(),
                ask_e6: offer.parse().ok(),
                ..Quote::sample()
            };
            let found = keeps(side, limit.parse().unwrap(), &quote);
            assert_eq!(found, expected, "{side:?} {limit} {offer} {last}");
        }
    }
}
