//! Mood of the last returns against `regime_from_returns.json`.
//!
//! It judges the own portfolio and is no market regime; the figures stay as health indicators.
#![allow(clippy::unwrap_used)]

mod vectors_json;
use formulas::return_regime::mood;
use vectors_json::{assert_close, cases, numbers};

#[test]
fn moods_equal_their_vectors() {
    for case in cases("scoring/regime_from_returns.json") {
        let returns = numbers(&case.input["returns"]);
        let window = case.input["window"].as_u64().unwrap() as usize;
        let mood = mood(&returns, window);
        for (key, figure) in [
            ("mean", mood.map(|mood| mood.mean)),
            ("stdev_population", mood.map(|mood| mood.deviation)),
            ("max_drawdown", mood.map(|mood| mood.fall)),
            // With too few returns the reference says sideways and 0.
            ("score", mood.map_or(Some(0.0), |mood| mood.score_reference())),
            ("score_fixed", mood.map_or(Some(0.0), |mood| mood.score())),
        ] {
            assert_close(&format!("{} {key}", case.name), figure, &case.expect[key], 1e-9);
        }
        let label = mood.map_or("sideways", |mood| mood.label());
        assert_eq!(Some(label), case.expect["regime"].as_str(), "{}", case.name);
    }
}
