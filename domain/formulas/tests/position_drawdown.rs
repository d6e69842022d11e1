//! Drawdown state and risk figures of a position against `position_drawdown.json`.

mod vectors_json;
use vectors_json::{cases, indicators::check_position, left_out, numbers};

const FILE: &str = "scoring/position_drawdown.json";

#[test]
fn position_figures_equal_their_vectors() {
    for case in cases(FILE) {
        let closes = numbers(&case.input["close"]);
        // Prices that are not positive are filtered before this formula; the files' values for them
        // are artefacts of the reference.
        if closes.iter().all(|close| *close > 0.0) {
            check_position(&case, &closes, &case.expect["risk"], &case.expect["drawdown"]);
        } else {
            left_out(FILE, &case.name, "prices that are not positive never reach this formula");
        }
    }
}

#[test]
fn a_price_of_zero_gives_no_drawdown_at_all() {
    for case in cases(FILE) {
        let closes = numbers(&case.input["close"]);
        let drawdown = formulas::drawdown::drawdown(&closes);
        let is_clean = closes.iter().all(|close| *close > 0.0);
        assert_eq!(drawdown.max().is_some(), is_clean, "{}", case.name);
    }
}
