//! Turn, freefall and dip: whether a fall has ended, from closes alone.
//!
//! Definition, at least 130 closes: dd = c/max(last 252) − 1; momentum k = c/c_(n−k) − 1 for 20, 60, 120;
//! volatility k = population deviation of the last k log returns, ratio = v20/max(v120, 1e-9); strength = index of the
//! plain sums of the last 14 differences. dip = clip((|dd| − 0.12)/0.23); capitulation = clip((30 − strength)/20);
//! turn = momentum20 > momentum60 and > −0.02; freefall = momentum20 < −0.12 and ratio > 1.5; opportunity =
//! 0.5·dip + 0.3·capitulation + 0.2·turn, 0 in freefall. A turn after a recent drawdown (lowest of the last 42 bars)
//! at or below −0.10 raises it by up to 0.12, full at −0.22. Units: fractions. Range: scores 0 to 1. Fewer closes: the
//! [`Signal::QUIET`] one, so no turn and nothing falling is bought. A close ≤ 0 or not a number: skipped with its
//! neighbours' returns where a logarithm is taken; a window without any positive close has no signal.

use crate::finite::finite;
use crate::moments::population_deviation;

/// Closes below which nothing is said.
pub const CLOSES_MIN: usize = 130;
/// Bars that the lowest recent drawdown looks back.
pub const RECENT_BARS: usize = 42;
/// Closes that a full signal looks at.
pub const CLOSES_USED: usize = YEAR + RECENT_BARS;
/// Logarithmic returns whose scatter is usual.
pub const LOG_RETURNS_USED: usize = LONG;
const YEAR: usize = 252;
const STRENGTH_BARS: usize = 14;
const SHORT: usize = 20;
const MIDDLE: usize = 60;
const LONG: usize = 120;

/// What the last closes say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Signal {
    /// Distance from the high of a year, ≤ 0.
    pub drawdown: f64,
    /// The lowest of them over the last 42 bars.
    pub recent_drawdown: f64,
    /// Strength over 14 bars, 0 to 100.
    pub strength: f64,
    /// Change over 20, 60 and 120 bars.
    pub momentum: [f64; 3],
    /// Deviation of the last 20 log returns, a day.
    pub volatility: f64,
    /// The same against 120 bars.
    pub volatility_ratio: f64,
    /// Depth of the dip, 0 to 1.
    pub dip: f64,
    /// Exhaustion of sellers, 0 to 1.
    pub capitulation: f64,
    /// The price has turned upwards.
    pub turn: bool,
    /// The price falls faster than usual.
    pub freefall: bool,
    /// How good an opportunity it is, 0 to 1.
    pub opportunity: f64,
    /// Momentum less half the volatility.
    pub rank: f64,
}

impl Signal {
    /// Nothing is known.
    pub const QUIET: Signal = Signal {
        drawdown: 0.0,
        recent_drawdown: 0.0,
        strength: 50.0,
        momentum: [0.0; 3],
        volatility: 0.0,
        volatility_ratio: 1.0,
        dip: 0.0,
        capitulation: 0.0,
        turn: false,
        freefall: false,
        opportunity: 0.0,
        rank: 0.0,
    };

    /// The opportunity, raised after a recent dip from which the price has turned.
    ///
    /// `shallow` and `deep` are drawdowns, below 0; `boost` is what a deep one adds.
    pub fn boosted(&self, shallow: f64, deep: f64, boost: f64) -> f64 {
        if !self.turn || self.freefall || self.recent_drawdown > shallow {
            return self.opportunity;
        }
        let span = (deep.abs() - shallow.abs()).max(1e-9);
        let depth = clip((self.recent_drawdown.abs() - shallow.abs()) / span);
        clip(self.opportunity + boost * (0.4 + 0.6 * depth))
    }
}

/// Reads the signal from closes, oldest first.
///
/// # Examples
/// ```
/// use formulas::contrarian::{Signal, signal};
/// assert_eq!(signal(&[100.0; 129]), Signal::QUIET);
/// // 150 flat bars, then a jagged fall of more than a third within 20: freefall.
/// let mut closes = [100.0; 170];
/// (0..20).for_each(|i| closes[150 + i] = 100.0 - 1.75 * (i + 1) as f64 - 4.0 * (i % 2) as f64);
/// let falling = signal(&closes);
/// assert!(falling.freefall && !falling.turn && falling.dip == 1.0);
/// assert_eq!(falling.opportunity, 0.0);
/// ```
pub fn signal(closes: &[f64]) -> Signal {
    let mut buffer = [0.0; LOG_RETURNS_USED];
    signal_of(closes, log_returns(closes, &mut buffer))
}

/// The same from logarithmic returns that were taken before, the newest [`LOG_RETURNS_USED`] of them, oldest first.
pub fn signal_of(closes: &[f64], log_returns: &[f64]) -> Signal {
    if closes.len() < CLOSES_MIN {
        return Signal::QUIET;
    }
    read(closes, log_returns).unwrap_or(Signal::QUIET)
}

