//! All SQL of the planner: what it knows after a restart, and how that changes.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Transaction};
use serde::{Serialize, de::DeserializeOwned};

use contracts::{Id, OrderRequested, PlanContext, PlanProposed, SettingsSnapshot, Side};
use market::{Isin, Timestamp};
use money::{Price, Quantity};

use crate::{
    approval::{Approval, Approvals},
    configuration::{
        book::{Book, Stored, VERSIONS_MAX, Version},
        read::read,
    },
    dividends::{Dividends, Row, Used},
    facts::CORE,
    limits::PLANS_KEPT_MS,
    memory::{Hold, Memory, Traded},
    requests::{Request, Requests, Stage},
};

/// One change of the rows.
#[derive(Debug, Clone)]
pub enum Save {
    /// The newest context of a bucket.
    Context(Box<PlanContext>),
    /// There is no context any more.
    NoContext,
    /// A plan, new or as it stands now.
    Plan(Box<PlanProposed>),
    /// An order is asked for; its row is never removed.
    Asked(Box<OrderRequested>),
    /// A request went forward.
    Advanced(Request),
    /// A request's statement is over.
    Cleared(Id),
    /// An own order was filled.
    Traded(Traded),
    /// A refusal forbids something; holds that ended before `now` go.
    Held {
        /// What.
        hold: Hold,
        /// Now.
        now: Timestamp,
    },
    /// A dividend, or the tax on one, was heard of.
    HeardDividend(Id, Row),
    /// A purchase used dividends.
    UsedDividend(Used),
    /// A configuration as it is now.
    Configuration(Box<Stored>),
    /// A version of one.
    ConfigurationVersion(Box<Version>),
    /// A configuration is removed; its versions stay.
    NoConfiguration(Id),
    /// The next free job number.
    NextJob(u64),
    /// A person agreed to a step; approvals that ended before `now` go.
    Approved {
        /// To what.
        approval: Approval,
        /// Now.
        now: Timestamp,
    },
    /// An approval is over.
    NotApproved(Isin, Side),
    /// Since when something is owed.
    OwedSince(Option<Timestamp>),
    /// The owner's settings as they are now.
    Settings(Box<SettingsSnapshot>),
}

/// What is known after a restart.
#[derive(Debug, Default)]
pub struct Rows {
    /// The newest context.
    pub context: Option<PlanContext>,
    /// Its plan, if it came to one.
    pub plan: Option<PlanProposed>,
    /// Requests whose statements stand.
    pub requests: Requests,
    /// Trades and holds.
    pub memory: Memory,
    /// Dividends, and what purchases used of them.
    pub dividends: Dividends,
    /// When emergency sales were asked for.
    pub rescued: Vec<Timestamp>,
    /// Planner configurations.
    pub book: Book,
    /// When each pair was asked to be exchanged last.
    pub exchanged: BTreeMap<Isin, Timestamp>,
    /// The next free job number.
    pub next_job: u64,
    /// What persons agreed to.
    pub approvals: Approvals,
    /// Since when something is owed.
    pub owed_since: Option<Timestamp>,
    /// The owner's settings as they were last heard.
    pub settings: Option<SettingsSnapshot>,
}

const JOB_COUNTER: &str = "job";

/// Reads everything.
///
/// # Errors
/// One sentence naming the table and what is wrong with it.
pub fn load(rows: &Connection) -> Result<Rows, String> {
    let failed = |table: &'static str| move |error: String| format!("table {table} cannot be read: {error}");
    let context = load_context(rows).map_err(failed("planning_context"))?;
    let requests = load_requests(rows).map_err(failed("request"))?;
    let plan = load_plan(rows, context.as_ref(), &requests).map_err(failed("plan"))?;
    Ok(Rows {
        plan,
        context,
        requests,
        memory: load_memory(rows).map_err(failed("traded or hold"))?,
        dividends: load_dividends(rows).map_err(failed("heard_dividend or used_dividend"))?,
        rescued: load_rescued(rows).map_err(failed("request"))?,
        book: load_book(rows).map_err(failed("planner_config"))?,
        exchanged: load_exchanged(rows).map_err(failed("request"))?,
        next_job: load_counter(rows).map_err(failed("counter"))?,
        approvals: load_approvals(rows).map_err(failed("approved_step"))?,
        owed_since: load_owed_since(rows).map_err(failed("owed_since"))?,
        settings: load_settings(rows).map_err(failed("heard_settings"))?,
    })
}

