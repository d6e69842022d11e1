//! `steward-score`: says how good each security is, and in which regime the market is.
//!
//! **Reads** `market/quote/{isin}`, `market/fx`, `market/universe`, `market/history`, `portfolio/state`,
//! `target/weights`; bars, actions, business figures and indices from the views `api_bar`, `api_action`,
//! `api_fundamental`, `api_index` of the store `market`, because bulk history does not travel as messages.
//! **Publishes** `score/security/{isin}` with every group, part and input, `score/regime`.
//! **Owns** the store `scores`: `score` (one row per security and day, five years), `regime`; views `api_score`,
//! `api_metric`, `api_regime`.
//! **Refuses** nothing; what is missing is left out, flagged, and lowers the coverage, which draws the total towards the
//! middle. A series that may not be believed has no total at all, and says why.
//! **Limits** 2 700 bars per security, 500 securities, one score of a security in 15 minutes (in one while it has no total).
//! **Deliberately does not** decide on weights or trades, or reach the network. Timing and fit are said and are not in
//! the total; the sell score is a figure, not a sale.

pub mod business;
mod facts;
pub mod groups;
pub mod holding;
mod limits;
pub mod merit;
pub mod profile;
pub mod regime;
pub mod rolling;
pub mod series;
mod settings;
mod shares;
mod stage;
pub mod statement;
mod store;

pub use facts::{Bar, Call, Closes, Facts, Market, Reply, Split};
pub use settings::Settings;
pub use stage::Score;
