//! `bridge`: HTTP for people and programs on this machine: what is, as it changes, and the halt.
//!
//! **Reads** every statement; see [`stage`].
//!
//! **Publishes** `command/risk-gate/halt`, because halting is always allowed. Resuming is not offered here.
//!
//! **Owns** (store `access`) `command_outcome`, seven days.
//!
//! **Serves** `GET /` (one page), `/api/health`, `/api/version`, `/api/topics`, `/api/statements`,
//! `/api/statements/{topic}[/{key}]`, `/api/events` (server-sent events: first everything as it is, then every
//! change); `POST /api/halt`.
//!
//! **Refuses** to listen on anything but loopback, because nobody can sign in yet; requests whose `Host` or `Origin`
//! is another site's (a web page elsewhere must not reach this one through the owner's browser); bodies that are
//! large or no JSON.
//!
//! **Limits** see [`limits`]. A client of `/api/events` that reads too slowly is told so and dropped.
//!
//! **Deliberately does not do (yet)** users, tokens, sessions, history from other stores, settings, acts other than
//! halt, TLS. One connection carries one request, which keeps every bound simple.

mod edge;
mod head;
pub mod limits;
mod settings;
pub mod stage;
mod store;
mod web;
mod window;

pub use edge::HttpEdge;
pub use settings::{Listen, Settings};
pub use stage::{Bridge, NextRequest, Outcome, Request, Save};
pub use window::{Answer, Watch, Window};
