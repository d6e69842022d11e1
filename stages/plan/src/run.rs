//! One run from the first look to the request.

use std::collections::BTreeMap;

use tracing::debug;

use bus_client::Out;
use contracts::{Grounds, OrderKind, OrderRequested, PlanContext, PlanProposed, PlanStep};
use market::{Isin, Timestamp};
use money::Weight;

use crate::{
    choose,
    context::{self, Ground},
    facts::{Basis, CORE, Facts},
    funding::{self, Funding},
    jobs,
    limits::{DAY_MS, FAILED_PAUSE_MS, STEP_LIFE_MS, TARGETS_AGE_MAX_MS, TARGETS_OLD_MS},
    nothing,
    pool::{self, Pool},
    rate_age,
    requests::{Request, Stage},
    round::{GaveUp, Round},
    score_news,
    snapshot::{NoGround, Snapshot, VENUE_CLOSED, rate_of, targets_in_force},
    stage::Plan,
    store::Save,
    waits::{self, Question, Wait},
};

/// What a step waits for once another is asked for.
const THE_ONE_BEFORE: &str = "The order asked for before it; then everything is planned afresh.";

impl Plan {
    /// Looks at everything; starts a round unless the same has been planned already.
    pub(crate) fn run(&mut self, now: Timestamp, out: &mut Out<Self>) {
        self.last_run = Some(now);
        self.age_of_targets(now, out);
        if self.rescue(now, out) {
            return;
        }
        let snapshot = match Snapshot::take(
            &self.facts,
            (&self.memory, &self.dividends),
            &self.rules,
            &self.environment,
            now,
        ) {
            Ok(snapshot) => snapshot,
            Err(why) => {
                let why = why.to_string();
                return self.no_plan(&why, out);
            }
        };
        if self.facts.targets.is_none() {
            let why = NoGround::NoTargets.to_string();
            return self.no_plan(&why, out);
        }
        let basis = basis_of(&snapshot, &self.facts);
        let Pool { candidates, pool, further, left_out } = pool::gather(&snapshot);
        let before = self.context.as_ref();
        let at = before.map_or(now, |context| context.at);
        let made = context::make(Ground { snapshot: &snapshot, candidates, pool, terms: &self.terms, at });
        let context = match made {
            Ok(context) => context,
            Err(why) => {
                let why = why.to_string();
                self.troubles.context = Some(format!("Nothing is planned: {why}."));
                self.troubles.tell(out);
                return self.no_plan(&why, out);
            }
        };
        if self.troubles.context.take().is_some() {
            self.troubles.tell(out);
        }
        self.basis = basis;
        if before.is_some_and(|before| context::same_content(before, &context)) {
            if let Some(round) = &mut self.round {
                round.left_out = left_out;
                self.because.clear();
                return;
            }
            if self.plan_stands(now) {
                self.because.clear();
                if let Some(plan) = &mut self.plan {
                    plan.left_out = left_out;
                    plan.left_out.truncate(crate::limits::LEFT_OUT_SHOWN);
                }
                debug!("The same as before; nothing is planned anew.");
                return self.head(now, out);
            }
        }
        if self.last_context_at == Some(now) {
            // One context per instant: the time is what tells two contexts of the same content apart.
            return self.due_by(now.saturating_plus_ms(1));
        }
        let context = context::at(context, now);
        self.start(context, (further, left_out), now, out);
    }

    /// Tells when the targets grow old, and when they are too old to be followed.
    pub(crate) fn age_of_targets(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let age = self.facts.targets.as_ref().map_or(0, |targets| now.since(targets.at));
        let days = age / DAY_MS;
        let sentence = if age > TARGETS_AGE_MAX_MS {
            Some(format!(
                "The targets are {days} days old and ignored: nothing is bought, and nothing is sold to reach them; \
                 `steward targets run` computes them anew."
            ))
        } else if age > TARGETS_OLD_MS {
            Some(format!(
                "The targets are {days} days old and are ignored from 30 on; `steward targets run` computes them anew."
            ))
        } else {
            None
        };
        if self.troubles.targets != sentence {
            self.troubles.targets = sentence;
            self.troubles.tell(out);
        }
    }

    /// Whether the plan of this content may still be acted on, or has been.
    fn plan_stands(&self, now: Timestamp) -> bool {
        let Some(plan) = &self.plan else { return false };
        if plan.expires <= now {
            return false;
        }
        match plan.steps.iter().find_map(|step| step.order_id) {
            // Its order came to an end and nothing changed: the question is a new one.
            Some(id) => !self.requests.has_ended(id),
            None => plan.steps.is_empty() || now.since(plan.at) < STEP_LIFE_MS,
        }
    }

