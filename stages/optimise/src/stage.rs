//! The optimiser's state machine: one run a day once the scores are in, one after a change of what is held, paid in,
//! watched, scored or set, and one whenever somebody asks. Bars are read once a day; a failed run leaves the targets
//! said before in force.

use std::collections::{BTreeMap, BTreeSet};

use allocation::feasibility::Level;
use bus_client::{Input, Out, Stage, Start};
use contracts::{
    Flow, FlowKind, FxRates, GroupKind, Id, Meta, Outcome, PortfolioState, Quote, Received, Regime,
    SecurityScore, SettingsSnapshot, TargetWeights, Universe, stage::optimise as contract,
};
use formulas::regime_blend::risk_parity_share;
use market::{Calendars, Day, Isin, Timestamp};
use money::Currency;
use rusqlite::{Connection, Transaction};

use crate::{
    Call, Reply, Settings,
    ages::Made,
    chain::{Decision, Failure, decide},
    ground::{Ground, Heard, Unasked},
    groups::GroupSetting,
    history::Series,
    question::Previous,
    stability::{moved, worth_saying},
    statement::statement,
    store::{self, Groups, Save},
    tables::{self, Refused},
};

/// After the first run of a day, a change waits this long, so that what belongs to it arrives.
const CHANGE_MS: i64 = 60_000;
/// Two runs are at least this far apart.
const APART_MS: i64 = 10 * 60_000;
/// How long to wait before bars are asked for again after a failure.
const RETRY_MS: i64 = 60_000;
const DAY_MS: f64 = 86_400_000.0;
/// Without a run that came to an answer for so long, a person should look.
const OVERDUE_MS: i64 = 7 * 86_400_000;
/// How far the share of risk parity may move in a week when it follows the market.
const BLEND_A_WEEK: f64 = 0.05;

/// Bars as they were read.
#[derive(Debug)]
struct Read {
    day: Day,
    securities: BTreeMap<Isin, Currency>,
    series: BTreeMap<Isin, Series>,
}

/// What was said last.
#[derive(Debug, Clone)]
struct Said {
    at: Timestamp,
    blend: f64,
    weights: BTreeMap<Isin, f64>,
    groups: Groups,
}

/// The optimiser.
#[derive(Debug)]
pub struct Optimise {
    /// Of the configuration, with the owner's tables of groups.
    own: Settings,
    /// The same with what `system/settings` changes.
    settings: Settings,
    calendars: Calendars,
    scores: BTreeMap<Isin, SecurityScore>,
    universe: Option<Universe>,
    portfolio: Option<PortfolioState>,
    /// When the last price of each security was made that is believed.
    prices: BTreeMap<Isin, Made>,
    rates: Option<FxRates>,
    regime: Option<Regime>,
    flows: BTreeSet<Id>,
    read: Option<Read>,
    asked: Option<BTreeMap<Isin, Currency>>,
    said: Option<Said>,
    /// The last run, said or not; a failed one does not count.
    ran: Option<Timestamp>,
    /// The last run that computed anything, whatever came of it.
    tried: Option<Timestamp>,
    wake_at: Option<Timestamp>,
    cause: Option<Meta>,
    /// Who waits for the end of a run.
    asked_by: Vec<Meta>,
    /// The last run that was said.
    last_run: Option<Id>,
    quiet_because: Option<String>,
    /// What of the settings makes no sense; ends when it does.
    misled: Option<String>,
    /// Why there are no bars; ends when there are.
    unread: Option<String>,
    /// Which old price or rate the targets wait for; ends when it is recent.
    aged: Option<String>,
    /// Said when no run came to an answer for a week; ends when one does.
    overdue: Option<String>,
    /// Caps of groups that had to be widened; ends with a run that keeps them.
    strained: Option<String>,
}

impl Stage for Optimise {
    type Contract = contract::Optimise;
    type Settings = Settings;
    type Save = Save;
    type Call = Call;
    type Reply = Reply;

