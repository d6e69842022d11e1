//! The production client reads what the simulator writes, under every profile and every fault.

use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use ::market::{Day, Timestamp};
use money::{Currency, Price};
use tradernet::commands::{
    broker_report::{ReportCommissions, ReportCorporateActions, ReportDays, ReportInOuts},
    candles::GetDailyCandles,
    cash_flows::GetCashFlows,
    cross_rates::GetCrossRates,
    find_ticker::FindTicker,
    health::CheckHealth,
    market_status::GetMarketStatus,
    open_orders::GetOrders,
    opening_bundle::GetOpening,
    orders_history::GetOrdersHistory,
    planned_actions::GetPlannedActions,
    positions::GetPositions,
    price_alerts::{AddPriceAlert, GetPriceAlerts, RemovePriceAlert},
    quotes::GetQuotes,
    securities::GetSecurities,
    security_info::GetSecurityInfo,
    security_sessions::GetSecuritySessions,
    stock_lists::{AddToList, GetStockLists, RemoveFromList},
    tickers::Tickers,
    top_securities::{GetTopSecurities, TopAt, TopOf},
    trade_allowed::CheckAllowed,
    trades::GetTrades,
    transfer_requests::GetTransferRequests,
};
use tradernet::{
    Exchange, Fault, Keys, Notes, OrderForm, Placed, PutOrder, ReadCommand, Retry, Side, Ticker, Trading,
    TransportError, decode_read, encode_read,
};

use crate::{Delivery, Effect, FaultRule, Profile, When, World, WorldConfig};

const WALL_S: u64 = 1_767_225_600;

fn ask<C: ReadCommand>(world: &mut World, command: &C) -> C::Reply {
    let keys = Keys::new(crate::PUBLIC_KEY, crate::PRIVATE_KEY.to_owned().into()).unwrap();
    let raw = encode_read(command, &keys, WALL_S);
    let headers = raw.headers.iter().map(|(n, v)| ((*n).to_owned(), v.clone()));
    let request = crate::RawRequest {
        method: "POST".into(),
        path: raw.path.clone(),
        headers: headers.chain([("User-Agent".to_owned(), "test".to_owned())]).collect(),
        body: raw.body.clone(),
    };
    let Delivery::Reply { reply, .. } = world.exchange(&request, i64::try_from(WALL_S).unwrap()) else {
        panic!("no reply")
    };
    decode_read(command, Ok(tradernet::RawReply::new(reply.status, reply.body))).unwrap()
}

#[test]
fn positions_trades_and_flows_arrive_as_they_are_booked() {
    let start: Timestamp = "2026-03-02T15:00:00Z".parse().unwrap();
    for profile in [Profile::Clean, Profile::LiveLike, Profile::Nasty] {
        let mut world = World::new(WorldConfig { profile, ..WorldConfig::new(4, start) }).unwrap();
        let account = ask(&mut world, &GetPositions);
        assert_eq!(account.positions.len(), world.positions().len(), "{profile:?}");
        assert_eq!(account.cash.len(), world.cash().len(), "{profile:?}");
        let (from, till) = (Day::from_ymd(2022, 1, 1).unwrap(), Day::from_ymd(2026, 3, 3).unwrap());
        let trades = ask(&mut world, &GetTrades { from, till });
        assert_eq!(trades.len(), world.fills().len(), "{profile:?}");
        let flows = ask(&mut world, &GetCashFlows { since: None, page: 0 });
        assert!(!flows.rows.is_empty(), "{profile:?}");
        assert!(world.unmodelled().is_empty(), "{:?}", world.unmodelled());
        assert!(world.invariants().iter().all(|report| report.ok));
    }
}

/// Sends a command and hands back what the client makes of whatever comes.
pub(super) fn attempt<C: ReadCommand>(world: &mut World, command: &C) -> Result<C::Reply, Fault> {
    let keys = Keys::new(crate::PUBLIC_KEY, crate::PRIVATE_KEY.to_owned().into()).unwrap();
    let raw = encode_read(command, &keys, WALL_S);
    decode_read(command, exchange(world, &raw))
}

fn exchange(world: &mut World, raw: &tradernet::RawRequest) -> Result<tradernet::RawReply, TransportError> {
    let headers = raw.headers.iter().map(|(n, v)| ((*n).to_owned(), v.clone()));
    let request = crate::RawRequest {
        method: "POST".into(),
        path: raw.path.clone(),
        headers: headers.chain([("User-Agent".to_owned(), "test".to_owned())]).collect(),
        body: raw.body.clone(),
    };
    match world.exchange(&request, i64::try_from(WALL_S).unwrap()) {
        Delivery::Reply { reply, .. } => {
            let whole = tradernet::RawReply::new(reply.status, reply.body);
            Ok(reply.headers.iter().fold(whole, |reply, (name, value)| reply.with_header(name, value)))
        }
        Delivery::TimedOut { .. } => Err(TransportError::Unknown { reason: "time-out".into() }),
        Delivery::Reset { .. } => Err(TransportError::Unknown { reason: "reset".into() }),
    }
}

