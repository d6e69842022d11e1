//! `steward universe`: what is watched, what providers say of it, and the owner's changes. Changes are requests to ingest.

use std::{collections::BTreeMap, time::Duration};

use bus_client::{Config, Place as Store, open_for_reading};
use contracts::{
    Corrected, Finite, IngestRun, JobRun, SecurityAdd, SecurityDeactivate, SecurityUpdate, TopicId, receive,
};
use market::Isin;
use money::{Price, Weight};
use serde_json::{Map, Value, json};
use tokio::time::{Instant, timeout_at};

use crate::{
    Fault,
    bus::{self, Bus, Event, Message},
    cli::Place,
    print,
};

mod words;

pub use words::Question;
use words::{Add, Deactivate, Refresh, Set, Switch};

const INGEST: &str = "ingest";
/// The longest that `--wait` waits for the data of a new security.
const WAIT_MAX: Duration = Duration::from_secs(600);

/// Runs the command; the exit code.
///
/// # Errors
/// When nobody answers or the store cannot be read.
pub async fn run(place: &Place, question: &Question) -> Result<u8, Fault> {
    let config = place.read()?;
    match question {
        Question::List { all, json } => list(&config, *all, *json),
        Question::Show { security, json } => show(&config, security, *json),
        Question::Add(add) => added(&config, add).await,
        Question::Set(set) => {
            let update = update(&config, set)?;
            let reply = bus::ask(&config, INGEST, update).await?;
            Ok(print::answer(&reply, set.json))
        }
        Question::Deactivate(Deactivate { security, text, force, json }) => {
            let isin = isin_of(&config, security)?;
            let text = text.clone().unwrap_or_else(|| "Taken out at the command line.".into());
            let reply = bus::ask(
                &config,
                INGEST,
                SecurityDeactivate { actor: bus::NAME.into(), isin, text, force: *force },
            )
            .await?;
            Ok(print::answer(&reply, *json))
        }
        Question::Refresh(Refresh { security, json }) => {
            let isin = security.as_deref().map(|security| isin_of(&config, security)).transpose()?;
            let reply = bus::ask(&config, INGEST, IngestRun { actor: bus::NAME.into(), isin }).await?;
            Ok(print::answer(&reply, *json))
        }
    }
}

async fn added(config: &Config, add: &Add) -> Result<u8, Fault> {
    let topics = [TopicId::Reply, TopicId::SystemJob];
    let mut bus = Bus::connect(config, bus::topics(config, &topics)).await?;
    let ask = SecurityAdd { actor: bus::NAME.into(), identifier: add.identifier.clone(), mic: add.mic };
    let reply = bus.ask(INGEST, ask).await?;
    let code = print::answer(&reply, add.json);
    if code == 0 && add.wait {
        follow(&mut bus).await;
    }
    bus.close().await;
    Ok(code)
}

/// Shows how far the reading of history has come, until it ends.
async fn follow(bus: &mut Bus) {
    let deadline = Instant::now() + WAIT_MAX;
    let mut began = false;
    while let Ok(event) = timeout_at(deadline, bus.next()).await {
        let Event::Message(Message { address: Some(address), payload, .. }) = event else { continue };
        if address.topic != TopicId::SystemJob {
            continue;
        }
        let Some(run) = receive::<JobRun>(&address.key, &payload).ok().and_then(|heard| heard.body) else {
            continue;
        };
        if run.stage != INGEST || run.job != "history" {
            continue;
        }
        began |= run.ended.is_none();
        if began {
            print::note(&format!("history: {} of {} securities; {}", run.done, run.total, run.text));
        }
        if began && run.ended.is_some() {
            return;
        }
    }
    print::note("History is still being read; `steward universe show` tells how far it has come.");
}

