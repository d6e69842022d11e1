//! `getBrokerReport`, `getClientCpsHistory`, `getPlannedCorpActions`: what a back office tells afterwards and ahead.

use super::dispatch::{Answer, Failure};
use super::json::{Json, field, object};
use super::order_rows::SERVER_ZONE_MS;
use super::params::Params;
use super::profile::Style;
use crate::core::dates::{day_at, iso, iso_second, parse_iso};
use crate::core::events::Action;
use crate::core::fixed;
use crate::core::orders::Side;
use crate::core::world::World;

const FIELDS: [&str; 6] = ["date_start", "date_end", "time_period", "format", "type", "recent"];
/// A report of a day is whole only on the next morning, server time.
const MORNING_CLOSE: &str = "08:40:00";
/// Days ahead for which actions are announced.
const ANNOUNCED_DAYS: i32 = 30;
/// Type codes of money that comes or goes.
const IN_OUTS: [&str; 6] = ["bank", "card", "sepa", "card_payout", "block", "unblock"];

impl World {
    /// Writes one type of the broker's report.
    pub(super) fn broker_report(&mut self, params: &Params, style: &Style) -> Answer {
        for unknown in params.unknown(&FIELDS) {
            self.unmodelled_note(&format!("getBrokerReport field {unknown}"));
        }
        let Some(kind) = params.text("type") else {
            return Err(Failure { code: 400, text: "Validation failed".into(), common: false });
        };
        if !matches!(params.text("time_period"), Some("23:59:59" | MORNING_CLOSE)) {
            return Err(Failure::command(109, "time_period is missing or wrong"));
        }
        let day = |key: &str| params.text(key).and_then(parse_iso);
        let (Some(from), Some(to)) = (day("date_start"), day("date_end")) else {
            return Err(Failure::command(5, "date_start and date_end are mandatory"));
        };
        let inside = |ms: i64| (from..=to).contains(&day_at(ms + SERVER_ZONE_MS));
        let (key, rows): (&str, Vec<Json>) = match kind {
            "trades" => ("detailed", self.reported_trades(&inside, style)),
            "commissions" => ("commissions", self.reported_commissions(&inside)),
            "corporate_actions" => {
                let hidden = style.tricks.hides_splits();
                let shown = self
                    .actions
                    .iter()
                    .filter(|a| (from..=to).contains(&a.day) && !(hidden && a.kind == "split"));
                ("detailed", shown.map(|a| self.reported_action(a)).collect())
            }
            "in_outs" => ("detailed", self.reported_in_outs(&inside)),
            "cash_flows" => ("detailed", self.reported_flows(&inside)),
            "account_at_start" | "account_at_end" | "in_outs_securities" | "securities_flows" => {
                ("detailed", Vec::new())
            }
            other => {
                self.unmodelled_note(&format!("getBrokerReport type {other}"));
                return Err(Failure { code: 400, text: "Validation failed".into(), common: false });
            }
        };
        // An empty report is an empty list, not an object with an empty list.
        let report = if rows.is_empty() && style.profile != super::Profile::Clean {
            Json::List(Vec::new())
        } else {
            Json::Object(vec![field(key, Json::List(rows))])
        };
        Ok(object([("report", report)]))
    }

    fn reported_trades(&self, inside: &dyn Fn(i64) -> bool, style: &Style) -> Vec<Json> {
        let chosen = self.fills.iter().filter(|f| inside(f.at_ms));
        let row = |f: &crate::core::orders::Fill| {
            let details = self.listing_details(f.instrument);
            let (_, market) = self.name_and_market(f.instrument);
            let local = iso_second(f.at_ms + SERVER_ZONE_MS, ' ');
            let mut fields = vec![
                field("id", Json::Int(f.id)),
                field("trade_id", style.integer(&format!("{}/trade_id", f.id), f.id)),
                field("order_id", Json::Int(f.order_id)),
                field("date", Json::text(&local)),
                field("short_date", Json::text(local.get(..10).unwrap_or(""))),
                field("pay_d", Json::Text(iso(self.settlement_day(f)))),
                field("operation", Json::text(if f.side == Side::Buy { "buy" } else { "sell" })),
                field("instr_nm", Json::text(f.ticker)),
                field("instr_type", Json::Int(details.kind.0)),
                field("isin", Json::text(details.isin)),
                field("issue_nb", Json::text(details.isin)),
                field("q", Json::Text(f.qty.to_string())),
                field("p", Json::Text(fixed::text(f.price_e6, 6, 2))),
                field("summ", Json::Text(fixed::text(f.value_e4, 4, 2))),
                field("curr_c", Json::text(f.currency)),
                field("comment", Json::text("")),
                field("mkt_id", market.map_or(Json::Null, Json::Int)),
                field("mkt_name", Json::optional(details.market)),
            ];
            if self.config.rules.fee_in_trade_row {
                fields.push(field("commission", Json::Text(fixed::text(f.fee_e4, 4, 2))));
                fields.push(field("commission_currency", Json::text(f.currency)));
            }
            Json::Object(fields)
        };
        chosen.map(row).collect()
    }

    fn reported_commissions(&self, inside: &dyn Fn(i64) -> bool) -> Vec<Json> {
        let charged = self.fills.iter().filter(|f| inside(f.at_ms) && f.fee_e4 != 0);
        let row = |f: &crate::core::orders::Fill| {
            object([
                ("datetime", Json::Text(iso_second(f.at_ms + SERVER_ZONE_MS, ' '))),
                ("type", Json::Text(format!("For trade:  {}", f.id))),
                ("sum", Json::Text(fixed::text(f.fee_e4, 4, 2))),
                ("currency", Json::text(f.currency)),
            ])
        };
        charged.map(row).collect()
    }

