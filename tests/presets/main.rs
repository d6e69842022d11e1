//! The named worlds of the simulator through the whole system: each shows what it is there to show, and in each every
//! invariant holds on both sides, the client's books among them. `docs/presets.md` says which preset is shown where.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeSet;

use contracts::{OrderState, OrderStatus, PortfolioState, SecurityScore, TargetWeights, Venue};
use simworld::{OrderView, Profile, WorldConfig};
use steward_tests::{
    client_books::{all_invariants, rows_of},
    pipeline::Pipeline,
};

/// Eight securities of three venues; what a preset is about comes on top.
const USUAL: [&str; 8] =
    ["NRDW.US", "PRVL.US", "QXTM.US", "RHNA.EU", "ALPB.EU", "BVRN.EU", "MGLW.EU", "THMB.EU"];

struct Run {
    pipeline: Pipeline,
}

impl Run {
    fn of(preset: &str, profile: Profile, more: &[&str]) -> Run {
        let known = simworld::presets().into_iter().find(|one| one.name == preset).unwrap();
        let config = WorldConfig {
            scenario: preset.into(),
            profile,
            tickers: Some(match known.tickers {
                [] => USUAL.iter().chain(more).map(|ticker| (*ticker).to_owned()).collect(),
                own => own.iter().map(|ticker| (*ticker).to_owned()).collect(),
            }),
            ..WorldConfig::new(7, known.start.parse().unwrap())
        };
        Run { pipeline: Pipeline::in_world(config, 1) }
    }

    /// A run of so many days, written as the real broker writes.
    fn days(preset: &str, more: &[&str], days: i64) -> Run {
        let mut run = Run::of(preset, Profile::LiveLike, more);
        run.pipeline.run_days(days);
        run.is_sound();
        run
    }

    fn is_sound(&self) {
        for invariant in all_invariants(&self.pipeline) {
            assert!(invariant.ok, "{invariant:#?}");
        }
    }

    /// Orders that reached the broker.
    fn orders(&self) -> Vec<OrderView> {
        self.pipeline.world.borrow().orders().into_iter().filter(|order| !order.historic).collect()
    }

    fn state(&self) -> PortfolioState {
        self.pipeline.statement("").unwrap()
    }

    fn trouble(&self, stage: &str) -> String {
        self.pipeline.node(stage).health(0, true).last_error.unwrap_or_default()
    }

    fn count(&self, store: &str, sql: &str) -> i64 {
        rows_of(&self.pipeline, store, sql)[0][0].parse().unwrap()
    }

    /// Runs to an instant and gathers every trouble of a stage on the way.
    fn troubles(&mut self, stage: &str, days: i64) -> Vec<String> {
        let mut told: Vec<String> = Vec::new();
        let end = self.pipeline.now().saturating_plus_ms(days * 86_400_000);
        while self.pipeline.now() < end {
            self.pipeline.step(end);
            let now = self.trouble(stage);
            if !now.is_empty() && told.last() != Some(&now) {
                told.push(now);
            }
        }
        told
    }
}

#[test]
fn an_ordinary_week_keeps_every_invariant_however_the_broker_writes() {
    for profile in [Profile::Clean, Profile::LiveLike, Profile::Nasty] {
        let mut run = Run::of("default", profile, &[]);
        run.pipeline.run_days(4);
        run.is_sound();
        assert!(run.orders().iter().any(|order| order.filled > 0), "something is traded under {profile:?}");
    }
}

#[test]
fn two_runs_of_one_seed_decide_the_same() {
    let run = || Run::days("default", &[], 2);
    let (one, other) = (run(), run());
    let report = one.pipeline.world.borrow().decided_like(&other.pipeline.world.borrow());
    assert!(report.ok, "{report:?}");
}

#[test]
fn every_security_of_the_whole_world_has_a_score_and_a_target_or_a_reason() {
    let known = simworld::listings();
    let tickers = known.iter().map(|one| one.ticker.to_owned()).collect();
    let start = Pipeline::new(7, 1).now();
    let config = WorldConfig { tickers: Some(tickers), ..WorldConfig::new(7, start) };
    let mut pipeline = Pipeline::in_world(config, 1);
    pipeline.run_days(2);
    let scores = pipeline.statements::<SecurityScore>();
    let targets: TargetWeights = pipeline.statement("").unwrap();
    assert_eq!((known.len(), scores.len()), (33, 33));
    assert!(targets.weights.len() >= 20, "{:?}", targets.excluded);
    let listed: BTreeSet<_> = targets.weights.iter().map(|one| one.isin).collect();
    // What is held and has no say is listed with what it keeps, and named with the reason.
    let both: BTreeSet<_> =
        listed.iter().copied().chain(targets.excluded.iter().map(|one| one.isin)).collect();
    assert_eq!((listed.len(), both.len()), (targets.weights.len(), 33));
}

#[test]
fn an_empty_account_gets_no_orders_and_has_no_worth() {
    let mut run = Run::of("empty_account", Profile::LiveLike, &[]);
    run.pipeline.run_days(2);
    assert!(run.orders().is_empty());
    assert!(
        run.trouble("portfolio").contains("neither a holding nor a currency"),
        "{}",
        run.trouble("portfolio")
    );
}

#[test]
fn with_a_hundred_and_fifty_euros_no_order_is_worth_its_cost() {
    let run = Run::days("tiny_account", &[], 3);
    assert!(run.orders().is_empty(), "{:?}", run.orders());
    assert_eq!(run.state().nav.unwrap().e4(), 1_500_000);
}

#[test]
fn in_a_crash_nothing_is_sold_in_panic() {
    let run = Run::days("crash", &[], 5);
    let sales =
        run.orders().into_iter().filter(|order| order.side == "sell" && !order.ticker.contains('/')).count();
    assert!(sales <= 2, "{:?}", run.orders());
}

