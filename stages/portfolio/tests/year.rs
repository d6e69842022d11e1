//! 250 trading days at the simulated broker, over the real wire: purchases in parts, sales, exchanges of currency,
//! dividends, a split, a reverse split with its fraction in cash, a takeover, a change of ISIN, and a deposit each
//! month, while one call in twenty fails. On every day positions, cash, cost and value equal the simulator's own ledger to the cent.

#![allow(clippy::unwrap_used)]

mod support;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use bus_client::Edge;
use contracts::{
    FxRate, FxRates, Id, OrderFill, OrderState, OrderStatus, PortfolioState, Quote, Reconciliation,
};
use contracts::{Sample, Security, Side, Source, Universe};
use market::{Calendars, Day, Isin, Timestamp};
use money::{Currency, Price, Quantity, Rate};
use portfolio::PortfolioEdge;
use simworld::{FillView, Listing, OrderView, Profile, Rules, World, WorldConfig};
use support::{InProcess, Rig, WALL_S, at_once, edge, keys};
use tradernet::{
    OrderForm, PutOrder, Ticker, Trading,
    commands::cross_rates::{CrossRates, GetCrossRates},
};

const FIRST: &str = "2025-07-14T05:00:00Z";
const TRADING_DAYS: u32 = 250;
const TICKERS: [&str; 14] = [
    "NRDW.US",
    "PRVL.US",
    "ALPB.EU",
    "MGLW.EU",
    "AURX.EU",
    "THMB.EU",
    "VNTX.US",
    "JADEP.9911.AS",
    "KYST.US",
    "RHNA.EU",
    "GRPK.US",
    "LUMR.EU",
    TAKEN_OVER.0,
    RENAMED.0,
];
/// Bought up on this day, for cash.
const TAKEN_OVER: (&str, &str) = ("CRWN.EU", "2025-11-19");
/// Goes on under another ISIN from this day on.
const RENAMED: (&str, &str, &str) = ("VDHV.EU", "2026-02-11", "NL0099SM0036");
/// Half a cent in ten-thousandths: less is the same cent.
const HALF_CENT_E4: i128 = 50;
/// The splits of the simulated world: ticker, first day, units before and after.
const SPLITS: [(&str, &str, i128, i128); 2] =
    [("VNTX.US", "2025-08-18", 1, 4), ("KYST.US", "2026-06-15", 10, 1)];

struct Year {
    world: Rc<RefCell<World>>,
    rig: Rig,
    edge: PortfolioEdge<InProcess>,
    trader: Trading<InProcess>,
    listings: BTreeMap<&'static str, Listing>,
    calendars: Calendars,
    rates: BTreeMap<Currency, Rate>,
    orders: u64,
    said: BTreeMap<i64, (u8, i64)>,
}

impl Year {
    fn begin(profile: Profile) -> Year {
        let rules = Rules { throttle: false, partial_fill_share: 0.6, ..Rules::default() };
        let tickers = Some(TICKERS.iter().map(|ticker| (*ticker).to_owned()).collect());
        let config = WorldConfig { profile, rules, tickers, ..WorldConfig::new(1, FIRST.parse().unwrap()) };
        let mut world = World::new(config).unwrap();
        for rule in [
            r#"{"id":"ill","cmd":"*","when":{"prob":0.02},"effect":{"kind":"http","status":503,"processed":false}}"#,
            r#"{"id":"lost","cmd":"*","when":{"prob":0.01},"effect":{"kind":"timeout_after","ms":1}}"#,
            r#"{"id":"torn","cmd":"*","when":{"prob":0.01},"effect":{"kind":"truncate"}}"#,
            r#"{"id":"empty","cmd":"getPositionJson","when":{"prob":0.02},"effect":{"kind":"empty_ok"}}"#,
            r#"{"id":"page","cmd":"*","when":{"prob":0.01},"effect":{"kind":"malformed"}}"#,
        ] {
            world.put_fault(serde_json::from_str(rule).unwrap()).unwrap();
        }
        let epoch_day = |day: &str| day.parse::<Day>().unwrap().epoch_days();
        world.plan_takeover(TAKEN_OVER.0, epoch_day(TAKEN_OVER.1), None).unwrap();
        world.plan_new_isin(RENAMED.0, epoch_day(RENAMED.1)).unwrap();
        let world = Rc::new(RefCell::new(world));
        let listings = simworld::listings().into_iter().map(|one| (one.ticker, one));
        let listings = listings.filter(|(ticker, _)| TICKERS.contains(ticker)).collect();
        let mut year = Year {
            edge: edge(&world),
            trader: Trading::new(InProcess(Rc::clone(&world)), keys(), Box::new(|| WALL_S)),
            world,
            rig: Rig::with(FIRST, "sync_interval_s = 3600\nstale_after_s = 86400"),
            listings,
            calendars: Calendars::embedded().with_rules(),
            rates: BTreeMap::new(),
            orders: 0,
            said: BTreeMap::new(),
        };
        year.say_universe();
        year
    }

