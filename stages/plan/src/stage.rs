//! The planner as a state machine: what it hears, and when it acts.

use std::collections::BTreeMap;

use bus_client::{Environment, Input, NoCall, Out, Stage, Start};
use contracts::stage::plan as topics;
use contracts::{
    Id, Meta, OrderApproved, OrderRefused, OrderRequested, OrderState, Outcome, PlanContext, PlanNow,
    PlanProposed, PlanResult, Received, Refusal, SettingsSnapshot, Side,
};
use market::{Calendars, Isin, Timestamp};

use crate::{
    approval::Approvals,
    configuration::book::Book,
    dividends::Dividends,
    facts::{Basis, Facts, News},
    memory::{Hold, Memory, hold_of, hold_of_rejection, traded_of},
    requests::{self, Requests},
    rescue::watch::Watch,
    round::{Heard, Round},
    run::names,
    settings::{Rules, Settings},
    snapshot::targets_in_force,
    store::{self, Rows, Save},
    terms::Terms,
    trigger,
};

/// In stepped time others act at whole hundredths of a second.
const HUNDREDTH_MS: i64 = 10;
/// Runs begin this long after one.
const BETWEEN_MS: i64 = 5;

/// Why a run begins.
const OTHER_HOLDINGS: &str = "The holdings changed.";
const OTHER_FACTS: &str = "Prices, scores, targets, venues or answers changed.";

const OTHER_SETTINGS: &str = "What the owner set changed.";

/// The stage.
#[derive(Debug)]
pub struct Plan {
    /// Rules of the configuration file alone.
    pub(crate) own: Rules,
    /// The same with what `system/settings` makes stricter.
    pub(crate) base: Rules,
    /// The same under the configuration in force.
    pub(crate) rules: Rules,
    pub(crate) terms: Terms,
    /// Planner configurations.
    pub(crate) book: Book,
    pub(crate) environment: String,
    pub(crate) facts: Facts,
    pub(crate) memory: Memory,
    pub(crate) requests: Requests,
    pub(crate) dividends: Dividends,
    /// What persons agreed to.
    pub(crate) approvals: Approvals,
    /// Negative balances.
    pub(crate) watch: Watch,
    /// When emergency sales were asked for.
    pub(crate) rescued: Vec<Timestamp>,
    /// When each pair was asked to be exchanged last.
    pub(crate) exchanged: BTreeMap<Isin, Timestamp>,
    /// When each trigger fired last.
    pub(crate) fired: BTreeMap<&'static str, Timestamp>,
    /// Prices and scores of the last run.
    pub(crate) basis: Basis,
    /// The newest context.
    pub(crate) context: Option<PlanContext>,
    /// When the last one was made, even if it is taken back.
    pub(crate) last_context_at: Option<Timestamp>,
    /// Its plan, once there is one.
    pub(crate) plan: Option<PlanProposed>,
    /// The run that waits for results.
    pub(crate) round: Option<Round>,
    pub(crate) next_job: u64,
    pub(crate) due: Option<Timestamp>,
    pub(crate) last_run: Option<Timestamp>,
    /// The newest message that mattered.
    pub(crate) cause: Option<Meta>,
    /// What the next run is about, in words.
    pub(crate) because: String,
    pub(crate) troubles: Troubles,
}

/// What a person should look at; each kind ends on its own.
#[derive(Debug, Default)]
pub(crate) struct Troubles {
    /// No results, or unbelievable ones; ends with the next plan.
    pub(crate) evaluators: Option<String>,
    /// A request found no answer; ends with the next answer.
    pub(crate) answers: Option<String>,
    /// A balance is negative; ends when it no longer is.
    pub(crate) balance: Option<String>,
    /// What there is does not fit into one context; ends with the next one that does.
    pub(crate) context: Option<String>,
    /// The targets are old; ends with newer ones.
    pub(crate) targets: Option<String>,
}

impl Troubles {
    pub(crate) fn tell(&self, out: &mut Out<Plan>) {
        let all = [&self.balance, &self.context, &self.evaluators, &self.answers, &self.targets];
        match all.into_iter().flatten().next() {
            Some(sentence) => out.trouble(sentence.clone()),
            None => out.recovered(),
        }
    }
}

impl Stage for Plan {
    type Contract = topics::Plan;
    type Settings = Settings;
    type Save = Save;
    type Call = NoCall;
    type Reply = NoCall;

