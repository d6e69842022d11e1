//! `notify`: what a person should see, and when to call one.
//!
//! **Reads** `portfolio/nav`, `portfolio/reconciliation/{currency}`, `order/state/{order_id}`,
//! `order/refused/{order_id}`, `order/incident/{incident_id}`, `risk/halt`, `market/venue/{mic}`, `plan/proposed`,
//! `score/security/{isin}` (what needs a second look), `system/health/{stage}`; the rest of its topics is heard and let go.
//!
//! **Publishes** `display/state` (mood by precedence: alarm, halted, working, waiting, calm) and `alert/{id}`. An
//! alert's id follows from its code and subject, so the same matter is one alert however often it is noticed. It
//! ends, cleared and with a row that says when, once its cause is over.
//!
//! **Owns** (store `notices`) `alert`; view `api_alert`.
//!
//! **Refuses** nothing; it decides nothing about money.
//!
//! **Limits** see [`limits`]. After a start nothing counts as over before everybody had time to speak: a cause that
//! is not heard is not a cause that ended. In simulated environments only `gone` ends a stage, never its age: a
//! virtual hour can pass between two signs of life.
//!
//! **Deliberately does not do (yet)** the outside broker, the JSON mirror, Home Assistant discovery, commands from
//! outside, push channels, acknowledging, and the display pools: the display has one text by precedence.

mod causes;
mod display;
pub mod limits;
mod stage;
mod store;
mod view;

pub use causes::{Cause, causes};
pub use display::display;
pub use stage::{AlertRow, Notify, Save, Settings};
pub use view::{Heard, View};
