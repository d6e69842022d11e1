//! One sequence of trades, walked through and scored.
//!
//! Everything that is the same for all sequences of a context is formed once ([`Prepared`]); a sequence changes only
//! what it touches, in buffers that one [`Walker`] uses for all. Its score depends on the context and the sequence alone.
//!
//! A sale brings its value less commission; one of more than is held, by at most 1 %, sells what is held. A purchase
//! needs its value and commission in its currency; what is missing is exchanged from EUR, for a fee and with room for the
//! rate to move, where the currency can be had for EUR at all. Nothing else is ever exchanged: what a sale brings in another
//! currency pays for purchases in that currency only.
//! At the end no purchase may leave a position, a country or an industry above its limit.

use contracts::{PlanContext, Side};

use crate::{
    limits::{ACTIONS_MAX, DUST, NANO_PER_EUR},
    score::{self, State, to_f64},
    start::{BadContext, Move, Start, part_down},
};

/// Why a sequence cannot be carried out; the first that is met counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Infeasible {
    /// More actions than any plan has.
    TooLong,
    /// It names a candidate that the context does not have, or one with an impossible amount.
    BadIndex,
    /// It names a security twice.
    Repeated,
    /// It buys two securities that move too much alike.
    Alike,
    /// It sells more than is held.
    Position,
    /// A purchase costs more than the cash at that step.
    Cash,
    /// A position would be too large a part of the fund.
    PositionLimit,
    /// A country would be.
    CountryLimit,
    /// An industry would be.
    IndustryLimit,
}

impl Infeasible {
    /// The code that a result counts it under.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Infeasible::TooLong => "too_long",
            Infeasible::BadIndex => "bad_index",
            Infeasible::Repeated => "duplicate_symbol",
            Infeasible::Alike => "alike",
            Infeasible::Position => "position",
            Infeasible::Cash => "cash",
            Infeasible::PositionLimit => "position_limit",
            Infeasible::CountryLimit => "country_limit",
            Infeasible::IndustryLimit => "industry_limit",
        }
    }
}

/// A sequence's end. Amounts are in 1/1 000 000 000 EUR.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// 0 to 1.
    pub score: f64,
    /// The same before costs.
    pub before_costs: f64,
    /// Commission and conversions.
    pub cost: i64,
    /// Estimated spread and slippage.
    pub impact: i64,
    /// Spendable cash left.
    pub cash: i64,
}

/// What a score is made of, each 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parts {
    /// Expected total return.
    pub total_return: f64,
    /// Long-term promise.
    pub promise: f64,
    /// Stability.
    pub stability: f64,
    /// Diversification.
    pub diversification: f64,
    /// Dividends.
    pub dividend: f64,
    /// Quality.
    pub quality: f64,
}

/// A context with everything that is the same for all its sequences.
#[derive(Debug, Clone)]
pub struct Prepared {
    start: Start,
    coefficients: Vec<f64>,
    cash_coefficient: f64,
    linear: f64,
    income: f64,
    invested: i64,
    /// Cash that no purchase may use: the reserve and what is promised to orders.
    idle: i64,
    groups: Vec<i64>,
    concentrations: Vec<i64>,
}

impl Prepared {
    /// Forms the sums of a context.
    ///
    /// # Errors
    /// [`BadContext`]: no total, another currency than EUR, or figures out of range.
    pub fn of(context: &PlanContext) -> Result<Prepared, BadContext> {
        Ok(Prepared::from(Start::of(context)?))
    }

    /// The score of doing nothing.
    #[must_use]
    pub fn unchanged(&self) -> f64 {
        self.walker().simulate(&[]).map_or(0.0, |outcome| outcome.score)
    }

    /// Buffers to walk sequences with.
    #[must_use]
    pub fn walker(&self) -> Walker<'_> {
        Walker {
            prepared: self,
            values: self.start.holdings.iter().map(|held| held.value).collect(),
            cash: self.start.cash.clone(),
            groups: self.groups.clone(),
            concentrations: self.concentrations.clone(),
            touched: Vec::with_capacity(ACTIONS_MAX),
        }
    }

    fn a_move(&self, index: u16) -> Result<Move, Infeasible> {
        self.start.moves.get(usize::from(index)).copied().flatten().ok_or(Infeasible::BadIndex)
    }
}

