//! Prices that the broker tells by itself: newer ones, and never the last word.

#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;

use contracts::Quote;
use ingest::{Call, Learnt, Reply, Task};
use market::Timestamp;
use money::Currency;
use providers::{DataFault, Unit, yahoo::YahooQuote};
use support::{Rig, Script, UNIVERSE, at, price, ticker};
use tradernet::commands::quotes;

const RHEINAU: &str = "DE000SMX0015";
const SOCKET: &str = "[stage.ingest]\nbroker_url = \"http://127.0.0.1:1/tn\"\nquote_interval_s = 60\n";

fn script() -> Script {
    Script {
        prices: BTreeMap::from([("RHNA.EU", 90_000_000), ("NRDW.US", 40_000_000)]),
        dollar_e9: Some(920_000_000),
        bars: BTreeMap::from([
            ("RHNA.EU", vec![("2026-02-27", 90_000_000)]),
            ("NRDW.US", vec![("2026-02-27", 40_000_000)]),
        ]),
        ..Script::default()
    }
}

/// Frankfurt is open and has been asked about once.
fn open() -> Rig {
    let mut rig = Rig::new("2026-03-02T07:59:00Z", &format!("{SOCKET}{UNIVERSE}"));
    rig.run("2026-03-02T08:01:05Z", &script());
    rig
}

