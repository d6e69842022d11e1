//! `steward performance`: how the fund did, what earned it, how much was traded, and what it consists of.
//!
//! Reads the views `api_performance`, `api_attribution`, `api_turnover` and `api_composition` of the store `ledger`, which
//! `portfolio` writes at each end of a day, and names from `api_universe` of `market`; no bus is needed. In research mode
//! it is the paper ledger that is the fund, and its figures stand apart; of it neither what earned
//! it nor what was traded is kept.

use std::collections::BTreeMap;

use bus_client::{Config, Place, open_for_reading};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::{Fault, cli::DataOptions, print};

/// Securities shown per side, best and worst.
const SHOWN: usize = 5;
/// What each figure is called, and whether it is a share.
const FIGURES: [(&str, &str, Form); 11] = [
    ("twr", "Return, flows taken out", Form::Share),
    ("xirr", "Return on the money, a year", Form::Share),
    ("annual_return", "Return, a year", Form::Share),
    ("volatility", "Volatility, a year", Form::Share),
    ("max_drawdown", "Deepest fall", Form::Share),
    ("sharpe", "Sharpe ratio", Form::Ratio),
    ("sortino", "Sortino ratio", Form::Ratio),
    ("calmar", "Calmar ratio", Form::Ratio),
    ("gain", "Gain in EUR", Form::Euro),
    ("net_flow", "Paid in, EUR", Form::Euro),
    ("suspect_days", "Days beyond 15 %", Form::Count),
];

#[derive(Debug, Clone, Copy)]
enum Form {
    Share,
    Ratio,
    Euro,
    Count,
}

/// One row of a view.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    mode: String,
    period: String,
    name: String,
    part: String,
    value: Option<f64>,
    first: Option<String>,
    last: String,
}

/// Runs the command; the exit code.
///
/// # Errors
/// When no day has ended yet, or the books cannot be read.
pub fn run(options: &DataOptions) -> Result<u8, Fault> {
    let config = options.place.read()?;
    let tables = Tables::read(&config)?;
    if options.json {
        print::json(&tables.json());
        return Ok(0);
    }
    let names = names(&config);
    tables.lines(&names).iter().for_each(|line| print::data(line));
    Ok(0)
}

#[derive(Debug, Default)]
struct Tables {
    performance: Vec<Row>,
    attribution: Vec<Row>,
    turnover: Vec<Row>,
    composition: Vec<Row>,
}

impl Tables {
    fn read(config: &Config) -> Result<Tables, Fault> {
        let nothing = |why: String| {
            Fault::Refused(format!(
                "there are no figures yet: {why}; they come with the first end of a day, if `steward-portfolio` is running"
            ))
        };
        let store = open(config, "ledger").map_err(nothing)?;
        let read = |sql: &str| rows(&store, sql).map_err(|error| nothing(error.to_string()));
        let tables = Tables {
            performance: read(
                "SELECT mode, period, figure, '', value, first_day, last_day FROM api_performance ORDER BY 1, 2, 3",
            )?,
            attribution: read(
                "SELECT mode, period, name, part, contribution, first_day, last_day FROM api_attribution ORDER BY 1, 2, 3, 4",
            )?,
            turnover: read(
                "SELECT mode, '', figure, '', value, first_day, last_day FROM api_turnover ORDER BY 1, 3",
            )?,
            composition: read(
                "SELECT mode, '', \"by\", name, share, NULL, last_day FROM api_composition ORDER BY 1, 3, 5 DESC, 4",
            )?,
        };
        if tables.performance.is_empty() { Err(nothing("no day has ended".into())) } else { Ok(tables) }
    }

    fn json(&self) -> Value {
        let list = |rows: &[Row]| -> Vec<Value> {
            let one = |row: &Row| {
                json!({
                    "mode": row.mode, "period": row.period, "name": row.name, "part": row.part,
                    "value": row.value, "first_day": row.first, "last_day": row.last,
                })
            };
            rows.iter().map(one).collect()
        };
        json!({
            "performance": list(&self.performance),
            "attribution": list(&self.attribution),
            "turnover": list(&self.turnover),
            "composition": list(&self.composition),
        })
    }

