//! The socket's network side: one connection at a time, text in, text out; decides nothing.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use futures_util::{SinkExt, StreamExt};

use crate::redact::{TEXT_CHARS_MAX, redacted};
use crate::sign::Keys;
use crate::socket::Socket;
use crate::socket_address::SocketAddress;

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
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
    /// When the connection is gone.
    pub async fn hear(&mut self) -> Result<String, SocketLost> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text.as_str().to_owned()),
                Some(Ok(Message::Close(_))) | None => return Err(SocketLost::of("closed by the broker")),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(SocketLost::of(error)),
            }
        }
    }
}
