//! What is held, derived from fills: quantity, average cost, and when it was bought and sold.

use std::collections::BTreeMap;

use contracts::{Id, Side};
use market::{Day, Isin, Timestamp};
use money::{Currency, Money, MoneyError, Price, Quantity, Rate, Rounding, multiply_divide, value};

/// Where a fill in the books comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A trade that the broker reported.
    Broker,
    /// A holding that was there before the books began.
    Import,
    /// A line of an imported ledger.
    Csv,
}

/// One fill, the truth of positions.
#[derive(Debug, Clone, PartialEq)]
pub struct Fill {
    /// Key.
    pub fill_id: Id,
    /// The broker's id; imports have none.
    pub trade_id: Option<String>,
    /// The broker's order.
    pub broker_order_id: Option<String>,
    /// Our order, once known.
    pub order_id: Option<Id>,
    /// Security; exchanges of currencies have none.
    pub isin: Option<Isin>,
    /// The broker's ticker.
    pub ticker: String,
    /// Bought or sold.
    pub side: Side,
    /// How many.
    pub qty: Quantity,
    /// Price of one; unknown for some imports.
    pub price: Option<Price>,
    /// Trading currency.
    pub ccy: Option<Currency>,
    /// What was paid or received for it, the fee left out.
    pub amount: Option<Money>,
    /// Fee.
    pub fee: Option<Money>,
    /// EUR per unit when it was booked.
    pub rate: Option<Rate>,
    /// Worth in EUR when it was booked.
    pub value_eur: Option<Money>,
    /// When it happened; for imports when it was taken over.
    pub executed: Timestamp,
    /// When it came into the books.
    pub booked: Timestamp,
    /// Settlement day.
    pub settle_day: Option<Day>,
    /// Where it comes from.
    pub origin: Origin,
    /// Its cash was there already when the cash of the books began.
    pub in_opening: bool,
}

/// One holding of the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The broker's ticker.
    pub ticker: String,
    /// How many; negative is kept negative.
    pub qty: Quantity,
    /// Average cost of one, if known.
    pub avg: Option<Price>,
    /// What all of it cost in EUR, each purchase at its day's rate, if known.
    pub cost_eur: Option<Money>,
    /// Trading currency.
    pub ccy: Currency,
    /// First purchase.
    pub opened: Option<Timestamp>,
    /// Last purchase.
    pub last_buy: Option<Timestamp>,
    /// Last sale.
    pub last_sell: Option<Timestamp>,
    /// Older than the books.
    pub predates: bool,
}

/// All holdings.
pub type Books = BTreeMap<Isin, Held>;

impl Held {
    /// Nothing, before the first fill.
    pub(crate) fn nothing(ticker: &str, ccy: Currency) -> Held {
        let ticker = ticker.to_owned();
        Held {
            ticker,
            qty: Quantity::ZERO,
            avg: None,
            cost_eur: None,
            ccy,
            opened: None,
            last_buy: None,
            last_sell: None,
            predates: false,
        }
    }

    /// The holding after a trade.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] when a quantity or a cost leaves its range; nothing has changed then.
    pub(crate) fn after(&self, trade: &Traded) -> Result<Held, MoneyError> {
        let Traded { side, qty, price, eur, at } = *trade;
        let mut held = self.clone();
        match side {
            Side::Buy => {
                held.qty = self.qty.checked_add(qty)?;
                held.avg = average(self, qty, price)?;
                held.cost_eur = match (self.qty.is_positive(), self.cost_eur, eur) {
                    (false, _, eur) => eur,
                    (true, Some(before), Some(eur)) => Some(before.checked_add(eur)?),
                    (true, ..) => None,
                };
                held.opened = if self.qty.is_positive() { self.opened } else { Some(at) };
                held.last_buy = self.last_buy.max(Some(at));
            }
            Side::Sell => {
                held.qty = self.qty.checked_sub(qty)?;
                held.last_sell = self.last_sell.max(Some(at));
                if held.qty.is_positive() {
                    held.cost_eur = part(self.cost_eur, held.qty, self.qty)?;
                } else {
                    held.empty();
                }
            }
        }
        Ok(held)
    }

