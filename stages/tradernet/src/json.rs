//! Lazy view on a JSON text that keeps every number as written, so that money is read exactly.
//! Each level is parsed when it is looked at; a missing field is a node like any other.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// Points at one JSON value, or at nothing.
#[derive(Debug, Clone, Copy)]
pub struct Node<'a> {
    raw: Option<&'a str>,
}

/// Names the shape of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Missing,
    Null,
    Bool,
    Number,
    Text,
    List,
    Object,
}

impl<'a> Node<'a> {
    /// Views a whole body, or nothing when it is not exactly one JSON value.
    pub(crate) fn parse(body: &'a [u8]) -> Option<Self> {
        let raw: &RawValue = serde_json::from_slice(body).ok()?;
        Some(Self::of(raw))
    }

    fn of(raw: &'a RawValue) -> Self {
        Self { raw: Some(raw.get().trim()) }
    }

    /// Returns the node that stands for an absent field.
    pub(crate) fn missing() -> Self {
        Self { raw: None }
    }

    pub(crate) fn shape(self) -> Shape {
        match self.raw.and_then(|raw| raw.bytes().next()) {
            None => Shape::Missing,
            Some(b'n') => Shape::Null,
            Some(b't' | b'f') => Shape::Bool,
            Some(b'"') => Shape::Text,
            Some(b'[') => Shape::List,
            Some(b'{') => Shape::Object,
            Some(_) => Shape::Number,
        }
    }

    /// Tells whether the field is there and not null.
    pub(crate) fn is_present(self) -> bool {
        !matches!(self.shape(), Shape::Missing | Shape::Null)
    }

    /// Opens an object; any other shape gives an empty one, so look-ups can be chained.
    pub(crate) fn fields(self) -> Fields<'a> {
        let raw = self.raw.filter(|_| self.shape() == Shape::Object).unwrap_or("{}");
        Fields { by_name: serde_json::from_str(raw).unwrap_or_default() }
    }

    /// Opens an object whose absence or damage must not pass as "no fields".
    pub(crate) fn open(self) -> Option<Fields<'a>> {
        let raw = self.raw.filter(|_| self.shape() == Shape::Object)?;
        Some(Fields { by_name: serde_json::from_str(raw).ok()? })
    }

    /// Looks one field up; absent in anything that is not an object.
    pub(crate) fn get(self, name: &str) -> Node<'a> {
        if self.shape() == Shape::Object { self.fields().get(name) } else { Node::missing() }
    }

    /// Opens a list; any other shape is `None`.
    pub(crate) fn list(self) -> Option<Vec<Node<'a>>> {
        let raw = self.raw.filter(|_| self.shape() == Shape::List)?;
        let items: Vec<&RawValue> = serde_json::from_str(raw).ok()?;
        Some(items.into_iter().map(Node::of).collect())
    }

    /// Opens what should be a list of rows: null, absent, `[]` and `{}` are empty, a bare object is
    /// one row, an object whose keys are all numbers is its values in that order.
    ///
    /// `None` when it is something else, such as text: that must not pass as "no rows".
    pub(crate) fn rows(self) -> Option<Vec<Node<'a>>> {
        match self.shape() {
            Shape::Missing | Shape::Null => Some(Vec::new()),
            Shape::List => self.list(),
            Shape::Object => Some(self.open()?.into_rows(self)),
            Shape::Bool | Shape::Number | Shape::Text => None,
        }
    }

    /// Returns a text value, decoded.
    pub(crate) fn text(self) -> Option<String> {
        let raw = self.raw.filter(|_| self.shape() == Shape::Text)?;
        serde_json::from_str(raw).ok()
    }

    /// Returns the characters of a number or a text, as ids and numbers come in both forms.
    pub(crate) fn characters(self) -> Option<Cow<'a, str>> {
        match self.shape() {
            Shape::Number => self.raw.map(Cow::Borrowed),
            Shape::Text => self.text().map(Cow::Owned),
            _ => None,
        }
    }

    /// Returns the value as written.
    pub(crate) fn as_written(self) -> &'a str {
        self.raw.unwrap_or("")
    }

    /// Opens a value that may itself be JSON inside a text and hands it to `look`.
    pub(crate) fn embedded<T>(self, look: impl FnOnce(Node<'_>) -> T) -> T {
        match self.text() {
            Some(inner) => look(Node::parse(inner.as_bytes()).unwrap_or(self)),
            None => look(self),
        }
    }
}

