//! From what the finders say to the few candidates that sequences are made of.
//!
//! Two proposals for the same side of a security become one: the larger priority, the smaller sale, the larger
//! purchase. A purchase that only a sale can pay for whole is also there as large as the cash alone allows. Each category keeps its best few, not all from one corner; of those the best by priority are the pool, with
//! at least four of each side. They are put in the order of execution (sales first, then by priority), so that every
//! ascending list of indexes is a sequence in its right order. Patterns reach the candidates that the pool cut away.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use contracts::{Candidate, LeftOut, Side};
use limits::Fine;
use market::Isin;
use money::{Currency, Money};

use crate::{
    diversity::{self, Choice},
    generators::{self, combinations::Belongs, draws::Draws},
    groups::{self, Kind},
    lists::{Category, Item, Lists, is_free_of_repeats},
    opportunities::{ALL, Proposal},
    patterns::{
        Ground, Joined,
        adaptive::{Needs, lacking},
        sequences,
    },
    sequences::pool_that_fits,
    snapshot::Snapshot,
};

/// Candidates of each side that the pool keeps if there are so many.
const EACH_SIDE: usize = 4;

/// What a run starts from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pool {
    /// In the order of execution: the pool and what further sequences need.
    pub candidates: Vec<Candidate>,
    /// Places of the candidates, ascending, of which every subset is tried.
    pub pool: Vec<u16>,
    /// Further sequences, each a list of places in the order of execution.
    pub further: Vec<Vec<u16>>,
    /// Every other security, by ISIN.
    pub left_out: Vec<LeftOut>,
}

/// Asks every finder and keeps the best.
#[must_use]
pub fn gather(snapshot: &Snapshot<'_>) -> Pool {
    // What sales bring in decides how much can be bought, so they are looked for first.
    let sales = best_sales(&ask(snapshot).0, snapshot);
    let snapshot = &snapshot.clone().with_sales(sales);
    let (mut proposals, mut not) = ask(snapshot);
    drop_unpaid(&mut proposals, &mut not, snapshot);
    proposals.sort_by(by_priority);
    let lists = Category::ALL.map(|category| choose(&proposals, category, snapshot, &mut not));
    let mut kept: Vec<Proposal> = lists.concat();
    kept.extend(cut_to_cash(&kept, snapshot));
    kept.sort_by(by_priority);
    let chosen = pool_of(&kept, snapshot);
    // The order of execution, whatever of it is in the pool.
    let mut order: Vec<usize> = (0..kept.len()).collect();
    order.sort_by(|one, other| in_order(&kept[*one], &kept[*other]));
    let kept: Vec<Proposal> = order.iter().map(|place| kept[*place].clone()).collect();
    let is_chosen: Vec<bool> = order.iter().map(|place| chosen.contains(place)).collect();
    let further = further(&kept, &is_chosen, snapshot);
    finish(kept, &is_chosen, further, not, snapshot)
}

/// What the finders say, merged by security and side.
fn ask(snapshot: &Snapshot<'_>) -> (Vec<Proposal>, BTreeMap<Isin, LeftOut>) {
    let mut merged: BTreeMap<(Isin, Side), Proposal> = BTreeMap::new();
    let mut not: BTreeMap<Isin, LeftOut> = BTreeMap::new();
    for finder in ALL {
        let switch = (finder.switch)(snapshot.parameters);
        if !switch.enabled {
            continue;
        }
        let report = (finder.propose)(snapshot, switch.weight);
        for proposal in report.found {
            let key = (proposal.isin, proposal.side);
            let merged_one = match merged.remove(&key) {
                Some(known) => known.merged(proposal),
                None => proposal,
            };
            merged.insert(key, merged_one);
        }
        for left_out in report.not {
            // The first finder's reason stays, unless it is only that there is nothing to do and another knows more.
            let says_more = not
                .get(&left_out.isin)
                .is_none_or(|known| is_nothing(&known.code) && !is_nothing(&left_out.code));
            if says_more {
                not.insert(left_out.isin, left_out);
            }
        }
    }
    (merged.into_values().collect(), not)
}

