//! Purchases for the groups that lack most: one sequence by country, one by industry.
//!
//! A country group lacks something when it is more than 2 % under its target, an industry group when it is more than 1 %
//! under. The three widest gaps count. What cannot be paid for is passed over.

use std::collections::{BTreeMap, BTreeSet};

use limits::Fine;

use crate::lists::{Category, Item, Lists};

/// Gaps that count, of each kind.
const GAPS: usize = 3;

/// What groups lack, and who belongs to them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Needs {
    /// Country groups that lack something, widest gap first.
    pub countries: Vec<String>,
    /// Industry groups, likewise.
    pub industries: Vec<String>,
    /// Country group of each security.
    pub country_of: BTreeMap<u16, String>,
    /// Industry groups of each security.
    pub industries_of: BTreeMap<u16, BTreeSet<String>>,
}

/// The groups that lack more than `least`, widest gap first, at most three; equal gaps by name.
#[must_use]
pub fn lacking(gaps: impl IntoIterator<Item = (String, f64)>, least: f64) -> Vec<String> {
    let mut lacking: Vec<(String, f64)> = gaps.into_iter().filter(|(_, gap)| *gap > least).collect();
    lacking.sort_by(|one, other| other.1.total_cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    lacking.into_iter().take(GAPS).map(|(name, _)| name).collect()
}

pub(super) fn sequences(lists: &Lists, cash: Fine, needs: &Needs, depth: usize) -> Vec<Vec<Item>> {
    let buys = lists.join(&[Category::RebalanceBuys, Category::OpportunityBuys]);
    let by_country = fill(&needs.countries, &buys, cash, depth, |item, group| {
        needs.country_of.get(&item.security).is_some_and(|country| country == group)
    });
    let by_industry = fill(&needs.industries, &buys, cash, depth, |item, group| {
        needs.industries_of.get(&item.security).is_some_and(|industries| industries.contains(group))
    });
    [by_country, by_industry].into_iter().filter(|sequence| !sequence.is_empty()).collect()
}

fn fill(
    groups: &[String],
    buys: &[Item],
    mut cash: Fine,
    depth: usize,
    belongs: impl Fn(Item, &str) -> bool,
) -> Vec<Item> {
    let mut taken: Vec<Item> = Vec::new();
    for group in groups {
        for item in buys {
            let known = taken.iter().any(|known| known.id == item.id);
            if taken.len() < depth && item.value <= cash && !known && belongs(*item, group) {
                cash = Fine::from_e12(cash.e12().saturating_sub(item.value.e12()));
                taken.push(*item);
            }
        }
    }
    taken
}
