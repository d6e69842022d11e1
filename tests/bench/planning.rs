//! One planning run over the real bus: from other holdings to the plan, with one, two and four evaluators; how much of it
//! is scoring and how much bus and encoding; and how much memory an evaluator takes at its peak.

use std::{hint::black_box, time::Instant};

use evaluate::{Prepared, tally};
use steward_tests::{
    planners::{Planners, Seen},
    processes::peak_kb,
};

use crate::{Figures, quantile};

const RUNS: usize = 11;

/// Adds the figures of planning.
pub fn measure(figures: &mut Figures) {
    for evaluators in [1_u32, 2, 4] {
        let mut planners = Planners::start(evaluators, "");
        let seen: Vec<Seen> = (0..RUNS).map(|n| planners.plan_for(&format!("state-{n}"))).collect();
        let with = format!("with {evaluators} evaluators");
        let first = &seen[0].plan;
        let tried = first.evaluated + first.infeasible.values().sum::<u32>();
        if evaluators == 1 {
            figures.note("a planning run, 40 holdings: sequences", f64::from(tried), "");
            figures.note("  jobs", f64::from(u32::try_from(seen[0].jobs.len()).unwrap()), "");
            figures.note(
                "  context, jobs and results on the bus",
                f64::from(u32::try_from(seen[0].bytes).unwrap()) / 1024.0,
                "KB",
            );
            figures.note("  scoring alone, one core", scoring_ms(&seen[0]), "ms");
        }
        let median = |times: &dyn Fn(&Seen) -> f64| {
            let mut all: Vec<f64> = seen.iter().map(times).collect();
            all.sort_by(f64::total_cmp);
            quantile(&all, 0.5).unwrap()
        };
        let whole = median(&|seen| (seen.until_context + seen.until_plan).as_secs_f64() * 1e3);
        let scored = median(&|seen| seen.until_plan.as_secs_f64() * 1e3);
        figures.note(format!("state change to plan/proposed, {with}, p50"), whole, "ms");
        figures.note("  of it from the context to the plan", scored, "ms");
        let shared = scoring_ms(&seen[0]) / f64::from(evaluators.min(cores()));
        figures.note("  of that bus, encoding and choosing", (1.0 - shared / scored).max(0.0) * 100.0, "%");
        let peak = (1..=evaluators).filter_map(|n| peak_kb(planners.pid(&format!("evaluate-{n}"))?)).max();
        #[allow(clippy::cast_precision_loss)]
        figures.note("  largest peak memory of an evaluator", peak.unwrap_or(0) as f64 / 1024.0, "MB");
    }
}

/// How long it takes from a quote to the request that it leads to, by real programs on a real broker. The pauses in which a
/// planner lets things settle (2 s after a price, and half a minute between two runs) are meant, and set to nothing here.
pub fn from_quote_to_request(figures: &mut Figures) {
    const MORNINGS: u32 = 30;
    let mut times: Vec<f64> = (0..MORNINGS)
        .filter_map(|_| Planners::before_the_first_quote(1).request_for_first_quotes())
        .map(|time| time.as_secs_f64() * 1e3)
        .collect();
    times.sort_by(f64::total_cmp);
    figures.note("quote to order/requested, samples", f64::from(u32::try_from(times.len()).unwrap()), "");
    figures.note("quote to order/requested, p50", quantile(&times, 0.5).unwrap(), "ms");
    figures.below("quote to order/requested, p99", quantile(&times, 0.99).unwrap(), "ms", 50.0);
}

fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |count| u32::try_from(count.get()).unwrap_or(1))
}

/// How long the jobs of a run take where nothing travels.
fn scoring_ms(seen: &Seen) -> f64 {
    let prepared = Prepared::of(&seen.context).unwrap();
    let start = Instant::now();
    for job in &seen.jobs {
        black_box(tally(&prepared, &seen.context.pool, black_box(job)));
    }
    start.elapsed().as_secs_f64() * 1e3
}
