//! Our books against the broker's: what differs, what of it is confirmed, and which answers are doubtful.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{Id, OrderState};
use market::{Day, Isin, Timestamp};
use money::{Currency, Money, Price, Quantity};

use crate::books::{Books, Fill, Held};
use crate::limits::{DOUBT_MS, EQUAL_ANSWERS, EXCHANGE_TOLD_DAYS};

/// One holding as the broker reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// The broker's ticker.
    pub ticker: String,
    /// How many.
    pub qty: Quantity,
    /// Average cost.
    pub avg: Option<Price>,
    /// Trading currency.
    pub ccy: Currency,
}

/// The account as the broker reports it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    /// Holdings.
    pub held: BTreeMap<Isin, Reported>,
    /// Cash, what is under way to it included.
    pub cash: BTreeMap<Currency, Money>,
    /// What may be spent of it now: settled, and less what is still to be paid.
    pub spendable: BTreeMap<Currency, Money>,
    /// What is under way in each currency, incoming less outgoing, as the broker says; nothing where nothing is.
    pub under_way: BTreeMap<Currency, Money>,
}

impl Account {
    fn is_empty(&self) -> bool {
        self.held.is_empty() && self.cash.is_empty()
    }

    /// Tells whether an answer says suspiciously less than the one before: nothing, no cash, or less than
    /// half of the holdings. The very first answer is suspicious when it is empty.
    pub(crate) fn shrank_from(&self, before: Option<&Account>) -> bool {
        let Some(before) = before else { return self.is_empty() };
        let emptied = (self.held.is_empty() && !before.held.is_empty())
            || (self.cash.is_empty() && !before.cash.is_empty());
        emptied || self.held.len().saturating_mul(2) < before.held.len()
    }

    /// Counts what is under way as cash, as the books do. Nobody knows whether the broker's own figure counts it already:
    /// it does not where the books agree with both together, and books that only begin take it that way.
    pub(crate) fn count_under_way(&mut self, ours: Option<&BTreeMap<Currency, Money>>) {
        for (ccy, under_way) in std::mem::take(&mut self.under_way) {
            let known = self.cash.get(&ccy).copied().unwrap_or(Money::zero(ccy));
            let Ok(both) = known.checked_add(under_way) else { continue };
            if ours.is_none_or(|ours| ours.get(&ccy) == Some(&both)) {
                self.cash.insert(ccy, both);
            }
        }
    }

    /// Tells whether these are exactly the quantities of the books.
    pub(crate) fn equals(&self, books: &Books) -> bool {
        let ours = books.iter().filter(|(_, held)| !held.qty.is_zero()).map(|(isin, held)| (isin, held.qty));
        let theirs =
            self.held.iter().filter(|(_, held)| !held.qty.is_zero()).map(|(isin, held)| (isin, held.qty));
        ours.eq(theirs)
    }
}

/// Doubtful answers: how many equal ones came in a row, and when the last of them counted.
#[derive(Debug, Default)]
pub(crate) struct Doubtful {
    last: Option<(Account, Timestamp)>,
    times: usize,
}

impl Doubtful {
    /// Counts one more; true once it has come often enough to be believed. Answers in quick succession are one:
    /// whoever asks three times within a second learns no more than from asking once.
    pub(crate) fn count(&mut self, answer: &Account, now: Timestamp) -> bool {
        match &mut self.last {
            Some((last, at)) if last == answer => {
                if now.since(*at) >= DOUBT_MS {
                    *at = now;
                    self.times += 1;
                }
            }
            _ => {
                self.last = Some((answer.clone(), now));
                self.times = 1;
            }
        }
        self.times >= EQUAL_ANSWERS
    }

    pub(crate) fn forget(&mut self) {
        *self = Doubtful::default();
    }
}

/// Differences seen, each with when it was first seen like this.
#[derive(Debug)]
pub(crate) struct Watch<K> {
    seen: BTreeMap<K, (Timestamp, String)>,
}

impl<K> Default for Watch<K> {
    fn default() -> Self {
        Watch { seen: BTreeMap::new() }
    }
}

