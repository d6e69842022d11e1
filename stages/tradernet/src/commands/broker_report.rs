//! `getBrokerReport`: the broker's own books, read to reconcile ours: corporate actions, money in
//! and out, fees. A row that cannot be read refuses the report.

use market::{Day, Isin};
use money::{Currency, Money, Quantity};

use crate::command::ReadCommand;
use crate::command::decoding::Decode;
use crate::exchange::RequestKind;
use crate::fault::Flaw;
use crate::ids::{Ticker, TradeId};
use crate::json::{Fields, Node, Shape};
use crate::pacer::PaceClass;
use crate::params::Params;
use crate::typed::rows_of;
use crate::wall_time::WallTime;

/// Digits kept of an amount for one unit; dividends are quoted finer than cents.
const PER_UNIT_DIGITS: u32 = 6;

/// Names the days of a report, both ends included. A day is complete only from 08:40 the next
/// morning on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportDays {
    /// First day.
    pub from: Day,
    /// Last day.
    pub till: Day,
}

impl ReportDays {
    fn params(self, part: &str) -> String {
        Params::new()
            .text("date_start", &self.from.to_string())
            .text("date_end", &self.till.to_string())
            .text("time_period", "23:59:59")
            .text("format", "json")
            .text("type", part)
            .finish()
    }
}

/// Asks for corporate actions, dividends among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportCorporateActions(pub ReportDays);

/// Asks for money in and out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportInOuts(pub ReportDays);

/// Asks for fees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportCommissions(pub ReportDays);

/// Holds one corporate action. Whether the amount is gross or net is not certain: compare it with
/// the amount for one unit times the quantity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorporateActionRow {
    /// Kind as written, such as `dividend` or `dividend_reverted`.
    pub kind: String,
    /// Booking day.
    pub day: Day,
    /// First day without the right.
    pub ex_day: Option<Day>,
    /// Security.
    pub ticker: Option<Ticker>,
    /// Its ISIN, when well formed.
    pub isin: Option<Isin>,
    /// The broker's id of the action, shared by all who hold the security.
    pub action_id: Option<String>,
    /// Amount booked.
    pub amount: Option<Money>,
    /// Amount for one unit in millionths of the currency.
    pub per_unit_e6: Option<i64>,
    /// Units held on the ex day.
    pub quantity: Option<Quantity>,
    /// Tax taken abroad.
    pub external_tax: Option<Money>,
    /// Tax taken by the broker.
    pub tax: Option<Money>,
}

/// Holds one movement of money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InOutRow {
    /// Kind as written, such as `bank` or `block`.
    pub kind: String,
    /// Day.
    pub day: Day,
    /// Signed amount.
    pub amount: Money,
    /// Account; holds and releases matter only on `trading`.
    pub account: Option<String>,
    /// The broker's words.
    pub comment: Option<String>,
}

/// Holds one fee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommissionRow {
    /// Time as written.
    pub at: Option<WallTime>,
    /// What it was for, as written.
    pub purpose: String,
    /// The fill it belongs to, when it says "For trade".
    pub trade_id: Option<TradeId>,
    /// Amount.
    pub amount: Money,
}

impl Decode for ReportCorporateActions {
    type Reply = Vec<CorporateActionRow>;

    fn params(&self) -> String {
        self.0.params("corporate_actions")
    }

    fn decode(&self, reply: Node<'_>) -> Result<Self::Reply, Flaw> {
        rows(reply, corporate_action)
    }
}

impl Decode for ReportInOuts {
    type Reply = Vec<InOutRow>;

    fn params(&self) -> String {
        self.0.params("in_outs")
    }

    fn decode(&self, reply: Node<'_>) -> Result<Self::Reply, Flaw> {
        rows(reply, in_out)
    }
}

impl Decode for ReportCommissions {
    type Reply = Vec<CommissionRow>;

    fn params(&self) -> String {
        self.0.params("commissions")
    }

    fn decode(&self, reply: Node<'_>) -> Result<Self::Reply, Flaw> {
        rows(reply, commission)
    }
}

macro_rules! report_command {
    ($($name:ident),*) => {$(
        impl ReadCommand for $name {
            const NAME: &'static str = "getBrokerReport";
            const PACE: PaceClass = PaceClass::History;
            const KIND: RequestKind = RequestKind::BulkRead;
        }
    )*};
}

report_command!(ReportCorporateActions, ReportInOuts, ReportCommissions);

/// Opens the rows of a report; an empty list instead of the report means there are none.
fn rows<T>(reply: Node<'_>, read: impl Fn(&Fields<'_>) -> Result<T, Flaw>) -> Result<Vec<T>, Flaw> {
    let report = reply.get("report");
    let empty = report.list().is_some_and(|list| list.is_empty());
    if empty {
        return Ok(Vec::new());
    }
    if report.shape() != Shape::Object {
        return Err(Flaw::missing("report"));
    }
    let fields = report.open().ok_or(Flaw::new("report", "is damaged"))?;
    let list = fields.first(&["detailed", "commissions"]);
    rows_of(list, "detailed")?.into_iter().map(|row| read(&row.fields())).collect()
}

