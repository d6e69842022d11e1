//! One sequence of trades, walked through and scored.
//!
//! With w = value / total of the context, the score of a state is
//!
//! ```text
//! before = Σ quality_s · w_s  +  0.34 · cash share  −  0.5 · Σ |w_s − target_s|
//! score  = clamp((before − costs / total + 1) / 2, 0, 1)
//! ```
//!
//! The sum lies between −1 and 1 and is moved to 0…1: a fund that is mostly cash must still see what improves it.
//!
//! Both sums are formed once per context; a sequence changes only the terms of the holdings it touches. The total is
//! the one of the start, so that an untouched holding keeps its weight. Cash is walked step by step in integers.
//!
//! Worked example: total 1 000, all cash, one security with quality 0.8 and target 0.3. Doing nothing:
//! 0.34 − 0.5 · 0.3 = 0.19, hence 0.595. Buying for 300 at cost 3: 0.8 · 0.3 + 0.34 · 0.697 − 0 − 0.003 = 0.47398, hence 0.737.

use std::collections::BTreeMap;

use thiserror::Error;

use contracts::{Candidate, PlanContext, Side};
use money::{Currency, Money};

use crate::limits::ACTIONS_MAX;

/// Worth of a unit of cash: a middling security without its risk.
const CASH_QUALITY: f64 = 0.34;
/// Price of each unit of distance from the targets.
const DISTANCE_WEIGHT: f64 = 0.5;

/// Why a sequence cannot be carried out, in order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Infeasible {
    /// More actions than any plan has.
    TooLong,
    /// It names a candidate that the context does not have, or one without a holding.
    BadIndex,
    /// It sells more than is held.
    Position,
    /// A purchase costs more than the cash at that step.
    Cash,
    /// A figure leaves its range.
    Overflow,
}

impl Infeasible {
    /// The code that a result counts it under.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Infeasible::TooLong => "too_long",
            Infeasible::BadIndex => "bad_index",
            Infeasible::Position => "position",
            Infeasible::Cash => "cash",
            Infeasible::Overflow => "overflow",
        }
    }
}

/// Why a context cannot be evaluated against.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadContext {
    /// Weights need something to be a part of.
    #[error("total_eur of context {0} is not above zero; plan must not ask about an empty fund")]
    NoTotal(String),
    /// Amounts of several currencies have no sum.
    #[error("an amount of context {0} is not in EUR; plan converts before it asks")]
    NotEur(String),
    /// The holdings are worth more than 64 bits hold.
    #[error("the sums of context {0} leave their range; its figures are implausible")]
    Overflow(String),
}

/// A sequence's end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// 0 to 1.
    pub score: f64,
    /// The same before costs.
    pub before_costs: f64,
    /// All costs.
    pub cost_eur: Money,
    /// Spendable cash left.
    pub cash_eur: Money,
}

/// A context with everything that is the same for all its sequences.
#[derive(Debug, Clone)]
pub struct Prepared {
    total: f64,
    /// Cash that purchases may use.
    spendable_e4: i64,
    /// All cash, the reserve too.
    cash_e4: i64,
    quality_sum: f64,
    distance_sum: f64,
    holdings: Vec<Held>,
    moves: Vec<Option<Move>>,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    value_e4: i64,
    target: f64,
    quality: f64,
}

#[derive(Debug, Clone, Copy)]
struct Move {
    held: usize,
    side: Side,
    value_e4: i64,
    cost_e4: i64,
    /// Proceeds in another currency cannot pay for a purchase in EUR.
    spendable: bool,
}

impl Prepared {
    /// Forms the sums of the start.
    ///
    /// # Errors
    /// [`BadContext`]: no total, another currency than EUR, or figures out of range.
    pub fn of(context: &PlanContext) -> Result<Prepared, BadContext> {
        let id = || context.context_id.clone();
        let amounts = [context.cash_eur, context.total_eur];
        let all = amounts.into_iter().chain(context.holdings.iter().map(|holding| holding.value_eur));
        if all.into_iter().any(|amount| amount.currency() != Currency::EUR) {
            return Err(BadContext::NotEur(id()));
        }
        if !context.total_eur.is_positive() {
            return Err(BadContext::NoTotal(id()));
        }
        let invested =
            Money::checked_sum(Currency::EUR, context.holdings.iter().map(|holding| holding.value_eur));
        let cash = invested
            .and_then(|invested| context.total_eur.checked_sub(invested))
            .map_err(|_| BadContext::Overflow(id()))?;
        let total = context.total_eur.to_f64();
        let holdings: Vec<Held> = context
            .holdings
            .iter()
            .map(|holding| Held {
                value_e4: holding.value_eur.e4(),
                target: holding.target_e6.to_f64(),
                quality: holding.quality.get(),
            })
            .collect();
        let mut prepared = Prepared {
            total,
            spendable_e4: context.cash_eur.e4(),
            cash_e4: cash.e4(),
            quality_sum: 0.0,
            distance_sum: 0.0,
            moves: moves(context),
            holdings,
        };
        for held in &prepared.holdings {
            prepared.quality_sum += held.quality * prepared.weight(held.value_e4);
            prepared.distance_sum += prepared.distance(held, held.value_e4);
        }
        Ok(prepared)
    }

