//! The same proof with real processes: a demo at full speed whose programs are ended with SIGKILL at moments that the
//! seed chooses, over connections that break, stall and say things twice. Afterwards the stores are compared with the
//! simulated broker's own books.
//!
//! `make soak-real RUNS=50 FIRST=1` runs many, `JOBS` of them at once. A failing run prints its seed and command.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

#[path = "../faults/books.rs"]
mod books;
#[allow(dead_code)]
#[path = "../faults/dice.rs"]
mod dice;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use books::{Books, differ};
use dice::Dice;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use steward_tests::processes::{Demo, control, report, tail};

/// Runs that belong to every change.
const RUNS: u64 = 1;
/// Programs that may be ended; the broker forgets everything when it is.
const PROGRAMS: [&str; 9] = [
    "steward-execute",
    "steward-portfolio",
    "steward-risk-gate",
    "steward-plan",
    "steward-ingest",
    "steward-keeper",
    "steward-evaluate",
    "steward-notify",
    "steward-broker",
];
/// Kills of a run; after the last one everything is left alone, so that it can settle.
const KILLS: usize = 8;
const LONGEST: Duration = Duration::from_secs(180);

#[test]
fn whatever_is_killed_the_books_stay_the_brokers() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (first, runs) = (number("FIRST").unwrap_or(1), number("RUNS").unwrap_or(RUNS));
    let begin = Instant::now();
    let (mut orders, mut kills, mut faults, mut broken) = (0, 0, 0, Vec::new());
    let next = AtomicU64::new(first);
    let jobs = usize::try_from(number("JOBS").unwrap_or(1)).unwrap();
    let (say, listen) = std::sync::mpsc::sync_channel(jobs);
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            let (say, next) = (say.clone(), &next);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    // A demo that cannot be started or waited for is a broken run like any other.
                    let ran = || {
                        std::panic::catch_unwind(|| run(seed))
                            .unwrap_or_else(|_| Err("the test itself failed".into()))
                    };
                    if seed >= first + runs || say.send((seed, ran())).is_err() {
                        return;
                    }
                }
            });
        }
        drop(say);
        for (seed, ran) in listen {
            match ran {
                Ok(ran) => {
                    orders += ran.orders;
                    kills += ran.kills;
                    faults += ran.faults;
                    println!(
                        "seed {seed}: {} orders, {} kills, {} faults of connections, held",
                        ran.orders, ran.kills, ran.faults
                    );
                }
                Err(why) => {
                    println!("seed {seed}: {why}\n  again: make soak-real RUNS=1 FIRST={seed}");
                    broken.push(seed);
                }
            }
        }
    });
    #[allow(clippy::cast_precision_loss)]
    let per_minute = runs as f64 * 60.0 / begin.elapsed().as_secs_f64();
    println!(
        "{runs} runs with real processes, {kills} kills, {faults} faults of connections, {orders} orders at the broker, {per_minute:.1} runs a minute"
    );
    assert!(broken.is_empty(), "seeds {broken:?} broke a rule");
    assert!(orders > 0 && kills > 0, "without orders and kills nothing was proved");
}

/// What there was in a run that held.
struct Ran {
    orders: usize,
    kills: usize,
    faults: usize,
}

/// What breaks on the way to and from the broker, of which no answer is ever lost for good.
fn rules(dice: &mut Dice) -> Value {
    let rule = |id: &str, cmd: &str, prob: f64, effect: Value| json!({"id": id, "cmd": cmd, "when": {"prob": prob}, "effect": effect});
    let all = [
        rule("twice", "*", 0.2, json!({"kind": "dup_ack"})),
        rule("reset", "putTradeOrder", 0.3, json!({"kind": "reset_after"})),
        rule("lost", "putTradeOrder", 0.3, json!({"kind": "timeout_after", "ms": 300})),
        rule("half", "putTradeOrder", 0.3, json!({"kind": "truncate"})),
        rule("ill", "getPositionJson", 0.1, json!({"kind": "http", "status": 503, "processed": false})),
        rule("garbage", "getTradesHistory", 0.1, json!({"kind": "malformed"})),
        rule("slow", "*", 0.02, json!({"kind": "slow", "ms": 150})),
    ];
    Value::Array(all.into_iter().filter(|_| dice.chance(600)).collect())
}

/// What there was, or what did not hold.
fn run(seed: u64) -> Result<Ran, String> {
    let mut dice = Dice::new(seed);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let (text, days) = (seed.to_string(), (2 + dice.roll(2)).to_string());
    let rules = rules(&mut dice);
    let demo = Demo::start(&[
        "--seed",
        &text,
        "--days",
        &days,
        "--speed",
        "max",
        "--report",
        file.to_str().unwrap(),
    ]);
    let dir = demo.dir();
    let stores = tempfile::tempdir().unwrap();
    let (mut killed, begun) = (0, Instant::now());
    let mut next = Duration::from_millis(2_500);
    let simulator = demo.ports + 1;
    let mut set = false;
    while begun.elapsed() < LONGEST && !file.exists() && killed < KILLS {
        set = set || control(simulator, "POST /sim/faults", &rules.to_string()).is_some();
        let left = next.saturating_sub(begun.elapsed());
        pause(left.min(Duration::from_millis(50)));
        if begun.elapsed() < next {
            continue;
        }
        let program = dice.pick(&PROGRAMS).unwrap_or("steward-execute");
        if let Some(pid) = demo.process(program) {
            Demo::signal(pid, "-KILL");
            killed += 1;
        }
        next = begun.elapsed() + Duration::from_millis(400 + dice.roll(2_500));
    }
    let fired = control(simulator, "GET /sim/faults/log", "").and_then(|log| Some(log.as_array()?.len()));
    for rule in rules.as_array().into_iter().flatten() {
        let call = format!("DELETE /sim/faults/{}", rule["id"].as_str().unwrap_or_default());
        drop(control(simulator, &call, ""));
    }
    // The stores are read after everything has ended, before their folder goes.
    let keep = stores.path().to_path_buf();
    let (status, said) = demo.wait_and(LONGEST, || copy(&dir.join("stores"), &keep));
    if !status.success() {
        return Err(format!("the demo ended badly:\n{}", tail(&said)));
    }
    let report = report(&file);
    if report["all_held"] != true {
        return Err(format!("a rule of the simulated broker was broken: {}", report["truth"]["invariants"]));
    }
    compare(&report["truth"], &keep)?;
    let all = report["truth"]["orders"].as_array();
    let orders = all.map_or(0, |all| all.iter().filter(|one| one["historic"] != true).count());
    Ok(Ran { orders, kills: killed, faults: fired.unwrap_or(0) })
}

