//! The stage against scripted answers: what it believes, books, compares, freezes and says.

#![allow(clippy::unwrap_used)]

mod support;

use contracts::{
    Bucket, Flow, FlowKind, HeldSince, ImportLedger, JobOutcome, JobRun, LedgerFile, Mode, Nav, OrderState,
    OrderStatus, Outcome, PlanProposed, PortfolioState, Reconciliation, Reply, Sample, SettingsSnapshot,
    Side, SyncNow,
};
use money::{Currency, Quantity};
use portfolio::Call;
use support::{Broker, NRDW, RHNA, Rig, at, broker, dollar, flow, isin, order, price, quote, trade, units};
use tradernet::{
    Side::{Buy, Sell},
    commands::{
        cash_flows::{CashFlow, UnreadableFlow},
        trades::TradeRow,
    },
};

const MORNING: &str = "2026-03-02T09:00:00Z";

/// A rig that has read its first account.
fn begun(broker: &Broker) -> Rig {
    let mut rig = Rig::priced(MORNING);
    rig.run("2026-03-02T09:00:10Z", broker);
    rig
}

/// One that reads the account every hour, for tests that last weeks.
fn begun_hourly(broker: &Broker) -> Rig {
    let mut rig = Rig::with(MORNING, "sync_interval_s = 3600\nstale_after_s = 86400");
    rig.hear_market();
    rig.run("2026-03-02T09:00:10Z", broker);
    rig
}

fn qty(state: &PortfolioState, key: &str) -> Option<Quantity> {
    state.position(&isin(key)).map(|position| position.qty_e6)
}

#[test]
fn takes_over_what_is_held_and_values_it() {
    let first = Broker { trades: vec![trade("1", RHNA, Buy, 10, "2026-01-05T10:00:00")], ..broker() };
    let rig = begun(&first);
    let state: PortfolioState = rig.last();
    assert_eq!((state.mode, state.environment.as_str(), state.stale), (Mode::Live, "sim:1", false));
    assert_eq!((qty(&state, RHNA), qty(&state, NRDW)), (Some(units(10)), Some(units(5))));
    let rhna = state.position(&isin(RHNA)).unwrap();
    assert_eq!(rhna.opened, Some(at("2026-01-05T09:00:00Z")), "Frankfurt is an hour ahead in winter");
    assert_eq!(state.position(&isin(NRDW)).unwrap().opened, None, "nobody knows");
    assert_eq!(state.cash_in(Currency::USD).unwrap().amount.e4(), -10_000, "negative cash is kept negative");
    // 10 · 50 + 5 · 50 / 2 + 1000 − 0.5
    assert_eq!(state.nav.unwrap().e4(), 16_245_000);
    assert_eq!(rig.count("SELECT count(*) FROM fill WHERE source = 'import'"), 2);
    let nav: Nav = rig.last();
    assert_eq!((nav.nav, nav.day_start), (state.nav.unwrap(), state.nav.unwrap()));
    assert!(nav.since_start.get().abs() < 1e-12);
    assert_eq!(rig.last::<Bucket>().status, "active");
    assert!(rig.about::<Reconciliation>().iter().all(|books| books.agrees));
    assert_eq!(rig.trouble(), None);
}

#[test]
fn a_person_dates_what_is_older_than_the_books_and_nothing_else() {
    let first = Broker { trades: vec![trade("1", RHNA, Buy, 10, "2026-01-05T10:00:00")], ..broker() };
    let mut rig = begun(&first);
    let asked = |key: &str, since: &str, text: &str| HeldSince {
        actor: "owner".into(),
        isin: isin(key),
        since: since.parse().unwrap(),
        text: text.into(),
    };
    for (key, since, text, code) in [
        (RHNA, "2019-05-01", "x", Some("known")),
        ("DE0007164600", "2019-05-01", "x", Some("not_held")),
        (NRDW, "2026-03-02", "x", Some("not_past")),
        (NRDW, "2019-05-01", " ", Some("no_reason")),
        (NRDW, "2019-05-01", "Statement of May.", None),
        (NRDW, "2018-05-01", "x", Some("known")),
    ] {
        rig.hear(asked(key, since, text));
        assert_eq!(rig.last::<Reply>().code.as_deref(), code, "{key} {since}");
    }
    let opened = |rig: &Rig| rig.last::<PortfolioState>().position(&isin(NRDW)).unwrap().opened;
    rig.run("2026-03-02T09:30:00Z", &first);
    assert_eq!(opened(&rig), Some(at("2019-05-01T00:00:00Z")));
    rig.restart();
    rig.run("2026-03-02T10:30:00Z", &first);
    assert_eq!(opened(&rig), Some(at("2019-05-01T00:00:00Z")), "also after a restart and another reading");
}

#[test]
fn a_restart_keeps_the_books_and_books_nothing_again() {
    let after = Broker {
        held: vec![(RHNA, 12), (NRDW, 5)],
        trades: vec![trade("7", RHNA, Buy, 2, "2026-03-02T10:01:00")],
        ..broker()
    };
    let mut rig = begun(&broker());
    rig.hear(order(OrderStatus::Filled, Side::Buy, 2, &[("7", 2, 50)]));
    rig.run("2026-03-02T09:02:00Z", &after);
    let before: PortfolioState = rig.last();
    rig.restart();
    rig.run("2026-03-02T09:03:00Z", &after);
    assert_eq!(rig.last::<PortfolioState>().state_id, before.state_id);
    assert_eq!(rig.last::<PortfolioState>().positions, before.positions);
    assert_eq!(rig.count("SELECT count(*) FROM fill"), 3);
}

#[test]
fn a_doubled_trade_is_booked_once_and_joined_to_its_order() {
    let mut rig = begun(&broker());
    let one = trade("7", RHNA, Sell, 4, "2026-03-02T10:00:30");
    let after = Broker { held: vec![(RHNA, 6), (NRDW, 5)], trades: vec![one.clone(), one], ..broker() };
    let sold = order(OrderStatus::Filled, Side::Sell, 4, &[("7", 4, 50)]);
    rig.hear(sold.clone());
    let heard_at = rig.now;
    rig.run("2026-03-02T09:00:12Z", &after);
    let (read_at, _) = rig.calls.last().unwrap();
    assert!(read_at.since(heard_at) <= 1_000, "an order's fill is looked at within a second");
    let state: PortfolioState = rig.last();
    assert_eq!(qty(&state, RHNA), Some(units(6)));
    assert_eq!(
        state.position(&isin(RHNA)).unwrap().last_sell,
        Some(at("2026-03-02T09:00:30Z").min(*read_at))
    );
    assert_eq!(rig.count("SELECT count(*) FROM fill WHERE source = 'broker'"), 1);
    let joined = format!("SELECT count(*) FROM api_fill WHERE order_id = '{}'", sold.order_id);
    assert_eq!(rig.count(&joined), 1);
    rig.run("2026-03-02T09:30:00Z", &after);
    assert!(!rig.last::<PortfolioState>().position(&isin(RHNA)).unwrap().frozen);
    assert_eq!(rig.count("SELECT count(*) FROM fill"), 3);
}

#[test]
fn what_is_sold_whole_stays_known_for_a_year_also_if_the_owner_sold_it_himself() {
    let mut rig = begun(&broker());
    assert_eq!(rig.last::<PortfolioState>().closed, []);
    // No order of ours: the owner sold at the broker.
    let sold = trade("7", RHNA, Sell, 10, "2026-03-02T10:00:30");
    let after = Broker { held: vec![(NRDW, 5)], trades: vec![sold], ..broker() };
    rig.run("2026-03-02T09:30:00Z", &after);
    let state: PortfolioState = rig.last();
    assert_eq!(state.position(&isin(RHNA)), None);
    let closed = state.closed(&isin(RHNA)).unwrap();
    assert_eq!((closed.last_buy, closed.last_sell), (None, Some(at("2026-03-02T09:00:30Z"))));
    rig.restart();
    rig.run("2026-03-02T10:30:00Z", &after);
    assert_eq!(rig.last::<PortfolioState>().closed, state.closed, "also after a restart");
}

