//! What may be spent of each currency: never the reserve, never what is promised to orders, never what others owe.
//!
//! The reserve and every overdrawn currency are covered by EUR first, then by the other currencies in the order of their
//! codes. Cash without a usable rate is not spent; a debt without one forbids everything.
//!
//! Worked example: 700 EUR, 1 000 USD at 0.9, reserve 800 EUR: 0 EUR and 800 EUR worth of USD may be spent.

use std::collections::BTreeMap;

use contracts::{Cash, ExchangeTerms};
use money::{Currency, Money, MoneyError, Rate, Rounding};

use crate::{exchange_cost, facts::CORE};

/// EUR worth of each currency that may be spent; nothing below zero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Purses {
    by_currency: BTreeMap<Currency, i64>,
}

impl Purses {
    /// Sorts the core's cash.
    ///
    /// # Errors
    /// [`MoneyError`] when amounts do not fit.
    pub fn new(
        cash: &[Cash],
        reserve: Money,
        rate: impl Fn(Currency) -> Option<Rate>,
    ) -> Result<Purses, MoneyError> {
        let zero = Money::zero(Currency::EUR);
        let (mut purses, mut owed) = (BTreeMap::new(), reserve);
        for cash in cash.iter().filter(|cash| cash.bucket_id == CORE) {
            let ccy = cash.amount.currency();
            let free = cash.free().checked_sub(cash.reserved)?;
            match rate(ccy) {
                None if free.is_negative() => return Ok(Purses::default()),
                None => {}
                Some(rate) => {
                    let worth = money::to_eur(free, rate, Rounding::Down)?;
                    if worth.is_negative() {
                        owed = owed.checked_sub(worth)?;
                    } else {
                        let known = purses.entry(ccy).or_insert(zero);
                        *known = known.checked_add(worth)?;
                    }
                }
            }
        }
        let others = purses.keys().copied().filter(|ccy| *ccy != Currency::EUR).collect::<Vec<_>>();
        for ccy in std::iter::once(Currency::EUR).chain(others) {
            if let Some(purse) = purses.get_mut(&ccy) {
                let paid = purse.e4().min(owed.e4().max(0));
                *purse = purse.checked_sub(Money::from_e4(paid, Currency::EUR))?;
                owed = owed.checked_sub(Money::from_e4(paid, Currency::EUR))?;
            }
        }
        Ok(Purses { by_currency: purses.into_iter().map(|(ccy, purse)| (ccy, purse.e4())).collect() })
    }

    /// EUR worth of one currency that may be spent.
    #[must_use]
    pub fn of(&self, ccy: Currency) -> Money {
        Money::from_e4(self.by_currency.get(&ccy).copied().unwrap_or(0), Currency::EUR)
    }

    /// EUR worth of one currency that may be spent on purchases in it, when EUR can be exchanged for it on these terms.
    #[must_use]
    pub fn with_exchange(&self, ccy: Currency, terms: Option<&ExchangeTerms>) -> Money {
        let own = self.of(ccy);
        let Some(terms) = terms.filter(|_| ccy != Currency::EUR) else { return own };
        let more = exchange_cost::had_for(self.of(Currency::EUR), terms);
        more.and_then(|more| more.checked_add(own)).unwrap_or(own)
    }

    /// Each currency with what may be spent of it, EUR first.
    pub fn all(&self) -> impl Iterator<Item = (Currency, Money)> {
        let eur = std::iter::once(Currency::EUR);
        let others = self.by_currency.keys().copied().filter(|ccy| *ccy != Currency::EUR);
        eur.chain(others).map(|ccy| (ccy, self.of(ccy)))
    }

