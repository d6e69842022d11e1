//! What is sold to cover a shortage that no exchange could.
//!
//! Holdings in the short currency first, then the largest in EUR, then by name. Of each as many whole lots as bring in what
//! is still missing after the costs of the sale, rounded up to a lot, at most what is held. What is not allowed, not open
//! or has no price is passed over.
//!
//! Worked example: 100 EUR missing, price 20 EUR, lot 1, costs 2 EUR and 0.2 %: (100 + 2) / 0.998 / 20 = 5.1 → 6 pieces.

use limits::Fine;
use money::{Currency, MoneyError, Price, Quantity, Rounding, multiply_divide};

/// Slack against amounts that miss a whole lot by dust.
const DUST: Fine = Fine::from_e12(1_000);

/// One holding that could be sold.
#[derive(Debug, Clone, PartialEq)]
pub struct Holding<K> {
    /// Which.
    pub key: K,
    /// Pieces held.
    pub held: Quantity,
    /// Of one piece; zero is none.
    pub price: Price,
    /// Of the price.
    pub ccy: Currency,
    /// EUR for one unit of it; nothing is none.
    pub eur_per_unit: Fine,
    /// Smallest tradable step.
    pub lot: Quantity,
    /// The owner allows it.
    pub allow_sell: bool,
    /// Its venue is open.
    pub open: bool,
}

/// Costs of a sale: fixed in EUR, and a part of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Costs {
    /// In EUR.
    pub fixed: Fine,
    /// As a part of one.
    pub percent: Fine,
}

/// What is sold.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan<K> {
    /// In the order in which it should be done.
    pub sales: Vec<(K, Quantity)>,
    /// What no sale covers, in EUR.
    pub uncovered: Fine,
}

/// Plans the sales for a need in EUR.
///
/// # Errors
/// [`MoneyError`] when amounts do not fit.
pub fn plan<K: Ord + Clone>(
    holdings: &[Holding<K>],
    need: Fine,
    short: Currency,
    costs: Costs,
) -> Result<Plan<K>, MoneyError> {
    let mut order = Vec::new();
    for one in holdings.iter().filter(|one| one.allow_sell && one.open && one.held.is_positive()) {
        if !one.price.is_zero() && one.eur_per_unit.is_positive() {
            let worth = Fine::value(one.price, one.held)?.times(one.eur_per_unit, Rounding::HalfEven)?;
            order.push((one.ccy != short, std::cmp::Reverse(worth), one));
        }
    }
    order.sort_by(|one, other| (one.0, one.1, &one.2.key).cmp(&(other.0, other.1, &other.2.key)));
    let kept = Fine::ONE.checked_sub(costs.percent)?;
    let (mut left, mut sales) = (need, Vec::new());
    for (_, _, one) in order {
        if left <= DUST {
            break;
        }
        let gross = left.checked_add(costs.fixed)?.over(kept, Rounding::HalfEven)?;
        let quantity = pieces(gross, one)?;
        if !quantity.is_positive() {
            continue;
        }
        let worth = Fine::value(one.price, quantity)?.times(one.eur_per_unit, Rounding::HalfEven)?;
        let net = worth.times(kept, Rounding::HalfEven)?.checked_sub(costs.fixed)?;
        if net.is_positive() {
            left = left.checked_sub(net)?;
            sales.push((one.key.clone(), quantity));
        }
    }
    Ok(Plan { sales, uncovered: left.max(Fine::ZERO) })
}

/// Whole lots that bring in an amount, at most what is held.
fn pieces<K>(gross: Fine, one: &Holding<K>) -> Result<Quantity, MoneyError> {
    let lot = limits::effective_lot(one.lot);
    let native = gross.over(one.eur_per_unit, Rounding::HalfEven)?;
    let wanted = multiply_divide(native.e12(), 1_000_000, one.price.e6().into(), Rounding::HalfEven)?;
    let lots = multiply_divide(wanted, 1_000_000, lot.e6().into(), Rounding::HalfEven)?;
    let lots = Fine::from_e12(lots).checked_sub(DUST)?.to_units(Rounding::Up)?;
    let wanted = lot.e6().checked_mul(lots).ok_or(MoneyError::Overflow { operation: "pieces" })?;
    let most = limits::round_to_lots(one.held, lot);
    Quantity::from_e6(wanted).map(|wanted| wanted.min(most))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn holding(key: &'static str, held: i64, price: &str, ccy: &str) -> Holding<&'static str> {
        Holding {
            key,
            held: Quantity::from_units(held).unwrap(),
            price: price.parse().unwrap(),
            ccy: Currency::new(ccy).unwrap(),
            eur_per_unit: Fine::ONE,
            lot: Quantity::from_units(1).unwrap(),
            allow_sell: true,
            open: true,
        }
    }

    fn eur(units: i128) -> Fine {
        Fine::from_e12(units * Fine::SCALE)
    }

    fn run(holdings: &[Holding<&'static str>], need: i128) -> Plan<&'static str> {
        let costs = Costs { fixed: eur(2), percent: Fine::from_e12(Fine::SCALE / 500) };
        plan(holdings, eur(need), Currency::EUR, costs).unwrap()
    }

    #[test]
    fn a_sale_covers_its_own_costs_and_is_rounded_up_to_a_lot() {
        let plan = run(&[holding("a", 50, "20", "EUR")], 100);
        assert_eq!(plan.sales, [("a", Quantity::from_units(6).unwrap())]);
        assert_eq!(plan.uncovered, Fine::ZERO);
    }

    #[test]
    fn what_must_not_or_cannot_be_sold_is_passed_over() {
        let base = holding("a", 50, "20", "EUR");
        for one in [
            Holding { allow_sell: false, ..base.clone() },
            Holding { open: false, ..base.clone() },
            Holding { price: Price::ZERO, ..base.clone() },
            Holding { held: Quantity::ZERO, ..base.clone() },
            Holding { eur_per_unit: Fine::ZERO, ..base.clone() },
        ] {
            let plan = run(&[one], 100);
            assert!(plan.sales.is_empty() && plan.uncovered == eur(100));
        }
    }

    #[test]
    fn nothing_needed_sells_nothing() {
        assert!(run(&[holding("a", 50, "20", "EUR")], 0).sales.is_empty());
    }

    #[test]
    fn the_short_currency_comes_first_then_the_largest() {
        let all = [
            holding("big", 100, "100", "USD"),
            holding("small", 1, "50", "EUR"),
            holding("mid", 10, "90", "USD"),
        ];
        let names: Vec<_> = run(&all, 3_000).sales.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["small", "big"]);
    }
}
