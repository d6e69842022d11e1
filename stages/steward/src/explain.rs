//! `steward explain`: collects what the stores and the bus know about one order; a security is `explain_security`'s.
//!
//! Only the `api_*` views are read. Their columns are taken by name, so that a view may grow.

use bus_client::{Config, Place, open_for_reading};
use contracts::{
    CheckEvidence, Id, OrderApproved, OrderRefused, OrderRequested, OrderState, SecurityScore, TargetWeights,
    TopicId, Universe, receive,
};
use market::Timestamp;
use money::{Currency, Money, Price, Quantity};
use rusqlite::{Connection, types::ValueRef};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::{
    Fault,
    bus::{self, Message},
    chain::{self, Booking, Chain, Verdict},
    cli::ExplainOptions,
    explain_security, print,
};

/// Rows taken of one view.
const ROWS_MAX: usize = 1_000;

const TOPICS: [TopicId; 7] = [
    TopicId::MarketUniverse,
    TopicId::ScoreSecurity,
    TopicId::TargetWeights,
    TopicId::OrderRequested,
    TopicId::OrderApproved,
    TopicId::OrderRefused,
    TopicId::OrderState,
];

/// Runs the command; the exit code.
///
/// # Errors
/// When there is no such order.
pub async fn run(options: &ExplainOptions) -> Result<u8, Fault> {
    let config = options.place.read()?;
    if let Ok(isin) = options.order.parse() {
        return explain_security::run(&config, isin, options.json).await;
    }
    let said = bus::kept(&config, &TOPICS).await;
    if let Err(fault) = &said {
        print::note(&format!("The bus is not used: {fault}"));
    }
    let chain = collect(&config, &options.order, &said.unwrap_or_default())?;
    let links = chain::links(&chain);
    if options.json {
        print::json(&json!({ "order_id": chain.order_id, "links": links, "numbers": chain }));
        return Ok(0);
    }
    chain::story(&chain).iter().for_each(|line| print::data(line));
    Ok(0)
}

/// Puts together what stores and messages say about one order; `latest` is the last one asked for.
///
/// # Errors
/// When nothing anywhere knows it.
pub fn collect(config: &Config, wanted: &str, said: &[Message]) -> Result<Chain, Fault> {
    let plans = store(config, "plans");
    let id = match wanted {
        "latest" => latest(plans.as_ref(), said)?,
        text => text
            .parse::<Id>()
            .map_err(|error| Fault::Refused(format!("{error}; or say `latest`, or an ISIN")))?
            .to_string(),
    };
    let mut chain = Chain { order_id: id.clone(), ..Chain::default() };
    from_stores(config, plans.as_ref(), &mut chain);
    from_messages(said, &mut chain);
    if let (None, Some(plans), Some(request)) = (&chain.plan, &plans, &chain.request) {
        chain.plan = first_body(rows(plans, "api_plan", "plan_id", &request.plan_id.to_string()));
    }
    let nothing = chain.request.is_none()
        && chain.order.is_none()
        && chain.approval.is_none()
        && chain.verdicts.is_empty();
    if nothing {
        return Err(Fault::Refused(format!(
            "no order {id} is known in {} or on the bus; look at `steward watch` for its id, or say `latest`",
            config.stores().display()
        )));
    }
    Ok(chain)
}

fn from_stores(config: &Config, plans: Option<&Connection>, chain: &mut Chain) {
    let id = chain.order_id.clone();
    chain.request = plans.and_then(|plans| first_body(rows(plans, "api_request", "order_id", &id)));
    if let Some(risk) = store(config, "risk") {
        let terms = rows(&risk, "api_approval", "order_id", &id);
        chain.approval = terms.iter().find_map(|row| serde_json::from_str(row.get("terms")?.as_str()?).ok());
        chain.verdicts = rows(&risk, "api_verdict", "order_id", &id).iter().filter_map(verdict).collect();
        chain.verdicts.sort_by_key(|verdict| verdict.at);
    }
    if let Some(orders) = store(config, "orders") {
        chain.order = first_body(rows(&orders, "api_order", "order_id", &id));
    }
    if let Some(ledger) = store(config, "ledger") {
        // An order is booked in the account or on paper, never in both.
        let fills = ["api_fill", "api_paper_fill"].map(|view| rows(&ledger, view, "order_id", &id)).concat();
        chain.bookings = fills.iter().map(booking).collect();
    }
}