#[test]
fn what_was_sold_before_the_books_began_is_known_by_its_dates() {
    let trades = vec![
        trade("1", RHNA, Buy, 3, "2025-11-03T10:00:00"),
        trade("2", RHNA, Sell, 3, "2026-02-20T10:00:00"),
    ];
    let rig = begun(&Broker { held: vec![(NRDW, 5)], trades, ..broker() });
    let state: PortfolioState = rig.last();
    let closed = state.closed(&isin(RHNA)).unwrap();
    assert_eq!(closed.last_buy, Some(at("2025-11-03T09:00:00Z")));
    assert_eq!(closed.last_sell, Some(at("2026-02-20T09:00:00Z")));
    assert_eq!(rig.count("SELECT count(*) FROM fill"), 1, "only what is held is taken over");
}

#[test]
fn what_was_sold_whole_may_come_back_in_another_currency() {
    let on_another_listing = |id: &str, side, local: &str| TradeRow {
        currency: Some(Currency::USD),
        commission: None,
        ..trade(id, RHNA, side, 3, local)
    };
    let before = vec![
        on_another_listing("1", Buy, "2025-11-03T10:00:00"),
        on_another_listing("2", Sell, "2026-02-20T10:00:00"),
    ];
    let mut rig = begun(&Broker { held: vec![(NRDW, 5)], trades: before.clone(), ..broker() });
    rig.restart();
    let trades = [before, vec![trade("3", RHNA, Buy, 4, "2026-03-02T10:00:30")]].concat();
    rig.run("2026-03-02T09:30:00Z", &Broker { held: vec![(NRDW, 5), (RHNA, 4)], trades, ..broker() });
    let state: PortfolioState = rig.last();
    let position = state.position(&isin(RHNA)).unwrap();
    assert_eq!((position.qty_e6, position.avg_price_e6), (units(4), Some(price(50))));
    assert_eq!(rig.count("SELECT count(*) FROM fill"), 2);
    assert_eq!(position.last_sell, Some(at("2026-02-20T09:00:00Z")), "its dates stay");
}

#[test]
fn an_empty_answer_is_believed_only_the_third_time_and_then_frozen() {
    for empty in [Broker::default(), Broker { held: vec![], ..broker() }] {
        let mut rig = begun(&broker());
        rig.run("2026-03-02T09:05:30Z", &empty);
        let kept: PortfolioState = rig.last();
        assert_eq!(qty(&kept, RHNA), Some(units(10)));
        assert!(kept.at < at("2026-03-02T09:05:00Z"), "the age stays honest");
        assert!(rig.trouble().unwrap().contains("asked again"));
        rig.run("2026-03-02T09:06:30Z", &empty);
        assert!(!rig.last::<PortfolioState>().position(&isin(RHNA)).unwrap().frozen);
        rig.run("2026-03-02T09:07:30Z", &empty);
        let believed: PortfolioState = rig.last();
        assert!(believed.at > at("2026-03-02T09:07:00Z"));
        assert!(believed.positions.iter().all(|position| position.frozen), "{believed:?}");
        assert!(
            rig.last::<Reconciliation>().agrees == (rig.last::<Reconciliation>().currency == Currency::GBP)
        );
        rig.run("2026-03-02T09:20:00Z", &broker());
        assert!(rig.last::<PortfolioState>().positions.iter().all(|position| !position.frozen));
        assert_eq!(rig.trouble(), None);
    }
}

#[test]
fn asking_again_and_again_makes_an_empty_account_no_more_credible() {
    let mut rig = begun(&broker());
    for second in 0..40 {
        rig.hear(SyncNow::sample());
        rig.run_with(at("2026-03-02T09:01:00Z").saturating_plus_ms(second * 1_000), |call, _| {
            Broker::default().answer(call)
        });
        assert_eq!(rig.last::<Reply>().outcome, Outcome::Failed);
    }
    assert_eq!(rig.count("SELECT count(*) FROM frozen"), 0);
    assert_eq!(rig.count("SELECT count(*) FROM broker_position"), 2, "the last reading stays");
    assert!(rig.trouble().unwrap().contains("asked again"));
}

#[test]
fn a_full_answer_after_an_empty_one_changes_nothing() {
    let mut rig = begun(&broker());
    let before: PortfolioState = rig.last();
    rig.run("2026-03-02T09:05:30Z", &Broker::default());
    rig.run("2026-03-02T09:20:00Z", &broker());
    assert_eq!(rig.last::<PortfolioState>().state_id, before.state_id);
    assert!(rig.last::<PortfolioState>().positions.iter().all(|position| !position.frozen));
}

#[test]
fn selling_everything_is_no_reason_for_doubt() {
    let only = Broker { held: vec![(RHNA, 10)], ..broker() };
    let mut rig = begun(&only);
    rig.hear(order(OrderStatus::Filled, Side::Sell, 10, &[("7", 10, 50)]));
    let sold =
        Broker { held: vec![], trades: vec![trade("7", RHNA, Sell, 10, "2026-03-02T10:00:20")], ..broker() };
    rig.run("2026-03-02T09:00:30Z", &sold);
    assert!(rig.last::<PortfolioState>().positions.is_empty());
    assert_eq!(rig.trouble(), None);
}

#[test]
fn a_shrunken_answer_is_asked_again() {
    let mut rig = begun(&Broker { held: vec![(RHNA, 10), (NRDW, 5)], ..broker() });
    // One of two is not less than half, but no trade explains it: a difference, confirmed after a minute.
    let one = Broker { held: vec![(RHNA, 10)], ..broker() };
    rig.run("2026-03-02T09:05:30Z", &one);
    let state: PortfolioState = rig.last();
    assert_eq!(qty(&state, NRDW), Some(units(5)), "the books hold it still");
    assert!(!state.position(&isin(NRDW)).unwrap().frozen);
    rig.run("2026-03-02T09:06:30Z", &one);
    assert!(rig.last::<PortfolioState>().position(&isin(NRDW)).unwrap().frozen);
}

#[test]
fn a_position_seen_before_its_trade_freezes_nothing_when_the_trade_follows() {
    let mut rig = begun(&broker());
    let early = Broker { held: vec![(RHNA, 12), (NRDW, 5)], ..broker() };
    rig.run("2026-03-02T09:05:30Z", &early);
    assert_eq!(qty(&rig.last::<PortfolioState>(), RHNA), Some(units(10)), "only fills make positions");
    rig.hear(order(OrderStatus::Filled, Side::Buy, 2, &[("7", 2, 50)]));
    let whole = Broker { trades: vec![trade("7", RHNA, Buy, 2, "2026-03-02T10:05:00")], ..early };
    rig.run("2026-03-02T09:20:00Z", &whole);
    let state: PortfolioState = rig.last();
    assert_eq!(qty(&state, RHNA), Some(units(12)));
    assert!(
        rig.about::<PortfolioState>().iter().all(|state| state.positions.iter().all(|held| !held.frozen))
    );
    assert_eq!(rig.count("SELECT count(*) FROM frozen"), 0);
}

#[test]
fn a_difference_freezes_after_a_minute_survives_a_restart_and_ends_with_its_cause() {
    let mut rig = begun(&broker());
    let other = Broker { held: vec![(RHNA, 11), (NRDW, 5)], ..broker() };
    rig.run("2026-03-02T09:05:30Z", &other);
    assert_eq!(rig.count("SELECT count(*) FROM frozen"), 0);
    rig.run("2026-03-02T09:06:10Z", &other);
    let euro = |rig: &Rig| {
        let all = rig.about::<Reconciliation>();
        all.into_iter().rfind(|books| books.currency == Currency::EUR).unwrap()
    };
    assert_eq!((euro(&rig).agrees, euro(&rig).broker.e4() - euro(&rig).books.e4()), (false, 500_000));
    assert!(rig.trouble().unwrap().contains("frozen"));
    rig.restart();
    rig.run("2026-03-02T09:07:00Z", &other);
    assert!(rig.last::<PortfolioState>().position(&isin(RHNA)).unwrap().frozen);
    rig.run("2026-03-02T09:20:00Z", &broker());
    assert!(!rig.last::<PortfolioState>().position(&isin(RHNA)).unwrap().frozen);
    assert!(euro(&rig).agrees);
    assert_eq!(rig.count("SELECT count(*) FROM frozen"), 0);
}

