//! Every fault rule seen through the production client, under every profile: what it makes of an answer that comes
//! but says something odd. Faults of the transport are in `production_client`; the list here is whole, because a new
//! effect does not compile before it is met somewhere.

use std::cell::RefCell;
use std::rc::Rc;

use ::market::Day;
use money::{Currency, Price, Quantity};
use tradernet::commands::{
    broker_report::{ReportCorporateActions, ReportDays},
    cancel_order::{CancelOrder, Cancelled},
    cash_flows::GetCashFlows,
    flow_class::FlowClass,
    open_orders::GetOrders,
    order_rows::{OrderRow, Orders},
    positions::{Account, GetPositions},
    quotes::{GetQuotes, Quote},
    trades::GetTrades,
};
use tradernet::{
    BrokerOrderId, Keys, OrderForm, Placed, PutOrder, Side, Socket, SocketEvent, Subscriptions, Ticker,
    Trading,
};

use super::production_client::{Here, attempt, finished, tickers};
use super::*;
use crate::{Effect, FaultRule, Session, When};

const PROFILES: [Profile; 3] = [Profile::Clean, Profile::LiveLike, Profile::Nasty];
const NORDWELL: &str = "NRDW.US";
/// The client ends a connection that is silent for longer.
const SILENCE_S: i64 = 60;
const OUR_NUMBER: u64 = 4_503_599_627_370_497;

/// Where a kind of fault is met by a test of the client.
fn met_in(effect: &Effect) -> &'static str {
    match effect {
        Effect::TimeoutBefore { .. }
        | Effect::TimeoutAfter { .. }
        | Effect::ResetAfter
        | Effect::Truncate
        | Effect::Malformed
        | Effect::Http { .. }
        | Effect::Http403Html
        | Effect::Error { .. }
        | Effect::RateLimit { .. }
        | Effect::Slow { .. }
        | Effect::DupAck => "production_client",
        Effect::EmptyOk
        | Effect::RejectLate { .. }
        | Effect::PartialThenDead
        | Effect::DupOrder
        | Effect::StaleList { .. }
        | Effect::DropEcho
        | Effect::CashLag { .. }
        | Effect::FeeSurprise
        | Effect::CancelRace
        | Effect::DividendReverted
        | Effect::WsDrop
        | Effect::WsSilent
        | Effect::WsDemo
        | Effect::WsDup
        | Effect::WsReorder
        | Effect::WsGarbage
        | Effect::Spike { .. }
        | Effect::StalePrice
        | Effect::WrongCurrency
        | Effect::WrongUnit
        | Effect::SplitUnannounced => "here",
    }
}

fn dressed(profile: Profile) -> World {
    let mut world = world("2026-03-02T15:00:00", profile, "default");
    world.book_cash("USD", 200_000_000, "bank").unwrap();
    wait(&mut world, 300);
    world
}

/// The rule whose effect every matching request feels.
fn under(world: &mut World, target: &str, cmd: &str, effect: Effect) {
    assert_eq!(met_in(&effect), "here", "{effect:?}");
    let (id, ticker) = ("f".to_owned(), "*".to_owned());
    let rule = FaultRule {
        id,
        target: target.into(),
        cmd: cmd.into(),
        ticker,
        when: When::Prob(1.0),
        max: None,
        effect,
    };
    world.put_fault(rule).unwrap();
}

fn each(check: impl Fn(Profile)) {
    for profile in PROFILES {
        check(profile);
    }
}

fn nordwell() -> Ticker {
    Ticker::parse(NORDWELL).unwrap()
}

fn keys() -> Keys {
    Keys::new(PUBLIC_KEY, PRIVATE_KEY.to_owned().into()).unwrap()
}

/// Lends the world to the handle that trades.
fn trading<T>(world: &mut World, talk: impl FnOnce(&Trading<Here>) -> T) -> T {
    let lent = Rc::new(RefCell::new(world.clone()));
    let stamp = || u64::try_from(WALL_S).unwrap();
    let said = talk(&Trading::new(Here(Rc::clone(&lent)), keys(), Box::new(stamp)));
    *world = lent.borrow().clone();
    said
}

