//! The chain from a question to weights: budget, bounds, groups, mean-variance, risk parity, blend, projection,
//! no-trade band, half step, invariants. Every step that gave way says so; a run that cannot keep its own
//! invariants is no run.

use allocation::{
    Bound, Group, Limits, Refusal,
    feasibility::{Feasible, relax_beside},
    frontier::{Frontier, volatility},
    ladder::{Strategy, Targets, climb},
    project::{project_box_sum, project_onto},
};
use formulas::{hrp::risk_parity, semidefinite::repair};

use crate::{
    bounds::bound,
    groups::Range,
    question::{Asset, Question},
    room::{GROUP_OFF, Room},
    settle::{Band, gradual, project},
    stability::no_further,
};

/// What rounding may add up to.
const ROUNDING: f64 = 1e-9;
/// A limit nearer than this decided the weight.
const AT_LIMIT: f64 = 1e-6;
/// How much more risk parity when the worst stretches lose more than allowed.
const TAIL_STEP: f64 = 0.25;

/// Why there are no weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The code.
    pub code: &'static str,
    /// One sentence.
    pub why: String,
}

/// Expected return and volatility a year of the invested part.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures {
    /// Fraction a year.
    pub expected: f64,
    /// Fraction a year.
    pub volatility: f64,
}

/// A group as it came out.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupOutcome {
    /// As asked.
    pub range: Range,
    /// Limits in force.
    pub lower: f64,
    /// Limits in force.
    pub upper: f64,
    /// Its weight.
    pub value: f64,
    /// Which limit decided it.
    pub binding: Option<&'static str>,
}

/// What came out.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// One per asset.
    pub weights: Vec<f64>,
    /// One per asset.
    pub bounds: Vec<Bound>,
    /// Weights of mean-variance, if there were any.
    pub mean_variance: Option<Vec<f64>>,
    /// Weights of risk parity, if there were any.
    pub parity: Option<Vec<f64>>,
    /// Share of the core that is to be invested in the assets.
    pub budget: f64,
    /// How much of the groups' limits is in force.
    pub level: &'static str,
    /// Which mean-variance question was answered.
    pub strategy: Option<Strategy>,
    /// Share of risk parity.
    pub blend: f64,
    /// Figures of mean-variance, risk parity, blend and the final weights.
    pub figures: [Option<Figures>; 4],
    /// Groups as they came out.
    pub groups: Vec<GroupOutcome>,
    /// Limits that decided something, in words.
    pub binding: Vec<String>,
    /// Limits that gave way, in words.
    pub relaxed: Vec<String>,
    /// Limits that cannot be kept together, in words.
    pub clash: Vec<String>,
    /// Anything else worth knowing.
    pub warnings: Vec<String>,
    /// Mean loss on the worst stretches of twenty days, below zero.
    pub tail: Option<f64>,
    /// The same on the worst days, and what each asset contributes.
    pub daily_tail: Option<(f64, Vec<f64>)>,
}

/// Decides.
///
/// # Errors
/// A code and a sentence; the targets said before stay in force then.
pub fn decide(question: &Question) -> Result<Decision, Failure> {
    let n = question.assets.len();
    if n < 2 {
        return Err(Failure {
            code: "too_few_securities",
            why: format!("{n} securities can be compared, two are needed"),
        });
    }
    if question.risk.count != n || !question.assets.iter().all(|asset| asset.expected.is_finite()) {
        return Err(failed(Refusal::InvalidInput));
    }
    let mut warnings = Vec::new();
    let (limits, free) = limits(question, &mut warnings);
    let beside: Vec<f64> = question.groups.iter().map(|range| locked_in(question, range)).collect();
    let feasible = relax_beside(&limits, &beside).map_err(failed)?;
    let limits = Limits { groups: feasible.groups.clone(), ..limits };
    let found = methods(question, &limits, &mut warnings)?;
    let mut blend = question.parameters.blend;
    let mut outcome = finish(question, &limits, &found, blend)?;
    if let Some(most) = question.parameters.max_tail_loss
        && blend < 1.0
        && let Some(tail) = question.risk.tail(&outcome.weights).filter(|tail| -tail > most)
    {
        blend = (blend + TAIL_STEP).min(1.0);
        warnings.push(format!(
            "the worst stretches of twenty days lost {:.1} %, more than {:.1} %: more risk parity",
            -tail * 100.0,
            most * 100.0
        ));
        outcome = finish(question, &limits, &found, blend)?;
    }
    warnings.extend(outcome.said);
    check(question, &limits.bounds, &outcome.weights, free)?;
    Ok(report(
        question,
        limits,
        feasible,
        found,
        Final { blend, blended: outcome.blended, weights: outcome.weights },
        warnings,
    ))
}

