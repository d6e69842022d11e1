//! Evaluators come and go; the plan does not depend on it. Real processes on a real broker.
#![allow(clippy::unwrap_used, missing_docs)]

use contracts::PlanProposed;
use serde_json::Value;
use steward_tests::{
    planners::{Planners, Seen},
    processes::Demo,
};

/// A small pool: enough for several jobs, quick without optimisation.
const SETTINGS: &str = "max_pool = 20\nmax_depth = 5\n";

/// Everything that a plan says but when it was made and what is named after that.
fn content(plan: &PlanProposed) -> Value {
    let mut plan = serde_json::to_value(plan).unwrap();
    for field in ["plan_id", "context_id", "at", "expires", "cause", "targets"] {
        plan.as_object_mut().unwrap().remove(field).unwrap();
    }
    plan
}

#[test]
fn one_evaluator_and_four_find_the_same_plan_bit_for_bit() {
    let plans: Vec<Seen> =
        [1, 4].into_iter().map(|count| Planners::start(count, SETTINGS).plan_for("state-1")).collect();
    assert!(plans[0].jobs.len() >= 4, "{} jobs are too few to be shared", plans[0].jobs.len());
    let tried = |seen: &Seen| seen.plan.evaluated + seen.plan.infeasible.values().sum::<u32>();
    assert!(tried(&plans[0]) >= 20_000, "{} sequences", tried(&plans[0]));
    assert!(!plans[0].plan.steps.is_empty(), "{}", plans[0].plan.why);
    assert_eq!(content(&plans[0].plan), content(&plans[1].plan));
}

#[test]
fn a_job_of_a_lost_evaluator_is_given_out_again_and_changes_nothing() {
    let mut planners = Planners::start(2, SETTINGS);
    let whole = planners.plan_for("state-1");
    // Stopped, it stays connected and is given jobs that it never answers.
    Demo::signal(planners.pid("evaluate-1").unwrap(), "-STOP");
    let late = planners.plan_for("state-2");
    assert!(late.jobs.iter().any(|job| job.attempt > 1), "no job was given out again");
    let without_state = |seen: &Seen| {
        let mut content = content(&seen.plan);
        content.as_object_mut().unwrap().remove("state_id");
        content
    };
    assert_eq!(without_state(&whole), without_state(&late));
}

#[test]
fn the_first_quotes_of_the_day_lead_to_a_request() {
    let took = Planners::before_the_first_quote(1).request_for_first_quotes();
    println!("{took:?}");
    assert!(took.is_some(), "nothing was asked for");
}