/// The world as a transport of the client, without a network.
pub(super) struct Here(pub(super) Rc<RefCell<World>>);

impl Exchange for Here {
    async fn send(&self, request: tradernet::RawRequest) -> Result<tradernet::RawReply, TransportError> {
        exchange(&mut self.0.borrow_mut(), &request)
    }
}

pub(super) fn finished<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the world answers at once"),
    }
}

/// What a read under a fault may end in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// As if there were no fault.
    Same,
    /// An error that may be tried again at once.
    Now,
    /// An error to be tried again later.
    Later,
    /// An error that needs a person.
    Never,
}

fn every_fault_of_transport() -> Vec<(Effect, End)> {
    let error = |code: i64, text: &str| Effect::Error { code, text: text.into() };
    vec![
        (Effect::TimeoutBefore { ms: 1 }, End::Now),
        (Effect::TimeoutAfter { ms: 1 }, End::Now),
        (Effect::ResetAfter, End::Now),
        (Effect::Truncate, End::Now),
        (Effect::Malformed, End::Now),
        (Effect::Http { status: 500, processed: true }, End::Now),
        (Effect::Http { status: 502, processed: false }, End::Now),
        (Effect::Http { status: 503, processed: false }, End::Now),
        (Effect::Http { status: 504, processed: true }, End::Now),
        (Effect::Http403Html, End::Later),
        (Effect::RateLimit { body: false, retry_after: 30 }, End::Later),
        (Effect::RateLimit { body: true, retry_after: 30 }, End::Later),
        (error(0, "no"), End::Never),
        (error(4, "Invalid signature provided"), End::Never),
        (error(7, "User is not found"), End::Never),
        (error(12, "Access denied"), End::Never),
        (error(14, "Service unavailable"), End::Now),
        (Effect::Slow { ms: 1 }, End::Same),
        (Effect::DupAck, End::Same),
    ]
}

fn end<T: PartialEq + std::fmt::Debug>(plain: &T, found: Result<T, Fault>, what: &str) -> End {
    match found {
        Ok(reply) => {
            assert_eq!(&reply, plain, "{what}: a fault changed the meaning");
            End::Same
        }
        Err(fault) => match fault.retry() {
            Retry::Now => End::Now,
            Retry::Later(_) => End::Later,
            Retry::Never => End::Never,
            Retry::UnknownOutcome => panic!("{what}: a read has no unknown outcome"),
        },
    }
}

fn with_fault(effect: Effect) -> FaultRule {
    FaultRule {
        id: "f".into(),
        target: "tn".into(),
        cmd: "*".into(),
        ticker: "*".into(),
        when: When::Nth(vec![1]),
        max: None,
        effect,
    }
}

fn check_read<C: ReadCommand>(world: &World, command: &C)
where
    C::Reply: PartialEq + std::fmt::Debug,
{
    for (effect, expected) in every_fault_of_transport() {
        let what = format!("{} {:?} {effect:?}", C::NAME, world.config().profile);
        // Asked of a copy each, so that both answers have the same number and the same dress.
        let plain = attempt(&mut world.clone(), command).unwrap_or_else(|fault| panic!("{what}: {fault}"));
        let mut world = world.clone();
        world.put_fault(with_fault(effect)).unwrap();
        assert_eq!(end(&plain, attempt(&mut world, command), &what), expected, "{what}");
        assert!(attempt(&mut world, command).is_ok(), "{what}: the next answer is good again");
    }
}

pub(super) fn tickers<const MAX: usize>(names: &[&str]) -> Tickers<MAX> {
    Tickers::new(names.iter().map(|name| Ticker::parse(name).unwrap()).collect()).unwrap()
}

#[test]
fn every_read_survives_every_fault_under_every_profile() {
    let start: Timestamp = "2026-03-02T15:00:00Z".parse().unwrap();
    let day = |y, m, d| Day::from_ymd(y, m, d).unwrap();
    let (from, till) = (day(2025, 7, 1), day(2026, 3, 3));
    for profile in [Profile::Clean, Profile::LiveLike, Profile::Nasty] {
        let mut config = WorldConfig { profile, ..WorldConfig::new(4, start) };
        config.rules.throttle = false;
        let world = World::new(config).unwrap();
        let names = ["NRDW.US", "VNTX.US", "THMB.EU"];
        let one = || Ticker::parse("NRDW.US").unwrap();
        check_read(&world, &CheckHealth);
        check_read(&world, &GetPositions);
        check_read(&world, &GetOrders { active_only: false });
        check_read(&world, &GetOrdersHistory { from, till });
        check_read(&world, &GetTrades { from, till });
        check_read(&world, &GetCashFlows { since: Some(from), page: 0 });
        check_read(&world, &GetQuotes { tickers: tickers(&names) });
        check_read(&world, &GetDailyCandles { tickers: tickers(&names), from, to: till });
        check_read(&world, &GetSecurityInfo { ticker: one() });
        check_read(&world, &GetSecurities { tickers: tickers(&names) });
        check_read(&world, &FindTicker { isin: "DE000SMX0015".parse().unwrap() });
        check_read(&world, &CheckAllowed { ticker: one() });
        check_read(&world, &GetMarketStatus);
        check_read(&world, &GetCrossRates { currencies: vec![Currency::USD, Currency::GBP], day: None });
        check_read(&world, &ReportCorporateActions(ReportDays { from, till }));
        check_read(&world, &ReportInOuts(ReportDays { from, till }));
        check_read(&world, &ReportCommissions(ReportDays { from, till }));
        check_read(&world, &GetPlannedActions { reception: 35 });
        check_read(&world, &GetStockLists);
        check_read(&world, &GetOpening);
        check_read(&world, &GetSecuritySessions);
        check_read(&world, &GetTransferRequests { from, till });
        check_read(&world, &GetPriceAlerts { ticker: None });
        let top = GetTopSecurities { of: TopOf::Shares, at: TopAt::America, gainers: true, limit: 5 };
        check_read(&world, &top);
    }
}