#[test]
fn a_fill_that_differs_from_its_order_and_a_trade_without_order_freeze() {
    let bought = |held| Broker {
        held: vec![(RHNA, held), (NRDW, 5)],
        trades: vec![trade("7", RHNA, Buy, 2, "2026-03-02T10:00:20")],
        ..broker()
    };
    let cases = [
        (Some(order(OrderStatus::Filled, Side::Buy, 2, &[("7", 2, 51)])), "differs"),
        (Some(order(OrderStatus::Filled, Side::Buy, 2, &[("7", 1, 50)])), "differs"),
        (Some(order(OrderStatus::Filled, Side::Buy, 2, &[("8", 2, 50)])), "no trade of the broker"),
        (None, "no order of ours"),
    ];
    for (state, expected) in cases {
        let mut rig = begun(&broker());
        if let Some(state) = state {
            rig.hear(state);
        }
        rig.run("2026-03-02T09:12:00Z", &bought(12));
        assert!(rig.last::<PortfolioState>().position(&isin(RHNA)).unwrap().frozen, "{expected}");
        assert!(rig.trouble().unwrap().contains(expected), "{:?}", rig.trouble());
    }
}

#[test]
fn an_exchange_by_hand_halts_both_its_currencies_once_and_no_other() {
    let cash = |eur, usd| vec![(Currency::EUR, eur), (Currency::USD, usd), (Currency::GBP, 10_000)];
    let mut rig = begun(&Broker { cash: cash(10_000_000, -10_000), ..broker() });
    let exchanged = TradeRow {
        ticker: tradernet::Ticker::parse("EUR/USD").unwrap(),
        currency: Some(Currency::USD),
        price: price(2),
        commission: None,
        ..trade("7", RHNA, Sell, 100, "2026-03-02T10:00:20")
    };
    let after = Broker { cash: cash(9_000_000, 1_990_000), trades: vec![exchanged], ..broker() };
    rig.run("2026-03-02T09:12:00Z", &after);
    let said = |rig: &Rig, ccy| {
        let all = rig.about::<Reconciliation>();
        all.into_iter().rfind(|books| books.currency == ccy).unwrap()
    };
    let [euro, dollar, pound] = [Currency::EUR, Currency::USD, Currency::GBP].map(|ccy| said(&rig, ccy));
    assert_eq!((euro.agrees, dollar.agrees, pound.agrees), (false, false, true));
    assert_eq!((euro.books, dollar.books), (euro.broker, dollar.broker), "the amounts agree");
    assert!(rig.trouble().unwrap().contains("EUR/USD is frozen: trade 7 has no order of ours"));
    // Neither a payment nor a restart makes another halt of it.
    let paid = Broker {
        cash: cash(9_005_000, 1_990_000),
        flows: vec![flow("f", "bank", 5_000, "2026-03-02")],
        ..after
    };
    rig.run("2026-03-02T09:20:00Z", &paid);
    let later = said(&rig, Currency::EUR);
    assert_eq!((later.agrees, later.at), (false, euro.at), "it is the same one");
    rig.restart();
    rig.run("2026-03-02T09:30:00Z", &paid);
    let anew = |books: &Reconciliation| books.currency == Currency::EUR && books.at != euro.at;
    assert!(!rig.about::<Reconciliation>().iter().any(anew));
    rig.run("2026-03-09T00:10:00Z", &paid);
    assert!(said(&rig, Currency::EUR).agrees, "what it halted only a person ends");
}

#[test]
fn one_reason_less_is_no_new_difference() {
    let cash = |eur, usd| vec![(Currency::EUR, eur), (Currency::USD, usd), (Currency::GBP, 10_000)];
    let exchanged = |id: &str, day: &str| TradeRow {
        ticker: tradernet::Ticker::parse("EUR/USD").unwrap(),
        currency: Some(Currency::USD),
        price: price(2),
        commission: None,
        ..trade(id, RHNA, Sell, 100, &format!("{day}T10:00:20"))
    };
    let first = exchanged("7", "2026-03-02");
    let mut rig = begun_hourly(&Broker { cash: cash(10_000_000, -10_000), ..broker() });
    rig.run(
        "2026-03-05T12:00:00Z",
        &Broker { cash: cash(9_000_000, 1_990_000), trades: vec![first.clone()], ..broker() },
    );
    let both = Broker {
        cash: cash(8_000_000, 3_990_000),
        trades: vec![first, exchanged("8", "2026-03-05")],
        ..broker()
    };
    rig.run("2026-03-05T15:00:00Z", &both);
    let euro = |rig: &Rig| {
        let all = rig.about::<Reconciliation>();
        all.into_iter().rfind(|books| books.currency == Currency::EUR).unwrap()
    };
    let halted = euro(&rig);
    assert!(!halted.agrees && rig.trouble().unwrap().contains("trade 7"));
    rig.run("2026-03-10T12:00:00Z", &both);
    assert!(!rig.trouble().unwrap().contains("trade 7"), "{:?}", rig.trouble());
    assert_eq!((euro(&rig).agrees, euro(&rig).at), (false, halted.at), "the other one halted already");
}

#[test]
fn an_average_that_is_not_the_brokers_is_told_after_a_minute_and_freezes_nothing() {
    let mut rig = begun(&broker());
    let mut other = broker();
    other.averages.insert(NRDW, price(41));
    rig.run("2026-03-02T09:05:30Z", &other);
    assert_eq!(rig.trouble(), None, "seen once is not confirmed");
    rig.run("2026-03-02T09:10:30Z", &other);
    let told = rig.trouble().unwrap();
    assert!(told.contains(&format!("{NRDW} cost 40 on average here, 41 at the broker")), "{told}");
    assert!(rig.last::<PortfolioState>().positions.iter().all(|position| !position.frozen));
    rig.run("2026-03-02T09:20:00Z", &broker());
    assert_eq!(rig.trouble(), None);
}

#[test]
fn a_missing_price_or_rate_leaves_the_worth_unknown_until_it_comes() {
    let mut rig = Rig::new(MORNING);
    let now = rig.now;
    rig.hear(support::universe());
    rig.hear(quote(RHNA, 50, now));
    rig.run("2026-03-02T09:00:10Z", &broker());
    let state: PortfolioState = rig.last();
    assert_eq!((state.nav, state.unvalued.clone()), (None, vec![NRDW.to_string(), "USD".to_string()]));
    assert!(rig.about::<Nav>().is_empty());
    rig.hear(quote(NRDW, 50, now));
    rig.hear(dollar(500_000_000, now));
    rig.run("2026-03-02T09:00:20Z", &broker());
    assert_eq!(rig.last::<PortfolioState>().nav.unwrap().e4(), 16_245_000);
    assert_eq!(rig.last::<PortfolioState>().state_id, state.state_id, "prices are no part of the name");
    assert_eq!(rig.trouble(), None);
}

#[test]
fn a_suspect_price_changes_no_value_and_an_absurd_one_makes_it_unknown() {
    let many = Broker { held: vec![(RHNA, 200), (NRDW, 5)], ..broker() };
    let mut rig = begun(&many);
    let (now, before) = (rig.now, rig.about::<PortfolioState>().len());
    rig.hear(contracts::Quote { suspect: true, ..quote(RHNA, 500, now) });
    rig.run("2026-03-02T09:00:20Z", &many);
    assert_eq!(rig.about::<PortfolioState>().len(), before);
    let huge = money::Price::from_e6(i64::MAX).unwrap();
    rig.hear(contracts::Quote { price_e6: huge, ..quote(RHNA, 1, now) });
    rig.run("2026-03-02T09:00:30Z", &many);
    assert_eq!(rig.last::<PortfolioState>().nav, None, "an overflow is unknown, not wrong");
}

#[test]
fn an_open_purchase_reserves_its_cash_and_changes_the_name() {
    let mut rig = begun(&broker());
    let before: PortfolioState = rig.last();
    rig.hear(order(OrderStatus::Accepted, Side::Buy, 3, &[]));
    rig.run("2026-03-02T09:00:20Z", &broker());
    let state: PortfolioState = rig.last();
    assert_eq!(state.cash_in(Currency::EUR).unwrap().reserved.e4(), 1_500_000);
    assert_eq!(state.open_orders.len(), 1);
    assert_ne!(state.state_id, before.state_id);
    rig.hear(order(OrderStatus::Cancelled, Side::Buy, 3, &[]));
    rig.run("2026-03-02T09:00:30Z", &broker());
    assert_eq!(rig.last::<PortfolioState>().state_id, before.state_id);
}