impl From<Start> for Prepared {
    fn from(start: Start) -> Prepared {
        let invested = start.holdings.iter().map(|held| held.value).sum();
        let spendable: i64 = start.cash.iter().sum();
        let coefficients: Vec<f64> =
            start.holdings.iter().map(|held| score::coefficient(held, &start.weights)).collect();
        let mut groups = vec![0; start.targets.len()];
        let mut concentrations: Vec<i64> = start.concentrations.iter().map(|limit| limit.elsewhere).collect();
        let (mut linear, mut income) = (0.0, 0.0);
        for (held, coefficient) in start.holdings.iter().zip(&coefficients) {
            linear += coefficient * to_f64(held.value);
            income += held.dividend_yield * to_f64(held.value);
            if let Some(group) = held.group {
                groups[group] += held.value;
            }
            for (place, share_e6) in &held.counts_in {
                concentrations[*place] += part_down(held.value, *share_e6);
            }
        }
        Prepared {
            cash_coefficient: score::cash_coefficient(&start.weights),
            coefficients,
            linear,
            income,
            invested,
            idle: start.total - invested - spendable,
            groups,
            concentrations,
            start,
        }
    }
}

/// Walks sequences, one after the other, without allocating.
#[derive(Debug)]
pub struct Walker<'a> {
    prepared: &'a Prepared,
    values: Vec<i64>,
    cash: Vec<i64>,
    groups: Vec<i64>,
    concentrations: Vec<i64>,
    touched: Vec<usize>,
}

/// What a walk costs.
#[derive(Debug, Clone, Copy, Default)]
struct Paid {
    cost: i64,
    impact: i64,
}

