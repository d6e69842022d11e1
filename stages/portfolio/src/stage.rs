//! The account as a state machine: what is heard is collected, the account is read at its times, and what
//! follows is said once everything has settled.

use std::collections::{BTreeMap, BTreeSet};

use bus_client::{Input, Out, Stage, Start};
use contracts::stage::portfolio as topics;
use contracts::{
    Bucket, Finite, Flow, FxRates, Id, JobRun, Meta, Mode, Nav, OrderState, Outcome, PlanProposed,
    PortfolioState, Quote, Received, SettingsSnapshot, SyncNow, Universe,
};
use market::{Calendars, Day, Isin, Mic, Timestamp};
use money::{Currency, Money};

use crate::account::Accounts;
use crate::composition::{Classes, concentration};
use crate::flows::{in_eur, is_said};
use crate::job_runs::{self, SYNC};
use crate::limits::{
    AFTER_GRID_MS, CORE, DOUBT_MS, FLOW_OVERLAP_DAYS, IMPORT_DAYS, ORDER_READING_S, ORDERS_MAX,
    PLAN_READING_MS, RETRY_MS, START_WAIT_MS, TRADE_OVERLAP_DAYS, WAITING_MAX,
};
use crate::nav::{DayEnd, FundDay, fund_day, statement};
use crate::paper::Paper;
use crate::prices::Prices;
use crate::take_over::Parts;
use crate::value::{Inputs, Valuation, rate_of, valuation};
use crate::{Call, Reply, Save, Settings, state_id::state_id, store};

/// Shortest time a holding of the core is kept.
const MIN_HOLD_DAYS: u16 = 90;

/// The stage.
pub struct Portfolio {
    environment: String,
    pub(crate) settings: Settings,
    pub(crate) accounts: Accounts,
    pub(crate) orders: BTreeMap<Id, OrderState>,
    /// What research mode holds.
    pub(crate) paper: Paper,
    /// Whether the account or the paper ledger is the fund.
    pub(crate) mode: Mode,
    /// False until the owner's settings were heard, where they decide the mode.
    pub(crate) mode_known: bool,
    pub(crate) simulated: bool,
    pub(crate) prices: Prices,
    pub(crate) rates: Option<FxRates>,
    /// What securities are, by the universe.
    pub(crate) classes: Classes,
    /// The ends of the account's days, oldest first.
    pub(crate) days: Vec<DayEnd>,
    started: bool,
    sync_at: Timestamp,
    asked: bool,
    /// The reading that is under way.
    run: Option<JobRun>,
    again: bool,
    /// Venue of a plan's next step, and when the plan ends.
    next_step: Option<(Mic, Timestamp)>,
    failures: usize,
    /// Commands that wait for the next reading of the account.
    waiting: Vec<Meta>,
    pub(crate) imports: Parts,
    settle_at: Option<Timestamp>,
    pub(crate) today: Option<FundDay>,
    pub(crate) last_day: Option<Day>,
    /// How often the day that is over could not be valued.
    pub(crate) day_tries: u8,
    cause: Option<Meta>,
    pub(crate) state: Option<PortfolioState>,
    nav: Option<Nav>,
    pub(crate) troubles: BTreeMap<&'static str, String>,
    reported: String,
}

impl Stage for Portfolio {
    type Contract = topics::Portfolio;
    type Settings = Settings;
    type Save = Save;
    type Call = Call;
    type Reply = Reply;

