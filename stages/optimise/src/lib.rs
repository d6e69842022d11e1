//! `steward-optimise`: decides how much of the fund each security should be.
//!
//! **Reads** `score/security/{isin}`, `score/regime`, `portfolio/state`, `portfolio/flow/{id}`, `market/universe`, `market/quote/{isin}` and
//! `market/fx` for the ages of prices and rates; closes, rates and what companies did from the views `api_bar`, `api_fx` and
//! `api_action` of the store `market`, because bulk history does not travel as messages.
//! **Publishes** `target/weights`: every weight with its bounds and its reason, the method, the groups, the limits that
//! decided something, what gave way and why.
//! **Takes** `command/optimise/{run, group_put, group_delete, targets_put}`; follows `system/settings`.
//! **Owns** the store `targets`: `optimiser_run`, `target_weight`, `target_group`, `target_group_member`, and the owner's
//! tables `group_table`, `group_line`, `group_line_member`; views `api_run`, `api_target`, `api_group`, `api_group_table`.
//! The tables of the configuration count until the owner changes one of a kind.
//! **Refuses** to say anything while the account, its value or the universe is unknown, and with fewer than two securities
//! that can be compared; to decide on old prices or rates of what the core holds. A failed run is kept with its code; the targets said before stay in force.
//! **Limits** one run a day after the scores and one minute after a change of what is held, watched or set, never twice
//! within ten minutes except by command; 504 days of returns; scores of bars older than seven days count as unknown, and those
//! that missed more than two sessions are not bought on; a run is said only when it moves more than 2 % of the fund or the last one is seven days old, and moves at most a quarter of it.
//! **Deliberately does not** trade, sell what it knows nothing about, use fundamentals or forecasts of the market, or look
//! at satellites: weights are shares of the core.
//!
//! Read [`chain`] first; its steps are [`ages`], [`history`], [`risk`], [`opinions`], [`bounds`], [`groups`], [`settle`], [`room`]
//! and [`stability`]; the mathematics is in the crates `formulas` and `allocation`.

pub mod ages;
mod bars;
pub mod bounds;
pub mod chain;
pub mod ground;
pub mod groups;
pub mod held;
pub mod history;
pub mod opinions;
pub mod question;
pub mod risk;
pub mod room;
mod settings;
pub mod settle;
pub mod stability;
mod stage;
mod statement;
mod store;
pub mod tables;

pub use bars::{Bars, Call, Reply};
pub use settings::Settings;
pub use stage::Optimise;
