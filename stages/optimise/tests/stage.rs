//! The optimiser on a real store: when it speaks, when it stays silent, and what survives a restart.

#![allow(clippy::unwrap_used)]

mod support;

use contracts::{FxRate, FxRates, OptimiseNow, Outcome, PortfolioState, Sample, TargetStatus};
use market::Timestamp;
use money::Currency;
use support::*;

#[test]
fn a_fund_of_cash_gets_targets_with_method_figures_groups_and_reasons() {
    let world = World::of(&[0.61, 0.62, 0.63, 0.64, 0.65, 0.66, 0.67, 0.68]);
    let run = world.run();
    assert_eq!(sum(&run), INVESTED_E6, "{run:?}");
    assert_eq!(run.cash_e6.e6(), 1_000_000 - INVESTED_E6);
    assert!(
        run.method.starts_with("blend of ") && run.method.ends_with(" and risk parity"),
        "{}",
        run.method
    );
    let figures: Vec<&str> = run.figures.iter().map(|figures| figures.of.as_str()).collect();
    assert_eq!(figures, ["mean_variance", "risk_parity", "blend", "final"]);
    assert!(run.weights.iter().all(|one| one.reason.contains("risk parity") && one.upper_e6.e6() <= 150_000));
    assert!(
        run.groups.iter().any(|group| group.name == "EU" && !group.members.is_empty()),
        "{:?}",
        run.groups
    );
    assert!(run.cvar_95_20d.is_some_and(|loss| loss.get() < 0.0));
    assert_eq!(world.count("SELECT sum(weight) FROM api_target"), INVESTED_E6);
    assert_eq!(world.count("SELECT count(DISTINCT member) FROM api_group WHERE kind = 'country'"), 8);
    assert_eq!(world.count("SELECT count(*) FROM api_run WHERE volatility > 0"), 1);
}

#[test]
fn one_score_says_nothing_and_says_why() {
    let world = World::of(&[0.9]);
    assert!(world.runs().is_empty());
    assert!(world.decision().contains("fewer than two"), "{}", world.decision());
}

#[test]
fn two_and_three_securities_are_enough() {
    for count in [2, 3] {
        let world = World::of(&vec![0.7; count]);
        let run = world.run();
        assert_eq!(sum(&run), 150_000 * i64::try_from(count).unwrap(), "the rest stays cash");
        assert!(run.binding.iter().any(|limit| limit.contains("at most 15.0 %")), "{:?}", run.binding);
    }
}

#[test]
fn nothing_is_decided_before_the_account_and_its_value_are_known() {
    let mut world = World::silent(8);
    world.say(universe(8));
    (1..=8).for_each(|number| world.say(score(number, Some(0.7), start())));
    world.pass(SECOND);
    assert!(world.runs().is_empty() && world.decision().contains("not known yet"), "{}", world.decision());
    world.say(PortfolioState { nav: None, ..account(&[]) });
    world.pass(SECOND);
    assert!(world.runs().is_empty() && world.decision().contains("valued"), "{}", world.decision());
    world.say(account(&[]));
    world.pass(SECOND);
    assert_eq!(world.runs().len(), 1);
}

#[test]
fn without_a_market_store_it_says_so_and_tries_again() {
    let mut world = World::bare("");
    world.say_all(&[0.7; 8]);
    world.pass(SECOND);
    assert!(world.runs().is_empty() && world.decision().contains("market"), "{}", world.decision());
    (1..=8).for_each(|number| world.store(number, 600));
    world.pass(2 * MINUTE);
    assert_eq!((world.runs().len(), world.reads), (1, 2));
}

#[test]
fn a_holding_without_history_keeps_its_share_and_says_why() {
    let mut world = World::silent(8);
    world.store(9, 30);
    world.say(quote(9, start()));
    world.say(account(&[(9, Some(eur(1_200)))]));
    world.say(universe(9));
    (1..=9).for_each(|number| world.say(score(number, Some(0.7), start())));
    world.pass(SECOND);
    let kept = world.weight(9).unwrap();
    assert_eq!((kept.weight_e6.e6(), kept.current_e6.e6()), (120_000, 120_000));
    assert!(kept.reason.contains("kept") && kept.reason.contains("short history"), "{}", kept.reason);
    assert_eq!(sum(&world.run()), INVESTED_E6, "the others share what is left");
}