fn update(config: &Config, set: &Set) -> Result<SecurityUpdate, Fault> {
    let weight = |name: &str, percent: Option<f64>| {
        let share = percent.map(|percent| Weight::from_f64(percent / 100.0));
        share.transpose().map_err(|_| Fault::Refused(format!("{name} must be a percentage")))
    };
    let priority = set.priority.map(|number| {
        Finite::new(number).ok_or_else(|| Fault::Refused("--priority must be a number".into()))
    });
    let correction = |text: &String| (!text.is_empty()).then(|| text.clone());
    let corrections: BTreeMap<Corrected, Option<String>> = [
        (Corrected::Name, &set.name),
        (Corrected::Country, &set.country),
        (Corrected::Industry, &set.industry),
        (Corrected::ProductType, &set.product_type),
        (Corrected::YahooSymbol, &set.yahoo_symbol),
    ]
    .into_iter()
    .filter_map(|(field, value)| Some((field, correction(value.as_ref()?))))
    .collect();
    Ok(SecurityUpdate {
        active: set.active.map(Switch::is_on),
        allow_buy: set.buy.map(Switch::is_on),
        allow_sell: set.sell.map(Switch::is_on),
        priority: priority.transpose()?,
        min_weight_e6: weight("--min", set.min)?,
        max_weight_e6: weight("--max", set.max)?,
        marked_for_exit: set.exit.map(Switch::is_on),
        corrections,
        ..SecurityUpdate::of(bus::NAME, isin_of(config, &set.security)?)
    })
}

fn store(config: &Config) -> Result<rusqlite::Connection, Fault> {
    let file = config.store_file("market");
    open_for_reading(&Store::File(file)).map_err(|error| Fault::System(error.to_string()))
}

/// Rows of a view as JSON, columns by their names.
fn rows(config: &Config, sql: &str, key: &str) -> Result<Vec<Map<String, Value>>, Fault> {
    let unreadable =
        |error: rusqlite::Error| Fault::System(format!("the store `market` cannot be read: {error}"));
    let store = store(config)?;
    let mut query = store.prepare(sql).map_err(unreadable)?;
    let names: Vec<String> = query.column_names().iter().map(ToString::to_string).collect();
    let found = query.query_map([key], |row| {
        let cell = |place: usize| -> rusqlite::Result<Value> {
            use rusqlite::types::ValueRef as V;
            Ok(match row.get_ref(place)? {
                V::Null | V::Blob(_) => Value::Null,
                V::Integer(number) => number.into(),
                V::Real(number) => json!(number),
                V::Text(text) => String::from_utf8_lossy(text).into(),
            })
        };
        names.iter().enumerate().map(|(place, name)| Ok((name.clone(), cell(place)?))).collect()
    });
    found.and_then(Iterator::collect).map_err(unreadable)
}

/// An ISIN, or that of the security with this ticker.
fn isin_of(config: &Config, text: &str) -> Result<Isin, Fault> {
    if let Ok(isin) = text.to_uppercase().parse() {
        return Ok(isin);
    }
    let found = rows(config, "SELECT isin FROM api_universe WHERE upper(symbol) = upper(?1)", text)?;
    let isin = found.first().and_then(|row| row["isin"].as_str()?.parse().ok());
    isin.ok_or_else(|| {
        Fault::Refused(format!(
            "`{text}` is neither an ISIN nor a ticker of the universe; see `steward universe list --all`"
        ))
    })
}

const LIST: &str = "SELECT u.isin, u.symbol, u.name, u.mic, u.currency, u.country, u.product_type, u.active,
    u.allow_buy, u.allow_sell, u.status, u.priority_multiplier, u.min_target, u.max_target, u.marked_for_exit,
    (SELECT count(*) FROM api_bar b WHERE b.isin = u.isin) AS bars,
    (SELECT max(day) FROM api_bar b WHERE b.isin = u.isin) AS last_day
    FROM api_universe u WHERE u.active = 1 OR ?1 = 'all' ORDER BY u.symbol";

