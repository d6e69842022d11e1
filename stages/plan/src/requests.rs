//! The orders asked for, from the question to the end of the statement.

use std::collections::{BTreeMap, BTreeSet};

use contracts::Id;
use market::Timestamp;

use crate::limits::{ANSWER_MS, SAID_AFTER_END_MS};

/// How far a request is; it only ever goes forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// No verdict yet.
    Asked,
    /// Approved; nobody has said that it is being carried out.
    Approved,
    /// Being carried out; only its final state ends it.
    Placed,
    /// Refused, final, or given up.
    Ended,
}

/// One request whose statement still stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Key.
    pub order_id: Id,
    /// Holdings that it assumed; a fill makes others of them.
    pub state_id: String,
    /// How far it is.
    pub stage: Stage,
    /// Since when.
    pub since: Timestamp,
}

/// A statement that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Over {
    /// Which.
    pub order_id: Id,
    /// What never came, if that is why.
    pub missing: Option<&'static str>,
}

/// All requests whose statements stand.
#[derive(Debug, Clone, Default)]
pub struct Requests {
    standing: BTreeMap<Id, Request>,
    filled: BTreeSet<Id>,
}

impl Requests {
    /// Takes a request that is new or comes from the store.
    pub fn add(&mut self, request: Request) {
        self.standing.insert(request.order_id, request);
    }

    /// Whether one has no end yet.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.standing.values().any(|request| request.stage != Stage::Ended)
    }

    /// Whether this one stands and has ended.
    #[must_use]
    pub fn has_ended(&self, order_id: Id) -> bool {
        self.standing.get(&order_id).is_none_or(|request| request.stage == Stage::Ended)
    }

    /// Notes that a standing request had a fill.
    pub fn fill(&mut self, order_id: Id) {
        if self.standing.contains_key(&order_id) {
            self.filled.insert(order_id);
        }
    }

    /// Whether these holdings still lack a fill: they are the ones that the filled order started from.
    #[must_use]
    pub fn awaits_books(&self, state_id: &str) -> bool {
        self.filled.iter().filter_map(|id| self.standing.get(id)).any(|request| request.state_id == state_id)
    }

    /// Takes news about a request; gives it back if it went forward.
    pub fn advance(&mut self, order_id: Id, stage: Stage, now: Timestamp) -> Option<Request> {
        let request = self.standing.get_mut(&order_id).filter(|request| request.stage < stage)?;
        request.stage = stage;
        request.since = now;
        Some(request.clone())
    }

    /// When time alone ends a statement.
    #[must_use]
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.standing.values().filter_map(Request::ends).min()
    }

    /// Takes out the statements that are over.
    pub fn tidy(&mut self, now: Timestamp) -> Vec<Over> {
        let over: Vec<Request> = self
            .standing
            .values()
            .filter(|request| request.ends().is_some_and(|end| end <= now))
            .cloned()
            .collect();
        for request in &over {
            self.standing.remove(&request.order_id);
            self.filled.remove(&request.order_id);
        }
        let missing = |stage| match stage {
            Stage::Asked => Some("no verdict"),
            Stage::Approved => Some("nobody who carries it out"),
            Stage::Placed | Stage::Ended => None,
        };
        over.into_iter()
            .map(|request| Over { order_id: request.order_id, missing: missing(request.stage) })
            .collect()
    }
}

impl Request {
    fn ends(&self) -> Option<Timestamp> {
        match self.stage {
            Stage::Asked | Stage::Approved => Some(self.since.saturating_plus_ms(ANSWER_MS)),
            Stage::Placed => None,
            Stage::Ended => Some(self.since.saturating_plus_ms(SAID_AFTER_END_MS)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_000);

    fn one() -> (Requests, Id) {
        let order_id = Id::derive(NOW, &["x"]);
        let mut requests = Requests::default();
        requests.add(Request { order_id, state_id: "s1".into(), stage: Stage::Asked, since: NOW });
        (requests, order_id)
    }

    #[test]
    fn a_request_only_goes_forward() {
        let (mut requests, id) = one();
        assert!(requests.advance(id, Stage::Placed, NOW).is_some());
        assert!(requests.advance(id, Stage::Approved, NOW).is_none());
        assert!(requests.advance(id, Stage::Placed, NOW).is_none());
        assert!(requests.is_open());
        assert!(requests.advance(id, Stage::Ended, NOW).is_some());
        assert!(!requests.is_open());
        assert!(requests.advance(Id::derive(NOW, &["y"]), Stage::Ended, NOW).is_none());
    }

    #[test]
    fn each_stage_ends_its_statement_in_its_own_way() {
        for (stage, after, missing) in [
            (Stage::Asked, Some(ANSWER_MS), Some("no verdict")),
            (Stage::Approved, Some(ANSWER_MS), Some("nobody who carries it out")),
            (Stage::Placed, None, None),
            (Stage::Ended, Some(SAID_AFTER_END_MS), None),
        ] {
            let (mut requests, order_id) = one();
            requests.advance(order_id, stage, NOW);
            let end = after.map(|ms| NOW.saturating_plus_ms(ms));
            assert_eq!(requests.wake_at(), end);
            let Some(end) = end else {
                assert!(requests.tidy(Timestamp::MAX).is_empty());
                continue;
            };
            assert!(requests.tidy(end.saturating_plus_ms(-1)).is_empty());
            assert_eq!(requests.tidy(end), [Over { order_id, missing }]);
            assert!(requests.tidy(end).is_empty());
        }
    }
}
