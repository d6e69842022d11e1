//! The only place that knows what time it is.
//!
//! In the real world that is the system's clock. In a simulated environment the statement `system/clock` says how
//! virtual time follows from wall time; until it has been heard there is no time, and a stage handles nothing.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use contracts::{ClockMode, ClockState};
use market::Timestamp;

use crate::Environment;

/// Virtual or real time.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The system's.
    System,
    /// As `system/clock` says; `None` until it has spoken.
    Virtual(Option<ClockState>),
}

impl Clock {
    /// The clock of an environment.
    #[must_use]
    pub fn of(environment: &Environment) -> Clock {
        if environment.is_simulated() { Clock::Virtual(None) } else { Clock::System }
    }

    /// Now, if it is known.
    #[must_use]
    pub fn now(&self) -> Option<Timestamp> {
        match self {
            Clock::System => Some(wall()),
            Clock::Virtual(state) => state.as_ref().map(|state| virtual_time(state, wall())),
        }
    }

    /// How long to sleep until `then`; `None` if only the clock's owner can bring it about.
    #[must_use]
    pub fn until(&self, then: Timestamp) -> Option<Duration> {
        let virtual_ms = u64::try_from(then.since(self.now()?)).unwrap_or(0);
        match self {
            Clock::System => Some(Duration::from_millis(virtual_ms)),
            Clock::Virtual(None) => None,
            Clock::Virtual(Some(state)) if virtual_ms == 0 => {
                (state.mode != ClockMode::Stepped || !state.ended).then_some(Duration::ZERO)
            }
            Clock::Virtual(Some(state)) if state.mode == ClockMode::Stepped || state.ended => None,
            Clock::Virtual(Some(state)) => {
                let seconds = Duration::from_millis(virtual_ms).as_secs_f64() / state.speed.get().max(1e-6);
                Some(Duration::from_secs_f64(seconds.min(3600.0)))
            }
        }
    }

    /// The last step announced; 0 outside stepped time.
    #[must_use]
    pub fn step(&self) -> u64 {
        match self {
            Clock::Virtual(Some(state)) => state.step,
            _ => 0,
        }
    }

    /// Whether time moves only from step to step.
    #[must_use]
    pub fn is_stepped(&self) -> bool {
        matches!(self, Clock::Virtual(Some(state)) if state.mode == ClockMode::Stepped)
    }
}

/// Virtual time of a clock statement at a wall time. Time never runs past the announced end.
#[must_use]
pub fn virtual_time(state: &ClockState, wall: Timestamp) -> Timestamp {
    if state.mode == ClockMode::Stepped || state.ended {
        return state.v0;
    }
    let passed = wall.ms().saturating_sub(state.w0_unix_ms).max(0);
    // Both fit a double's 53 bits for thousands of years.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    let moved = (passed as f64 * state.speed.get()) as i64;
    let now = state.v0.saturating_plus_ms(moved);
    state.until.map_or(now, |until| now.min(until))
}

/// Wall time. Everything else gets its time as an argument.
#[must_use]
#[allow(clippy::disallowed_methods)]
pub fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use contracts::{Finite, Sample};

    use super::*;

    fn scaled(speed: f64) -> ClockState {
        ClockState {
            speed: Finite::new(speed).expect("finite"),
            mode: ClockMode::Scaled,
            until: None,
            ..ClockState::sample()
        }
    }

    #[test]
    fn scaled_time_runs_at_its_speed() {
        let state = scaled(60.0);
        let wall = Timestamp::from_ms(state.w0_unix_ms + 1_500);
        assert_eq!(virtual_time(&state, wall).since(state.v0), 90_000);
    }

    #[test]
    fn time_before_the_statement_does_not_run_backwards() {
        let state = scaled(60.0);
        assert_eq!(virtual_time(&state, Timestamp::from_ms(state.w0_unix_ms - 5_000)), state.v0);
    }

    #[test]
    fn time_stops_at_the_end() {
        let state = ClockState { until: Some(scaled(1.0).v0.saturating_plus_ms(10)), ..scaled(1.0) };
        let wall = Timestamp::from_ms(state.w0_unix_ms + 1_000_000);
        assert_eq!(Some(virtual_time(&state, wall)), state.until);
    }

    #[test]
    fn stepped_time_stands_still() {
        let state = ClockState { mode: ClockMode::Stepped, ..scaled(1.0) };
        assert_eq!(virtual_time(&state, Timestamp::from_ms(i64::MAX)), state.v0);
        let clock = Clock::Virtual(Some(state.clone()));
        assert_eq!(clock.until(state.v0.saturating_plus_ms(1)), None);
        assert_eq!(clock.until(state.v0), Some(Duration::ZERO));
    }

    #[test]
    fn no_statement_is_no_time() {
        assert_eq!(Clock::Virtual(None).now(), None);
    }
}
