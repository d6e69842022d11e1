//! The end of a day: what is kept of it, how it is checked against its own history, and the figures that follow.

#![allow(clippy::unwrap_used)]

mod support;

use bus_client::Place;
use contracts::{LargePartKind, LargePartLevel, Nav, Quote};
use money::Currency;
use support::{Broker, NRDW, RHNA, Rig, at, broker, dollar, flow, quote, trade};
use tradernet::Side::{Buy, Sell};

const MORNING: &str = "2026-03-02T09:00:00Z";

/// A rig that has read its first account and come to the end of its first day.
fn after_a_day(broker: &Broker) -> Rig {
    let mut rig = Rig::priced(MORNING);
    rig.run("2026-03-02T09:00:10Z", broker);
    rig.run("2026-03-02T21:31:00Z", broker);
    rig
}

/// A figure as text; `none` where it is not known.
fn figure(rig: &Rig, sql: &str) -> String {
    let rows = bus_client::open_for_reading(&rig.place).unwrap();
    let value: Option<f64> = rows.query_row(sql, [], |row| row.get(0)).unwrap();
    value.map_or_else(|| "none".into(), |value| format!("{value:.6}"))
}

fn performance(rig: &Rig, period: &str, name: &str) -> String {
    figure(
        rig,
        &format!(
            "SELECT value FROM api_performance WHERE mode = 'live' AND period = '{period}' AND figure = '{name}'"
        ),
    )
}

fn earned(rig: &Rig, name: &str, part: &str) -> String {
    figure(
        rig,
        &format!(
            "SELECT contribution FROM api_attribution WHERE period = 'all' AND name = '{name}' AND part = '{part}'"
        ),
    )
}

#[test]
fn the_end_of_a_day_keeps_everything_it_was_computed_from() {
    let rig = after_a_day(&broker());
    let day = "day = '2026-03-02'";
    assert_eq!(rig.count(&format!("SELECT count(*) FROM api_eod_position WHERE {day}")), 2);
    let sums = "SELECT count(*) FROM api_nav n WHERE
        n.positions = (SELECT sum(value_eur) FROM api_eod_position p WHERE p.day = n.day)
        AND n.cash = (SELECT sum(value_eur) FROM api_eod_cash c WHERE c.day = n.day)";
    assert_eq!(rig.count(sums), 2, "the first row of all and the end of the day");
    let dollars = format!("SELECT rate FROM api_eod_position WHERE {day} AND isin = '{NRDW}'");
    assert_eq!(rig.count(&dollars), 500_000_000);
    let made = format!("SELECT priced FROM api_eod_position WHERE {day} AND isin = '{RHNA}'");
    assert_eq!(rig.count(&made), at(MORNING).ms(), "how old the price was stays known");
    let owed = format!("SELECT amount FROM api_eod_cash WHERE {day} AND ccy = 'USD'");
    assert_eq!(rig.count(&owed), -10_000);
    assert_eq!(rig.trouble(), None);
}

#[test]
fn a_day_that_follows_from_what_was_booked_is_no_trouble() {
    let mut rig = after_a_day(&broker());
    let now = rig.now;
    rig.hear(quote(RHNA, 55, now));
    rig.hear(dollar(510_000_000, now));
    // Four bought, two of the other sold, and a deposit.
    let mut bought = trade("7", RHNA, Buy, 4, "2026-03-03T10:01:00");
    let mut sold = trade("8", NRDW, Sell, 2, "2026-03-03T10:01:00");
    (bought.order_id, sold.order_id) = (None, None);
    let euros = 10_000_000 - 4 * 500_000 - 20_000 + 3_000_000;
    let next = Broker {
        held: vec![(RHNA, 14), (NRDW, 3)],
        cash: vec![(Currency::EUR, euros), (Currency::USD, -10_000 + 2 * 500_000 - 20_000)],
        trades: vec![bought, sold],
        flows: vec![flow("f", "bank", 3_000_000, "2026-03-03")],
        ..broker()
    };
    rig.run("2026-03-03T21:31:00Z", &next);
    assert_eq!(rig.count("SELECT count(*) FROM api_eod_position WHERE day = '2026-03-03'"), 2);
    let trouble = rig.trouble().unwrap_or_default();
    assert!(!trouble.contains("computed from"), "{trouble}");
}

