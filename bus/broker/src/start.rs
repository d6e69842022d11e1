//! Starts the broker library with every limit set, and hands out what there is to know about it.

// The library asks for this type; nothing here depends on its order.
#[allow(clippy::disallowed_types)]
use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rumqttd::{Broker, ConnectionSettings, RouterConfig, ServerSettings};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::access;
use crate::config::Config;
use crate::credentials::{self, CredentialError, Passwords};
use crate::guard::{self, ROUTER_ID, SERVER_THREAD, STARTER_THREAD};
use crate::health::{Failure, Health};
use crate::limits::{CONNECTION_HEADROOM, LimitError, Limits, PACKET_OVERHEAD_BYTES};
use crate::nodelay;
use crate::probe::{self, PROBE_USER};
use crate::sockets;

/// Milliseconds between two accepted connections: a brake on floods that a start of all stages does not feel.
const ACCEPT_PAUSE_MS: u64 = 1;
/// Pause between two looks at whether the listener is open.
const LISTEN_LOOK: Duration = Duration::from_millis(2);
/// Looks at the listener before the start goes on without it; the self-probe then tells.
const LISTEN_LOOKS_MAX: u32 = 1_000;

/// Why the broker could not start. Each is one sentence for the owner of the machine.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A limit is outside its range.
    #[error("the broker does not start with an impossible limit: {0}")]
    Limit(LimitError),
    /// Another program listens there.
    #[error(
        "port {} on {} is in use by another program; stop that program, or set another port in bus.url",
        addr.port(),
        addr.ip()
    )]
    PortInUse {
        /// The address.
        addr: SocketAddr,
    },
    /// The address cannot be listened on for another reason.
    #[error("{addr} cannot be listened on; set another address in bus.url")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The passwords are not in order.
    #[error("{0}")]
    Credentials(CredentialError),
    /// The system gave no thread.
    #[error("the system gave no thread for {name}; free some memory and start again")]
    Thread {
        /// The thread.
        name: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

/// A running broker. It cannot be stopped within the process (the library has no way to); it ends with it.
#[derive(Debug, Clone)]
pub struct Handle {
    addr: SocketAddr,
    health: watch::Receiver<Health>,
}

impl Handle {
    /// Returns the address it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns the health as it changes; each returned heartbeat is a change.
    #[must_use]
    pub fn health(&self) -> watch::Receiver<Health> {
        self.health.clone()
    }

    /// Waits until the first heartbeat has come back.
    ///
    /// # Errors
    /// Says why it failed before that.
    pub async fn healthy(&self) -> Result<(), Failure> {
        let mut health = self.health.clone();
        let settled = health.wait_for(|health| *health != Health::Starting).await;
        match settled.as_deref() {
            Ok(Health::Failed(failure)) => Err(*failure),
            Ok(_) => Ok(()),
            Err(_) => Err(Failure::ProbeEnded),
        }
    }
}

/// Starts the broker: passwords, listener, self-probe. Returns when it listens; it is healthy when [`Handle::healthy`]
/// says so.
///
/// From here on a panic in one of its threads ends the process.
///
/// # Errors
/// Says in one sentence what is in the way and what to do.
pub fn run(config: &Config) -> Result<Handle, StartError> {
    config.limits.check().map_err(StartError::Limit)?;
    let passwords = credentials::ensure(&config.dir).map_err(StartError::Credentials)?;
    let addr = free_address(config.listen)?;
    guard::install();
    let (sender, health) = watch::channel(Health::Starting);
    let ended = start_library(addr, &config.limits, &passwords, sender.clone())?;
    prepare_listener(addr, config.no_delay, &ended);
    let settings = probe::Settings {
        addr,
        password: passwords.of(PROBE_USER).unwrap_or_default().to_owned(),
        limits: config.limits.clone(),
    };
    probe::spawn(settings, sender)
        .map_err(|source| StartError::Thread { name: guard::PROBE_THREAD, source })?;
    info!(%addr, dir = %config.dir.display(), "Listening for the stages.");
    Ok(Handle { addr, health })
}

/// Makes sure that nobody listens on the address, and chooses the port if it is 0. The library would merely log that
/// it could not listen, and go on.
fn free_address(addr: SocketAddr) -> Result<SocketAddr, StartError> {
    let listener = TcpListener::bind(addr).map_err(|source| match source.kind() {
        ErrorKind::AddrInUse => StartError::PortInUse { addr },
        _ => StartError::Listen { addr, source },
    })?;
    listener.local_addr().map_err(|source| StartError::Listen { addr, source })
}

/// Starts router and server; the channel closes when the server ends.
fn start_library(
    addr: SocketAddr,
    limits: &Limits,
    passwords: &Passwords,
    health: watch::Sender<Health>,
) -> Result<Receiver<()>, StartError> {
    let config = library_config(addr, limits, passwords);
    let (ends, ended) = mpsc::sync_channel(1);
    thread::Builder::new()
        .name(STARTER_THREAD.to_owned())
        .spawn(move || {
            // Returns only when the server has ended, whatever the reason.
            let outcome = Broker::new(config).start();
            warn!(?outcome, "The broker stopped listening.");
            probe::fail(&health, Failure::ListenerEnded);
            drop(ends);
        })
        .map_err(|source| StartError::Thread { name: STARTER_THREAD, source })?;
    Ok(ended)
}

/// Waits until the listener is open and takes the delay off it before the first stage connects.
fn prepare_listener(addr: SocketAddr, no_delay: bool, ended: &Receiver<()>) {
    for _ in 0..LISTEN_LOOKS_MAX {
        let prepared = if no_delay {
            nodelay::set_on_listener(addr)
        } else {
            Ok(sockets::listening_inode(addr).is_some())
        };
        match prepared {
            Ok(true) => return,
            Err(error) => {
                warn!(%error, "Small packets may wait up to 40 ms: TCP_NODELAY could not be set.");
                return;
            }
            Ok(false) => {}
        }
        if ended.recv_timeout(LISTEN_LOOK) == Err(RecvTimeoutError::Disconnected) {
            return;
        }
    }
    warn!("Small packets may wait up to 40 ms: the listening socket was not found.");
}

#[allow(clippy::disallowed_types)]
fn library_config(addr: SocketAddr, limits: &Limits, passwords: &Passwords) -> rumqttd::Config {
    let server = ServerSettings {
        name: SERVER_THREAD.to_owned(),
        listen: addr,
        tls: None,
        next_connection_delay_ms: ACCEPT_PAUSE_MS,
        connections: connection_settings(addr, limits, passwords),
    };
    rumqttd::Config {
        id: ROUTER_ID,
        router: RouterConfig {
            max_connections: size(limits.max_connections + CONNECTION_HEADROOM),
            max_outgoing_packet_count: limits.max_outgoing,
            max_segment_size: size(limits.segment_bytes),
            max_segment_count: size(limits.segments_per_filter),
            ..RouterConfig::default()
        },
        // MQTT 3.1.1 alone: no version 5, websocket, console, metrics, bridge or cluster.
        v4: Some(HashMap::from([(SERVER_THREAD.to_owned(), server)])),
        ..rumqttd::Config::default()
    }
}

fn connection_settings(addr: SocketAddr, limits: &Limits, passwords: &Passwords) -> ConnectionSettings {
    let mut settings = ConnectionSettings {
        connection_timeout_ms: u16::try_from(limits.connect_timeout_ms).unwrap_or(u16::MAX),
        max_payload_size: size(limits.max_payload_bytes + PACKET_OVERHEAD_BYTES),
        max_inflight_count: size(limits.max_inflight),
        auth: None,
        external_auth: None,
        // A publication nobody subscribed to must not open a log of its own.
        dynamic_filters: false,
    };
    let passwords = passwords.clone();
    let max = limits.max_connections;
    settings.set_auth_handler(move |client_id: String, user: String, password: String| {
        let open = sockets::open_connections(addr);
        let refusal = access::refusal(&client_id, (&user, &password), &passwords, (open, max));
        if let Some(refusal) = refusal {
            warn!(?client_id, ?user, %refusal, "Refused a connection.");
        }
        std::future::ready(refusal.is_none())
    });
    settings
}

/// Limits are checked to be far below what a `usize` holds on any machine.
fn size(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
