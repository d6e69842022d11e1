//! Cash flows: what the broker's codes mean for the owner, and how long they stay statements.

use contracts::{Flow, FlowKind, Id};
use market::{Day, Isin, Timestamp};
use money::{Money, Rate, Rounding, to_eur};
use tradernet::commands::{cash_flows::CashFlow, flow_class::FlowClass};

use crate::limits::FLOW_DAYS;

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
    use money::Currency;
    use tradernet::commands::flow_class::FlowKind as Class;

    use super::*;

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
