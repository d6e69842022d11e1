//! What earlier orders left behind: when a security was last traded by us, and what refusals forbid.

use std::collections::BTreeMap;

use contracts::{Mode, OrderRefused, OrderState, OrderStatus, Refusal, Side};
use market::{Isin, Timestamp};

use crate::limits::{BLOCK_MS, DEFER_MS};

/// Refusals that concern every order, not one security.
const CODES_FOR_ALL: &[&str] = &["stale_state", "circuit_breaker", "min_gap", "daily_limit", "weekly_limit"];
/// The scope of such a refusal.
const ALL: &str = "*";

/// What a refusal forbids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// An ISIN, or `*` for every order.
    pub scope: String,
    /// The gate's code.
    pub code: String,
    /// The security stays out of plans; otherwise its step waits.
    pub blocks: bool,
    /// End.
    pub until: Timestamp,
}

impl Hold {
    /// Whether it concerns one security only.
    #[must_use]
    pub fn is_of_one(&self) -> bool {
        self.scope != ALL
    }
}

/// The last fill of a side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traded {
    /// Security.
    pub isin: Isin,
    /// Buy or sell.
    pub side: Side,
    /// Live or paper.
    pub mode: Mode,
    /// When.
    pub at: Timestamp,
}

/// All of it.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    traded: BTreeMap<(Isin, Side, Mode), Timestamp>,
    holds: BTreeMap<String, Hold>,
}

impl Memory {
    /// Takes a fill; tells whether it was news.
    pub fn trade(&mut self, traded: Traded) -> bool {
        let Traded { isin, side, mode, at } = traded;
        let known = self.traded.entry((isin, side, mode)).or_insert(Timestamp::MIN);
        let news = at > *known;
        *known = at.max(*known);
        news
    }

    /// Takes a hold; tells whether it was news. The later end of two for one scope counts, a block before a wait.
    pub fn hold(&mut self, hold: Hold) -> bool {
        let weaker = self
            .holds
            .get(&hold.scope)
            .is_none_or(|known| (known.blocks, known.until) < (hold.blocks, hold.until));
        if weaker {
            self.holds.insert(hold.scope.clone(), hold);
        }
        weaker
    }

    /// Drops what is over.
    pub fn forget_before(&mut self, now: Timestamp) {
        self.holds.retain(|_, hold| hold.until > now);
    }

    /// When a security was last traded by us on a side.
    #[must_use]
    pub fn last(&self, isin: Isin, side: Side, mode: Mode) -> Option<Timestamp> {
        self.traded.get(&(isin, side, mode)).copied()
    }

    /// What keeps a security out of plans now.
    #[must_use]
    pub fn block(&self, isin: Isin, now: Timestamp) -> Option<&Hold> {
        self.own(isin, now).filter(|hold| hold.blocks)
    }

    /// What refusals of this very security forbid now, whatever all of them wait for.
    #[must_use]
    pub fn own(&self, isin: Isin, now: Timestamp) -> Option<&Hold> {
        self.holds.get(&isin.to_string()).filter(|hold| hold.until > now)
    }

    /// When the first of all that refusals forbid is allowed again.
    #[must_use]
    pub fn next_end(&self, now: Timestamp) -> Option<Timestamp> {
        self.holds.values().map(|hold| hold.until).filter(|until| *until > now).min()
    }

    /// What an order of a security waits for now.
    #[must_use]
    pub fn wait(&self, isin: Isin, now: Timestamp) -> Option<&Hold> {
        self.holds.get(ALL).filter(|hold| hold.until > now).or_else(|| self.own(isin, now))
    }
}

