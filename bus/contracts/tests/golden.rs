//! Golden bytes of every type, and what readers accept. `STEWARD_UPDATE=1` rewrites the files.
#![allow(clippy::unwrap_used, missing_docs)]

use std::{fs, path::PathBuf};

use contracts::{Address, Refused, TopicId, examine, samples};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

fn compare(name: &str, found: &[u8]) {
    let path = folder().join(name);
    if std::env::var_os("STEWARD_UPDATE").is_some() {
        fs::write(&path, found).unwrap();
    }
    let expected = fs::read(&path).unwrap_or_default();
    assert_eq!(
        expected, found,
        "{name} changed; if that is meant, run `make update` and say in CHANGELOG.md what it means for readers"
    );
}

#[test]
fn every_type_keeps_its_golden_bytes() {
    for example in samples() {
        let name = example.topic.spec().name;
        compare(&format!("{name}.msgpack"), &example.payload);
        compare(
            &format!("{name}.json"),
            format!("{}\n", serde_json::to_string_pretty(&example.json).unwrap()).as_bytes(),
        );
    }
}

#[test]
fn no_golden_file_is_left_of_a_topic_that_is_gone() {
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_string();
        assert!(TopicId::by_name(&name).is_some(), "{} belongs to no topic", path.display());
    }
}

#[test]
fn every_reader_decodes_every_owners_example() {
    for example in samples() {
        examine(example.topic, &example.key, &example.payload).unwrap();
    }
}

#[test]
fn json_for_people_equals_the_typed_json() {
    for example in samples() {
        let shown = contracts::to_json("any", &example.payload).unwrap();
        assert_eq!(shown, example.json, "{}", example.topic.spec().name);
    }
}

#[test]
fn examples_fit_their_limits() {
    for example in samples() {
        let spec = example.topic.spec();
        assert!(
            example.payload.len() <= spec.max_bytes as usize / 2,
            "{} leaves no room for real values",
            spec.name
        );
    }
}

#[test]
fn unknown_fields_are_ignored_at_the_top_and_in_the_body() {
    for example in samples() {
        let mut value = example.json.clone();
        value["from_the_future"] = serde_json::json!({"a": [1, 2, 3]});
        value["body"]["from_the_future"] = serde_json::json!("x");
        let payload = rmp_serde::to_vec_named(&value).unwrap();
        examine(example.topic, &example.key, &payload)
            .unwrap_or_else(|error| panic!("{}: {error}", example.topic.spec().name));
    }
}

#[test]
fn a_missing_field_is_refused_by_name() {
    let example = samples().into_iter().find(|e| e.topic == TopicId::MarketQuote).unwrap();
    let mut value = example.json.clone();
    value["body"].as_object_mut().unwrap().remove("price_e6");
    let payload = rmp_serde::to_vec_named(&value).unwrap();
    let error = examine(example.topic, &example.key, &payload).unwrap_err();
    assert!(error.to_string().contains("price_e6"), "{error}");
}

#[test]
fn another_version_is_refused_by_name() {
    let wire = "steward/v9/market/fx";
    let error = Address::parse("steward", wire).unwrap_err();
    assert!(matches!(error, Refused::UnknownVersion { topic: "market-fx", known: 1, .. }), "{error}");
}

#[test]
fn addresses_survive_the_wire() {
    for example in samples() {
        let wire = example.topic.spec().address("home/steward", &example.key);
        assert_eq!(
            Address::parse("home/steward", &wire).unwrap(),
            Address { topic: example.topic, key: example.key }
        );
    }
}

#[test]
fn foreign_paths_are_no_topics() {
    for wire in [
        "",
        "steward",
        "steward/",
        "steward/v1",
        "steward/v1/",
        "other/v1/market/fx",
        "steward/v1/market/fx/more",
        "steward/1/market/fx",
    ] {
        assert!(matches!(Address::parse("steward", wire), Err(Refused::UnknownTopic { .. })), "{wire}");
    }
}

#[test]
fn a_body_about_another_key_is_refused() {
    let example = samples().into_iter().find(|e| e.topic == TopicId::MarketQuote).unwrap();
    assert!(matches!(
        examine(example.topic, "US0378331005", &example.payload),
        Err(Refused::WrongKey { .. })
    ));
}

#[test]
fn a_foreign_publisher_is_refused() {
    let example = samples().into_iter().find(|e| e.topic == TopicId::OrderApproved).unwrap();
    let mut value = example.json.clone();
    value["stage"] = serde_json::json!("score");
    let payload = rmp_serde::to_vec_named(&value).unwrap();
    assert!(matches!(examine(example.topic, &example.key, &payload), Err(Refused::NotTheOwner { .. })));
}

#[test]
fn an_oversize_payload_is_refused_before_it_is_read() {
    let spec = TopicId::MarketQuote.spec();
    let payload = vec![0x81_u8; spec.max_bytes as usize + 1];
    assert!(matches!(examine(spec.id, "", &payload), Err(Refused::TooLarge { .. })));
}

#[test]
fn nan_and_infinity_are_refused_where_they_enter() {
    let example = samples().into_iter().find(|e| e.topic == TopicId::ScoreRegime).unwrap();
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let good = rmp_serde::to_vec_named(&0.1_f64).unwrap();
        let mut payload = example.payload.clone();
        let at = payload.windows(good.len()).position(|w| w == good).unwrap();
        payload.splice(at..at + good.len(), rmp_serde::to_vec_named(&bad).unwrap());
        assert!(examine(example.topic, &example.key, &payload).is_err(), "{bad} was accepted");
    }
}
