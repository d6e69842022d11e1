//! A running fingerprint of a set of statements, so that an owner and a reader can tell from one number whether
//! the reader has seen everything the owner says.

use std::collections::BTreeMap;

use crate::Address;

/// Sum over all live statements of a hash of address and version; the order of changes does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Digest {
    versions: BTreeMap<Address, u64>,
    sum: u64,
}

impl Digest {
    /// Notes that this address now has this version.
    pub fn note(&mut self, address: &Address, version: u64) {
        self.forget(address);
        self.versions.insert(address.clone(), version);
        self.sum = self.sum.wrapping_add(fingerprint(address, version));
    }

    /// Notes that the statement is over.
    pub fn forget(&mut self, address: &Address) {
        if let Some(old) = self.versions.remove(address) {
            self.sum = self.sum.wrapping_sub(fingerprint(address, old));
        }
    }

    /// The fingerprint; zero for no statements.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.sum
    }

    /// How many statements are live.
    #[must_use]
    pub fn len(&self) -> usize {
        self.versions.len()
    }

    /// Whether none is live.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }
}

fn fingerprint(address: &Address, version: u64) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(address.topic.spec().name.as_bytes());
    hasher.update(b"/");
    hasher.update(address.key.as_bytes());
    hasher.update(&version.to_le_bytes());
    let mut bytes = [0_u8; 8];
    hasher.finalize_xof().fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TopicId;

    fn address(key: &str) -> Address {
        Address { topic: TopicId::MarketQuote, key: key.into() }
    }

    #[test]
    fn order_of_changes_does_not_matter() {
        let (mut one, mut two) = (Digest::default(), Digest::default());
        one.note(&address("A"), 1);
        one.note(&address("B"), 2);
        one.note(&address("A"), 3);
        two.note(&address("A"), 3);
        two.note(&address("B"), 2);
        assert_eq!(one.sum(), two.sum());
    }

    #[test]
    fn a_missed_version_shows() {
        let (mut one, mut two) = (Digest::default(), Digest::default());
        one.note(&address("A"), 2);
        two.note(&address("A"), 1);
        assert_ne!(one.sum(), two.sum());
    }

    #[test]
    fn nothing_left_is_zero_again() {
        let mut digest = Digest::default();
        digest.note(&address("A"), 2);
        digest.forget(&address("A"));
        assert_eq!(digest.sum(), 0);
        assert!(digest.is_empty());
    }
}
