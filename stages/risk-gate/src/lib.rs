//! `steward-risk-gate`: judges every order before money moves, and signs what may pass.
//!
//! **Reads** `order/requested/{order_id}`, the account, quotes, rates, venues and the universe; `order/state/{order_id}`
//! for what was sent; `order/incident/{incident_id}` and `portfolio/reconciliation/{currency}`, which halt; the commands
//! `halt` and `resume`.
//! **Publishes** `order/approved/{order_id}` with a keyed signature and an end of at most two minutes,
//! `order/refused/{order_id}` with the numbers of every check, `risk/halt`, `risk/state`.
//! **Owns** the store `risk`: `verdict`, `approval`, `activity`, `halt`, `breaker`; views `api_verdict`, `api_halt`,
//! `api_breaker`, `api_cooldown`.
//! **Refuses** whatever a check in [`checks`] refuses, first failure first. Unknown is no: a missing price, rate, venue,
//! snapshot or valuation lets nothing pass. An order id is judged once, for ever.
//! **Limits** one approval out at a time; limits in `steward.toml` may only be tighter than the documented ones.
//! **Deliberately does not** propose, size or place anything, and has no network.

mod breaker;
pub mod checks;
mod price_rule;
mod rate_age;
mod settings;
mod stage;
mod store;
mod world;

pub use settings::Settings;
pub use stage::RiskGate;
pub use store::{Activity, Save, VerdictRow};
pub use world::{Standing, World};
