//! What everything is worth in EUR: holdings at their prices, cash at its rates; unknown while any is missing.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use contracts::{Cash, Closed, FxRates, Id, OpenOrder, OrderState, Position, Side};
use market::{Day, Isin, Timestamp};
use money::{Currency, Money, MoneyError, Price, Quantity, Rate, Rounding, to_eur, value};

use crate::books::{Books, Fill, Held};
use crate::cash_book::pending;
use crate::limits::{CLOSED_DAYS, CLOSED_MAX, CORE};
use crate::prices::Prices;

/// What a valuation needs.
pub(crate) struct Inputs<'a> {
    pub(crate) books: &'a Books,
    pub(crate) cash: &'a BTreeMap<Currency, Money>,
    /// What the broker lets be spent; a currency that it does not name may be spent whole.
    pub(crate) spendable: &'a BTreeMap<Currency, Money>,
    pub(crate) orders: &'a BTreeMap<Id, OrderState>,
    pub(crate) prices: &'a Prices,
    pub(crate) fills: &'a BTreeMap<String, Fill>,
    pub(crate) today: Day,
    pub(crate) rates: Option<&'a FxRates>,
    pub(crate) frozen: &'a BTreeSet<Isin>,
    /// Holdings of the broker that no ISIN is known of.
    pub(crate) nameless: &'a [String],
}

/// The account valued.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Valuation {
    pub(crate) positions: Vec<Position>,
    /// What is not held any more.
    pub(crate) closed: Vec<Closed>,
    pub(crate) cash: Vec<Cash>,
    pub(crate) open_orders: Vec<OpenOrder>,
    pub(crate) unvalued: Vec<String>,
    /// Holdings and cash in EUR, when all of both is known.
    pub(crate) sums: Option<(Money, Money)>,
}

impl Valuation {
    /// Everything together.
    pub(crate) fn nav(&self) -> Option<Money> {
        let (positions, cash) = self.sums?;
        positions.checked_add(cash).ok()
    }
}

/// EUR per unit; EUR is one.
pub(crate) fn rate_of(rates: Option<&FxRates>, ccy: Currency) -> Option<Rate> {
    if ccy == Currency::EUR {
        return Some(Rate::ONE);
    }
    rates?.rates.get(&ccy).map(|rate| rate.eur_per_unit_e9)
}

/// Values the account.
pub(crate) fn valuation(inputs: &Inputs<'_>) -> Valuation {
    let mut unvalued: Vec<String> = inputs.nameless.to_vec();
    let held = inputs.books.iter().filter(|(_, held)| !held.qty.is_zero());
    let positions: Vec<Position> = held.map(|(isin, held)| position(*isin, held, inputs)).collect();
    let missing = positions.iter().filter(|position| position.value_eur.is_none());
    unvalued.extend(missing.map(|position| position.isin.to_string()));
    let reserved = reserved(inputs.orders, &mut unvalued);
    let currencies: BTreeSet<Currency> = inputs.cash.keys().chain(reserved.keys()).copied().collect();
    let mut cash = Vec::new();
    let mut cash_eur = Vec::new();
    for ccy in currencies {
        let amount = inputs.cash.get(&ccy).copied().unwrap_or(Money::zero(ccy));
        let reserved = reserved.get(&ccy).copied().unwrap_or(Money::zero(ccy));
        let (pending_in, pending_out) = pending(inputs.fills, ccy, inputs.today);
        let theirs = inputs.spendable.get(&ccy).copied().filter(|theirs| theirs.e4() < amount.e4());
        let spendable = Some(theirs.unwrap_or(amount));
        cash.push(Cash { bucket_id: CORE.into(), amount, reserved, pending_in, pending_out, spendable });
        if amount.is_zero() {
            continue;
        }
        match rate_of(inputs.rates, ccy).and_then(|rate| to_eur(amount, rate, Rounding::HalfEven).ok()) {
            Some(eur) => cash_eur.push(eur),
            None => unvalued.push(ccy.to_string()),
        }
    }
    let values = positions.iter().filter_map(|position| position.value_eur);
    let sums = sums(values, cash_eur).filter(|_| unvalued.is_empty());
    let closed = closed(inputs.books, inputs.today);
    Valuation { positions, closed, cash, open_orders: open(inputs.orders), unvalued, sums }
}

/// What is not held any more and was traded within a year; the latest, should there be too many.
fn closed(books: &Books, today: Day) -> Vec<Closed> {
    let last = |held: &Held| held.last_buy.max(held.last_sell);
    let within = |at: Timestamp| at.day_utc().days_until(today) <= CLOSED_DAYS;
    let gone = books.iter().filter(|(_, held)| held.qty.is_zero() && last(held).is_some_and(within));
    let mut gone: Vec<(&Isin, &Held)> = gone.collect();
    gone.sort_by_key(|(isin, held)| (Reverse(last(held)), **isin));
    gone.truncate(CLOSED_MAX);
    gone.sort_by_key(|(isin, _)| **isin);
    let line = |(isin, held): (&Isin, &Held)| Closed {
        isin: *isin,
        last_buy: held.last_buy,
        last_sell: held.last_sell,
    };
    gone.into_iter().map(line).collect()
}