/// Buys through the client, some steps beyond the best ask.
fn buys(world: &mut World, units: i64, steps: i64) -> BrokerOrderId {
    let limit =
        Price::from_e6(crate::core::fixed::parse(&limit_at(world, NORDWELL, true, steps), 6).unwrap());
    let form = OrderForm {
        ticker: nordwell(),
        side: Side::Buy,
        quantity: Quantity::from_units(units).unwrap(),
        lot: Quantity::from_units(1).unwrap(),
        limit: limit.unwrap(),
        user_order_id: OUR_NUMBER,
    };
    match trading(world, |broker| finished(broker.put_order(PutOrder::new(form).unwrap()))) {
        Placed::Accepted { order_id, .. } => order_id,
        other => panic!("{other:?}"),
    }
}

fn listed(world: &mut World) -> Vec<OrderRow> {
    let orders: Orders = attempt(world, &GetOrders { active_only: false }).unwrap();
    assert!(orders.unreadable.is_empty());
    orders.rows.into_iter().filter(|row| row.ticker == nordwell()).collect()
}

fn account(world: &mut World) -> Account {
    attempt(world, &GetPositions).unwrap()
}

fn units(account: &Account) -> i64 {
    let row = account.positions.iter().find(|row| row.ticker == nordwell());
    row.map_or(0, |row| row.quantity.e6())
}

fn dollars(account: &Account) -> i64 {
    account.cash.iter().find(|row| row.currency == Currency::USD).unwrap().available.e4()
}

fn fills(world: &mut World, order: &BrokerOrderId) -> Vec<(i64, Option<i64>)> {
    let ask =
        GetTrades { from: Day::from_ymd(2026, 3, 1).unwrap(), till: Day::from_ymd(2026, 3, 4).unwrap() };
    let trades = attempt(world, &ask).unwrap().into_iter().filter(|row| row.order_id.as_ref() == Some(order));
    trades.map(|row| (row.quantity.e6(), row.commission.map(|fee| fee.e4()))).collect()
}

fn quote(world: &mut World, ticker: &str) -> Quote {
    let found = attempt(world, &GetQuotes { tickers: tickers(&[ticker]) }).unwrap();
    found.by_ticker.into_values().next().unwrap()
}

#[test]
fn an_empty_account_once_is_told_as_it_came_and_the_next_one_is_whole() {
    each(|profile| {
        let mut world = dressed(profile);
        let before = account(&mut world);
        under(&mut world, "tn", "getPositionJson", Effect::EmptyOk);
        let empty = account(&mut world);
        assert!(empty.positions.is_empty() && !before.positions.is_empty(), "{profile:?}");
        world.remove_fault("f");
        assert_eq!(units(&account(&mut world)), units(&before), "{profile:?}");
    });
}

#[test]
fn a_late_rejection_is_final_and_filled_nothing() {
    each(|profile| {
        for status in [70, 74] {
            let mut world = dressed(profile);
            under(&mut world, "tn", "putTradeOrder", Effect::RejectLate { status, after_ms: 2_000 });
            let order = buys(&mut world, 2, 3);
            assert!(listed(&mut world).iter().all(OrderRow::is_active), "{profile:?} {status}");
            wait(&mut world, 3);
            let row = listed(&mut world).pop().unwrap();
            assert!(row.status.is_final(), "{profile:?} {row:?}");
            assert_eq!(row.filled().map(Quantity::e6), Some(0), "{profile:?}");
            assert_eq!(fills(&mut world, &order), [], "{profile:?}");
        }
    });
}

#[test]
fn an_order_that_dies_in_part_is_final_with_its_real_fills() {
    each(|profile| {
        let mut world = dressed(profile);
        under(&mut world, "tn", "putTradeOrder", Effect::PartialThenDead);
        let order = buys(&mut world, 4, 20);
        wait(&mut world, 60);
        let row = listed(&mut world).pop().unwrap();
        assert!(row.status.is_final(), "{profile:?} {row:?}");
        let bought: i64 = fills(&mut world, &order).iter().map(|(units, _)| units).sum();
        assert!(bought > 0 && bought < 4_000_000, "{profile:?}");
        assert_eq!(row.filled().map(Quantity::e6), Some(bought), "{profile:?}");
    });
}

