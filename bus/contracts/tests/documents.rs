//! `docs/topics.md` and `docs/asyncapi.yaml` say what the code does. `STEWARD_UPDATE=1` rewrites them.
#![allow(clippy::unwrap_used, missing_docs)]

use std::{fs, path::PathBuf};

use contracts::{Class, STAGES, TOPICS, TopicSpec, samples, schemas};
use serde_json::{Map, Value, json};

#[test]
fn topics_md_is_current() {
    compare("topics.md", &topics_md());
}

#[test]
fn asyncapi_yaml_is_current() {
    let text = format!(
        "# Generated from topics.toml and the message types; see CONTRIBUTING.md.\n{}",
        yaml(&asyncapi(), 0)
    );
    compare("asyncapi.yaml", &text);
}

fn compare(name: &str, text: &str) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    if std::env::var_os("STEWARD_UPDATE").is_some() {
        fs::write(&file, text).unwrap();
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    assert!(found == text, "docs/{name} is out of date; run `make update` and look at the difference");
}

fn topics_md() -> String {
    let mut out = String::from(
        "# Topics\n\nGenerated from `topics.toml`. Paths stand below `{prefix}/v{version}/`; every payload is one MessagePack map, \
         `{id, key_version, at, stage, trace, cause, body}`. An example of each stands in `bus/contracts/vectors/`.\n\n\
         A *statement* says how one thing is now: it is retained, its version only grows, and its owner repeats it at every connect.\n",
    );
    out.push_str("\n## Stages\n\n| Stage | Store | Does | Publishes | Reads |\n|---|---|---|---|---|\n");
    for stage in STAGES {
        let list = |pick: &dyn Fn(&TopicSpec) -> bool| {
            let names: Vec<_> = TOPICS.iter().filter(|spec| pick(spec)).map(|spec| spec.name).collect();
            names.join(", ")
        };
        out.push_str(&format!(
            "| {} | {} | {} | {} | {} |\n",
            stage.name,
            stage.store.unwrap_or("–"),
            stage.says,
            list(&|spec| spec.owners != ["each"] && spec.is_owned_by(stage.name)),
            list(&|spec| spec.readers != ["each"] && spec.is_read_by(stage.name)),
        ));
    }
    out.push_str("\nEvery stage also publishes its own health and job runs and the replies to its commands, and reads the settings and, where time is simulated, the clock.\n");
    out.push_str("\n## Topics\n\n| Path | Type | Class | QoS | Owner | Readers | At most | Outside | Says |\n|---|---|---|---|---|---|---|---|---|\n");
    for spec in TOPICS {
        out.push_str(&format!(
            "| `{}` | [`{}`](../bus/contracts/vectors/{}.json) | {} | {} | {} | {} | {} B | {} | {} |\n",
            spec.path,
            spec.body,
            spec.name,
            format!("{:?}", spec.class).to_lowercase(),
            spec.qos,
            spec.owners.join(", "),
            spec.readers.join(", "),
            spec.max_bytes,
            format!("{:?}", spec.outside).to_lowercase(),
            spec.says,
        ));
    }
    out
}

fn asyncapi() -> Value {
    let (mut channels, mut operations, mut messages, mut types) =
        (Map::new(), Map::new(), Map::new(), Map::new());
    for (topic, schema) in schemas() {
        let spec = topic.spec();
        types.insert(spec.body.to_string(), components(schema, &mut Map::new()));
    }
    // A second walk collects the types that bodies share.
    let mut shared = Map::new();
    for (_, schema) in schemas() {
        components(schema, &mut shared);
    }
    for (name, schema) in shared {
        types.entry(name).or_insert(schema);
    }
    for example in samples() {
        let spec = example.topic.spec();
        channels.insert(spec.name.to_string(), channel(spec));
        messages.insert(spec.body.to_string(), message(spec, &example.json));
        for (who, action) in
            spec.owners.iter().map(|w| (w, "send")).chain(spec.readers.iter().map(|w| (w, "receive")))
        {
            operations.insert(
                format!("{who}.{action}.{}", spec.name),
                json!({"action": action, "channel": {"$ref": format!("#/channels/{}", spec.name)}, "summary": format!("{who}: {}", spec.says)}),
            );
        }
    }
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Steward, the stages' bus",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What the stages of Steward say to each other over MQTT. Payloads are MessagePack maps with the names given here; the examples show them as JSON.",
            "license": {"name": "MIT OR Apache-2.0"},
        },
        "defaultContentType": "application/msgpack",
        "servers": {"stages": {"host": "127.0.0.1:1883", "protocol": "mqtt", "protocolVersion": "3.1.1", "description": "The embedded broker; loopback only, one password per stage."}},
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": types},
    })
}