fn failed(refusal: Refusal) -> Failure {
    Failure { code: refusal.code(), why: refusal.to_string() }
}

/// Bounds, groups and the budget that fits them; also what may be spent at most.
fn limits(question: &Question, warnings: &mut Vec<String>) -> (Limits, f64) {
    let n = question.assets.len();
    let variance = |i: usize| question.risk.covariance[i * (n + 1)];
    let mut bounds: Vec<Bound> =
        (0..n).map(|i| bound(&question.assets[i], variance(i), &question.parameters)).collect();
    let free = (1.0 - question.reserve - question.locked_sum()).max(0.0);
    let must = fit_wishes(&mut bounds, &question.assets, free, warnings);
    if must > free + ROUNDING {
        warnings.push(format!(
            "{:.1} % must not be sold, more than the {:.1} % that may be invested",
            must * 100.0,
            free * 100.0
        ));
    }
    let sums = |side: fn(&Bound) -> f64| bounds.iter().map(side).sum::<f64>();
    let (least, most) = (sums(|bound| bound.lower), sums(|bound| bound.upper));
    let budget = free.max(least).min(most);
    let groups = question.groups.iter().map(|range| {
        let share = |isin| range.shares.get(isin).copied().unwrap_or(0.0);
        let locked = locked_in(question, range);
        Group {
            name: range.title(),
            shares: question.assets.iter().map(|asset| share(&asset.isin)).collect(),
            lower: range.lower - locked,
            upper: range.upper - locked,
        }
    });
    (Limits { groups: groups.collect(), bounds, budget }, free)
}

/// Keeps what the owner wants at least from reaching beyond what may be invested: all of it shrinks by one factor. What
/// must not be sold comes first and never shrinks; its sum is returned.
fn fit_wishes(bounds: &mut [Bound], assets: &[Asset], free: f64, warnings: &mut Vec<String>) -> f64 {
    let kept = |asset: &Asset, bound: &Bound| {
        if asset.allow_sell { 0.0 } else { asset.current.min(bound.lower) }
    };
    let must: f64 = assets.iter().zip(bounds.iter()).map(|(asset, bound)| kept(asset, bound)).sum();
    let least: f64 = bounds.iter().map(|bound| bound.lower).sum();
    let wished = least - must;
    if least <= free + ROUNDING || wished <= ROUNDING {
        return must;
    }
    let part = ((free - must) / wished).max(0.0);
    for (asset, bound) in assets.iter().zip(bounds.iter_mut()) {
        let kept = kept(asset, bound);
        bound.lower = kept + part * (bound.lower - kept);
    }
    warnings.push("the least the owner wants is more than may be invested: scaled down".into());
    must
}

/// Both methods' answers.
struct Found {
    chosen: Option<(Strategy, Vec<f64>)>,
    parity: Option<Vec<f64>>,
    refused: Vec<String>,
}

fn methods(question: &Question, limits: &Limits, warnings: &mut Vec<String>) -> Result<Found, Failure> {
    let (n, risk, parameters) = (question.assets.len(), &question.risk, &question.parameters);
    let returns: Vec<f64> = question.assets.iter().map(|asset| asset.expected).collect();
    let targets = Targets {
        annual_return: parameters.target_return * limits.budget,
        volatility: parameters.target_volatility * limits.budget,
        risk_free: parameters.risk_free,
    };
    let mut repaired = vec![0.0; n * n];
    let frontier = match Frontier::new(&returns, &risk.covariance, limits) {
        Err(Refusal::NotPsd) => {
            let change = repair(&risk.covariance, n, &mut repaired).ok_or_else(|| failed(Refusal::NotPsd))?;
            warnings.push(format!("the covariance was repaired by {change:.1e} of itself"));
            Frontier::new(&returns, &repaired, limits)
        }
        other => other,
    };
    let mut refused = Vec::new();
    let mut say = |(strategy, refusal): (Strategy, Refusal)| {
        refused.push(format!("{}: {}", strategy.code(), refusal.code()));
    };
    let chosen = match frontier.as_ref().map(|frontier| climb(frontier, &targets)) {
        Ok(Ok(chosen)) => {
            chosen.refused.into_iter().for_each(&mut say);
            Some((chosen.strategy, chosen.weights))
        }
        Ok(Err(all)) => {
            all.into_iter().for_each(&mut say);
            None
        }
        Err(refusal) => {
            warnings.push(format!("mean-variance has no ground: {}", refusal.code()));
            None
        }
    };
    let parity = risk_parity(&risk.sample, &risk.correlation, n, parameters.linkage).and_then(|parity| {
        let scaled: Vec<f64> = parity.weights.iter().map(|weight| weight * limits.budget).collect();
        project_box_sum(&scaled, &limits.bounds, limits.budget).ok()
    });
    if chosen.is_none() && parity.is_none() {
        return Err(Failure {
            code: "numeric",
            why: format!("no method has an answer ({})", refused.join(", ")),
        });
    }
    if chosen.is_none() {
        warnings.push("mean-variance has no answer: risk parity alone".into());
    }
    if parity.is_none() {
        warnings.push("risk parity has no answer: mean-variance alone".into());
    }
    Ok(Found { chosen, parity, refused })
}