/// Writes one change.
///
/// # Errors
/// What SQLite says.
pub fn apply(rows: &Transaction<'_>, save: Save) -> rusqlite::Result<()> {
    match save {
        Save::Context(context) => save_context(rows, &context),
        Save::NoContext => run(rows, "DELETE FROM planning_context WHERE bucket_id = ?1", [CORE]),
        Save::Plan(plan) => save_plan(rows, &plan),
        Save::Asked(order) => run(
            rows,
            "INSERT INTO request (order_id, plan_id, created, body, stage, stage_since, cleared)
             VALUES (?1, ?2, ?3, ?4, 'asked', ?3, 0) ON CONFLICT DO NOTHING",
            (order.order_id.to_string(), order.plan_id.to_string(), order.at.ms(), json(&order)?),
        ),
        Save::Advanced(request) => run(
            rows,
            "UPDATE request SET stage = ?2, stage_since = ?3 WHERE order_id = ?1",
            (request.order_id.to_string(), stage_text(request.stage), request.since.ms()),
        ),
        Save::Cleared(id) => {
            run(rows, "UPDATE request SET cleared = 1 WHERE order_id = ?1", [id.to_string()])
        }
        Save::Traded(Traded { isin, side, mode, at }) => run(
            rows,
            "INSERT INTO traded (isin, side, mode, at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET at = excluded.at",
            (isin.to_string(), word(&side)?, word(&mode)?, at.ms()),
        ),
        Save::Held { hold, now } => {
            run(rows, "DELETE FROM hold WHERE until <= ?1", [now.ms()])?;
            run(
                rows,
                "INSERT INTO hold (scope, code, blocks, until) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET code = excluded.code, blocks = excluded.blocks, until = excluded.until",
                (hold.scope, hold.code, hold.blocks, hold.until.ms()),
            )
        }
        Save::HeardDividend(flow, Row { day, isin, eur_e4 }) => run(
            rows,
            "INSERT INTO heard_dividend (flow_id, isin, day, eur_e4) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET isin = excluded.isin, day = excluded.day, eur_e4 = excluded.eur_e4",
            (flow.to_string(), isin.to_string(), day.to_string(), eur_e4),
        ),
        Save::UsedDividend(Used { order_id, flow, used_e4 }) => run(
            rows,
            "INSERT INTO used_dividend (order_id, flow_id, used_e4) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET used_e4 = excluded.used_e4",
            (order_id.to_string(), flow.map_or_else(String::new, |id| id.to_string()), used_e4),
        ),
        Save::Configuration(stored) => run(
            rows,
            "INSERT INTO planner_config (config_id, name, bucket_id, version, hash, toml, created, updated)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (config_id) DO UPDATE SET name = excluded.name, bucket_id = excluded.bucket_id,
                 version = excluded.version, hash = excluded.hash, toml = excluded.toml, updated = excluded.updated",
            (
                stored.id.to_string(),
                &stored.name,
                &stored.bucket_id,
                stored.version,
                stored.configuration.hash(),
                stored.configuration.text(),
                stored.created.ms(),
                stored.updated.ms(),
            ),
        ),
        Save::ConfigurationVersion(version) => save_version(rows, &version),
        Save::NoConfiguration(id) => {
            run(rows, "DELETE FROM planner_config WHERE config_id = ?1", [id.to_string()])
        }
        Save::NextJob(next) => run(
            rows,
            "INSERT INTO counter (name, next) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET next = excluded.next",
            (JOB_COUNTER, i64::try_from(next).unwrap_or(i64::MAX)),
        ),
        Save::Approved { approval, now } => {
            run(rows, "DELETE FROM approved_step WHERE until <= ?1", [now.ms()])?;
            save_approval(rows, &approval)
        }
        Save::NotApproved(isin, side) => run(
            rows,
            "DELETE FROM approved_step WHERE isin = ?1 AND side = ?2",
            (isin.to_string(), word(&side)?),
        ),
        Save::OwedSince(None) => run(rows, "DELETE FROM owed_since", []),
        Save::OwedSince(Some(at)) => run(
            rows,
            "INSERT INTO owed_since (one, at) VALUES (1, ?1) ON CONFLICT DO UPDATE SET at = excluded.at",
            [at.ms()],
        ),
        Save::Settings(snapshot) => run(
            rows,
            "INSERT INTO heard_settings (one, body) VALUES (1, ?1)
             ON CONFLICT DO UPDATE SET body = excluded.body",
            [json(&snapshot)?],
        ),
    }
}

