//! Where every sequence of a context starts from, in the evaluator's own units.
//!
//! Amounts are integers in 1/1 000 000 000 EUR: fine enough that a cost of 0.2 % loses nothing that a score could show,
//! and bounded so that no walk can leave 64 bits. Whatever does not fit is refused before the first sequence.

use std::collections::BTreeMap;

use thiserror::Error;

use contracts::{Candidate, Holding, PlanContext, Side};
use money::{Currency, Money};

use crate::limits::{EUR_MAX, NANO_PER_E4, NANO_PER_EUR};

/// Why a context cannot be evaluated against.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadContext {
    /// Weights need something to be a part of.
    #[error("total_eur of context {0} is not above zero; plan must not ask about an empty fund")]
    NoTotal(String),
    /// Amounts of several currencies have no sum.
    #[error("an amount of context {0} is not in EUR; plan converts before it asks")]
    NotEur(String),
    /// An amount or a sum beyond what a fund can be.
    #[error("an amount of context {0} is beyond {EUR_MAX} EUR; its figures are implausible")]
    TooLarge(String),
    /// A holding names a group or a concentration that is not there.
    #[error("a holding of context {0} names a group or concentration that the context does not have")]
    BadPlace(String),
}

/// The start of every sequence.
#[derive(Debug, Clone)]
pub struct Start {
    /// Holdings and all cash of the bucket.
    pub total: i64,
    /// Spendable cash by currency.
    pub cash: Vec<i64>,
    /// On what terms more of each is had for EUR.
    pub exchanges: Vec<Option<Exchange>>,
    /// Place of the EUR.
    pub euros: Option<usize>,
    /// Weights of the score's parts.
    pub weights: Weights,
    /// What trades cost.
    pub costs: Costs,
    /// Target of each group, where it has one.
    pub targets: Vec<Option<f64>>,
    /// Countries and industries with limits.
    pub concentrations: Vec<Limit>,
    /// Holdings, also those worth nothing yet.
    pub holdings: Vec<Held>,
    /// What sequences are made of; one that cannot be carried out is none.
    pub moves: Vec<Option<Move>>,
    /// Pairs of moves that are in no sequence together.
    pub apart: Vec<[u16; 2]>,
}

/// How much each part of the score counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// Expected total return.
    pub total_return: f64,
    /// Allocation, dividends and quality together.
    pub portfolio: f64,
    /// Long-term promise.
    pub promise: f64,
    /// Stability.
    pub stability: f64,
    /// A constant opinion of one half.
    pub opinion: f64,
}

/// What trades cost, and how much that counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Costs {
    /// Of every trade.
    pub fixed: i64,
    /// Of its value, in 1/1 000 000.
    pub percent_e6: i64,
    /// Spread and slippage, in 1/1 000 000 of the value.
    pub impact_e6: i64,
    /// Score lost per part of the fund.
    pub factor: f64,
}

/// What an exchange of EUR for a currency takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exchange {
    /// Of what is exchanged, in 1/1 000 000.
    pub fee_e6: i64,
    /// Smallest fee.
    pub least: i64,
    /// How much more is exchanged than is missing, in 1/1 000 000.
    pub room_e6: i64,
}

impl Exchange {
    /// What is exchanged where this much is missing, and the fee for it.
    #[must_use]
    pub fn of(&self, missing: i64) -> (i64, i64) {
        let exchanged = missing + part_up(missing, self.room_e6);
        (exchanged, part_up(exchanged, self.fee_e6).max(self.least))
    }
}

/// A country or an industry and the most that the fund may hold of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// Or an industry.
    pub is_country: bool,
    /// What other buckets hold of it.
    pub elsewhere: i64,
    /// The most of it.
    pub most: i64,
}

/// One holding.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// Worth at the start.
    pub value: i64,
    /// Expected total return.
    pub total_return: f64,
    /// Long-term promise.
    pub promise: f64,
    /// Stability.
    pub stability: f64,
    /// Dividend yield.
    pub dividend_yield: f64,
    /// Quality.
    pub quality: f64,
    /// Place of its group.
    pub group: Option<usize>,
    /// Places of its concentrations and how much of it counts there, in 1/1 000 000.
    pub counts_in: Vec<(usize, i64)>,
    /// The most it may be worth after a purchase.
    pub most: i64,
}

/// One trade.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Move {
    /// Place of its holding.
    pub held: usize,
    /// Buy or sell.
    pub side: Side,
    /// Worth of it.
    pub value: i64,
    /// Place of its currency's cash.
    pub cash: usize,
}

impl Costs {
    /// Commission of a trade of this value.
    #[must_use]
    pub fn commission(&self, value: i64) -> i64 {
        self.fixed + part_up(value, self.percent_e6)
    }

    /// Estimated spread and slippage of a trade of this value.
    #[must_use]
    pub fn impact(&self, value: i64) -> i64 {
        part_up(value, self.impact_e6)
    }
}

