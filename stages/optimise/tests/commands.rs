//! What the owner asks of the optimiser: runs, groups, targets, settings and preferences; each with an answer.

#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;

use contracts::{
    Finite, Flow, FlowKind, GroupDelete, GroupKind, GroupPut, Id, OptimiseNow, Outcome, Sample,
    SettingsSnapshot, TargetsPut,
};
use money::Weight;
use support::*;

const EIGHT: [f64; 8] = [0.61, 0.62, 0.63, 0.64, 0.65, 0.66, 0.67, 0.68];

fn wish(targets: &[(&str, i64)]) -> TargetsPut {
    let targets = targets.iter().map(|(name, e6)| ((*name).to_string(), Weight::from_e6(*e6).unwrap()));
    TargetsPut { targets: targets.collect(), ..TargetsPut::sample() }
}

fn set(revision: u64, values: &[(&str, serde_json::Value)]) -> SettingsSnapshot {
    let values = values.iter().map(|(name, value)| ((*name).to_string(), value.clone()));
    SettingsSnapshot { revision, values: values.collect::<BTreeMap<_, _>>() }
}

fn group(world: &World, name: &str) -> Option<contracts::TargetGroup> {
    world.run().groups.into_iter().find(|group| group.name == name)
}

#[test]
fn whoever_asks_for_a_run_gets_one_at_once_and_an_answer() {
    let mut world = World::of(&EIGHT);
    assert_eq!(world.runs().len(), 1);
    world.say(OptimiseNow::sample());
    let reply = world.reply();
    assert_eq!(reply.outcome, Outcome::Done);
    assert!(reply.text.contains("stay"), "nothing has changed within the ten minutes: {}", reply.text);
    assert_eq!(world.runs().len(), 1);
}

#[test]
fn a_run_that_cannot_be_made_is_refused_with_the_reason() {
    let mut world = World::bare("");
    world.say(OptimiseNow::sample());
    let reply = world.reply();
    assert_eq!((reply.outcome, reply.code.as_deref()), (Outcome::Refused, Some("not_ready")));
    assert!(reply.text.contains("universe"), "{}", reply.text);
    world.say_all(&EIGHT);
    world.say(OptimiseNow::sample());
    world.pass(SECOND);
    let reply = world.reply();
    assert_eq!((reply.outcome, reply.code.as_deref()), (Outcome::Failed, Some("bars")), "{}", reply.text);
}

#[test]
fn a_target_of_a_group_is_followed_kept_and_said() {
    let mut world = World::of(&EIGHT);
    assert_eq!(group(&world, "EU").unwrap().target_e6, None);
    world.say(wish(&[("EU", 250_000), ("OTHER", 100_000)]));
    assert_eq!(world.reply().outcome, Outcome::Done, "{:?}", world.reply());
    world.pass(11 * MINUTE);
    let eu = group(&world, "EU").unwrap();
    assert_eq!(eu.target_e6.map(Weight::e6), Some(250_000));
    assert!(eu.value_e6.e6() >= 150_000 - 1 && eu.value_e6.e6() <= 350_000 + 1, "{eu:?}");
    assert_eq!(group(&world, "OTHER").unwrap().target_e6.map(Weight::e6), Some(100_000));
    world.restart();
    world.say_all(&EIGHT);
    world.say(OptimiseNow::sample());
    world.pass(SECOND);
    assert_eq!(world.count("SELECT count(*) FROM api_group_table WHERE target IS NOT NULL"), 19 + 1);
    assert!(world.reply().text.contains("stay"), "the same groups after a restart: {}", world.reply().text);
}

#[test]
fn new_groups_are_said_even_if_no_weight_moves() {
    let mut world = World::of(&EIGHT);
    let before = world.run();
    world.say(GroupDelete { name: "ASIA".into(), ..GroupDelete::sample() });
    world.say(GroupPut { name: "FAR EAST".into(), members: vec!["JP".into()], ..GroupPut::sample() });
    world.pass(11 * MINUTE);
    assert_eq!(world.runs().len(), 2);
    assert!(group(&world, "ASIA").is_none() && group(&world, "FAR EAST").is_some());
    assert_eq!(world.run().weights.len(), before.weights.len());
}