    fn load(start: &Start<Settings>, rows: Option<&rusqlite::Connection>) -> Result<Self, String> {
        let settings = start.settings.clone();
        settings.check()?;
        let live = !start.environment.is_simulated();
        if !settings.broker_url.is_empty() {
            tradernet::Place::parse(&settings.broker_url, start.environment.is_simulated())
                .map_err(|error| format!("[stage.portfolio] {}", error.sentence()))?;
        }
        let mut loaded = store::load(rows.ok_or("the stage `portfolio` needs its store")?)?;
        let mut prices = Prices::default();
        loaded.splits.iter().for_each(|(isin, split)| prices.remember(*isin, *split));
        let paper = std::mem::take(&mut loaded.paper);
        let last_day = loaded.days.last().into_iter().chain(paper.days.last()).map(|end| end.day).max();
        let calendars = Calendars::embedded();
        let calendars = if live { calendars } else { calendars.with_rules() };
        Ok(Portfolio {
            environment: start.environment.to_string(),
            mode: SettingsSnapshot::mode_in_force(settings.mode, !live, None),
            mode_known: !live || settings.mode == Mode::Research,
            simulated: !live,
            paper,
            settings,
            classes: Classes::new(),
            days: std::mem::take(&mut loaded.days),
            accounts: Accounts::from_rows(loaded, calendars),
            orders: BTreeMap::new(),
            prices,
            rates: None,
            started: false,
            sync_at: Timestamp::ZERO,
            asked: false,
            run: None,
            again: false,
            next_step: None,
            failures: 0,
            waiting: Vec::new(),
            imports: Parts::default(),
            settle_at: None,
            today: None,
            last_day,
            day_tries: 0,
            cause: None,
            state: None,
            nav: None,
            troubles: BTreeMap::new(),
            reported: String::new(),
        })
    }

    fn handle(&mut self, input: Input<Self>, now: Timestamp, out: &mut Out<Self>) {
        self.start(now);
        // A day ends before anything of the next one is counted.
        if self.today.is_some_and(|(_, end)| end <= now) {
            self.end_day(now, out);
        }
        match input {
            Input::Heard(topics::Input::MarketUniverse(heard)) => self.universe(heard, now),
            Input::Heard(topics::Input::MarketQuote(heard)) => self.quote(heard, now),
            Input::Heard(topics::Input::MarketFx(heard)) => self.rates(heard, now),
            Input::Heard(topics::Input::OrderState(heard)) => self.order(heard, now),
            Input::Heard(topics::Input::PlanProposed(heard)) => self.planned(heard, now),
            Input::Heard(topics::Input::CommandPortfolioSync(heard)) => self.read_now(heard, now, out),
            Input::Heard(topics::Input::CommandPortfolioImport(heard)) => self.import_ledger(heard, now, out),
            Input::Heard(topics::Input::CommandPortfolioHeldSince(heard)) => self.held_since(heard, now, out),
            Input::Tick => self.tick(now, out),
            Input::Replied(reply) => self.answered(reply, now, out),
            Input::Settings(snapshot) => self.follow(&snapshot, now, out),
            Input::Answered(_) | Input::Refused(_) => {}
        }
        self.report(out);
    }

    fn wake_at(&self) -> Option<Timestamp> {
        let start = (!self.started).then_some(Timestamp::ZERO);
        let sync = (self.started && !self.asked).then_some(self.sync_at);
        let day_end = self.today.map(|(_, end)| end);
        [start, sync, self.settle_at, day_end, self.stale_at()].into_iter().flatten().min()
    }

    fn apply(rows: &rusqlite::Transaction<'_>, save: Save) -> rusqlite::Result<()> {
        store::apply(rows, save)
    }
}

impl Portfolio {
    /// Begins with the first input: the retained statements are waited for, then the account is read.
    fn start(&mut self, now: Timestamp) {
        if self.started {
            return;
        }
        self.started = true;
        self.sync_at = now.saturating_plus_ms(START_WAIT_MS);
        self.plan_day(now);
        self.settle(now);
    }

