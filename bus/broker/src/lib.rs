//! The broker of the stages: MQTT 3.1.1 for this machine alone, embedded from a library (rumqttd 0.20), in a process
//! of its own.
//!
//! # Does
//! - Listens on the loopback address in `bus.url`; nothing else listens (no MQTT 5, websocket, console, metrics).
//! - Makes a password per stage at its first start ([`credentials`]); user name is the stage's name.
//! - Sets every limit the library has ([`limits`]) and refuses connections it would take badly ([`access`]).
//! - Sends itself a heartbeat through its own listener, tells the service manager that it is ready when the first came
//!   back, feeds the watchdog with each, and ends the process after some misses in a row.
//! - Ends the process when one of its threads panics; ends with code 0 on SIGTERM and SIGINT.
//!
//! # Owns and publishes
//! Nothing durable but the passwords. Its one topic is [`PROBE_TOPIC`], outside the namespace of the stages. All it
//! holds is in memory: a restart forgets every retained statement, session and queue, and owners repeat them.
//!
//! # Limits
//! The defaults in [`Limits`]: payload 256 KiB, a log of 4 × 1 MiB per filter, 128 connections. Memory is bounded by
//! (filters ever subscribed) × log + (retained statements); the log counts topics and payloads, and a small payload
//! can keep the 10 KiB it was read with alive. Filters and client ids are never forgotten, so both must be few and
//! fixed: subscribe to `reply/+`, not to one reply. Measured in a development build on x86-64: 6 MB (PSS) idle, 17 MB
//! after 60 000 messages of 4 KB through one filter.
//!
//! # Defects of the library fenced off here
//! | Defect | Fence |
//! |---|---|
//! | A panic ends the router's thread while process and sockets live on. A topic that begins with a letter outside ASCII is enough, or a shared subscription in a session that is not clean. | panic ends the process; the supervisor restarts it |
//! | After a connection was turned away for its client id or for want of room, the next with that id panics and no connection is possible any more. | both are refused earlier, at sign-in |
//! | The router may wait although it has work to do, until the next event. | the heartbeat is an event |
//! | No `TCP_NODELAY`; in a burst at QoS 0 a message may wait for the reader's delayed acknowledgement (`examples/latency.rs`: p99 45 ms instead of 4 ms; QoS 1 hardly differs). | set on the listening socket; accepted sockets inherit it |
//! | A taken port is merely logged. | checked before the start |
//! | At levels above ERROR it logs whole packets, passwords included. | capped in the binary |
//!
//! # Facts its users must know
//! Those marked *tested* stand in `tests/delivery.rs`, because the stages depend on them.
//! - **Retained statements** are sent at subscription only as far as there is room, the rest is dropped without a word:
//!   at QoS 1 at most 100 over *all* filters of the connection not acknowledged yet; at QoS 0 `max_outgoing` per filter
//!   (*tested*). Who needs all statements of a family with more than a few subscribes at QoS 0; on loopback and below
//!   the log's size nothing is lost there either. A second subscription to the same filter repeats nothing.
//! - **Delivery** has the subscriber's QoS whatever the publisher's. A reader further behind than its filter's log
//!   loses the oldest (*tested*); within it none is lost (*tested*). A writer at full speed is not slowed down for the
//!   reader: of 30 000 messages of 4 KB a reader on the same core missed 9 of 100, so bursts above 4 MiB need pauses. At most 100 messages are under way at QoS 1;
//!   acknowledgements must come in order, or the reader is cut off.
//! - **An empty payload** clears a retained statement, also when it is not marked as retained itself.
//! - **Shared subscriptions** (*tested*): one filter per group, subscribed at QoS 1 (at QoS 0 a full buffer repeats
//!   messages). Strictly in turn: a worker that holds 100 unacknowledged jobs stops its whole group and keeps a core
//!   busy until it goes on or leaves. What a worker had not finished when it died is not given to another. Who
//!   unsubscribes from anything leaves its groups.
//! - **A client id in use** goes to the later connection (*tested*), but the last will of the *later* is then published
//!   at once and is used up (*tested*). So a will says little: judge a stage by the age of its health statement.
//! - **Keep-alive** is not enforced while messages flow towards a silent client; a keep-alive of 0 is refused.
//! - **Refusals** have no return code: the connection is closed, and the reason is in the broker's log.
//! - **Topics beginning with `$`** reach nobody.
//!
//! # Deliberately does not
//! Durability, rights per topic (any stage may publish anything, so approvals carry a signature), a router for
//! outsiders, TLS, a stop within the process ([`Handle`] has none: the library cannot be stopped).

pub mod access;
pub mod config;
pub mod credentials;
mod guard;
mod health;
pub mod limits;
mod nodelay;
mod probe;
mod sockets;
mod start;

pub use config::Config;
pub use health::{Failure, Health};
pub use limits::Limits;
pub use probe::{PROBE_CLIENT_ID, PROBE_TOPIC, PROBE_USER};
pub use start::{Handle, StartError, run};
