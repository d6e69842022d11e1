//! What a step of a plan waits for. Nothing known: it may be asked for.

use contracts::{Breaker, Candidate, PlanProposed, PlanStep, Side};
use market::Timestamp;

use crate::{
    approval::Approvals,
    exchange_cost,
    facts::{Facts, KnownVenue},
    limits::MINUTE_MS,
    memory::Memory,
    price, price_age,
    requests::Requests,
    settings::Rules,
    snapshot::purses_of,
};

/// One thing to wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// In words.
    pub text: String,
    /// When it may be over; unknown when only a message can end it.
    pub until: Option<Timestamp>,
}

/// All that is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// What has been heard.
    pub facts: &'a Facts,
    /// What refusals forbid.
    pub memory: &'a Memory,
    /// What has been asked for.
    pub requests: &'a Requests,
    /// What persons agreed to.
    pub approvals: &'a Approvals,
    /// Rules.
    pub rules: &'a Rules,
    /// Now.
    pub now: Timestamp,
}

/// The first thing that keeps a step of a plan from being asked for.
#[must_use]
pub fn first(plan: &PlanProposed, step: &Candidate, question: Question<'_>) -> Option<Wait> {
    let Question { facts, memory, requests, now, .. } = question;
    approval(plan, step, question)
        .or_else(|| halt(facts))
        .or_else(|| breaker(facts, step.side))
        .or_else(|| bucket(facts))
        .or_else(|| orders(facts, requests))
        .or_else(|| ground(plan, question))
        .or_else(|| cash(step, question))
        .or_else(|| {
            let hold = memory.wait(step.isin, now)?;
            Some(Wait {
                text: format!("The gate deferred the last order: {}.", hold.code),
                until: Some(hold.until),
            })
        })
        .or_else(|| venue(facts.venues.get(&step.mic), step, question.rules, now))
        .or_else(|| price_of_today(step, question))
}

/// A person may agree at any time; everything else is looked at afterwards.
fn approval(plan: &PlanProposed, step: &Candidate, question: Question<'_>) -> Option<Wait> {
    let Question { approvals, rules, now, .. } = question;
    if !rules.approval || approvals.covers(step, now) {
        return None;
    }
    let number = plan.steps.iter().find(|one| one.candidate == *step).map_or(1, |one| one.step);
    let plan_id = plan.plan_id;
    wait(&format!("A person must approve it: `steward plan approve {plan_id} {number}`, or skip it."))
}

fn halt(facts: &Facts) -> Option<Wait> {
    match &facts.halt {
        Some(halt) if !halt.halted => None,
        Some(_) => wait("Trading is halted."),
        None => wait("The gate has not said yet whether trading is halted."),
    }
}

/// Before the gate has spoken about the breaker it judges alone.
fn breaker(facts: &Facts, side: Side) -> Option<Wait> {
    match (facts.risk.as_ref()?.breaker, side) {
        (Breaker::Normal, _) | (Breaker::SellsBlocked, Side::Buy) => None,
        (Breaker::SellsBlocked, Side::Sell) => wait("After today's loss nothing is sold."),
        (Breaker::Halted, _) => wait("After today's loss nothing is traded."),
        (Breaker::Unknown, _) => wait("Today's loss cannot be judged."),
    }
}

fn bucket(facts: &Facts) -> Option<Wait> {
    let status = &facts.core.as_ref()?.status;
    if status == "active" { None } else { wait(&format!("The core is {status}.")) }
}

fn orders(facts: &Facts, requests: &Requests) -> Option<Wait> {
    if requests.is_open() {
        return wait("The last order asked for is not over.");
    }
    let state = facts.state.as_ref();
    let listed = state.is_some_and(|state| !state.open_orders.is_empty());
    if listed || !facts.orders.is_empty() {
        return wait("An order is open.");
    }
    if state.is_some_and(|state| requests.awaits_books(&state.state_id)) {
        return wait("The last fill is not in the books yet.");
    }
    None
}

