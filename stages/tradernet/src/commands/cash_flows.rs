//! `getUserCashFlows`: deposits, dividends, fees. The sign is that of the amount, never guessed
//! from the kind; a row that cannot be read is kept apart, with what was wrong, and hides no other.

use std::collections::BTreeMap;

use market::Day;
use money::{Currency, Money};
use sha2::{Digest, Sha256};

use crate::command::ReadCommand;
use crate::command::decoding::Decode;
use crate::commands::flow_class::FlowKind;
use crate::exchange::RequestKind;
use crate::fault::Flaw;
use crate::json::{Fields, Node};
use crate::pacer::PaceClass;
use crate::params::Params;
use crate::sign::hex;
use crate::typed::{integer_of, rows_of};
use crate::wall_time::WallTime;

/// Rows on a full page; fewer mean the last page.
pub const PAGE_ROWS: u32 = 100;
/// Most pages a caller may ask for in one go.
pub const PAGES_MAX: u32 = 1_000;

/// Asks for one page of cash flows since a day, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetCashFlows {
    /// First day wanted, or all.
    pub since: Option<Day>,
    /// Page number from 0.
    pub page: u32,
}

/// Holds one page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CashFlowPage {
    /// Rows in the broker's order, as far as they can be read.
    pub rows: Vec<CashFlow>,
    /// Rows that exist but could not be read.
    pub unreadable: Vec<UnreadableFlow>,
    /// Rows of all pages together, when said.
    pub total: Option<i64>,
}

/// Names a movement of cash that exists but could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableFlow {
    /// Its id, if that much was readable.
    pub id: Option<String>,
    /// Its day, if that much was readable.
    pub day: Option<Day>,
    /// What was wrong.
    pub flaw: Flaw,
}

/// Holds one movement of cash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CashFlow {
    /// The broker's id, when there is one.
    pub id: Option<String>,
    /// The broker's type code.
    pub type_code: String,
    /// What kind of flow that is.
    pub kind: FlowKind,
    /// Back-office day.
    pub day: Day,
    /// Time, when said.
    pub at: Option<WallTime>,
    /// Signed amount.
    pub amount: Money,
    /// The broker's words.
    pub comment: String,
    /// Account the flow belongs to, such as `trading`.
    pub account: Option<String>,
}

impl CashFlowPage {
    /// Tells whether no further page can follow.
    pub fn is_last(&self) -> bool {
        let rows = self.rows.len().saturating_add(self.unreadable.len());
        u32::try_from(rows).is_ok_and(|rows| rows < PAGE_ROWS)
    }
}

impl Decode for GetCashFlows {
    type Reply = CashFlowPage;

    fn params(&self) -> String {
        let sort = Params::new().text("field", "date").text("dir", "ASC").finish();
        let filter = |day: Day| {
            let filter = Params::new().text("field", "date").text("operator", "eqormore");
            filter.text("value", &day.to_string()).finish()
        };
        let filters = self.since.map(filter).unwrap_or_default();
        Params::new()
            .integer("take", PAGE_ROWS)
            .integer("skip", u64::from(PAGE_ROWS) * u64::from(self.page))
            .raw("filters", &format!("[{filters}]"))
            .raw("sort", &format!("[{sort}]"))
            .integer("groupByType", 0)
            .integer("cash_totals", 0)
            .finish()
    }

    fn decode(&self, reply: Node<'_>) -> Result<CashFlowPage, Flaw> {
        let list = reply.get("cashflow");
        let total = integer_of(reply.get("total"), "total")?;
        // Without its key the reply says nothing; a null list is empty only beside a total of 0.
        if !list.is_present() && total != Some(0) {
            return Err(Flaw::missing("cashflow"));
        }
        let mut page = CashFlowPage { rows: Vec::new(), unreadable: Vec::new(), total };
        for row in rows_of(list, "cashflow")? {
            let row = row.fields();
            match cash_flow(&row) {
                Ok(flow) => page.rows.push(flow),
                Err(flaw) => {
                    let (id, day) = (row.text("id"), row.need_day("date").ok());
                    page.unreadable.push(UnreadableFlow { id, day, flaw });
                }
            }
        }
        Ok(page)
    }
}

impl ReadCommand for GetCashFlows {
    const NAME: &'static str = "getUserCashFlows";
    const PACE: PaceClass = PaceClass::History;
    const KIND: RequestKind = RequestKind::BulkRead;
}

