//! Indicators of a growing series: one bar at a time, and the same as reading the whole series again.
//!
//! Averages that never end (200-day average, relative strength) are carried on. Everything with a window is read from
//! the last closes and returns, which are kept in one piece: a return and its logarithm are taken once, when the bar
//! comes, and reading a year of them again takes less than keeping sums exact would.

use formulas::{
    bollinger::{BOLLINGER_LENGTH, BOLLINGER_WIDTH, bands},
    contrarian::{self, LOG_RETURNS_USED, Signal, log_return},
    ema::{self, Ema},
    falls::falls,
    minimum_lengths::{SELL_VOLATILITY_CLOSES_MIN, SHARPE_CLOSES_MIN, VOLATILITY_CLOSES_MIN},
    moments::Moments,
    momentum::{LONG_LAG, SHORT_LAG, blend, momentum},
    reading::Reading,
    returns::simple_return,
    rsi::{RSI_LENGTH, Rsi, Seed},
    sell::instability::Technical,
    sharpe, sortino, volatility,
    window::Window,
    year_range::{YEAR_RANGE_BARS, below_high, year_high},
};

use crate::limits::{CLOSES_KEPT, YEAR};

const AVERAGE_BARS: usize = 200;
const SHORT_VOLATILITY_BARS: usize = 60;

/// The figures of a price series; what rests on too little history is absent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measures {
    /// Last close.
    pub price: Option<f64>,
    /// Closes in all.
    pub closes: usize,
    /// Exponential average of 200 bars.
    pub average: Option<f64>,
    /// Distance from it.
    pub stretch: Option<f64>,
    /// Relative strength over 14 bars.
    pub rsi: Option<f64>,
    /// Place in the Bollinger corridor.
    pub band: Option<f64>,
    /// Volatility a year.
    pub volatility: Option<f64>,
    /// Sharpe ratio.
    pub sharpe: Option<f64>,
    /// Sortino ratio.
    pub sortino: Option<f64>,
    /// Deepest fall of a year.
    pub drawdown: Option<f64>,
    /// Present distance from the highest close of a year, and bars since it.
    pub fall: (Option<f64>, Option<usize>),
    /// Ulcer index in percent.
    pub ulcer: Option<f64>,
    /// Highest price of 52 weeks.
    pub high: Option<f64>,
    /// Distance below it.
    pub below_high: Option<f64>,
    /// Change over 30 and 90 bars, blended.
    pub momentum: Option<f64>,
    /// Growth a year over five years.
    pub growth: Option<f64>,
    /// Growth a year over ten.
    pub long_growth: Option<f64>,
    /// What the sell score looks at.
    pub technical: Option<Technical>,
    /// Turn, freefall, dip.
    pub signal: Signal,
}

/// The state after the last bar.
#[derive(Debug, Clone)]
pub struct Rolling {
    average: Ema,
    strength: Rsi,
    closes: Window,
    /// From one close to the next; not a number where there is none.
    returns: Window,
    log_returns: Window,
    highs: Window,
    count: usize,
}

impl Default for Rolling {
    fn default() -> Self {
        Rolling::new()
    }
}

impl Rolling {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Rolling {
        Rolling {
            average: Ema::new(AVERAGE_BARS),
            strength: Rsi::new(RSI_LENGTH, Seed::Wilder),
            closes: Window::new(CLOSES_KEPT),
            returns: Window::new(CLOSES_KEPT - 1),
            log_returns: Window::new(LOG_RETURNS_USED),
            highs: Window::new(YEAR_RANGE_BARS),
            count: 0,
        }
    }

    /// Takes the next bar.
    pub fn push(&mut self, close: f64, high: f64) {
        if let Some(before) = self.last() {
            self.returns.push(simple_return(before, close).unwrap_or(f64::NAN));
            log_return(before, close).into_iter().for_each(|value| self.log_returns.push(value));
        }
        self.carry(close, high);
    }

