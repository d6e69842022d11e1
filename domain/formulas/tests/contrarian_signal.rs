//! Turn, freefall and dip against `contrarian_signal.json`.
#![allow(clippy::unwrap_used)]

mod vectors_json;
use formulas::contrarian::signal;
use vectors_json::{assert_close, cases, numbers};

#[test]
fn signals_equal_their_vectors() {
    for case in cases("scoring/contrarian_signal.json") {
        let found = signal(&numbers(&case.input["close"]));
        let number = |key: &str| case.input[key].as_f64().unwrap();
        let boosted = found.boosted(number("entry_t1_dd"), number("entry_t3_dd"), number("max_boost"));
        let flag = |set: bool| if set { 1.0 } else { 0.0 };
        for (key, value) in [
            ("dd252", found.drawdown),
            ("dd252_recent_min", found.recent_drawdown),
            ("rsi14", found.strength),
            ("mom20", found.momentum[0]),
            ("mom60", found.momentum[1]),
            ("mom120", found.momentum[2]),
            ("vol20", found.volatility),
            ("vol_ratio", found.volatility_ratio),
            ("dip_score", found.dip),
            ("capitulation_score", found.capitulation),
            ("cycle_turn", flag(found.turn)),
            ("freefall_block", flag(found.freefall)),
            ("opp_score", found.opportunity),
            ("core_rank", found.rank),
            ("effective_opp_score", boosted),
        ] {
            assert_close(&format!("{} {key}", case.name), Some(value), &case.expect[key], 1e-8);
        }
    }
}
