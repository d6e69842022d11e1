//! A person settles an order whose fate no list of the broker shows, so that trading does not stand still for ever.
//!
//! The word of a person stands below evidence: an order that the last look found, one that was not looked for long
//! enough, and one that was never sent are not settled. Who it was, what they said and why is the order's own reason,
//! and stands in its history for ever.

use bus_client::Out;
use contracts::{Meta, OrderStatus, Outcome, SettleOrder};
use market::Timestamp;
use serde_json::Value;
use tradernet::BrokerOrderId;

use crate::{
    Execute, Order,
    limits::{ABSENCES_MIN, SETTLE_AFTER_MS},
};

/// Longest name and longest reason that are kept, in characters.
const ACTOR_MAX: usize = 60;
const TEXT_MAX: usize = 300;

/// Why an order is not settled by hand, in the order in which it is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum No {
    Actor,
    Reason,
    NotKnown,
    Final,
    OnPaper,
    NotSent,
    TooSoon,
    Found,
    NotTheirs,
    Before,
    Taken,
}

impl No {
    fn said(self) -> (&'static str, &'static str) {
        match self {
            No::Actor => ("no_actor", "Nobody is named who settles it; nothing was changed."),
            No::Reason => ("no_reason", "Settling needs a reason: say what the broker's own pages show."),
            No::NotKnown => ("not_known", "No order with this id is followed; nothing was changed."),
            No::Final => ("final", "The order has ended; what ended is not settled again."),
            No::OnPaper => ("on_paper", "The order is on paper; its fate is never in doubt."),
            No::NotSent => ("not_sent", "The order has not been sent yet; nothing is in doubt."),
            No::TooSoon => (
                "too_soon",
                "The broker is still being asked; wait until five minutes have passed and its lists were read three times.",
            ),
            No::Found => ("found", "The broker's lists show the order; they decide, not a word."),
            No::NotTheirs => {
                ("no_broker_id", "That is no id of an order at the broker; nothing was changed.")
            }
            No::Before => ("before", "The broker had that order before ours was sent; nothing was changed."),
            No::Taken => ("taken", "Another order of ours has that id at the broker; nothing was changed."),
        }
    }
}

impl Execute {
    pub(crate) fn settle(
        &mut self,
        asked: &SettleOrder,
        command: Option<&Meta>,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        let mut order = match self.doubtful(asked, now) {
            Ok(order) => order,
            Err(no) => {
                let (code, text) = no.said();
                return out.answer(command, Outcome::Refused, Some(code), text, Value::Null);
            }
        };
        let word = format!("settled by {}: {}", short(&asked.actor, ACTOR_MAX), short(&asked.text, TEXT_MAX));
        let said = match &asked.broker_order_id {
            Some(id) => {
                let id = id.trim();
                order.state.broker_order_id = Some(id.to_string());
                order.state.status = if order.state.filled_e6.is_zero() {
                    OrderStatus::Accepted
                } else {
                    OrderStatus::Partial
                };
                order.state.reason = Some(word.clone());
                order.inside.refusal = None;
                order.inside.look_at = Some(now);
                format!("It is followed as order {id} of the broker from now on.")
            }
            None if order.state.filled_e6.is_zero() && !order.inside.short => {
                order.end(OrderStatus::Rejected, Some(format!("never_arrived: {word}")), now);
                "It counts as never arrived; trading goes on.".to_string()
            }
            None => {
                order.end(OrderStatus::Cancelled, Some(word.clone()), now);
                "It has ended with what was filled; trading goes on.".to_string()
            }
        };
        out.decided(format!("Order {} {word}", order.state.order_id));
        self.keep(order, now, out);
        out.answer(command, Outcome::Done, None, said, Value::Null);
    }

    /// The order, when a person may settle it.
    fn doubtful(&self, asked: &SettleOrder, now: Timestamp) -> Result<Order, No> {
        if asked.actor.trim().is_empty() {
            return Err(No::Actor);
        }
        if asked.text.trim().is_empty() {
            return Err(No::Reason);
        }
        let order = self.orders.get(&asked.order_id).ok_or(No::NotKnown)?;
        let status = order.state.status;
        match order.state.sent {
            _ if status.is_final() => return Err(No::Final),
            _ if !order.is_live() => return Err(No::OnPaper),
            _ if matches!(status, OrderStatus::Armed | OrderStatus::Sending) => return Err(No::NotSent),
            None => return Err(No::NotSent),
            Some(sent) if now.since(sent) < SETTLE_AFTER_MS => return Err(No::TooSoon),
            Some(_) => {}
        }
        // Of one that ended with more filled than any list of trades shows, the lists have said all that they will.
        let short = order.inside.short;
        if status != OrderStatus::Unknown && order.inside.unseen == 0 && !short {
            return Err(No::Found);
        }
        // A list that was never read, or lagged once, shows nothing.
        if order.inside.failed_looks > 0 || (order.inside.unseen < ABSENCES_MIN && !short) {
            return Err(No::TooSoon);
        }
        if let Some(id) = &asked.broker_order_id {
            let id = BrokerOrderId::parse(id).ok_or(No::NotTheirs)?;
            if order.inside.orders_before.contains(id.as_str()) {
                return Err(No::Before);
            }
            let theirs = |other: &Order| other.state.broker_order_id.as_deref() == Some(id.as_str());
            let taken = |other: &&Order| other.state.order_id != asked.order_id && theirs(other);
            if self.orders.values().any(|other| taken(&other)) {
                return Err(No::Taken);
            }
        }
        Ok(order.clone())
    }
}

fn short(text: &str, chars_max: usize) -> String {
    text.trim().chars().take(chars_max).collect()
}
