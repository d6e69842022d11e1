//! Every question asked over real HTTP of the imitated services: in every manner of writing, and with every fault.
#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use market::{Day, Fundamental, Mic, Timestamp};
use money::Currency;
use providers::{
    Ask, Base, Client, DataFault, EcbFile, FigiJob, FigiMapping, FrankfurterLatest, HttpFetch, Service,
    StooqDaily, Unit, stooq_symbol, yahoo,
    yahoo::{ChartOf, PegOf, QuotesOf, Search, SummaryOf},
    yahoo_symbol,
};
use simworld::{
    Effect, FaultRule, Profile, When, World, WorldConfig,
    edge::{Host, Standalone, bind, serve_on},
};

const NOW: &str = "2026-03-02T14:40:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// Runs a test against a served world.
fn with_world<F: Future<Output = ()>>(
    profile: Profile,
    faults: &[(&str, Effect)],
    test: impl FnOnce(Client<HttpFetch>, Arc<dyn Host>) -> F,
) {
    let mut world = World::new(WorldConfig { profile, ..WorldConfig::new(1, now()) }).unwrap();
    for (place, (target, effect)) in faults.iter().enumerate() {
        let rule = FaultRule {
            id: format!("f{place}"),
            target: (*target).into(),
            cmd: "*".into(),
            ticker: "*".into(),
            when: When::Prob(1.0),
            max: None,
            effect: effect.clone(),
        };
        world.put_fault(rule).unwrap();
    }
    let host = Arc::new(Standalone::new(world, now, || 1_772_462_400));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(serve_on(listener, Arc::clone(&host)));
        let paths = [
            (Service::Yahoo, "/yh"),
            (Service::Ecb, "/ecb"),
            (Service::Frankfurter, "/ff"),
            (Service::Stooq, "/stooq"),
            (Service::OpenFigi, "/figi"),
        ];
        let bases: BTreeMap<Service, Base> = paths
            .map(|(service, path)| (service, Base::parse(&format!("{base}{path}"), true).unwrap()))
            .into();
        let fetch = HttpFetch::new(bases, Some(Duration::from_millis(5_000))).unwrap();
        test(Client::new(fetch), host).await;
        server.abort();
    });
}

struct Listed {
    ticker: &'static str,
    mic: Mic,
    ccy: &'static str,
    symbol: String,
}

fn listed() -> Vec<Listed> {
    let all = simworld::listings().into_iter().map(|listing| Listed {
        ticker: listing.ticker,
        mic: listing.mic,
        ccy: listing.ccy,
        symbol: yahoo_symbol(listing.ticker, listing.mic).unwrap(),
    });
    all.collect()
}

/// The true closes, divided by the one split of these years as every provider shows them.
fn truth(host: &Arc<dyn Host>, ticker: &str, from: Day, until: Day) -> BTreeMap<Day, i64> {
    let closes = host.world().daily_closes(ticker, from, until);
    let split = day("2025-08-18");
    let divided = |(day, e6): (Day, i64)| (day, if ticker == "VNTX.US" && day < split { e6 / 4 } else { e6 });
    closes.into_iter().map(divided).collect()
}

#[test]
fn two_years_of_every_security_are_the_true_closes_in_every_manner_of_writing() {
    for profile in [Profile::Clean, Profile::LiveLike, Profile::Nasty] {
        with_world(profile, &[], |client, host| async move {
            let (from, until) = (day("2024-03-01"), day("2026-02-27"));
            let (mut repaired, mut missing, mut splits, mut guessed) = (0, 0, 0, 0);
            let all = listed();
            assert_eq!(all.len(), 33);
            for security in &all {
                let ask = ChartOf { symbol: security.symbol.clone(), from, until };
                let chart = client.ask(&ask, now()).await.unwrap().value;
                assert_eq!(chart.unit.currency.as_str(), security.ccy, "{}", security.ticker);
                let truth = truth(&host, security.ticker, from, until);
                missing += truth.len() - chart.bars.len();
                for bar in &chart.bars {
                    let part = bar.close.e6() as f64 / truth[&bar.day] as f64;
                    assert!((part - 1.0).abs() < 1e-3, "{} {} {part}", security.ticker, bar.day);
                    repaired += usize::from(bar.repaired);
                }
                splits += chart.splits.len();
                if security.ticker == "CRWN.EU" {
                    guessed = chart.dividends.iter().filter(|dividend| dividend.unit_guessed).count();
                    assert!(
                        chart.dividends.iter().all(|d| d.amount.e6() < 2_000_000),
                        "{:?}",
                        chart.dividends
                    );
                }
            }
            assert_eq!(splits, 1, "Ventrix split once in these years");
            assert!(missing < 33 * 10, "{missing} days are missing");
            if profile != Profile::Clean {
                assert!(repaired >= 1, "a row a hundred times too large was put right");
                assert!(guessed >= 4, "dividends in pounds were told from pence");
            }
            assert_eq!(host.world().unmodelled(), [] as [String; 0]);
        });
    }
}

