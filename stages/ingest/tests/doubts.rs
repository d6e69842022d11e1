//! What is wrong, missing or doubtful outside: set apart, told, and never a change of what is known.

#![allow(clippy::unwrap_used)]

mod support;

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use bus_client::Edge;
use contracts::{HealthState, History, Quote, Sample, Universe};
use ingest::{Call, Learnt, Reply, Task};
use market::{Day, Isin};
use money::Currency;
use providers::{Client, DataFault, EcbRates, Fetch, FetchFault, Request, Response, Service, yahoo};
use simworld::{Effect, FaultRule, Profile, Rules, When, World, WorldConfig};
use support::{InProcess, Rig, Script, UNIVERSE, at, at_once, whole_edge};

const RHEINAU: &str = "DE000SMX0015";
const MORNING: &str = "2026-03-02T07:00:00Z";
const OTHERS: &str = r#"
[stage.ingest]
yahoo_url = "http://127.0.0.1:1/yh"
ecb_url = "http://127.0.0.1:1/ecb"
openfigi_url = "http://127.0.0.1:1/figi"
history_days = 400
quote_interval_s = 60
"#;

fn script() -> Script {
    let days = ["2026-02-20", "2026-02-23", "2026-02-24", "2026-02-25", "2026-02-26", "2026-02-27"];
    let bars = |e6: i64| days.map(|day| (day, e6)).to_vec();
    Script {
        prices: BTreeMap::from([("RHNA.EU", 90_000_000), ("NRDW.US", 40_000_000)]),
        dollar_e9: Some(920_000_000),
        bars: BTreeMap::from([("RHNA.EU", bars(90_000_000)), ("NRDW.US", bars(40_000_000))]),
        volume: Some(1_000),
        ..Script::default()
    }
}

fn last(rig: &Rig, isin: &str) -> Quote {
    rig.heard.about::<Quote>().into_iter().rfind(|quote| quote.isin.as_str() == isin).unwrap()
}

fn world(start: &str, profile: Profile) -> Rc<RefCell<World>> {
    let rules = Rules { throttle: false, ..Rules::default() };
    let config = WorldConfig { profile, rules, ..WorldConfig::new(1, at(start)) };
    Rc::new(RefCell::new(World::new(config).unwrap()))
}

fn fault(world: &Rc<RefCell<World>>, target: &str, cmd: &str, ticker: &str, effect: Effect) {
    let (id, target, cmd, ticker) = (format!("{target} {cmd}"), target.into(), cmd.into(), ticker.into());
    let rule = FaultRule { id, target, cmd, ticker, when: When::Prob(1.0), max: None, effect };
    world.borrow_mut().put_fault(rule).unwrap();
}

fn run(rig: &mut Rig, world: &Rc<RefCell<World>>, until: &str) {
    let edge = whole_edge(world);
    rig.run_with(at(until), |call, now| {
        world.borrow_mut().advance_to(now);
        at_once(edge.perform(call))
    });
}

#[test]
fn a_close_off_by_ten_or_by_a_hundred_is_set_apart_and_told() {
    for close in [900_000_000, 900_000] {
        let mut rig = Rig::new(MORNING, UNIVERSE);
        rig.run("2026-03-02T16:59:00Z", &script());
        let mut odd = script();
        odd.bars.get_mut("RHNA.EU").unwrap().push(("2026-03-02", close));
        rig.run("2026-03-02T17:05:00Z", &odd);
        assert_eq!(rig.count("SELECT count(*) FROM api_bar WHERE day = '2026-03-02'"), 0, "{close}");
        assert_eq!(rig.count("SELECT count(*) FROM price_quarantine"), 1, "{close}");
        let told = rig.health().last_error.unwrap();
        assert!(told.contains("the close of RHNA.EU on 2026-03-02 is set apart"), "{told}");
        // The right close comes after all: it is believed, and what was set apart is gone.
        let mut right = script();
        right.bars.get_mut("RHNA.EU").unwrap().push(("2026-03-02", 91_000_000));
        rig.run("2026-03-02T19:00:00Z", &right);
        assert_eq!(rig.count("SELECT close FROM api_bar WHERE day = '2026-03-02'"), 91_000_000, "{close}");
        assert_eq!(rig.count("SELECT count(*) FROM price_quarantine"), 0, "{close}");
    }
}

