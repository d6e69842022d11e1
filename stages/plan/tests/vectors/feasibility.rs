//! V10b: the first thing that keeps a sequence from being carried out.
//!
//! The rule of the old system lives here, with the names of its reasons. Steward drops what is not known, not allowed or
//! not held as a candidate, before there are sequences; cash and repeated securities are the evaluator's question, and the
//! evaluator runs those cases itself.
//!
//! Order of the tests: a security twice; then, action by action, unknown, not allowed, too little cash for value and costs
//! (purchase) or too little held (sale). Sales pay for later purchases of the same sequence, less their costs.

use std::collections::BTreeMap;

use limits::{Fine, Side};
use money::Quantity;
use serde_json::Value;

use crate::case::{self, Case, fine, number, quantity, side, text};

const FILE: &str = "planning/feasibility.json";

#[test]
fn every_verdict_is_that_of_the_vectors() {
    let mut run = 0;
    for Case { name, input, expect } in case::all(FILE) {
        let verdicts = expect["verdicts"].as_array().unwrap();
        let sequences = input["sequences"].as_array().unwrap();
        assert_eq!(verdicts.len(), sequences.len(), "{name}");
        for (sequence, expected) in sequences.iter().zip(verdicts) {
            assert_eq!(verdict(&input, sequence.as_array().unwrap()), text(expected), "{name}: {sequence}");
            run += 1;
        }
    }
    assert!(crate::open::elsewhere() || run > 100, "only {run} ran");
}

/// The verdict on a sequence; the mean priority is tested here only, because Steward drops candidates, not sequences.
pub fn verdict(input: &Value, sequence: &[Value]) -> &'static str {
    let mut numbers: BTreeMap<&str, u16> = BTreeMap::new();
    for action in sequence {
        let next = u16::try_from(numbers.len()).unwrap();
        numbers.entry(text(&action["symbol"])).or_insert(next);
    }
    let securities = input["securities"].as_array().unwrap();
    let known = |security: u16| {
        let symbol = numbers.iter().find(|(_, number)| **number == security)?.0;
        let found = securities.iter().find(|one| one["symbol"] == *symbol)?;
        let held = &input["position_quantities"][*symbol];
        Some(Known {
            allow_buy: found["allow_buy"].as_bool().unwrap(),
            allow_sell: found["allow_sell"].as_bool().unwrap(),
            held: if held.is_null() { Quantity::ZERO } else { quantity(held) },
        })
    };
    let actions: Vec<Action> = sequence
        .iter()
        .map(|action| Action {
            security: numbers[text(&action["symbol"])],
            side: side(&action["side"]),
            quantity: quantity(&action["quantity"]),
            value: fine(&action["value_eur"]),
            cost: Fine::ZERO,
        })
        .collect();
    let outcome = check(&actions, fine(&input["available_cash"]), known);
    let priorities = sequence.iter().map(|action| number(&action["priority"])).sum::<f64>();
    #[allow(clippy::cast_precision_loss, clippy::as_conversions)]
    let low = priorities / (sequence.len() as f64) < number(&input["priority_threshold"]);
    match outcome {
        Err(Infeasible::DuplicateSymbol) => "duplicate_symbol",
        _ if low => "low_priority",
        Err(why) => why.code(),
        Ok(()) => "ok",
    }
}

/// Why a sequence cannot be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Infeasible {
    /// One security occurs twice.
    DuplicateSymbol,
    /// Nobody knows the security.
    NoSecurity,
    /// The owner does not allow it.
    NotAllowed,
    /// A purchase costs more than there is.
    Cash,
    /// More is sold than is held.
    Position,
}

impl Infeasible {
    /// Its code in counts and vectors.
    fn code(self) -> &'static str {
        match self {
            Infeasible::DuplicateSymbol => "duplicate_symbol",
            Infeasible::NoSecurity => "no_security",
            Infeasible::NotAllowed => "not_allowed",
            Infeasible::Cash => "cash",
            Infeasible::Position => "position",
        }
    }
}

