//! The unsmoothed distance from the 200-day average against `regime_index_ma200.json`.
//!
//! The reference took a quote of another source, treated every failure as sideways and did not smooth;
//! those choices stand here, the average and the mean of the distances are the crate's.
#![allow(clippy::unwrap_used)]

mod vectors_json;
use formulas::ema::distance;
use formulas::regime::weighted_distance;
use formulas::sma::sma;
use vectors_json::{Case, assert_close, cases, numbers};

fn fund(case: &Case, name: &str) -> Option<f64> {
    let closes = &case.input[format!("{name}_close")];
    let closes = if closes.is_null() { Vec::new() } else { numbers(closes) };
    let average = sma(&closes, 200)?;
    let key = format!("{name}_ma_200");
    assert_close(&case.name, Some(average), &case.helper[key], 1e-9);
    let distance = distance(case.input[format!("{name}_quote")].as_f64()?, average);
    assert_close(&case.name, distance, &case.helper[format!("{name}_distance")], 1e-9);
    distance
}

fn label(case: &Case) -> &'static str {
    let settings = &case.input["settings"];
    let setting = |key: &str, default: f64| settings[key].as_f64().unwrap_or(default);
    if setting("market_regime_detection_enabled", 1.0) < 0.5 {
        return "sideways";
    }
    // Without the first fund the reference knows nothing; without the second it uses the first alone.
    let Some(first) = fund(case, "spy") else { return "sideways" };
    let mean = weighted_distance(&[(1.0, Some(first)), (1.0, fund(case, "qqq"))]).unwrap();
    if mean >= setting("market_regime_bull_threshold", 0.05) {
        "bull"
    } else if mean <= setting("market_regime_bear_threshold", -0.05) {
        "bear"
    } else {
        "sideways"
    }
}

#[test]
fn unsmoothed_labels_equal_their_vectors() {
    for case in cases("scoring/regime_index_ma200.json") {
        assert_eq!(Some(label(&case)), case.expect["regime"].as_str(), "{}", case.name);
    }
}
