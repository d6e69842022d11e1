//! Which settlements on the statement are the other side of a booked trade, and which moved cash that nothing else tells.

use std::collections::{BTreeMap, BTreeSet};

use market::{Day, Timestamp};
use money::{Currency, Money};
use tradernet::commands::flow_class::{FlowClass, FlowKind};

use crate::books::Fill;
use crate::cash_book::{moved, trade_of};
use crate::flows::Booked;
use crate::limits::SETTLEMENT_DAYS;

/// An amount that a trade moved, and when.
type Side = (Currency, i64, Day);

/// The keys of the settlements since the books began that no trade explains: neither by its id in the text, nor by an
/// amount that it moved within a few days, with its fee or without, alone or together with the rest of its order. Each
/// amount explains one settlement. What settles in the first days belongs to trades from before the books.
pub(crate) fn loose(
    fills: &BTreeMap<String, Fill>,
    before: &BTreeSet<String>,
    flows: &BTreeMap<String, Booked>,
    began: Option<Timestamp>,
) -> BTreeSet<String> {
    let since = began.map(|began| began.day_utc().plus_days(SETTLEMENT_DAYS));
    let is_open = |booked: &&Booked| {
        let settles = FlowKind::of(&booked.raw_type).class == FlowClass::Settlement;
        let known = |trade: &str| fills.contains_key(trade) || before.contains(trade);
        let named = || trade_of(&booked.flow.text).is_some_and(known);
        settles
            && booked.seen > Timestamp::ZERO
            && since.is_none_or(|since| booked.flow.day > since)
            && !named()
    };
    let open: Vec<&Booked> = flows.values().filter(is_open).collect();
    if open.is_empty() {
        return BTreeSet::new();
    }
    let mut sides = sides(fills);
    let mut loose = BTreeSet::new();
    for booked in open {
        let (amount, day) = (booked.flow.amount, booked.flow.day);
        let explains = |(_, (ccy, e4, traded)): &(usize, &Side)| {
            (*ccy, *e4) == (amount.currency(), amount.e4()) && traded.days_until(day).abs() <= SETTLEMENT_DAYS
        };
        let apart = |(_, (.., traded)): &(usize, &Side)| traded.days_until(day).abs();
        match sides.iter().enumerate().filter(explains).min_by_key(apart).map(|(at, _)| at) {
            Some(at) => drop(sides.swap_remove(at)),
            None => drop(loose.insert(booked.key.clone())),
        }
    }
    loose
}

/// What people are told of them.
pub(crate) fn told(loose: &BTreeSet<String>, flows: &BTreeMap<String, Booked>, today: Day) -> Option<String> {
    let recent = |booked: &&Booked| booked.flow.day.days_until(today) <= crate::limits::FLOW_OVERLAP_DAYS;
    let lines: Vec<String> = loose
        .iter()
        .filter_map(|key| flows.get(key))
        .filter(recent)
        .map(|booked| format!("{} of {} on {}", booked.raw_type, booked.flow.amount, booked.flow.day))
        .collect();
    (!lines.is_empty()).then(|| {
        format!("settlements that belong to no known trade count as they stand: {}", lines.join("; "))
    })
}

fn sides(fills: &BTreeMap<String, Fill>) -> Vec<Side> {
    let mut sides = Vec::new();
    let mut orders: BTreeMap<&str, (usize, Day, BTreeMap<Currency, i64>)> = BTreeMap::new();
    for fill in fills.values().filter(|fill| !fill.in_opening) {
        let day = fill.executed.day_utc();
        let Ok(moved) = moved(fill) else { continue };
        sides.extend(moved.iter().map(|moved| (moved.currency(), moved.e4(), day)));
        if let Some(net) = net(fill, &moved) {
            sides.push((net.currency(), net.e4(), day));
        }
        if let Some(order) = fill.broker_order_id.as_deref() {
            let (parts, _, sums) = orders.entry(order).or_insert((0, day, BTreeMap::new()));
            *parts += 1;
            for moved in moved.iter().filter(|moved| !is_fee(fill, moved)) {
                let sum = sums.entry(moved.currency()).or_default();
                *sum = sum.saturating_add(moved.e4());
            }
        }
    }
    let whole = orders.into_values().filter(|(parts, ..)| *parts > 1);
    sides.extend(whole.flat_map(|(_, day, sums)| sums.into_iter().map(move |(ccy, e4)| (ccy, e4, day))));
    sides
}

/// The amount of a trade less its fee, where both are of one currency.
fn net(fill: &Fill, moved: &[Money]) -> Option<Money> {
    let (amount, fee) = (moved.first()?, fill.fee?);
    amount.checked_sub(fee).ok()
}

