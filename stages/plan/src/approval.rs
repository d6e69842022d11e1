//! What a person has agreed to, where every order waits for one (`plan.require_approval`).
//!
//! An approval names a step of the plan as it stands and holds for 24 hours. It covers the same side of the same security
//! for no more pieces, at a limit at most 1 % away from the one that was approved; so it outlives a plan that is made anew
//! from fresh prices, and covers nothing that a person has not seen. The exchange that pays for an approved purchase is
//! part of it. The first fill uses it up. Approval only ends the wait: the planner and the gate judge the step afterwards
//! like any other.
//!
//! Worked example: approved is buying 10 at 50.00; buying 9 at 50.40 is covered, 11 at 50.00 and 10 at 50.60 are not.

use std::collections::BTreeMap;

use bus_client::Out;
use contracts::{ApproveStep, Candidate, Id, Outcome, PlanStep, Received, Side, SkipStep};
use market::{Isin, Timestamp};
use money::{Currency, Price, Quantity};

use crate::{choose, limits::APPROVAL_LIFE_MS, memory::Hold, price, run::names, stage::Plan, store::Save};

/// Code of a security that a person has left out.
pub const SKIPPED: &str = "skipped";

/// One step that a person agreed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Security.
    pub isin: Isin,
    /// Buy or sell.
    pub side: Side,
    /// How many at most.
    pub qty_e6: Quantity,
    /// Its limit.
    pub price_e6: Price,
    /// Of the price.
    pub ccy: Currency,
    /// Of which plan.
    pub plan_id: Id,
    /// Which of its steps.
    pub step: u16,
    /// Who.
    pub actor: String,
    /// End.
    pub until: Timestamp,
}

impl Approval {
    /// Whether a step is what was agreed to, or less of it.
    #[must_use]
    pub fn covers(&self, step: &Candidate, now: Timestamp) -> bool {
        (self.isin, self.side, self.ccy) == (step.isin, step.side, step.ccy)
            && step.qty_e6 <= self.qty_e6
            && price::fits(step.price_e6, self.price_e6)
            && now < self.until
    }
}

/// All that hold; the newest of each security and side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Approvals {
    given: BTreeMap<(Isin, Side), Approval>,
}

impl Approvals {
    /// Takes one that is new or comes from the store.
    pub fn add(&mut self, approval: Approval) {
        self.given.insert((approval.isin, approval.side), approval);
    }

    /// Ends that of a security and side; tells whether there was one.
    pub fn end(&mut self, isin: Isin, side: Side) -> bool {
        self.given.remove(&(isin, side)).is_some()
    }

    /// Whether a person agreed to a step.
    #[must_use]
    pub fn covers(&self, step: &Candidate, now: Timestamp) -> bool {
        self.given.get(&(step.isin, step.side)).is_some_and(|approval| approval.covers(step, now))
    }
}