#[test]
fn a_holding_of_which_nothing_is_known_is_never_sold() {
    for change in ["gone", "idle", "no score"] {
        let mut world = World::silent(9);
        let mut universe = universe(9);
        match change {
            "gone" => drop(universe.securities.pop()),
            "idle" => universe.securities[8].active = false,
            _ => {}
        }
        world.say(account(&[(9, Some(eur(1_200)))]));
        world.say(universe);
        (1..=8).for_each(|number| world.say(score(number, Some(0.7), start())));
        world.pass(SECOND);
        assert_eq!(world.weight(9).unwrap().weight_e6.e6(), 120_000, "{change}");
    }
}

#[test]
fn permissions_hold_to_the_last_millionth() {
    let mut world = World::silent(9);
    let mut universe = universe(9);
    (universe.securities[0].allow_buy, universe.securities[0].allow_sell) = (false, false);
    universe.securities[1].allow_buy = false;
    universe.securities[2].allow_sell = false;
    world.say(universe);
    (1..=9).for_each(|number| world.say(score(number, Some(0.6), start())));
    world.say(account(&[(1, Some(eur(2_345))), (3, Some(eur(1_111)))]));
    world.pass(SECOND);
    assert_eq!(world.weight(1).unwrap().weight_e6.e6(), 234_500);
    let forbidden = world.weight(2).unwrap();
    assert_eq!(forbidden.weight_e6.e6(), 0, "what must not be bought gets nothing new");
    assert!(forbidden.reason.ends_with("may not be bought"), "{}", forbidden.reason);
    assert!(world.weight(3).unwrap().weight_e6.e6() >= 111_100);
}

#[test]
fn contradictory_groups_give_way_and_are_named() {
    let groups = "[[country_groups]]\nname = \"A\"\nmembers = [\"DE\"]\ntarget = 0.6\n[[country_groups]]\nname = \"B\"\nmembers = [\"US\"]\ntarget = 0.4\n";
    let text = format!(
        "country_cap = 0.6\n{}",
        groups.replace("[[country_groups]]", "[[stage.optimise.country_groups]]")
    );
    let mut world = World::bare(&text);
    (1..=8).for_each(|number| world.store(number, 600));
    world.say_all(&[0.7; 8]);
    world.pass(SECOND);
    let run = world.run();
    assert_eq!(run.status, TargetStatus::Degraded, "{run:?}");
    assert_ne!(run.level, "full");
    assert!(run.clash.iter().any(|limit| limit.contains("country A at least 50.0 %")), "{:?}", run.clash);
    assert!(!run.relaxed.is_empty());
}

#[test]
fn caps_that_cannot_be_kept_are_a_trouble_until_they_can() {
    let mut world = World::silent(8);
    let mut fixed = universe(8);
    fixed.securities[0].allow_sell = false;
    world.say(fixed);
    (1..=8).for_each(|number| world.say(score(number, Some(0.7), start())));
    world.say(account(&[(1, Some(eur(6_000)))]));
    world.pass(SECOND);
    assert_eq!(world.run().level, "caps_widened");
    assert!(
        world.is_degraded() && world.decision().contains("country US at most 35.0 %"),
        "{}",
        world.decision()
    );
    world.say(universe(8));
    world.pass(11 * MINUTE);
    assert_eq!(world.run().level, "full");
    assert!(!world.is_degraded(), "{}", world.decision());
}

#[test]
fn a_run_without_an_answer_is_not_repeated_at_every_message() {
    let mut world = World::bare("");
    (1..=8).for_each(|number| world.store(number, 50));
    world.say_all(&[0.7; 8]);
    world.pass(SECOND);
    assert!(world.decision().contains("fewer than two securities can be compared"), "{}", world.decision());
    let tried = world.now;
    world.say(score(1, Some(0.6), world.now));
    let next = world.engine.wake_at().unwrap();
    assert!((9 * MINUTE..=10 * MINUTE).contains(&next.since(tried)), "{next}");
}

#[test]
fn a_score_that_missed_three_sessions_is_not_bought_on() {
    // Monday morning: Thursday and Friday have ended since Wednesday, one more since Tuesday.
    for (until, bought) in [("2026-02-25", true), ("2026-02-24", false)] {
        let mut world = World::silent(8);
        world.say(universe(8));
        (2..=8).for_each(|number| world.say(score(number, Some(0.7), start())));
        let bars_until = until.parse().ok();
        world.say(contracts::SecurityScore { bars_until, ..score(1, Some(0.7), start()) });
        world.say(account(&[]));
        world.pass(SECOND);
        assert_eq!(world.weight(1).unwrap().weight_e6.e6() > 0, bought, "{until}");
        let said = world.run().warnings.iter().any(|said| said.contains("is not bought"));
        assert_eq!(said, !bought, "{:?}", world.run().warnings);
    }
}