#[test]
fn one_request_that_became_two_orders_shows_as_two() {
    each(|profile| {
        let mut world = dressed(profile);
        under(&mut world, "tn", "putTradeOrder", Effect::DupOrder);
        let order = buys(&mut world, 1, -100);
        wait(&mut world, 2);
        let rows = listed(&mut world);
        assert_eq!(rows.len(), 2, "{profile:?}");
        assert!(rows.iter().any(|row| row.order_id == order) && rows[0].order_id != rows[1].order_id);
        let same = |row: &OrderRow| (row.side, row.quantity, row.limit);
        assert_eq!(same(&rows[0]), same(&rows[1]), "nothing but the id tells them apart");
    });
}

#[test]
fn lists_that_lag_hide_an_order_that_a_later_look_finds() {
    each(|profile| {
        let mut world = dressed(profile);
        under(&mut world, "tn", "*", Effect::StaleList { s: 60 });
        let before = units(&account(&mut world));
        let order = buys(&mut world, 3, 3);
        wait(&mut world, 20);
        assert_eq!((listed(&mut world).len(), units(&account(&mut world))), (0, before), "{profile:?}");
        assert_eq!(fills(&mut world, &order), [], "{profile:?}");
        wait(&mut world, 100);
        assert_eq!(
            (listed(&mut world).len(), units(&account(&mut world))),
            (1, before + 3_000_000),
            "{profile:?}"
        );
        assert_eq!(fills(&mut world, &order).iter().map(|(units, _)| units).sum::<i64>(), 3_000_000);
    });
}

#[test]
fn without_the_callers_number_the_rest_of_the_row_still_tells_the_order() {
    each(|profile| {
        let mut world = dressed(profile);
        let order = buys(&mut world, 1, -100);
        let carried = listed(&mut world).iter().any(|row| row.carries(OUR_NUMBER));
        assert_eq!(carried, profile != Profile::Nasty, "{profile:?}");
        under(&mut world, "tn", "getNotifyOrderJson", Effect::DropEcho);
        let row = listed(&mut world).pop().unwrap();
        assert!(!row.carries(OUR_NUMBER), "{profile:?}");
        assert_eq!((row.order_id, row.side, row.quantity.e6()), (order, Side::Buy, 1_000_000), "{profile:?}");
        assert!(row.limit.is_some() && row.created_at.is_some(), "{profile:?}");
    });
}

#[test]
fn units_without_their_money_are_told_as_they_stand() {
    each(|profile| {
        let mut world = dressed(profile);
        let before = account(&mut world);
        under(&mut world, "tn", "getPositionJson", Effect::CashLag { s: 120 });
        buys(&mut world, 2, 3);
        wait(&mut world, 30);
        let between = account(&mut world);
        assert_eq!(units(&between), units(&before) + 2_000_000, "{profile:?}");
        assert_eq!(dollars(&between), dollars(&before), "{profile:?}");
        wait(&mut world, 200);
        assert!(dollars(&account(&mut world)) < dollars(&before), "{profile:?}");
    });
}

#[test]
fn a_surprising_fee_is_read_from_the_trade_as_it_is() {
    each(|profile| {
        let fee = |effect: Option<Effect>| {
            let mut world = dressed(profile);
            if let Some(effect) = effect {
                under(&mut world, "tn", "putTradeOrder", effect);
            }
            let order = buys(&mut world, 2, 3);
            wait(&mut world, 60);
            fills(&mut world, &order).iter().map(|(_, fee)| fee.unwrap()).sum::<i64>()
        };
        let (usual, surprise) = (fee(None), fee(Some(Effect::FeeSurprise)));
        assert!((surprise - 5 * usual).abs() <= 500, "{profile:?} {usual} {surprise}");
    });
}

