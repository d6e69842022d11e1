//! The account a world begins with, and what happens to it over time without a client.

use super::*;

#[test]
fn the_default_account_holds_what_was_saved_for_and_owes_a_custody_fee() {
    // In this seed every purchase was affordable; in others a dear one waits for ever.
    let world = World::new(WorldConfig::new(4, at("2026-03-02T08:00:00"))).unwrap();
    let held = world.positions();
    for (ticker, units) in [
        ("NRDW.US", 12),
        ("PRVL.US", 20),
        ("ALPB.EU", 15),
        ("MGLW.EU", 30),
        ("AURX.EU", 18),
        ("THMB.EU", 60),
        ("VNTX.US", 24),
        ("JADEP.9911.AS", 500),
    ] {
        assert_eq!(held.get(ticker), Some(&(units * 1_000_000)), "{ticker}");
    }
    assert_eq!(world.cash()["GBP"], -12_700);
    assert!(world.cash()["EUR"] > 0, "{:?}", world.cash());
    assert!(world.flows.iter().any(|f| f.type_code == "dividend"));
    assert!(world.flows.iter().any(|f| f.type_code == "tax"));
    assert_sound(&world);
}

#[test]
fn accounts_of_other_scenarios_hold_only_cash() {
    for (scenario, euros) in
        [("empty_account", 0), ("tiny_account", 1_500_000), ("first_deposit", 250_000_000)]
    {
        let world = world("2026-03-02T08:00:00", Profile::Clean, scenario);
        assert!(world.positions().is_empty());
        assert_eq!(world.cash().get("EUR").copied().unwrap_or(0), euros, "{scenario}");
        assert_sound(&world);
    }
}

#[test]
fn refuses_starts_outside_2016_to_2027_and_unknown_names() {
    for (start, fine) in [
        ("2015-12-31T23:59:59", false),
        ("2016-01-01T00:00:00", true),
        ("2027-12-31T23:59:59", true),
        ("2028-01-01T00:00:00", false),
    ] {
        assert_eq!(World::new(WorldConfig::new(1, at(start))).is_ok(), fine, "{start}");
    }
    let base = WorldConfig::new(1, at("2026-03-02T08:00:00"));
    let named = WorldConfig { scenario: "party".into(), ..base.clone() };
    assert!(World::new(named).is_err_and(|e| e.to_string().contains("party")));
    let listed = WorldConfig { tickers: Some(vec!["NOPE.US".into()]), ..base };
    assert!(World::new(listed).is_err());
}

#[test]
fn negative_cash_costs_interest_booked_on_the_first_of_a_month() {
    let mut world = world("2026-03-02T08:00:00", Profile::Clean, "empty_account");
    world.book_custody(world.now, 10_000_000, "EUR");
    world.advance_to(at("2026-05-02T08:00:00"));
    let booked: Vec<_> = world.flows.iter().filter(|f| f.type_code == "percents").map(|f| f.sum_e4).collect();
    // 30 nights of 1000.00 at 8 % until April, then 30 nights of 1006.58; fractions of a cent are kept.
    assert_eq!(booked, [-65_800, -66_100]);
    assert_eq!(world.cash()["EUR"], -10_131_900);
    assert_sound(&world);
}

#[test]
fn limiting_the_tickers_keeps_prices_and_hides_the_rest() {
    let tickers = Some(vec!["NRDW.US".to_owned(), "MGLW.EU".to_owned()]);
    let few = WorldConfig { tickers, ..WorldConfig::new(1, at("2026-03-02T15:00:00")) };
    let (mut few, all) = (World::new(few).unwrap(), world_at("2026-03-02T15:00:00"));
    for ticker in ["NRDW.US", "MGLW.EU"] {
        assert_eq!(few.truth_price(ticker, few.now()), all.truth_price(ticker, all.now()), "{ticker}");
    }
    assert_eq!(few.truth_price("CBLR.US", few.now()), None);
    assert_eq!(few.positions().keys().copied().collect::<Vec<_>>(), ["MGLW.EU", "NRDW.US"]);
    let quotes = ask(&mut few, "getStockQuotesJson", r#"{"tickers":"NRDW.US,CBLR.US"}"#);
    assert_eq!(quotes["result"]["q"].as_array().unwrap().len(), 1);
}