#[test]
fn a_market_that_is_not_to_be_looked_at_damps_nothing() {
    let expected = |detection: bool, score_of_market: Option<f64>| {
        let mut world = World::silent(8);
        let values = [("market_regime_detection_enabled".to_string(), detection.into())].into();
        world.say(contracts::SettingsSnapshot { revision: 1, values });
        let score = score_of_market.and_then(contracts::Finite::new);
        world.say(contracts::Regime { score, ..contracts::Regime::sample() });
        world.say_all(&[0.7; 8]);
        world.pass(SECOND);
        world.weight(8).unwrap().expected_return.unwrap().get()
    };
    let calm = expected(true, None);
    assert!(expected(true, Some(-1.0)) < calm);
    assert!((expected(false, Some(-1.0)) - calm).abs() < 1e-12);
}

#[test]
fn scores_that_move_within_a_day_change_nothing_and_the_next_day_they_do() {
    let mut world = World::of(&[0.7; 8]);
    world.said.clear();
    world.say(score(1, Some(0.05), world.now));
    world.pass(2 * 60 * MINUTE);
    assert!(world.said.is_empty(), "one run a day");
    world.pass(DAY);
    let today = world.now;
    (1..=8).for_each(|number| world.say(quote(number, today)));
    (1..=8).for_each(|number| world.say(score(number, Some(0.7), today)));
    world.say(score(1, Some(0.05), today));
    world.pass(SECOND);
    assert_eq!(world.reads, 2, "the bars are read once a day");
}

#[test]
fn the_run_of_a_day_comes_after_its_first_score() {
    let mut world = World::of(&[0.7; 8]);
    world.pass(DAY);
    let today = world.now;
    (1..=8).for_each(|number| world.say(quote(number, today)));
    world.say(contracts::Regime::sample());
    world.pass(60 * MINUTE);
    assert_eq!(world.reads, 1, "prices and market of the day ask for no run");
    world.say(score(1, Some(0.7), world.now));
    world.pass(SECOND);
    assert_eq!(world.reads, 2);
}

#[test]
fn a_fill_asks_for_another_run_but_never_within_ten_minutes() {
    let mut world = World::of(&[0.7; 8]);
    let reads = world.reads;
    world.said.clear();
    world.say(account(&[(1, Some(eur(4_000)))]));
    world.pass(9 * MINUTE);
    assert!(world.said.is_empty());
    world.pass(2 * MINUTE);
    assert_eq!(world.reads, reads, "the bars of today are still there");
    assert!(world.decision().contains("targets"), "{}", world.decision());
}

#[test]
fn an_account_that_grows_old_and_is_read_again_asks_for_no_run() {
    let mut world = World::of(&[0.7; 8]);
    let decided = world.decision();
    for _ in 0..4 {
        world.say(PortfolioState { stale: true, ..account(&[]) });
        world.pass(15 * MINUTE);
        world.say(account(&[]));
        world.pass(15 * MINUTE);
    }
    assert_eq!(world.decision(), decided, "nothing was decided again");
}

#[test]
fn a_run_that_waited_for_the_account_comes_when_it_is_read() {
    let mut world = World::of(&[0.7; 8]);
    world.say(PortfolioState { stale: true, ..account(&[(1, Some(eur(4_000)))]) });
    world.pass(30 * MINUTE);
    assert!(world.decision().starts_with("No targets"), "{}", world.decision());
    world.say(account(&[(1, Some(eur(4_000)))]));
    world.pass(30 * MINUTE);
    assert!(
        world.decision().contains("targets by") || world.decision().contains("stay"),
        "{}",
        world.decision()
    );
}

#[test]
fn a_score_of_old_bars_is_no_score() {
    for (age, expected) in [(7, 1), (8, 0)] {
        let mut world = World::silent(8);
        world.say(universe(8));
        (1..=8).for_each(|number| world.say(score(number, Some(0.7), start())));
        world.pass(age * DAY);
        (1..=8).for_each(|number| world.say(quote(number, world.now)));
        world.said.clear();
        world.say(account(&[]));
        world.pass(SECOND);
        assert_eq!(world.runs().len(), expected, "{age} days: {}", world.decision());
    }
}

#[test]
fn a_restart_repeats_nothing_and_remembers_what_was_said() {
    let mut world = World::of(&[0.7; 8]);
    let runs = world.count("SELECT count(*) FROM optimiser_run");
    world.restart();
    world.say_all(&[0.7; 8]);
    world.pass(20 * MINUTE);
    assert!(world.said.is_empty());
    assert_eq!(world.count("SELECT count(*) FROM optimiser_run"), runs);
    assert!(world.decision().contains("stay"), "{}", world.decision());
}

