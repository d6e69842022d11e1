//! Stored replies in three dresses: the plain one of the documentation, one like real replies look,
//! and nasty ones. The first two must mean the same, the third must never mean more than it says.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use market::Day;
use money::{Currency, Money, Price, Quantity, Rate};
use tradernet::commands::candles::{DailyCandles, GetDailyCandles};
use tradernet::commands::cash_flows::GetCashFlows;
use tradernet::commands::cross_rates::GetCrossRates;
use tradernet::commands::find_ticker::FindTicker;
use tradernet::commands::flow_class::FlowClass;
use tradernet::commands::health::CheckHealth;
use tradernet::commands::market_status::{GetMarketStatus, MarketState};
use tradernet::commands::open_orders::GetOrders;
use tradernet::commands::order_rows::{OrderKind, Orders};
use tradernet::commands::order_status::OrderStatus;
use tradernet::commands::orders_history::GetOrdersHistory;
use tradernet::commands::planned_actions::GetPlannedActions;
use tradernet::commands::positions::GetPositions;
use tradernet::commands::put_order::decode_placed;
use tradernet::commands::quotes::GetQuotes;
use tradernet::commands::securities::{GetSecurities, Product};
use tradernet::commands::security_info::GetSecurityInfo;
use tradernet::commands::stock_lists::GetStockLists;
use tradernet::commands::tickers::Tickers;
use tradernet::commands::trade_allowed::CheckAllowed;
use tradernet::commands::trades::GetTrades;
use tradernet::{Fault, Placed, RawReply, ReadCommand, Retry, Side, Ticker, decode_read};

fn stored(dress: &str, name: &str) -> RawReply {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replies").join(dress);
    RawReply::new(200, std::fs::read(path.join(format!("{name}.json"))).unwrap())
}

fn decoded<C: ReadCommand>(command: &C, dress: &str, name: &str) -> Result<C::Reply, Fault> {
    decode_read(command, Ok(stored(dress, name)))
}

/// Decodes the plain and the real-looking reply and requires one meaning.
fn both<C: ReadCommand>(command: &C) -> C::Reply
where
    C::Reply: PartialEq + std::fmt::Debug,
{
    let clean = decoded(command, "clean", C::NAME).unwrap();
    assert_eq!(decoded(command, "live_like", C::NAME).unwrap(), clean);
    clean
}

fn ticker(text: &str) -> Ticker {
    Ticker::parse(text).unwrap()
}