    fn say_universe(&mut self) {
        let securities = self.listings.values().map(|one| Security {
            isin: one.isin.parse().unwrap(),
            ticker: one.ticker.into(),
            mic: one.mic,
            ccy: Currency::new(one.ccy).unwrap(),
            ..Security::sample()
        });
        let universe = Universe { securities: securities.collect() };
        self.rig.hear(universe);
    }

    /// `ingest` has found out about the new ISIN.
    fn rename(&mut self) {
        let (ticker, _, isin) = RENAMED;
        self.listings.get_mut(ticker).unwrap().isin = isin;
        self.say_universe();
    }

    /// Time goes on; the stage reads the account when it wants to.
    fn run(&mut self, until: Timestamp) {
        let (world, edge) = (&self.world, &self.edge);
        self.rig.run_with(until, |call, now| {
            world.borrow_mut().advance_to(now);
            at_once(edge.perform(call))
        });
        self.world.borrow_mut().advance_to(until);
    }

    fn fetch_rates(&mut self) {
        let currencies: Vec<Currency> = ["USD", "GBP", "HKD"].map(|code| Currency::new(code).unwrap()).into();
        let ask = GetCrossRates { currencies, day: None };
        let answer: Option<CrossRates> = (0..50).find_map(|_| at_once(self.trader.read().ask(&ask)).ok());
        let rates = answer.unwrap().eur_per_unit;
        self.rates.clone_from(&rates);
        let now = self.rig.now;
        let said = |rate: &Rate| FxRate { eur_per_unit_e9: *rate, as_of: now, source: Source::Broker };
        self.rig
            .hear(FxRates { rates: rates.iter().map(|(ccy, rate)| (*ccy, said(rate))).collect(), at: now });
    }

    fn say_prices(&mut self) {
        let now = self.rig.now;
        for one in self.listings.values() {
            let price = self.world.borrow().truth_price(one.ticker, now);
            let Some(price_e6) = price.and_then(|e6| Price::from_e6(e6).ok()) else { continue };
            let ccy = Currency::new(one.ccy).unwrap();
            self.rig.hear(Quote {
                isin: one.isin.parse().unwrap(),
                price_e6,
                ccy,
                at: now,
                ..Quote::sample()
            });
        }
    }

    /// One limit order that the market takes, or not.
    fn put(&mut self, ticker: &str, side: tradernet::Side, units: i64) {
        let (lot, tick) = self.listings.get(ticker).map_or((1, 100), |one| (one.lot, one.tick_e6));
        let Some(price) = self.world.borrow().truth_price(ticker, self.rig.now) else { return };
        let limit = if side == tradernet::Side::Buy { price / 100 * 101 } else { price / 100 * 99 };
        self.orders += 1;
        let form = OrderForm {
            ticker: Ticker::parse(ticker).unwrap(),
            side,
            quantity: Quantity::from_units(units / lot * lot).unwrap(),
            lot: Quantity::from_units(lot).unwrap(),
            limit: Price::from_e6(limit / tick * tick).unwrap(),
            user_order_id: self.orders,
        };
        if let Ok(order) = PutOrder::new(form) {
            // A lost answer is none of the books' business: what the broker did shows in its trades.
            let _ = at_once(self.trader.put_order(order));
        }
    }

