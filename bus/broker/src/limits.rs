//! The limits of the broker: every buffer, count and wait it has, by name, with the range it may be set to.
//!
//! The largest payload comes from the topic registry; the other defaults live here. How the broker library takes each of them is
//! said at the field, because its own names promise something else in places.

use std::time::Duration;

use serde::Deserialize;

/// Bytes of a publication beside its payload: two length fields, the packet id and the longest topic.
pub const PACKET_OVERHEAD_BYTES: u64 = 2 + 2 + 2 + TOPIC_BYTES_MAX;
/// Longest topic the overhead leaves room for.
const TOPIC_BYTES_MAX: u64 = 512;
/// Connections the library may hold above our own limit: a connection that was closed a moment ago still counts
/// for it, and running into its own limit makes it panic at the client's next attempt (see [`crate`]).
pub const CONNECTION_HEADROOM: u64 = 128;

/// Every limit of a running broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Largest payload in bytes. The library counts the whole packet after its fixed header, so it is given
    /// [`PACKET_OVERHEAD_BYTES`] more; the sender of a larger packet is cut off.
    pub max_payload_bytes: u64,
    /// Packets taken from one connection per turn. In the library this is `max_inflight_count`, which does *not*
    /// limit what is unacknowledged towards a subscriber: that is 100, fixed.
    pub max_inflight: u64,
    /// Packets a QoS 0 subscriber is handed per turn, and with it the number of retained statements it receives
    /// per filter when it subscribes. More would be dropped without a word.
    pub max_outgoing: u64,
    /// Simultaneous connections, those that have not authenticated yet included.
    pub max_connections: u64,
    /// Bytes of one segment of the log that each subscription filter has.
    pub segment_bytes: u64,
    /// Segments per filter. The oldest is dropped when all are full: a reader further behind loses messages.
    pub segments_per_filter: u64,
    /// Milliseconds a new connection may take to present its credentials.
    pub connect_timeout_ms: u64,
    /// Milliseconds between two heartbeats of the self-probe.
    pub probe_interval_ms: u64,
    /// Milliseconds until a heartbeat that has not come back counts as missed.
    pub probe_deadline_ms: u64,
    /// Heartbeats missed in a row after which the broker has failed.
    pub probe_misses_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_payload_bytes: largest_payload(),
            max_inflight: 64,
            max_outgoing: 1024,
            max_connections: 128,
            segment_bytes: 1024 * 1024,
            segments_per_filter: 4,
            connect_timeout_ms: 2_000,
            probe_interval_ms: 2_000,
            probe_deadline_ms: 2_000,
            probe_misses_max: 3,
        }
    }
}

/// No topic of the registry allows more, so nothing larger can be meant for a stage.
fn largest_payload() -> u64 {
    contracts::TOPICS.iter().map(|topic| u64::from(topic.max_bytes)).max().unwrap_or(0)
}

/// The limits a settings file may change, each optional; an unknown name is an error.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitOverrides {
    max_payload_bytes: Option<u64>,
    max_inflight: Option<u64>,
    max_outgoing: Option<u64>,
    max_connections: Option<u64>,
    segment_bytes: Option<u64>,
    segments_per_filter: Option<u64>,
    connect_timeout_ms: Option<u64>,
    probe_interval_ms: Option<u64>,
    probe_deadline_ms: Option<u64>,
    probe_misses_max: Option<u64>,
}

/// A limit outside the range it may be set to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("broker.{name} is {value}, but must lie between {min} and {max}")]
pub struct LimitError {
    /// Name of the limit in the settings file.
    pub name: &'static str,
    /// The value found.
    pub value: u64,
    /// Smallest value allowed.
    pub min: u64,
    /// Largest value allowed.
    pub max: u64,
}

