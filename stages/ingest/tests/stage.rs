//! The stage against scripted answers: what it says, what it refuses to say, and what survives a restart.

#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;

use bus_client::{Engine, Place};
use contracts::{FxRates, History, JobOutcome, JobRun, Quote, Universe, Venue, pair_venue};
use ingest::{Call, Ingest, Reply};
use money::Currency;
use support::{Rig, Script, UNIVERSE, at, config, reading};
use tradernet::commands::quotes;

/// Monday, an hour before Frankfurt opens.
const MORNING: &str = "2026-03-02T07:00:00Z";

fn script() -> Script {
    Script {
        prices: BTreeMap::from([("RHNA.EU", 90_000_000), ("NRDW.US", 40_000_000)]),
        dollar_e9: Some(920_000_000),
        bars: BTreeMap::from([
            ("RHNA.EU", vec![("2026-02-26", 89_000_000), ("2026-02-27", 90_000_000)]),
            ("NRDW.US", vec![("2026-02-26", 39_000_000), ("2026-02-27", 40_000_000)]),
        ]),
        volume: None,
        ..Script::default()
    }
}

fn prices(rig: &Rig, isin: &str) -> Vec<Quote> {
    let all = rig.heard.about::<Quote>();
    all.into_iter().filter(|quote| quote.isin.as_str() == isin).collect()
}

fn runs(rig: &Rig, job: &str) -> Vec<JobRun> {
    rig.heard.about::<JobRun>().into_iter().filter(|run| run.job == job).collect()
}

#[test]
fn says_universe_rates_venues_prices_and_history_at_the_start() {
    let mut rig = Rig::new(MORNING, UNIVERSE);
    rig.run("2026-03-02T07:00:10Z", &script());
    let universe = &rig.heard.about::<Universe>()[0];
    assert_eq!(universe.securities.len(), 2);
    assert!(universe.securities.iter().all(|security| security.allow_buy && security.allow_sell));
    let rates = &rig.heard.about::<FxRates>()[0];
    assert_eq!(rates.rates[&Currency::USD].eur_per_unit_e9.e9(), 920_000_000);
    assert_eq!(rates.rates.len(), 2, "only what is known, and the euro");
    for Venue { mic, open, reason, .. } in rig.heard.about::<Venue>() {
        let expected = if mic == pair_venue() { "not_trading" } else { "before_open" };
        assert_eq!((open, reason.as_str()), (false, expected), "{mic}");
    }
    let quote = &prices(&rig, "DE000SMX0015")[0];
    assert_eq!(
        quote.at,
        at("2026-02-27T16:30:00Z"),
        "a price from before the weekend is as old as the close"
    );
    let history = rig.heard.about::<History>().pop().unwrap();
    assert_eq!((history.bars, history.complete_until.len()), (4, 2));
    let run = runs(&rig, "history").pop().unwrap();
    assert_eq!((run.outcome, run.done, run.total), (JobOutcome::Done, 2, 2));
    let run = runs(&rig, "fx").pop().unwrap();
    assert_eq!((run.outcome, run.done, run.total), (JobOutcome::Done, 1, 1));
    assert!(run.ended.is_some() && run.trigger == "due");
    assert_eq!(rig.count("SELECT count(*) FROM api_bar WHERE is_final = 1 AND quality = 'ok'"), 4);
    assert_eq!(rig.health().last_error, None);
}

#[test]
fn a_restart_repeats_nothing_and_writes_the_universe_once() {
    let mut rig = Rig::new(MORNING, UNIVERSE);
    rig.run("2026-03-02T07:00:10Z", &script());
    let rows = "SELECT count(*) FROM quote";
    let before = rig.count(rows);
    rig.restart();
    rig.run("2026-03-02T07:00:20Z", &script());
    assert_eq!(rig.count("SELECT count(*) FROM security"), 2);
    assert_eq!(rig.count(rows), before, "the price of the last close is known already");
    assert!(rig.heard.about::<Universe>().is_empty(), "it was said before");
    assert!(rig.calls.iter().all(|call| !matches!(call, Call::Bars { .. })), "{:?}", rig.calls);
}

