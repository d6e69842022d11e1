//! The context of a run as it is published, and its id.
//!
//! A security's constants come from its score; what the score does not say is neutral (one half, a yield of nothing).
//! Country groups are what the score's diversification is measured against, by invested value; countries and industries
//! have limits against the whole fund. A security without a country or an industry is in no such limit: a broad fund is
//! not one country.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};
use thiserror::Error;

use contracts::{
    Candidate, Concentration, Finite, Holding, Membership, PlanContext, PlanGroup, ScoreConstants,
    SecurityScore, Side, SpendableCash,
};
use market::{Isin, Timestamp};
use money::{Currency, Money, MoneyError, Rounding, Weight};

use crate::{correlation, facts::CORE, limits::HOLDINGS_MAX, snapshot::Snapshot, terms::Terms};

/// Bytes that the envelope around a context may take.
const ENVELOPE_BYTES: usize = 1_024;
/// `max_bytes` of `plan/context`.
const CONTEXT_BYTES_MAX: usize = 65_536;
/// What a score does not say: neither good nor bad.
const NEUTRAL: f64 = 0.5;
/// Group of what has no country.
const OTHER: &str = "OTHER";

/// Why no context can be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoContext {
    /// Too many holdings for one statement.
    #[error("{0} securities do not fit into one planning context; at most {HOLDINGS_MAX} do")]
    TooMany(usize),
    /// Too large for the bus.
    #[error(
        "the planning context has {0} bytes, which is more than plan/context allows; deactivate securities"
    )]
    TooLarge(usize),
    /// A sum does not fit.
    #[error("the holdings cannot be added up: {0}")]
    Arithmetic(#[source] MoneyError),
}

/// What a context is made of.
#[derive(Debug)]
pub struct Ground<'a> {
    /// What is true.
    pub snapshot: &'a Snapshot<'a>,
    /// What could be done, in the order of execution.
    pub candidates: Vec<Candidate>,
    /// The candidates of which every subset is tried.
    pub pool: Vec<u16>,
    /// By what sequences are judged.
    pub terms: &'a Terms,
    /// When; part of the context's identity.
    pub at: Timestamp,
}

/// Makes the context of a run.
///
/// # Errors
/// [`NoContext`].
pub fn make(ground: Ground<'_>) -> Result<PlanContext, NoContext> {
    let Ground { snapshot, candidates, pool, terms, at } = ground;
    let held = snapshot.state.positions.iter().map(|position| position.isin);
    let all: BTreeSet<Isin> = held.chain(candidates.iter().map(|candidate| candidate.isin)).collect();
    if all.len() > HOLDINGS_MAX {
        return Err(NoContext::TooMany(all.len()));
    }
    let mut places = Places::of(snapshot, &all);
    let holdings = all.iter().map(|isin| holding(snapshot, &places, *isin)).collect::<Result<_, _>>()?;
    let mut context = PlanContext {
        bucket_id: CORE.into(),
        context_id: String::new(),
        state_id: snapshot.state.state_id.clone(),
        at,
        config_hash: terms.hash.clone(),
        cash: cash(snapshot, &candidates),
        total_eur: snapshot.total,
        nav_eur: snapshot.state.nav.unwrap_or(snapshot.total),
        weights: terms.profile.weights(),
        costs: terms.costs,
        groups: std::mem::take(&mut places.groups),
        concentrations: places.concentrations(snapshot, terms)?,
        holdings,
        apart: apart(snapshot, &candidates),
        candidates,
        pool,
    };
    let bytes = encoded(&context);
    if bytes.len() > CONTEXT_BYTES_MAX - ENVELOPE_BYTES {
        return Err(NoContext::TooLarge(bytes.len()));
    }
    context.context_id = id_of(&bytes);
    Ok(context)
}

/// Pairs of purchases whose correlation is above the limit. Only the pairs that the targets name are known; others pass.
fn apart(snapshot: &Snapshot<'_>, candidates: &[Candidate]) -> Vec<[u16; 2]> {
    let Some(limit) = snapshot.parameters.correlation_max else { return Vec::new() };
    // A purchase may stand there twice: whole, and cut to the cash there is.
    let bought = |isin: Isin| {
        let numbered = (0_u16..).zip(candidates);
        numbered.filter(move |(_, one)| one.isin == isin && one.side == Side::Buy).map(|(at, _)| at)
    };
    let alike = snapshot.alike().filter(|pair| {
        let rho = |_: u16, _: u16| Some(pair.correlation.get());
        !correlation::passes(&[0, 1], limit, rho)
    });
    alike
        .flat_map(|pair| {
            bought(pair.first).flat_map(move |one| bought(pair.second).map(move |other| [one, other]))
        })
        .collect()
}