fn told(rig: &mut Rig, when: &str, prices: &[(&'static str, i64)]) {
    told_at(rig, at(when), prices);
}

fn told_at(rig: &mut Rig, now: Timestamp, prices: &[(&'static str, i64)]) {
    rig.now = now;
    let script = Script { prices: prices.iter().copied().collect(), ..script() };
    let asked = prices.iter().map(|(name, _)| ticker(name)).collect();
    let Reply::Quotes { result: Ok(found), .. } = script.answer(Call::Quotes { tickers: asked }) else {
        panic!("the script is not silent")
    };
    tell(rig, found.by_ticker);
}

fn tell(rig: &mut Rig, quotes: BTreeMap<tradernet::Ticker, quotes::Quote>) {
    let said = rig.engine.told(Reply::Told(quotes), rig.now).unwrap();
    rig.heard.all.extend(said);
}

fn prices(rig: &Rig) -> Vec<(String, i64)> {
    let all = rig.heard.about::<Quote>().into_iter();
    all.filter(|quote| quote.isin.as_str() == RHEINAU)
        .map(|quote| (quote.at.to_string()[11..19].to_owned(), quote.price_e6.e6() / 10_000))
        .collect()
}

fn last(rig: &Rig) -> Quote {
    rig.heard.about::<Quote>().into_iter().rfind(|quote| quote.isin.as_str() == RHEINAU).unwrap()
}

fn asked(rig: &Rig) -> usize {
    rig.calls.iter().filter(|call| matches!(call, Call::Quotes { .. })).count()
}

#[test]
fn the_securities_of_open_venues_are_followed_and_none_at_night() {
    let mut rig = Rig::new("2026-03-02T07:59:00Z", &format!("{SOCKET}{UNIVERSE}"));
    rig.run("2026-03-02T22:00:00Z", &script());
    let followed: Vec<String> = rig
        .calls
        .iter()
        .filter_map(|call| match call {
            Call::Follow { tickers } => {
                Some(tickers.iter().map(ToString::to_string).collect::<Vec<_>>().join("+"))
            }
            _ => None,
        })
        .collect();
    assert_eq!(followed, ["RHNA.EU", "RHNA.EU+NRDW.US", "NRDW.US", ""], "{followed:?}");
    let mut without = Rig::new("2026-03-02T07:59:00Z", &format!("{SOCKET}broker_socket = false\n{UNIVERSE}"));
    without.run("2026-03-02T08:30:00Z", &script());
    assert!(without.calls.iter().all(|call| !matches!(call, Call::Follow { .. })));
}

#[test]
fn a_price_that_is_told_is_said_at_once_and_written_once_a_minute() {
    let mut rig = open();
    let rows = "SELECT count(*) FROM quote";
    let before = rig.count(rows);
    for (when, e6) in [("08:01:10", 90_100_000), ("08:01:20", 90_200_000), ("08:01:30", 90_300_000)] {
        told(&mut rig, &format!("2026-03-02T{when}Z"), &[("RHNA.EU", e6)]);
    }
    let said = prices(&rig);
    assert_eq!(
        said[said.len() - 3..],
        [("08:01:10".to_owned(), 9_010), ("08:01:20".to_owned(), 9_020), ("08:01:30".to_owned(), 9_030)]
    );
    assert_eq!(rig.count(rows), before + 1, "one row for the minute");
    told(&mut rig, "2026-03-02T08:02:01Z", &[("RHNA.EU", 90_400_000)]);
    assert_eq!(rig.count(rows), before + 2);
}

#[test]
fn what_was_told_a_moment_ago_is_not_asked_but_every_tenth_time() {
    let mut rig = open();
    let before = asked(&rig);
    // From 08:02 to 08:12, told five seconds before each question.
    for minute in 1..=11 {
        told(&mut rig, &format!("2026-03-02T08:{minute:02}:55Z"), &[("RHNA.EU", 90_000_000 + minute)]);
        let until = format!("2026-03-02T08:{:02}:05Z", minute + 1);
        rig.run(&until, &script());
    }
    assert_eq!(asked(&rig) - before, 1, "the question of 08:10 asks all the same");
    rig.run("2026-03-02T08:14:05Z", &script());
    assert_eq!(asked(&rig) - before, 3, "silence is asked about as ever");
}

#[test]
fn what_was_told_a_quarter_of_a_minute_ago_is_not_asked_and_what_is_older_is() {
    for (when, questions) in [("08:01:45.000", 0), ("08:01:44.999", 1)] {
        let mut rig = open();
        let before = asked(&rig);
        told(&mut rig, &format!("2026-03-02T{when}Z"), &[("RHNA.EU", 90_000_001)]);
        rig.run("2026-03-02T08:02:00Z", &script());
        assert_eq!(asked(&rig) - before, questions, "{when}");
    }
}

#[test]
fn what_is_told_all_the_time_is_asked_all_the_same_every_ten_minutes_at_least() {
    // In seconds: how often is asked, for how long, and what is left of the questions.
    for (interval, span, questions) in [(10, 600, 6), (60, 3_000, 5), (300, 3_600, 6), (900, 3_600, 4)] {
        let socket = SOCKET.replace("quote_interval_s = 60", &format!("quote_interval_s = {interval}"));
        let mut rig = Rig::new("2026-03-02T09:00:00Z", &format!("{socket}{UNIVERSE}"));
        let start = at("2026-03-02T09:00:01Z");
        rig.run_with(start, |call, _| script().answer(call));
        let before = asked(&rig);
        for turn in 1..=span / interval {
            let then = start.saturating_plus_ms(turn * interval * 1_000);
            told_at(&mut rig, then.saturating_minus_ms(6_000), &[("RHNA.EU", 90_000_000 + turn)]);
            rig.run_with(then, |call, _| script().answer(call));
        }
        assert_eq!(asked(&rig) - before, questions, "every {interval} s");
    }
}

#[test]
fn a_jump_that_is_told_is_not_said_and_the_question_comes_at_once() {
    for e6 in [108_000_001, 71_999_999, 200_000_000, 900_000] {
        let mut rig = open();
        let (said, before) = (prices(&rig), asked(&rig));
        told(&mut rig, "2026-03-02T08:01:10Z", &[("RHNA.EU", e6)]);
        assert_eq!(prices(&rig), said, "{e6}");
        let mut same = script();
        same.prices.insert("RHNA.EU", 91_000_000);
        rig.run("2026-03-02T08:01:11Z", &same);
        assert_eq!(asked(&rig), before + 1, "{e6}: asked before the minute is over");
        assert_eq!(prices(&rig).last().unwrap().1, 9_100, "{e6}: the answer counts");
        // Nonsense over and over brings one question in ten seconds.
        for second in 12..19 {
            told(&mut rig, &format!("2026-03-02T08:01:{second}Z"), &[("RHNA.EU", e6)]);
            rig.run(&format!("2026-03-02T08:01:{second}.5Z"), &same);
        }
        assert_eq!(asked(&rig), before + 1, "{e6}");
    }
    let mut rig = open();
    told(&mut rig, "2026-03-02T08:01:10Z", &[("RHNA.EU", 108_000_000)]);
    assert_eq!(prices(&rig).last().unwrap().1, 10_800, "a fifth is still ordinary");
}

#[test]
fn a_jump_that_waits_for_a_second_reading_waits_for_the_next_turn_whatever_is_told() {
    let mut jumped = script();
    jumped.prices.insert("RHNA.EU", 117_000_000);
    let mut rig = open();
    let before = asked(&rig);
    told(&mut rig, "2026-03-02T08:01:10Z", &[("RHNA.EU", 117_000_000)]);
    rig.run("2026-03-02T08:01:11Z", &jumped);
    assert_eq!(asked(&rig), before + 1);
    assert!(last(&rig).suspect, "the first reading of the jump");
    for second in [21, 32, 43, 54] {
        told(&mut rig, &format!("2026-03-02T08:01:{second}Z"), &[("RHNA.EU", 117_000_000)]);
        rig.run(&format!("2026-03-02T08:01:{second}.5Z"), &jumped);
    }
    assert_eq!(asked(&rig), before + 1, "the same nonsense twice is no second reading");
    assert!(last(&rig).suspect);
    rig.run("2026-03-02T08:02:00.500Z", &jumped);
    assert_eq!(asked(&rig), before + 2);
    assert!(!last(&rig).suspect, "the second reading at its own time");
    // Shortly before its turn the question is not brought forward: both readings would be of one moment.
    let mut rig = open();
    let before = asked(&rig);
    told(&mut rig, "2026-03-02T08:01:50.001Z", &[("RHNA.EU", 117_000_000)]);
    rig.run("2026-03-02T08:02:00.500Z", &jumped);
    assert_eq!(asked(&rig), before + 1);
    assert!(last(&rig).suspect);
}

#[test]
fn a_series_without_trades_stays_suspect_whatever_is_told() {
    let days = ["2026-02-20", "2026-02-23", "2026-02-24", "2026-02-25", "2026-02-26", "2026-02-27"];
    let mut still = Script { volume: Some(0), ..script() };
    still.bars.insert("RHNA.EU", days.map(|day| (day, 90_000_000)).to_vec());
    let mut rig = Rig::new("2026-03-02T07:59:00Z", &format!("{SOCKET}{UNIVERSE}"));
    rig.run("2026-03-02T08:01:05Z", &still);
    assert!(last(&rig).suspect);
    let said = prices(&rig);
    told(&mut rig, "2026-03-02T08:01:10Z", &[("RHNA.EU", 90_100_000)]);
    assert_eq!(prices(&rig), said);
}

#[test]
fn a_price_that_another_provider_contradicts_stays_suspect_whatever_is_told() {
    let yahoo = SOCKET.replace("quote_interval", "yahoo_url = \"http://127.0.0.1:1/yh\"\nquote_interval");
    let mut rig = Rig::new("2026-03-02T07:59:00Z", &format!("{yahoo}{UNIVERSE}"));
    // The other provider knows the price of before and nothing else.
    let answer = |script: &Script, call: Call, now: Timestamp| match call {
        Call::Outside(question) => {
            let unit = Unit { currency: Currency::EUR, per_main: 1 };
            let quote = YahooQuote { price: price(90_000_000), unit, at: now, delayed_min: None, kind: None };
            let asked = matches!(question.task, Task::Price(_));
            let result = if asked { Ok(Learnt::Price(quote)) } else { Err(DataFault::Unknown) };
            Reply::Outside { task: question.task, result: Box::new(result) }
        }
        other => script.answer(other),
    };
    rig.run_with(at("2026-03-02T08:01:05Z"), |call, now| answer(&script(), call, now));
    assert!(!last(&rig).suspect);
    // The broker alone says that the price jumped, and says so again.
    let mut jumped = script();
    jumped.prices.insert("RHNA.EU", 117_000_000);
    rig.run_with(at("2026-03-02T08:05:05Z"), |call, now| answer(&jumped, call, now));
    assert!(last(&rig).suspect);
    let said = prices(&rig);
    told(&mut rig, "2026-03-02T08:05:10Z", &[("RHNA.EU", 117_100_000)]);
    assert_eq!(prices(&rig), said);
    let why = rig.health().last_error.unwrap();
    assert!(why.contains("another provider contradicts the price of RHNA.EU, 117"), "{why}");
}

#[test]
fn what_cannot_be_used_says_nothing() {
    let mut rig = open();
    let said = rig.heard.all.len();
    // New York is shut, nobody watches the third, a zero is no price.
    told(
        &mut rig,
        "2026-03-02T08:01:10Z",
        &[("NRDW.US", 41_000_000), ("QXTM.US", 1_000_000), ("RHNA.EU", 0)],
    );
    // Pence, another currency, another security.
    let script = script();
    for wrong in ["none", "dollar", "isin"] {
        let asked = vec![ticker("RHNA.EU")];
        let Reply::Quotes { result: Ok(mut found), .. } = script.answer(Call::Quotes { tickers: asked })
        else {
            panic!("the script is not silent")
        };
        for quote in found.by_ticker.values_mut() {
            match wrong {
                "none" => quote.currency = None,
                "dollar" => quote.currency = Some(money::Currency::USD),
                _ => quote.isin = Some("US0378331005".parse().unwrap()),
            }
        }
        tell(&mut rig, found.by_ticker);
    }
    tell(&mut rig, BTreeMap::new());
    assert_eq!(rig.heard.all.len(), said);
    assert_eq!(rig.health().last_error, None, "the next question tells what is wrong");
}

#[test]
fn before_the_first_question_nothing_that_is_told_is_believed() {
    let mut rig = Rig::new("2026-03-02T08:30:00Z", &format!("{SOCKET}{UNIVERSE}"));
    rig.run("2026-03-02T08:30:10Z", &Script { silent: true, ..script() });
    told(&mut rig, "2026-03-02T08:30:20Z", &[("RHNA.EU", 90_000_000)]);
    assert_eq!(prices(&rig), []);
    rig.run("2026-03-02T08:32:00Z", &script());
    told(&mut rig, "2026-03-02T08:32:10Z", &[("RHNA.EU", 90_500_000)]);
    assert_eq!(prices(&rig).last().unwrap().1, 9_050);
}
