//! Whether any weights keep all limits; if not, which limits clash, and what gives way in which order.
//!
//! Levels: all limits; minima of the groups halved; minima dropped; caps widened by the smallest total that
//! suffices. Each question is one linear programme that measures how far the groups must give way (0 = not at
//! all), so that the answer is a number and never a solver's doubt. Bounds and budget are never relaxed here.

use crate::limits::{Bound, Group, Limits, SAME};
use crate::programme::Programme;
use crate::refusal::Refusal;

/// Giving way by less than this is not giving way.
const NOTHING: f64 = 1e-8;
/// Room left beyond what the smallest widening found.
const MARGIN: f64 = 1e-7;
/// A limit this wide says nothing: weights are fractions.
const ANYTHING: f64 = 10.0;

/// How much of the groups' limits is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// All.
    Full,
    /// Minima are halved.
    MinimaHalved,
    /// Only caps are left.
    MinimaDropped,
    /// Even caps are wider than asked for.
    CapsWidened,
}

impl Level {
    /// The code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Level::Full => "full",
            Level::MinimaHalved => "minima_halved",
            Level::MinimaDropped => "minima_dropped",
            Level::CapsWidened => "caps_widened",
        }
    }
}

/// What can be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Feasible {
    /// How much of the groups' limits is in force.
    pub level: Level,
    /// The groups as they are in force.
    pub groups: Vec<Group>,
    /// Each limit that gave way, in words with figures.
    pub relaxed: Vec<String>,
    /// A smallest set of limits that cannot be kept together; empty at [`Level::Full`].
    pub clash: Vec<String>,
}

/// Finds the first level at which weights exist.
///
/// # Errors
/// [`Refusal::InvalidInput`], and [`Refusal::Infeasible`] when bounds and budget alone leave nothing.
///
/// # Examples
/// ```
/// use allocation::{Bound, Group, Limits, feasibility::{Level, relax}};
/// let group = |name: &str, shares: [f64; 2], lower| Group { name: name.into(), shares: shares.to_vec(), lower, upper: 1.0 };
/// let groups = vec![group("EU", [1.0, 0.0], 0.6), group("US", [0.0, 1.0], 0.6)];
/// let limits = Limits { bounds: vec![Bound { lower: 0.0, upper: 1.0 }; 2], groups, budget: 1.0 };
/// let found = relax(&limits).unwrap();
/// assert_eq!(found.level, Level::MinimaHalved);
/// assert_eq!(found.clash, ["EU at least 60.0 %", "US at least 60.0 %", "all together 100.0 %"]);
/// ```
pub fn relax(limits: &Limits) -> Result<Feasible, Refusal> {
    relax_beside(limits, &vec![0.0; limits.groups.len()])
}

/// As [`relax`], for groups part of which lies outside the weights: `beside` says how much of each. The groups' limits
/// are what is left beside it; what gives way is the whole, so half a minimum of 0.40 beside 0.15 leaves 0.05.
///
/// # Errors
/// As [`relax`]; sizes that differ are invalid.
///
/// # Examples
/// ```
/// use allocation::{Bound, Group, Limits, feasibility::{Level, relax_beside}};
/// let group = |name: &str, shares: [f64; 2], lower| Group { name: name.into(), shares: shares.to_vec(), lower, upper: 1.0 };
/// // 0.40 of each are wanted, 0.15 of EU lie outside.
/// let groups = vec![group("EU", [1.0, 0.0], 0.25), group("US", [0.0, 1.0], 0.40)];
/// let limits = Limits { bounds: vec![Bound { lower: 0.0, upper: 1.0 }; 2], groups, budget: 0.5 };
/// let found = relax_beside(&limits, &[0.15, 0.0]).unwrap();
/// assert_eq!(found.level, Level::MinimaHalved);
/// assert!((found.groups[0].lower - 0.05).abs() < 1e-12 && (found.groups[1].lower - 0.20).abs() < 1e-12);
/// assert_eq!(found.relaxed, ["EU at least 40.0 % from 20.0 %", "US at least 40.0 % from 20.0 %"]);
/// ```
pub fn relax_beside(limits: &Limits, beside: &[f64]) -> Result<Feasible, Refusal> {
    if beside.len() != limits.groups.len() || !beside.iter().all(|share| share.is_finite()) {
        return Err(Refusal::InvalidInput);
    }
    let bounds_only = Limits { groups: vec![], ..limits.clone() };
    bounds_only.check()?;
    if limits.groups.iter().any(|group| group.shares.len() != limits.bounds.len()) {
        return Err(Refusal::InvalidInput);
    }
    let finite = |group: &Group| {
        group.shares.iter().chain([&group.lower, &group.upper]).all(|value| value.is_finite())
    };
    if !limits.groups.iter().all(finite) {
        return Err(Refusal::InvalidInput);
    }
    for level in [Level::Full, Level::MinimaHalved, Level::MinimaDropped] {
        let groups = all_at(limits, beside, level);
        if total(&give_way(limits, &groups)?) <= NOTHING {
            let relaxed = differences(&limits.groups, &groups, beside);
            let clash = if level == Level::Full { vec![] } else { clash(limits, beside)? };
            return Ok(Feasible { level, groups, relaxed, clash });
        }
    }
    let caps = all_at(limits, beside, Level::MinimaDropped);
    let wider = give_way(limits, &caps)?;
    let room = |more: f64| if more > NOTHING { more + MARGIN } else { MARGIN };
    let widen = |(group, (below, above)): (&Group, &(f64, f64))| Group {
        lower: group.lower - room(*below),
        upper: group.upper + room(*above),
        ..group.clone()
    };
    let groups: Vec<Group> = caps.iter().zip(&wider).map(widen).collect();
    let relaxed = differences(&limits.groups, &groups, beside);
    Ok(Feasible { level: Level::CapsWidened, groups, relaxed, clash: clash(limits, beside)? })
}