fn sums(positions: impl Iterator<Item = Money>, cash: Vec<Money>) -> Option<(Money, Money)> {
    let positions = Money::checked_sum(Currency::EUR, positions).ok()?;
    let cash = Money::checked_sum(Currency::EUR, cash).ok()?;
    positions.checked_add(cash).ok().map(|_| (positions, cash))
}

fn position(isin: Isin, held: &Held, inputs: &Inputs<'_>) -> Position {
    // A price in another currency than the holding's is no price of it.
    let price = inputs.prices.get(&isin).filter(|known| known.ccy == held.ccy).map(|known| known.price);
    let worth = price.and_then(|price| value(price, held.qty, held.ccy, Rounding::HalfEven).ok());
    let rate = rate_of(inputs.rates, held.ccy);
    let value_eur = worth.zip(rate).and_then(|(worth, rate)| to_eur(worth, rate, Rounding::HalfEven).ok());
    Position {
        isin,
        bucket_id: CORE.into(),
        qty_e6: held.qty,
        avg_price_e6: held.avg,
        cost_eur: held.cost_eur,
        ccy: held.ccy,
        price_e6: price,
        value_eur,
        opened: held.opened,
        last_buy: held.last_buy,
        last_sell: held.last_sell,
        frozen: inputs.frozen.contains(&isin),
    }
}

/// What is left of an order; never below nothing.
pub(crate) fn left(order: &OrderState) -> Quantity {
    let left = order.qty_e6.checked_sub(order.filled_e6).unwrap_or(order.qty_e6);
    if left.is_negative() { Quantity::ZERO } else { left }
}

fn open(orders: &BTreeMap<Id, OrderState>) -> Vec<OpenOrder> {
    let open = orders.values().filter(|order| !order.status.is_final());
    open.map(|order| OpenOrder {
        order_id: order.order_id,
        isin: order.isin,
        side: order.side,
        left_e6: left(order),
        status: order.status,
    })
    .collect()
}

/// Cash promised to open purchases, and to sales of a pair, which give its base; rounded up.
fn reserved(orders: &BTreeMap<Id, OrderState>, unvalued: &mut Vec<String>) -> BTreeMap<Currency, Money> {
    let mut all: BTreeMap<Currency, Money> = BTreeMap::new();
    for order in orders.values().filter(|order| !order.status.is_final()) {
        let promised = match (order.side, contracts::pair_of(&order.isin)) {
            (Side::Buy, _) => value(order.limit_price_e6, left(order), order.ccy, Rounding::Up),
            (Side::Sell, Some((base, _))) => units(left(order), base),
            (Side::Sell, None) => continue,
        };
        let sum = promised.and_then(|promised| {
            let ccy = promised.currency();
            all.get(&ccy).copied().unwrap_or(Money::zero(ccy)).checked_add(promised)
        });
        match sum {
            Ok(sum) => drop(all.insert(sum.currency(), sum)),
            Err(_) => unvalued.push(order.order_id.to_string()),
        }
    }
    all
}

