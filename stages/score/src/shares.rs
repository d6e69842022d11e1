//! What the fund holds and wants, by country and industry; shares of everything including cash.
//!
//! A security belongs where the targets place it, with the part of it that they name: their groups are the owner's. What
//! they do not place belongs to its country and, in equal parts, to each of its industries, as the universe words them. A
//! group is wanted as much as its target says, or as its securities together, and held as much as its members' parts of
//! what is held.

use std::collections::BTreeMap;

use contracts::{GroupKind, PortfolioState, Security, TargetWeights, Universe};
use formulas::fit;
use market::Isin;

/// A country or an industry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    kind: GroupKind,
    /// A group of the targets; otherwise a word of the universe.
    is_group: bool,
    name: String,
}

/// Places with the part of a security that belongs to each.
type Places = Vec<(Place, f64)>;

/// What the fund holds and wants.
#[derive(Debug, Clone, Default)]
pub struct Shares {
    held: BTreeMap<Place, f64>,
    wanted: BTreeMap<Place, f64>,
    groups: BTreeMap<Isin, Places>,
    knows_targets: bool,
    nav: Option<f64>,
}

impl Shares {
    /// Adds up values and targets.
    #[must_use]
    pub fn new(
        state: Option<&PortfolioState>,
        targets: Option<&TargetWeights>,
        universe: &Universe,
    ) -> Shares {
        let mut shares = Shares { knows_targets: targets.is_some(), ..Shares::default() };
        shares.nav = state.and_then(|state| state.nav).map(|nav| nav.to_f64()).filter(|nav| *nav > 0.0);
        shares.place(targets);
        let nav = shares.nav.unwrap_or(f64::INFINITY);
        for position in state.into_iter().flat_map(|state| &state.positions) {
            let value = position.value_eur.map_or(0.0, |value| value.to_f64());
            let groups = shares.groups.get(&position.isin).cloned().unwrap_or_default();
            let words = universe.find(&position.isin).map(words).unwrap_or_default();
            for (place, part) in groups.into_iter().chain(words) {
                *shares.held.entry(place).or_insert(0.0) += part * value / nav;
            }
        }
        for target in targets.into_iter().flat_map(|targets| &targets.weights) {
            for (place, part) in universe.find(&target.isin).map(words).unwrap_or_default() {
                *shares.wanted.entry(place).or_insert(0.0) += part * target.weight_e6.to_f64();
            }
        }
        shares
    }

    /// Takes the groups of the targets over.
    fn place(&mut self, targets: Option<&TargetWeights>) {
        for group in targets.into_iter().flat_map(|targets| &targets.groups) {
            let kinds = [GroupKind::Country, GroupKind::Industry];
            let Some(kind) = kinds.into_iter().find(|kind| kind.name() == group.kind) else { continue };
            let place = Place { kind, is_group: true, name: group.name.clone() };
            let wanted = group.target_e6.filter(|target| target.e6() > 0).unwrap_or(group.value_e6);
            self.wanted.insert(place.clone(), wanted.to_f64());
            for (isin, part) in &group.members {
                self.groups.entry(*isin).or_default().push((place.clone(), part.get()));
            }
        }
    }

    /// Value of everything in EUR, where it is known.
    pub(crate) fn nav(&self) -> Option<f64> {
        self.nav
    }

    /// How much of the fund the places of a security are, each with the part of the security that belongs there.
    pub(crate) fn held(&self, security: &Security, kind: GroupKind) -> Vec<(f64, f64)> {
        let share = |place: &Place| self.held.get(place).copied().unwrap_or(0.0);
        self.places(security, kind).iter().map(|(place, part)| (share(place), *part)).collect()
    }

    /// How well the places of a security fit, 0.1 to 0.9; neutral where it has none, unknown without targets or a value.
    pub(crate) fn fit(&self, security: &Security, kind: GroupKind) -> Option<f64> {
        if !self.knows_targets || self.nav.is_none() {
            return None;
        }
        let (mut sum, mut all) = (0.0, 0.0);
        for (place, part) in self.places(security, kind) {
            let share = |of: &BTreeMap<Place, f64>| of.get(&place).copied().unwrap_or(0.0);
            sum += part * fit::place(fit::gap(share(&self.wanted), share(&self.held))?)?;
            all += part;
        }
        Some(if all > 0.0 { sum / all } else { 0.5 })
    }

    fn places(&self, security: &Security, kind: GroupKind) -> Places {
        let of_kind = |places: &Places| -> Places {
            places.iter().filter(|(place, _)| place.kind == kind).cloned().collect()
        };
        let groups = self.groups.get(&security.isin).map(of_kind).unwrap_or_default();
        if groups.is_empty() { of_kind(&words(security)) } else { groups }
    }
}