impl Start {
    /// Reads a context.
    ///
    /// # Errors
    /// [`BadContext`].
    pub fn of(context: &PlanContext) -> Result<Start, BadContext> {
        let id = || context.context_id.clone();
        let eur = |amount: Money| nano(amount).map_err(|reason| reason.of(id()));
        let total = eur(context.total_eur)?;
        if total <= 0 {
            return Err(BadContext::NoTotal(id()));
        }
        let nav = eur(context.nav_eur)?;
        let places: BTreeMap<_, _> =
            context.holdings.iter().enumerate().map(|(place, holding)| (holding.isin, place)).collect();
        let mut purses: Vec<Currency> = Vec::new();
        let (mut cash, mut exchanges) = (Vec::new(), Vec::new());
        for one in &context.cash {
            purses.push(one.ccy);
            cash.push(eur(one.value_eur)?);
            let terms = one.exchange.as_ref();
            let exchange = terms.map(|terms| {
                let (fee_e6, room_e6) = (terms.fee_e6.e6(), terms.room_e6.e6());
                Ok(Exchange { fee_e6, least: eur(terms.least_eur)?, room_e6 })
            });
            exchanges.push(exchange.transpose()?);
        }
        let moves = context
            .candidates
            .iter()
            .map(|candidate| {
                let held = places.get(&candidate.isin).copied()?;
                let purse = purses.iter().position(|ccy| *ccy == candidate.ccy).unwrap_or_else(|| {
                    purses.push(candidate.ccy);
                    cash.push(0);
                    exchanges.push(None);
                    purses.len() - 1
                });
                a_move(candidate, held, purse)
            })
            .collect();
        let limit = |one: &contracts::Concentration| {
            Ok(Limit {
                is_country: one.kind == "country",
                elsewhere: eur(one.elsewhere_eur)?,
                most: part_down(nav, one.limit_e6.e6()),
            })
        };
        let start = Start {
            total,
            cash,
            exchanges,
            euros: purses.iter().position(|ccy| *ccy == Currency::EUR),
            weights: Weights {
                total_return: context.weights.total_return.get(),
                portfolio: context.weights.portfolio.get(),
                promise: context.weights.promise.get(),
                stability: context.weights.stability.get(),
                opinion: context.weights.opinion.get(),
            },
            costs: Costs {
                fixed: eur(context.costs.fixed_eur)?,
                percent_e6: context.costs.percent_e6.e6(),
                impact_e6: context.costs.impact_e6.e6(),
                factor: context.costs.factor.get(),
            },
            targets: context
                .groups
                .iter()
                .map(|group| group.target_e6.map(|target| target.to_f64()))
                .collect(),
            concentrations: context.concentrations.iter().map(limit).collect::<Result<_, _>>()?,
            holdings: context
                .holdings
                .iter()
                .map(|holding| Ok(held(holding, eur(holding.value_eur)?, eur(holding.limit_eur)?)))
                .collect::<Result<_, _>>()?,
            moves,
            apart: context.apart.clone(),
        };
        start.check(id)?;
        Ok(start)
    }

    /// Sums and places must be right before anything is indexed or added without a check.
    fn check(&self, id: impl Fn() -> String) -> Result<(), BadContext> {
        let amounts = self.holdings.iter().map(|held| held.value).chain(self.cash.iter().copied());
        let sum: i128 = amounts.map(|amount| i128::from(amount.unsigned_abs())).sum();
        if sum > i128::from(EUR_MAX) * i128::from(NANO_PER_EUR) {
            return Err(BadContext::TooLarge(id()));
        }
        let misplaced = |held: &Held| {
            held.group.is_some_and(|group| group >= self.targets.len())
                || held.counts_in.iter().any(|(place, _)| *place >= self.concentrations.len())
        };
        if self.holdings.iter().any(misplaced) {
            return Err(BadContext::BadPlace(id()));
        }
        Ok(())
    }
}

fn held(holding: &Holding, value: i64, most: i64) -> Held {
    let constants = &holding.constants;
    Held {
        value,
        total_return: constants.total_return.get(),
        promise: constants.promise.get(),
        stability: constants.stability.get(),
        dividend_yield: constants.dividend_yield.get(),
        quality: constants.quality.get(),
        group: holding.group.map(usize::from),
        counts_in: holding.counts_in.iter().map(|one| (usize::from(one.place), one.share_e6.e6())).collect(),
        most,
    }
}

/// A candidate as a move; one with an impossible amount is none.
fn a_move(candidate: &Candidate, held: usize, cash: usize) -> Option<Move> {
    let value = nano(candidate.value_eur).ok().filter(|value| *value > 0)?;
    Some(Move { held, side: candidate.side, value, cash })
}

enum NotAnAmount {
    NotEur,
    TooLarge,
}

impl NotAnAmount {
    fn of(self, context_id: String) -> BadContext {
        match self {
            NotAnAmount::NotEur => BadContext::NotEur(context_id),
            NotAnAmount::TooLarge => BadContext::TooLarge(context_id),
        }
    }
}

fn nano(amount: Money) -> Result<i64, NotAnAmount> {
    if amount.currency() != Currency::EUR {
        return Err(NotAnAmount::NotEur);
    }
    let nano = amount.e4().checked_mul(NANO_PER_E4).ok_or(NotAnAmount::TooLarge)?;
    if nano.unsigned_abs() > EUR_MAX.unsigned_abs() * NANO_PER_EUR.unsigned_abs() {
        return Err(NotAnAmount::TooLarge);
    }
    Ok(nano)
}

/// A part in 1/1 000 000 of an amount, rounded up.
fn part_up(value: i64, part_e6: i64) -> i64 {
    narrow((i128::from(value) * i128::from(part_e6) + 999_999).div_euclid(1_000_000))
}

/// The same, rounded down.
pub(crate) fn part_down(value: i64, part_e6: i64) -> i64 {
    narrow((i128::from(value) * i128::from(part_e6)).div_euclid(1_000_000))
}

fn narrow(amount: i128) -> i64 {
    // Parts of bounded amounts are bounded.
    i64::try_from(amount).unwrap_or(i64::MAX)
}
