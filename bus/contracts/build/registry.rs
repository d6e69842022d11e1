//! Reads `topics.toml` and refuses anything that would make two stages disagree about a topic.
//! Every error is one sentence that names the topic, the field and the rule.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// Payloads above this do not belong on the bus (bulk history is read, not published).
pub const LARGEST_PAYLOAD: u32 = 256 * 1024;

/// The whole registry, checked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registry {
    /// Stages by name.
    pub stage: BTreeMap<String, Stage>,
    /// Topics by name.
    pub topic: BTreeMap<String, Topic>,
}

/// One `[stage.NAME]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// SQLite file it alone writes.
    pub store: Option<String>,
    /// One sentence.
    pub says: String,
}

/// One `[topic.NAME]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// Below `{prefix}/v{version}/`.
    pub path: String,
    /// Rust type of the body.
    #[serde(rename = "type")]
    pub body: String,
    /// Who publishes.
    pub owner: Names,
    /// Who subscribes.
    pub readers: Names,
    /// statement, event, job, command or reply.
    pub class: Class,
    /// Only `msgpack` exists on the stages' bus.
    pub encoding: String,
    /// Whole payload, envelope included.
    pub max_bytes: u32,
    /// Outside view.
    pub outside: Outside,
    /// MQTT quality of service.
    #[serde(default = "one")]
    pub qos: u8,
    /// Version of the meaning, part of the topic's path.
    #[serde(default = "one")]
    pub version: u8,
    /// One sentence.
    pub says: String,
}

fn one() -> u8 {
    1
}

/// `"each"`, one name or a list of names.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Names {
    /// One name or the word `each`.
    One(String),
    /// Several names, or `["each"]`.
    Many(Vec<String>),
}

impl Names {
    /// Every name written here.
    pub fn listed(&self) -> Vec<String> {
        match self {
            Names::One(name) => vec![name.clone()],
            Names::Many(names) => names.clone(),
        }
    }

    /// Whether all stages are meant.
    pub fn is_each(&self) -> bool {
        self.listed() == ["each"]
    }

    /// Whether this stage is among them.
    pub fn includes(&self, stage: &str) -> bool {
        self.is_each() || self.listed().iter().any(|name| name == stage)
    }
}

/// How a topic behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Retained, versioned, repeated.
    Statement,
    /// Said once.
    Event,
    /// Shared among the instances of its reader.
    Job,
    /// A request.
    Command,
    /// An answer.
    Reply,
}

/// What outsiders may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outside {
    /// Invisible.
    None,
    /// Mirrored.
    Read,
    /// Accepted.
    Command,
}

impl Registry {
    /// Parses and checks the text of `topics.toml`.
    ///
    /// # Errors
    /// One sentence naming place and rule.
    pub fn parse(text: &str) -> Result<Registry, String> {
        let registry: Registry =
            toml::from_str(text).map_err(|error| format!("topics.toml cannot be read: {error}"))?;
        registry.check()?;
        Ok(registry)
    }

    fn check(&self) -> Result<(), String> {
        let mut paths = BTreeMap::new();
        let mut types = BTreeMap::new();
        for (name, topic) in &self.topic {
            self.check_topic(name, topic)?;
            if let Some(other) = paths.insert(shape(&topic.path), name) {
                return Err(format!(
                    "topics.toml: topics `{other}` and `{name}` have the same path; give one another"
                ));
            }
            if let Some(other) = types.insert(topic.body.clone(), name) {
                return Err(format!(
                    "topics.toml: type `{}` is used by topics `{other}` and `{name}`; a type says one thing, so make a second one",
                    topic.body
                ));
            }
        }
        Ok(())
    }

    fn check_topic(&self, name: &str, topic: &Topic) -> Result<(), String> {
        let fail = |rule: String| Err(format!("topics.toml: topic `{name}`: {rule}"));
        if topic.encoding != "msgpack" {
            return fail(format!(
                "encoding is `{}`, but the stages' bus carries only `msgpack`",
                topic.encoding
            ));
        }
        if topic.max_bytes == 0 || topic.max_bytes > LARGEST_PAYLOAD {
            return fail(format!("max_bytes is {}, it must be 1 to {LARGEST_PAYLOAD}", topic.max_bytes));
        }
        if topic.qos > 1 {
            return fail(format!("qos is {}, it must be 0 or 1", topic.qos));
        }
        if topic.version == 0 {
            return fail("version is 0, versions start at 1".into());
        }
        let well_formed = !topic.path.is_empty()
            && topic.path.split('/').all(|part| {
                let inner = part.strip_prefix('{').and_then(|p| p.strip_suffix('}')).unwrap_or(part);
                !inner.is_empty() && inner.chars().all(|c| c.is_ascii_lowercase() || c == '-' || c == '_')
            });
        if !well_formed {
            return fail(format!(
                "path `{}` must be lower-case words and {{variables}} between single slashes",
                topic.path
            ));
        }
        for list in [&topic.owner, &topic.readers] {
            if list.listed().is_empty() && topic.class != Class::Event {
                return fail("owner and readers must name at least one stage".into());
            }
            for stage in list.listed().iter().filter(|stage| *stage != "each") {
                if !self.stage.contains_key(stage) {
                    return fail(format!(
                        "`{stage}` is no stage; declare [stage.{stage}] or correct the name"
                    ));
                }
            }
            let unique: BTreeSet<_> = list.listed().into_iter().collect();
            if unique.len() != list.listed().len() {
                return fail("a stage is named twice in one list".into());
            }
        }
        let several = topic.owner.listed().len() > 1 || topic.owner.is_each();
        let many_allowed =
            matches!(topic.class, Class::Command | Class::Reply) || topic.path.contains("{stage}");
        if several && !many_allowed {
            return fail(
                "only commands, replies and topics with {stage} in their path may have several owners".into(),
            );
        }
        if topic.class == Class::Command {
            let target = topic.readers.listed();
            let expected = format!("command/{}/", target.first().map(String::as_str).unwrap_or(""));
            if target.len() != 1 || !topic.path.starts_with(&expected) {
                return fail(format!("a command has one reader and its path starts with `{expected}`"));
            }
        } else if topic.outside == Outside::Command {
            return fail("outside = \"command\" is only for class \"command\"".into());
        }
        Ok(())
    }
}

/// The path with every variable made equal, to find two topics no one could tell apart.
fn shape(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect::<Vec<_>>().join("/")
}
