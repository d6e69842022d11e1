//! The gate's state machine: one verdict per order, for ever; halts that anyone may open and only a person clears.

use std::collections::{BTreeMap, BTreeSet};

use bus_client::{Input, NoCall, Out, Stage, Start, approval_key};
use contracts::{
    APPROVAL_LIFE_MS, ApprovalKey, Breaker, Finite, HaltEntry, Id, Meta, Mode, OrderApproved, OrderIncident,
    OrderRefused, OrderRequested, OrderState, Outcome, Reconciliation, Refusal, RiskHalt, RiskState,
    stage::risk_gate as contract,
};
use market::{Day, Timestamp};
use rusqlite::{Connection, Transaction};
use serde_json::Value;

use crate::{
    Settings,
    breaker::{day_change, judged},
    checks::{Code, Decision, GateSettings, Verdict, gate},
    store::{self, Activity, Save, VerdictRow, spelled},
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

/// The gate.
pub struct RiskGate {
    settings: Settings,
    limits: GateSettings,
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
    latch: Option<(Day, Breaker)>,
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
            settings: start.settings.clone(),
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
            breaker: judged(None, rows.breaker),
            latch: rows.breaker,
            said_first: false,
        })
    }

    fn handle(&mut self, input: Input<Self>, now: Timestamp, out: &mut Out<Self>) {
        match input {
            Input::Heard(heard) => self.hear(heard, now, out),
            Input::Tick => self.tick(now, out),
            Input::Replied(()) | Input::Answered(_) | Input::Settings(_) | Input::Refused(_) => {}
        }
    }

    fn wake_at(&self) -> Option<Timestamp> {
        if !self.said_first {
            return Some(Timestamp::ZERO);
        }
        let ends = self.clear_approved.values().chain(self.clear_refused.values());
        ends.chain(self.out_until.values()).min().copied()
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
            I::MarketQuote(quote) => match (quote.body, quote.key.parse()) {
                (Some(body), _) => drop(self.world.quotes.insert(body.isin, body)),
                (None, Ok(isin)) => drop(self.world.quotes.remove(&isin)),
                (None, Err(_)) => {}
            },
            I::MarketVenue(venue) => match (venue.body, venue.key.parse()) {
                (Some(body), _) => drop(self.world.venues.insert(body.mic, body)),
                (None, Ok(mic)) => drop(self.world.venues.remove(&mic)),
                (None, Err(_)) => {}
            },
            I::MarketFx(fx) => self.world.fx = fx.body,
            I::MarketUniverse(universe) => self.world.universe = universe.body,
            I::PortfolioState(portfolio) => self.world.portfolio = portfolio.body,
            I::PortfolioNav(nav) => {
                self.world.nav = nav.body;
                self.judge_breaker(now, out);
                self.say_state(now, out);
            }
            I::PortfolioBucket(_) => {}
        }
    }

    fn tick(&mut self, now: Timestamp, out: &mut Out<Self>) {
        if !self.said_first {
            self.said_first = true;
            self.say_halt(now, out);
            self.say_state(now, out);
        }
        self.out_until.retain(|_, until| *until > now);
        for id in due(&mut self.clear_approved, now) {
            out.clear::<OrderApproved>(id);
        }
        for id in due(&mut self.clear_refused, now) {
            out.clear::<OrderRefused>(id);
        }
    }

    fn standing(&self, now: Timestamp) -> Standing {
        let halted = !self.halts.is_empty();
        Standing {
            mode: self.settings.mode,
            breaker: if halted { Breaker::Halted } else { self.breaker },
            approval_out: self.out_until.values().any(|until| *until > now),
            simulated: self.simulated,
        }
    }

    /// One verdict per order id, for ever: a request heard again has been judged.
    fn judge(&mut self, request: &OrderRequested, now: Timestamp, out: &mut Out<Self>) {
        let id = request.order_id.to_string();
        if self.decided.contains(&id) {
            return;
        }
        let standing = self.standing(now);
        let limits = self.limits_for(request);
        let verdict = gate(
            &World::order(request),
            &self.world.gate_security(request, now),
            &self.world.state(request, standing, now),
            &limits,
        );
        self.decided.insert(id);
        match verdict.decision {
            Decision::Allow | Decision::Simulate => self.approve(request, verdict, now, out),
            Decision::Defer | Decision::Block => self.refuse(request, verdict, now, out),
        }
    }

    /// The owner's own limit of a security replaces the general one; a small position may be sold whole.
    fn limits_for(&self, request: &OrderRequested) -> GateSettings {
        let own = self.world.security(&request.isin).and_then(|security| security.max_weight_e6);
        let ceiling = money::Weight::from_e6(300_000).unwrap_or(self.limits.max_position);
        let mut limits = self.limits.clone();
        if let Some(own) = own {
            limits.max_position = own.min(ceiling);
        }
        limits
    }

    fn approve(&mut self, request: &OrderRequested, verdict: Verdict, now: Timestamp, out: &mut Out<Self>) {
        // What must hold whenever money may move, whatever the checks say.
        assert!(self.halts.is_empty(), "nothing is approved while a halt is open");
        assert_eq!(
            verdict.decision == Decision::Allow,
            self.settings.mode == Mode::Live,
            "the mode is the verdict's"
        );
        let ticker =
            self.world.security(&request.isin).map(|security| security.ticker.clone()).unwrap_or_default();
        let approval = self.key.sign(OrderApproved {
            order_id: request.order_id,
            plan_id: request.plan_id,
            bucket_id: request.bucket_id.clone(),
            mode: self.settings.mode,
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
            expires: now.saturating_plus_ms(APPROVAL_LIFE_MS),
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
        self.out_until.remove(&id);
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
                self.say_state(now, out);
            }
        }
        if order.status.is_final() {
            self.world.open.remove(&order.order_id);
        } else {
            self.world.open.insert(order.order_id, order);
        }
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

    fn resume(
        &mut self,
        actor: &str,
        text: &str,
        command: Option<&Meta>,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        if self.halts.is_empty() {
            return out.answer(
                command,
                Outcome::Refused,
                Some("not_halted"),
                "Nothing is halted, so there is nothing to resume.",
                Value::Null,
            );
        }
        let count = self.halts.len();
        self.halts.clear();
        out.decided(format!("Resumed by {actor}, {count} halts cleared: {text}"));
        out.save(Save::Resume(now, actor.to_string()));
        self.say_halt(now, out);
        out.answer(
            command,
            Outcome::Done,
            None,
            format!("Trading goes on; {count} halts were cleared."),
            Value::Null,
        );
    }

    fn judge_breaker(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let state = judged(self.world.nav.as_ref(), self.latch);
        let day = self.world.nav.as_ref().map(|nav| nav.day);
        if matches!(state, Breaker::SellsBlocked | Breaker::Halted)
            && let Some(day) = day
            && self.latch != Some((day, state))
        {
            self.latch = Some((day, state));
            out.decided(format!("The daily-loss breaker is {} for {day}.", spelled(&state)));
            out.save(Save::Breaker(day, state, now));
        }
        self.breaker = state;
    }

    fn say_halt(&self, now: Timestamp, out: &mut Out<Self>) {
        // All of them halt; so many are named that the statement is never too large to be said.
        let mut halts: Vec<HaltEntry> = self.halts.values().cloned().collect();
        halts.sort_by_key(|halt| (halt.since, halt.id));
        halts.truncate(HALTS_SAID);
        out.say(RiskHalt { halted: !self.halts.is_empty(), halts, at: now });
    }

    fn say_state(&self, now: Timestamp, out: &mut Out<Self>) {
        let sent: Vec<&Activity> =
            self.world.activity.values().filter(|one| one.mode == self.settings.mode).collect();
        let within = |ms: i64| {
            u32::try_from(sent.iter().filter(|one| now.since(one.sent) < ms).count()).unwrap_or(u32::MAX)
        };
        let today = sent.iter().filter(|one| one.sent.day_utc() == now.day_utc()).count();
        // A tenth of a percent is enough to look at; more digits would be said anew with every quote.
        let change =
            self.world.nav.as_ref().and_then(day_change).map(|change| (change * 1_000.0).round() / 1_000.0);
        out.say(RiskState {
            at: self
                .world
                .nav
                .as_ref()
                .map_or(now, |nav| Timestamp::from_ms(nav.at.ms() / 86_400_000 * 86_400_000)),
            mode: self.settings.mode,
            breaker: self.breaker,
            day_change: change.and_then(Finite::new),
            trades_today: u32::try_from(today).unwrap_or(u32::MAX),
            trades_week: within(7 * 86_400_000),
            last_trade: sent.iter().map(|one| one.sent).max(),
        });
    }
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