/// Why a command about a step is refused: a code and a sentence.
type No = (&'static str, String);

impl Plan {
    /// Agrees to a step; what it waits for otherwise stays.
    pub(crate) fn approve_step(
        &mut self,
        heard: &Received<ApproveStep>,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        let Some(ask) = &heard.body else { return };
        let done = self.step_of(ask.plan_id, ask.step).and_then(|step| {
            if !self.rules.approval {
                return Err((
                    "not_needed",
                    "No plan waits for a person: plan.require_approval is off.".into(),
                ));
            }
            let Candidate { isin, side, qty_e6, price_e6, ccy, .. } = step.candidate;
            let until = now.saturating_plus_ms(APPROVAL_LIFE_MS);
            let (plan_id, actor) = (ask.plan_id, ask.actor.clone());
            let approval =
                Approval { isin, side, qty_e6, price_e6, ccy, plan_id, step: ask.step, actor, until };
            self.approvals.add(approval.clone());
            out.save(Save::Approved { approval, now });
            self.due_by(now);
            self.because = "A person approved a step.".into();
            self.cause.clone_from(&heard.meta);
            let words = choose::in_words(&step.candidate, &names(&self.facts));
            Ok(format!("Approved until {until}: {words} at {price_e6} {ccy}. The gate still judges it."))
        });
        answer(heard, done, out);
    }

    /// Leaves a step out: its security is not planned with for a day.
    pub(crate) fn skip_step(&mut self, heard: &Received<SkipStep>, now: Timestamp, out: &mut Out<Self>) {
        let Some(ask) = &heard.body else { return };
        let done = self.step_of(ask.plan_id, ask.step).map(|step| {
            let Candidate { isin, side, .. } = step.candidate;
            let until = now.saturating_plus_ms(APPROVAL_LIFE_MS);
            self.hold(Hold { scope: isin.to_string(), code: SKIPPED.into(), blocks: true, until }, now, out);
            self.disapprove(isin, side, out);
            self.due_by(now);
            self.because = "A person skipped a step.".into();
            self.cause.clone_from(&heard.meta);
            let words = choose::in_words(&step.candidate, &names(&self.facts));
            format!("Skipped until {until}: {words}. Everything is planned afresh without it.")
        });
        answer(heard, done, out);
    }

    /// Ends an approval.
    pub(crate) fn disapprove(&mut self, isin: Isin, side: Side, out: &mut Out<Self>) {
        if self.approvals.end(isin, side) {
            out.save(Save::NotApproved(isin, side));
        }
    }

    /// The step that a person means, while it can still be decided on.
    fn step_of(&self, plan_id: Id, number: u16) -> Result<PlanStep, No> {
        let Some(plan) = self.plan.as_ref().filter(|plan| plan.plan_id == plan_id) else {
            let text = "There is no such plan any more; look at the present one with `steward plan show`.";
            return Err(("plan_replaced", text.into()));
        };
        let Some(step) = plan.steps.iter().find(|step| step.step == number) else {
            let text = format!("The plan has {} steps and no step {number}.", plan.steps.len());
            return Err(("no_such_step", text));
        };
        match step.order_id {
            Some(id) => Err(("already_asked", format!("Its order {id} has been asked for already."))),
            None => Ok(step.clone()),
        }
    }
}

fn answer<B>(heard: &Received<B>, done: Result<String, No>, out: &mut Out<Plan>) {
    let meta = heard.meta.as_ref();
    match done {
        Ok(text) => {
            out.decided(text.clone());
            out.answer(meta, Outcome::Done, None, text, serde_json::Value::Null);
        }
        Err((code, text)) => {
            out.answer(meta, Outcome::Refused, Some(code), text, serde_json::Value::Null);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::Sample;

    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_000);

    fn step(side: Side, pieces: i64, price: &str) -> Candidate {
        Candidate {
            side,
            qty_e6: Quantity::from_units(pieces).unwrap(),
            price_e6: price.parse().unwrap(),
            ..Candidate::sample()
        }
    }

    fn approval() -> Approval {
        let Candidate { isin, side, qty_e6, price_e6, ccy, .. } = step(Side::Buy, 10, "50");
        let (plan_id, actor) = (Id::derive(NOW, &["plan"]), "steward".into());
        Approval {
            isin,
            side,
            qty_e6,
            price_e6,
            ccy,
            plan_id,
            step: 1,
            actor,
            until: NOW.saturating_plus_ms(9),
        }
    }

    #[test]
    fn an_approval_covers_the_step_or_less_of_it_and_nothing_else() {
        for (side, pieces, price, covered) in [
            (Side::Buy, 10, "50", true),
            (Side::Buy, 9, "50.5", true),
            (Side::Buy, 10, "49.5", true),
            (Side::Buy, 11, "50", false),
            (Side::Buy, 10, "50.51", false),
            (Side::Buy, 10, "49.49", false),
            (Side::Sell, 10, "50", false),
        ] {
            assert_eq!(
                approval().covers(&step(side, pieces, price), NOW),
                covered,
                "{side:?} {pieces} {price}"
            );
        }
        let dollars = Candidate { ccy: Currency::USD, ..step(Side::Buy, 10, "50") };
        assert!(!approval().covers(&dollars, NOW));
    }

    #[test]
    fn an_approval_ends_at_its_time_and_once_it_is_used() {
        let mut approvals = Approvals::default();
        approvals.add(approval());
        let wanted = step(Side::Buy, 10, "50");
        assert!(approvals.covers(&wanted, NOW.saturating_plus_ms(8)));
        assert!(!approvals.covers(&wanted, NOW.saturating_plus_ms(9)));
        assert!(!approvals.end(wanted.isin, Side::Sell));
        assert!(approvals.end(wanted.isin, Side::Buy) && !approvals.covers(&wanted, NOW));
    }
}