    fn load(start: &Start<Settings>, rows: Option<&rusqlite::Connection>) -> Result<Self, String> {
        let rules = start.settings.rules().map_err(|error| error.to_string())?;
        let Rows {
            context,
            plan,
            requests,
            memory,
            dividends,
            rescued,
            exchanged,
            book,
            next_job,
            approvals,
            owed_since,
            settings,
        } = rows.map(store::load).transpose()?.unwrap_or_default();
        // What the owner set holds until he is heard to have set something else. While nobody knows what he set, the
        // real world waits for his approval.
        let unknown = Rules { approval: !start.environment.is_simulated(), ..rules.clone() };
        let base = settings.map_or(unknown, |settings| rules.with(&settings));
        let mut plan = Plan {
            terms: Terms::of(&rules),
            own: rules.clone(),
            base,
            rules,
            book,
            environment: start.environment.to_string(),
            facts: Facts { calendars: calendars_of(&start.environment).into(), ..Facts::default() },
            memory,
            requests,
            dividends,
            approvals,
            watch: Watch::since(owed_since),
            rescued,
            exchanged,
            fired: BTreeMap::new(),
            basis: Basis::default(),
            last_context_at: context.as_ref().map(|context| context.at),
            context,
            plan,
            round: None,
            next_job,
            due: None,
            last_run: None,
            cause: None,
            because: String::new(),
            troubles: Troubles::default(),
        };
        plan.configure();
        Ok(plan)
    }

    fn handle(&mut self, input: Input<Self>, now: Timestamp, out: &mut Out<Self>) {
        match input {
            Input::Heard(heard) => self.hear(heard, now, out),
            Input::Tick => self.tick(now, out),
            Input::Replied(never) => match never {},
            Input::Settings(snapshot) => self.follow(snapshot, now, out),
            Input::Answered(_) | Input::Refused(_) => {}
        }
    }

    fn wake_at(&self) -> Option<Timestamp> {
        let round = self.round.as_ref().and_then(Round::wake_at);
        let expires = self.plan.as_ref().map(|plan| plan.expires);
        [self.due, round, self.requests.wake_at(), expires].into_iter().flatten().min()
    }

    fn is_idle(&self) -> bool {
        self.round.is_none()
    }

    fn apply(rows: &rusqlite::Transaction<'_>, save: Save) -> rusqlite::Result<()> {
        store::apply(rows, save)
    }
}

/// Simulated worlds lie partly beyond the calendars that a release ships.
fn calendars_of(environment: &Environment) -> Calendars {
    let shipped = Calendars::embedded();
    if environment.is_simulated() { shipped.with_rules() } else { shipped }
}

impl Plan {
    fn hear(&mut self, heard: topics::Input, now: Timestamp, out: &mut Out<Self>) {
        use topics::Input as I;
        let cause = out.cause().cloned();
        let mut because = None;
        let facts = &mut self.facts;
        let news = match heard {
            I::PortfolioState(heard) => {
                let news = facts.hear_state(heard);
                self.watch_balances(now, out);
                because = self.triggered(now);
                news.max(News::if_so(because.is_some()))
            }
            I::MarketQuote(heard) => facts.hear_quote(heard, &self.basis),
            I::MarketFx(heard) => facts.hear_rates(heard),
            I::MarketVenue(heard) => facts.hear_venue(heard, now),
            I::MarketUniverse(heard) => facts.hear_universe(heard),
            I::ScoreSecurity(heard) => facts.hear_score(heard, &self.basis),
            I::TargetWeights(heard) => {
                let in_force = |facts: &Facts| targets_in_force(facts, now).is_some();
                let before = in_force(facts);
                let news = facts.hear_targets(heard).max(News::if_so(before != in_force(facts)));
                self.age_of_targets(now, out);
                news
            }
            I::RiskHalt(heard) => facts.hear_halt(heard),
            I::RiskState(heard) => facts.hear_risk(heard),
            I::PortfolioBucket(heard) => facts.hear_bucket(heard),
            I::OrderApproved(heard) => self.approved(&heard, now, out),
            I::OrderRefused(heard) => self.refused(heard, now, out),
            I::OrderState(heard) => self.order(heard, now, out),
            I::PlanResult(heard) => return self.result(heard, now, out),
            I::CommandPlanNow(heard) => return self.asked(&heard, now, out),
            I::CommandPlanApproveStep(heard) => return self.approve_step(&heard, now, out),
            I::CommandPlanSkipStep(heard) => return self.skip_step(&heard, now, out),
            I::CommandPlanConfigCreate(heard) => return self.config_create(&heard, now, out),
            I::CommandPlanConfigUpdate(heard) => return self.config_update(&heard, now, out),
            I::CommandPlanConfigDelete(heard) => return self.config_delete(&heard, now, out),
            I::CommandPlanConfigValidate(heard) => return self.config_validate(&heard, out),
            I::CommandPlanConfigApply(heard) => return self.config_apply(&heard, now, out),
            I::CommandPlanConfigRestore(heard) => return self.config_restore(&heard, now, out),
            I::PortfolioFlow(heard) => {
                // A statement that ended is no dividend taken back: that would be a flow of its own.
                let news = heard.body.and_then(|flow| self.dividends.hear(&flow));
                if let Some((flow, row)) = news {
                    out.save(Save::HeardDividend(flow, row));
                }
                News::if_so(news.is_some())
            }
            I::ScoreRegime(heard) => facts.hear_regime(heard),
        };
        self.settle(news, because, cause, now);
    }

