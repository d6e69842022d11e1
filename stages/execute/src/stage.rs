//! The state machine of the money path: verify → armed → look → sending → place once → follow to the end.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bus_client::{Input, Out, Stage, Start, approval_key};
use contracts::{
    ApprovalKey, HALTS_SAID, Health, HealthState, Id, IncidentKind, Meta, Mode, OrderApproved, OrderIncident,
    OrderState, OrderStatus, Quote, Received, Refused, RiskHalt, TopicId, Universe, mutants,
    stage::execute as contract,
};
use market::Timestamp;
use rusqlite::{Connection, Transaction};
use tradernet::Placed;

use crate::{
    Call, Order, Reply, Seen, Settings,
    clock_trust::ClockTrust,
    fate::{carrying, contradiction, held_e6},
    follow::{Books, look, placed_as},
    hints::Hints,
    limits::{ANSWERED_BY_THEN_MS, FAILED_LOOKS_MAX, FINAL_KEPT_MS, GAP_MIN, GAP_MOST_MIN, look_pause_ms},
    live,
    market_now::Market,
    paper, second_line,
    store::{self, Rows, Save, spelled},
};

/// The placer of orders.
pub struct Execute {
    pub(crate) key: ApprovalKey,
    pub(crate) simulated: bool,
    pub(crate) orders: BTreeMap<Id, Order>,
    /// Orders of the last week that are said no more: the limits of days and weeks still count them.
    pub(crate) past: BTreeMap<Id, Order>,
    pub(crate) waiting: VecDeque<(OrderApproved, Option<Meta>)>,
    pub(crate) universe: Option<Universe>,
    pub(crate) halted: Option<bool>,
    pub(crate) gate: Option<(HealthState, Timestamp)>,
    /// What the gate says it is: live orders need a live gate.
    pub(crate) mode: Option<Mode>,
    pub(crate) live: live::Standing,
    pub(crate) market: Market,
    /// Every order there ever was, by our number at the broker: an id is used once, for ever.
    pub(crate) spent: BTreeMap<u64, Id>,
    pub(crate) hints: Hints,
    pub(crate) incidents: BTreeSet<String>,
    /// Incidents that no halt has answered yet, and when they were; they survive a restart.
    pub(crate) unanswered: BTreeMap<String, Timestamp>,
    pub(crate) started: bool,
    pub(crate) clock: ClockTrust,
    /// The broker wants to be asked nothing until then: it throttles, or it does not let us in.
    pub(crate) rests_until: Option<Timestamp>,
    /// Between two orders.
    pub(crate) gap_ms: i64,
    /// Minutes that the broker's clock was ahead of UTC when that was last measured.
    pub(crate) ahead_min: Option<i32>,
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
        let measured = orders.iter().filter_map(|order| order.state.sent.zip(order.inside.ahead_min));
        let ahead_min = measured.max().map(|(_, ahead)| ahead);
        let known = |(number, id): (u64, String)| Some((number, id.parse().ok()?));
        Ok(Execute {
            key,
            simulated,
            live: live::Standing { simulated, allowed: start.settings.allow_live, asked: None, keeper: None },
            market: Market::default(),
            spent: spent.into_iter().filter_map(known).collect(),
            orders: orders.into_iter().map(|order| (order.state.order_id, order)).collect(),
            past: BTreeMap::new(),
            waiting: VecDeque::new(),
            universe: None,
            halted: None,
            gate: None,
            mode: None,
            hints: Hints::new(start.settings.broker_socket && !start.settings.broker_url.is_empty()),
            incidents: incidents.into_iter().collect(),
            unanswered: unanswered.into_iter().collect(),
            started: false,
            clock: ClockTrust::default(),
            rests_until: None,
            gap_ms: GAP_MIN * 60_000,
            ahead_min,
        })
    }

    fn handle(&mut self, input: Input<Self>, now: Timestamp, out: &mut Out<Self>) {
        self.clock.note(now);
        match input {
            Input::Heard(contract::Input::OrderApproved(approval)) => self.hear_approval(approval, now, out),
            Input::Heard(contract::Input::RiskHalt(halt)) => {
                if let Some(halt) = &halt.body {
                    self.answered_by(halt, now, out);
                }
                self.halted = halt.body.map(|halt| halt.halted);
            }
            Input::Heard(contract::Input::SystemHealth(health)) => self.hear_health(health),
            Input::Heard(contract::Input::MarketQuote(quote)) => self.hear_quote(quote, now, out),
            Input::Heard(contract::Input::MarketFx(fx)) => self.market.rates = fx.body,
            Input::Heard(contract::Input::MarketUniverse(universe)) => self.universe = universe.body,
            Input::Heard(contract::Input::RiskState(state)) => {
                self.mode = state.body.map(|state| state.mode);
            }
            Input::Heard(contract::Input::CommandExecuteSettle(command)) => {
                if let Some(body) = command.body {
                    self.settle(&body, command.meta.as_ref(), now, out);
                }
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
                // The same claim on another day is another incident.
                let about = format!("{claimed} {}", now.day_utc());
                self.incident(IncidentKind::ForeignApproval, &about, text, now, out);
            }
            Input::Tick => self.tick(now, out),
            Input::Settings(snapshot) => {
                self.live.asked = Some(snapshot.trading_mode());
                self.gap_ms = second_line::gap_ms(&snapshot);
                self.market.costs = paper::costs(Some(&snapshot));
            }
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

    /// What is sent or cancelled, and the look that it waits for, never stand behind a look at another order.
    fn is_urgent(call: &Call) -> bool {
        match call {
            Call::Place { .. } | Call::Cancel { .. } => true,
            Call::Look { before_sending, .. } => *before_sending,
            Call::Follow { .. } => false,
        }
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
            Reply::Looked { seen, rest_ms, .. } => {
                if rest_ms > 0 {
                    self.rests_until = self.rests_until.max(Some(now.saturating_plus_ms(rest_ms)));
                }
                match order.state.status {
                    OrderStatus::Armed => self.send(&mut order, seen, now, out),
                    OrderStatus::Sending => return,
                    _ => {
                        if let Ok(seen) = &seen {
                            self.too_many(&order, seen, now, out);
                        }
                        if look(&mut order, seen, &self.market, self.ahead_min, now, out) == Books::Overfilled
                        {
                            let text = "The broker filled more of an order than was asked for.".to_string();
                            self.incident(
                                IncidentKind::Overfilled,
                                &order.state.order_id.to_string(),
                                text,
                                now,
                                out,
                            );
                        }
                        self.ahead_min = order.inside.ahead_min.or(self.ahead_min);
                    }
                }
            }
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
        let known = self.orders.get(&order.state.order_id);
        if known.is_some_and(|known| known.differs_in_looks_only(&order)) {
            // A restart counts the looks from the beginning, which takes longer and is safe.
            self.orders.insert(order.state.order_id, order);
            return self.report_unknown(out);
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
        let Some(need) = self.cash_needed(order) else {
            let why = "not_sent: nobody knows what its fee will be".to_string();
            return order.end(OrderStatus::Rejected, Some(why), now);
        };
        let counted = self.orders.values().chain(self.past.values()).flat_map(|one| &one.state.fills);
        let counted: BTreeSet<&str> = counted.map(|fill| fill.trade_id.as_str()).collect();
        let stranger = || second_line::stranger(order, seen.trades.iter(), &counted, now);
        if let Some(why) = contradiction(order, need, &seen).or_else(stranger) {
            return order.end(OrderStatus::Rejected, Some(format!("state_changed: {why}")), now);
        }
        let doubt = self.clock.doubt(seen.clock_ahead_s, self.simulated, now);
        if let Some(why) = doubt.or_else(|| self.obstacle(order, now)) {
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
            if let Some(until) = self.rests_until.filter(|until| order.is_live() && *until > now) {
                order.inside.look_at = Some(until);
                self.orders.insert(id, order);
                continue;
            }
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
            // The row stays for ever; only what is said of it ends, and after a week the memory.
            self.past.extend(self.orders.remove_entry(&id));
        }
        let lately = |sent: Timestamp| now.since(sent) < GAP_MOST_MIN * 60_000;
        self.past.retain(|_, order| order.state.sent.is_some_and(lately));
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
        self.report_unknown(out);
    }

    /// Remembers, saves and says an order, and what became of it when it ended.
    pub(crate) fn keep(&mut self, order: Order, now: Timestamp, out: &mut Out<Self>) {
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
        let unlisted = self.orders.values().find(|order| order.is_unlisted());
        let failing = self.orders.values().find(|order| order.inside.failed_looks >= FAILED_LOOKS_MAX);
        let short = self.orders.values().find(|order| order.inside.short);
        match unknown.or(unlisted).or(short).or(failing) {
            Some(order) if order.state.status == OrderStatus::Unknown => {
                out.trouble(format!(
                    "The fate of order {} is unknown; nothing else goes out until it is known, or until a person settles it: steward settle {0}.",
                    order.state.order_id
                ));
            }
            Some(order) if order.is_unlisted() => out.trouble(format!(
                "Order {} must be at the broker, but no list of the broker shows it. Look at the account and settle it: steward settle {0}.",
                order.state.order_id
            )),
            Some(order) if order.inside.short => out.trouble(format!(
                "Order {} ended at the broker with more filled than its lists of trades show ({} of {} are known). Look at the account and settle it: steward settle {0}.",
                order.state.order_id, order.state.filled_e6, order.state.qty_e6
            )),
            Some(order) => out.trouble(format!(
                "Order {} cannot be followed: the broker does not answer.",
                order.state.order_id
            )),
            None if out.is_in_trouble() => {}
            None if !self.unanswered.is_empty() => out.trouble(
                "An incident has not been answered by a halt yet, and nothing goes out. If the gate does not halt for it, halt and resume by hand: steward halt, steward resume.",
            ),
            None => out.recovered(),
        }
    }

    /// An incident is answered by a halt that names it. The list of halts has an end, and a halt may have come and gone
    /// unheard: a full list, or a halt of ten minutes later, answers too, so that a person can stop and resume.
    fn answered_by(&mut self, halt: &RiskHalt, now: Timestamp, out: &mut Out<Self>) {
        let named: BTreeSet<String> = halt.halts.iter().map(|one| one.id.to_string()).collect();
        let is_full = halt.halts.len() >= HALTS_SAID;
        let answered = |id: &String, since: &Timestamp| {
            let late = halt.halted && halt.at.since(*since) >= ANSWERED_BY_THEN_MS;
            named.contains(id) || is_full || late
        };
        let (over, open) =
            std::mem::take(&mut self.unanswered).into_iter().partition(|(id, since)| answered(id, since));
        self.unanswered = open;
        let over: BTreeMap<String, Timestamp> = over;
        if over.is_empty() {
            return;
        }
        for id in over.into_keys() {
            out.save(Save::Answered(id, now));
        }
        self.report_unknown(out);
    }

    /// Something that must never happen: said once, and nothing goes out before the gate has halted and a person resumed.
    pub(crate) fn incident(
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
        self.unanswered.insert(incident_id.to_string(), now);
        let order_id: String = about.chars().take(40).collect();
        let incident = OrderIncident { incident_id, kind, order_id, text: text.clone(), at: now };
        out.decided(text.clone());
        out.trouble(text);
        out.save(Save::Incident(Box::new(incident.clone())));
        out.say(incident);
    }
}

/// The one call that costs money: exactly what was approved.
pub(crate) fn placement(order: &Order) -> Call {
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
pub(crate) fn look_for(order: &Order, now: Timestamp) -> Call {
    let order_id = order.state.order_id.to_string();
    let before_sending = order.state.status == OrderStatus::Armed;
    Call::Look { order_id, before_sending, from: order.listed_from(now), till: now.day_utc().next() }
}