    fn load(start: &Start<Settings>, rows: Option<&Connection>) -> Result<Self, String> {
        start.settings.check()?;
        let last = rows
            .map(store::last)
            .transpose()
            .map_err(|error| format!("the last targets cannot be read: {error}"))?
            .flatten();
        let said = last.map(|last| {
            #[allow(clippy::cast_precision_loss)]
            let weight = |e6: i64| e6 as f64 / 1e6;
            let named = last.weights.into_iter();
            let weights = named.filter_map(|(isin, e6)| Some((isin.parse().ok()?, weight(e6)))).collect();
            Said { at: last.at, blend: last.blend, weights, groups: last.groups }
        });
        let mut own = start.settings.clone();
        for kind in [GroupKind::Country, GroupKind::Industry] {
            let table = rows.map(|rows| store::table(rows, kind)).transpose();
            let table = table.map_err(|error| format!("the groups cannot be read: {error}"))?.flatten();
            if let Some(table) = table {
                *groups_of(&mut own, kind) = table;
            }
        }
        Ok(Optimise {
            settings: own.clone(),
            own,
            calendars: Calendars::embedded().with_rules(),
            scores: BTreeMap::new(),
            universe: None,
            portfolio: None,
            prices: BTreeMap::new(),
            rates: None,
            regime: None,
            flows: BTreeSet::new(),
            read: None,
            asked: None,
            ran: said.as_ref().map(|said| said.at),
            tried: None,
            said,
            wake_at: None,
            cause: None,
            asked_by: Vec::new(),
            last_run: None,
            quiet_because: None,
            misled: None,
            unread: None,
            aged: None,
            overdue: None,
            strained: None,
        })
    }

    fn handle(&mut self, input: Input<Self>, now: Timestamp, out: &mut Out<Self>) {
        match input {
            Input::Heard(contract::Input::ScoreSecurity(heard)) => {
                self.cause = heard.meta.or(self.cause.take());
                let before = self.scored();
                match (heard.body, heard.key.parse()) {
                    (Some(score), _) => drop(self.scores.insert(score.isin, score)),
                    (None, Ok(isin)) => drop(self.scores.remove(&isin)),
                    (None, Err(_)) => {}
                }
                let is_new = self.scored() != before;
                self.settle(is_new || self.is_first(now), now);
            }
            Input::Heard(contract::Input::MarketUniverse(heard)) => {
                let is_new = self.universe != heard.body;
                self.universe = heard.body;
                self.settle(is_new, now);
            }
            Input::Heard(contract::Input::PortfolioState(heard)) => {
                let before = (held(self.portfolio.as_ref()), is_usable(self.portfolio.as_ref()));
                self.portfolio = heard.body;
                let came = self.quiet_because.is_some() && !before.1 && is_usable(self.portfolio.as_ref());
                let is_new = came || before.0 != held(self.portfolio.as_ref());
                self.settle(is_new, now);
            }
            Input::Heard(contract::Input::MarketQuote(heard)) => self.hear_quote(heard, now),
            Input::Heard(contract::Input::ScoreRegime(heard)) => {
                self.regime = heard.body;
                self.settle(false, now);
            }
            Input::Heard(contract::Input::MarketFx(heard)) => {
                self.rates = heard.body;
                self.settle(self.aged.is_some(), now);
            }
            Input::Heard(contract::Input::PortfolioFlow(heard)) => {
                let is_new = self.is_new_flow(heard.body.as_ref());
                self.settle(is_new, now);
            }
            Input::Heard(contract::Input::CommandOptimiseRun(heard)) => {
                let Received { meta: Some(meta), body: Some(_), .. } = heard else { return };
                self.cause = Some(meta.clone());
                self.asked_by.push(meta);
                self.run(now, out);
            }
            Input::Heard(contract::Input::CommandOptimiseGroupPut(heard)) => {
                let Received { meta, body: Some(ask), .. } = heard else { return };
                self.change(meta, ask.kind, &ask.actor, |groups| tables::put(groups, &ask), now, out);
            }
            Input::Heard(contract::Input::CommandOptimiseGroupDelete(heard)) => {
                let Received { meta, body: Some(ask), .. } = heard else { return };
                self.change(meta, ask.kind, &ask.actor, |groups| tables::delete(groups, &ask), now, out);
            }
            Input::Heard(contract::Input::CommandOptimiseTargetsPut(heard)) => {
                let Received { meta, body: Some(ask), .. } = heard else { return };
                self.change(meta, ask.kind, &ask.actor, |groups| tables::targets(groups, &ask), now, out);
            }
            Input::Settings(snapshot) => self.follow(&snapshot, now, out),
            Input::Replied(Reply::Bars(series)) => {
                if let Some(securities) = self.asked.take() {
                    self.read = Some(Read { day: now.day_utc(), securities, series });
                }
                self.unread = None;
                self.tell_troubles(out);
                self.run(now, out);
            }
            Input::Replied(Reply::Failed(why)) => {
                self.asked = None;
                self.wake_at = Some(now.saturating_plus_ms(RETRY_MS));
                self.tell(Outcome::Failed, Some("bars"), &why, out);
                self.unread = Some(why);
                self.tell_troubles(out);
            }
            Input::Tick => {
                if self.wake_at.is_some_and(|then| then <= now) {
                    self.wake_at = None;
                    self.run(now, out);
                }
                self.look_at_the_clock(now, out);
            }
            Input::Answered(_) | Input::Refused(_) => {}
        }
    }

