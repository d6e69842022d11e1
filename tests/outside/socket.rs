//! Prices over the broker's socket: newer than the questions between them, and gone without harm.

use std::time::Duration;

use contracts::{Health, Quote};
use steward_tests::outside::{Outside, Wishes};

const LONG: Duration = Duration::from_secs(60);
const NORDWELL: &str = "US99S0011099";

/// New York is open; questions come every quarter of an hour only.
fn wishes(profile: &'static str) -> Wishes {
    Wishes {
        start: "2026-03-02T15:00:07Z",
        speed: 1.0,
        profile,
        tickers: &["NRDW.US", "QXTM.US"],
        ingest: "quote_interval_s = 900\nhistory_days = 60\n".into(),
    }
}

#[test]
fn prices_come_between_the_questions_and_after_the_socket_was_lost() {
    for profile in ["clean", "live_like", "nasty"] {
        let mut outside = Outside::new(&wishes(profile));
        outside.start("steward-ingest");
        let mut bus = outside.bus("steward-prices");
        let mut last = None;
        for _ in 0..3 {
            let newer = bus.wait_for::<Quote>("a newer price", LONG, |quote| {
                quote.isin.as_str() == NORDWELL && last.is_none_or(|last| quote.at > last) && !quote.suspect
            });
            last = Some(newer.at);
        }
        assert!(outside.asked("getStockQuotesJson") <= 2, "{profile}: the prices were asked for");

        // The broker closes the next connections; it comes back by itself.
        let rule = r#"[{"id":"gone","target":"ws","cmd":"*","when":{"prob":1.0},"max":1,"effect":{"kind":"ws_drop"}}]"#;
        let taken = outside.control("POST", "faults", rule);
        assert!(taken["error"].is_null(), "{taken}");
        let fired =
            |outside: &Outside| outside.control("GET", "faults/log", "").as_array().map_or(0, Vec::len);
        bus.wait_for::<Health>("the socket was dropped", LONG, |_| fired(&outside) > 0);
        let later = last.unwrap().saturating_plus_ms(10_000);
        bus.wait_for::<Quote>("a price after the loss", LONG, |quote| {
            quote.isin.as_str() == NORDWELL && quote.at > later
        });
        assert!(outside.asked("getStockQuotesJson") <= 3, "{profile}: the socket did not come back");
    }
}
