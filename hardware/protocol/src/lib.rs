//! Frames of the board's router socket: MessagePack-RPC without any framing around it.
//!
//! A request is `[0, id, method, params]`, a response `[1, id, error, result]`, a notification `[2, method, params]`.
//! [`Frame::encode`] writes the shortest forms; [`Decoder`] takes bytes in whatever pieces they come. What is
//! MessagePack but no frame is skipped with a reason, what is not MessagePack ends the connection.
//!
//! **Limits** one incoming message 1 MiB, nesting 16, one outgoing request 200 bytes (the microcontroller never
//! consumes a larger one and the link hangs until it is reset).
//!
//! **Deliberately absent** sockets, time-outs, retries, and what the methods mean.

mod decode;
mod encode;
mod frame;
mod value;

pub use decode::{Broken, Decoder, Item, Skipped};
pub use frame::{Frame, RpcError, TooLong};
pub use value::Value;

/// Largest request that may be sent to the microcontroller, in bytes.
pub const REQUEST_MAX: usize = 200;
/// Largest message taken in, in bytes.
pub const MESSAGE_MAX: usize = 1 << 20;
/// Deepest nesting of arrays and maps taken in.
pub const DEPTH_MAX: usize = 16;