struct Outcome {
    blended: Vec<f64>,
    weights: Vec<f64>,
    said: Vec<String>,
}

/// Blends, projects, and settles into what is worth trading for.
fn finish(question: &Question, limits: &Limits, found: &Found, blend: f64) -> Result<Outcome, Failure> {
    let current: Vec<f64> = question.assets.iter().map(|asset| asset.current).collect();
    let blended: Vec<f64> = match (&found.chosen, &found.parity) {
        (Some((_, mv)), Some(hrp)) => {
            mv.iter().zip(hrp).map(|(mv, hrp)| blend * hrp + (1.0 - blend) * mv).collect()
        }
        (Some((_, only)), None) | (None, Some(only)) => only.clone(),
        (None, None) => return Err(failed(Refusal::Numeric)),
    };
    let mut said = Vec::new();
    let (weights, narrowed) = within_groups(&blended, limits, &mut said)?;
    let room = Room::new(&limits.groups, &current);
    let band = Band {
        current: &current,
        bounds: &limits.bounds,
        narrowed: &narrowed,
        budget: limits.budget,
        min_trade: question.parameters.min_trade,
    };
    let mut may_stay = vec![true; current.len()];
    let (banded, kept) = loop {
        let (banded, kept) = band.keep_small(&weights, &may_stay).map_err(failed)?;
        if kept == 0 || room.left_by(&banded).next().is_none() {
            break (banded, kept);
        }
        room.forbid(&banded, &mut may_stay);
    };
    let held = current.iter().filter(|current| **current > 0.0).count();
    if kept > 0 && held > 0 {
        said.push(format!("{kept} weights stay as they are: the difference is not worth a trade"));
    }
    let (stepped, halved) = gradual(&banded, &current, &limits.bounds, limits.budget).map_err(failed)?;
    if halved {
        said.push("a weight would move by more than 30 points: half the way only".into());
    }
    let stepped = room.or_nearest(stepped, &limits.bounds, &banded);
    let (weights, stopped) =
        no_further(&stepped, &question.assets, &limits.bounds, question.previous.as_ref()).map_err(failed)?;
    let weights = room.or_nearest(weights, &limits.bounds, &stepped);
    if stopped {
        said.push("a quarter of the fund would move: the rest has to wait for the next run".into());
    }
    Ok(Outcome { blended, weights, said })
}

/// The nearest weights to what is wanted, within the groups where bounds and budget alone take one too far; and the bounds
/// without what was dropped as too small to hold.
fn within_groups(
    wanted: &[f64],
    limits: &Limits,
    said: &mut Vec<String>,
) -> Result<(Vec<f64>, Vec<Bound>), Failure> {
    let (weights, narrowed) = project(wanted, &limits.bounds, limits.budget).map_err(failed)?;
    if limits.violation(&weights) <= GROUP_OFF {
        return Ok((weights, narrowed));
    }
    let within = Limits { bounds: narrowed.clone(), ..limits.clone() };
    if let Ok(inside) = project_onto(wanted, &within) {
        return Ok((inside, narrowed));
    }
    match project_onto(wanted, limits) {
        Ok(inside) => {
            said.push("weights too small to hold come back: without them no group keeps its limits".into());
            Ok((inside, limits.bounds.clone()))
        }
        Err(refusal) => {
            said.push(format!("the blend breaks a group's limit: {}", refusal.code()));
            Ok((weights, narrowed))
        }
    }
}