    fn start(
        &mut self,
        context: PlanContext,
        (further, left_out): (Vec<Vec<u16>>, Vec<contracts::LeftOut>),
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        let parameters = &self.rules.parameters;
        let depth = if parameters.subsets { parameters.max_depth } else { 0 };
        let works = jobs::split(context.pool.len(), depth, &further);
        let mut round = Round::new(context.clone(), left_out, works, self.next_job, now);
        round.cause = std::mem::take(&mut self.because);
        self.next_job = round.next_number();
        out.save(Save::NextJob(self.next_job));
        out.save(Save::Context(Box::new(context.clone())));
        out.say(context.clone());
        for job in round.jobs() {
            out.say(job.clone());
        }
        self.last_context_at = Some(now);
        self.context = Some(context);
        self.plan = None;
        self.round = Some(round);
    }

    /// Publishes again what was not answered.
    pub(crate) fn ask_again(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let Some(round) = &mut self.round else { return };
        match round.again(now) {
            Ok(jobs) => {
                for job in jobs {
                    out.say(job);
                }
            }
            Err(GaveUp { n }) => {
                let why = format!("job {n} found no evaluator; start steward-evaluate");
                self.no_plan(&why, out);
                self.troubles.evaluators = Some(format!("Nothing is planned: {why}."));
                self.troubles.tell(out);
                self.due_by(now.saturating_plus_ms(FAILED_PAUSE_MS));
            }
        }
    }

    /// Takes back what was said: it stands on nothing any more.
    fn no_plan(&mut self, why: &str, out: &mut Out<Self>) {
        self.round = None;
        self.plan = None;
        self.because.clear();
        if self.context.take().is_some() {
            out.save(Save::NoContext);
        }
        out.clear::<PlanContext>(CORE);
        out.clear::<PlanProposed>("");
        out.decided(format!("Nothing is planned: {why}."));
    }

    /// All results are there: choose.
    pub(crate) fn finish(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let Some(round) = self.round.take() else { return };
        let names = names(&self.facts);
        let Some(mut plan) = choose::propose(&round, &self.terms, targets_in_force(&self.facts, now), &names)
        else {
            return;
        };
        if plan.steps.is_empty() {
            plan.why.push_str(&nothing::more(&round.left_out, &self.facts, &self.memory, now));
        }
        if let Some(warning) = rate_age::warning(&self.facts, &round.context, now) {
            plan.why = format!("{} {warning}", plan.why);
        }
        if self.troubles.evaluators.take().is_some() {
            self.troubles.tell(out);
        }
        out.decided(plan.why.clone());
        self.plan = Some(plan);
        self.head(now, out);
    }

    /// Asks for the first step of the plan that waits for nothing; says the plan as it stands then.
    fn head(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let Some(mut plan) = self.plan.take() else { return };
        if plan.steps.iter().all(|step| step.order_id.is_none()) {
            let mut asked = false;
            for place in 0..plan.steps.len() {
                let step = plan.steps[place].clone();
                let waits_for = if asked {
                    Some(THE_ONE_BEFORE.into())
                } else {
                    let (order_id, waits_for) = self.ask_for(&plan, &step, now, out);
                    plan.steps[place].order_id = order_id;
                    // An exchange that comes first is an order too.
                    asked = self.requests.is_open();
                    waits_for
                };
                plan.steps[place].waits_for = waits_for;
            }
        }
        out.save(Save::Plan(Box::new(plan.clone())));
        out.say(plan.clone());
        self.plan = Some(plan);
    }

    /// Asks for a step, or says what it waits for.
    fn ask_for(
        &mut self,
        plan: &PlanProposed,
        step: &PlanStep,
        now: Timestamp,
        out: &mut Out<Self>,
    ) -> (Option<contracts::Id>, Option<String>) {
        let question = Question {
            facts: &self.facts,
            memory: &self.memory,
            requests: &self.requests,
            approvals: &self.approvals,
            rules: &self.rules,
            now,
        };
        // A wait that should be over and is not must not make the stage spin.
        let soonest = now.saturating_plus_ms(self.rules.settle_ms.max(1));
        if let Some(wait) = waits::first(plan, &step.candidate, question) {
            if let Some(until) = wait.until {
                self.due_by(until.max(soonest));
            }
            return (None, Some(wait.text));
        }
        if let Some(wait) = self.fund(plan, step, now, out) {
            self.due_by(wait.until.unwrap_or(now.saturating_plus_ms(FAILED_PAUSE_MS)).max(soonest));
            return (None, Some(wait.text));
        }
        (self.request(plan, step, now, out), None)
    }

