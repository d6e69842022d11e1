//! What this stage has seen of the others' statements: the newest version of each, and a fingerprint per owner.
//!
//! A version is taken once. Only a clearing needs more care: it carries no version, so one that comes late, or from
//! a stranger, looks like the newest word. The fingerprints then differ, and when the owner is asked to say
//! everything again, what was cleared may be taken once more in the version that was there before.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{Address, Class, Digest, Meta, RepeatWanted, stage_of};

/// The statements seen so far.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    versions: BTreeMap<Address, u64>,
    cleared: BTreeSet<Address>,
    digests: BTreeMap<String, Digest>,
    /// How often each owner was asked to repeat, as last heard.
    asked: BTreeMap<String, u64>,
}

impl Seen {
    /// Whether this says more than what was seen before; notes it if so. Without a head it is a clearing.
    pub(crate) fn is_newer(&mut self, address: &Address, meta: Option<&Meta>) -> bool {
        let spec = address.topic.spec();
        if spec.class != Class::Statement {
            return true;
        }
        let Some(meta) = meta else {
            for digest in self.digests.values_mut() {
                digest.forget(address);
            }
            if self.versions.contains_key(address) {
                self.cleared.insert(address.clone());
            }
            return true;
        };
        let last = self.versions.entry(address.clone()).or_insert(0);
        if meta.key_version <= *last {
            return false;
        }
        *last = meta.key_version;
        self.cleared.remove(address);
        if spec.is_compared() {
            let owner = stage_of(&meta.stage).to_string();
            self.digests.entry(owner).or_default().note(address, meta.key_version);
        }
        true
    }

    /// Owners are asked to say everything again: what was cleared of theirs counts if they still say it.
    pub(crate) fn reopen(&mut self, wanted: &RepeatWanted) {
        let asked = std::mem::replace(&mut self.asked, wanted.asked.clone());
        let again = |owner: &str| wanted.asked.get(owner) > asked.get(owner);
        let versions = &mut self.versions;
        self.cleared.retain(|address| {
            let reopened = address.topic.spec().owners.iter().any(|owner| again(owner));
            if reopened && let Some(version) = versions.get_mut(address) {
                *version = version.saturating_sub(1);
            }
            !reopened
        });
    }

    /// Per owner, the fingerprint of what was seen.
    pub(crate) fn fingerprints(&self) -> BTreeMap<String, u64> {
        self.digests.iter().map(|(owner, digest)| (owner.clone(), digest.sum())).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::{Body, Id, Universe};

    use super::*;

    fn address() -> Address {
        Address { topic: Universe::TOPIC, key: String::new() }
    }

    fn said(version: u64) -> Meta {
        let at = "2026-03-02T10:00:00Z".parse().unwrap();
        let id = Id::derive(at, &["ingest"]);
        Meta { id, key_version: version, at, stage: "ingest".into(), trace: id, cause: None }
    }

    fn asked(times: u64) -> RepeatWanted {
        RepeatWanted { asked: BTreeMap::from([("ingest".into(), times)]) }
    }

    #[test]
    fn a_version_is_taken_once_and_an_older_one_never() {
        let mut seen = Seen::default();
        assert!(seen.is_newer(&address(), Some(&said(5))));
        assert!(!seen.is_newer(&address(), Some(&said(5))));
        assert!(!seen.is_newer(&address(), Some(&said(4))));
        assert!(seen.is_newer(&address(), Some(&said(6))));
    }

    #[test]
    fn a_late_copy_does_not_undo_a_clearing() {
        let mut seen = Seen::default();
        seen.is_newer(&address(), Some(&said(5)));
        assert!(seen.is_newer(&address(), None));
        assert!(!seen.is_newer(&address(), Some(&said(5))));
    }

    #[test]
    fn a_clearing_that_the_owner_did_not_mean_is_undone_by_its_repeat() {
        let mut seen = Seen::default();
        seen.is_newer(&address(), Some(&said(5)));
        let whole = seen.fingerprints();
        seen.is_newer(&address(), None);
        assert_ne!(seen.fingerprints(), whole);
        seen.reopen(&asked(1));
        assert!(!seen.is_newer(&address(), Some(&said(4))));
        assert!(seen.is_newer(&address(), Some(&said(5))));
        assert!(!seen.is_newer(&address(), Some(&said(5))));
        assert_eq!(seen.fingerprints(), whole);
    }

    #[test]
    fn a_repeat_of_someone_else_or_of_before_reopens_nothing() {
        let mut seen = Seen::default();
        seen.reopen(&asked(3));
        seen.is_newer(&address(), Some(&said(5)));
        seen.is_newer(&address(), None);
        seen.reopen(&asked(3));
        seen.reopen(&RepeatWanted { asked: [("ingest".into(), 3), ("score".into(), 1)].into() });
        assert!(!seen.is_newer(&address(), Some(&said(5))));
    }
}