#[test]
fn what_is_refused_names_the_rule_and_changes_nothing() {
    let mut world = World::of(&EIGHT);
    for (code, reply) in [
        ("unknown_group", {
            world.say(wish(&[("MOON", 100_000)]));
            world.reply()
        }),
        ("member_elsewhere", {
            world.say(GroupPut { name: "NORTH".into(), members: vec!["SE".into()], ..GroupPut::sample() });
            world.reply()
        }),
        ("unknown_group", {
            world.say(GroupDelete { kind: GroupKind::Industry, ..GroupDelete::sample() });
            world.reply()
        }),
    ] {
        assert_eq!((reply.outcome, reply.code.as_deref()), (Outcome::Refused, Some(code)), "{}", reply.text);
    }
    assert_eq!(world.count("SELECT count(*) FROM api_group_table"), 0);
    world.pass(11 * MINUTE);
    assert_eq!(world.runs().len(), 1, "nothing to run for");
}

#[test]
fn what_the_owner_sets_takes_effect_and_nonsense_is_said() {
    let mut world = World::of(&EIGHT);
    world.say(set(1, &[("min_cash_reserve", 2_000.into()), ("optimizer_blend", 1.0.into())]));
    world.pass(11 * MINUTE);
    let run = world.run();
    assert_eq!((sum(&run), run.blend), (800_000, Finite::new(1.0).unwrap()));
    let both = [("min_cash_reserve", 2_000.into()), ("market_regime_bear_cash_reserve", 0.01.into())];
    world.say(set(2, &both));
    assert!(world.decision().contains("bear_cash_reserve"), "{}", world.decision());
    world.pass(11 * MINUTE);
    assert_eq!(sum(&world.run()), 800_000, "what was set before it stands");
    world.say(set(3, &[]));
    assert!(!world.decision().contains("bear_cash_reserve"), "{}", world.decision());
}

#[test]
fn nonsense_in_one_setting_leaves_the_others_in_force_and_is_said_until_it_is_over() {
    let mut world = World::of(&EIGHT);
    world.say(set(
        1,
        &[("market_regime_bear_cash_reserve", 0.01.into()), ("risk.max_position_pct", 0.08.into())],
    ));
    world.pass(11 * MINUTE);
    let run = world.run();
    assert!(
        run.weights.iter().all(|one| one.upper_e6.e6() <= 80_000),
        "a tighter limit is followed: {run:?}"
    );
    world.pass(DAY);
    let reads = world.reads;
    (1..=8).for_each(|number| world.say(score(number, Some(0.7), world.now)));
    world.pass(MINUTE);
    assert!(world.reads > reads, "bars of another day were read");
    assert!(world.decision().contains("bear_cash_reserve"), "{}", world.decision());
    world.say(set(2, &[("risk.max_position_pct", 0.08.into())]));
    assert!(!world.decision().contains("bear_cash_reserve"), "{}", world.decision());
}

fn wakes_today(world: &World) -> bool {
    world.engine.wake_at().is_some_and(|then| then < world.now.saturating_plus_ms(DAY))
}

#[test]
fn a_deposit_asks_for_a_run_once() {
    let mut world = World::of(&EIGHT);
    let before = world.reads;
    let deposit = Flow { kind: FlowKind::Deposit, ..Flow::sample() };
    world.say(deposit.clone());
    assert!(wakes_today(&world));
    world.pass(11 * MINUTE);
    world.say(deposit);
    world.say(Flow { kind: FlowKind::Dividend, id: Id::derive(world.now, &["other"]), ..Flow::sample() });
    assert!(!wakes_today(&world), "heard before, and income of a holding");
    assert_eq!(world.reads, before, "today's bars are there already");
}

#[test]
fn what_the_owner_wants_of_a_security_reaches_its_bounds_and_its_expectation() {
    let mut world = World::silent(8);
    let mut universe = universe(8);
    universe.securities[0].min_weight_e6 = Some(Weight::from_e6(80_000).unwrap());
    universe.securities[1].marked_for_exit = true;
    universe.securities[2].priority_multiplier = Finite::new(2.0);
    world.say(universe);
    (1..=8).for_each(|number| world.say(score(number, Some(0.7), start())));
    world.say(account(&[(2, Some(eur(1_000)))]));
    world.pass(SECOND);
    let wanted = world.weight(1).unwrap();
    assert!(wanted.lower_e6.e6() == 80_000 && wanted.weight_e6.e6() >= 80_000, "{wanted:?}");
    let leaving = world.weight(2).unwrap();
    assert_eq!((leaving.upper_e6.e6(), leaving.weight_e6.e6()), (0, 0), "{leaving:?}");
    let favoured = world.weight(3).and_then(|weight| weight.expected_return).unwrap().get();
    let mut plain = World::of(&[0.7; 8]);
    plain.pass(SECOND);
    let same = plain.weight(3).and_then(|weight| weight.expected_return).unwrap().get();
    assert!((favoured - same - 0.02).abs() < 1e-9, "{favoured} {same}");
}
