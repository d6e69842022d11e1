//! The groups that the targets name: which securities belong to them, and how much of the invested value each should be.
//!
//! A group's target is what the owner wants of it, otherwise what the new targets make of it; both as a share of what is
//! invested. A security without a group belongs to none that could be too much or too little. Targets without groups leave
//! it to [`crate::groups`], which adds up countries and industries themselves.
//!
//! Worked example: EU should be 50 %. Of 10 000 EUR invested, 6 000 are in members of EU: it is 10 % or 1 000 EUR over.

use std::collections::BTreeMap;

use contracts::TargetWeights;
use limits::Fine;
use market::Isin;
use money::{Money, Rounding, Weight};

use crate::groups::{Gap, Kind, ratio};

/// One group.
#[derive(Debug, Clone, PartialEq)]
struct Group {
    kind: Kind,
    name: String,
    /// Of what is invested.
    target: Fine,
    /// What is held of its members.
    value: Fine,
}

/// All groups of the targets.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetGroups {
    groups: Vec<Group>,
    /// Places of each security's groups, and how much of it belongs there.
    of: BTreeMap<Isin, Vec<(usize, Fine)>>,
    invested: Fine,
}

impl TargetGroups {
    /// The groups with what is held of them; `None` if the targets name no groups of countries.
    #[must_use]
    pub fn of(targets: &TargetWeights, held: &[(Isin, Money)]) -> Option<TargetGroups> {
        let invested_target: i64 = targets.weights.iter().map(|one| one.weight_e6.e6()).sum();
        let mut all = TargetGroups { groups: Vec::new(), of: BTreeMap::new(), invested: Fine::ZERO };
        for group in &targets.groups {
            let kind = match group.kind.as_str() {
                "country" => Kind::Country,
                "industry" => Kind::Industry,
                _ => continue,
            };
            let of_fund = |value: Weight| {
                let share = money::multiply_divide(
                    value.e6().into(),
                    Fine::SCALE,
                    invested_target.max(1).into(),
                    Rounding::HalfEven,
                );
                share.map_or(Fine::ZERO, |share| Fine::from_e12(share.clamp(0, Fine::SCALE)))
            };
            let target = group.target_e6.map_or_else(|| of_fund(group.value_e6), Fine::from);
            for (isin, part) in &group.members {
                let part = part_of(part.get());
                all.of.entry(*isin).or_default().push((all.groups.len(), part));
            }
            all.groups.push(Group { kind, name: group.name.clone(), target, value: Fine::ZERO });
        }
        all.groups.iter().any(|group| group.kind == Kind::Country).then(|| all.with(held))
    }

    fn with(mut self, held: &[(Isin, Money)]) -> TargetGroups {
        for (isin, value) in held.iter().filter(|(_, value)| value.is_positive()) {
            let value = Fine::from(*value);
            self.invested = plus(self.invested, value);
            for (place, part) in self.of.get(isin).into_iter().flatten() {
                let part = value.times(*part, Rounding::HalfEven).unwrap_or(Fine::ZERO);
                self.groups[*place].value = plus(self.groups[*place].value, part);
            }
        }
        self
    }

    /// The largest gap among the groups of a security; `over` asks for the most overweight, otherwise the most
    /// underweight. `None` while there is nothing to compare.
    #[must_use]
    pub fn widest(&self, isin: Isin, over: bool) -> Option<Gap> {
        let sign = if over { 1.0 } else { -1.0 };
        let gaps = self.of.get(&isin).into_iter().flatten().filter_map(|(place, _)| self.gap(*place));
        gaps.max_by(|one, other| {
            (one.over * sign).total_cmp(&(other.over * sign)).then_with(|| other.name.cmp(&one.name))
        })
    }

    fn gap(&self, place: usize) -> Option<Gap> {
        let group = self.groups.get(place)?;
        if self.invested.e12() <= 0 {
            return None;
        }
        let wanted = self.invested.times(group.target, Rounding::HalfEven).ok()?;
        let over_eur = Fine::from_e12(group.value.e12().saturating_sub(wanted.e12()));
        Some(Gap { name: group.name.clone(), over: ratio(over_eur, self.invested), over_eur })
    }

    /// All groups of one kind with their gaps.
    pub fn gaps(&self, kind: Kind) -> impl Iterator<Item = Gap> {
        let places = (0..self.groups.len()).filter(move |place| self.groups[*place].kind == kind);
        places.filter_map(|place| self.gap(place))
    }

    /// The country group that most of a security belongs to.
    #[must_use]
    pub fn country(&self, isin: Isin) -> Option<&str> {
        let of = self.of.get(&isin)?.iter().filter(|(place, _)| self.groups[*place].kind == Kind::Country);
        let (place, _) = of.max_by(|(a, one), (b, other)| one.cmp(other).then_with(|| b.cmp(a)))?;
        Some(&self.groups[*place].name)
    }

