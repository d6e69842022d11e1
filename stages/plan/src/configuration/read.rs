//! From a document to a configuration, or to what is wrong with it: which line, which key, which rule.
//!
//! Everything wrong is said at once. Keys of things that are not built are left out with a warning, so that documents of
//! the old system can be imported.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Serialize;
use toml::de::{DeTable, DeValue};

use super::{
    Configuration, check,
    keys::{self, Key, Kind, Value, key},
};

/// The longest document, in bytes.
pub const LENGTH_MAX: usize = 8_192;
/// The most problems that are told of one document.
const TOLD_MAX: usize = 50;

/// Whether a problem keeps a document from being used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It does.
    Error,
    /// It does not, but something has another effect than it seems.
    Warning,
}

/// One thing that is wrong, or seems to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// What it is, as a code.
    pub code: &'static str,
    /// Where, from 1; `None` for what is not there.
    pub line: Option<u32>,
    /// The key.
    pub key: String,
    /// A sentence.
    pub text: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        write!(f, "{} ({})", self.text, self.code)
    }
}

/// A document that was read.
#[derive(Debug, Clone, Default)]
pub struct Read {
    /// What it names.
    pub configuration: Configuration,
    /// What is wrong with it; errors of the whole first.
    pub problems: Vec<Problem>,
    /// Where it names what.
    pub lines: BTreeMap<&'static str, u32>,
}

impl Read {
    /// What keeps it from being used.
    #[must_use]
    pub fn errors(&self) -> Vec<&Problem> {
        self.problems.iter().filter(|one| one.severity == Severity::Error).collect()
    }

    pub(super) fn tell(
        &mut self,
        severity: Severity,
        code: &'static str,
        key: &str,
        line: Option<u32>,
        text: String,
    ) {
        if self.problems.len() < TOLD_MAX {
            self.problems.push(Problem { severity, code, line, key: key.to_string(), text });
        }
    }
}

/// Reads and checks a document.
#[must_use]
pub fn read(text: &str) -> Read {
    let mut read = Read::default();
    if text.len() > LENGTH_MAX {
        let sentence = format!("the document has {} bytes, at most {LENGTH_MAX} are allowed", text.len());
        read.tell(Severity::Error, "too_long", "", None, sentence);
        return read;
    }
    match DeTable::parse(text) {
        Ok(table) => Reader { text, read: &mut read }.table(table.get_ref(), ""),
        Err(error) => {
            let line = error.span().map(|span| line_of(text, span.start));
            read.tell(Severity::Error, "invalid_toml", "", line, error.message().to_string());
            return read;
        }
    }
    // A table keeps its keys by name; a person reads a document from the top.
    read.problems.sort_by_key(|problem| problem.line);
    check::check(&mut read);
    read
}

fn line_of(text: &str, at: usize) -> u32 {
    let before = text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count();
    u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
}

struct Reader<'a> {
    text: &'a str,
    read: &'a mut Read,
}

impl Reader<'_> {
    fn table(&mut self, table: &DeTable<'_>, above: &str) {
        for (name, value) in table {
            let (name, line) = (name.get_ref().as_ref(), line_of(self.text, name.span().start));
            let depth = above.split('.').filter(|part| !part.is_empty()).count();
            let path = match (above, name) {
                ("", name) => name.to_string(),
                // The old form has the parameters of a module in a table of their own.
                (above, "params") if depth == 2 && value.get_ref().is_table() => above.to_string(),
                (above, name) => format!("{above}.{name}"),
            };
            match value.get_ref() {
                DeValue::Table(_) if keys::not_built(&path).is_some() => self.without_effect(&path, line),
                DeValue::Table(inside) if keys::is_section(&path) => self.table(inside, &path),
                DeValue::Table(_) => {
                    let what = if depth == 0 { "section" } else { "module" };
                    self.error("unknown_module", &path, line, format!("there is no {what} [{path}]"));
                }
                value => self.value(&path, value, line),
            }
        }
    }

    fn without_effect(&mut self, path: &str, line: u32) {
        if let Some(why) = keys::not_built(path) {
            let text = format!("{path} has no effect and is not stored: {why}");
            self.read.tell(Severity::Warning, "not_built", path, Some(line), text);
        }
    }

    fn value(&mut self, path: &str, value: &DeValue<'_>, line: u32) {
        let renamed = keys::RENAMED.iter().find(|(old, _)| *old == path).map(|(_, new)| *new);
        let path = renamed.unwrap_or(path);
        if keys::not_built(path).is_some() {
            return self.without_effect(path, line);
        }
        let Some(key) = key(path) else {
            return self.error("unknown_key", path, line, format!("there is no key {path}"));
        };
        if self.read.lines.contains_key(key.path) {
            return self.error("named_twice", path, line, format!("{path} is named twice"));
        }
        let Some(found) = plain(key, value) else {
            let text = format!("{path} must be {}, not {}", key.rule(), value.type_str());
            return self.error("wrong_type", path, line, text);
        };
        self.read.lines.insert(key.path, line);
        self.read.configuration.set(key.path, found);
    }

    fn error(&mut self, code: &'static str, path: &str, line: u32, text: String) {
        self.read.tell(Severity::Error, code, path, Some(line), text);
    }
}