    /// Asks to be woken once what is under way has settled.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        let then = now.saturating_plus_ms(i64::from(self.settings.settle_ms));
        self.settle_at = Some(self.settle_at.map_or(then, |earlier| earlier.min(then)));
    }

    fn universe(&mut self, heard: Received<Universe>, now: Timestamp) {
        if let Some(universe) = heard.body {
            self.accounts.names.learn_all(&universe.securities);
            self.classes.extend(universe.securities.into_iter().map(|one| (one.isin, one)));
            self.cause = heard.meta.or(self.cause.take());
            self.settle(now);
        }
    }

    fn quote(&mut self, heard: Received<Quote>, now: Timestamp) {
        if heard.key.parse().is_ok_and(|isin| contracts::pair_of(&isin).is_some()) {
            return; // Cash is worth its reference rate; what a pair trades at values nothing.
        }
        match heard.body {
            // Nobody is richer for a price that nobody believes.
            Some(quote) if quote.suspect => return,
            Some(quote) => {
                let is_held = self.accounts.is_held(&quote.isin);
                if self.prices.hear(&quote, is_held) {
                    self.read_soon(now);
                }
            }
            None => {
                let Ok(isin) = heard.key.parse::<Isin>() else { return };
                self.prices.remove(&isin);
            }
        }
        self.cause = heard.meta.or(self.cause.take());
        self.settle(now);
    }

    /// Which day of the fund goes on, and when it ends; what is held decides.
    pub(crate) fn plan_day(&mut self, now: Timestamp) {
        let accounts = &self.accounts;
        let books = self.fund_books();
        self.today = Some(fund_day(|day| accounts.end_of(day, books), now, self.last_day, self.today));
    }

    fn rates(&mut self, heard: Received<FxRates>, now: Timestamp) {
        self.rates = heard.body;
        self.cause = heard.meta.or(self.cause.take());
        self.settle(now);
    }

    fn order(&mut self, heard: Received<OrderState>, now: Timestamp) {
        let Ok(id) = heard.key.parse::<Id>() else { return };
        let Some(order) = heard.body else {
            if self.orders.remove(&id).or(self.paper.orders.remove(&id)).is_some() {
                self.settle(now);
            }
            return;
        };
        if self.orders.len().max(self.paper.orders.len()) >= ORDERS_MAX
            && !self.orders.contains_key(&id)
            && !self.paper.orders.contains_key(&id)
        {
            self.troubles.insert("orders", format!("more than {ORDERS_MAX} orders; {id} is not followed"));
            return;
        }
        if order.mode == Mode::Research {
            self.paper.orders.insert(id, order);
            self.cause = heard.meta.or(self.cause.take());
            return self.settle(now);
        }
        let known = self.orders.get(&id);
        let before = known.map(|known| (known.filled_e6, known.fills.len(), known.status.is_final()));
        let after = (order.filled_e6, order.fills.len(), order.status.is_final());
        let moved = before.map_or(!order.fills.is_empty() || after.2, |before| before != after);
        self.orders.insert(id, order);
        self.cause = heard.meta.or(self.cause.take());
        self.settle(now);
        if moved {
            self.read_soon(now);
        } else {
            self.read_sooner(now);
        }
    }

    /// Something happened at the broker: the account is read once that has settled.
    pub(crate) fn read_soon(&mut self, now: Timestamp) {
        let soon = now.saturating_plus_ms(i64::from(self.settings.settle_ms).min(AFTER_GRID_MS));
        self.again = self.asked;
        // A pause after a failure is kept; the statements at the start come before the first reading.
        if self.failures == 0 && self.accounts.at().is_some() {
            self.sync_at = self.sync_at.min(soon);
        }
    }

    /// A person asks: the account is read at once, whatever pause was meant.
    fn read_now(&mut self, heard: Received<SyncNow>, now: Timestamp, out: &mut Out<Self>) {
        let Some(command) = heard.meta else { return };
        if self.waiting.len() >= WAITING_MAX {
            let text = "Too many wait for the same reading; the next one answers them.";
            out.answer(Some(&command), Outcome::Refused, Some("busy"), text, serde_json::Value::Null);
            return;
        }
        self.waiting.push(command);
        self.sync_at = self.sync_at.min(now);
        if !self.asked {
            self.read(now, out);
        }
    }

    /// Tells those who asked what the reading brought.
    fn answer_waiting(&mut self, outcome: Outcome, text: &str, now: Timestamp, out: &mut Out<Self>) {
        if self.waiting.is_empty() {
            return;
        }
        let accounts = &self.accounts;
        let data = serde_json::json!({
            "read": accounts.at().map(|at| at.to_string()),
            "answered": now.to_string(),
            "holdings": accounts.books.values().filter(|held| !held.qty.is_zero()).count(),
            "currencies": accounts.cash().len(),
            "fills": accounts.fills.len(),
            "flows": accounts.flows.len(),
            "frozen": accounts.frozen.keys().map(ToString::to_string).collect::<Vec<_>>(),
            "troubles": self.troubles.values().collect::<Vec<_>>(),
        });
        for command in std::mem::take(&mut self.waiting) {
            out.answer(Some(&command), outcome, None, text, data.clone());
        }
    }

    fn tick(&mut self, now: Timestamp, out: &mut Out<Self>) {
        if !self.asked && self.sync_at <= now {
            self.read(now, out);
        }
        let stale = self.stale_at().is_some_and(|then| then <= now);
        if stale || self.settle_at.is_some_and(|then| then <= now) {
            self.say(now, out);
        }
    }

    fn read(&mut self, now: Timestamp, out: &mut Out<Self>) {
        self.asked = true;
        self.again = false;
        out.because(self.cause.as_ref());
        let trades_from = self.accounts.trades_seen().map(|day| day.plus_days(-TRADE_OVERLAP_DAYS));
        let trades_from = trades_from.unwrap_or_else(|| now.day_utc().plus_days(-IMPORT_DAYS));
        let trigger = match (self.waiting.is_empty(), self.failures, self.accounts.at()) {
            (false, ..) => "command",
            (_, 1.., _) => "retry",
            (_, _, None) => "start",
            _ => "schedule",
        };
        let run = job_runs::begun(SYNC, trigger, 1, now);
        out.say(run.clone());
        self.run = Some(run);
        let flows_since = self.accounts.at().map(|at| at.day_utc().plus_days(-FLOW_OVERLAP_DAYS));
        // The server's day may be ahead of ours.
        out.call(Call { trades_from, trades_till: now.day_utc().next(), flows_since });
    }

    fn answered(&mut self, reply: Reply, now: Timestamp, out: &mut Out<Self>) {
        self.asked = false;
        let snapshot = match reply {
            Ok(snapshot) => snapshot,
            Err(failure) => {
                self.failures += 1;
                let step = self.failures.saturating_sub(1).min(RETRY_MS.len() - 1);
                let pause = RETRY_MS.get(step).copied().unwrap_or(DOUBT_MS).max(failure.pause_ms);
                self.sync_at = now.saturating_plus_ms(pause);
                let text = format!("The account could not be read: {}", failure.text);
                self.end_run(false, &text, now, out);
                self.answer_waiting(Outcome::Failed, &text, now, out);
                self.troubles.insert("broker", failure.text);
                return;
            }
        };
        self.failures = 0;
        self.troubles.remove("broker");
        let believed = self.take(&snapshot, now, out);
        self.sync_at = if believed { self.next_reading(now) } else { now.saturating_plus_ms(DOUBT_MS) };
        let (outcome, text) = match (believed, self.accounts.frozen.is_empty()) {
            (true, true) => (Outcome::Done, "The account was read; books and broker agree."),
            (true, false) => (Outcome::Done, "The account was read; what differs is frozen."),
            (false, _) => {
                (Outcome::Failed, "The answer is doubtful and was not believed; it is asked again.")
            }
        };
        self.end_run(believed, text, now, out);
        self.answer_waiting(outcome, text, now, out);
        if self.again {
            self.again = false;
            self.sync_at =
                self.sync_at.min(now.saturating_plus_ms(i64::from(self.settings.settle_ms).max(1)));
        }
        self.settle(now);
    }

    fn end_run(&mut self, is_done: bool, text: &str, now: Timestamp, out: &mut Out<Self>) {
        if let Some(run) = self.run.take() {
            out.say(job_runs::ended(run, is_done, text, now));
        }
    }

    /// A second after the next whole interval, or earlier: while an order works, to look at a difference again, or for
    /// the next step of a plan.
    fn next_reading(&self, now: Timestamp) -> Timestamp {
        let usual = i64::from(self.settings.sync_interval_s);
        let works = self.orders.values().any(|order| !order.status.is_final());
        let interval = if works { usual.min(ORDER_READING_S) } else { usual } * 1_000;
        let since = now.saturating_minus_ms(AFTER_GRID_MS).ms().rem_euclid(interval);
        let regular = now.saturating_plus_ms(interval - since);
        [self.accounts.again_at(now), self.plan_wants(now)]
            .into_iter()
            .flatten()
            .fold(regular, Timestamp::min)
    }

    /// When the next step of a plan wants to know the account again; nothing while its venue is closed.
    fn plan_wants(&self, now: Timestamp) -> Option<Timestamp> {
        let (mic, until) = self.next_step?;
        let old = self.accounts.at()?.saturating_plus_ms(PLAN_READING_MS).max(now);
        (old < until && self.accounts.is_open(mic, old)).then_some(old)
    }

    /// Something wants to know the account sooner than was meant; a pause after a failure is kept.
    fn read_sooner(&mut self, now: Timestamp) {
        if self.failures == 0 && self.accounts.at().is_some() {
            self.sync_at = self.sync_at.min(self.next_reading(now));
        }
    }

    fn planned(&mut self, heard: Received<PlanProposed>, now: Timestamp) {
        let next = heard.body.and_then(|plan| {
            let step = plan.steps.into_iter().next()?;
            let is_next = step.order_id.is_none() && step.waits_for.is_none();
            is_next.then_some((step.candidate.mic, plan.expires))
        });
        self.next_step = next;
        self.read_sooner(now);
    }

    fn stale_at(&self) -> Option<Timestamp> {
        let said = self.state.as_ref().filter(|state| !state.stale)?;
        Some(said.at.saturating_plus_ms(i64::from(self.settings.stale_after_s) * 1_000))
    }

    fn say(&mut self, now: Timestamp, out: &mut Out<Self>) {
        self.settle_at = None;
        let cause = self.cause.take();
        out.because(cause.as_ref());
        self.plan_day(now);
        self.link_orders(out);
        self.value_flows(out);
        let Some(at) = self.accounts.at() else { return };
        if !self.mode_known {
            // The account may be the fund, or the paper ledger; saying the wrong one could halt trading on its losses.
            self.troubles.insert(
                "mode",
                "the owner's settings have not been heard, so nobody knows what the fund is".into(),
            );
            return;
        }
        self.troubles.remove("mode");
        let account = self.valuation(now);
        let paper = self.keep_paper(now, out);
        if self.days.is_empty()
            && let Some(first) = self.begun(&account, now)
        {
            out.save(Save::DayEnd(first.clone()));
            out.decided(format!("The books begin at {}.", first.nav));
            self.days.push(first);
        }
        let at = paper.as_ref().and(self.paper.booked).map_or(at, |booked| booked.max(at));
        let all = paper.unwrap_or(account);
        self.say_state(at, &all, now, out);
        self.say_flows(now, out);
        self.say_bucket(out);
        self.say_nav(&all, now, out);
        if all.unvalued.is_empty() {
            self.troubles.remove("value");
        } else {
            let text = format!(
                "no price or rate for {}; the whole has no value until then",
                all.unvalued.join(", ")
            );
            self.troubles.insert("value", text);
        }
    }

    /// The account as it is, whatever the mode.
    pub(crate) fn valuation(&self, now: Timestamp) -> Valuation {
        let frozen: BTreeSet<Isin> = self.accounts.frozen.keys().copied().collect();
        valuation(&Inputs {
            books: &self.accounts.books,
            cash: self.accounts.cash(),
            spendable: self.accounts.spendable(),
            orders: &self.orders,
            prices: &self.prices,
            fills: &self.accounts.fills,
            today: now.day_utc(),
            rates: self.rates.as_ref(),
            frozen: &frozen,
            nameless: self.accounts.nameless(),
        })
    }

    fn say_state(&mut self, at: Timestamp, all: &Valuation, now: Timestamp, out: &mut Out<Self>) {
        let bucket = [(CORE, "active", 0)];
        let state = PortfolioState {
            state_id: state_id(&self.environment, &all.positions, &all.cash, &all.open_orders, &bucket),
            environment: self.environment.clone(),
            mode: self.mode,
            at,
            positions: all.positions.clone(),
            closed: all.closed.clone(),
            cash: all.cash.clone(),
            open_orders: all.open_orders.clone(),
            nav: all.nav(),
            unvalued: all.unvalued.clone(),
            stale: now.since(at) >= i64::from(self.settings.stale_after_s) * 1_000,
        };
        if state.stale {
            self.troubles.insert("stale", format!("the account was last read at {at}"));
        } else {
            self.troubles.remove("stale");
        }
        if self.state.as_ref().is_none_or(|last| last.state_id != state.state_id) {
            let (held, cash) = (state.positions.len(), state.cash.len());
            out.decided(format!("{held} holdings and {cash} currencies, {}.", worth(state.nav)));
        }
        out.say(state.clone());
        self.state = Some(state);
    }

    /// The day of the fund that goes on.
    pub(crate) fn day(&self, now: Timestamp) -> Day {
        self.today.map_or(now.day_utc(), |(day, _)| day)
    }

    /// Paid in less paid out since the last day's end; unknown while the worth of any of it is.
    pub(crate) fn flow_since(&self, base: &DayEnd) -> Option<Money> {
        let owners =
            self.accounts.flows.values().filter(|booked| booked.external && booked.seen > base.ended);
        owners
            .map(|booked| booked.flow.amount_eur)
            .try_fold(Money::zero(Currency::EUR), |sum, eur| sum.checked_add(eur?).ok())
    }

    fn say_nav(&mut self, all: &Valuation, now: Timestamp, out: &mut Out<Self>) {
        let (Some(base), Some(sums)) = (self.fund_base(), all.sums) else { return };
        let Some(flow) = self.flow_since(base) else { return };
        let Some(mut nav) = statement(base, (now, self.day(now)), sums, flow) else { return };
        nav.concentration = concentration(base, &self.classes);
        if let Some(last) = &self.nav {
            // Nothing else has changed: it is still the old value.
            let same = Nav { at: last.at, ..nav.clone() };
            if same == *last {
                nav = same;
            }
        }
        out.say(nav.clone());
        self.nav = Some(nav);
    }

    fn say_bucket(&self, out: &mut Out<Self>) {
        let Some(base) = self.fund_base() else { return };
        // A unit was worth one euro when the books began.
        let units = if base.index > 0.0 { base.nav.to_f64() / base.index } else { 0.0 };
        let (Some(units), Some(unit_price)) = (Finite::new(units), Finite::new(base.index)) else { return };
        out.say(Bucket {
            bucket_id: CORE.into(),
            name: "Core".into(),
            status: "active".into(),
            units,
            unit_price,
            min_hold_days: MIN_HOLD_DAYS,
        });
    }

    fn say_flows(&self, now: Timestamp, out: &mut Out<Self>) {
        let today = now.day_utc();
        for booked in self.accounts.flows.values() {
            if is_said(&booked.flow, today) {
                out.say(booked.flow.clone());
            } else {
                out.clear::<Flow>(booked.flow.id.to_string());
            }
        }
    }

    /// Gives flows their worth as soon as a rate is known.
    fn value_flows(&mut self, out: &mut Out<Self>) {
        let rates = self.rates.as_ref();
        let mut valued = false;
        for booked in self.accounts.flows.values_mut().filter(|booked| booked.flow.amount_eur.is_none()) {
            booked.flow.amount_eur =
                in_eur(booked.flow.amount, rate_of(rates, booked.flow.amount.currency()));
            if booked.flow.amount_eur.is_some() {
                out.save(Save::Flow(Box::new(booked.clone())));
                valued = true;
            }
        }
        if valued {
            self.join_dividends(out);
        }
    }

    /// Something is wrong, or no longer.
    pub(crate) fn tell(&mut self, what: &'static str, text: Option<String>) {
        match text {
            Some(text) => self.troubles.insert(what, text),
            None => self.troubles.remove(what),
        };
    }

    /// Tells people what is wrong now, once per change.
    fn report(&mut self, out: &mut Out<Self>) {
        let now = self.troubles.values().cloned().collect::<Vec<_>>().join(" | ");
        if now == self.reported {
            return;
        }
        if now.is_empty() {
            out.recovered();
        } else {
            out.trouble(now.clone());
        }
        self.reported = now;
    }
}

fn worth(nav: Option<Money>) -> String {
    nav.map_or("worth unknown".to_owned(), |nav| format!("worth {nav}"))
}