    /// All together.
    #[must_use]
    pub fn sum(&self) -> Money {
        let sum = self.by_currency.values().fold(0_i64, |sum, purse| sum.saturating_add(*purse));
        Money::from_e4(sum, Currency::EUR)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use money::Weight;
    use proptest::prelude::*;

    use super::*;

    fn cash(amount: &str, reserved: i64) -> Cash {
        let amount = Money::parse(amount).unwrap();
        let reserved = Money::from_units(reserved, amount.currency()).unwrap();
        Cash {
            bucket_id: CORE.into(),
            amount,
            reserved,
            pending_in: None,
            pending_out: None,
            spendable: None,
        }
    }

    fn eur(units: i64) -> Money {
        Money::from_units(units, Currency::EUR).unwrap()
    }

    fn rate(ccy: Currency) -> Option<Rate> {
        match ccy.as_str() {
            "EUR" => Some(Rate::ONE),
            "USD" => Rate::from_e9(900_000_000).ok(),
            _ => None,
        }
    }

    fn purses(cash: &[Cash], reserve: i64) -> (i64, i64) {
        let purses = Purses::new(cash, eur(reserve), rate).unwrap();
        let usd = Currency::new("USD").unwrap();
        (purses.of(Currency::EUR).e4() / 10_000, purses.of(usd).e4() / 10_000)
    }

    #[test]
    fn the_reserve_is_kept_in_eur_first() {
        assert_eq!(purses(&[cash("700 EUR", 0), cash("1000 USD", 0)], 800), (0, 800));
        assert_eq!(purses(&[cash("900 EUR", 0), cash("1000 USD", 0)], 800), (100, 900));
    }

    #[test]
    fn what_is_promised_or_owed_is_not_spent() {
        assert_eq!(purses(&[cash("900 EUR", 300), cash("-100 USD", 0)], 500), (10, 0));
        assert_eq!(purses(&[cash("-90 EUR", 0), cash("200 USD", 0)], 50), (0, 40));
        assert_eq!(purses(&[cash("100 EUR", 300), cash("1000 USD", 0)], 0), (0, 700));
    }

    #[test]
    fn euros_count_for_other_currencies_less_the_fee_and_the_room_of_an_exchange() {
        let usd = Currency::USD;
        let all = Purses::new(&[cash("1021 EUR", 0), cash("100 USD", 0)], eur(0), rate).unwrap();
        let percent = |e6| Weight::from_e6(e6).unwrap();
        let terms = ExchangeTerms { fee_e6: percent(0), least_eur: eur(1), room_e6: percent(20_000) };
        assert_eq!((all.of(usd), all.with_exchange(usd, Some(&terms))), (eur(90), eur(1_090)));
        assert_eq!(all.with_exchange(usd, None), eur(90));
        assert_eq!(
            all.with_exchange(Currency::EUR, Some(&terms)),
            eur(1_021),
            "nothing is exchanged for EUR"
        );
        let none = Purses::new(&[cash("100 USD", 0)], eur(0), rate).unwrap();
        assert_eq!(none.with_exchange(usd, Some(&terms)), eur(90));
    }

    #[test]
    fn a_debt_without_a_rate_forbids_everything() {
        assert_eq!(purses(&[cash("900 EUR", 0), cash("-1 HKD", 0)], 0), (0, 0));
        assert_eq!(purses(&[cash("900 EUR", 0), cash("10 HKD", 0)], 0), (900, 0));
    }

    #[test]
    fn amounts_that_do_not_fit_are_an_error() {
        let most = Money::from_e4(i64::MIN, Currency::EUR);
        let cash = Cash { amount: most, ..cash("0 EUR", 1) };
        assert!(Purses::new(&[cash], eur(0), rate).is_err());
    }

    proptest! {
        #[test]
        fn nothing_is_spent_that_the_reserve_or_a_debt_needs(
            eur_cash in -2_000_i64..5_000, usd in -2_000_i64..5_000, promised in 0_i64..500, reserve in 0_i64..2_000,
        ) {
            let cash = [
                Cash { reserved: eur(promised), ..cash(&format!("{eur_cash} EUR"), 0) },
                cash(&format!("{usd} USD"), 0),
            ];
            let purses = Purses::new(&cash, eur(reserve), rate).unwrap();
            prop_assert!(purses.all().all(|(_, purse)| !purse.is_negative()));
            let free = eur_cash * 10_000 + usd * 9_000 - promised * 10_000 - reserve * 10_000;
            prop_assert_eq!(purses.sum().e4(), free.max(0));
        }
    }
}
