//! The evaluator on its inputs: jobs that find their context, wait for it, or come too late.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;

use bus_client::{Config, Input, Out, Stage, Start};
use contracts::stage::evaluate::Input as Heard;
use contracts::{PlanContext, PlanJob, PlanResult, Received, Side, SubsetRange};
use evaluate::{Evaluate, Settings};
use market::Timestamp;
use support::{candidate, context, holding};

const E4: i64 = 10_000;
const NOW: Timestamp = Timestamp::from_ms(1_000_000);

fn stage(instance: &str) -> Evaluate {
    let config = Config::parse("environment = \"sim:1\"\ndir = \"x\"", Path::new("steward.toml")).unwrap();
    let start = Start {
        settings: Settings::default(),
        environment: config.environment.clone(),
        instance: instance.into(),
        config,
    };
    Evaluate::load(&start, None).unwrap()
}

fn a_context(id: &str) -> PlanContext {
    let held = vec![holding(0, 0, 0, 0.8), holding(1, 400 * E4, 1, 0.2)];
    let found = vec![candidate(0, Side::Buy, 300 * E4), candidate(1, Side::Sell, 200 * E4)];
    PlanContext { context_id: id.into(), ..context(600 * E4, 0, held, found) }
}

fn job(n: u64, context_id: &str) -> PlanJob {
    PlanJob {
        n,
        context_id: context_id.into(),
        bucket_id: "core".into(),
        attempt: 1,
        ranges: vec![],
        sequences: vec![vec![0], vec![1], vec![1, 0], vec![7]],
        keep: 2,
    }
}

fn give(stage: &mut Evaluate, heard: Heard, now: Timestamp) -> Vec<PlanResult> {
    let mut out = Out::new(None);
    stage.handle(Input::Heard(heard), now, &mut out);
    out.heard_about::<PlanResult>().into_iter().flatten().collect()
}

fn say_context(stage: &mut Evaluate, context: Option<PlanContext>) -> Vec<PlanResult> {
    give(stage, Heard::PlanContext(Received { key: "core".into(), meta: None, body: context }), NOW)
}

fn say_job(stage: &mut Evaluate, job: PlanJob) -> Vec<PlanResult> {
    give(stage, Heard::PlanJob(Received { key: job.n.to_string(), meta: None, body: Some(job) }), NOW)
}

fn tick(stage: &mut Evaluate, now: Timestamp) -> Vec<PlanResult> {
    let mut out = Out::new(None);
    stage.handle(Input::Tick, now, &mut out);
    out.heard_about::<PlanResult>().into_iter().flatten().collect()
}

#[test]
fn a_job_is_answered_with_its_best() {
    let mut stage = stage("evaluate-2");
    assert!(say_context(&mut stage, Some(a_context("a"))).is_empty());
    let results = say_job(&mut stage, job(5, "a"));
    assert_eq!(results.len(), 1);
    assert_eq!((results[0].n, results[0].worker.as_str()), (5, "evaluate-2"));
    assert_eq!(results[0].best.len(), 2);
    assert_eq!(results[0].best[0].actions, [1, 0]);
    assert_eq!((results[0].evaluated, results[0].infeasible.get("bad_index")), (3, Some(&1)));
    assert_eq!(stage.wake_at(), None);
}

#[test]
fn subsets_by_number_are_the_listed_sequences() {
    let mut stage = stage("evaluate");
    say_context(&mut stage, Some(a_context("a")));
    let listed = PlanJob { sequences: vec![vec![0], vec![1]], ..job(5, "a") };
    let numbered = |count| PlanJob {
        ranges: vec![SubsetRange { size: 1, first: 0, count }],
        sequences: Vec::new(),
        ..job(5, "a")
    };
    let expected = say_job(&mut stage, listed);
    assert_eq!(say_job(&mut stage, numbered(2)), expected);
    let beyond = say_job(&mut stage, numbered(5));
    assert_eq!((&beyond[0].best, beyond[0].infeasible.get("bad_index")), (&expected[0].best, Some(&3)));
}

#[test]
fn the_same_job_again_gets_the_same_answer() {
    let mut stage = stage("evaluate");
    say_context(&mut stage, Some(a_context("a")));
    let first = say_job(&mut stage, job(5, "a"));
    say_context(&mut stage, Some(a_context("a")));
    assert_eq!(say_job(&mut stage, job(5, "a")), first);
}

#[test]
fn every_instance_gives_the_same_best() {
    let answer = |instance: &str| {
        let mut stage = stage(instance);
        say_context(&mut stage, Some(a_context("a")));
        let mut results = say_job(&mut stage, job(5, "a"));
        results[0].worker.clear();
        results
    };
    assert_eq!(answer("evaluate-1"), answer("evaluate-9"));
}

#[test]
fn a_job_waits_for_its_context() {
    let mut stage = stage("evaluate");
    assert!(say_job(&mut stage, job(5, "a")).is_empty());
    assert!(say_job(&mut stage, job(5, "a")).is_empty());
    assert!(say_context(&mut stage, Some(a_context("b"))).is_empty());
    assert_eq!(say_context(&mut stage, Some(a_context("a"))).len(), 1);
    assert_eq!(stage.wake_at(), None);
}

#[test]
fn a_job_whose_context_never_comes_is_dropped_after_five_seconds() {
    let mut stage = stage("evaluate");
    say_job(&mut stage, job(5, "a"));
    let end = stage.wake_at().unwrap();
    assert_eq!(end.since(NOW), 5_000);
    tick(&mut stage, end.saturating_plus_ms(-1));
    assert_eq!(stage.wake_at(), Some(end));
    tick(&mut stage, end);
    assert_eq!(stage.wake_at(), None);
    assert!(say_context(&mut stage, Some(a_context("a"))).is_empty());
}

#[test]
fn a_job_for_a_replaced_context_is_dropped() {
    let mut stage = stage("evaluate");
    say_context(&mut stage, Some(a_context("a")));
    say_context(&mut stage, Some(a_context("b")));
    assert!(say_job(&mut stage, job(5, "a")).is_empty());
    assert_eq!(stage.wake_at(), None);
    say_context(&mut stage, None);
    assert!(say_job(&mut stage, job(6, "b")).is_empty());
    assert_eq!(stage.wake_at(), None);
}

#[test]
fn sixty_five_jobs_do_not_all_wait() {
    let mut stage = stage("evaluate");
    for n in 0..65 {
        say_job(&mut stage, job(n, "a"));
    }
    assert_eq!(say_context(&mut stage, Some(a_context("a"))).len(), 64);
}

#[test]
fn a_context_that_cannot_be_evaluated_answers_nothing() {
    let mut stage = stage("evaluate");
    let broken = PlanContext { total_eur: support::eur(0), ..a_context("a") };
    say_context(&mut stage, Some(broken));
    assert!(say_job(&mut stage, job(5, "a")).is_empty());
    assert_eq!(stage.wake_at(), None);
}

#[test]
fn a_job_beyond_its_limit_is_dropped() {
    let mut stage = stage("evaluate");
    say_context(&mut stage, Some(a_context("a")));
    let large = PlanJob { sequences: vec![vec![0]; evaluate::limits::SEQUENCES_MAX + 1], ..job(5, "a") };
    assert!(say_job(&mut stage, large).is_empty());
}
