//! Planner configurations by command: stored whole or not at all, in force at once, and never lost.
#![allow(clippy::unwrap_used)]

mod support;

use contracts::{
    ConfigApply, ConfigCreate, ConfigDelete, ConfigRestore, ConfigUpdate, ConfigValidate, Outcome,
    PlanContext, Reply, Sample,
};
use support::*;

const CAREFUL: &str = "[planner]\nmax_depth = 1\n";

fn reply(world: &World) -> Reply {
    world.all::<Reply>().pop().flatten().unwrap()
}

fn create(name: &str, toml: &str, bucket: Option<&str>) -> ConfigCreate {
    ConfigCreate {
        name: name.into(),
        toml: toml.into(),
        bucket_id: bucket.map(str::to_string),
        ..ConfigCreate::sample()
    }
}

fn apply(config: Option<&str>, toml: Option<&str>) -> ConfigApply {
    ConfigApply {
        bucket_id: "core".into(),
        config: config.map(str::to_string),
        toml: toml.map(str::to_string),
        ..ConfigApply::sample()
    }
}

fn contexts(world: &World) -> Vec<PlanContext> {
    world.all::<PlanContext>().into_iter().flatten().collect()
}

#[test]
fn without_a_configuration_the_default_is_in_force() {
    let mut world = World::ready();
    world.pass(SECOND);
    assert_eq!((world.plan().config.name.as_str(), world.plan().config.hash.as_str()), ("default", ""));
}

#[test]
fn one_for_the_core_takes_effect_at_once_and_is_named_in_the_plan() {
    let mut world = World::ready();
    world.pass(SECOND);
    assert_eq!(world.plan().evaluated, 7);
    world.say(create("careful", CAREFUL, Some("core")));
    assert_eq!(reply(&world).outcome, Outcome::Done, "{}", reply(&world).text);
    world.pass(SECOND);
    let plan = world.plan();
    // Three candidates, one action each.
    assert_eq!((plan.evaluated, plan.config.name.as_str()), (3, "careful"));
    assert_eq!(plan.config.hash.len(), 16);
    let contexts = contexts(&world);
    assert_ne!(contexts[0].config_hash, contexts[1].config_hash);
    assert!(plan.cause.contains("configuration"), "{}", plan.cause);
}

#[test]
fn a_restart_keeps_what_is_in_force() {
    let mut world = World::ready();
    world.say(create("careful", CAREFUL, Some("core")));
    world.restart();
    world.say_all();
    world.pass(SECOND);
    assert_eq!((world.plan().evaluated, world.plan().config.name.as_str()), (3, "careful"));
}

#[test]
fn a_wrong_document_changes_nothing_and_is_answered_with_its_lines() {
    let mut world = World::ready();
    world.say(create("careful", "[planner]\nmax_depth = 0\nwild = 1\n", Some("core")));
    let answer = reply(&world);
    assert_eq!((answer.outcome, answer.code.as_deref()), (Outcome::Refused, Some("invalid_config")));
    assert_eq!(answer.data["errors"].as_array().unwrap().len(), 2);
    assert_eq!(answer.data["errors"][0]["line"], 3);
    assert!(answer.text.contains("line 3"), "{}", answer.text);
    let stored: i64 =
        world.rows().query_row("SELECT count(*) FROM api_planner_config", [], |row| row.get(0)).unwrap();
    assert_eq!(stored, 0);
    world.pass(SECOND);
    assert_eq!(world.plan().config.name, "default");
}

#[test]
fn names_are_plain_and_taken_once() {
    let mut world = World::ready();
    world.say(create("own", CAREFUL, None));
    for (name, code) in
        [("own", "name_taken"), ("default", "name_taken"), ("Own", "bad_name"), ("", "bad_name")]
    {
        world.say(create(name, CAREFUL, None));
        assert_eq!(reply(&world).code.as_deref(), Some(code), "{name}");
    }
}