    /// Follows what the owner set; what is due to start anyway starts under it.
    fn follow(&mut self, snapshot: SettingsSnapshot, now: Timestamp, out: &mut Out<Self>) {
        let base = self.own.with(&snapshot);
        out.save(Save::Settings(Box::new(snapshot)));
        if base == self.base {
            return;
        }
        self.base = base;
        self.configure();
        self.settle(News::Change, Some(OTHER_SETTINGS.into()), None, now);
    }

    /// Sets the time of the next run; an earlier one stays. What a run is said to be about is the newest particular thing,
    /// otherwise other holdings, otherwise other facts.
    fn settle(&mut self, news: News, because: Option<String>, cause: Option<Meta>, now: Timestamp) {
        let then = match news {
            News::Nothing => return,
            News::Holdings => now.saturating_plus_ms(self.rules.settle_state_ms),
            News::Change => {
                let pause = self.last_run.map(|last| last.saturating_plus_ms(self.rules.every_ms));
                pause.unwrap_or(now).max(now.saturating_plus_ms(self.rules.settle_ms))
            }
        };
        self.due_by(then);
        let general = self.because.is_empty() || self.because == OTHER_FACTS;
        match because {
            Some(particular) => self.because = particular,
            None if general && news == News::Holdings => self.because = OTHER_HOLDINGS.into(),
            None if general => self.because = OTHER_FACTS.into(),
            None => {}
        }
        self.cause = cause.or(self.cause.take());
    }

    /// A run stands between the instants at which others speak, so that it never decides in the middle of what belongs
    /// to one instant: those are whole hundredths of a second, this is the middle of one.
    pub(crate) fn due_by(&mut self, then: Timestamp) {
        let over = (then.ms() - BETWEEN_MS).rem_euclid(HUNDREDTH_MS);
        let then = if over == 0 { then } else { then.saturating_plus_ms(HUNDREDTH_MS - over) };
        self.due = Some(self.due.map_or(then, |due| due.min(then)));
    }

    fn asked(&mut self, heard: &Received<PlanNow>, now: Timestamp, out: &mut Out<Self>) {
        self.due_by(now);
        self.because = "A person asked.".into();
        self.cause.clone_from(&heard.meta);
        out.answer(heard.meta.as_ref(), Outcome::Done, None, "Planning at once.", serde_json::Value::Null);
    }

    fn tick(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let cause = self.cause.clone();
        out.because(cause.as_ref());
        self.tidy(now, out);
        let expired = self.plan.as_ref().is_some_and(|plan| plan.expires <= now);
        if expired || self.due.is_some_and(|due| due <= now) {
            self.due = None;
            self.run(now, out);
        }
        self.ask_again(now, out);
    }

    /// Ends statements about orders that are over.
    fn tidy(&mut self, now: Timestamp, out: &mut Out<Self>) {
        self.memory.forget_before(now);
        for over in self.requests.tidy(now) {
            out.clear::<OrderRequested>(over.order_id.to_string());
            out.save(Save::Cleared(over.order_id));
            if let Some(missing) = over.missing {
                let id = over.order_id;
                self.troubles.answers =
                    Some(format!("Order {id} found {missing} within ten minutes; it is given up."));
                self.troubles.tell(out);
                self.due_by(now);
            }
        }
    }

