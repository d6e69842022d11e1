//! `steward-execute`: places approved orders once and follows them to a final state. The only holder of the trading key.
//!
//! **Reads** `order/approved/{order_id}`, `risk/halt`, `risk/state`, the health of gate and keeper, the universe, venues,
//! quotes and rates; the command `settle`.
//! **Publishes** `order/state/{order_id}` at every change, with all fills; `order/incident/{incident_id}`.
//! **Owns** the store `orders`: `order`, `order_event`, `order_fill`, `incident`; views `api_order`, `api_order_event`,
//! `api_order_fill`.
//! **Research** takes the same path to the end: `paper` is the broker then, and nothing leaves the machine. **Live** needs
//! the three conditions of `live`.
//! **Refuses** whatever does not carry the gate's own signature (an incident: trading halts), is expired, comes while
//! halted or while the gate is silent, or is for an order id that is known.
//! **Limits** one order at a time on its way out; 64 approvals waiting; nothing goes out while any order's fate is
//! unknown.
//! **Invariants** `Sending` is on disk before the first byte leaves, so a crash turns it into `Unknown`, never into a
//! second send. State comes from the broker's own lists only. Fills are counted once by the broker's trade id.
//! **Deliberately does not** judge, size, price or retry anything.

mod approvals;
mod cash;
mod clock_trust;
mod edge;
mod fate;
mod follow;
mod hints;
mod limits;
mod live;
mod market_now;
mod on_paper;
mod order;
mod paper;
mod second_line;
mod settings;
mod settle;
mod stage;
mod store;

pub use edge::{Call, ExecuteEdge, Reply, Seen};
pub use order::{Added, Inside, Order, Steps};
pub use paper::{Ask, Paper, meet};
pub use settings::Settings;
pub use stage::Execute;
pub use store::Save;
