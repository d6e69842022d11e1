//! One line per virtual day, and the judgement that time stands still. Pure: instants are arguments.

use std::time::{Duration, Instant};

use contracts::ClockMode;
use market::{Day, Timestamp};

use crate::tally::Tally;

/// Without any progress for this long a run is given up.
pub(crate) const STUCK_AFTER: Duration = Duration::from_secs(60);

/// What has been printed and when something last moved.
#[derive(Debug)]
pub(crate) struct Progress {
    day: Option<Day>,
    marker: u64,
    moved: Instant,
}

impl Progress {
    pub(crate) fn new(now: Instant) -> Progress {
        Progress { day: None, marker: 0, moved: now }
    }

    /// The line of the day that is over, if one is.
    pub(crate) fn line(&mut self, tally: &Tally, virtual_now: Timestamp) -> Option<String> {
        let today = virtual_now.day_utc();
        let over = self.day.replace(today).filter(|day| *day < today)?;
        Some(line(over, tally))
    }

    /// The line of the present day, for the end of the run.
    pub(crate) fn last_line(&self, tally: &Tally) -> Option<String> {
        self.day.map(|day| line(day, tally))
    }

    /// Notes whether anything moved; true when nothing has for too long.
    pub(crate) fn is_stuck(&mut self, tally: &Tally, now: Instant) -> bool {
        let messages = tally.messages.values().sum();
        let marker = match &tally.clock {
            // Stages repeat their health for ever; only the step tells whether stepped time moves.
            Some(clock) if clock.mode == ClockMode::Stepped => clock.step,
            _ => messages,
        };
        if marker != self.marker {
            self.marker = marker;
            self.moved = now;
        }
        now.saturating_duration_since(self.moved) >= STUCK_AFTER
    }
}

fn line(day: Day, tally: &Tally) -> String {
    let nav =
        tally.nav.as_ref().map_or_else(|| "unknown".to_string(), |(_, nav)| crate::figures::money(&nav.nav));
    let (orders, fills) = tally.orders_and_fills();
    format!("{day}  NAV {nav}  orders {orders}  fills {fills}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::field_reassign_with_default)]
mod tests {
    use contracts::{ClockState, Sample};

    use super::*;

    const DAY_MS: i64 = 86_400_000;

    #[test]
    fn a_day_is_printed_once_when_it_is_over() {
        let mut progress = Progress::new(Instant::now());
        let tally = Tally::default();
        let at = |days: i64| Timestamp::from_ms(days * DAY_MS + 5);
        assert_eq!(progress.line(&tally, at(0)), None);
        assert_eq!(progress.line(&tally, at(0)), None);
        assert_eq!(progress.line(&tally, at(1)).unwrap(), "1970-01-01  NAV unknown  orders 0  fills 0");
        assert_eq!(progress.line(&tally, at(1)), None);
        // A weekend that time jumped over has no lines.
        assert!(progress.line(&tally, at(4)).unwrap().starts_with("1970-01-02"));
        assert!(progress.last_line(&tally).unwrap().starts_with("1970-01-05"));
    }

    #[test]
    fn stepped_time_is_stuck_without_a_step_whatever_else_is_said() {
        let begin = Instant::now();
        let mut progress = Progress::new(begin);
        let clock = ClockState { mode: ClockMode::Stepped, step: 3, ..ClockState::sample() };
        let mut tally = Tally::default();
        tally.clock = Some(clock);
        assert!(!progress.is_stuck(&tally, begin));
        tally.messages.insert("system/health".into(), 9);
        assert!(!progress.is_stuck(&tally, begin + STUCK_AFTER - Duration::from_millis(1)));
        assert!(progress.is_stuck(&tally, begin + STUCK_AFTER));
        tally.clock.as_mut().unwrap().step = 4;
        assert!(!progress.is_stuck(&tally, begin + STUCK_AFTER));
    }

    #[test]
    fn flowing_time_is_stuck_when_nobody_says_anything() {
        let begin = Instant::now();
        let mut progress = Progress::new(begin);
        let mut tally = Tally::default();
        assert!(progress.is_stuck(&tally, begin + STUCK_AFTER));
        tally.messages.insert("system/health".into(), 1);
        assert!(!progress.is_stuck(&tally, begin + STUCK_AFTER));
    }
}
