//! No bytes whatever make a decoder panic, and no damage turns an error into an empty account.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use proptest::prelude::*;
use tradernet::commands::broker_report::{
    ReportCommissions, ReportCorporateActions, ReportDays, ReportInOuts, is_gross,
};
use tradernet::commands::cancel_order::decode_cancel;
use tradernet::commands::candles::GetDailyCandles;
use tradernet::commands::cash_flows::{GetCashFlows, dedupe_keys};
use tradernet::commands::cross_rates::GetCrossRates;
use tradernet::commands::find_ticker::FindTicker;
use tradernet::commands::health::CheckHealth;
use tradernet::commands::market_status::GetMarketStatus;
use tradernet::commands::open_orders::GetOrders;
use tradernet::commands::orders_history::GetOrdersHistory;
use tradernet::commands::planned_actions::GetPlannedActions;
use tradernet::commands::positions::GetPositions;
use tradernet::commands::put_order::decode_placed;
use tradernet::commands::quotes::GetQuotes;
use tradernet::commands::securities::GetSecurities;
use tradernet::commands::security_info::GetSecurityInfo;
use tradernet::commands::stock_lists::GetStockLists;
use tradernet::commands::tickers::Tickers;
use tradernet::commands::trade_allowed::CheckAllowed;
use tradernet::commands::trades::GetTrades;
use tradernet::{Placed, RawReply, Ticker, decode_read};

fn all_stored() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replies");
    let mut paths: Vec<_> = ["clean", "live_like", "nasty"]
        .iter()
        .flat_map(|dress| std::fs::read_dir(root.join(dress)).unwrap().map(|entry| entry.unwrap().path()))
        .collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// Hands one body to every decoder there is.
fn decode_everything(status: u16, body: &[u8]) {
    let ticker = Ticker::parse("NRDW.US").unwrap();
    let (from, till) = ("2011-01-01".parse().unwrap(), "2026-12-31".parse().unwrap());
    let reply = || Ok(RawReply::new(status, body));
    let _ = decode_read(&GetPositions, reply());
    let _ = decode_read(&GetOrders { active_only: true }, reply());
    let _ = decode_read(&GetOrdersHistory { from, till }, reply());
    let _ = decode_read(&GetQuotes { tickers: Tickers::new(vec![ticker.clone()]).unwrap() }, reply());
    let tickers = Tickers::new(vec![ticker.clone()]).unwrap();
    let _ = decode_read(&GetDailyCandles { tickers, from, to: till }, reply());
    let _ = decode_read(&GetSecurityInfo { ticker: ticker.clone() }, reply());
    let symbol = ticker.clone();
    let _ = decode_read(&CheckAllowed { ticker }, reply());
    let _ = decode_read(&GetMarketStatus, reply());
    let _ = decode_read(&CheckHealth, reply());
    let _ = decode_read(&GetSecurities { tickers: Tickers::new(vec![symbol.clone()]).unwrap() }, reply());
    let _ = decode_read(&FindTicker { isin: "DE000SMX0015".parse().unwrap() }, reply());
    let _ = decode_read(&GetPlannedActions { reception: 35 }, reply());
    let _ = decode_read(&GetStockLists, reply());
    let days = ReportDays { from, till };
    let _ = decode_read(&ReportCorporateActions(days), reply())
        .map(|rows| rows.iter().filter_map(is_gross).count());
    let _ = decode_read(&ReportInOuts(days), reply());
    let _ = decode_read(&ReportCommissions(days), reply());
    let _ = decode_read(&GetCrossRates { currencies: vec![money::Currency::USD], day: None }, reply());
    let _ = decode_read(&GetTrades { from, till }, reply());
    if let Ok(page) = decode_read(&GetCashFlows { since: None, page: 0 }, reply()) {
        let _ = dedupe_keys(&page.rows);
    }
    let _ = decode_placed(reply());
    let _ = decode_cancel(reply());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(status in 100_u16..600, body in prop::collection::vec(any::<u8>(), 0..400)) {
        decode_everything(status, &body);
    }

    #[test]
    fn damaged_replies_never_panic(
        which in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<prop::sample::Index>(),
        truncate in any::<bool>(),
    ) {
        let all = all_stored();
        let mut body = which.get(&all).clone();
        let at = place.index(body.len());
        body[at] = byte;
        if truncate {
            body.truncate(cut.index(body.len()));
        }
        decode_everything(200, &body);
    }

    #[test]
    fn swapped_values_never_panic(
        which in any::<prop::sample::Index>(),
        value in prop::sample::select(vec!["null", "[]", "{}", "\"\"", "-1", "1e40", "true", "\"x\"", "[[1]]"]),
        place in any::<prop::sample::Index>(),
    ) {
        // Replaces what stands behind one colon, up to the next comma.
        let all = all_stored();
        let text = String::from_utf8(which.get(&all).clone()).unwrap();
        let colons: Vec<usize> = text.match_indices(':').map(|(at, _)| at).collect();
        prop_assume!(!colons.is_empty());
        let at = colons[place.index(colons.len())] + 1;
        let end = text[at..].find([',', '}']).map_or(text.len(), |length| at + length);
        let damaged = format!("{}{value}{}", &text[..at], &text[end..]);
        decode_everything(200, damaged.as_bytes());
    }

    #[test]
    fn a_truncated_acknowledgement_is_never_an_acceptance(keep in 0_usize..23) {
        let whole = br#"{"order_id":5510020011}"#;
        let placed = decode_placed(Ok(RawReply::new(200, &whole[..keep])));
        let unknown = matches!(placed, Placed::Unknown { .. });
        prop_assert!(unknown);
    }

    #[test]
    fn a_cut_account_is_never_an_account(cut in any::<prop::sample::Index>()) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replies/clean/getPositionJson.json");
        let body = std::fs::read(path).unwrap();
        let whole = body.trim_ascii_end();
        let part = &whole[..cut.index(whole.len())];
        prop_assert!(decode_read(&GetPositions, Ok(RawReply::new(200, part))).is_err());
    }
}
