//! The JSON Schemas say the wire form of each type (feature `schema`).
#![cfg(feature = "schema")]

use schemars::{JsonSchema, schema_for};

fn check<T: JsonSchema>(kind: &str) {
    let schema = schema_for!(T);
    let name = T::schema_name();
    let has_kind = schema.get("type").and_then(|value| value.as_str()) == Some(kind);
    // A plain enumeration may list its values one by one, each with its own description.
    let is_enumeration = schema.get("oneOf").is_some() || schema.get("enum").is_some();
    assert!(has_kind || is_enumeration, "{name}: {schema:?}");
    let description = schema.get("description").and_then(|value| value.as_str()).unwrap_or_default();
    assert!(!description.is_empty() && !description.contains("# Examples"), "{name}: {description:?}");
}

#[test]
fn every_type_describes_its_wire_form() {
    check::<market::Timestamp>("integer");
    check::<market::Day>("string");
    check::<market::LocalTime>("string");
    check::<market::Isin>("string");
    check::<market::Mic>("string");
    check::<market::Source>("string");
    check::<market::Ticker>("string");
    check::<market::Weekday>("string");
    check::<market::VenueReason>("string");
    check::<market::Symbol>("object");
    check::<market::Alias>("object");
    check::<market::Listing>("object");
    check::<market::Interval>("object");
    check::<market::Edge>("object");
    check::<market::VenueState>("object");
}
