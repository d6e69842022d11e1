//! The gate's state machine: one verdict per order, for ever; halts that anyone may open and only a person clears.

use std::collections::{BTreeMap, BTreeSet};

use bus_client::{Input, NoCall, Out, Stage, Start, approval_key};
use contracts::{
    APPROVAL_LIFE_MS, ApprovalKey, Breaker, Finite, HaltEntry, Id, Meta, Mode, OrderApproved, OrderIncident,
    OrderRefused, OrderRequested, OrderState, Outcome, Reconciliation, Refusal, RiskHalt, RiskState,
    SettingsSnapshot, mutants, stage::risk_gate as contract,
};
use market::{Day, Timestamp};
use money::{Currency, Money, Weight};
use rusqlite::{Connection, Transaction};
use serde_json::Value;

use crate::{
    Settings,
    breaker::{Latch, day_change, judged, latched},
    checks::{Code, Decision, GateSettings, Verdict, exchange_gate, gate},
    drawdown::Peaks,
    guards,
    refusals::{self, HALT_AT, REST_MIN, Refusals},
    store::{self, Activity, Save, VerdictRow, spelled},
    tighter::tightened,
    world::{Standing, World},
};

/// An approval is taken back from the bus this long after it can no longer be of use.
const APPROVED_KEPT_MS: i64 = 10 * 60_000;
/// A refusal stays readable for a day.
const REFUSED_KEPT_MS: i64 = 86_400_000;
/// Open halts that are named in `risk/halt`.
const HALTS_SAID: usize = 24;
/// Longest actor or reason of a halt asked for, in bytes.
const WORD_MAX: usize = 40;
/// Longest text of one, in bytes.
const TEXT_MAX: usize = 300;
// With less than 120 bytes around each, what is said about halts fits its topic.
const _: () = assert!(HALTS_SAID * (TEXT_MAX + 2 * WORD_MAX + 120) < 16_384 - 512);
/// Verdicts and activity that statements are still compared with.
const ACTIVITY_KEPT_MS: i64 = 8 * 86_400_000;
/// Orders of the first day with real money.
const FIRST_LIVE_DAY_ORDERS: u32 = 1;
/// A position worth less than this many times the smallest sensible trade may be sold whole.
const SMALL_POSITION: i64 = 2;
/// The smallest sensible trade: 2 EUR are 1 % less 0.2 % of it.
const MIN_TRADE_EUR: i64 = 250;
/// The reason of a halt for the loss of a day.
const DAILY_LOSS: &str = "daily_loss";

/// The gate.
pub struct RiskGate {
    settings: Settings,
    /// What `steward.toml` allows, and what the owner's settings leave of it.
    base: GateSettings,
    limits: GateSettings,
    mode: Mode,
    simulated: bool,
    key: ApprovalKey,
    world: World,
    decided: BTreeSet<String>,
    /// Approvals out, with their end, until the order is known to be taken up.
    out_until: BTreeMap<String, Timestamp>,
    clear_approved: BTreeMap<String, Timestamp>,
    clear_refused: BTreeMap<String, Timestamp>,
    halts: BTreeMap<Id, HaltEntry>,
    known_halts: BTreeSet<Id>,
    breaker: Breaker,
    latch: Option<Latch>,
    peaks: Peaks,
    refusals: Refusals,
    /// When a guard opens by itself and what is said of it changes.
    guards_until: Option<Timestamp>,
    said_first: bool,
}

impl Stage for RiskGate {
    type Contract = contract::RiskGate;
    type Settings = Settings;
    type Save = Save;
    type Call = NoCall;
    type Reply = ();