/// What the best sales of one plan bring in after costs, by currency: as many as leave a place for a purchase.
fn best_sales(proposals: &[Proposal], snapshot: &Snapshot<'_>) -> BTreeMap<Currency, Money> {
    let mut nets: BTreeMap<Currency, Vec<i64>> = BTreeMap::new();
    for one in proposals.iter().filter(|one| one.side == Side::Sell) {
        nets.entry(one.ccy).or_default().push(one.value.e4().saturating_sub(one.cost.e4()).max(0));
    }
    let most = snapshot.parameters.max_depth.saturating_sub(1);
    let best = nets.into_iter().map(|(ccy, mut nets)| {
        nets.sort_unstable_by(|one, other| other.cmp(one));
        let sum = nets.iter().take(most).fold(0_i64, |sum, net| sum.saturating_add(*net));
        (ccy, Money::from_e4(sum, Currency::EUR))
    });
    best.collect()
}

/// Purchases that neither the cash nor the best sales could pay for.
fn drop_unpaid(proposals: &mut Vec<Proposal>, not: &mut BTreeMap<Isin, LeftOut>, snapshot: &Snapshot<'_>) {
    proposals.retain(|one| {
        let needed = one.value.e4().saturating_add(one.cost.e4());
        let paid = one.side == Side::Sell || needed <= snapshot.means(one.ccy).e4();
        if !paid {
            let text = "Neither the cash that may be used nor sales would pay for it.".to_string();
            not.insert(one.isin, LeftOut { isin: one.isin, code: "insufficient_cash".into(), text });
        }
        paid
    });
}

/// The purchases that only sales can pay for whole, cut to what the cash alone pays for: no sale has to be worth it.
fn cut_to_cash(kept: &[Proposal], snapshot: &Snapshot<'_>) -> Vec<Proposal> {
    let unpaid = kept.iter().filter(|one| {
        let needed = one.value.e4().saturating_add(one.cost.e4());
        one.side == Side::Buy && needed > snapshot.spendable(one.ccy).e4()
    });
    unpaid.filter_map(|one| one.cut_to_cash(snapshot)).collect()
}

/// Reasons that say only that a finder has no cause to act.
fn is_nothing(code: &str) -> bool {
    const NOTHING: &[&str] = &[
        "on_target",
        "not_held",
        "no_windfall",
        "group_on_target",
        "no_dip",
        "no_dividends",
        "yield_low",
        "quality_low",
        "quality_unknown",
        "still_falling",
    ];
    NOTHING.contains(&code)
}

/// The best of a category that do not all come from the same corner, best first.
fn choose(
    proposals: &[Proposal],
    category: Category,
    snapshot: &Snapshot<'_>,
    not: &mut BTreeMap<Isin, LeftOut>,
) -> Vec<Proposal> {
    let parameters = snapshot.parameters;
    let of_it: Vec<&Proposal> = proposals.iter().filter(|one| one.category == category).collect();
    let choices: Vec<Choice> = of_it
        .iter()
        .map(|one| {
            let security = snapshot.security(one.isin);
            let country = security.and_then(|security| security.country.as_deref());
            let industry = security.and_then(|security| security.industry.as_deref());
            let cluster = diversity::cluster(country, industry, &snapshot.name(one.isin));
            Choice { cluster, priority: one.priority }
        })
        .collect();
    let count = parameters.per_category;
    let chosen = if parameters.diverse {
        diversity::select(&choices, count, parameters.diversity_weight)
    } else {
        (0..of_it.len().min(count)).collect()
    };
    for (place, one) in of_it.iter().enumerate() {
        if !chosen.contains(&place) {
            let text = format!("{count} better candidates of {} are looked at.", category.name());
            not.insert(one.isin, LeftOut { isin: one.isin, code: "category_full".into(), text });
        }
    }
    chosen.into_iter().map(|place| of_it[place].clone()).collect()
}

/// Places of the pool in a list that is sorted by priority: the best, with some of each side.
fn pool_of(kept: &[Proposal], snapshot: &Snapshot<'_>) -> Vec<usize> {
    let parameters = snapshot.parameters;
    let most = pool_that_fits(parameters.max_pool, parameters.max_depth).min(kept.len());
    let of_side = |side| (0..kept.len()).filter(move |place| kept[*place].side == side);
    let mut chosen: Vec<usize> = Vec::new();
    // A pool smaller than both minima gives each side its half.
    let each = EACH_SIDE.min(most.div_ceil(2));
    for side in [Side::Sell, Side::Buy] {
        chosen.extend(of_side(side).take(each));
    }
    chosen.sort_unstable();
    chosen.truncate(most);
    for place in 0..kept.len() {
        if chosen.len() < most && !chosen.contains(&place) {
            chosen.push(place);
        }
    }
    chosen
}