    /// The holding after a split: `before` units became `after`, of which `left` are there; the cost of a fraction
    /// that was paid out has gone with it.
    ///
    /// # Errors
    /// As [`Held::after`].
    pub(crate) fn split(&self, before: i64, after: i64, left: Quantity) -> Result<Held, MoneyError> {
        assert!(before > 0 && after > 0, "a split names both sides");
        let rebased = |avg: Price| {
            let e6 = multiply_divide(avg.e6().into(), before.into(), after.into(), Rounding::HalfEven)?;
            Price::from_e6(i64::try_from(e6).map_err(|_| MoneyError::Overflow { operation: "average cost" })?)
        };
        let exact = multiply_divide(self.qty.e6().into(), after.into(), before.into(), Rounding::HalfEven)?;
        let exact = i64::try_from(exact).map_err(|_| MoneyError::Overflow { operation: "split" })?;
        let mut held = self.clone();
        held.qty = left;
        if left.is_positive() {
            held.avg = self.avg.map(rebased).transpose()?;
            held.cost_eur = part(self.cost_eur, left, Quantity::from_e6(exact)?)?;
        } else {
            held.empty();
        }
        Ok(held)
    }

    /// Nothing is left: nothing has a cost or a beginning.
    pub(crate) fn empty(&mut self) {
        self.avg = None;
        self.cost_eur = None;
        self.opened = None;
        self.predates = false;
    }

    /// What all of it cost in the trading currency, if known.
    pub(crate) fn cost(&self) -> Option<Money> {
        value(self.avg?, self.qty, self.ccy, Rounding::HalfEven).ok()
    }
}

/// A purchase or sale as far as it changes a holding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Traded {
    pub(crate) side: Side,
    pub(crate) qty: Quantity,
    pub(crate) price: Option<Price>,
    /// Worth in EUR at the day's rate.
    pub(crate) eur: Option<Money>,
    pub(crate) at: Timestamp,
}

impl From<&Fill> for Traded {
    fn from(fill: &Fill) -> Traded {
        Traded { side: fill.side, qty: fill.qty, price: fill.price, eur: fill.value_eur, at: fill.executed }
    }
}

/// The share of a cost that stays when `left` of `all` stay.
fn part(cost: Option<Money>, left: Quantity, all: Quantity) -> Result<Option<Money>, MoneyError> {
    if all <= left {
        return Ok(cost);
    }
    cost.map(|cost| cost.scale(left.e6(), all.e6(), Rounding::HalfEven)).transpose()
}

