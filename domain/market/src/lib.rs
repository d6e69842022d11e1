//! Securities, venues, trading calendars and time: the names by which the stages speak about markets.
//!
//! Pure: no clock, no IO. Time zones come from a database built into the program. It publishes nothing and owns nothing but the
//! data files of calendars and names, which are read at build time.
//!
//! | Question | File |
//! |---|---|
//! | when | `timestamp`, `day`, `weekday`, `zone` |
//! | which security | `isin`, `symbol`, `source`, `aliases`, `listing` |
//! | where, and is it open | `mic`, `venue_names`, `calendars`, `venue`, `venue_state`, `sessions` |
//! | how old is a currency rate | `rate_age` |
//! | what is known of a company, and may it be believed | `fundamental` |
//! | what the calendar file may contain | `calendar_file`; simulated worlds only: `rule_calendar` |
//!
//! Unknown is unknown: a symbol that is not in the table means nothing, a venue or day that is not in the
//! calendar is closed.

mod aliases;
mod calendar_file;
mod calendars;
mod civil;
mod day;
mod fundamental;
mod isin;
mod listing;
mod local_time;
mod mic;
mod rate_age;
mod rule_calendar;
mod sessions;
mod source;
mod symbol;
mod text_form;
mod timestamp;
mod venue;
mod venue_names;
mod venue_state;
mod weekday;
mod zone;

pub use aliases::{ALIASES_PER_SYMBOL_MAX, Alias, AliasError, Aliases};
pub use calendar_file::{CALENDAR_BYTES_MAX, CalendarError, EXCEPTIONS_MAX, VENUES_MAX};
pub use calendars::{CLOSURE_DAYS_MAX, Calendars, RENEWAL_ALARM_DAYS};
pub use day::{Day, DayError};
pub use fundamental::{Fundamental, FundamentalError};
pub use isin::{Isin, IsinError};
pub use listing::{Listing, ListingError};
pub use local_time::{LocalTime, LocalTimeError};
pub use mic::{Mic, MicError};
pub use rate_age::rate_age_ms;
pub use sessions::{Hours, Interval, Sessions};
pub use source::{Source, SourceError};
pub use symbol::{Symbol, SymbolError, Ticker};
pub use timestamp::{Timestamp, TimestampError};
pub use venue::{DayPlan, Venue};
pub use venue_names::NameError;
pub use venue_state::{Edge, VenueReason, VenueState};
pub use weekday::Weekday;
pub use zone::{Zone, ZoneError};