fn from_messages(said: &[Message], chain: &mut Chain) {
    let about = |topic: TopicId, key: &str| {
        let found = said.iter().rev().find(|message| {
            message.address.as_ref().is_some_and(|address| address.topic == topic && address.key == key)
        });
        found.map(|message| message.payload.as_slice()).unwrap_or_default()
    };
    let id = chain.order_id.clone();
    let request = || receive::<OrderRequested>(&id, about(TopicId::OrderRequested, &id)).ok()?.body;
    chain.request = chain.request.take().or_else(request);
    let approval =
        receive::<OrderApproved>(&id, about(TopicId::OrderApproved, &id)).ok().and_then(|one| one.body);
    chain.approval = approval.or(chain.approval.take());
    let order = receive::<OrderState>(&id, about(TopicId::OrderState, &id)).ok().and_then(|one| one.body);
    chain.order = order.or(chain.order.take());
    if chain.verdicts.is_empty() {
        let refusal =
            receive::<OrderRefused>(&id, about(TopicId::OrderRefused, &id)).ok().and_then(|one| one.body);
        chain.verdicts = refusal.into_iter().map(refused).chain(chain.approval.iter().map(passed)).collect();
    }
    chain.targets =
        receive::<TargetWeights>("", about(TopicId::TargetWeights, "")).ok().and_then(|one| one.body);
    let Some(isin) = chain.request.as_ref().map(|one| one.isin).or(chain.order.as_ref().map(|one| one.isin))
    else {
        return;
    };
    let key = isin.to_string();
    chain.score =
        receive::<SecurityScore>(&key, about(TopicId::ScoreSecurity, &key)).ok().and_then(|one| one.body);
    let universe = receive::<Universe>("", about(TopicId::MarketUniverse, "")).ok().and_then(|one| one.body);
    chain.name = universe.and_then(|universe| universe.find(&isin).map(|one| one.name.clone()));
}

fn refused(refusal: OrderRefused) -> Verdict {
    let decision =
        serde_json::to_value(refusal.decision).ok().and_then(|word| word.as_str().map(str::to_string));
    Verdict {
        at: refusal.at,
        decision: decision.unwrap_or_else(|| "refuse".into()),
        code: Some(refusal.code),
        checks: refusal.checks,
        earliest: refusal.earliest,
    }
}

fn passed(approval: &OrderApproved) -> Verdict {
    Verdict {
        at: approval.issued,
        decision: "approve".into(),
        code: None,
        checks: approval.checks.clone(),
        earliest: None,
    }
}

fn latest(plans: Option<&Connection>, said: &[Message]) -> Result<String, Fault> {
    let stored = plans.and_then(|plans| {
        plans
            .query_row(
                "SELECT order_id FROM api_request ORDER BY ts DESC, order_id DESC LIMIT 1",
                [],
                |row| row.get(0),
            )
            .ok()
    });
    // Ids begin with their time, so the largest is the newest.
    let heard = said
        .iter()
        .filter_map(|message| message.address.as_ref())
        .filter(|address| address.topic == TopicId::OrderRequested)
        .map(|address| address.key.clone())
        .max();
    stored.or(heard).ok_or_else(|| {
        Fault::Refused("no order has been asked for yet; `steward watch` shows the present plan".into())
    })
}

/// A store opened for reading; `None` while it does not exist.
fn store(config: &Config, name: &str) -> Option<Connection> {
    open_for_reading(&Place::File(config.store_file(name))).ok()
}

type Row = Map<String, Value>;

/// The rows of a view with one value in one column; none when the view does not exist.
fn rows(store: &Connection, view: &str, column: &str, value: &str) -> Vec<Row> {
    let read = || -> rusqlite::Result<Vec<Row>> {
        let mut query =
            store.prepare(&format!("SELECT * FROM {view} WHERE {column} = ?1 LIMIT {ROWS_MAX}"))?;
        let names: Vec<String> = query.column_names().into_iter().map(str::to_string).collect();
        let found = query.query_map([value], |row| {
            names
                .iter()
                .enumerate()
                .map(|(index, name)| Ok((name.clone(), plain(row.get_ref(index)?))))
                .collect()
        })?;
        found.collect()
    };
    read().unwrap_or_default()
}

fn plain(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned().into(),
        ValueRef::Blob(bytes) => format!("{} bytes", bytes.len()).into(),
    }
}

/// The `body` of the first row, understood.
fn first_body<T: DeserializeOwned>(rows: Vec<Row>) -> Option<T> {
    rows.iter().find_map(|row| serde_json::from_str(row.get("body")?.as_str()?).ok())
}

fn verdict(row: &Row) -> Option<Verdict> {
    let word = |name: &str| row.get(name).and_then(Value::as_str).map(str::to_string);
    let checks: Vec<CheckEvidence> =
        word("checks").and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    Some(Verdict {
        at: Timestamp::from_ms(row.get("ts")?.as_i64()?),
        decision: word("decision")?,
        code: word("code").filter(|code| !code.is_empty()),
        checks,
        earliest: row.get("earliest").and_then(Value::as_i64).map(Timestamp::from_ms),
    })
}

