//! `steward settings`: what the owner can change while everything runs, asked of the keeper, which keeps and checks it.

use bus_client::{Config, open_for_reading};
use clap::Subcommand;
use contracts::{DescribeSettings, Outcome, Reply, SetSetting, TRADING_MODE};
use market::Timestamp;
use serde_json::{Value, json};

use crate::{Fault, bus, cli::Place, figures, halt::person, print};

const KEEPER: &str = "keeper";
/// The word that takes a default back.
const DEFAULT: &str = "default";

/// A question about settings.
#[derive(Debug, Clone, Subcommand)]
pub enum Question {
    /// All settings with their values; those that were set are marked
    List {
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// One setting with its rule, who follows it, and what it does
    Show {
        /// Its name
        setting: String,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// Changes one setting; `default` takes the default back
    Set {
        /// Its name
        setting: String,
        /// Its new value
        #[arg(allow_hyphen_values = true)]
        value: String,
        /// What a setting that protects the fund asks for, word for word
        #[arg(long, value_name = "WORD")]
        confirm: Option<String>,
    },
    /// Who changed what and when, newest first
    History {
        /// Only of this setting
        setting: Option<String>,
        /// How many
        #[arg(long, default_value_t = 20)]
        count: u32,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
}

/// Answers; the exit code.
///
/// # Errors
/// When nobody answers, or the history cannot be read.
pub async fn run(place: &Place, question: &Question) -> Result<u8, Fault> {
    let config = place.read()?;
    match question {
        Question::List { json } => {
            let all = described(&config).await?;
            if *json {
                print::json(&all);
            } else {
                all.iter().for_each(|one| print::data(&line(one)));
            }
            Ok(0)
        }
        Question::Show { setting, json } => {
            let all = described(&config).await?;
            let Some(one) = all.iter().find(|one| one["key"] == setting.as_str()) else {
                return Err(Fault::Refused(format!(
                    "`{setting}` is no setting; `steward settings list` names them"
                )));
            };
            if *json {
                print::json(one);
            } else {
                shown(one).iter().for_each(|line| print::data(line));
            }
            Ok(0)
        }
        Question::Set { setting, value, .. } if setting == TRADING_MODE && value.trim() == "live" => {
            Err(Fault::Refused(
                "real money is asked for by `steward golive`, which says first what is missing; nothing was changed".into(),
            ))
        }
        Question::Set { setting, value, confirm } => {
            let asked = SetSetting {
                actor: person(),
                setting: setting.clone(),
                value: value_of(value),
                confirm: confirm.clone(),
            };
            let reply = bus::ask(&config, KEEPER, asked).await?;
            print::note(&said(&reply, setting, value));
            Ok(u8::from(reply.outcome != Outcome::Done))
        }
        Question::History { setting, count, json } => {
            let rows = history(&config, setting.as_deref(), *count)?;
            if *json {
                print::json(&rows);
            } else if rows.is_empty() {
                print::note("Nothing was changed yet.");
            } else {
                rows.iter().for_each(|row| print::data(&change(row)));
            }
            Ok(0)
        }
    }
}

async fn described(config: &Config) -> Result<Vec<Value>, Fault> {
    let reply = bus::ask(config, KEEPER, DescribeSettings { actor: person() }).await?;
    match reply.data {
        Value::Array(all) if reply.outcome == Outcome::Done => Ok(all),
        _ => Err(Fault::Refused(format!("the keeper did not list its settings: {}", reply.text))),
    }
}

/// A value as it is typed: `default`, a number, true or false, or a word.
fn value_of(typed: &str) -> Value {
    if typed == DEFAULT {
        return Value::Null;
    }
    match serde_json::from_str(typed) {
        Ok(value @ (Value::Bool(_) | Value::Number(_))) => value,
        _ => Value::from(typed),
    }
}

/// The answer, and for a setting that asks for it the command that confirms.
fn said(reply: &Reply, setting: &str, value: &str) -> String {
    if reply.code.as_deref() != Some("unconfirmed") {
        return reply.text.clone();
    }
    format!("{}\nIf it is meant: steward settings set {setting} {value} --confirm {setting}", reply.text)
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}

fn line(one: &Value) -> String {
    let mark = if one["set"] == true { "set" } else { "" };
    format!(
        "{:38} {:>10} {:9} {mark:4} {}",
        text(&one["key"]),
        text(&one["value"]),
        text(&one["unit"]),
        text(&one["says"])
    )
}

fn shown(one: &Value) -> Vec<String> {
    let set = if one["set"] == true { "set by the owner" } else { "the default" };
    let readers: Vec<String> = one["readers"].as_array().into_iter().flatten().map(text).collect();
    let confirmed = if one["class"] == "safety" { "; a change has to be confirmed" } else { "" };
    vec![
        format!("{}: {}", text(&one["key"]), text(&one["says"])),
        format!("Value     {} ({set}; default {})", text(&one["value"]), text(&one["default"])),
        format!("Allowed   {}", text(&one["allowed"])),
        format!("Class     {}{confirmed}", text(&one["class"])),
        format!("Read by   {}", readers.join(", ")),
    ]
}

/// Rows of the keeper's audit, newest first.
fn history(config: &Config, setting: Option<&str>, count: u32) -> Result<Vec<Value>, Fault> {
    let failed = |error: rusqlite::Error| Fault::System(format!("the history cannot be read: {error}"));
    let rows = open_for_reading(&bus_client::Place::File(config.store_file("keeper")))?;
    let mut query = rows
        .prepare(
            "SELECT ts, actor, entity_id, old, new FROM api_audit
             WHERE entity = 'setting' AND (?1 IS NULL OR entity_id = ?1) ORDER BY ts DESC, id DESC LIMIT ?2",
        )
        .map_err(failed)?;
    let found = query
        .query_map((setting, count), |row| {
            let ts: i64 = row.get(0)?;
            let value = |place: usize| -> rusqlite::Result<Value> {
                let text: Option<String> = row.get(place)?;
                Ok(text.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap_or(Value::from(text))))
            };
            Ok(json!({
                "at": Timestamp::from_ms(ts).to_string(), "actor": row.get::<_, String>(1)?,
                "setting": row.get::<_, String>(2)?, "old": value(3)?, "new": value(4)?,
            }))
        })
        .map_err(failed)?;
    found.collect::<Result<_, _>>().map_err(failed)
}

fn change(row: &Value) -> String {
    let word = |value: &Value| if value.is_null() { "its default".to_string() } else { text(value) };
    let at = row["at"].as_str().and_then(|at| at.parse().ok()).map_or_else(String::new, figures::minute);
    format!(
        "{at} UTC  {:38} from {} to {}, by {}",
        text(&row["setting"]),
        word(&row["old"]),
        word(&row["new"]),
        text(&row["actor"])
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::Sample;

    use super::*;

    #[test]
    fn values_are_read_as_they_are_typed() {
        for (typed, expected) in [
            ("2", json!(2)),
            ("-0.2", json!(-0.2)),
            ("true", json!(true)),
            ("live", json!("live")),
            ("default", Value::Null),
            ("null", json!("null")),
            ("[1]", json!("[1]")),
        ] {
            assert_eq!(value_of(typed), expected, "{typed}");
        }
    }

    #[test]
    fn an_unconfirmed_change_names_the_command_that_confirms_it() {
        let refused = Reply { code: Some("unconfirmed".into()), ..Reply::sample() };
        let told = said(&refused, "risk.max_per_day", "2");
        assert!(
            told.ends_with("steward settings set risk.max_per_day 2 --confirm risk.max_per_day"),
            "{told}"
        );
        let done = Reply { code: None, ..Reply::sample() };
        assert_eq!(said(&done, "risk.max_per_day", "2"), done.text);
    }

    #[test]
    fn a_setting_is_shown_with_its_rule() {
        let one = json!({
            "key": "risk.max_per_day", "value": 2, "default": 4, "set": true, "class": "safety", "unit": "orders",
            "allowed": "a whole number from 0 to 100 (orders)", "says": "Orders sent in one day.", "readers": ["risk-gate"],
        });
        let text = shown(&one).join("\n");
        for words in ["2 (set by the owner; default 4)", "from 0 to 100", "has to be confirmed", "risk-gate"]
        {
            assert!(text.contains(words), "{text}");
        }
        assert!(line(&one).contains(" set "), "{}", line(&one));
    }

    #[test]
    fn a_change_back_to_the_default_is_called_so() {
        let row = json!({ "at": "2026-03-02T14:31:10.000Z", "actor": "owner", "setting": "x", "old": 2, "new": null });
        assert_eq!(
            change(&row).split_whitespace().collect::<Vec<_>>().join(" "),
            "2026-03-02 14:31 UTC x from 2 to its default, by owner"
        );
    }
}