impl<K: Ord + Copy> Watch<K> {
    /// Takes what one reading shows and returns what is confirmed: seen before, the same, long enough ago.
    pub(crate) fn observe(&mut self, found: &BTreeMap<K, String>, now: Timestamp) -> BTreeMap<K, String> {
        self.seen.retain(|key, (_, text)| found.get(key) == Some(text));
        for (key, text) in found {
            self.seen.entry(*key).or_insert_with(|| (now, text.clone()));
        }
        let old = |since: &Timestamp| now.since(*since) >= DOUBT_MS;
        let confirmed = self.seen.iter().filter(|(_, (since, _))| old(since));
        confirmed.map(|(key, (_, text))| (*key, text.clone())).collect()
    }

    /// When what is not confirmed yet should be looked at again.
    pub(crate) fn again_at(&self, now: Timestamp) -> Option<Timestamp> {
        let due = self.seen.values().map(|(since, _)| since.saturating_plus_ms(DOUBT_MS));
        due.filter(|then| *then > now).min()
    }
}

/// What our side of a comparison consists of.
pub(crate) struct Ours<'a> {
    pub(crate) books: &'a Books,
    pub(crate) fills: &'a BTreeMap<String, Fill>,
    pub(crate) before: &'a BTreeSet<String>,
    pub(crate) orders: &'a BTreeMap<Id, OrderState>,
    pub(crate) today: Day,
}

/// Lists every difference, by security, as one sentence each.
pub(crate) fn differences(
    ours: &Ours<'_>,
    account: &Account,
    foreign: &[(Isin, String)],
) -> BTreeMap<Isin, String> {
    let mut all: BTreeMap<Isin, Vec<String>> = BTreeMap::new();
    let isins: BTreeSet<&Isin> = ours.books.keys().chain(account.held.keys()).collect();
    for isin in isins {
        let held = ours.books.get(isin).map_or(Quantity::ZERO, |held| held.qty);
        let reported = account.held.get(isin).map_or(Quantity::ZERO, |held| held.qty);
        if held != reported {
            all.entry(*isin).or_default().push(format!("we hold {held}, the broker says {reported}"));
        } else if held.is_negative() {
            all.entry(*isin).or_default().push(format!("{held} are held, fewer than none"));
        }
    }
    for (isin, text) in orders_against_fills(ours).into_iter().chain(fills_against_orders(ours)) {
        all.entry(isin).or_default().push(text);
    }
    for (isin, text) in foreign {
        all.entry(*isin).or_default().push(text.clone());
    }
    all.into_iter().map(|(isin, texts)| (isin, texts.join("; "))).collect()
}

/// Holdings of which books and broker know the same number, but whose units cost on average more than a thousandth more
/// or less in one than in the other. It is not known whether the real broker's average has the fees in it, so this is
/// told and freezes nothing.
pub(crate) fn averages(books: &Books, account: &Account) -> BTreeMap<Isin, String> {
    let differs = |(isin, held): (&Isin, &Held)| {
        let reported = account.held.get(isin).filter(|reported| reported.qty == held.qty)?;
        let (ours, theirs) = (held.avg?, reported.avg?);
        let apart = (i128::from(ours.e6()) - i128::from(theirs.e6())).abs();
        (apart * 1_000 > i128::from(ours.e6()))
            .then(|| (*isin, format!("{isin} cost {ours} on average here, {theirs} at the broker")))
    };
    books.iter().filter(|(_, held)| !held.qty.is_zero()).filter_map(differs).collect()
}

fn orders_against_fills(ours: &Ours<'_>) -> Vec<(Isin, String)> {
    let mut found = Vec::new();
    for order in ours.orders.values() {
        for fill in &order.fills {
            let id = &fill.trade_id;
            match ours.fills.get(id) {
                None if ours.before.contains(id) => {}
                None => found.push((
                    order.isin,
                    format!("fill {id} of order {} is no trade of the broker", order.order_id),
                )),
                Some(booked) if booked.qty == fill.qty_e6 && booked.price == Some(fill.price_e6) => {}
                Some(_) => found.push((
                    order.isin,
                    format!("fill {id} of order {} differs from the broker's trade", order.order_id),
                )),
            }
        }
    }
    found
}

