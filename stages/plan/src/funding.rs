//! Which exchange pays for a purchase in a currency of which there is too little.
//!
//! Needed is what the gate will ask for: value and costs with a margin of 1 %, less the cash that is there and not promised
//! to orders, with the last 5 EUR worth untouched. Only EUR are given for it, and only for all of it: a part would be
//! exchanged for nothing. The purchase is asked for anew once the exchange is in the books. A currency that is owed is no
//! matter of purchases.
//!
//! Worked example: 10 at 100 USD, 0.90 EUR per USD, no dollars: (1 000 · 1.002 + 2 / 0.9) · 1.01 + 5 / 0.9 = 1 019.82 USD,
//! so 937 EUR are sold.

use contracts::{Candidate, Cash, PortfolioState};
use limits::{Fine, FxNeed, FxPair, Side, commission_fine, cross_rate};
use money::{Currency, Money, MoneyError, Quantity, Rate, Rounding, Weight};

use crate::{
    limits::{FX_BUFFER_E6, GATE_MARGIN_E6},
    rescue::{act, watch},
    settings::Rules,
};

/// A shortage below this is none; the gate sees none either.
const DUST: Fine = Fine::from_e12(1_000);

/// What a purchase needs before it can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Funding {
    /// Nothing.
    Paid,
    /// An exchange of about so many units.
    Exchange(FxPair, Side, i64),
    /// More than can be had.
    Short,
}

/// Finds out.
///
/// # Errors
/// [`MoneyError`] when amounts do not fit.
pub fn of(
    step: &Candidate,
    state: &PortfolioState,
    rules: &Rules,
    rate: impl Fn(Currency) -> Option<Rate>,
) -> Result<Funding, MoneyError> {
    let ccy = step.ccy;
    if step.side == contracts::Side::Sell || ccy == Currency::EUR {
        return Ok(Funding::Paid);
    }
    let Some(own) = rate(ccy) else { return Ok(Funding::Short) };
    let balance = watch::balances(state).get(&ccy).copied().unwrap_or(Money::zero(ccy));
    if balance.is_negative() {
        return Ok(Funding::Short);
    }
    let reserved = state.cash.iter().map(|cash| cash.reserved).filter(|reserved| reserved.currency() == ccy);
    let kept = act::KEPT_EUR.over(own.into(), Rounding::Up)?;
    // What a sale brings in later pays for nothing now, as the gate sees it.
    let there = state.cash.iter().map(Cash::free).filter(|there| there.currency() == ccy);
    let free = Money::checked_sum(ccy, there)?.checked_sub(Money::checked_sum(ccy, reserved)?)?;
    let free = Fine::from(free).checked_sub(kept)?;
    let value = Fine::value(step.price_e6, step.qty_e6)?;
    let costs = value.checked_add(commission_fine(value, &rules.costs, own, Rounding::Up)?)?;
    let needed = costs.times(Fine::one_plus(share(GATE_MARGIN_E6)?)?, Rounding::Up)?;
    let need = needed.checked_sub(free)?;
    if need <= DUST {
        return Ok(Funding::Paid);
    }
    let eur = act::purses(state, rules, &rate)?.get(&Currency::EUR).copied().unwrap_or(Fine::ZERO);
    let order = limits::fx_order(&FxNeed {
        source: Currency::EUR,
        target: ccy,
        need,
        target_per_source: cross_rate(Rate::ONE, own)?,
        available: eur,
        buffer: share(FX_BUFFER_E6)?,
        lot: Quantity::ZERO,
    });
    Ok(match order {
        Ok(order) => {
            Funding::Exchange(order.pair, order.side, Fine::from(order.quantity).to_units(Rounding::Up)?)
        }
        Err(_) => Funding::Short,
    })
}

