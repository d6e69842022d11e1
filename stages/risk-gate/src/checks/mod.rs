//! The order gate: every check before money moves, in order, each leaving its two numbers.
//!
//! [`gate`] is a pure function of the order, the security, the state and the limits. The first check
//! that fails decides. One file per check; `CHECKS` is their order and says to whom each applies.
//!
//! | # | Check | Decision | Side | Not applied to |
//! |---|---|---|---|---|
//! | 1 | `invalid_order` | block | both | |
//! | 2 | `unknown_security` | block | both | |
//! | 3 | `lot_size`, `tick_size` | block | both | |
//! | 4 | `side_not_allowed` | block | both | |
//! | 5 | `stale_state` | defer | both | |
//! | 6 | `stale_price` | defer | both | |
//! | 7 | `circuit_breaker` | defer | both | depends on the state |
//! | 8 | `min_gap`, `daily_limit`, `weekly_limit` | defer | both | emergency |
//! | 9 | `market_closed` | defer | both | |
//! | 10 | `pending_order` | defer | both | |
//! | 11 | `duplicate_window` | defer | both | |
//! | 12 | `buy_cooldown` | block | buy | emergency |
//! | 13 | `min_hold` | block | sell | emergency |
//! | 14 | `sell_cooldown` | block | sell | manual, emergency |
//! | 15 | `no_position` | block | sell | |
//! | 16 | `exceeds_position` | block | sell | |
//! | 17 | `cost_basis_unknown` | block | sell | manual, emergency |
//! | 18 | `max_loss` | block | sell | manual, emergency |
//! | 19 | `max_sell` | block | sell | manual, emergency |
//! | 20 | `no_fx_rate` | defer | buy | |
//! | 21 | `concentration` | block | buy | |
//! | 22 | `negative_balance` | block | buy | |
//! | 23 | `insufficient_cash`, `needs_fx` | block, defer | buy | |
//! | 24 | mode not live | simulate | both | |
//!
//! Exchanges of currencies have a shorter list of their own: [`exchange_gate`].
//!
//! A check of the other side leaves no evidence; one that the kind of order is exempt from says so.
//! A figure that is missing or too large to compute fails the check that needs it.
#![deny(clippy::as_conversions, clippy::float_arithmetic, clippy::arithmetic_side_effects)]

mod buy_cooldown;
mod cash;
mod circuit_breaker;
mod code;
mod concentration;
mod duplicate_window;
mod exchange;
mod frequency;
mod inputs;
mod invalid_order;
mod lot_size;
mod market_closed;
mod negative_balance;
mod no_fx_rate;
mod pending_order;
mod sale;
mod side_not_allowed;
mod stale;
mod tick_size;
mod unknown_security;

use contracts::{CheckEvidence, Mode, OrderKind, Side, mutants};
use limits::Finding;
use money::{Currency, Price, Quantity};
use serde::{Deserialize, Serialize};

pub use code::{Code, Decision};
pub use exchange::{ExchangeOrder, ExchangeState, exchange_gate};
pub use inputs::{GateOrder, GateSecurity, GateSettings, GateState};

/// The judgement of an order with the evidence of every check up to the one that decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What follows.
    pub decision: Decision,
    /// The check that failed first.
    pub code: Option<Code>,
    /// Every check up to that one, or all of them.
    pub evidence: Vec<CheckEvidence>,
    /// For a deferred order: seconds until the check can change, when that is known.
    pub wait_s: Option<u64>,
}

/// An order whose side and price make sense, with everything it is judged by.
struct Case<'a> {
    side: Side,
    price: Price,
    quantity: Quantity,
    currency: Currency,
    kind: OrderKind,
    security: &'a GateSecurity,
    state: &'a GateState,
    settings: &'a GateSettings,
}

/// What a check answers.
struct Answer {
    finding: Finding,
    /// Replaces the code of the check when it fails.
    code: Option<Code>,
    /// Seconds until the answer changes by itself.
    wait_s: Option<u64>,
}

impl From<Finding> for Answer {
    fn from(finding: Finding) -> Self {
        Self { finding, code: None, wait_s: None }
    }
}

/// A place in the list: to whom a check applies, and the function that judges.
struct Check {
    code: Code,
    /// The only side it applies to.
    side: Option<Side>,
    /// Kinds of order it does not apply to.
    exempt: &'static [OrderKind],
    judge: fn(&Case<'_>) -> Answer,
}

const ALL: &[OrderKind] = &[];
const NOT_EMERGENCY: &[OrderKind] = &[OrderKind::Emergency];
const ONLY_NORMAL: &[OrderKind] = &[OrderKind::Manual, OrderKind::Emergency];

const fn both(code: Code, exempt: &'static [OrderKind], judge: fn(&Case<'_>) -> Answer) -> Check {
    Check { code, side: None, exempt, judge }
}

const fn buy(code: Code, exempt: &'static [OrderKind], judge: fn(&Case<'_>) -> Answer) -> Check {
    Check { code, side: Some(Side::Buy), exempt, judge }
}

const fn sell(code: Code, exempt: &'static [OrderKind], judge: fn(&Case<'_>) -> Answer) -> Check {
    Check { code, side: Some(Side::Sell), exempt, judge }
}