#[test]
fn a_cancellation_that_lost_the_race_ends_as_a_filled_order() {
    each(|profile| {
        let mut world = dressed(profile);
        under(&mut world, "tn", "delTradeOrder", Effect::CancelRace);
        let order = buys(&mut world, 2, -100);
        wait(&mut world, 5);
        let cancel = CancelOrder::new(&order).unwrap();
        let cancelled = trading(&mut world, |broker| finished(broker.cancel_order(cancel)));
        assert!(matches!(cancelled, Cancelled::Requested { .. }), "{profile:?}");
        wait(&mut world, 5);
        let row = listed(&mut world).pop().unwrap();
        assert!(
            row.status.is_final() && row.filled().map(Quantity::e6) == Some(2_000_000),
            "{profile:?} {row:?}"
        );
    });
}

#[test]
fn a_dividend_taken_back_is_negative_income_of_the_same_class() {
    each(|profile| {
        let mut world = world("2026-05-04T08:00:00", profile, "dividend_season");
        let end = at("2026-06-20T08:00:00");
        world.advance_to(end);
        let mut rows = Vec::new();
        for page in 0..20 {
            let found =
                attempt(&mut world, &GetCashFlows { since: Day::from_ymd(2026, 5, 1).ok(), page }).unwrap();
            let last = found.is_last();
            rows.extend(found.rows);
            if last {
                break;
            }
        }
        let reverted: Vec<_> = rows.iter().filter(|row| row.type_code == "dividend_reverted").collect();
        assert_eq!(reverted.len(), 1, "{profile:?}");
        assert!(reverted[0].kind.class == FlowClass::Income && reverted[0].amount.e4() < 0, "{profile:?}");
        let paid =
            rows.iter().any(|row| row.type_code == "dividend" && row.amount.e4() == -reverted[0].amount.e4());
        assert!(paid, "{profile:?}: what was paid before is taken back");
    });
}

/// A price is handed on as it came; whether it is believed is decided by who knows the last ones. Zero and negative
/// prices mean that there is none.
#[test]
fn bent_prices_come_through_bent_and_impossible_ones_not_at_all() {
    each(|profile| {
        let truth = quote(&mut dressed(profile), NORDWELL).last.unwrap().e6();
        for (factor, expected) in [("10", Some(10.0)), ("0.01", Some(0.01)), ("0", None), ("-1", None)] {
            let mut world = dressed(profile);
            under(&mut world, "tn", "getStockQuotesJson", Effect::Spike { factor: factor.into() });
            let found = quote(&mut world, NORDWELL).last.filter(|price| !price.is_zero());
            let part = found.map(|price| price.e6() as f64 / truth as f64);
            let near =
                part.zip(expected).is_some_and(|(part, expected)| (part / expected - 1.0).abs() < 0.02);
            assert!(near || part.is_none() && expected.is_none(), "{profile:?} {factor}: {part:?}");
        }
        let mut world = dressed(profile);
        under(&mut world, "tn", "getStockQuotesJson", Effect::WrongUnit);
        let found = quote(&mut world, NORDWELL);
        assert!((found.last.unwrap().e6() as f64 / truth as f64 - 0.01).abs() < 0.001, "{profile:?}");
        assert_eq!(found.currency, Some(Currency::USD), "{profile:?}: the label gives nothing away");
        let mut world = dressed(profile);
        under(&mut world, "tn", "getStockQuotesJson", Effect::StalePrice);
        assert_ne!(quote(&mut world, NORDWELL).last.unwrap().e6(), truth, "{profile:?}");
    });
}

#[test]
fn a_price_in_pence_has_no_currency() {
    each(|profile| {
        let mut world = dressed(profile);
        let pounds = Currency::new("GBP").unwrap();
        assert_eq!(quote(&mut world, "THMB.EU").currency, Some(pounds), "{profile:?}");
        under(&mut world, "tn", "getStockQuotesJson", Effect::WrongCurrency);
        assert_eq!(quote(&mut world, "THMB.EU").currency, None, "{profile:?}: nothing is bought in it");
    });
}

#[test]
fn a_split_nobody_announces_is_missing_from_the_report() {
    each(|profile| {
        let ask = ReportCorporateActions(ReportDays {
            from: Day::from_ymd(2025, 8, 11).unwrap(),
            till: Day::from_ymd(2025, 8, 25).unwrap(),
        });
        let splits = |world: &mut World| {
            attempt(world, &ask).unwrap().iter().filter(|row| row.kind == "split").count()
        };
        let mut world = world("2025-08-11T08:00:00", profile, "split_day");
        world.advance_to(at("2025-08-21T08:00:00"));
        assert_eq!(splits(&mut world), 1, "{profile:?}");
        under(&mut world, "tn", "getBrokerReport", Effect::SplitUnannounced);
        assert_eq!(splits(&mut world), 0, "{profile:?}");
    });
}

