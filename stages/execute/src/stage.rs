//! The state machine of the money path: verify → armed → look → sending → place once → follow to the end.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bus_client::{Input, Out, Stage, Start, approval_key};
use contracts::{
    ApprovalKey, FxRates, Health, HealthState, Id, IncidentKind, Meta, Mode, NotApproved, OrderApproved,
    OrderFill, OrderIncident, OrderState, OrderStatus, Quote, Received, Refused, Side, TopicId, Universe,
    Venue, mutants, stage::execute as contract,
};
use market::{Isin, Mic, Timestamp};
use money::Money;
use rusqlite::{Connection, Transaction};
use tradernet::{Placed, commands::order_rows::OrderRow};

use crate::{
    Added, Call, Order, Reply, Seen, Settings,
    fate::{Found, carrying, contradiction, find, held_e6, same_side},
    hints::Hints,
    limits::{
        ABSENCES_MIN, ABSENT_AFTER_MS, CANCEL_AFTER_MS, CANCEL_AGAIN_MS, FAILED_LOOKS_MAX, FINAL_KEPT_MS,
        GATE_SILENT_MS, LATE_FILL_LOOKS, MOVED_AWAY_E6, QUOTE_AGE_MS, UNKNOWN_LOOKS_MS, WAITING_MAX,
        look_pause_ms,
    },
    live,
    paper::{self, Paper},
    second_line,
    store::{self, Rows, Save, spelled},
};

/// The placer of orders.
pub struct Execute {
    key: ApprovalKey,
    simulated: bool,
    pub(crate) orders: BTreeMap<Id, Order>,
    waiting: VecDeque<(OrderApproved, Option<Meta>)>,
    universe: Option<Universe>,
    halted: Option<bool>,
    gate: Option<(HealthState, Timestamp)>,
    /// What the gate says it is: live orders need a live gate.
    mode: Option<Mode>,
    live: live::Standing,
    market: Market,
    /// Every order there ever was, by our number at the broker: an id is used once, for ever.
    spent: BTreeMap<u64, Id>,
    pub(crate) hints: Hints,
    incidents: BTreeSet<String>,
    /// An incident that no halt has answered yet; it survives a restart.
    unanswered: bool,
    started: bool,
}

/// What is known of the market: for orders on paper, and for whether a price has moved away.
#[derive(Default)]
struct Market {
    quotes: BTreeMap<Isin, Quote>,
    venues: BTreeMap<Mic, Venue>,
    rates: Option<FxRates>,
}

impl Market {
    /// Whether the price has left the order behind; an unknown price counts as gone.
    fn left_behind(&self, order: &OrderState, now: Timestamp) -> bool {
        let recent = |quote: &&Quote| {
            !quote.suspect && quote.ccy == order.ccy && (0..=QUOTE_AGE_MS).contains(&now.since(quote.at))
        };
        let Some(quote) = self.quotes.get(&order.isin).filter(recent) else { return true };
        let (last, limit) = (i128::from(quote.price_e6.e6()), i128::from(order.limit_price_e6.e6()));
        let away = if order.side == Side::Buy { last - limit } else { limit - last };
        away * 1_000_000 > limit * MOVED_AWAY_E6
    }

    fn is_closed(&self, mic: &Mic) -> bool {
        self.venues.get(mic).is_some_and(|venue| !venue.open)
    }
}

impl Stage for Execute {
    type Contract = contract::Execute;
    type Settings = Settings;
    type Save = Save;
    type Call = Call;
    type Reply = Reply;

