//! Whatever a series looks like, a bar at a time gives what reading it whole gives, and a judgement is finite or absent.
#![allow(clippy::unwrap_used)]

use contracts::{Sample, Security, SecurityScore, Universe};
use formulas::{
    contrarian, drawdown::drawdown, ema::ema, momentum, returns::simple_returns, rsi::rsi, sharpe::sharpe,
    sortino::sortino, ulcer_index::ulcer_index, volatility::volatility, year_range::year_high,
};
use market::{Day, Timestamp};
use proptest::prelude::*;
use score::{
    Bar, Facts, Settings,
    holding::Shares,
    rolling::Rolling,
    series::Series,
    statement::{Basis, state},
};

const YEAR: usize = 252;

fn begin() -> Day {
    "2016-01-01".parse().unwrap()
}

fn facts(closes: &[f64]) -> Facts {
    let bar =
        |(number, close): (i32, &f64)| Bar { day: begin().plus_days(number), close: *close, high: *close };
    Facts { bars: (0..).zip(closes).map(bar).collect(), ..Facts::default() }
}

fn judged(closes: &[f64], figures: &[(&str, f64)]) -> SecurityScore {
    let end = begin().plus_days(i32::try_from(closes.len()).unwrap());
    let figures = figures.iter().map(|(name, value)| (name.to_string(), (end, *value))).collect();
    let facts = Facts { figures, ..facts(closes) };
    let security = Security::sample();
    let universe = Universe { securities: vec![security.clone()] };
    let ms = i64::from(Timestamp::ZERO.day_utc().days_until(end)) * 86_400_000;
    state(&Basis {
        security: &security,
        series: &Series::new(&facts),
        facts: &facts,
        quote: None,
        state: None,
        shares: &Shares::new(None, None, &universe),
        settings: &Settings::default(),
        settings_hash: "0",
        now: Timestamp::from_ms(ms),
    })
}

fn is_sound(score: &SecurityScore) {
    let scores = score.groups.values().chain(score.parts.values());
    for value in scores.chain(&score.total).chain(&score.raw).chain(&score.quality).chain(&score.timing) {
        assert!((0.0..=1.0).contains(&value.get()), "{value} in {score:?}");
    }
    assert!((0.0..=1.0).contains(&score.coverage.get()));
    let said = score.total.is_some()
        || score.flags.iter().any(|flag| flag.starts_with("too_few") || flag.starts_with("suspect"));
    assert!(said, "no total needs a reason: {:?}", score.flags);
}

fn close_to(left: Option<f64>, right: Option<f64>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => (left - right).abs() <= 1e-12 * right.abs().max(1.0),
        (left, right) => left.is_none() && right.is_none(),
    }
}

fn steps() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-0.2..0.25_f64, 1..700).prop_map(|steps| {
        let mut price = 100.0;
        steps
            .iter()
            .map(|step| {
                price *= 1.0 + step;
                price
            })
            .collect()
    })
}

