//! Daily profit and loss against `daily_pnl.json`.
//!
//! The file's values are of positions only; the formula is the same, the totals handed in differ. The old system
//! allowed trading when it knew nothing: its answer is compared in that form, and here unknown allows nothing.
#![allow(clippy::unwrap_used)]

mod vectors_json;
use formulas::daily_pnl::{Band, band, daily_pnl};
use vectors_json::{assert_close, cases, day};

#[test]
fn known_losses_equal_their_vectors_and_the_unknown_allows_nothing() {
    for case in cases("scoring/daily_pnl.json") {
        let today = day(&case.input["now"]);
        let snapshots = case.input["snapshots"].as_array().unwrap();
        let value = |wanted: &dyn Fn(i32) -> bool| {
            let known = snapshots.iter().filter(|row| wanted(day(&row["date"])));
            known.max_by_key(|row| day(&row["date"])).and_then(|row| row["total_value"].as_f64())
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
        // The old system trades when it knows nothing.
        let (buys, sells) = if pnl.is_some() { (band.can_buy(), band.can_sell()) } else { (true, true) };
        assert_eq!(Some(buys), case.expect["can_buy"].as_bool(), "{}", case.name);
        assert_eq!(Some(sells), case.expect["can_sell"].as_bool(), "{}", case.name);
        assert!(
            pnl.is_some() || !(band.can_buy() || band.can_sell()),
            "{}: unknown allows nothing",
            case.name
        );
    }
}