#[test]
fn a_past_delivered_times_ten_or_a_hundredth_is_rejected_as_a_whole() {
    for factor in ["10", "0.01"] {
        for profile in [Profile::Clean, Profile::LiveLike, Profile::Nasty] {
            let world = world("2026-03-02T07:30:00Z", profile);
            let mut rig = Rig::new("2026-03-02T07:30:00Z", &format!("{OTHERS}{UNIVERSE}"));
            run(&mut rig, &world, "2026-03-02T16:00:00Z");
            let bars = "SELECT count(*) || sum(close) FROM api_bar";
            let kept = |rig: &Rig| -> String {
                let rows = bus_client::open_for_reading(&rig.place).unwrap();
                rows.query_row(bars, [], |row| row.get(0)).unwrap()
            };
            let before = kept(&rig);
            fault(&world, "tn", "getHloc", "*", Effect::Spike { factor: factor.into() });
            run(&mut rig, &world, "2026-03-02T20:00:00Z");
            assert_eq!(kept(&rig), before, "{factor} {profile:?}");
            let told = rig.health().last_error.unwrap_or_default();
            assert!(told.contains("nothing of it is used"), "{factor} {profile:?}: {told}");
        }
    }
}

#[test]
fn the_bars_are_yahoos_while_the_broker_has_none_and_the_brokers_again_afterwards() {
    let world = world("2026-03-02T07:30:00Z", Profile::LiveLike);
    let others = OTHERS
        .replace("quote_interval_s = 60", "quote_interval_s = 3600")
        .replace("history_days = 400", "history_days = 1000");
    let mut rig = Rig::new("2026-03-02T07:30:00Z", &format!("{others}{UNIVERSE}"));
    let word = |rig: &Rig, sql: &str| -> String {
        bus_client::open_for_reading(&rig.place).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let source = "SELECT coalesce(max(source), 'broker') FROM price_series JOIN security USING (security_id) WHERE isin = 'DE000SMX0015'";
    let stored = "SELECT group_concat(day || ' ' || close) FROM (SELECT day, close FROM api_bar WHERE isin = 'DE000SMX0015' AND day > '2026-01-01' ORDER BY day)";
    let truth = |until: &str| -> String {
        let days =
            world.borrow().daily_closes("RHNA.EU", "2026-01-02".parse().unwrap(), until.parse().unwrap());
        days.iter().map(|(day, e6)| format!("{day} {e6}")).collect::<Vec<_>>().join(",")
    };
    run(&mut rig, &world, "2026-03-03T12:00:00Z");
    let bars = rig.count("SELECT count(*) FROM api_bar WHERE isin = 'DE000SMX0015'");
    fault(&world, "tn", "getHloc", "RHNA.EU", Effect::Http { status: 503, processed: false });
    run(&mut rig, &world, "2026-03-04T12:00:00Z");
    assert_eq!(word(&rig, source), "broker", "one session without bars is no reason");
    run(&mut rig, &world, "2026-03-06T23:30:00Z");
    assert_eq!(word(&rig, source), "yahoo");
    assert_eq!(word(&rig, stored), truth("2026-03-06"));
    // Yahoo leaves out a day now and then.
    let all = |rig: &Rig| rig.count("SELECT count(*) FROM api_bar WHERE isin = 'DE000SMX0015'");
    assert!((bars - 8..=bars + 4).contains(&all(&rig)), "all of it: {} for {bars}", all(&rig));
    // Who asks for everything again gets everything again.
    let before = all(&rig);
    rig.tell(contracts::IngestRun { isin: RHEINAU.parse().ok(), ..contracts::IngestRun::sample() });
    run(&mut rig, &world, "2026-03-07T12:00:00Z");
    assert_eq!((word(&rig, source), all(&rig)), ("yahoo".into(), before));
    let said = rig.heard.about::<History>().pop().unwrap().complete_until;
    assert_eq!(said[&RHEINAU.parse::<Isin>().unwrap()], "2026-03-06".parse::<Day>().unwrap());
    rig.restart();
    run(&mut rig, &world, "2026-03-09T23:30:00Z");
    assert_eq!((word(&rig, source), word(&rig, stored)), ("yahoo".into(), truth("2026-03-09")));
    world.borrow_mut().remove_fault("tn getHloc");
    run(&mut rig, &world, "2026-03-11T20:00:00Z");
    assert_eq!((word(&rig, source), word(&rig, stored)), ("broker".into(), truth("2026-03-11")));
    assert_eq!(rig.health().state, HealthState::Healthy, "{:?}", rig.health().last_error);
}

#[test]
fn yahoos_bars_do_not_stand_in_where_they_are_not_the_known_ones() {
    let world = world("2026-03-02T07:30:00Z", Profile::LiveLike);
    let others = OTHERS.replace("quote_interval_s = 60", "quote_interval_s = 3600");
    let mut rig = Rig::new("2026-03-02T07:30:00Z", &format!("{others}{UNIVERSE}"));
    run(&mut rig, &world, "2026-03-03T12:00:00Z");
    let bars = rig.count("SELECT count(*) FROM api_bar");
    fault(&world, "tn", "getHloc", "*", Effect::Http { status: 503, processed: false });
    fault(&world, "yh", "*", "*", Effect::Spike { factor: "1.01".into() });
    run(&mut rig, &world, "2026-03-06T23:30:00Z");
    assert_eq!(rig.count("SELECT count(*) FROM price_series"), 0);
    assert_eq!(rig.count("SELECT count(*) FROM api_bar"), bars);
    let told = rig.health().last_error.unwrap();
    assert!(told.contains("Yahoo's do not stand in: its closes are not the known ones"), "{told}");
    for id in ["tn getHloc", "yh *"] {
        world.borrow_mut().remove_fault(id);
    }
    run(&mut rig, &world, "2026-03-10T23:30:00Z");
    assert_eq!(rig.count("SELECT count(*) FROM api_bar"), bars + 12, "six more days of two securities");
    assert_eq!(rig.health().state, HealthState::Healthy, "{:?}", rig.health().last_error);
}

const VENTIX: &str = r#"
[[stage.ingest.universe]]
ticker = "VNTX.US"
isin = "US99S0071069"
name = "Ventix"
mic = "XNAS"
ccy = "USD"
product_type = "stock"
lot = 1
"#;

#[test]
fn a_broker_that_leaves_its_past_undivided_goes_on_after_a_split() {
    for adjusted in [true, false] {
        let rules = Rules { throttle: false, hloc_split_adjusted: adjusted, ..Rules::default() };
        let config = WorldConfig { rules, ..WorldConfig::new(1, at("2025-08-11T12:00:00Z")) };
        let world = Rc::new(RefCell::new(World::new(config).unwrap()));
        let others = OTHERS.replace("quote_interval_s = 60", "quote_interval_s = 3600");
        let mut rig = Rig::new("2025-08-11T12:00:00Z", &format!("{others}{VENTIX}"));
        run(&mut rig, &world, "2025-09-06T12:00:00Z");
        let last = "SELECT close FROM api_bar WHERE day = '2025-09-05'";
        let (from, until) = ("2025-08-01".parse().unwrap(), "2025-09-05".parse().unwrap());
        let truth = world.borrow().daily_closes("VNTX.US", from, until);
        assert_eq!(rig.count(last), truth.last().unwrap().1, "{adjusted}");
        let split: Day = "2025-08-18".parse().unwrap();
        for (day, e6) in truth {
            let stored = rig.count(&format!("SELECT close FROM api_bar WHERE day = '{day}'"));
            let units = if day < split { e6 / 4 } else { e6 };
            assert!((stored as f64 / units as f64 - 1.0).abs() < 1e-3, "{adjusted} {day}: {stored} {units}");
        }
        let told = rig.health().last_error.unwrap_or_default();
        assert!(!told.contains("past") && !told.contains("set apart"), "{adjusted}: {told}");
    }
}

#[test]
fn empty_answers_change_nothing() {
    let mut rig = Rig::new(MORNING, &format!("{OTHERS}{UNIVERSE}"));
    let full = |call: Call| match call {
        Call::Outside(question) => {
            let rates = Learnt::Rates(EcbRates {
                days: BTreeMap::from([(
                    "2026-02-27".parse::<Day>().unwrap(),
                    BTreeMap::from([(Currency::USD, money::Rate::from_e9(921_000_000).unwrap())]),
                )]),
            });
            let known = if question.task == Task::Rates { Ok(rates) } else { Err(DataFault::Empty) };
            Reply::Outside { task: question.task, result: Box::new(known) }
        }
        other => script().answer(other),
    };
    rig.run_with(at("2026-03-02T09:00:30Z"), |call, _| full(call));
    let tables = [
        "security",
        "security_user",
        "listing",
        "symbol_alias",
        "quote",
        "daily_price",
        "price_quarantine",
        "fx_latest",
        "fundamental",
        "corporate_action",
        "security_fact",
    ];
    let rows = |rig: &Rig| tables.map(|table| rig.count(&format!("SELECT count(*) FROM {table}")));
    let (before, said) = (rows(&rig), rig.heard.all.len());

    let nothing = Script { prices: BTreeMap::new(), dollar_e9: None, bars: BTreeMap::new(), ..script() };
    let empty = |call: Call| match call {
        Call::Outside(question) => {
            let result = match &question.task {
                Task::Rates => Ok(Learnt::Rates(EcbRates::default())),
                Task::Chart(_) | Task::Index(_) => Ok(Learnt::Closes(BTreeMap::new(), DataFault::Empty)),
                Task::Symbol(_) => Ok(Learnt::Hits(Vec::new())),
                Task::Peg(_) => Ok(Learnt::Peg(None)),
                Task::Facts(_) | Task::Price(_) => Err(DataFault::Empty),
            };
            Reply::Outside { task: question.task, result: Box::new(result) }
        }
        other => nothing.answer(other),
    };
    // Over the close and the night, so that everything is asked for at least once.
    rig.run_with(at("2026-03-03T07:30:00Z"), |call, _| empty(call));
    let after = rows(&rig);
    for ((table, before), after) in tables.iter().zip(before).zip(after) {
        // That a figure is unknown may be noted; nothing that is known may go.
        assert!(after == before || *table == "fundamental" && after > before, "{table}: {before} {after}");
    }
    let news = rig.heard.all[said..].iter().map(|said| said.topic.as_str());
    let news: Vec<&str> =
        news.filter(|topic| !topic.contains("/venue/") && !topic.contains("/job/")).collect();
    assert_eq!(news, Vec::<&str>::new());
    let told = rig.health().last_error.unwrap();
    assert!(told.contains("left out NRDW.US") && told.contains("no rate of USD"), "{told}");
}

#[test]
fn closes_of_a_stand_in_explain_a_jump_only_when_its_other_closes_are_the_brokers() {
    for (factor, believed) in [(1, 1), (10, 0)] {
        let mut jumped = script();
        jumped.bars.get_mut("RHNA.EU").unwrap().push(("2026-03-02", 150_000_000));
        let days = jumped.bars["RHNA.EU"].clone();
        let answer = |call: Call| match call {
            Call::Outside(question) if question.task == Task::Chart(RHEINAU.parse().unwrap()) => {
                let closes = days.iter().map(|(day, e6)| (day.parse().unwrap(), support::price(e6 / factor)));
                let fault = DataFault::Outage("Yahoo is out of order".into());
                let closes = Learnt::Closes(closes.collect(), fault);
                Reply::Outside { task: question.task, result: Box::new(Ok(closes)) }
            }
            other => jumped.answer(other),
        };
        let mut rig = Rig::new(MORNING, &format!("{OTHERS}{UNIVERSE}"));
        rig.run_with(at("2026-03-02T17:30:00Z"), |call, _| answer(call));
        let bars = "SELECT count(*) FROM api_bar WHERE day = '2026-03-02' AND isin = 'DE000SMX0015'";
        assert_eq!(rig.count(bars), believed, "{factor}");
        let asked = rig.calls.iter().filter(
            |call| matches!(call, Call::Outside(ask) if ask.task == Task::Chart(RHEINAU.parse().unwrap())),
        );
        let asked = asked.count();
        assert!(
            (2..40).contains(&asked),
            "Yahoo is asked again with growing pauses, not in its stead: {asked}"
        );
    }
}

#[test]
fn the_second_provider_of_closes_is_asked_when_the_first_is_out_of_order_or_wants_peace() {
    for status in [503, 429] {
        let world = world("2026-03-02T12:00:00Z", Profile::Clean);
        fault(&world, "yh", "*", "*", Effect::Http { status, processed: false });
        let edge = whole_edge(&world);
        let question = ingest::Question {
            task: Task::Chart(RHEINAU.parse().unwrap()),
            symbol: "RHNA.DE".into(),
            listing: Some(("RHNA.EU".into(), "XETR".parse().unwrap(), Currency::EUR)),
            from: "2026-02-02".parse().unwrap(),
            until: "2026-02-27".parse().unwrap(),
            first: true,
            at: at("2026-03-02T12:00:00Z"),
        };
        let Reply::Outside { result, .. } = at_once(edge.perform(Call::Outside(Box::new(question)))) else {
            panic!()
        };
        assert!(matches!(*result, Ok(Learnt::Closes(closes, _)) if closes.len() == 20), "{status}");
    }
}

/// Business figures with the yield that Yahoo says, and a chart whose dividends make another one.
fn yields(task: &Task, day: Day) -> Option<Learnt> {
    use market::Fundamental::{DividendYield, PriceToBook};
    match task {
        Task::Facts(_) => {
            let figures = BTreeMap::from([(DividendYield, 0.09), (PriceToBook, 2.0)]);
            Some(Learnt::Facts(yahoo::Summary { figures, ..yahoo::Summary::default() }))
        }
        Task::Chart(_) => {
            let bar = |day: Day| providers::Bar {
                day,
                open: None,
                high: None,
                low: None,
                close: support::price(90_000_000),
                volume: None,
                repaired: false,
            };
            let bars = (0..400).rev().map(|ago| bar(day.plus_days(-ago))).collect();
            let dividend = |ago: i32| providers::Dividend {
                ex_day: day.plus_days(-ago),
                amount: support::price(900_000),
                unit_guessed: false,
            };
            Some(Learnt::Chart(yahoo::Chart {
                unit: providers::Unit::of("EUR").unwrap(),
                name: None,
                bars,
                dividends: vec![dividend(380), dividend(200), dividend(20)],
                splits: Vec::new(),
                session_ends: None,
                traded_at: None,
            }))
        }
        _ => None,
    }
}

#[test]
fn a_yield_that_is_counted_from_a_year_of_dividends_stands_above_one_that_is_told() {
    let frankfurt_only = UNIVERSE.split("[[stage.ingest.universe]]\nticker = \"NRDW.US\"").next().unwrap();
    let mut rig = Rig::new(MORNING, &format!("{OTHERS}{frankfurt_only}"));
    let mut windows = Vec::new();
    // Two weeks: the figures are asked for again after one.
    rig.run_with(at("2026-03-16T07:00:00Z"), |call, now| match call {
        Call::Outside(question) => {
            if matches!(question.task, Task::Chart(_)) {
                windows.push(question.from.days_until(question.until));
            }
            let result = yields(&question.task, now.day_utc()).ok_or(DataFault::Unknown);
            Reply::Outside { task: question.task, result: Box::new(result) }
        }
        other => script().answer(other),
    });
    assert!(windows.len() > 10 && windows.iter().all(|days| *days >= 400), "{windows:?}");
    let told = "SELECT count(*) FROM api_fundamental WHERE field = 'price_to_book' AND value = 2.0";
    let counted =
        "SELECT count(*) FROM api_fundamental WHERE field = 'dividend_yield' AND abs(value - 0.02) < 1e-9";
    assert_eq!((rig.count(told), rig.count(counted)), (1, 1));
}

#[test]
fn the_banks_whole_past_is_asked_for_until_every_currency_has_it() {
    let long = |from: &str, currencies: &[&str]| {
        let first: Day = from.parse().unwrap();
        let rate =
            |ccy: &&str| (ccy.parse::<Currency>().unwrap(), money::Rate::from_e9(900_000_000).unwrap());
        let days = |ago: i32| (first.plus_days(ago), currencies.iter().map(rate).collect::<BTreeMap<_, _>>());
        Learnt::Rates(EcbRates { days: (0..1_100).map(days).collect() })
    };
    let mut rig = Rig::new(MORNING, &format!("{OTHERS}{UNIVERSE}"));
    let mut asked = Vec::new();
    let mut run = |rig: &mut Rig, until: &str, rates: &dyn Fn(bool) -> Learnt| {
        asked.clear();
        rig.run_with(at(until), |call, _| match call {
            Call::Outside(question) if question.task == Task::Rates => {
                asked.push(question.first);
                Reply::Outside { task: question.task, result: Box::new(Ok(rates(question.first))) }
            }
            other => script().answer(other),
        });
        asked.clone()
    };
    // At first only the mirror's newest day is to be had.
    let today = |_: bool| {
        let rates = BTreeMap::from([(Currency::USD, money::Rate::from_e9(921_000_000).unwrap())]);
        Learnt::Rates(EcbRates { days: BTreeMap::from([("2026-02-27".parse().unwrap(), rates)]) })
    };
    let whole = |_: bool| long("2023-01-02", &["USD", "GBP"]);
    assert_eq!(run(&mut rig, "2026-03-02T07:10:00Z", &today), [true]);
    assert_eq!(run(&mut rig, "2026-03-02T12:10:00Z", &whole), [true], "today's rate is no past");
    assert_eq!(run(&mut rig, "2026-03-02T18:10:00Z", &whole), [false]);
    rig.restart();
    assert_eq!(run(&mut rig, "2026-03-03T00:10:00Z", &whole), [false], "the past is in the store");
    let mut state = contracts::PortfolioState::sample();
    state.cash[0].amount = money::Money::from_units(5, "GBP".parse().unwrap()).unwrap();
    rig.tell(state);
    assert_eq!(run(&mut rig, "2026-03-03T06:10:00Z", &whole), [true], "pounds came later");
    assert_eq!(run(&mut rig, "2026-03-03T12:10:00Z", &whole), [false]);
}

#[test]
fn five_sessions_without_a_trade_make_the_price_suspect_also_after_a_restart() {
    let mut rig = Rig::new(MORNING, UNIVERSE);
    let still = Script { volume: Some(0), ..script() };
    rig.run("2026-03-02T08:00:30Z", &still);
    assert!(last(&rig, RHEINAU).suspect, "six days at one price and nothing traded");
    assert!(rig.health().last_error.unwrap().contains("has not been traded for 5 sessions"));
    rig.restart();
    rig.run("2026-03-02T08:01:30Z", &still);
    assert!(last(&rig, RHEINAU).suspect);
    let mut traded = script();
    traded.bars.get_mut("RHNA.EU").unwrap().push(("2026-03-02", 90_500_000));
    traded.prices.insert("RHNA.EU", 90_500_000);
    rig.run("2026-03-03T08:00:30Z", &traded);
    assert!(!last(&rig, RHEINAU).suspect, "a session with trades ends it");
    // Without a word about volumes nothing is concluded.
    let mut rig = Rig::new(MORNING, UNIVERSE);
    rig.run("2026-03-02T08:00:30Z", &Script { volume: None, ..script() });
    assert!(!last(&rig, RHEINAU).suspect);
}

#[test]
fn another_provider_confirms_or_contradicts_a_jump() {
    const NORDWELL: &str = "US99S0011099";
    let begun = || {
        let world = world("2026-03-02T14:00:00Z", Profile::Clean);
        let mut rig = Rig::new("2026-03-02T14:00:00Z", &format!("{OTHERS}{UNIVERSE}"));
        run(&mut rig, &world, "2026-03-02T16:00:30Z");
        assert!(!last(&rig, NORDWELL).suspect, "{:?}", rig.health().last_error);
        (world, rig)
    };
    // The true price jumps: Yahoo shows it too.
    let (moves, mut rig) = begun();
    let (from, to) = (at("2026-03-02T16:00:40Z").ms(), at("2026-03-02T21:00:00Z").ms());
    moves.borrow_mut().bend_price("NRDW.US", (13, 10), from, to).unwrap();
    run(&mut rig, &moves, "2026-03-02T16:01:00.500Z");
    assert!(last(&rig, NORDWELL).suspect, "at first sight");
    run(&mut rig, &moves, "2026-03-02T16:04:30Z");
    assert!(!last(&rig, NORDWELL).suspect, "both say so");

    // Only the broker says it, again and again.
    let (lies, mut rig) = begun();
    fault(&lies, "tn", "getStockQuotesJson", "NRDW.US", Effect::Spike { factor: "1.3".into() });
    run(&mut rig, &lies, "2026-03-02T16:12:30Z");
    assert!(last(&rig, NORDWELL).suspect, "{:?}", rig.health().last_error);
    let why = rig.health().last_error.unwrap();
    assert!(why.contains("another provider contradicts the price of NRDW.US"), "{why}");
    let asked =
        |call: &Call| matches!(call, Call::Outside(question) if matches!(question.task, Task::Price(_)));
    assert!((1..=2).contains(&rig.calls.iter().filter(|call| asked(call)).count()), "once in ten minutes");
}

#[test]
fn a_security_goes_on_under_its_new_isin_with_its_past() {
    let hove = r#"
[[stage.ingest.universe]]
ticker = "VDHV.EU"
isin = "NL0099SM0028"
name = "Van der Hove Logistiek NV"
mic = "XAMS"
ccy = "EUR"
product_type = "stock"
lot = 1
"#;
    let (old, new): (Isin, Isin) = ("NL0099SM0028".parse().unwrap(), "NL0099SM0036".parse().unwrap());
    for profile in [Profile::Clean, Profile::LiveLike, Profile::Nasty] {
        let world = world("2026-03-02T07:30:00Z", profile);
        let day: Day = "2026-03-03".parse().unwrap();
        world.borrow_mut().plan_new_isin("VDHV.EU", day.epoch_days()).unwrap();
        let mut rig = Rig::new("2026-03-02T07:30:00Z", &format!("{OTHERS}{hove}"));
        run(&mut rig, &world, "2026-03-02T20:00:00Z");
        assert!(last(&rig, old.as_str()).at > at("2026-03-02T16:00:00Z"), "{profile:?}");
        let bars = rig.count("SELECT count(*) FROM api_bar");
        run(&mut rig, &world, "2026-03-03T20:00:00Z");
        let universe = rig.heard.about::<Universe>().pop().unwrap();
        assert_eq!(universe.securities.len(), 1, "{profile:?}");
        let security =
            universe.find(&new).unwrap_or_else(|| panic!("{profile:?} {:?}", rig.health().last_error));
        assert_eq!((security.previous_isin, security.ticker.as_str()), (Some(old), "VDHV.EU"), "{profile:?}");
        assert!(!last(&rig, new.as_str()).suspect, "{profile:?}");
        assert_eq!(
            rig.count("SELECT count(*) FROM api_bar WHERE isin = 'NL0099SM0036'"),
            bars + 1,
            "{profile:?}"
        );
        let ended =
            rig.heard.all.iter().rfind(|said| said.topic.ends_with(&format!("/quote/{old}"))).unwrap();
        assert!(ended.payload.is_empty(), "{profile:?}: the old quote is no more");
        assert!(rig.heard.about::<History>().pop().unwrap().complete_until.contains_key(&new), "{profile:?}");
        assert_eq!(rig.health().state, HealthState::Healthy, "{profile:?} {:?}", rig.health().last_error);
        rig.restart();
        rig.heard.all.extend(rig.engine.repeat());
        let kept = rig.heard.about::<Universe>().pop().unwrap();
        assert_eq!(kept.find(&new).unwrap().previous_isin, Some(old), "{profile:?}");
    }
}

fn symbol_of(isin: &str) -> ingest::Question {
    ingest::Question {
        task: Task::Symbol(isin.parse().unwrap()),
        symbol: isin.to_owned(),
        listing: Some(("RHNA.EU".into(), "XETR".parse().unwrap(), Currency::EUR)),
        from: "2026-03-01".parse().unwrap(),
        until: "2026-03-02".parse().unwrap(),
        first: true,
        at: at("2026-03-02T07:30:00Z"),
    }
}

#[test]
fn openfigi_names_the_listing_that_a_search_cannot_name() {
    let world = world("2026-03-02T07:30:00Z", Profile::LiveLike);
    fault(&world, "yh", "*", "*", Effect::Http { status: 404, processed: false });
    let edge = whole_edge(&world);
    let question = symbol_of(RHEINAU);
    let ask = |question: &ingest::Question| at_once(edge.perform(Call::Outside(Box::new(question.clone()))));
    let Reply::Outside { result, .. } = ask(&question) else { panic!("another answer") };
    assert!(matches!(*result, Ok(Learnt::Mapped(ref symbol)) if symbol == "RHNA.DE"), "{result:?}");
    // A name that nobody knows stays unresolved.
    let nobody = ingest::Question { task: Task::Symbol("US0378331005".parse().unwrap()), ..question };
    let Reply::Outside { result, .. } = ask(&nobody) else { panic!("another answer") };
    assert!(!matches!(*result, Ok(Learnt::Mapped(_))), "{result:?}");
}

/// Every security goes by another name in the broker's prices.
fn renamed_to(call: Call, script: &Script, names: &[(&str, &str)]) -> Reply {
    match script.answer(call) {
        Reply::Quotes { tickers, result: Ok(mut found) } => {
            for (ticker, quote) in &mut found.by_ticker {
                let name = names.iter().find(|(of, _)| *of == ticker.as_str());
                quote.isin = name.map(|(_, isin)| isin.parse().unwrap());
            }
            Reply::Quotes { tickers, result: Ok(found) }
        }
        other => other,
    }
}

fn lists_asked(rig: &Rig) -> usize {
    rig.calls.iter().filter(|call| matches!(call, Call::Master { .. })).count()
}

#[test]
fn a_name_that_the_list_does_not_confirm_is_asked_about_once_in_ten_minutes() {
    let mut rig = Rig::new(MORNING, UNIVERSE);
    rig.run("2026-03-02T07:59:30Z", &script());
    for (until, lists) in
        [("08:01:30", 0), ("08:02:30", 1), ("08:11:30", 1), ("08:12:30", 2), ("08:31:30", 3)]
    {
        let until = at(&format!("2026-03-02T{until}Z"));
        rig.run_with(until, |call, _| renamed_to(call, &script(), &[("RHNA.EU", "US0378331005")]));
        assert_eq!(lists_asked(&rig), lists, "{until}");
    }
}

#[test]
fn the_list_is_asked_about_new_names_only_as_often_as_the_broker_allows() {
    let second = UNIVERSE.replace("RHNA.EU", "SAPX.EU").replace("DE000SMX0015", "DE0007164600");
    let second = second.split("[[stage.ingest.universe]]\nticker = \"NRDW.US\"").next().unwrap();
    let mut rig = Rig::new(MORNING, &format!("{UNIVERSE}{second}"));
    let mut both = script();
    both.prices.insert("SAPX.EU", 90_000_000);
    rig.run("2026-03-02T07:59:30Z", &both);
    let names = [("RHNA.EU", "US0378331005"), ("SAPX.EU", "US5949181045")];
    for (until, lists) in [("08:01:30", 0), ("08:02:30", 1), ("08:03:30", 2), ("08:11:30", 2)] {
        let until = at(&format!("2026-03-02T{until}Z"));
        rig.run_with(until, |call, _| renamed_to(call, &both, &names));
        assert_eq!(lists_asked(&rig), lists, "two at once are too many: {until}");
    }
}

#[test]
fn a_name_that_was_taken_back_is_no_trouble_any_more() {
    let mut rig = Rig::new(MORNING, UNIVERSE);
    rig.run("2026-03-02T08:00:30Z", &script());
    let odd = |call: Call, _| renamed_to(call, &script(), &[("RHNA.EU", "US0378331005")]);
    rig.run_with(at("2026-03-02T08:04:30Z"), odd);
    assert!(rig.health().last_error.unwrap().contains("its list does not know the ticker"));
    rig.run("2026-03-02T08:05:30Z", &script());
    assert_eq!(rig.health().state, HealthState::Healthy, "{:?}", rig.health().last_error);
    assert!(!last(&rig, RHEINAU).suspect);
}

/// OpenFIGI names two listings at the exchange; everything else is as in the world.
struct TwoListings(InProcess);

impl Fetch for TwoListings {
    async fn fetch(&self, request: Request) -> Result<Response, FetchFault> {
        let figi = request.service == Service::OpenFigi;
        let mut response = self.0.fetch(request).await?;
        if figi {
            let row = r#"{"ticker":"RHNB","exchCode":"GR","name":"RHEINAU PREFERRED"}"#;
            let body = String::from_utf8(response.body).unwrap();
            let both = body.replacen("\"data\":[", &format!("\"data\":[{row},"), 1);
            assert!(both.contains(row), "{body}");
            response.body = both.into_bytes();
        }
        Ok(response)
    }
}

#[test]
fn two_listings_at_the_exchange_name_none() {
    let world = world("2026-03-02T07:30:00Z", Profile::LiveLike);
    fault(&world, "yh", "*", "*", Effect::Http { status: 404, processed: false });
    let edge = support::edge(&world).with_outside(Client::new(TwoListings(InProcess(Rc::clone(&world)))));
    let asked = at_once(edge.perform(Call::Outside(Box::new(symbol_of(RHEINAU)))));
    let Reply::Outside { result, .. } = asked else { panic!("another answer") };
    assert!(result.is_err(), "{result:?}");
}

#[test]
fn one_odd_reading_of_an_isin_renames_nothing() {
    let mut rig = Rig::new(MORNING, UNIVERSE);
    rig.run("2026-03-02T08:00:30Z", &script());
    let odd = |call: Call| match script().answer(call) {
        Reply::Quotes { tickers, result: Ok(mut found) } => {
            for quote in found.by_ticker.values_mut() {
                quote.isin = Some("US0378331005".parse().unwrap());
            }
            Reply::Quotes { tickers, result: Ok(found) }
        }
        other => other,
    };
    rig.run_with(at("2026-03-02T08:02:30Z"), |call, _| odd(call));
    assert!(rig.calls.iter().all(|call| !matches!(call, Call::Master { .. })), "two readings are too few");
    assert!(rig.health().last_error.unwrap().contains("at the broker, not DE000SMX0015"));
    // Its list does not confirm it: told, and everything stays.
    rig.run_with(at("2026-03-02T08:06:30Z"), |call, _| odd(call));
    assert!(rig.calls.iter().any(|call| matches!(call, Call::Master { .. })));
    let told = rig.health().last_error.unwrap();
    assert!(told.contains("its list does not know the ticker"), "{told}");
    assert!(rig.count("SELECT count(*) FROM security WHERE isin = 'DE000SMX0015'") == 1);
}
