//! Funds of every shape: the same seed is the same fund.

use contracts::{
    Cash, ConfigCreate, EndComponents, Finite, Flow, FlowKind, FxRate, FxRates, Id, PortfolioState, Position,
    Quote, Regime, RiskHalt, Sample, Security, SecurityScore, Source, TargetGroup, TargetWeight,
    TargetWeights, Universe, Venue, Windfall,
};
use market::{Isin, Timestamp};
use money::{Currency, Money, Price, Quantity, Rate, Weight};

use crate::rig::Rig;

pub const DAY: i64 = 86_400_000;
/// The least cash that is never planned with, in EUR.
pub const RESERVE: i64 = 500;
/// Small enough that everything can be tried a second time, slowly.
const SETTINGS: &str = "max_pool = 9\nmax_depth = 3\n";

pub struct Seeded(pub u64);

impl Seeded {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: i64) -> i64 {
        i64::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    fn one_in(&mut self, count: i64) -> bool {
        self.below(count) == 0
    }

    fn unit(&mut self) -> Finite {
        number(f64::from(u32::try_from(self.below(1_001)).unwrap()) / 1_000.0)
    }

    /// Puts a list into another order.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for end in (1..list.len()).rev() {
            let other = usize::try_from(self.below(i64::try_from(end + 1).unwrap())).unwrap();
            list.swap(end, other);
        }
    }
}

/// Everything that the planner hears.
#[derive(Clone)]
pub struct Fund {
    pub universe: Universe,
    pub quotes: Vec<Quote>,
    /// Of pairs of currencies.
    pub pairs: Vec<Quote>,
    pub regime: Option<Regime>,
    pub scores: Vec<SecurityScore>,
    pub targets: TargetWeights,
    pub state: PortfolioState,
    /// Dividends.
    pub flows: Vec<Flow>,
    /// What the owner wants of the planner; empty for the default.
    pub configuration: Configuration,
}

/// The parts of a planner configuration that are drawn.
#[derive(Clone, Copy, Default)]
pub struct Configuration {
    pub profile: Option<&'static str>,
    pub no_subsets: bool,
    pub combinations: bool,
    pub adaptive: bool,
}

impl Configuration {
    fn of(seeded: &mut Seeded) -> Configuration {
        let profiles = [None, Some("conservative"), Some("balanced"), Some("aggressive")];
        Configuration {
            profile: profiles[usize::try_from(seeded.below(4)).unwrap()],
            no_subsets: seeded.one_in(3),
            combinations: seeded.one_in(2),
            adaptive: seeded.one_in(2),
        }
    }

    fn toml(self) -> String {
        let mut text = String::new();
        if let Some(profile) = self.profile {
            text.push_str(&format!("[planner]\nrisk_profile = \"{profile}\"\n"));
        }
        for (wanted, section, enabled) in [
            (self.no_subsets, "sequence_generators.subsets", false),
            (self.combinations, "sequence_generators.enhanced_combinatorial", true),
            (self.adaptive, "pattern_generators.adaptive", true),
        ] {
            if wanted {
                text.push_str(&format!("[{section}]\nenabled = {enabled}\n"));
            }
        }
        text
    }
}

pub fn now() -> Timestamp {
    "2026-03-02T14:31:00.000Z".parse().unwrap()
}

pub fn number(number: f64) -> Finite {
    Finite::new(number).unwrap()
}

pub fn isin(n: i64) -> Isin {
    Isin::with_check_digit(&format!("XB{n:09}")).unwrap()
}

/// EUR per USD and per GBP, in 1/1 000 000 000.
const USD_E9: i64 = 900_000_000;
const GBP_E9: i64 = 1_150_000_000;

fn per_unit(ccy: Currency) -> Rate {
    match ccy.as_str() {
        "USD" => Rate::from_e9(USD_E9).unwrap(),
        "GBP" => Rate::from_e9(GBP_E9).unwrap(),
        _ => Rate::ONE,
    }
}

