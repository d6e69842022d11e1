//! The fast evaluator against an oracle: slow, obvious code that computes every state from scratch in plain EUR.
//!
//! The oracle shares no code with the evaluator; it follows the written rule, holding by holding and group by group.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss, clippy::cast_possible_truncation)]
#![allow(clippy::cast_possible_wrap, clippy::cast_sign_loss)]

mod support;

use std::collections::BTreeMap;

use contracts::{
    Candidate, Concentration, ExchangeTerms, Finite, Holding, Membership, PlanContext, PlanCosts, PlanGroup,
    PlanJob, Sample, ScoreConstants, ScoreWeights, Side, SpendableCash, SubsetRange, subset_count,
};
use evaluate::Prepared;
use market::Isin;
use money::Currency;
use support::{eur, number, share};

/// Portfolios, each with one sequence.
const PORTFOLIOS: u64 = 100_000;
/// Small universes in which everything is tried.
const UNIVERSES: u64 = 300;
const E4: u64 = 10_000;

/// A small generator: the same seed is the same world.
struct Seeded(u64);

impl Seeded {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn euros(&mut self, end: u64) -> i64 {
        self.below(end * E4) as i64
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// ISINs with a right check digit.
fn isins() -> Vec<Isin> {
    let all = (0..1_000).flat_map(|n| (0..10).map(move |check| format!("US{n:09}{check}")));
    let valid: Vec<Isin> = all.filter_map(|text| text.parse().ok()).take(40).collect();
    assert_eq!(valid.len(), 40);
    valid
}

const CURRENCIES: [&str; 4] = ["EUR", "USD", "GBP", "DKK"];

/// Cash in three currencies, of which some can be had for EUR.
fn purses(seeded: &mut Seeded) -> Vec<SpendableCash> {
    let mut purses: Vec<SpendableCash> = CURRENCIES[..3]
        .iter()
        .map(|ccy| SpendableCash {
            ccy: ccy.parse().unwrap(),
            value_eur: eur(if seeded.below(3) == 0 { 0 } else { seeded.euros(12_000) }),
            exchange: (*ccy != "EUR" && seeded.below(3) > 0).then(|| ExchangeTerms {
                fee_e6: share(seeded.below(3_000) as i64),
                least_eur: eur(seeded.below(3 * E4) as i64),
                room_e6: share(seeded.below(40_000) as i64),
            }),
        })
        .collect();
    if seeded.below(2) == 0 {
        purses.reverse();
    }
    purses
}

/// Any weights that are one together.
fn weights(seeded: &mut Seeded) -> ScoreWeights {
    let drawn = [0; 5].map(|_| 0.01 + seeded.unit());
    let sum: f64 = drawn.iter().sum();
    let [total_return, portfolio, promise, stability, opinion] = drawn.map(|one| number(one / sum));
    ScoreWeights { total_return, portfolio, promise, stability, opinion }
}

fn context(isins: &[Isin], seeded: &mut Seeded, securities: u64, candidates: u64) -> PlanContext {
    let (groups, concentrations) = (seeded.below(5), seeded.below(4));
    let holdings: Vec<Holding> = isins
        .iter()
        .take(securities as usize)
        .map(|isin| Holding {
            isin: *isin,
            value_eur: eur(if seeded.below(3) == 0 { 0 } else { seeded.euros(20_000) }),
            target_e6: share(0),
            constants: ScoreConstants {
                total_return: number(seeded.unit()),
                promise: number(seeded.unit()),
                stability: number(seeded.unit()),
                dividend_yield: number(seeded.unit() * 0.2),
                quality: number(seeded.unit()),
            },
            group: (groups > 0).then(|| seeded.below(groups) as u16),
            counts_in: (0..concentrations)
                .filter(|_| seeded.below(3) == 0)
                .map(|place| Membership { place: place as u16, share_e6: share(500_000) })
                .collect(),
            limit_eur: eur(seeded.euros(60_000)),
        })
        .collect();
    let invested: i64 = holdings.iter().map(|holding| holding.value_eur.e4()).sum();
    let cash = purses(seeded);
    let spendable: i64 = cash.iter().map(|one| one.value_eur.e4()).sum();
    let total = invested + spendable + seeded.euros(2_000) + E4 as i64;
    let found = (0..candidates)
        .map(|_| Candidate {
            isin: isins[seeded.below(securities) as usize],
            side: if seeded.below(2) == 0 { Side::Sell } else { Side::Buy },
            // A fourth currency has neither cash nor an exchange.
            ccy: CURRENCIES[seeded.below(16) as usize % 5 % 4].parse().unwrap(),
            value_eur: eur(1 + seeded.euros(8_000)),
            ..Candidate::sample()
        })
        .collect();
    PlanContext {
        cash,
        total_eur: eur(total),
        nav_eur: eur(total + seeded.euros(5_000)),
        weights: weights(seeded),
        costs: PlanCosts {
            fixed_eur: eur(20_000),
            percent_e6: share(2_000),
            impact_e6: share(2_500),
            factor: number(1.0 + seeded.below(2) as f64),
        },
        groups: (0..groups)
            .map(|n| PlanGroup {
                name: format!("G{n}"),
                target_e6: (seeded.below(4) > 0).then(|| share(seeded.below(700_000) as i64)),
            })
            .collect(),
        concentrations: (0..concentrations)
            .map(|n| Concentration {
                kind: if n % 2 == 0 { "country".into() } else { "industry".into() },
                name: format!("C{n}"),
                elsewhere_eur: eur(seeded.euros(1_000)),
                limit_e6: share(200_000 + seeded.below(500_000) as i64),
            })
            .collect(),
        holdings,
        pool: (0..candidates as u16).collect(),
        candidates: found,
        ..PlanContext::sample()
    }
}

/// What the oracle says of a sequence; `close` when a limit is so near that rounding decides.
struct Verdict {
    score: Option<f64>,
    close: bool,
    exchanged: bool,
}

/// Values and spendable cash after a walk, and what it cost.
struct End {
    values: Vec<f64>,
    purses: BTreeMap<Currency, f64>,
    costs: f64,
    impact: f64,
    exchanges: u32,
}

/// A comparison that remembers how close it was.
fn falls_short(margin: f64, close: &mut bool) -> bool {
    *close |= margin.abs() < 1e-6;
    margin < 0.0
}

fn walk(context: &PlanContext, actions: &[u16], close: &mut bool) -> Option<End> {
    let mut end = End {
        values: context.holdings.iter().map(|holding| holding.value_eur.to_f64()).collect(),
        purses: context.cash.iter().map(|one| (one.ccy, one.value_eur.to_f64())).collect(),
        costs: 0.0,
        impact: 0.0,
        exchanges: 0,
    };
    let mut seen = Vec::new();
    for index in actions {
        let action = &context.candidates[usize::from(*index)];
        if seen.contains(&action.isin) {
            return None;
        }
        seen.push(action.isin);
        let place = context.holdings.iter().position(|holding| holding.isin == action.isin).unwrap();
        let mut value = action.value_eur.to_f64();
        let sells = action.side == Side::Sell;
        if sells {
            let have = end.values[place];
            if have <= 0.0 || falls_short(1.01 * have - value, close) {
                return None;
            }
            value = value.min(have);
        }
        let commission = context.costs.fixed_eur.to_f64() + context.costs.percent_e6.to_f64() * value;
        let change = if sells { value - commission } else { -value - commission };
        let after = end.purses.get(&action.ccy).copied().unwrap_or(0.0) + change;
        end.purses.insert(action.ccy, after);
        if falls_short(after, close) {
            if sells {
                return None;
            }
            end.costs += exchange(context, &mut end.purses, action.ccy, close)?;
            end.exchanges += 1;
        }
        end.values[place] += if sells { -value } else { value };
        if sells && end.values[place] <= 0.005 {
            end.values[place] = 0.0;
        }
        end.costs += commission;
        end.impact += context.costs.impact_e6.to_f64() * value;
    }
    Some(end)
}

/// EUR for what a currency lacks, as its terms say; gives the fee.
fn exchange(
    context: &PlanContext,
    purses: &mut BTreeMap<Currency, f64>,
    ccy: Currency,
    close: &mut bool,
) -> Option<f64> {
    let terms = context.cash.iter().find(|one| one.ccy == ccy)?.exchange?;
    let exchanged = -purses[&ccy] * (1.0 + terms.room_e6.to_f64());
    let fee = (exchanged * terms.fee_e6.to_f64()).max(terms.least_eur.to_f64());
    let euros = purses.entry(Currency::EUR).or_default();
    *euros -= exchanged + fee;
    if falls_short(*euros, close) {
        return None;
    }
    *purses.entry(ccy).or_default() += exchanged;
    assert!(purses.values().all(|purse| *purse > -1e-6), "no currency is ever below nothing");
    Some(fee)
}

/// Whether what was bought stays within all limits.
fn within_limits(context: &PlanContext, values: &[f64], close: &mut bool) -> bool {
    let start: Vec<f64> = context.holdings.iter().map(|holding| holding.value_eur.to_f64()).collect();
    let mut within = true;
    for (place, holding) in context.holdings.iter().enumerate() {
        if values[place] > start[place] && falls_short(holding.limit_eur.to_f64() - values[place], close) {
            within = false;
        }
    }
    for (place, concentration) in context.concentrations.iter().enumerate() {
        let counts = |holding: &Holding| holding.counts_in.iter().any(|one| usize::from(one.place) == place);
        let held = |values: &[f64]| -> f64 {
            let here = context.holdings.iter().zip(values).filter(|(holding, _)| counts(holding));
            concentration.elsewhere_eur.to_f64() + here.map(|(_, value)| 0.5 * value).sum::<f64>()
        };
        // It counts against a plan only if a purchase lifted something in it.
        let lifted = (0..values.len()).any(|at| values[at] > start[at] && counts(&context.holdings[at]));
        let most = concentration.limit_e6.to_f64() * context.nav_eur.to_f64();
        let (before, after) = (held(&start), held(values));
        if lifted {
            *close |= (after - before).abs() < 1e-6;
            within &= after <= before || !falls_short(most - after, close);
        }
    }
    within
}

fn score(context: &PlanContext, end: &End) -> f64 {
    let spendable: f64 = context.cash.iter().map(|one| one.value_eur.to_f64()).sum();
    let invested_before: f64 = context.holdings.iter().map(|holding| holding.value_eur.to_f64()).sum();
    let total = context.total_eur.to_f64();
    let cash = end.purses.values().sum::<f64>() + total - invested_before - spendable;
    let total_after = total - end.costs;
    let holdings = || context.holdings.iter().zip(&end.values);
    let mean = |of: fn(&ScoreConstants) -> Finite, in_cash: f64| -> f64 {
        let held: f64 = holdings().map(|(holding, value)| of(&holding.constants).get() * value).sum();
        (held + in_cash * cash) / total_after
    };
    let invested: f64 = end.values.iter().sum();
    let mut distances = Vec::new();
    for (place, group) in context.groups.iter().enumerate() {
        if let Some(target) = group.target_e6 {
            let members = holdings().filter(|(holding, _)| holding.group == Some(place as u16));
            let value: f64 = members.map(|(_, value)| value).sum();
            distances.push((value / invested - target.to_f64()).abs());
        }
    }
    let distance =
        if distances.is_empty() { 0.2 } else { distances.iter().sum::<f64>() / distances.len() as f64 };
    let diversification = if invested > 0.0 { (100.0 * (1.0 - distance / 0.3)).max(0.0) } else { 0.0 };
    let dividend = (30.0 + 1_000.0 * mean(|constants| constants.dividend_yield, 0.0)).min(100.0);
    let quality = 100.0 * mean(|constants| constants.quality, 0.5);
    let portfolio = 0.4 * diversification + 0.3 * dividend + 0.3 * quality;
    let weights = &context.weights;
    let before = weights.total_return.get() * mean(|constants| constants.total_return, 0.15)
        + weights.portfolio.get() * portfolio / 100.0
        + weights.promise.get() * mean(|constants| constants.promise, 0.5)
        + weights.stability.get() * mean(|constants| constants.stability, 1.0)
        + weights.opinion.get() * 0.5;
    (before - context.costs.factor.get() * (end.costs + end.impact) / total).clamp(0.0, 1.0)
}

fn oracle(context: &PlanContext, actions: &[u16]) -> Verdict {
    let mut close = false;
    let end = walk(context, actions, &mut close);
    let end = end.filter(|end| within_limits(context, &end.values, &mut close));
    let exchanged = end.as_ref().is_some_and(|end| end.exchanges > 0);
    Verdict { score: end.map(|end| score(context, &end)), close, exchanged }
}

#[test]
fn a_hundred_thousand_random_sequences_score_as_the_oracle_says() {
    let isins = isins();
    let mut seeded = Seeded(20_260_302);
    let (mut scored, mut refused, mut skipped, mut exchanged, mut worst) =
        (0_u64, 0_u64, 0_u64, 0_u64, 0.0_f64);
    for portfolio in 0..PORTFOLIOS {
        let securities = 1 + seeded.below(12);
        let context = context(&isins, &mut seeded, securities, 6);
        let length = seeded.below(6);
        let actions: Vec<u16> = (0..length).map(|_| seeded.below(6) as u16).collect();
        let verdict = oracle(&context, &actions);
        let found = Prepared::of(&context).unwrap().walker().evaluate(&actions);
        match (found, verdict.score) {
            (Ok(found), Some(expected)) => {
                let far = (found.score - expected).abs();
                assert!(far <= 1e-12, "portfolio {portfolio}: {} instead of {expected}", found.score);
                worst = worst.max(far);
                scored += 1;
                exchanged += u64::from(verdict.exchanged);
            }
            (Err(_), None) => refused += 1,
            (found, expected) => {
                assert!(verdict.close, "portfolio {portfolio}: {found:?} instead of {expected:?}");
                skipped += 1;
            }
        }
    }
    assert!(scored > PORTFOLIOS / 5 && refused > PORTFOLIOS / 20, "{scored} scored, {refused} refused");
    assert!(skipped < 10, "{skipped} were too close to a limit");
    assert!(exchanged > PORTFOLIOS / 200, "only {exchanged} exchanged anything");
    assert!(worst > 0.0, "an oracle that agrees to the last bit is no oracle");
}

#[test]
fn the_best_of_a_small_universe_is_the_best_of_everything_there_is() {
    let isins = isins();
    let mut seeded = Seeded(7);
    let mut planned = 0;
    for universe in 0..UNIVERSES {
        let context = context(&isins, &mut seeded, 6, 8);
        let depth = 1 + seeded.below(5) as usize;
        let range = |size| SubsetRange { size: size as u16, first: 0, count: subset_count(8, size) as u32 };
        let ranges = (1..=depth).map(range).collect();
        let job = PlanJob { ranges, sequences: Vec::new(), keep: 1, ..PlanJob::sample() };
        let tally = evaluate::tally(&Prepared::of(&context).unwrap(), &context.pool, &job);
        let subsets = (1_u32..256).filter(|mask| mask.count_ones() as usize <= depth);
        let all = subsets.map(|mask| (0..8).filter(|bit| mask & (1 << bit) != 0).collect::<Vec<u16>>());
        let scores: Vec<(Vec<u16>, f64)> = all
            .filter_map(|actions| oracle(&context, &actions).score.map(|score| (actions, score)))
            .collect();
        let best = scores.iter().map(|(_, score)| *score).fold(f64::NEG_INFINITY, f64::max);
        assert_eq!(tally.evaluated as usize, scores.len(), "universe {universe}");
        match tally.best.first() {
            None => assert!(scores.is_empty()),
            Some(found) => {
                planned += 1;
                assert!((found.score.get() - best).abs() <= 1e-12, "universe {universe}");
                let own = scores.iter().find(|(actions, _)| *actions == found.actions).unwrap().1;
                assert!((own - best).abs() <= 1e-12, "universe {universe}: another sequence is better");
            }
        }
    }
    assert!(planned > UNIVERSES / 2);
}