#[test]
fn every_change_is_a_version_and_an_old_one_can_come_back() {
    let mut world = World::ready();
    world.say(create("own", CAREFUL, Some("core")));
    let update = ConfigUpdate {
        config: "own".into(),
        toml: Some("[planner]\nmax_depth = 2\n".into()),
        ..ConfigUpdate::sample()
    };
    world.say(update.clone());
    assert_eq!(reply(&world).data["version"], 2);
    // The same document again is no new version.
    world.say(update);
    assert_eq!(reply(&world).data["version"], 2);
    world.say(ConfigRestore { config: "own".into(), version: 1, ..ConfigRestore::sample() });
    assert_eq!(reply(&world).data["version"], 3);
    world.restart();
    world.say_all();
    world.pass(SECOND);
    assert_eq!(world.plan().evaluated, 3, "version 1 tries single actions");
    let notes: Vec<String> = {
        let rows = world.rows();
        let mut query = rows.prepare("SELECT note FROM api_planner_config_version ORDER BY version").unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(notes.len(), 3);
    assert_eq!(notes[2], "Version 1 again.");
    world.say(ConfigRestore { config: "own".into(), version: 9, ..ConfigRestore::sample() });
    assert_eq!(reply(&world).code.as_deref(), Some("unknown_version"));
}

#[test]
fn none_is_put_in_force_for_a_bucket_that_is_not_planned() {
    let mut world = World::ready();
    world.say(create("own", CAREFUL, Some("core")));
    world.pass(SECOND);
    let update =
        ConfigUpdate { config: "own".into(), bucket_id: Some("growth".into()), ..ConfigUpdate::sample() };
    world.say(ConfigUpdate { toml: None, name: None, ..update });
    let said = reply(&world);
    assert_eq!((said.outcome, said.code.as_deref()), (Outcome::Refused, Some("bucket_not_planned")));
    assert!(said.text.contains("`growth` is not planned, only core is"), "{}", said.text);
    world.say(ConfigApply { bucket_id: "growth".into(), ..apply(Some("conservative"), None) });
    assert_eq!(reply(&world).code.as_deref(), Some("bucket_not_planned"));
    world.say(create("other", CAREFUL, Some("growth")));
    assert_eq!(reply(&world).code.as_deref(), Some("bucket_not_planned"));
    world.pass(SECOND);
    assert_eq!(world.plan().config.name, "own");
}

#[test]
fn what_moves_like_most_of_what_is_held_is_not_bought_where_that_is_asked_for() {
    let apart = "[filters.correlation_aware]\nenabled = true\ncorrelation_threshold = 0.7\n";
    for (correlation, toml, code) in
        [(0.71, apart, "alike"), (0.7, apart, ""), (0.9, "", ""), (-0.9, apart, "")]
    {
        let mut world = World::silent();
        world.say(create("own", toml, Some("core")));
        world.say_all();
        let alike = vec![contracts::Alike { first: b(), second: a(), correlation: number(correlation) }];
        world.say(contracts::TargetWeights { alike, ..targets(world.now) });
        world.pass(SECOND);
        assert_eq!(world.left_out(b()), code, "{correlation}");
    }
}

#[test]
fn only_one_is_in_force_for_a_bucket() {
    let mut world = World::ready();
    world.say(create("first", CAREFUL, Some("core")));
    world.say(create("second", "[planner]\nmax_depth = 2\n", Some("core")));
    world.pass(SECOND);
    assert_eq!(world.plan().config.name, "second");
    let buckets: Vec<Option<String>> = {
        let rows = world.rows();
        let mut query = rows.prepare("SELECT bucket_id FROM api_planner_config ORDER BY name").unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(buckets, [None, Some("core".into())]);
}

#[test]
fn a_built_in_one_is_applied_by_name_and_never_changed() {
    let mut world = World::ready();
    world.say(apply(Some("conservative"), None));
    assert_eq!(reply(&world).outcome, Outcome::Done, "{}", reply(&world).text);
    world.pass(SECOND);
    assert_eq!(world.plan().config.name, "core");
    // Weight gaps are off in it, and 0.75 is not good enough.
    assert!(world.plan().steps.is_empty());
    for name in ["default", "conservative"] {
        world.say(ConfigDelete { config: name.into(), ..ConfigDelete::sample() });
        assert_eq!(reply(&world).code.as_deref(), Some("read_only"));
    }
    world.say(apply(Some("nothing-like-it"), None));
    assert_eq!(reply(&world).code.as_deref(), Some("unknown_config"));
}

#[test]
fn a_document_can_be_applied_without_a_name() {
    let mut world = World::ready();
    world.say(apply(None, Some(CAREFUL)));
    assert_eq!(reply(&world).data["name"], "core");
    world.say(apply(None, Some("[planner]\nmax_depth = 2\n")));
    assert_eq!(reply(&world).data["version"], 2);
    world.say(apply(Some("default"), Some(CAREFUL)));
    assert_eq!(reply(&world).code.as_deref(), Some("bad_request"));
}

#[test]
fn removing_the_one_in_force_gives_the_default_back() {
    let mut world = World::ready();
    world.say(create("own", CAREFUL, Some("core")));
    world.pass(SECOND);
    world.say(ConfigDelete { config: "own".into(), ..ConfigDelete::sample() });
    assert_eq!(reply(&world).outcome, Outcome::Done);
    world.pass(SECOND);
    assert_eq!((world.plan().config.name.as_str(), world.plan().evaluated), ("default", 7));
    world.restart();
    world.say_all();
    world.pass(SECOND);
    assert_eq!(world.plan().config.name, "default");
}

#[test]
fn validating_says_what_has_no_effect_and_stores_nothing() {
    let mut world = World::ready();
    let text = "[planner]\nmin_hold_days = 60\nbeam_width = 5\n";
    let ask = ConfigValidate { toml: Some(text.into()), config: None, ..ConfigValidate::sample() };
    world.say(ask.clone());
    let answer = reply(&world);
    assert_eq!(answer.outcome, Outcome::Done);
    let warnings = answer.data["warnings"].as_array().unwrap().clone();
    let codes: Vec<_> = warnings.iter().map(|one| (one["code"].clone(), one["line"].clone())).collect();
    assert_eq!(codes, [("not_built".into(), 3.into()), ("no_effect".into(), 2.into())]);
    world.say(ConfigValidate { toml: None, config: Some("aggressive".into()), ..ask.clone() });
    assert!(reply(&world).data["toml"].as_str().unwrap().contains("max_depth = 7"));
    world.say(ConfigValidate { toml: None, config: None, ..ask });
    assert_eq!(reply(&world).code.as_deref(), Some("bad_request"));
}

#[test]
fn no_purchases_means_no_purchases() {
    let mut world = World::ready();
    world.say(apply(None, Some("[planner]\nallow_buy = false\n")));
    world.pass(SECOND);
    assert!(world.plan().steps.iter().all(|step| step.candidate.side == contracts::Side::Sell));
    assert_eq!(world.left_out(b()), "side_not_allowed");
}
