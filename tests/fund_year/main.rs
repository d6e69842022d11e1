//! A simulated year of the whole fund, planned by us, beside keeping what there is and beside equal weights.
//!
//! `make year` runs 20 seeds and writes docs/simulated-year.md and docs/simulated-year.svg; without options a few days of one
//! seed run, so that it cannot rot. Keeping is the same world without a planner; equal weights are computed from the
//! prices of the same world, with the same costs, dividends and splits.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod equal;
mod page;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use contracts::{FxRates, Quote};
use rusqlite::{Connection, OpenFlags};
use steward_tests::pipeline::Pipeline;

use equal::Market;

/// A small pool: a year of twenty seeds should end the same day.
pub const MAX_POOL: usize = 12;
pub const MAX_DEPTH: usize = 3;

/// One year of one seed, a value per day; all start at one.
pub struct Year {
    pub seed: u64,
    pub planned: Vec<f64>,
    pub kept: Vec<f64>,
    pub equal: Vec<f64>,
    /// What was traded, as a part of the average fund.
    pub turnover: f64,
    pub equal_turnover: f64,
    pub orders: i64,
}

#[test]
fn a_year_of_plans_beside_keeping_and_equal_weights() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<i64>().ok());
    let (days, seeds) = (number("DAYS"), number("SEEDS").unwrap_or(1));
    let seeds = u64::try_from(seeds).unwrap();
    let (next, done) = (AtomicU64::new(1), Mutex::new(BTreeMap::new()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > seeds {
                        break;
                    }
                    let begin = Instant::now();
                    let year = run(seed, days.unwrap_or(5));
                    println!(
                        "seed {seed} in {:.0} s: planned {:.4}, kept {:.4}, equal {:.4}, turnover {:.2}, {} orders",
                        begin.elapsed().as_secs_f64(),
                        last(&year.planned),
                        last(&year.kept),
                        last(&year.equal),
                        year.turnover,
                        year.orders
                    );
                    done.lock().unwrap().insert(seed, year);
                }
            });
        }
    });
    let years: Vec<Year> = done.into_inner().unwrap().into_values().collect();
    // All weekdays but one in ten: a year has its holidays.
    let trading_days = usize::try_from(days.unwrap_or(5)).unwrap() * 9 / 14;
    for year in &years {
        for values in [&year.planned, &year.kept, &year.equal] {
            assert!(values.len() >= trading_days, "{} values of {trading_days} trading days", values.len());
        }
        assert!(year.planned.iter().chain(&year.kept).chain(&year.equal).all(|value| *value > 0.0));
    }
    assert!(
        years.iter().any(|year| year.orders > 0 && year.turnover > 0.0),
        "nothing was traded, so there is nothing to compare"
    );
    if let Some(days) = days {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs");
        std::fs::write(folder.join("simulated-year.md"), page::text(&years, days)).unwrap();
        std::fs::write(folder.join("simulated-year.svg"), page::picture(&years)).unwrap();
    }
}

pub fn last(values: &[f64]) -> f64 {
    values.last().copied().unwrap_or(1.0)
}

fn run(seed: u64, days: i64) -> Year {
    let settings = format!("[stage.plan]\nmax_pool = {MAX_POOL}\nmax_depth = {MAX_DEPTH}\n");
    let (mut planned, mut kept) = (Pipeline::with(seed, 1, &settings), Pipeline::with(seed, 1, &settings));
    // Who only shows decides nothing, and nobody looks.
    for shows in ["bridge", "notify", "hardware"] {
        planned.kill(shows);
        kept.kill(shows);
    }
    // Without a planner nothing is ever traded, and nobody need score, aim, judge or send.
    for decides in ["score", "optimise", "plan", "evaluate-1", "risk-gate", "execute"] {
        kept.kill(decides);
    }
    let mut market = Market::default();
    for _ in 0..days {
        planned.run_days(1);
        kept.run_days(1);
        market.close(
            &kept.statements::<Quote>(),
            kept.statement::<FxRates>("").as_ref(),
            &opened(&kept, "market"),
        );
    }
    let (equal, equal_turnover) = market.equal_weights();
    let (turnover, orders) = traded(&planned);
    Year { seed, planned: indices(&planned), kept: indices(&kept), equal, turnover, equal_turnover, orders }
}

fn opened(pipeline: &Pipeline, store: &str) -> Connection {
    let file = pipeline.folder().join("stores").join(format!("{store}.db"));
    Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

/// The fund's value at the end of each day, deposits and withdrawals taken out.
fn indices(pipeline: &Pipeline) -> Vec<f64> {
    let ledger = opened(pipeline, "ledger");
    let mut query =
        ledger.prepare("SELECT nav_index FROM api_nav WHERE bucket_id = '*' ORDER BY day").unwrap();
    let found: Vec<f64> = query
        .query_map([], |row| row.get::<_, Option<f64>>(0))
        .unwrap()
        .filter_map(|row| row.unwrap())
        .collect();
    let first = found.first().copied().unwrap_or(1.0);
    found.into_iter().map(|value| value / first).collect()
}

/// Turnover as a part of the average fund, and how many orders were filled.
fn traded(pipeline: &Pipeline) -> (f64, i64) {
    let ledger = opened(pipeline, "ledger");
    let number =
        |sql: &str| ledger.query_row(sql, [], |row| row.get::<_, Option<f64>>(0)).unwrap().unwrap_or(0.0);
    let value =
        number("SELECT sum(abs(value_eur)) FROM api_fill WHERE isin IS NOT NULL AND order_id IS NOT NULL");
    let average = number("SELECT avg(nav) FROM api_nav WHERE bucket_id = '*'");
    let orders = ledger
        .query_row(
            "SELECT count(DISTINCT order_id) FROM api_fill WHERE isin IS NOT NULL AND order_id IS NOT NULL",
            [],
            |row| row.get(0),
        )
        .unwrap();
    (if average > 0.0 { value / average } else { 0.0 }, orders)
}