    fn load(start: &Start<Settings>, rows: Option<&Connection>) -> Result<Self, String> {
        let key = approval_key(&start.config.dir).map_err(|error| error.to_string())?;
        let Rows { orders, spent, incidents, unanswered } =
            rows.map(store::load).transpose()?.unwrap_or_default();
        let simulated = start.environment.is_simulated();
        let known = |(number, id): (u64, String)| Some((number, id.parse().ok()?));
        Ok(Execute {
            key,
            simulated,
            live: live::Standing { simulated, allowed: start.settings.allow_live, asked: None, keeper: None },
            market: Market::default(),
            spent: spent.into_iter().filter_map(known).collect(),
            orders: orders.into_iter().map(|order| (order.state.order_id, order)).collect(),
            waiting: VecDeque::new(),
            universe: None,
            halted: None,
            gate: None,
            mode: None,
            hints: Hints::new(start.settings.broker_socket && !start.settings.broker_url.is_empty()),
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
            Input::Heard(contract::Input::SystemHealth(health)) => self.hear_health(health),
            Input::Heard(contract::Input::MarketQuote(quote)) => self.hear_quote(quote, now, out),
            Input::Heard(contract::Input::MarketFx(fx)) => self.market.rates = fx.body,
            Input::Heard(contract::Input::MarketUniverse(universe)) => self.universe = universe.body,
            Input::Heard(contract::Input::RiskState(state)) => {
                self.mode = state.body.map(|state| state.mode);
            }
            Input::Heard(contract::Input::MarketVenue(venue)) => {
                if let Some(body) = venue.body {
                    self.market.venues.insert(body.mic, body);
                }
            }
            Input::Replied(Reply::Moved) => self.hint(now),
            Input::Replied(Reply::Following) => {}
            Input::Replied(reply) => self.hear_broker(reply, now, out),
            Input::Refused(Refused::NotTheOwner { topic, claimed })
                if topic == TopicId::OrderApproved.spec().name =>
            {
                let text = format!("An approval was published by `{claimed}`, which is not the gate.");
                self.incident(IncidentKind::ForeignApproval, &claimed, text, now, out);
            }
            Input::Tick => self.tick(now, out),
            Input::Settings(snapshot) => self.live.asked = Some(snapshot.trading_mode()),
            Input::Answered(_) | Input::Refused(_) => {}
        }
        self.start_next(now, out);
        self.follow(out);
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
    fn hear_health(&mut self, health: Received<Health>) {
        let (Some(body), Some(meta)) = (health.body, health.meta) else { return };
        match body.stage.as_str() {
            "risk-gate" => self.gate = Some((body.state, meta.at)),
            "keeper" => self.live.keeper = Some((body.state, meta.at)),
            _ => {}
        }
    }

    fn hear_quote(&mut self, quote: Received<Quote>, now: Timestamp, out: &mut Out<Self>) {
        let Some(body) = quote.body else {
            if let Ok(isin) = quote.key.parse() {
                self.market.quotes.remove(&isin);
            }
            return;
        };
        let isin = body.isin;
        self.market.quotes.insert(isin, body);
        let paper =
            |order: &&Order| !order.is_live() && order.state.isin == isin && !order.state.status.is_final();
        let open: Vec<Order> = self.orders.values().filter(paper).cloned().collect();
        for order in open {
            self.follow_on_paper(order, now, out);
        }
    }

    fn hear_approval(&mut self, heard: Received<OrderApproved>, now: Timestamp, out: &mut Out<Self>) {
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
        while !self.orders.values().any(Order::is_on_its_way) || mutants::is("two_at_once") {
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
            // Currencies are exchanged in whole units.
            let lot_e6 = if contracts::pair_of(&terms.isin).is_some() { 1_000_000 } else { lot_e6 };
            let mut order = Order::armed(terms, lot_e6, now);
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

    /// In research the broker is [`paper`]: it takes the order in the same instant, through the same states.
    fn send_on_paper(&mut self, mut order: Order, now: Timestamp, out: &mut Out<Self>) {
        assert!(order.state.mode == Mode::Research, "only paper orders are filled here");
        self.keep(order.clone(), now, out);
        order.state.status = OrderStatus::Sending;
        order.state.sent = Some(now);
        self.keep(order.clone(), now, out);
        order.state.broker_order_id = Some(format!("paper-{}", order.state.order_id));
        order.state.status = OrderStatus::Accepted;
        order.inside.look_at = Some(now.saturating_plus_ms(look_pause_ms(0)));
        self.keep(order.clone(), now, out);
        self.follow_on_paper(order, now, out);
    }

    /// Compares an order on paper with the market; it ends by a fill, with its venue's day, or left behind.
    fn follow_on_paper(&mut self, mut order: Order, now: Timestamp, out: &mut Out<Self>) {
        if order.state.status != OrderStatus::Accepted {
            return;
        }
        let state = &order.state;
        let ask = paper::Ask {
            side: state.side,
            quantity: state.qty_e6,
            limit: state.limit_price_e6,
            ccy: state.ccy,
        };
        let age = now.since(state.sent.unwrap_or(state.created));
        let met = paper::meet(ask, self.market.quotes.get(&state.isin), self.market.rates.as_ref(), now);
        match met {
            _ if self.market.is_closed(&state.mic) => order.end(OrderStatus::Expired, None, now),
            Paper::Filled(price_e6, fee) => {
                let trade_id = format!("paper-{}", state.order_id);
                let fill = OrderFill { trade_id, qty_e6: state.qty_e6, price_e6, fee: Some(fee), at: now };
                order.add_fill(fill);
                order.end(OrderStatus::Filled, None, now);
            }
            Paper::Unknown(why) if age < look_pause_ms(0) => {
                order.end(OrderStatus::Rejected, Some(format!("paper: {why}")), now);
            }
            Paper::Waits | Paper::Unknown(_)
                if age >= CANCEL_AFTER_MS && self.market.left_behind(state, now) =>
            {
                order.end(OrderStatus::Cancelled, Some("paper: the price has moved away".into()), now);
            }
            Paper::Waits | Paper::Unknown(_) => {
                let look_at = Some(now.saturating_plus_ms(look_pause_ms(age)));
                if order.inside.look_at.is_some_and(|then| then > now) {
                    return;
                }
                order.inside.look_at = look_at;
            }
        }
        self.keep(order, now, out);
    }

    /// Why nothing may be sent now.
    fn obstacle(&self, order: &Order, now: Timestamp) -> Option<&'static str> {
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
        if let Some(why) = second_line::obstacle(order, self.orders.values(), now)
            && !mutants::is("ignore_frequency")
            && !mutants::is("two_at_once")
        {
            return Some(why);
        }
        if self.unanswered {
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

    fn hear_broker(&mut self, reply: Reply, now: Timestamp, out: &mut Out<Self>) {
        let (Reply::Looked { order_id, .. }
        | Reply::Placed { order_id, .. }
        | Reply::Cancelled { order_id, .. }) = &reply
        else {
            return;
        };
        let Some(mut order) = order_id.parse().ok().and_then(|id| self.orders.get(&id).cloned()) else {
            return;
        };
        match reply {
            Reply::Looked { seen, .. } => match order.state.status {
                OrderStatus::Armed => self.send(&mut order, seen, now, out),
                OrderStatus::Sending => return,
                _ => {
                    if let Ok(seen) = &seen {
                        self.too_many(&order, seen, now, out);
                    }
                    if look(&mut order, seen, &self.market, now, out) == Books::Overfilled {
                        let text = "The broker filled more of an order than was asked for.".to_string();
                        self.incident(
                            IncidentKind::Overfilled,
                            &order.state.order_id.to_string(),
                            text,
                            now,
                            out,
                        );
                    }
                }
            },
            Reply::Following | Reply::Moved => return,
            Reply::Placed { placed: Placed::Unknown { .. }, .. } if mutants::is("resend_on_timeout") => {
                out.call(placement(&order));
                return;
            }
            Reply::Placed { placed, .. } => placed_as(&mut order, placed, now),
            Reply::Cancelled { text, .. } => {
                out.decided(format!("{}: {text}.", order.state.order_id));
                order.inside.look_at = Some(now.saturating_plus_ms(look_pause_ms(0)));
            }
        }
        self.keep(order, now, out);
    }

    /// Two orders at the broker for one that was sent once: everything halts, and what still works is cancelled.
    fn too_many(&mut self, order: &Order, seen: &Seen, now: Timestamp, out: &mut Out<Self>) {
        let ours = carrying(order, seen);
        let Some(first) = ours.first().filter(|_| ours.len() > 1) else { return };
        let text = format!("The broker holds {} orders for one that was sent once.", ours.len());
        let about = order.state.order_id.to_string();
        self.incident(IncidentKind::DoubledOrder, &about, text, now, out);
        let keep = order.state.broker_order_id.as_ref().unwrap_or(first);
        for row in seen.orders.iter().filter(|row| row.is_active()) {
            let id = row.order_id.to_string();
            if ours.contains(&id) && id != *keep {
                out.call(Call::Cancel { order_id: about.clone(), broker_order_id: id });
            }
        }
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
        order.inside.held_before_e6 =
            seen.account.as_ref().map(|account| held_e6(account, &order.inside.ticker));
        order.inside.trades_before = seen.trades.iter().map(|trade| trade.trade_id.to_string()).collect();
        order.state.status = OrderStatus::Sending;
        order.state.sent = Some(now);
        // Performed only after `Sending` has been committed.
        out.call(placement(order));
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
            if order.is_live() {
                out.call(look_for(&order, now));
                self.orders.insert(id, order);
            } else {
                self.follow_on_paper(order, now, out);
            }
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
            self.orders.remove(&id);
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
        let mut saved = order.clone();
        if mutants::is("sending_unsaved") && saved.state.status == OrderStatus::Sending {
            saved.state.status = OrderStatus::Armed;
        }
        out.save(Save::Order(Box::new(saved), now));
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

/// The one call that costs money: exactly what was approved.
fn placement(order: &Order) -> Call {
    let state = &order.state;
    let lot = money::Quantity::from_e6(order.inside.lot_e6).unwrap_or(money::Quantity::ZERO);
    let more = if mutants::is("larger_quantity") { lot } else { money::Quantity::ZERO };
    Call::Place {
        order_id: state.order_id.to_string(),
        ticker: order.inside.ticker.clone(),
        side: state.side,
        quantity: state.qty_e6.checked_add(more).unwrap_or(state.qty_e6),
        lot,
        limit: state.limit_price_e6,
        user_order_id: state.user_order_id,
    }
}

/// Reads the account with lists that reach back to the order.
fn look_for(order: &Order, now: Timestamp) -> Call {
    let order_id = order.state.order_id.to_string();
    Call::Look { order_id, from: order.listed_from(now), till: now.day_utc().next() }
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

/// Whether the broker's trades can belong to the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Books {
    Fit,
    Overfilled,
}

/// What a look means for an order that was sent.
fn look(
    order: &mut Order,
    seen: Result<Box<Seen>, String>,
    market: &Market,
    now: Timestamp,
    out: &mut Out<Execute>,
) -> Books {
    if order.state.status.is_final() {
        return Books::Fit;
    }
    order.inside.looks += 1;
    let age = now.since(order.state.sent.unwrap_or(order.state.created));
    let pause =
        if order.state.status == OrderStatus::Unknown { unknown_pause(age) } else { look_pause_ms(age) };
    order.inside.look_at = Some(now.saturating_plus_ms(pause));
    let seen = match seen {
        Ok(seen) => seen,
        Err(_) if mutants::is("failure_is_absence") => Box::default(),
        Err(_) => {
            order.inside.failed_looks += 1;
            return Books::Fit;
        }
    };
    order.inside.failed_looks = 0;
    match find(order, &seen) {
        Found::Row(row) => return follow(order, &row, &seen, market, now, out),
        Found::Trade(id) => {
            order.state.broker_order_id = Some(id);
            order.state.status = OrderStatus::Accepted;
            return take_fills(order, &seen, now);
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
    Books::Fit
}

fn unknown_pause(age: i64) -> i64 {
    UNKNOWN_LOOKS_MS.iter().find(|then| **then > age).map_or(60_000, |then| then - age)
}

/// Follows the broker's own row of an order.
fn follow(
    order: &mut Order,
    row: &OrderRow,
    seen: &Seen,
    market: &Market,
    now: Timestamp,
    out: &mut Out<Execute>,
) -> Books {
    use tradernet::commands::order_status::OrderStatus as Theirs;
    order.state.broker_order_id = Some(row.order_id.to_string());
    let books = take_fills(order, seen, now);
    let filled = row.filled().unwrap_or(order.state.filled_e6);
    if !row.status.is_final() {
        order.state.status =
            if order.state.filled_e6.is_positive() { OrderStatus::Partial } else { OrderStatus::Accepted };
        let age = now.since(order.state.sent.unwrap_or(now));
        let asked = order.inside.cancel_at.is_some_and(|then| now.since(then) < CANCEL_AGAIN_MS);
        if age >= CANCEL_AFTER_MS && !asked && market.left_behind(&order.state, now) {
            order.inside.cancel_asked = true;
            order.inside.cancel_at = Some(now);
            out.call(Call::Cancel {
                order_id: order.state.order_id.to_string(),
                broker_order_id: row.order_id.to_string(),
            });
        }
        return books;
    }
    if order.state.filled_e6 < filled && order.inside.late_fills < LATE_FILL_LOOKS {
        // The order says it is filled, but not all of its trades are listed yet.
        order.inside.late_fills += 1;
        order.state.status = OrderStatus::Partial;
        return books;
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
    books
}

/// Counts every trade of the order once.
fn take_fills(order: &mut Order, seen: &Seen, now: Timestamp) -> Books {
    let mut books = Books::Fit;
    let Some(broker_id) = order.state.broker_order_id.clone() else { return books };
    for trade in &seen.trades {
        let ours = trade.order_id.as_ref().is_some_and(|id| id.to_string() == broker_id);
        if ours && same_side(order.state.side, trade.side) {
            let fee: Option<Money> = trade.commission;
            let added = order.add_fill(OrderFill {
                trade_id: trade.trade_id.to_string(),
                qty_e6: trade.quantity,
                price_e6: trade.price,
                fee,
                at: now,
            });
            if added == Added::TooMuch {
                books = Books::Overfilled;
            }
        }
    }
    books
}
