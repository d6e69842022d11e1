//! The commands about planner configurations: each is checked whole, changes everything or nothing, and is answered with
//! what is wrong.

use bus_client::Out;
use contracts::{
    ConfigApply, ConfigCreate, ConfigDelete, ConfigRestore, ConfigUpdate, ConfigValidate, Id, Outcome,
    Received,
};
use market::Timestamp;
use serde_json::{Value, json};

use super::{
    book::{STORED_MAX, Stored, Version},
    effect::{effect, in_force},
    read::{Problem, Read, Severity, read},
    template,
};
use crate::{facts::CORE, stage::Plan, store::Save};

/// Longest note, and longest name of a bucket.
const TEXT_MAX: usize = 200;
/// Why a run begins.
const OTHER_CONFIGURATION: &str = "The planner configuration changed.";

/// Why a command is refused.
#[derive(Debug)]
struct No {
    code: &'static str,
    text: String,
    problems: Vec<Problem>,
}

impl No {
    fn new(code: &'static str, text: impl Into<String>) -> No {
        No { code, text: text.into(), problems: Vec::new() }
    }
}

/// What a command came to.
struct Yes {
    text: String,
    data: Value,
}

/// What is to be stored.
struct Wish<'a> {
    id: Id,
    name: String,
    bucket_id: Option<String>,
    read: Read,
    actor: &'a str,
    note: &'a str,
}

impl Plan {
    pub(crate) fn config_create(
        &mut self,
        heard: &Received<ConfigCreate>,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        let Some(ask) = &heard.body else { return };
        let done = self.create(ask, now, out);
        answer(heard, done, out);
    }

    pub(crate) fn config_update(
        &mut self,
        heard: &Received<ConfigUpdate>,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        let Some(ask) = &heard.body else { return };
        let done = self.update(ask, now, out);
        answer(heard, done, out);
    }

    pub(crate) fn config_delete(
        &mut self,
        heard: &Received<ConfigDelete>,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        let Some(ask) = &heard.body else { return };
        let done = self.delete(ask, now, out);
        answer(heard, done, out);
    }

    pub(crate) fn config_validate(&mut self, heard: &Received<ConfigValidate>, out: &mut Out<Self>) {
        let Some(ask) = &heard.body else { return };
        answer(heard, self.validate(ask), out);
    }

    pub(crate) fn config_apply(
        &mut self,
        heard: &Received<ConfigApply>,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        let Some(ask) = &heard.body else { return };
        let done = self.apply(ask, now, out);
        answer(heard, done, out);
    }

    pub(crate) fn config_restore(
        &mut self,
        heard: &Received<ConfigRestore>,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        let Some(ask) = &heard.body else { return };
        let done = self.restore(ask, now, out);
        answer(heard, done, out);
    }

    /// Takes over what is in force for the core.
    pub(crate) fn configure(&mut self) {
        let (name, configuration) = self.book.in_force(CORE);
        let (rules, terms, _) = effect(&self.base, &name, &configuration);
        self.rules = rules;
        self.terms = terms;
    }

    fn create(&mut self, ask: &ConfigCreate, now: Timestamp, out: &mut Out<Self>) -> Result<Yes, No> {
        self.free_name(&ask.name, None)?;
        if self.book.count() >= STORED_MAX {
            let text = format!("{STORED_MAX} configurations are stored; delete one first");
            return Err(No::new("too_many", text));
        }
        let read = checked(&ask.toml)?;
        let bucket_id = bucket(ask.bucket_id.as_deref())?;
        let id = Id::derive(now, &["planner_config", &ask.name]);
        let wish = Wish { id, name: ask.name.clone(), bucket_id, read, actor: &ask.actor, note: &ask.note };
        self.store(wish, None, now, out)
    }

    fn update(&mut self, ask: &ConfigUpdate, now: Timestamp, out: &mut Out<Self>) -> Result<Yes, No> {
        let stored = self.stored(&ask.config)?.clone();
        if let Some(name) = &ask.name {
            self.free_name(name, Some(stored.id))?;
        }
        let read = match &ask.toml {
            Some(text) => checked(text)?,
            None => checked(&stored.configuration.text())?,
        };
        let bucket_id = match ask.bucket_id.as_deref() {
            None => stored.bucket_id.clone(),
            named => bucket(named)?,
        };
        let name = ask.name.clone().unwrap_or_else(|| stored.name.clone());
        let wish = Wish { id: stored.id, name, bucket_id, read, actor: &ask.actor, note: &ask.note };
        self.store(wish, Some(&stored), now, out)
    }

    fn delete(&mut self, ask: &ConfigDelete, now: Timestamp, out: &mut Out<Self>) -> Result<Yes, No> {
        let stored = self.stored(&ask.config)?.clone();
        self.book.remove(stored.id);
        out.save(Save::NoConfiguration(stored.id));
        self.changed(stored.bucket_id.as_deref(), now);
        let text = match &stored.bucket_id {
            Some(bucket) => {
                format!("{} is removed; {bucket} is planned with the default again.", stored.name)
            }
            None => format!("{} is removed.", stored.name),
        };
        Ok(Yes { text, data: json!({ "config_id": stored.id }) })
    }

