//! Requests about planner configurations: what the owner wants of the planner, as TOML documents.
//!
//! A configuration is named by its id or its name. The built-in ones (`default`, `conservative`, `aggressive`) can be
//! applied to a bucket and shown, never changed. Every change is answered with what is wrong, warnings included.

use serde::{Deserialize, Serialize};

use crate::Sample;

/// Stores a new configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConfigCreate {
    /// Who asks.
    pub actor: String,
    /// Its name; one that no other has.
    pub name: String,
    /// The document.
    pub toml: String,
    /// The bucket that it is put in force for, if any.
    #[serde(default)]
    pub bucket_id: Option<String>,
    /// Why, for the history.
    #[serde(default)]
    pub note: String,
}

/// Changes a configuration; what is absent stays. One that is in force takes effect at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConfigUpdate {
    /// Who asks.
    pub actor: String,
    /// Which.
    pub config: String,
    /// Its new name.
    #[serde(default)]
    pub name: Option<String>,
    /// The new document.
    #[serde(default)]
    pub toml: Option<String>,
    /// The bucket that it is put in force for; an empty text takes it out of force.
    #[serde(default)]
    pub bucket_id: Option<String>,
    /// Why, for the history.
    #[serde(default)]
    pub note: String,
}

/// Removes a configuration; a bucket that it was in force for gets the default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConfigDelete {
    /// Who asks.
    pub actor: String,
    /// Which.
    pub config: String,
}

/// Says what is wrong with a document, or shows a configuration; changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConfigValidate {
    /// Who asks.
    pub actor: String,
    /// A document.
    #[serde(default)]
    pub toml: Option<String>,
    /// Or one that is stored or built in.
    #[serde(default)]
    pub config: Option<String>,
}

/// Puts a configuration in force for a bucket, or puts the one in force there in force again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConfigApply {
    /// Who asks.
    pub actor: String,
    /// For which bucket.
    pub bucket_id: String,
    /// Which, stored or built in.
    #[serde(default)]
    pub config: Option<String>,
    /// Or a document, which replaces the one in force.
    #[serde(default)]
    pub toml: Option<String>,
    /// Why, for the history.
    #[serde(default)]
    pub note: String,
}

/// Makes an older version the newest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConfigRestore {
    /// Who asks.
    pub actor: String,
    /// Which configuration.
    pub config: String,
    /// Which version of it.
    pub version: u32,
}

const DOCUMENT: &str = "[planner]\nmax_depth = 3\n";

impl Sample for ConfigCreate {
    fn sample() -> Self {
        ConfigCreate {
            actor: "steward".into(),
            name: "careful".into(),
            toml: DOCUMENT.into(),
            bucket_id: Some("core".into()),
            note: "Shorter plans.".into(),
        }
    }
}

impl Sample for ConfigUpdate {
    fn sample() -> Self {
        ConfigUpdate {
            actor: "steward".into(),
            config: "careful".into(),
            name: None,
            toml: Some(DOCUMENT.into()),
            bucket_id: None,
            note: "Shorter plans.".into(),
        }
    }
}

impl Sample for ConfigDelete {
    fn sample() -> Self {
        ConfigDelete { actor: "steward".into(), config: "careful".into() }
    }
}

impl Sample for ConfigValidate {
    fn sample() -> Self {
        ConfigValidate { actor: "steward".into(), toml: Some(DOCUMENT.into()), config: None }
    }
}

impl Sample for ConfigApply {
    fn sample() -> Self {
        ConfigApply {
            actor: "steward".into(),
            bucket_id: "core".into(),
            config: Some("conservative".into()),
            toml: None,
            note: "Before the holidays.".into(),
        }
    }
}

impl Sample for ConfigRestore {
    fn sample() -> Self {
        ConfigRestore { actor: "steward".into(), config: "careful".into(), version: 1 }
    }
}
