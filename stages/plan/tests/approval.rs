//! Orders that wait for a person: until he agrees, nothing is asked for.
#![allow(clippy::unwrap_used)]

mod support;

use contracts::{
    ApproveStep, Breaker, Cash, Outcome, PlanNow, PortfolioState, Quote, Reply, RiskState, Sample,
    SettingsSnapshot, Side, SkipStep,
};
use support::*;

fn require(world: &mut World, revision: u64, wanted: bool) {
    let values = [("plan.require_approval".to_string(), wanted.into())].into();
    world.say(SettingsSnapshot { revision, values });
}

/// A world that has a plan and waits.
fn waiting() -> World {
    let mut world = World::silent();
    require(&mut world, 1, true);
    world.say_all();
    world.pass(SECOND);
    assert_eq!(world.plan().steps.len(), 3);
    world
}

fn approve(world: &mut World, step: u16) -> Reply {
    let plan_id = world.plan().plan_id;
    world.say(ApproveStep { plan_id, step, ..ApproveStep::sample() });
    world.all::<Reply>().pop().flatten().unwrap()
}

#[test]
fn in_the_real_world_an_owner_who_was_not_heard_is_waited_for() {
    let mut world = World::of("live");
    world.say_all();
    world.live(20 * MINUTE);
    assert!(world.requests().is_empty(), "nobody knows whether approval is wanted");
    require(&mut world, 1, false);
    world.live(20 * MINUTE);
    assert!(!world.requests().is_empty(), "it is not");
}

#[test]
fn nothing_is_asked_for_until_a_person_approves_it() {
    let mut world = waiting();
    world.live(20 * MINUTE);
    assert!(world.requests().is_empty());
    let plan = world.plan();
    for step in &plan.steps {
        let wait = step.waits_for.clone().unwrap();
        assert!(wait.contains(&format!("steward plan approve {} {}", plan.plan_id, step.step)), "{wait}");
    }
    let reply = approve(&mut world, 1);
    assert_eq!(reply.outcome, Outcome::Done, "{}", reply.text);
    assert!(reply.text.contains("sell 50 RHNA.EU at 49.83 EUR"), "{}", reply.text);
    world.pass(SECOND);
    let asked = world.requests();
    assert_eq!((asked.len(), asked[0].isin, asked[0].side), (1, a(), Side::Sell));
}

#[test]
fn the_step_that_was_approved_is_asked_for_and_no_other() {
    let mut world = waiting();
    approve(&mut world, 2);
    world.pass(SECOND);
    let asked = world.requests();
    assert_eq!((asked.len(), asked[0].isin, asked[0].step), (1, b(), 2));
    assert!(world.waits_for().contains("A person must approve"), "{}", world.waits_for());
}

#[test]
fn an_approval_outlives_a_restart_and_a_plan_of_fresh_prices_but_not_its_day() {
    for (later, count) in [(10 * MINUTE, 1), (40 * MINUTE, 1), (25 * 60 * MINUTE, 0)] {
        let mut world = waiting();
        world.say(RiskState { breaker: Breaker::Halted, ..RiskState::sample() });
        approve(&mut world, 1);
        world.restart();
        // Nobody has said the settings again: they hold as they were.
        world.say_all();
        world.say(RiskState { breaker: Breaker::Halted, ..RiskState::sample() });
        world.live(later);
        assert!(world.requests().is_empty());
        world.say(RiskState { breaker: Breaker::Normal, ..RiskState::sample() });
        world.live(MINUTE);
        assert_eq!(world.requests().len(), count, "{later}");
    }
}

#[test]
fn an_approval_covers_no_other_price() {
    let mut world = waiting();
    world.say(RiskState { breaker: Breaker::Halted, ..RiskState::sample() });
    approve(&mut world, 1);
    let cheaper = |world: &World| Quote {
        price_e6: price(49_000_000),
        bid_e6: None,
        ask_e6: None,
        at: world.now,
        ..world.quote(a())
    };
    world.say(cheaper(&world));
    world.pass(MINUTE);
    world.say(RiskState { breaker: Breaker::Normal, ..RiskState::sample() });
    world.pass(MINUTE);
    assert!(world.requests().is_empty());
    assert!(world.waits_for().contains("A person must approve"), "{}", world.waits_for());
}

#[test]
fn a_replaced_plan_an_unknown_step_and_one_that_is_asked_for_are_refused() {
    let mut world = waiting();
    let plan_id = contracts::Id::derive(start(), &["another"]);
    world.say(ApproveStep { plan_id, ..ApproveStep::sample() });
    let code = |world: &World| world.all::<Reply>().pop().flatten().unwrap().code.unwrap();
    assert_eq!(code(&world), "plan_replaced");
    assert_eq!(approve(&mut world, 4).code.unwrap(), "no_such_step");
    approve(&mut world, 1);
    world.pass(SECOND);
    assert_eq!(approve(&mut world, 1).code.unwrap(), "already_asked");
    require(&mut world, 2, false);
    assert_eq!(approve(&mut world, 2).code.unwrap(), "not_needed");
}

#[test]
fn a_skipped_step_is_left_out_for_a_day() {
    let mut world = waiting();
    let plan_id = world.plan().plan_id;
    world.say(SkipStep { plan_id, step: 2, ..SkipStep::sample() });
    world.live(MINUTE);
    assert_eq!(world.left_out(b()), "skipped");
    assert_eq!(world.plan().steps.len(), 2);
    world.restart();
    world.say_all();
    world.say(PlanNow::sample());
    world.live(MINUTE);
    assert_eq!(world.left_out(b()), "skipped");
    world.live(DAY + 10 * MINUTE);
    assert_eq!(world.left_out(b()), "");
}

#[test]
fn switching_it_off_lets_the_plan_go_on() {
    let mut world = waiting();
    require(&mut world, 2, false);
    world.live(MINUTE);
    assert_eq!(world.requests().len(), 1);
}

#[test]
fn a_debt_is_only_told_while_orders_wait_for_a_person() {
    let mut world = waiting();
    world.gains.clear();
    world.say(RiskState { breaker: Breaker::Normal, ..RiskState::sample() });
    for _ in 0..3 {
        let cash = Cash { amount: eur(-500), ..state("s1").cash[0].clone() };
        let nav = Some(eur(4_500));
        world.say(PortfolioState { cash: vec![cash], at: world.now, nav, ..state("debt") });
        world.pass(MINUTE + SECOND);
    }
    assert!(world.requests().is_empty());
    assert!(world.trouble().unwrap().contains("require_approval"), "{:?}", world.trouble());
}
