//! `steward planner config`: what is wanted of the planner. Shows come from views, changes are requests to the planner.

use std::path::{Path, PathBuf};

use bus_client::{Config, Place as At, open_for_reading};
use clap::Subcommand;
use contracts::{ConfigApply, ConfigRestore, ConfigValidate, Outcome, Reply};
use market::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{Fault, bus, cli::Place, print};

const PLANNER: &str = "plan";
/// Configurations that come with the planner.
const BUILT_IN: [(&str, &str); 3] = [
    ("default", "everything as the settings of the fund say"),
    ("conservative", "fewer and better founded trades, longer holds"),
    ("aggressive", "more candidates, longer plans"),
];

/// `planner`.
#[derive(Debug, Clone, Subcommand)]
pub enum Question {
    /// What is wanted of the planner, as TOML documents
    #[command(subcommand)]
    Config(Configs),
}

/// `planner config`.
#[derive(Debug, Clone, Subcommand)]
pub enum Configs {
    /// The configurations, built in and your own, and which is in force for which bucket
    List {
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// Prints one as TOML
    Show {
        /// Its name or id
        #[arg(default_value = "core")]
        name: String,
        /// Every key with what is in force, also those that it does not name
        #[arg(long)]
        full: bool,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// Says what is wrong with a document, with lines; changes nothing
    Validate {
        /// The TOML file
        file: PathBuf,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// Puts a file, or a configuration by name, in force for a bucket
    Apply {
        /// A TOML file, or the name of a configuration; without it the one in force is planned with anew
        source: Option<String>,
        /// For which bucket
        #[arg(long, default_value = "core")]
        bucket: String,
        /// Why, for the history
        #[arg(long, default_value = "")]
        note: String,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// Lists the versions of one, newest first; or what differs between two; or makes an older one the newest
    History {
        /// Its name or id
        #[arg(default_value = "core")]
        name: String,
        /// Two versions to compare
        #[arg(long, num_args = 2, value_names = ["OLDER", "NEWER"])]
        diff: Option<Vec<u32>>,
        /// The version to take back
        #[arg(long, conflicts_with = "diff")]
        restore: Option<u32>,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command; the exit code.
///
/// # Errors
/// When nobody answers, a file cannot be read, or there is no such configuration.
pub async fn run(place: &Place, question: &Question) -> Result<u8, Fault> {
    let config = place.read()?;
    let Question::Config(question) = question;
    match question {
        Configs::List { json } => list(&config, *json),
        Configs::Show { name, full, json } => show(&config, name, *full, *json).await,
        Configs::Validate { file, json } => {
            let ask = ConfigValidate { actor: bus::NAME.into(), toml: Some(document(file)?), config: None };
            Ok(tell(&bus::ask(&config, PLANNER, ask).await?, *json))
        }
        Configs::Apply { source, bucket, note, json } => {
            let path = source.as_deref().map(Path::new).filter(|path| path.is_file());
            let ask = ConfigApply {
                actor: bus::NAME.into(),
                bucket_id: bucket.clone(),
                toml: path.map(document).transpose()?,
                config: source.clone().filter(|_| path.is_none()),
                note: note.clone(),
            };
            Ok(tell(&bus::ask(&config, PLANNER, ask).await?, *json))
        }
        Configs::History { name, restore: Some(version), json, .. } => {
            let ask = ConfigRestore { actor: bus::NAME.into(), config: name.clone(), version: *version };
            Ok(tell(&bus::ask(&config, PLANNER, ask).await?, *json))
        }
        Configs::History { name, diff, json, .. } => history(&config, name, diff.as_deref(), *json),
    }
}

fn document(file: &Path) -> Result<String, Fault> {
    std::fs::read_to_string(file)
        .map_err(|error| Fault::Refused(format!("{} cannot be read: {error}", file.display())))
}

fn tell(reply: &Reply, as_json: bool) -> u8 {
    if as_json {
        print::json(reply);
    } else {
        lines(reply).iter().for_each(|line| print::data(line));
    }
    u8::from(reply.outcome != Outcome::Done)
}

/// The answer and every problem, a line each.
fn lines(reply: &Reply) -> Vec<String> {
    let mut lines = vec![reply.text.clone()];
    for kind in ["errors", "warnings"] {
        for problem in reply.data[kind].as_array().into_iter().flatten() {
            let line = problem["line"].as_u64().map_or_else(String::new, |line| format!("line {line}: "));
            let word = if kind == "errors" { "error" } else { "warning" };
            let text = |name: &str| problem[name].as_str().unwrap_or_default().to_string();
            lines.push(format!("  {word}: {line}{} ({})", text("text"), text("code")));
        }
    }
    lines
}

/// A stored configuration, or a version of one.
#[derive(Debug, Clone, Serialize)]
struct Row {
    config_id: String,
    name: String,
    bucket_id: Option<String>,
    version: u32,
    hash: String,
    toml: String,
    actor: String,
    note: String,
    at: String,
}

const STORED: &str =
    "SELECT config_id, name, bucket_id, version, hash, toml, '', '', ts FROM api_planner_config
    WHERE ?1 IN ('', name, config_id) ORDER BY name";
const VERSIONS: &str = "SELECT config_id, name, NULL, version, hash, toml, actor, note, ts
    FROM api_planner_config_version WHERE config_id = ?1 ORDER BY version DESC";

fn rows(config: &Config, sql: &str, key: &str) -> Result<Vec<Row>, Fault> {
    let file = config.store_file("plans");
    if !file.exists() {
        return Ok(Vec::new());
    }
    let unreadable =
        |error: rusqlite::Error| Fault::System(format!("the planner configurations cannot be read: {error}"));
    let store = open_for_reading(&At::File(file))?;
    let mut query = store.prepare(sql).map_err(unreadable)?;
    let found = query.query_map([key], |row| {
        Ok(Row {
            config_id: row.get(0)?,
            name: row.get(1)?,
            bucket_id: row.get(2)?,
            version: row.get(3)?,
            hash: row.get(4)?,
            toml: row.get(5)?,
            actor: row.get(6)?,
            note: row.get(7)?,
            at: Timestamp::from_ms(row.get(8)?).to_string(),
        })
    });
    found.and_then(Iterator::collect).map_err(unreadable)
}

fn list(config: &Config, as_json: bool) -> Result<u8, Fault> {
    let stored = rows(config, STORED, "")?;
    let core_is_own = stored.iter().any(|row| row.bucket_id.as_deref() == Some("core"));
    if as_json {
        let built_in: Vec<Value> =
            BUILT_IN.iter().map(|(name, says)| json!({ "name": name, "says": says })).collect();
        print::json(&json!({ "built_in": built_in, "stored": stored }));
        return Ok(0);
    }
    print::data(&format!(
        "{:<20} {:<10} {:>7}  {:<16}  {}",
        "NAME", "BUCKET", "VERSION", "HASH", "CHANGED OR SAYS"
    ));
    for (name, says) in BUILT_IN {
        let bucket = if name == "default" && !core_is_own { "core" } else { "-" };
        print::data(&format!("{name:<20} {bucket:<10} {:>7}  {:<16}  {says}", "-", "built in"));
    }
    for row in stored {
        let bucket = row.bucket_id.as_deref().unwrap_or("-");
        print::data(&format!(
            "{:<20} {bucket:<10} {:>7}  {:<16}  {}",
            row.name, row.version, row.hash, row.at
        ));
    }
    Ok(0)
}

async fn show(config: &Config, name: &str, full: bool, as_json: bool) -> Result<u8, Fault> {
    let stored = rows(config, STORED, name)?.into_iter().next();
    if let (Some(row), false) = (&stored, full) {
        if as_json {
            print::json(row);
        } else {
            print::data(row.toml.trim_end());
        }
        return Ok(0);
    }
    // What is built in, and what keys hold that nobody names, is known to the planner alone.
    let is_built_in = BUILT_IN.iter().any(|(known, _)| *known == name);
    let wanted = if stored.is_none() && !is_built_in && name == "core" { "default" } else { name };
    let ask = ConfigValidate { actor: bus::NAME.into(), toml: None, config: Some(wanted.into()) };
    let reply = bus::ask(config, PLANNER, ask).await?;
    if as_json || reply.outcome != Outcome::Done {
        return Ok(tell(&reply, as_json));
    }
    let text = reply.data[if full { "effective" } else { "toml" }].as_str().unwrap_or_default();
    print::data(text.trim_end());
    Ok(0)
}

fn history(config: &Config, name: &str, diff: Option<&[u32]>, as_json: bool) -> Result<u8, Fault> {
    let Some(stored) = rows(config, STORED, name)?.into_iter().next() else {
        return Err(Fault::Refused(format!(
            "no planner configuration {name} is stored; `steward planner config list` shows them"
        )));
    };
    let versions = rows(config, VERSIONS, &stored.config_id)?;
    let Some([older, newer]) = diff else {
        if as_json {
            print::json(&versions);
        } else {
            print::data(&format!(
                "{:>7}  {:<24}  {:<16}  {:<10}  {}",
                "VERSION", "SAVED", "HASH", "BY", "NOTE"
            ));
            for row in &versions {
                let Row { version, at, hash, actor, note, .. } = row;
                print::data(&format!("{version:>7}  {at:<24}  {hash:<16}  {actor:<10}  {note}"));
            }
        }
        return Ok(0);
    };
    let text = |wanted: u32| {
        let found = versions.iter().find(|row| row.version == wanted).map(|row| row.toml.as_str());
        found.ok_or_else(|| Fault::Refused(format!("{name} has no version {wanted}")))
    };
    let lines = difference(text(*older)?, text(*newer)?);
    if as_json {
        print::json(&json!({ "older": older, "newer": newer, "differences": lines }));
    } else {
        lines.iter().for_each(|line| print::data(line));
    }
    Ok(0)
}

/// What a newer document says differently, a line per key.
fn difference(older: &str, newer: &str) -> Vec<String> {
    let (before, after) = (named(older), named(newer));
    let mut lines: Vec<String> =
        before.iter().filter(|line| !after.contains(line)).map(|line| format!("- {line}")).collect();
    lines.extend(after.iter().filter(|line| !before.contains(line)).map(|line| format!("+ {line}")));
    if lines.is_empty() {
        lines.push("The same.".into());
    }
    lines
}

/// Every line with the section that it stands in; documents are stored in one form, so lines can be compared.
fn named(text: &str) -> Vec<String> {
    let mut section = "";
    let mut lines = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            Some(name) => section = name,
            None => lines.push(format!("{section}.{line}")),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use contracts::Sample;

    use super::*;

    #[test]
    fn every_question_can_be_asked_beside_the_words_for_the_place() {
        for words in
            ["list", "show", "show core --full", "validate own.toml", "apply", "history core --diff 1 2"]
        {
            let line =
                ["steward", "planner", "--config", "x.toml", "config"].into_iter().chain(words.split(' '));
            assert!(<crate::Cli as clap::Parser>::try_parse_from(line).is_ok(), "{words}");
        }
    }

    #[test]
    fn a_difference_names_the_key_with_its_section() {
        let older = "[planner]\nmax_depth = 5\n\n[filters.correlation_aware]\nenabled = true\n";
        let newer = "[planner]\nmax_depth = 3\n\n[filters.correlation_aware]\nenabled = true\n";
        assert_eq!(difference(older, newer), ["- planner.max_depth = 5", "+ planner.max_depth = 3"]);
        assert_eq!(difference(older, older), ["The same."]);
    }

    #[test]
    fn every_problem_of_an_answer_has_its_line() {
        let problem = json!({ "severity": "error", "code": "unknown_key", "line": 3, "key": "x", "text": "there is no key x" });
        let reply = Reply {
            text: "nothing is changed".into(),
            data: json!({ "errors": [problem] }),
            ..Reply::sample()
        };
        assert_eq!(lines(&reply), ["nothing is changed", "  error: line 3: there is no key x (unknown_key)"]);
    }
}