#[test]
fn silence_keeps_the_state_and_makes_it_stale_by_time_alone() {
    let mut rig = begun(&broker());
    let silent = Broker { silent: true, ..broker() };
    let read: PortfolioState = rig.last();
    rig.run("2026-03-02T09:15:00.999Z", &silent);
    assert!(!rig.last::<PortfolioState>().stale);
    rig.run("2026-03-02T09:15:01Z", &silent);
    let state: PortfolioState = rig.last();
    assert_eq!((state.stale, state.state_id.as_str()), (true, read.state_id.as_str()));
    assert!(rig.trouble().unwrap().contains("silent"));
    rig.run("2026-03-02T09:40:00Z", &broker());
    assert!(!rig.last::<PortfolioState>().stale);
    assert_eq!(rig.trouble(), None);
}

#[test]
fn flows_are_said_for_a_week_and_a_deposit_is_no_gain() {
    let mut rig = begun(&Broker { flows: vec![flow("a", "bank", 90_000_000, "2024-01-02")], ..broker() });
    assert!(rig.about::<Flow>().is_empty(), "what was there before is no news");
    let flows = vec![
        flow("a", "bank", 90_000_000, "2024-01-02"),
        flow("b", "bank", 5_000_000, "2026-03-02"),
        flow("c", "commission_for_trades", -20_000, "2026-03-02"),
    ];
    let richer =
        Broker { cash: vec![(Currency::EUR, 14_980_000), (Currency::USD, -10_000)], flows, ..broker() };
    rig.run("2026-03-02T09:10:00Z", &richer);
    let said = rig.about::<Flow>();
    assert_eq!(
        (said.len(), said[0].kind, said[0].amount_eur.unwrap().e4()),
        (1, FlowKind::Deposit, 5_000_000)
    );
    let nav: Nav = rig.last();
    assert_eq!((nav.flow_today.e4(), nav.nav.e4() - nav.day_start.e4()), (5_000_000, 4_980_000));
    assert!((nav.since_start.get() + 2.0 / 1_624.5).abs() < 1e-9, "a fee is a loss: {}", nav.since_start);
    rig.run_with(at("2026-03-10T09:00:00Z"), |call, _| richer.answer(call));
    let cleared =
        rig.heard.iter().filter(|said| said.topic.contains("portfolio/flow") && said.payload.is_empty());
    assert_eq!(cleared.count(), 1);
    assert_eq!(rig.count("SELECT count(*) FROM cash_flow"), 3);
}

#[test]
fn a_line_of_the_statement_that_cannot_be_read_is_named_and_the_rest_is_booked() {
    let flaw = tradernet::Flaw { field: "sum", rule: "is no amount" };
    let bad = UnreadableFlow { id: Some("x9".into()), day: "2026-03-02".parse().ok(), flaw };
    let paid =
        Broker { flows: vec![flow("a", "bank", 5_000, "2026-03-02")], ..with_cash(10_005_000, 10, vec![]) };
    let mut rig = begun(&broker());
    rig.run("2026-03-02T09:10:00Z", &Broker { unreadable: vec![bad], ..paid.clone() });
    assert_eq!(rig.count("SELECT count(*) FROM cash_flow"), 1);
    let told = rig.trouble().unwrap();
    assert!(told.contains("x9 of 2026-03-02: field `sum` is no amount"), "{told}");
    rig.run("2026-03-02T09:20:00Z", &paid);
    assert_eq!(rig.trouble(), None);
}

#[test]
fn books_do_not_begin_while_a_line_that_is_read_again_cannot_be_read() {
    let flaw = || tradernet::Flaw { field: "sum", rule: "is no amount" };
    let bad = |day: &str| UnreadableFlow { id: Some("x9".into()), day: day.parse().ok(), flaw: flaw() };
    let mut rig = begun(&Broker { unreadable: vec![bad("2026-03-01")], ..broker() });
    assert!(rig.about::<PortfolioState>().is_empty());
    assert!(rig.trouble().unwrap().contains("x9 of 2026-03-01"), "{:?}", rig.trouble());
    // The cash of the beginning holds its money already: it belongs to what was before.
    let readable = Broker { flows: vec![flow("x9", "bank", 5_000, "2026-03-01")], ..broker() };
    rig.run("2026-03-02T09:20:00Z", &readable);
    assert_eq!(rig.last::<PortfolioState>().cash_in(Currency::EUR).unwrap().amount.e4(), 10_000_000);
    assert!(rig.about::<Reconciliation>().iter().all(|books| books.agrees));
    // One that is never read again stands in nobody's way.
    let rig = begun(&Broker { unreadable: vec![bad("2026-01-30")], ..broker() });
    assert!(!rig.about::<PortfolioState>().is_empty());
}

#[test]
fn a_transfer_whose_other_side_is_not_seen_is_no_gain() {
    let mut rig = begun(&broker());
    let moved = |id: &str, e4| flow(id, "internal_holding", e4, "2026-03-02");
    let richer = Broker { flows: vec![moved("a", 5_000_000)], ..with_cash(15_000_000, 10, vec![]) };
    rig.run("2026-03-02T09:10:00Z", &richer);
    let nav: Nav = rig.last();
    assert_eq!((nav.flow_today.e4(), nav.since_start.get().abs() < 1e-12), (5_000_000, true), "{nav:?}");
    assert_eq!(rig.last::<Flow>().kind, FlowKind::Deposit);
    // It goes on to where it cannot be seen, in the same amount: nothing was gained or lost.
    let both = Broker { flows: vec![moved("a", 5_000_000), moved("b", -5_000_000)], ..broker() };
    rig.run("2026-03-02T09:20:00Z", &both);
    let nav: Nav = rig.last();
    assert_eq!((nav.flow_today.e4(), nav.since_start.get().abs() < 1e-12), (0, true), "{nav:?}");
    assert_eq!(rig.trouble(), None);
}

#[test]
fn a_day_ends_half_an_hour_after_the_last_close_and_the_next_begins_with_its_value() {
    let mut rig = begun(&broker());
    rig.run("2026-03-02T21:00:00Z", &broker());
    let now = rig.now;
    rig.hear(quote(RHNA, 60, now));
    rig.run("2026-03-02T21:29:59Z", &broker());
    let before: Nav = rig.last();
    assert_eq!(
        (before.day.to_string().as_str(), before.nav.e4() - before.day_start.e4()),
        ("2026-03-02", 1_000_000)
    );
    rig.run("2026-03-02T21:31:00Z", &broker());
    let after: Nav = rig.last();
    assert_eq!((after.day.to_string().as_str(), after.day_start), ("2026-03-03", before.nav));
    assert!((after.since_start.get() - before.since_start.get()).abs() < 1e-12);
    assert_eq!(rig.count("SELECT count(*) FROM api_nav WHERE day = '2026-03-02'"), 1);
    rig.restart();
    rig.hear(quote(RHNA, 60, now));
    rig.run("2026-03-02T21:40:00Z", &broker());
    assert_eq!(rig.last::<Nav>().day_start, before.nav);
}

#[test]
fn readings_come_a_second_after_the_whole_interval() {
    let rig = {
        let mut rig = begun(&broker());
        rig.run("2026-03-02T09:16:00Z", &broker());
        rig
    };
    let times: Vec<_> = rig.calls.iter().map(|(at, _)| *at).collect();
    let expected =
        ["2026-03-02T09:00:01Z", "2026-03-02T09:05:01Z", "2026-03-02T09:10:01Z", "2026-03-02T09:15:01Z"];
    assert_eq!(times, expected.map(at));
}

/// When the account was read since, in seconds after an instant.
fn readings(rig: &Rig, since: &str) -> Vec<i64> {
    let since = at(since);
    rig.calls.iter().map(|(then, _)| then.since(since) / 1_000).filter(|s| *s >= 0).collect()
}

