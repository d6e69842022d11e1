//! Each finder: when it proposes, when it does not, on which side of its bounds, and what it needs to know.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use contracts::{
    Finite, Flow, FlowKind, FxRate, FxRates, Id, PortfolioState, Position, Quote, Sample, Security,
    SecurityScore, Side, Source, TargetWeight, TargetWeights, Universe, Venue, Windfall,
};
use market::{Day, Isin, Timestamp};
use money::{Currency, Money, Price, Quantity, Rate, Weight};
use plan::{
    Settings,
    dividends::Dividends,
    facts::{Facts, KnownQuote, KnownVenue},
    lists::Category,
    memory::Memory,
    opportunities::{
        Proposal, Report, averaging_down, dividend_reinvestment, opportunity_buys, profit_taking,
        rebalance_buys, rebalance_sells, weight_gap,
    },
    settings::Rules,
    snapshot::Snapshot,
};

const NOW: Timestamp = Timestamp::from_ms(1_772_461_860_000);
const DAY_MS: i64 = 86_400_000;

/// The security under test.
fn a() -> Isin {
    "DE000SMX0015".parse().unwrap()
}
/// The rest of the fund.
fn b() -> Isin {
    "DE0007164600".parse().unwrap()
}

/// A fund of 40 000 EUR: 5 000 in A, 15 000 in B, 20 000 in cash, of which 2 000 are the reserve. Limits are 49.88 and 50.12.
struct Book {
    security: Security,
    position: Option<Position>,
    quote: Quote,
    total: f64,
    quality: Option<f64>,
    inputs: BTreeMap<String, Finite>,
    flags: Vec<&'static str>,
    windfall: Option<(f64, f64)>,
    targets: [i64; 2],
    cash: (i64, &'static str),
    dividend: i64,
    /// Last day of the prices that the score rests on.
    bars_until: Option<Day>,
    rules: Rules,
}

fn number(number: f64) -> Finite {
    Finite::new(number).unwrap()
}

fn eur(units: i64) -> Money {
    Money::from_units(units, Currency::EUR).unwrap()
}

fn pieces(units: i64) -> Quantity {
    Quantity::from_units(units).unwrap()
}

fn price(cents: i64) -> Price {
    Price::from_e6(cents * 10_000).unwrap()
}

fn position(isin: Isin, held: i64) -> Position {
    let long_ago = Some(NOW.saturating_minus_ms(400 * DAY_MS));
    Position {
        isin,
        qty_e6: pieces(held),
        avg_price_e6: Some(price(50_00)),
        price_e6: Some(price(50_00)),
        value_eur: Some(eur(held * 50)),
        opened: long_ago,
        last_buy: long_ago,
        ..PortfolioState::sample().positions[0].clone()
    }
}

fn quote(isin: Isin, cents: i64) -> Quote {
    Quote { isin, price_e6: price(cents), bid_e6: None, ask_e6: None, at: NOW, ..Quote::sample() }
}

fn book() -> Book {
    let security = Security {
        isin: a(),
        country: Some("DE".into()),
        industry: Some("Banks".into()),
        tick_e6: Some(price(1)),
        lot_e6: pieces(1),
        ..Security::sample()
    };
    Book {
        security,
        position: Some(position(a(), 100)),
        quote: quote(a(), 50_00),
        total: 0.6,
        quality: Some(0.65),
        inputs: BTreeMap::new(),
        flags: Vec::new(),
        windfall: None,
        targets: [125_000, 375_000],
        cash: (20_000, "EUR"),
        dividend: 0,
        bars_until: Some(NOW.day_utc()),
        rules: Settings::default().rules().unwrap(),
    }
}

type Finder = fn(&Snapshot<'_>, f64) -> Report;

/// What a finder says about A: the proposal, or the code of why not.
fn ask(finder: Finder, book: Book) -> Result<Proposal, String> {
    let mut facts = Facts::default();
    let other = Security {
        isin: b(),
        country: Some("US".into()),
        industry: Some("Tech".into()),
        ..book.security.clone()
    };
    let mut score = SecurityScore {
        isin: a(),
        total: Some(number(book.total)),
        inputs: book.inputs,
        bars_until: book.bars_until,
        ..SecurityScore::sample()
    };
    score.quality = book.quality.map(number);
    let is_set = |name: &str| book.flags.contains(&name);
    score.gates.buyable = !is_set("trap");
    (score.gates.turn, score.gates.freefall) = (!is_set("not turned"), is_set("freefall"));
    score.windfall = book.windfall.map(|(windfall, part)| Windfall {
        score: number(windfall),
        excess: number(windfall),
        sell: number(part),
        reason: "medium_windfall".into(),
    });
    facts.scores.insert(a(), score);
    facts.scores.insert(b(), SecurityScore { isin: b(), ..SecurityScore::sample() });
    facts.quotes.insert(a(), KnownQuote { quote: book.quote, id: None });
    facts.quotes.insert(b(), KnownQuote { quote: quote(b(), 50_00), id: None });
    facts.universe = Some(Universe { securities: vec![book.security, other] });
    let weight = |isin, e6| TargetWeight {
        isin,
        weight_e6: Weight::from_e6(e6).unwrap(),
        current_e6: Weight::ZERO,
        lower_e6: Weight::ZERO,
        upper_e6: Weight::ONE,
        expected_return: Some(number(0.08)),
        reason: String::new(),
    };
    let weights = vec![weight(a(), book.targets[0]), weight(b(), book.targets[1])];
    facts.targets = Some(TargetWeights { at: NOW, weights, groups: vec![], ..TargetWeights::sample() });
    let usd = Currency::new("USD").unwrap();
    let rate =
        FxRate { eur_per_unit_e9: Rate::from_e9(900_000_000).unwrap(), as_of: NOW, source: Source::Ecb };
    facts.rates = Some(FxRates { rates: BTreeMap::from([(usd, rate)]), at: NOW });
    let venue = Venue::sample();
    facts.venues.insert(venue.mic, KnownVenue { venue, said: NOW });
    let sample = PortfolioState::sample();
    let amount = Money::parse(&format!("{} {}", book.cash.0, book.cash.1)).unwrap();
    let reserved = Money::zero(amount.currency());
    facts.state = Some(PortfolioState {
        positions: book.position.into_iter().chain([position(b(), 300)]).collect(),
        cash: vec![contracts::Cash { amount, reserved, ..sample.cash[0].clone() }],
        open_orders: vec![],
        nav: Some(eur(40_000)),
        at: NOW,
        ..sample.clone()
    });
    let mut dividends = Dividends::default();
    if book.dividend > 0 {
        dividends.hear(&Flow {
            id: Id::derive(NOW, &["dividend"]),
            kind: FlowKind::Dividend,
            amount: eur(book.dividend),
            amount_eur: Some(eur(book.dividend)),
            isin: Some(a()),
            ..Flow::sample()
        });
    }
    let memory = Memory::default();
    let snapshot =
        Snapshot::take(&facts, (&memory, &dividends), &book.rules, &sample.environment, NOW).unwrap();
    if let Some(left_out) = snapshot.left_out.iter().find(|one| one.isin == a()) {
        return Err(left_out.code.clone());
    }
    let report = finder(&snapshot, 1.0);
    match report.found.into_iter().find(|one| one.isin == a()) {
        Some(found) => Ok(found),
        None => Err(report.not.into_iter().find(|one| one.isin == a()).unwrap().code),
    }
}

/// One change of the book and what is then said: pieces, or a code.
type Case = (&'static str, fn(&mut Book), Result<i64, &'static str>);

fn check(finder: Finder, side: Side, category: Category, cases: &[Case]) {
    for (name, change, expected) in cases {
        let mut book = book();
        change(&mut book);
        let said = ask(finder, book);
        match (&said, expected) {
            (Ok(found), Ok(quantity)) => {
                assert_eq!(
                    (found.side, found.category, found.quantity),
                    (side, category, pieces(*quantity)),
                    "{name}"
                );
                assert!((0.0..=1.0).contains(&found.priority), "{name}: {}", found.priority);
                assert!(found.reason.ends_with('.') && !found.finder.is_empty(), "{name}");
            }
            (Err(code), Err(expected)) => assert_eq!(code, expected, "{name}"),
            _ => panic!("{name}: {said:?}, expected {expected:?}"),
        }
    }
}

/// A few pieces that the owner would rather part with than other things.
fn small(book: &mut Book, held: i64) {
    book.targets[0] = 0;
    book.position = Some(position(a(), held));
    book.security.priority_multiplier = Some(number(0.5));
}

#[test]
fn a_gap_above_a_target_is_sold() {
    check(
        weight_gap::propose,
        Side::Sell,
        Category::RebalanceSells,
        &[
            ("on target", |_| {}, Err("on_target")),
            // 2.5 % of 40 000 at 49.88.
            ("2.5 % over", |book| book.targets[0] = 100_000, Ok(20)),
            ("far over: half at once", |book| book.targets[0] = 50_000, Ok(50)),
            ("target zero", |book| book.targets[0] = 0, Ok(50)),
            (
                "the owner wants it gone",
                |book| (book.targets[0], book.security.marked_for_exit) = (0, true),
                Ok(100),
            ),
            ("worth less than two trades: whole", |book| small(book, 9), Ok(9)),
            ("worth two trades: half is too little", |book| small(book, 10), Err("below_min_trade")),
            ("1 % is no gap", |book| book.targets[0] = 115_000, Err("on_target")),
            ("just over 1 % is not worth it", |book| book.targets[0] = 114_999, Err("low_priority")),
            ("1.5 % is", |book| book.targets[0] = 110_000, Ok(12)),
            ("whole lots", |book| (book.targets[0], book.security.lot_e6) = (100_000, pieces(15)), Ok(15)),
            (
                "no lot fits",
                |book| (book.targets[0], book.security.lot_e6) = (0, pieces(51)),
                Err("max_sell"),
            ),
            (
                "forbidden",
                |book| (book.targets[0], book.security.allow_sell) = (0, false),
                Err("side_not_allowed"),
            ),
            (
                "too recent",
                |book| {
                    book.targets[0] = 0;
                    let position = book.position.as_mut().unwrap();
                    position.last_buy = Some(NOW.saturating_minus_ms(90 * DAY_MS - 1));
                },
                Err("min_hold"),
            ),
            (
                "90 days",
                |book| {
                    book.targets[0] = 0;
                    let position = book.position.as_mut().unwrap();
                    position.last_buy = Some(NOW.saturating_minus_ms(90 * DAY_MS));
                },
                Ok(50),
            ),
            (
                "unknown cost",
                |book| {
                    book.targets[0] = 0;
                    book.position.as_mut().unwrap().avg_price_e6 = None;
                },
                Err("cost_basis_unknown"),
            ),
            (
                "large loss",
                |book| {
                    book.targets[0] = 0;
                    book.position.as_mut().unwrap().avg_price_e6 = Some(price(63_00));
                },
                Err("max_loss"),
            ),
            (
                "unknown history",
                |book| {
                    book.targets[0] = 0;
                    let position = book.position.as_mut().unwrap();
                    (position.opened, position.last_buy) = (None, None);
                },
                Err("min_hold"),
            ),
        ],
    );
}

#[test]
fn a_gap_below_a_target_is_bought() {
    check(
        weight_gap::propose,
        Side::Buy,
        Category::RebalanceBuys,
        &[
            // 2 % of 40 000 at 50.12.
            ("2 % under", |book| book.targets[0] = 145_000, Ok(15)),
            // 15 % of 40 000 are 6 000, and 5 000 are held.
            ("at most 15 % in one security", |book| book.targets[0] = 300_000, Ok(19)),
            (
                "no room",
                |book| {
                    book.targets[0] = 300_000;
                    book.security.max_weight_e6 = Some(Weight::from_e6(125_000).unwrap());
                },
                Err("concentration"),
            ),
            (
                "forbidden",
                |book| (book.targets[0], book.security.allow_buy) = (145_000, false),
                Err("side_not_allowed"),
            ),
            ("low score", |book| (book.targets[0], book.total) = (145_000, 0.499), Err("score_low")),
            ("just enough", |book| (book.targets[0], book.total) = (145_000, 0.5), Ok(15)),
            (
                "bought lately",
                |book| {
                    book.targets[0] = 145_000;
                    book.position.as_mut().unwrap().last_buy = Some(NOW.saturating_minus_ms(30 * DAY_MS - 1));
                },
                Err("buy_cooldown"),
            ),
            (
                "sold lately",
                |book| {
                    book.targets[0] = 145_000;
                    book.position.as_mut().unwrap().last_sell =
                        Some(NOW.saturating_minus_ms(30 * DAY_MS - 1));
                },
                Err("recently_sold"),
            ),
            (
                "near its high",
                |book| {
                    book.targets[0] = 145_000;
                    book.inputs.insert("high_52w".into(), number(52.0));
                },
                Err("price_near_high"),
            ),
            (
                "a fund may be near its high",
                |book| {
                    book.targets[0] = 145_000;
                    book.security.product_type = "etf".into();
                    book.inputs.insert("high_52w".into(), number(52.0));
                },
                Ok(15),
            ),
            // 2 600 less the reserve of 2 000 pay for 11 pieces and their costs.
            (
                "what the cash pays for",
                |book| (book.targets[0], book.cash) = (145_000, (2_600, "EUR")),
                Ok(11),
            ),
            // 100 EUR are no trade, and nothing is sold.
            (
                "without cash or sales",
                |book| (book.targets[0], book.cash) = (145_000, (2_100, "EUR")),
                Err("insufficient_cash"),
            ),
            (
                "dollars are not paid with euros",
                |book| {
                    book.targets[0] = 145_000;
                    let usd = Currency::new("USD").unwrap();
                    (book.security.ccy, book.quote.ccy) = (usd, usd);
                },
                Err("needs_fx"),
            ),
            (
                "dollars are paid with dollars",
                |book| {
                    book.targets[0] = 145_000;
                    book.cash = (20_000, "USD");
                    let usd = Currency::new("USD").unwrap();
                    (book.security.ccy, book.quote.ccy) = (usd, usd);
                },
                // 800 EUR at 50.12 USD of 0.90 EUR.
                Ok(17),
            ),
            (
                "an unknown rate",
                |book| {
                    let chf = Currency::new("CHF").unwrap();
                    (book.security.ccy, book.quote.ccy) = (chf, chf);
                },
                Err("no_rate"),
            ),
        ],
    );
}

#[test]
fn a_country_or_an_industry_takes_no_more_than_its_limit() {
    // B is 37.5 % of the fund: of the same country there is no room, of the same industry neither.
    for change in [(|book: &mut Book| book.security.country = Some("US".into())) as fn(&mut Book), |book| {
        book.security.industry = Some("Tech".into())
    }] {
        let mut book = book();
        book.targets[0] = 145_000;
        change(&mut book);
        assert_eq!(ask(weight_gap::propose, book).map(|found| found.quantity), Err("concentration".into()));
    }
}

#[test]
fn a_holding_below_its_cost_is_averaged_down_by_its_gap() {
    let mut book = book();
    book.targets[0] = 145_000;
    book.position.as_mut().unwrap().avg_price_e6 = Some(price(51_00));
    assert_eq!(ask(weight_gap::propose, book).unwrap().category, Category::AveragingDown);
}

#[test]
fn reasons_say_the_figures_that_they_rest_on() {
    let mut gap = book();
    gap.targets[0] = 100_000;
    let reason = ask(weight_gap::propose, gap).unwrap().reason;
    assert_eq!(reason, "12.5 % of the fund, 2.5 % over its target of 10.0 %.");
    let mut windfall = book();
    windfall.windfall = Some((0.5, 0.2));
    windfall.position.as_mut().unwrap().avg_price_e6 = Some(price(40_00));
    let reason = ask(profit_taking::propose, windfall).unwrap().reason;
    assert_eq!(
        reason,
        "It gained 25.0 %, 50.0 % more than its past explains (medium windfall); 20 % are taken."
    );
}

#[test]
fn a_windfall_is_taken_in_part() {
    check(
        profit_taking::propose,
        Side::Sell,
        Category::ProfitTaking,
        &[
            ("nothing known", |_| {}, Err("no_windfall")),
            ("explained", |book| book.windfall = Some((0.3, 0.0)), Err("no_windfall")),
            ("20 %", |book| book.windfall = Some((0.5, 0.2)), Ok(20)),
            ("50 %", |book| book.windfall = Some((1.0, 0.5)), Ok(50)),
            ("too small", |book| book.windfall = Some((0.5, 0.05)), Err("below_min_trade")),
            ("not held", |book| (book.windfall, book.position) = (Some((1.0, 0.5)), None), Err("not_held")),
            (
                "forbidden",
                |book| (book.windfall, book.security.allow_sell) = (Some((1.0, 0.5)), false),
                Err("side_not_allowed"),
            ),
        ],
    );
}

#[test]
fn a_group_over_its_target_is_reduced() {
    check(
        rebalance_sells::propose,
        Side::Sell,
        Category::RebalanceSells,
        &[
            // 25 % of 20 000 invested is in Germany, 25 % of the targets too.
            ("on target", |_| {}, Err("group_on_target")),
            // Targets of 10 and 40 %: Germany should be 20 %, 5 % over: 1 000 EUR, at most 30 % of 5 000.
            ("5 % over", |book| book.targets = [100_000, 400_000], Ok(20)),
            ("30 % at once", |book| book.targets = [0, 500_000], Ok(30)),
            ("2 % is not over", |book| book.targets = [115_000, 385_000], Err("group_on_target")),
            ("not held", |book| (book.targets, book.position) = ([0, 500_000], None), Err("not_held")),
            ("no targets at all", |book| book.targets = [0, 0], Err("group_on_target")),
        ],
    );
}

#[test]
fn a_group_under_its_target_is_filled() {
    check(
        rebalance_buys::propose,
        Side::Buy,
        Category::RebalanceBuys,
        &[
            ("on target", |_| {}, Err("group_on_target")),
            // Germany should be 40 %: 15 % under. The base size is 1 % of 40 000.
            ("15 % under", |book| book.targets = [200_000, 300_000], Ok(7)),
            ("2 % is not under", |book| book.targets = [135_000, 365_000], Err("group_on_target")),
            (
                "nothing known of it",
                |book| {
                    (book.targets, book.total) = ([200_000, 300_000], 0.1);
                },
                Err("score_low"),
            ),
        ],
    );
}

/// So good that it is bought, by a score whose prices end so many days from now.
fn scored(book: &mut Book, days: Option<i32>) {
    book.quality = Some(0.9);
    book.bars_until = days.map(|days| NOW.day_utc().plus_days(days));
}

#[test]
fn high_quality_is_bought() {
    check(
        opportunity_buys::propose,
        Side::Buy,
        Category::OpportunityBuys,
        &[
            ("not good enough", |book| book.quality = Some(0.699), Err("quality_low")),
            ("good enough", |book| book.quality = Some(0.7), Ok(7)),
            ("new", |book| (book.quality, book.position) = (Some(0.9), None), Ok(7)),
            // One lot of 12 costs 601.44 EUR, half as much again as 400 is 600.
            (
                "a dear lot",
                |book| (book.quality, book.security.lot_e6) = (Some(0.9), pieces(12)),
                Err("lot_too_dear"),
            ),
            (
                "a lot just right",
                |book| (book.quality, book.security.lot_e6) = (Some(0.9), pieces(11)),
                Ok(11),
            ),
            (
                "too little cash",
                |book| (book.quality, book.cash) = (Some(0.9), (2_300, "EUR")),
                Err("insufficient_cash"),
            ),
            (
                "a trap",
                |book| {
                    book.quality = Some(0.9);
                    book.flags.push("trap");
                },
                Err("quality_gate"),
            ),
            ("a low score", |book| (book.quality, book.total) = (Some(0.9), 0.4), Err("score_low")),
            // NOW is a Monday: Thursday and Friday are missing, then Wednesday too.
            ("a score of last Wednesday", |book| scored(book, Some(-5)), Ok(7)),
            ("a score of last Tuesday", |book| scored(book, Some(-6)), Err("score_stale")),
            ("a score of last month", |book| scored(book, Some(-30)), Err("score_stale")),
            ("a score of an unknown day", |book| scored(book, None), Err("score_stale")),
        ],
    );
}

#[test]
fn a_dip_that_is_over_is_averaged_down() {
    fn dip(book: &mut Book, cents: i64) {
        book.position.as_mut().unwrap().avg_price_e6 = Some(price(cents));
    }
    fn held(book: &mut Book, held: i64, lot: i64) {
        book.position = Some(position(a(), held));
        book.security.lot_e6 = pieces(lot);
        dip(book, 55_56);
    }
    check(
        averaging_down::propose,
        Side::Buy,
        Category::AveragingDown,
        &[
            ("no dip", |_| {}, Err("no_dip")),
            // 50 / 55.56 − 1 = −10 %: a tenth of 5 000 EUR is 500.
            ("10 %", |book| dip(book, 55_56), Ok(9)),
            ("5 % is a dip", |book| dip(book, 5_264), Ok(9)),
            ("4.9 % is none", |book| dip(book, 52_58), Err("no_dip")),
            ("20 % is a dip", |book| dip(book, 62_50), Ok(9)),
            ("more is a fall", |book| dip(book, 62_51), Err("no_dip")),
            // A tenth of 60 pieces is 6 for 300.72 EUR.
            ("a tenth of the pieces", |book| held(book, 60, 1), Ok(6)),
            ("whole lots", |book| held(book, 100, 5), Ok(5)),
            // One lot of 10 would be 501.20 EUR, one of 7 more than a tenth of 60.
            ("a lot above 500 EUR", |book| held(book, 300, 10), Err("lot_too_dear")),
            ("a lot above a tenth", |book| held(book, 60, 7), Err("lot_too_dear")),
            (
                "not good",
                |book| {
                    dip(book, 55_56);
                    book.quality = Some(0.59);
                },
                Err("quality_low"),
            ),
            (
                "still falling",
                |book| {
                    dip(book, 5_556);
                    book.flags.push("freefall");
                },
                Err("still_falling"),
            ),
            (
                "not turned",
                |book| {
                    dip(book, 5_556);
                    book.flags.push("not turned");
                },
                Err("still_falling"),
            ),
            (
                "unknown cost",
                |book| book.position.as_mut().unwrap().avg_price_e6 = None,
                Err("cost_basis_unknown"),
            ),
            ("not held", |book| book.position = None, Err("not_held")),
        ],
    );
}

#[test]
fn dividends_are_spent_on_what_paid_them() {
    fn paid(book: &mut Book, eur: i64, part: f64) {
        book.dividend = eur;
        book.inputs.insert("dividend_yield".into(), number(part));
    }
    check(
        dividend_reinvestment::propose,
        Side::Buy,
        Category::RebalanceBuys,
        &[
            ("none", |_| {}, Err("no_dividends")),
            ("too little", |book| paid(book, 249, 0.05), Err("no_dividends")),
            // (320 − 2) / 1.002 at 50.12.
            ("enough", |book| paid(book, 320, 0.05), Ok(6)),
            ("3 % is enough", |book| paid(book, 320, 0.03), Ok(6)),
            ("2.9 % is not", |book| paid(book, 320, 0.029), Err("yield_low")),
            ("unknown yield", |book| book.dividend = 320, Err("yield_low")),
            // 250 EUR pay for 4 pieces, which is below the smallest trade.
            ("never one lot anyway", |book| paid(book, 250, 0.05), Err("below_min_trade")),
            (
                "no cash",
                |book| {
                    paid(book, 320, 0.05);
                    book.cash = (2_100, "EUR");
                },
                Err("insufficient_cash"),
            ),
        ],
    );
}