/// Holds the fields of one object.
#[derive(Debug, Default)]
pub struct Fields<'a> {
    by_name: BTreeMap<String, &'a RawValue>,
}

impl<'a> Fields<'a> {
    pub(crate) fn get(&self, name: &str) -> Node<'a> {
        self.by_name.get(name).map_or(Node::missing(), |raw| Node::of(raw))
    }

    /// Returns the first of several spellings of one field that is there and not null.
    pub(crate) fn first(&self, names: &[&str]) -> Node<'a> {
        names.iter().map(|name| self.get(name)).find(|node| node.is_present()).unwrap_or(Node::missing())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Node<'a>)> {
        self.by_name.iter().map(|(name, raw)| (name.as_str(), Node::of(raw)))
    }

    fn into_rows(self, whole: Node<'a>) -> Vec<Node<'a>> {
        if self.by_name.is_empty() {
            return Vec::new();
        }
        let numbered: Option<BTreeMap<u64, Node<'a>>> =
            self.iter().map(|(name, node)| Some((name.parse().ok()?, node))).collect();
        numbered.map_or_else(|| vec![whole], |rows| rows.into_values().collect())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn rows_of(text: &str) -> Option<Vec<&str>> {
        Some(Node::parse(text.as_bytes()).unwrap().rows()?.into_iter().map(Node::as_written).collect())
    }

    #[test]
    fn reads_the_many_forms_of_a_list() {
        assert_eq!(rows_of("null"), Some(vec![]));
        assert_eq!(rows_of("[]"), Some(vec![]));
        assert_eq!(rows_of("{}"), Some(vec![]));
        assert_eq!(rows_of(r#"[{"a":1}]"#), Some(vec![r#"{"a":1}"#]));
        assert_eq!(rows_of(r#"{"a":1}"#), Some(vec![r#"{"a":1}"#]));
        assert_eq!(rows_of(r#"{"10":"c","2":"b","0":"a"}"#), Some(vec![r#""a""#, r#""b""#, r#""c""#]));
        assert_eq!(rows_of(r#""none""#), None);
        assert_eq!(Node::missing().rows().map(|rows| rows.len()), Some(0));
    }

    #[test]
    fn keeps_numbers_as_written() {
        let node = Node::parse(br#" { "p" : 0.10000000000000000001 , "q":"12.5" } "#).unwrap();
        assert_eq!(node.get("p").characters().as_deref(), Some("0.10000000000000000001"));
        assert_eq!(node.get("q").characters().as_deref(), Some("12.5"));
        assert_eq!(node.get("absent").shape(), Shape::Missing);
    }

    #[test]
    fn opens_json_inside_a_text() {
        let node = Node::parse(br#"{"a":"{\"b\":7}","c":{"b":8}}"#).unwrap();
        let b = |name| node.get(name).embedded(|inner| inner.get("b").as_written().to_owned());
        assert_eq!(b("a"), "7");
        assert_eq!(b("c"), "8");
    }

    #[test]
    fn refuses_what_is_not_one_json_value() {
        for body in [&b""[..], b"<html>", b"{} {}", b"{\"a\":", b"\xff\xfe", b"{'a':1}"] {
            assert!(Node::parse(body).is_none());
        }
    }

    #[test]
    fn a_damaged_object_is_not_an_empty_one() {
        // A lone surrogate passes as JSON at first sight, but no text can hold it.
        let node = Node::parse(br#"{"\ud800":1,"order":[1]}"#).unwrap();
        assert!(node.open().is_none());
        assert!(node.rows().is_none());
        assert!(Node::parse(b"{}").unwrap().open().is_some());
    }

    #[test]
    fn survives_deep_nesting_without_recursion() {
        let deep = "[".repeat(200_000) + &"]".repeat(200_000);
        assert!(Node::parse(deep.as_bytes()).is_some());
    }
}
