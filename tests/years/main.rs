//! Years of markets through the whole pipeline, with real money of the simulator and on paper: no alarm without cause, no
//! order that hangs, limits kept, and something traded. `make years` runs five years with five seeds in both modes and writes
//! `target/years.json` and `docs/years.md`; without options a few days run, so that it cannot rot.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::{
    collections::BTreeMap,
    fmt::Write,
    path::PathBuf,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use contracts::{Nav, OrderState, OrderStatus, pair_of};
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use steward_tests::pipeline::Pipeline;

const DAY_MS: i64 = 86_400_000;

#[test]
fn years_pass_without_an_alarm_or_a_stuck_order() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<i64>().ok());
    let (years, seeds) = (number("YEARS"), number("SEEDS").unwrap_or(1));
    let days = years.map_or(6, |years| years * 365);
    let runs: Vec<(u64, &str)> =
        (1..=u64::try_from(seeds).unwrap()).flat_map(|seed| [(seed, "live"), (seed, "research")]).collect();
    let (next, done) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((seed, mode)) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let begin = Instant::now();
                    let line = run(*seed, mode, days);
                    println!(
                        "seed {seed}, {mode}, {days} days in {:.0} s: {line}",
                        begin.elapsed().as_secs_f64()
                    );
                    done.lock().unwrap().insert((*seed, *mode), line);
                }
            });
        }
    });
    let lines: Vec<Value> = done.into_inner().unwrap().into_values().collect();
    if let Some(years) = years {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
        std::fs::write(root.join("target/years.json"), serde_json::to_string_pretty(&lines).unwrap())
            .unwrap();
        std::fs::write(root.join("docs/years.md"), table(years, &lines)).unwrap();
    }
    let traded = |line: &Value| line["traded"].as_u64().is_some_and(|count| count > 0);
    assert!(lines.iter().any(traded), "no security was ordered in any run: {lines:#?}");
    for line in &lines {
        assert_eq!(line["hanging"], 0, "{line:#}");
        assert_eq!(line["halts"], json!({}), "{line:#}");
        assert_eq!(line["alarms"], json!({}), "{line:#}");
        assert_eq!(line["sent_while_stopped"], 0, "{line:#}");
        assert!(line["most_in_a_day"].as_i64().unwrap() <= 4, "{line:#}");
        assert!(line["most_in_a_week"].as_i64().unwrap() <= 10, "{line:#}");
    }
}

/// The report for people: what was traded, what was refused and why, how long which guard stood in the way.
fn table(years: i64, lines: &[Value]) -> String {
    let sorted = |counts: &Value| {
        let mut all: Vec<(String, i64)> = counts
            .as_object()
            .into_iter()
            .flatten()
            .map(|(what, count)| (what.clone(), count.as_i64().unwrap_or(0)))
            .collect();
        all.sort_by_key(|(what, count)| (-count, what.clone()));
        let words: Vec<String> = all.iter().map(|(what, count)| format!("{what} {count}")).collect();
        if words.is_empty() { "none".to_string() } else { words.join(", ") }
    };
    let mut text = format!(
        "# Years\n\n{years} simulated years, the whole pipeline in one process, 8 securities. Written by `make years`; every figure is in \
         `target/years.json`. In every run: no order hangs, nothing halted but by the loss of a day, at most four trades a day and ten a \
         week.\n\n| Seed | Mode | Orders by end | Refused by reason | Hours a guard was closed | Most in a day / week | Days of loss | Halts | Hanging | Value |\n\
         |---|---|---|---|---|---|---|---|---|---|\n"
    );
    for line in lines {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} / {} | {} | {} | {} | {} |",
            line["seed"],
            line["mode"].as_str().unwrap_or_default(),
            sorted(&line["orders"]),
            sorted(&line["refusals"]),
            sorted(&line["hours_waiting"]),
            line["most_in_a_day"],
            line["most_in_a_week"],
            sorted(&line["days_of_loss"]),
            sorted(&line["halts"]),
            line["hanging"],
            line["nav"].as_str().unwrap_or("unknown"),
        );
    }
    text
}

