//! Simulated broker and market: the outside world of demo mode and of every test.
//!
//! Four parts. `core` is the world itself: price paths, books, orders, invariants; pure functions of a seed,
//! an instant and the requests given. `wire` writes answers as the real broker does, `feeds` as the
//! market-data services do, by hand, sharing nothing with the production clients. `edge` serves them over HTTP on loopback.
//!
//! **Reads** `system/health/{stage}` (may stepped time move on) and `command/simworld/{clock,truth}`. **Publishes** `system/clock`.
//! **Limits** 33 securities, one account, one client at a time with the pacing of the real broker.
//!
//! Owns the truth: a double-entry ledger in scaled integers. Prices never depend on a client. Two runs with
//! the same seed, settings and requests at the same virtual instants give the same bytes.
//!
//! Refuses: starts outside 2016 to 2027, addresses other than loopback, unknown scenarios and tickers.
//! Deliberately absent: market impact, queue position, auctions, intraday candles, news.

mod client_books;
mod conductor;
pub mod control;
pub(crate) mod core;
pub mod edge;
pub(crate) mod feeds;
mod journal;
mod listings;
mod mornings;
mod process;
mod serve_alone;
mod settings;
mod stage;
pub(crate) mod wire;

pub use crate::client_books::{ClientBooks, ClientOrder, assert_world};
pub use crate::listings::{Listing, listings};
pub use crate::process::serve_process;
pub use crate::serve_alone::serve_alone;
pub use crate::settings::{Mode, Settings};
pub use crate::stage::{Shared, Simworld};

pub use crate::core::faults::{Effect, FaultError, FaultRule, Firing, When};
pub use crate::feeds::knobs::Knobs;

pub use crate::core::invariants::InvariantReport;
pub use crate::core::market::{ForcedRegime, Regime};
pub use crate::core::scenarios::{Preset, presets};
pub use crate::core::views::{FillView, LedgerView, OrderView};
pub use crate::core::world::{Rules, World, WorldConfig, WorldError};
pub use crate::wire::{
    Delivery, PRIVATE_KEY, PUBLIC_KEY, Profile, RawReply, RawRequest, RequestEntry, Session,
};

#[cfg(test)]
pub(crate) mod tests;