fn fills_against_orders(ours: &Ours<'_>) -> Vec<(Isin, String)> {
    let orphan = |fill: &&Fill| fill.order_id.is_none() && fill.trade_id.is_some();
    let orphans = ours.fills.values().filter(orphan);
    // A pair is never held: once it was told that it was exchanged, nothing of it remains in doubt.
    let lasts = |fill: &Fill| fill.booked.day_utc().days_until(ours.today) < EXCHANGE_TOLD_DAYS;
    orphans
        .filter_map(|fill| {
            let of = fill.isin.or_else(|| pair(&fill.ticker).filter(|_| lasts(fill)))?;
            Some((of, format!("trade {} has no order of ours", fill.trade_id.as_ref()?)))
        })
        .collect()
}

/// The number under which an exchange of two currencies goes, by its ticker.
pub(crate) fn pair(ticker: &str) -> Option<Isin> {
    let (base, quote) = ticker.split_once('/')?;
    contracts::pair_isin(base.parse().ok()?, quote.parse().ok()?)
}

/// What people call it: the pair of an exchange, the ISIN of a security.
pub(crate) fn called(isin: &Isin) -> String {
    contracts::pair_of(isin).map_or_else(|| isin.to_string(), |(base, quote)| format!("{base}/{quote}"))
}

