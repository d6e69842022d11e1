//! All indicators of a security against `indicators_long.json`: long and irregular series.

mod vectors_json;

#[test]
fn every_indicator_equals_its_vector() {
    for case in vectors_json::cases("scoring/indicators_long.json") {
        vectors_json::indicators::check(&case);
    }
}