    fn wake_at(&self) -> Option<Timestamp> {
        [self.wake_at, self.overdue_at()].into_iter().flatten().min()
    }

    fn apply(rows: &Transaction<'_>, save: Save) -> rusqlite::Result<()> {
        store::apply(rows, save)
    }
}

/// Units by security and bucket; prices are no part of it.
fn held(portfolio: Option<&PortfolioState>) -> Option<BTreeMap<(Isin, String), i64>> {
    let held = portfolio?.positions.iter().filter(|position| !position.qty_e6.is_zero());
    Some(held.map(|position| ((position.isin, position.bucket_id.clone()), position.qty_e6.e6())).collect())
}

/// Whether the account is fresh and has a value. Every reading may change that, so it is no reason for a run but for
/// one that had to wait for it.
fn is_usable(portfolio: Option<&PortfolioState>) -> bool {
    portfolio.is_some_and(|state| !state.stale && state.nav.is_some())
}

/// The table of a kind.
fn groups_of(settings: &mut Settings, kind: GroupKind) -> &mut Vec<GroupSetting> {
    match kind {
        GroupKind::Country => &mut settings.country_groups,
        GroupKind::Industry => &mut settings.industry_groups,
    }
}

/// What a person should know of caps that cannot be kept.
fn strained(decision: &Decision) -> Option<String> {
    (decision.level == Level::CapsWidened.code()).then(|| {
        format!(
            "The limits of the groups leave no room for what must be held: {}. Look at `steward targets`, and change the limits, the groups or what may be sold.",
            decision.relaxed.join("; ")
        )
    })
}

impl Optimise {
    /// A price that nobody believes makes no price newer.
    fn hear_quote(&mut self, heard: Received<Quote>, now: Timestamp) {
        match (heard.body, heard.key.parse()) {
            (Some(quote), _) if quote.suspect => {}
            (Some(quote), _) => {
                self.prices.insert(quote.isin, Made { at: quote.at, mic: quote.mic });
                if self.aged.is_some() {
                    self.settle(true, now);
                }
            }
            (None, Ok(isin)) => {
                self.prices.remove(&isin);
            }
            (None, Err(_)) => {}
        }
    }

    /// When a person should look because no run came to an answer; said once.
    fn overdue_at(&self) -> Option<Timestamp> {
        let last = self.ran.filter(|_| self.said.is_some() && self.overdue.is_none())?;
        Some(last.saturating_plus_ms(OVERDUE_MS + 1))
    }

    fn look_at_the_clock(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let Some(last) = self.ran.filter(|_| self.overdue_at().is_some_and(|then| then <= now)) else {
            return;
        };
        let why = self.quiet_because.as_deref().unwrap_or("nothing asked for new ones");
        self.overdue = Some(format!(
            "The targets are older than seven days: the last run that came to an answer was on {} ({why}).",
            last.day_utc()
        ));
        self.tell_troubles(out);
    }

    /// Whether money came in or left by the owner's hand that was not known before.
    fn is_new_flow(&mut self, flow: Option<&Flow>) -> bool {
        let moved = flow.filter(|flow| matches!(flow.kind, FlowKind::Deposit | FlowKind::Withdrawal));
        moved.is_some_and(|flow| self.flows.insert(flow.id))
    }

    /// Follows what the owner set; a part that makes no sense is not followed, and that is said until it does.
    fn follow(&mut self, snapshot: &SettingsSnapshot, now: Timestamp, out: &mut Out<Self>) {
        let (settings, wrong) = self.own.with(snapshot, &self.settings);
        let misled = wrong.map(|why| {
            format!("What was set is not followed: {why}; that stays as it was, the rest counts.")
        });
        if misled != self.misled {
            self.misled = misled;
            self.tell_troubles(out);
        }
        if settings != self.settings {
            self.settings = settings;
            self.settle(true, now);
        }
    }

    /// One trouble hides another only until it is over.
    fn tell_troubles(&self, out: &mut Out<Self>) {
        let all = [&self.misled, &self.unread, &self.overdue, &self.aged, &self.strained];
        match all.into_iter().flatten().next() {
            Some(sentence) => out.trouble(sentence.clone()),
            None => out.recovered(),
        }
    }

