//! The broker of research mode: fills from live quotes, never better than they are, never worse than the limit.
//!
//! A purchase is filled at the ask, or at the last price plus half a spread of 0.05 %; a sale at the bid, or at the last
//! price less it. An order that the market does not reach waits like any other. Without a usable quote nothing is
//! filled: a price of zero is no price. Worked example: last 50, no ask, limit 50.10: bought at 50.025.

use contracts::{FxRates, Quote, SettingsSnapshot, Side};
use limits::{Costs, commission};
use market::Timestamp;
use money::{Currency, Money, Price, Quantity, Rate, Rounding, Weight, multiply_divide};

use crate::limits::QUOTE_AGE_MS;

const ONE_E6: i128 = 1_000_000;
/// Half a spread where only the last price is known.
const HALF_SPREAD_E6: i128 = 500;
/// The broker's fees, as far as they are known: 2 EUR and 0.2 %. The owner's settings may say more, not less.
const FIXED_EUR: Money = Money::from_e4(20_000, Currency::EUR);
const PERCENT_E6: i64 = 2_000;
/// Of an exchange: 0.1 %, at least one unit of the quote currency.
const EXCHANGE_E6: i64 = 1_000;
const EXCHANGE_LEAST_UNITS: i64 = 1;

/// Costs of a trade on paper: the larger of what is known and what the owner's settings say.
#[must_use]
pub(crate) fn costs(settings: Option<&SettingsSnapshot>) -> Costs {
    let value = |key: &str| settings?.values.get(key)?.as_f64();
    let fixed = value("transaction_cost_fixed").and_then(|eur| Money::parse(&format!("{eur:.4} EUR")).ok());
    let fixed = fixed.filter(|fixed| fixed.covers(FIXED_EUR) == Ok(true));
    let percent = value("transaction_cost_percent").and_then(|part| Weight::from_f64(part).ok());
    let least = Weight::from_e6(PERCENT_E6).unwrap_or(Weight::ONE);
    Costs { fixed_eur: fixed.unwrap_or(FIXED_EUR), percent: percent.map_or(least, |part| part.max(least)) }
}

/// What the market makes of an order on paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paper {
    /// Filled whole at this price, with this fee.
    Filled(Price, Money),
    /// The market is not there yet.
    Waits,
    /// Nobody knows the price, the rate or the fee.
    Unknown(&'static str),
}

/// The order as far as the market cares.
#[derive(Debug, Clone, Copy)]
pub struct Ask {
    /// Buy or sell.
    pub side: Side,
    /// Units.
    pub quantity: Quantity,
    /// Limit.
    pub limit: Price,
    /// Of the limit.
    pub ccy: Currency,
    /// An exchange of currencies.
    pub exchange: bool,
}

/// Compares an order with the last quote.
#[must_use]
pub fn meet(
    ask: Ask,
    quote: Option<&Quote>,
    rates: Option<&FxRates>,
    costs: &Costs,
    now: Timestamp,
) -> Paper {
    let usable = |quote: &&Quote| {
        let age = now.since(quote.at);
        !quote.suspect
            && quote.ccy == ask.ccy
            && !quote.price_e6.is_zero()
            && (0..=QUOTE_AGE_MS).contains(&age)
    };
    let Some(quote) = quote.filter(usable) else { return Paper::Unknown("no usable quote") };
    let Some(price) = price_of(ask.side, quote) else { return Paper::Unknown("no price can be computed") };
    let reached = match ask.side {
        Side::Buy => price <= ask.limit,
        Side::Sell => price >= ask.limit,
    };
    if !reached {
        return Paper::Waits;
    }
    match fee(ask, price, rates, costs) {
        Some(fee) => Paper::Filled(price, fee),
        None => Paper::Unknown("no rate for the fee"),
    }
}

fn price_of(side: Side, quote: &Quote) -> Option<Price> {
    let known = |price: Option<Price>| price.filter(|price| !price.is_zero());
    let (own, factor, rounding) = match side {
        Side::Buy => (known(quote.ask_e6), ONE_E6 + HALF_SPREAD_E6, Rounding::Up),
        Side::Sell => (known(quote.bid_e6), ONE_E6 - HALF_SPREAD_E6, Rounding::Down),
    };
    let shifted = || {
        let scaled = multiply_divide(quote.price_e6.e6().into(), factor, ONE_E6, rounding).ok()?;
        Price::from_e6(i64::try_from(scaled).ok()?).ok()
    };
    own.or_else(shifted).filter(|price| !price.is_zero())
}

