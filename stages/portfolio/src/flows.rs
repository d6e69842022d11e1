//! Cash flows: what the broker's codes mean for the owner, and how long they stay statements.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{Flow, FlowKind, Id};
use market::{Day, Isin, Timestamp};
use money::{Money, Rate, Rounding, to_eur};
use tradernet::commands::{
    cash_flows::{CashFlow, UnreadableFlow},
    flow_class::{FlowClass, FlowKind as Class},
};

use crate::limits::{FLOW_DAYS, FLOW_OVERLAP_DAYS, TRANSFER_DAYS, UNREADABLE_NAMED};

/// A flow in the books.
#[derive(Debug, Clone, PartialEq)]
pub struct Booked {
    /// Key of the broker, or a digest of what it says.
    pub key: String,
    /// What is said of it.
    pub flow: Flow,
    /// The broker's code.
    pub raw_type: String,
    /// Paid in or out by the owner.
    pub external: bool,
    /// When it was first seen; zero for those that were there before the books.
    pub seen: Timestamp,
}

/// Books a flow; `isin` is the security that its text names.
pub(crate) fn book(
    key: &str,
    flow: &CashFlow,
    isin: Option<Isin>,
    rate: Option<Rate>,
    seen: Timestamp,
) -> Booked {
    let at = Timestamp::from_ms(i64::from(flow.day.epoch_days()).saturating_mul(86_400_000));
    let external = flow.kind.class == FlowClass::External;
    Booked {
        key: key.to_owned(),
        flow: Flow {
            id: Id::derive(at, &["portfolio", "flow", key]),
            kind: kind(&flow.type_code, flow.kind.class, flow.amount),
            day: flow.day,
            amount: flow.amount,
            amount_eur: in_eur(flow.amount, rate),
            isin,
            text: flow.comment.chars().take(200).collect(),
        },
        raw_type: flow.type_code.clone(),
        external,
        seen,
    }
}

impl Booked {
    /// Whether it went from one own account to another.
    pub(crate) fn is_own_transfer(&self) -> bool {
        Class::of(&self.raw_type).class == FlowClass::OwnTransfer
    }

    /// Makes it one that the owner paid in or out.
    fn becomes_external(&mut self) {
        self.external = true;
        self.flow.kind = kind(&self.raw_type, FlowClass::External, self.flow.amount);
    }
}

/// Decides which of these new transfers between own accounts the owner paid in or out: those of which the other
/// side is not seen. One whose other side has been counted as paid in or out already is counted too, so that both
/// together are nothing.
pub(crate) fn decide_transfers(known: &BTreeMap<String, Booked>, new: &mut [Booked]) {
    if !new.iter().any(Booked::is_own_transfer) {
        return;
    }
    // Those known are matched first, in the order in which they came; what they are stays as it is.
    let mut legs: Vec<Leg> = known.values().filter(|one| one.is_own_transfer()).map(Leg::known).collect();
    legs.sort_by_key(|leg| leg.seen);
    legs.extend(new.iter().enumerate().filter(|(_, one)| one.is_own_transfer()).map(Leg::new));
    let mut others: BTreeMap<usize, usize> = BTreeMap::new();
    for (at, leg) in legs.iter().enumerate() {
        if others.contains_key(&at) {
            continue;
        }
        let later = legs.iter().enumerate().skip(at + 1);
        let other = later
            .filter(|(other, _)| !others.contains_key(other))
            .find(|(_, other)| leg.is_other_side(other));
        if let Some((other, _)) = other {
            others.extend([(at, other), (other, at)]);
        }
    }
    for (at, leg) in legs.iter().enumerate() {
        let other = others.get(&at).and_then(|other| legs.get(*other));
        if other.is_none_or(|other| other.external)
            && let Some(booked) = leg.place.and_then(|place| new.get_mut(place))
        {
            booked.becomes_external();
        }
    }
}

/// One side of a transfer.
struct Leg {
    amount: Money,
    day: Day,
    seen: Timestamp,
    external: bool,
    /// Its place among the new ones.
    place: Option<usize>,
}

impl Leg {
    fn known(booked: &Booked) -> Leg {
        let Booked { flow, seen, external, .. } = booked;
        Leg { amount: flow.amount, day: flow.day, seen: *seen, external: *external, place: None }
    }

    fn new((place, booked): (usize, &Booked)) -> Leg {
        Leg { place: Some(place), ..Leg::known(booked) }
    }

    fn is_other_side(&self, other: &Leg) -> bool {
        let apart = self.day.days_until(other.day).abs();
        // Those known are a pair only if they were decided as one.
        let alike = self.place.is_some() || other.place.is_some() || self.external == other.external;
        alike && self.amount.checked_neg() == Ok(other.amount) && apart <= TRANSFER_DAYS
    }
}