impl Limits {
    /// Returns the defaults with the given overrides applied and every range checked.
    ///
    /// # Errors
    /// Names the first limit that lies outside its range.
    pub fn with(overrides: &LimitOverrides) -> Result<Limits, LimitError> {
        let default = Limits::default();
        let limits = Limits {
            max_payload_bytes: overrides.max_payload_bytes.unwrap_or(default.max_payload_bytes),
            max_inflight: overrides.max_inflight.unwrap_or(default.max_inflight),
            max_outgoing: overrides.max_outgoing.unwrap_or(default.max_outgoing),
            max_connections: overrides.max_connections.unwrap_or(default.max_connections),
            segment_bytes: overrides.segment_bytes.unwrap_or(default.segment_bytes),
            segments_per_filter: overrides.segments_per_filter.unwrap_or(default.segments_per_filter),
            connect_timeout_ms: overrides.connect_timeout_ms.unwrap_or(default.connect_timeout_ms),
            probe_interval_ms: overrides.probe_interval_ms.unwrap_or(default.probe_interval_ms),
            probe_deadline_ms: overrides.probe_deadline_ms.unwrap_or(default.probe_deadline_ms),
            probe_misses_max: overrides.probe_misses_max.unwrap_or(default.probe_misses_max),
        };
        limits.check()?;
        Ok(limits)
    }

    /// Checks every limit against its range.
    ///
    /// # Errors
    /// Names the first limit that lies outside its range.
    pub fn check(&self) -> Result<(), LimitError> {
        let ranges = [
            ("max_payload_bytes", self.max_payload_bytes, 1_024, 4 * 1024 * 1024),
            ("max_inflight", self.max_inflight, 1, 1_024),
            // Below the fixed 100 of QoS 1 a QoS 0 reader would see fewer retained statements than it could.
            ("max_outgoing", self.max_outgoing, 100, 65_536),
            // The stages, two spare instances and the self-probe must find room.
            ("max_connections", self.max_connections, 18, 896),
            // The library panics below 1 KiB.
            ("segment_bytes", self.segment_bytes, 1_024, 64 * 1024 * 1024),
            ("segments_per_filter", self.segments_per_filter, 2, 64),
            ("connect_timeout_ms", self.connect_timeout_ms, 100, 60_000),
            ("probe_interval_ms", self.probe_interval_ms, 50, 30_000),
            ("probe_deadline_ms", self.probe_deadline_ms, 50, 30_000),
            ("probe_misses_max", self.probe_misses_max, 1, 100),
        ];
        for (name, value, min, max) in ranges {
            if value < min || value > max {
                return Err(LimitError { name, value, min, max });
            }
        }
        Ok(())
    }

    /// Returns the limits with the self-probe quick enough for a watchdog of the given length: interval and
    /// deadline together stay within half of it.
    #[must_use]
    pub fn fitted_to_watchdog(mut self, watchdog: Duration) -> Limits {
        let quarter = u64::try_from(watchdog.as_millis() / 4).unwrap_or(u64::MAX).max(50);
        self.probe_interval_ms = self.probe_interval_ms.min(quarter);
        self.probe_deadline_ms = self.probe_deadline_ms.min(quarter);
        self
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn defaults_lie_within_their_ranges() {
        Limits::default().check().unwrap();
    }

    #[test]
    fn each_boundary_is_accepted_and_one_step_beyond_is_refused() {
        let with = |segment_bytes| {
            Limits::with(&LimitOverrides { segment_bytes: Some(segment_bytes), ..LimitOverrides::default() })
        };
        assert!(with(1_024).is_ok());
        assert!(with(64 * 1024 * 1024).is_ok());
        assert!(with(64 * 1024 * 1024 + 1).is_err());
        let refusal = with(1_023).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "broker.segment_bytes is 1023, but must lie between 1024 and 67108864"
        );
    }

    #[test]
    fn a_short_watchdog_quickens_the_probe_and_a_long_one_leaves_it() {
        let short = Limits::default().fitted_to_watchdog(Duration::from_secs(4));
        assert_eq!((short.probe_interval_ms, short.probe_deadline_ms), (1_000, 1_000));
        assert_eq!(Limits::default().fitted_to_watchdog(Duration::from_secs(60)), Limits::default());
    }
}
