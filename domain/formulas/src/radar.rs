//! Radar axes: six figures of a portfolio on one scale, for a picture.
//!
//! Definition, each clipped to 0..1: return (r + 0.5)/1; Sharpe (s + 1)/4; alpha (a + 0.3)/0.6; low volatility
//! (0.4 − v)/0.4; low drawdown (0.5 − d)/0.5; low concentration (0.5 − h)/0.45. Units: fractions, drawdown positive.
//! Range: 0 to 1. Not a number: `None`.

use crate::finite::finite;

/// An axis and the figure on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Axis {
    /// Return of one year.
    Return(f64),
    /// Sharpe ratio.
    Sharpe(f64),
    /// Return of one year above that of the home markets.
    Alpha(f64),
    /// Volatility a year.
    LowVolatility(f64),
    /// Deepest fall, positive.
    LowDrawdown(f64),
    /// Herfindahl index.
    LowConcentration(f64),
}

/// Places a figure on its axis.
///
/// # Examples
/// ```
/// use formulas::radar::{Axis, place};
/// assert_eq!(place(Axis::Return(0.0)), Some(0.5));
/// assert_eq!(place(Axis::LowVolatility(0.2)), Some(0.5));
/// assert_eq!(place(Axis::LowDrawdown(0.9)), Some(0.0));
/// assert_eq!(place(Axis::Sharpe(f64::NAN)), None);
/// ```
pub fn place(axis: Axis) -> Option<f64> {
    let share = match axis {
        Axis::Return(figure) => figure + 0.5,
        Axis::Sharpe(figure) => (figure + 1.0) / 4.0,
        Axis::Alpha(figure) => (figure + 0.3) / 0.6,
        Axis::LowVolatility(figure) => (0.4 - figure) / 0.4,
        Axis::LowDrawdown(figure) => (0.5 - figure) / 0.5,
        Axis::LowConcentration(figure) => (0.5 - figure) / 0.45,
    };
    finite(share).map(|share| share.clamp(0.0, 1.0))
}