#[test]
fn a_history_that_does_not_lead_to_the_day_is_told_and_nothing_is_corrected() {
    for (change, expected) in [
        // 10 more at 50 are 500 of 1 624.50.
        (
            "UPDATE eod_position SET qty_e6 = qty_e6 * 2 WHERE day = '2026-03-01' AND isin = 'DE000SMX0015'",
            true,
        ),
        ("UPDATE eod_cash SET amount_e4 = amount_e4 + 90000 WHERE day = '2026-03-01' AND ccy = 'EUR'", true),
        // Nine euros are more than half a percent, eight are less.
        ("UPDATE eod_cash SET amount_e4 = amount_e4 + 80000 WHERE day = '2026-03-01' AND ccy = 'EUR'", false),
        (
            "DELETE FROM eod_position WHERE day = '2026-03-01'; DELETE FROM eod_cash WHERE day = '2026-03-01'",
            false,
        ),
    ] {
        let mut rig = Rig::priced(MORNING);
        rig.run("2026-03-02T09:00:10Z", &broker());
        let Place::File(file) = rig.place.clone() else { panic!("the store is a file") };
        rusqlite::Connection::open(file).unwrap().execute_batch(change).unwrap();
        rig.restart();
        rig.run("2026-03-02T21:31:00Z", &broker());
        let trouble = rig.trouble().unwrap_or_default();
        assert_eq!(trouble.contains("computed from the end of 2026-03-01"), expected, "{change}: {trouble}");
        assert_eq!(rig.count("SELECT nav FROM api_nav WHERE day = '2026-03-02'"), 16_245_000);
    }
}

#[test]
fn figures_follow_the_end_of_a_day_and_what_nobody_can_know_has_no_value() {
    let mut rig = Rig::priced(MORNING);
    rig.run("2026-03-02T09:00:10Z", &broker());
    assert_eq!(rig.count("SELECT count(*) FROM api_performance"), 0, "no day has ended");
    let now = rig.now;
    rig.hear(quote(RHNA, 60, now));
    rig.hear(dollar(600_000_000, now));
    rig.run("2026-03-02T21:31:00Z", &broker());
    // 10 · 60 + 5 · 50 · 0.6 + 1000 − 0.6 is 1 749.40 after 1 624.50.
    assert_eq!(performance(&rig, "all", "twr"), format!("{:.6}", 124.9 / 1_624.5));
    assert_eq!(performance(&rig, "all", "gain"), "124.900000");
    for (period, name) in
        [("1y", "twr"), ("ytd", "twr"), ("all", "xirr"), ("all", "volatility"), ("all", "sharpe")]
    {
        assert_eq!(performance(&rig, period, name), "none", "{period} {name}");
    }
    assert_eq!(figure(&rig, "SELECT value FROM api_turnover WHERE figure = 'annual_turnover'"), "none");
    assert_eq!(earned(&rig, RHNA, "whole"), format!("{:.6}", 100.0 / 1_624.5));
    assert_eq!(earned(&rig, RHNA, "price"), earned(&rig, RHNA, "whole"));
    assert_eq!(earned(&rig, NRDW, "currency"), format!("{:.6}", 25.0 / 1_624.5));
    assert_eq!(earned(&rig, NRDW, "price"), "0.000000");
    assert_eq!(earned(&rig, "residual", ""), format!("{:.6}", -0.1 / 1_624.5), "a dollar is owed");
    let share = "SELECT share FROM api_composition WHERE \"by\" = 'currency' AND name = 'USD'";
    assert_eq!(figure(&rig, share), "0.200000");
    rig.restart();
    assert_eq!(performance(&rig, "all", "gain"), "124.900000", "figures survive");
}

#[test]
fn what_is_sold_bought_and_paid_belongs_to_the_security_that_it_came_from() {
    let mut rig = after_a_day(&broker());
    let mut paid = flow("d", "dividend", 100_000, "2026-03-03");
    paid.comment = "RHNA dividend".into();
    // All ten are sold at 50, where they stood: nothing but the dividend was earned, and the fee is nobody's.
    let next = Broker {
        held: vec![(NRDW, 5)],
        cash: vec![(Currency::EUR, 10_000_000 + 5_000_000 - 20_000 + 100_000), (Currency::USD, -10_000)],
        trades: vec![trade("9", RHNA, Sell, 10, "2026-03-03T10:01:00")],
        flows: vec![paid],
        ..broker()
    };
    rig.run("2026-03-03T21:31:00Z", &next);
    let dividend = format!("{:.6}", 10.0 / 1_624.5);
    assert_eq!((earned(&rig, RHNA, "whole"), earned(&rig, RHNA, "dividend")), (dividend.clone(), dividend));
    assert_eq!(earned(&rig, "residual", ""), format!("{:.6}", -2.0 / 1_624.5));
}

