//! Whatever the fund holds and whatever is said about it, what is proposed keeps its promises.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use contracts::{
    Cash, Finite, Flow, FlowKind, FxRate, FxRates, Id, PortfolioState, Position, Quote, Sample, Security,
    SecurityScore, Side, Source, TargetGroup, TargetWeight, TargetWeights, Universe, Venue,
};
use market::{Isin, Timestamp};
use money::{Currency, Money, Price, Quantity, Rate, Weight};
use plan::{
    Settings,
    dividends::Dividends,
    facts::{Facts, KnownQuote, KnownVenue},
    memory::Memory,
    parameters::Combinations,
    patterns::Pattern,
    pool::{Pool, gather},
    settings::Rules,
    snapshot::Snapshot,
};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_ms(1_772_461_860_000);
const DAY_MS: i64 = 86_400_000;
const CURRENCIES: [&str; 3] = ["EUR", "USD", "GBP"];
const COUNTRIES: [Option<&str>; 4] = [Some("DE"), Some("FR"), Some("US"), None];
const INDUSTRIES: [Option<&str>; 4] = [Some("Tech"), Some("Tech, Health"), Some("Banks"), None];

/// One security as it is drawn.
#[derive(Debug, Clone)]
struct Drawn {
    price_cents: i64,
    lot: i64,
    held: i64,
    paid_cents: Option<i64>,
    ccy: usize,
    country: usize,
    industry: usize,
    target_e6: i64,
    quality: f64,
    days: i64,
    flags: u8,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let money = (1_i64..50_000, 1_i64..60, 0_i64..400, prop::option::of(1_i64..50_000));
    let place = (0..3_usize, 0..4_usize, 0..4_usize);
    (money, place, 0_i64..150_000, 0.0_f64..1.0, 0_i64..400, any::<u8>()).prop_map(
        |(
            (price_cents, lot, held, paid_cents),
            (ccy, country, industry),
            target_e6,
            quality,
            days,
            flags,
        )| Drawn {
            price_cents,
            lot,
            held,
            paid_cents,
            ccy,
            country,
            industry,
            target_e6,
            quality,
            days,
            flags,
        },
    )
}

fn isin(n: usize) -> Isin {
    // The check digit makes most numbers none; the first that is one counts.
    (0..10).find_map(|check| format!("DE{n:09}{check}").parse().ok()).unwrap()
}

fn eur_e4(e4: i64) -> Money {
    Money::from_e4(e4, Currency::EUR)
}

fn currency(n: usize) -> Currency {
    Currency::new(CURRENCIES[n]).unwrap()
}

fn rate(n: usize) -> Rate {
    Rate::from_e9([1_000_000_000, 900_000_000, 1_150_000_000][n]).unwrap()
}

fn number(number: f64) -> Finite {
    Finite::new(number).unwrap()
}

/// What is drawn of the configuration and of what else decides which finders and generators speak.
#[derive(Debug, Clone, Copy)]
struct Wishes {
    subsets: bool,
    combinations: bool,
    adaptive: bool,
    groups: bool,
    dividends: i64,
}

fn wishes() -> impl Strategy<Value = Wishes> {
    (any::<[bool; 4]>(), 0_i64..900).prop_map(|([subsets, combinations, adaptive, groups], dividends)| {
        Wishes { subsets, combinations, adaptive, groups, dividends }
    })
}

struct Fund {
    facts: Facts,
    rules: Rules,
    dividends: Dividends,
}