/// One action.
#[derive(Debug, Clone, Copy)]
struct Action {
    /// Which security, as a number.
    security: u16,
    /// Buy or sell.
    side: Side,
    /// Pieces.
    quantity: Quantity,
    /// Worth in EUR.
    value: Fine,
    /// Cost in EUR.
    cost: Fine,
}

/// What is known of a security.
#[derive(Debug, Clone, Copy)]
struct Known {
    /// It may be bought.
    allow_buy: bool,
    /// It may be sold.
    allow_sell: bool,
    /// Pieces held.
    held: Quantity,
}

/// Walks through a sequence with the cash that may be spent.
///
/// # Errors
/// The first [`Infeasible`].
fn check(sequence: &[Action], cash: Fine, known: impl Fn(u16) -> Option<Known>) -> Result<(), Infeasible> {
    let repeated =
        |(at, action): (usize, &Action)| sequence[..at].iter().any(|one| one.security == action.security);
    if sequence.iter().enumerate().any(repeated) {
        return Err(Infeasible::DuplicateSymbol);
    }
    let mut cash = cash.e12();
    for action in sequence {
        let known = known(action.security).ok_or(Infeasible::NoSecurity)?;
        let (value, cost) = (action.value.e12(), action.cost.e12());
        match action.side {
            Side::Buy => {
                if !known.allow_buy {
                    return Err(Infeasible::NotAllowed);
                }
                let needed = value.checked_add(cost).ok_or(Infeasible::Cash)?;
                if needed > cash {
                    return Err(Infeasible::Cash);
                }
                cash = cash.saturating_sub(needed);
            }
            Side::Sell => {
                if !known.allow_sell {
                    return Err(Infeasible::NotAllowed);
                }
                if !known.held.is_positive() || known.held < action.quantity {
                    return Err(Infeasible::Position);
                }
                cash = cash.saturating_add(value).saturating_sub(cost);
            }
        }
    }
    Ok(())
}

fn action(security: u16, side: Side, quantity: i64, value: i128) -> Action {
    Action {
        security,
        side,
        quantity: Quantity::from_units(quantity).unwrap(),
        value: Fine::from_e12(value * Fine::SCALE),
        cost: Fine::from_e12(2 * Fine::SCALE),
    }
}

fn judged(sequence: &[Action], cash: i128) -> Result<(), Infeasible> {
    check(sequence, Fine::from_e12(cash * Fine::SCALE), |security| {
        (security < 3).then(|| Known {
            allow_buy: security != 1,
            allow_sell: security != 2,
            held: Quantity::from_units(10).unwrap(),
        })
    })
}

#[test]
fn each_reason_is_found_at_its_boundary() {
    use Infeasible as I;
    let cases = [
        (vec![action(0, Side::Buy, 1, 98)], 100, Ok(())),
        (vec![action(0, Side::Buy, 1, 98)], 99, Err(I::Cash)),
        (vec![action(0, Side::Sell, 10, 50), action(2, Side::Buy, 1, 46)], 0, Ok(())),
        (vec![action(0, Side::Sell, 10, 50), action(2, Side::Buy, 1, 47)], 0, Err(I::Cash)),
        (vec![action(0, Side::Sell, 11, 50)], 0, Err(I::Position)),
        (vec![action(1, Side::Buy, 1, 1)], 100, Err(I::NotAllowed)),
        (vec![action(2, Side::Sell, 1, 1)], 100, Err(I::NotAllowed)),
        (vec![action(3, Side::Buy, 1, 1)], 100, Err(I::NoSecurity)),
        (vec![action(0, Side::Sell, 1, 50), action(0, Side::Buy, 1, 1)], 9, Err(I::DuplicateSymbol)),
        (vec![], 0, Ok(())),
    ];
    for (sequence, cash, expected) in cases {
        assert_eq!(judged(&sequence, cash), expected, "{sequence:?}");
    }
}