    /// Asks for the exchange that a purchase needs first; gives what the purchase waits for then.
    fn fund(
        &mut self,
        plan: &PlanProposed,
        step: &PlanStep,
        now: Timestamp,
        out: &mut Out<Self>,
    ) -> Option<Wait> {
        let state = self.facts.state.clone()?;
        let rate = |ccy| rate_of(&self.facts, &self.rules, ccy, now).ok();
        let wait = |text: &str| Some(Wait { text: text.to_string(), until: None });
        match funding::of(&step.candidate, &state, &self.rules, rate) {
            Ok(Funding::Paid) => None,
            Ok(Funding::Short) => wait("The EUR that may be used do not pay for it and the exchange."),
            Ok(Funding::Exchange(pair, side, units)) => {
                let bought = choose::in_words(&step.candidate, &names(&self.facts));
                let reason = format!("{} are needed to {bought}.", step.candidate.ccy);
                let ask = ((pair, side, units), (plan.plan_id, OrderKind::Normal, reason.as_str()));
                match self.exchange(ask.0, ask.1, now, out) {
                    Ok(one) => wait(&format!("An exchange comes first: {}.", one.words)),
                    Err(other) => Some(Wait {
                        text: format!("An exchange must come first, and {}.", other.text),
                        ..other
                    }),
                }
            }
            Err(why) => wait(&format!("What it needs cannot be computed: {why}.")),
        }
    }

    fn request(
        &mut self,
        plan: &PlanProposed,
        step: &PlanStep,
        now: Timestamp,
        out: &mut Out<Self>,
    ) -> Option<contracts::Id> {
        let candidate = &step.candidate;
        let order_id = choose::order_id(plan, step.step);
        let order = OrderRequested {
            order_id,
            plan_id: plan.plan_id,
            step: step.step,
            bucket_id: plan.bucket_id.clone(),
            kind: OrderKind::Normal,
            side: candidate.side,
            isin: candidate.isin,
            mic: candidate.mic,
            qty_e6: candidate.qty_e6,
            limit_price_e6: candidate.price_e6,
            ccy: candidate.ccy,
            value_eur: candidate.value_eur,
            fee_eur: candidate.cost_eur,
            state_id: plan.state_id.clone(),
            at: now,
            reason: candidate.reason.clone(),
            stop_loss: false,
            grounds: self.grounds(plan, candidate.isin)?,
        };
        out.decided(format!(
            "Asks to {}: {}",
            choose::in_words(candidate, &names(&self.facts)),
            order.reason
        ));
        out.save(Save::Asked(Box::new(order.clone())));
        out.say(order);
        let state_id = plan.state_id.clone();
        self.requests.add(Request { order_id, state_id, stage: Stage::Asked, since: now });
        Some(order_id)
    }

    fn grounds(&self, plan: &PlanProposed, isin: Isin) -> Option<Grounds> {
        let known = self.facts.quotes.get(&isin)?;
        let context = self.context.as_ref()?;
        let holding = context.holdings.iter().find(|holding| holding.isin == isin)?;
        let share = money::multiply_divide(
            holding.value_eur.e4().into(),
            Weight::SCALE.into(),
            context.total_eur.e4().into(),
            money::Rounding::Down,
        );
        let share = share.ok().and_then(|e6| i64::try_from(e6).ok());
        Some(Grounds {
            quote: known.id,
            quote_price_e6: known.quote.price_e6,
            quote_at: known.quote.at,
            score: self.facts.scores.get(&isin).and_then(|score| score.total),
            target_e6: targets_in_force(&self.facts, plan.at).map(|_| holding.target_e6),
            current_e6: share.and_then(|e6| Weight::from_e6(e6).ok()),
            score_unchanged: plan.score_unchanged,
            score_after: plan.score_after,
        })
    }
}

/// What later prices and scores are compared with. A price that was left out counts as none, so that the next is news.
fn basis_of(snapshot: &Snapshot<'_>, facts: &Facts) -> Basis {
    let usable = snapshot.usable.iter().map(|usable| (usable.security.isin, usable.quote.price_e6));
    // What only waits for its venue is no news before that opens, which is news by itself.
    let waits = snapshot.left_out.iter().filter(|one| one.code == VENUE_CLOSED);
    let waits = waits.filter_map(|one| Some((one.isin, facts.quotes.get(&one.isin)?.quote.price_e6)));
    let prices = usable.chain(waits).collect();
    let scores = facts.scores.iter().map(|(isin, score)| (*isin, score_news::seen(score))).collect();
    Basis { prices, scores }
}

pub(crate) fn names(facts: &Facts) -> BTreeMap<Isin, String> {
    let securities = facts.universe.iter().flat_map(|universe| &universe.securities);
    securities.map(|security| (security.isin, security.ticker.clone())).collect()
}