/// Worth in EUR; unknown without a rate.
pub(crate) fn in_eur(amount: Money, rate: Option<Rate>) -> Option<Money> {
    to_eur(amount, rate?, Rounding::HalfEven).ok()
}

fn kind(code: &str, class: FlowClass, amount: Money) -> FlowKind {
    match class {
        FlowClass::External if amount.is_negative() => FlowKind::Withdrawal,
        FlowClass::External => FlowKind::Deposit,
        FlowClass::Income if code.contains("dividend") || code.contains("fund_payment") => FlowKind::Dividend,
        FlowClass::Income if code.contains("percents") || code.contains("coupon") => FlowKind::Interest,
        FlowClass::Cost if code.starts_with("tax") => FlowKind::Tax,
        FlowClass::CostRefund if code.starts_with("tax") => FlowKind::Tax,
        FlowClass::Cost | FlowClass::CostRefund => FlowKind::Fee,
        FlowClass::CorporateAction => FlowKind::CorporateAction,
        _ => FlowKind::Other,
    }
}

/// What is told of flows of a kind that nobody knows, for a month: they count as cash that moved, and as a gain or loss.
pub(crate) fn unknown_codes<'a>(flows: impl Iterator<Item = &'a Booked>, today: Day) -> Option<String> {
    let recent = |booked: &&Booked| booked.flow.day.days_until(today) <= FLOW_OVERLAP_DAYS;
    let unknown = |booked: &&Booked| Class::of(&booked.raw_type).class == FlowClass::Other;
    let codes: BTreeSet<&str> =
        flows.filter(recent).filter(unknown).map(|booked| booked.raw_type.as_str()).collect();
    (!codes.is_empty()).then(|| {
        let codes: Vec<&str> = codes.into_iter().collect();
        format!(
            "the statement has flows of a kind that is not known: {}; they count as gain or loss until somebody says what they are",
            codes.join(", ")
        )
    })
}

/// What is told of lines of the statement that could not be read; the others are booked.
pub(crate) fn unreadable(lines: &[UnreadableFlow]) -> Option<String> {
    if lines.is_empty() {
        return None;
    }
    let named = lines.iter().take(UNREADABLE_NAMED).map(|line| {
        let day = line.day.map_or_else(|| "an unknown day".to_owned(), |day| day.to_string());
        let id = line.id.as_deref().unwrap_or("without id");
        format!("{id} of {day}: {}", line.flaw)
    });
    let named: Vec<String> = named.collect();
    Some(format!(
        "{} lines of the broker's statement cannot be read and are not booked ({}); cash differs by them until they can",
        lines.len(),
        named.join("; ")
    ))
}

