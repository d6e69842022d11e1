//! The stage with its edge against the simulated broker in the same process.

#![allow(clippy::unwrap_used)]

mod support;

use std::{cell::RefCell, rc::Rc};

use bus_client::Edge;
use contracts::{FxRates, HealthState, History, Quote, Venue};
use simworld::{Effect, FaultRule, Profile, Rules, When, World, WorldConfig};
use support::{Rig, UNIVERSE, at, at_once, edge};

const LONDON: &str = r#"
[[stage.ingest.universe]]
ticker = "THMB.EU"
isin = "GB009SMX0155"
name = "Thamesborough Engineering plc"
mic = "XLON"
ccy = "GBP"
product_type = "stock"
lot = 1
tick = "0.005"
[[stage.ingest.universe]]
ticker = "JADEP.9911.AS"
isin = "HK0000SM0017"
name = "Jade Peninsula Bank"
mic = "XHKG"
ccy = "HKD"
product_type = "stock"
lot = 500
"#;

#[test]
fn a_day_of_the_simulated_market_is_read_whole_in_every_manner_of_writing() {
    for profile in [Profile::Clean, Profile::LiveLike, Profile::Nasty] {
        let start = at("2026-03-02T07:30:00Z");
        let rules = Rules { throttle: false, ..Rules::default() };
        let config = WorldConfig { profile, rules, ..WorldConfig::new(1, start) };
        let world = Rc::new(RefCell::new(World::new(config).unwrap()));
        let edge = edge(&world);
        let mut rig = Rig::new("2026-03-02T07:30:00Z", &format!("{UNIVERSE}{LONDON}"));
        rig.run_with(at("2026-03-02T17:00:00Z"), |call, now| {
            world.borrow_mut().advance_to(now);
            at_once(edge.perform(call))
        });
        let history = rig.heard.about::<History>().pop().unwrap();
        assert_eq!(history.complete_until.len(), 4);
        assert!(history.bars > 1_000, "{} bars", history.bars);
        let rates = rig.heard.about::<FxRates>().pop().unwrap();
        assert_eq!(rates.rates.len(), 4, "EUR, GBP, HKD, USD");
        for isin in ["DE000SMX0015", "US99S0011099", "GB009SMX0155", "HK0000SM0017"] {
            let quotes = rig.heard.about::<Quote>();
            assert!(quotes.iter().any(|quote| quote.isin.as_str() == isin && !quote.suspect), "{isin}");
        }
        let rheinau = rig.heard.about::<Quote>();
        let rheinau = rheinau.iter().filter(|quote| quote.isin.as_str() == "DE000SMX0015").count();
        assert!(rheinau > 500, "{rheinau} prices in 510 minutes");
        assert_eq!(rig.health().state, HealthState::Healthy, "{profile:?} {:?}", rig.health().last_error);
    }
}

#[test]
fn a_frozen_quote_is_no_fresh_price_in_every_manner_of_writing() {
    for profile in [Profile::Clean, Profile::LiveLike, Profile::Nasty] {
        let start = at("2026-03-02T08:30:00Z");
        let rules = Rules { throttle: false, ..Rules::default() };
        let config = WorldConfig { profile, rules, ..WorldConfig::new(1, start) };
        let world = Rc::new(RefCell::new(World::new(config).unwrap()));
        let edge = edge(&world);
        let mut rig = Rig::new("2026-03-02T08:30:00Z", &format!("{UNIVERSE}{LONDON}"));
        let mut run = |until: &str| {
            rig.run_with(at(until), |call, now| {
                world.borrow_mut().advance_to(now);
                at_once(edge.perform(call))
            });
            let mut quotes = rig.heard.about::<Quote>().into_iter();
            quotes.rfind(|quote| quote.isin.as_str() == "DE000SMX0015").unwrap()
        };
        // Half an hour of an ordinary morning, minute by minute: what nobody froze is never old.
        for minute in 1..30 {
            let now = at(&format!("2026-03-02T08:{:02}:30Z", 30 + minute));
            assert!(now.since(run(&now.to_string()).at) <= 5 * 60_000, "{profile:?} {minute}");
        }
        let rule = FaultRule {
            id: "frozen".into(),
            target: "tn".into(),
            cmd: "getStockQuotesJson".into(),
            ticker: "RHNA.EU".into(),
            when: When::Prob(1.0),
            max: None,
            effect: Effect::StalePrice,
        };
        world.borrow_mut().put_fault(rule).unwrap();
        let first = run("2026-03-02T09:01:30Z").at;
        let last = run("2026-03-02T09:32:30Z").at;
        assert_eq!(first, last, "{profile:?}: nothing moved since");
        assert!(at("2026-03-02T09:32:30Z").since(last) > 30 * 60_000, "the gate takes no such price");
    }
}

#[test]
fn on_a_holiday_of_frankfurt_the_broker_closes_all_of_europe_and_new_york_opens() {
    // The first of May: Frankfurt is closed, London is not, and the broker shows one market for both.
    let start = at("2026-05-01T06:00:00Z");
    let rules = Rules { throttle: false, ..Rules::default() };
    let config = WorldConfig { scenario: "holiday_mix".into(), rules, ..WorldConfig::new(1, start) };
    let world = Rc::new(RefCell::new(World::new(config).unwrap()));
    let edge = edge(&world);
    let mut rig = Rig::new("2026-05-01T06:00:00Z", &format!("{UNIVERSE}{LONDON}"));
    rig.run_with(at("2026-05-01T15:00:00Z"), |call, now| {
        world.borrow_mut().advance_to(now);
        at_once(edge.perform(call))
    });
    let said = rig.heard.about::<Venue>();
    let of = |mic: &str| said.iter().filter(|venue| venue.mic.as_str() == mic).collect::<Vec<_>>();
    assert!(of("XETR").iter().all(|venue| !venue.open && venue.reason == "holiday"));
    assert!(of("XLON").iter().all(|venue| !venue.open));
    assert!(of("XLON").iter().any(|venue| venue.reason == "broker_closed"));
    assert!(of("XNAS").iter().any(|venue| venue.open), "America trades");
    let told = rig.health().last_error.unwrap_or_default();
    assert!(told.contains("XLON is open by its calendar and the broker says that it is closed"), "{told}");
}
