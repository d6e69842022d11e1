//! What every question to a provider has in common: how it is written and read, what an answer carries, how it fails.

use std::collections::BTreeMap;

use market::{Day, Timestamp};
use money::Price;
use thiserror::Error;

use crate::fetch::{Request, Response};

/// Most characters of an unreadable reply that are shown.
const EXCERPT_CHARS: usize = 120;

/// A service besides the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Yahoo Finance.
    Yahoo,
    /// Reference rates of the European Central Bank.
    Ecb,
    /// The same rates from a free service.
    Frankfurter,
    /// Daily bars as text.
    Stooq,
    /// Mapping of ISINs.
    OpenFigi,
}

impl Service {
    /// All of them.
    pub const ALL: [Service; 5] = [Self::Yahoo, Self::Ecb, Self::Frankfurter, Self::Stooq, Self::OpenFigi];

    /// The name in stores, settings and sentences.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Yahoo => "yahoo",
            Self::Ecb => "ecb",
            Self::Frankfurter => "frankfurter",
            Self::Stooq => "stooq",
            Self::OpenFigi => "openfigi",
        }
    }
}

/// One question to a provider.
pub trait Ask {
    /// What is learnt.
    type Answer;
    /// Who is asked.
    const SERVICE: Service;
    /// Needs Yahoo's cookie and crumb.
    const GUARDED: bool = false;

    /// Writes the request.
    fn request(&self) -> Request;

    /// Reads a complete reply.
    ///
    /// # Errors
    /// [`DataFault`]; never an answer that looks empty because something failed.
    fn read(&self, reply: &Response) -> Result<Self::Answer, DataFault>;

    /// The time that an answer speaks of, where it says so.
    fn as_of(_answer: &Self::Answer) -> Option<Timestamp> {
        None
    }
}

/// An answer with where it came from and how fresh it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Known<T> {
    /// The answer.
    pub value: T,
    /// Who gave it.
    pub service: Service,
    /// When it was asked for.
    pub fetched_at: Timestamp,
    /// The time it speaks of, if it says so.
    pub as_of: Option<Timestamp>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DataFault {
    /// Too many questions.
    #[error("asked to slow down")]
    RateLimited {
        /// Seconds to wait, if it said so.
        retry_after_s: Option<u64>,
    },
    /// This client is not wanted.
    #[error("refuses this client")]
    Blocked,
    /// Cookie and crumb no longer hold.
    #[error("no longer accepts the session")]
    SessionOver,
    /// First wants consent in a browser.
    #[error("wants consent to its terms in a browser first")]
    ConsentNeeded,
    /// Does not know what was asked for.
    #[error("does not know it")]
    Unknown,
    /// Knows it, has nothing to say.
    #[error("has nothing about it")]
    Empty,
    /// Answered something that cannot be read.
    #[error("answered something unreadable: {0}")]
    Malformed(String),
    /// Is out of order or cannot be reached.
    #[error("is out of order: {0}")]
    Outage(String),
}

impl DataFault {
    /// Something unreadable, with the first characters of it.
    #[must_use]
    pub fn malformed(why: &str, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let excerpt: String = text.chars().filter(|c| !c.is_control()).take(EXCERPT_CHARS).collect();
        DataFault::Malformed(format!("{why}; it began with `{excerpt}`"))
    }

    /// Tells whether another provider should be asked about the very same thing.
    #[must_use]
    pub fn moves_on(&self) -> bool {
        matches!(self, Self::Unknown | Self::Empty | Self::Malformed(_))
    }

    /// The faults that a status and a page say before the body is looked at.
    pub(crate) fn of_status(reply: &Response) -> Option<DataFault> {
        let text = reply.text();
        let page = text.trim_start().starts_with('<') && !text.trim_start().starts_with("<?xml");
        match reply.status {
            429 | 999 => Some(DataFault::RateLimited { retry_after_s: reply.retry_after_s }),
            401 if text.contains("unable to access this feature") => Some(DataFault::Blocked),
            401 => Some(DataFault::SessionOver),
            403 => Some(DataFault::Blocked),
            300..=399 => Some(DataFault::ConsentNeeded),
            500..=599 => Some(DataFault::Outage(format!("status {}", reply.status))),
            200 if page => Some(DataFault::Outage("a page in place of data".into())),
            200 if text.trim().is_empty() => Some(DataFault::Outage("an empty reply".into())),
            200 if text.contains("Too Many Requests") && text.len() < 64 => {
                Some(DataFault::RateLimited { retry_after_s: reply.retry_after_s })
            }
            _ => None,
        }
    }
}

/// One day, in the main unit of its currency. Adjusted for splits, not for dividends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bar {
    /// Trading day at its exchange.
    pub day: Day,
    /// Opening price.
    pub open: Option<Price>,
    /// Highest price.
    pub high: Option<Price>,
    /// Lowest price.
    pub low: Option<Price>,
    /// Closing price.
    pub close: Price,
    /// Units traded.
    pub volume: Option<u64>,
    /// The row was a hundred times too large or too small and was put right.
    pub repaired: bool,
}

/// A cash dividend per share, split-adjusted like the prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dividend {
    /// First day without it.
    pub ex_day: Day,
    /// Amount in the main unit.
    pub amount: Price,
    /// The unit did not fit the price and was put right.
    pub unit_guessed: bool,
}

/// A split: `after` new shares for `before` old ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split {
    /// First day with it.
    pub day: Day,
    /// New shares.
    pub after: u32,
    /// Old shares.
    pub before: u32,
}

/// Closes by day.
pub type Closes = BTreeMap<Day, Price>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_or_a_page_is_a_fault_before_anything_is_read() {
        use DataFault as D;
        let rate = D::RateLimited { retry_after_s: None };
        for (status, body, expected) in [
            (429, "Too Many Requests", Some(rate.clone())),
            (999, "", Some(rate.clone())),
            (200, "Edge: Too Many Requests", Some(rate)),
            (401, r#"{"finance":{"error":{"description":"Invalid Crumb"}}}"#, Some(D::SessionOver)),
            (401, "User is unable to access this feature", Some(D::Blocked)),
            (403, "<html>", Some(D::Blocked)),
            (302, "", Some(D::ConsentNeeded)),
            (503, "<html>", Some(D::Outage("status 503".into()))),
            (200, "<!doctype html>Will be right back", Some(D::Outage("a page in place of data".into()))),
            (200, " ", Some(D::Outage("an empty reply".into()))),
            (200, "<?xml version='1.0'?><a/>", None),
            (200, "{}", None),
            (404, "{}", None),
        ] {
            assert_eq!(D::of_status(&Response::new(status, body)), expected, "{status} {body}");
        }
    }
}