fn tickers<const MAX: usize>(names: &[&str]) -> Tickers<MAX> {
    Tickers::new(names.iter().map(|name| ticker(name)).collect()).unwrap()
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn price(text: &str) -> Price {
    text.parse().unwrap()
}

fn units(text: &str) -> Quantity {
    text.parse().unwrap()
}

fn money(text: &str) -> Money {
    text.parse().unwrap()
}

#[test]
fn positions_keep_negative_cash_and_exact_amounts() {
    let account = both(&GetPositions);
    let cash: Vec<_> = account.cash.iter().map(|row| (row.available, row.payable)).collect();
    assert_eq!(
        cash,
        [(money("1840.37 EUR"), Some(money("212.4 EUR"))), (money("-3.15 USD"), Some(money("0 USD")))]
    );
    let position = &account.positions[0];
    assert_eq!((position.ticker.as_str(), position.quantity), ("NRDW.US", units("12")));
    assert_eq!(position.average_price, Some(price("79.1")));
    assert_eq!((position.instrument_id, position.market_id), (Some(40_100_001), Some(30_000_000_001)));
}

#[test]
fn positions_at_top_level_with_single_objects_are_read() {
    let account = decoded(&GetPositions, "nasty", "getPositionJson").unwrap();
    assert_eq!(account.cash[0].available, money("0 RUB"));
    assert_eq!(account.cash[0].payable, None, "unknown must not become zero");
    let position = &account.positions[0];
    assert_eq!(position.quantity, units("-0.333333"));
    assert_eq!((position.isin, position.average_price, position.market_price), (None, None, None));
    assert_eq!(position.name.as_deref(), Some("Ковтек"));
}

#[test]
fn an_account_that_is_not_there_never_looks_empty() {
    for name in ["not_loaded", "empty_ps", "no_cash_amount", "error"] {
        let name = format!("getPositionJson.{name}");
        assert!(decoded(&GetPositions, "nasty", &name).is_err(), "{name}");
    }
}

#[test]
fn orders_are_read_with_all_their_fills() {
    let clean = decoded(&GetOrders { active_only: false }, "clean", "getNotifyOrderJson").unwrap();
    let live = decoded(&GetOrders { active_only: false }, "live_like", "getNotifyOrderJson").unwrap();
    let without_caller_ids = |mut orders: Orders| {
        orders.rows.iter_mut().for_each(|row| row.user_order_id = None);
        orders
    };
    assert!(live.rows[0].carries(700_000_001) && clean.rows[0].carries(700_000_001));
    assert!(!live.rows[0].carries(700_000_003));
    assert_eq!(without_caller_ids(live), without_caller_ids(clean.clone()));
    let row = &clean.rows[1];
    assert_eq!((row.side, row.kind, row.status), (Side::Sell, OrderKind::Limit, OrderStatus::PartlyFilled));
    assert_eq!(row.filled(), Some(units("12")));
    let fills: Vec<_> = row.fills.iter().map(|fill| (fill.trade_id.as_str(), fill.quantity)).collect();
    assert_eq!(fills, [("73100246", units("5")), ("73100247", units("7"))]);
    assert!(clean.may_be_pending(&ticker("NRDW.US")));
    assert!(!clean.may_be_pending(&ticker("KOWTC.9934.AS")));
}

#[test]
fn partly_executed_is_over_only_when_nothing_remains() {
    let listing = |remaining: &str| {
        let row = format!(
            r#"{{"id":1,"instr":"NRDW.US","oper":1,"type":2,"q":5,"stat":20,"p":1,"leaves_qty":{remaining}}}"#
        );
        let reply = RawReply::new(200, format!(r#"{{"result":{{"orders":{{"order":{row}}}}}}}"#));
        decode_read(&GetOrders { active_only: true }, Ok(reply)).unwrap()
    };
    for (remaining, active) in [("0", false), ("1", true), ("null", true), ("6", true)] {
        assert_eq!(listing(remaining).may_be_pending(&ticker("NRDW.US")), active, "{remaining}");
    }
    assert_eq!(listing("6").rows[0].filled(), None, "more left than ordered is no fill");
}

#[test]
fn damaged_listings_are_not_empty_ones() {
    let broken =
        r#"{"result":{"orders":{"\ud800":1,"order":[{"id":1}]}},"trades":{"\ud800":1,"trade":[{"id":1}]}}"#;
    let reply = || Ok(RawReply::new(200, broken));
    assert!(decode_read(&GetOrders { active_only: true }, reply()).is_err());
    assert!(decode_read(&GetTrades { from: day("2026-03-01"), till: day("2026-03-03") }, reply()).is_err());
}

#[test]
fn unreadable_orders_count_as_pending() {
    let orders = decoded(&GetOrders { active_only: true }, "nasty", "getNotifyOrderJson").unwrap();
    let row = &orders.rows[0];
    assert_eq!((row.status, row.kind), (OrderStatus::Unknown(Some(999)), OrderKind::Unknown(Some(9))));
    assert_eq!((row.limit, row.filled(), row.fills.len()), (None, None, 1));
    assert_eq!((orders.rows.len(), orders.unreadable.len()), (1, 4));
    // One unreadable row names no ticker: it could be anybody's.
    assert!(orders.may_be_pending(&ticker("KOWTC.9934.AS")));
}

#[test]
fn no_orders_and_no_answer_are_different_things() {
    let asked = |name| decoded(&GetOrders { active_only: true }, "nasty", name);
    let none = asked("getNotifyOrderJson.no_order_key").unwrap();
    assert!(!none.may_be_pending(&ticker("NRDW.US")));
    assert!(asked("getNotifyOrderJson.null_orders").is_err());
    let throttled = asked("getNotifyOrderJson.throttled").unwrap_err();
    assert!(matches!(throttled.retry(), Retry::Later(_)), "{throttled}");
}

#[test]
fn a_rejected_order_says_why() {
    let clean = decoded(
        &GetOrdersHistory { from: day("2026-03-01"), till: day("2026-03-03") },
        "clean",
        "getOrdersHistory",
    );
    let live = decoded(
        &GetOrdersHistory { from: day("2026-03-01"), till: day("2026-03-03") },
        "live_like",
        "getOrdersHistory",
    );
    assert_eq!(live, clean);
    let row = &clean.unwrap().rows[0];
    assert_eq!((row.status, row.kind, row.limit), (OrderStatus::Rejected, OrderKind::Market, None));
    assert_eq!(row.reason.as_deref(), Some("Market orders are not accepted"));
}

#[test]
fn quotes_name_what_is_missing_and_never_show_zero() {
    let quotes = both(&GetQuotes { tickers: tickers(&["NRDW.US", "RHNA.EU", "XYZA.GR"]) });
    assert_eq!(quotes.missing, [ticker("XYZA.GR")]);
    let first = &quotes.by_ticker[&ticker("NRDW.US")];
    assert_eq!(
        (first.last, first.bid, first.ask),
        (Some(price("84.42")), Some(price("84.4")), Some(price("84.45")))
    );
    let second = &quotes.by_ticker[&ticker("RHNA.EU")];
    assert_eq!((second.bid, second.ask, second.previous_close), (None, None, Some(price("41"))));
    let nasty =
        decoded(&GetQuotes { tickers: tickers(&["NRDW.US"]) }, "nasty", "getStockQuotesJson").unwrap();
    let quote = &nasty.by_ticker[&ticker("NRDW.US")];
    assert_eq!((quote.last, quote.bid, quote.ask, quote.currency, quote.lot), (None, None, None, None, None));
}

fn candles_between(from: &str, to: &str, names: &[&str]) -> GetDailyCandles {
    GetDailyCandles { tickers: tickers(names), from: day(from), to: day(to) }
}

fn days_of(candles: &DailyCandles, name: &str) -> Vec<String> {
    candles.by_ticker[&ticker(name)].candles.iter().map(|candle| candle.day.to_string()).collect()
}

#[test]
fn candles_are_dated_by_midnight_in_moscow() {
    let candles = both(&candles_between("2026-03-01", "2026-03-31", &["NRDW.US", "RHNA.EU"]));
    assert_eq!(days_of(&candles, "NRDW.US"), ["2026-03-02", "2026-03-03"]);
    assert_eq!(candles.missing, [ticker("RHNA.EU")]);
    let first = candles.by_ticker[&ticker("NRDW.US")].candles[0];
    assert_eq!((first.open, first.high), (price("84"), price("85.1")));
    assert_eq!((first.low, first.close), (price("83.62"), price("84.42")));
    assert_eq!(first.volume, Some(units("812300")));
}

#[test]
fn candles_outside_the_wanted_days_are_left_out() {
    let candles = both(&candles_between("2026-03-03", "2026-03-31", &["NRDW.US"]));
    assert_eq!(days_of(&candles, "NRDW.US"), ["2026-03-03"]);
}

#[test]
fn broken_candles_are_counted_and_left_out() {
    let candles =
        decoded(&candles_between("2011-01-01", "2026-12-31", &["NRDW.US", "RHNA.EU"]), "nasty", "getHloc");
    let candles = candles.unwrap();
    assert_eq!(days_of(&candles, "NRDW.US"), ["2012-01-01", "2026-01-01"]);
    let history = &candles.by_ticker[&ticker("NRDW.US")];
    // Three unreadable ones and one without a time.
    assert_eq!(history.dropped, 4);
    assert_eq!((history.candles[0].high, history.candles[0].low), (price("86"), price("84.5")));
    assert_eq!(history.candles[0].volume, None);
    assert!(candles.by_ticker[&ticker("RHNA.EU")].candles.is_empty());
}

#[test]
fn an_instrument_has_tick_lot_and_currency() {
    let info = both(&GetSecurityInfo { ticker: ticker("NRDW.US") });
    assert_eq!((info.tick, info.lot), (Some(price("0.01")), Some(units("1"))));
    assert_eq!((info.currency, info.market_id), (Some(Currency::USD), Some(30_000_000_001)));
    assert_eq!(info.first_day, Some(day("2015-01-02")));
    let other = GetSecurityInfo { ticker: ticker("RHNA.EU") };
    assert!(decoded(&other, "clean", "getSecurityInfo").is_err(), "another instrument must not pass");
}

#[test]
fn permission_market_hours_and_rates_are_read() {
    let allowed = both(&CheckAllowed { ticker: ticker("NRDW.US") });
    assert!(allowed.permits(Side::Buy) && allowed.validities == [1, 3, 2]);
    let status = both(&GetMarketStatus);
    let market = &status.markets[0];
    assert!(market.state.is_open() && market.special_days[0].closed);
    assert_eq!((market.open_s, market.close_s, market.moscow_ahead_min), (Some(63_000), Some(0), Some(480)));
    let rates =
        both(&GetCrossRates { currencies: vec![Currency::USD, Currency::GBP, Currency::JPY], day: None });
    assert_eq!(rates.eur_per_unit[&Currency::USD], Rate::from_e9(853_825_137).unwrap());
    assert_eq!(rates.missing, [Currency::JPY]);
}

#[test]
fn an_unknown_market_state_is_not_open() {
    let status = decoded(&GetMarketStatus, "nasty", "getMarketStatus").unwrap();
    let market = &status.markets[0];
    assert_eq!(market.state, MarketState::Unknown(Some("BREAK".to_owned())));
    assert!(!market.state.is_open());
    assert_eq!((market.open_s, market.close_s, market.moscow_ahead_min), (None, None, None));
}

#[test]
fn cash_flows_keep_their_sign() {
    let page = both(&GetCashFlows { since: None, page: 0 });
    let flows: Vec<_> = page.rows.iter().map(|flow| (flow.kind.class, flow.amount)).collect();
    assert_eq!(flows, [(FlowClass::Income, money("7.44 USD")), (FlowClass::Cost, money("-2.13 EUR"))]);
    assert!(page.is_last() && page.total == Some(2));
    let bad = decoded(&GetCashFlows { since: None, page: 0 }, "nasty", "getUserCashFlows.bad_row");
    let bad = bad.unwrap();
    assert_eq!(bad.unreadable.len(), 1, "a flow without an amount must not vanish");
}

#[test]
fn two_fills_of_one_order_stay_two() {
    let trades = both(&GetTrades { from: day("2026-03-01"), till: day("2026-03-03") });
    assert_eq!(trades.len(), 2);
    assert_eq!(trades[0].order_id, trades[1].order_id);
    assert_eq!((trades[0].commission, trades[1].commission), (Some(money("2.1 USD")), None));
    assert_eq!(trades[0].exchange_at.unwrap().day(), day("2026-03-02"));
}

#[test]
fn trades_are_never_guessed() {
    let asked =
        |name| decoded(&GetTrades { from: day("2026-03-01"), till: day("2026-03-03") }, "nasty", name);
    let single = asked("getTradesHistory").unwrap();
    assert_eq!((single[0].side, single[0].amount), (Side::Sell, Some(money("410.52 USD"))));
    assert_eq!((single[0].at, single[0].order_id.clone()), (None, None));
    assert_eq!(asked("getTradesHistory.none").unwrap(), []);
    // 3 means "sell" for orders but nothing for fills.
    assert!(asked("getTradesHistory.order_side_codes").is_err());
}

#[test]
fn master_data_is_read_from_both_forms_of_the_attributes() {
    let securities = both(&GetSecurities { tickers: tickers(&["KOWTC.9934.AS", "XYZA.GR"]) });
    assert_eq!(securities.missing, [ticker("XYZA.GR")]);
    let security = &securities.by_ticker[&ticker("KOWTC.9934.AS")];
    assert_eq!(security.product, Product::CommonShare);
    assert_eq!((security.lot, security.tick), (Some(units("100")), Some(price("0.2"))));
    assert_eq!((security.country.as_deref(), security.cfi.as_deref()), (Some("CN"), Some("ESVUFR")));
    assert_eq!((security.tradable, security.removed), (Some(true), Some(false)));
    assert_eq!(security.currency, Some(Currency::HKD));
}

#[test]
fn only_the_very_isin_is_found() {
    let found = both(&FindTicker { isin: "DE000SMX0015".parse().unwrap() });
    let names: Vec<_> = found.iter().map(|listing| listing.ticker.as_str()).collect();
    assert_eq!(names, ["RHNA.EU"]);
    assert_eq!(found[0].venue.as_deref(), Some("XETRA"));
}

#[test]
fn announcements_and_watch_lists_are_read() {
    let planned = both(&GetPlannedActions { reception: 35 });
    assert_eq!((planned.rows[0].per_unit_e6, planned.unreadable), (Some(310_000), 1));
    assert_eq!(planned.rows[0].ex_day, Some(day("2026-05-13")));
    let lists = both(&GetStockLists);
    let default = lists.default_list().unwrap();
    assert_eq!((default.id, default.tickers.len()), (7, 2));
    assert_eq!(both(&CheckHealth), ());
}

#[test]
fn order_acknowledgements_are_accepted_in_both_dresses() {
    for dress in ["clean", "live_like"] {
        let placed = decode_placed(Ok(stored(dress, "putTradeOrder")));
        assert!(matches!(placed, Placed::Accepted { order_id } if order_id.number() == Some(5_510_020_011)));
    }
}
