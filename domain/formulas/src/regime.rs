//! Market regime: bull, bear or sideways from the distance of regional indices to their averages.
//!
//! Definition: per region d_r = close/SMA200 − 1; d = Σ w_r·d_r/Σ w_r over the regions present;
//! smoothed s += 0.1·(d − s) once per trading day, first s = d; score R = clamp(s/0.10, −1, 1). Label:
//! start sideways; bull from s ≥ entry, kept while s ≥ 0.6·entry; bear likewise below zero; a change
//! only when at least 5 trading days passed since the previous one. Units: fractions. Range: R −1 to 1.
//! No region present, weights that do not sum above zero, not a number: `None`, and the label stays as
//! it was; after how long it becomes unknown is the stage's decision.

use crate::finite::finite;
use crate::minimum_lengths::REGIME_CLOSES_MIN;
use crate::sma::sma;

const SMOOTHING: f64 = 0.1;
const FULL_SCORE_AT: f64 = 0.10;
/// Share of the entry level down to which a label is kept.
const INNER_SHARE: f64 = 0.6;
/// Trading days between two changes of the label.
const DWELL_DAYS: u32 = 5;

/// The state of the market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// Indices well above their averages.
    Bull,
    /// Neither.
    Sideways,
    /// Indices well below their averages.
    Bear,
}

/// One day's regime.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Day {
    /// Weighted distance of the day.
    pub distance: f64,
    /// Smoothed distance.
    pub smoothed: f64,
    /// Score from −1 to 1.
    pub score: f64,
    /// Label after the day.
    pub label: Label,
}

/// A regime that takes one trading day at a time.
#[derive(Debug, Clone)]
pub struct Regime {
    bull_from: f64,
    bear_from: f64,
    smoothed: Option<f64>,
    label: Label,
    days_since_change: Option<u32>,
}

impl Regime {
    /// Starts sideways with the entry levels of bull (above zero) and bear (below zero).
    pub fn new(bull_from: f64, bear_from: f64) -> Self {
        Self { bull_from, bear_from, smoothed: None, label: Label::Sideways, days_since_change: None }
    }

    /// Takes the weighted distance of the next trading day; `None` and no change if it is not finite.
    ///
    /// # Examples
    /// ```
    /// use formulas::regime::{Label, Regime};
    /// let mut regime = Regime::new(0.05, -0.05);
    /// let day = regime.push(0.08).unwrap();
    /// assert!(day.label == Label::Bull && (day.score - 0.8).abs() < 1e-12);
    /// // Smoothed to 0.08 + 0.1·(−0.12 − 0.08) = 0.06: still above 0.03.
    /// assert_eq!(regime.push(-0.12).unwrap().label, Label::Bull);
    /// ```
    pub fn push(&mut self, distance: f64) -> Option<Day> {
        let distance = finite(distance)?;
        let smoothed = match self.smoothed {
            Some(before) => finite(before + SMOOTHING * (distance - before))?,
            None => distance,
        };
        self.smoothed = Some(smoothed);
        self.days_since_change = self.days_since_change.map(|days| days.saturating_add(1));
        let wanted = self.wanted(smoothed);
        if wanted != self.label && self.days_since_change.is_none_or(|days| days >= DWELL_DAYS) {
            self.label = wanted;
            self.days_since_change = Some(0);
        }
        let score = (smoothed / FULL_SCORE_AT).clamp(-1.0, 1.0);
        Some(Day { distance, smoothed, score, label: self.label })
    }

    fn wanted(&self, smoothed: f64) -> Label {
        let keeps_bull = self.label == Label::Bull && smoothed >= INNER_SHARE * self.bull_from;
        let keeps_bear = self.label == Label::Bear && smoothed <= INNER_SHARE * self.bear_from;
        if smoothed >= self.bull_from || keeps_bull {
            Label::Bull
        } else if smoothed <= self.bear_from || keeps_bear {
            Label::Bear
        } else {
            Label::Sideways
        }
    }
}

/// Computes how far the last close lies above its 200-day average; `None` with fewer than 200 closes.
///
/// # Examples
/// ```
/// let mut closes = [100.0; 200];
/// closes[199] = 110.0;
/// let distance = formulas::regime::region_distance(&closes).unwrap();
/// assert!((distance - (110.0 / 100.05 - 1.0)).abs() < 1e-12);
/// assert_eq!(formulas::regime::region_distance(&closes[1..]), None);
/// ```
pub fn region_distance(closes: &[f64]) -> Option<f64> {
    let average = sma(closes, REGIME_CLOSES_MIN)?;
    if average > 0.0 { finite(closes.last()? / average - 1.0) } else { None }
}

/// Computes the weighted mean of the regions that have a distance; missing ones drop out.
///
/// # Examples
/// ```
/// let regions = [(0.6, Some(0.10)), (0.2, Some(-0.10)), (0.2, None)];
/// let mean = formulas::regime::weighted_distance(&regions).unwrap();
/// assert!((mean - 0.05).abs() < 1e-12);
/// assert_eq!(formulas::regime::weighted_distance(&[(1.0, None)]), None);
/// ```
pub fn weighted_distance(regions: &[(f64, Option<f64>)]) -> Option<f64> {
    let present = || regions.iter().filter_map(|&(weight, distance)| Some((weight, distance?)));
    let total: f64 = present().map(|(weight, _)| weight).sum();
    if total > 0.0 { finite(present().map(|(w, d)| w * d).sum::<f64>() / total) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_at_most_every_five_trading_days() {
        let mut regime = Regime::new(0.05, -0.05);
        let mut labels = Vec::new();
        for distance in [0.06, -0.9, -0.9, -0.9, -0.9, -0.9, -0.9] {
            labels.extend(regime.push(distance).map(|day| day.label));
        }
        assert_eq!(labels[..5], [Label::Bull; 5]);
        assert_eq!(labels[5..], [Label::Bear; 2]);
    }

    #[test]
    fn enters_at_the_level_and_not_just_below() {
        assert_eq!(Regime::new(0.05, -0.05).push(0.05).map(|day| day.label), Some(Label::Bull));
        assert_eq!(Regime::new(0.05, -0.05).push(0.0499).map(|day| day.label), Some(Label::Sideways));
        assert_eq!(Regime::new(0.05, -0.05).push(-0.05).map(|day| day.label), Some(Label::Bear));
        assert_eq!(Regime::new(0.05, -0.05).push(-0.0499).map(|day| day.label), Some(Label::Sideways));
    }

    #[test]
    fn ignores_a_day_that_is_not_a_number() {
        let mut regime = Regime::new(0.05, -0.05);
        regime.push(0.06);
        assert_eq!(regime.push(f64::NAN), None);
        assert!(regime.push(0.06).is_some_and(|day| (day.smoothed - 0.06).abs() < 1e-15));
    }
}
