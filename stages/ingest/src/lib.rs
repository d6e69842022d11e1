//! Watches the market through the broker: which securities there are, what they cost, what a currency is
//! worth, whether a venue is open, and the daily bars of the past.
//!
//! **Reads** nothing but the settings and the clock.
//!
//! **Publishes** `market/universe`, `market/venue/{mic}`, `market/quote/{isin}`, `market/fx`,
//! `market/history` and the progress of its job `history`.
//!
//! **Owns** the store `market`: `security`, `security_user`, `listing`, `symbol_alias`, `quote` (7 days),
//! `fx_rate`, `fx_latest`, `daily_price`; views `api_universe`, `api_bar`, `api_fx`.
//!
//! **Refuses** to start: in live operation with an address that is not https or is this machine, with the
//! ISIN of a simulated security, or with calendars that use rules; in a simulated world with any address
//! but this machine's. Refuses to say: a price that is missing, not above zero or in another currency than
//! the security's; a rate that jumped and was not confirmed.
//!
//! **Limits** (`limits.rs`): a price that jumps by more than a fifth is `suspect` until a second reading
//! agrees; failed reads are repeated with growing pauses; reads are paced as the broker allows.
//!
//! **Deliberately does not do:** judge a security, fill gaps, invent a rate, interpret times that the broker
//! writes without a zone, read other providers (later sources stand beside the broker, the statements stay).
//!
//! | Question | File |
//! |---|---|
//! | may this universe be used here | `admission` |
//! | may this price be believed | `belief` |
//! | is a venue open, and when is that said again | `venues` |
//! | which bars are wanted, and what came | `history` |
//! | when is something due | `schedule` |

mod admission;
mod belief;
mod edge;
mod history;
mod limits;
mod quotes;
mod rates;
mod schedule;
mod settings;
mod stage;
mod store;
mod venues;

pub use edge::{Call, Failure, IngestEdge, Reply};
pub use settings::{Listed, Number, Settings};
pub use stage::Ingest;
pub use store::{Bar, Save};
