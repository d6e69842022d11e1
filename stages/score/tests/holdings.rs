//! What is said of a holding follows from its fills: its age, its gain with dividends, and profit that was taken before.
#![allow(clippy::unwrap_used)]

use contracts::{PortfolioState, Position, Sample, Security, SecurityScore, Universe};
use formulas::lots::Fill;
use market::{Day, Timestamp};
use money::{Price, Quantity};
use score::{
    Bar, Facts, Settings,
    holding::Shares,
    series::Series,
    statement::{Basis, state},
};

const BARS: i32 = 1_500;
/// The price at the end.
const PRICE: f64 = 250.0;

fn today() -> Day {
    "2026-03-02".parse().unwrap()
}

fn number(day: Day) -> i32 {
    Timestamp::ZERO.day_utc().days_until(day)
}

/// So many days ago, pieces and price.
fn fill(ago: i32, quantity: f64, price: f64) -> Fill {
    Fill { day: number(today()) - ago, quantity, price }
}

/// A price that goes nowhere in particular and ends where every test wants it.
fn bars() -> Vec<Bar> {
    let bar = |number: i32| {
        let close = PRICE * (1.0 + 0.02 * f64::from(number - BARS + 1).sin());
        Bar { day: today().plus_days(number - BARS), close, high: close }
    };
    (0..BARS).map(bar).collect()
}

/// The same, rising by an eighth a year.
fn rising() -> Vec<Bar> {
    let bars = bars().into_iter().zip(0..);
    bars.map(|(bar, number)| {
        let part = 1.125_f64.powf(f64::from(number - BARS + 1) / 365.0);
        Bar { close: bar.close * part, high: bar.high * part, ..bar }
    })
    .collect()
}

fn said(held: i64, average: f64, fills: Vec<Fill>, received: Option<Vec<(Day, f64)>>) -> SecurityScore {
    said_with(bars(), held, average, fills, received)
}

fn said_with(
    bars: Vec<Bar>,
    held: i64,
    average: f64,
    fills: Vec<Fill>,
    received: Option<Vec<(Day, f64)>>,
) -> SecurityScore {
    let security = Security::sample();
    let at = |ago: i32| Timestamp::from_ms(i64::from(number(today()) - ago) * 86_400_000);
    let position = Position {
        isin: security.isin,
        qty_e6: Quantity::from_e6(held * 1_000_000).unwrap(),
        avg_price_e6: Price::from_f64(average).ok(),
        opened: Some(at(1_000)),
        last_buy: Some(at(1_000)),
        last_sell: None,
        ..PortfolioState::sample().positions[0].clone()
    };
    let portfolio = PortfolioState { positions: vec![position], ..PortfolioState::sample() };
    let facts = Facts { bars, fills, received, ..Facts::default() };
    state(&Basis {
        security: &security,
        series: &Series::new(&facts),
        facts: &facts,
        quote: None,
        state: Some(&portfolio),
        shares: &Shares::new(Some(&portfolio), None, &Universe { securities: vec![security.clone()] }),
        settings: &Settings::default(),
        settings_hash: "0",
        now: at(0),
    })
}

fn days(score: &SecurityScore) -> i64 {
    score.sell.as_ref().unwrap().days_held.unwrap()
}

#[test]
fn a_holding_is_as_old_as_the_mean_of_what_is_left_of_it() {
    let young = said(100, 110.0, vec![fill(1_000, 10.0, 100.0), fill(100, 90.0, 111.0)], None);
    assert_eq!(days(&young), 190);
    let sold = [fill(1_000, 10.0, 100.0), fill(100, 100.0, 111.0), fill(10, -10.0, 200.0)];
    assert_eq!(days(&said(100, 110.0, sold.to_vec(), None)), 100, "the oldest pieces go first");
}

#[test]
fn fills_that_do_not_explain_the_holding_are_left_aside() {
    for fills in [vec![], vec![fill(100, 90.0, 111.0)], vec![fill(100, -5.0, 100.0)]] {
        assert_eq!(days(&said(100, 110.0, fills, None)), 1_000, "the day it was opened");
    }
}

#[test]
fn dividends_since_it_was_opened_belong_to_the_gain() {
    let bought = vec![fill(1_000, 100.0, 200.0)];
    let excess = |received| said(100, 200.0, bought.clone(), received).windfall.unwrap().excess.get();
    let without = excess(Some(vec![]));
    let with = excess(Some(vec![(today().plus_days(-1_001), 9_999.0), (today().plus_days(-50), 1_000.0)]));
    assert!((with - without - 1_000.0 / 20_000.0).abs() < 1e-9, "{with} {without}");
    assert!((excess(None) - without).abs() < 1e-9, "what cannot be added up is left out");
}

#[test]
fn a_gain_since_opening_is_measured_over_the_time_since_opening() {
    // 100 at 10; after nine years 90 sold at 20; 90 bought back at 20 a tenth of a year before the end of the tenth.
    let (opened, ten, twenty) = (3_650, PRICE / 2.0, PRICE);
    let fills = vec![fill(opened, 100.0, ten), fill(365, -90.0, twenty), fill(36, 90.0, twenty)];
    let traded = said_with(rising(), 100, 237.5, fills, Some(vec![]));
    assert!(days(&traded) < 400, "what is left is young: {}", days(&traded));
    // 1 000 and 1 800 paid, 1 800 brought, 2 000 there: (2 000 + 1 800 − 2 800)/2 800 in ten years, as if one purchase
    // had been held all the time with that gain.
    let cost = PRICE / (1.0 + 1_000.0 / 2_800.0);
    let held = said_with(rising(), 100, cost, vec![fill(opened, 100.0, cost)], Some(vec![]));
    let excess = |score: &SecurityScore| score.windfall.as_ref().unwrap().excess.get();
    assert!((excess(&traded) - excess(&held)).abs() < 1e-9, "{} {}", excess(&traded), excess(&held));
    assert!(excess(&traded) < 0.0, "36 % in ten years of such growth are no windfall: {}", excess(&traded));
}

#[test]
fn profit_is_taken_again_only_after_a_further_gain_or_a_year() {
    for (ago, price, armed) in
        [(30, 240.0, false), (30, 150.0, true), (364, 240.0, false), (365, 240.0, true)]
    {
        let fills = vec![fill(900, 120.0, 100.0), fill(ago, -20.0, price)];
        let windfall = said(100, 100.0, fills, Some(vec![])).windfall.unwrap();
        assert_eq!(windfall.sell.get() > 0.0, armed, "{ago} {price} {windfall:?}");
        assert_eq!(windfall.reason == "taken_before", !armed, "{windfall:?}");
    }
}
