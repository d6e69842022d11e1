//! Client library of the market-data services besides the broker: Yahoo, the ECB, Frankfurter, Stooq, OpenFIGI.
//!
//! Every question is a value that writes its request and reads its reply (trait [`Ask`]); a transport (trait [`Fetch`])
//! carries the bytes; [`Client`] joins them and knows Yahoo's cookie and crumb. Everything but `http` is pure.
//! **Invariants:** a failure never looks like an empty answer ([`DataFault`]); unknown is `None`, never zero; prices
//! leave in the main unit of their currency, shares of one as fractions; every answer says who gave it and when
//! ([`Known`]). The system reaches every decision without any of these services.
//!
//! **Absent on purpose:** Yahoo's consent pages (a European address may get no fundamentals), its stream, Alpha Vantage.
//!
//! | Question | File |
//! |---|---|
//! | what an answer and a failure are | `answer` |
//! | which symbol is it there | `symbols`, `venues` |
//! | when may the next question go out | `pace` |
//! | pence or pounds, and rows that mix them | `units` |
//! | each service | `yahoo`, `ecb`, `frankfurter`, `stooq`, `openfigi` |

mod answer;
mod base;
mod client;
mod ecb;
mod fetch;
mod frankfurter;
mod http;
mod openfigi;
mod pace;
mod stooq;
mod symbols;
mod units;
mod venues;
pub mod yahoo;

pub use answer::{Ask, Bar, Closes, DataFault, Dividend, Known, Service, Split};
pub use base::{Base, BaseFault};
pub use client::Client;
pub use ecb::{EcbFile, EcbRates};
pub use fetch::{Fetch, FetchFault, Request, Response};
pub use frankfurter::FrankfurterLatest;
pub use http::HttpFetch;
pub use openfigi::{FigiJob, FigiMapping, FigiRow};
pub use pace::{Pace, Turn};
pub use stooq::StooqDaily;
pub use symbols::{stooq_symbol, symbol_by_code, yahoo_symbol};
pub use units::{Unit, price_of};
pub use venues::{VenueRow, venue_of_mic, venue_of_text};