    /// The names of a security's groups of one kind.
    pub fn names(&self, isin: Isin, kind: Kind) -> impl Iterator<Item = &str> {
        let of = self.of.get(&isin).into_iter().flatten();
        let groups = of.map(|(place, _)| &self.groups[*place]);
        groups.filter(move |group| group.kind == kind).map(|group| group.name.as_str())
    }

    /// Every country group with its target.
    pub fn country_targets(&self) -> impl Iterator<Item = (&str, Weight)> {
        let countries = self.groups.iter().filter(|group| group.kind == Kind::Country);
        countries.filter_map(|group| {
            let e6 = i64::try_from(group.target.e12() / (Fine::SCALE / 1_000_000)).ok()?;
            Some((group.name.as_str(), Weight::from_e6(e6).ok()?))
        })
    }
}

fn plus(one: Fine, other: Fine) -> Fine {
    Fine::from_e12(one.e12().saturating_add(other.e12()))
}

/// A part from 0 to 1.
#[allow(clippy::as_conversions, clippy::cast_possible_truncation)] // Clamped before.
fn part_of(part: f64) -> Fine {
    Fine::from_e12((part.clamp(0.0, 1.0) * 1e12).round() as i128)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::{Finite, Sample, TargetGroup, TargetWeight};
    use money::Currency;

    use super::*;

    fn isin(n: i64) -> Isin {
        Isin::with_check_digit(&format!("XB{n:09}")).unwrap()
    }

    fn group(kind: &str, name: &str, members: &[(i64, f64)], target: Option<i64>, value: i64) -> TargetGroup {
        TargetGroup {
            kind: kind.into(),
            name: name.into(),
            members: members.iter().map(|(n, part)| (isin(*n), Finite::new(*part).unwrap())).collect(),
            target_e6: target.map(|e6| Weight::from_e6(e6).unwrap()),
            lower_e6: Weight::ZERO,
            upper_e6: Weight::ONE,
            value_e6: Weight::from_e6(value).unwrap(),
            binding: None,
        }
    }

    fn groups(of: Vec<TargetGroup>) -> Option<TargetGroups> {
        let weight = |n| TargetWeight {
            isin: isin(n),
            weight_e6: Weight::from_e6(400_000).unwrap(),
            ..TargetWeights::sample().weights[0].clone()
        };
        let targets =
            TargetWeights { groups: of, weights: vec![weight(1), weight(2)], ..TargetWeights::sample() };
        let eur = |units| Money::from_units(units, Currency::EUR).unwrap();
        TargetGroups::of(&targets, &[(isin(1), eur(6_000)), (isin(2), eur(4_000))])
    }

    #[test]
    fn a_group_is_over_by_its_share_less_what_the_owner_wants() {
        let groups = groups(vec![group("country", "EU", &[(1, 1.0)], Some(500_000), 0)]).unwrap();
        let gap = groups.widest(isin(1), true).unwrap();
        assert!((gap.over - 0.1).abs() < 1e-12);
        assert_eq!(gap.over_eur, Fine::from_e12(1_000 * Fine::SCALE));
        assert_eq!(groups.widest(isin(2), true), None, "it belongs to no group");
    }

    #[test]
    fn without_a_wish_the_targets_themselves_count_as_a_share_of_what_is_invested() {
        // 40 % of the fund where 80 % is to be invested: one half.
        let groups = groups(vec![group("country", "EU", &[(1, 1.0)], None, 400_000)]).unwrap();
        assert!((groups.widest(isin(1), true).unwrap().over - 0.1).abs() < 1e-12);
        assert_eq!(groups.country_targets().next(), Some(("EU", Weight::from_e6(500_000).unwrap())));
    }

    #[test]
    fn a_security_counts_in_a_group_by_its_part_and_has_the_country_of_its_largest() {
        let groups = groups(vec![
            group("country", "EU", &[(1, 0.25)], Some(100_000), 0),
            group("country", "US", &[(1, 0.75)], Some(500_000), 0),
            group("industry", "Tech", &[(2, 0.5)], Some(300_000), 0),
        ])
        .unwrap();
        assert_eq!(groups.country(isin(1)), Some("US"));
        // 1 500 of 10 000 in EU, 4 500 in US: EU is 5 % over, US 5 % under.
        assert!((groups.widest(isin(1), true).unwrap().over - 0.05).abs() < 1e-12);
        assert!((groups.widest(isin(1), false).unwrap().over + 0.05).abs() < 1e-12);
        assert!((groups.gaps(Kind::Industry).next().unwrap().over + 0.1).abs() < 1e-12);
    }

    #[test]
    fn targets_without_country_groups_leave_it_to_the_countries() {
        assert_eq!(groups(vec![]), None);
        assert_eq!(groups(vec![group("industry", "Tech", &[(1, 1.0)], Some(300_000), 0)]), None);
    }
}