fn channel(spec: &TopicSpec) -> Value {
    let mut parameters = Map::new();
    for variable in spec.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
        parameters
            .insert(variable.to_string(), json!({"description": format!("The `{variable}` of the body.")}));
    }
    let mut channel = json!({
        "address": format!("steward/v{}/{}", spec.version, spec.path),
        "title": spec.name,
        "description": format!("{} At most {} bytes.", spec.says, spec.max_bytes),
        "messages": {spec.body: {"$ref": format!("#/components/messages/{}", spec.body)}},
        "tags": [{"name": format!("{:?}", spec.class).to_lowercase()}],
    });
    if !parameters.is_empty() {
        channel["parameters"] = Value::Object(parameters);
    }
    channel
}

fn message(spec: &TopicSpec, example: &Value) -> Value {
    let retained = spec.class == Class::Statement;
    json!({
        "name": spec.body,
        "summary": spec.says,
        "description": format!("Quality of service {}; {}.", spec.qos, if retained { "retained, an empty payload ends it" } else { "not retained" }),
        "payload": {
            "type": "object",
            "required": ["id", "key_version", "at", "stage", "trace", "body"],
            "properties": {
                "id": {"$ref": "#/components/schemas/Id"},
                "key_version": {"type": "integer", "minimum": 0, "description": "Grows with every change; older or equal ones change nothing."},
                "at": {"$ref": "#/components/schemas/Timestamp"},
                "stage": {"type": "string", "description": "Who says it."},
                "trace": {"$ref": "#/components/schemas/Id"},
                "cause": {"type": ["string", "null"], "description": "The message that led to this one."},
                "body": {"$ref": format!("#/components/schemas/{}", spec.body)},
            },
        },
        "examples": [{"payload": example}],
    })
}

/// Takes the shared types out of one schema and makes every reference point to the components.
fn components(mut schema: Value, shared: &mut Map<String, Value>) -> Value {
    if let Some(object) = schema.as_object_mut() {
        object.remove("$schema");
        if let Some(Value::Object(inner)) = object.remove("$defs") {
            for (name, inner) in inner {
                shared.insert(name, pointed(inner));
            }
        }
    }
    pointed(schema)
}

fn pointed(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace("#/$defs/", "#/components/schemas/")),
        Value::Array(items) => Value::Array(items.into_iter().map(pointed).collect()),
        Value::Object(map) => {
            Value::Object(map.into_iter().map(|(key, value)| (key, pointed(value))).collect())
        }
        other => other,
    }
}

/// Block style for maps and lists, JSON for everything else, which YAML understands.
fn yaml(value: &Value, depth: usize) -> String {
    let pad = "  ".repeat(depth);
    match value {
        Value::Object(map) if !map.is_empty() => map
            .iter()
            .map(|(key, value)| format!("{pad}{}:{}", Value::String(key.clone()), nested(value, depth)))
            .collect(),
        Value::Array(items) if !items.is_empty() => {
            items.iter().map(|item| format!("{pad}-{}", nested(item, depth))).collect()
        }
        other => format!("{pad}{other}\n"),
    }
}

fn nested(value: &Value, depth: usize) -> String {
    match value {
        Value::Object(map) if !map.is_empty() => format!("\n{}", yaml(value, depth + 1)),
        Value::Array(items) if !items.is_empty() => format!("\n{}", yaml(value, depth + 1)),
        other => format!(" {other}\n"),
    }
}
