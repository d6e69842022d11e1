//! What is held, derived from fills: quantity, average cost, and when it was bought and sold.

use std::collections::BTreeMap;

use contracts::{Id, Side};
use market::{Day, Isin, Timestamp};
use money::{Currency, Money, MoneyError, Price, Quantity, Rate, Rounding, multiply_divide};

/// Where a fill in the books comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A trade that the broker reported.
    Broker,
    /// A holding that was there before the books began.
    Import,
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
    /// Fee.
    pub fee: Option<Money>,
    /// EUR per unit when it was booked.
    pub rate: Option<Rate>,
    /// Worth in EUR when it was booked.
    pub value_eur: Option<Money>,
    /// When it happened; for imports when it was taken over.
    pub executed: Timestamp,
    /// Settlement day.
    pub settle_day: Option<Day>,
    /// Where it comes from.
    pub origin: Origin,
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
            ccy,
            opened: None,
            last_buy: None,
            last_sell: None,
            predates: false,
        }
    }

    /// The holding after a fill.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] when a quantity or the average leaves its range; nothing has changed then.
    pub(crate) fn after(
        &self,
        side: Side,
        qty: Quantity,
        price: Option<Price>,
        at: Timestamp,
    ) -> Result<Held, MoneyError> {
        let mut held = self.clone();
        match side {
            Side::Buy => {
                held.qty = self.qty.checked_add(qty)?;
                held.avg = average(self, qty, price)?;
                held.opened = if self.qty.is_positive() { self.opened } else { Some(at) };
                held.last_buy = self.last_buy.max(Some(at));
            }
            Side::Sell => {
                held.qty = self.qty.checked_sub(qty)?;
                held.last_sell = self.last_sell.max(Some(at));
                if !held.qty.is_positive() {
                    held.avg = None;
                    held.opened = None;
                    held.predates = false;
                }
            }
        }
        Ok(held)
    }
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

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    #[test]
    fn purchases_average_and_sales_keep_the_average() {
        let none = Held::nothing("RHNA.EU", Currency::EUR);
        let one = none.after(Side::Buy, units(1), price(10), at(1)).unwrap();
        let two = one.after(Side::Buy, units(3), price(20), at(2)).unwrap();
        assert_eq!((two.qty, two.avg.unwrap().e6()), (units(4), 17_500_000));
        assert_eq!((two.opened, two.last_buy, two.last_sell), (Some(at(1)), Some(at(2)), None));
        let less = two.after(Side::Sell, units(1), price(99), at(3)).unwrap();
        assert_eq!((less.avg, less.opened, less.last_sell), (two.avg, Some(at(1)), Some(at(3))));
        let gone = less.after(Side::Sell, units(3), price(99), at(4)).unwrap();
        assert_eq!((gone.qty, gone.avg, gone.opened), (Quantity::ZERO, None, None));
        let again = gone.after(Side::Buy, units(1), price(5), at(5)).unwrap();
        assert_eq!((again.opened, again.avg, again.last_sell), (Some(at(5)), price(5), Some(at(4))));
    }

    #[test]
    fn an_unknown_cost_stays_unknown() {
        let old = Held { qty: units(1), ..Held::nothing("RHNA.EU", Currency::EUR) };
        assert_eq!(old.after(Side::Buy, units(1), price(5), at(1)).unwrap().avg, None);
    }

    #[test]
    fn selling_more_than_is_held_is_kept_negative() {
        let none = Held::nothing("RHNA.EU", Currency::EUR);
        assert_eq!(none.after(Side::Sell, units(2), price(5), at(1)).unwrap().qty, units(-2));
    }

    #[test]
    fn an_overflow_changes_nothing() {
        let max = Quantity::from_e6(i64::MAX).unwrap();
        let full = Held { qty: max, avg: price(1), ..Held::nothing("RHNA.EU", Currency::EUR) };
        assert!(full.after(Side::Buy, units(1), price(5), at(1)).is_err());
    }
}