#[test]
fn while_an_order_works_the_account_is_read_every_minute() {
    let mut rig = begun(&broker());
    rig.hear(order(OrderStatus::Accepted, Side::Buy, 3, &[]));
    rig.run("2026-03-02T09:03:30Z", &broker());
    rig.hear(order(OrderStatus::Cancelled, Side::Buy, 3, &[]));
    rig.run("2026-03-02T09:11:00Z", &broker());
    assert_eq!(readings(&rig, "2026-03-02T09:00:02Z"), [59, 119, 179, 208, 299, 599]);
}

#[test]
fn the_next_step_of_a_plan_at_an_open_venue_keeps_the_account_fresh() {
    let plan = |mic: &str, expires: &str, order_id, waits_for: Option<&str>| {
        let mut plan = PlanProposed { expires: at(expires), ..PlanProposed::sample() };
        plan.steps.truncate(1);
        (plan.steps[0].order_id, plan.steps[0].waits_for) = (order_id, waits_for.map(Into::into));
        plan.steps[0].candidate.mic = mic.parse().unwrap();
        plan
    };
    let (long, order_id) = ("2026-03-02T12:00:00Z", PlanProposed::sample().plan_id);
    for (proposed, expected) in [
        (plan("XETR", long, None, None), vec![178, 298, 299, 419, 539, 599]),
        (plan("XETR", "2026-03-02T09:06:00Z", None, None), vec![178, 298, 299, 599]),
        (plan("XNAS", long, None, None), vec![299, 599]),
        (plan("XETR", long, Some(order_id), None), vec![299, 599]),
        (plan("XETR", long, None, Some("cash")), vec![299, 599]),
    ] {
        let mut rig = begun(&broker());
        rig.run("2026-03-02T09:03:00Z", &broker());
        rig.hear(proposed);
        rig.run("2026-03-02T09:10:02Z", &broker());
        assert_eq!(readings(&rig, "2026-03-02T09:00:02Z"), expected);
    }
}

#[test]
fn an_empty_first_answer_does_not_begin_the_books_however_often_it_comes() {
    let mut rig = Rig::priced(MORNING);
    rig.run("2026-03-02T11:00:10Z", &Broker::default());
    assert!(rig.calls.len() > 3, "it is asked again and again");
    assert!(rig.about::<PortfolioState>().is_empty());
    rig.run("2026-03-02T11:02:00Z", &broker());
    assert_eq!(rig.last::<PortfolioState>().positions.len(), 2);
    assert!(rig.last::<PortfolioState>().positions.iter().all(|position| !position.frozen));
}

#[test]
fn the_same_price_twice_says_nothing_new() {
    let mut rig = begun(&broker());
    let (now, before) = (rig.now, rig.heard.len());
    rig.hear(quote(RHNA, 50, now));
    rig.hear(quote(RHNA, 50, now));
    rig.run("2026-03-02T09:00:30Z", &broker());
    assert_eq!(rig.heard.len(), before);
    assert_eq!(price(50).e6(), 50_000_000);
}

#[test]
fn whoever_asks_for_a_reading_is_told_what_it_brought() {
    let mut rig = begun(&broker());
    rig.hear(SyncNow::sample());
    let reads = rig.calls.len();
    rig.run("2026-03-02T09:00:11Z", &broker());
    assert_eq!(rig.calls.len(), reads + 1, "at once, not at the next interval");
    let reply: Reply = rig.last();
    assert_eq!((reply.outcome, reply.data["holdings"].as_u64()), (Outcome::Done, Some(2)), "{reply:?}");
    rig.hear(SyncNow::sample());
    rig.run("2026-03-02T09:00:12Z", &Broker { silent: true, ..broker() });
    let reply: Reply = rig.last();
    assert_eq!(reply.outcome, Outcome::Failed);
    assert!(reply.text.contains("the broker is silent"), "{}", reply.text);
}

#[test]
fn a_reading_is_said_to_begin_and_how_it_ended() {
    let mut rig = begun(&broker());
    let runs = |rig: &Rig| -> Vec<(String, JobOutcome)> {
        let runs = rig.about::<JobRun>().into_iter().filter(|run| run.job == "sync.account");
        runs.map(|run| (run.trigger, run.outcome)).collect()
    };
    assert_eq!(runs(&rig), [("start".into(), JobOutcome::Running), ("start".into(), JobOutcome::Done)]);
    rig.heard.clear();
    rig.run("2026-03-02T09:05:02Z", &Broker { silent: true, ..broker() });
    assert_eq!(
        runs(&rig),
        [("schedule".into(), JobOutcome::Running), ("schedule".into(), JobOutcome::Failed)]
    );
    assert!(rig.last::<JobRun>().text.contains("the broker is silent"));
    rig.heard.clear();
    rig.run("2026-03-02T09:05:05Z", &Broker::default());
    assert_eq!(runs(&rig).pop(), Some(("retry".into(), JobOutcome::Failed)), "not believed");
    rig.hear(SyncNow::sample());
    rig.run("2026-03-02T09:05:06Z", &broker());
    assert_eq!(runs(&rig).pop(), Some(("command".into(), JobOutcome::Done)));
}

/// Ten of the first security and as much cash as that many purchases and sales leave.
fn with_cash(e4: i64, held: i64, trades: Vec<TradeRow>) -> Broker {
    Broker {
        held: vec![(RHNA, held), (NRDW, 5)],
        cash: vec![(Currency::EUR, e4), (Currency::USD, -10_000)],
        trades,
        ..broker()
    }
}

#[test]
fn a_broker_read_that_fails_or_comes_back_empty_never_changes_positions() {
    let mut rig = begun(&broker());
    let before: PortfolioState = rig.last();
    for wrong in [
        Broker { silent: true, ..broker() },
        Broker::default(),
        Broker { held: vec![], ..broker() },
        Broker { cash: vec![], ..broker() },
    ] {
        rig.run_with(rig.now.saturating_plus_ms(310_000), |call, _| wrong.answer(call));
        let after: PortfolioState = rig.last();
        let held = |state: &PortfolioState| (qty(state, RHNA), qty(state, NRDW));
        assert_eq!(held(&after), held(&before));
        let cost =
            |state: &PortfolioState| state.positions.iter().map(|one| one.avg_price_e6).collect::<Vec<_>>();
        assert_eq!(cost(&after), cost(&before));
        rig.run_with(rig.now.saturating_plus_ms(310_000), |call, _| broker().answer(call));
        assert_eq!(rig.last::<PortfolioState>().state_id, before.state_id);
    }
    assert_eq!(rig.count("SELECT count(*) FROM fill"), 2);
}

#[test]
fn a_duplicate_reordered_or_late_fill_report_changes_nothing() {
    let [one, two] = [("7", 2), ("8", 3)].map(|(id, n)| trade(id, RHNA, Buy, n, "2026-03-02T10:01:00"));
    let paid = 10_000_000 - 5 * 500_000 - 2 * 20_000;
    let mut rig = begun(&broker());
    rig.hear(order(OrderStatus::Filled, Side::Buy, 5, &[("7", 2, 50), ("8", 3, 50)]));
    rig.run("2026-03-02T09:02:00Z", &with_cash(paid, 15, vec![one.clone(), two.clone()]));
    let booked: PortfolioState = rig.last();
    assert_eq!(qty(&booked, RHNA), Some(units(15)));
    for trades in [
        vec![two.clone(), one.clone()],
        vec![one.clone(), one.clone(), two.clone(), two.clone()],
        vec![two.clone()],
        vec![one, two],
    ] {
        rig.hear(order(OrderStatus::Filled, Side::Buy, 5, &[("8", 3, 50), ("7", 2, 50)]));
        rig.run_with(rig.now.saturating_plus_ms(310_000), |call, _| {
            with_cash(paid, 15, trades.clone()).answer(call)
        });
        let after: PortfolioState = rig.last();
        assert_eq!((after.state_id, after.positions), (booked.state_id.clone(), booked.positions.clone()));
    }
    assert_eq!(rig.count("SELECT count(*) FROM fill WHERE source = 'broker'"), 2);
    assert_eq!(rig.trouble(), None);
}