#[test]
fn targets_of_a_week_are_said_anew() {
    let mut world = World::of(&[0.7; 8]);
    world.said.clear();
    for (day, expected) in [(6, 0), (7, 1)] {
        let then = start().saturating_plus_ms(day * DAY + MINUTE);
        world.pass(then.since(world.now));
        (1..=8).for_each(|number| world.say(quote(number, then)));
        (1..=8).for_each(|number| world.say(score(number, Some(0.7), then)));
        world.pass(SECOND);
        assert_eq!(world.runs().len(), expected, "day {day}: {}", world.decision());
    }
}

#[test]
fn the_order_of_messages_does_not_matter() {
    let scores = [0.61, 0.65, 0.7, 0.75, 0.8, 0.66, 0.62, 0.9];
    let forward = World::of(&scores);
    let mut backward = World::silent(8);
    backward.say(account(&[]));
    for number in (1..=8_u32).rev() {
        backward.say(score(number, Some(scores[usize::try_from(number - 1).unwrap()]), start()));
    }
    let mut reversed = universe(8);
    reversed.securities.reverse();
    backward.say(reversed);
    backward.pass(SECOND);
    assert_eq!(forward.run().weights, backward.run().weights);
    assert_eq!(forward.run().snapshot, backward.run().snapshot);
}

#[test]
fn a_reserve_larger_than_the_core_invests_nothing_and_is_no_error() {
    let mut world = World::silent(8);
    world.say(universe(8));
    (1..=8).for_each(|number| world.say(score(number, Some(0.7), start())));
    world.say(PortfolioState { nav: Some(eur(300)), ..account(&[]) });
    world.pass(SECOND);
    assert_eq!(sum(&world.run()), 0);
}

/// Prices of all but the first, and scores, of this moment.
fn the_day_goes_on(world: &mut World) {
    let now = world.now;
    (2..=8).for_each(|number| world.say(quote(number, now)));
    (1..=8).for_each(|number| world.say(score(number, Some(0.7), now)));
}

fn run_at(world: &mut World, then: &str) -> contracts::Reply {
    let then: Timestamp = then.parse().unwrap();
    world.pass(then.since(world.now));
    the_day_goes_on(world);
    world.say(OptimiseNow::sample());
    world.pass(SECOND);
    world.reply()
}

#[test]
fn a_price_of_what_is_held_may_be_two_trading_days_old_and_then_the_targets_stay() {
    let mut world = World::of(&[0.7; 8]);
    let (runs, failed) = (
        "SELECT count(*) FROM api_run WHERE status <> 'failed'",
        "SELECT count(*) FROM api_run WHERE method = 'stale'",
    );
    world.say(account(&[(1, Some(eur(1_500)))]));
    // The venue of the only price of the first opened last on Monday, the second of March, when that price was made.
    let reply = run_at(&mut world, "2026-03-05T07:59:58Z");
    assert_eq!(reply.outcome, Outcome::Done, "{}", reply.text);
    assert!(!world.is_degraded(), "{}", world.decision());
    let before = world.count(runs);
    let reply = run_at(&mut world, "2026-03-05T08:00:00Z");
    assert_eq!((reply.outcome, reply.code.as_deref()), (Outcome::Failed, Some("stale")), "{}", reply.text);
    assert!(reply.text.contains(isin(1).as_str()) && reply.text.contains("2026-03-02"), "{}", reply.text);
    assert!(world.is_degraded() && world.decision().contains("the old ones stand"), "{}", world.decision());
    assert_eq!((world.count(runs), world.count(failed)), (before, 1));
    // Nobody has to ask again: the price comes, and so do targets.
    world.say(quote(1, world.now));
    world.pass(11 * MINUTE);
    assert!(!world.is_degraded() && world.decision().contains("argets"), "{}", world.decision());
    assert_eq!(world.count(failed), 1);
}

#[test]
fn a_holding_that_is_not_watched_any_more_stops_no_targets() {
    let mut world = World::of(&[0.7; 8]);
    let mut watched = universe(8);
    watched.securities[0].active = false;
    world.say(watched);
    world.say(account(&[(1, Some(eur(1_500)))]));
    let reply = run_at(&mut world, "2026-03-05T08:00:00Z");
    assert_eq!(reply.outcome, Outcome::Done, "{}", reply.text);
    assert!(!world.is_degraded(), "{}", world.decision());
}