#[test]
fn fundamentals_keep_their_units_in_every_manner_of_writing() {
    use Fundamental as F;
    for profile in [Profile::Clean, Profile::LiveLike, Profile::Nasty] {
        with_world(profile, &[], |client, _host| async move {
            let (mut rated, mut profiled) = (0, 0);
            for security in &listed() {
                let ask = SummaryOf { symbol: security.symbol.clone() };
                let found = client.ask(&ask, now()).await.unwrap().value;
                let figure = |figure| found.figures.get(&figure).copied();
                assert!(figure(F::DividendYield).is_none_or(|part| part < 0.15), "{}", security.ticker);
                assert!(figure(F::DebtToEquity).is_none_or(|ratio| ratio < 20.0), "{}", security.ticker);
                rated += usize::from(figure(F::RecommendationScore).is_some());
                profiled += usize::from(found.country.is_some());
                match security.ticker {
                    "HLXB.US" => assert_eq!(figure(F::PeRatio), None, "a loss has no ratio"),
                    "AURX.EU" => assert_eq!(found.kind.as_deref(), Some("MUTUALFUND")),
                    "NRDW.US" => assert!(figure(F::PeRatio).is_some() && found.sector.is_some()),
                    _ => {}
                }
            }
            assert!(rated > 15 && profiled > 25, "{rated} rated, {profiled} with a country");
            let peg = client.ask(&PegOf { symbol: "NRDW".into(), now: now() }, now()).await.unwrap();
            assert!(peg.value.is_none_or(f64::is_finite));
        });
    }
}

#[test]
fn quotes_carry_time_and_unit_and_unknown_symbols_are_left_out() {
    with_world(Profile::LiveLike, &[], |client, host| async move {
        let symbols = vec!["THMB.L".into(), "NRDW".into(), "NOSUCH".into()];
        let found = client.ask(&QuotesOf { symbols }, now()).await.unwrap();
        assert_eq!(found.value.len(), 2);
        let thames = &found.value["THMB.L"];
        let truth = host.world().truth_price("THMB.EU", thames.at).unwrap();
        let part = thames.price.e6() as f64 / truth as f64;
        assert!((part - 1.0).abs() < 0.05, "{part}: pence became pounds");
        assert!(thames.at <= now() && found.as_of.is_some());
    });
}

#[test]
fn a_search_finds_the_wrong_venue_first_and_the_right_one_too() {
    with_world(Profile::LiveLike, &[], |client, _host| async move {
        let found = client.ask(&Search { text: "DE000SMX0015".into() }, now()).await.unwrap().value;
        let symbols: Vec<&str> = found.iter().map(|hit| hit.symbol.as_str()).collect();
        assert_eq!(symbols.first(), Some(&"RHNA.F"));
        assert!(symbols.contains(&"RHNA.DE"));
        let jobs = |isin: &str, exchange| FigiJob { isin: isin.parse().unwrap(), exchange };
        let mapping =
            FigiMapping { jobs: vec![jobs("DE000SMX0015", Some("GR")), jobs("US0378331005", None)] };
        let rows = client.ask(&mapping, now()).await.unwrap().value;
        assert_eq!((rows[0][0].ticker.as_str(), rows[1].len()), ("RHNA", 0));
    });
}

#[test]
fn the_bank_and_its_mirror_say_the_same_rates() {
    with_world(Profile::Nasty, &[], |client, _host| async move {
        let whole = client.ask(&EcbFile::Whole, now()).await.unwrap().value;
        assert!(whole.days.len() > 2_500, "{} days", whole.days.len());
        let ninety = client.ask(&EcbFile::NinetyDays, now()).await.unwrap().value;
        for (day, rates) in &ninety.days {
            assert_eq!(rates, &whole.days[day], "{day}");
        }
        let latest = client.ask(&EcbFile::Daily, now()).await.unwrap();
        let (last, rates) = latest.value.days.last_key_value().unwrap();
        assert_eq!(last.to_string(), "2026-02-27", "nothing yet on the day itself");
        let currencies = vec![Currency::USD, Currency::GBP, Currency::HKD];
        let mirror = FrankfurterLatest { currencies: currencies.clone(), day: None };
        let (mirrored, same) = client.ask(&mirror, now()).await.unwrap().value;
        assert_eq!(mirrored, *last);
        for ccy in currencies {
            assert_eq!(same[&ccy], rates[&ccy], "{ccy}");
        }
    });
}

#[test]
fn the_second_source_of_closes_agrees_with_the_first() {
    with_world(Profile::LiveLike, &[], |client, host| async move {
        let (from, until) = (day("2025-01-02"), day("2026-02-27"));
        let mut covered = 0;
        for security in &listed() {
            let Some(symbol) = stooq_symbol(security.ticker, security.mic) else { continue };
            let unit = Unit::of(if security.ccy == "GBP" { "GBp" } else { security.ccy }).unwrap();
            let ask = StooqDaily { symbol, from, until, unit, key: None };
            let bars = client.ask(&ask, now()).await.unwrap().value;
            let truth = truth(&host, security.ticker, from, until);
            assert_eq!(bars.len(), truth.len(), "{}", security.ticker);
            let near =
                |bar: &providers::Bar| (truth[&bar.day] as f64 / bar.close.e6() as f64 - 1.0).abs() < 1e-3;
            assert!(bars.iter().all(near), "{}", security.ticker);
            covered += 1;
        }
        assert!(covered > 20, "{covered} securities");
    });
}