#[test]
fn what_the_broker_books_three_weeks_late_is_booked_once_and_explains_its_cash() {
    let mut rig = begun_hourly(&broker());
    // A newer trade is in the books already.
    let newer = trade("8", RHNA, Sell, 1, "2026-03-28T10:00:00");
    rig.hear(order(OrderStatus::Filled, Side::Sell, 5, &[("8", 1, 50), ("7", 4, 50)]));
    let sold = 10_000_000 + 500_000 - 20_000;
    rig.run("2026-03-30T09:00:00Z", &with_cash(sold, 9, vec![newer.clone()]));
    assert_eq!(rig.count("SELECT count(*) FROM fill WHERE source = 'broker'"), 1);
    let answer = |call: Call, late: &[CashFlow], trades: &[TradeRow], broker: Broker| {
        let since = call.flows_since.unwrap();
        let flows = late.iter().filter(|flow| flow.day >= since).cloned().collect();
        let trades = trades.iter().filter(|one| one.exchange_at.unwrap().day() >= call.trades_from);
        Broker { flows, trades: trades.cloned().collect(), ..broker }.answer(call)
    };
    // A tax and a trade, both of twenty days ago.
    let late = [flow("t", "tax", -26_000, "2026-03-10")];
    let trades = [trade("7", RHNA, Sell, 4, "2026-03-10T10:00:00"), newer];
    let paid = sold - 26_000 + 4 * 500_000 - 20_000;
    for _ in 0..3 {
        rig.run_with(rig.now.saturating_plus_ms(3_610_000), |call, _| {
            answer(call, &late, &trades, with_cash(paid, 5, vec![]))
        });
    }
    assert_eq!(rig.count("SELECT count(*) FROM cash_flow"), 1);
    assert_eq!(rig.count("SELECT count(*) FROM fill WHERE source = 'broker'"), 2);
    assert_eq!(qty(&rig.last::<PortfolioState>(), RHNA), Some(units(5)));
    assert_eq!(rig.trouble(), None);
}

#[test]
fn the_fee_of_a_trade_in_several_rows_is_the_same_in_memory_and_after_a_restart() {
    let mut rig = begun(&broker());
    rig.hear(order(OrderStatus::Filled, Side::Buy, 2, &[("7", 2, 50)]));
    let bought = TradeRow { commission: None, ..trade("7", RHNA, Buy, 2, "2026-03-02T10:01:00") };
    let fee = |id: &str, e4| CashFlow {
        comment: "(Trade 7 2026-03-02 10:01:00)".into(),
        ..flow(id, "commission_for_trades", e4, "2026-03-02")
    };
    let both = Broker {
        flows: vec![fee("a", -12_000), fee("b", -8_000)],
        ..with_cash(9_000_000 - 20_000, 12, vec![bought])
    };
    let first = Broker { flows: vec![fee("a", -12_000)], ..both.clone() };
    rig.run("2026-03-02T09:04:00Z", &first);
    rig.run("2026-03-02T09:20:00Z", &both);
    assert_eq!((rig.count("SELECT fee FROM api_fill WHERE trade_id = '7'"), rig.trouble()), (20_000, None));
    rig.restart();
    rig.run("2026-03-02T09:40:00Z", &both);
    assert_eq!(rig.trouble(), None);
}

#[test]
fn a_trade_of_a_security_that_nobody_knows_waits_and_is_told_until_it_is_booked() {
    let mut rig = begun_hourly(&broker());
    let unknown = TradeRow {
        ticker: tradernet::Ticker::parse("RHNB.EU").unwrap(),
        ..trade("7", RHNA, Buy, 2, "2026-03-02T10:00:20")
    };
    let filled = order(OrderStatus::Filled, Side::Buy, 2, &[("7", 2, 50)]);
    rig.hear(filled.clone());
    let mut paid = with_cash(9_000_000 - 20_000, 12, vec![]);
    paid.averages.insert(RHNA, money::Price::from_e6(41_666_667).unwrap());
    let answer = |call: Call| {
        let in_window = unknown.exchange_at.unwrap().day() >= call.trades_from;
        Broker { trades: in_window.then(|| unknown.clone()).into_iter().collect(), ..paid.clone() }
            .answer(call)
    };
    rig.run_with(at("2026-03-12T09:00:00Z"), |call, _| answer(call));
    rig.restart();
    rig.hear(filled);
    rig.run_with(at("2026-03-30T09:00:00Z"), |call, _| answer(call));
    let told = rig.trouble().unwrap();
    assert!(told.contains("trade 7 (2 RHNB.EU bought at 50 EUR on 2026-03-02) cannot be booked"), "{told}");
    let mut known = support::universe();
    let listing = contracts::Security { ticker: "RHNB.EU".into(), ..known.securities[0].clone() };
    known.securities.push(listing);
    rig.hear(known);
    rig.run_with(at("2026-03-30T22:00:00Z"), |call, _| answer(call));
    assert_eq!(rig.trouble(), None);
    assert_eq!(qty(&rig.last::<PortfolioState>(), RHNA), Some(units(12)));
    assert_eq!(rig.count("SELECT count(*) FROM trade_unbooked"), 0);
    rig.run_with(at("2026-03-30T23:20:00Z"), |call, _| answer(call));
    assert_eq!(rig.count("SELECT count(*) FROM fill WHERE source = 'broker'"), 1);
}

#[test]
fn a_waiting_trade_that_the_broker_takes_back_waits_no_longer() {
    let mut rig = begun(&broker());
    let unknown = TradeRow {
        ticker: tradernet::Ticker::parse("RHNB.EU").unwrap(),
        ..trade("7", RHNA, Buy, 2, "2026-03-02T10:00:20")
    };
    rig.run("2026-03-02T09:10:00Z", &Broker { trades: vec![unknown], ..broker() });
    assert!(rig.trouble().unwrap().contains("trade 7"));
    rig.run("2026-03-02T09:20:00Z", &broker());
    assert_eq!(rig.trouble(), None);
    assert_eq!(rig.count("SELECT count(*) FROM trade_unbooked"), 0);
}

#[test]
fn a_holding_costs_what_was_paid_at_the_rate_of_its_day() {
    let mut rig = begun(&Broker { held: vec![(RHNA, 10)], ..broker() });
    let now = rig.now;
    rig.hear(OrderState { isin: isin(NRDW), ..order(OrderStatus::Filled, Side::Buy, 2, &[("7", 2, 50)]) });
    let after = Broker {
        held: vec![(RHNA, 10), (NRDW, 2)],
        cash: vec![(Currency::EUR, 10_000_000), (Currency::USD, -10_000 - 1_000_000 - 20_000)],
        trades: vec![trade("7", NRDW, Buy, 2, "2026-03-02T04:01:00")],
        ..broker()
    };
    rig.run("2026-03-02T09:02:00Z", &after);
    rig.hear(dollar(900_000_000, now));
    rig.run("2026-03-02T09:10:00Z", &after);
    let state: PortfolioState = rig.last();
    assert_eq!(state.position(&isin(NRDW)).unwrap().cost_eur.unwrap().e4(), 500_000, "at half a euro");
    assert_eq!(state.position(&isin(RHNA)).unwrap().cost_eur.unwrap().e4(), 4_000_000);
    assert_eq!(rig.trouble(), None);
}

#[test]
fn what_is_booked_late_is_worth_what_it_was_on_its_day() {
    let dollars = |id: &str, day: &str| CashFlow {
        amount: money::Money::from_e4(100_000, Currency::USD),
        ..flow(id, "bank", 1, day)
    };
    let rate = |e9| money::Rate::from_e9(e9).unwrap();
    let of_day = |day: &str, e9| ((Currency::USD, day.parse().unwrap()), rate(e9));
    let mut rig = begun(&broker());
    rig.run("2026-03-04T09:00:00Z", &broker());
    rig.hear(OrderState { isin: isin(NRDW), ..order(OrderStatus::Filled, Side::Sell, 1, &[("7", 1, 50)]) });
    let late = Broker {
        held: vec![(RHNA, 10), (NRDW, 4)],
        cash: vec![(Currency::EUR, 10_000_000), (Currency::USD, -10_000 + 300_000 + 480_000)],
        flows: vec![dollars("a", "2026-03-04"), dollars("b", "2026-03-03"), dollars("c", "2026-03-02")],
        trades: vec![trade("7", NRDW, Sell, 1, "2026-03-03T10:00:00")],
        // Of today the last rate that was heard counts, and of a day without history too.
        rates: [of_day("2026-03-04", 900_000_000), of_day("2026-03-03", 400_000_000)].into(),
        ..broker()
    };
    rig.run("2026-03-04T09:10:00Z", &late);
    let worth =
        |id: &str| rig.count(&format!("SELECT amount_eur_e4 FROM cash_flow WHERE broker_txn_id = '{id}'"));
    assert_eq!(["a", "b", "c"].map(worth), [50_000, 40_000, 50_000]);
    assert_eq!(rig.count("SELECT value_eur FROM api_fill WHERE trade_id = '7'"), 200_000);
    assert_eq!(rig.trouble(), None);
}

