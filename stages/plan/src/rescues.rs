//! The rescue as part of the stage: when it looks, what it asks for, what it says.

use bus_client::Out;
use contracts::{
    Breaker, ConfigUsed, Finite, Grounds, Id, OrderKind, OrderRequested, PlanKind, PlanProposed, PlanStep,
    PortfolioState, Side, pair_ticker,
};
use market::{Isin, Timestamp};
use money::{Currency, Money, Quantity, Rate, Rounding};

use crate::{
    facts::CORE,
    limits::PLAN_LIFE_MS,
    price,
    requests::{Request, Stage},
    rescue::{
        act::{self, Step},
        exchange::Leg,
        proposal::{self, Asked},
        watch::{Now, Verdict},
    },
    snapshot::{NoGround, Snapshot, Usable, rate_of, targets_in_force},
    stage::Plan,
    store::Save,
};

impl Plan {
    /// Looks at balances after every reading of the account; a debt that may be acted on makes a run due.
    pub(crate) fn watch_balances(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let Some(state) = self.facts.state.clone() else { return };
        let first = self.watch.first();
        let verdict = self.look_at(&state, now);
        if self.watch.first() != first {
            out.save(Save::OwedSince(self.watch.first()));
        }
        match verdict {
            Verdict::Fine => self.rescue_says(None, out),
            Verdict::Wait(why, until) => {
                self.rescue_says(Some(format!("A balance is negative: {why}.")), out);
                if let Some(until) = until {
                    self.due_by(until.max(now.saturating_plus_ms(1)));
                }
            }
            Verdict::Act => self.due_by(now),
        }
    }

    fn look_at(&mut self, state: &PortfolioState, now: Timestamp) -> Verdict {
        let orders_open = self.requests.is_open()
            || !self.facts.orders.is_empty()
            || self.requests.awaits_books(&state.state_id);
        let halted = self.facts.halt.as_ref().is_none_or(|halt| halt.halted);
        let breaker =
            if halted { Some(Breaker::Halted) } else { self.facts.risk.as_ref().map(|risk| risk.breaker) };
        let rate = |ccy: Currency| rate_of(&self.facts, &self.rules, ccy, now).ok();
        self.watch.look(Now { state, orders_open, breaker, now }, rate)
    }

    /// Takes the next step of a rescue, if one is due; true while an order of one is open. Nothing else is planned then:
    /// nobody knows yet what the fund will hold.
    pub(crate) fn rescue(&mut self, now: Timestamp, out: &mut Out<Self>) -> bool {
        if self.rescue_goes_on(now, out) {
            return true;
        }
        let Some(state) = self.facts.state.clone() else { return false };
        if self.look_at(&state, now) != Verdict::Act {
            return false;
        }
        if self.rules.approval {
            let debt = self.debt();
            let says = format!(
                "A balance is negative: {debt} is owed, and nothing is done about it while plan.require_approval is on; \
                 exchange or sell at the broker, or switch it off."
            );
            self.rescue_says(Some(says), out);
            return false;
        }
        // Rare enough that a copy of everything costs nothing.
        let (facts, memory, dividends) = (self.facts.clone(), self.memory.clone(), self.dividends.clone());
        let (rules, environment) = (self.rules.clone(), self.environment.clone());
        let rate = |ccy| rate_of(&facts, &rules, ccy, now).ok();
        // Exchanges need balances and rates, sales a fund with a value and securities with prices; neither needs targets.
        let mut ground = None;
        let is_ours = state.environment == environment;
        let foreign = || NoGround::OtherEnvironment(state.environment.clone()).to_string();
        let plan = if is_ours { act::exchanges(&state, &rules, rate) } else { Err(foreign()) };
        let step = plan.and_then(|plan| {
            if !plan.legs.is_empty() {
                return Ok(Step::Exchange(plan.legs));
            }
            if !plan.sale_need_eur.is_positive() {
                return Ok(Step::Uncovered(Money::zero(Currency::EUR)));
            }
            let taken = Snapshot::take(&facts, (&memory, &dividends), &rules, &environment, now);
            let snapshot = ground.insert(taken.map_err(|why| why.to_string())?);
            let open =
                |usable: &Usable<'_>| act::is_open(facts.venues.get(&usable.security.mic), &rules, now);
            act::sale(snapshot, plan.sale_need_eur, open, &self.rescued)
        });
        let debt = self.debt();
        let mut found = None;
        let says = match step {
            Ok(Step::Exchange(legs)) => {
                let reason = format!("{debt} is owed.");
                let incident = Id::derive(state.at, &["rescue", &state.state_id, &debt]);
                // One at a time: the first that can be asked for. What another one waits for is no reason to wait too.
                let mut asked = None;
                for leg in &legs {
                    let ask = (leg.pair, leg.side, leg.units);
                    match self.exchange(ask, (incident, OrderKind::Emergency, &reason), now, out) {
                        Ok(one) => {
                            asked = Some(Ok(format!("{}{}", one.words, further(&legs, leg))));
                            found = Some(one);
                            break;
                        }
                        Err(wait) => asked = asked.or(Some(Err(wait))),
                    }
                }
                match asked {
                    Some(Ok(words)) => format!("{debt} is owed, and {words}"),
                    Some(Err(wait)) => {
                        if let Some(until) = wait.until {
                            self.due_by(until);
                        }
                        format!("{debt} is owed, and {}", wait.text)
                    }
                    None => format!("{debt} is owed"),
                }
            }
            Ok(Step::Sell(isin, quantity)) => {
                let asked = ground.and_then(|ground| self.sell_for(isin, quantity, &debt, &ground, now, out));
                match asked {
                    Some(one) => {
                        let says = format!("{debt} is owed, and {}", one.words);
                        found = Some(one);
                        says
                    }
                    None => format!("{debt} is owed, and nothing can be sold for it now"),
                }
            }
            Ok(Step::Later(then)) => {
                self.due_by(then);
                format!("{debt} is owed; the next sale may be asked for at {then}")
            }
            Ok(Step::Uncovered(left)) => format!("{debt} is owed, and nothing can be sold for {left} of it"),
            Err(why) => format!("{debt} is owed, and nothing is done: {why}"),
        };
        let says = format!("A balance is negative: {says}.");
        self.rescue_says(Some(says.clone()), out);
        let Some(found) = found else { return false };
        let config = ConfigUsed { name: self.terms.name.clone(), hash: self.terms.hash.clone() };
        let plan = proposal::plan(&found, &says, config, std::mem::take(&mut self.because));
        out.save(Save::Plan(Box::new(plan.clone())));
        out.say(plan.clone());
        // What was being scored rests on balances that are about to change.
        self.round = None;
        self.plan = Some(plan);
        true
    }