#[test]
fn in_a_rally_the_daily_cap_holds() {
    let run = Run::days("rally", &[], 4);
    assert!(run.orders().len() <= 4 * 4, "{:?}", run.orders());
}

#[test]
fn a_rate_that_jumps_is_doubted_before_it_is_used() {
    let mut run = Run::of("fx_shock", Profile::LiveLike, &[]);
    let told = run.troubles("ingest", 5);
    assert!(told.iter().any(|text| text.contains("the rate of GBP jumped")), "{told:?}");
    run.is_sound();
}

#[test]
fn no_order_rests_on_a_price_that_was_injected() {
    let mut run = Run::of("flash_spike", Profile::LiveLike, &["VNTX.US"]);
    let told = run.troubles("ingest", 6);
    assert!(!told.is_empty(), "the spikes were seen");
    run.is_sound();
}

#[test]
fn of_ambiguous_answers_one_order_per_intent_remains_and_rest_comes() {
    let mut run = Run::of("ambiguous_orders", Profile::LiveLike, &[]);
    run.pipeline.run_days(5);
    let broken: Vec<_> = all_invariants(&run.pipeline)
        .into_iter()
        .filter(|one| matches!(one.id, "I3" | "I14" | "I17") && !one.ok)
        .collect();
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(!run.orders().is_empty());
}

#[test]
fn two_days_without_the_broker_are_told_outlived_and_traded_in_by_nobody() {
    let mut run = Run::of("outage_broker", Profile::LiveLike, &[]);
    let told = run.troubles("portfolio", 6);
    assert!(told.iter().any(|text| text.contains("last read at")), "{told:?}");
    assert!(!run.state().stale, "it is over");
    assert_eq!(run.trouble("portfolio"), "");
    run.is_sound();
    let days: Vec<String> = run
        .orders()
        .iter()
        .map(|order| market::Timestamp::from_ms(order.created_ms).day_utc().to_string())
        .collect();
    assert!(days.iter().all(|day| day != "2026-03-04" && day != "2026-03-05"), "{days:?}");
}

#[test]
fn a_split_and_a_reverse_split_change_units_and_no_worth() {
    for (preset, ticker, days) in [("split_day", "VNTX.US", 9), ("reverse_split", "KYST.US", 9)] {
        let mut run = Run::of(preset, Profile::LiveLike, &[ticker]);
        run.pipeline.run_days(1);
        let before = run.state().nav.unwrap().to_f64();
        run.pipeline.run_days(days);
        run.is_sound();
        let after = run.state().nav.unwrap().to_f64();
        assert!((after / before - 1.0).abs() < 0.1, "{preset}: {before} became {after}");
        if preset == "split_day" {
            let splits = "SELECT count(*) FROM api_corporate_action WHERE kind = 'split'";
            assert_eq!(run.count("ledger", splits), 1, "{preset}");
        }
    }
}

#[test]
fn on_mixed_holidays_each_venue_keeps_its_own_calendar() {
    let mut run = Run::of("holiday_mix", Profile::LiveLike, &["JADEP.9911.AS"]);
    let good_friday = "2026-04-03T14:00:00Z".parse().unwrap();
    run.pipeline.run_until(good_friday);
    let venues = run.pipeline.statements::<Venue>();
    assert!(venues.iter().all(|venue| !venue.open), "{venues:?}");
    run.pipeline.run_until("2026-04-06T14:30:00Z".parse().unwrap());
    let open: Vec<String> = run
        .pipeline
        .statements::<Venue>()
        .into_iter()
        .filter(|venue| venue.open && venue.mic != contracts::pair_venue())
        .map(|venue| venue.mic.to_string())
        .collect();
    assert_eq!(open, ["XNAS", "XNYS"], "Easter Monday is a day of trading in America alone");
    run.is_sound();
}

#[test]
fn when_clocks_change_and_when_the_year_does_every_order_is_sent_in_session() {
    for (preset, days) in [("dst_week", 3), ("year_end", 6)] {
        let run = Run::days(preset, &[], days);
        let twice = "SELECT count(*) - count(DISTINCT day) FROM api_nav";
        assert_eq!(run.count("ledger", twice), 0, "{preset}");
    }
}

#[test]
fn in_hong_kong_whole_lots_are_bought_and_paid_for_with_exchanged_money() {
    let run = Run::days("hk_day", &[], 4);
    let bought: Vec<OrderView> =
        run.orders().into_iter().filter(|order| !order.ticker.contains('/')).collect();
    assert!(bought.iter().all(|order| order.qty % 100 == 0), "{bought:?}");
}

#[test]
fn what_cannot_be_paid_for_is_not_ordered() {
    let run = Run::days("no_pair", &[], 3);
    assert!(run.orders().iter().all(|order| order.ticker.contains('/')), "{:?}", run.orders());
    let refused = run.pipeline.statements::<OrderState>();
    assert!(
        refused
            .iter()
            .all(|order| order.status != OrderStatus::Filled || contracts::pair_of(&order.isin).is_some())
    );
}

#[test]
fn while_the_broker_doubts_the_clock_no_order_goes_out() {
    let run = Run::days("clock_faults", &[], 4);
    let doubted = |order: &OrderView| {
        let at = market::Timestamp::from_ms(order.created_ms).to_string();
        ("2026-03-03T14:00".."2026-03-03T16:00").contains(&at.as_str())
            || ("2026-03-04T09:00".."2026-03-04T12:00").contains(&at.as_str())
    };
    assert!(!run.orders().iter().any(doubted), "{:?}", run.orders());
    assert_eq!(run.trouble("portfolio"), "", "it is over");
}
