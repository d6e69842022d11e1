//! Planner configurations: what the owner wants of the planner, written as TOML.
//!
//! A document names only what it changes; everything else is as `[stage.plan]` and the defaults say. Sections are
//! `[planner]` and `[<group>.<module>]`; the old form with `[<group>.<module>.params]` is read too. What is stored is the
//! document as [`Configuration::text`] writes it, so the same wishes are the same text and the same hash.
//!
//! [`keys`] lists every key, [`read`] turns a document into a configuration or says what is wrong on which line,
//! [`check`] are the rules between keys, [`effect`] turns it into the planner's rules, [`book`] keeps the stored ones,
//! [`requests`] answers the commands.

pub mod book;
pub mod check;
pub mod effect;
pub mod keys;
pub mod read;
pub mod requests;
pub mod sliders;

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use keys::{KEYS, Value, key};

/// What a document names.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Configuration {
    given: BTreeMap<&'static str, Value>,
}

/// Built-in documents; read-only, known by name, never stored.
pub const TEMPLATES: &[(&str, &str)] = &[
    ("aggressive", include_str!("aggressive.toml")),
    ("conservative", include_str!("conservative.toml")),
    ("default", include_str!("default.toml")),
];

/// The name of the template that is in force where nothing else is.
pub const DEFAULT: &str = "default";

/// A built-in document.
#[must_use]
pub fn template(name: &str) -> Option<&'static str> {
    TEMPLATES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

impl Configuration {
    pub(crate) fn set(&mut self, path: &'static str, value: Value) {
        self.given.insert(path, value);
    }

    /// What a key holds if the document names it.
    #[must_use]
    pub fn given(&self, path: &str) -> Option<&Value> {
        self.given.get(path)
    }

    /// What a key holds.
    #[must_use]
    pub fn value(&self, path: &str) -> Option<&Value> {
        self.given(path).or_else(|| key(path).map(|key| &key.default))
    }

    /// Whether a switch is on.
    #[must_use]
    pub fn flag(&self, path: &str) -> bool {
        matches!(self.value(path), Some(Value::Flag(true)))
    }

    /// A number, if the document names it.
    #[must_use]
    pub fn given_number(&self, path: &str) -> Option<f64> {
        match self.given(path)? {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// A whole number, if the document names it.
    #[must_use]
    pub fn given_whole(&self, path: &str) -> Option<usize> {
        match self.given(path)? {
            Value::Whole(whole) => usize::try_from(*whole).ok(),
            _ => None,
        }
    }

    /// A number.
    #[must_use]
    pub fn number(&self, path: &str) -> f64 {
        match self.value(path) {
            Some(Value::Number(number)) => *number,
            _ => 0.0,
        }
    }

    /// A whole number; none are negative.
    #[must_use]
    pub fn whole(&self, path: &str) -> usize {
        match self.value(path) {
            Some(Value::Whole(whole)) => usize::try_from(*whole).unwrap_or(0),
            _ => 0,
        }
    }

    /// A text.
    #[must_use]
    pub fn word(&self, path: &str) -> &str {
        match self.value(path) {
            Some(Value::Text(text)) => text,
            _ => "",
        }
    }

    /// The document: what is named, in the order of [`KEYS`].
    #[must_use]
    pub fn text(&self) -> String {
        self.written(|path| self.given(path))
    }

    /// Every key with what it holds, or its default; what is in force is [`effect::in_force`].
    #[must_use]
    pub fn full_text(&self) -> String {
        self.written(|path| self.value(path))
    }

    fn written<'a>(&self, value: impl Fn(&'static str) -> Option<&'a Value>) -> String {
        let mut text = String::new();
        let mut section = "";
        for key in KEYS {
            let (Some(value), Some((of, name))) = (value(key.path), key.path.rsplit_once('.')) else {
                continue;
            };
            if of != section {
                if !text.is_empty() {
                    text.push('\n');
                }
                text.push_str(&format!("[{of}]\n"));
                section = of;
            }
            text.push_str(&format!("{name} = {value}\n"));
        }
        text
    }

    /// The first eight bytes of the SHA-256 of the document, in hexadecimal; empty for one that names nothing.
    #[must_use]
    pub fn hash(&self) -> String {
        let named = self.given.keys().any(|path| !matches!(*path, "planner.name" | "planner.description"));
        if !named {
            return String::new();
        }
        let hash = Sha256::digest(self.text().as_bytes());
        hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_template_can_be_read_and_is_written_as_it_was_read() {
        for (name, text) in TEMPLATES {
            let read = read::read(text);
            assert!(read.errors().is_empty(), "{name}: {:?}", read.errors());
            assert_eq!(read.configuration.word("planner.name"), *name);
            let again = read::read(&read.configuration.text());
            assert_eq!(again.configuration, read.configuration, "{name}");
            assert_eq!(again.configuration.hash(), read.configuration.hash());
        }
    }

    #[test]
    fn the_default_changes_nothing_and_has_no_hash() {
        let default = read::read(template(DEFAULT).unwrap()).configuration;
        assert_eq!(default.hash(), "");
        assert_eq!(default.hash(), Configuration::default().hash());
    }

    #[test]
    fn the_full_text_reads_back_as_every_default() {
        let read = read::read(&Configuration::default().full_text());
        assert!(read.errors().is_empty(), "{:?}", read.errors());
        for key in KEYS {
            assert_eq!(read.configuration.value(key.path), Some(&key.default), "{}", key.path);
        }
    }
}
