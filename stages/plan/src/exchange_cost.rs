//! What it costs to get a currency for EUR: what scoring, what may be spent and the fee of the order go
//! by; funding adds the 5 EUR that are kept of each currency.
//!
//! The broker's fee, as far as it is known: 0.1 % of what is exchanged, at least one unit of the pair's quote currency. And
//! more is exchanged than is missing, because the rate and the price move meanwhile: the gate asks for 1 % more cash than a
//! purchase costs, and an exchange is made 2 % larger, so 3.02 % together. That part stays cash of the fund.
//!
//! Worked example: 1 000 EUR worth of dollars are missing: 1 030.20 EUR are exchanged for 1.03 EUR.

use contracts::ExchangeTerms;
use limits::FxPair;
use market::Timestamp;
use money::{Currency, Money, Rate, Rounding, Weight};

use crate::{
    facts::Facts,
    limits::{FX_BUFFER_E6, GATE_MARGIN_E6},
    settings::Rules,
    snapshot::rate_of,
};

/// The fee as a part of what is exchanged, in 1/1 000 000.
const FEE_E6: i64 = 1_000;
/// The smallest fee, in units of the quote currency.
const LEAST_UNITS: i64 = 1;
/// How much more is exchanged than is missing, in 1/1 000 000.
const ROOM_E6: i64 = (ONE_E6 + GATE_MARGIN_E6) * (ONE_E6 + FX_BUFFER_E6) / ONE_E6 - ONE_E6;
const ONE_E6: i64 = 1_000_000;

/// The fee of an exchange worth this much in the quote currency, in EUR.
///
/// # Errors
/// [`money::MoneyError`].
pub fn fee(value: Money, eur_per_quote: Rate) -> money::Result<Money> {
    let part = value.scale(FEE_E6, ONE_E6, Rounding::Up)?;
    let least = Money::from_units(LEAST_UNITS, value.currency())?;
    money::to_eur(if part.covers(least)? { part } else { least }, eur_per_quote, Rounding::Up)
}

/// On what terms a currency is had for EUR; `None` where the broker trades no such pair, or its price or a rate is not
/// believed.
#[must_use]
pub fn terms(facts: &Facts, rules: &Rules, ccy: Currency, now: Timestamp) -> Option<ExchangeTerms> {
    let (pair, _) = FxPair::between(Currency::EUR, ccy)?;
    let isin = contracts::pair_isin(pair.base, pair.quote)?;
    facts.quotes.get(&isin).filter(|known| !known.quote.suspect)?;
    rate_of(facts, rules, ccy, now).ok()?;
    let quote = rate_of(facts, rules, pair.quote, now).ok()?;
    let least = Money::from_units(LEAST_UNITS, pair.quote).ok()?;
    Some(ExchangeTerms {
        fee_e6: Weight::from_e6(FEE_E6).ok()?,
        least_eur: money::to_eur(least, quote, Rounding::Up).ok()?,
        room_e6: Weight::from_e6(ROOM_E6).ok()?,
    })
}

/// How much of a currency, in EUR, some EUR get on these terms; nothing below zero.
///
/// # Errors
/// [`money::MoneyError`].
pub fn had_for(eur: Money, terms: &ExchangeTerms) -> money::Result<Money> {
    let room = ONE_E6.saturating_add(terms.room_e6.e6());
    // Both fees must be covered: the proportional one and the smallest one.
    let with_fee = ONE_E6.saturating_add(terms.fee_e6.e6());
    let by_part = eur.scale(ONE_E6, with_fee, Rounding::Down)?;
    let by_least = eur.checked_sub(terms.least_eur)?;
    let exchanged = Money::from_e4(by_part.e4().min(by_least.e4()).max(0), eur.currency());
    exchanged.scale(ONE_E6, room, Rounding::Down)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn eur(text: &str) -> Money {
        Money::parse(&format!("{text} EUR")).unwrap()
    }

    fn known() -> ExchangeTerms {
        ExchangeTerms {
            fee_e6: Weight::from_e6(FEE_E6).unwrap(),
            least_eur: eur("0.9"),
            room_e6: Weight::from_e6(ROOM_E6).unwrap(),
        }
    }

    #[test]
    fn a_thousandth_is_the_fee_and_one_unit_of_the_quote_currency_the_smallest() {
        let nine_tenths = Rate::from_e9(900_000_000).unwrap();
        for (dollars, expected) in
            [("5000 USD", "4.5"), ("1000 USD", "0.9"), ("999 USD", "0.9"), ("10 USD", "0.9")]
        {
            assert_eq!(fee(Money::parse(dollars).unwrap(), nine_tenths).unwrap(), eur(expected), "{dollars}");
        }
    }

    #[test]
    fn the_worked_example_is_what_its_euros_get() {
        assert_eq!(ROOM_E6, 30_200);
        assert_eq!(had_for(eur("1031.2302"), &known()).unwrap(), eur("1000"));
        let less = had_for(eur("1031.23"), &known()).unwrap();
        assert!(less.e4() < 10_000_000, "{less}");
    }

    #[test]
    fn a_few_euros_get_nothing_once_the_smallest_fee_is_paid() {
        assert_eq!(had_for(eur("0.9"), &known()).unwrap(), eur("0"));
        assert_eq!(had_for(eur("0"), &known()).unwrap(), eur("0"));
        assert_eq!(had_for(eur("104"), &known()).unwrap().e4(), 1_000_776, "(104 − 0.9) / 1.0302");
    }
}