impl Fund {
    pub fn of(seed: u64) -> Fund {
        let mut seeded = Seeded(seed);
        let count = 3 + seeded.below(8);
        let securities: Vec<Security> = (0..count).map(|n| security(n, &mut seeded)).collect();
        let quotes: Vec<Quote> = securities.iter().map(|one| quote(one, &mut seeded)).collect();
        let scores = (0..count).map(|n| score(n, &mut seeded)).collect();
        let mut positions = Vec::new();
        for (one, quote) in securities.iter().zip(&quotes) {
            if seeded.one_in(3) {
                continue;
            }
            positions.push(position(one, quote, &mut seeded));
        }
        let cash = vec![
            cash(Money::from_units(seeded.below(30_000), Currency::EUR).unwrap()),
            cash(Money::from_units(seeded.below(8_000), Currency::USD).unwrap()),
            cash(Money::from_units(seeded.below(1_000), Currency::GBP).unwrap()),
        ];
        let in_eur = |money: Money| {
            money::to_eur(money, per_unit(money.currency()), money::Rounding::Down).unwrap().e4()
        };
        let held: i64 =
            positions.iter().filter_map(|one: &Position| one.value_eur).map(|value| value.e4()).sum();
        let nav = held + cash.iter().map(|one| in_eur(one.amount)).sum::<i64>() + 10_000;
        // Three in four funds can have dollars for EUR, as many pounds.
        let pairs = [Currency::USD, Currency::GBP].into_iter().filter(|_| !seeded.one_in(4));
        let pairs = pairs.map(pair_quote).collect();
        let weights = securities.iter().filter_map(|one| target(one.isin, count, &mut seeded)).collect();
        let groups = if seeded.one_in(2) { groups(&securities, &mut seeded) } else { vec![] };
        let flows = if seeded.one_in(2) { flows(&securities, &mut seeded) } else { vec![] };
        let configuration = Configuration::of(&mut seeded);
        Fund {
            universe: Universe { securities },
            quotes,
            pairs,
            regime: None,
            scores,
            targets: TargetWeights { at: now(), weights, groups, ..TargetWeights::sample() },
            state: PortfolioState {
                state_id: format!("state-{seed}"),
                at: now(),
                positions,
                cash,
                open_orders: vec![],
                nav: Some(Money::from_e4(nav, Currency::EUR)),
                ..PortfolioState::sample()
            },
            flows,
            configuration,
        }
    }

    /// The planner after it has heard everything and planned.
    pub fn planned(&self) -> Rig {
        self.planned_with(SETTINGS)
    }

    fn planned_with(&self, settings: &str) -> Rig {
        let rate = |ccy| (ccy, FxRate { eur_per_unit_e9: per_unit(ccy), as_of: now(), source: Source::Ecb });
        let rates = [Currency::USD, Currency::GBP].map(rate).into();
        self.planned_at(settings, FxRates { rates, at: now() })
    }

    /// The same with settings and rates of its own.
    pub fn planned_at(&self, settings: &str, rates: FxRates) -> Rig {
        let mut rig = Rig::new(settings, now());
        rig.say(self.universe.clone());
        self.quotes.iter().chain(&self.pairs).for_each(|quote| rig.say(quote.clone()));
        self.scores.iter().for_each(|score| rig.say(score.clone()));
        rig.say(Venue { since_open_min: Some(90), until_close_min: Some(180), ..Venue::sample() });
        rig.say(self.targets.clone());
        rig.say(RiskHalt { halted: false, halts: vec![], at: now() });
        rig.say(rates);
        self.regime.iter().for_each(|regime| rig.say(regime.clone()));
        self.flows.iter().for_each(|flow| rig.say(flow.clone()));
        rig.say(self.state.clone());
        let toml = self.configuration.toml();
        if !toml.is_empty() {
            let bucket_id = Some("core".to_string());
            rig.say(ConfigCreate { name: "drawn".into(), toml, bucket_id, ..ConfigCreate::sample() });
        }
        rig.settle();
        rig
    }

    pub fn security(&self, isin: Isin) -> &Security {
        self.universe.find(&isin).unwrap()
    }

    pub fn held(&self, isin: Isin) -> Quantity {
        let position = self.state.positions.iter().find(|one| one.isin == isin);
        position.map_or(Quantity::ZERO, |one| one.qty_e6)
    }
}

fn security(n: i64, seeded: &mut Seeded) -> Security {
    let lot = [1, 1, 5, 10][usize::try_from(seeded.below(4)).unwrap()];
    Security {
        isin: isin(n),
        ticker: format!("B{n}.EU"),
        ccy: [Currency::USD, Currency::GBP, Currency::EUR, Currency::EUR]
            [usize::try_from(seeded.below(4)).unwrap()],
        country: Some(["DE", "FR", "US", "JP"][usize::try_from(seeded.below(4)).unwrap()].into()),
        industry: (!seeded.one_in(4)).then(|| format!("Industry {}", seeded.below(5))),
        lot_e6: Quantity::from_units(lot).unwrap(),
        tick_e6: Price::from_e6(10_000).ok(),
        allow_buy: !seeded.one_in(6),
        allow_sell: !seeded.one_in(6),
        ..Security::sample()
    }
}

fn quote(security: &Security, seeded: &mut Seeded) -> Quote {
    let e6 = 5_000_000 + seeded.below(20_000) * 10_000;
    let price = |part: i64| Price::from_e6(e6 / 1_000 * part).ok();
    Quote {
        isin: security.isin,
        mic: security.mic,
        ccy: security.ccy,
        price_e6: price(1_000).unwrap(),
        bid_e6: price(999),
        ask_e6: price(1_001),
        at: now(),
        ..Quote::sample()
    }
}

