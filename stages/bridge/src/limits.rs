//! Bounds of what is kept, served and waited for.

use std::time::Duration;

/// Statements shown at most.
pub const STATEMENTS_MAX: usize = 8_192;
/// Clients of `/api/events` at once.
pub const WATCHERS_MAX: usize = 16;
/// Changes that may wait for one client.
pub const QUEUE_MAX: usize = 1_024;
/// Connections at once.
pub const CONNECTIONS_MAX: usize = 48;
/// Requests that may wait for the stage.
pub const REQUESTS_MAX: usize = 16;
/// Commands whose answer is awaited.
pub const PENDING_MAX: usize = 64;
/// Largest head of a request, bytes.
pub const HEAD_MAX: usize = 16_384;
/// Largest body of a request, bytes.
pub const BODY_MAX: usize = 4_096;
/// Longest reason for a halt, characters.
pub const TEXT_MAX: usize = 500;
/// A request must have arrived by then.
pub const REQUEST_WITHIN: Duration = Duration::from_secs(5);
/// An answer to a command must have arrived by then.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// A connection that carries one request is over by then.
pub const CONNECTION_WITHIN: Duration = Duration::from_secs(15);
/// A client must have taken what it was sent by then.
pub const WRITE_WITHIN: Duration = Duration::from_secs(10);
/// A silent event stream says this often that it lives.
pub const HEARTBEAT: Duration = Duration::from_secs(15);
/// Outcomes of commands are kept this long.
pub const OUTCOMES_KEPT_MS: i64 = 7 * 86_400_000;
