//! `steward-risk-gate`: judges every order before money moves, and signs what may pass.
//!
//! **Reads** `order/requested/{order_id}`, the account (`portfolio/state`, `portfolio/nav`, `portfolio/bucket/{bucket}`),
//! quotes, rates, venues and the universe; `order/state/{order_id}` for what was sent; `order/incident/{incident_id}` and `portfolio/reconciliation/{currency}`, which halt; the commands
//! `halt` and `resume`.
//! **Publishes** `order/approved/{order_id}` with a keyed signature and an end of at most two minutes,
//! `order/refused/{order_id}` with the numbers of every check, `risk/halt`, `risk/state`.
//! **Owns** the store `risk`: `verdict`, `approval`, `activity`, `halt`, `breaker`, `peak`, `broker_refusal`; views
//! `api_verdict`, `api_approval`, `api_halt`, `api_breaker`, `api_cooldown`, `api_broker_refusal`.
//! **Refuses** whatever a check in [`checks`] refuses, first failure first. Unknown is no: a missing price, rate, venue,
//! snapshot or valuation lets nothing pass. An order id is judged once, for ever.
//! **Halts** for a person, the stop button, the home, a forged approval, books that differ, the loss of the day, and the
//! third refusal of the broker in a day. Only a person with a name and a reason resumes; the loss of the day is over with
//! the day.
//! **Limits** one approval out at a time; limits in `steward.toml` may only be tighter than the documented ones.
//! **Deliberately does not** propose, size or place anything, and has no network.

mod breaker;
pub mod checks;
mod day_loss;
mod doubt;
mod drawdown;
mod guards;
mod halts;
mod price_rule;
mod rate_age;
mod refusals;
mod settings;
mod stage;
mod store;
mod tighter;
mod verdicts;
mod world;

pub use breaker::{Latch, LossSteps};
pub use refusals::BrokerRefusal;
pub use settings::Settings;
pub use stage::RiskGate;
pub use store::{Activity, Save, VerdictRow};
pub use world::{Standing, Traded, World};