fn booking(row: &Row) -> Booking {
    let whole = |name: &str| row.get(name).and_then(Value::as_i64);
    let word = |name: &str| row.get(name).and_then(Value::as_str).map(str::to_string);
    let ccy: Option<Currency> = word("ccy").and_then(|text| text.parse().ok());
    // A fee without a currency of its own is in that of the trade.
    let fee_ccy = word("fee_ccy").and_then(|text| text.parse().ok()).or(ccy);
    Booking {
        fill_id: word("fill_id").or_else(|| word("trade_id")).unwrap_or_default(),
        qty_e6: whole("qty").and_then(|qty| Quantity::from_e6(qty).ok()),
        price_e6: whole("price").and_then(|price| Price::from_e6(price).ok()),
        ccy,
        fee: whole("fee").zip(fee_ccy).map(|(fee, ccy)| Money::from_e4(fee, ccy)),
        value_eur: whole("value_eur").map(|value| Money::from_e4(value, Currency::EUR)),
        executed: whole("executed").map(Timestamp::from_ms),
        bucket_id: word("bucket_id"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::{fs, path::Path};

    use contracts::{PlanProposed, Sample};

    use super::*;

    fn config(dir: &Path) -> Config {
        fs::create_dir_all(dir.join("stores")).unwrap();
        Config::parse("environment = \"sim:1\"", &dir.join("steward.toml")).unwrap()
    }

    fn fill(config: &Config, name: &str, sql: &str) {
        Connection::open(config.store_file(name)).unwrap().execute_batch(sql).unwrap();
    }

    fn filled(dir: &Path) -> (Config, String) {
        let config = config(dir);
        let request = OrderRequested::sample();
        let (id, plan) =
            (request.order_id, PlanProposed { plan_id: request.plan_id, ..PlanProposed::sample() });
        let json = |value: &dyn erased::Json| value.text().replace('\'', "''");
        fill(
            &config,
            "plans",
            &format!(
                "CREATE TABLE api_request (order_id, plan_id, ts, body);
                 CREATE TABLE api_plan (plan_id, ts, body);
                 INSERT INTO api_request VALUES ('{id}', '{}', 5, '{}');
                 INSERT INTO api_plan VALUES ('{}', 5, '{}');",
                plan.plan_id,
                json(&request),
                plan.plan_id,
                json(&plan)
            ),
        );
        fill(
            &config,
            "risk",
            &format!(
                "CREATE TABLE api_verdict (order_id, ts, decision, code, checks);
                 INSERT INTO api_verdict VALUES ('{id}', 5, 'approve', NULL, '{}');",
                json(&vec![CheckEvidence::sample()])
            ),
        );
        fill(
            &config,
            "ledger",
            &format!(
                "CREATE TABLE api_fill (fill_id, order_id, qty, price, ccy, fee, value_eur, executed, bucket_id);
                 INSERT INTO api_fill VALUES ('f', '{id}', 12000000, 88050000, 'EUR', 21000, NULL, 5, 'core');"
            ),
        );
        (config, id.to_string())
    }

    /// Anything as JSON text.
    mod erased {
        pub trait Json {
            fn text(&self) -> String;
        }
        impl<T: serde::Serialize> Json for T {
            fn text(&self) -> String {
                serde_json::to_string(self).unwrap()
            }
        }
    }

    #[test]
    fn stores_alone_are_enough() {
        let dir = tempfile::tempdir().unwrap();
        let (config, id) = filled(dir.path());
        for wanted in [id.as_str(), "latest"] {
            let chain = collect(&config, wanted, &[]).unwrap();
            assert_eq!(chain.order_id, id);
            assert!(chain.request.is_some() && chain.plan.is_some());
            assert_eq!(chain.verdicts[0].checks.len(), 1);
            assert_eq!(chain.bookings[0].fee.unwrap().to_string(), "2.10 EUR");
            assert_eq!(chain.bookings[0].value_eur, None);
        }
    }

    #[test]
    fn an_unknown_order_is_a_sentence() {
        let dir = tempfile::tempdir().unwrap();
        let (config, _) = filled(dir.path());
        let other = Id::derive(Timestamp::ZERO, &["other"]).to_string();
        let sentence = collect(&config, &other, &[]).unwrap_err().to_string();
        assert!(sentence.contains(&other) && sentence.contains("latest"), "{sentence}");
        assert!(collect(&config, "hello", &[]).unwrap_err().to_string().contains("`hello` is not an id"));
    }

    #[test]
    fn without_any_store_nothing_has_been_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let sentence = collect(&config(dir.path()), "latest", &[]).unwrap_err().to_string();
        assert!(sentence.contains("no order has been asked for yet"), "{sentence}");
        assert!(!dir.path().join("stores/plans.db").exists(), "reading must not create a store");
    }
}
