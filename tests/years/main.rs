//! Years of markets through the whole pipeline, with real money of the simulator and on paper: no alarm without cause, no
//! order that hangs, limits kept. `make years` runs five years with five seeds in both modes and writes
//! `target/years.json`; without options a few days run, so that it cannot rot.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::{collections::BTreeMap, path::PathBuf, time::Instant};

use contracts::{Nav, OrderState, OrderStatus};
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use steward_tests::pipeline::Pipeline;

const DAY_MS: i64 = 86_400_000;

#[test]
fn years_pass_without_an_alarm_or_a_stuck_order() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<i64>().ok());
    let (years, seeds) = (number("YEARS"), number("SEEDS").unwrap_or(1));
    let days = years.map_or(6, |years| years * 365);
    let mut lines = Vec::new();
    for seed in 1..=u64::try_from(seeds).unwrap() {
        for mode in ["live", "research"] {
            let begin = Instant::now();
            let line = run(seed, mode, days);
            println!("seed {seed}, {mode}, {days} days in {:.0} s: {line}", begin.elapsed().as_secs_f64());
            lines.push(line);
        }
    }
    if years.is_some() {
        let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/years.json");
        std::fs::write(file, serde_json::to_string_pretty(&lines).unwrap()).unwrap();
    }
    for line in &lines {
        assert_eq!(line["hanging"], 0, "{line:#}");
        assert_eq!(line["halts"], json!({}), "{line:#}");
        assert!(line["most_in_a_day"].as_i64().unwrap() <= 4, "{line:#}");
        assert!(line["most_in_a_week"].as_i64().unwrap() <= 10, "{line:#}");
    }
}

fn run(seed: u64, mode: &str, days: i64) -> Value {
    let mut pipeline = Pipeline::in_mode(seed, 1, mode);
    let start = pipeline.now();
    let mut waiting = BTreeMap::<String, i64>::new();
    let mut last = start;
    let end = start.saturating_plus_ms(days * DAY_MS);
    while pipeline.now() < end {
        pipeline.run_until(pipeline.now().saturating_plus_ms(3_600_000).min(end));
        // Which guard stood in the way in this hour, so that it can be seen how long each did.
        if let Some(state) = pipeline.statement::<contracts::RiskState>("") {
            for guard in state.guards.iter().filter(|guard| !guard.free && guard.guard != "market_closed") {
                *waiting.entry(guard.guard.clone()).or_default() += pipeline.now().since(last) / 3_600_000;
            }
        }
        last = pipeline.now();
    }
    let open = |name: &str| {
        let file = pipeline.folder().join("stores").join(format!("{name}.db"));
        Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
    };
    let counts = |store: &Connection, sql: &str| -> BTreeMap<String, i64> {
        let mut query = store.prepare(sql).unwrap();
        let rows = query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let (risk, orders) = (open("risk"), open("orders"));
    let sent: Vec<i64> = {
        let mut query =
            orders.prepare("SELECT sent FROM api_order WHERE sent IS NOT NULL ORDER BY sent").unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let most = |window: i64, calendar: bool| {
        let within = |from: &i64| {
            sent.iter()
                .filter(|at| {
                    if calendar {
                        *at / DAY_MS == from / DAY_MS
                    } else {
                        (*from..from + window).contains(*at)
                    }
                })
                .count()
        };
        sent.iter().map(within).max().unwrap_or(0)
    };
    let hanging = pipeline.statements::<OrderState>().into_iter().filter(|order| {
        matches!(order.status, OrderStatus::Armed | OrderStatus::Sending | OrderStatus::Unknown)
    });
    let hanging = hanging.count();
    let nav: Option<Nav> = pipeline.statement("");
    json!({
        "seed": seed,
        "mode": mode,
        "days": days,
        "orders": counts(&orders, "SELECT state, count(*) FROM api_order GROUP BY state"),
        "reasons": counts(&orders, "SELECT reason, count(*) FROM api_order WHERE reason IS NOT NULL GROUP BY reason"),
        "refusals": counts(&risk, "SELECT code, count(*) FROM api_verdict WHERE code IS NOT NULL GROUP BY code"),
        "halts": counts(&risk, "SELECT reason, count(*) FROM api_halt WHERE reason <> 'daily_loss' GROUP BY reason"),
        "days_of_loss": counts(&risk, "SELECT state, count(*) FROM api_breaker GROUP BY state"),
        "hours_waiting": waiting,
        "most_in_a_day": most(DAY_MS, true),
        "most_in_a_week": most(7 * DAY_MS, false),
        "hanging": hanging,
        "nav": nav.map(|nav| nav.nav.to_string()),
    })
}