/// Sequences of patterns and combinations that need a candidate outside the pool.
fn further(kept: &[Proposal], is_chosen: &[bool], snapshot: &Snapshot<'_>) -> Vec<Vec<u16>> {
    let parameters = snapshot.parameters;
    // Without subsets the lists are all there is.
    let wanted =
        |places: &[u16]| !parameters.subsets || places.iter().any(|place| !is_chosen[usize::from(*place)]);
    if parameters.subsets && is_chosen.iter().all(|chosen| *chosen) {
        return Vec::new();
    }
    let mut found: BTreeSet<Vec<u16>> = BTreeSet::new();
    // A purchase and the same cut to the cash are one candidate to a pattern. Subsets try both; where there are none,
    // everything is generated once with the whole purchases and once with the cut ones.
    let has_cut = kept.iter().any(|one| has_twin(kept, one, Ordering::Less));
    for cut in [false, true].into_iter().take(if has_cut && !parameters.subsets { 2 } else { 1 }) {
        let generated = generated(kept, cut, snapshot);
        found.extend(generated.into_iter().filter(|places| wanted(places)));
    }
    found.into_iter().collect()
}

/// What patterns and generators make of the candidates: with the whole purchases, or with those that are cut to the cash.
fn generated(kept: &[Proposal], cut: bool, snapshot: &Snapshot<'_>) -> BTreeSet<Vec<u16>> {
    let parameters = snapshot.parameters;
    let (lists, securities) = numbered(kept, cut);
    let needs = needs(&securities, snapshot);
    let cash = Fine::from(snapshot.cash);
    let ground = Ground { lists: &lists, cash, joined: Joined::ByPriority, needs: &needs, keeps_place: true };
    let belongs = |security: u16| belongs(securities.get(usize::from(security)).copied(), snapshot);
    let mut found = BTreeSet::new();
    for depth in 1..=parameters.max_depth {
        let mut all: Vec<Vec<Item>> = Vec::new();
        for (pattern, _) in parameters.patterns.iter().filter(|(_, deepest)| depth <= **deepest) {
            all.extend(sequences(*pattern, ground, depth));
        }
        if let Some(combinations) = &parameters.combinations {
            let limits = generators::Limits::of_depth(depth, combinations);
            let mut draws = Draws::of(&snapshot.state.state_id, depth);
            all.extend(generators::combinations(&lists.flat(), limits, Some(&belongs), &mut draws));
        }
        if !parameters.subsets {
            let beginnings = generators::prefixes(&all, depth);
            all.extend(beginnings);
        }
        for sequence in all.into_iter().filter(|sequence| is_free_of_repeats(sequence)) {
            let mut places: Vec<u16> = sequence.iter().map(|item| item.id).collect();
            places.sort_unstable();
            found.insert(places);
        }
    }
    found
}

/// Whether a candidate is there a second time, this much smaller or larger.
fn has_twin(kept: &[Proposal], one: &Proposal, other_is: Ordering) -> bool {
    let same = |other: &&Proposal| (other.isin, other.side) == (one.isin, one.side);
    kept.iter().filter(same).any(|other| other.quantity.cmp(&one.quantity) == other_is)
}

/// The candidates as patterns see them, and the securities by their numbers. Of a purchase that is there whole and cut to
/// the cash, they see the one asked for.
fn numbered(kept: &[Proposal], cut: bool) -> (Lists, Vec<Isin>) {
    let mut securities: Vec<Isin> = kept.iter().map(|one| one.isin).collect();
    securities.sort();
    securities.dedup();
    let item = |(id, one): (u16, &Proposal)| Item {
        id,
        security: securities
            .binary_search(&one.isin)
            .ok()
            .and_then(|at| u16::try_from(at).ok())
            .unwrap_or(u16::MAX),
        side: if one.side == Side::Buy { limits::Side::Buy } else { limits::Side::Sell },
        value: one.worth(),
        priority: one.priority,
    };
    let unseen = |one: &Proposal| has_twin(kept, one, if cut { Ordering::Less } else { Ordering::Greater });
    let lists = Category::ALL.map(|category| {
        let of_it = (0_u16..).zip(kept).filter(|(_, one)| one.category == category && !unseen(one));
        let of_it = of_it.map(item).collect();
        crate::lists::by_priority(of_it)
    });
    (Lists::new(lists), securities)
}

