//! Securities, venues, trading calendars and time: the names by which the stages speak about markets.
//!
//! Pure: no clock, no IO. Time zones come from a database built into the program.
//!
//! | Question | File |
//! |---|---|
//! | when | `timestamp`, `day`, `weekday`, `zone` |
//! | which security | `isin`, `symbol`, `source`, `aliases`, `listing` |
//! | where, and is it open | `mic` |
//!
//! Unknown is unknown: a symbol that is not in the table means nothing.

mod aliases;
mod civil;
mod day;
mod isin;
mod listing;
mod mic;
mod source;
mod symbol;
mod text_form;
mod timestamp;
mod weekday;
mod zone;

pub use aliases::{ALIASES_PER_SYMBOL_MAX, Alias, AliasError, Aliases};
pub use day::{Day, DayError};
pub use isin::{Isin, IsinError};
pub use listing::{Listing, ListingError};
pub use mic::{Mic, MicError};
pub use source::{Source, SourceError};
pub use symbol::{Symbol, SymbolError, Ticker};
pub use timestamp::{Timestamp, TimestampError};
pub use weekday::Weekday;
pub use zone::{Zone, ZoneError};