fn run(rows: &Transaction<'_>, sql: &str, values: impl rusqlite::Params) -> rusqlite::Result<()> {
    rows.prepare_cached(sql)?.execute(values).map(|_| ())
}

fn save_version(rows: &Transaction<'_>, version: &Version) -> rusqlite::Result<()> {
    let configuration = read(&version.toml).configuration;
    let Version { id, version, name, toml, actor, note, saved } = version;
    run(
        rows,
        "INSERT INTO planner_config_version (config_id, version, name, hash, toml, actor, note, saved)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        (id.to_string(), version, name, configuration.hash(), toml, actor, note, saved.ms()),
    )?;
    let oldest = i64::from(*version).saturating_sub(i64::try_from(VERSIONS_MAX).unwrap_or(i64::MAX));
    run(
        rows,
        "DELETE FROM planner_config_version WHERE config_id = ?1 AND version <= ?2",
        (id.to_string(), oldest),
    )
}

fn save_approval(rows: &Transaction<'_>, approval: &Approval) -> rusqlite::Result<()> {
    let Approval { isin, side, qty_e6, price_e6, ccy, plan_id, step, actor, until } = approval;
    run(
        rows,
        "INSERT INTO approved_step (isin, side, qty_e6, price_e6, ccy, plan_id, step, actor, until)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT DO UPDATE SET qty_e6 = excluded.qty_e6, price_e6 = excluded.price_e6, ccy = excluded.ccy,
             plan_id = excluded.plan_id, step = excluded.step, actor = excluded.actor, until = excluded.until",
        (
            isin.to_string(),
            word(side)?,
            qty_e6.e6(),
            price_e6.e6(),
            ccy.to_string(),
            plan_id.to_string(),
            step,
            actor,
            until.ms(),
        ),
    )
}

fn save_context(rows: &Transaction<'_>, context: &PlanContext) -> rusqlite::Result<()> {
    let body = rmp_serde::to_vec_named(context).map_err(|error| unwritable(error.to_string()))?;
    run(
        rows,
        "INSERT INTO planning_context (bucket_id, context_id, state_id, created, body) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET context_id = excluded.context_id, state_id = excluded.state_id,
             created = excluded.created, body = excluded.body",
        (&context.bucket_id, &context.context_id, &context.state_id, context.at.ms(), body),
    )
}

fn save_plan(rows: &Transaction<'_>, plan: &PlanProposed) -> rusqlite::Result<()> {
    let too_old = plan.at.saturating_minus_ms(PLANS_KEPT_MS).ms();
    run(rows, "DELETE FROM plan WHERE created < ?1", [too_old])?;
    run(
        rows,
        "INSERT INTO plan (plan_id, context_id, bucket_id, created, body) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET body = excluded.body",
        (plan.plan_id.to_string(), &plan.context_id, &plan.bucket_id, plan.at.ms(), json(plan)?),
    )
}

