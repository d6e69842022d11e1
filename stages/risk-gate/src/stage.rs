//! The gate's state machine: what it hears and remembers, and what it says of itself. What becomes of a request is decided
//! in `verdicts`, halts in `halts`, the loss of the day in `day_loss`.

use std::collections::{BTreeMap, BTreeSet};

use bus_client::{Input, NoCall, Out, Stage, Start, approval_key};
use contracts::{
    ApprovalKey, Breaker, Finite, HaltEntry, Id, Meta, Mode, OrderApproved, OrderRefused, OrderRequested,
    OrderState, RiskState, SettingsSnapshot, mutants, stage::risk_gate as contract,
};
use market::Timestamp;
use rusqlite::{Connection, Transaction};

use crate::{
    Settings,
    breaker::{Latch, LossSteps, day_change, judged},
    checks::GateSettings,
    drawdown::Peaks,
    guards,
    refusals::{self, Refusals},
    store::{self, Activity, Save, spelled},
    tighter::{Tightened, tightened},
    verdicts::{APPROVED_KEPT_MS, REFUSED_KEPT_MS},
    world::{EDGE_MIN, Standing, World},
};

/// Verdicts and activity that statements are still compared with.
const ACTIVITY_KEPT_MS: i64 = 8 * 86_400_000;

/// Requests that wait for the universe; a planner asks for one at a time.
const EARLY_MAX: usize = 64;
/// A clock that goes back by more was set …
const CLOCK_BACK_MS: i64 = 1_000;
/// … and is not trusted for so long.
const CLOCK_RESTS_MS: i64 = 10 * 60_000;

