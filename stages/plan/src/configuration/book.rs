//! The stored configurations: which there are, which is in force for which bucket, and every version of each.

use std::collections::BTreeMap;

use contracts::Id;
use market::Timestamp;

use super::{Configuration, DEFAULT, read, template};

/// Configurations that may be stored.
pub const STORED_MAX: usize = 50;
/// Versions that are kept of each.
pub const VERSIONS_MAX: usize = 100;

/// One stored configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Key.
    pub id: Id,
    /// Its name; no other has it.
    pub name: String,
    /// The bucket that it is in force for; no other is.
    pub bucket_id: Option<String>,
    /// What it says.
    pub configuration: Configuration,
    /// Number of its newest version, from 1.
    pub version: u32,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Timestamp,
}

/// One version of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// Of which configuration.
    pub id: Id,
    /// Its number.
    pub version: u32,
    /// The name then.
    pub name: String,
    /// The document then.
    pub toml: String,
    /// Who made it.
    pub actor: String,
    /// Why.
    pub note: String,
    /// When.
    pub saved: Timestamp,
}

/// All of them.
#[derive(Debug, Clone, Default)]
pub struct Book {
    stored: BTreeMap<Id, Stored>,
    versions: BTreeMap<(Id, u32), Version>,
}

impl Book {
    /// Takes one that is new, changed, or comes from the store.
    pub fn put(&mut self, stored: Stored) {
        self.stored.insert(stored.id, stored);
    }

    /// Takes a version; the oldest beyond [`VERSIONS_MAX`] goes.
    pub fn put_version(&mut self, version: Version) {
        let id = version.id;
        self.versions.insert((id, version.version), version);
        while self.versions(id).count() > VERSIONS_MAX {
            let Some(oldest) = self.versions(id).map(|version| version.version).next() else { return };
            self.versions.remove(&(id, oldest));
        }
    }

    /// Forgets one; its versions stay in the store only.
    pub fn remove(&mut self, id: Id) {
        self.stored.remove(&id);
        self.versions.retain(|(of, _), _| *of != id);
    }

    /// How many are stored.
    #[must_use]
    pub fn count(&self) -> usize {
        self.stored.len()
    }

    /// The one with this id or name.
    #[must_use]
    pub fn find(&self, wanted: &str) -> Option<&Stored> {
        self.stored.values().find(|one| one.name == wanted || one.id.to_string() == wanted)
    }

    /// The one in force for a bucket.
    #[must_use]
    pub fn of_bucket(&self, bucket_id: &str) -> Option<&Stored> {
        self.stored.values().find(|one| one.bucket_id.as_deref() == Some(bucket_id))
    }

    /// One version.
    #[must_use]
    pub fn version(&self, id: Id, version: u32) -> Option<&Version> {
        self.versions.get(&(id, version))
    }

    fn versions(&self, id: Id) -> impl Iterator<Item = &Version> {
        self.versions.range((id, 0)..=(id, u32::MAX)).map(|(_, version)| version)
    }

    /// Name and document of what is in force for a bucket; there always is something.
    #[must_use]
    pub fn in_force(&self, bucket_id: &str) -> (String, Configuration) {
        match self.of_bucket(bucket_id) {
            Some(stored) => (stored.name.clone(), stored.configuration.clone()),
            None => {
                let text = template(DEFAULT).unwrap_or_default();
                (DEFAULT.into(), read::read(text).configuration)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: i64) -> Id {
        Id::derive(Timestamp::from_ms(n), &["test"])
    }

    fn version(n: u32) -> Version {
        Version {
            id: id(1),
            version: n,
            name: "own".into(),
            toml: String::new(),
            actor: "test".into(),
            note: String::new(),
            saved: Timestamp::ZERO,
        }
    }

    #[test]
    fn a_bucket_without_its_own_has_the_default() {
        assert_eq!(Book::default().in_force("core").0, "default");
    }

    #[test]
    fn the_oldest_versions_go() {
        let mut book = Book::default();
        for n in 1..=102 {
            book.put_version(version(n));
        }
        assert!(book.version(id(1), 2).is_none());
        assert!(book.version(id(1), 3).is_some() && book.version(id(1), 102).is_some());
    }
}