    /// A script that knows nothing of markets: something is bought, sold and exchanged again and again.
    fn trade(&mut self, number: u32) {
        use tradernet::Side::{Buy, Sell};
        let held = |year: &Year, ticker: &str| {
            year.world.borrow().positions().get(ticker).copied().unwrap_or(0) / 1_000_000
        };
        let nth = |list: &[&'static str]| list[usize::try_from(number).unwrap() / 3 % list.len()];
        match number {
            // Money for the one that is taken over and the one that is renamed, and some of both.
            8 => return self.world.borrow_mut().book_cash("GBP", 200_000_000, "sepa").unwrap(),
            19 => return self.world.borrow_mut().book_cash("EUR", 100_000_000, "sepa").unwrap(),
            13 => return self.put(TAKEN_OVER.0, Buy, 9),
            20 | 26 => return self.put(RENAMED.0, Buy, 8),
            40 => return self.put(TAKEN_OVER.0, Sell, 2),
            180 => return self.put(RENAMED.0, Sell, 5),
            _ => {}
        }
        match number % 6 {
            0 => self.put("EUR/USD", Sell, 900),
            1 => self.put(nth(&["KYST.US", "GRPK.US", "VNTX.US", "NRDW.US"]), Buy, 5),
            2 => self.put(nth(&["RHNA.EU", "ALPB.EU", "LUMR.EU", "MGLW.EU"]), Buy, 3),
            3 => {
                let ticker = nth(&["NRDW.US", "GRPK.US", "RHNA.EU", "MGLW.EU", "VNTX.US", "LUMR.EU"]);
                let some = held(self, ticker) / 3;
                self.put(ticker, Sell, some);
            }
            4 => self.put("KYST.US", Buy, 7),
            _ => {
                let all = held(self, "LUMR.EU");
                self.put("LUMR.EU", Sell, all);
            }
        }
    }

    /// Tells of the orders as `execute` would: twice, in the wrong order, and the state before once more.
    fn say_orders(&mut self) {
        let (orders, fills) = (self.world.borrow().orders(), self.world.borrow().fills());
        let ours = orders.iter().filter(|order| !order.historic);
        let mut states: Vec<OrderState> = Vec::new();
        for order in ours {
            let now = (order.status, order.filled);
            if self.said.insert(order.id, now) != Some(now) {
                states.push(state(order, &fills, self.isin(order.ticker)));
            }
        }
        states.reverse();
        for state in states.iter().chain(states.iter().rev()) {
            self.rig.hear(state.clone());
        }
    }

    /// Of a security its number, of an exchange that of its pair.
    fn isin(&self, ticker: &str) -> Isin {
        match ticker.split_once('/') {
            Some((base, quote)) => {
                contracts::pair_isin(base.parse().unwrap(), quote.parse().unwrap()).unwrap()
            }
            None => self.listings[ticker].isin.parse().unwrap(),
        }
    }

    /// When the fund's day ends: half an hour after the last close among the holdings' venues.
    fn end_of(&self, day: Day) -> Option<Timestamp> {
        let held: BTreeSet<&str> = self.world.borrow().positions().keys().copied().collect();
        let mics = held.iter().filter_map(|ticker| self.listings.get(ticker)).map(|one| one.mic);
        let closes = mics.filter_map(|mic| Some(self.calendars.sessions(mic, day)?.last()?.close));
        closes.max().map(|close| close.saturating_plus_ms(1_800_000))
    }

    fn check(&self, day: Day, worth: i128) {
        let state: PortfolioState = self.rig.last();
        let isin = |ticker: &str| self.listings[ticker].isin.parse::<Isin>().unwrap();
        let world = self.world.borrow();
        let theirs: BTreeMap<Isin, i64> =
            world.positions().into_iter().map(|(t, e6)| (isin(t), e6)).collect();
        let ours: BTreeMap<Isin, i64> = state.positions.iter().map(|p| (p.isin, p.qty_e6.e6())).collect();
        assert_eq!(ours, theirs, "{day}: positions");
        let cash = |ccy: &str| {
            let known = state.cash.iter().find(|cash| cash.amount.currency().as_str() == ccy);
            known.map_or(0, |cash| cash.amount.e4())
        };
        for (ccy, e4) in world.cash() {
            assert_eq!(cash(ccy), e4, "{day}: cash in {ccy}");
        }
        let costs = costs(&world.fills(), day);
        for position in &state.positions {
            let one = self.listings.values().find(|one| one.isin == position.isin.as_str()).unwrap();
            let qty = i128::from(position.qty_e6.e6());
            let ours = i128::from(position.avg_price_e6.unwrap().e6()) * qty / 100_000_000;
            let theirs = costs[one.ticker].0;
            assert!(
                (ours - theirs).abs() < HALF_CENT_E4,
                "{day}: {} cost {ours} here, {theirs} there",
                one.ticker
            );
            assert!(!position.frozen, "{day}: {} is frozen", one.ticker);
        }
        let nav = i128::from(self.rig.count(&format!("SELECT nav FROM api_nav WHERE day = '{day}'")));
        assert!((nav - worth).abs() < HALF_CENT_E4, "{day}: worth {nav} here, {worth} there");
        let compared: BTreeMap<_, _> =
            self.rig.about::<Reconciliation>().into_iter().map(|one| (one.currency, one)).collect();
        assert!(compared.values().all(|books| books.agrees), "{day}: {compared:?}");
        assert_eq!(self.rig.trouble(), None, "{day}");
    }

    /// What everything is worth by the simulator's ledger, e4: computed once, rounded once.
    fn worth(&self) -> i128 {
        let rate = |ccy: &str| {
            let ccy = Currency::new(ccy).unwrap();
            self.rates.get(&ccy).map_or(1_000_000_000, |rate| i128::from(rate.e9()))
        };
        let world = self.world.borrow();
        let held = world.positions().into_iter().map(|(ticker, e6)| {
            let price = i128::from(world.truth_price(ticker, self.rig.now).unwrap());
            price * i128::from(e6) * rate(self.listings[ticker].ccy) / 10_000_000
        });
        let cash = world.cash().into_iter().map(|(ccy, e4)| i128::from(e4) * rate(ccy) * 10);
        held.chain(cash).sum::<i128>() / 10_000_000_000
    }
}

fn state(order: &OrderView, fills: &[FillView], isin: Isin) -> OrderState {
    let fills: Vec<OrderFill> = fills
        .iter()
        .filter(|fill| fill.order_id == order.id)
        .map(|fill| OrderFill {
            trade_id: fill.id.to_string(),
            qty_e6: Quantity::from_units(fill.qty).unwrap(),
            price_e6: fill.price.parse().unwrap(),
            fee: None,
            at: Timestamp::from_ms(fill.at_ms),
        })
        .collect();
    let status = match (order.is_final, order.filled) {
        (true, filled) if filled == order.qty => OrderStatus::Filled,
        (true, _) => OrderStatus::Cancelled,
        (false, 0) => OrderStatus::Accepted,
        (false, _) => OrderStatus::Partial,
    };
    OrderState {
        order_id: Id::derive(Timestamp::from_ms(order.created_ms), &[&order.id.to_string()]),
        broker_order_id: Some(order.id.to_string()),
        isin,
        side: if order.side == "buy" { Side::Buy } else { Side::Sell },
        qty_e6: Quantity::from_units(order.qty).unwrap(),
        filled_e6: Quantity::from_units(order.filled).unwrap(),
        fills,
        status,
        ..OrderState::sample()
    }
}

/// Average cost by the simulator's fills, the account's history included: (cost e4, units e6) per ticker.
fn costs(fills: &[FillView], until: Day) -> BTreeMap<&'static str, (i128, i128)> {
    let mut all: BTreeMap<&'static str, (i128, i128)> = BTreeMap::new();
    let mut splits: BTreeSet<&str> = SPLITS.iter().map(|(ticker, ..)| *ticker).collect();
    let split = |all: &mut BTreeMap<&'static str, (i128, i128)>, ticker: &str, before: i128, after: i128| {
        if let Some((cost, units)) = all.get_mut(ticker).filter(|(_, units)| *units > 0) {
            let exact = *units * after / before;
            let whole = exact / 1_000_000 * 1_000_000;
            *cost = *cost * whole / exact;
            *units = whole;
        }
    };
    for fill in fills.iter().filter(|fill| !fill.ticker.contains('/')) {
        for (ticker, day, before, after) in SPLITS {
            let day: Day = day.parse().unwrap();
            if Timestamp::from_ms(fill.at_ms).day_utc() >= day && splits.remove(ticker) {
                split(&mut all, ticker, before, after);
            }
        }
        // A hundred times finer than a ten-thousandth, so that nothing is lost on the way.
        let price: Price = fill.price.parse().unwrap();
        let (cost, units) = all.entry(fill.ticker).or_default();
        let n = i128::from(fill.qty) * 1_000_000;
        if fill.side == "buy" {
            *cost += i128::from(fill.qty) * i128::from(price.e6());
            *units += n;
        } else {
            *cost = if *units == n { 0 } else { *cost * (*units - n) / *units };
            *units -= n;
        }
    }
    for (ticker, day, before, after) in SPLITS {
        if until >= day.parse().unwrap() && splits.remove(ticker) {
            split(&mut all, ticker, before, after);
        }
    }
    all.into_iter().map(|(ticker, (cost, units))| (ticker, (cost / 100, units))).collect()
}