    /// Says the plan of a rescue again while its order is open, to whoever asked for a plan.
    fn rescue_goes_on(&mut self, now: Timestamp, out: &mut Out<Self>) -> bool {
        let requests = &self.requests;
        let is_open = |step: &PlanStep| step.order_id.is_some_and(|id| !requests.has_ended(id));
        let plan = self.plan.as_mut().filter(|plan| plan.kind == PlanKind::Rescue);
        let Some(plan) = plan.filter(|plan| plan.steps.iter().any(is_open)) else { return false };
        if plan.expires <= now {
            plan.expires = now.saturating_plus_ms(PLAN_LIFE_MS);
        }
        out.say(plan.clone());
        self.because.clear();
        true
    }

    fn debt(&self) -> String {
        self.watch.owed().values().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
    }

    fn sell_for(
        &mut self,
        isin: Isin,
        quantity: Quantity,
        debt: &str,
        ground: &Snapshot<'_>,
        now: Timestamp,
        out: &mut Out<Self>,
    ) -> Option<Asked> {
        let usable = ground.usable.iter().find(|usable| usable.security.isin == isin)?;
        let security = usable.security;
        let limit = price::limit(Side::Sell, usable.quote, security.tick_e6).ok()?;
        let value = money::value(limit, quantity, security.ccy, Rounding::Down).ok()?;
        let value_eur = money::to_eur(value, usable.rate, Rounding::Down).ok()?;
        let state_id = ground.state.state_id.clone();
        // The same holdings and the same debt are the same incident, and ask once.
        let plan_id = Id::derive(ground.state.at, &["rescue", &state_id, debt]);
        let order_id = Id::derive(ground.state.at, &["order", &plan_id.to_string(), CORE, "1"]);
        let scored = |score: fn(&PlanProposed) -> Finite| self.plan.as_ref().map_or(Finite::ZERO, score);
        let known = self.facts.quotes.get(&isin)?;
        let order = OrderRequested {
            order_id,
            plan_id,
            step: 1,
            bucket_id: CORE.into(),
            kind: OrderKind::Emergency,
            side: Side::Sell,
            isin,
            mic: security.mic,
            qty_e6: quantity,
            limit_price_e6: limit,
            ccy: security.ccy,
            value_eur,
            fee_eur: limits::commission(value_eur, &self.rules.costs, Rate::ONE).ok()?,
            stop_loss: false,
            state_id: state_id.clone(),
            at: now,
            reason: format!("{debt} is owed and no exchange covers it."),
            grounds: Grounds {
                quote: known.id,
                quote_price_e6: known.quote.price_e6,
                quote_at: known.quote.at,
                score: Some(usable.score),
                // Old targets are not followed: what share it should have is not known then.
                target_e6: targets_in_force(&self.facts, now).map(|_| usable.target),
                current_e6: None,
                score_unchanged: scored(|plan| plan.score_unchanged),
                score_after: scored(|plan| plan.score_after),
            },
        };
        let words = format!("{quantity} {} are sold for it", security.ticker);
        out.decided(format!("Asks to sell {quantity} {}: {}", security.ticker, order.reason));
        out.save(Save::Asked(Box::new(order.clone())));
        out.say(order.clone());
        self.requests.add(Request { order_id, state_id, stage: Stage::Asked, since: now });
        self.rescued.push(now);
        Some(Asked { order, rate: usable.rate, words })
    }

    fn rescue_says(&mut self, sentence: Option<String>, out: &mut Out<Self>) {
        if self.troubles.balance != sentence {
            self.troubles.balance = sentence;
            self.troubles.tell(out);
        }
    }
}

/// The exchanges that are still to be made after one, in words.
fn further(legs: &[Leg], asked: &Leg) -> String {
    let others = legs.iter().filter(|leg| (leg.pair, leg.side) != (asked.pair, asked.side));
    let words = others.map(|leg| {
        let verb = if leg.side == limits::Side::Buy { "bought" } else { "sold" };
        format!(", then about {} {} are {verb}", leg.units, pair_ticker(leg.pair.base, leg.pair.quote))
    });
    words.collect()
}
