//! Dividends, joined from what the account statement tells in pieces: the gross amount, the tax withheld on the
//! same day, and its reversal when the payer takes it back.

use contracts::{FlowKind, Id};
use market::{Day, Isin};
use money::{Currency, Money};

use crate::flows::Booked;

/// A tax may be booked so many days after its dividend.
const TAX_DAYS: i32 = 5;

/// One dividend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dividend {
    /// The flow that paid it.
    pub id: Id,
    /// Which security, if the statement names one that is known.
    pub isin: Option<Isin>,
    /// Before tax.
    pub gross: Money,
    /// Withheld, as a positive amount.
    pub tax: Money,
    /// What is left.
    pub net: Money,
    /// The same in EUR, if all rates are known.
    pub net_eur: Option<Money>,
    /// When it was paid.
    pub paid: Day,
    /// The payer took it back.
    pub reversed: bool,
}

/// Joins the pieces, oldest dividend first. A tax without its dividend and a reversal without one are left out:
/// they stay plain flows.
pub(crate) fn dividends<'a>(flows: impl IntoIterator<Item = &'a Booked>) -> Vec<Dividend> {
    let mut sorted: Vec<&Booked> = flows.into_iter().collect();
    // A day's dividends come before its taxes and its reversals.
    sorted.sort_by_key(|booked| (booked.flow.day, rank(booked), booked.key.clone()));
    let mut all: Vec<Dividend> = Vec::new();
    for booked in sorted {
        match rank(booked) {
            0 => all.extend(paid(booked)),
            1 => withhold(&mut all, booked),
            2 => reverse(&mut all, booked),
            _ => {}
        }
    }
    all
}

fn rank(booked: &Booked) -> u8 {
    match (booked.flow.kind, booked.flow.amount.is_negative()) {
        (FlowKind::Dividend, false) => 0,
        (FlowKind::Tax, _) => 1,
        (FlowKind::Dividend, true) => 2,
        _ => 3,
    }
}

fn paid(booked: &Booked) -> Option<Dividend> {
    let flow = &booked.flow;
    (!flow.amount.is_zero()).then(|| Dividend {
        id: flow.id,
        isin: flow.isin,
        gross: flow.amount,
        tax: Money::zero(flow.amount.currency()),
        net: flow.amount,
        net_eur: flow.amount_eur,
        paid: flow.day,
        reversed: false,
    })
}

/// The newest dividend of the same security and currency, not older than this.
fn of<'a>(all: &'a mut [Dividend], booked: &Booked, days: i32) -> Option<&'a mut Dividend> {
    let flow = &booked.flow;
    let isin = flow.isin?;
    all.iter_mut().rev().find(|one| {
        one.isin == Some(isin)
            && one.gross.currency() == flow.amount.currency()
            && one.paid.days_until(flow.day) <= days
    })
}

/// A tax makes the rest smaller, a tax given back makes it larger again.
fn withhold(all: &mut [Dividend], booked: &Booked) {
    let Some(dividend) = of(all, booked, TAX_DAYS) else { return };
    let amount = booked.flow.amount;
    let sums = || Some((dividend.tax.checked_sub(amount).ok()?, dividend.net.checked_add(amount).ok()?));
    if let Some((tax, net)) = sums() {
        let eur = dividend.net_eur.zip(booked.flow.amount_eur);
        (dividend.tax, dividend.net) = (tax, net);
        dividend.net_eur = eur.and_then(|(net, tax)| net.checked_add(tax).ok());
    }
}

/// A reversal of the whole amount ends the dividend.
fn reverse(all: &mut [Dividend], booked: &Booked) {
    let back = booked.flow.amount.checked_neg().ok();
    let Some(isin) = booked.flow.isin else { return };
    let same = |one: &&mut Dividend| one.isin == Some(isin) && Some(one.gross) == back && !one.reversed;
    if let Some(dividend) = all.iter_mut().rev().find(same) {
        dividend.reversed = true;
        dividend.net = Money::zero(dividend.gross.currency());
        dividend.net_eur = Some(Money::zero(Currency::EUR));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::flows::tests::booked;

    const NRDW: &str = "US99S0011099";

    fn flow(key: &str, code: &str, e4: i64, day: &str) -> Booked {
        let mut one = booked(key, code, e4, 1);
        one.flow.isin = Some(NRDW.parse().unwrap());
        one.flow.day = day.parse().unwrap();
        one.flow.amount_eur = Some(Money::from_e4(e4, Currency::EUR));
        one
    }

    fn joined(flows: &[Booked]) -> Vec<(i64, i64, i64, bool)> {
        let all = dividends(flows);
        all.iter().map(|one| (one.gross.e4(), one.tax.e4(), one.net.e4(), one.reversed)).collect()
    }

    #[test]
    fn a_tax_of_the_same_security_belongs_to_its_dividend() {
        let paid = flow("b", "dividend", 100, "2026-03-02");
        let tax = |day| flow("a", "tax", -15, day);
        assert_eq!(joined(&[tax("2026-03-02"), paid.clone()]), [(100, 15, 85, false)]);
        assert_eq!(dividends(&[tax("2026-03-02"), paid.clone()])[0].net_eur.unwrap().e4(), 85);
        assert_eq!(joined(&[tax("2026-03-07"), paid.clone()]), [(100, 15, 85, false)]);
        assert_eq!(joined(&[tax("2026-03-08"), paid.clone()]), [(100, 0, 100, false)]);
        let mut nameless = tax("2026-03-02");
        nameless.flow.isin = None;
        assert_eq!(joined(&[nameless, paid]), [(100, 0, 100, false)]);
    }

    #[test]
    fn a_reversal_ends_the_newest_dividend_of_its_amount() {
        let first = flow("a", "dividend", 100, "2026-03-02");
        let second = flow("b", "dividend", 100, "2026-06-02");
        let back = flow("c", "dividend_reverted", -100, "2026-06-05");
        let all = joined(&[first.clone(), second.clone(), back]);
        assert_eq!(all, [(100, 0, 100, false), (100, 0, 0, true)]);
        let other = flow("c", "dividend_reverted", -99, "2026-06-05");
        assert_eq!(joined(&[first, second, other]).iter().filter(|one| one.3).count(), 0);
    }

    #[test]
    fn an_unknown_rate_leaves_the_worth_in_euros_unknown() {
        let mut tax = flow("a", "tax", -15, "2026-03-02");
        tax.flow.amount_eur = None;
        assert_eq!(dividends(&[tax, flow("b", "dividend", 100, "2026-03-02")])[0].net_eur, None);
        assert!(dividends(&[flow("a", "tax", -15, "2026-03-02")]).is_empty());
    }
}