fn lives_through(profile: Profile) {
    let mut year = Year::begin(profile);
    year.fetch_rates();
    year.say_prices();
    let mut day: Day = FIRST[..10].parse().unwrap();
    let (mut number, mut month) = (0, 0);
    let clock = |day: Day, hour: &str| format!("{day}T{hour}:00Z").parse::<Timestamp>().unwrap();
    while number < TRADING_DAYS {
        year.run(clock(day, "07:30"));
        let Some(end) = year.end_of(day) else {
            day = day.next();
            continue;
        };
        if day.to_string() == RENAMED.1 {
            year.rename();
        }
        if day.month() != month {
            month = day.month();
            year.world.borrow_mut().book_cash("EUR", 10_000_000, "sepa").unwrap();
        }
        year.run(clock(day, "14:45"));
        year.trade(number);
        year.run(clock(day, "15:20"));
        // Now and then the reports of orders come late.
        if number % 4 != 1 {
            year.say_orders();
        }
        year.run(end.saturating_minus_ms(60_000));
        year.fetch_rates();
        year.say_prices();
        let worth = year.worth();
        year.run(clock(day, "22:30"));
        year.say_orders();
        year.run(clock(day, "23:30"));
        year.check(day, worth);
        year.rig.keep_last();
        number += 1;
        day = day.next();
    }
    let world = year.world.borrow();
    let fills: Vec<FillView> = world.fills().into_iter().filter(|fill| !fill.historic).collect();
    let orders: BTreeSet<i64> = fills.iter().map(|fill| fill.order_id).collect();
    assert!(
        fills.len() > orders.len() && orders.len() > 100,
        "{} fills of {} orders",
        fills.len(),
        orders.len()
    );
    for (what, sql) in [
        ("splits", "SELECT count(*) - 1 FROM api_corporate_action WHERE kind = 'split'"),
        ("dividends", "SELECT count(*) - 5 FROM api_dividend WHERE tax > 0 AND isin IS NOT NULL"),
        ("deposits", "SELECT count(*) - 11 FROM api_cash_flow WHERE kind = 'deposit' AND amount = 10000000"),
        ("fractions", "SELECT count(*) FROM api_cash_flow WHERE kind = 'corporate_action'"),
        (
            "a takeover",
            "SELECT count(*) FROM api_corporate_action WHERE kind = 'removed' AND held > 0 AND \"left\" = 0",
        ),
        (
            "cash for it",
            "SELECT count(*) FROM api_cash_flow WHERE kind = 'corporate_action' AND ccy = 'GBP' AND isin = 'GB009SMX0262'",
        ),
        (
            "a change of ISIN",
            "SELECT count(*) FROM api_corporate_action WHERE kind = 'renamed' AND to_isin = 'NL0099SM0036'",
        ),
        (
            "a sale under the new name",
            "SELECT count(*) FROM api_fill WHERE isin = 'NL0099SM0036' AND side = 'sell'",
        ),
        ("exchanges", "SELECT count(*) - 10 FROM api_fill WHERE pair IS NOT NULL"),
    ] {
        assert!(year.rig.count(sql) > 0, "there were {what}");
    }
    assert!(world.fault_log().len() > 1_000, "calls failed");
    assert_eq!(world.unmodelled(), [] as [String; 0]);
}

#[test]
fn a_year_of_books_equals_the_ledger_of_a_broker_that_writes_like_the_real_one() {
    lives_through(Profile::LiveLike);
}

#[test]
fn a_year_of_books_equals_the_ledger_of_a_nasty_broker() {
    lives_through(Profile::Nasty);
}