/// Country and industries as the universe words them.
fn words(security: &Security) -> Places {
    let country = security.country.iter().map(|name| (GroupKind::Country, name.as_str(), 1.0));
    let industries: Vec<&str> = security
        .industry
        .iter()
        .flat_map(|text| text.split(','))
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect();
    // A handful at most.
    #[allow(clippy::cast_precision_loss)]
    let part = 1.0 / industries.len() as f64;
    let industries = industries.into_iter().map(|name| (GroupKind::Industry, name, part));
    let place = |kind, name: &str| Place { kind, is_group: false, name: name.into() };
    country.chain(industries).map(|(kind, name, part)| (place(kind, name), part)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::{Finite, Position, Sample, TargetGroup, TargetWeight};
    use money::{Currency, Money, Weight};

    use super::*;

    fn isin(number: u32) -> Isin {
        Isin::with_check_digit(&format!("DE{number:09}")).unwrap()
    }

    fn security(number: u32, country: &str, industry: &str) -> Security {
        let (country, industry) = (Some(country.into()), Some(industry.into()));
        Security { isin: isin(number), country, industry, ..Security::sample() }
    }

    fn eur(units: i64) -> Option<Money> {
        Money::from_units(units, Currency::EUR).ok()
    }

    fn holding(values: &[(u32, i64)]) -> PortfolioState {
        let sample = PortfolioState::sample();
        let position = |(number, value): &(u32, i64)| Position {
            isin: isin(*number),
            value_eur: eur(*value),
            ..sample.positions[0].clone()
        };
        PortfolioState {
            nav: eur(10_000),
            positions: values.iter().map(position).collect(),
            ..sample.clone()
        }
    }

    fn group(kind: &str, name: &str, target: Option<i64>, members: &[(u32, f64)]) -> TargetGroup {
        TargetGroup {
            kind: kind.into(),
            name: name.into(),
            members: members
                .iter()
                .map(|(number, part)| (isin(*number), Finite::new(*part).unwrap()))
                .collect(),
            target_e6: target.map(|e6| Weight::from_e6(e6).unwrap()),
            value_e6: Weight::from_e6(200_000).unwrap(),
            ..TargetWeights::sample().groups[0].clone()
        }
    }

    fn targets(groups: Vec<TargetGroup>, weights: &[(u32, i64)]) -> TargetWeights {
        let sample = TargetWeights::sample();
        let weight = |(number, e6): &(u32, i64)| TargetWeight {
            isin: isin(*number),
            weight_e6: Weight::from_e6(*e6).unwrap(),
            ..sample.weights[0].clone()
        };
        TargetWeights { groups, weights: weights.iter().map(weight).collect(), ..sample.clone() }
    }

    fn near(found: Option<f64>, expected: f64) {
        assert!(found.is_some_and(|found| (found - expected).abs() < 1e-12), "{found:?} {expected}");
    }

    #[test]
    fn the_owners_groups_say_what_is_wanted_and_held_of_a_place() {
        let all = [security(1, "DE", "Software, Banks"), security(2, "FR", "Banks")];
        let universe = Universe { securities: all.to_vec() };
        let targets = targets(
            vec![
                group("country", "EU", Some(500_000), &[(1, 1.0), (2, 1.0)]),
                group("industry", "Tech", None, &[(1, 0.5)]),
                group("industry", "Money", Some(0), &[(1, 0.5), (2, 1.0)]),
            ],
            &[],
        );
        let shares = Shares::new(Some(&holding(&[(1, 1_000), (2, 2_000)])), Some(&targets), &universe);
        // EU: 0.30 held of 0.50 wanted, a gap of 0.4.
        near(shares.fit(&all[0], GroupKind::Country), 0.5 + 0.4 * 0.4);
        // Tech: 0.05 of 0.20, a gap of 0.75; Money: 0.25 of 0.20, one of -0.25.
        near(shares.fit(&all[0], GroupKind::Industry), 0.5 + 0.4 * (0.75 - 0.25) / 2.0);
        assert_eq!(shares.held(&all[0], GroupKind::Industry), [(0.05, 0.5), (0.25, 0.5)]);
        near(shares.fit(&all[1], GroupKind::Industry), 0.5 - 0.4 * 0.25);
    }

    #[test]
    fn what_the_targets_do_not_place_belongs_to_its_country_and_each_of_its_industries() {
        let all = [security(1, "DE", "Software, Banks,"), security(2, "DE", "Banks")];
        let universe = Universe { securities: all.to_vec() };
        let targets = targets(vec![], &[(1, 200_000), (2, 100_000)]);
        let shares = Shares::new(Some(&holding(&[(1, 1_000), (2, 500)])), Some(&targets), &universe);
        near(shares.fit(&all[0], GroupKind::Country), 0.5 + 0.4 * 0.5);
        assert_eq!(shares.held(&all[0], GroupKind::Industry), [(0.05, 0.5), (0.1, 0.5)]);
        near(shares.fit(&all[0], GroupKind::Industry), 0.5 + 0.4 * 0.5);
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        let one = security(1, "DE", "Banks");
        let universe = Universe { securities: vec![one.clone()] };
        let said = targets(vec![], &[(1, 200_000)]);
        let worthless = PortfolioState { nav: None, ..holding(&[(1, 1_000)]) };
        assert_eq!(Shares::new(Some(&worthless), Some(&said), &universe).fit(&one, GroupKind::Country), None);
        let without = Shares::new(Some(&holding(&[(1, 1_000)])), None, &universe);
        assert_eq!(without.fit(&one, GroupKind::Country), None);
        let nowhere = Security { country: None, industry: None, ..one };
        let shares = Shares::new(Some(&holding(&[])), Some(&said), &universe);
        near(shares.fit(&nowhere, GroupKind::Industry), 0.5);
        assert!(shares.held(&nowhere, GroupKind::Country).is_empty());
    }
}
