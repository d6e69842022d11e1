//! Windfalls of gains and of positions against `windfall.json`.
#![allow(clippy::unwrap_used)]

mod vectors_json;
use formulas::rounding::round_to;
use formulas::windfall::{DEFAULT_GROWTH, believable_growth, excess, expected_gain, score, take_profits};
use vectors_json::{assert_close, cases_of, seconds};

const FILE: &str = "scoring/windfall.json";
const DAY_S: f64 = 86_400.0;

#[test]
fn windfalls_of_gains_equal_their_vectors() {
    for case in cases_of(FILE, "gain") {
        let number = |key: &str| case.input[key].as_f64();
        let name = &case.name;
        let growth = number("historical_cagr").unwrap_or(DEFAULT_GROWTH);
        let (Some(gain), Some(years)) = (number("current_gain"), number("years_held")) else {
            assert_close(name, Some(0.0), &case.expect["windfall_score"], 1e-9);
            continue;
        };
        let excess = excess(gain, years, growth).unwrap();
        assert_close(name, Some(excess), &case.expect["excess_gain"], 1e-9);
        let points = score(excess).map(|score| round_to(score, 3));
        assert_close(name, points, &case.expect["windfall_score"], 1e-9);
        let details = &case.expect["details"];
        // A growth of −1 explains no gain at all; the reference shows the power it does not use.
        if growth > -1.0 {
            let expected = expected_gain(years, growth).map(|gain| round_to(gain, 4));
            assert_close(name, expected, &details["expected_gain"], 1.0001e-4);
        }
        let taken = take_profits(gain, excess);
        assert_eq!(Some(taken.share > 0.0), case.expect["take_profits"].as_bool(), "{name}");
        assert_close(name, Some(taken.share), &case.expect["sell_pct"], 1e-9);
        assert_eq!(Some(taken.reason), case.expect["reason"].as_str(), "{name}");
    }
}

#[test]
fn windfalls_of_positions_equal_their_vectors() {
    for case in cases_of(FILE, "position") {
        let number = |key: &str| case.input[key].as_f64();
        let name = &case.name;
        let (price, cost) = (number("current_price").unwrap(), number("avg_price").unwrap());
        if cost <= 0.0 {
            assert!(case.expect["windfall_score"].is_null(), "{name}: {}", case.expect);
            continue;
        }
        let gain = (price - cost) / cost;
        let days = seconds(&case.input["first_bought_at"])
            .map(|bought| ((seconds(&case.input["now"]).unwrap() - bought) as f64 / DAY_S).floor());
        let years = days.map_or(1.0, |days| (days / 365.0).max(0.1));
        let growth = number("cagr_5y").or_else(|| number("cagr_10y")).unwrap_or(DEFAULT_GROWTH);
        let beyond = excess(gain, years, growth).unwrap();
        let percent = |value: f64| round_to(round_to(value, 4) * 100.0, 1);
        for (key, value, unit) in [
            ("current_gain_pct", percent(gain), 0.1),
            ("years_held", round_to(years, 2), 0.01),
            ("windfall_score", round_to(score(beyond).unwrap(), 3), 0.001),
            ("excess_gain_pct", percent(beyond), 0.1),
            ("expected_gain_pct", percent(expected_gain(years, growth).unwrap()), 0.1),
            ("historical_cagr_pct", percent(growth), 0.1),
        ] {
            let expected = case.expect[key].as_f64().unwrap_or_else(|| panic!("{name} {key}"));
            assert!(
                (value - expected).abs() <= unit * 1.000_001,
                "{name} {key}: {value} instead of {expected}"
            );
        }
        let decided = excess(gain, years, round_to(growth, 4)).unwrap();
        let taken = take_profits(gain, decided);
        let wanted = &case.expect["recommendation"];
        assert_eq!(Some(taken.share > 0.0), wanted["take_profits"].as_bool(), "{name}");
        assert_close(name, Some(round_to(taken.share * 100.0, 0)), &wanted["suggested_sell_pct"], 1e-9);
        assert_eq!(Some(taken.reason), wanted["reason"].as_str(), "{name}");
        // What is decided here never expects less than nothing or more than a fifth a year.
        assert!((0.0..=0.2).contains(&believable_growth(Some(growth))), "{name}");
    }
}

#[test]
fn no_kind_of_the_file_is_left_out() {
    vectors_json::assert_kinds(FILE, &["gain", "position"]);
}
