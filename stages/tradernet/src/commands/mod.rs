//! One file per command of the broker's API; what is not listed here cannot be called.

pub mod broker_report;
pub mod cancel_order;
pub mod candles;
pub mod cash_flows;
pub mod cross_rates;
pub mod find_ticker;
pub mod flow_class;
pub mod health;
pub mod market_status;
pub mod open_orders;
pub mod order_rows;
pub mod order_status;
pub mod orders_history;
pub mod planned_actions;
pub mod positions;
pub mod put_order;
pub mod quotes;
pub mod securities;
pub mod security_info;
pub mod stock_lists;
pub mod tickers;
pub mod trade_allowed;
pub mod trades;