    fn load(start: &Start<Settings>, rows: Option<&Connection>) -> Result<Self, String> {
        let simulated = start.environment.is_simulated();
        let limits = start.settings.limits(simulated)?;
        let key = approval_key(&start.config.dir).map_err(|error| error.to_string())?;
        let rows = rows
            .map(store::load)
            .transpose()
            .map_err(|error| format!("the gate's rows cannot be read: {error}"))?
            .unwrap_or_default();
        let world = World {
            activity: rows.activity.into_iter().map(|one| (one.order_id.clone(), one)).collect(),
            ..World::default()
        };
        Ok(RiskGate {
            mode: in_force(start.settings.mode, simulated, None),
            settings: start.settings.clone(),
            base: limits.clone(),
            limits,
            simulated,
            key,
            clear_approved: rows
                .approvals
                .iter()
                .map(|(id, expires)| (id.clone(), expires.saturating_plus_ms(APPROVED_KEPT_MS)))
                .collect(),
            out_until: rows
                .approvals
                .into_iter()
                .filter(|(id, _)| !world.activity.contains_key(id))
                .collect(),
            world,
            decided: rows.decided.into_iter().collect(),
            clear_refused: rows
                .refusals
                .into_iter()
                .map(|(id, at)| (id, at.saturating_plus_ms(REFUSED_KEPT_MS)))
                .collect(),
            halts: rows.halts.into_iter().map(|halt| (halt.id, halt)).collect(),
            known_halts: rows.all_halts.iter().filter_map(|id| id.parse().ok()).collect(),
            breaker: judged(None, false, rows.breaker),
            latch: rows.breaker,
            peaks: Peaks::new(rows.peaks),
            refusals: Refusals::new(rows.refusals_by_broker),
            guards_until: None,
            said_first: false,
        })
    }

    fn handle(&mut self, input: Input<Self>, now: Timestamp, out: &mut Out<Self>) {
        match input {
            Input::Heard(heard) => self.hear(heard, now, out),
            Input::Tick => self.tick(now, out),
            Input::Settings(snapshot) => self.follow(&snapshot, now, out),
            Input::Replied(()) | Input::Answered(_) | Input::Refused(_) => {}
        }
    }

    fn wake_at(&self) -> Option<Timestamp> {
        if !self.said_first {
            return Some(Timestamp::ZERO);
        }
        let ends = self.clear_approved.values().chain(self.clear_refused.values());
        ends.chain(self.out_until.values()).chain(&self.guards_until).min().copied()
    }

    fn apply(rows: &Transaction<'_>, save: Save) -> rusqlite::Result<()> {
        store::apply(rows, save)
    }
}

impl RiskGate {
    fn hear(&mut self, heard: contract::Input, now: Timestamp, out: &mut Out<Self>) {
        use contract::Input as I;
        match heard {
            I::OrderRequested(request) => {
                if let Some(body) = request.body {
                    self.judge(&body, now, out);
                }
            }
            I::OrderState(state) => {
                if let Some(body) = state.body {
                    self.hear_order(body, now, out);
                }
            }
            I::OrderIncident(incident) => {
                if let Some(body) = incident.body {
                    self.hear_incident(&body, now, out);
                }
            }
            I::PortfolioReconciliation(reconciliation) => {
                if let Some(body) = reconciliation.body {
                    self.hear_reconciliation(&body, now, out);
                }
            }
            I::CommandRiskGateHalt(command) => {
                if let Some(halt) = command.body {
                    self.halt_by_command(halt, command.meta.as_ref(), now, out);
                }
            }
            I::CommandRiskGateResume(command) => {
                if let Some(resume) = command.body {
                    self.resume(&resume.actor, &resume.text, command.meta.as_ref(), now, out);
                }
            }
            I::MarketQuote(quote) => {
                match (quote.body, quote.key.parse()) {
                    (Some(body), _) => drop(self.world.quotes.insert(body.isin, body)),
                    (None, Ok(isin)) => drop(self.world.quotes.remove(&isin)),
                    (None, Err(_)) => {}
                }
                // A new price may end a doubt; it raises none.
                if self.breaker == Breaker::Unknown {
                    self.review(now, out);
                }
            }
            I::MarketVenue(venue) => match (venue.body, venue.key.parse()) {
                (Some(body), _) => {
                    self.world.venues.insert(body.mic, body);
                    self.review(now, out);
                }
                (None, Ok(mic)) => drop(self.world.venues.remove(&mic)),
                (None, Err(_)) => {}
            },
            I::MarketFx(fx) => {
                self.world.fx = fx.body;
                self.review(now, out);
            }
            I::MarketUniverse(universe) => {
                self.world.universe = universe.body;
                self.review(now, out);
            }
            I::PortfolioState(portfolio) => {
                self.world.portfolio = portfolio.body;
                self.review(now, out);
            }
            I::PortfolioNav(nav) => {
                self.world.nav = nav.body;
                self.review(now, out);
            }
            I::PortfolioBucket(bucket) => match (bucket.body, bucket.meta) {
                (Some(body), Some(meta)) => {
                    drop(self.world.buckets.insert(body.bucket_id.clone(), (body, meta.at)));
                }
                (Some(body), None) => drop(self.world.buckets.insert(body.bucket_id.clone(), (body, now))),
                (None, _) => drop(self.world.buckets.remove(&bucket.key)),
            },
        }
    }

