//! Judges the health of the broker from the heartbeats that came back and those that did not. Pure: no clock, no IO.

/// How the broker is, as far as its self-probe knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// No heartbeat has come back yet.
    Starting,
    /// The given heartbeat came back; the number grows by at least one each time.
    Healthy {
        /// Number of the heartbeat.
        beat: u64,
    },
    /// It does not work and will not recover by itself: the process must end.
    Failed(Failure),
}

/// Why the broker has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Heartbeats through the own listener did not come back.
    #[error(
        "{misses} heartbeats in a row did not come back through the broker; the process ends to be restarted"
    )]
    Silent {
        /// How many in a row.
        misses: u64,
    },
    /// The listener ended or could not be opened.
    #[error("the broker stopped listening; the process ends to be restarted")]
    ListenerEnded,
    /// The self-probe ended, so nobody watches any more.
    #[error("the self-probe ended; the process ends to be restarted")]
    ProbeEnded,
}

/// Counts heartbeats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pulse {
    misses_max: u64,
    misses: u64,
    beat: u64,
}

impl Pulse {
    pub(crate) fn new(misses_max: u64) -> Pulse {
        Pulse { misses_max, misses: 0, beat: 0 }
    }

    /// Returns the number of the heartbeat to send now.
    pub(crate) fn beat(&self) -> u64 {
        self.beat
    }

    /// Notes that the heartbeat came back.
    pub(crate) fn returned(&mut self) -> Health {
        let beat = self.beat;
        self.beat = self.beat.saturating_add(1);
        self.misses = 0;
        Health::Healthy { beat }
    }

    /// Notes that it did not come back in time; tells when that is once too often.
    pub(crate) fn missed(&mut self) -> Option<Failure> {
        self.beat = self.beat.saturating_add(1);
        self.misses = self.misses.saturating_add(1);
        (self.misses >= self.misses_max).then_some(Failure::Silent { misses: self.misses })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fails_at_the_last_miss_allowed_and_not_one_earlier() {
        let mut pulse = Pulse::new(3);
        assert_eq!(pulse.missed(), None);
        assert_eq!(pulse.missed(), None);
        assert_eq!(pulse.missed(), Some(Failure::Silent { misses: 3 }));
    }

    #[test]
    fn a_returned_heartbeat_forgives_the_misses_before() {
        let mut pulse = Pulse::new(2);
        assert_eq!(pulse.missed(), None);
        assert_eq!(pulse.returned(), Health::Healthy { beat: 1 });
        assert_eq!(pulse.missed(), None);
        assert_eq!(pulse.missed(), Some(Failure::Silent { misses: 2 }));
    }

    #[test]
    fn every_heartbeat_has_a_number_of_its_own() {
        let mut pulse = Pulse::new(9);
        assert_eq!(pulse.beat(), 0);
        pulse.missed();
        assert_eq!(pulse.beat(), 1);
        pulse.returned();
        assert_eq!(pulse.beat(), 2);
    }
}