/// What the broker takes for it, as far as its fees are known.
pub(crate) fn fee(ask: Ask, price: Price, rates: Option<&FxRates>, costs: &Costs) -> Option<Money> {
    if ask.exchange {
        let part = money::value(price, ask.quantity, ask.ccy, Rounding::Up).ok()?;
        let part = part.scale(EXCHANGE_E6, 1_000_000, Rounding::Up).ok()?.to_minor(Rounding::Up).ok()?;
        let least = Money::from_units(EXCHANGE_LEAST_UNITS, ask.ccy).ok()?;
        return Some(if part.covers(least).ok()? { part } else { least });
    }
    let rate = match ask.ccy {
        Currency::EUR => Rate::ONE,
        ccy => rates?.rates.get(&ccy)?.eur_per_unit_e9,
    };
    let value = money::value(price, ask.quantity, ask.ccy, Rounding::Up).ok()?;
    commission(value, costs, rate).ok()?.to_minor(Rounding::Up).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::Sample;

    use super::*;

    fn ask(side: Side, limit: &str) -> Ask {
        let quantity = Quantity::from_units(10).unwrap();
        Ask { side, quantity, limit: limit.parse().unwrap(), ccy: Currency::EUR, exchange: false }
    }

    fn quote(last: &str, bid: &str, ask: &str) -> Quote {
        Quote {
            price_e6: last.parse().unwrap(),
            bid_e6: bid.parse().ok(),
            ask_e6: ask.parse().ok(),
            ..Quote::sample()
        }
    }

    fn met(ask: Ask, quote: &Quote) -> Paper {
        meet(ask, Some(quote), None, &costs(None), quote.at)
    }

    fn filled(price: &str, fee: &str) -> Paper {
        Paper::Filled(price.parse().unwrap(), fee.parse().unwrap())
    }

    #[test]
    fn purchases_pay_the_ask_and_sales_get_the_bid() {
        let both = quote("50", "49.95", "50.05");
        assert_eq!(met(ask(Side::Buy, "50.10"), &both), filled("50.05", "3.01 EUR"));
        assert_eq!(met(ask(Side::Sell, "49.90"), &both), filled("49.95", "3.00 EUR"));
    }

    #[test]
    fn half_a_spread_stands_in_for_what_is_not_quoted() {
        let last = quote("50", "", "");
        assert_eq!(met(ask(Side::Buy, "50.10"), &last), filled("50.025", "3.01 EUR"));
        assert_eq!(met(ask(Side::Sell, "49.90"), &last), filled("49.975", "3.00 EUR"));
        assert_eq!(met(ask(Side::Buy, "50.10"), &quote("50", "0", "0")), filled("50.025", "3.01 EUR"));
    }

    #[test]
    fn the_limit_is_kept_to_the_last_digit() {
        let both = quote("50", "49.95", "50.05");
        assert_eq!(met(ask(Side::Buy, "50.049999"), &both), Paper::Waits);
        assert!(matches!(met(ask(Side::Buy, "50.05"), &both), Paper::Filled(..)));
        assert_eq!(met(ask(Side::Sell, "49.950001"), &both), Paper::Waits);
        assert!(matches!(met(ask(Side::Sell, "49.95"), &both), Paper::Filled(..)));
    }

    #[test]
    fn without_a_usable_quote_nothing_is_filled() {
        let good = quote("50", "49.95", "50.05");
        let buy = ask(Side::Buy, "50.10");
        let unknown = Paper::Unknown("no usable quote");
        assert_eq!(meet(buy, None, None, &costs(None), good.at), unknown);
        for bad in [
            Quote { suspect: true, ..good.clone() },
            Quote { price_e6: Price::from_e6(0).unwrap(), ..good.clone() },
            Quote { ccy: Currency::USD, ..good.clone() },
        ] {
            assert_eq!(met(buy, &bad), unknown);
        }
        assert!(matches!(
            meet(buy, Some(&good), None, &costs(None), good.at.saturating_plus_ms(QUOTE_AGE_MS)),
            Paper::Filled(..)
        ));
        assert_eq!(
            meet(buy, Some(&good), None, &costs(None), good.at.saturating_plus_ms(QUOTE_AGE_MS + 1)),
            unknown
        );
        assert_eq!(meet(buy, Some(&good), None, &costs(None), good.at.saturating_minus_ms(1)), unknown);
    }

    #[test]
    fn an_exchange_costs_a_thousandth_and_at_least_one_unit() {
        let last = quote("50", "49.95", "50.05");
        let exchange = Ask { exchange: true, ..ask(Side::Buy, "50.10") };
        assert_eq!(met(exchange, &last), filled("50.05", "1 EUR"));
        let more = Ask { quantity: Quantity::from_units(1_000).unwrap(), ..exchange };
        assert_eq!(met(more, &last), filled("50.05", "50.05 EUR"));
    }

    #[test]
    fn costs_that_the_owner_raises_are_paid_on_paper_and_lower_ones_are_not() {
        let both = quote("50", "49.95", "50.05");
        let set = |fixed: f64, percent: f64| {
            let values = [("transaction_cost_fixed", fixed), ("transaction_cost_percent", percent)];
            let values = values.map(|(key, value)| (key.to_string(), value.into())).into();
            let costs = costs(Some(&SettingsSnapshot { revision: 1, values }));
            meet(ask(Side::Buy, "50.10"), Some(&both), None, &costs, both.at)
        };
        assert_eq!(set(5.0, 0.01), filled("50.05", "10.01 EUR"));
        assert_eq!(set(1.0, 0.001), filled("50.05", "3.01 EUR"));
        assert_eq!(set(f64::NAN, -1.0), filled("50.05", "3.01 EUR"));
    }

    #[test]
    fn a_foreign_fee_needs_a_rate() {
        let dollars = Quote { ccy: Currency::USD, ..quote("50", "49.95", "50.05") };
        let buy = Ask { ccy: Currency::USD, ..ask(Side::Buy, "50.10") };
        assert_eq!(met(buy, &dollars), Paper::Unknown("no rate for the fee"));
        let mut rates = FxRates::sample();
        rates.rates.values_mut().for_each(|rate| rate.eur_per_unit_e9 = "0.8".parse().unwrap());
        assert_eq!(
            meet(buy, Some(&dollars), Some(&rates), &costs(None), dollars.at),
            filled("50.05", "3.51 USD")
        );
    }
}
