//! The socket's network side: one connection at a time, text in, text out; and the line over all its connections,
//! which comes back by itself. What a frame means and how long a pause is, `socket` decides.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use market::Timestamp;
use tokio::net::TcpStream;
use tokio::sync::{Mutex, Notify};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use futures_util::{SinkExt, Stream, StreamExt};

use crate::commands::quotes::Quote;
use crate::ids::Ticker;
use crate::redact::{TEXT_CHARS_MAX, redacted};
use crate::sign::Keys;
use crate::socket::{Socket, SocketEvent, Subscriptions};
use crate::socket_address::SocketAddress;

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest silence of a connection; a ping breaks it. It is meant for open markets, where prices are followed; an order
/// that waits for its market costs a new connection sooner than needed, which does no harm.
const SILENCE: Duration = Duration::from_secs(60);
/// Largest message taken.
const MESSAGE_BYTES_MAX: usize = 1_024 * 1_024;
/// An ordinary name; bare library names are turned away by the firewall.
const USER_AGENT: &str = "Mozilla/5.0 (compatible; TradernetSDK/2.0)";

/// Why there is no connection any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the broker's socket is gone ({reason}); polling goes on")]
pub struct SocketLost {
    /// What was seen, redacted.
    pub reason: String,
}

impl SocketLost {
    fn of(error: impl std::fmt::Display) -> Self {
        Self { reason: redacted(&error.to_string(), TEXT_CHARS_MAX) }
    }
}

/// One open connection.
pub struct Connection(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Connection {
    /// Connects and signs in with the present wall-clock second; subscribes to nothing yet.
    ///
    /// # Errors
    /// Without a connection within ten seconds. The reason never shows the address, which carries the signature.
    pub async fn open(address: &SocketAddress, keys: &Keys, unix_s: u64) -> Result<Self, SocketLost> {
        // Fails only when a provider is installed already, which then stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut request = address
            .with_query(&Socket::query(keys, unix_s))
            .into_client_request()
            .map_err(|_| SocketLost::of("bad address"))?;
        let agent = USER_AGENT.parse().map_err(|_| SocketLost::of("bad user agent"))?;
        request.headers_mut().insert("User-Agent", agent);
        let limits = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        let connecting = connect_async_with_config(request, Some(limits), true);
        match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
            Ok(Ok((stream, _))) => Ok(Self(stream)),
            Ok(Err(Error::Http(reply))) => {
                Err(SocketLost::of(format_args!("status {}", reply.status().as_u16())))
            }
            Ok(Err(error)) => Err(SocketLost::of(error)),
            Err(_) => Err(SocketLost::of("time-out")),
        }
    }

    /// Says one text.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn say(&mut self, text: String) -> Result<(), SocketLost> {
        self.0.send(Message::Text(text.into())).await.map_err(SocketLost::of)
    }

    /// Waits for the next text; pings are answered on the way.
    ///
    /// # Errors
    /// When the connection is gone, or nothing at all came for a minute.
    pub async fn hear(&mut self) -> Result<String, SocketLost> {
        next_text(&mut self.0, || tokio::time::sleep(SILENCE)).await
    }
}

/// Waits for the next text. Every frame, a ping too, shows that the broker is there: the patience begins anew.
async fn next_text<F: Future<Output = ()>>(
    frames: &mut (impl Stream<Item = Result<Message, Error>> + Unpin),
    patience: impl Fn() -> F,
) -> Result<String, SocketLost> {
    loop {
        let frame = tokio::select! {
            biased;
            frame = frames.next() => frame,
            () = patience() => return Err(SocketLost::of("silent for a minute")),
        };
        match frame {
            Some(Ok(Message::Text(text))) => return Ok(text.as_str().to_owned()),
            Some(Ok(Message::Close(_))) | None => return Err(SocketLost::of("closed by the broker")),
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(SocketLost::of(error)),
        }
    }
}

/// The broker's socket over all its connections: follows what it was last told to and comes back after a loss, with
/// growing pauses. It only makes things faster; whoever listens goes on asking.
pub struct Line {
    address: SocketAddress,
    keys: Keys,
    wall: Box<dyn Fn() -> Timestamp>,
    wanted: RefCell<Subscriptions>,
    changed: Notify,
    held: Mutex<Held>,
}

/// The connection of now, if there is one, and what is remembered across connections.
#[derive(Default)]
struct Held {
    socket: Socket,
    followed: Subscriptions,
    connection: Option<Connection>,
}

impl Line {
    /// Binds an address to a key pair and the wall clock; connects to nothing before something is followed.
    pub fn new(address: SocketAddress, keys: Keys, wall: impl Fn() -> Timestamp + 'static) -> Self {
        Self {
            address,
            keys,
            wall: Box::new(wall),
            wanted: RefCell::default(),
            changed: Notify::new(),
            held: Mutex::default(),
        }
    }

    /// Follows something else from now on; following nothing ends the connection.
    pub fn follow(&self, wanted: Subscriptions) {
        if *self.wanted.borrow() != wanted {
            self.wanted.replace(wanted);
            self.changed.notify_one();
        }
    }