    /// Looks at the loss of the day and at every guard again, so that what is said does not depend on what came first.
    fn review(&mut self, now: Timestamp, out: &mut Out<Self>) {
        self.judge_breaker(now, out);
        self.say_state(now, out);
    }

    fn tick(&mut self, now: Timestamp, out: &mut Out<Self>) {
        if !self.said_first {
            self.said_first = true;
            self.say_halt(now, out);
            self.say_state(now, out);
        }
        let before = self.out_until.len();
        self.out_until.retain(|_, until| *until > now);
        if before != self.out_until.len() || self.guards_until.is_some_and(|until| until <= now) {
            self.say_state(now, out);
        }
        for id in due(&mut self.clear_approved, now) {
            out.clear::<OrderApproved>(id);
        }
        for id in due(&mut self.clear_refused, now) {
            out.clear::<OrderRefused>(id);
        }
    }

    fn standing(&self, bucket_id: &str, now: Timestamp) -> Standing {
        let halted = !self.halts.is_empty() && !mutants::is("ignore_halt");
        Standing {
            mode: if self.world.is_on_paper(bucket_id) { Mode::Research } else { self.mode },
            breaker: if halted { Breaker::Halted } else { self.breaker_now(now) },
            approval_out: self.out_until.values().any(|until| *until > now) && !mutants::is("two_at_once"),
            simulated: self.simulated,
        }
    }

    /// The value may have grown doubtful since it was judged: prices age without a message.
    fn breaker_now(&self, now: Timestamp) -> Breaker {
        if self.breaker == Breaker::Halted || self.world.doubt(now).is_none() {
            return self.breaker;
        }
        Breaker::Unknown
    }

    /// The owner's settings: the mode, and whatever tightens a limit.
    fn follow(&mut self, snapshot: &SettingsSnapshot, now: Timestamp, out: &mut Out<Self>) {
        let (limits, loose) = tightened(&self.base, &snapshot.values);
        let mode = in_force(self.settings.mode, self.simulated, Some(snapshot));
        if mode != self.mode {
            out.decided(format!("Orders are {} from now on.", spelled(&mode)));
        } else if !loose.is_empty() && limits != self.limits {
            out.decided(format!("Looser than documented, and without effect: {}.", loose.join(", ")));
        }
        (self.limits, self.mode) = (limits, mode);
        self.say_state(now, out);
    }

    /// One verdict per order id, for ever: a request heard again has been judged.
    fn judge(&mut self, request: &OrderRequested, now: Timestamp, out: &mut Out<Self>) {
        let id = request.order_id.to_string();
        if self.decided.contains(&id) {
            return;
        }
        let standing = self.standing(&request.bucket_id, now);
        let limits = self.limits_for(request, now);
        let verdict = match self.world.exchange(request, standing, now) {
            Some((order, state)) => exchange_gate(&order, &state, &limits),
            None => gate(
                &World::order(request),
                &self.world.gate_security(request, now),
                &self.world.state(request, standing, now),
                &limits,
            ),
        };
        self.decided.insert(id);
        match verdict.decision {
            Decision::Allow | Decision::Simulate => self.approve(request, verdict, standing.mode, now, out),
            Decision::Defer | Decision::Block => self.refuse(request, verdict, now, out),
        }
    }

