//! Thousands of random requests, most of them nonsense: the books hold and nothing panics. `STEWARD_STORM` sets how
//! many; a hundred thousand take minutes.

use super::*;
use crate::core::random::{Draws, Stream, draws};

const REQUESTS: u32 = 10_000;

const TICKERS: [&str; 12] = [
    "NRDW.US",
    "HLXB.US",
    "KYST.US",
    "THMB.EU",
    "FRTM.EU",
    "JADEP.9911.AS",
    "SINOG.9957.AS",
    "998X.JP",
    "EUR/USD",
    "HKD/EUR",
    "EURUSD_T0.ITS",
    "NOPE.US",
];

const READS: [(&str, &str); 12] = [
    ("getPositionJson", "{}"),
    ("getNotifyOrderJson", r#"{"active_only":1}"#),
    ("getOrdersHistory", r#"{"from":"2026-03-01T00:00:00","till":"2026-03-02T00:00:00"}"#),
    ("getTradesHistory", r#"{"beginDate":"2026-03-01","endDate":"2026-03-02"}"#),
    ("getStockQuotesJson", r#"{"tickers":"NRDW.US,THMB.EU,EUR/USD"}"#),
    ("getSecurityInfo", r#"{"ticker":"NRDW.US","sup":true}"#),
    ("tickerFinder", r#"{"text":"RHNA"}"#),
    ("getCrossRatesForDate", r#"{"base_currency":"EUR","currencies":["USD","XXX"]}"#),
    ("getMarketStatus", r#"{"market":"*"}"#),
    ("getOPQ", "{}"),
    ("noSuchCommand", "{}"),
    ("getPositionJson", "[not json"),
];

fn one_request(rng: &mut Draws, world: &World) -> (String, String) {
    let pick = |rng: &mut Draws, n: usize| usize::try_from(rng.below(n as u64)).unwrap();
    if rng.below(4) == 0 {
        let (command, body) = READS[pick(rng, READS.len())];
        return (command.into(), body.into());
    }
    if rng.below(10) == 0 {
        let last = 5_510_020_001 + rng.below(world.orders.len() as u64 + 3);
        return ("delTradeOrder".into(), format!(r#"{{"order_id":{last}}}"#));
    }
    let ticker = TICKERS[pick(rng, TICKERS.len())];
    let price = world.find(ticker).and_then(|i| world.quote_of(i, world.now)).map_or(1_000_000, |q| {
        q.last_e6
            + (i64::try_from(rng.below(9)).unwrap() - 4) * q.tick_e6
                / (1 + i64::try_from(rng.below(2)).unwrap())
    });
    let qty = [1, 2, 7, 100, 500, 1000, -3, 0, 999_999_999][pick(rng, 9)];
    let body = format!(
        r#"{{"instr_name":"{ticker}","action_id":{},"order_type_id":{},"qty":{qty},"limit_price":{},"expiration_id":{}}}"#,
        rng.below(6),
        rng.below(6),
        crate::core::fixed::text(price, 6, 2),
        1 + rng.below(3),
    );
    ("putTradeOrder".into(), body)
}

#[test]
fn the_books_survive_a_storm_of_random_requests() {
    let requests = std::env::var("STEWARD_STORM").ok().and_then(|n| n.parse().ok()).unwrap_or(REQUESTS);
    let mut world = world("2026-03-02T07:00:00", Profile::Nasty, "default");
    for currency in ["EUR", "USD", "GBP", "HKD"] {
        world.book_cash(currency, 500_000_000, "bank").unwrap();
    }
    let mut rng = draws(11, Stream::Fault, "storm", 0);
    let mut accepted = 0;
    for _ in 0..requests {
        let (command, body) = one_request(&mut rng, &world);
        let reply = send(&mut world, &command, &body).reply().unwrap();
        assert_eq!(reply.status, 200);
        accepted += u32::from(command == "putTradeOrder" && reply.body.starts_with(b"{\"__sim_extra"));
        let pause = i64::try_from(rng.below(12_000)).unwrap();
        let to = Timestamp::from_ms(world.now + pause);
        world.advance_to(to);
    }
    assert!(accepted > 0 && world.fills.iter().filter(|f| !f.historic).count() > 100);
    for id in ["I1", "I2", "I3", "I8", "I13"] {
        let report = world.invariants().into_iter().find(|r| r.id == id).unwrap();
        let shorts_asked_for = |text: &String| !text.contains("sells more than is held");
        assert!(
            report.violations.iter().filter(|v| id != "I8" || shorts_asked_for(v)).count() == 0,
            "{report:?}"
        );
    }
}