fn all_at(limits: &Limits, beside: &[f64], level: Level) -> Vec<Group> {
    limits.groups.iter().zip(beside).map(|(group, beside)| at_level(group, *beside, level)).collect()
}

fn at_level(group: &Group, beside: f64, level: Level) -> Group {
    let lower = match level {
        Level::Full => group.lower,
        Level::MinimaHalved => (group.lower + beside) / 2.0 - beside,
        Level::MinimaDropped | Level::CapsWidened => 0.0,
    };
    // What lies outside may already be more than enough; a minimum never rises by being relaxed.
    Group { lower: lower.min(group.lower), ..group.clone() }
}

fn differences(asked: &[Group], used: &[Group], beside: &[f64]) -> Vec<String> {
    let mut said = Vec::new();
    for ((asked, used), beside) in asked.iter().zip(used).zip(beside) {
        if asked.lower > used.lower + NOTHING && asked.lower > 0.0 {
            said.push(format!(
                "{} from {}",
                at_least(asked, *beside),
                percent((used.lower + beside).max(0.0))
            ));
        }
        if used.upper > asked.upper + 2.0 * MARGIN {
            said.push(format!("{} to {}", at_most(asked, *beside), percent(used.upper + beside)));
        }
    }
    said
}

/// How far each group must give way below and above, so that the total is smallest.
fn give_way(limits: &Limits, groups: &[Group]) -> Result<Vec<(f64, f64)>, Refusal> {
    let n = limits.bounds.len();
    let mut programme = Programme::new(n + 2 * groups.len());
    let bare = Limits { bounds: limits.bounds.clone(), groups: vec![], budget: limits.budget };
    bare.require(&mut programme, None);
    for (at, group) in groups.iter().enumerate() {
        let (below, above) = (n + 2 * at, n + 2 * at + 1);
        let mut low = group.entries(-1.0);
        low.push((below, -1.0));
        let mut high = group.entries(1.0);
        high.push((above, -1.0));
        programme.at_most((low, -group.lower));
        programme.at_most((high, group.upper));
        for slack in [below, above] {
            programme.at_most((vec![(slack, -1.0)], 0.0));
            programme.cost(slack, 1.0);
        }
    }
    if groups.is_empty() {
        return Ok(vec![]);
    }
    if let Some(only) = only_choice(limits) {
        return Ok(groups.iter().map(|group| missing(group, &only)).collect());
    }
    let x = programme.solve()?;
    // The weights are trusted, the slacks are measured on them.
    Ok(groups.iter().map(|group| missing(group, &x[..n])).collect())
}

fn only_choice(limits: &Limits) -> Option<Vec<f64>> {
    let (least, most) = limits.sums();
    let all = |side: fn(&Bound) -> f64| limits.bounds.iter().map(side).collect();
    if limits.budget - least <= SAME {
        return Some(all(|bound| bound.lower));
    }
    (most - limits.budget <= SAME).then(|| all(|bound| bound.upper))
}

fn missing(group: &Group, weights: &[f64]) -> (f64, f64) {
    let value = group.value(weights);
    ((group.lower - value).max(0.0), (value - group.upper).max(0.0))
}

fn total(slacks: &[(f64, f64)]) -> f64 {
    slacks.iter().map(|(below, above)| below + above).sum()
}

/// A smallest set of limits that cannot be kept together: drops one after the other, and keeps those without
/// which the rest becomes possible.
fn clash(limits: &Limits, beside: &[f64]) -> Result<Vec<String>, Refusal> {
    let mut groups = limits.groups.clone();
    let mut named = Vec::new();
    for at in 0..groups.len() {
        for side in [Side::Low, Side::High] {
            let kept = groups[at].clone();
            match side {
                Side::Low => groups[at].lower = -ANYTHING,
                Side::High => groups[at].upper = ANYTHING,
            }
            if total(&give_way(limits, &groups)?) <= NOTHING {
                named.push(match side {
                    Side::Low => at_least(&kept, beside[at]),
                    Side::High => at_most(&kept, beside[at]),
                });
                groups[at] = kept;
            }
        }
    }
    if named.is_empty() {
        return Ok(named);
    }
    let loose = Limits {
        bounds: vec![Bound { lower: 0.0, upper: limits.budget.max(0.0) }; limits.bounds.len()],
        ..limits.clone()
    };
    if total(&give_way(&loose, &groups)?) <= NOTHING {
        named.push("the limits of single securities".into());
    }
    named.push(format!("all together {}", percent(limits.budget)));
    Ok(named)
}

#[derive(Debug, Clone, Copy)]
enum Side {
    Low,
    High,
}

fn at_least(group: &Group, beside: f64) -> String {
    format!("{} at least {}", group.name, percent(group.lower + beside))
}

fn at_most(group: &Group, beside: f64) -> String {
    format!("{} at most {}", group.name, percent(group.upper + beside))
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