/// The gate.
pub struct RiskGate {
    pub(crate) settings: Settings,
    /// What `steward.toml` allows, and what the owner's settings leave of it.
    pub(crate) base: GateSettings,
    pub(crate) limits: GateSettings,
    pub(crate) loss: LossSteps,
    /// Settings that would loosen a limit, as they were reported last.
    pub(crate) loose: Vec<&'static str>,
    pub(crate) mode: Mode,
    pub(crate) simulated: bool,
    pub(crate) key: ApprovalKey,
    pub(crate) world: World,
    pub(crate) decided: BTreeSet<String>,
    /// Approvals out, with their end, until the order is known to be taken up.
    pub(crate) out_until: BTreeMap<String, Timestamp>,
    pub(crate) clear_approved: BTreeMap<String, Timestamp>,
    pub(crate) clear_refused: BTreeMap<String, Timestamp>,
    pub(crate) halts: BTreeMap<Id, HaltEntry>,
    pub(crate) known_halts: BTreeSet<Id>,
    pub(crate) breaker: Breaker,
    pub(crate) latch: Option<Latch>,
    pub(crate) peaks: Peaks,
    pub(crate) refusals: Refusals,
    /// Requests that came before any security was known, by order id, with the message that brought them.
    pub(crate) early: BTreeMap<String, (OrderRequested, Option<Meta>)>,
    /// When a guard opens by itself and what is said of it changes.
    pub(crate) guards_until: Option<Timestamp>,
    pub(crate) said_first: bool,
    /// The latest instant heard of, and when the clock was last seen to go back from it.
    pub(crate) latest: Timestamp,
    pub(crate) stepped_back: Option<Timestamp>,
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
            mode: SettingsSnapshot::mode_in_force(start.settings.mode, simulated, None),
            settings: start.settings.clone(),
            base: limits.clone(),
            limits,
            loss: LossSteps::default(),
            loose: Vec::new(),
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
            breaker: judged(None, false, rows.breaker, LossSteps::default()),
            latch: rows.breaker,
            peaks: Peaks::new(rows.peaks),
            refusals: Refusals::new(rows.refusals_by_broker),
            guards_until: None,
            early: BTreeMap::new(),
            said_first: false,
            latest: Timestamp::ZERO,
            stepped_back: None,
        })
    }

    fn handle(&mut self, input: Input<Self>, now: Timestamp, out: &mut Out<Self>) {
        self.note_clock(now);
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
            I::OrderRequested(request) => match request.body {
                // Right after a start no security is known, and a verdict is for ever: it waits for the universe.
                Some(body) if self.world.universe.is_none() && self.early.len() < EARLY_MAX => {
                    drop(self.early.insert(request.key, (body, request.meta)));
                }
                Some(body) => self.judge(&body, now, out),
                None => drop(self.early.remove(&request.key)),
            },
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
                if self.world.universe.is_some() {
                    for (request, meta) in std::mem::take(&mut self.early).into_values() {
                        out.because(meta.as_ref());
                        self.judge(&request, now, out);
                    }
                }
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

    /// A clock that goes back was set; what was measured by it is not trusted. Simulated time may begin anew.
    fn note_clock(&mut self, now: Timestamp) {
        if self.latest.since(now) > CLOCK_BACK_MS && !self.simulated {
            self.stepped_back = Some(now);
            self.latest = now;
        }
        self.latest = self.latest.max(now);
    }

    pub(crate) fn standing(&self, bucket_id: &str, now: Timestamp) -> Standing {
        let halted = !self.halts.is_empty() && !mutants::is("ignore_halt");
        Standing {
            mode: if self.world.is_on_paper(bucket_id) { Mode::Research } else { self.mode },
            breaker: if halted { Breaker::Halted } else { self.breaker_now(now) },
            approval_out: self.out_until.values().any(|until| *until > now) && !mutants::is("two_at_once"),
            simulated: self.simulated,
            clock_trusted: self.is_clock_trusted(now),
        }
    }

    pub(crate) fn is_clock_trusted(&self, now: Timestamp) -> bool {
        self.stepped_back.is_none_or(|then| now.since(then) >= CLOCK_RESTS_MS)
    }

    /// The owner's settings: the mode, and whatever tightens a limit.
    fn follow(&mut self, snapshot: &SettingsSnapshot, now: Timestamp, out: &mut Out<Self>) {
        let Tightened { limits, loss, loose } = tightened(&self.base, &snapshot.values);
        let mode = SettingsSnapshot::mode_in_force(self.settings.mode, self.simulated, Some(snapshot));
        // One decision: of two, only the last would be told.
        let mut news = Vec::new();
        if mode != self.mode {
            news.push(format!("Orders are {} from now on.", spelled(&mode)));
        }
        if loose != self.loose {
            news.push(match loose.as_slice() {
                [] => "Every limit that is set is as tight as documented, or tighter.".to_string(),
                names => format!("Looser than documented, and without effect: {}.", names.join(", ")),
            });
        }
        if !news.is_empty() {
            out.decided(news.join(" "));
        }
        (self.limits, self.loss, self.loose, self.mode) = (limits, loss, loose, mode);
        self.review(now, out);
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

    pub(crate) fn say_state(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let standing = Standing { mode: self.mode, ..self.standing("", now) };
        let guards = guards::all(
            &self.world,
            &self.general_limits(now),
            standing,
            self.halts.len(),
            self.loss_over(now),
            now,
        );
        let cooldowns = guards::cooldowns(&self.world, &self.limits, standing, now);
        let ends = guards.iter().filter_map(|guard| guard.until);
        let rests = cooldowns.iter().flat_map(|one| [one.buy_from, one.sell_from]).flatten();
        let read = self.world.portfolio.as_ref().map(|account| account.at);
        let old = read.map(|read| read.saturating_plus_ms(guards::age_ms(&self.limits) + 1_000));
        let closing =
            self.world.venues.values().filter(|venue| venue.open).filter_map(|venue| venue.next_change);
        let shut = closing.map(|close| close.saturating_minus_ms(EDGE_MIN * 60_000 - 1));
        self.guards_until = ends.chain(rests).chain(old).chain(shut).filter(|until| *until > now).min();
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
            breaker: self.breaker_now(now),
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

/// Takes out what has ended.
fn due(ends: &mut BTreeMap<String, Timestamp>, now: Timestamp) -> Vec<String> {
    let over: Vec<String> = ends.iter().filter(|(_, end)| **end <= now).map(|(id, _)| id.clone()).collect();
    ends.retain(|_, end| *end > now);
    over
}
