//! The summary of a demo: what happened, and whether everything that must hold held.

use std::collections::BTreeMap;

use contracts::{Nav, Position};
use serde::Serialize;
use serde_json::Value;

use crate::tally::{OrderLine, Tally};

/// What `--report` writes.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Which world.
    pub seed: u64,
    /// Days asked for.
    pub days: u32,
    /// Speed asked for.
    pub speed: String,
    /// Wall time from the first start to the end.
    pub wall_s: f64,
    /// Wall time until every stage had said that it works; absent if one never did.
    pub healthy_after_s: Option<f64>,
    /// First instant of virtual time.
    pub start: Option<String>,
    /// Last instant of virtual time.
    pub end: Option<String>,
    /// Steps of the clock.
    pub steps: u64,
    /// Messages per family.
    pub messages: BTreeMap<String, u64>,
    /// All messages.
    pub messages_total: u64,
    /// Bytes of all payloads.
    pub bytes_total: u64,
    /// All orders, oldest first.
    pub orders: Vec<OrderLine>,
    /// All fills.
    pub fills: usize,
    /// Refusals per code.
    pub refusals: BTreeMap<String, u64>,
    /// First value.
    pub nav_start: Option<Nav>,
    /// Last value.
    pub nav_end: Option<Nav>,
    /// Holdings at the end.
    pub positions: Vec<Position>,
    /// The simulator's own books and checks; null when it could not be asked.
    pub truth: Value,
    /// Every check of the simulator held.
    pub all_held: bool,
    /// Same in the same simulated history.
    pub decisions_hash: String,
    /// How often each program was started again.
    pub restarts: BTreeMap<String, u32>,
    /// Why the run ended before its time.
    pub trouble: Option<String>,
}

/// What the run itself knows beside the tally.
#[derive(Debug, Clone)]
pub struct Run {
    /// Which world.
    pub seed: u64,
    /// Days asked for.
    pub days: u32,
    /// Speed asked for.
    pub speed: String,
    /// Seconds it took.
    pub wall_s: f64,
    /// Seconds until healthy.
    pub healthy_after_s: Option<f64>,
    /// From the supervisor.
    pub restarts: BTreeMap<String, u32>,
    /// The simulator's answer.
    pub truth: Value,
    /// Why it ended before its time.
    pub trouble: Option<String>,
}

/// Puts the summary together.
#[must_use]
pub fn of(tally: &Tally, run: Run) -> Report {
    let (nav_start, nav_end) = tally.nav.clone().unzip();
    let clock = tally.clock.as_ref();
    Report {
        seed: run.seed,
        days: run.days,
        speed: run.speed,
        wall_s: run.wall_s,
        healthy_after_s: run.healthy_after_s,
        start: clock.map(|clock| clock.start.to_string()),
        end: clock.map(|clock| clock.v0.to_string()),
        steps: clock.map_or(0, |clock| clock.step),
        messages: tally.messages.clone(),
        messages_total: tally.messages.values().sum(),
        bytes_total: tally.bytes,
        orders: tally.orders(),
        fills: tally.orders_and_fills().1,
        refusals: tally.refusals(),
        nav_start,
        nav_end,
        positions: tally.portfolio.as_ref().map(|state| state.positions.clone()).unwrap_or_default(),
        all_held: violations(&run.truth).is_some_and(|violations| violations.is_empty()),
        truth: run.truth,
        decisions_hash: tally.decisions_hash(),
        restarts: run.restarts,
        trouble: run.trouble,
    }
}

/// The checks that did not hold, each with its first violation; `None` when nothing was checked.
#[must_use]
pub fn violations(truth: &Value) -> Option<Vec<String>> {
    let invariants = truth.get("invariants")?.as_array()?;
    if invariants.is_empty() {
        return None;
    }
    let broken = invariants.iter().filter(|one| one.get("ok").and_then(Value::as_bool) != Some(true));
    Some(
        broken
            .map(|one| {
                let id = one.get("id").map_or_else(|| "unnamed".to_string(), plain);
                let first = one.get("violations").and_then(|all| all.get(0)).map_or_else(String::new, plain);
                format!("{id}: {first}")
            })
            .collect(),
    )
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run(truth: Value) -> Run {
        Run {
            seed: 1,
            days: 30,
            speed: "max".into(),
            wall_s: 1.5,
            healthy_after_s: Some(0.5),
            restarts: BTreeMap::from([("plan".to_string(), 1)]),
            truth,
            trouble: None,
        }
    }

    #[test]
    fn all_holds_only_when_something_was_checked_and_held() {
        let table = [
            (json!({"invariants": [{"id": "cash", "ok": true, "violations": []}]}), true),
            (
                json!({"invariants": [{"id": "cash", "ok": true}, {"id": "books", "ok": false, "violations": ["x"]}]}),
                false,
            ),
            (json!({"invariants": [{"id": "cash"}]}), false),
            (json!({"invariants": []}), false),
            (json!({}), false),
            (Value::Null, false),
        ];
        for (truth, expected) in table {
            assert_eq!(of(&Tally::default(), run(truth.clone())).all_held, expected, "{truth}");
        }
    }

    #[test]
    fn a_violation_is_named_with_its_first_case() {
        let truth =
            json!({"invariants": [{"id": "books", "ok": false, "violations": ["1 cent", "2 cents"]}]});
        assert_eq!(violations(&truth).unwrap(), ["books: 1 cent"]);
    }

    #[test]
    fn an_empty_run_has_a_report_without_invented_figures() {
        let report = serde_json::to_value(of(&Tally::default(), run(Value::Null))).unwrap();
        assert_eq!(report["nav_start"], Value::Null);
        assert_eq!(report["orders"], json!([]));
        assert_eq!(report["restarts"]["plan"], 1);
    }
}