/// What may be spent of each currency that there is cash in or something to trade in, and on what terms more is had.
fn cash(snapshot: &Snapshot<'_>, candidates: &[Candidate]) -> Vec<SpendableCash> {
    let mut all: Vec<(Currency, Money)> = snapshot.purses.all().collect();
    for candidate in candidates {
        if all.iter().all(|(ccy, _)| *ccy != candidate.ccy) {
            all.push((candidate.ccy, Money::zero(Currency::EUR)));
        }
    }
    // EUR first, then by code, whatever the candidates' order.
    all.sort_by_key(|(ccy, _)| (*ccy != Currency::EUR, *ccy));
    all.into_iter()
        .map(|(ccy, value_eur)| SpendableCash { ccy, value_eur, exchange: snapshot.exchange(ccy) })
        .collect()
}

/// The same content at another time, which makes it another context.
#[must_use]
pub fn at(context: PlanContext, at: Timestamp) -> PlanContext {
    let mut moved = PlanContext { at, context_id: String::new(), ..context };
    moved.context_id = id_of(&encoded(&moved));
    moved
}

/// Whether two contexts say the same, apart from when they were made.
#[must_use]
pub fn same_content(one: &PlanContext, other: &PlanContext) -> bool {
    let plain = |context: &PlanContext| PlanContext {
        context_id: String::new(),
        at: Timestamp::ZERO,
        ..context.clone()
    };
    plain(one) == plain(other)
}

fn holding(snapshot: &Snapshot<'_>, places: &Places, isin: Isin) -> Result<Holding, NoContext> {
    let here = snapshot.state.positions.iter().filter(|one| one.isin == isin && one.bucket_id == CORE);
    let value_eur = sum(here.filter_map(|position| position.value_eur))?;
    let elsewhere = sum(elsewhere(snapshot, isin))?;
    let most = snapshot.max_share(isin);
    let limit = snapshot.total.share(most, Rounding::Down).and_then(|most| most.checked_sub(elsewhere));
    Ok(Holding {
        isin,
        value_eur,
        target_e6: snapshot.target(isin),
        constants: constants(snapshot.full_score(isin)),
        group: places.group.get(&isin).copied(),
        counts_in: places.counts_in.get(&isin).cloned().unwrap_or_default(),
        limit_eur: limit.map_err(NoContext::Arithmetic)?,
    })
}

/// What other buckets hold of a security.
fn elsewhere<'a>(snapshot: &'a Snapshot<'_>, isin: Isin) -> impl Iterator<Item = Money> + 'a {
    let positions = snapshot.state.positions.iter();
    positions.filter(move |one| one.isin == isin && one.bucket_id != CORE).filter_map(|one| one.value_eur)
}

fn sum(amounts: impl Iterator<Item = Money>) -> Result<Money, NoContext> {
    Money::checked_sum(Currency::EUR, amounts).map_err(NoContext::Arithmetic)
}

/// The constants of a security in the end-state score.
#[must_use]
pub fn constants(score: Option<&SecurityScore>) -> ScoreConstants {
    let neutral = Finite::new(NEUTRAL).unwrap_or(Finite::ZERO);
    let input = |name: &str| score.and_then(|score| score.inputs.get(name)).copied();
    ScoreConstants {
        total_return: score.map_or(neutral, |score| score.end.total_return),
        promise: score.map_or(neutral, |score| score.end.promise),
        stability: score.map_or(neutral, |score| score.end.stability),
        dividend_yield: input("dividend_yield").unwrap_or(Finite::ZERO),
        quality: score.and_then(|score| score.quality).unwrap_or(neutral),
    }
}

/// Where each security stands in the tables of groups and concentrations.
#[derive(Debug, Default)]
struct Places {
    groups: Vec<PlanGroup>,
    group: BTreeMap<Isin, u16>,
    names: Vec<(&'static str, String)>,
    counts_in: BTreeMap<Isin, Vec<Membership>>,
}

impl Places {
    fn of(snapshot: &Snapshot<'_>, all: &BTreeSet<Isin>) -> Places {
        let mut places = Places::default();
        let targets = group_targets(snapshot);
        let mut names: BTreeSet<String> = targets.keys().cloned().collect();
        names.extend(all.iter().map(|isin| group_of(snapshot, *isin)));
        let names: Vec<String> = names.into_iter().collect();
        for isin in all {
            let group = group_of(snapshot, *isin);
            let place = names.binary_search(&group).ok().and_then(|place| u16::try_from(place).ok());
            places.group.extend(place.map(|place| (*isin, place)));
            places.count(*isin, snapshot);
        }
        places.groups = names
            .into_iter()
            .map(|name| PlanGroup { target_e6: targets.get(&name).copied(), name })
            .collect();
        places
    }

