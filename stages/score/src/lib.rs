//! `steward-score`: says how good each security is, and in which regime the market is.
//!
//! **Reads** `market/quote/{isin}`, `market/fx`, `market/universe`, `market/history`; the daily bars themselves from the
//! view `api_bar` of the store `market`, because bulk history does not travel as messages.
//! **Publishes** `score/security/{isin}` with every part and every input, `score/regime`.
//! **Owns** the store `scores`: `score` (one row per security and day), `regime`; views `api_score`, `api_regime`.
//! **Refuses** nothing; what is missing is neutral, flagged, and lowers the coverage. Without enough bars there is no
//! total at all.
//! **Limits** 2 520 bars per security, 500 securities.
//! **Deliberately does not** decide on weights or trades, read the account, or reach the network. Fundamentals,
//! dividends and opinions have no source yet: neutral, and said so.

mod bars;
pub mod components;
mod limits;
mod regime;
mod settings;
mod stage;
mod store;

pub use bars::{Bars, Call, Reply};
pub use settings::Settings;
pub use stage::Score;
