//! Words on the broker's socket: a reason to look sooner at an order that works, and never anything else. What became
//! of it is read from the broker's lists as always, so a word that is doubled, late or untrue costs one look.

use bus_client::Out;
use contracts::OrderStatus;
use market::Timestamp;

use crate::limits::HINT_EVERY_MS;
use crate::{Call, Execute};

/// What is listened for, and when a word last brought a look forward.
#[derive(Debug, Default)]
pub(crate) struct Hints {
    wanted: bool,
    followed: bool,
    hinted: Option<Timestamp>,
}

impl Hints {
    /// Listens only where a broker with a socket is set up.
    pub(crate) fn new(wanted: bool) -> Hints {
        Hints { wanted, ..Hints::default() }
    }
}

/// The broker has the order and works on it. One whose fate is unknown keeps its own times of looking.
fn works(status: OrderStatus) -> bool {
    matches!(status, OrderStatus::Accepted | OrderStatus::Partial)
}

impl Execute {
    /// Listens while an order works at the broker, and not otherwise.
    pub(crate) fn follow(&mut self, out: &mut Out<Self>) {
        let works = |order: &crate::Order| order.is_live() && works(order.state.status);
        let follow = self.hints.wanted && self.orders.values().any(works);
        if follow != self.hints.followed {
            self.hints.followed = follow;
            out.call(Call::Follow { orders: follow });
        }
    }

    /// An order changed, the broker says: those that work are looked at now.
    pub(crate) fn hint(&mut self, now: Timestamp) {
        if self.hints.hinted.is_some_and(|then| now.since(then) < HINT_EVERY_MS) {
            return;
        }
        for order in self.orders.values_mut().filter(|order| order.is_live() && works(order.state.status)) {
            // Without a time a look is under way already.
            if order.inside.look_at.is_some_and(|then| then > now) {
                order.inside.look_at = Some(now);
                self.hints.hinted = Some(now);
            }
        }
    }
}