impl Walker<'_> {
    /// Walks one sequence, which must not name a security twice, and scores its end.
    ///
    /// # Errors
    /// [`Infeasible`]: why it cannot be carried out.
    pub fn evaluate(&mut self, actions: &[u16]) -> Result<Outcome, Infeasible> {
        for (place, index) in actions.iter().enumerate() {
            let held = self.prepared.a_move(*index)?.held;
            if actions[..place]
                .iter()
                .any(|other| self.prepared.a_move(*other).is_ok_and(|one| one.held == held))
            {
                return Err(Infeasible::Repeated);
            }
        }
        self.simulate(actions)
    }

    /// The same for any sequence.
    ///
    /// # Errors
    /// [`Infeasible`].
    pub fn simulate(&mut self, actions: &[u16]) -> Result<Outcome, Infeasible> {
        let outcome = self.walk(actions).and_then(|paid| {
            self.within_limits()?;
            Ok(self.scored(paid))
        });
        self.back_to_start();
        outcome
    }

    /// What the score of a feasible sequence is made of; slower, for the few that are shown.
    ///
    /// # Errors
    /// [`Infeasible`].
    pub fn parts(&mut self, actions: &[u16]) -> Result<Parts, Infeasible> {
        let parts = self.walk(actions).map(|paid| self.taken_apart(paid));
        self.back_to_start();
        parts
    }

    /// Values of all holdings after a sequence, in the order of the context.
    ///
    /// # Errors
    /// [`Infeasible`].
    pub fn end(&mut self, actions: &[u16]) -> Result<Vec<i64>, Infeasible> {
        let values = self.walk(actions).map(|_| self.values.clone());
        self.back_to_start();
        values
    }

    fn walk(&mut self, actions: &[u16]) -> Result<Paid, Infeasible> {
        if actions.len() > ACTIONS_MAX {
            return Err(Infeasible::TooLong);
        }
        let apart = &self.prepared.start.apart;
        if apart.iter().any(|pair| pair.iter().all(|one| actions.contains(one))) {
            return Err(Infeasible::Alike);
        }
        let mut paid = Paid::default();
        for index in actions {
            let step = self.prepared.a_move(*index)?;
            match step.side {
                Side::Sell => self.sell(step, &mut paid)?,
                Side::Buy => self.buy(step, &mut paid)?,
            }
        }
        Ok(paid)
    }

    fn sell(&mut self, step: Move, paid: &mut Paid) -> Result<(), Infeasible> {
        let have = self.values[step.held];
        if have <= 0 || (step.value > have && step.value - have > have / 100) {
            return Err(Infeasible::Position);
        }
        let value = step.value.min(have);
        let commission = self.pay(value, paid);
        let purse = &mut self.cash[step.cash];
        *purse += value - commission;
        if *purse < 0 {
            return Err(Infeasible::Cash);
        }
        let left = have - value;
        self.set(step.held, if left <= DUST { 0 } else { left });
        Ok(())
    }

    fn buy(&mut self, step: Move, paid: &mut Paid) -> Result<(), Infeasible> {
        let commission = self.pay(step.value, paid);
        let needed = step.value + commission;
        let missing = needed - self.cash[step.cash];
        if missing > 0 {
            paid.cost += self.exchange(step.cash, missing)?;
        }
        self.cash[step.cash] -= needed;
        self.set(step.held, self.values[step.held] + step.value);
        Ok(())
    }

    fn pay(&self, value: i64, paid: &mut Paid) -> i64 {
        let costs = &self.prepared.start.costs;
        let commission = costs.commission(value);
        paid.cost += commission;
        paid.impact += costs.impact(value);
        commission
    }

    /// Exchanges EUR for what is missing of another currency; gives the fee.
    fn exchange(&mut self, into: usize, missing: i64) -> Result<i64, Infeasible> {
        let start = &self.prepared.start;
        let (Some(exchange), Some(euros)) = (start.exchanges[into], start.euros) else {
            return Err(Infeasible::Cash);
        };
        let (exchanged, fee) = exchange.of(missing);
        if self.cash[euros] < exchanged + fee {
            return Err(Infeasible::Cash);
        }
        self.cash[euros] -= exchanged + fee;
        self.cash[into] += exchanged;
        Ok(fee)
    }

    fn set(&mut self, place: usize, value: i64) {
        if !self.touched.contains(&place) {
            self.touched.push(place);
        }
        let held = &self.prepared.start.holdings[place];
        let before = std::mem::replace(&mut self.values[place], value);
        if let Some(group) = held.group {
            self.groups[group] += value - before;
        }
        for (concentration, share_e6) in &held.counts_in {
            self.concentrations[*concentration] += part_down(value, *share_e6) - part_down(before, *share_e6);
        }
    }

    /// What a purchase has lifted must not be above its limit; what was above before may stay or fall.
    fn within_limits(&self) -> Result<(), Infeasible> {
        let prepared = self.prepared;
        for place in &self.touched {
            let held = &prepared.start.holdings[*place];
            if self.values[*place] <= held.value {
                continue;
            }
            if self.values[*place] > held.most {
                return Err(Infeasible::PositionLimit);
            }
            for (concentration, _) in &held.counts_in {
                let limit = &prepared.start.concentrations[*concentration];
                let now = self.concentrations[*concentration];
                if now > limit.most && now > prepared.concentrations[*concentration] {
                    let country = limit.is_country;
                    return Err(if country { Infeasible::CountryLimit } else { Infeasible::IndustryLimit });
                }
            }
        }
        Ok(())
    }

    fn scored(&self, paid: Paid) -> Outcome {
        let prepared = self.prepared;
        let (mut linear, mut income, mut invested) = (prepared.linear, prepared.income, prepared.invested);
        for place in &self.touched {
            let held = &prepared.start.holdings[*place];
            let moved = self.values[*place] - held.value;
            linear += prepared.coefficients[*place] * to_f64(moved);
            income += held.dividend_yield * to_f64(moved);
            invested += moved;
        }
        let cash: i64 = self.cash.iter().sum();
        let state = State {
            linear,
            income,
            cash: to_f64(prepared.idle + cash),
            total: to_f64(prepared.start.total - paid.cost),
            diversification: score::diversification(&self.groups, &prepared.start.targets, to_f64(invested)),
        };
        let weights = &prepared.start.weights;
        let before_costs = score::before_costs(&state, weights, prepared.cash_coefficient);
        let lost =
            prepared.start.costs.factor * to_f64(paid.cost + paid.impact) / to_f64(prepared.start.total);
        Outcome {
            score: (before_costs - lost).clamp(0.0, 1.0),
            before_costs,
            cost: paid.cost,
            impact: paid.impact,
            cash,
        }
    }

    fn taken_apart(&self, paid: Paid) -> Parts {
        let prepared = self.prepared;
        let holdings = || {
            let pairs = prepared.start.holdings.iter().zip(&self.values);
            pairs.map(|(held, value)| (held, to_f64(*value)))
        };
        let cash = to_f64(prepared.idle + self.cash.iter().sum::<i64>());
        let total = to_f64(prepared.start.total - paid.cost);
        let [total_return, promise, stability, quality] = score::means(holdings(), cash, total);
        let invested: i64 = self.values.iter().sum();
        let income: f64 = holdings().map(|(held, value)| held.dividend_yield * value).sum();
        Parts {
            total_return,
            promise,
            stability,
            diversification: score::diversification(&self.groups, &prepared.start.targets, to_f64(invested)),
            dividend: score::dividend(income / total),
            quality,
        }
    }

    fn back_to_start(&mut self) {
        let prepared = self.prepared;
        self.cash.copy_from_slice(&prepared.start.cash);
        self.groups.copy_from_slice(&prepared.groups);
        for place in self.touched.drain(..) {
            let held = &prepared.start.holdings[place];
            self.values[place] = held.value;
            for (concentration, _) in &held.counts_in {
                self.concentrations[*concentration] = prepared.concentrations[*concentration];
            }
        }
    }
}

/// An amount in the evaluator's unit as EUR, for people and tests.
#[must_use]
pub fn in_eur(amount: i64) -> f64 {
    to_f64(amount) / to_f64(NANO_PER_EUR)
}
