//! Which function answers which command.

use super::json::{Json, object};
use super::log::RequestLog;
use super::params::Params;
use super::profile::Style;
use crate::core::place::Twist;
use crate::core::world::World;

/// Commands that move money or log in: never to be called.
const FORBIDDEN: [&str; 4] =
    ["submitCps", "authByLogin", "getSecuritySessionCode", "checkSecuritySessionCode"];

/// Commands that answer without a signature.
const PUBLIC: [&str; 6] = [
    "tickerFinder",
    "getTopSecurities",
    "getHloc",
    "getCrossRatesForDate",
    "getMarketStatus",
    "securities/export",
];

/// An error as the broker writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) code: i64,
    pub(super) text: String,
    /// Common errors use another key than those of a command.
    pub(super) common: bool,
}

impl Failure {
    /// An error of the envelope.
    pub(super) fn common(code: i64, text: &str) -> Self {
        Self { code, text: text.to_owned(), common: true }
    }

    /// An error of a command.
    pub(super) fn command(code: i64, text: impl Into<String>) -> Self {
        Self { code, text: text.into(), common: false }
    }

    /// Writes the error.
    pub(super) fn write(&self) -> String {
        let key = if self.common { "errMsg" } else { "error" };
        object([(key, Json::text(&self.text)), ("code", Json::Int(self.code))]).write()
    }
}

/// Answer of a command.
pub(super) type Answer = Result<Json, Failure>;

/// Tells whether a command answers without a signature.
pub(super) fn is_public(command: &str) -> bool {
    PUBLIC.contains(&command)
}

impl World {
    /// Answers a command.
    pub(super) fn dispatch(&mut self, command: &str, params: &Params, twist: Twist, style: &Style) -> Answer {
        match command {
            "getPositionJson" => Ok(self.position_json(style)),
            "putTradeOrder" => self.put_trade_order(params, twist),
            "delTradeOrder" => self.del_trade_order(params, twist),
            "putStopLoss" => self.put_stop_loss(params),
            "getBrokerReport" => self.broker_report(params, style),
            "getClientCpsHistory" => Ok(self.transfer_requests(style)),
            "getPlannedCorpActions" => Ok(self.planned_actions(style)),
            "getUserStockLists" => Ok(self.stock_lists()),
            "addStockListTicker" => self.change_list(params, true),
            "deleteStockListTicker" => self.change_list(params, false),
            "getAlertsList" => Ok(self.alerts_list(params)),
            "addPriceAlert" => self.add_alert(params),
            "togglePriceAlert" => Ok(self.toggle_alert(params)),
            "getOPQ" => Ok(self.opening_bundle(style)),
            "getTopSecurities" => Ok(self.top_securities(params)),
            "securities/export" => Ok(self.export(params, style)),
            "getUserInfo" => Ok(self.user_info()),
            "getNotifyOrderJson" => Ok(self.notify_order_json(params, style)),
            "getOrdersHistory" => self.orders_history(params, style),
            "getTradesHistory" => self.trades_history(params, style),
            "getStockQuotesJson" => Ok(self.stock_quotes_json(params, style)),
            "getHloc" => self.hloc(params, style),
            "getSecurityInfo" => self.security_info(params, style),
            "getAllSecurities" => self.all_securities(params, style),
            "tickerFinder" => Ok(self.ticker_finder(params, style)),
            "checkAllowedTickerAndBanOnTrade" => self.check_allowed(params),
            "getMarketStatus" => Ok(self.market_status(params, style)),
            "getCrossRatesForDate" => self.cross_rates(params, style),
            "getUserCashFlows" => self.user_cash_flows(params, style),
            "getSecuritySessions" => Ok(Json::List(Vec::new())),
            "GetAllUserTexInfo" => Ok(object([("tariff", Json::text("simulated"))])),
            other => Err(self.unsupported(other)),
        }
    }

    fn unsupported(&mut self, command: &str) -> Failure {
        if FORBIDDEN.contains(&command) {
            RequestLog::breach(&mut self.log.forbidden, format!("forbidden command {command}"));
            return Failure::command(12, "Access denied");
        }
        self.unmodelled_note(&format!("command {command}"));
        Failure::common(2, "Unsupported query method")
    }

    /// Remembers that a client relies on something the simulator does not imitate.
    pub(crate) fn unmodelled_note(&mut self, what: &str) {
        tracing::warn!(%what, "UNMODELLED request.");
        RequestLog::breach(&mut self.log.unmodelled, format!("UNMODELLED {what}"));
    }
}