fn cash_flow(row: &Fields<'_>) -> Result<CashFlow, Flaw> {
    let currency: Currency = row.need_currency("currency")?;
    let type_code = row.need_text("type_code")?;
    Ok(CashFlow {
        id: row.text("id"),
        kind: FlowKind::of(&type_code),
        type_code,
        day: row.need_day("date")?,
        at: row.wall_time("datetime"),
        amount: row.need_money("sum", currency)?,
        comment: row.text("comment").unwrap_or_default(),
        account: row.text("account"),
    })
}

/// Returns one key per flow, stable across runs: its id, or a digest of what it says together with
/// its running number among equal ones.
pub fn dedupe_keys(flows: &[CashFlow]) -> Vec<String> {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    flows.iter().map(|flow| flow.id.clone().unwrap_or_else(|| digest_key(flow, &mut seen))).collect()
}

fn digest_key(flow: &CashFlow, seen: &mut BTreeMap<String, u32>) -> String {
    let CashFlow { day, type_code, amount, comment, .. } = flow;
    let said =
        format!("{day}\u{1f}{type_code}\u{1f}{}\u{1f}{}\u{1f}{comment}", amount.currency(), amount.e4());
    let running = seen.entry(said.clone()).and_modify(|count| *count += 1).or_insert(0);
    let digest = Sha256::digest(format!("{said}\u{1f}{running}").as_bytes());
    format!("derived-{}", hex(digest.get(..16).unwrap_or(&digest)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn page(body: &str) -> Result<CashFlowPage, Flaw> {
        GetCashFlows { since: None, page: 0 }.decode(Node::parse(body.as_bytes()).unwrap())
    }

    #[test]
    fn asks_for_pages_in_a_fixed_order() {
        let command = GetCashFlows { since: Some("2026-01-31".parse().unwrap()), page: 2 };
        assert_eq!(
            command.params(),
            r#"{"take":100,"skip":200,"filters":[{"field":"date","operator":"eqormore","value":"2026-01-31"}],"sort":[{"field":"date","dir":"ASC"}],"groupByType":0,"cash_totals":0}"#
        );
        assert!(GetCashFlows { since: None, page: 0 }.params().contains(r#""filters":[],"#));
    }

    #[test]
    fn an_absent_list_is_empty_only_beside_a_total_of_zero() {
        assert!(page("{}").is_err());
        assert!(page(r#"{"cashflow":null}"#).is_err());
        assert!(page(r#"{"total":"2","cashflow":null}"#).is_err());
        assert!(page(r#"{"cashflow":"none"}"#).is_err());
        for body in [r#"{"total":"0"}"#, r#"{"total":0,"cashflow":null}"#, r#"{"cashflow":[]}"#] {
            assert_eq!(page(body).map(|page| page.rows.len()), Ok(0), "{body}");
        }
    }

    #[test]
    fn equal_flows_without_ids_get_different_keys_that_do_not_change() {
        let row = r#"{"type_code":"tax","date":"2026-02-19","sum":"-2.13","currency":"EUR","comment":""}"#;
        let flows = page(&format!(r#"{{"cashflow":[{row},{row}]}}"#)).unwrap().rows;
        let keys = dedupe_keys(&flows);
        assert_ne!(keys[0], keys[1]);
        assert_eq!(keys, dedupe_keys(&flows));
        assert_eq!(keys[0], dedupe_keys(&flows[..1])[0]);
    }

    #[test]
    fn a_page_is_last_when_it_is_not_full() {
        let row = r#"{"id":"x","type_code":"tax","date":"2026-02-19","sum":1,"currency":"EUR"}"#;
        let of = |rows: usize| page(&format!(r#"{{"cashflow":[{}]}}"#, vec![row; rows].join(","))).unwrap();
        assert!(of(99).is_last());
        assert!(!of(100).is_last());
        let bad = r#"{"id":"y","type_code":"tax","date":"2026-02-20","sum":"much","currency":"EUR"}"#;
        let mixed = page(&format!(r#"{{"cashflow":[{}]}}"#, [vec![row; 99], vec![bad]].concat().join(",")));
        let mixed = mixed.unwrap();
        assert!(!mixed.is_last(), "what cannot be read fills the page too");
        assert_eq!((mixed.rows.len(), mixed.unreadable.len()), (99, 1));
        let unreadable = &mixed.unreadable[0];
        assert_eq!((unreadable.id.as_deref(), unreadable.day), (Some("y"), "2026-02-20".parse().ok()));
        assert_eq!(unreadable.flaw.field, "sum");
    }
}
