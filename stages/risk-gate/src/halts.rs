//! Halts: any open one stops everything. A halt is opened once; what halted and was cleared does not halt again
//! when its cause is merely repeated.

use std::collections::BTreeMap;

use contracts::{HaltEntry, Id, RiskHalt};
use market::Timestamp;

use crate::limits::{HALT_TEXT_MAX, HALT_WORD_MAX, HALTS_SAID};

/// One halt, open or cleared.
#[derive(Debug, Clone, PartialEq)]
pub struct Halt {
    /// What is said of it.
    pub entry: HaltEntry,
    /// When and by whom it was cleared.
    pub cleared: Option<(Timestamp, String)>,
}

impl Halt {
    /// A halt with texts short enough to be said.
    #[must_use]
    pub fn new(id: Id, since: Timestamp, actor: &str, reason: &str, text: &str) -> Halt {
        let entry = HaltEntry {
            id,
            since,
            actor: shortened(actor, HALT_WORD_MAX),
            reason: shortened(reason, HALT_WORD_MAX),
            text: shortened(text, HALT_TEXT_MAX),
        };
        Halt { entry, cleared: None }
    }

    /// Whether it still halts.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.cleared.is_none()
    }
}

/// All halts ever.
#[derive(Debug, Clone, Default)]
pub struct Halts(BTreeMap<Id, Halt>);

impl Halts {
    /// Takes a halt from the store.
    pub fn restore(&mut self, halt: Halt) {
        self.0.insert(halt.entry.id, halt);
    }

    /// Opens a halt; nothing if this id, or an open one of the same actor and reason, is known.
    pub fn open(&mut self, halt: Halt) -> Option<Halt> {
        let same = |known: &Halt| {
            known.is_open() && (&known.entry.actor, &known.entry.reason) == (&halt.entry.actor, &halt.entry.reason)
        };
        if self.0.contains_key(&halt.entry.id) || self.0.values().any(same) {
            return None;
        }
        self.0.insert(halt.entry.id, halt.clone());
        Some(halt)
    }

    /// Opens a halt for a cause of its own: only the same id is the same.
    pub fn open_for(&mut self, halt: Halt) -> Option<Halt> {
        if self.0.contains_key(&halt.entry.id) {
            return None;
        }
        self.0.insert(halt.entry.id, halt.clone());
        Some(halt)
    }

    /// Clears all open halts and returns them.
    pub fn clear(&mut self, now: Timestamp, actor: &str) -> Vec<Halt> {
        let mut cleared = Vec::new();
        for halt in self.0.values_mut().filter(|halt| halt.is_open()) {
            halt.cleared = Some((now, shortened(actor, HALT_WORD_MAX)));
            cleared.push(halt.clone());
        }
        cleared
    }

    /// Whether anything halts.
    #[must_use]
    pub fn any_open(&self) -> bool {
        self.0.values().any(Halt::is_open)
    }

    /// Whether a halt with this reason is open.
    #[must_use]
    pub fn any_open_because(&self, reason: &str) -> bool {
        self.0.values().any(|halt| halt.is_open() && halt.entry.reason == reason)
    }

    /// What is said; `first` is the time of a store that has never halted.
    #[must_use]
    pub fn statement(&self, first: Timestamp) -> RiskHalt {
        let changes = self.0.values().flat_map(|halt| {
            [Some(halt.entry.since), halt.cleared.as_ref().map(|(at, _)| *at)].into_iter().flatten()
        });
        let mut open: Vec<&Halt> = self.0.values().filter(|halt| halt.is_open()).collect();
        open.sort_by_key(|halt| (halt.entry.since, halt.entry.id));
        let halts: Vec<HaltEntry> = open.into_iter().take(HALTS_SAID).map(|halt| halt.entry.clone()).collect();
        RiskHalt { halted: self.any_open(), halts, at: changes.max().unwrap_or(first) }
    }
}

/// Cuts a text at a whole character.
fn shortened(text: &str, bytes_max: usize) -> String {
    let end = (0..=bytes_max.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or_default().to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_000);

    fn halt(name: &str) -> Halt {
        Halt::new(Id::derive(NOW, &[name]), NOW, "steward", name, "text")
    }

    #[test]
    fn the_same_reason_opens_one_halt() {
        let mut halts = Halts::default();
        assert!(!halts.statement(NOW).halted);
        assert!(halts.open(halt("owner")).is_some());
        let again = Halt { entry: HaltEntry { id: Id::derive(NOW, &["2"]), ..halt("owner").entry }, cleared: None };
        assert!(halts.open(again).is_none());
        assert!(halts.open(halt("stop_button")).is_some());
        assert_eq!(halts.statement(NOW).halts.len(), 2);
        assert_eq!(halts.clear(NOW.saturating_plus_ms(5), "steward").len(), 2);
        assert!(halts.clear(NOW, "steward").is_empty());
        let statement = halts.statement(NOW);
        assert_eq!((statement.halted, statement.at), (false, NOW.saturating_plus_ms(5)));
    }

    #[test]
    fn a_cleared_cause_does_not_halt_again() {
        let mut halts = Halts::default();
        assert!(halts.open_for(halt("incident")).is_some());
        halts.clear(NOW, "steward");
        assert!(halts.open_for(halt("incident")).is_none());
        assert!(!halts.any_open());
    }

    #[test]
    fn any_number_of_halts_fits_the_statement() {
        let mut halts = Halts::default();
        for number in 0..200 {
            let id = Id::derive(NOW, &[&number.to_string()]);
            assert!(halts.open_for(Halt::new(id, NOW, &"ä".repeat(90), &"ü".repeat(90), &"€".repeat(900))).is_some());
        }
        let statement = halts.statement(NOW);
        assert!(statement.halted);
        assert_eq!(statement.halts.len(), HALTS_SAID);
        assert!(serde_json::to_vec(&statement).unwrap().len() < 16_384 - 512);
    }
}