    /// Waits for the next word that means something. Dropping the wait loses nothing but a word half read.
    pub async fn next(&self) -> SocketEvent {
        let mut held = self.held.lock().await;
        loop {
            let wanted = self.wanted.borrow().clone();
            if wanted != held.followed {
                // A connection of its own for each set: what came of the old one is not mixed with the new.
                *held = Held { socket: Socket::new(wanted.clone()), followed: wanted, connection: None };
            }
            let Held { socket, followed, connection } = &mut *held;
            if followed.is_empty() {
                self.changed.notified().await;
                continue;
            }
            let Some(open) = connection else {
                if self.waited(socket).await {
                    *connection = self.connect(socket).await;
                }
                continue;
            };
            let heard = tokio::select! {
                biased;
                () = self.changed.notified() => continue,
                heard = open.hear() => heard,
            };
            let event = match heard {
                Ok(text) => socket.heard(&text),
                Err(lost) => {
                    *connection = None;
                    self.lost(socket, &lost);
                    continue;
                }
            };
            match &event {
                SocketEvent::Ignored => continue,
                SocketEvent::Demo => {
                    tracing::warn!("The broker's socket does not know the key; polling goes on.");
                }
                SocketEvent::Error(text) => tracing::warn!(text, "The broker's socket complains."),
                _ => {}
            }
            return event;
        }
    }

    /// Waits for prices and gathers more of them for a while: the newest of each ticker.
    pub async fn quotes(&self, gathered_for: Duration) -> BTreeMap<Ticker, Quote> {
        let mut told = BTreeMap::new();
        let note = |told: &mut BTreeMap<Ticker, Quote>, event| {
            if let SocketEvent::Quote(ticker, quote) = event {
                told.insert(ticker, *quote);
            }
        };
        while told.is_empty() {
            note(&mut told, self.next().await);
        }
        let more = async {
            loop {
                note(&mut told, self.next().await);
            }
        };
        // It never ends by itself.
        drop(tokio::time::timeout(gathered_for, more).await);
        told
    }

    /// Waits for the end of the pause after a loss; false when something else is to be followed meanwhile.
    async fn waited(&self, socket: &Socket) -> bool {
        let Some(back_at) = socket.back_at() else { return true };
        let left = u64::try_from(back_at.since((self.wall)())).unwrap_or(0);
        tokio::select! {
            biased;
            () = self.changed.notified() => false,
            () = tokio::time::sleep(Duration::from_millis(left)) => true,
        }
    }

    async fn connect(&self, socket: &mut Socket) -> Option<Connection> {
        let now = (self.wall)();
        let unix_s = u64::try_from(now.ms() / 1_000).unwrap_or(0);
        let signed_in = async {
            let mut connection = Connection::open(&self.address, &self.keys, unix_s).await?;
            for word in socket.opened() {
                connection.say(word).await?;
            }
            Ok(connection)
        };
        signed_in.await.inspect_err(|lost| self.lost(socket, lost)).ok()
    }

    fn lost(&self, socket: &mut Socket, lost: &SocketLost) {
        let now = (self.wall)();
        // Spread without chance: by the milliseconds of the clock.
        let luck = now.ms().rem_euclid(1_000) as f64 / 1_000.0;
        let back_at = socket.lost(now, luck);
        tracing::info!(%lost, pause_ms = back_at.since(now), "Waiting before the socket is opened again.");
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::cell::Cell;
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use futures_util::stream;

    use super::*;

    /// A broker that says each frame at its second; then nothing. Returns what was heard, and at which second.
    fn heard(mut frames: Vec<(u64, Message)>) -> (u64, Result<String, SocketLost>) {
        let clock = Cell::new(0);
        frames.reverse();
        let mut frames = stream::poll_fn(|_| match frames.last() {
            Some((then, _)) if *then <= clock.get() => Poll::Ready(frames.pop().map(|(_, frame)| Ok(frame))),
            _ => Poll::Pending,
        });
        let patience = || {
            let end = clock.get() + SILENCE.as_secs();
            let clock = &clock;
            poll_fn(move |_| if clock.get() >= end { Poll::Ready(()) } else { Poll::Pending })
        };
        let mut hearing = pin!(next_text(&mut frames, patience));
        loop {
            match hearing.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(heard) => return (clock.get(), heard),
                Poll::Pending => clock.set(clock.get() + 1),
            }
        }
    }

    fn ping(second: u64) -> (u64, Message) {
        (second, Message::Ping(Vec::new().into()))
    }

    #[test]
    fn a_minute_of_silence_ends_a_connection_and_a_ping_is_no_silence() {
        let text = |second| (second, Message::Text("[]".into()));
        let silent = || Err(SocketLost::of("silent for a minute"));
        let word = || Ok("[]".to_owned());
        assert_eq!(heard(vec![]), (60, silent()));
        assert_eq!(heard(vec![text(59)]), (59, word()));
        assert_eq!(heard(vec![text(61)]), (60, silent()));
        assert_eq!(heard(vec![ping(59), ping(118), ping(177), text(200)]), (200, word()));
        assert_eq!(heard(vec![ping(59), ping(118), text(179)]), (178, silent()));
    }

    #[test]
    fn a_closed_connection_is_lost_at_once() {
        let closed = Err(SocketLost::of("closed by the broker"));
        assert_eq!(heard(vec![ping(1), (2, Message::Close(None))]), (2, closed));
    }
}
