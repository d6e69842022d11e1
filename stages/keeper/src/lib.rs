//! `keeper`: settings, job history, health history, and the repair of what a reader has missed.
//!
//! **Reads** `command/keeper/{set,describe}`, `system/health/{stage}`, `system/job/{stage}/{job}`.
//!
//! **Publishes** `system/settings` (all values in force, always, also at first start; the revision grows with every
//! change, also when a new program brings new defaults) and `system/repeat` (which owners should say everything
//! again, because the fingerprints of owner and reader disagree).
//!
//! **Owns** (store `keeper`) `setting`, `revision`, `audit`, `job_run`, `health_sample`, `repeat_asked`; views
//! `api_setting`, `api_audit`, `api_job_run`, `api_health`.
//!
//! **Refuses** a setting that is not in the [`registry`], of the wrong type, or out of its range, with one sentence
//! naming setting and rule; nothing has changed then. `null` takes the default back.
//!
//! **Limits** one health sample per stage and minute, kept 30 days; job runs kept 90 days; audit kept for ever, each
//! row's hash covering the row before it.
//!
//! **Deliberately does not do (yet)** backup, restore, releases and retention of other stores; second thoughts about
//! dangerous settings are the asker's matter (the bridge asks again, the gate's own limits hold anyway).

mod audit;
mod history;
pub mod registry;
mod repeat;
mod set;
mod stage;
mod store;

pub use audit::{AuditRow, first_broken};
pub use set::{Refusal, decide};
pub use stage::{Keeper, Save, Settings};