/// Everything known of a fund, in the order given.
fn fund(drawn: &[Drawn], cash: &[(usize, i64, i64)], order: &[usize], wishes: Wishes) -> Fund {
    let mut facts = Facts::default();
    let (mut securities, mut positions, mut weights, mut value) = (Vec::new(), Vec::new(), Vec::new(), 0_i64);
    for at in order {
        let (one, isin) = (&drawn[*at], isin(*at));
        let price = Price::from_e6(one.price_cents * 10_000).unwrap();
        let ccy = currency(one.ccy);
        securities.push(Security {
            isin,
            ccy,
            country: COUNTRIES[one.country].map(str::to_string),
            industry: INDUSTRIES[one.industry].map(str::to_string),
            lot_e6: Quantity::from_units(one.lot).unwrap(),
            tick_e6: Some(Price::from_e6(10_000).unwrap()),
            allow_buy: one.flags & 1 == 0,
            allow_sell: one.flags & 2 == 0,
            ..Security::sample()
        });
        let worth = money::value(price, Quantity::from_units(one.held).unwrap(), ccy, money::Rounding::Down)
            .and_then(|value| money::to_eur(value, rate(one.ccy), money::Rounding::Down))
            .unwrap();
        value += worth.e4();
        if one.held > 0 {
            let then = Some(NOW.saturating_minus_ms(one.days * DAY_MS));
            positions.push(Position {
                isin,
                qty_e6: Quantity::from_units(one.held).unwrap(),
                avg_price_e6: one.paid_cents.map(|cents| Price::from_e6(cents * 10_000).unwrap()),
                ccy,
                price_e6: Some(price),
                value_eur: Some(worth),
                opened: then,
                last_buy: then,
                ..PortfolioState::sample().positions[0].clone()
            });
        }
        weights.push(TargetWeight {
            isin,
            weight_e6: Weight::from_e6(one.target_e6).unwrap(),
            current_e6: Weight::ZERO,
            lower_e6: Weight::ZERO,
            upper_e6: Weight::ONE,
            expected_return: Finite::new(0.08),
            reason: String::new(),
        });
        let quote =
            Quote { isin, price_e6: price, bid_e6: None, ask_e6: None, ccy, at: NOW, ..Quote::sample() };
        facts.quotes.insert(isin, KnownQuote { quote, id: None });
        let score = SecurityScore {
            isin,
            total: Some(number(one.quality)),
            quality: Some(number(one.quality)),
            inputs: BTreeMap::from([("dividend_yield".to_string(), number(one.quality / 10.0))]),
            ..SecurityScore::sample()
        };
        facts.scores.insert(isin, score);
    }
    let purses: Vec<Cash> = cash
        .iter()
        .map(|(ccy, cents, promised)| Cash {
            bucket_id: "core".into(),
            amount: Money::from_e4(cents * 100, currency(*ccy)),
            reserved: Money::from_e4(promised * 100, currency(*ccy)),
            ..PortfolioState::sample().cash[0].clone()
        })
        .collect();
    let all_cash: i64 =
        cash.iter().map(|(ccy, cents, _)| cents * 100 * rate(*ccy).e9() / 1_000_000_000).sum();
    facts.state = Some(PortfolioState {
        positions,
        cash: purses,
        open_orders: vec![],
        nav: Some(eur_e4(value + all_cash.max(0) + 1)),
        stale: false,
        at: NOW,
        ..PortfolioState::sample()
    });
    facts.universe = Some(Universe { securities });
    let groups = if wishes.groups { groups(drawn) } else { vec![] };
    facts.targets = Some(TargetWeights { at: NOW, weights, groups, ..TargetWeights::sample() });
    let fx = |n| FxRate { eur_per_unit_e9: rate(n), as_of: NOW, source: Source::Ecb };
    facts.rates =
        Some(FxRates { rates: BTreeMap::from([(currency(1), fx(1)), (currency(2), fx(2))]), at: NOW });
    let venue = Venue::sample();
    facts.venues.insert(venue.mic, KnownVenue { venue, said: NOW });
    let mut rules = Settings::default().rules().unwrap();
    rules.parameters.subsets = wishes.subsets;
    if wishes.adaptive {
        rules.parameters.patterns.insert(Pattern::Adaptive, 5);
    }
    rules.parameters.combinations = wishes.combinations.then_some(Combinations {
        sells: 4,
        buys: 4,
        steps: 5,
        sequences: 50,
        candidates: 12,
        priority: 0.3,
    });
    Fund { facts, rules, dividends: dividends(drawn.len(), wishes) }
}

/// A group of every country, each with a wish of its own.
fn groups(drawn: &[Drawn]) -> Vec<TargetGroup> {
    let named = (0..COUNTRIES.len()).filter_map(|at| Some((at, COUNTRIES[at]?)));
    let group = |(at, name): (usize, &str)| TargetGroup {
        kind: "country".into(),
        name: name.into(),
        members: (0..drawn.len())
            .filter(|one| drawn[*one].country == at)
            .map(|one| (isin(one), number(1.0)))
            .collect(),
        target_e6: Some(Weight::from_e6(200_000 + 100_000 * i64::try_from(at).unwrap()).unwrap()),
        lower_e6: Weight::ZERO,
        upper_e6: Weight::ONE,
        value_e6: Weight::ZERO,
        binding: None,
    };
    named.map(group).collect()
}

