//! Protection against doubled orders that does not trust the gate: what went out lately and how often. Pure.

use std::collections::BTreeSet;

use contracts::{OrderKind, OrderState, SettingsSnapshot, mutants};
use market::Timestamp;
use serde_json::Value;
use tradernet::commands::trades::TradeRow;

use crate::{
    Order,
    fate::same_side,
    limits::{
        COOL_OFF_MS, EMERGENCIES_A_DAY, EXCHANGE_COOL_OFF_MS, EXCHANGES_A_DAY, GAP_MOST_MIN, GAP_USUAL_MIN,
        ORDERS_A_DAY, ORDERS_A_WEEK, PER_SECURITY_A_DAY,
    },
};

const DAY_MS: i64 = 86_400_000;

/// Why an order must not go out after these; `None` when nothing speaks against it.
pub(crate) fn obstacle<'a>(
    order: &Order,
    others: impl Iterator<Item = &'a Order> + Clone,
    gap_ms: i64,
    now: Timestamp,
) -> Option<&'static str> {
    let own = &order.state;
    let sent = |other: &&Order| {
        other.state.order_id != own.order_id && other.state.mode == own.mode && other.state.sent.is_some()
    };
    let same = |other: &&Order| other.state.isin == own.isin;
    let today = |other: &&Order| other.state.sent.is_some_and(|sent| sent.day_utc() == now.day_utc());
    let mut before = others.clone().filter(sent).filter(same);
    if before.any(|other| !other.state.status.is_final()) {
        return Some("another order for the security is not final");
    }
    let exchange = |state: &OrderState| contracts::pair_of(&state.isin).is_some();
    let recent = |state: &OrderState| state.sent.is_some_and(|sent| now.since(sent) < rest_ms(own));
    let twin = |other: &&Order| {
        let state = &other.state;
        state.side == own.side && recent(state) && !(state.status.is_final() && state.filled_e6.is_zero())
    };
    if others.clone().filter(sent).filter(same).any(|other| twin(&other)) {
        return Some(if exchange(own) {
            "the same was exchanged less than five minutes ago"
        } else {
            "the same was traded less than an hour ago"
        });
    }
    if exchange(own) {
        let count = others.filter(sent).filter(today).filter(|other| exchange(&other.state)).count();
        return (count >= EXCHANGES_A_DAY).then_some("the exchanges of the day are used up");
    }
    if others.clone().filter(sent).filter(same).filter(today).count() >= PER_SECURITY_A_DAY {
        return Some("the security had its orders of the day");
    }
    let emergency = |order: &Order| order.inside.kind == Some(OrderKind::Emergency);
    let is_emergency = emergency(order);
    let counted = |other: &&Order| !exchange(&other.state) && emergency(other) == is_emergency;
    let count = others.clone().filter(sent).filter(today).filter(counted).count();
    let most = if is_emergency { EMERGENCIES_A_DAY } else { ORDERS_A_DAY };
    if count >= most {
        return Some("the orders of the day are used up");
    }
    if is_emergency {
        return None;
    }
    let age = |other: &Order| other.state.sent.map(|sent| now.since(sent));
    let trades = others.filter(sent).filter(|other| !exchange(&other.state));
    // An approval that nobody heard of for long, and came after all, must not follow another order at once.
    let counts = |other: &&Order| !(other.state.status.is_final() && other.state.filled_e6.is_zero());
    if trades.clone().filter(counts).any(|other| age(other).is_some_and(|age| age < gap_ms)) {
        return Some("another order went out a moment ago");
    }
    let week = trades.filter(|other| age(other).is_some_and(|age| age < 7 * DAY_MS)).count();
    (week >= ORDERS_A_WEEK).then_some("the orders of seven days are used up")
}

/// The owner's time between two orders; the usual one where it is not said.
pub(crate) fn gap_ms(settings: &SettingsSnapshot) -> i64 {
    let minutes = settings.values.get("risk.min_gap_min").and_then(Value::as_i64);
    minutes.unwrap_or(GAP_USUAL_MIN).clamp(0, GAP_MOST_MIN) * 60_000
}

/// How long the same side of an order rests.
fn rest_ms(order: &OrderState) -> i64 {
    if contracts::pair_of(&order.isin).is_some() { EXCHANGE_COOL_OFF_MS } else { COOL_OFF_MS }
}