/// What follows from a refusal.
#[must_use]
pub fn hold_of(refused: &OrderRefused) -> Hold {
    let blocks = refused.decision == Refusal::Block;
    let for_all = !blocks && CODES_FOR_ALL.contains(&refused.code.as_str());
    let until = if blocks {
        refused.at.saturating_plus_ms(BLOCK_MS)
    } else {
        refused.earliest.unwrap_or_else(|| refused.at.saturating_plus_ms(DEFER_MS))
    };
    let scope = if for_all { ALL.to_string() } else { refused.isin.to_string() };
    Hold { scope, code: refused.code.clone(), blocks, until }
}

/// A security whose order the broker rejected stays out like one that the gate blocked.
#[must_use]
pub fn hold_of_rejection(order: &OrderState, now: Timestamp) -> Option<Hold> {
    (order.status == OrderStatus::Rejected).then(|| Hold {
        scope: order.isin.to_string(),
        code: "rejected".into(),
        blocks: true,
        until: order.ended.unwrap_or(now).saturating_plus_ms(BLOCK_MS),
    })
}

/// The last fill of an order, if it has one.
#[must_use]
pub fn traded_of(order: &OrderState) -> Option<Traded> {
    let at = order.fills.iter().map(|fill| fill.at).max()?;
    Some(Traded { isin: order.isin, side: order.side, mode: order.mode, at })
}

#[cfg(test)]
mod tests {
    use contracts::Sample;

    use super::*;

    fn refused(decision: Refusal, code: &str, earliest: Option<Timestamp>) -> OrderRefused {
        OrderRefused { decision, code: code.into(), earliest, ..OrderRefused::sample() }
    }

    #[test]
    fn refusals_hold_what_they_concern() {
        let at = OrderRefused::sample().at;
        let isin = OrderRefused::sample().isin.to_string();
        let later = at.saturating_plus_ms(77);
        let cases = [
            (Refusal::Block, "min_hold", Some(later), isin.as_str(), true, BLOCK_MS),
            (Refusal::Defer, "min_gap", Some(later), "*", false, 77),
            (Refusal::Defer, "market_closed", Some(later), isin.as_str(), false, 77),
            (Refusal::Defer, "stale_price", None, isin.as_str(), false, DEFER_MS),
        ];
        for (decision, code, earliest, scope, blocks, after) in cases {
            let hold = hold_of(&refused(decision, code, earliest));
            assert_eq!(
                (hold.scope.as_str(), hold.blocks, hold.until.since(at)),
                (scope, blocks, after),
                "{code}"
            );
        }
    }

    #[test]
    fn a_hold_ends_at_its_time_and_hearing_it_twice_is_no_news() {
        let hold = hold_of(&refused(Refusal::Block, "min_hold", None));
        let (isin, until) = (OrderRefused::sample().isin, hold.until);
        let mut memory = Memory::default();
        assert!(memory.hold(hold.clone()));
        assert!(!memory.hold(hold));
        assert!(memory.block(isin, until.saturating_plus_ms(-1)).is_some());
        assert!(memory.block(isin, until).is_none());
    }

    #[test]
    fn what_all_wait_for_is_no_refusal_of_one() {
        let refused = refused(Refusal::Defer, "weekly_limit", Some(Timestamp::from_ms(i64::MAX)));
        let (isin, now) = (refused.isin, refused.at);
        let mut memory = Memory::default();
        memory.hold(hold_of(&refused));
        assert!(memory.wait(isin, now).is_some());
        assert_eq!(memory.own(isin, now), None);
    }

    #[test]
    fn only_a_later_fill_is_news() {
        let mut memory = Memory::default();
        let order = OrderState::sample();
        let traded = traded_of(&order);
        assert!(traded.is_some_and(|traded| memory.trade(traded)));
        assert!(traded.is_some_and(|traded| !memory.trade(traded)));
        assert_eq!(memory.last(order.isin, Side::Buy, Mode::Live), traded.map(|traded| traded.at));
        assert_eq!(memory.last(order.isin, Side::Sell, Mode::Live), None);
        assert_eq!(memory.last(order.isin, Side::Buy, Mode::Research), None);
    }
}
