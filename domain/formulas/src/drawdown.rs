//! Drawdown: how far a price stands below its highest point so far.
//!
//! Definition: dd_i = c_i/max(c_0..c_i) − 1; max drawdown = the smallest dd_i. Units: fraction.
//! Range: −1 to 0. Empty: `None`; one close: 0. A close ≤ 0, not a number or infinity anywhere:
//! `None` from there on. From returns the path starts at 1 before the first one.
//! A close equal to the peak is at the peak; bars under water count from the last such bar, from
//! prices and not from compounded returns, whose rounding would decide the count.

use crate::finite::finite;

/// The drawdown of a series that takes one close at a time.
#[derive(Debug, Clone, Copy)]
pub struct Drawdown {
    bars: usize,
    peak: f64,
    peak_bar: usize,
    current: f64,
    deepest: Option<Fall>,
    is_broken: bool,
}

/// The deepest fall of a series; bars count from 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fall {
    /// Depth as a fraction, below 0.
    pub depth: f64,
    /// The last bar at the peak from which it fell.
    pub peak_bar: usize,
    /// The bar of the lowest close of this fall.
    pub trough_bar: usize,
    /// The first bar at which the old peak was regained; `None` while under water.
    pub recovery_bar: Option<usize>,
    peak: f64,
}

impl Default for Drawdown {
    fn default() -> Self {
        Self::new()
    }
}

impl Drawdown {
    /// Starts without any close.
    pub fn new() -> Self {
        Self { bars: 0, peak: 0.0, peak_bar: 0, current: 0.0, deepest: None, is_broken: false }
    }

    /// Takes the next close.
    pub fn push(&mut self, close: f64) {
        if !(close > 0.0 && close.is_finite()) {
            self.is_broken = true;
        }
        let bar = self.bars;
        self.bars = self.bars.saturating_add(1);
        if self.is_broken {
            return;
        }
        if close >= self.peak {
            (self.peak, self.peak_bar) = (close, bar);
        }
        self.current = close / self.peak - 1.0;
        self.follow_deepest(bar, close);
    }

    fn follow_deepest(&mut self, bar: usize, close: f64) {
        if self.current < self.deepest.map_or(0.0, |fall| fall.depth) {
            let (depth, peak, peak_bar) = (self.current, self.peak, self.peak_bar);
            self.deepest = Some(Fall { depth, peak_bar, trough_bar: bar, recovery_bar: None, peak });
        } else if let Some(fall) = &mut self.deepest
            && fall.recovery_bar.is_none()
            && close >= fall.peak
        {
            fall.recovery_bar = Some(bar);
        }
    }

    /// Returns the drawdown at the last close.
    pub fn current(&self) -> Option<f64> {
        self.is_known().then_some(self.current)
    }

    /// Returns the deepest drawdown so far, 0 when the series never fell.
    pub fn max(&self) -> Option<f64> {
        self.is_known().then_some(self.deepest.map_or(0.0, |fall| fall.depth))
    }

    /// Returns the number of bars since the last bar at the peak; `None` when at the peak.
    pub fn bars_under_water(&self) -> Option<usize> {
        (self.is_known() && self.current < 0.0).then(|| self.bars - 1 - self.peak_bar)
    }

    /// Returns where the deepest fall began, ended and was made good; `None` without any fall.
    pub fn deepest(&self) -> Option<Fall> {
        self.deepest.filter(|_| self.is_known())
    }

    fn is_known(&self) -> bool {
        self.bars > 0 && !self.is_broken
    }
}

/// Measures the drawdown of a whole series, oldest first.
///
/// # Examples
/// ```
/// let drawdown = formulas::drawdown::drawdown(&[100.0, 120.0, 90.0, 108.0]);
/// assert_eq!(drawdown.max(), Some(-0.25));
/// assert!((drawdown.current().unwrap() + 0.10).abs() < 1e-12);
/// assert_eq!(drawdown.bars_under_water(), Some(2));
/// assert_eq!(drawdown.deepest().unwrap().trough_bar, 2);
/// ```
pub fn drawdown(closes: &[f64]) -> Drawdown {
    let mut drawdown = Drawdown::new();
    closes.iter().for_each(|&close| drawdown.push(close));
    drawdown
}

/// Computes the deepest drawdown of the path that starts at 1 and compounds `returns`.
///
/// A return of −1 is the loss of everything, −1; below −1 the result is `None`; so it is for none.
///
/// # Examples
/// ```
/// let deepest = formulas::drawdown::max_drawdown_of_returns(&[-0.2, 0.1]).unwrap();
/// assert!((deepest + 0.2).abs() < 1e-15);
/// assert_eq!(formulas::drawdown::max_drawdown_of_returns(&[]), None);
/// ```
pub fn max_drawdown_of_returns(returns: &[f64]) -> Option<f64> {
    if returns.is_empty() {
        return None;
    }
    let (mut path, mut peak, mut deepest) = (1.0, 1.0, 0.0);
    for &x in returns {
        if x.is_nan() || x < -1.0 {
            return None;
        }
        path *= 1.0 + x;
        if path > peak {
            peak = path;
        }
        let fall = finite(path / peak - 1.0)?;
        if fall < deepest {
            deepest = fall;
        }
    }
    Some(deepest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_nothing_without_closes_and_no_fall_with_one() {
        assert_eq!((drawdown(&[]).max(), drawdown(&[]).current()), (None, None));
        assert_eq!((drawdown(&[5.0]).max(), drawdown(&[5.0]).bars_under_water()), (Some(0.0), None));
    }

    #[test]
    fn stays_absent_after_a_price_that_is_not_positive_or_not_a_number() {
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let broken = drawdown(&[100.0, bad, 90.0]);
            assert_eq!((broken.max(), broken.current(), broken.deepest()), (None, None, None));
        }
    }

    #[test]
    fn reports_when_the_old_peak_was_first_regained() {
        let fall = drawdown(&[100.0, 50.0, 99.0, 100.0, 95.0]).deepest();
        let found = fall.map(|f| (f.peak_bar, f.trough_bar, f.recovery_bar));
        assert_eq!(found, Some((0, 1, Some(3))));
        assert_eq!(drawdown(&[100.0, 50.0, 99.0]).deepest().and_then(|f| f.recovery_bar), None);
    }

    #[test]
    fn counts_from_the_last_bar_that_equals_the_peak() {
        assert_eq!(drawdown(&[50.0, 40.0, 50.0, 40.0, 39.9]).bars_under_water(), Some(2));
    }

    #[test]
    fn refuses_returns_that_lose_more_than_everything() {
        assert_eq!(max_drawdown_of_returns(&[0.1, -1.0]), Some(-1.0));
        assert_eq!(max_drawdown_of_returns(&[0.1, -1.1]), None);
        assert_eq!(max_drawdown_of_returns(&[f64::NAN]), None);
    }
}
