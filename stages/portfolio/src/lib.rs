//! Keeps the books of the account: reads it at the broker, derives what is held from fills, compares both, and
//! says what everything is worth.
//!
//! **Reads** `market/universe`, `market/quote/{isin}`, `market/fx`, `order/state/{order_id}`, `plan/proposed`, `command/portfolio/{sync,import,held_since}`,
//! and at the broker positions, cash, trades, working orders and cash flows, in one consistent pass; of the store `market` the
//! view `api_fx`, for what was booked late.
//!
//! **Publishes** `portfolio/state`, `portfolio/nav`, `portfolio/flow/{id}`, `portfolio/bucket/core`,
//! `portfolio/reconciliation/{currency}`, `portfolio/evaluation`, `system/job/portfolio/{sync.account,import}`.
//!
//! **Owns** the store `ledger`: `fill`, `trade_before`, `trade_unbooked`, `position`, `frozen`, `broker_position`,
//! `broker_cash`, `sync`, `begun`, `cash_flow`, `cash_opening`, `corporate_action`, `dividend`, `eod_snapshot`, `eod_position`, `eod_cash`, and the
//! same of the paper ledger as `paper_*`, and `analytic`; views
//! `api_fill`, `api_position`, `api_cash`, `api_cash_flow`, `api_corporate_action`, `api_dividend`, `api_nav`, `api_eod_position`,
//! `api_eod_cash`, `api_paper_*`, `api_performance`, `api_attribution`, `api_turnover`, `api_composition`.
//!
//! **Refuses** an answer that says suspiciously less than the one before, until three equal ones came; to
//! value the whole while a price or rate is missing; to start on books whose positions are not the sum of
//! their fills and corporate actions, with an address of the wrong environment, or with a key that others can read.
//!
//! **Invariants:** positions are the sum of fills and corporate actions; cash is what was there at first, and every
//! fill and flow since; a trade is booked once, by the broker's id; a difference to the broker or to
//! `order/state` that is seen twice, a minute apart, is explained by a corporate action, or freezes the security
//! until it is gone; orders on paper change the paper ledger alone, and only in research mode, in which it is what is
//! said of the fund; of cash that differs the smaller amount is counted on; negative cash stays negative.
//!
//! **Limits** one pass over the account at a time; a flow is said for seven days and kept for ever; limits of an import and of the
//! lists of the broker in `limits`.
//!
//! **Deliberately does not do (yet):** satellites, dividends to reinvest. Prices never come
//! from the broker's account.
//!
//! | Question | File |
//! |---|---|
//! | what is held and what did it cost | `books`, `import` |
//! | what cash is there, settled and under way | `cash_book` |
//! | was it a split, a takeover, a new name | `actions`; seen twice and booked: `account/corporate` |
//! | which trades wait to be booked | `unbooked` |
//! | does the broker agree | `reconcile`; confirmed, frozen and said: `account/comparison` |
//! | what is it worth, and at which price | `value`, `prices` |
//! | when does a day end, and what did it bring | `nav`, `day_end`; what it consists of: `closing`, `day_store` |
//! | does the day follow from what was booked | `rebuild` |
//! | how good was a period, and what earned it | `analytics`, `earned` |
//! | what does the fund consist of, and what is too large | `composition` |
//! | which rate does a late booking get | `day_rates` |
//! | what came in and went out | `flows`, `dividends`; what only settled a trade: `settlements` |
//! | what does an imported ledger say, and what is taken over | `csv`, `take_over` |
//! | what does research mode hold, and how did it come to it | `paper`, `paper_store`; what the mode changes: `research` |
//! | what are these holdings called | `state_id` |

mod account;
mod actions;
mod analytics;
mod books;
mod cash_book;
mod closing;
mod composition;
mod csv;
mod day_end;
mod day_rates;
mod day_store;
mod dividends;
mod earned;
mod edge;
mod flows;
mod held_since;
mod import;
mod job_runs;
mod limits;
mod nav;
mod paper;
mod paper_store;
mod prices;
mod rebuild;
mod reconcile;
mod research;
mod settings;
mod settlements;
mod stage;
mod state_id;
mod store;
mod take_over;
mod unbooked;
mod value;

pub use actions::{Action, Change};
pub use analytics::{Figure, Kind};
pub use books::{Books, Fill, Held, Origin};
pub use closing::{CashEnd, Closing, HoldingEnd};
pub use day_rates::DayRates;
pub use dividends::Dividend;
pub use edge::{Call, Failure, PortfolioEdge, Reply, Snapshot};
pub use flows::Booked;
pub use nav::DayEnd;
pub use paper::PaperSave;
pub use reconcile::{Account, Reported};
pub use settings::Settings;
pub use stage::Portfolio;
pub use store::Save;
pub use unbooked::Unbooked;
