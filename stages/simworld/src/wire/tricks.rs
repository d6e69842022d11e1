//! What a fault rule does to the content of one broker answer: old lists, bent prices, missing ids.

use crate::core::faults::Effect;
use crate::core::world::World;
use crate::feeds::Bend;

/// The tricks played on one answer; most answers have none.
#[derive(Debug, Clone)]
pub(crate) struct Tricks {
    /// Orders, fills and bookings after this instant are not shown.
    pub(crate) as_of: i64,
    /// Movements of money after this instant are not shown.
    pub(crate) cash_as_of: i64,
    /// The caller's order id is not repeated.
    pub(crate) drop_echo: bool,
    bend: Bend,
    /// The ticker whose prices are bent; all when absent.
    only: Option<String>,
}

impl Tricks {
    /// Plays nothing.
    pub(crate) fn none() -> Self {
        Self { as_of: i64::MAX, cash_as_of: i64::MAX, drop_echo: false, bend: Bend::of(None), only: None }
    }

    /// Plays what an effect says; `only` is the ticker its rule names.
    pub(crate) fn of(effect: Option<&Effect>, only: Option<String>, now: i64) -> Self {
        let ago = |s: i64| now.saturating_sub(s.saturating_mul(1000));
        let mut tricks = Self { bend: Bend::of(effect), only, ..Self::none() };
        match effect {
            Some(Effect::StaleList { s }) => (tricks.as_of, tricks.cash_as_of) = (ago(*s), ago(*s)),
            Some(Effect::CashLag { s }) => tricks.cash_as_of = ago(*s),
            Some(Effect::DropEcho) => tricks.drop_echo = true,
            _ => {}
        }
        tricks
    }

    /// Returns how the prices of a ticker are bent.
    pub(crate) fn bend(&self, ticker: &str) -> Bend {
        if self.only.as_deref().is_none_or(|only| only == ticker) { self.bend } else { Bend::of(None) }
    }

    /// Tells whether splits go unreported.
    pub(crate) fn hides_splits(&self) -> bool {
        self.bend.silent_splits
    }
}

impl World {
    /// Returns how much a balance changed after an instant: what a view as of then must leave out.
    pub(crate) fn changed_since(
        &self,
        account: crate::core::ledger::Account,
        unit: crate::core::ledger::Unit,
        since: i64,
    ) -> i64 {
        let recent = self.ledger.transactions.iter().rev().take_while(|t| t.at_ms > since);
        let own = |p: &&crate::core::ledger::Posting| p.account == account && p.unit == unit;
        recent.flat_map(|t| t.postings.iter().filter(own)).map(|p| p.amount).sum()
    }
}