    fn lines(&self, names: &BTreeMap<String, String>) -> Vec<String> {
        let mut lines = Vec::new();
        for (mode, title) in [("live", "THE ACCOUNT"), ("research", "ON PAPER")] {
            let of_mode =
                |rows: &[Row]| -> Vec<Row> { rows.iter().filter(|row| row.mode == mode).cloned().collect() };
            let performance = of_mode(&self.performance);
            let Some(last) = performance.first().map(|row| row.last.clone()) else { continue };
            lines.push(format!("{title} at the end of {last}"));
            lines.extend(table(&performance));
            for row in of_mode(&self.turnover) {
                let word =
                    if row.name == "annual_turnover" { "Turnover, a year" } else { "Turnover, both sides" };
                lines.push(format!("  {word:<28}{:>13}", shown(row.value, Form::Share)));
            }
            lines.extend(earners(&of_mode(&self.attribution), names));
            lines.extend(shares(&of_mode(&self.composition)));
            lines.push(String::new());
        }
        lines.pop();
        lines
    }
}

fn table(rows: &[Row]) -> Vec<String> {
    let find = |period: &str, name: &str| rows.iter().find(|row| row.period == period && row.name == name);
    let begins = |period: &str| {
        let first = find(period, "twr").and_then(|row| row.first.clone());
        first.map_or_else(|| "too young".to_owned(), |day| format!("from {day}"))
    };
    let mut lines = vec![
        format!("  {:<28}{:>17}{:>17}{:>17}", "", "1 YEAR", "THIS YEAR", "ALL"),
        format!("  {:<28}{:>17}{:>17}{:>17}", "", begins("1y"), begins("ytd"), begins("all")),
    ];
    for (name, word, form) in FIGURES {
        let value = |period: &str| shown(find(period, name).and_then(|row| row.value), form);
        lines.push(format!("  {word:<28}{:>17}{:>17}{:>17}", value("1y"), value("ytd"), value("all")));
    }
    lines
}

/// What earned most and lost most since the beginning.
fn earners(rows: &[Row], names: &BTreeMap<String, String>) -> Vec<String> {
    if rows.is_empty() {
        return Vec::new();
    }
    let all: Vec<&Row> = rows.iter().filter(|row| row.period == "all").collect();
    let mut whole: Vec<&Row> = all.iter().filter(|row| row.part == "whole").copied().collect();
    let Some(total) = all.iter().find(|row| row.name == "total").and_then(|row| row.value) else {
        return vec!["What earned it is not known: the rows of some day are missing.".into()];
    };
    whole.sort_by(|one, other| other.value.unwrap_or(0.0).total_cmp(&one.value.unwrap_or(0.0)));
    let worst = whole.split_off(whole.len().min(SHOWN));
    let worst = worst.get(worst.len().saturating_sub(SHOWN)..).unwrap_or_default();
    let part = |isin: &str, part: &str| {
        let found = all.iter().find(|row| row.name == isin && row.part == part).and_then(|row| row.value);
        shown(found, Form::Share)
    };
    let mut lines = vec![
        format!("What earned {} of the fund", shown(Some(total), Form::Share)),
        format!("  {:<36}{:>9}{:>11}{:>11}{:>11}", "", "ALL", "PRICE", "DIVIDEND", "CURRENCY"),
    ];
    for row in whole.iter().chain(worst) {
        let name: String = names.get(&row.name).unwrap_or(&row.name).chars().take(35).collect();
        lines.push(format!(
            "  {name:<36}{:>9}{:>11}{:>11}{:>11}",
            shown(row.value, Form::Share),
            part(&row.name, "price"),
            part(&row.name, "dividend"),
            part(&row.name, "currency")
        ));
    }
    let rest = all.iter().find(|row| row.name == "residual").and_then(|row| row.value);
    lines.push(format!("  {:<36}{:>9}", "cash, fees and the rest", shown(rest, Form::Share)));
    lines
}

fn shares(rows: &[Row]) -> Vec<String> {
    let mut by: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for row in rows {
        let share = row.value.map_or_else(|| "–".into(), |share| format!("{:.1} %", share * 100.0));
        by.entry(row.name.as_str()).or_default().push(format!("{} {share}", row.part));
    }
    let line = |(by, parts): (&str, Vec<String>)| {
        crate::lines::wrapped(&format!("  {by:<10}"), 12, &parts.join(", "))
    };
    let mut lines = vec!["What is held".to_owned()];
    lines.extend(by.into_iter().flat_map(line));
    lines
}

