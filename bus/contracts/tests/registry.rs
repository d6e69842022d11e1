//! A broken `topics.toml` gives one sentence that says what, where and what to do.
#![allow(clippy::unwrap_used, missing_docs)]

#[allow(dead_code)]
#[path = "../build/registry.rs"]
mod registry;

use registry::Registry;

const STAGES: &str = "[stage.a]\nsays = \"A.\"\n[stage.b]\nsays = \"B.\"\n";
const TOPIC: &str = "path = \"x/{y}\"\ntype = \"X\"\nowner = \"a\"\nreaders = [\"b\"]\nclass = \"statement\"\nencoding = \"msgpack\"\nmax_bytes = 10\noutside = \"none\"\nsays = \"X.\"\n";

fn with(change: &str, to: &str) -> Result<Registry, String> {
    assert!(TOPIC.contains(change), "{change}");
    Registry::parse(&format!("{STAGES}[topic.x]\n{}", TOPIC.replace(change, to)))
}

#[test]
fn the_registry_of_this_repository_is_sound() {
    let text = include_str!("../../../topics.toml");
    Registry::parse(text).unwrap();
}

#[test]
fn each_mistake_is_named_with_its_place() {
    let cases: &[(&str, &str, &str)] = &[
        ("class = \"statement\"", "class = \"gossip\"", "gossip"),
        ("max_bytes = 10", "max_bytes = 0", "max_bytes is 0"),
        ("max_bytes = 10", "max_bytes = 999999999", "max_bytes is 999999999"),
        ("owner = \"a\"", "owner = \"nobody\"", "`nobody` is no stage"),
        ("readers = [\"b\"]", "readers = [\"b\", \"b\"]", "twice"),
        ("readers = [\"b\"]", "readers = []", "at least one"),
        ("path = \"x/{y}\"", "path = \"X//y\"", "path `X//y`"),
        ("encoding = \"msgpack\"", "encoding = \"json\"", "`json`"),
        ("owner = \"a\"", "owner = [\"a\", \"b\"]", "several owners"),
        ("outside = \"none\"", "outside = \"command\"", "only for class"),
        ("says = \"X.\"", "says = \"X.\"\nqos = 2", "qos is 2"),
        ("says = \"X.\"", "says = \"X.\"\nversion = 0", "version is 0"),
        ("says = \"X.\"", "says = \"X.\"\ncolour = 1", "colour"),
        ("says = \"X.\"\n", "", "says"),
        ("path = \"x/{y}\"", "path = ", "topics.toml cannot be read"),
    ];
    with("X.", "X!").unwrap();
    for (change, to, expected) in cases {
        let error = with(change, to).unwrap_err();
        assert!(error.contains(expected), "{to}: {error}");
        assert!(error.starts_with("topics.toml"), "{error}");
    }
}

#[test]
fn two_topics_with_one_path_or_one_type_are_refused() {
    let twice = |second: String| {
        Registry::parse(&format!("{STAGES}[topic.x]\n{TOPIC}[topic.z]\n{second}")).unwrap_err()
    };
    assert!(twice(TOPIC.replace("\"X\"", "\"Z\"")).contains("same path"));
    assert!(twice(TOPIC.replace("x/{y}", "z")).contains("type `X`"));
}