#[test]
fn watch_lists_and_alerts_are_changed_and_read_back() {
    let start: Timestamp = "2026-03-02T15:00:00Z".parse().unwrap();
    for profile in [Profile::Clean, Profile::LiveLike, Profile::Nasty] {
        let mut config = WorldConfig { profile, ..WorldConfig::new(4, start) };
        config.rules.throttle = false;
        let world = Rc::new(RefCell::new(World::new(config).unwrap()));
        let keys = Keys::new(crate::PUBLIC_KEY, crate::PRIVATE_KEY.to_owned().into()).unwrap();
        let notes = Notes::new(Here(Rc::clone(&world)), keys, Box::new(|| WALL_S));
        let ticker = Ticker::parse("NRDW.US").unwrap();
        let listed = finished(notes.change(&AddToList { id: 7, ticker: ticker.clone() })).unwrap();
        assert_eq!(listed.default_list().unwrap().tickers.last(), Some(&ticker), "{profile:?}");
        let left = finished(notes.change(&RemoveFromList { id: 7, ticker: ticker.clone() })).unwrap();
        assert!(!left.default_list().unwrap().tickers.contains(&ticker), "{profile:?}");
        let nothing = AddToList { id: 7, ticker: Ticker::parse("NOPE.US").unwrap() };
        assert!(matches!(finished(notes.change(&nothing)), Err(Fault::Rejected { .. })), "{profile:?}");

        let price = Price::from_e6(99_000_000).unwrap();
        finished(notes.change(&AddPriceAlert { ticker: ticker.clone(), price })).unwrap();
        let ask = GetPriceAlerts { ticker: Some(ticker) };
        let alerts = finished(notes.read().ask(&ask)).unwrap();
        assert_eq!((alerts.len(), alerts[0].prices.as_slice()), (1, [price].as_slice()), "{profile:?}");
        finished(notes.change(&RemovePriceAlert { id: alerts[0].id })).unwrap();
        assert_eq!(finished(notes.read().ask(&ask)).unwrap(), [], "{profile:?}");
        let orders = world.borrow().orders().iter().filter(|order| !order.historic).count();
        assert_eq!(orders, 0, "notes touch no order");
    }
}

#[test]
fn an_order_is_accepted_refused_or_unknown_and_the_books_agree() {
    let start: Timestamp = "2026-03-02T15:00:00Z".parse().unwrap();
    for profile in [Profile::Clean, Profile::LiveLike, Profile::Nasty] {
        for (effect, expected) in every_fault_of_transport() {
            let mut config = WorldConfig { profile, ..WorldConfig::new(4, start) };
            config.rules.throttle = false;
            config.rules.late_reject_share = 0.0;
            let mut world = World::new(config).unwrap();
            world.book_cash("USD", 50_000_000, "bank").unwrap();
            let ask = world.truth_price("NRDW.US", start).unwrap() / 10_000 * 10_000 + 50_000;
            let form = OrderForm {
                ticker: Ticker::parse("NRDW.US").unwrap(),
                side: Side::Buy,
                quantity: "2".parse().unwrap(),
                lot: "1".parse().unwrap(),
                limit: Price::from_e6(ask).unwrap(),
                user_order_id: 4_503_599_627_370_497,
            };
            let order = PutOrder::new(form).unwrap();
            world.put_fault(with_fault(effect.clone())).unwrap();
            let world = Rc::new(RefCell::new(world));
            let keys = Keys::new(crate::PUBLIC_KEY, crate::PRIVATE_KEY.to_owned().into()).unwrap();
            let broker = Trading::new(Here(Rc::clone(&world)), keys, Box::new(|| WALL_S));
            let placed = finished(broker.put_order(order));
            let orders = world.borrow().orders().iter().filter(|order| !order.historic).count();
            let what = format!("{profile:?} {effect:?} {placed:?}");
            match placed {
                Placed::Accepted { .. } => assert_eq!((orders, expected), (1, End::Same), "{what}"),
                Placed::RefusedByBroker { .. } => assert_eq!(orders, 0, "{what}"),
                Placed::NotSent { .. } => panic!("{what}: it was sent"),
                Placed::Unknown { .. } => assert!(orders <= 1 && expected != End::Same, "{what}"),
            }
        }
    }
}