    /// What the general limits are for this order: the owner's own limit of a security, the hold of its bucket, a small
    /// or unwanted position that may be sold whole, a security that rests after the broker refused it, the first day.
    fn limits_for(&self, request: &OrderRequested, now: Timestamp) -> GateSettings {
        let security = self.world.security(&request.isin);
        let own = security.and_then(|security| security.max_weight_e6);
        let ceiling = Weight::from_e6(300_000).unwrap_or(self.limits.max_position);
        let mut limits = self.limits.clone();
        if let Some(own) = own {
            limits.max_position = own.min(ceiling);
        }
        limits.min_hold_days = self.world.min_hold_days(request, limits.min_hold_days);
        let unwanted = security.is_some_and(|one| !one.allow_buy && one.max_weight_e6 == Some(Weight::ZERO));
        if unwanted || self.is_small(request) {
            limits.max_sell = Weight::ONE;
        }
        if self.refusals.rests(&request.isin, now) {
            limits.duplicate_window_min = limits.duplicate_window_min.max(REST_MIN);
        }
        let traded_before = |one: &Activity| one.mode == Mode::Live && one.sent.day_utc() < now.day_utc();
        if !self.simulated && self.mode == Mode::Live && !self.world.activity.values().any(traded_before) {
            limits.max_per_day = limits.max_per_day.min(FIRST_LIVE_DAY_ORDERS);
        }
        limits
    }

    /// Whether the position is worth less than twice the smallest sensible trade; an unknown worth is not small.
    fn is_small(&self, request: &OrderRequested) -> bool {
        let value =
            self.world.portfolio.as_ref().and_then(|portfolio| portfolio.position(&request.isin)?.value_eur);
        let least = Money::from_units(SMALL_POSITION * MIN_TRADE_EUR, Currency::EUR);
        value.zip(least.ok()).is_some_and(|(value, least)| value.covers(least) == Ok(false))
    }

    fn approve(
        &mut self,
        request: &OrderRequested,
        verdict: Verdict,
        mode: Mode,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        // What must hold whenever money may move, whatever the checks say.
        assert!(
            self.halts.is_empty() || mutants::is("ignore_halt"),
            "nothing is approved while a halt is open"
        );
        assert_eq!(verdict.decision == Decision::Allow, mode == Mode::Live, "the mode is the verdict's");
        let ticker = match contracts::pair_of(&request.isin) {
            Some((base, quote)) => contracts::pair_ticker(base, quote),
            None => self.world.security(&request.isin).map(|one| one.ticker.clone()).unwrap_or_default(),
        };
        let approval = self.key.sign(OrderApproved {
            order_id: request.order_id,
            plan_id: request.plan_id,
            bucket_id: request.bucket_id.clone(),
            mode,
            kind: request.kind,
            isin: request.isin,
            mic: request.mic,
            ticker,
            side: request.side,
            qty_e6: request.qty_e6,
            limit_price_e6: request.limit_price_e6,
            ccy: request.ccy,
            state_id: request.state_id.clone(),
            issued: now,
            expires: now.saturating_plus_ms(APPROVAL_LIFE_MS * if mutants::is("long_life") { 10 } else { 1 }),
            checks: verdict.evidence.clone(),
            mac: String::new(),
        });
        let id = request.order_id.to_string();
        self.out_until.insert(id.clone(), approval.expires);
        self.clear_approved.insert(id, approval.expires.saturating_plus_ms(APPROVED_KEPT_MS));
        out.decided(format!(
            "Approved: {} {} of {}, {} checks passed.",
            spelled(&request.side),
            request.qty_e6,
            request.isin,
            verdict.evidence.len()
        ));
        out.save(Save::Verdict(
            Box::new(row(request, &verdict, None, now)),
            Some(Box::new(approval.clone())),
        ));
        out.say(approval);
        self.say_state(now, out);
    }

    fn refuse(&mut self, request: &OrderRequested, verdict: Verdict, now: Timestamp, out: &mut Out<Self>) {
        let code = verdict.code.map_or("unknown", Code::as_str);
        let earliest = self.earliest(request, &verdict, now);
        let last = verdict.evidence.iter().rev().find(|check| !check.passed);
        let numbers =
            last.map(|check| format!(": found {}, allowed {}", check.found, check.limit)).unwrap_or_default();
        let text = format!(
            "{} {} of {} refused by `{code}`{numbers}.",
            spelled(&request.side),
            request.qty_e6,
            request.isin
        );
        let decision = if verdict.decision == Decision::Defer { Refusal::Defer } else { Refusal::Block };
        self.clear_refused.insert(request.order_id.to_string(), now.saturating_plus_ms(REFUSED_KEPT_MS));
        out.decided(text.clone());
        out.save(Save::Verdict(Box::new(row(request, &verdict, earliest, now)), None));
        out.say(OrderRefused {
            order_id: request.order_id,
            isin: request.isin,
            side: request.side,
            decision,
            code: code.into(),
            text,
            checks: verdict.evidence,
            earliest,
            at: now,
        });
    }

