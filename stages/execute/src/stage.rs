//! The state machine of the money path: verify → armed → look → sending → place once → follow to the end.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bus_client::{Input, Out, Stage, Start, approval_key};
use contracts::{
    ApprovalKey, HealthState, Id, IncidentKind, Meta, Mode, NotApproved, OrderApproved, OrderFill,
    OrderIncident, OrderState, OrderStatus, Received, Refused, TopicId, Universe, stage::execute as contract,
};
use market::Timestamp;
use money::Money;
use rusqlite::{Connection, Transaction};
use tradernet::{Placed, commands::order_rows::OrderRow};

use crate::{
    Call, Order, Reply, Seen, Settings,
    fate::{Found, contradiction, find, same_side},
    limits::{
        ABSENCES_MIN, ABSENT_AFTER_MS, CANCEL_AFTER_MS, FAILED_LOOKS_MAX, FINAL_KEPT_MS, GATE_SILENT_MS,
        LATE_FILL_LOOKS, UNKNOWN_LOOKS_MS, WAITING_MAX, look_pause_ms,
    },
    store::{self, Rows, Save, spelled},
};

/// The placer of orders.
pub struct Execute {
    key: ApprovalKey,
    simulated: bool,
    orders: BTreeMap<Id, Order>,
    waiting: VecDeque<(OrderApproved, Option<Meta>)>,
    universe: Option<Universe>,
    halted: Option<bool>,
    gate: Option<(HealthState, Timestamp)>,
    /// What the gate says it is: live orders need a live gate.
    mode: Option<Mode>,
    incidents: BTreeSet<String>,
    /// An incident that no halt has answered yet; it survives a restart.
    unanswered: bool,
    started: bool,
}

impl Stage for Execute {
    type Contract = contract::Execute;
    type Settings = Settings;
    type Save = Save;
    type Call = Call;
    type Reply = Reply;

    fn load(start: &Start<Settings>, rows: Option<&Connection>) -> Result<Self, String> {
        let key = approval_key(&start.config.dir).map_err(|error| error.to_string())?;
        let Rows { orders, incidents, unanswered } = rows.map(store::load).transpose()?.unwrap_or_default();
        Ok(Execute {
            key,
            simulated: start.environment.is_simulated(),
            orders: orders.into_iter().map(|order| (order.state.order_id, order)).collect(),
            waiting: VecDeque::new(),
            universe: None,
            halted: None,
            gate: None,
            mode: None,
            incidents: incidents.into_iter().collect(),
            unanswered,
            started: false,
        })
    }

    fn handle(&mut self, input: Input<Self>, now: Timestamp, out: &mut Out<Self>) {
        match input {
            Input::Heard(contract::Input::OrderApproved(approval)) => self.hear_approval(approval, now, out),
            Input::Heard(contract::Input::RiskHalt(halt)) => {
                self.halted = halt.body.map(|halt| halt.halted);
                if self.unanswered && self.halted == Some(true) {
                    self.unanswered = false;
                    out.save(Save::Answered(now));
                }
            }
            Input::Heard(contract::Input::SystemHealth(health)) => {
                if let (Some(body), Some(meta)) = (health.body, health.meta)
                    && body.stage == "risk-gate"
                {
                    self.gate = Some((body.state, meta.at));
                }
            }
            Input::Heard(contract::Input::MarketUniverse(universe)) => self.universe = universe.body,
            Input::Heard(contract::Input::RiskState(state)) => {
                self.mode = state.body.map(|state| state.mode);
            }
            Input::Heard(contract::Input::MarketVenue(_)) => {}
            Input::Replied(reply) => self.hear_broker(reply, now, out),
            Input::Refused(Refused::NotTheOwner { topic, claimed })
                if topic == TopicId::OrderApproved.spec().name =>
            {
                let text = format!("An approval was published by `{claimed}`, which is not the gate.");
                self.incident(IncidentKind::ForeignApproval, &claimed, text, now, out);
            }
            Input::Tick => self.tick(now, out),
            Input::Answered(_) | Input::Settings(_) | Input::Refused(_) => {}
        }
        self.start_next(now, out);
    }

    fn wake_at(&self) -> Option<Timestamp> {
        if !self.started {
            return Some(Timestamp::ZERO);
        }
        let looks = self.orders.values().filter_map(|order| order.inside.look_at);
        let ends = self
            .orders
            .values()
            .filter_map(|order| Some(order.state.ended?.saturating_plus_ms(FINAL_KEPT_MS)));
        looks.chain(ends).min()
    }

    fn apply(rows: &Transaction<'_>, save: Save) -> rusqlite::Result<()> {
        store::apply(rows, save)
    }
}