    fn validate(&self, ask: &ConfigValidate) -> Result<Yes, No> {
        let text = match (&ask.toml, &ask.config) {
            (Some(text), None) => text.clone(),
            (None, Some(name)) => match (self.book.find(name), template(name)) {
                (Some(stored), _) => stored.configuration.text(),
                (None, Some(text)) => text.to_string(),
                (None, None) => return Err(unknown(name)),
            },
            _ => return Err(No::new("bad_request", "name either a document or a configuration")),
        };
        let read = checked(&text)?;
        let problems = self.problems(&read);
        let data = json!({
            "valid": true, "warnings": problems, "hash": read.configuration.hash(), "toml": text,
            "effective": in_force(&self.base, &read.configuration),
        });
        Ok(Yes { text: format!("The document is valid{}.", counted(&problems)), data })
    }

    fn apply(&mut self, ask: &ConfigApply, now: Timestamp, out: &mut Out<Self>) -> Result<Yes, No> {
        let Some(bucket_id) = bucket(Some(&ask.bucket_id))? else {
            return Err(No::new("no_bucket", "name the bucket that it is to be in force for"));
        };
        let before = self.book.of_bucket(&bucket_id).cloned();
        let read = match (&ask.toml, &ask.config) {
            (Some(text), None) => checked(text)?,
            (None, Some(name)) => {
                if let Some(stored) = self.book.find(name).cloned() {
                    let read = checked(&stored.configuration.text())?;
                    let (id, name) = (stored.id, stored.name.clone());
                    let wish = Wish {
                        id,
                        name,
                        bucket_id: Some(bucket_id),
                        read,
                        actor: &ask.actor,
                        note: &ask.note,
                    };
                    return self.store(wish, Some(&stored), now, out);
                }
                checked(template(name).ok_or_else(|| unknown(name))?)?
            }
            (None, None) => match &before {
                Some(stored) => checked(&stored.configuration.text())?,
                None => {
                    self.changed(Some(&bucket_id), now);
                    let text =
                        format!("{bucket_id} is planned with the default, as before; it is planned anew.");
                    return Ok(Yes { text, data: Value::Null });
                }
            },
            (Some(_), Some(_)) => {
                return Err(No::new("bad_request", "name either a document or a configuration"));
            }
        };
        let (id, name) = match &before {
            Some(stored) => (stored.id, stored.name.clone()),
            None => {
                self.free_name(&bucket_id, None)?;
                (Id::derive(now, &["planner_config", &bucket_id]), bucket_id.clone())
            }
        };
        let wish = Wish { id, name, bucket_id: Some(bucket_id), read, actor: &ask.actor, note: &ask.note };
        self.store(wish, before.as_ref(), now, out)
    }

    fn restore(&mut self, ask: &ConfigRestore, now: Timestamp, out: &mut Out<Self>) -> Result<Yes, No> {
        let stored = self.stored(&ask.config)?.clone();
        let Some(version) = self.book.version(stored.id, ask.version).cloned() else {
            let text =
                format!("{} has no version {}; its newest is {}", stored.name, ask.version, stored.version);
            return Err(No::new("unknown_version", text));
        };
        let read = checked(&version.toml)?;
        let note = format!("Version {} again.", ask.version);
        let wish = Wish {
            id: stored.id,
            name: stored.name.clone(),
            bucket_id: stored.bucket_id.clone(),
            read,
            actor: &ask.actor,
            note: &note,
        };
        self.store(wish, Some(&stored), now, out)
    }