/// A trade at the broker that none of our orders knows, of the same side and not surely old: this store may have been
/// restored from a backup, or somebody trades by hand. The broker writes its own hour, which is at most five ahead of
/// UTC, so a trade counts as young as it may be; one without a time may be of now.
pub(crate) fn stranger<'a>(
    order: &Order,
    trades: impl Iterator<Item = &'a TradeRow>,
    counted: &BTreeSet<&str>,
    now: Timestamp,
) -> Option<String> {
    let own = &order.state;
    let recent =
        |trade: &TradeRow| trade.at.is_none_or(|at| now.since(at.at_offset_minutes(0)) < rest_ms(own));
    let unknown = |trade: &TradeRow| !counted.contains(trade.trade_id.to_string().as_str());
    let mut same = trades.filter(|one| {
        one.ticker.as_str() == order.inside.ticker && same_side(own.side, one.side) && recent(one)
    });
    same.find(|one| unknown(one)).filter(|_| !mutants::is("ignore_frequency")).map(|trade| {
        format!(
            "the broker's trade {} did the same a moment ago and belongs to no order of ours",
            trade.trade_id
        )
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use contracts::{Id, OrderApproved, OrderStatus, Sample, Side};
    use money::Quantity;

    use super::*;
    use crate::Steps;

    const MINUTE: i64 = 60_000;

    fn now() -> Timestamp {
        "2026-03-02T15:00:00Z".parse().unwrap()
    }

    fn order(name: &str, minutes_ago: i64, change: impl FnOnce(&mut Order)) -> Order {
        let sent = now().saturating_minus_ms(minutes_ago * MINUTE);
        let mut order = Order::armed(&OrderApproved::sample(), Steps::default(), sent);
        order.state.order_id = Id::derive(sent, &[name]);
        order.state.sent = Some(sent);
        order.state.filled_e6 = Quantity::from_units(1).unwrap();
        order.end(OrderStatus::Filled, None, sent);
        change(&mut order);
        order
    }

    fn found(others: &[Order], change: impl FnOnce(&mut Order)) -> Option<&'static str> {
        let own = order("own", 0, |order| {
            order.state.sent = None;
            order.state.status = OrderStatus::Armed;
            change(order);
        });
        obstacle(&own, others.iter(), 5 * MINUTE, now())
    }

    fn other_security(order: &mut Order) {
        order.state.isin = "DE0007164600".parse().unwrap();
    }

    #[test]
    fn the_same_side_rests_for_an_hour() {
        assert!(found(&[order("a", 59, |_| ())], |_| ()).is_some());
        assert_eq!(found(&[order("a", 60, |_| ())], |_| ()), None);
        assert_eq!(found(&[order("a", 5, |_| ())], |own| own.state.side = Side::Sell), None);
        assert_eq!(found(&[order("a", 5, other_security)], |_| ()), None);
    }

    #[test]
    fn one_that_ended_without_a_fill_does_not_count() {
        let unfilled = order("a", 5, |order| {
            order.state.filled_e6 = Quantity::ZERO;
            order.state.status = OrderStatus::Cancelled;
        });
        assert_eq!(found(&[unfilled], |_| ()), None);
        let unsent = order("a", 5, |order| order.state.sent = None);
        assert_eq!(found(&[unsent], |_| ()), None);
    }

    #[test]
    fn a_working_order_stops_both_sides() {
        let working = order("a", 90, |order| order.state.status = OrderStatus::Accepted);
        assert!(found(&[working], |own| own.state.side = Side::Sell).is_some());
    }

    #[test]
    fn a_day_has_four_orders_and_a_security_two() {
        let many: Vec<Order> = (0..4).map(|n| order(&n.to_string(), 100 + n, other_security)).collect();
        assert!(found(&many, |_| ()).is_some());
        assert_eq!(found(&many[..3], |_| ()), None);
        assert_eq!(found(&many, |own| own.inside.kind = Some(OrderKind::Emergency)), None);
        let same: Vec<Order> = (0..2).map(|n| order(&n.to_string(), 100 + n, |_| ())).collect();
        assert!(found(&same, |_| ()).is_some());
        let yesterday: Vec<Order> = (0..4).map(|n| order(&n.to_string(), 24 * 60 + n, |_| ())).collect();
        assert_eq!(found(&yesterday, |_| ()), None);
    }

    #[test]
    fn an_exchange_rests_five_minutes_and_is_no_trade() {
        let pair = contracts::pair_isin(money::Currency::EUR, money::Currency::USD).unwrap();
        let exchange = |order: &mut Order| order.state.isin = pair;
        assert!(found(&[order("a", 4, exchange)], exchange).is_some());
        assert_eq!(found(&[order("a", 5, exchange)], exchange), None);
        let many: Vec<Order> = (0..5).map(|n| order(&n.to_string(), 100 + n, exchange)).collect();
        assert_eq!(found(&many, |_| ()), None, "exchanges do not use up the orders of the day");
        assert_eq!(found(&many, exchange), None);
        let more: Vec<Order> = (0..6).map(|n| order(&n.to_string(), 100 + n, exchange)).collect();
        assert!(found(&more, exchange).is_some());
    }

    #[test]
    fn a_trade_of_nobody_rests_the_same_side_for_as_long_as_it_may_be_young() {
        let trade = |change: fn(&mut TradeRow)| {
            let mut row = TradeRow {
                trade_id: tradernet::TradeId::parse("73100001").unwrap(),
                order_id: None,
                ticker: tradernet::Ticker::parse("RHNA.EU").unwrap(),
                side: tradernet::Side::Buy,
                quantity: Quantity::from_units(1).unwrap(),
                price: "50".parse().unwrap(),
                currency: None,
                amount: None,
                commission: None,
                at: tradernet::WallTime::parse("2026-03-02 14:00:01"),
                exchange_at: None,
                settles_on: None,
            };
            change(&mut row);
            row
        };
        let found = |row: &TradeRow, counted: &[&str]| {
            let own = order("own", 0, |order| order.inside.ticker = "RHNA.EU".into());
            stranger(&own, [row].into_iter(), &counted.iter().copied().collect(), now()).is_some()
        };
        let at = |row: &mut TradeRow, text: &str| row.at = tradernet::WallTime::parse(text);
        assert!(found(&trade(|_| ()), &[]));
        assert!(!found(&trade(|_| ()), &["73100001"]), "a fill that was counted is judged with its order");
        let mut old = trade(|_| ());
        at(&mut old, "2026-03-02 14:00:00");
        assert!(!found(&old, &[]), "an hour ago even on a clock that is not ahead");
        let mut ahead = trade(|_| ());
        at(&mut ahead, "2026-03-02 18:00:00");
        assert!(found(&ahead, &[]), "the broker's hour is ahead of ours");
        assert!(found(&trade(|row| row.at = None), &[]), "without a time it may be of now");
        assert!(!found(&trade(|row| row.side = tradernet::Side::Sell), &[]));
        assert!(!found(&trade(|row| row.ticker = tradernet::Ticker::parse("SAP.EU").unwrap()), &[]));
    }

    #[test]
    fn two_orders_are_apart_by_the_gap_and_a_week_has_ten() {
        assert!(found(&[order("a", 4, other_security)], |_| ()).is_some());
        assert_eq!(found(&[order("a", 5, other_security)], |_| ()), None);
        let emergency = |own: &mut Order| own.inside.kind = Some(OrderKind::Emergency);
        assert_eq!(found(&[order("a", 4, other_security)], emergency), None);
        let days = |n: i64| order(&n.to_string(), n * 16 * 60 + 5, other_security);
        let many: Vec<Order> = (0..10).map(days).collect();
        assert!(found(&many, |_| ()).is_some());
        assert_eq!(found(&many[..9], |_| ()), None);
        let last: Vec<Order> = (0..9).map(days).chain([order("old", 7 * 24 * 60, other_security)]).collect();
        assert_eq!(found(&last, |_| ()), None, "seven days ago does not count");
    }

    #[test]
    fn the_owner_says_how_far_apart() {
        let with = |values| gap_ms(&SettingsSnapshot { revision: 1, values });
        let said = |value: Value| with([("risk.min_gap_min".to_string(), value)].into());
        assert_eq!((said(7.into()), said("x".into())), (7 * MINUTE, 60 * MINUTE));
        assert_eq!((said((-1).into()), said(99_999.into())), (0, 10_080 * MINUTE));
        assert_eq!(with(BTreeMap::new()), 60 * MINUTE);
    }

    #[test]
    fn paper_and_live_do_not_count_for_each_other() {
        let paper = order("a", 5, |order| order.state.mode = contracts::Mode::Research);
        assert_eq!(found(&[paper], |_| ()), None);
    }
}