/// What the client made of a connection within some seconds.
struct Heard {
    events: Vec<SocketEvent>,
    /// The longest time without a frame, the last one included.
    silence_s: i64,
    closed: bool,
}

/// One connection from its opening on.
fn heard(world: &mut World, socket: &mut Socket, seconds: i64) -> Heard {
    let query = Socket::query(&keys(), u64::try_from(WALL_S).unwrap());
    let mut session = Session::open(world, query.trim_start_matches('?'), WALL_S);
    for word in socket.opened() {
        session.hear(world, &word);
    }
    let (mut events, mut silence_s, mut last) = (Vec::new(), 0, 0);
    for second in 0..seconds {
        for frame in session.due(world) {
            events.push(socket.heard(&frame));
            last = second;
        }
        silence_s = silence_s.max(second + 1 - last);
        wait(world, 1);
    }
    Heard { events, silence_s, closed: session.is_closed() }
}

fn follower() -> Socket {
    let quotes = vec![nordwell(), Ticker::parse("PRVL.US").unwrap()];
    Socket::new(Subscriptions { quotes, orders: true, portfolio: true, markets: true })
}

fn last_price(events: &[SocketEvent]) -> Option<i64> {
    events.iter().rev().find_map(|event| match event {
        SocketEvent::Quote(ticker, quote) if *ticker == nordwell() => Some(quote.last?.e6()),
        _ => None,
    })
}

#[test]
fn whatever_the_socket_does_prices_are_right_or_polled() {
    each(|profile| {
        for effect in [
            None,
            Some(Effect::WsDrop),
            Some(Effect::WsSilent),
            Some(Effect::WsDemo),
            Some(Effect::WsDup),
            Some(Effect::WsReorder),
            Some(Effect::WsGarbage),
        ] {
            let what = format!("{profile:?} {effect:?}");
            let mut world = dressed(profile);
            let mut socket = follower();
            if let Some(effect) = effect.clone() {
                let cmd = if matches!(effect, Effect::WsSilent | Effect::WsDemo) { "connect" } else { "q" };
                under(&mut world, "ws", cmd, effect);
            }
            let Heard { events, silence_s, closed } = heard(&mut world, &mut socket, 90);
            match &effect {
                Some(Effect::WsDrop) => {
                    assert!(closed, "{what}");
                    assert!(socket.lost(world.now(), 0.5) > world.now(), "{what}");
                }
                Some(Effect::WsSilent) => {
                    assert!(events.is_empty() && silence_s > SILENCE_S, "{what}: {events:?}");
                }
                Some(Effect::WsDemo) => {
                    assert!(events.contains(&SocketEvent::Demo), "{what}");
                    let trusted = |event: &SocketEvent| {
                        use SocketEvent::{Account, Known, Orders, Quote};
                        matches!(event, Known | Quote(..) | Orders(_) | Account)
                    };
                    assert!(!events.iter().any(trusted), "{what}: {events:?}");
                }
                _ => {
                    assert!(events.contains(&SocketEvent::Known), "{what}");
                    let found = last_price(&events).unwrap_or_else(|| panic!("{what}: no price"));
                    let truth = world.truth_price(NORDWELL, world.now()).unwrap();
                    let part = found as f64 / truth as f64;
                    assert!((part - 1.0).abs() < 0.01, "{what}: {found} {truth}");
                    assert!(!closed && silence_s <= SILENCE_S, "{what}: {silence_s}");
                }
            }
            // The next connection is as if nothing had been.
            world.remove_fault("f");
            let Heard { events, closed, .. } = heard(&mut world, &mut socket, 5);
            assert!(events.contains(&SocketEvent::Known) && !closed, "{what}");
            assert!(last_price(&events).is_some(), "{what}: it did not come back");
        }
    });
}