#[test]
fn the_settings_do_not_change_a_store_that_has_a_universe() {
    let mut rig = Rig::new(MORNING, UNIVERSE);
    rig.run("2026-03-02T07:00:10Z", &script());
    rig.config = config("sim:1", "");
    rig.restart();
    assert_eq!(rig.engine.start().settings.universe.len(), 0);
    let mut moved = script();
    moved.prices.insert("RHNA.EU", 90_050_000);
    rig.run("2026-03-02T08:00:00Z", &moved);
    assert_eq!(prices(&rig, "DE000SMX0015").len(), 1, "the security is still watched");
}

#[test]
fn only_open_venues_get_prices_and_they_come_at_whole_minutes() {
    let mut rig = Rig::new(MORNING, UNIVERSE);
    rig.run("2026-03-02T08:02:30Z", &script());
    let times: Vec<_> = prices(&rig, "DE000SMX0015").iter().map(|quote| quote.at).collect();
    let expected =
        ["2026-02-27T16:30:00Z", "2026-03-02T08:00:00Z", "2026-03-02T08:01:00Z", "2026-03-02T08:02:00Z"];
    assert_eq!(times, expected.map(at));
    assert_eq!(prices(&rig, "US99S0011099").len(), 1, "New York is shut");
}

#[test]
fn prices_stop_at_the_close_and_come_back_at_the_next_opening() {
    let mut rig = Rig::new("2026-03-02T16:28:30Z", UNIVERSE);
    let frankfurt_only = UNIVERSE.split("[[stage.ingest.universe]]\nticker = \"NRDW.US\"").next().unwrap();
    rig.config = config("sim:1", frankfurt_only);
    rig.restart();
    rig.run("2026-03-03T08:00:30Z", &script());
    let times: Vec<_> = prices(&rig, "DE000SMX0015").iter().map(|quote| quote.at).collect();
    let expected = ["2026-03-02T16:28:30Z", "2026-03-02T16:29:00Z", "2026-03-03T08:00:00Z"];
    assert_eq!(times, expected.map(at));
}

/// What was last said of the venue of currency pairs, while the broker always says that they trade.
fn pairs_trade(rig: &Rig) -> bool {
    let mut venues = rig.heard.about::<Venue>().into_iter();
    venues.rfind(|venue| venue.mic == pair_venue()).unwrap().open
}

fn with_pairs(call: Call) -> Reply {
    match script().answer(call) {
        Reply::Quotes { tickers, result: Ok(mut found) } => {
            for ticker in tickers.iter().filter(|ticker| ticker.as_str() == "EUR/USD") {
                let market_status = Some("OPEN".to_owned());
                let quote = quotes::Quote { market_status, ..reading(1_080_000, Currency::USD) };
                found.by_ticker.insert(ticker.clone(), quote);
            }
            Reply::Quotes { tickers, result: Ok(found) }
        }
        other => other,
    }
}

#[test]
fn pairs_count_as_closed_while_every_venue_is() {
    // At the start the last session's prices are read at night too: that opens nothing.
    let mut rig = Rig::new("2026-03-01T22:00:00Z", UNIVERSE);
    rig.run_with(at("2026-03-02T07:59:00Z"), |call, _| with_pairs(call));
    assert!(rig.calls.iter().any(|call| matches!(call, Call::Quotes { .. })));
    assert!(!pairs_trade(&rig));
    rig.run_with(at("2026-03-02T08:00:30Z"), |call, _| with_pairs(call));
    assert!(pairs_trade(&rig), "Frankfurt is open");
    rig.run_with(at("2026-03-02T23:00:00Z"), |call, _| with_pairs(call));
    assert!(!pairs_trade(&rig), "New York has closed");
}

