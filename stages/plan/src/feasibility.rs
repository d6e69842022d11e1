//! Whether a sequence can be carried out: the first thing that keeps it from it.
//!
//! Order of the tests: a security twice; then, action by action, unknown, not allowed, too little cash for value and costs
//! (purchase) or too little held (sale). Sales pay for later purchases of the same sequence, less their costs.

use limits::{Fine, Side};
use money::Quantity;

/// Why a sequence cannot be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Infeasible {
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
    #[must_use]
    pub fn code(self) -> &'static str {
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
pub struct Action {
    /// Which security, as a number.
    pub security: u16,
    /// Buy or sell.
    pub side: Side,
    /// Pieces.
    pub quantity: Quantity,
    /// Worth in EUR.
    pub value: Fine,
    /// Cost in EUR.
    pub cost: Fine,
}

/// What is known of a security.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// It may be bought.
    pub allow_buy: bool,
    /// It may be sold.
    pub allow_sell: bool,
    /// Pieces held.
    pub held: Quantity,
}

/// Walks through a sequence with the cash that may be spent.
///
/// # Errors
/// The first [`Infeasible`].
pub fn check(
    sequence: &[Action],
    cash: Fine,
    known: impl Fn(u16) -> Option<Known>,
) -> Result<(), Infeasible> {
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn action(security: u16, side: Side, quantity: i64, value: i128) -> Action {
        Action {
            security,
            side,
            quantity: Quantity::from_units(quantity).unwrap(),
            value: Fine::from_e12(value * Fine::SCALE),
            cost: Fine::from_e12(2 * Fine::SCALE),
        }
    }

    fn run(sequence: &[Action], cash: i128) -> Result<(), Infeasible> {
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
            assert_eq!(run(&sequence, cash), expected, "{sequence:?}");
        }
    }
}