/// Alarms that the market or the account itself gives cause for; every other one is a fault.
const HAS_A_CAUSE: [&str; 9] = [
    "concentrated_country",
    "concentrated_currency",
    "concentrated_industry",
    "concentrated_position",
    "drawdown",
    "few_holdings",
    "halted",
    "order_refused_often",
    "unclassified",
];

fn by_code(alarms: &BTreeMap<String, String>) -> BTreeMap<&str, u64> {
    let mut counts = BTreeMap::new();
    for text in alarms.values() {
        *counts.entry(text.split(':').next().unwrap_or_default()).or_default() += 1;
    }
    counts
}

/// Orders that went out on a day of loss after the breaker had stopped them, and what was approved before had expired.
fn sent_while_stopped(risk: &Connection, orders: &Connection) -> usize {
    let mut days = risk.prepare("SELECT since, state FROM api_breaker").unwrap();
    let days = days.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))).unwrap();
    let mut sent = orders.prepare("SELECT sent, side FROM api_order WHERE sent IS NOT NULL").unwrap();
    let sent = sent.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))).unwrap();
    let sent: Vec<(i64, String)> = sent.map(Result::unwrap).collect();
    days.map(Result::unwrap)
        .map(|(since, state)| {
            let stopped = since + contracts::APPROVAL_LIFE_MS..(since / DAY_MS + 1) * DAY_MS;
            let may_not = |side: &str| state == "halted" || (state == "sells_blocked" && side == "sell");
            sent.iter().filter(|(at, side)| stopped.contains(at) && may_not(side)).count()
        })
        .sum()
}

fn run(seed: u64, mode: &str, days: i64) -> Value {
    let mut pipeline = Pipeline::in_mode(seed, 1, mode);
    let start = pipeline.now();
    let mut waiting = BTreeMap::<String, i64>::new();
    let (mut expected, mut alarms) = (BTreeMap::<String, String>::new(), BTreeMap::<String, String>::new());
    let mut last = start;
    let end = start.saturating_plus_ms(days * DAY_MS);
    let (begin, mut quarter) = (Instant::now(), 1);
    while pipeline.now() < end {
        if pipeline.now().since(start) >= quarter * 91 * DAY_MS {
            let spent = begin.elapsed().as_secs_f64();
            println!("seed {seed}, {mode}: {} of {days} days in {spent:.0} s", quarter * 91);
            quarter += 1;
        }
        pipeline.run_until(pipeline.now().saturating_plus_ms(3_600_000).min(end));
        // Which guard stood in the way in this hour, so that it can be seen how long each did.
        if let Some(state) = pipeline.statement::<contracts::RiskState>("") {
            for guard in state.guards.iter().filter(|guard| !guard.free && guard.guard != "market_closed") {
                *waiting.entry(guard.guard.clone()).or_default() += pipeline.now().since(last) / 3_600_000;
            }
        }
        last = pipeline.now();
        for alert in pipeline.statements::<contracts::Alert>() {
            let list = if HAS_A_CAUSE.contains(&alert.code.as_str()) { &mut expected } else { &mut alarms };
            list.entry(alert.id.to_string()).or_insert_with(|| format!("{}: {}", alert.code, alert.text));
        }
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
    // Exchanges are no trades: no limit of the gate counts them.
    let sent: Vec<i64> = {
        let mut query =
            orders.prepare("SELECT sent, isin FROM api_order WHERE sent IS NOT NULL ORDER BY sent").unwrap();
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?))).unwrap();
        let is_trade = |isin: &str| pair_of(&isin.parse().unwrap()).is_none();
        rows.map(Result::unwrap).filter(|(_, isin)| is_trade(isin)).map(|(sent, _)| sent).collect()
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
    let sent_while_stopped = sent_while_stopped(&risk, &orders);
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
        "traded": sent.len(),
        "most_in_a_day": most(DAY_MS, true),
        "most_in_a_week": most(7 * DAY_MS, false),
        "hanging": hanging,
        "sent_while_stopped": sent_while_stopped,
        "alarms": by_code(&alarms),
        "alarms_with_a_cause": by_code(&expected),
        "first_alarms": alarms.values().take(5).collect::<Vec<_>>(),
        "nav": nav.map(|nav| nav.nav.to_string()),
    })
}