fn belongs(isin: Option<Isin>, snapshot: &Snapshot<'_>) -> Belongs {
    let security = isin.and_then(|isin| snapshot.security(isin));
    let Some(security) = security else { return Belongs::default() };
    let industries = groups::names(None, security.industry.as_deref());
    let named = industries.filter(|(kind, name, _)| *kind == Kind::Industry && *name != groups::OTHER);
    Belongs {
        country: security.country.clone(),
        industries: named.map(|(_, name, _)| name.to_string()).collect(),
    }
}

/// The groups that lack something, and who belongs to them.
fn needs(securities: &[Isin], snapshot: &Snapshot<'_>) -> Needs {
    let gaps = |kind: Kind| -> Vec<(String, f64)> {
        if let Some(groups) = &snapshot.target_groups {
            return groups.gaps(kind).map(|gap| (gap.name, -gap.over)).collect();
        }
        let names = snapshot.groups.all(kind).map(|(name, _)| name.to_string());
        names.filter_map(|name| Some((name.clone(), -snapshot.groups.gap(kind, &name)?.over))).collect()
    };
    let numbered = || (0_u16..).zip(securities);
    let country = |isin: Isin| match &snapshot.target_groups {
        Some(groups) => groups.country(isin).map(str::to_string),
        None => snapshot.security(isin).and_then(|security| security.country.clone()),
    };
    let industries = |isin: Isin| match &snapshot.target_groups {
        Some(groups) => groups.names(isin, Kind::Industry).map(str::to_string).collect(),
        None => belongs(Some(isin), snapshot).industries,
    };
    Needs {
        countries: lacking(gaps(Kind::Country), 0.02),
        industries: lacking(gaps(Kind::Industry), 0.01),
        country_of: numbered().filter_map(|(n, isin)| Some((n, country(*isin)?))).collect(),
        industries_of: numbered().map(|(n, isin)| (n, industries(*isin))).collect(),
    }
}

/// Only the candidates that some sequence needs stay; everything else is left out with a reason.
fn finish(
    kept: Vec<Proposal>,
    is_chosen: &[bool],
    further: Vec<Vec<u16>>,
    mut not: BTreeMap<Isin, LeftOut>,
    snapshot: &Snapshot<'_>,
) -> Pool {
    let is_needed =
        |place: usize| is_chosen[place] || further.iter().flatten().any(|at| usize::from(*at) == place);
    let mut places: BTreeMap<u16, u16> = BTreeMap::new();
    let (mut candidates, mut pool) = (Vec::new(), Vec::new());
    for (place, one) in kept.into_iter().enumerate() {
        let (Ok(from), Ok(to)) = (u16::try_from(place), u16::try_from(candidates.len())) else { break };
        if !is_needed(place) {
            let text = "Better candidates fill the pool.".to_string();
            not.insert(one.isin, LeftOut { isin: one.isin, code: "pool_full".into(), text });
            continue;
        }
        places.insert(from, to);
        if is_chosen[place] {
            pool.push(to);
        }
        candidates.push(one.candidate());
    }
    let moved =
        |sequence: &Vec<u16>| sequence.iter().filter_map(|place| places.get(place).copied()).collect();
    let further = further.iter().map(moved).collect();
    not.retain(|isin, _| candidates.iter().all(|candidate: &Candidate| candidate.isin != *isin));
    for left_out in &snapshot.left_out {
        not.insert(left_out.isin, left_out.clone());
    }
    Pool { candidates, pool, further, left_out: not.into_values().collect() }
}

fn by_priority(one: &Proposal, other: &Proposal) -> Ordering {
    let order = other.priority.total_cmp(&one.priority).then_with(|| other.tie.total_cmp(&one.tie));
    // `Sell` is the greater side.
    let order = order.then_with(|| one.isin.cmp(&other.isin)).then_with(|| other.side.cmp(&one.side));
    order.then_with(|| other.quantity.cmp(&one.quantity))
}

fn in_order(one: &Proposal, other: &Proposal) -> Ordering {
    other.side.cmp(&one.side).then_with(|| by_priority(one, other))
}