/// Units of a currency as an amount of it.
fn units(quantity: Quantity, ccy: Currency) -> Result<Money, MoneyError> {
    let one = Price::from_e6(Price::SCALE)?;
    value(one, quantity, ccy, Rounding::Up)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::{FxRate, OrderStatus, Quote, Sample, Source};
    use market::Timestamp;

    use super::*;

    fn isin() -> Isin {
        "US99S0011099".parse().unwrap()
    }

    fn priced(e6: i64, ccy: Currency) -> Prices {
        let mut prices = Prices::default();
        let quote = Quote { isin: isin(), price_e6: Price::from_e6(e6).unwrap(), ccy, ..Quote::sample() };
        prices.hear(&quote, false);
        prices
    }

    struct Case {
        books: Books,
        cash: BTreeMap<Currency, Money>,
        orders: BTreeMap<Id, OrderState>,
        prices: Prices,
        rates: Option<FxRates>,
    }

    /// Ten at 42.5 dollars, 0.5 euro each; -1.27 pounds at 1.2.
    fn case() -> Case {
        let rate = |e9| FxRate {
            eur_per_unit_e9: Rate::from_e9(e9).unwrap(),
            as_of: Timestamp::ZERO,
            source: Source::Broker,
        };
        let held = Held { qty: Quantity::from_units(10).unwrap(), ..Held::nothing("NRDW.US", Currency::USD) };
        Case {
            books: BTreeMap::from([(isin(), held)]),
            cash: BTreeMap::from([(Currency::GBP, Money::from_e4(-12_700, Currency::GBP))]),
            orders: BTreeMap::new(),
            prices: priced(42_500_000, Currency::USD),
            rates: Some(FxRates {
                rates: BTreeMap::from([
                    (Currency::USD, rate(500_000_000)),
                    (Currency::GBP, rate(1_200_000_000)),
                ]),
                at: Timestamp::ZERO,
            }),
        }
    }

    fn valued(case: &Case) -> Valuation {
        valuation(&Inputs {
            books: &case.books,
            cash: &case.cash,
            spendable: &BTreeMap::new(),
            orders: &case.orders,
            prices: &case.prices,
            fills: &BTreeMap::new(),
            today: Timestamp::ZERO.day_utc(),
            rates: case.rates.as_ref(),
            frozen: &BTreeSet::new(),
            nameless: &[],
        })
    }

    #[test]
    fn what_is_not_held_any_more_is_told_for_a_year_and_the_latest_first() {
        let day = |days: i64| Timestamp::from_ms(days * 86_400_000);
        let gone =
            |sold: Option<Timestamp>| Held { last_sell: sold, ..Held::nothing("RHNA.EU", Currency::EUR) };
        let today = day(1_000).day_utc();
        let told = |held: Held| closed(&BTreeMap::from([(isin(), held)]), today).len();
        assert_eq!(told(gone(Some(day(1_000)))), 1);
        assert_eq!(told(gone(Some(day(634)))), 1, "366 days ago");
        assert_eq!(told(gone(Some(day(633)))), 0);
        assert_eq!(told(gone(None)), 0, "it was never traded");
        let held = Held { qty: Quantity::from_units(1).unwrap(), ..gone(Some(day(1_000))) };
        assert_eq!(told(held), 0, "it is held");
    }

    #[test]
    fn holdings_and_negative_cash_add_up() {
        let all = valued(&case());
        assert_eq!(all.positions[0].value_eur.unwrap().e4(), 2_125_000);
        assert_eq!(all.cash[0].amount.e4(), -12_700, "negative cash is kept negative");
        assert_eq!(all.nav().unwrap().e4(), 2_125_000 - 15_240);
    }

    #[test]
    fn a_missing_price_or_rate_leaves_the_whole_unknown_and_named() {
        let unpriced = Case { prices: Prices::default(), ..case() };
        assert_eq!((valued(&unpriced).nav(), valued(&unpriced).unvalued), (None, vec![isin().to_string()]));
        let mut unrated = case();
        unrated.rates.as_mut().unwrap().rates.remove(&Currency::GBP);
        assert_eq!((valued(&unrated).nav(), valued(&unrated).unvalued), (None, vec!["GBP".to_string()]));
        let nothing = Case { rates: None, ..case() };
        assert_eq!(valued(&nothing).unvalued.len(), 2);
    }

    #[test]
    fn a_price_in_another_currency_is_no_price() {
        let mut wrong = case();
        wrong.prices = priced(1, Currency::EUR);
        assert_eq!(valued(&wrong).positions[0].price_e6, None);
    }

    #[test]
    fn an_overflow_is_unknown_not_wrong() {
        let mut huge = case();
        huge.books.get_mut(&isin()).unwrap().qty = Quantity::from_units(200).unwrap();
        huge.prices = priced(i64::MAX, Currency::USD);
        assert_eq!(valued(&huge).nav(), None);
    }

    #[test]
    fn open_purchases_reserve_what_is_left_of_them_and_sales_nothing() {
        let mut with = case();
        let order = OrderState {
            status: OrderStatus::Partial,
            qty_e6: Quantity::from_units(3).unwrap(),
            filled_e6: Quantity::from_units(1).unwrap(),
            limit_price_e6: Price::from_e6(10_000_001).unwrap(),
            ..OrderState::sample()
        };
        with.orders.insert(order.order_id, order.clone());
        let all = valued(&with);
        let eur = all.cash.iter().find(|cash| cash.amount.currency() == Currency::EUR).unwrap();
        assert_eq!((eur.amount.e4(), eur.reserved.e4()), (0, 200_001), "rounded up");
        assert_eq!(all.open_orders[0].left_e6, Quantity::from_units(2).unwrap());
        let eur_usd = contracts::pair_isin(Currency::EUR, Currency::USD).unwrap();
        let sale = OrderState { side: Side::Sell, isin: eur_usd, ccy: Currency::USD, ..order.clone() };
        with.orders.insert(order.order_id, sale);
        let all = valued(&with);
        let eur = all.cash.iter().find(|cash| cash.amount.currency() == Currency::EUR).unwrap();
        assert_eq!(eur.reserved.e4(), 20_000, "a sale of a pair gives its base");
        assert!(all.cash.iter().all(|cash| cash.amount.currency() != Currency::USD));
        for (side, status) in [(Side::Sell, OrderStatus::Partial), (Side::Buy, OrderStatus::Cancelled)] {
            with.orders.insert(order.order_id, OrderState { side, status, ..order.clone() });
            assert!(valued(&with).cash.iter().all(|cash| cash.reserved.is_zero()), "{side:?} {status:?}");
        }
    }
}
