//! Client library of the broker's API: signing, commands, decoding, pacing.
//!
//! Everything but `http` and `edge` is pure: a command writes its request and reads its reply, a transport
//! (trait [`Exchange`]) carries the bytes. The handle [`ReadOnly`] cannot name an order command,
//! [`Trading`] can; [`Notes`] changes watch lists and price alerts. **Invariants:** an error never looks like an empty answer; unknown is `None`,
//! never zero; numbers are read exactly, never through a float; an order is sent at most once and
//! whatever is not surely accepted, refused or unsent is [`Placed::Unknown`]; the private key has no
//! readable form; no program holds [`Notes`] or names a command that changes notes, which a test of structure sees to.
//!
//! **Not used by any program yet**, only proved against the simulated broker, because the library knows every command of
//! the broker's interface that Steward may ever send: the notes and their lists (`stock_lists`, `price_alerts`), the opening
//! bundle (`opening_bundle`, personal data), `security_sessions`, `planned_actions`, `transfer_requests`, `trade_allowed`,
//! `top_securities`, the search for one ticker (`find_ticker::FindTicker`), and the reports of corporate actions and
//! commissions (`broker_report`).
//!
//! **Absent on purpose:** log-ins, sessions and cookies, money transfers, margin, short, market and
//! good-till-cancelled orders, stop orders (they would act without the planner), automatic retries, candles below a day.

mod command;
mod decimal;
mod edge;
mod envelope;
mod exchange;
mod fault;
mod handles;
mod http;
mod http_address;
mod ids;
mod json;
mod order_key;
mod order_reply;
mod params;
mod place;
mod plain;
mod redact;
mod sign;
mod socket;
mod socket_address;
mod typed;
mod wall_time;

pub mod commands;
pub mod pacer;

pub use command::{
    NoteCommand, PlainCommand, ReadCommand, decode_note, decode_read, encode_note, encode_read,
};
pub use commands::put_order::{OrderFault, OrderForm, Placed, PutOrder};
pub use decimal::{NumberFault, scaled};
pub use edge::{Connection, Line, SocketLost};
pub use exchange::{Exchange, Method, RawReply, RawRequest, RequestKind, TransportError};
pub use fault::{ApiErrorKind, FORBIDDEN_PAUSE, Fault, Flaw, Retry};
pub use handles::{Notes, ReadOnly, Trading, WallClock};
pub use http::{HttpExchange, HttpFault, HttpSettings};
pub use http_address::{Address, AddressFault};
pub use ids::{BrokerOrderId, Side, Ticker, TickerFault, TradeId};
pub use order_key::user_order_id;
pub use order_reply::Doubt;
pub use place::{Below, BrokerError, Place, keys};
pub use plain::{Anonymous, encode_plain};
pub use redact::redacted;
pub use sign::{Keys, KeysFault};
pub use socket::{PRICE_AGE_MAX_MS, Socket, SocketEvent, Subscriptions};
pub use socket_address::SocketAddress;
pub use wall_time::{WallTime, measured_offset_minutes};
