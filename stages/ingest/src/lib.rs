//! Watches the market: which securities there are, what they cost, what a currency is worth, whether a venue is open,
//! the daily bars of the past, and what other providers say about all that.
//!
//! **Reads** `portfolio/state` (what is held is not forgotten by mistake), the settings and the clock; commands
//! `command/ingest/{security_add, security_update, security_deactivate, run}`.
//!
//! **Publishes** `market/universe`, `market/venue/{mic}`, `market/quote/{isin}`, `market/fx`,
//! `market/history` and the progress of its jobs `history`, `fx`, `dividends` and `fundamentals`.
//!
//! **Owns** the store `market`, see `migrations/market`; everybody else reads its `api_*` views.
//!
//! **Refuses** to start: in live operation with an address that is not https or is this machine, with the
//! ISIN of a simulated security, or with calendars that use rules; in a simulated world with any address
//! but this machine's. Refuses to say: a price that is missing, not above zero or in another currency than
//! the security's; a rate that jumped and was not confirmed; a bar that nothing explains.
//!
//! **Limits** (`limits.rs`): a price that jumps by more than a fifth is `suspect` until a second reading
//! agrees, and beyond half or twice the last close whatever agrees; failed reads are repeated with growing
//! pauses; reads are paced as each provider allows.
//!
//! **Deliberately does not do:** judge a security, fill gaps, invent a rate, interpret times that the broker
//! writes without a zone, join two sources in one series, remove or find securities by itself.
//!
//! | Question | File |
//! |---|---|
//! | may this universe be used here | `admission` |
//! | does a security go on under another ISIN | `renamed` |
//! | what may the owner change | `owner`; how a request is answered: `requests` |
//! | which prices are asked for, and what is said of them | `prices`; may one be believed: `belief`, `quotes` |
//! | what is said of prices that the broker tells by itself | `told` |
//! | which pairs of currencies are read, and do they trade | `pairs` |
//! | which currency rates, and which are believed | `currencies`, `rates` |
//! | may this daily bar be believed | `sift`; does the past still say the same: `overlap` |
//! | when do another provider's bars take the place of the broker's | `second` |
//! | is a venue open, and when is that said again | `venues`; what is said and written of it: `openings` |
//! | does the broker agree that it is | `agreement` |
//! | which bars are asked for next | `bars`; which of one security are wanted, and what came: `history` |
//! | what do other providers say, and when are they asked | `outside`; what becomes of it: `learnt` |
//! | how far has a job come | `jobs` |
//! | when is something due | `schedule`; may the broker be asked now, and what is wrong: `troubles` |

mod admission;
mod agreement;
mod bars;
mod belief;
mod currencies;
mod edge;
mod history;
mod jobs;
mod learnt;
mod limits;
mod openings;
mod outside;
mod overlap;
mod owner;
mod pairs;
mod prices;
mod quotes;
mod rates;
mod renamed;
mod requests;
mod schedule;
mod second;
mod settings;
mod sift;
mod stage;
mod store;
mod told;
mod troubles;
mod venues;

pub use edge::{Call, Failure, IngestEdge, Learnt, Question, Reply};
pub use history::BarSource;
pub use outside::Task;
pub use settings::{IndexListed, Listed, Number, Settings};
pub use stage::Ingest;
pub use store::{Bar, Save};
