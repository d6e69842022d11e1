//! The planner's choice against looking at everything: every list of its candidates, scored from the written rule in plain
//! numbers, holding by holding. Nothing of the evaluator is used.

#![allow(clippy::cast_precision_loss)]

use std::collections::BTreeMap;

use contracts::{PlanContext, Side};
use market::Isin;
use money::Currency;

/// Whether a list of candidates exchanges EUR for another currency.
pub fn exchanges(context: &PlanContext, actions: &[u16]) -> bool {
    let mut without = context.clone();
    without.cash.iter_mut().for_each(|purse| purse.exchange = None);
    score(context, actions).is_some() && score(&without, actions).is_none()
}

/// What a list of candidates comes to; `None` when it cannot be carried out.
pub fn score(context: &PlanContext, actions: &[u16]) -> Option<f64> {
    let eur = |e4: i64| e4 as f64 / 1e4;
    let mut worth: BTreeMap<Isin, f64> =
        context.holdings.iter().map(|one| (one.isin, eur(one.value_eur.e4()))).collect();
    let start = worth.clone();
    let mut cash: BTreeMap<Currency, f64> =
        context.cash.iter().map(|one| (one.ccy, eur(one.value_eur.e4()))).collect();
    let costs = &context.costs;
    let (mut paid, mut lost) = (0.0, 0.0);
    for action in actions {
        let one = &context.candidates[usize::from(*action)];
        let value = eur(one.value_eur.e4());
        let have = worth[&one.isin];
        let purse = cash.entry(one.ccy).or_default();
        let moved = match one.side {
            Side::Sell if have <= 0.0 || value > have * 1.01 => return None,
            Side::Sell => -value.min(have),
            Side::Buy => value,
        };
        let cost = eur(costs.fixed_eur.e4()) + costs.percent_e6.to_f64() * moved.abs();
        *purse -= moved + cost;
        if *purse < -1e-9 {
            // Only EUR are exchanged, for what a purchase lacks and a little more.
            let terms = context.cash.iter().find(|purse| purse.ccy == one.ccy)?.exchange?;
            if one.side == Side::Sell {
                return None;
            }
            let exchanged = -*purse * (1.0 + terms.room_e6.to_f64());
            *purse += exchanged;
            let fee = (exchanged * terms.fee_e6.to_f64()).max(eur(terms.least_eur.e4()));
            let euros = cash.entry(Currency::EUR).or_default();
            *euros -= exchanged + fee;
            if *euros < -1e-9 {
                return None;
            }
            paid += fee;
        }
        let left = have + moved;
        worth.insert(one.isin, if left <= 0.005 { 0.0 } else { left });
        paid += cost;
        lost += costs.impact_e6.to_f64() * moved.abs();
    }
    within_limits(context, &start, &worth, eur(context.nav_eur.e4()))?;
    let total_before = eur(context.total_eur.e4());
    let total = total_before - paid;
    let invested: f64 = worth.values().sum();
    let mean = |of: fn(&contracts::ScoreConstants) -> f64, of_cash: f64| {
        let sum: f64 = context.holdings.iter().map(|one| of(&one.constants) * worth[&one.isin]).sum();
        (sum + of_cash * (total - invested)) / total
    };
    let [total_return, promise, stability, quality] = [
        mean(|one| one.total_return.get(), 0.15),
        mean(|one| one.promise.get(), 0.5),
        mean(|one| one.stability.get(), 1.0),
        mean(|one| one.quality.get(), 0.5),
    ];
    let income = mean(|one| one.dividend_yield.get(), 0.0);
    let portfolio = 0.4 * diversification(context, &worth, invested)
        + 0.3 * (0.3 + 10.0 * income).min(1.0)
        + 0.3 * quality;
    let weights = &context.weights;
    let before = weights.total_return.get() * total_return
        + weights.promise.get() * promise
        + weights.stability.get() * stability
        + weights.portfolio.get() * portfolio
        + weights.opinion.get() * 0.5;
    Some((before - costs.factor.get() * (paid + lost) / total_before).clamp(0.0, 1.0))
}

fn diversification(context: &PlanContext, worth: &BTreeMap<Isin, f64>, invested: f64) -> f64 {
    let wanted: Vec<(usize, f64)> = context
        .groups
        .iter()
        .enumerate()
        .filter_map(|(place, group)| Some((place, group.target_e6?.to_f64())))
        .collect();
    if invested <= 0.0 {
        return 0.0;
    }
    let share = |place: usize| {
        let members = context.holdings.iter().filter(|one| one.group.map(usize::from) == Some(place));
        members.map(|one| worth[&one.isin]).sum::<f64>() / invested
    };
    let distance = if wanted.is_empty() {
        0.2
    } else {
        let sum: f64 = wanted.iter().map(|(place, target)| (share(*place) - target).abs()).sum();
        sum / f64::from(u32::try_from(wanted.len()).unwrap())
    };
    (1.0 - distance / 0.3).max(0.0)
}

/// No purchase leaves a position, a country or an industry above its limit.
fn within_limits(
    context: &PlanContext,
    start: &BTreeMap<Isin, f64>,
    end: &BTreeMap<Isin, f64>,
    nav: f64,
) -> Option<()> {
    let eur = |e4: i64| e4 as f64 / 1e4;
    let lifted = context.holdings.iter().filter(|one| end[&one.isin] > start[&one.isin]);
    for one in lifted {
        if end[&one.isin] > eur(one.limit_eur.e4()) + 1e-9 {
            return None;
        }
        for member in &one.counts_in {
            let of = |worth: &BTreeMap<Isin, f64>| -> f64 {
                let parts = context.holdings.iter().flat_map(|other| {
                    let in_it = other.counts_in.iter().filter(|in_it| in_it.place == member.place);
                    in_it.map(|in_it| in_it.share_e6.to_f64() * worth[&other.isin])
                });
                parts.sum()
            };
            let limit = &context.concentrations[usize::from(member.place)];
            let elsewhere = eur(limit.elsewhere_eur.e4());
            let (before, after) = (of(start) + elsewhere, of(end) + elsewhere);
            if after > nav * limit.limit_e6.to_f64() + 1e-6 && after > before + 1e-6 {
                return None;
            }
        }
    }
    Some(())
}

/// The best score of any list of 1 to `depth` candidates of the pool without a repeated security.
pub fn best(context: &PlanContext, depth: usize) -> Option<f64> {
    let count = u32::try_from(context.pool.len()).unwrap();
    assert!(count <= 24, "a pool of {count} is too large to look at everything");
    let mut best: Option<f64> = None;
    for mask in (1_u32..1 << count).filter(|mask| usize::try_from(mask.count_ones()).unwrap() <= depth) {
        let actions: Vec<u16> = (0..context.pool.len())
            .filter(|bit| mask & (1 << bit) != 0)
            .map(|bit| context.pool[bit])
            .collect();
        let isins = actions.iter().map(|action| context.candidates[usize::from(*action)].isin);
        let different = isins.collect::<std::collections::BTreeSet<_>>().len() == actions.len();
        if !different {
            continue;
        }
        if let Some(found) = score(context, &actions) {
            best = Some(best.map_or(found, |known| known.max(found)));
        }
    }
    best
}