/// The price of EUR in another currency.
pub fn pair_quote(ccy: Currency) -> Quote {
    let e6 = 1_000_000_000_000_000 / per_unit(ccy).e9();
    Quote {
        isin: contracts::pair_isin(Currency::EUR, ccy).unwrap(),
        mic: contracts::pair_venue(),
        ccy,
        price_e6: Price::from_e6(e6).unwrap(),
        bid_e6: None,
        ask_e6: None,
        at: now(),
        ..Quote::sample()
    }
}

fn score(n: i64, seeded: &mut Seeded) -> SecurityScore {
    let quality = seeded.unit();
    SecurityScore {
        isin: isin(n),
        at: now(),
        total: Some(number((quality.get() + 0.3).min(1.0))),
        quality: Some(quality),
        end: EndComponents { total_return: seeded.unit(), promise: seeded.unit(), stability: seeded.unit() },
        inputs: [("dividend_yield".to_string(), number(seeded.unit().get() / 10.0))].into(),
        windfall: seeded.one_in(4).then(|| Windfall {
            score: seeded.unit(),
            excess: number(0.4),
            sell: number(0.3),
            reason: "high".into(),
        }),
        ..SecurityScore::sample()
    }
}

fn position(security: &Security, quote: &Quote, seeded: &mut Seeded) -> Position {
    let lots = 1 + seeded.below(200);
    let qty = Quantity::from_e6(security.lot_e6.e6() * lots).unwrap();
    let value = money::value(quote.price_e6, qty, security.ccy, money::Rounding::Down).unwrap();
    let rate = per_unit(security.ccy);
    let bought = now().saturating_minus_ms(seeded.below(500) * DAY);
    Position {
        isin: security.isin,
        qty_e6: qty,
        ccy: security.ccy,
        avg_price_e6: Price::from_e6(quote.price_e6.e6() * (70 + seeded.below(60)) / 100).ok(),
        price_e6: Some(quote.price_e6),
        value_eur: Some(money::to_eur(value, rate, money::Rounding::Down).unwrap()),
        opened: Some(bought),
        last_buy: Some(bought),
        last_sell: None,
        ..PortfolioState::sample().positions[0].clone()
    }
}

/// What every other security paid, with the tax on it.
fn flows(securities: &[Security], seeded: &mut Seeded) -> Vec<Flow> {
    let mut flows = Vec::new();
    for security in securities.iter().step_by(2) {
        let paid = 300 + seeded.below(700);
        for (name, kind, units) in [("paid", FlowKind::Dividend, paid), ("tax", FlowKind::Tax, -paid / 6)] {
            let amount = Money::from_units(units, Currency::EUR).unwrap();
            flows.push(Flow {
                id: Id::derive(now(), &[name, security.isin.as_str()]),
                kind,
                day: now().day_utc(),
                amount,
                amount_eur: Some(amount),
                isin: Some(security.isin),
                ..Flow::sample()
            });
        }
    }
    flows
}

/// What the owner wants of two regions, made of the countries.
fn groups(securities: &[Security], seeded: &mut Seeded) -> Vec<TargetGroup> {
    let e6 = 100_000 * (1 + seeded.below(8));
    let group = |name: &str, countries: [&str; 2], e6: i64| TargetGroup {
        kind: "country".into(),
        name: name.into(),
        members: securities
            .iter()
            .filter(|one| one.country.as_deref().is_some_and(|country| countries.contains(&country)))
            .map(|one| (one.isin, number(1.0)))
            .collect(),
        target_e6: Weight::from_e6(e6).ok(),
        lower_e6: Weight::ZERO,
        upper_e6: Weight::ONE,
        value_e6: Weight::ZERO,
        binding: None,
    };
    vec![group("EU", ["DE", "FR"], e6), group("OVERSEAS", ["US", "JP"], 1_000_000 - e6)]
}

fn cash(amount: Money) -> Cash {
    let reserved = Money::zero(amount.currency());
    Cash { bucket_id: "core".into(), amount, reserved, pending_in: None, pending_out: None, spendable: None }
}

fn target(isin: Isin, count: i64, seeded: &mut Seeded) -> Option<TargetWeight> {
    let e6 = seeded.below(1_500_000 / count);
    (!seeded.one_in(5)).then(|| TargetWeight {
        isin,
        weight_e6: Weight::from_e6(e6).unwrap(),
        current_e6: Weight::ZERO,
        lower_e6: Weight::ZERO,
        upper_e6: Weight::ONE,
        expected_return: Some(number(0.08)),
        reason: String::new(),
    })
}