#[test]
fn what_is_too_large_is_said_with_the_value_and_stays_until_the_next_end_of_a_day() {
    let mut rig = Rig::priced(MORNING);
    rig.run("2026-03-02T09:00:10Z", &broker());
    let position = |rig: &Rig| {
        let found = rig.last::<Nav>().concentration;
        found.into_iter().find(|part| part.kind == LargePartKind::Position)
    };
    let part = position(&rig).unwrap();
    assert_eq!((part.name.as_str(), part.level), (RHNA, LargePartLevel::Breach));
    assert!((part.share.get() - 0.308).abs() < 1e-9, "500 of 1 624.50: {}", part.share);
    let now = rig.now;
    rig.hear(quote(RHNA, 60, now));
    rig.run("2026-03-02T12:00:00Z", &broker());
    assert_eq!(position(&rig).unwrap().share, part.share, "a price is no news here");
    rig.run("2026-03-02T21:31:00Z", &broker());
    assert!(position(&rig).unwrap().share > part.share);
}

/// A rig at the end of its first day whose price of one holding is gone.
fn without_a_price() -> Rig {
    let mut rig = Rig::priced(MORNING);
    rig.run("2026-03-02T09:00:10Z", &broker());
    rig.clear::<Quote>(RHNA);
    rig.run("2026-03-02T21:31:00Z", &broker());
    assert_eq!(rig.count("SELECT count(*) FROM api_nav WHERE day = '2026-03-02'"), 0);
    rig
}

#[test]
fn a_day_whose_worth_is_unknown_at_its_end_is_valued_as_soon_as_it_is_known() {
    let mut rig = without_a_price();
    let now = rig.now;
    rig.hear(quote(RHNA, 50, now));
    rig.run("2026-03-02T21:36:00Z", &broker());
    assert_eq!(rig.count("SELECT nav FROM api_nav WHERE day = '2026-03-02'"), 16_245_000);
    assert_eq!(rig.last::<Nav>().day.to_string(), "2026-03-03");
    assert_eq!(rig.trouble(), None);
}

#[test]
fn a_day_that_cannot_be_valued_in_three_tries_is_named_until_the_next_one_is() {
    let mut rig = without_a_price();
    rig.run("2026-03-02T21:41:00Z", &broker());
    let trouble = rig.trouble().unwrap();
    assert!(
        trouble.contains(&format!("2026-03-02 could not be valued: no price or rate for {RHNA}")),
        "{trouble}"
    );
    let now = rig.now;
    rig.hear(quote(RHNA, 50, now));
    rig.run("2026-03-03T12:00:00Z", &broker());
    assert!(rig.trouble().unwrap().contains("2026-03-02 could not be valued"));
    rig.run("2026-03-03T21:31:00Z", &broker());
    assert_eq!(rig.trouble(), None);
    assert_eq!(rig.count("SELECT count(*) FROM api_nav WHERE day IN ('2026-03-02', '2026-03-03')"), 1);
}

#[test]
fn a_day_that_ended_while_nobody_was_there_is_valued_after_the_start_also_past_midnight() {
    let mut rig = Rig::priced(MORNING);
    rig.run("2026-03-02T09:00:10Z", &broker());
    rig.now = at("2026-03-03T06:00:00Z");
    rig.restart();
    rig.run("2026-03-03T06:04:00Z", &broker());
    assert_eq!(rig.last::<Nav>().day.to_string(), "2026-03-02", "it goes on until then");
    rig.run("2026-03-03T06:06:00Z", &broker());
    assert_eq!(rig.count("SELECT nav FROM api_nav WHERE day = '2026-03-02'"), 16_245_000);
    assert_eq!(rig.last::<Nav>().day.to_string(), "2026-03-03");
    rig.run("2026-03-03T21:31:00Z", &broker());
    assert_eq!(rig.count("SELECT count(*) FROM api_nav WHERE day >= '2026-03-02'"), 2);
}