#[test]
fn an_answer_that_comes_after_the_last_close_does_not_open_the_pairs_for_the_night() {
    let mut rig = Rig::new("2026-03-02T20:58:30Z", UNIVERSE);
    rig.run_with(at("2026-03-02T20:58:45Z"), |call, _| with_pairs(call));
    assert!(pairs_trade(&rig));
    let said = rig.engine.tick(at("2026-03-02T20:59:00Z")).unwrap();
    rig.heard.all.extend(said);
    // The close is at nine; the answer to the last question comes five seconds later.
    rig.now = at("2026-03-02T21:00:05Z");
    let asked = rig.calls.len();
    rig.run_with(at("2026-03-03T07:59:00Z"), |call, _| with_pairs(call));
    let first = rig.calls[asked..].iter().find(|call| matches!(call, Call::Quotes { .. }));
    assert!(matches!(first, Some(Call::Quotes { tickers }) if tickers.len() == 2), "{first:?}");
    assert!(!pairs_trade(&rig));
}

#[test]
fn a_jump_is_suspect_until_a_second_reading_also_across_a_restart() {
    let mut rig = Rig::new(MORNING, UNIVERSE);
    rig.run("2026-03-02T08:00:30Z", &script());
    let mut jumped = script();
    jumped.prices.insert("RHNA.EU", 108_000_001);
    rig.run("2026-03-02T08:01:30Z", &jumped);
    assert!(prices(&rig, "DE000SMX0015").last().unwrap().suspect);
    assert!(rig.health().last_error.is_some_and(|text| text.contains("suspect")), "{:?}", rig.health());
    rig.restart();
    rig.run("2026-03-02T08:02:30Z", &jumped);
    assert!(!prices(&rig, "DE000SMX0015").last().unwrap().suspect, "the second reading agrees");
}

#[test]
fn a_missing_price_says_nothing_and_reports_itself() {
    let mut rig = Rig::new(MORNING, UNIVERSE);
    let mut gone = script();
    gone.prices.remove("RHNA.EU");
    rig.run("2026-03-02T08:01:30Z", &gone);
    assert!(prices(&rig, "DE000SMX0015").is_empty());
    assert_eq!(prices(&rig, "US99S0011099").len(), 1);
    assert!(rig.health().last_error.unwrap().contains("RHNA.EU"));
    rig.run("2026-03-02T08:02:30Z", &script());
    assert_eq!(prices(&rig, "DE000SMX0015").len(), 1);
    assert_eq!(rig.health().state, contracts::HealthState::Healthy, "and is well again");
}

#[test]
fn a_zero_price_and_the_wrong_currency_say_nothing() {
    let mut rig = Rig::new(MORNING, UNIVERSE);
    let mut zero = script();
    zero.prices.insert("RHNA.EU", 0);
    rig.run("2026-03-02T08:01:30Z", &zero);
    assert!(prices(&rig, "DE000SMX0015").is_empty());
}

#[test]
fn a_missing_rate_stays_missing() {
    let mut rig = Rig::new(MORNING, UNIVERSE);
    rig.run("2026-03-02T07:00:06Z", &Script { dollar_e9: None, ..script() });
    assert!(rig.heard.about::<FxRates>().is_empty());
    assert!(rig.health().last_error.unwrap().contains("no rate of USD"));
    let run = runs(&rig, "fx").pop().unwrap();
    assert_eq!((run.outcome, run.done, run.total), (JobOutcome::Failed, 0, 1));
    rig.run("2026-03-02T07:01:00Z", &script());
    assert_eq!(rig.heard.about::<FxRates>().len(), 1, "it is asked for again soon");
    let run = runs(&rig, "fx").pop().unwrap();
    assert_eq!((run.outcome, run.trigger.as_str()), (JobOutcome::Done, "retry"));
}