#[test]
fn a_weekend_makes_no_price_old() {
    let mut world = World::of(&[0.7; 8]);
    let friday = "2026-03-06T16:00:00Z".parse::<Timestamp>().unwrap();
    world.pass(friday.since(world.now));
    world.say(quote(1, friday));
    world.say(account(&[(1, Some(eur(1_500)))]));
    for then in
        ["2026-03-07T12:00:00Z", "2026-03-08T23:00:00Z", "2026-03-09T07:00:00Z", "2026-03-10T20:00:00Z"]
    {
        assert_eq!(run_at(&mut world, then).outcome, Outcome::Done, "{then}: {}", world.decision());
        assert!(!world.is_degraded(), "{then}: {}", world.decision());
    }
    assert_eq!(run_at(&mut world, "2026-03-11T09:00:00Z").outcome, Outcome::Failed);
}

#[test]
fn a_price_that_nobody_believes_makes_no_price_newer() {
    let mut world = World::of(&[0.7; 8]);
    world.say(account(&[(1, Some(eur(1_500)))]));
    let then = "2026-03-05T09:00:00Z".parse().unwrap();
    world.say(contracts::Quote { suspect: true, ..quote(1, then) });
    assert_eq!(run_at(&mut world, "2026-03-05T09:00:00Z").outcome, Outcome::Failed);
}

#[test]
fn what_is_not_held_and_has_an_old_price_has_no_say() {
    let mut world = World::of(&[0.7; 8]);
    world.say(account(&[(2, Some(eur(1_000)))]));
    assert_eq!(run_at(&mut world, "2026-03-05T09:00:00Z").outcome, Outcome::Done, "{}", world.decision());
    let run = world.run();
    let excluded = run.excluded.iter().find(|one| one.isin == isin(1)).unwrap();
    assert!(excluded.reason.contains("2 trading days"), "{}", excluded.reason);
    assert!(run.weights.iter().all(|weight| weight.isin != isin(1)));
}

#[test]
fn a_rate_of_what_is_held_may_be_a_day_old_and_then_the_targets_stay() {
    let made: Timestamp = "2026-03-03T16:00:00Z".parse().unwrap();
    for (now, outcome) in
        [("2026-03-04T15:59:58Z", Outcome::Done), ("2026-03-04T16:00:00.001Z", Outcome::Failed)]
    {
        let mut world = World::of(&[0.7; 8]);
        let usd: Currency = "USD".parse().unwrap();
        let rate = FxRate { as_of: made, ..FxRates::sample().rates[&usd].clone() };
        world.say(FxRates { rates: [(usd, rate)].into(), at: made });
        let mut state = account(&[(1, Some(eur(1_500)))]);
        state.positions[0].ccy = usd;
        world.say(state);
        let reply = run_at(&mut world, now);
        assert_eq!(reply.outcome, outcome, "{now}: {}", reply.text);
        assert_eq!(world.is_degraded(), outcome == Outcome::Failed, "{now}: {}", world.decision());
        assert!(outcome == Outcome::Done || reply.text.contains("USD"), "{}", reply.text);
    }
}

#[test]
fn a_week_without_an_answer_is_a_trouble_until_there_is_one() {
    let mut world = World::of(&[0.7; 8]);
    let said = world.run().at;
    world.pass(said.saturating_plus_ms(7 * DAY).since(world.now));
    assert!(!world.is_degraded(), "seven days to the millisecond: {}", world.decision());
    world.pass(1);
    assert!(
        world.is_degraded() && world.decision().contains("older than seven days"),
        "{}",
        world.decision()
    );
    world.say(quote(1, world.now));
    let now = world.now.to_string();
    assert_eq!(run_at(&mut world, &now).outcome, Outcome::Done);
    assert!(!world.is_degraded(), "{}", world.decision());
    // What is still right was looked at, and is not old.
    world.pass(6 * DAY);
    world.say(quote(1, world.now));
    let now = world.now.to_string();
    assert!(run_at(&mut world, &now).text.contains("stay"));
    world.pass(2 * DAY);
    assert!(!world.is_degraded(), "{}", world.decision());
}

#[test]
fn old_targets_are_a_trouble_after_a_restart_too() {
    let mut world = World::of(&[0.7; 8]);
    world.pass(8 * DAY);
    world.restart();
    assert!(!world.is_degraded());
    world.pass(1);
    assert!(world.is_degraded() && world.decision().contains("2026-03-02"), "{}", world.decision());
}
