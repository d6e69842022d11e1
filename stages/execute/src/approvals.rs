//! From an approval to an armed order: its signature, its one use, its turn, and what keeps it from being sent.

use bus_client::Out;
use contracts::{
    HealthState, IncidentKind, Mode, NotApproved, OrderApproved, OrderStatus, Received, mutants,
};
use market::{Isin, Timestamp};
use money::Price;

use crate::{
    Execute, Order, Steps,
    limits::{GATE_SILENT_MS, WAITING_MAX},
    live, second_line,
    stage::look_for,
};

impl Execute {
    pub(crate) fn hear_approval(
        &mut self,
        heard: Received<OrderApproved>,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        let Some(approval) = heard.body else { return };
        let known = self.orders.get(&approval.order_id).filter(|_| !mutants::is("reuse_approval"));
        if let Some(known) = known {
            if known.inside.mac != approval.mac {
                let text = "An order id that was used before came with another approval.".to_string();
                self.incident(IncidentKind::ReusedApproval, &approval.order_id.to_string(), text, now, out);
            }
            return;
        }
        let spent = self.spent.values().any(|id| *id == approval.order_id);
        match self.key.verify(approval.clone(), now) {
            Ok(_) if spent && !mutants::is("reuse_approval") => {
                let text = "An order id that was used long ago was approved again.".to_string();
                self.incident(IncidentKind::ReusedApproval, &approval.order_id.to_string(), text, now, out);
            }
            Err(NotApproved::Forged) => {
                let text = "An approval carried a signature that is not the gate's.".to_string();
                self.incident(IncidentKind::ForgedApproval, &approval.order_id.to_string(), text, now, out);
            }
            // An approval that came too late was never used; the plan asks again.
            Err(NotApproved::Expired(_)) => {
                out.decided(format!(
                    "The approval of {} came too late; nothing was sent.",
                    approval.order_id
                ));
            }
            Err(NotApproved::ImpossibleTimes { .. }) => {
                out.decided(format!(
                    "The approval of {} has times that cannot be; nothing was sent.",
                    approval.order_id
                ));
            }
            Ok(_) if self.waits(&approval) => {
                if !self.waiting.iter().any(|(waiting, _)| waiting.mac == approval.mac) {
                    let text = "An order id that waits came with another approval.".to_string();
                    let about = approval.order_id.to_string();
                    self.incident(IncidentKind::ReusedApproval, &about, text, now, out);
                }
            }
            Ok(_) if self.waiting.len() >= WAITING_MAX => out.trouble(format!(
                "More than {WAITING_MAX} approvals wait; {} is left out.",
                approval.order_id
            )),
            Ok(_) => self.waiting.push_back((approval, heard.meta)),
        }
    }

    pub(crate) fn waits(&self, approval: &OrderApproved) -> bool {
        self.waiting.iter().any(|(waiting, _)| waiting.order_id == approval.order_id)
    }

    /// Takes the next approval in hand when nothing else is under way.
    pub(crate) fn start_next(&mut self, now: Timestamp, out: &mut Out<Self>) {
        while !self.orders.values().any(Order::is_on_its_way) || mutants::is("two_at_once") {
            let Some((approval, meta)) = self.waiting.pop_front() else { return };
            // Its turn may have come too late, and the signature is checked once more right before use.
            let id = approval.order_id;
            let Ok(approved) = self.key.verify(approval, now) else {
                out.decided(format!("The approval of {id} expired before its turn; nothing was sent."));
                continue;
            };
            let terms = approved.terms();
            out.because(meta.as_ref());
            let mut order = Order::armed(terms, self.steps(&terms.isin), now);
            let number = order.state.user_order_id;
            if self.spent.get(&number).is_some_and(|id| *id != order.state.order_id) {
                out.trouble(format!(
                    "Order {} has the number of another one; it is left out.",
                    terms.order_id
                ));
                continue;
            }
            self.spent.insert(number, order.state.order_id);
            match self.obstacle(&order, now) {
                Some(why) => order.end(OrderStatus::Rejected, Some(format!("not_sent: {why}")), now),
                None if order.is_live() => out.call(look_for(&order, now)),
                None => {
                    self.send_on_paper(order, now, out);
                    continue;
                }
            }
            self.keep(order, now, out);
        }
    }

    /// In which steps a security is traded; currencies are exchanged in whole units.
    fn steps(&self, isin: &Isin) -> Steps {
        if contracts::pair_of(isin).is_some() {
            return Steps { lot_e6: 1_000_000, tick_e6: None };
        }
        let known = self.universe.as_ref().and_then(|universe| universe.find(isin));
        known.map_or_else(Steps::default, |security| Steps {
            lot_e6: security.lot_e6.e6(),
            tick_e6: security.tick_e6.map(Price::e6),
        })
    }

    /// Why nothing may be sent now.
    pub(crate) fn obstacle(&self, order: &Order, now: Timestamp) -> Option<&'static str> {
        // Reading the account takes time, and an approval does not wait for it.
        if order.inside.expires.is_none_or(|end| now >= end) && !mutants::is("ignore_expiry") {
            return Some("the approval has expired");
        }
        if order.is_live() && self.mode != Some(Mode::Live) {
            return Some("the gate does not say that orders are live");
        }
        if order.is_live()
            && let Some(why) = live::obstacle(self.live, now)
        {
            return Some(why);
        }
        if order.is_live() && self.rests_until.is_some_and(|until| now < until) {
            return Some("the broker wants to be asked nothing for a while");
        }
        if !order.is_on_tick() {
            return Some("the limit does not lie on the tick, or nobody knows the tick");
        }
        if order.is_live() && !self.market.is_open(&order.state.mic, now) && !mutants::is("closed_venue") {
            return Some("the venue is not known to be open");
        }
        if let Some(why) =
            second_line::obstacle(order, self.orders.values().chain(self.past.values()), self.gap_ms, now)
            && !mutants::is("ignore_frequency")
            && !mutants::is("two_at_once")
        {
            return Some(why);
        }
        if !self.unanswered.is_empty() {
            return Some("an incident has not been answered by a halt yet");
        }
        match self.halted {
            None => return Some("it is not known whether trading is halted"),
            Some(true) if !mutants::is("ignore_halt") => return Some("trading is halted"),
            Some(_) => {}
        }
        match self.gate {
            None | Some((HealthState::Gone | HealthState::Starting, _)) => Some("the gate is not there"),
            // Simulated time runs too fast for an age to mean anything; there only the gate's absence counts.
            Some((_, said)) if !self.simulated && now.since(said) > GATE_SILENT_MS => {
                Some("the gate is silent")
            }
            Some(_) => None,
        }
    }
}
