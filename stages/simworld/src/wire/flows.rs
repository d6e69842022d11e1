//! `getUserCashFlows`: the account statement, everything but trades.

use super::dispatch::{Answer, Failure};
use super::json::{Json, object};
use super::order_rows::SERVER_ZONE_MS;
use super::params::Params;
use super::profile::Style;
use crate::core::dates::{day_at, iso, iso_second, parse_iso};
use crate::core::fixed;
use crate::core::orders::CashFlow;
use crate::core::world::World;

/// Rows of one page.
const PAGE_MAX: usize = 100;

const FIELDS: [&str; 8] =
    ["take", "skip", "filters", "sort", "groupByType", "cash_totals", "hide_limits", "without_refund"];

impl World {
    /// Writes one page of the statement.
    pub(super) fn user_cash_flows(&mut self, params: &Params, style: &Style) -> Answer {
        for unknown in params.unknown(&FIELDS) {
            self.unmodelled_note(&format!("getUserCashFlows field {unknown}"));
        }
        let mut chosen: Vec<&CashFlow> = self.flows.iter().collect();
        for filter in params.get("filters").as_array().into_iter().flatten() {
            let Some(rule) = Rule::read(filter) else {
                let text = format!("getUserCashFlows filter {filter}");
                self.unmodelled_note(&text);
                return Err(Failure::command(0, "Filter is not available"));
            };
            chosen.retain(|flow| rule.fits(flow));
        }
        let newest_first = params.get("sort")[0]["dir"].as_str() != Some("ASC");
        chosen.sort_by_key(|flow| (flow.at_ms, flow.id));
        if newest_first {
            chosen.reverse();
        }
        let number = |key: &str| params.int(key).and_then(|v| usize::try_from(v).ok());
        let total = chosen.len();
        let page = chosen.into_iter().skip(number("skip").unwrap_or(0));
        let rows = page.take(number("take").unwrap_or(PAGE_MAX).min(PAGE_MAX)).map(row).collect();
        let limits = object([("minimum", Json::Int(50)), ("multiplicity", Json::Int(1))]);
        Ok(object([
            ("total", style.integer("total", i64::try_from(total).unwrap_or(0))),
            ("cashflow", Json::List(rows)),
            ("limits", object([("EUR", limits)])),
        ]))
    }
}

/// One filter of a request.
enum Rule {
    Code(String),
    Currency(String),
    From(i32),
    Until(i32),
}

impl Rule {
    fn read(filter: &serde_json::Value) -> Option<Self> {
        let value = filter["value"].as_str()?;
        match (filter["field"].as_str()?, filter["operator"].as_str()?) {
            ("type_code", "eq") => Some(Self::Code(value.to_owned())),
            ("currency", "eq") => Some(Self::Currency(value.to_owned())),
            ("date", "eqormore") => parse_iso(value).map(Self::From),
            ("date", "more") => parse_iso(value).map(|day| Self::From(day + 1)),
            ("date", "eqorless") => parse_iso(value).map(Self::Until),
            ("date", "less") => parse_iso(value).map(|day| Self::Until(day - 1)),
            _ => None,
        }
    }

    fn fits(&self, flow: &CashFlow) -> bool {
        let day = day_at(flow.at_ms + SERVER_ZONE_MS);
        match self {
            Self::Code(code) => flow.type_code == *code,
            Self::Currency(currency) => flow.currency == currency,
            Self::From(first) => day >= *first,
            Self::Until(last) => day <= *last,
        }
    }
}

fn row(flow: &CashFlow) -> Json {
    let local = flow.at_ms + SERVER_ZONE_MS;
    object([
        ("id", Json::Text(format!("{:x}", flow.id))),
        ("type_code", Json::text(&flow.type_code)),
        ("type_code_name", Json::text(&flow.type_code)),
        ("icon", Json::text("operation")),
        ("date", Json::Text(iso(day_at(local)))),
        ("datetime", Json::Text(iso_second(local, ' '))),
        ("sum", Json::Text(fixed::text(flow.sum_e4, 4, 2))),
        ("sumRaw", Json::Decimal(flow.sum_e4, 4)),
        ("currency", Json::text(flow.currency)),
        ("comment", Json::text(&flow.comment)),
        ("account", Json::text("trading")),
        ("min_step", Json::text("0.01")),
    ])
}
