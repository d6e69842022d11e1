//! How much of the invested value each country and each industry is, and should be.
//!
//! A security without a country or an industry counts as `OTHER`; several industries share it equally. A group's target is
//! the sum of its members' targets, as a share of all targets: what the optimiser wants of its members it wants of the group.
//!
//! Worked example: invested 10 000 EUR, 4 000 of it in France, whose securities have 30 % of all targets: 10 % over.

use std::collections::BTreeMap;

use limits::Fine;
use money::Rounding;

/// What a security without a country or an industry belongs to.
pub const OTHER: &str = "OTHER";

/// Country or industry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Where the business is at home.
    Country,
    /// What it does.
    Industry,
}

/// One security as groups see it.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// Its country.
    pub country: Option<&'a str>,
    /// Its industries, separated by commas.
    pub industry: Option<&'a str>,
    /// What is held of it, in EUR.
    pub value: Fine,
    /// Its target share.
    pub target: Fine,
}

/// One group's value and target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sums {
    value: i128,
    target: i128,
}

/// All groups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Groups {
    sums: BTreeMap<(Kind, String), Sums>,
    invested: i128,
    targets: i128,
}

/// How far a group is from its target.
#[derive(Debug, Clone, PartialEq)]
pub struct Gap {
    /// Name of the group.
    pub name: String,
    /// Share of the invested value less the target: positive is over.
    pub over: f64,
    /// The same in EUR.
    pub over_eur: Fine,
}

impl Groups {
    /// Adds everything up; negative values count as nothing.
    #[must_use]
    pub fn new<'a>(members: impl IntoIterator<Item = Member<'a>>) -> Groups {
        let mut groups = Groups::default();
        for member in members {
            let (value, target) = (member.value.e12().max(0), member.target.e12().max(0));
            groups.invested = groups.invested.saturating_add(value);
            groups.targets = groups.targets.saturating_add(target);
            for (kind, name, parts) in names(member.country, member.industry) {
                let sums = groups.sums.entry((kind, name.to_string())).or_default();
                sums.value = sums.value.saturating_add(value / parts);
                sums.target = sums.target.saturating_add(target / parts);
            }
        }
        groups
    }

    /// Everything invested, in EUR.
    #[must_use]
    pub fn invested(&self) -> Fine {
        Fine::from_e12(self.invested)
    }

    /// The largest gap among the groups of a security; `over` asks for the most overweight, otherwise the most underweight.
    /// `None` while there is nothing to compare.
    #[must_use]
    pub fn widest(&self, country: Option<&str>, industry: Option<&str>, over: bool) -> Option<Gap> {
        let gaps = names(country, industry).filter_map(|(kind, name, _)| self.gap(kind, name));
        let sign = if over { 1.0 } else { -1.0 };
        gaps.max_by(|one, other| {
            (one.over * sign).total_cmp(&(other.over * sign)).then_with(|| other.name.cmp(&one.name))
        })
    }

    /// How far a group is from its target.
    #[must_use]
    pub fn gap(&self, kind: Kind, name: &str) -> Option<Gap> {
        if self.invested <= 0 || self.targets <= 0 {
            return None;
        }
        let sums = self.sums.get(&(kind, name.to_string())).copied().unwrap_or_default();
        let wanted =
            money::multiply_divide(sums.target, self.invested, self.targets, Rounding::HalfEven).ok()?;
        let over_eur = Fine::from_e12(sums.value.saturating_sub(wanted));
        Some(Gap { name: name.to_string(), over: ratio(over_eur, self.invested()), over_eur })
    }

    /// Worth of a group's holdings, in EUR.
    #[must_use]
    pub fn value(&self, kind: Kind, name: &str) -> Fine {
        Fine::from_e12(self.sums.get(&(kind, name.to_string())).map_or(0, |sums| sums.value))
    }

    /// Every group's name and worth of one kind, in order.
    pub fn all(&self, kind: Kind) -> impl Iterator<Item = (&str, Fine)> {
        let of_kind = self.sums.iter().filter(move |((other, _), _)| *other == kind);
        of_kind.map(|((_, name), sums)| (name.as_str(), Fine::from_e12(sums.value)))
    }
}

/// The groups of a security, each with the number of groups of that kind that share it.
pub fn names<'a>(
    country: Option<&'a str>,
    industry: Option<&'a str>,
) -> impl Iterator<Item = (Kind, &'a str, i128)> {
    let country = country.map(str::trim).filter(|name| !name.is_empty()).unwrap_or(OTHER);
    let listed = || {
        industry.into_iter().flat_map(|text| text.split(',')).map(str::trim).filter(|name| !name.is_empty())
    };
    let count = listed().count();
    let parts = i128::try_from(count.max(1)).unwrap_or(1);
    let other = (count == 0).then_some(OTHER);
    let industries = listed().chain(other).map(move |name| (Kind::Industry, name, parts));
    std::iter::once((Kind::Country, country, 1)).chain(industries)
}

/// One amount as a part of another; only priorities and comparisons of shares rest on it.
#[allow(clippy::as_conversions, clippy::cast_precision_loss)] // A share needs no more than the digits of a double.
#[must_use]
pub fn ratio(part: Fine, whole: Fine) -> f64 {
    part.e12() as f64 / whole.e12() as f64
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn member(
        country: Option<&'static str>,
        industry: Option<&'static str>,
        value: i128,
        target: i128,
    ) -> Member<'static> {
        let percent = Fine::SCALE / 100;
        Member {
            country,
            industry,
            value: Fine::from_e12(value * Fine::SCALE),
            target: Fine::from_e12(target * percent),
        }
    }

    fn groups() -> Groups {
        Groups::new([
            member(Some("FR"), Some("Tech, Health"), 4_000, 30),
            member(Some("DE"), Some("Tech"), 6_000, 60),
            member(None, None, 0, 10),
        ])
    }

    #[test]
    fn a_group_is_over_by_its_share_less_its_members_targets() {
        let gap = groups().gap(Kind::Country, "FR").unwrap();
        assert!((gap.over - 0.1).abs() < 1e-12);
        assert_eq!(gap.over_eur, Fine::from_e12(1_000 * Fine::SCALE));
        assert!((groups().gap(Kind::Country, OTHER).unwrap().over + 0.1).abs() < 1e-12);
    }

    #[test]
    fn industries_share_a_security_equally() {
        assert_eq!(groups().value(Kind::Industry, "Health"), Fine::from_e12(2_000 * Fine::SCALE));
        assert_eq!(groups().value(Kind::Industry, "Tech"), Fine::from_e12(8_000 * Fine::SCALE));
    }

    #[test]
    fn the_widest_gap_counts() {
        // Tech: 80 % held, 75 % wanted; France: 10 % over; Health: 20 % held, 15 % wanted.
        assert_eq!(groups().widest(Some("FR"), Some("Tech, Health"), true).unwrap().name, "FR");
        assert_eq!(groups().widest(None, None, false).unwrap().name, OTHER);
    }

    #[test]
    fn nothing_invested_or_no_targets_is_no_gap() {
        assert_eq!(Groups::new([member(Some("FR"), None, 0, 10)]).gap(Kind::Country, "FR"), None);
        assert_eq!(Groups::new([member(Some("FR"), None, 10, 0)]).gap(Kind::Country, "FR"), None);
    }
}
