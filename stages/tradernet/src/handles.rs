//! The handles: `ReadOnly` cannot name an order command, `Trading` can; `Notes` changes watch lists and price alerts and
//! can name neither.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::command::{NoteCommand, ReadCommand, decode_note, decode_read, encode_note, encode_read};
use crate::commands::cancel_order::{CancelOrder, Cancelled, decode_cancel, encode_cancel};
use crate::commands::put_order::{Placed, PutOrder, decode_placed, encode_placed};
use crate::exchange::{Exchange, RawReply, TransportError};
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
    /// Seconds that our clock was ahead of the broker's with the last answer that said when it was.
    ahead_s: AtomicI64,
}

/// Stands for a clock that was never compared.
const NEVER: i64 = i64::MIN;

impl<E: Exchange> ReadOnly<E> {
    /// Binds a transport to a key pair.
    pub fn new(exchange: E, keys: Keys, clock: WallClock) -> Self {
        Self { exchange, keys, clock, ahead_s: AtomicI64::new(NEVER) }
    }

    /// Whole seconds that our clock is ahead of the broker's, by the last answer that said when it was; an answer takes
    /// its time, and the broker writes whole seconds, so a difference of one or two means nothing.
    pub fn clock_ahead_s(&self) -> Option<i64> {
        Some(self.ahead_s.load(Ordering::Relaxed)).filter(|ahead| *ahead != NEVER)
    }

    /// Forgets how the clocks compared: only answers from now on count.
    pub fn forget_clock(&self) {
        self.ahead_s.store(NEVER, Ordering::Relaxed);
    }

    /// Compares the clocks by an answer.
    fn compare(&self, answer: &Result<RawReply, TransportError>) {
        let said = answer.as_ref().ok().and_then(|reply| server_time_s(reply.header("date")?));
        let ours = i64::try_from((self.clock)()).ok();
        if let Some(ahead) = said.zip(ours).and_then(|(said, ours)| ours.checked_sub(said)) {
            self.ahead_s.store(ahead, Ordering::Relaxed);
        }
    }

    /// Sends one read, once.
    ///
    /// # Errors
    /// See [`Fault`]; an error never looks like an empty answer.
    pub async fn ask<C: ReadCommand>(&self, command: &C) -> Result<C::Reply, Fault> {
        let request = encode_read(command, &self.keys, (self.clock)());
        let answer = self.exchange.send(request).await;
        self.compare(&answer);
        decode_read(command, answer).inspect_err(note_refusal)
    }
}

/// Seconds since 1970 of a `Date` header.
fn server_time_s(date: &str) -> Option<i64> {
    let time = httpdate::parse_http_date(date).ok()?;
    let since = time.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

/// Leaves a trace of a refusal at the door: the excerpt tells a firewall page from a bad key.
fn note_refusal(fault: &Fault) {
    if let Fault::Forbidden { command, status, content_type, excerpt } = fault {
        tracing::warn!(command, status, content_type, excerpt, "The broker's door refused a read.");
    }
}

/// Changes the account's own notes; has no way to touch money or an order. No program holds one: whichever shall do so
/// for a person who asks for it has to be named in the test of structure that sees to that.
pub struct Notes<E> {
    read: ReadOnly<E>,
}

impl<E: Exchange> Notes<E> {
    /// Binds a transport to a key pair.
    pub fn new(exchange: E, keys: Keys, clock: WallClock) -> Self {
        Self { read: ReadOnly::new(exchange, keys, clock) }
    }

    /// Returns the reading half.
    pub fn read(&self) -> &ReadOnly<E> {
        &self.read
    }

    /// Sends one change, once.
    ///
    /// # Errors
    /// See [`Fault`]; after any of them the lists tell what is so.
    pub async fn change<C: NoteCommand>(&self, command: &C) -> Result<C::Reply, Fault> {
        let request = encode_note(command, &self.read.keys, (self.read.clock)());
        decode_note(command, self.read.exchange.send(request).await).inspect_err(note_refusal)
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::cell::RefCell;
    use std::pin::pin;
    use std::rc::Rc;
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::commands::positions::GetPositions;
    use crate::exchange::{RawRequest, RequestKind};
    use crate::ids::BrokerOrderId;

    /// Answers everything with one reply and keeps what it was sent; not `Send` on purpose.
    #[derive(Clone)]
    struct Parrot {
        reply: RawReply,
        sent: Rc<RefCell<Vec<RawRequest>>>,
    }

    impl Exchange for Parrot {
        async fn send(&self, request: RawRequest) -> Result<RawReply, TransportError> {
            self.sent.borrow_mut().push(request);
            Ok(self.reply.clone())
        }
    }

    fn finished<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("the parrot answers at once"),
        }
    }

    #[test]
    fn the_clocks_are_compared_by_every_answer_that_tells_the_time() {
        // Ours says 2026-01-01 00:00:00.
        let ahead = |dates: &[Option<&str>]| {
            let answers: Vec<RawReply> = dates
                .iter()
                .map(|date| {
                    let reply = RawReply::new(503, "");
                    if let Some(date) = date { reply.with_header("Date", date) } else { reply }
                })
                .collect();
            let keys = Keys::new("sim-public", "sim-private-key-0001".to_owned().into()).unwrap();
            let parrot = Parrot { reply: RawReply::new(200, ""), sent: Rc::default() };
            let broker = ReadOnly::new(parrot, keys, Box::new(|| 1_767_225_600));
            answers.into_iter().for_each(|answer| broker.compare(&Ok(answer)));
            broker.clock_ahead_s()
        };
        assert_eq!(ahead(&[]), None);
        assert_eq!(ahead(&[None]), None);
        assert_eq!(ahead(&[Some("yesterday")]), None);
        assert_eq!(ahead(&[Some("Thu, 01 Jan 2026 00:00:00 GMT")]), Some(0));
        assert_eq!(ahead(&[Some("Wed, 31 Dec 2025 23:59:54 GMT")]), Some(6));
        assert_eq!(ahead(&[Some("Thu, 01 Jan 2026 00:00:06 GMT"), None]), Some(-6), "the last that said so");
    }

    fn trading(body: &str) -> (Trading<Parrot>, Parrot) {
        let parrot = Parrot { reply: RawReply::new(200, body), sent: Rc::default() };
        let keys = Keys::new("sim-public", "sim-private-key-0001".to_owned().into()).unwrap();
        (Trading::new(parrot.clone(), keys, Box::new(|| 1_767_225_600)), parrot)
    }

    #[test]
    fn a_stand_in_transport_serves_both_handles() {
        let (broker, parrot) = trading(r#"{"order_id":5510020011}"#);
        let cancel = CancelOrder::new(&BrokerOrderId::parse("5510020011").unwrap()).unwrap();
        assert!(matches!(finished(broker.cancel_order(cancel)), Cancelled::Requested { .. }));
        assert!(finished(broker.read().ask(&GetPositions)).is_err(), "an acknowledgement is no account");
        let sent = parrot.sent.borrow();
        let kinds: Vec<_> = sent.iter().map(|request| (request.path.as_str(), request.kind)).collect();
        assert_eq!(
            kinds,
            [("/api/delTradeOrder", RequestKind::Order), ("/api/getPositionJson", RequestKind::Read)]
        );
        assert_eq!(sent[0].body, br#"{"order_id":5510020011}"#);
    }
}