/// Every other security paid a dividend.
fn dividends(count: usize, wishes: Wishes) -> Dividends {
    let mut dividends = Dividends::default();
    for at in (0..count).step_by(2).filter(|_| wishes.dividends > 0) {
        let amount = Money::from_units(wishes.dividends, Currency::EUR).unwrap();
        dividends.hear(&Flow {
            id: Id::derive(NOW, &["dividend", &at.to_string()]),
            kind: FlowKind::Dividend,
            amount,
            amount_eur: Some(amount),
            isin: Some(isin(at)),
            ..Flow::sample()
        });
    }
    dividends
}

impl Fund {
    fn snapshot<T>(&self, look: impl FnOnce(&Snapshot<'_>) -> T) -> T {
        let environment = self.facts.state.as_ref().unwrap().environment.clone();
        let known = (&Memory::default(), &self.dividends);
        look(&Snapshot::take(&self.facts, known, &self.rules, &environment, NOW).unwrap())
    }

    fn pool(&self) -> Pool {
        self.snapshot(gather)
    }
}

fn cash() -> impl Strategy<Value = Vec<(usize, i64, i64)>> {
    (-500_000_i64..5_000_000, -100_000_i64..2_000_000, 0_i64..200_000)
        .prop_map(|(eur, usd, promised)| vec![(0, eur, promised), (1, usd, 0)])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_proposal_keeps_lots_flags_holdings_and_cash(
        drawn in prop::collection::vec(drawn(), 1..30), cash in cash(), wishes in wishes(),
    ) {
        let order: Vec<usize> = (0..drawn.len()).collect();
        let fund = fund(&drawn, &cash, &order, wishes);
        let pool = fund.pool();
        fund.snapshot(|snapshot| {
            // No sale brings in more than what is held of its currency.
            let sales: BTreeMap<Currency, i64> = snapshot.usable.iter().fold(BTreeMap::new(), |mut sums, one| {
                *sums.entry(one.security.ccy).or_default() += one.value.e4();
                sums
            });
            for one in &pool.candidates {
                let at = (0..drawn.len()).find(|at| isin(*at) == one.isin).unwrap();
                let (drawn, lot) = (&drawn[at], Quantity::from_units(drawn[at].lot).unwrap());
                prop_assert!(one.qty_e6 >= lot && one.qty_e6.is_multiple_of(lot).unwrap(), "{one:?}");
                prop_assert!(one.value_eur.e4() >= snapshot.rules.min_trade.e4(), "{one:?}");
                if one.side == Side::Sell {
                    prop_assert!(drawn.flags & 2 == 0 && drawn.days >= 90, "{one:?}");
                    // Never more than half at once, unless all of it is little.
                    let held = snapshot.usable.iter().find(|usable| usable.security.isin == one.isin).unwrap().value;
                    let half = one.qty_e6.e6() * 2 <= drawn.held * 1_000_000;
                    prop_assert!(half || held.e4() < 5_000_000, "{one:?}");
                } else {
                    prop_assert!(drawn.flags & 1 == 0, "{one:?}");
                    let most = snapshot.spendable(one.ccy).e4() + sales.get(&one.ccy).copied().unwrap_or(0);
                    prop_assert!(one.value_eur.e4() + one.cost_eur.e4() <= most, "{one:?} of {most}");
                    let held = snapshot.usable.iter().find(|usable| usable.security.isin == one.isin).unwrap().value;
                    let limit = snapshot.total.share(snapshot.rules.max_position, money::Rounding::Down).unwrap();
                    prop_assert!(held.e4() + one.value_eur.e4() <= limit.e4(), "{one:?}");
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn the_reserve_is_never_planned_with(
        drawn in prop::collection::vec(drawn(), 1..10), cash in cash(), wishes in wishes(),
    ) {
        let order: Vec<usize> = (0..drawn.len()).collect();
        fund(&drawn, &cash, &order, wishes).snapshot(|snapshot| {
            let free: i64 = cash
                .iter()
                .map(|(ccy, cents, promised)| ((cents - promised) * 100 * rate(*ccy).e9()).div_euclid(1_000_000_000))
                .sum();
            let reserve = (snapshot.total.e4() / 20).max(5_000_000);
            prop_assert!(snapshot.cash.e4() <= (free - reserve).max(0), "{} of {free}", snapshot.cash);
            Ok(())
        })?;
    }

    #[test]
    fn the_order_of_what_is_said_changes_nothing(
        drawn in prop::collection::vec(drawn(), 1..30), cash in cash(), wishes in wishes(), turn in any::<u64>(),
    ) {
        let order: Vec<usize> = (0..drawn.len()).collect();
        let mut other = order.clone();
        other.sort_by_key(|at| (*at as u64).wrapping_mul(turn | 1).rotate_left(11));
        let mut cash_too = cash.clone();
        cash_too.reverse();
        let one = fund(&drawn, &cash, &order, wishes).pool();
        prop_assert_eq!(&one, &fund(&drawn, &cash, &order, wishes).pool());
        prop_assert_eq!(&one, &fund(&drawn, &cash_too, &other, wishes).pool());
    }

    #[test]
    fn sequences_name_candidates_in_order_and_no_security_twice(
        drawn in prop::collection::vec(drawn(), 1..40), cash in cash(), wishes in wishes(),
    ) {
        let order: Vec<usize> = (0..drawn.len()).collect();
        let pool = fund(&drawn, &cash, &order, wishes).pool();
        prop_assert!(pool.pool.windows(2).all(|pair| pair[0] < pair[1]));
        let sides: Vec<Side> = pool.candidates.iter().map(|one| one.side).collect();
        prop_assert!(sides.windows(2).all(|pair| pair[0] >= pair[1]), "sales come first");
        for sequence in &pool.further {
            let mut isins: Vec<Isin> = sequence.iter().map(|at| pool.candidates[usize::from(*at)].isin).collect();
            isins.sort();
            let count = isins.len();
            isins.dedup();
            prop_assert_eq!(isins.len(), count);
            let is_new = !wishes.subsets || sequence.iter().any(|at| !pool.pool.contains(at));
            prop_assert!(is_new, "the pool's subsets hold it already");
        }
    }

    #[test]
    fn without_subsets_a_purchase_is_looked_at_whole_and_cut_to_the_cash(
        drawn in prop::collection::vec(drawn(), 2..30), cash in cash(), wishes in wishes(),
    ) {
        let order: Vec<usize> = (0..drawn.len()).collect();
        let pool = fund(&drawn, &cash, &order, Wishes { subsets: false, ..wishes }).pool();
        let is_tried = |at: usize| pool.further.iter().flatten().any(|other| usize::from(*other) == at);
        for (at, one) in pool.candidates.iter().enumerate() {
            let same = |other: &&contracts::Candidate| (other.isin, other.side) == (one.isin, one.side);
            let whole = pool.candidates.iter().filter(same).any(|other| other.qty_e6 > one.qty_e6);
            if whole {
                let larger = pool.candidates.iter().position(|other| same(&other) && other.qty_e6 > one.qty_e6);
                prop_assert!(is_tried(at) || !larger.is_some_and(is_tried), "{one:?}");
            }
        }
    }
}

/// The two sizes of a purchase are found in some of the funds that are drawn, or nothing above says anything of them.
#[test]
fn some_funds_have_a_purchase_that_is_cut_to_the_cash() {
    let one = |held, target_e6, quality| Drawn {
        price_cents: 5_000,
        lot: 1,
        held,
        paid_cents: Some(4_500),
        ccy: 0,
        country: 0,
        industry: 3,
        target_e6,
        quality,
        days: 300,
        flags: 0,
    };
    let drawn = [one(200, 10_000, 0.6), Drawn { country: 1, ..one(0, 100_000, 0.6) }, one(150, 70_000, 0.6)];
    let wishes = Wishes { subsets: false, combinations: false, adaptive: false, groups: false, dividends: 0 };
    let pool = fund(&drawn, &[(0, 150_000, 0)], &[0, 1, 2], wishes).pool();
    let bought: Vec<usize> = (0..pool.candidates.len())
        .filter(|at| pool.candidates[*at].isin == isin(1) && pool.candidates[*at].side == Side::Buy)
        .collect();
    assert_eq!(bought.len(), 2, "{:?}", pool.candidates);
    for at in bought {
        assert!(pool.further.iter().flatten().any(|other| usize::from(*other) == at), "{:?}", pool.further);
    }
}