#[test]
fn a_split_does_not_look_like_a_crash() {
    let mut rig = begun(&broker());
    let before = rig.last::<Nav>().nav;
    let cost = rig.last::<PortfolioState>().position(&isin(RHNA)).unwrap().cost_eur;
    let mut after = Broker { held: vec![(RHNA, 40), (NRDW, 5)], ..broker() };
    after.averages.insert(RHNA, price(10));
    let navs = rig.about::<Nav>().len();
    rig.run("2026-03-02T09:05:30Z", &after);
    assert_eq!(qty(&rig.last::<PortfolioState>(), RHNA), Some(units(10)), "seen once is not believed");
    rig.run("2026-03-02T09:07:00Z", &after);
    let state: PortfolioState = rig.last();
    let rhna = state.position(&isin(RHNA)).unwrap();
    assert_eq!((rhna.qty_e6, rhna.avg_price_e6, rhna.cost_eur), (units(40), Some(price(10)), cost));
    assert!(!rhna.frozen);
    assert!(
        rig.about::<Nav>().iter().skip(navs).all(|nav| nav.nav == before),
        "it is worth the same all along"
    );
    // The last price of the old units comes once more, then the first of the new ones.
    let old = contracts::Quote { at: at("2026-02-27T16:00:00Z"), ..quote(RHNA, 50, rig.now) };
    rig.hear(old);
    rig.run("2026-03-02T09:08:00Z", &after);
    assert_eq!(rig.last::<Nav>().nav, before);
    rig.restart();
    rig.run("2026-03-02T09:15:00Z", &after);
    assert_eq!(qty(&rig.last::<PortfolioState>(), RHNA), Some(units(40)));
    assert_eq!(rig.trouble(), None);
}

#[test]
fn a_price_of_new_units_waits_until_the_account_shows_the_split() {
    let mut rig = begun(&broker());
    let before = rig.last::<Nav>().nav;
    let now = rig.now;
    let navs = rig.about::<Nav>().len();
    let twelve_and_a_half =
        contracts::Quote { price_e6: money::Price::from_e6(12_500_000).unwrap(), ..quote(RHNA, 1, now) };
    rig.hear(twelve_and_a_half);
    let mut after = Broker { held: vec![(RHNA, 40), (NRDW, 5)], ..broker() };
    after.averages.insert(RHNA, price(10));
    rig.run("2026-03-02T09:03:00Z", &after);
    assert_eq!(qty(&rig.last::<PortfolioState>(), RHNA), Some(units(40)));
    assert!(rig.about::<Nav>().iter().skip(navs).all(|nav| nav.nav == before));
}

#[test]
fn what_a_sale_brings_in_later_is_worth_as_much_after_a_restart() {
    let mut rig = begun(&broker());
    // Two are sold for 100 euros less 2, which the broker does not show among the cash yet.
    let sold = Broker {
        receivable_e4: 980_000,
        ..with_cash(10_000_000, 8, vec![trade("9", RHNA, Sell, 2, "2026-03-02T10:01:00")])
    };
    rig.run("2026-03-02T09:20:00Z", &sold);
    let (nav, euros) =
        (rig.last::<Nav>().nav, rig.last::<PortfolioState>().cash_in(Currency::EUR).unwrap().amount);
    assert_eq!(euros.e4(), 10_980_000);
    rig.restart();
    rig.run("2026-03-02T09:20:00.500Z", &sold);
    let said: Vec<PortfolioState> = rig.about();
    assert!(said.iter().all(|state| state.cash_in(Currency::EUR).unwrap().amount == euros), "{said:?}");
    assert!(rig.about::<Nav>().iter().all(|said| said.nav == nav));
}

#[test]
fn nothing_is_said_before_it_is_known_whether_the_account_is_the_fund() {
    let mut rig = Rig::in_world("live", MORNING, "");
    rig.hear_market();
    rig.run("2026-03-02T09:10:00Z", &broker());
    assert!(rig.about::<PortfolioState>().is_empty() && rig.about::<Nav>().is_empty());
    assert!(rig.trouble().unwrap().contains("settings"), "{:?}", rig.trouble());
    assert_eq!(
        rig.count("SELECT count(*) FROM paper_begun"),
        0,
        "no copy of the account is made for nothing"
    );
    let live = [("trading_mode".to_string(), "live".into())].into();
    rig.hear(SettingsSnapshot { revision: 1, values: live });
    rig.run("2026-03-02T09:10:05Z", &broker());
    assert_eq!(rig.last::<PortfolioState>().mode, Mode::Live);
    assert_eq!((rig.count("SELECT count(*) FROM paper_begun"), rig.trouble()), (0, None));
}

#[test]
fn what_was_taken_over_leaves_the_books_with_its_cash() {
    let mut rig = begun(&broker());
    let mut paid = flow("t", "merger", 6_000_000, "2026-03-02");
    paid.comment = "RHNA.EU taken over".into();
    let after = Broker {
        held: vec![(NRDW, 5)],
        cash: vec![(Currency::EUR, 16_000_000), (Currency::USD, -10_000)],
        flows: vec![paid],
        ..broker()
    };
    rig.run("2026-03-02T09:10:00Z", &after);
    let state: PortfolioState = rig.last();
    assert_eq!(qty(&state, RHNA), None);
    assert_eq!(state.cash_in(Currency::EUR).unwrap().amount.e4(), 16_000_000);
    assert_eq!(rig.count("SELECT count(*) FROM api_corporate_action WHERE kind = 'removed'"), 1);
    assert_eq!(rig.trouble(), None);
    rig.restart();
    rig.run("2026-03-02T09:20:00Z", &after);
    assert_eq!(rig.last::<PortfolioState>().state_id, state.state_id);
}

#[test]
fn cash_that_nothing_explains_is_not_counted_on_and_named_after_a_minute() {
    let mut rig = begun(&broker());
    let richer = with_cash(10_000_100, 10, vec![]);
    rig.run("2026-03-02T09:05:30Z", &richer);
    let euros = |rig: &Rig| {
        let all = rig.about::<Reconciliation>();
        all.into_iter().rfind(|books| books.currency == Currency::EUR).unwrap()
    };
    assert!(euros(&rig).agrees, "seen once is not confirmed");
    rig.run("2026-03-02T09:07:00Z", &richer);
    assert!(!euros(&rig).agrees);
    assert_eq!(rig.last::<PortfolioState>().cash_in(Currency::EUR).unwrap().amount.e4(), 10_000_000);
    assert!(rig.trouble().unwrap().contains("our books say"), "{:?}", rig.trouble());
    // A payment since moves both figures and leaves the difference what it was: no news. Another difference is.
    let halted = euros(&rig).at;
    let paid = flow("y", "bank", 7_000, "2026-03-02");
    rig.run(
        "2026-03-02T09:12:00Z",
        &Broker { flows: vec![paid.clone()], ..with_cash(10_007_100, 10, vec![]) },
    );
    assert_eq!((euros(&rig).agrees, euros(&rig).at), (false, halted));
    let worse = Broker { flows: vec![paid.clone()], ..with_cash(10_007_200, 10, vec![]) };
    rig.run("2026-03-02T09:20:00Z", &worse);
    assert_ne!(euros(&rig).at, halted);
    let explained = Broker { flows: vec![paid, flow("x", "bank", 200, "2026-03-02")], ..worse };
    rig.run("2026-03-02T09:30:00Z", &explained);
    assert!(euros(&rig).agrees);
    assert_eq!(rig.trouble(), None);
}