#[test]
fn silence_keeps_the_last_state_and_is_asked_again_ever_more_slowly() {
    let mut rig = Rig::new(MORNING, UNIVERSE);
    rig.run("2026-03-02T08:00:30Z", &script());
    let said = rig.heard.all.len();
    let asked = rig.calls.len();
    rig.run("2026-03-02T08:04:30Z", &Script { silent: true, ..script() });
    let news = rig.heard.all[said..].iter().filter(|said| !said.topic.contains("/venue/"));
    let news: Vec<_> = news.filter(|said| !said.topic.contains("/job/")).collect();
    assert!(news.is_empty(), "{news:?}");
    let again = rig.calls[asked..].iter().filter(|call| !matches!(call, Call::Markets)).count();
    assert!((2..=8).contains(&again), "{again}");
    assert!(rig.health().last_error.unwrap().contains("silent"));
    rig.run("2026-03-02T08:15:30Z", &script());
    assert!(prices(&rig, "DE000SMX0015").last().unwrap().at > at("2026-03-02T08:05:00Z"));
}

#[test]
fn a_broker_that_wants_fewer_questions_is_asked_ever_more_rarely_whatever_is_due() {
    let mut rig = Rig::new(MORNING, UNIVERSE);
    rig.run("2026-03-02T08:00:30Z", &script());
    let silent = Script { silent: true, ..script() };
    let throttled = |call: Call| {
        let failure = || ingest::Failure { text: "too many requests".into(), pause_ms: 0, throttled: true };
        match silent.answer(call) {
            Reply::Quotes { tickers, .. } => Reply::Quotes { tickers, result: Err(failure()) },
            Reply::Rates(_) => Reply::Rates(Err(failure())),
            Reply::Markets(_) => Reply::Markets(Err(failure())),
            Reply::Bars { isin, from, until, .. } => {
                Reply::Bars { isin, from, until, result: Err(failure()) }
            }
            other => other,
        }
    };
    let asked = rig.calls.len();
    rig.run_with(at("2026-03-02T09:00:30Z"), |call, _| throttled(call));
    // 1, 2, 4, 8 and 15 minutes, give or take a fifth; a question that was under way with another counts as well.
    let again = rig.calls.len() - asked;
    assert!((4..=10).contains(&again), "{again}");
    rig.run("2026-03-02T09:20:30Z", &script());
    assert_eq!(rig.health().state, contracts::HealthState::Healthy);
}

#[test]
fn the_bar_of_a_day_is_added_once_after_its_close() {
    let mut rig = Rig::new(MORNING, UNIVERSE);
    rig.run("2026-03-02T16:59:00Z", &script());
    let mut later = script();
    later.bars.get_mut("RHNA.EU").unwrap().push(("2026-03-02", 91_000_000));
    rig.run("2026-03-02T17:05:00Z", &later);
    assert_eq!(rig.count("SELECT count(*) FROM api_bar WHERE day = '2026-03-02'"), 1);
    rig.restart();
    rig.run("2026-03-02T17:30:00Z", &later);
    assert_eq!(rig.count("SELECT count(*) FROM api_bar"), 5);
    assert!(rig.calls.iter().all(|call| !matches!(call, Call::Bars { .. })));
}

#[test]
fn a_divided_past_that_nobody_tells_of_waits_for_a_person() {
    let mut rig = Rig::new(MORNING, UNIVERSE);
    rig.run("2026-03-02T16:59:00Z", &script());
    let mut split = script();
    split.bars.insert(
        "RHNA.EU",
        vec![("2026-02-26", 8_900_000), ("2026-02-27", 9_000_000), ("2026-03-02", 9_100_000)],
    );
    rig.run("2026-03-02T17:05:00Z", &split);
    assert_eq!(rig.count("SELECT count(*) FROM api_bar WHERE quality = 'corrected'"), 0);
    assert!(rig.health().last_error.is_some_and(|text| text.contains("nobody else tells of")));
    rig.tell(contracts::IngestRun {
        isin: Some("DE000SMX0015".parse().unwrap()),
        ..contracts::Sample::sample()
    });
    rig.run("2026-03-02T17:06:00Z", &split);
    let closes = "SELECT group_concat(close) FROM (SELECT close FROM api_bar WHERE isin = 'DE000SMX0015' ORDER BY day)";
    let rows = bus_client::open_for_reading(&rig.place).unwrap();
    let text: String = rows.query_row(closes, [], |row| row.get(0)).unwrap();
    assert_eq!(text, "8900000,9000000,9100000");
    assert_eq!(rig.count("SELECT count(*) FROM api_bar WHERE quality = 'corrected'"), 3);
    assert_eq!(rig.heard.about::<History>().pop().unwrap().bars, 5);
}

