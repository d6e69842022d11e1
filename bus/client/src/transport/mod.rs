//! Two ways to the bus behind one trait.

pub mod local;
pub mod mqtt;

use crate::Publication;

/// What the runner needs of a bus.
pub trait Transport {
    /// The next thing that happened. May be dropped while waiting without losing anything.
    fn next(&mut self) -> impl Future<Output = Event>;
    /// Hands over as much as there is room for, from the front; what is left waits for the next [`Event`].
    fn publish(&mut self, waiting: &mut std::collections::VecDeque<Publication>);
    /// Subscribes; called after every [`Event::Connected`].
    ///
    /// # Errors
    /// One sentence, when there is no room.
    fn subscribe(&mut self, filters: &[(String, u8)]) -> Result<(), String>;
    /// Tells the broker that a message has been handled.
    fn handled(&mut self, ticket: u64);
    /// Says goodbye.
    fn close(&mut self) -> impl Future<Output = ()>;
}

/// What happens on a bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The bus is there; nothing of an earlier connection is left.
    Connected,
    /// The bus is gone or refused us; the transport tries again by itself.
    Lost(String),
    /// A message.
    Message(Message),
    /// There may be room for publications again.
    Room,
}

/// A message from the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Path on the wire.
    pub topic: String,
    /// Payload.
    pub payload: Vec<u8>,
    /// To be given back by [`Transport::handled`].
    pub ticket: u64,
}