    /// Stores a document that was checked. The same document is no new version; whatever it is in force for is planned
    /// anew.
    fn store(
        &mut self,
        wish: Wish<'_>,
        before: Option<&Stored>,
        now: Timestamp,
        out: &mut Out<Self>,
    ) -> Result<Yes, No> {
        let Wish { id, name, bucket_id, read, actor, note } = wish;
        let other = bucket_id.as_deref().and_then(|bucket| self.book.of_bucket(bucket));
        if let Some(other) = other.filter(|other| other.id != id) {
            let other = Stored { bucket_id: None, updated: now, ..other.clone() };
            out.save(Save::Configuration(Box::new(other.clone())));
            self.book.put(other);
        }
        let same =
            before.is_some_and(|before| before.configuration == read.configuration && before.name == name);
        let version = before.map_or(1, |before| before.version.saturating_add(u32::from(!same)));
        let problems = self.problems(&read);
        let stored = Stored {
            id,
            name,
            bucket_id,
            configuration: read.configuration,
            version,
            created: before.map_or(now, |before| before.created),
            updated: now,
        };
        out.save(Save::Configuration(Box::new(stored.clone())));
        if !same {
            let kept = Version {
                id,
                version,
                name: stored.name.clone(),
                toml: stored.configuration.text(),
                actor: short(actor),
                note: short(note),
                saved: now,
            };
            out.save(Save::ConfigurationVersion(Box::new(kept.clone())));
            self.book.put_version(kept);
        }
        let freed = before
            .and_then(|before| before.bucket_id.clone())
            .filter(|old| stored.bucket_id.as_ref() != Some(old));
        let force = match (stored.bucket_id.as_deref(), &freed) {
            (Some(CORE), _) => "It is in force for core, which is planned anew.".to_string(),
            (Some(other), None) => format!("It is kept for {other}, which is not planned yet."),
            (Some(other), Some(old)) => {
                format!(
                    "It is kept for {other}, which is not planned yet; {old} is planned with the default."
                )
            }
            (None, Some(old)) => {
                format!("It is in force nowhere any more; {old} is planned with the default.")
            }
            (None, None) => "It is in force nowhere.".to_string(),
        };
        let text = format!("{}, version {version}{}. {force}", stored.name, counted(&problems));
        let data = json!({
            "config_id": stored.id, "name": stored.name, "bucket_id": stored.bucket_id, "version": version,
            "hash": stored.configuration.hash(), "warnings": problems,
        });
        let in_force = stored.bucket_id.clone();
        self.book.put(stored);
        self.changed(in_force.as_deref(), now);
        self.changed(freed.as_deref(), now);
        Ok(Yes { text, data })
    }

    /// The core is planned anew when what is in force for it may have changed.
    fn changed(&mut self, bucket_id: Option<&str>, now: Timestamp) {
        if bucket_id == Some(CORE) {
            self.configure();
            self.because = OTHER_CONFIGURATION.into();
            self.due_by(now);
        }
    }

    /// Warnings of a document, with what of it has no effect beside the fund's settings.
    fn problems(&self, read: &Read) -> Vec<Problem> {
        let (_, _, looser) = effect(&self.base, "", &read.configuration);
        let with_line = looser.into_iter().map(|problem| {
            let line = read.lines.get(problem.key.as_str()).copied();
            Problem { line, ..problem }
        });
        read.problems.iter().cloned().chain(with_line).collect()
    }

    fn stored(&self, wanted: &str) -> Result<&Stored, No> {
        match (self.book.find(wanted), template(wanted)) {
            (Some(stored), _) => Ok(stored),
            (None, Some(_)) => Err(No::new(
                "read_only",
                format!("{wanted} is built in; apply it to a bucket and change that"),
            )),
            (None, None) => Err(unknown(wanted)),
        }
    }

    fn free_name(&self, name: &str, but: Option<Id>) -> Result<(), No> {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if name.is_empty() || name.len() > 60 || !name.chars().all(is_plain) {
            let text = format!("the name `{name}` must be 1 to 60 lower-case letters, digits, - or _");
            return Err(No::new("bad_name", text));
        }
        let taken = self.book.find(name).is_some_and(|other| Some(other.id) != but);
        if taken || template(name).is_some() {
            return Err(No::new("name_taken", format!("there is a configuration {name} already")));
        }
        Ok(())
    }
}

fn unknown(name: &str) -> No {
    No::new(
        "unknown_config",
        format!("there is no planner configuration {name}; `steward planner config list` shows them"),
    )
}

fn checked(text: &str) -> Result<Read, No> {
    let read = read(text);
    let Some(first) = read.errors().first().map(ToString::to_string) else { return Ok(read) };
    let more = match read.errors().len() {
        1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    let text = format!("nothing is changed: {first}{more}");
    Err(No { code: "invalid_config", text, problems: read.problems })
}

/// A bucket's name; an empty text is none.
fn bucket(name: Option<&str>) -> Result<Option<String>, No> {
    match name {
        None | Some("") => Ok(None),
        Some(CORE) => Ok(Some(CORE.into())),
        Some(name) => {
            let text = format!("`{}` is not planned, only {CORE} is; nothing was changed", short(name));
            Err(No::new("bucket_not_planned", text))
        }
    }
}

fn short(text: &str) -> String {
    text.chars().take(TEXT_MAX).collect()
}

fn counted(problems: &[Problem]) -> String {
    match problems.iter().filter(|one| one.severity == Severity::Warning).count() {
        0 => String::new(),
        1 => " with one warning".into(),
        count => format!(" with {count} warnings"),
    }
}

fn answer<B>(heard: &Received<B>, done: Result<Yes, No>, out: &mut Out<Plan>) {
    match done {
        Ok(Yes { text, data }) => {
            out.decided(text.clone());
            out.answer(heard.meta.as_ref(), Outcome::Done, None, text, data);
        }
        Err(No { code, text, problems }) => {
            let (errors, warnings): (Vec<&Problem>, Vec<&Problem>) =
                problems.iter().partition(|one| one.severity == Severity::Error);
            let data = json!({ "valid": false, "errors": errors, "warnings": warnings });
            out.answer(heard.meta.as_ref(), Outcome::Refused, Some(code), text, data);
        }
    }
}