/// Average cost after a purchase; unknown when either part is.
fn average(held: &Held, qty: Quantity, price: Option<Price>) -> Result<Option<Price>, MoneyError> {
    if !held.qty.is_positive() {
        return Ok(price);
    }
    let (Some(before), Some(price)) = (held.avg, price) else { return Ok(None) };
    let cost = |price: Price, qty: Quantity| i128::from(price.e6()).checked_mul(i128::from(qty.e6()));
    let overflow = MoneyError::Overflow { operation: "average cost" };
    let total = cost(before, held.qty).zip(cost(price, qty)).and_then(|(old, new)| old.checked_add(new));
    let units = held.qty.checked_add(qty)?;
    let e6 = multiply_divide(total.ok_or(overflow.clone())?, 1, i128::from(units.e6()), Rounding::HalfEven)?;
    Price::from_e6(i64::try_from(e6).map_err(|_| overflow)?).map(Some)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn units(n: i64) -> Quantity {
        Quantity::from_units(n).unwrap()
    }

    fn price(units: i64) -> Option<Price> {
        Some(Price::from_e6(units * 1_000_000).unwrap())
    }

    fn trade(side: Side, n: i64, each: i64, ms: i64) -> Traded {
        let eur = Money::from_units(n * each / 2, Currency::EUR).ok();
        Traded { side, qty: units(n), price: price(each), eur, at: at(ms) }
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    fn dollars() -> Held {
        Held::nothing("NRDW.US", Currency::USD)
    }

    #[test]
    fn purchases_average_and_sales_keep_the_average_in_both_currencies() {
        let one = dollars().after(&trade(Side::Buy, 2, 10, 1)).unwrap();
        let two = one.after(&trade(Side::Buy, 6, 20, 2)).unwrap();
        assert_eq!((two.qty, two.avg.unwrap().e6()), (units(8), 17_500_000));
        assert_eq!((two.cost().unwrap().e4(), two.cost_eur.unwrap().e4()), (1_400_000, 700_000));
        assert_eq!((two.opened, two.last_buy, two.last_sell), (Some(at(1)), Some(at(2)), None));
        let less = two.after(&trade(Side::Sell, 2, 99, 3)).unwrap();
        assert_eq!((less.avg, less.opened, less.last_sell), (two.avg, Some(at(1)), Some(at(3))));
        assert_eq!(less.cost_eur.unwrap().e4(), 525_000, "three quarters of it");
        let gone = less.after(&trade(Side::Sell, 6, 99, 4)).unwrap();
        assert_eq!((gone.qty, gone.avg, gone.cost_eur, gone.opened), (Quantity::ZERO, None, None, None));
        let again = gone.after(&trade(Side::Buy, 2, 5, 5)).unwrap();
        assert_eq!((again.opened, again.avg, again.last_sell), (Some(at(5)), price(5), Some(at(4))));
    }

    #[test]
    fn an_unknown_cost_stays_unknown() {
        let old = Held { qty: units(1), ..dollars() };
        let more = old.after(&trade(Side::Buy, 2, 5, 1)).unwrap();
        assert_eq!((more.avg, more.cost_eur), (None, None));
        let known = dollars().after(&trade(Side::Buy, 2, 5, 1)).unwrap();
        let unrated = Traded { eur: None, ..trade(Side::Buy, 2, 5, 2) };
        assert_eq!(known.after(&unrated).unwrap().cost_eur, None);
    }

    #[test]
    fn selling_more_than_is_held_is_kept_negative() {
        assert_eq!(dollars().after(&trade(Side::Sell, 2, 5, 1)).unwrap().qty, units(-2));
    }

    #[test]
    fn a_split_changes_quantity_and_average_and_keeps_the_cost() {
        let held = dollars().after(&trade(Side::Buy, 6, 100, 1)).unwrap();
        let four = held.split(1, 4, units(24)).unwrap();
        assert_eq!((four.qty, four.avg, four.cost()), (units(24), price(25), held.cost()));
        assert_eq!((four.cost_eur, four.opened), (held.cost_eur, held.opened));
    }

    #[test]
    fn the_cost_of_a_fraction_goes_with_it() {
        let held = dollars().after(&trade(Side::Buy, 25, 4, 1)).unwrap();
        let two = held.split(10, 1, units(2)).unwrap();
        assert_eq!((two.avg, two.cost().unwrap().e4()), (price(40), 800_000));
        assert_eq!(two.cost_eur.unwrap().e4(), 400_000, "two of two and a half");
        let none = held.split(100, 1, units(0)).unwrap();
        assert_eq!((none.qty, none.avg, none.cost_eur, none.opened), (units(0), None, None, None));
    }

    #[test]
    fn an_overflow_changes_nothing() {
        let max = Quantity::from_e6(i64::MAX).unwrap();
        let full = Held { qty: max, avg: price(1), ..dollars() };
        assert!(full.after(&trade(Side::Buy, 2, 5, 1)).is_err());
        assert!(full.split(1, 2, max).is_err());
    }
}