/// Finds our order behind a trade: by the fill's id, or by the broker's order.
pub(crate) fn order_of(
    orders: &BTreeMap<Id, OrderState>,
    trade_id: &str,
    broker_order_id: Option<&str>,
) -> Option<Id> {
    let by_fill = |order: &&OrderState| order.fills.iter().any(|fill| fill.trade_id == trade_id);
    let by_order = |order: &&OrderState| {
        broker_order_id.is_some() && order.broker_order_id.as_deref() == broker_order_id
    };
    orders.values().find(by_fill).or_else(|| orders.values().find(by_order)).map(|order| order.order_id)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn isin(text: &str) -> Isin {
        text.parse().unwrap()
    }

    fn account(held: &[(&str, i64)], cash: i64) -> Account {
        let reported = |units: i64| Reported {
            ticker: "X".into(),
            qty: Quantity::from_units(units).unwrap(),
            avg: None,
            ccy: Currency::EUR,
        };
        let held = held.iter().map(|(text, units)| (isin(text), reported(*units))).collect();
        let cash = BTreeMap::from([(Currency::EUR, Money::from_e4(cash, Currency::EUR))]);
        Account { held, cash, ..Account::default() }
    }

    const A: &str = "DE000SMX0015";
    const B: &str = "DE000SMX0023";
    const C: &str = "DE000SMX0031";

    #[test]
    fn nothing_and_less_than_half_are_doubtful_half_is_not() {
        let full = account(&[(A, 1), (B, 1), (C, 1)], 5);
        let four = account(&[(A, 1), (B, 1), (C, 1), ("US99S0011099", 1)], 5);
        let table = [
            (account(&[], 5), Some(&full), true),
            (Account::default(), Some(&full), true),
            (Account { cash: BTreeMap::new(), ..full.clone() }, Some(&full), true),
            (account(&[(A, 1)], 5), Some(&full), true),
            (account(&[(A, 1), (B, 1)], 5), Some(&four), false),
            (account(&[(A, 1)], 5), Some(&four), true),
            (full.clone(), Some(&full), false),
            (Account::default(), None, true),
            (account(&[], 5), None, false),
        ];
        for (answer, before, expected) in table {
            assert_eq!(answer.shrank_from(before), expected, "{answer:?}");
        }
    }

    #[test]
    fn averages_may_differ_by_a_thousandth_and_only_of_the_same_number() {
        let differs = |ours: Option<i64>, theirs: Option<i64>, held: i64| {
            let price = |e6: Option<i64>| e6.map(|e6| Price::from_e6(e6).unwrap());
            let mut account = account(&[(A, 2)], 0);
            account.held.get_mut(&isin(A)).unwrap().avg = price(theirs);
            let nothing = Held::nothing("X", Currency::EUR);
            let held = Held { qty: Quantity::from_units(held).unwrap(), avg: price(ours), ..nothing };
            !averages(&BTreeMap::from([(isin(A), held)]), &account).is_empty()
        };
        for (ours, theirs, expected) in [
            (Some(1_000_000), Some(1_001_000), false),
            (Some(1_000_000), Some(1_001_001), true),
            (Some(1_000_000), Some(999_000), false),
            (Some(1_000_000), Some(998_999), true),
            (Some(i64::MAX), Some(0), true),
            (None, Some(1), false),
            (Some(1), None, false),
        ] {
            assert_eq!(differs(ours, theirs, 2), expected, "{ours:?} {theirs:?}");
        }
        assert!(!differs(Some(1_000_000), Some(9_000_000), 3), "another number is another trouble");
    }

    #[test]
    fn what_is_under_way_counts_where_the_books_say_so() {
        let eur = |e4| Money::from_e4(e4, Currency::EUR);
        let with = |ours: Option<i64>| {
            let mut account = Account { under_way: [(Currency::EUR, eur(30))].into(), ..account(&[], 100) };
            account.count_under_way(ours.map(|e4| [(Currency::EUR, eur(e4))].into()).as_ref());
            assert!(account.under_way.is_empty());
            account.cash[&Currency::EUR].e4()
        };
        assert_eq!(with(Some(130)), 130, "the broker's figure leaves it out");
        assert_eq!(with(Some(100)), 100, "the broker's figure has it already");
        assert_eq!(with(Some(99)), 100, "a difference stays a difference");
        assert_eq!(with(None), 130, "books that begin");
    }

    #[test]
    fn three_equal_doubtful_answers_are_believed_and_another_one_starts_anew() {
        let mut doubtful = Doubtful::default();
        let (one, two) = (account(&[], 1), account(&[], 2));
        let heard = [(&one, 0), (&one, 1), (&two, 2), (&two, 3), (&two, 4)]
            .map(|(answer, minute)| doubtful.count(answer, Timestamp::from_ms(minute * DOUBT_MS)));
        assert_eq!(heard, [false, false, false, false, true]);
    }

    #[test]
    fn doubtful_answers_count_only_a_minute_after_each_other() {
        let mut doubtful = Doubtful::default();
        let one = account(&[], 1);
        let times =
            [0, 1, 2, DOUBT_MS - 1, DOUBT_MS, DOUBT_MS + 1, 2 * DOUBT_MS - 1, 2 * DOUBT_MS, 2 * DOUBT_MS + 1];
        let heard = times.map(|ms| doubtful.count(&one, Timestamp::from_ms(ms)));
        assert_eq!(heard, [false, false, false, false, false, false, false, true, true]);
        doubtful.forget();
        assert!(!doubtful.count(&one, Timestamp::from_ms(9 * DOUBT_MS)));
    }

    #[test]
    fn a_difference_counts_only_after_a_minute_and_unchanged() {
        let mut watch = Watch::default();
        let at = Timestamp::from_ms;
        let found = |text: &str| BTreeMap::from([(isin(A), text.to_owned())]);
        assert!(watch.observe(&found("x"), at(0)).is_empty());
        assert_eq!(watch.again_at(at(0)), Some(at(DOUBT_MS)));
        assert!(watch.observe(&found("x"), at(DOUBT_MS - 1)).is_empty());
        assert_eq!(watch.observe(&found("x"), at(DOUBT_MS)), found("x"));
        assert!(watch.observe(&found("y"), at(DOUBT_MS + 1)).is_empty(), "another difference begins anew");
        assert!(watch.observe(&BTreeMap::new(), at(3 * DOUBT_MS)).is_empty());
    }
}