    /// Takes a bar of a series that is read from its beginning, without its return: thousands of them would leave the
    /// windows again. [`Rolling::take_returns`] takes those that stay, once all bars are in.
    pub(crate) fn carry(&mut self, close: f64, high: f64) {
        self.average.push(close);
        self.strength.push(close);
        self.closes.push(close);
        self.highs.push(high);
        self.count = self.count.saturating_add(1);
    }

    /// Takes the returns of the closes kept, which are prices, after all bars were carried.
    pub(crate) fn take_returns(&mut self) {
        debug_assert!(self.returns.as_slice().is_empty() && self.log_returns.as_slice().is_empty());
        let closes = self.closes.as_slice();
        for pair in closes.windows(2) {
            self.returns.push(simple_return(pair[0], pair[1]).unwrap_or(f64::NAN));
        }
        for pair in closes[closes.len().saturating_sub(LOG_RETURNS_USED + 1)..].windows(2) {
            log_return(pair[0], pair[1]).into_iter().for_each(|value| self.log_returns.push(value));
        }
    }

    /// The last closes, oldest first.
    #[must_use]
    pub fn closes(&self) -> &[f64] {
        self.closes.as_slice()
    }

    /// The last close.
    #[must_use]
    pub fn last(&self) -> Option<f64> {
        self.closes().last().copied()
    }

    /// Reads all figures; `risk_free` is a rate per day.
    #[must_use]
    pub fn measure(&self, month_ends: &[f64], risk_free: f64) -> Measures {
        let closes = self.closes();
        let year = &closes[closes.len().saturating_sub(YEAR)..];
        let returns = self.returns.as_slice();
        let of_year = &returns[returns.len().saturating_sub(YEAR - 1)..];
        let moments = Moments::of(of_year);
        let enough = |least: usize| moments.filter(|_| self.count >= least);
        let price = self.last();
        let average = self.average.value().and_then(Reading::complete);
        let stretch = price.zip(average).and_then(|(price, average)| ema::distance(price, average));
        let high = year_high(self.highs.as_slice()).and_then(Reading::complete);
        let falls = falls(year);
        let fallen = falls.filter(|_| self.count >= VOLATILITY_CLOSES_MIN);
        Measures {
            price,
            closes: self.count,
            average,
            stretch,
            rsi: self.strength.value(),
            band: bands(closes, BOLLINGER_LENGTH, BOLLINGER_WIDTH)
                .zip(price)
                .and_then(|(b, p)| b.position(p)),
            volatility: enough(VOLATILITY_CLOSES_MIN).and_then(|moments| volatility::of(&moments)),
            sharpe: enough(SHARPE_CLOSES_MIN).and_then(|moments| sharpe::of(&moments, risk_free)),
            sortino: enough(SHARPE_CLOSES_MIN).and_then(|moments| sortino::of(of_year, &moments, risk_free)),
            drawdown: fallen.map(|falls| falls.deepest),
            fall: (
                falls.filter(|_| self.count >= 2).map(|falls| falls.current),
                falls.and_then(|falls| falls.bars_under_water),
            ),
            ulcer: fallen.map(|falls| falls.ulcer_index),
            high,
            below_high: price.zip(high).and_then(|(price, high)| below_high(price, high)),
            momentum: blend(momentum(closes, SHORT_LAG), momentum(closes, LONG_LAG)),
            growth: formulas::cagr::cagr_5y(month_ends),
            long_growth: formulas::cagr::cagr_10y(month_ends),
            technical: self.technical(returns, stretch),
            signal: contrarian::signal_of(closes, self.log_returns.as_slice()),
        }
    }

    fn technical(&self, returns: &[f64], stretch: Option<f64>) -> Option<Technical> {
        if self.count < SELL_VOLATILITY_CLOSES_MIN {
            return None;
        }
        let short = &returns[returns.len().saturating_sub(SHORT_VOLATILITY_BARS - 1)..];
        Some(Technical {
            current_volatility: volatility::volatility(short)?,
            usual_volatility: volatility::volatility(returns)?,
            stretch: stretch.unwrap_or(0.0),
        })
    }
}