#[test]
fn a_settlement_without_a_trade_moves_cash_and_is_told() {
    let settled = |id: &str, e4| flow(id, "card_conversion_settlement", e4, "2026-03-12");
    let mut rig = begun_hourly(&broker());
    rig.run("2026-03-12T08:00:00Z", &broker());
    let paid = Broker { flows: vec![settled("a", -120_000)], ..with_cash(9_880_000, 10, vec![]) };
    rig.run("2026-03-12T11:00:00Z", &paid);
    assert_eq!(rig.last::<PortfolioState>().cash_in(Currency::EUR).unwrap().amount.e4(), 9_880_000);
    let told = rig.trouble().unwrap();
    assert!(told.contains("belong to no known trade") && !told.contains("our books say"), "{told}");
    // The other side of a purchase is told by the trade already.
    let mut rig = begun_hourly(&broker());
    rig.run("2026-03-12T08:00:00Z", &broker());
    rig.hear(order(OrderStatus::Filled, Side::Buy, 2, &[("7", 2, 50)]));
    let bought = trade("7", RHNA, Buy, 2, "2026-03-12T09:01:00");
    let paid = Broker { flows: vec![settled("a", -1_000_000)], ..with_cash(8_980_000, 12, vec![bought]) };
    rig.run("2026-03-12T11:00:00Z", &paid);
    assert_eq!(rig.trouble(), None);
}

#[test]
fn a_dividend_its_tax_and_its_reversal_are_one() {
    let mut rig = begun(&broker());
    let named = |id, code, e4| {
        let mut one = flow(id, code, e4, "2026-03-02");
        one.comment = "RHNA dividend".into();
        one
    };
    let mut flows = vec![named("d", "dividend", 100_000), named("t", "tax", -26_000)];
    rig.run("2026-03-02T09:06:00Z", &Broker { flows: flows.clone(), ..with_cash(10_074_000, 10, vec![]) });
    let net =
        "SELECT net_eur FROM api_dividend WHERE isin = 'DE000SMX0015' AND tax = 26000 AND state = 'received'";
    assert_eq!(rig.count(net), 74_000);
    flows.extend([named("r", "dividend_reverted", -100_000), named("u", "tax_reverted", 26_000)]);
    rig.run("2026-03-02T09:12:00Z", &Broker { flows, ..with_cash(10_000_000, 10, vec![]) });
    assert_eq!(rig.count("SELECT net FROM api_dividend WHERE state = 'reversed'"), 0);
    assert_eq!(rig.trouble(), None);
}

const TRADES: &str = "date,side,isin,quantity,price,currency,eur_per_unit\n";

fn import(rig: &mut Rig, file: LedgerFile, text: &str, dry_run: bool) -> Reply {
    let import = format!("{}", rig.heard.len());
    rig.hear(ImportLedger {
        actor: "test".into(),
        import,
        file,
        part: 1,
        parts: 1,
        text: text.into(),
        dry_run,
    });
    rig.last()
}

#[test]
fn an_imported_ledger_explains_what_was_held_and_what_it_cost() {
    let mut rig = begun(&broker());
    let lines = format!(
        "{TRADES}2024-01-02,buy,{NRDW},2,30,USD,0.9\n2024-06-03,split,{NRDW},2:1,,,\n2025-01-02,buy,{NRDW},1,20,USD,0.8\n"
    );
    let trial = import(&mut rig, LedgerFile::Trades, &lines, true);
    assert!(trial.text.contains("Nothing was changed"), "{}", trial.text);
    assert_eq!(rig.count("SELECT count(*) FROM fill WHERE csv = 1"), 0);
    let reply = import(&mut rig, LedgerFile::Trades, &lines, false);
    assert_eq!((reply.outcome, reply.data["trades"].as_u64()), (Outcome::Done, Some(2)), "{}", reply.text);
    let run: JobRun = rig.last();
    assert_eq!((run.job.as_str(), run.outcome, run.done, run.total), ("import", JobOutcome::Done, 1, 1));
    assert_eq!(run.text, reply.text);
    rig.run("2026-03-02T09:10:00Z", &broker());
    let state: PortfolioState = rig.last();
    let held = state.position(&isin(NRDW)).unwrap();
    assert_eq!(held.cost_eur.unwrap().e4(), 540_000 + 160_000);
    assert_eq!((held.qty_e6, held.opened), (units(5), Some(at("2024-01-02T12:00:00Z"))));
    let again = import(&mut rig, LedgerFile::Trades, &lines, false);
    assert_eq!((again.data["trades"].as_u64(), again.data["known"].as_u64()), (Some(0), Some(3)));
    rig.restart();
    rig.run("2026-03-02T09:20:00Z", &broker());
    assert_eq!(rig.last::<PortfolioState>().position(&isin(NRDW)).unwrap().cost_eur, held.cost_eur);
    assert_eq!(import(&mut rig, LedgerFile::Trades, &lines, false).data["known"].as_u64(), Some(3));
    assert_eq!(rig.trouble(), None);
}

#[test]
fn an_import_with_one_wrong_line_changes_nothing() {
    let mut rig = begun(&broker());
    for (line, expected) in [
        (format!("2024-01-02,buy,{NRDW},4,30,USD,0.9"), "add up to 4, but 5 were held"),
        (format!("2026-03-02,buy,{NRDW},5,30,USD,0.9"), "line 2, column `date`: 2026-03-02 is not before"),
        (format!("2024-01-02,sell,{NRDW},5,30,USD,0.9"), "line 2, column `quantity`: 5 are sold"),
        (format!("2024-01-02,buy,{NRDW},5,30,EUR,"), "line 2, column `currency`"),
        (format!("2024-01-02,buy,{NRDW},five,30,USD,"), "line 2, column `quantity`: `five`"),
    ] {
        let good = format!("2024-01-02,buy,{RHNA},10,30,EUR,");
        let reply = import(&mut rig, LedgerFile::Trades, &format!("{TRADES}{line}\n{good}\n"), false);
        assert_eq!(reply.outcome, Outcome::Refused);
        assert!(reply.text.contains(expected), "{line}: {}", reply.text);
    }
    assert_eq!(rig.count("SELECT count(*) FROM fill WHERE csv = 1"), 0);
    let mut unread = Rig::priced(MORNING);
    let reply = import(&mut unread, LedgerFile::Trades, TRADES, false);
    assert!(reply.text.contains("steward sync"), "{}", reply.text);
}

#[test]
fn books_without_any_cash_began_when_they_began_also_after_a_restart() {
    let penniless = Broker { cash: vec![], ..broker() };
    let mut rig = begun(&penniless);
    rig.run("2026-03-04T09:00:00Z", &penniless);
    rig.restart();
    rig.run("2026-03-04T09:10:00Z", &penniless);
    let lines = format!("{TRADES}2026-03-03,buy,{RHNA},10,30,EUR,\n");
    let reply = import(&mut rig, LedgerFile::Trades, &lines, false);
    assert!(reply.text.contains("is not before 2026-03-02, when the books began"), "{}", reply.text);
}

#[test]
fn an_imported_flow_explains_cash_and_one_of_the_statement_is_known() {
    let statement = vec![flow("a", "bank", 5_000_000, "2024-01-02")];
    let mut rig = begun(&Broker { flows: statement.clone(), ..broker() });
    let richer = Broker { flows: statement, ..with_cash(10_000_700, 10, vec![]) };
    rig.run("2026-03-02T09:08:00Z", &richer);
    assert!(rig.trouble().is_some());
    let lines = "date,kind,amount,currency\n2024-01-02,deposit,500,EUR\n2024-02-02,dividend,3,EUR\n2026-03-02,other,0.07,EUR\n";
    let reply = import(&mut rig, LedgerFile::CashFlows, lines, false);
    assert_eq!(
        (reply.data["cash_flows"].as_u64(), reply.data["known"].as_u64()),
        (Some(2), Some(1)),
        "{reply:?}"
    );
    rig.run("2026-03-02T09:20:00Z", &richer);
    assert_eq!(rig.trouble(), None);
    assert_eq!(rig.last::<PortfolioState>().cash_in(Currency::EUR).unwrap().amount.e4(), 10_000_700);
}