    /// When a deferred order can pass at the earliest, where that is known.
    fn earliest(&self, request: &OrderRequested, verdict: &Verdict, now: Timestamp) -> Option<Timestamp> {
        if verdict.decision != Decision::Defer {
            return None;
        }
        if let Some(wait_s) = verdict.wait_s {
            return Some(now.saturating_plus_ms(i64::try_from(wait_s).ok()?.saturating_mul(1_000)));
        }
        match verdict.code? {
            Code::MarketClosed => self.world.venues.get(&request.mic)?.next_change,
            Code::DailyLimit => Some(Timestamp::from_ms((now.ms() / 86_400_000 + 1) * 86_400_000)),
            Code::WeeklyLimit => self
                .world
                .activity
                .values()
                .map(|one| one.sent.saturating_plus_ms(7 * 86_400_000))
                .filter(|then| *then > now)
                .min(),
            _ => None,
        }
    }

    fn hear_order(&mut self, order: OrderState, now: Timestamp, out: &mut Out<Self>) {
        let id = order.order_id.to_string();
        let taken = self.out_until.remove(&id).is_some();
        if let Some(refusal) = refusals::of(&order) {
            self.hear_refusal(refusal, now, out);
        }
        if let Some(sent) = order.sent {
            let one = Activity {
                order_id: id.clone(),
                isin: order.isin,
                side: order.side,
                mode: order.mode,
                sent,
                filled: order.filled_e6.is_positive(),
            };
            if self.world.activity.get(&id) != Some(&one) && now.since(sent) < ACTIVITY_KEPT_MS {
                self.world.activity.insert(id, one.clone());
                out.save(Save::Activity(one));
            }
        }
        let before = self.world.open.get(&order.order_id).map(|known| known.status);
        let after = (!order.status.is_final()).then_some(order.status);
        match after {
            None => drop(self.world.open.remove(&order.order_id)),
            Some(_) => drop(self.world.open.insert(order.order_id, order)),
        }
        if taken || before != after {
            self.say_state(now, out);
        }
    }

    /// The broker refused an order: its security rests for an hour, and the third of a day halts everything.
    fn hear_refusal(&mut self, refusal: refusals::BrokerRefusal, now: Timestamp, out: &mut Out<Self>) {
        let at = refusal.at;
        if !self.refusals.note(refusal.clone(), now) {
            return;
        }
        out.save(Save::Refusal(refusal.clone()));
        let count = self.refusals.on_the_day(at);
        if count < HALT_AT {
            return;
        }
        let said = shortened(&refusal.text, TEXT_MAX - 120);
        let text = format!("The broker refused {count} orders in one day, the last one with: {said}");
        let id = Id::derive(Timestamp::ZERO, &["repeated_refusals", &at.day_utc().to_string()]);
        let reason = "repeated_refusals".to_string();
        self.open_halt(HaltEntry { id, since: now, actor: "risk-gate".into(), reason, text }, now, out);
    }

    fn hear_incident(&mut self, incident: &OrderIncident, now: Timestamp, out: &mut Out<Self>) {
        let what = shortened(&incident.text, TEXT_MAX - 80);
        let text = format!("{what} Trading stands still until a person has looked and resumes it.");
        self.open_halt(
            HaltEntry {
                id: incident.incident_id,
                since: now,
                actor: "execute".into(),
                reason: spelled(&incident.kind),
                text,
            },
            now,
            out,
        );
    }

    fn hear_reconciliation(&mut self, one: &Reconciliation, now: Timestamp, out: &mut Out<Self>) {
        if one.agrees {
            return;
        }
        let id = Id::derive(one.at, &["reconciliation", one.currency.as_str()]);
        let text = format!("Our books say {}, the broker says {}.", one.books, one.broker);
        self.open_halt(
            HaltEntry { id, since: now, actor: "portfolio".into(), reason: "reconciliation".into(), text },
            now,
            out,
        );
    }