/// Whether a flow is a statement now: money of the owner, or income and the tax of a security, of the last days.
pub(crate) fn is_said(flow: &Flow, today: Day) -> bool {
    let told = match flow.kind {
        FlowKind::Deposit | FlowKind::Withdrawal | FlowKind::Dividend => true,
        FlowKind::Tax => flow.isin.is_some(),
        _ => false,
    };
    told && flow.day.days_until(today) <= FLOW_DAYS
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use super::*;
    use money::Currency;

    fn flow(code: &str, e4: i64) -> CashFlow {
        CashFlow {
            id: None,
            type_code: code.into(),
            kind: Class::of(code),
            day: "2026-03-02".parse().unwrap(),
            at: None,
            amount: Money::from_e4(e4, Currency::USD),
            comment: String::new(),
            account: None,
        }
    }

    /// A flow in euros seen at an instant.
    pub(crate) fn booked(key: &str, code: &str, e4: i64, seen: i64) -> Booked {
        let row = CashFlow { amount: Money::from_e4(e4, Currency::EUR), ..flow(code, e4) };
        book(key, &row, None, Some(Rate::ONE), Timestamp::from_ms(seen))
    }

    #[test]
    fn codes_become_kinds_and_the_sign_decides_the_direction() {
        for (code, e4, expected) in [
            ("bank", 1, FlowKind::Deposit),
            ("bank", -1, FlowKind::Withdrawal),
            ("dividend", 1, FlowKind::Dividend),
            ("dividend_reverted", -1, FlowKind::Dividend),
            ("percents", -1, FlowKind::Interest),
            ("tax", -1, FlowKind::Tax),
            ("commission_for_trades", -1, FlowKind::Fee),
            ("tax_vat_refund", 1, FlowKind::Tax),
            ("split", 1, FlowKind::CorporateAction),
            ("merger", 1, FlowKind::CorporateAction),
            ("a_new_code", 1, FlowKind::Other),
        ] {
            assert_eq!(
                book("k", &flow(code, e4), None, None, Timestamp::ZERO).flow.kind,
                expected,
                "{code} {e4}"
            );
        }
    }

    #[test]
    fn without_a_rate_the_worth_is_unknown_and_an_overflow_too() {
        let deposit = flow("bank", 10_000);
        assert_eq!(book("k", &deposit, None, None, Timestamp::ZERO).flow.amount_eur, None);
        let half = Rate::from_e9(500_000_000).unwrap();
        assert_eq!(
            book("k", &deposit, None, Some(half), Timestamp::ZERO).flow.amount_eur.unwrap().e4(),
            5_000
        );
        let huge = flow("bank", i64::MAX);
        assert_eq!(
            book("k", &huge, None, Some(Rate::from_e9(i64::MAX).unwrap()), Timestamp::ZERO).flow.amount_eur,
            None
        );
    }

    fn transfer(key: &str, e4: i64, day: &str) -> Booked {
        let row = CashFlow { day: day.parse().unwrap(), ..flow("intercompany", e4) };
        book(key, &row, None, None, Timestamp::from_ms(1))
    }

    /// What the second list becomes after the first one was known.
    fn decided(known: &[Booked], new: &[Booked]) -> Vec<(bool, FlowKind)> {
        let known = known.iter().map(|one| (one.key.clone(), one.clone())).collect();
        let mut new = new.to_vec();
        decide_transfers(&known, &mut new);
        new.into_iter().map(|one| (one.external, one.flow.kind)).collect()
    }

    #[test]
    fn a_transfer_between_own_accounts_is_neutral_if_both_sides_are_seen_else_external() {
        let (neutral, paid_in, paid_out) =
            ((false, FlowKind::Other), (true, FlowKind::Deposit), (true, FlowKind::Withdrawal));
        let into = transfer("a", 500, "2026-03-02");
        let from = |day: &str| transfer("b", -500, day);
        assert_eq!(decided(&[], std::slice::from_ref(&into)), [paid_in]);
        assert_eq!(decided(&[], &[from("2026-03-02")]), [paid_out]);
        assert_eq!(decided(&[], &[into.clone(), from("2026-03-07")]), [neutral, neutral]);
        assert_eq!(decided(&[], &[into.clone(), from("2026-03-08")]), [paid_in, paid_out], "too far apart");
        assert_eq!(decided(&[], &[into.clone(), transfer("b", -501, "2026-03-02")]), [paid_in, paid_out]);
        let third = transfer("c", -500, "2026-03-02");
        assert_eq!(
            decided(&[], &[into.clone(), third.clone(), from("2026-03-02")]),
            [neutral, neutral, paid_out]
        );
        // What was counted as paid in stays so, and its other side is counted as paid out.
        let counted = Booked { external: true, ..into.clone() };
        assert_eq!(decided(&[counted], &[from("2026-03-03")]), [paid_out]);
        assert_eq!(decided(&[into.clone(), from("2026-03-02")], &[third]), [paid_out], "those are a pair");
        // Legs are known in the order of their keys: what was decided as one stays together.
        let out = |key: &str, external| Booked { external, ..transfer(key, 500, "2026-03-02") };
        let known = [out("x", false), transfer("y", -500, "2026-03-02"), out("w", true)];
        assert_eq!(
            decided(&known, &[transfer("z", -500, "2026-03-04")]),
            [paid_out],
            "that of what was paid in"
        );
        let foreign = Booked {
            flow: Flow { amount: Money::from_e4(-500, Currency::EUR), ..into.flow.clone() },
            ..into.clone()
        };
        assert_eq!(decided(&[], &[into, foreign]), [paid_in, paid_out], "another currency");
        let deposit = book("k", &flow("bank", 500), None, None, Timestamp::ZERO);
        assert_eq!(decided(&[], &[deposit]), [paid_in], "nothing else is touched");
    }

    #[test]
    fn codes_that_nobody_knows_are_told_for_a_month() {
        let day: Day = "2026-03-02".parse().unwrap();
        let told = |code: &str, days| unknown_codes([booked("k", code, 1, 1)].iter(), day.plus_days(days));
        assert!(told("brand_new", 0).unwrap().contains("not known: brand_new;"));
        assert!(told("brand_new_reverted", 30).is_some());
        assert_eq!((told("brand_new", 31), told("dividend", 0)), (None, None));
    }

    #[test]
    fn only_the_last_days_are_said() {
        let deposit = book("k", &flow("bank", 1), None, None, Timestamp::ZERO).flow;
        assert!(is_said(&deposit, "2026-03-09".parse().unwrap()));
        assert!(!is_said(&deposit, "2026-03-10".parse().unwrap()));
        let day = "2026-03-02".parse().unwrap();
        let said =
            |code: &str, isin| is_said(&book("k", &flow(code, -1), isin, None, Timestamp::ZERO).flow, day);
        let isin = Some("DE000SMX0015".parse().unwrap());
        assert!(said("tax", isin), "it lowers a dividend");
        assert!(!said("tax", None), "nobody knows what it was paid on");
        assert!(!said("commission_for_trades", isin));
    }
}