fn load_context(rows: &Connection) -> Result<Option<PlanContext>, String> {
    let body: Option<Vec<u8>> = rows
        .query_row("SELECT body FROM planning_context WHERE bucket_id = ?1", [CORE], |row| row.get(0))
        .optional()
        .map_err(|error| error.to_string())?;
    body.map(|body| rmp_serde::from_slice(&body).map_err(|error| error.to_string())).transpose()
}

/// The rescue whose order is open, else the plan of the context.
fn load_plan(
    rows: &Connection,
    context: Option<&PlanContext>,
    requests: &Requests,
) -> Result<Option<PlanProposed>, String> {
    let one = |query: &str, of: &str| -> Result<Option<PlanProposed>, String> {
        let body: Option<String> =
            rows.query_row(query, [of], |row| row.get(0)).optional().map_err(|error| error.to_string())?;
        body.map(|body| serde_json::from_str(&body).map_err(|error| error.to_string())).transpose()
    };
    // A rescue has no context. Few requests stand, so that the plans of a year are not looked through.
    let rescue = one(
        "SELECT body FROM plan WHERE context_id = ?1 AND plan_id IN
         (SELECT plan_id FROM request WHERE cleared = 0) ORDER BY created DESC LIMIT 1",
        "",
    )?;
    let is_open = |plan: &PlanProposed| {
        plan.steps.iter().any(|step| step.order_id.is_some_and(|id| !requests.has_ended(id)))
    };
    match (rescue.filter(is_open), context) {
        (Some(rescue), _) => Ok(Some(rescue)),
        (None, Some(context)) => {
            one("SELECT body FROM plan WHERE plan_id = ?1", &crate::choose::plan_id(context).to_string())
        }
        (None, None) => Ok(None),
    }
}