    /// A cause halts once; heard again after it was cleared, it does not.
    fn open_halt(&mut self, halt: HaltEntry, now: Timestamp, out: &mut Out<Self>) {
        if !self.known_halts.insert(halt.id) {
            return;
        }
        out.decided(format!("Halted by {}: {}", halt.actor, halt.text));
        out.save(Save::Halt(halt.clone()));
        self.halts.insert(halt.id, halt);
        self.say_halt(now, out);
    }

    fn halt_by_command(
        &mut self,
        halt: contracts::Halt,
        command: Option<&Meta>,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        let Some(id) = command.map(|meta| meta.id) else { return };
        let entry = HaltEntry {
            id,
            since: now,
            actor: shortened(&halt.actor, WORD_MAX),
            reason: shortened(&halt.reason, WORD_MAX),
            text: shortened(&halt.text, TEXT_MAX),
        };
        // A button that is pressed again halts for the same reason.
        let same = |open: &HaltEntry| (&open.actor, &open.reason) == (&entry.actor, &entry.reason);
        if !self.halts.values().any(same) {
            self.open_halt(entry, now, out);
        }
        out.answer(command, Outcome::Done, None, "Trading is halted.", Value::Null);
    }

    /// Only a person resumes, with a name and a reason; both stand in the history of halts for ever.
    fn resume(
        &mut self,
        actor: &str,
        text: &str,
        command: Option<&Meta>,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        let refuse = |out: &mut Out<Self>, code: &str, text: &str| {
            out.answer(command, Outcome::Refused, Some(code), text, Value::Null);
        };
        let (actor, text) = (shortened(actor.trim(), WORD_MAX), shortened(text.trim(), TEXT_MAX));
        if actor.is_empty() {
            return refuse(out, "no_actor", "Nobody is named who resumes; trading stands still.");
        }
        if text.is_empty() {
            return refuse(
                out,
                "no_reason",
                "Resuming needs a reason: say what was looked at and why it is safe.",
            );
        }
        if self.halts.is_empty() {
            return refuse(out, "not_halted", "Nothing is halted, so there is nothing to resume.");
        }
        let count = self.halts.len();
        let loss = self.halts.values().any(|halt| halt.reason == DAILY_LOSS);
        self.halts.clear();
        out.decided(format!("Resumed by {actor}, {count} halts cleared: {text}"));
        out.save(Save::Resume(now, format!("{actor}: {text}")));
        if let Some(latch) = self.latch.filter(|_| loss) {
            // Looked at by a person: for the rest of the day only sales rest.
            let latch = Latch { state: Breaker::SellsBlocked, acknowledged: true, ..latch };
            self.latch = Some(latch);
            out.save(Save::Breaker(latch, now));
            self.judge_breaker(now, out);
        }
        self.say_halt(now, out);
        self.say_state(now, out);
        out.answer(
            command,
            Outcome::Done,
            None,
            format!("Trading goes on; {count} halts were cleared."),
            Value::Null,
        );
    }

    fn judge_breaker(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let doubt = self.world.doubt(now);
        let state = judged(self.world.nav.as_ref(), doubt.is_some(), self.latch);
        if let (Some(doubt), true) = (&doubt, state != self.breaker) {
            out.decided(format!("The loss of the day cannot be judged: {doubt}."));
        }
        self.breaker = state;
        let Some(nav) = self.world.nav.clone() else { return };
        if let Some((day, index)) = self.peaks.note(&nav) {
            out.save(Save::Peak(day, index));
        }
        self.end_of_loss(nav.day, now, out);
        let Some(latch) = latched(nav.day, state, self.latch) else { return };
        self.latch = Some(latch);
        out.decided(format!("The daily-loss breaker is {} for {}.", spelled(&state), nav.day));
        out.save(Save::Breaker(latch, now));
        if state == Breaker::Halted {
            let id = loss_halt(nav.day);
            let text = format!(
                "The fund lost {:.1} % on {}. Nothing is traded until the next day, or until a person has looked and resumes.",
                day_change(&nav).unwrap_or(0.0) * -100.0,
                nav.day
            );
            let (actor, reason) = ("breaker".to_string(), DAILY_LOSS.to_string());
            self.open_halt(HaltEntry { id, since: now, actor, reason, text }, now, out);
        }
    }