/// Takes the logarithm of what one became from one close to the next; `None` without two positive closes.
///
/// # Examples
/// ```
/// assert_eq!(formulas::contrarian::log_return(100.0, 100.0), Some(0.0));
/// assert_eq!(formulas::contrarian::log_return(0.0, 100.0), None);
/// ```
pub fn log_return(from: f64, to: f64) -> Option<f64> {
    (from > 0.0 && to > 0.0).then(|| libm::log(to / from))
}

fn read(closes: &[f64], logs: &[f64]) -> Option<Signal> {
    let drawdown = drawdown_at(closes, closes.len())?;
    let recent_drawdown = recent_drawdown(closes).min(drawdown);
    let strength = strength(closes);
    let momentum = [SHORT, MIDDLE, LONG].map(|bars| change(closes, bars).unwrap_or(0.0));
    let logs = &logs[logs.len().saturating_sub(LOG_RETURNS_USED)..];
    let volatility = population_deviation(&logs[logs.len().saturating_sub(SHORT)..]).unwrap_or(0.0);
    let usual = population_deviation(logs).unwrap_or(0.0);
    let volatility_ratio = finite(volatility / usual.max(1e-9))?;
    let dip = clip((drawdown.abs() - 0.12) / 0.23);
    let capitulation = clip((30.0 - strength) / 20.0);
    let turn = momentum[0] > momentum[1] && momentum[0] > -0.02;
    let freefall = momentum[0] < -0.12 && volatility_ratio > 1.5;
    let opportunity =
        if freefall { 0.0 } else { clip(0.5 * dip + 0.3 * capitulation + if turn { 0.2 } else { 0.0 }) };
    let rank = finite(momentum[2] - 0.5 * volatility)?;
    Some(Signal {
        drawdown,
        recent_drawdown,
        strength,
        momentum,
        volatility,
        volatility_ratio,
        dip,
        capitulation,
        turn,
        freefall,
        opportunity,
        rank,
    })
}

/// The lowest drawdown at the last bars. Their years end at most 41 bars apart and share all other closes, so the
/// highest close of that middle is looked for once, of the days before it from its end, and of those after it onwards.
fn recent_drawdown(closes: &[f64]) -> f64 {
    let n = closes.len();
    let first_end = n.saturating_sub(RECENT_BARS - 1).max(1);
    let (oldest, middle) = (first_end.saturating_sub(YEAR), n.saturating_sub(YEAR));
    let higher = |one: f64, other: f64| if other > one { other } else { one };
    let mut before = [0.0; RECENT_BARS];
    for at in (oldest..middle).rev() {
        before[at - oldest] = higher(before[at - oldest + 1], closes[at]);
    }
    let mut high = closes[middle..first_end].iter().copied().fold(0.0, higher);
    let mut lowest = 0.0;
    for end in first_end..=n {
        high = higher(high, closes[end - 1]);
        let high = higher(high, before[end.saturating_sub(YEAR) - oldest]);
        let fall = closes[end - 1] / high - 1.0;
        if high > 0.0 && fall.is_finite() && fall < lowest {
            lowest = fall;
        }
    }
    lowest
}

fn drawdown_at(closes: &[f64], end: usize) -> Option<f64> {
    let high = closes[end.saturating_sub(YEAR)..end].iter().copied().fold(0.0, f64::max);
    if high > 0.0 { finite(closes[end - 1] / high - 1.0) } else { None }
}

fn change(closes: &[f64], bars: usize) -> Option<f64> {
    let last = closes.len().checked_sub(1)?;
    let base = *closes.get(last.checked_sub(bars)?)?;
    if base > 0.0 { finite(closes[last] / base - 1.0) } else { None }
}

fn strength(closes: &[f64]) -> f64 {
    let used = &closes[closes.len().saturating_sub(STRENGTH_BARS + 1)..];
    let (mut gain, mut loss) = (0.0, 0.0);
    for pair in used.windows(2) {
        let difference = pair[1] - pair[0];
        if difference > 0.0 {
            gain += difference;
        } else {
            loss -= difference;
        }
    }
    let count = STRENGTH_BARS as f64;
    if loss / count <= 1e-12 {
        return 100.0;
    }
    finite(100.0 * gain / (gain + loss)).unwrap_or(50.0)
}

/// The last log returns that exist, oldest first.
fn log_returns<'a>(closes: &[f64], out: &'a mut [f64]) -> &'a [f64] {
    let mut free = out.len();
    let newest_first = closes.windows(2).rev().filter_map(|pair| log_return(pair[0], pair[1]));
    for (slot, value) in out.iter_mut().rev().zip(newest_first) {
        *slot = value;
        free -= 1;
    }
    &out[free..]
}

fn clip(value: f64) -> f64 {
    value.clamp(0.0, 1.0)
}