fn wild() -> impl Strategy<Value = Vec<f64>> {
    let number = prop_oneof![
        6 => 1.0..200.0_f64, 1 => Just(0.0), 1 => Just(-5.0), 1 => Just(f64::NAN), 1 => Just(f64::INFINITY),
        1 => Just(1e9), 1 => Just(1e-9), 1 => Just(f64::MAX), 1 => Just(f64::MIN_POSITIVE),
    ];
    prop_oneof![
        prop::collection::vec(number, 0..500),
        (1.0..1e6_f64, 0..600_usize).prop_map(|(price, bars)| vec![price; bars])
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_bar_at_a_time_equals_the_whole_series(closes in steps()) {
        let mut rolling = Rolling::new();
        closes.iter().for_each(|close| rolling.push(*close, *close));
        let found = rolling.measure(&[], 0.0001);
        let year = &closes[closes.len().saturating_sub(YEAR)..];
        let mut buffer = vec![0.0; year.len()];
        let returns = simple_returns(year, &mut buffer).unwrap_or(&[]);
        let enough = |least: usize| (closes.len() >= least).then_some(returns);
        prop_assert!(close_to(found.average, ema(&closes, 200).and_then(|average| average.complete())));
        prop_assert!(close_to(found.rsi, rsi(&closes, 14)));
        prop_assert!(close_to(found.volatility, enough(30).and_then(volatility)));
        prop_assert!(close_to(found.sharpe, enough(50).and_then(|returns| sharpe(returns, 0.0001))));
        prop_assert!(close_to(found.sortino, enough(50).and_then(|returns| sortino(returns, 0.0001))));
        prop_assert!(close_to(found.drawdown, drawdown(year).max().filter(|_| closes.len() >= 30)));
        prop_assert!(close_to(found.ulcer, ulcer_index(year).filter(|_| closes.len() >= 30)));
        prop_assert!(close_to(found.high, year_high(&closes).and_then(|high| high.complete())));
        let blend = momentum::blend(momentum::momentum(&closes, 30), momentum::momentum(&closes, 90));
        prop_assert!(close_to(found.momentum, blend));
        prop_assert_eq!(found.signal, contrarian::signal(&closes));
    }

    #[test]
    fn a_series_read_at_once_is_bit_for_bit_that_of_one_bar_after_the_other(closes in steps()) {
        let facts = facts(&closes);
        let whole = Series::new(&facts);
        let mut grown = Series::default();
        for bar in &facts.bars {
            grown = grown.with_price(bar.day, bar.close).unwrap();
        }
        prop_assert_eq!(
            whole.rolling.measure(&whole.month_ends, 0.0001),
            grown.rolling.measure(&grown.month_ends, 0.0001)
        );
        prop_assert_eq!(&whole.month_ends, &grown.month_ends);
        prop_assert_eq!((whole.bars, whole.first, whole.last), (grown.bars, grown.first, grown.last));
        prop_assert_eq!(whole.rolling.closes(), grown.rolling.closes());
    }

    #[test]
    fn any_series_is_judged_soundly_or_not_at_all(closes in wild(), pe in -50.0..50.0_f64, margin in -2.0..1.0_f64) {
        is_sound(&judged(&closes, &[("pe_ratio", pe), ("profit_margin", margin)]));
    }

    #[test]
    fn any_plain_series_of_two_years_has_a_total(closes in steps().prop_filter("long", |closes| closes.len() > 450)) {
        let score = judged(&closes, &[]);
        is_sound(&score);
        prop_assert!(score.total.is_some());
    }
}

#[test]
fn named_monsters_have_a_reason_instead_of_a_total() {
    let mut jump = vec![100.0; 600];
    jump[300..].iter_mut().for_each(|close| *close = 1e9);
    let mut gap = vec![100.0; 1_000];
    gap[100..400].iter_mut().for_each(|close| *close = f64::NAN);
    for (name, closes, flag) in [
        ("nothing", vec![], Some("too_few_bars")),
        ("one price", vec![100.0], Some("too_few_bars")),
        ("zeros", vec![0.0; 600], Some("too_few_bars")),
        ("a jump to 1e9", jump, Some("suspect_price_jump")),
        ("a gap", gap, None),
        ("flat", vec![100.0; 600], None),
    ] {
        let score = judged(&closes, &[]);
        is_sound(&score);
        assert_eq!(score.total.is_none(), flag.is_some(), "{name}");
        assert!(
            flag.is_none_or(|flag| score.flags.iter().any(|known| known == flag)),
            "{name}: {:?}",
            score.flags
        );
        assert!(!score.gates.buyable || score.total.is_some(), "{name}");
    }
}

#[test]
fn business_figures_make_the_full_profile_and_raise_coverage() {
    let closes: Vec<f64> =
        (0..1_500).map(|bar| 100.0 * 1.0003_f64.powi(bar) * (1.0 + 0.01 * f64::from(bar % 3))).collect();
    let bare = judged(&closes, &[]);
    let known = judged(
        &closes,
        &[
            ("profit_margin", 0.15),
            ("debt_to_equity", 0.4),
            ("current_ratio", 1.8),
            ("pe_ratio", 18.0),
            ("dividend_yield", 0.03),
            ("payout_ratio", 0.45),
            ("analyst_count", 5.0),
            ("recommendation_score", 0.8),
            ("target_upside", 0.1),
        ],
    );
    assert_eq!((bare.profile.name(), known.profile.name()), ("price", "full"));
    assert!(known.coverage > bare.coverage && known.groups.contains_key("opinion"));
    assert!(bare.flags.iter().any(|flag| flag == "no_dividends"));
}
