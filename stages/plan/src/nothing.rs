//! What a plan without steps says beside its figures: why most securities are left out, and the next instant at which
//! something is known to change.
//!
//! Worked example: "Left out: 12 × it is within 1.0 % of its target, 3 × it was bought within 30 days. XETR opens at
//! 2026-03-03T08:00:00.000Z."

use std::{cmp::Reverse, collections::BTreeMap};

use contracts::LeftOut;
use market::Timestamp;

use crate::{facts::Facts, memory::Memory};

/// Reasons that are named.
const REASONS: usize = 3;

/// Both sentences, as far as there is something to say.
#[must_use]
pub fn more(left_out: &[LeftOut], facts: &Facts, memory: &Memory, now: Timestamp) -> String {
    let sentences = [commonest(left_out), soonest(facts, memory, now)];
    sentences.into_iter().flatten().map(|sentence| format!(" {sentence}")).collect()
}

/// The commonest reasons, each with one security's words for it.
fn commonest(left_out: &[LeftOut]) -> Option<String> {
    let mut by_code: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for one in left_out {
        by_code.entry(&one.code).or_insert((0, &one.text)).0 += 1;
    }
    let mut all: Vec<(usize, &str)> = by_code.into_values().collect();
    all.sort_by_key(|(count, text)| (Reverse(*count), *text));
    let named = all.iter().take(REASONS).map(|(count, text)| format!("{count} × {}", clause(text)));
    let named: Vec<String> = named.collect();
    (!named.is_empty()).then(|| format!("Left out: {}.", named.join(", ")))
}

/// A sentence as a part of another.
fn clause(text: &str) -> String {
    let text = text.trim_end_matches('.');
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// What ends or begins first: a venue that is closed opens, or what a refusal forbids is allowed again.
fn soonest(facts: &Facts, memory: &Memory, now: Timestamp) -> Option<String> {
    let closed = facts.venues.iter().filter(|(_, known)| !known.venue.open);
    let opens = closed.filter_map(|(mic, known)| {
        let then = known.venue.next_change.filter(|then| *then > now)?;
        Some((then, format!("{mic} opens at {then}.")))
    });
    let held = memory.next_end(now).map(|then| (then, format!("A refusal ends at {then}.")));
    opens.chain(held).min().map(|(_, sentence)| sentence)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::{Sample, Venue};

    use super::*;
    use crate::{facts::KnownVenue, memory::Hold};

    fn left_out(code: &str, text: &str) -> LeftOut {
        LeftOut { isin: "DE000SMX0015".parse().unwrap(), code: code.into(), text: text.into() }
    }

    #[test]
    fn the_commonest_reasons_are_named_with_their_counts() {
        let list = [
            left_out("on_target", "It is within 1.0 % of its target."),
            left_out("buy_cooldown", "It was bought within 30 days."),
            left_out("on_target", "It is within 1.0 % of its target."),
            left_out("x", "X."),
            left_out("y", "Y."),
        ];
        assert_eq!(
            commonest(&list).unwrap(),
            "Left out: 2 × it is within 1.0 % of its target, 1 × it was bought within 30 days, 1 × x."
        );
        assert_eq!(commonest(&[]), None);
    }

    #[test]
    fn what_changes_first_is_named_and_what_is_over_is_not() {
        let now = Timestamp::from_ms(1_000_000);
        let (mut facts, mut memory) = (Facts::default(), Memory::default());
        assert_eq!(soonest(&facts, &memory, now), None);
        let at = |seconds: i64| now.saturating_plus_ms(seconds * 1_000);
        let venue = Venue { open: false, next_change: Some(at(60)), ..Venue::sample() };
        let (mic, said) = (venue.mic, now);
        facts.venues.insert(mic, KnownVenue { venue: venue.clone(), said });
        assert_eq!(soonest(&facts, &memory, now), Some(format!("{mic} opens at {}.", at(60))));
        assert_eq!(soonest(&facts, &memory, at(60)), None, "it should have opened");
        let hold = |until| Hold { scope: "*".into(), code: "min_gap".into(), blocks: false, until };
        memory.hold(hold(at(30)));
        assert_eq!(soonest(&facts, &memory, now), Some(format!("A refusal ends at {}.", at(30))));
        facts.venues.insert(mic, KnownVenue { venue: Venue { open: true, ..venue }, said });
        assert_eq!(soonest(&facts, &memory, at(30)), None);
    }
}