fn load_requests(rows: &Connection) -> Result<Requests, String> {
    let mut query = rows
        .prepare(
            "SELECT order_id, json_extract(body, '$.state_id'), stage, stage_since FROM request
             WHERE cleared = 0 ORDER BY order_id",
        )
        .map_err(|error| error.to_string())?;
    let found = query
        .query_map([], |row| {
            let words: [String; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
            Ok((words, row.get::<_, i64>(3)?))
        })
        .map_err(|error| error.to_string())?;
    let mut requests = Requests::default();
    for row in found {
        let ([order_id, state_id, stage], since) = row.map_err(|error| error.to_string())?;
        requests.add(Request {
            order_id: order_id.parse().map_err(|error: contracts::NotAnId| error.to_string())?,
            state_id,
            stage: stage_of(&stage).ok_or_else(|| format!("{stage} is no stage of a request"))?,
            since: Timestamp::from_ms(since),
        });
    }
    Ok(requests)
}

/// Rows of so many words and, last, a number.
fn words_and_number<const N: usize>(rows: &Connection, sql: &str) -> Result<Vec<([String; N], i64)>, String> {
    let read = || -> rusqlite::Result<Vec<_>> {
        let mut query = rows.prepare(sql)?;
        let mut found = query.query([])?;
        let mut all = Vec::new();
        while let Some(row) = found.next()? {
            let mut words = [const { String::new() }; N];
            for (at, word) in words.iter_mut().enumerate() {
                *word = row.get(at)?;
            }
            all.push((words, row.get(N)?));
        }
        Ok(all)
    };
    read().map_err(|error| error.to_string())
}

fn load_memory(rows: &Connection) -> Result<Memory, String> {
    let text = |error: rusqlite::Error| error.to_string();
    let mut memory = Memory::default();
    for ([isin, side, mode], at) in words_and_number(rows, "SELECT isin, side, mode, at FROM traded")? {
        memory.trade(Traded {
            isin: isin.parse().map_err(|error: market::IsinError| error.to_string())?,
            side: from_word(&side)?,
            mode: from_word(&mode)?,
            at: Timestamp::from_ms(at),
        });
    }
    let mut query = rows.prepare("SELECT scope, code, blocks, until FROM hold").map_err(text)?;
    let found = query
        .query_map([], |row| {
            let until = Timestamp::from_ms(row.get(3)?);
            Ok(Hold { scope: row.get(0)?, code: row.get(1)?, blocks: row.get(2)?, until })
        })
        .map_err(text)?;
    for hold in found {
        memory.hold(hold.map_err(text)?);
    }
    Ok(memory)
}

fn load_dividends(rows: &Connection) -> Result<Dividends, String> {
    let id = |word: &str| word.parse::<Id>().map_err(|error| error.to_string());
    let mut dividends = Dividends::default();
    for ([order, flow], used_e4) in
        words_and_number(rows, "SELECT order_id, flow_id, used_e4 FROM used_dividend")?
    {
        let flow = if flow.is_empty() { None } else { Some(id(&flow)?) };
        dividends.restore(Used { order_id: id(&order)?, flow, used_e4 });
    }
    for ([flow, isin, day], eur_e4) in
        words_and_number(rows, "SELECT flow_id, isin, day, eur_e4 FROM heard_dividend")?
    {
        let isin = isin.parse().map_err(|error: market::IsinError| error.to_string())?;
        let day = day.parse().map_err(|error: market::DayError| error.to_string())?;
        dividends.restore_row(id(&flow)?, Row { day, isin, eur_e4 });
    }
    Ok(dividends)
}

fn load_book(rows: &Connection) -> Result<Book, String> {
    let text = |error: rusqlite::Error| error.to_string();
    let id = |word: String| word.parse::<Id>().map_err(|error| error.to_string());
    let mut book = Book::default();
    let mut query = rows
        .prepare("SELECT config_id, name, toml, bucket_id, version, created, updated FROM planner_config")
        .map_err(text)?;
    let found = query
        .query_map([], |row| {
            let words: [String; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
            Ok((words, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?))
        })
        .map_err(text)?;
    for row in found {
        let ([config_id, name, toml], bucket_id, version, created, updated) = row.map_err(text)?;
        let read = read(&toml);
        if let Some(error) = read.errors().first() {
            return Err(format!("configuration {name} is not valid any more: {error}"));
        }
        book.put(Stored {
            id: id(config_id)?,
            name,
            bucket_id,
            configuration: read.configuration,
            version,
            created: Timestamp::from_ms(created),
            updated: Timestamp::from_ms(updated),
        });
    }
    let mut query = rows
        .prepare(
            "SELECT v.config_id, v.name, v.toml, v.actor, v.note, v.version, v.saved
             FROM planner_config_version v JOIN planner_config USING (config_id)",
        )
        .map_err(text)?;
    let found = query
        .query_map([], |row| {
            let words: [String; 5] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?];
            Ok((words, row.get(5)?, row.get(6)?))
        })
        .map_err(text)?;
    for row in found {
        let ([config_id, name, toml, actor, note], version, saved) = row.map_err(text)?;
        let saved = Timestamp::from_ms(saved);
        book.put_version(Version { id: id(config_id)?, version, name, toml, actor, note, saved });
    }
    Ok(book)
}

/// The latest emergency sales: more than a day can hold.
fn load_rescued(rows: &Connection) -> Result<Vec<Timestamp>, String> {
    let text = |error: rusqlite::Error| error.to_string();
    let mut query = rows
        .prepare(
            "SELECT created FROM request WHERE json_extract(body, '$.kind') = 'emergency'
             AND json_extract(body, '$.isin') NOT LIKE 'XF%' ORDER BY created DESC LIMIT 10",
        )
        .map_err(text)?;
    let found = query.query_map([], |row| Ok(Timestamp::from_ms(row.get(0)?))).map_err(text)?;
    found.collect::<Result<_, _>>().map_err(text)
}

/// The last exchange asked for of each pair.
fn load_exchanged(rows: &Connection) -> Result<BTreeMap<Isin, Timestamp>, String> {
    let text = |error: rusqlite::Error| error.to_string();
    let mut query = rows
        .prepare(
            "SELECT json_extract(body, '$.isin') AS isin, max(created) FROM request WHERE isin LIKE 'XF%'
             GROUP BY isin",
        )
        .map_err(text)?;
    let found = query
        .query_map([], |row| Ok((row.get::<_, String>(0)?, Timestamp::from_ms(row.get(1)?))))
        .map_err(text)?;
    let mut last = BTreeMap::new();
    for row in found {
        let (isin, at) = row.map_err(text)?;
        last.insert(isin.parse().map_err(|error: market::IsinError| error.to_string())?, at);
    }
    Ok(last)
}

fn load_approvals(rows: &Connection) -> Result<Approvals, String> {
    let text = |error: rusqlite::Error| error.to_string();
    let mut query = rows
        .prepare("SELECT isin, side, ccy, plan_id, actor, qty_e6, price_e6, step, until FROM approved_step")
        .map_err(text)?;
    let found = query
        .query_map([], |row| {
            let words: [String; 5] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?];
            let numbers: [i64; 2] = [row.get(5)?, row.get(6)?];
            Ok((words, numbers, row.get(7)?, Timestamp::from_ms(row.get(8)?)))
        })
        .map_err(text)?;
    let mut approvals = Approvals::default();
    for row in found {
        let ([isin, side, ccy, plan_id, actor], [qty_e6, price_e6], step, until) = row.map_err(text)?;
        approvals.add(Approval {
            isin: isin.parse().map_err(|error: market::IsinError| error.to_string())?,
            side: from_word(&side)?,
            qty_e6: Quantity::from_e6(qty_e6).map_err(|error| error.to_string())?,
            price_e6: Price::from_e6(price_e6).map_err(|error| error.to_string())?,
            ccy: ccy.parse().map_err(|_| format!("{ccy} is no currency"))?,
            plan_id: plan_id.parse().map_err(|error: contracts::NotAnId| error.to_string())?,
            step,
            actor,
            until,
        });
    }
    Ok(approvals)
}