/// What must hold whatever happened before.
fn check(question: &Question, bounds: &[Bound], weights: &[f64], free: f64) -> Result<(), Failure> {
    let broken = |why: &str| Failure { code: "numeric", why: format!("an invariant does not hold: {why}") };
    let least: f64 = bounds.iter().map(|bound| bound.lower).sum();
    if !weights.iter().all(|weight| weight.is_finite()) {
        return Err(broken("a weight is not a number"));
    }
    if weights.iter().sum::<f64>() > free.max(least) + ROUNDING {
        return Err(broken("more than the budget would be spent"));
    }
    for ((asset, bound), weight) in question.assets.iter().zip(bounds).zip(weights) {
        if *weight < bound.lower - ROUNDING || *weight > bound.upper + ROUNDING {
            return Err(broken("a weight leaves its bounds"));
        }
        if !asset.allow_buy && *weight > asset.current + ROUNDING {
            return Err(broken("what must not be bought would be"));
        }
        if !asset.allow_sell && *weight < asset.current - ROUNDING {
            return Err(broken("what must not be sold would be"));
        }
    }
    Ok(())
}

struct Final {
    blend: f64,
    blended: Vec<f64>,
    weights: Vec<f64>,
}

fn report(
    question: &Question,
    limits: Limits,
    feasible: Feasible,
    found: Found,
    last: Final,
    mut warnings: Vec<String>,
) -> Decision {
    let figures = |weights: &[f64]| Figures {
        expected: question.assets.iter().zip(weights).map(|(asset, weight)| asset.expected * weight).sum(),
        volatility: volatility(&question.risk.covariance, weights),
    };
    let (strategy, mean_variance) = found.chosen.unzip();
    warnings.extend(found.refused.iter().map(|refused| format!("not possible: {refused}")));
    let groups: Vec<GroupOutcome> = question
        .groups
        .iter()
        .zip(&feasible.groups)
        .zip(&limits.groups)
        .map(|((range, used), group)| {
            let locked = locked_in(question, range);
            let value = group.value(&last.weights) + locked;
            let (lower, upper) = ((used.lower + locked).max(0.0), used.upper + locked);
            let binding = if upper - value < AT_LIMIT {
                Some("upper")
            } else if lower > 0.0 && value - lower < AT_LIMIT {
                Some("lower")
            } else {
                None
            };
            GroupOutcome { range: range.clone(), lower, upper, value, binding }
        })
        .collect();
    let mut binding = Vec::new();
    for ((asset, bound), weight) in question.assets.iter().zip(&limits.bounds).zip(&last.weights) {
        if bound.upper > 0.0 && bound.upper - weight < AT_LIMIT {
            binding.push(format!("{} at most {:.1} %", asset.isin, bound.upper * 100.0));
        } else if bound.lower > 0.0 && weight - bound.lower < AT_LIMIT {
            binding.push(format!("{} at least {:.1} %", asset.isin, bound.lower * 100.0));
        }
    }
    for group in groups.iter().filter(|group| group.binding.is_some()) {
        let (side, limit) =
            if group.binding == Some("upper") { ("most", group.upper) } else { ("least", group.lower) };
        binding.push(format!("{} at {side} {:.1} %", group.range.title(), limit * 100.0));
    }
    Decision {
        figures: [
            mean_variance.as_deref().map(figures),
            found.parity.as_deref().map(figures),
            Some(figures(&last.blended)),
            Some(figures(&last.weights)),
        ],
        tail: question.risk.tail(&last.weights),
        daily_tail: question.risk.daily_tail(&last.weights),
        weights: last.weights,
        bounds: limits.bounds,
        mean_variance,
        parity: found.parity,
        budget: limits.budget,
        level: feasible.level.code(),
        strategy,
        blend: last.blend,
        groups,
        binding,
        relaxed: feasible.relaxed,
        clash: feasible.clash,
        warnings,
    }
}

/// What the holdings about which nothing can be decided weigh in a group.
fn locked_in(question: &Question, range: &Range) -> f64 {
    let share = |isin| range.shares.get(isin).copied().unwrap_or(0.0);
    question.locked.iter().map(|locked| locked.current * share(&locked.isin)).sum()
}