/// What is learnt when everything goes wrong in one way.
async fn everything(client: &Client<HttpFetch>) -> Vec<(&'static str, Result<usize, DataFault>)> {
    async fn one<A: Ask>(
        client: &Client<HttpFetch>,
        ask: A,
        count: impl FnOnce(&A::Answer) -> usize,
    ) -> Result<usize, DataFault> {
        client.ask(&ask, now()).await.map(|known| count(&known.value))
    }
    let chart = ChartOf { symbol: "NRDW".into(), from: day("2026-01-02"), until: day("2026-02-27") };
    let unit = Unit::of("USD").unwrap();
    let stooq =
        StooqDaily { symbol: "nrdw.us".into(), from: chart.from, until: chart.until, unit, key: None };
    let mirror = FrankfurterLatest { currencies: vec![Currency::USD], day: None };
    let jobs = vec![FigiJob { isin: "US99S0011099".parse().unwrap(), exchange: None }];
    let quotes = QuotesOf { symbols: vec!["NRDW".into()] };
    vec![
        ("chart", one(client, chart, |chart: &yahoo::Chart| chart.bars.len()).await),
        ("quotes", one(client, quotes, BTreeMap::len).await),
        ("summary", one(client, SummaryOf { symbol: "NRDW".into() }, |found| found.figures.len()).await),
        ("search", one(client, Search { text: "US99S0011099".into() }, Vec::len).await),
        ("ecb", one(client, EcbFile::Daily, |rates| rates.days.len()).await),
        ("frankfurter", one(client, mirror, |rates| rates.1.len()).await),
        ("stooq", one(client, stooq, Vec::len).await),
        ("openfigi", one(client, FigiMapping { jobs }, |rows| rows[0].len()).await),
    ]
}

fn on_every_service(effect: &Effect) -> Vec<(&'static str, Effect)> {
    ["yh", "ecb", "ff", "stooq", "figi"].map(|target| (target, effect.clone())).to_vec()
}

#[test]
fn without_a_fault_everybody_answers() {
    with_world(Profile::LiveLike, &[], |client, _host| async move {
        for (name, answer) in everything(&client).await {
            assert!(answer.as_ref().is_ok_and(|count| *count > 0), "{name} {answer:?}");
        }
    });
}

#[test]
fn a_fault_of_any_kind_is_a_failure_and_never_an_empty_answer() {
    let effects = [
        Effect::TimeoutBefore { ms: 50 },
        Effect::TimeoutAfter { ms: 50 },
        Effect::ResetAfter,
        Effect::Truncate,
        Effect::Malformed,
        Effect::Http { status: 500, processed: true },
        Effect::Http { status: 502, processed: false },
        Effect::Http { status: 503, processed: false },
        Effect::Http { status: 504, processed: true },
        Effect::Http403Html,
        Effect::Error { code: 500, text: "Internal".into() },
        Effect::RateLimit { body: false, retry_after: 60 },
        Effect::RateLimit { body: true, retry_after: 60 },
    ];
    for effect in effects {
        with_world(Profile::LiveLike, &on_every_service(&effect), |client, _host| async move {
            for (name, answer) in everything(&client).await {
                assert!(answer.is_err(), "{name} under {effect:?}: {answer:?}");
            }
        });
    }
}

#[test]
fn an_empty_success_brings_nothing_and_a_slow_one_everything() {
    with_world(Profile::LiveLike, &on_every_service(&Effect::EmptyOk), |client, _host| async move {
        for (name, answer) in everything(&client).await {
            let nothing = !matches!(name, "search" | "openfigi");
            assert!(!nothing || answer.as_ref().map_or(true, |count| *count == 0), "{name} {answer:?}");
        }
    });
    with_world(Profile::LiveLike, &on_every_service(&Effect::Slow { ms: 20 }), |client, _host| async move {
        for (name, answer) in everything(&client).await {
            assert!(answer.is_ok(), "{name} {answer:?}");
        }
    });
}

#[test]
fn a_wrong_label_shows_as_a_factor_of_a_hundred_against_the_truth() {
    with_world(Profile::LiveLike, &[("yh", Effect::WrongCurrency)], |client, host| async move {
        let ask = ChartOf { symbol: "THMB.L".into(), from: day("2026-01-02"), until: day("2026-02-27") };
        let chart = client.ask(&ask, now()).await.unwrap().value;
        let last = chart.bars.last().unwrap();
        let truth = host.world().daily_closes("THMB.EU", last.day, last.day)[0].1;
        let part = last.close.e6() as f64 / truth as f64;
        assert!(part > 90.0, "{part}: the caller must compare with the broker before it believes");
    });
}