fn load_owed_since(rows: &Connection) -> Result<Option<Timestamp>, String> {
    let at = rows.query_row("SELECT at FROM owed_since", [], |row| row.get(0)).optional();
    at.map(|at| at.map(Timestamp::from_ms)).map_err(|error| error.to_string())
}

fn load_settings(rows: &Connection) -> Result<Option<SettingsSnapshot>, String> {
    let body: Option<String> = rows
        .query_row("SELECT body FROM heard_settings", [], |row| row.get(0))
        .optional()
        .map_err(|error| error.to_string())?;
    body.map(|body| serde_json::from_str(&body).map_err(|error| error.to_string())).transpose()
}

fn load_counter(rows: &Connection) -> Result<u64, String> {
    let next: Option<i64> = rows
        .query_row("SELECT next FROM counter WHERE name = ?1", [JOB_COUNTER], |row| row.get(0))
        .optional()
        .map_err(|error| error.to_string())?;
    u64::try_from(next.unwrap_or(1)).map_err(|_| "a counter is never negative".to_string())
}

const STAGES: [(Stage, &str); 4] = [
    (Stage::Asked, "asked"),
    (Stage::Approved, "approved"),
    (Stage::Placed, "placed"),
    (Stage::Ended, "ended"),
];

fn stage_text(stage: Stage) -> &'static str {
    STAGES.iter().find(|(known, _)| *known == stage).map_or("ended", |(_, text)| text)
}

fn stage_of(text: &str) -> Option<Stage> {
    STAGES.iter().find(|(_, known)| *known == text).map(|(stage, _)| *stage)
}

fn json<T: Serialize>(body: &T) -> rusqlite::Result<String> {
    serde_json::to_string(body).map_err(|error| unwritable(error.to_string()))
}

/// The one word that an enum has in messages.
fn word<T: Serialize>(value: &T) -> rusqlite::Result<String> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        _ => Err(unwritable("a value has no word".into())),
    }
}

fn from_word<T: DeserializeOwned>(word: &str) -> Result<T, String> {
    serde_json::from_value(serde_json::Value::String(word.into())).map_err(|error| error.to_string())
}

fn unwritable(why: String) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(why.into())
}
