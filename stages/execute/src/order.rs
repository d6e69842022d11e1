//! One order: what is said of it, and what is needed to go on with it after a restart.

use std::collections::BTreeSet;

use contracts::{Mode, OrderApproved, OrderFill, OrderKind, OrderState, OrderStatus, mutants};
use market::{Day, Timestamp};
use money::Quantity;
use serde::{Deserialize, Serialize};

use crate::limits::UNSEEN_TOLD;

/// An order and its inside.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// What is said of it.
    pub state: OrderState,
    /// What nobody else needs.
    pub inside: Inside,
}

/// What is needed to go on with an order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Inside {
    /// Signature of its approval: the same id with another one is an incident.
    pub mac: String,
    /// The broker's ticker.
    pub ticker: String,
    /// Units in one lot.
    pub lot_e6: i64,
    /// Smallest step of its price; absent where it is not known, and for exchanges of currencies.
    #[serde(default)]
    pub tick_e6: Option<i64>,
    /// When its approval is worth nothing any more; without one nothing is sent.
    #[serde(default)]
    pub expires: Option<Timestamp>,
    /// The broker's orders that were there before it was sent.
    pub orders_before: BTreeSet<String>,
    /// The broker's trades that were there before it was sent.
    pub trades_before: BTreeSet<String>,
    /// When to look for it next.
    pub look_at: Option<Timestamp>,
    /// Looks so far since it was sent.
    pub looks: u32,
    /// Looks in a row that failed.
    pub failed_looks: u32,
    /// Looks that did not find it although everything could be read.
    pub absences: u32,
    /// Looks at a final order whose fills did not add up yet.
    pub late_fills: u32,
    /// When they did not add up for the first time.
    #[serde(default)]
    pub late_since: Option<Timestamp>,
    /// A cancellation has been asked for.
    pub cancel_asked: bool,
    /// When it was asked for last.
    #[serde(default)]
    pub cancel_at: Option<Timestamp>,
    /// The broker says more was filled than its lists of trades show, and has said so for long.
    #[serde(default)]
    pub short: bool,
    /// Normal, manual or emergency.
    #[serde(default)]
    pub kind: Option<OrderKind>,
    /// What the broker held of the security right before sending, in 1/1 000 000.
    #[serde(default)]
    pub held_before_e6: Option<i64>,
    /// Looks in a row that were answered and did not show its row.
    #[serde(default)]
    pub unseen: u32,
    /// Looks in a row that showed the holding moved as the order would have moved it, and no row.
    #[serde(default)]
    pub moved: u32,
    /// Minutes that the broker's clock was ahead of UTC when it took this order.
    #[serde(default)]
    pub ahead_min: Option<i32>,
    /// The broker's refusal, until a look has confirmed that there is no such order.
    pub refusal: Option<String>,
}

/// The steps in which a security is traded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Steps {
    /// Units in one lot; zero where it is not known.
    pub lot_e6: i64,
    /// Smallest step of its price, where it is known.
    pub tick_e6: Option<i64>,
}

/// What became of a fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// Counted.
    New,
    /// Counted before.
    Known,
    /// The order would be filled beyond what was asked for: not counted, and an incident.
    TooMuch,
}

impl Order {
    /// An order as it begins: its approval verified, nothing sent.
    #[must_use]
    pub fn armed(terms: &OrderApproved, steps: Steps, now: Timestamp) -> Order {
        let state = OrderState {
            order_id: terms.order_id,
            plan_id: terms.plan_id,
            bucket_id: terms.bucket_id.clone(),
            mode: terms.mode,
            isin: terms.isin,
            mic: terms.mic,
            side: terms.side,
            qty_e6: terms.qty_e6,
            limit_price_e6: terms.limit_price_e6,
            ccy: terms.ccy,
            status: OrderStatus::Armed,
            reason: None,
            user_order_id: tradernet::user_order_id(&terms.order_id.to_string()),
            broker_order_id: None,
            filled_e6: Quantity::ZERO,
            fills: Vec::new(),
            created: now,
            sent: None,
            ended: None,
        };
        Order {
            state,
            inside: Inside {
                mac: terms.mac.clone(),
                ticker: terms.ticker.clone(),
                lot_e6: steps.lot_e6,
                tick_e6: steps.tick_e6,
                expires: Some(terms.expires),
                kind: Some(terms.kind),
                ..Inside::default()
            },
        }
    }

