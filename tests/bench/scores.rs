//! How fast securities are scored: from ten years of bars, a hundred of them, and one bar more.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use contracts::{Sample, Security, Universe};
use market::{Day, Timestamp};
use score::{
    Bar, Facts, Settings,
    holding::Shares,
    rolling::Rolling,
    series::Series,
    statement::{Basis, state},
};

use crate::Figures;

const BARS: i32 = 2_520;

/// Ten years of a price that never repeats itself.
fn facts() -> Facts {
    let first: Day = "2016-01-04".parse().unwrap();
    let mut price = 100.0;
    let bar = |number: i32| {
        price *= 1.0003 + 0.01 * f64::from(number).sin();
        Bar { day: first.plus_days(number * 7 / 5), close: price, high: price * 1.01 }
    };
    Facts { bars: (0..BARS).map(bar).collect(), ..Facts::default() }
}

/// Rounds between two looks at the clock: short enough that some are not interrupted by anything else.
const BATCH: u32 = 100;

/// Seconds of one round, of the fastest batch.
fn seconds(rounds: u32, mut work: impl FnMut()) -> f64 {
    let batch = BATCH.min(rounds);
    let once = |work: &mut dyn FnMut()| {
        let start = Instant::now();
        (0..batch).for_each(|_| work());
        Duration::as_secs_f64(&start.elapsed()) / f64::from(batch)
    };
    (0..rounds.div_ceil(batch)).map(|_| once(&mut work)).fold(f64::MAX, f64::min)
}

pub fn measure(figures: &mut Figures) {
    let rounds = if figures.small { 1 } else { 2_000 };
    let facts = facts();
    let security = Security::sample();
    let shares = Shares::new(None, None, &Universe { securities: vec![security.clone()] });
    let settings = Settings::default();
    let hash = settings.hash();
    let now: Timestamp = "2025-09-01T12:00:00Z".parse().unwrap();
    let scored = |series: &Series| {
        state(&Basis {
            security: &security,
            series,
            facts: &facts,
            quote: None,
            state: None,
            shares: &shares,
            settings: &settings,
            settings_hash: &hash,
            now,
        })
    };
    let series = Series::new(&facts);
    let full = seconds(rounds, || drop(black_box(scored(&Series::new(black_box(&facts))))));
    figures.note("score one security from 10 years of bars (fastest batch)", full * 1e6, "us");
    let hundred = seconds(rounds.div_ceil(100), || {
        (0..100).for_each(|_| drop(black_box(scored(&Series::new(black_box(&facts))))));
    });
    figures.note("score 100 securities from 10 years of bars (fastest batch)", hundred * 1e3, "ms");
    let again = seconds(rounds, || drop(black_box(scored(black_box(&series)))));
    figures.note("score one security again from what is kept (fastest batch)", again * 1e6, "us");
    let (mut rolling, mut price) = (Rolling::new(), 100.0);
    facts.bars.iter().for_each(|bar| rolling.push(bar.close, bar.high));
    let pushed = seconds(rounds * 10, || {
        price *= 1.000_01;
        rolling.push(black_box(price), price);
    });
    figures.note("take one bar into all running indicators (fastest batch)", pushed * 1e6, "us");
    let read = seconds(rounds * 10, || {
        price *= 1.000_01;
        rolling.push(black_box(price), price);
        black_box(rolling.measure(&series.month_ends, 0.0001));
    });
    figures.note("take one bar and read all indicators (fastest batch)", read * 1e6, "us");
}