    fn count(&mut self, isin: Isin, snapshot: &Snapshot<'_>) {
        let Some(security) = snapshot.security(isin) else { return };
        let mut memberships = Vec::new();
        for country in security.country.iter().filter(|name| !name.trim().is_empty()) {
            memberships.extend(self.member("country", country.trim(), Weight::SCALE));
        }
        let industries: Vec<&str> = parts(security.industry.as_deref()).collect();
        let share = Weight::SCALE / i64::try_from(industries.len().max(1)).unwrap_or(1);
        for industry in industries {
            memberships.extend(self.member("industry", industry, share));
        }
        self.counts_in.insert(isin, memberships);
    }

    fn member(&mut self, kind: &'static str, name: &str, share_e6: i64) -> Option<Membership> {
        let known = self.names.iter().position(|(other, known)| *other == kind && known == name);
        let place = known.unwrap_or_else(|| {
            self.names.push((kind, name.to_string()));
            self.names.len() - 1
        });
        Some(Membership { place: u16::try_from(place).ok()?, share_e6: Weight::from_e6(share_e6).ok()? })
    }

    fn concentrations(
        &self,
        snapshot: &Snapshot<'_>,
        terms: &Terms,
    ) -> Result<Vec<Concentration>, NoContext> {
        let mut held = vec![Money::zero(Currency::EUR); self.names.len()];
        for (isin, memberships) in &self.counts_in {
            let value = sum(elsewhere(snapshot, *isin))?;
            for one in memberships {
                let part = value.share(one.share_e6, Rounding::Up).map_err(NoContext::Arithmetic)?;
                let held = &mut held[usize::from(one.place)];
                *held = held.checked_add(part).map_err(NoContext::Arithmetic)?;
            }
        }
        Ok(self
            .names
            .iter()
            .zip(held)
            .map(|((kind, name), elsewhere_eur)| Concentration {
                kind: (*kind).to_string(),
                name: name.clone(),
                elsewhere_eur,
                limit_e6: if *kind == "country" { terms.country_max } else { terms.industry_max },
            })
            .collect())
    }
}

/// A security's country group: that of the targets, or its country where they name no groups.
fn group_of(snapshot: &Snapshot<'_>, isin: Isin) -> String {
    if let Some(groups) = &snapshot.target_groups {
        return groups.country(isin).unwrap_or(OTHER).to_string();
    }
    let country = snapshot.security(isin).and_then(|security| security.country.as_deref());
    country.map(str::trim).filter(|name| !name.is_empty()).unwrap_or(OTHER).to_string()
}

/// What the targets name; otherwise a group should be what they want of its members, as a share of all targets.
fn group_targets(snapshot: &Snapshot<'_>) -> BTreeMap<String, Weight> {
    if let Some(groups) = &snapshot.target_groups {
        return groups.country_targets().map(|(name, target)| (name.to_string(), target)).collect();
    }
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    for one in snapshot.weights().filter(|one| one.weight_e6.e6() > 0) {
        *sums.entry(group_of(snapshot, one.isin)).or_default() += one.weight_e6.e6();
    }
    let all: i64 = sums.values().sum();
    let share = |sum: i64| {
        let share =
            money::multiply_divide(sum.into(), Weight::SCALE.into(), all.into(), Rounding::HalfEven).ok()?;
        Weight::from_e6(i64::try_from(share).ok()?).ok()
    };
    sums.into_iter().filter_map(|(name, sum)| Some((name, share(sum)?))).collect()
}

fn parts(industries: Option<&str>) -> impl Iterator<Item = &str> {
    industries.into_iter().flat_map(|text| text.split(',')).map(str::trim).filter(|name| !name.is_empty())
}

fn encoded(context: &PlanContext) -> Vec<u8> {
    rmp_serde::to_vec_named(context).expect("plain fields always have a MessagePack form")
}

/// SHA-256 over a label, a version and the body without its id; the first 16 bytes in hexadecimal.
fn id_of(body: &[u8]) -> String {
    let hash = Sha256::new().chain_update(b"steward-context").chain_update([1]).chain_update(body).finalize();
    hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use contracts::Sample;

    use super::*;

    #[test]
    fn an_id_is_the_hash_of_label_version_and_body() {
        // printf 'steward-context\\x01abc' | sha256sum
        assert_eq!(id_of(b"abc"), EXPECTED);
    }

    const EXPECTED: &str = "fe553d89d9dc87094f797186368413ed";

    #[test]
    fn time_alone_is_no_content_and_a_price_is() {
        let one = PlanContext::sample();
        let later = PlanContext { at: Timestamp::ZERO, context_id: "x".into(), ..one.clone() };
        assert!(same_content(&one, &later));
        let mut dearer = one.clone();
        dearer.candidates[0].price_e6 = money::Price::ZERO;
        assert!(!same_content(&one, &dearer));
    }

    #[test]
    fn what_a_score_does_not_say_is_neutral() {
        let unknown = constants(None);
        assert_eq!(unknown.total_return.get().to_bits(), NEUTRAL.to_bits());
        assert_eq!(unknown.dividend_yield, Finite::ZERO);
    }
}
