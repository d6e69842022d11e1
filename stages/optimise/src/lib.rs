//! `steward-optimise`: decides how much of the fund each security should be.
//!
//! **Reads** `score/security/{isin}`, `score/regime`, `portfolio/state`, `market/universe`, `market/fx`.
//! **Publishes** `target/weights`: every weight with its reason, the method, the limits that decided something.
//! **Owns** the store `targets`: `optimiser_run`, `target_weight`; views `api_run`, `api_target`.
//! **Refuses** to say anything with fewer than three scores: two points make no market; and while the account, its value
//! or the universe is unknown. The targets said before stay in force then.
//! **Limits** 15 % for one security (or less, by the owner's own limit), 95 % for all together, 32 rounds of sharing
//! out. A score whose newest bar is older than seven days counts as unknown. Targets are said anew after seven days,
//! because the planner believes no old ones.
//! **Deliberately does not** trade, judge costs or look at cash; that is the planner's work. The method is a tilt by
//! score; covariances and group bounds have their place in `tilt.rs`'s stead.

pub mod held;
mod settings;
mod stage;
mod store;
pub mod tilt;

pub use settings::Settings;
pub use stage::Optimise;