#[test]
fn a_quote_that_stands_still_ages_while_the_venue_is_open_and_across_a_restart() {
    let mut rig = Rig::new(MORNING, UNIVERSE);
    rig.run("2026-03-02T08:10:30Z", &script());
    let frozen = Script { frozen: true, ..script() };
    rig.run("2026-03-02T08:41:30Z", &frozen);
    let last = |rig: &Rig| prices(rig, "DE000SMX0015").last().map(|quote| quote.at);
    assert_eq!(last(&rig), Some(at("2026-03-02T08:10:00Z")), "31 minutes old, however often it is read");
    let rows = "SELECT max(ts) FROM quote";
    assert_eq!(rig.count(rows), at("2026-03-02T08:10:00Z").ms());
    rig.restart();
    rig.run("2026-03-02T09:00:30Z", &frozen);
    assert!(last(&rig).is_none_or(|then| then == at("2026-03-02T08:10:00Z")), "{:?}", last(&rig));
    assert_eq!(rig.count(rows), at("2026-03-02T08:10:00Z").ms());
    rig.run("2026-03-02T09:02:30Z", &script());
    assert_eq!(last(&rig), Some(at("2026-03-02T09:02:00Z")), "somebody trades again");
    // A price that stands still over a week stays the newest one in the store, with its age.
    rig.run("2026-03-11T09:00:30Z", &Script { frozen: true, ..script() });
    rig.restart();
    rig.run("2026-03-11T10:00:30Z", &frozen);
    assert_eq!(rig.count(rows), at("2026-03-02T09:02:00Z").ms());
}

#[test]
fn old_quotes_go_and_the_newest_stays_known() {
    let mut rig = Rig::new(MORNING, UNIVERSE);
    rig.run("2026-03-02T08:00:30Z", &script());
    rig.run_with(at("2026-03-10T08:30:00Z"), |call, _| script().answer(call));
    let oldest = rig.count("SELECT min(ts) FROM quote");
    assert!(oldest >= at("2026-03-03T07:00:00Z").ms(), "{oldest}");
}

#[test]
fn a_live_system_refuses_simulated_securities_addresses_and_permissions() {
    let folder = tempfile::tempdir().unwrap();
    let open = |environment: &str, more: &str, name: &str| {
        let place = Place::File(folder.path().join(name));
        Engine::<Ingest>::open(&config(environment, more), "ingest", Some(place), at(MORNING))
            .map(drop)
            .map_err(|error| error.to_string())
    };
    assert!(open("live", UNIVERSE, "a").unwrap_err().contains("simulated security"));
    let local = "[stage.ingest]\nbroker_url = \"http://127.0.0.1:8900/tn\"\n";
    assert!(open("live", local, "b").unwrap_err().contains("broker_url"));
    assert!(open("sim:1", local, "c").is_ok());
    let away = "[stage.ingest]\nbroker_url = \"https://freedom24.com\"\n";
    assert!(open("sim:1", away, "d").unwrap_err().contains("this machine"));
    assert!(open("live", away, "e").is_ok());
    assert!(
        open("sim:1", "[stage.ingest]\nquote_interval_s = 1\n", "f")
            .unwrap_err()
            .contains("quote_interval_s")
    );
    assert!(open("sim:1", &format!("{UNIVERSE}{UNIVERSE}"), "g").unwrap_err().contains("twice"));
}