/// A value of the key's type; a whole number is a number too.
fn plain(key: &Key, value: &DeValue<'_>) -> Option<Value> {
    let whole = |value: &DeValue<'_>| {
        let whole = value.as_integer()?;
        i64::from_str_radix(whole.as_str(), whole.radix()).ok()
    };
    let found = match (key.kind, value) {
        (Kind::Number(..), DeValue::Integer(_)) => {
            Value::Number(f64::from(i32::try_from(whole(value)?).ok()?))
        }
        (_, DeValue::Boolean(flag)) => Value::Flag(*flag),
        (_, DeValue::Integer(_)) => Value::Whole(whole(value)?),
        (_, DeValue::Float(float)) => Value::Number(float.as_str().parse().ok()?),
        (_, DeValue::String(text)) => Value::Text(Cow::Owned(text.to_string())),
        _ => return None,
    };
    key.is_of_type(&found).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<(&'static str, Option<u32>)> {
        read(text).problems.iter().map(|problem| (problem.code, problem.line)).collect()
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let cases: &[(&str, &str, Option<u32>)] = &[
            ("[planner\nname = 1", "invalid_toml", Some(1)),
            ("[planner]\n\nmax_dpth = 5", "unknown_key", Some(3)),
            ("[planer]\nmax_depth = 5", "unknown_module", Some(1)),
            ("[planner]\n[filters.colour]\nenabled = true", "unknown_module", Some(2)),
            ("[planner]\nmax_depth = \"five\"", "wrong_type", Some(2)),
            ("[planner]\nmax_depth = 5.5", "wrong_type", Some(2)),
            ("[planner]\nallow_buy = 1", "wrong_type", Some(2)),
            ("max_depth = 5", "unknown_key", Some(1)),
            ("[planner]\nmax_pool = 3", "out_of_range", Some(2)),
            ("[planner]\nrisk_profile = \"wild\"", "out_of_range", Some(2)),
            ("[planner]\nmin_improvement = nan", "out_of_range", Some(2)),
            ("[planner]\nmin_improvement = inf", "out_of_range", Some(2)),
        ];
        for (text, code, line) in cases {
            assert_eq!(codes(text), [(*code, *line)], "{text}");
        }
    }

    #[test]
    fn everything_wrong_is_said_at_once_from_the_top() {
        let text = "[planner]\nzebra = 1\napple = 2\n[filters.mango]\nenabled = true\n";
        assert_eq!(
            codes(text),
            [("unknown_key", Some(2)), ("unknown_key", Some(3)), ("unknown_module", Some(4))]
        );
    }

    #[test]
    fn the_old_form_with_params_and_old_names_are_read() {
        let text = "[opportunity_calculators.averaging_down]\nenabled = true\n\
                    [opportunity_calculators.averaging_down.params]\ndip_threshold = -0.3\nmin_quality_score = 1\n";
        let read = read(text);
        assert!(read.errors().is_empty(), "{:?}", read.problems);
        let number =
            |name: &str| read.configuration.number(&format!("opportunity_calculators.averaging_down.{name}"));
        assert!((number("max_dip") + 0.3).abs() < 1e-12);
        assert!((number("min_quality_score") - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_key_in_both_forms_is_named_twice() {
        let text = "[opportunity_calculators.averaging_down]\nmax_dip = -0.2\ndip_threshold = -0.3\n";
        assert_eq!(codes(text), [("named_twice", Some(2))]);
    }

    #[test]
    fn what_is_not_built_is_a_warning_and_is_not_kept() {
        let text = "[planner]\nbeam_width = 20\n[filters.eligibility]\nenabled = true\n[filters.eligibility.params]\nmin_hold_days = 10\n";
        let read = read(text);
        assert!(read.errors().is_empty());
        assert_eq!(codes(text), [("not_built", Some(2)), ("not_built", Some(3))]);
        assert_eq!(read.configuration, Configuration::default());
    }

    #[test]
    fn a_document_that_is_too_long_is_refused_unread() {
        let text = format!("# {}", "x".repeat(LENGTH_MAX));
        assert_eq!(codes(&text), [("too_long", None)]);
        assert_eq!(codes(&text[..LENGTH_MAX]), []);
    }
}
