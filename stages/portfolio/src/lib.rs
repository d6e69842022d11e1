//! Keeps the books of the account: reads it at the broker, derives what is held from fills, compares both, and
//! says what everything is worth.
//!
//! **Reads** `market/universe`, `market/quote/{isin}`, `market/fx`, `order/state/{order_id}`, and at the
//! broker positions, cash, trades, working orders and cash flows, in one consistent pass.
//!
//! **Publishes** `portfolio/state`, `portfolio/nav`, `portfolio/flow/{id}`, `portfolio/bucket/core`,
//! `portfolio/reconciliation/{currency}`.
//!
//! **Owns** the store `ledger`: `fill`, `trade_before`, `position`, `frozen`, `broker_position`,
//! `broker_cash`, `sync`, `cash_flow`, `eod_snapshot`; views `api_fill`, `api_position`, `api_cash`,
//! `api_cash_flow`, `api_nav`.
//!
//! **Refuses** an answer that says suspiciously less than the one before, until three equal ones came; to
//! value the whole while a price or rate is missing; to start on books whose positions are not the sum of
//! their fills, with an address of the wrong environment, or with a key that others can read.
//!
//! **Invariants:** positions are the sum of fills; a trade is booked once, by the broker's id; a difference
//! to the broker or to `order/state` that is seen twice, a minute apart, freezes the security until it is
//! gone; negative cash stays negative.
//!
//! **Deliberately does not do (yet):** paper books, satellites, corporate actions (a split shows as a
//! difference and freezes), dividends to reinvest, analytics. Prices never come from the broker's account.
//!
//! | Question | File |
//! |---|---|
//! | what is held | `books`, `import` |
//! | does the broker agree | `reconcile` |
//! | what is it worth | `value`, `nav` |
//! | what came in and went out | `flows` |
//! | what are these holdings called | `state_id` |

mod account;
mod books;
mod edge;
mod flows;
mod import;
mod limits;
mod nav;
mod reconcile;
mod settings;
mod stage;
mod state_id;
mod store;
mod value;

pub use books::{Books, Fill, Held, Origin};
pub use edge::{Call, Failure, PortfolioEdge, Reply, Snapshot};
pub use flows::Booked;
pub use nav::DayEnd;
pub use reconcile::{Account, Reported};
pub use settings::Settings;
pub use stage::Portfolio;
pub use store::Save;