    /// Changes the owner's table of a kind, or refuses to.
    fn change(
        &mut self,
        command: Option<Meta>,
        kind: GroupKind,
        actor: &str,
        change: impl FnOnce(&mut Vec<GroupSetting>) -> Result<String, Refused>,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        let mut groups = groups_of(&mut self.own, kind).clone();
        match change(&mut groups) {
            Ok(text) => {
                let data = serde_json::json!({ "kind": kind, "groups": groups });
                out.save(Save::Groups { kind, groups: groups.clone(), at: now });
                groups_of(&mut self.own, kind).clone_from(&groups);
                *groups_of(&mut self.settings, kind) = groups;
                out.decided(format!("{text} Asked by {actor}."));
                out.answer(command.as_ref(), Outcome::Done, None, text, data);
                self.cause = command.or(self.cause.take());
                self.settle(true, now);
            }
            Err((code, text)) => {
                out.decided(format!("Refused: {text}."));
                out.answer(command.as_ref(), Outcome::Refused, Some(code), text, serde_json::Value::Null);
            }
        }
    }

    /// Answers everybody who asked for a run.
    fn tell(&mut self, outcome: Outcome, code: Option<&str>, text: &str, out: &mut Out<Self>) {
        let run_id = self.last_run.map(|id| id.to_string());
        for command in std::mem::take(&mut self.asked_by) {
            let data = serde_json::json!({ "run_id": run_id });
            out.answer(Some(&command), outcome, code, text, data);
        }
    }

    /// Securities that have a total.
    fn scored(&self) -> BTreeSet<Isin> {
        let scored = self.scores.iter().filter(|(_, score)| score.total.is_some());
        scored.map(|(isin, _)| *isin).collect()
    }

    /// Whether no run has come to an answer today.
    fn is_first(&self, now: Timestamp) -> bool {
        self.ran.is_none_or(|ran| ran.day_utc() != now.day_utc())
    }

    /// Plans a run: soon for the first of a day, after a while for a change, not at all for what only moved. A day's first
    /// run waits for a score of that day, or for the change that asks for it; before there ever was one, and after one that
    /// had to wait, whatever is heard may be what was missing.
    fn settle(&mut self, is_change: bool, now: Timestamp) {
        let is_first = self.is_first(now);
        let waits = is_first && (self.ran.is_none() || self.quiet_because.is_some());
        if !waits && !is_change {
            return;
        }
        let wait = if is_first { self.settings.settle_ms } else { CHANGE_MS.max(self.settings.settle_ms) };
        let apart = self.ran.max(self.tried).map(|last| last.saturating_plus_ms(APART_MS));
        let then = now.saturating_plus_ms(wait).max(apart.unwrap_or(Timestamp::ZERO));
        self.wake_at = Some(self.wake_at.map_or(then, |earlier| earlier.min(then)));
    }