fn corporate_action(row: &Fields<'_>) -> Result<CorporateActionRow, Flaw> {
    let currency = row.currency("currency")?;
    Ok(CorporateActionRow {
        kind: row.need_text("type_id")?,
        day: row.need_day("date")?,
        ex_day: row.day("ex_date"),
        ticker: row.need_ticker("ticker").ok(),
        isin: row.isin("isin"),
        action_id: row.text("corporate_action_id"),
        amount: money_in(row, "amount", currency)?,
        per_unit_e6: row.number("amount_per_one", PER_UNIT_DIGITS)?,
        quantity: row.quantity("q_on_ex_date")?,
        external_tax: money_in(row, "external_tax", row.currency("external_tax_currency")?)?,
        tax: money_in(row, "tax_amount", row.currency("tax_currency")?)?,
    })
}

/// Reads an amount whose currency stands elsewhere; without it the amount is unknown.
fn money_in(
    row: &Fields<'_>,
    field: &'static str,
    currency: Option<Currency>,
) -> Result<Option<Money>, Flaw> {
    currency.map_or(Ok(None), |currency| row.money(field, currency))
}

fn in_out(row: &Fields<'_>) -> Result<InOutRow, Flaw> {
    Ok(InOutRow {
        kind: row.need_text("type_id")?,
        day: row.need_day("date")?,
        amount: row.need_money("amount", row.need_currency("currency")?)?,
        account: row.text("account"),
        comment: row.text("comment"),
    })
}

fn commission(row: &Fields<'_>) -> Result<CommissionRow, Flaw> {
    let purpose = row.need_text("type")?;
    Ok(CommissionRow {
        at: row.wall_time("datetime"),
        trade_id: purpose.strip_prefix("For trade:").and_then(TradeId::parse),
        purpose,
        amount: row.need_money("sum", row.need_currency("currency")?)?,
    })
}

/// Compares the booked amount with the amount for one unit times the quantity: within half a
/// percent it is gross, and taxes come on top. `None` when a figure is missing.
pub fn is_gross(row: &CorporateActionRow) -> Option<bool> {
    let (per_unit, quantity) = (i128::from(row.per_unit_e6?), i128::from(row.quantity?.e6()));
    // Both sides in 1/10^12 of the currency; 64-bit factors cannot overflow 128 bits.
    let gross_e12 = per_unit * quantity;
    let booked_e12 = i128::from(row.amount?.e4()) * 100_000_000;
    Some((gross_e12 - booked_e12).abs() * 200 <= gross_e12.abs())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn days() -> ReportDays {
        ReportDays { from: "2026-02-01".parse().unwrap(), till: "2026-03-02".parse().unwrap() }
    }

    fn node(text: &str) -> Node<'_> {
        Node::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn always_names_the_type_and_the_time() {
        assert_eq!(
            ReportInOuts(days()).params(),
            r#"{"date_start":"2026-02-01","date_end":"2026-03-02","time_period":"23:59:59","format":"json","type":"in_outs"}"#
        );
    }

    #[test]
    fn reads_a_dividend_and_leaves_the_unknown_tax_unknown() {
        let body = r#"{"report":{"detailed":[{"date":"2026-02-27","ex_date":"2026-02-13","type_id":"dividend","ticker":"NRDW.US","isin":"US99S0011099","corporate_action_id":"2026-02-13_35_NRDW.US_0.31","amount":"3.16","amount_per_one":"0.31","currency":"USD","q_on_ex_date":"12.00000000","tax_amount":"-","tax_currency":"","external_tax":"0.56","external_tax_currency":"USD","comment":""}]}}"#;
        let rows = ReportCorporateActions(days()).decode(node(body)).unwrap();
        let row = &rows[0];
        assert_eq!(row.amount, Some("3.16 USD".parse().unwrap()));
        assert_eq!((row.tax, row.external_tax), (None, Some("0.56 USD".parse().unwrap())));
        // 12 units of 0.31 are 3.72: the booked 3.16 is what was left after tax.
        assert_eq!(is_gross(row), Some(false));
        let gross = CorporateActionRow { amount: Some("3.72 USD".parse().unwrap()), ..row.clone() };
        assert_eq!(is_gross(&gross), Some(true));
        assert_eq!(is_gross(&CorporateActionRow { quantity: None, ..row.clone() }), None);
    }

    #[test]
    fn reads_money_in_and_out_and_fees() {
        let body = r#"{"report":{"detailed":[{"date":"2026-02-02","type_id":"bank","amount":"500.00","currency":"EUR","comment":"","account":"trading"},{"date":"2026-02-10","type_id":"block","amount":"-40.00","currency":"EUR","comment":"","account":"card"}]}}"#;
        let rows = ReportInOuts(days()).decode(node(body)).unwrap();
        let amounts: Vec<String> = rows.iter().map(|row| row.amount.to_string()).collect();
        assert_eq!(amounts, ["500.00 EUR", "-40.00 EUR"]);
        let fees = r#"{"report":{"commissions":[{"datetime":"2026-03-02 17:41:06","type":"For trade:  73100245","sum":"4.37","currency":"USD"}]}}"#;
        let rows = ReportCommissions(days()).decode(node(fees)).unwrap();
        assert_eq!(rows[0].trade_id, TradeId::parse("73100245"));
        assert!(
            ReportCommissions(days())
                .decode(node(r#"{"report":{"detailed":[{"type":"x","sum":"-"}]}}"#))
                .is_err()
        );
    }

    #[test]
    fn an_empty_list_means_nothing_and_a_missing_report_is_a_flaw() {
        assert_eq!(ReportInOuts(days()).decode(node(r#"{"report":[]}"#)), Ok(vec![]));
        for body in ["{}", r#"{"report":null}"#, r#"{"report":"x"}"#, r#"{"report":[1]}"#] {
            assert!(ReportInOuts(days()).decode(node(body)).is_err(), "{body}");
        }
    }
}