fn share(e6: i64) -> Result<Weight, MoneyError> {
    Weight::from_e6(e6)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::Sample;

    use super::*;
    use crate::settings::Settings;

    fn cash(text: &str, reserved: i64) -> Cash {
        let amount = Money::parse(text).unwrap();
        let reserved = Money::from_units(reserved, amount.currency()).unwrap();
        Cash {
            bucket_id: "core".into(),
            amount,
            reserved,
            pending_in: None,
            pending_out: None,
            spendable: None,
        }
    }

    fn found(lines: &[Cash], ccy: &str, rated: bool) -> Funding {
        let step = Candidate {
            side: contracts::Side::Buy,
            ccy: ccy.parse().unwrap(),
            qty_e6: Quantity::from_units(10).unwrap(),
            price_e6: "100".parse().unwrap(),
            ..Candidate::sample()
        };
        let state = PortfolioState { cash: lines.to_vec(), ..PortfolioState::sample() };
        let rules = Settings::default().rules().unwrap();
        let rate = |ccy: Currency| match ccy.as_str() {
            "EUR" => Some(Rate::ONE),
            "USD" if rated => Rate::from_e9(900_000_000).ok(),
            "DKK" => Rate::from_e9(134_000_000).ok(),
            "HKD" => Rate::from_e9(110_000_000).ok(),
            _ => None,
        };
        of(&step, &state, &rules, rate).unwrap()
    }

    fn eur_usd(units: i64) -> Funding {
        Funding::Exchange(FxPair { base: Currency::EUR, quote: Currency::USD }, Side::Sell, units)
    }

    #[test]
    fn what_is_missing_is_exchanged_with_its_buffer() {
        assert_eq!(found(&[cash("2000 EUR", 0)], "USD", true), eur_usd(937), "1 019.82 · 0.9 · 1.02");
        assert_eq!(found(&[cash("2000 EUR", 0), cash("500 USD", 0)], "USD", true), eur_usd(478));
        assert_eq!(found(&[cash("2000 EUR", 0), cash("500 USD", 500)], "USD", true), eur_usd(937));
    }

    #[test]
    fn what_is_there_to_the_cent_needs_no_exchange() {
        assert_eq!(found(&[cash("0 EUR", 0), cash("1019.82 USD", 0)], "USD", true), Funding::Paid);
        let a_cent_less = found(&[cash("2000 EUR", 0), cash("1019.81 USD", 0)], "USD", true);
        assert_eq!(a_cent_less, eur_usd(1));
    }

    #[test]
    fn what_a_sale_brings_in_later_pays_for_nothing() {
        let unsettled = |text: &str| Cash {
            spendable: Some(Money::zero(cash(text, 0).amount.currency())),
            ..cash(text, 0)
        };
        assert_eq!(found(&[cash("2000 EUR", 0), unsettled("1100 USD")], "USD", true), eur_usd(937));
        assert_eq!(found(&[unsettled("2000 EUR")], "USD", true), Funding::Short);
    }

    #[test]
    fn euros_that_do_not_cover_all_of_it_exchange_nothing() {
        assert_eq!(found(&[cash("942 EUR", 0)], "USD", true), eur_usd(937), "the last 5 EUR stay");
        assert_eq!(found(&[cash("941.99 EUR", 0)], "USD", true), Funding::Short);
        assert_eq!(found(&[], "USD", true), Funding::Short);
    }

    #[test]
    fn a_debt_a_missing_rate_or_a_missing_pair_exchange_nothing() {
        assert_eq!(found(&[cash("2000 EUR", 0), cash("-1 USD", 0)], "USD", true), Funding::Short);
        assert_eq!(found(&[cash("2000 EUR", 0)], "USD", false), Funding::Short);
        assert_eq!(found(&[cash("2000 EUR", 0)], "DKK", true), Funding::Short);
    }

    #[test]
    fn a_pair_that_has_the_currency_as_its_base_is_bought() {
        let Funding::Exchange(pair, side, units) = found(&[cash("2000 EUR", 0)], "HKD", true) else {
            panic!()
        };
        assert_eq!((pair.to_string().as_str(), side), ("HKD/EUR", Side::Buy));
        // (1 000 · 1.002 + 2 / 0.11) · 1.01 + 5 / 0.11
        assert_eq!(units, 1_076);
    }
}
