//! What the end of a day is made of: each holding with its price, how old that was and its rate, and cash by
//! currency. From these rows the day can be computed again, whatever prices and rates become later.

use contracts::FxRates;
use market::{Isin, Timestamp};
use money::{Currency, Money, Price, Quantity, Rate, Rounding, to_eur};

use crate::prices::Prices;
use crate::value::{Valuation, rate_of};

/// One holding at the end of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldingEnd {
    /// Which security.
    pub isin: Isin,
    /// How many.
    pub qty: Quantity,
    /// Price of one, in its own currency.
    pub price: Price,
    /// Trading currency.
    pub ccy: Currency,
    /// When that price was made.
    pub priced: Timestamp,
    /// EUR per unit of the currency.
    pub rate: Rate,
    /// Worth in EUR.
    pub value: Money,
}

/// Cash of one currency at the end of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CashEnd {
    /// How much of it.
    pub amount: Money,
    /// EUR per unit.
    pub rate: Rate,
    /// Worth in EUR.
    pub value: Money,
}

/// Holdings and cash of a day.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Closing {
    /// By ISIN.
    pub holdings: Vec<HoldingEnd>,
    /// By currency.
    pub cash: Vec<CashEnd>,
}

impl Closing {
    /// What one unit of a currency was worth in EUR, if anything of the day tells.
    pub(crate) fn rate(&self, ccy: Currency) -> Option<Rate> {
        if ccy == Currency::EUR {
            return Some(Rate::ONE);
        }
        let of_cash = self.cash.iter().find(|cash| cash.amount.currency() == ccy).map(|cash| cash.rate);
        of_cash.or_else(|| self.holdings.iter().find(|held| held.ccy == ccy).map(|held| held.rate))
    }
}

/// What a valuation consists of. Only one without gaps has a worth, so nothing of it is left out but cash of nothing
/// whose rate nobody knows.
pub(crate) fn closing(all: &Valuation, prices: &Prices, rates: Option<&FxRates>) -> Closing {
    let holdings = all.positions.iter().filter_map(|position| {
        Some(HoldingEnd {
            isin: position.isin,
            qty: position.qty_e6,
            price: position.price_e6?,
            ccy: position.ccy,
            priced: prices.get(&position.isin)?.at,
            rate: rate_of(rates, position.ccy)?,
            value: position.value_eur?,
        })
    });
    let cash = all.cash.iter().filter_map(|cash| {
        let rate = rate_of(rates, cash.amount.currency())?;
        let value = to_eur(cash.amount, rate, Rounding::HalfEven).ok()?;
        Some(CashEnd { amount: cash.amount, rate, value })
    });
    Closing { holdings: holdings.collect(), cash: cash.collect() }
}