/// The plan must still stand on what is true now: the holdings and the price of each of its steps. One that moved, and the
/// whole plan is another question.
fn ground(plan: &PlanProposed, Question { facts, rules, now, .. }: Question<'_>) -> Option<Wait> {
    let afresh = |text: String| {
        let until = Some(now.saturating_plus_ms(rules.settle_ms.max(1)));
        Some(Wait { text, until })
    };
    if facts.state.as_ref().is_none_or(|state| state.state_id != plan.state_id) {
        return afresh("The holdings changed; everything is planned afresh.".into());
    }
    for PlanStep { candidate, .. } in &plan.steps {
        let isin = candidate.isin;
        let Some(known) = facts.quotes.get(&isin) else {
            return afresh(format!("{isin} has no price any more; everything is planned afresh."));
        };
        let security = facts.universe.as_ref().and_then(|universe| universe.find(&isin));
        let is_good = security.is_some_and(|security| {
            let age_max_ms = rules.price_age_max_ms;
            price_age::is_good_to_plan(&facts.calendars, security, &known.quote, age_max_ms, now)
        });
        if known.quote.suspect || !is_good {
            return afresh(format!(
                "The price of {isin} is too old or doubtful; everything is planned afresh."
            ));
        }
        if known.quote.ccy != candidate.ccy || !price::fits(candidate.price_e6, known.quote.price_e6) {
            return afresh(format!("The price of {isin} moved more than 1 %; everything is planned afresh."));
        }
    }
    None
}

/// What is there must pay for it now; what other steps bring in is not there.
fn cash(step: &Candidate, question: Question<'_>) -> Option<Wait> {
    if step.side == Side::Sell || is_paid(step, question) {
        return None;
    }
    // Other cash is another state, and a state is heard.
    wait(&format!("The {} that may be spent do not pay for it yet.", step.ccy))
}

/// Whether cash pays for a purchase now, without the reserve: that of its own currency, and EUR where they can be exchanged.
fn is_paid(step: &Candidate, Question { facts, rules, now, .. }: Question<'_>) -> bool {
    let Some(state) = &facts.state else { return false };
    let Ok(purses) = purses_of(facts, rules, state, now) else { return false };
    let needed = step.value_eur.e4().saturating_add(step.cost_eur.e4());
    let terms = exchange_cost::terms(facts, rules, step.ccy, now);
    needed <= purses.with_exchange(step.ccy, terms.as_ref()).e4()
}

/// What was planned with a closing price waits for one of this session.
fn price_of_today(step: &Candidate, Question { facts, rules, now, .. }: Question<'_>) -> Option<Wait> {
    let quote = &facts.quotes.get(&step.isin)?.quote;
    if price_age::is_good_to_trade(quote, rules.price_age_max_ms, now) {
        return None;
    }
    // A price that is the same as before is no news, so this looks again by itself.
    Some(Wait {
        text: format!("Its price is of {}; a newer one must come first.", quote.at),
        until: Some(now.saturating_plus_ms(MINUTE_MS)),
    })
}

/// Open for long enough, and known to be open still.
fn venue(known: Option<&KnownVenue>, step: &Candidate, rules: &Rules, now: Timestamp) -> Option<Wait> {
    let Some(known) = known else { return wait(&format!("Nobody knows when {} is open.", step.mic)) };
    let (venue, passed_ms) = (&known.venue, now.since(known.said).max(0));
    let pause_ms = rules.opening_pause_min.saturating_mul(MINUTE_MS);
    if !venue.open {
        let text = format!("{} is closed ({}).", venue.mic, venue.reason);
        let until = venue.next_change.map(|change| change.saturating_plus_ms(pause_ms));
        return Some(Wait { text, until });
    }
    let (Some(since), Some(left)) = (venue.since_open_min, venue.until_close_min) else {
        return wait(&format!("Nobody knows since when or until when {} is open.", venue.mic));
    };
    let missing_ms = pause_ms.saturating_sub(since.saturating_mul(MINUTE_MS)).saturating_sub(passed_ms);
    if missing_ms > 0 {
        let text = format!("{} has not been open for {} minutes.", venue.mic, rules.opening_pause_min);
        return Some(Wait { text, until: Some(now.saturating_plus_ms(missing_ms)) });
    }
    if left.saturating_mul(MINUTE_MS) <= passed_ms {
        return wait(&format!("{} is about to close.", venue.mic));
    }
    None
}

fn wait(text: &str) -> Option<Wait> {
    Some(Wait { text: text.to_string(), until: None })
}
