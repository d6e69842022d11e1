//! How fast securities are scored: from ten years of bars, a hundred of them, and one bar more.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use contracts::{PortfolioState, Position, Quote, Sample, Security, Universe};
use formulas::lots::Fill;
use market::{Day, Timestamp};
use money::{Price, Quantity};
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

/// The same with everything that can be known beside bars: a business, ten years of dividends, a holding with its past.
fn full(security: &Security, now: Timestamp) -> (Facts, PortfolioState, Quote) {
    let figures = [
        ("profit_margin", 0.15),
        ("debt_to_equity", 0.4),
        ("current_ratio", 1.8),
        ("pe_ratio", 18.0),
        ("forward_pe", 16.0),
        ("payout_ratio", 0.45),
        ("analyst_count", 5.0),
        ("recommendation_score", 0.8),
        ("target_upside", 0.1),
    ];
    let bare = facts();
    let (epoch, last) = (Timestamp::ZERO.day_utc(), bare.bars[bare.bars.len() - 1]);
    let quarter = |number: i32| now.day_utc().plus_days(91 * number - 3_650);
    let dividends: Vec<(Day, f64)> = (0..40).map(|number| (quarter(number), 0.4)).collect();
    let fill = |number: i32| Fill {
        day: epoch.days_until(quarter(3 * number)),
        quantity: if number == 6 { -10.0 } else { 10.0 },
        price: last.close / 2.0,
    };
    let fills: Vec<Fill> = (0..12).map(fill).collect();
    let facts = Facts {
        figures: figures.iter().map(|(name, value)| (name.to_string(), (now.day_utc(), *value))).collect(),
        received: Some(dividends.clone()),
        dividends,
        fills,
        ..bare
    };
    let position = Position {
        isin: security.isin,
        qty_e6: Quantity::from_e6(100_000_000).unwrap(),
        avg_price_e6: Price::from_f64(last.close / 2.0).ok(),
        ..PortfolioState::sample().positions[0].clone()
    };
    let state = PortfolioState { positions: vec![position], ..PortfolioState::sample() };
    let price_e6 = Price::from_f64(last.close * 1.01).unwrap();
    (facts, state, Quote { isin: security.isin, at: now, price_e6, ..Quote::sample() })
}

pub fn measure(figures: &mut Figures) {
    let rounds = if figures.small { 1 } else { 2_000 };
    let security = Security::sample();
    let universe = Universe { securities: vec![security.clone()] };
    let settings = Settings::default();
    let hash = settings.hash();
    let now: Timestamp = "2025-09-01T12:00:00Z".parse().unwrap();
    let (bare, (known, held, quote)) = (facts(), full(&security, now));
    let nobody = Shares::new(None, None, &universe);
    let ours = Shares::new(Some(&held), None, &universe);
    let bare_basis = Basis {
        security: &security,
        series: &Series::default(),
        facts: &bare,
        quote: None,
        state: None,
        shares: &nobody,
        settings: &settings,
        settings_hash: &hash,
        now,
    };
    let quote = Some((&quote, None));
    let full_basis = Basis { facts: &known, quote, state: Some(&held), shares: &ours, ..bare_basis };
    let scored = |series: &Series| state(&Basis { series, ..bare_basis });
    let with_all = |series: &Series| state(&Basis { series, ..full_basis });
    let series = Series::new(&bare);
    let whole = seconds(rounds, || drop(black_box(scored(&Series::new(black_box(&bare))))));
    figures.below("score one security from 10 years of bars (fastest batch)", whole * 1e6, "us", 100.0);
    let all = seconds(rounds, || drop(black_box(with_all(&Series::new(black_box(&known))))));
    figures.below("the same, held, with business, dividends and a price", all * 1e6, "us", 100.0);
    let hundred = seconds(rounds.div_ceil(100), || {
        (0..100).for_each(|_| drop(black_box(with_all(&Series::new(black_box(&known))))));
    });
    figures.below("score 100 such securities (fastest batch)", hundred * 1e3, "ms", 10.0);
    let read = seconds(rounds, || drop(black_box(Series::new(black_box(&bare)))));
    figures.note("read 10 years of bars alone (fastest batch)", read * 1e6, "us");
    let again = seconds(rounds, || drop(black_box(scored(black_box(&series)))));
    figures.note("score one security again from what is kept (fastest batch)", again * 1e6, "us");
    let again = seconds(rounds, || drop(black_box(with_all(black_box(&series)))));
    figures.note("score a held one again, with all that is known of it", again * 1e6, "us");
    let (mut rolling, mut price) = (Rolling::new(), 100.0);
    bare.bars.iter().for_each(|bar| rolling.push(bar.close, bar.high));
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
    figures.below("take one bar and read all indicators (fastest batch)", read * 1e6, "us", 2.0);
}