fn list(config: &Config, all: bool, as_json: bool) -> Result<u8, Fault> {
    let found = rows(config, LIST, if all { "all" } else { "active" })?;
    if as_json {
        print::json(&found);
        return Ok(0);
    }
    print::data(&format!(
        "{:<15} {:<12} {:<32} {:<4} {:<3} {:<5} {:<9} {:>6}  last day",
        "TICKER", "ISIN", "NAME", "MIC", "CCY", "TYPE", "ALLOWED", "BARS"
    ));
    for row in &found {
        let text = |name: &str| row[name].as_str().unwrap_or("-").to_owned();
        let on = |name: &str| row[name].as_i64() == Some(1);
        let allowed = match (on("active"), on("allow_buy"), on("allow_sell")) {
            (false, ..) => "inactive",
            (_, true, true) => "buy+sell",
            (_, true, false) => "buy",
            (_, false, true) => "sell",
            (_, false, false) => "watch",
        };
        let name: String = text("name").chars().take(32).collect();
        print::data(&format!(
            "{:<15} {:<12} {name:<32} {:<4} {:<3} {:<5} {allowed:<9} {:>6}  {}",
            text("symbol"),
            text("isin"),
            text("mic"),
            text("currency"),
            text("product_type"),
            row["bars"].as_i64().unwrap_or(0),
            text("last_day"),
        ));
    }
    print::note(&format!("{} securities", found.len()));
    Ok(0)
}

fn show(config: &Config, security: &str, as_json: bool) -> Result<u8, Fault> {
    let isin = isin_of(config, security)?;
    let read = |sql: &str| rows(config, sql, isin.as_str());
    let found = read("SELECT * FROM api_universe WHERE isin = ?1")?;
    let Some(universe) = found.into_iter().next() else {
        return Err(Fault::Refused(format!(
            "{isin} is not in the universe; see `steward universe list --all`"
        )));
    };
    let figures =
        read("SELECT field, value, as_of, source FROM api_fundamental WHERE isin = ?1 ORDER BY field")?;
    let facts =
        read("SELECT field, source, value, as_of FROM api_fact WHERE isin = ?1 ORDER BY field, source")?;
    let actions = read("SELECT * FROM api_action WHERE isin = ?1 ORDER BY ex_day DESC LIMIT 8")?;
    let bars = read(
        "SELECT min(day) AS first, max(day) AS last, count(*) AS bars,
             (SELECT close FROM api_bar WHERE isin = ?1 ORDER BY day DESC LIMIT 1) AS close
         FROM api_bar WHERE isin = ?1",
    )?;
    let doubtful =
        read("SELECT day, source, close, reason FROM api_quarantine WHERE isin = ?1 ORDER BY day")?;
    if as_json {
        print::json(&json!({ "security": universe, "bars": bars.first(), "figures": figures, "facts": facts,
            "actions": actions, "doubtful": doubtful }));
        return Ok(0);
    }
    for (name, value) in &universe {
        if !value.is_null() {
            print::data(&format!("{name:<22} {}", shown(value)));
        }
    }
    if let Some(bars) = bars.first() {
        let close = bars["close"].as_i64().and_then(|e6| Price::from_e6(e6).ok());
        let close = close.map_or_else(|| "unknown".into(), |close| close.to_string());
        print::data(&format!(
            "{:<22} {} from {} to {}, last close {close}",
            "bars",
            shown(&bars["bars"]),
            shown(&bars["first"]),
            shown(&bars["last"])
        ));
    }
    let known = figures.iter().filter(|row| !row["value"].is_null());
    for row in known {
        print::data(&format!(
            "{:<22} {} ({})",
            shown(&row["field"]),
            shown(&row["value"]),
            shown(&row["source"])
        ));
    }
    for row in &facts {
        print::data(&format!(
            "{:<22} {} ({})",
            shown(&row["field"]),
            shown(&row["value"]),
            shown(&row["source"])
        ));
    }
    for row in &actions {
        let ratio = row["ratio_num"].as_i64().map(|new| format!(" {new}:{}", shown(&row["ratio_den"])));
        let amount =
            row["amount"].as_i64().and_then(|e6| Price::from_e6(e6).ok()).map(|price| format!(" {price}"));
        let what = ratio.or(amount).unwrap_or_default();
        print::data(&format!("{:<22} {}{what}", shown(&row["ex_day"]), shown(&row["kind"])));
    }
    for row in &doubtful {
        print::note(&format!("The close of {} is set apart: {}.", shown(&row["day"]), shown(&row["reason"])));
    }
    Ok(0)
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "unknown".into(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