    /// Ends it.
    pub fn end(&mut self, status: OrderStatus, reason: Option<String>, now: Timestamp) {
        assert!(status.is_final(), "an order ends in a final state");
        self.state.status = status;
        self.state.reason = reason;
        self.state.ended = Some(now);
        self.inside.look_at = None;
        self.inside.short = false;
    }

    /// Adds a fill that is not known yet. A fee that came later is added to the fill that it belongs to.
    pub fn add_fill(&mut self, fill: OrderFill) -> Added {
        if let Some(known) = self.state.fills.iter_mut().find(|known| known.trade_id == fill.trade_id)
            && !mutants::is("count_fill_twice")
        {
            known.fee = known.fee.or(fill.fee);
            return Added::Known;
        }
        let filled = self.state.filled_e6.checked_add(fill.qty_e6);
        let Some(filled) = filled.ok().filter(|filled| *filled <= self.state.qty_e6) else {
            return Added::TooMuch;
        };
        self.state.filled_e6 = filled;
        self.state.fills.push(fill);
        Added::New
    }

    /// Taken as arrived without a row that shows it, or with one that has been gone for long.
    #[must_use]
    pub fn is_unlisted(&self) -> bool {
        let works = matches!(self.state.status, OrderStatus::Accepted | OrderStatus::Partial);
        let gone = self.state.broker_order_id.is_none() || self.inside.unseen >= UNSEEN_TOLD;
        self.is_live() && works && gone
    }

    /// Whether the other is the same order, looked at more often: nothing that a restart would need.
    #[must_use]
    pub fn differs_in_looks_only(&self, other: &Order) -> bool {
        let Inside { look_at, looks, failed_looks, absences, unseen, moved, .. } = other.inside;
        let inside = Inside { look_at, looks, failed_looks, absences, unseen, moved, ..self.inside.clone() };
        self.state == other.state && inside == other.inside
    }

    /// Not sent, or sent and not final.
    #[must_use]
    pub fn is_on_its_way(&self) -> bool {
        matches!(self.state.status, OrderStatus::Armed | OrderStatus::Sending | OrderStatus::Unknown)
    }

    /// Goes on after a restart: nothing is ever sent a second time.
    pub fn resume(&mut self, now: Timestamp) -> bool {
        match self.state.status {
            OrderStatus::Armed => {
                self.end(OrderStatus::Rejected, Some("not_sent: stopped before sending".into()), now)
            }
            OrderStatus::Sending if mutants::is("forget_sending") => {
                self.end(OrderStatus::Rejected, Some("not_sent: stopped before sending".into()), now)
            }
            OrderStatus::Sending => {
                self.state.status = OrderStatus::Unknown;
                self.inside.look_at = Some(now);
            }
            OrderStatus::Unknown | OrderStatus::Accepted | OrderStatus::Partial => {
                let due = self.inside.look_at.is_none();
                if due {
                    self.inside.look_at = Some(now);
                }
                return due;
            }
            _ => return false,
        }
        true
    }

    /// First day whose lists can show it: the day before it left, because the broker's days are not ours.
    #[must_use]
    pub fn listed_from(&self, now: Timestamp) -> Day {
        self.state.sent.unwrap_or(now).min(now).day_utc().prev()
    }

    /// Whether its limit is a price that the venue can quote. The steps of pairs of currencies are nobody's.
    #[must_use]
    pub fn is_on_tick(&self) -> bool {
        let on = |tick: i64| self.state.limit_price_e6.e6().checked_rem(tick) == Some(0);
        contracts::pair_of(&self.state.isin).is_some() || self.inside.tick_e6.is_some_and(on)
    }

    /// Whether it goes to the real broker account.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.state.mode == Mode::Live
    }
}