/// The checks after the first, in order of precedence.
const CHECKS: [Check; 25] = [
    both(Code::UnknownSecurity, ALL, unknown_security::judge),
    both(Code::LotSize, ALL, lot_size::judge),
    both(Code::TickSize, ALL, tick_size::judge),
    both(Code::SideNotAllowed, ALL, side_not_allowed::judge),
    both(Code::StaleState, ALL, stale::state),
    both(Code::StalePrice, ALL, stale::price),
    both(Code::CircuitBreaker, ALL, circuit_breaker::judge),
    both(Code::MinGap, NOT_EMERGENCY, frequency::min_gap),
    both(Code::DailyLimit, NOT_EMERGENCY, frequency::daily_limit),
    both(Code::WeeklyLimit, NOT_EMERGENCY, frequency::weekly_limit),
    both(Code::MarketClosed, ALL, market_closed::judge),
    both(Code::PendingOrder, ALL, pending_order::judge),
    both(Code::DuplicateWindow, ALL, duplicate_window::judge),
    buy(Code::BuyCooldown, NOT_EMERGENCY, buy_cooldown::judge),
    sell(Code::MinHold, NOT_EMERGENCY, sale::min_hold),
    sell(Code::SellCooldown, ONLY_NORMAL, sale::sell_cooldown),
    sell(Code::NoPosition, ALL, sale::no_position),
    sell(Code::ExceedsPosition, ALL, sale::exceeds_position),
    sell(Code::CostBasisUnknown, ONLY_NORMAL, sale::cost_basis_unknown),
    sell(Code::MaxLoss, ONLY_NORMAL, sale::max_loss),
    sell(Code::MaxSell, ONLY_NORMAL, sale::max_sell),
    buy(Code::NoFxRate, ALL, no_fx_rate::judge),
    buy(Code::Concentration, ALL, concentration::judge),
    buy(Code::NegativeBalance, ALL, negative_balance::judge),
    buy(Code::InsufficientCash, ALL, cash::judge),
];

/// The name under which the mode appears in the evidence.
const MODE: &str = "mode";

/// Judges an order: the first check that fails decides, and all before it leave their evidence.
#[must_use]
pub fn gate(
    order: &GateOrder,
    security: &GateSecurity,
    state: &GateState,
    settings: &GateSettings,
) -> Verdict {
    let finding = invalid_order::check(order);
    let passed = finding.passed;
    let evidence = vec![written(Code::InvalidOrder.as_str(), finding)];
    let (true, Some(side), Some(price)) = (passed, order.side, order.price) else {
        return refused(Code::InvalidOrder, evidence, None);
    };
    let (quantity, currency, kind) = (order.quantity, order.currency, order.kind);
    let case = Case { side, price, quantity, currency, kind, security, state, settings };
    let applicable = CHECKS.iter().filter(|check| check.side.is_none_or(|only| only == side));
    conclude(applicable.map(|check| (check.code, answer(check, &case))), evidence, state.mode)
}

/// Collects evidence until the first failure; without one, the mode decides.
fn conclude(
    answers: impl Iterator<Item = (Code, Answer)>,
    mut evidence: Vec<CheckEvidence>,
    mode: Option<Mode>,
) -> Verdict {
    for (code, answer) in answers {
        let passed = answer.finding.passed;
        let code = if passed { code } else { answer.code.unwrap_or(code) };
        evidence.push(written(code.as_str(), answer.finding));
        if !passed {
            return refused(code, evidence, answer.wait_s);
        }
    }
    let live = mode == Some(Mode::Live);
    evidence.push(written(MODE, Finding::new(live, mode_name(mode), mode_name(Some(Mode::Live)))));
    let decision = if live { Decision::Allow } else { Decision::Simulate };
    Verdict { decision, code: None, evidence, wait_s: None }
}

fn answer(check: &Check, case: &Case<'_>) -> Answer {
    if check.exempt.contains(&case.kind) {
        let kind = match case.kind {
            OrderKind::Normal => "normal",
            OrderKind::Manual => "manual",
            OrderKind::Emergency => "emergency",
        };
        return Finding::new(true, format!("{kind} order"), "exempt").into();
    }
    let skipped: &[Code] = match () {
        () if mutants::is("sell_unheld") => &[Code::NoPosition, Code::ExceedsPosition, Code::MaxSell],
        () if mutants::is("spend_unowned") => {
            &[Code::InsufficientCash, Code::NegativeBalance, Code::Concentration]
        }
        () if mutants::is("ignore_frequency") => &[Code::MinGap, Code::DailyLimit, Code::WeeklyLimit],
        () if mutants::is("two_at_once") => &[Code::MinGap],
        () => &[],
    };
    if skipped.contains(&check.code) {
        return Finding::new(true, "not looked at", "broken on purpose").into();
    }
    (check.judge)(case)
}

fn refused(code: Code, evidence: Vec<CheckEvidence>, wait_s: Option<u64>) -> Verdict {
    let decision = code.decision();
    assert!(matches!(decision, Decision::Defer | Decision::Block), "a failed check never lets an order pass");
    assert!(evidence.last().is_some_and(|last| !last.passed), "the last evidence is the failure");
    Verdict { decision, code: Some(code), evidence, wait_s }
}

fn written(check: &str, finding: Finding) -> CheckEvidence {
    let Finding { passed, found, limit } = finding;
    CheckEvidence { check: check.to_owned(), passed, found, limit }
}

const fn mode_name(mode: Option<Mode>) -> &'static str {
    match mode {
        Some(Mode::Live) => "live",
        Some(Mode::Research) => "research",
        None => "unset",
    }
}

#[cfg(test)]
mod tests;