#[allow(clippy::disallowed_methods)]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).into_iter().flatten().flatten() {
        drop(std::fs::copy(entry.path(), to.join(entry.file_name())));
    }
}

/// The checks of the in-process soak that need nothing but the books of both sides.
fn compare(truth: &Value, stores: &Path) -> Result<(), String> {
    let open = |name: &str| {
        Connection::open_with_flags(stores.join(format!("{name}.db")), OpenFlags::SQLITE_OPEN_READ_WRITE)
            .map_err(|error| format!("store {name}: {error}"))
    };
    let words = |connection: &Connection, sql: &str| -> Result<Vec<String>, String> {
        let mut query = connection.prepare(sql).map_err(|error| error.to_string())?;
        let rows = query.query_map([], |row| row.get::<_, String>(0)).map_err(|error| error.to_string())?;
        rows.collect::<Result<_, _>>().map_err(|error| error.to_string())
    };
    let (risk, orders, ledger) = (open("risk")?, open("orders")?, open("ledger")?);
    let approved: BTreeSet<u64> = words(&risk, "SELECT order_id FROM approval")?
        .iter()
        .map(|id| tradernet::user_order_id(id))
        .collect();
    let mut seen = BTreeMap::new();
    for order in truth["orders"].as_array().into_iter().flatten().filter(|order| order["historic"] != true) {
        let number =
            order["user_order_id"].as_u64().ok_or_else(|| format!("an order without number: {order}"))?;
        if !approved.contains(&number) {
            return Err(format!("order {order} has no approval"));
        }
        if seen.insert(number, order.clone()).is_some() {
            return Err(format!("number {number} is at the broker twice"));
        }
    }
    let hanging = words(
        &orders,
        "SELECT order_id || ' ' || state FROM api_order WHERE state IN ('armed', 'sending', 'unknown', 'accepted', 'partial')",
    )?;
    if let Some(one) = hanging.first() {
        return Err(format!("order {one} hangs"));
    }
    let followed: BTreeSet<String> =
        words(&orders, "SELECT broker_trade_id FROM api_order_fill WHERE mode = 'live'")?
            .into_iter()
            .collect();
    let booked: BTreeSet<String> =
        words(&ledger, "SELECT broker_trade_id FROM fill WHERE broker_trade_id IS NOT NULL")?
            .into_iter()
            .collect();
    for fill in truth["fills"].as_array().into_iter().flatten().filter(|fill| fill["historic"] != true) {
        let id = fill["id"].to_string();
        if !followed.contains(&id) || !booked.contains(&id) {
            return Err(format!(
                "fill {id} was lost (followed: {}, booked: {})",
                followed.contains(&id),
                booked.contains(&id)
            ));
        }
    }
    let numbers = |connection: &Connection, sql: &str| -> Result<BTreeMap<String, i64>, String> {
        let mut query = connection.prepare(sql).map_err(|error| error.to_string())?;
        let rows =
            query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(|error| error.to_string())?;
        rows.collect::<Result<_, _>>().map_err(|error| error.to_string())
    };
    let expires: BTreeMap<u64, i64> = numbers(&risk, "SELECT order_id, expires FROM api_approval")?
        .into_iter()
        .map(|(id, expires)| (tradernet::user_order_id(&id), expires))
        .collect();
    for (number, order) in &seen {
        let created =
            order["created_ms"].as_i64().ok_or_else(|| format!("an order without a time: {order}"))?;
        if expires.get(number).is_none_or(|expires| created > *expires) {
            return Err(format!("order {order} was placed after its approval had expired"));
        }
    }
    let ours = Books {
        held_e6: numbers(&ledger, "SELECT ticker, qty FROM api_position WHERE qty <> 0")?,
        cash_e4: numbers(&ledger, "SELECT ccy, amount FROM api_cash")?,
    };
    let map = |name: &str| -> BTreeMap<String, i64> {
        serde_json::from_value(truth[name].clone()).unwrap_or_default()
    };
    let theirs = Books { held_e6: map("positions_e6"), cash_e4: map("cash_e4") };
    if theirs.cash_e4.is_empty() {
        return Err("the simulated broker did not say what it holds".into());
    }
    if let Some(difference) = differ(&ours, &theirs) {
        return Err(difference);
    }
    let incidents = words(&risk, "SELECT reason || ': ' || text FROM halt")?;
    match incidents.first() {
        Some(halt) => Err(format!("trading was halted: {halt}")),
        None => Ok(()),
    }
}
