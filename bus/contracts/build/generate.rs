//! Writes the Rust code of the typed topics: one `TopicId`, the table of their rules, what each body's topic
//! and key is, and per stage its inputs and its right to publish.

use std::fmt::Write;

use crate::registry::{Class, Outside, Registry, Topic};

/// The whole generated module.
pub fn topics(registry: &Registry) -> String {
    let mut out = String::new();
    topic_ids(registry, &mut out);
    bodies(registry, &mut out);
    stages(registry, &mut out);
    samples(registry, &mut out);
    out
}

/// `order-approved` becomes `OrderApproved`.
fn camel(name: &str) -> String {
    name.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

fn names(list: &crate::registry::Names) -> String {
    list.listed().iter().map(|name| format!("{name:?}, ")).collect()
}

fn topic_ids(registry: &Registry, out: &mut String) {
    let _ = writeln!(
        out,
        "/// Every topic of the registry.\n#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]\npub enum TopicId {{"
    );
    for (name, topic) in &registry.topic {
        let _ = writeln!(out, "    /// `{}`: {}\n    {},", topic.path, topic.says, camel(name));
    }
    let _ = writeln!(
        out,
        "}}\n\n/// The rules of every topic, in the order of [`TopicId`].\npub const TOPICS: &[TopicSpec] = &["
    );
    for (name, topic) in &registry.topic {
        let class = match topic.class {
            Class::Statement => "Statement",
            Class::Event => "Event",
            Class::Job => "Job",
            Class::Command => "Command",
            Class::Reply => "Reply",
        };
        let outside = match topic.outside {
            Outside::None => "None",
            Outside::Read => "Read",
            Outside::Command => "Command",
        };
        let _ = writeln!(
            out,
            "    TopicSpec {{ id: TopicId::{}, name: {name:?}, path: {:?}, body: {:?}, owners: &[{}], readers: &[{}], class: Class::{class}, qos: {}, version: {}, max_bytes: {}, outside: Outside::{outside}, says: {:?} }},",
            camel(name),
            topic.path,
            topic.body,
            names(&topic.owner),
            names(&topic.readers),
            topic.qos,
            topic.version,
            topic.max_bytes,
            topic.says
        );
    }
    let _ = writeln!(out, "];\n\n/// Every stage of the registry.\npub const STAGES: &[StageSpec] = &[");
    for (name, stage) in &registry.stage {
        let _ = writeln!(
            out,
            "    StageSpec {{ name: {name:?}, store: {:?}, says: {:?} }},",
            stage.store, stage.says
        );
    }
    let _ = writeln!(out, "];\n");
}

fn bodies(registry: &Registry, out: &mut String) {
    for (name, topic) in &registry.topic {
        let variables: Vec<&str> =
            topic.path.split('/').filter_map(|p| p.strip_prefix('{')?.strip_suffix('}')).collect();
        let key = if variables.is_empty() {
            "String::new()".to_string()
        } else {
            let parts =
                variables.iter().map(|v| format!("self.{v}.to_string()")).collect::<Vec<_>>().join(", ");
            format!("[{parts}].join(\"/\")")
        };
        let id = camel(name);
        let _ = writeln!(
            out,
            "impl Body for crate::{} {{\n    const TOPIC: TopicId = TopicId::{id};\n    fn key(&self) -> String {{\n        {key}\n    }}\n}}\n",
            topic.body
        );
    }
}

fn stages(registry: &Registry, out: &mut String) {
    let _ = writeln!(
        out,
        "/// Per stage: what it reads, as one enum, and what it may publish.\npub mod stage {{"
    );
    for (name, stage) in &registry.stage {
        let marker = camel(name);
        let module = name.replace('-', "_");
        let read: Vec<(&String, &Topic)> = registry
            .topic
            .iter()
            .filter(|(_, t)| t.readers.includes(name) && !handled_by_the_runner(t))
            .collect();
        let _ = writeln!(out, "/// {}\npub mod {module} {{\n    use crate::*;\n", stage.says);
        let _ = writeln!(
            out,
            "    /// What `{name}` may publish and must handle.\n    #[derive(Debug, Clone, Copy)]\n    pub struct {marker};\n"
        );
        let _ = writeln!(
            out,
            "    /// One message of a topic that `{name}` reads.\n    #[derive(Debug, Clone, PartialEq)]\n    #[allow(clippy::large_enum_variant)] // Handed over once and taken apart.\n    pub enum Input {{"
        );
        for (topic_name, topic) in &read {
            let _ = writeln!(
                out,
                "        /// `{}`: {}\n        {}(Received<crate::{}>),",
                topic.path,
                topic.says,
                camel(topic_name),
                topic.body
            );
        }
        let _ = writeln!(out, "    }}\n");
        let _ = writeln!(
            out,
            "    impl Contract for {marker} {{\n        const NAME: &'static str = {name:?};\n        const STORE: Option<&'static str> = {:?};",
            stage.store
        );
        let ids = |owns: bool| -> String {
            registry
                .topic
                .iter()
                .filter(|(_, t)| if owns { t.owner.includes(name) } else { t.readers.includes(name) })
                .map(|(n, _)| format!("TopicId::{}, ", camel(n)))
                .collect()
        };
        let _ = writeln!(
            out,
            "        const OWNS: &'static [TopicId] = &[{}];\n        const READS: &'static [TopicId] = &[{}];\n        type Input = Input;\n",
            ids(true),
            ids(false)
        );
        let _ = writeln!(
            out,
            "        #[allow(clippy::match_single_binding)]\n        fn decode(topic: TopicId, key: &str, payload: &[u8]) -> Result<Input, Refused> {{\n            let _ = (key, payload);\n            match topic {{"
        );
        for (topic_name, _) in &read {
            let id = camel(topic_name);
            let _ =
                writeln!(out, "                TopicId::{id} => Ok(Input::{id}(receive(key, payload)?)),");
        }
        let _ = writeln!(
            out,
            "                other => Err(Refused::NotRead {{ topic: other.spec().name, stage: Self::NAME }}),\n            }}\n        }}\n    }}\n"
        );
        for (_, topic) in registry.topic.iter().filter(|(_, t)| t.owner.includes(name)) {
            let _ = writeln!(out, "    impl Owns<crate::{}> for {marker} {{}}", topic.body);
        }
        let _ = writeln!(out, "}}\n");
    }
    let _ = writeln!(out, "}}\n");
}

/// The clock, the settings and replies reach every stage through the runner, not through its inputs.
fn handled_by_the_runner(topic: &Topic) -> bool {
    topic.readers.is_each()
}

fn samples(registry: &Registry, out: &mut String) {
    let _ = writeln!(
        out,
        "/// One encoded example per topic, for golden files and examinations.\n#[must_use]\npub fn samples() -> Vec<Example> {{\n    vec!["
    );
    for topic in registry.topic.values() {
        let _ = writeln!(out, "        Example::of::<crate::{}>(),", topic.body);
    }
    let _ = writeln!(out, "    ]\n}}\n");
    let _ = writeln!(
        out,
        "/// Decodes a payload as the type of its topic and drops it: proves that it can be read.\n///\n/// # Errors\n/// The reason why no reader would accept it.\npub fn examine(topic: TopicId, key: &str, payload: &[u8]) -> Result<(), Refused> {{\n    match topic {{"
    );
    for (name, topic) in &registry.topic {
        let _ = writeln!(
            out,
            "        TopicId::{} => receive::<crate::{}>(key, payload).map(drop),",
            camel(name),
            topic.body
        );
    }
    let _ = writeln!(out, "    }}\n}}");
    let _ = writeln!(
        out,
        "\n/// The JSON schema of every body.\n#[cfg(feature = \"schema\")]\n#[must_use]\npub fn schemas() -> Vec<(TopicId, serde_json::Value)> {{\n    vec!["
    );
    for (name, topic) in &registry.topic {
        let _ =
            writeln!(out, "        (TopicId::{}, crate::schema_of::<crate::{}>()),", camel(name), topic.body);
    }
    let _ = writeln!(out, "    ]\n}}");
}