    /// The halt for the loss of a day ends with that day; no other halt ends by itself.
    fn end_of_loss(&mut self, today: Day, now: Timestamp, out: &mut Out<Self>) {
        let over: Vec<HaltEntry> = self
            .halts
            .values()
            .filter(|halt| {
                halt.reason == DAILY_LOSS && halt.actor == "breaker" && halt.id != loss_halt(today)
            })
            .cloned()
            .collect();
        for halt in &over {
            self.halts.remove(&halt.id);
            out.save(Save::Over(halt.clone(), now));
        }
        if !over.is_empty() {
            out.decided("The day of the loss is over.");
            self.say_halt(now, out);
        }
    }

    fn say_halt(&self, now: Timestamp, out: &mut Out<Self>) {
        // All of them halt; so many are named that the statement is never too large to be said.
        let mut halts: Vec<HaltEntry> = self.halts.values().cloned().collect();
        halts.sort_by_key(|halt| (halt.since, halt.id));
        halts.truncate(HALTS_SAID);
        out.say(RiskHalt { halted: !self.halts.is_empty(), halts, at: now });
    }

    fn say_state(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let standing = Standing { mode: self.mode, ..self.standing("", now) };
        let guards = guards::all(&self.world, &self.limits, standing, self.halts.len(), now);
        let cooldowns = guards::cooldowns(&self.world, &self.limits, standing, now);
        let ends = guards.iter().filter_map(|guard| guard.until);
        let rests = cooldowns.iter().flat_map(|one| [one.buy_from, one.sell_from]).flatten();
        self.guards_until = ends.chain(rests).filter(|until| *until > now).min();
        let sent = self.world.trades(self.mode);
        let within = |ms: i64| {
            u32::try_from(sent.iter().filter(|one| now.since(one.sent) < ms).count()).unwrap_or(u32::MAX)
        };
        let today = sent.iter().filter(|one| one.sent.day_utc() == now.day_utc()).count();
        // A tenth of a percent is enough to look at; more digits would be said anew with every quote.
        let rough = |share: f64| Finite::new((share * 1_000.0).round() / 1_000.0);
        let nav = self.world.nav.as_ref();
        out.say(RiskState {
            at: nav.map_or(now, |nav| Timestamp::from_ms(nav.at.ms() / 86_400_000 * 86_400_000)),
            mode: self.mode,
            breaker: self.breaker,
            day_change: nav.and_then(day_change).and_then(rough),
            trades_today: u32::try_from(today).unwrap_or(u32::MAX),
            trades_week: within(7 * 86_400_000),
            last_trade: sent.iter().map(|one| one.sent).max(),
            drawdown: nav.and_then(|nav| self.peaks.fall(nav)).and_then(rough),
            guards,
            cooldowns,
        });
    }
}

/// The mode that holds: live only when `steward.toml` says so, and in the real world only while the owner's setting
/// says so too. Nothing heard is research.
fn in_force(allowed: Mode, simulated: bool, snapshot: Option<&SettingsSnapshot>) -> Mode {
    let asked = snapshot.map_or(Mode::Research, SettingsSnapshot::trading_mode);
    if allowed == Mode::Live && (simulated || asked == Mode::Live) { Mode::Live } else { Mode::Research }
}

fn loss_halt(day: Day) -> Id {
    Id::derive(Timestamp::ZERO, &[DAILY_LOSS, &day.to_string()])
}

fn row(
    request: &OrderRequested,
    verdict: &Verdict,
    earliest: Option<Timestamp>,
    now: Timestamp,
) -> VerdictRow {
    VerdictRow {
        order_id: request.order_id.to_string(),
        ts: now,
        kind: spelled(&request.kind),
        decision: spelled(&verdict.decision),
        code: verdict.code.map(|code| code.as_str().to_string()),
        checks: serde_json::to_string(&verdict.evidence).unwrap_or_default(),
        state_id: request.state_id.clone(),
        earliest,
    }
}

/// Cuts a text at a whole character.
fn shortened(text: &str, bytes_max: usize) -> String {
    let end = (0..=bytes_max.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or_default().to_string()
}

/// Takes out what has ended.
fn due(ends: &mut BTreeMap<String, Timestamp>, now: Timestamp) -> Vec<String> {
    let over: Vec<String> = ends.iter().filter(|(_, end)| **end <= now).map(|(id, _)| id.clone()).collect();
    ends.retain(|_, end| *end > now);
    over
}