    /// The score of doing nothing.
    #[must_use]
    pub fn unchanged(&self) -> f64 {
        clamp(self.before(self.quality_sum, self.distance_sum, self.cash_e4))
    }

    /// Walks one sequence and scores its end.
    ///
    /// # Errors
    /// [`Infeasible`]: why it cannot be carried out.
    pub fn evaluate(&self, actions: &[u16]) -> Result<Outcome, Infeasible> {
        if actions.len() > ACTIONS_MAX {
            return Err(Infeasible::TooLong);
        }
        let mut walk = Walk::start(self);
        for index in actions {
            let step = self.moves.get(usize::from(*index)).copied().flatten().ok_or(Infeasible::BadIndex)?;
            walk.take(self, step)?;
        }
        Ok(self.score(&walk))
    }

    fn score(&self, walk: &Walk) -> Outcome {
        let (mut quality, mut distance) = (self.quality_sum, self.distance_sum);
        for (place, value_e4) in walk.touched() {
            let held = &self.holdings[*place];
            quality += held.quality * (self.weight(*value_e4) - self.weight(held.value_e4));
            distance += self.distance(held, *value_e4) - self.distance(held, held.value_e4);
        }
        let before = self.before(quality, distance, walk.cash_e4);
        Outcome {
            score: clamp(before - self.weight(walk.cost_e4)),
            before_costs: clamp(before),
            cost_eur: Money::from_e4(walk.cost_e4, Currency::EUR),
            cash_eur: Money::from_e4(walk.spendable_e4, Currency::EUR),
        }
    }

    fn before(&self, quality: f64, distance: f64, cash_e4: i64) -> f64 {
        quality + CASH_QUALITY * self.weight(cash_e4) - DISTANCE_WEIGHT * distance
    }

    fn weight(&self, amount_e4: i64) -> f64 {
        Money::from_e4(amount_e4, Currency::EUR).to_f64() / self.total
    }

    fn distance(&self, held: &Held, value_e4: i64) -> f64 {
        (self.weight(value_e4) - held.target).abs()
    }
}

/// The candidates as moves; one without a holding or with impossible amounts becomes none.
fn moves(context: &PlanContext) -> Vec<Option<Move>> {
    let places: BTreeMap<_, _> =
        context.holdings.iter().enumerate().map(|(place, holding)| (holding.isin, place)).collect();
    let of = |candidate: &Candidate| {
        let amounts = [candidate.value_eur, candidate.cost_eur];
        if amounts.iter().any(|amount| amount.currency() != Currency::EUR || amount.is_negative()) {
            return None;
        }
        Some(Move {
            held: *places.get(&candidate.isin)?,
            side: candidate.side,
            value_e4: candidate.value_eur.e4(),
            cost_e4: candidate.cost_eur.e4(),
            spendable: candidate.ccy == Currency::EUR,
        })
    };
    context.candidates.iter().map(of).collect()
}

/// Where a sequence has got to: on the stack, one per sequence.
struct Walk {
    touched: [(usize, i64); ACTIONS_MAX],
    count: usize,
    spendable_e4: i64,
    cash_e4: i64,
    cost_e4: i64,
}

impl Walk {
    fn start(from: &Prepared) -> Walk {
        Walk {
            touched: [(0, 0); ACTIONS_MAX],
            count: 0,
            spendable_e4: from.spendable_e4,
            cash_e4: from.cash_e4,
            cost_e4: 0,
        }
    }

    fn touched(&self) -> &[(usize, i64)] {
        &self.touched[..self.count]
    }

    fn take(&mut self, from: &Prepared, step: Move) -> Result<(), Infeasible> {
        let Move { held, side, value_e4, cost_e4, spendable } = step;
        let overflow = Infeasible::Overflow;
        let slot = self.slot_of(from, held);
        let value = self.touched[slot].1;
        let (after, change) = match side {
            Side::Sell if value_e4 > value => return Err(Infeasible::Position),
            Side::Sell => (value.checked_sub(value_e4), value_e4.checked_sub(cost_e4)),
            Side::Buy => {
                let needed = value_e4.checked_add(cost_e4).ok_or(overflow)?;
                if needed > self.spendable_e4 {
                    return Err(Infeasible::Cash);
                }
                (value.checked_add(value_e4), needed.checked_neg())
            }
        };
        self.touched[slot].1 = after.ok_or(overflow)?;
        let change = change.ok_or(overflow)?;
        if spendable || side == Side::Buy {
            self.spendable_e4 = self.spendable_e4.checked_add(change).ok_or(overflow)?;
        }
        self.cash_e4 = self.cash_e4.checked_add(change).ok_or(overflow)?;
        self.cost_e4 = self.cost_e4.checked_add(cost_e4).ok_or(overflow)?;
        Ok(())
    }

    /// Where a holding's value at this step stands. A sequence touches no more holdings than it has actions.
    fn slot_of(&mut self, from: &Prepared, held: usize) -> usize {
        let known = self.touched().iter().position(|(place, _)| *place == held);
        known.unwrap_or_else(|| {
            self.touched[self.count] = (held, from.holdings[held].value_e4);
            self.count += 1;
            self.count - 1
        })
    }
}

fn clamp(sum: f64) -> f64 {
    f64::midpoint(sum, 1.0).clamp(0.0, 1.0)
}
