//! Whatever the numbers are, a formula answers with a finite value or with nothing, and never panics.
#![allow(clippy::unwrap_used)]

use formulas::*;
use proptest::prelude::*;

fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -1e6..1e6_f64,
        2 => -0.2..0.2_f64,
        1 => Just(0.0),
        1 => Just(f64::NAN),
        1 => Just(f64::INFINITY),
        1 => Just(f64::NEG_INFINITY),
        1 => Just(f64::MAX),
        1 => Just(f64::MIN_POSITIVE),
        1 => Just(-f64::MAX),
    ]
}

fn any_series() -> impl Strategy<Value = Vec<f64>> {
    prop_oneof![
        prop::collection::vec(any_number(), 0..40),
        prop::collection::vec(0.1..1e3_f64, 0..40),
        prop::collection::vec(Just(7.25), 0..40),
    ]
}

fn is_finite(value: Option<f64>) -> bool {
    value.is_none_or(f64::is_finite)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn statistics_of_a_series_are_finite_or_absent(x in any_series(), length in 0_usize..45, a in any_number()) {
        let mut buffer = vec![0.0; x.len()];
        let returned = returns::simple_returns(&x, &mut buffer).map(<[f64]>::to_vec);
        prop_assert!(returned.is_none_or(|r| r.iter().all(|v| v.is_finite())));
        let bands = bollinger::bands(&x, length, 2.0);
        let fall = drawdown::drawdown(&x);
        let values = [
            moments::mean(&x), moments::sample_deviation(&x), moments::population_deviation(&x),
            returns::compound(&x), annual_return::annual_return(&x), volatility::volatility(&x),
            sharpe::sharpe(&x, a), sortino::sortino(&x, a), calmar::calmar(&x),
            fall.max(), fall.current(), fall.deepest().map(|f| f.depth),
            drawdown::max_drawdown_of_returns(&x), ulcer_index::ulcer_index(&x),
            ema::ema(&x, length).map(|r| r.value), sma::sma(&x, length), rsi::rsi(&x, length),
            rsi::seeded_rsi(&x, length, rsi::Seed::Exponential),
            bands.map(|b| b.lower), bands.map(|b| b.upper), bands.and_then(|b| b.position(a)),
            cagr::cagr(&x, length, cagr::Span::Intervals), cagr::cagr(&x, length, cagr::Span::Points),
            cagr::cagr_5y(&x), cagr::cagr_10y(&x), momentum::momentum(&x, length),
            year_range::year_high(&x).map(|r| r.value), year_range::year_low(&x).map(|r| r.value),
        ];
        for (i, value) in values.into_iter().enumerate() {
            prop_assert!(is_finite(value), "value {i}: {value:?}");
        }
    }

    #[test]
    fn signals_and_end_components_are_finite(x in prop::collection::vec(any_number(), 120..320), a in any_number(), b in any_number()) {
        let signal = contrarian::signal(&x);
        let boosted = signal.boosted(-0.10, -0.22, 0.12);
        for value in [signal.drawdown, signal.recent_drawdown, signal.strength, signal.volatility, signal.volatility_ratio,
            signal.dip, signal.capitulation, signal.opportunity, signal.rank, boosted] {
            prop_assert!(value.is_finite(), "{signal:?}");
        }
        let known = end_state::Metrics { growth: Some(a), dividend_yield: Some(b), consistency: Some(a), sortino: Some(b),
            volatility: Some(a), drawdown: Some(b), sharpe: Some(a), payout: Some(b), ..end_state::Metrics::default() };
        let found = end_state::components(&known);
        prop_assert!(found.total_return.is_finite() && found.stability.is_finite() && found.promise.is_finite(), "{found:?}");
    }

    #[test]
    fn statistics_of_two_series_are_finite_or_absent(x in any_series(), y in any_series(), n in 0_usize..6, c in any_number()) {
        let length = x.len().min(y.len());
        let (x, y) = (&x[..length], &y[..length]);
        let mut space = vec![0.0; length];
        let (mut daily, mut order) = (vec![0.0; length], vec![0; length]);
        let mut parts = vec![0.0; length];
        let weights = &y[..n.min(length)];
        let contributed = {
            let space = cvar::Space { daily: &mut daily, order: &mut order };
            cvar::contributions(weights, x, c, space, &mut parts)
        };
        let flows: Vec<xirr::Flow> = x.iter().enumerate().map(|(i, &amount)| xirr::Flow { day: 17 * i as i32, amount }).collect();
        let values = [
            beta::beta(x, y), correlation::correlation(x, y), twr::twr(x, y), xirr::xirr(&flows),
            attribution::earned(x, y), attribution::link(x, y, weights, &mut parts).map(|l| l.total),
            concentration::herfindahl(x), concentration::top_share::<3>(x), contributed,
            cvar::historical_cvar(x, c, &mut space), regime::region_distance(x),
            regime::weighted_distance(&[(c, x.first().copied()), (1.0, y.first().copied())]),
        ];
        for (i, value) in values.into_iter().enumerate() {
            prop_assert!(is_finite(value), "value {i}: {value:?}");
        }
    }

    #[test]
    fn matrices_are_finite_or_absent(x in any_series(), n in 0_usize..6, f in any_number()) {
        let mut centred = vec![0.0; x.len()];
        let mut out = vec![0.0; n * n];
        if covariance::sample_covariance(&x, n, f, &mut centred, &mut out).is_some() {
            prop_assert!(out.iter().all(|value| value.is_finite()));
        }
        if let Some(shrinkage) = ledoit_wolf::ledoit_wolf(&x, n, 252.0, &mut centred, &mut out) {
            prop_assert!((0.0..=1.0).contains(&shrinkage));
            prop_assert!(out.iter().all(|value| value.is_finite()));
        }
        let square = &x[..(n * n).min(x.len())];
        if semidefinite::repair(square, n, &mut out).is_some() {
            prop_assert!(out.iter().all(|value| value.is_finite()));
        }
        for linkage in [linkage::Linkage::Single, linkage::Linkage::Complete, linkage::Linkage::Average, linkage::Linkage::Ward] {
            let distances: Vec<f64> = square.iter().map(|value| value.abs()).collect();
            if let Some(merges) = linkage::merges(&distances, n, linkage) {
                prop_assert_eq!(linkage::leaf_order(&merges).len(), n);
            }
            if hrp::correlations(square, n, &mut out).is_some()
                && let Some(parity) = hrp::risk_parity(square, &out, n, linkage)
            {
                prop_assert!(parity.weights.iter().all(|weight| *weight >= 0.0));
                prop_assert!((parity.weights.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            }
        }
        let mut factored = square.to_vec();
        let mut right: Vec<f64> = x.iter().rev().copied().take(n).collect();
        if cholesky::factor(&mut factored, n).is_ok() && cholesky::solve(&factored, n, &mut right).is_ok() {
            prop_assert!(right.iter().all(|value| value.is_finite()));
        }
        let market = black_litterman::Market { covariance: square, risk_aversion: f, tau: 0.05 };
        let view = black_litterman::View { exposure: right, expected: f, uncertainty: f };
        if let Ok(posterior) = market.posterior(&x[..n.min(x.len())], &[view]) {
            prop_assert!(posterior.returns.iter().chain(&posterior.covariance).all(|v| v.is_finite()));
        }
        prop_assert!(correlation::strongest_pairs(&x, n, 0.5, 5).iter().all(|pair| pair.correlation.is_finite()));
    }

    #[test]
    fn functions_of_numbers_are_finite_or_absent(a in any_number(), b in any_number(), c in any_number(), d in any_number()) {
        let values = [
            bell::bell(a, b, c, d), cagr::growth_rate(a, b, c), consistency::consistency(a, b),
            consistency::stability_consistency(a, Some(b)), consistency::stability_consistency(a, None),
            consistency::steps(a, b), ema::distance(a, b), returns::simple_return(a, b),
            trading_year::risk_free_per_day(a), year_range::below_high(a, b), year_range::above_low(a, b),
            piecewise_linear::piecewise_linear(&[(a, b), (c, d)], b), cvar::normal_cvar(a, b, c),
            cvar::regime_adjusted(a, b), daily_pnl::daily_pnl(a, b, c), kelly::raw_fraction(a, b, c),
            kelly::upper_bound(a, b), kelly::bear_factor(a, b), normal::density(a), normal::probability(a),
            normal::quantile(a), regime_blend::risk_parity_share(a), regime_blend::short_horizon_weight(a),
            turnover::gross_turnover(&turnover::Year { buys: a, sells: b, mean_nav: c }),
            turnover::annual_turnover(&turnover::Year { buys: a, sells: b, mean_nav: c }, 40),
            curves::below_high::score(a, b), curves::calmness::volatility(a), curves::calmness::recovery(a),
            curves::calmness::end_volatility(a), curves::dividend::yield_score(a), curves::dividend::payout(a),
            curves::dividend::payout_reference(a), curves::dividend::growth(a), curves::dividend::boost(a, b),
            curves::dividend::consistency_reference(Some(a), Some(b)), curves::earnings::score(a, Some(b), c),
            curves::fall::score(a), curves::growth::score(a, b, curves::growth::Health { sharpe: Some(c), sortino: Some(d), volatility: None }),
            curves::growth::unrepaired(a, b, curves::growth::Health::default()), curves::growth::reference(a, b),
            curves::growth::total_return(a, b), curves::momentum::score(a), curves::momentum::reference(a),
            curves::opinion::upside(a), curves::ratios::sharpe(a), curves::ratios::sortino(a),
            curves::ratios::promise_sortino(a), curves::solidity::score(Some(a), Some(b), Some(c)),
            curves::solidity::reference(Some(a), Some(b), Some(c)), curves::timing::rsi(a), curves::timing::bollinger(a),
            curves::timing::average(a, b), fit::gap(a, b), fit::place(a), fit::fit(a, b, c),
            fit::averaging(Some(fit::Held { quality: a, opportunity: b, loss: Some(c), share: Some(d) }), 0.15),
            windfall::excess(a, b, c), windfall::score(a), windfall::expected_gain(a, b), priority::priority(Some(a), b),
            radar::place(radar::Axis::Alpha(a)), dividend_history::growth(&[a, b, c, d]),
            Some(dividend_history::judge(&[a, b, c, d], Some(a), b).stability), Some(quality_gate::factor(a, Some(b), Some(c))),
            Some(windfall::believable_growth(Some(a))), return_regime::mood(&[a, b, c, d], 3).and_then(|mood| mood.score()),
            Some(sell::underperformance::score(a, b, c, d)), Some(sell::balance::score(a, &[b, c], Some(d))),
            Some(sell::instability::score(a, 400, Some(sell::instability::Technical { current_volatility: b, usual_volatility: c, stretch: d }))),
            Some(sell::drawdown::score(Some(a), Some(3))), Some(sell::quantity::sale(a, b, c, d, 100.0).share),
            Some(adaptive_weights::weights(a)[0]), Some(portfolio_health::health(&[(a, b), (c, d)], Some(a), Some(b)).diversification),
            expected_return::shrunk_growth(a, b, c), expected_return::preference_tilt(a),
            expected_return::bear_damping(Some(a)),
            expected_return::expected_return(a, &expected_return::Shifts { damping: b, forward: c, tilt: d, bonus: 0.0 }),
        ];
        for (i, value) in values.into_iter().enumerate() {
            prop_assert!(is_finite(value), "value {i}: {value:?}");
        }
    }
}