fn is_fee(fill: &Fill, moved: &Money) -> bool {
    fill.fee.is_some_and(|fee| fee.checked_neg() == Ok(*moved))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::cash_book::tests::fill;
    use crate::flows::tests::booked;

    const DAY_MS: i64 = 86_400_000;

    /// Ten bought for 20.00 and 1.00 of fee, on the day on which flows of these tests are.
    fn bought(id: &str) -> (String, Fill) {
        let (id, fill) = fill(id, "RHNA.EU", contracts::Side::Buy, 10, Some(10_000));
        (
            id,
            Fill {
                executed: Timestamp::from_ms(20_514 * DAY_MS),
                broker_order_id: Some("55".into()),
                ..fill
            },
        )
    }

    fn settlement(key: &str, e4: i64) -> (String, Booked) {
        let row = booked(key, "otc_trade", e4, 1);
        (key.into(), row)
    }

    fn left(fills: &[(String, Fill)], flows: &[(String, Booked)]) -> Vec<String> {
        let (fills, flows) = (fills.iter().cloned().collect(), flows.iter().cloned().collect());
        loose(&fills, &BTreeSet::new(), &flows, Some(Timestamp::ZERO)).into_iter().collect()
    }

    #[test]
    fn a_settlement_belongs_to_the_trade_that_moved_its_amount_once() {
        for e4 in [-200_000, -210_000, -10_000] {
            assert!(left(&[bought("7")], &[settlement("a", e4)]).is_empty(), "{e4}");
        }
        for e4 in [-200_001, 200_000] {
            assert_eq!(left(&[bought("7")], &[settlement("a", e4)]), ["a"], "{e4}");
        }
        assert_eq!(left(&[bought("7")], &[settlement("a", -200_000), settlement("b", -200_000)]), ["b"]);
        let parts = [bought("7"), bought("8")];
        assert!(left(&parts, &[settlement("a", -400_000)]).is_empty(), "the whole order at once");
        assert_eq!(left(&[], &[settlement("a", -1)]), ["a"]);
        let (key, named) = settlement("a", -5);
        let flow = contracts::Flow { text: "(Trade 7 2026-03-02)".into(), ..named.flow.clone() };
        assert!(
            left(&[bought("7")], &[(key, Booked { flow, ..named })]).is_empty(),
            "its text names the trade"
        );
        let (_, named) = settlement("b", -5);
        let flow = contracts::Flow { text: "(Trade 6 2026-03-02)".into(), ..named.flow.clone() };
        let flows = BTreeMap::from([("b".to_string(), Booked { flow, ..named })]);
        let before = BTreeSet::from(["6".to_string()]);
        let loose = |before| loose(&BTreeMap::new(), before, &flows, Some(Timestamp::ZERO)).len();
        assert_eq!(
            (loose(&before), loose(&BTreeSet::new())),
            (0, 1),
            "a trade from before the books counts as well"
        );
    }

    #[test]
    fn a_settlement_is_the_other_side_for_five_days_and_what_is_older_than_the_books_is_not_looked_at() {
        let days = |n: i64| {
            let (id, fill) = bought("7");
            (id, Fill { executed: fill.executed.saturating_plus_ms(n * DAY_MS), ..fill })
        };
        for (n, expected) in [(-6, 1), (-5, 0), (0, 0), (5, 0), (6, 1)] {
            assert_eq!(left(&[days(n)], &[settlement("a", -200_000)]).len(), expected, "{n}");
        }
        // The nearest trade is the other side, not the first by its id.
        let (near, far) = (days(0), days(-8));
        let of = |id: &str, (_, fill): &(String, Fill), change: i64| {
            (
                id.to_string(),
                Fill { executed: fill.executed.saturating_plus_ms(change * DAY_MS), ..fill.clone() },
            )
        };
        let pair = [of("10", &near, 0), of("9", &far, 3)];
        let late = |key: &str, n: i32| {
            let (key, row) = settlement(key, -200_000);
            let flow = contracts::Flow { day: row.flow.day.plus_days(n), ..row.flow.clone() };
            (key, Booked { flow, ..row })
        };
        assert!(left(&pair, &[late("a", -4), late("b", 4)]).is_empty());
        let (key, row) = settlement("a", -1);
        let at = |began: i64, seen: i64| {
            let row = Booked { seen: Timestamp::from_ms(seen), ..row.clone() };
            let began = Timestamp::from_ms(began * DAY_MS);
            let flows = BTreeMap::from([(key.clone(), row)]);
            loose(&BTreeMap::new(), &BTreeSet::new(), &flows, Some(began)).len()
        };
        assert_eq!((at(20_508, 1), at(20_509, 1), at(20_508, 0)), (1, 0, 0));
    }

    #[test]
    fn only_the_last_month_is_told() {
        let (key, row) = settlement("a", -1);
        let (loose, day) = (BTreeSet::from([key.clone()]), row.flow.day);
        let flows = BTreeMap::from([(key, row)]);
        assert!(told(&loose, &flows, day.plus_days(30)).unwrap().contains("otc_trade of"));
        assert_eq!(told(&loose, &flows, day.plus_days(31)), None);
        assert_eq!(told(&BTreeSet::new(), &flows, day), None);
    }
}