    fn heard(&self, now: Timestamp) -> Heard<'_> {
        Heard {
            scores: &self.scores,
            universe: self.universe.as_ref(),
            portfolio: self.portfolio.as_ref(),
            prices: &self.prices,
            rates: self.rates.as_ref(),
            regime: self.regime.as_ref(),
            now,
            calendars: &self.calendars,
        }
    }

    /// Reads the bars of today's securities if they are not there yet, and decides once they are.
    fn run(&mut self, now: Timestamp, out: &mut Out<Self>) {
        out.because(self.cause.as_ref());
        let wanted = match self.heard(now).wanted() {
            Ok(wanted) => wanted,
            Err(why) => return self.stay_quiet(why, out),
        };
        let is_read =
            self.read.as_ref().is_some_and(|read| read.day == now.day_utc() && read.securities == wanted);
        if !is_read {
            if self.asked.is_none() {
                self.asked = Some(wanted.clone());
                out.call(Call::ReadBars { securities: wanted });
            }
            return;
        }
        self.decide(now, out);
    }

    fn stay_quiet(&mut self, why: String, out: &mut Out<Self>) {
        self.tell(Outcome::Refused, Some("not_ready"), &format!("There are no new targets: {why}."), out);
        if self.quiet_because.as_ref() != Some(&why) {
            out.decided(format!("No targets: {why}."));
            self.quiet_because = Some(why);
        }
    }

    fn decide(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let Some(read) = self.read.as_ref() else { return };
        let previous = self.previous(now);
        let blend = self.blend(now);
        let asked = self.heard(now).question(&self.settings, &read.series, previous.clone(), blend);
        // To find that something is old costs nothing, and its price may come any moment.
        if !matches!(asked, Err(Unasked::Old(_))) {
            self.tried = Some(now);
        }
        let aged = match &asked {
            Err(Unasked::Old(why)) => Some(format!("The targets stay as they are: {why}.")),
            Ok(_) | Err(Unasked::Unknown(_)) => None,
        };
        if aged != self.aged {
            self.aged = aged;
            self.tell_troubles(out);
        }
        let ground = match asked {
            Ok(ground) => ground,
            Err(Unasked::Unknown(why)) => return self.stay_quiet(why, out),
            Err(Unasked::Old(why)) => return self.fail(&Failure { code: "stale", why }, now, out),
        };
        let decision = match decide(&ground.question) {
            Ok(decision) => decision,
            Err(failure) => return self.fail(&failure, now, out),
        };
        let Some(run) = statement(&ground, &decision, now) else {
            let why = "a weight cannot be written in millionths".to_string();
            return self.fail(&Failure { code: "numeric", why }, now, out);
        };
        self.ran = Some(now);
        self.quiet_because = None;
        let strained = strained(&decision);
        if self.overdue.take().is_some() || strained != self.strained {
            self.strained = strained;
            self.tell_troubles(out);
        }
        self.publish(&ground, run, previous.as_ref(), now, out);
    }

    fn publish(
        &mut self,
        ground: &Ground,
        run: TargetWeights,
        previous: Option<&Previous>,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        let weights: BTreeMap<Isin, f64> =
            run.weights.iter().map(|weight| (weight.isin, weight.weight_e6.to_f64())).collect();
        let moves = moved(&weights, previous.map_or(&BTreeMap::new(), |previous| &previous.weights));
        let groups = store::groups_of(&run);
        // Others take groups and their targets from here: they are said even if no weight moves.
        let same_groups = self.said.as_ref().is_some_and(|said| said.groups == groups);
        if same_groups && !worth_saying(&weights, previous) {
            let text = format!("The targets stay: the new ones would move {:.1} % only.", moves * 100.0);
            self.tell(Outcome::Done, None, &text, out);
            out.decided(text);
            return;
        }
        let wanted = run.weights.iter().filter(|one| one.weight_e6.e6() > 0).count();
        let text = format!(
            "{} targets by {}, {:.1} % of the core moved; {} get nothing, {} have no say; {} limits decided, {} gave way.",
            wanted,
            run.method,
            moves * 100.0,
            run.weights.len() - wanted,
            ground.excluded.len(),
            run.binding.len(),
            run.relaxed.len()
        );
        self.last_run = Some(run.run_id);
        self.tell(Outcome::Done, None, &text, out);
        out.decided(text);
        self.said = Some(Said { at: now, blend: run.blend.get(), weights, groups });
        out.save(Save::Run(Box::new(run.clone()), self.settings.params()));
        out.say(run);
    }

    fn fail(&mut self, failure: &Failure, now: Timestamp, out: &mut Out<Self>) {
        let why = format!("{}: {}", failure.code, failure.why);
        self.tell(Outcome::Failed, Some(failure.code), &failure.why, out);
        if self.quiet_because.as_ref() != Some(&why) {
            out.save(Save::Failed { at: now, code: failure.code.into(), why: failure.why.clone() });
            out.decided(format!("No new targets: {why}; the old ones stand."));
            self.quiet_because = Some(why);
        }
    }

    fn previous(&self, now: Timestamp) -> Option<Previous> {
        let said = self.said.as_ref()?;
        #[allow(clippy::cast_precision_loss)]
        let age_days = now.since(said.at) as f64 / DAY_MS;
        Some(Previous { weights: said.weights.clone(), age_days })
    }

    /// The share of risk parity; when it follows the market, it moves slowly.
    fn blend(&self, now: Timestamp) -> f64 {
        let wanted = self.regime.as_ref().and_then(|regime| risk_parity_share(regime.score?.get()));
        let Some(wanted) = wanted.filter(|_| self.settings.follows_the_market()) else {
            return self.settings.blend;
        };
        let (last, days) = match (&self.said, self.previous(now)) {
            (Some(said), Some(previous)) => (said.blend, previous.age_days),
            _ => (self.settings.blend, 0.0),
        };
        let step = BLEND_A_WEEK * days / 7.0;
        wanted.clamp(last - step, last + step).clamp(0.0, 1.0)
    }
}
