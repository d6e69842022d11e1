//! Proposes the next trades: looks at everything, lets evaluators score what could be done, chooses, and asks for the
//! first step. Has no network and no right to trade.
//!
//! **Reads** `portfolio/state`, `portfolio/bucket`, `market/quote`, `market/fx`, `market/venue`, `market/universe`,
//! `score/security`, `target/weights`, `risk/halt`, `risk/state`, `order/approved`, `order/refused`, `order/state`,
//! `plan/result`, `command/plan/now`, `command/plan/{approve,skip}_step`, `command/plan/config_*`, `portfolio/flow`,
//! `score/regime`; of `system/settings` whether orders wait for a person, what the market asks to be kept back, and holds,
//! pauses, limits, costs and cash kept back where they are stricter than the file's.
//!
//! **Publishes** `plan/context/core`, `plan/job/{n}`, `plan/proposed`, `order/requested/{order_id}`.
//!
//! **Owns** (store `plans`) `planning_context`, `plan`, `request`, `traded`, `hold`, `heard_dividend`, `used_dividend`, `counter`,
//! `planner_config`, `planner_config_version`, `approved_step`, `heard_settings`, `owed_since`; views `api_plan`, `api_request`, `api_planner_config`,
//! `api_planner_config_version`.
//!
//! **One run**: [`snapshot`] (what is true, and who is left out) → [`opportunities`] (finders) → [`pool`] → [`sequences`]
//! → [`context`] and jobs → [`round`] (results, merged exactly) → [`choose`] → [`waits`] → a request, or not yet.
//!
//! **When**: 0.3 s after other holdings, 2 s after other changes that matter and then at most every 30 s, at once when
//! a person asks, when a known wait ends, and when the plan is 24 h old. The same content is not planned twice.
//!
//! **Refuses** to plan without a valued account, a universe or targets ([`snapshot::NoGround`]); ignores targets older than 30
//! days, which it tells from 7 on; leaves a security out,
//! with a code and a sentence, when anything about it is missing, stale or doubtful; asks for nothing while halted, while
//! any order is open, while the gate says wait, or while the venue is not surely open.
//!
//! **Invariants.** The same context never makes a second order. At most one request has no end. Every plan, request and
//! job number is saved with its publication. A wrong, late or doubled result changes nothing.
//!
//! **Limits** are in [`limits`], what the owner may set in [`settings`].
//!
//! **Deliberately does not do** yet: satellites, exchanges for purchases out of another currency than EUR. Never: place,
//! approve, judge, or ask for a second step of one plan.

pub mod approval;
pub mod choose;
pub mod configuration;
pub mod context;
pub mod correlation;
pub mod diversity;
pub mod dividends;
pub mod exchange_cost;
pub mod exchange_order;
mod exchanges;
pub mod facts;
pub mod funding;
pub mod generators;
pub mod groups;
pub mod jobs;
pub mod limits;
pub mod lists;
pub mod memory;
pub mod merit;
mod nothing;
pub mod opportunities;
pub mod parameters;
pub mod patterns;
pub mod pool;
pub mod price;
pub mod price_age;
pub mod purses;
pub mod rate_age;
pub mod requests;
pub mod rescue;
mod rescues;
pub mod round;
mod run;
pub mod score_age;
pub mod score_news;
pub mod sequences;
pub mod settings;
pub mod sizing;
pub mod snapshot;
mod stage;
pub mod store;
pub mod target_groups;
pub mod terms;
pub mod trigger;
pub mod waits;

pub use settings::Settings;
pub use stage::Plan;
