//! The state machine: hears, waits until the news has settled, then compares what is wrong with what was said.

use std::collections::BTreeMap;

use bus_client::{Input, NoCall, Out, Stage, Start};
use contracts::{Alert, DisplayState, Id, Meta, Received, Severity, stage::notify as contract};
use market::Timestamp;
use serde::Deserialize;

use crate::{
    causes::{Cause, Causes, causes},
    display::display,
    limits::{DAY_MS, LOOK_EVERY_MS},
    store,
    view::View,
};

/// Settings of `[stage.notify]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// News settle this long before they are judged, ms, 0–10 000.
    pub settle_ms: i64,
    /// After a start nothing counts as over for this long, s, 0–3 600.
    pub grace_s: i64,
    /// A stage that says nothing for longer is reported, s, 30–86 400; only where time is real.
    pub silent_after_s: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { settle_ms: 200, grace_s: 60, silent_after_s: 900 }
    }
}

impl Settings {
    fn check(&self) -> Result<(), String> {
        let rules = [
            ("settle_ms", self.settle_ms, 0, 10_000),
            ("grace_s", self.grace_s, 0, 3_600),
            ("silent_after_s", self.silent_after_s, 30, 86_400),
        ];
        for (field, value, min, max) in rules {
            if !(min..=max).contains(&value) {
                return Err(format!("[stage.notify] `{field}` is {value}, it must be from {min} to {max}"));
            }
        }
        Ok(())
    }
}

/// An alert as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertRow {
    /// Key.
    pub id: Id,
    /// As a code.
    pub code: String,
    /// What it is about.
    pub subject: String,
    /// How urgent.
    pub severity: Severity,
    /// What happened, why, what to do.
    pub text: String,
    /// First time.
    pub first: Timestamp,
    /// Last time.
    pub last: Timestamp,
    /// How often.
    pub count: u32,
    /// When it was over; absent while it is open.
    pub cleared: Option<Timestamp>,
}

/// A change of the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Save {
    /// An alert as it is now.
    Alert(AlertRow),
    /// Cleared alerts that ended before this go.
    Prune(Timestamp),
}

/// Notify.
#[derive(Debug)]
pub struct Notify {
    settings: Settings,
    simulated: bool,
    view: View,
    /// Open and cleared alerts, by id.
    alerts: BTreeMap<Id, AlertRow>,
    shown: Option<DisplayState>,
    /// From then on what is not heard is over.
    complete_at: Option<Timestamp>,
    cause: Option<Meta>,
    wake_at: Option<Timestamp>,
}

impl Stage for Notify {
    type Contract = contract::Notify;
    type Settings = Settings;
    type Save = Save;
    type Call = NoCall;
    type Reply = ();

    fn load(start: &Start<Settings>, rows: Option<&rusqlite::Connection>) -> Result<Self, String> {
        start.settings.check()?;
        let rows = rows.ok_or("notify needs its store")?;
        Ok(Notify {
            settings: start.settings.clone(),
            simulated: start.environment.is_simulated(),
            view: View::default(),
            alerts: store::load(rows)?.into_iter().map(|row| (row.id, row)).collect(),
            shown: None,
            complete_at: None,
            cause: None,
            wake_at: Some(Timestamp::ZERO),
        })
    }

    fn handle(&mut self, input: Input<Self>, now: Timestamp, out: &mut Out<Self>) {
        match input {
            Input::Heard(heard) => {
                if self.note(heard, now) {
                    self.cause = out.cause().cloned().or(self.cause.take());
                    self.wake(now.saturating_plus_ms(self.settings.settle_ms));
                }
            }
            Input::Tick => self.judge(now, out),
            Input::Answered(_) | Input::Settings(_) | Input::Refused(_) | Input::Replied(()) => {}
        }
    }

    fn wake_at(&self) -> Option<Timestamp> {
        self.wake_at
    }

    fn apply(rows: &rusqlite::Transaction<'_>, save: Save) -> rusqlite::Result<()> {
        store::apply(rows, save)
    }
}

impl Notify {
    /// Takes the news in; says whether anything depends on it.
    fn note(&mut self, heard: contract::Input, now: Timestamp) -> bool {
        use contract::Input as Heard;
        match heard {
            Heard::RiskHalt(halt) => self.view.halt = halt.body,
            Heard::RiskState(risk) => self.view.risk = risk.body,
            Heard::PortfolioNav(nav) => self.view.nav = nav.body,
            Heard::PlanProposed(plan) => self.view.plan = plan.body,
            Heard::OrderState(order) => self.view.order(order),
            Heard::OrderIncident(incident) => self.view.incident(incident),
            Heard::OrderRefused(refusal) => self.view.refusal(refusal, now),
            Heard::PortfolioReconciliation(books) => self.view.reconciliation(books),
            Heard::MarketVenue(venue) => self.view.venue(venue),
            Heard::SystemHealth(health) => return self.health(health, now),
            Heard::ScoreSecurity(score) => return self.view.score(score),
            Heard::PortfolioState(_)
            | Heard::PortfolioFlow(_)
            | Heard::PortfolioBucket(_)
            | Heard::PortfolioEvaluation(_)
            | Heard::ScoreRegime(_) => return false,
        }
        true
    }

