//! Daily profit and loss against `daily_pnl.json`, with the decided answer to the unknown.
//!
//! The file's values are of positions only; the formula is the same, the totals handed in differ. The
//! old system allowed trading when it knew nothing: those cases are listed by name, and their answer here is no.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod vectors_json;
use formulas::daily_pnl::{Band, band, daily_pnl};
use vectors_json::{assert_close, cases, day};

#[test]
fn known_losses_equal_their_vectors_and_the_unknown_allows_nothing() {
    for case in cases("scoring/daily_pnl.json") {
        let today = day(&case.input["now"]);
        let snapshots = case.input["snapshots"].as_array().unwrap();
        let value = |wanted: &dyn Fn(i32) -> bool| {
            let mut known = snapshots.iter().filter(|row| wanted(day(&row["date"])));
            known.next_back().and_then(|row| row["total_value"].as_f64())
        };
        let previous = value(&|day| day < today).or_else(|| value(&|day| day == today));
        let pnl = previous
            .zip(case.input["positions_value"].as_f64())
            .and_then(|(previous, current)| daily_pnl(previous, current, 0.0));
        assert_close(&case.name, pnl, &case.expect["pnl"], 1e-9);

        let band = band(pnl, -0.02, -0.05);
        let status = match band {
            Band::Unknown => "unknown",
            Band::Normal => "normal",
            Band::SellsBlocked => "dip_buying",
            Band::Halted => "halted",
        };
        assert_eq!(Some(status), case.expect["status"].as_str(), "{}", case.name);
        if pnl.is_none() {
            println!(
                "scoring/daily_pnl.json {}: the old system trades when it knows nothing; here unknown allows nothing",
                case.name
            );
            assert!(!band.can_buy() && !band.can_sell(), "{}", case.name);
        } else {
            assert_eq!(Some(band.can_buy()), case.expect["can_buy"].as_bool(), "{}", case.name);
            assert_eq!(Some(band.can_sell()), case.expect["can_sell"].as_bool(), "{}", case.name);
        }
    }
}