    fn approved(&mut self, heard: &Received<OrderApproved>, now: Timestamp, out: &mut Out<Self>) -> News {
        if let Some(order) = &heard.body {
            self.advance(order.order_id, requests::Stage::Approved, now, out);
        }
        News::Nothing
    }

    fn refused(&mut self, heard: Received<OrderRefused>, now: Timestamp, out: &mut Out<Self>) -> News {
        let Some(refused) = heard.body else { return News::Nothing };
        self.advance(refused.order_id, requests::Stage::Ended, now, out);
        let hold = hold_of(&refused);
        if hold.until <= now {
            return News::Nothing;
        }
        let (until, of_one, news) = (hold.until, hold.is_of_one(), self.hold(hold, now, out));
        match (news, refused.decision) {
            (false, _) => News::Nothing,
            (true, Refusal::Block) => News::Change,
            (true, Refusal::Defer) => {
                // Another step may wait for nothing.
                self.due_by(if of_one { now } else { until });
                News::Nothing
            }
        }
    }

    fn order(&mut self, heard: Received<OrderState>, now: Timestamp, out: &mut Out<Self>) -> News {
        let Ok(id) = heard.key.parse::<Id>() else { return News::Nothing };
        let mut news = News::Nothing;
        if let Some(order) = &heard.body {
            let is_final = order.status.is_final();
            let stage = if is_final { requests::Stage::Ended } else { requests::Stage::Placed };
            if self.advance(id, stage, now, out) && is_final {
                news = News::Change;
            }
            let is_security = contracts::pair_of(&order.isin).is_none();
            if is_final && is_security && order.side == Side::Buy && !order.fills.is_empty() {
                let worth = self.facts.worth_of(order);
                for used in self.dividends.buy(id, worth) {
                    out.save(Save::UsedDividend(used));
                }
            }
            if let Some(traded) = traded_of(order) {
                self.requests.fill(id);
                self.disapprove(order.isin, order.side, out);
                if self.memory.trade(traded) {
                    out.save(Save::Traded(traded));
                }
            }
            if let Some(hold) = hold_of_rejection(order, now).filter(|hold| hold.until > now) {
                self.hold(hold, now, out);
            }
        }
        news.max(self.facts.hear_order(id, heard.body))
    }

    pub(crate) fn hold(&mut self, hold: Hold, now: Timestamp, out: &mut Out<Self>) -> bool {
        let news = self.memory.hold(hold.clone());
        if news {
            out.save(Save::Held { hold, now });
        }
        news
    }

    fn advance(&mut self, id: Id, stage: requests::Stage, now: Timestamp, out: &mut Out<Self>) -> bool {
        let Some(request) = self.requests.advance(id, stage, now) else { return false };
        out.save(Save::Advanced(request));
        if self.troubles.answers.take().is_some() {
            self.troubles.tell(out);
        }
        true
    }

    /// Whether the fund drifted or holds so much cash that it should be looked at again; not twice in half an hour.
    fn triggered(&mut self, now: Timestamp) -> Option<String> {
        let fired = trigger::of(&self.facts, &self.rules, now)?;
        let code = fired.code();
        if self.fired.get(code).is_some_and(|then| now.since(*then) < trigger::PAUSE_MS) {
            return None;
        }
        self.fired.insert(code, now);
        Some(match fired {
            trigger::Fired::Drift { key, share, target } => {
                let name = names(&self.facts).remove(&key).unwrap_or_else(|| key.to_string());
                format!("{name} is {:.1} % of the fund and should be {:.1} %.", share * 100.0, target * 100.0)
            }
            trigger::Fired::Cash => "Cash waits to be invested.".into(),
        })
    }

    fn result(&mut self, heard: Received<PlanResult>, now: Timestamp, out: &mut Out<Self>) {
        let (Some(result), Some(round)) = (heard.body, &mut self.round) else { return };
        let n = result.n;
        match round.accept(result) {
            Heard::NotWanted | Heard::Part => {}
            Heard::Wrong(why) => {
                self.troubles.evaluators = Some(format!("The result of job {n} is not believed: {why}."));
                self.troubles.tell(out);
            }
            Heard::Whole => self.finish(now, out),
        }
    }
}