    /// Signs of life come every two seconds; only a change is news.
    fn health(&mut self, health: Received<contracts::Health>, now: Timestamp) -> bool {
        let matter = |health: &contracts::Health| (health.state, health.last_error.clone());
        let before = self.view.stages.get(&health.key).map(|heard| matter(&heard.health));
        let after = health.body.as_ref().map(matter);
        self.view.health(health, now);
        before != after
    }

    fn wake(&mut self, then: Timestamp) {
        self.wake_at = Some(self.wake_at.map_or(then, |already| already.min(then)));
    }

    fn judge(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let complete_at = *self
            .complete_at
            .get_or_insert(now.saturating_plus_ms(self.settings.grace_s.saturating_mul(1_000)));
        out.because(self.cause.as_ref());
        let silent_after = (!self.simulated).then(|| self.settings.silent_after_s.saturating_mul(1_000));
        let causes = causes(&self.view, now, silent_after);
        self.raise(&causes, now, out);
        if now >= complete_at {
            self.end(&causes, now, out);
        }
        self.show(&causes, now, out);
        self.cause = None;
        self.wake_at = self.next_look(now, complete_at);
    }

    fn raise(&mut self, causes: &Causes, now: Timestamp, out: &mut Out<Self>) {
        for ((code, subject), cause) in causes {
            let id = Out::<Self>::derive_id(Timestamp::ZERO, &[code, subject]);
            let row = match self.alerts.get(&id) {
                Some(row) if row.cleared.is_none() && says(row, cause) => continue,
                known => raised(known, id, code, subject, cause, now),
            };
            out.decided(format!("Alert {code}: {}", cause.text));
            out.say(alert_of(&row));
            out.save(Save::Alert(row.clone()));
            self.alerts.insert(id, row);
        }
    }

    fn end(&mut self, causes: &Causes, now: Timestamp, out: &mut Out<Self>) {
        let mut ended = false;
        for row in self.alerts.values_mut().filter(|row| row.cleared.is_none()) {
            if causes.keys().any(|(code, subject)| *code == row.code && *subject == row.subject) {
                continue;
            }
            // A day's refusals stay true for their day, also after a restart that forgot them.
            if row.code == "order_refused_often" && now.day_utc() == row.last.day_utc() {
                continue;
            }
            row.cleared = Some(now);
            ended = true;
            out.decided(format!("Over: {} {}.", row.code, row.subject));
            out.clear::<Alert>(row.id.to_string());
            out.save(Save::Alert(row.clone()));
        }
        if ended {
            let before = now.saturating_minus_ms(crate::limits::CLEARED_KEPT_MS);
            self.alerts.retain(|_, row| row.cleared.is_none_or(|cleared| cleared >= before));
            out.save(Save::Prune(before));
        }
    }

    fn show(&mut self, causes: &Causes, now: Timestamp, out: &mut Out<Self>) {
        let since = self.shown.as_ref().map_or(now, |shown| shown.at);
        let unchanged = display(&self.view, causes, since);
        if self.shown.as_ref() != Some(&unchanged) {
            let changed = DisplayState { at: now, ..unchanged };
            out.say(changed.clone());
            self.shown = Some(changed);
        }
    }

    /// When time alone changes something.
    fn next_look(&self, now: Timestamp, complete_at: Timestamp) -> Option<Timestamp> {
        let open = |row: &&AlertRow| row.cleared.is_none();
        let of_the_day = self.alerts.values().filter(open).any(|row| row.code == "order_refused_often");
        let midnight = of_the_day.then(|| {
            let into_the_day = now.ms().rem_euclid(DAY_MS);
            now.saturating_plus_ms(DAY_MS - into_the_day)
        });
        let completed =
            (now < complete_at && self.alerts.values().any(|row| open(&row))).then_some(complete_at);
        let ages = (!self.simulated).then(|| now.saturating_plus_ms(LOOK_EVERY_MS));
        [midnight, completed, ages].into_iter().flatten().min()
    }
}

fn says(row: &AlertRow, cause: &Cause) -> bool {
    row.severity == cause.severity && row.text == cause.text
}

fn raised(
    known: Option<&AlertRow>,
    id: Id,
    code: &str,
    subject: &str,
    cause: &Cause,
    now: Timestamp,
) -> AlertRow {
    let first = known.filter(|row| row.cleared.is_none()).map_or(now, |row| row.first);
    AlertRow {
        id,
        code: code.into(),
        subject: subject.into(),
        severity: cause.severity,
        text: cause.text.clone(),
        first,
        last: now,
        count: known.map_or(0, |row| row.count).saturating_add(1),
        cleared: None,
    }
}

fn alert_of(row: &AlertRow) -> Alert {
    Alert {
        id: row.id,
        code: row.code.clone(),
        severity: row.severity,
        text: row.text.clone(),
        first: row.first,
        last: row.last,
        count: row.count,
    }
}