#[test]
fn new_securities_of_a_live_system_are_only_watched() {
    let folder = tempfile::tempdir().unwrap();
    let real = UNIVERSE.replace("DE000SMX0015", "DE0007164600").replace("US99S0011099", "US0378331005");
    let place = Place::File(folder.path().join("market.db"));
    let mut engine =
        Engine::<Ingest>::open(&config("live", &real), "ingest", Some(place), at(MORNING)).unwrap();
    let said = engine.tick(at(MORNING)).unwrap();
    let heard = support::Heard { all: said };
    let universe = heard.about::<Universe>().pop().unwrap();
    assert!(
        universe
            .securities
            .iter()
            .all(|security| security.active && !security.allow_buy && !security.allow_sell)
    );
}

/// What was last said of a venue: open, and why.
fn venue(rig: &Rig, mic: &str) -> (bool, String) {
    let all = rig.heard.about::<Venue>();
    let last = all.into_iter().rfind(|venue| venue.mic.as_str() == mic).unwrap();
    (last.open, last.reason)
}

#[test]
fn a_venue_is_open_when_calendar_and_broker_say_so_and_a_lasting_disagreement_is_told() {
    let mut rig = Rig::new(MORNING, UNIVERSE);
    rig.run("2026-03-02T07:59:59Z", &script());
    assert_eq!(venue(&rig, "XETR"), (false, "before_open".into()));
    assert!(
        !rig.calls.iter().any(|call| matches!(call, Call::Markets)),
        "nobody is asked before the opening"
    );
    rig.run("2026-03-02T08:00:30Z", &script());
    assert_eq!(venue(&rig, "XETR"), (true, "regular".into()));
    let shut = Script { shut: vec!["EU"], ..script() };
    rig.run("2026-03-02T08:01:30Z", &shut);
    assert_eq!(venue(&rig, "XETR"), (false, "broker_closed".into()));
    let said = rig.heard.about::<Venue>();
    let last = said.iter().rfind(|venue| venue.mic.as_str() == "XETR").unwrap();
    assert_eq!((last.since_open_min, last.until_close_min), (None, None));
    rig.run("2026-03-02T08:31:00Z", &shut);
    assert_eq!(rig.health().last_error, None, "half an hour is no alarm");
    rig.run("2026-03-02T08:32:30Z", &shut);
    let told = rig.health().last_error.unwrap();
    assert!(told.contains("XETR is open by its calendar") && told.contains("2026-03-02T08:01"), "{told}");
    rig.run("2026-03-02T08:33:30Z", &script());
    assert_eq!((venue(&rig, "XETR"), rig.health().last_error), ((true, "regular".into()), None));
}

#[test]
fn the_broker_opens_nothing_that_the_calendar_closes_and_silence_is_no_agreement() {
    let mut rig = Rig::new("2026-04-03T06:00:00Z", UNIVERSE);
    rig.run("2026-04-03T12:00:00Z", &script());
    assert_eq!(venue(&rig, "XETR"), (false, "holiday".into()), "Good Friday");
    let mut rig = Rig::new("2026-03-02T07:59:00Z", UNIVERSE);
    let silent = Script { silent: true, ..script() };
    rig.run("2026-03-02T08:00:30Z", &silent);
    assert_eq!(venue(&rig, "XETR"), (false, "broker_unknown".into()));
    rig.run("2026-03-02T08:10:00Z", &script());
    assert_eq!(venue(&rig, "XETR"), (true, "regular".into()));
    // The last word of 08:10 counts until 08:15.
    rig.run("2026-03-02T08:14:00Z", &silent);
    assert_eq!(venue(&rig, "XETR"), (true, "regular".into()));
    rig.run("2026-03-02T08:21:00Z", &silent);
    assert_eq!(venue(&rig, "XETR"), (false, "broker_unknown".into()));
}