    fn reported_action(&self, action: &Action) -> Json {
        let index = self.market.find(action.ticker);
        let isin = index.map_or("", |i| self.market.listings[i].security.isin);
        let per_unit = fixed::text(action.per_unit_e6, 6, 2);
        let id = format!("{}_35_{}_{per_unit}", iso(action.day), action.ticker);
        let tax = if action.tax_e4 == 0 { "-".to_owned() } else { fixed::text(action.tax_e4, 4, 2) };
        object([
            ("date", Json::Text(iso(action.day))),
            ("ex_date", Json::Text(iso(action.day))),
            ("type_id", Json::text(action.kind)),
            ("ticker", Json::text(action.ticker)),
            ("isin", Json::text(isin)),
            ("corporate_action_id", Json::Text(id)),
            ("amount", Json::Text(fixed::text(action.sum_e4, 4, 2))),
            ("amount_per_one", Json::Text(per_unit)),
            ("currency", Json::text(action.currency)),
            ("q_on_ex_date", Json::Text(fixed::text(action.held_e6, 6, 8))),
            ("tax_amount", Json::text("-")),
            ("tax_currency", Json::text("")),
            ("external_tax", Json::Text(tax)),
            ("external_tax_currency", Json::text(action.currency)),
            ("comment", Json::text("")),
        ])
    }

    fn reported_in_outs(&self, inside: &dyn Fn(i64) -> bool) -> Vec<Json> {
        let moved = self.flows.iter().filter(|f| inside(f.at_ms) && IN_OUTS.contains(&f.type_code.as_str()));
        moved.map(|f| flow_row(f, true)).collect()
    }

    fn reported_flows(&self, inside: &dyn Fn(i64) -> bool) -> Vec<Json> {
        self.flows.iter().filter(|f| inside(f.at_ms)).map(|f| flow_row(f, false)).collect()
    }

    /// Lists dividends and splits that are near.
    pub(super) fn planned_actions(&self, style: &Style) -> Json {
        let today = day_at(self.now);
        let near = |day: i32| (today..today + ANNOUNCED_DAYS).contains(&day);
        let visible = |index: usize| self.market.listings[index].visible;
        let dividends =
            self.market.dividends.iter().filter(|d| near(d.ex_day) && visible(d.security)).map(|d| {
                let security = &self.market.listings[d.security].security;
                let amount = fixed::text(d.amount_e6, 6, 2);
                object([
                    ("id", Json::Text(format!("{}_35_{}_{amount}", iso(d.ex_day), security.ticker))),
                    ("type", Json::text("dividend")),
                    ("ticker", Json::text(security.ticker)),
                    ("amount_per_one", Json::Decimal(d.amount_e6, 6)),
                    ("currency", Json::text(security.currency)),
                    ("ex_date", Json::Text(iso(d.ex_day))),
                    ("pay_date", d.pay_day.map_or(Json::Null, |day| Json::Text(iso(day)))),
                    ("executed", Json::Bool(false)),
                    ("executed_count", Json::Int(0)),
                ])
            });
        let splits = self.market.listings.iter().filter(|l| l.visible).flat_map(|l| &l.splits);
        let splits = splits.filter(|s| near(s.day) && !style.tricks.hides_splits()).map(|s| {
            object([
                ("id", Json::Text(format!("{}_35_{}_split", iso(s.day), s.ticker))),
                ("type", Json::text("split")),
                ("ticker", Json::text(s.ticker)),
                ("ex_date", Json::Text(iso(s.day))),
                ("executed", Json::Bool(false)),
                ("executed_count", Json::Int(0)),
            ])
        });
        Json::List(dividends.chain(splits).collect())
    }

    /// Lists the client's own requests for transfers: bank deposits were no requests, withdrawals were.
    pub(super) fn transfer_requests(&self, style: &Style) -> Json {
        let out = self.flows.iter().filter(|f| f.sum_e4 < 0 && f.type_code == "bank");
        let rows: Vec<Json> = out
            .map(|f| {
                let params = object([
                    ("totalMoneyOut", Json::Text(fixed::text(-f.sum_e4, 4, 2))),
                    ("currency", Json::text(f.currency)),
                ]);
                let at = iso_second(f.at_ms + SERVER_ZONE_MS, ' ');
                object([
                    ("id", Json::Int(f.id % 1_000_000_000)),
                    ("type_doc_id", Json::Int(181)),
                    ("date_crt", Json::text(&at)),
                    ("date_mod", Json::text(&at)),
                    ("status_c", Json::Int(3)),
                    ("name", Json::text("Withdraw")),
                    ("params", style.embedded("cps", params)),
                ])
            })
            .collect();
        let total = i64::try_from(rows.len()).unwrap_or(0);
        object([("cps", Json::List(rows)), ("total", Json::Int(total))])
    }
}

fn flow_row(flow: &crate::core::orders::CashFlow, account: bool) -> Json {
    let mut fields = vec![
        field("date", Json::Text(iso(day_at(flow.at_ms + SERVER_ZONE_MS)))),
        field("type_id", Json::text(&flow.type_code)),
        field("amount", Json::Text(fixed::text(flow.sum_e4, 4, 2))),
        field("currency", Json::text(flow.currency)),
        field("comment", Json::text(&flow.comment)),
    ];
    if account {
        fields.push(field("account", Json::text("trading")));
    }
    Json::Object(fields)
}
