//! Whether another score of a security is worth planning again: whatever finders, gates or the end state ask of it.
//!
//! Parts move by a hundredth before they count, the high of 52 weeks by one per cent. What is only for display, or decides
//! nothing but the order of execution, is no news.
//!
//! Worked example: the same total of 0.62 with a quality of 0.71 instead of 0.66: news.

use contracts::SecurityScore;
use market::Day;

use crate::{
    limits::{PRICE_MOVE_E6, SCORE_MOVE},
    merit::{self, Merit},
};

/// What plans ask of a score.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    parts: [Option<f64>; 10],
    flags: [Option<bool>; 3],
    high: Option<f64>,
    until: Option<Day>,
}

/// Takes from a score what plans ask of it.
#[must_use]
pub fn seen(score: &SecurityScore) -> Seen {
    let Merit {
        quality,
        trap,
        turned,
        falling,
        sell,
        timing: _,
        dividend_yield,
        windfall,
        excess,
        high_52w,
        bars_until,
    } = merit::of(score);
    let end = &score.end;
    Seen {
        parts: [
            score.total.map(|total| total.get()),
            quality,
            sell,
            dividend_yield,
            windfall.map(|(windfall, _)| windfall),
            windfall.map(|(_, part)| part),
            excess,
            Some(end.total_return.get()),
            Some(end.promise.get()),
            Some(end.stability.get()),
        ],
        flags: [Some(trap), turned, falling],
        high: high_52w,
        until: bars_until,
    }
}

/// Whether the difference between two is worth a plan.
#[must_use]
pub fn differs(old: &Seen, new: &Seen) -> bool {
    let moved = |old: Option<f64>, new: Option<f64>, least: f64| match (old, new) {
        (Some(old), Some(new)) => (old - new).abs() >= least,
        (old, new) => old.is_some() != new.is_some(),
    };
    let parts = || old.parts.iter().zip(&new.parts).any(|(old, new)| moved(*old, *new, SCORE_MOVE));
    let high = || moved(old.high, new.high, old.high.unwrap_or(0.0).abs() * PRICE_MOVE);
    old.flags != new.flags || old.until != new.until || parts() || high()
}

#[allow(clippy::as_conversions, clippy::cast_precision_loss)] // One hundredth.
const PRICE_MOVE: f64 = PRICE_MOVE_E6 as f64 / 1e6;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::{EndComponents, Finite, Gates, Sample, SellScore, Windfall};

    use super::*;

    fn number(number: f64) -> Finite {
        Finite::new(number).unwrap()
    }

    fn is_news(change: impl Fn(&mut SecurityScore)) -> bool {
        let old = SecurityScore::sample();
        let mut new = old.clone();
        change(&mut new);
        differs(&seen(&old), &seen(&new))
    }

    #[test]
    fn everything_that_plans_ask_for_is_news() {
        assert!(!is_news(|_| {}));
        assert!(is_news(|score| score.total = None));
        assert!(is_news(|score| score.total = Some(number(0.64))));
        assert!(is_news(|score| score.quality = Some(number(0.68))));
        assert!(is_news(|score| score.gates = Gates { buyable: false, ..score.gates.clone() }));
        assert!(is_news(|score| score.gates = Gates { turn: false, ..score.gates.clone() }));
        assert!(is_news(|score| score.gates = Gates { freefall: true, ..score.gates.clone() }));
        assert!(is_news(|score| score.end = EndComponents { promise: number(0.11), ..score.end }));
        assert!(is_news(|score| score.windfall = other_windfall(score)));
        assert!(is_news(|score| score.sell = other_sell(score)));
        assert!(is_news(|score| score.bars_until = score.bars_until.map(|day| day.plus_days(1))));
        assert!(is_news(|score| {
            score.inputs.insert("dividend_yield".into(), number(0.5));
        }));
    }

    fn other_windfall(score: &SecurityScore) -> Option<Windfall> {
        match &score.windfall {
            Some(known) => Some(Windfall { sell: number(known.sell.get() + 0.2), ..known.clone() }),
            None => Some(Windfall {
                score: number(0.5),
                excess: number(0.5),
                sell: number(0.2),
                reason: "x".into(),
            }),
        }
    }

    fn other_sell(score: &SecurityScore) -> Option<SellScore> {
        let known = score.sell.clone()?;
        Some(SellScore { score: number(known.score.get() + 0.2), ..known })
    }

    #[test]
    fn small_moves_and_what_nobody_asks_for_are_none() {
        assert!(!is_news(|score| score.total = Some(number(0.629))));
        assert!(!is_news(|score| score.quality = Some(number(0.669))));
        assert!(!is_news(|score| score.timing = None));
        assert!(!is_news(|score| score.fit = None));
        assert!(!is_news(|score| score.price_e6 = None));
    }

    #[test]
    fn a_high_is_news_from_one_per_cent_on() {
        let with = |high: f64| {
            let mut score = SecurityScore::sample();
            score.inputs.insert("high_52w".into(), number(high));
            seen(&score)
        };
        assert!(!differs(&with(100.0), &with(100.9)));
        assert!(differs(&with(100.0), &with(101.1)));
        assert!(differs(&with(100.0), &seen(&SecurityScore::sample())));
    }
}