impl Execute {
    fn hear_approval(&mut self, heard: Received<OrderApproved>, now: Timestamp, out: &mut Out<Self>) {
        let Some(approval) = heard.body else { return };
        if let Some(known) = self.orders.get(&approval.order_id) {
            if known.inside.mac != approval.mac {
                let text = "An order id that was used before came with another approval.".to_string();
                self.incident(IncidentKind::ReusedApproval, &approval.order_id.to_string(), text, now, out);
            }
            return;
        }
        match self.key.verify(approval.clone(), now) {
            Err(NotApproved::Forged) => {
                let text = "An approval carried a signature that is not the gate's.".to_string();
                self.incident(IncidentKind::ForgedApproval, &approval.order_id.to_string(), text, now, out);
            }
            // An approval that came too late was never used; the plan asks again.
            Err(NotApproved::Expired(_) | NotApproved::ImpossibleTimes { .. }) => {}
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

    fn waits(&self, approval: &OrderApproved) -> bool {
        self.waiting.iter().any(|(waiting, _)| waiting.order_id == approval.order_id)
    }

    /// Takes the next approval in hand when nothing else is under way.
    fn start_next(&mut self, now: Timestamp, out: &mut Out<Self>) {
        while !self.orders.values().any(Order::is_on_its_way) {
            let Some((approval, meta)) = self.waiting.pop_front() else { return };
            // Its turn may have come too late, and the signature is checked once more right before use.
            let Ok(approved) = self.key.verify(approval, now) else { continue };
            let terms = approved.terms();
            out.because(meta.as_ref());
            let lot_e6 = self
                .universe
                .as_ref()
                .and_then(|universe| universe.find(&terms.isin))
                .map_or(0, |security| security.lot_e6.e6());
            let mut order = Order::armed(terms, lot_e6, now);
            match self.obstacle(&order, now) {
                Some(why) => order.end(OrderStatus::Rejected, Some(format!("not_sent: {why}")), now),
                None if order.is_live() => out.call(look_for(&order, now)),
                None => fill_on_paper(&mut order, now),
            }
            self.keep(order, now, out);
        }
    }

    /// Why nothing may be sent now.
    fn obstacle(&self, order: &Order, now: Timestamp) -> Option<&'static str> {
        // Reading the account takes time, and an approval does not wait for it.
        if order.inside.expires.is_none_or(|end| now >= end) {
            return Some("the approval has expired");
        }
        if order.is_live() && self.mode != Some(Mode::Live) {
            return Some("the gate does not say that orders are live");
        }
        if self.unanswered {
            return Some("an incident has not been answered by a halt yet");
        }
        match self.halted {
            None => return Some("it is not known whether trading is halted"),
            Some(true) => return Some("trading is halted"),
            Some(false) => {}
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

    fn hear_broker(&mut self, reply: Reply, now: Timestamp, out: &mut Out<Self>) {
        let (Reply::Looked { order_id, .. }
        | Reply::Placed { order_id, .. }
        | Reply::Cancelled { order_id, .. }) = &reply;
        let Some(mut order) = order_id.parse().ok().and_then(|id| self.orders.get(&id).cloned()) else {
            return;
        };
        match reply {
            Reply::Looked { seen, .. } => match order.state.status {
                OrderStatus::Armed => self.send(&mut order, seen, now, out),
                OrderStatus::Sending => return,
                _ => look(&mut order, seen, now, out),
            },
            Reply::Placed { placed, .. } => placed_as(&mut order, placed, now),
            Reply::Cancelled { text, .. } => {
                out.decided(format!("{}: {text}.", order.state.order_id));
                order.inside.look_at = Some(now.saturating_plus_ms(look_pause_ms(0)));
            }
        }
        self.keep(order, now, out);
    }

    /// The last look before sending: whatever contradicts the approval ends the order unsent.
    fn send(&self, order: &mut Order, seen: Result<Box<Seen>, String>, now: Timestamp, out: &mut Out<Self>) {
        let seen = match seen {
            Ok(seen) => seen,
            Err(why) => {
                return order.end(
                    OrderStatus::Rejected,
                    Some(format!("not_sent: the account could not be read ({why})")),
                    now,
                );
            }
        };
        if let Some(why) = contradiction(order, &seen) {
            return order.end(OrderStatus::Rejected, Some(format!("state_changed: {why}")), now);
        }
        if let Some(why) = self.obstacle(order, now) {
            return order.end(OrderStatus::Rejected, Some(format!("not_sent: {why}")), now);
        }
        assert!(order.state.sent.is_none(), "an order is sent once");
        order.inside.orders_before = seen.orders.iter().map(|row| row.order_id.to_string()).collect();
        order.inside.trades_before = seen.trades.iter().map(|trade| trade.trade_id.to_string()).collect();
        order.state.status = OrderStatus::Sending;
        order.state.sent = Some(now);
        let state = &order.state;
        // Performed only after `Sending` has been committed.
        out.call(Call::Place {
            order_id: state.order_id.to_string(),
            ticker: order.inside.ticker.clone(),
            side: state.side,
            quantity: state.qty_e6,
            lot: money::Quantity::from_e6(order.inside.lot_e6).unwrap_or(money::Quantity::ZERO),
            limit: state.limit_price_e6,
            user_order_id: state.user_order_id,
        });
    }

    fn tick(&mut self, now: Timestamp, out: &mut Out<Self>) {
        if !self.started {
            self.started = true;
            self.resume(now, out);
        }
        let due: Vec<Id> = self
            .orders
            .iter()
            .filter(|(_, order)| order.inside.look_at.is_some_and(|then| then <= now))
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            let Some(mut order) = self.orders.get(&id).cloned() else { continue };
            order.inside.look_at = None;
            out.call(look_for(&order, now));
            self.orders.insert(id, order);
        }
        let over: Vec<Id> = self
            .orders
            .iter()
            .filter(|(_, order)| order.state.ended.is_some_and(|end| now.since(end) >= FINAL_KEPT_MS))
            .map(|(id, _)| *id)
            .collect();
        for id in over {
            out.clear::<OrderState>(id.to_string());
            // The row stays for ever; only the memory of it ends, and with it the statement.
            if let Some(order) = self.orders.get_mut(&id) {
                order.state.ended = None;
            }
        }
    }

    /// Start-up and recovery are the same: nothing is sent again, everything is looked for.
    fn resume(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let open: Vec<Order> =
            self.orders.values().filter(|order| !order.state.status.is_final()).cloned().collect();
        for mut order in open {
            if order.resume(now) {
                self.keep(order, now, out);
            }
        }
    }

    /// Remembers, saves and says an order, and what became of it when it ended.
    fn keep(&mut self, order: Order, now: Timestamp, out: &mut Out<Self>) {
        let before = self.orders.get(&order.state.order_id).map(|known| known.state.status);
        if before != Some(order.state.status) {
            let state = &order.state;
            let reason = state.reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
            out.decided(format!(
                "{} {} {}: {}{reason}.",
                spelled(&state.side),
                state.qty_e6,
                order.inside.ticker,
                spelled(&state.status)
            ));
        }
        out.save(Save::Order(Box::new(order.clone()), now));
        out.say(order.state.clone());
        self.orders.insert(order.state.order_id, order);
        self.report_unknown(out);
    }

    fn report_unknown(&self, out: &mut Out<Self>) {
        let unknown = self.orders.values().find(|order| order.state.status == OrderStatus::Unknown);
        let failing = self.orders.values().find(|order| order.inside.failed_looks >= FAILED_LOOKS_MAX);
        match unknown.or(failing) {
            Some(order) if order.state.status == OrderStatus::Unknown => {
                out.trouble(format!(
                    "The fate of order {} is unknown; nothing else goes out until it is known.",
                    order.state.order_id
                ));
            }
            Some(order) => out.trouble(format!(
                "Order {} cannot be followed: the broker does not answer.",
                order.state.order_id
            )),
            None => out.recovered(),
        }
    }

    /// Something that must never happen: said once, and nothing goes out before the gate has halted and a person resumed.
    fn incident(
        &mut self,
        kind: IncidentKind,
        about: &str,
        text: String,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        let incident_id = Id::derive(Timestamp::ZERO, &["incident", &spelled(&kind), about]);
        if !self.incidents.insert(incident_id.to_string()) {
            return;
        }
        self.unanswered = true;
        let order_id: String = about.chars().take(40).collect();
        let incident = OrderIncident { incident_id, kind, order_id, text: text.clone(), at: now };
        out.decided(text.clone());
        out.trouble(text);
        out.save(Save::Incident(Box::new(incident.clone())));
        out.say(incident);
    }
}

/// Reads the account with lists that reach back to the order.
fn look_for(order: &Order, now: Timestamp) -> Call {
    let order_id = order.state.order_id.to_string();
    Call::Look { order_id, from: order.listed_from(now), till: now.day_utc().next() }
}

/// In research mode the paper ledger fills everything at its limit.
fn fill_on_paper(order: &mut Order, now: Timestamp) {
    assert!(order.state.mode == Mode::Research, "only paper orders are filled here");
    let fill = OrderFill {
        trade_id: format!("paper-{}", order.state.order_id),
        qty_e6: order.state.qty_e6,
        price_e6: order.state.limit_price_e6,
        fee: None,
        at: now,
    };
    order.state.sent = Some(now);
    order.add_fill(fill);
    order.end(OrderStatus::Filled, None, now);
}

/// What the answer to a placement means.
fn placed_as(order: &mut Order, placed: Placed, now: Timestamp) {
    if order.state.status != OrderStatus::Sending {
        return;
    }
    let soon = Some(now.saturating_plus_ms(look_pause_ms(0)));
    match placed {
        Placed::Accepted { order_id } => {
            order.state.broker_order_id = Some(order_id.to_string());
            order.state.status = OrderStatus::Accepted;
            order.inside.look_at = soon;
        }
        Placed::NotSent { reason } => {
            order.end(OrderStatus::Rejected, Some(format!("not_sent: {reason}")), now)
        }
        // Final only after a look has confirmed that there is no such order.
        Placed::RefusedByBroker { text, .. } => {
            order.state.status = OrderStatus::Unknown;
            order.inside.refusal = Some(text);
            order.inside.look_at = soon;
        }
        Placed::Unknown { .. } => {
            order.state.status = OrderStatus::Unknown;
            order.inside.look_at = soon;
        }
    }
}

/// What a look means for an order that was sent.
fn look(order: &mut Order, seen: Result<Box<Seen>, String>, now: Timestamp, out: &mut Out<Execute>) {
    if order.state.status.is_final() {
        return;
    }
    order.inside.looks += 1;
    let age = now.since(order.state.sent.unwrap_or(order.state.created));
    let pause =
        if order.state.status == OrderStatus::Unknown { unknown_pause(age) } else { look_pause_ms(age) };
    order.inside.look_at = Some(now.saturating_plus_ms(pause));
    let seen = match seen {
        Ok(seen) => seen,
        Err(_) => {
            order.inside.failed_looks += 1;
            return;
        }
    };
    order.inside.failed_looks = 0;
    match find(order, &seen) {
        Found::Row(row) => follow(order, &row, &seen, now, out),
        Found::Trade(id) => {
            order.state.broker_order_id = Some(id);
            order.state.status = OrderStatus::Accepted;
            take_fills(order, &seen, now);
        }
        Found::Absent => {
            order.inside.absences += 1;
            let refused = order.inside.refusal.clone();
            let never_came = order.inside.absences >= ABSENCES_MIN && age >= ABSENT_AFTER_MS;
            match refused {
                Some(text) => order.end(OrderStatus::Rejected, Some(format!("broker: {text}")), now),
                None if never_came => order.end(OrderStatus::Rejected, Some("never_arrived".into()), now),
                None => {}
            }
        }
        Found::Unclear => {}
    }
}

fn unknown_pause(age: i64) -> i64 {
    UNKNOWN_LOOKS_MS.iter().find(|then| **then > age).map_or(60_000, |then| then - age)
}

/// Follows the broker's own row of an order.
fn follow(order: &mut Order, row: &OrderRow, seen: &Seen, now: Timestamp, out: &mut Out<Execute>) {
    use tradernet::commands::order_status::OrderStatus as Theirs;
    order.state.broker_order_id = Some(row.order_id.to_string());
    take_fills(order, seen, now);
    let filled = row.filled().unwrap_or(order.state.filled_e6);
    if !row.status.is_final() {
        order.state.status =
            if order.state.filled_e6.is_positive() { OrderStatus::Partial } else { OrderStatus::Accepted };
        let age = now.since(order.state.sent.unwrap_or(now));
        if age >= CANCEL_AFTER_MS && !order.inside.cancel_asked {
            order.inside.cancel_asked = true;
            out.call(Call::Cancel {
                order_id: order.state.order_id.to_string(),
                broker_order_id: row.order_id.to_string(),
            });
        }
        return;
    }
    if order.state.filled_e6 < filled && order.inside.late_fills < LATE_FILL_LOOKS {
        // The order says it is filled, but not all of its trades are listed yet.
        order.inside.late_fills += 1;
        order.state.status = OrderStatus::Partial;
        return;
    }
    let status = match row.status {
        _ if order.state.filled_e6 == order.state.qty_e6 => OrderStatus::Filled,
        Theirs::Executed | Theirs::PartlyCancelled | Theirs::Cancelled => OrderStatus::Cancelled,
        Theirs::Expired | Theirs::PartlyExpired => OrderStatus::Expired,
        _ => OrderStatus::Rejected,
    };
    let reason = (status == OrderStatus::Rejected)
        .then(|| format!("broker: {}", row.reason.as_deref().unwrap_or("no reason given")));
    order.end(status, reason, now);
}

/// Counts every trade of the order once.
fn take_fills(order: &mut Order, seen: &Seen, now: Timestamp) {
    let Some(broker_id) = order.state.broker_order_id.clone() else { return };
    for trade in &seen.trades {
        let ours = trade.order_id.as_ref().is_some_and(|id| id.to_string() == broker_id);
        if ours && same_side(order.state.side, trade.side) {
            let fee: Option<Money> = trade.commission;
            order.add_fill(OrderFill {
                trade_id: trade.trade_id.to_string(),
                qty_e6: trade.quantity,
                price_e6: trade.price,
                fee,
                at: now,
            });
        }
    }
}
