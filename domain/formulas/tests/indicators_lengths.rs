//! All indicators of a security against `indicators_lengths.json`: series around every minimum length.

mod vectors_json;

#[test]
fn every_indicator_equals_its_vector() {
    for case in vectors_json::cases("scoring/indicators_lengths.json") {
        vectors_json::indicators::check(&case);
    }
}
