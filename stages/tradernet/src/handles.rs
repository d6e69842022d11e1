//! The two handles: `ReadOnly` cannot name an order command, `Trading` can.

use crate::command::{ReadCommand, decode_read, encode_read};
use crate::commands::cancel_order::{CancelOrder, Cancelled, decode_cancel, encode_cancel};
use crate::commands::put_order::{Placed, PutOrder, decode_placed, encode_placed};
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::sign::Keys;

/// Gives the wall-clock time in whole seconds since 1970; never a virtual clock, because the
/// broker compares it with its own.
pub type WallClock = Box<dyn Fn() -> u64 + Send + Sync>;

/// Reads the account and the market; has no way to change anything.
pub struct ReadOnly<E> {
    exchange: E,
    keys: Keys,
    clock: WallClock,
}

impl<E: Exchange> ReadOnly<E> {
    /// Binds a transport to a key pair.
    pub fn new(exchange: E, keys: Keys, clock: WallClock) -> Self {
        Self { exchange, keys, clock }
    }

    /// Sends one read, once.
    ///
    /// # Errors
    /// See [`Fault`]; an error never looks like an empty answer.
    pub async fn ask<C: ReadCommand>(&self, command: &C) -> Result<C::Reply, Fault> {
        let request = encode_read(command, &self.keys, (self.clock)());
        let answer = self.exchange.send(request).await;
        decode_read(command, answer)
    }
}

/// Reads and places orders; only the stage that executes approved orders holds one.
pub struct Trading<E> {
    read: ReadOnly<E>,
}

impl<E: Exchange> Trading<E> {
    /// Binds a transport to a key pair.
    pub fn new(exchange: E, keys: Keys, clock: WallClock) -> Self {
        Self { read: ReadOnly::new(exchange, keys, clock) }
    }

    /// Returns the reading half.
    pub fn read(&self) -> &ReadOnly<E> {
        &self.read
    }

    /// Sends an order exactly once and consumes it, so that it cannot be sent again.
    pub async fn put_order(&self, order: PutOrder) -> Placed {
        let request = encode_placed(&order, &self.read.keys, (self.read.clock)());
        decode_placed(self.read.exchange.send(request).await)
    }

    /// Asks for a cancellation, once; the order may still fill.
    pub async fn cancel_order(&self, cancel: CancelOrder) -> Cancelled {
        let request = encode_cancel(&cancel, &self.read.keys, (self.read.clock)());
        decode_cancel(self.read.exchange.send(request).await)
    }
}