/// A figure, or a dash where it is not known.
fn shown(value: Option<f64>, form: Form) -> String {
    let Some(value) = value else { return "–".into() };
    match form {
        Form::Share => format!("{:+.2} %", value * 100.0),
        Form::Ratio => format!("{value:.2}"),
        Form::Euro => format!("{value:.2}"),
        Form::Count => format!("{value:.0}"),
    }
}

fn open(config: &Config, name: &str) -> Result<Connection, String> {
    let file = config.store_file(name);
    if !file.exists() {
        return Err(format!("{} does not exist", file.display()));
    }
    open_for_reading(&Place::File(file)).map_err(|error| error.to_string())
}

fn rows(store: &Connection, sql: &str) -> rusqlite::Result<Vec<Row>> {
    let mut query = store.prepare(sql)?;
    let row = |row: &rusqlite::Row<'_>| {
        Ok(Row {
            mode: row.get(0)?,
            period: row.get(1)?,
            name: row.get(2)?,
            part: row.get(3)?,
            value: row.get(4)?,
            first: row.get(5)?,
            last: row.get(6)?,
        })
    };
    query.query_map([], row)?.collect()
}

/// Names of securities; none of them is needed.
fn names(config: &Config) -> BTreeMap<String, String> {
    let read = |store: &Connection| -> rusqlite::Result<BTreeMap<String, String>> {
        let mut query = store.prepare("SELECT isin, name FROM api_universe")?;
        query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    };
    open(config, "market").ok().and_then(|store| read(&store).ok()).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn filled(dir: &std::path::Path) -> Config {
        std::fs::create_dir_all(dir.join("stores")).unwrap();
        let config = Config::parse("environment = \"sim:1\"", &dir.join("steward.toml")).unwrap();
        let rows = Connection::open(config.store_file("ledger")).unwrap();
        rows.execute_batch(
            "CREATE TABLE api_performance (mode, period, figure, value, first_day, last_day);
             CREATE TABLE api_attribution (mode, period, name, part, contribution, first_day, last_day);
             CREATE TABLE api_turnover (mode, figure, value, first_day, last_day);
             CREATE TABLE api_composition (mode, \"by\", name, share, last_day);
             INSERT INTO api_performance VALUES ('live', 'all', 'twr', 0.0525, '2026-03-01', '2026-03-05');
             INSERT INTO api_performance VALUES ('live', '1y', 'twr', NULL, NULL, '2026-03-05');
             INSERT INTO api_attribution VALUES ('live', 'all', 'total', '', 0.0525, '2026-03-01', '2026-03-05');
             INSERT INTO api_attribution VALUES ('live', 'all', 'residual', '', -0.001, '2026-03-01', '2026-03-05');
             INSERT INTO api_attribution VALUES ('live', 'all', 'DE000SMX0015', 'whole', 0.0535, '2026-03-01', '2026-03-05');
             INSERT INTO api_turnover VALUES ('live', 'annual_turnover', NULL, '2026-03-01', '2026-03-05');
             INSERT INTO api_composition VALUES ('live', 'country', 'DE', 1.0, '2026-03-05');",
        )
        .unwrap();
        config
    }

    #[test]
    fn what_is_known_is_shown_and_what_is_not_is_a_dash() {
        let dir = tempfile::tempdir().unwrap();
        let tables = Tables::read(&filled(dir.path())).unwrap();
        let text = tables.lines(&BTreeMap::new()).join("\n");
        for expected in ["THE ACCOUNT", "+5.25 %", "too young", "DE000SMX0015", "DE 100.0 %", "–"] {
            assert!(text.contains(expected), "{expected} in\n{text}");
        }
        assert!(!text.contains("ON PAPER"));
        let json = tables.json();
        assert_eq!(json["performance"][0]["value"], Value::Null);
        assert_eq!(json["performance"][1]["value"], 0.0525);
    }

    #[test]
    fn without_an_end_of_a_day_a_sentence_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let config = Config::parse("environment = \"sim:1\"", &dir.path().join("steward.toml")).unwrap();
        let sentence = Tables::read(&config).unwrap_err().to_string();
        assert!(sentence.contains("first end of a day"), "{sentence}");
    }
}
