//! Countries and industries: which security belongs where, and how much each group may weigh.
//!
//! A country or an industry is looked up as a whole in the owner's table; what is not in it belongs to `OTHER`, so the
//! caps hold for everything. Several industries separated by commas share a security equally. A group with a target τ
//! weighs τ ± its tolerance, at most its cap; one without weighs at most its cap. The cap is 0.35 for countries and
//! 0.30 for industries, raised to 1/k + 0.10 when only k groups have members. Targets of a kind that add up to more
//! than one are scaled down for use. A target for a group without members is reported and ignored.

use std::collections::BTreeMap;

use market::Isin;
use serde::{Deserialize, Serialize};

/// Where everything belongs that the table does not know.
pub const OTHER: &str = "OTHER";
/// Room above an equal split when there are few groups.
const ROOM: f64 = 0.10;

/// One line of the owner's table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupSetting {
    /// Its name.
    pub name: String,
    /// The countries (two letters) or industries that belong to it.
    #[serde(default)]
    pub members: Vec<String>,
    /// Share of the core it should have, if the owner wants one.
    #[serde(default)]
    pub target: Option<f64>,
}

/// The table of one kind with its figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// `country` or `industry`.
    pub kind: &'static str,
    /// The owner's lines.
    pub groups: Vec<GroupSetting>,
    /// Largest share of one group.
    pub cap: f64,
    /// Distance from its target that a group may have.
    pub tolerance: f64,
}

/// A group as it counts in one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Range {
    /// `country` or `industry`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Target in use.
    pub target: Option<f64>,
    /// Least share.
    pub lower: f64,
    /// Largest share.
    pub upper: f64,
    /// How much of each security belongs to it.
    pub shares: BTreeMap<Isin, f64>,
}

impl Range {
    /// For people.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{} {}", self.kind, self.name)
    }
}

/// The groups that have members, by name, and what had to be said about the others.
#[must_use]
pub fn ranges(table: &Table, securities: &[(Isin, Option<String>)]) -> (Vec<Range>, Vec<String>) {
    let mut members: BTreeMap<&str, BTreeMap<Isin, f64>> = BTreeMap::new();
    for (isin, text) in securities {
        let parts = parts(table, text.as_deref());
        for name in &parts {
            *members.entry(name).or_default().entry(*isin).or_insert(0.0) += 1.0 / parts.len() as f64;
        }
    }
    let wanted = |name: &str| {
        let line = table.groups.iter().find(|line| line.name == name);
        line.and_then(|line| line.target).filter(|target| *target > 0.0)
    };
    let sum: f64 = table.groups.iter().filter_map(|line| wanted(&line.name)).sum();
    let scale = if sum > 1.0 { 1.0 / sum } else { 1.0 };
    let cap = table.cap.max(1.0 / members.len().max(1) as f64 + ROOM).min(1.0);
    let mut notes: Vec<String> = table
        .groups
        .iter()
        .filter(|line| wanted(&line.name).is_some() && !members.contains_key(line.name.as_str()))
        .map(|line| format!("{} {} has a target and no security: ignored", table.kind, line.name))
        .collect();
    let mut ranges = Vec::new();
    for (name, shares) in members {
        let target = wanted(name).map(|target| target * scale);
        let upper = target.map_or(cap, |target| (target + table.tolerance).min(cap));
        let asked = target.map_or(0.0, |target| (target - table.tolerance).max(0.0));
        if asked > upper {
            notes.push(format!(
                "{} {name} should be at least {:.1} %, but its cap is {:.1} %",
                table.kind,
                asked * 100.0,
                upper * 100.0
            ));
        }
        let lower = asked.min(upper);
        ranges.push(Range { kind: table.kind, name: name.into(), target, lower, upper, shares });
    }
    (ranges, notes)
}

/// The groups of a text: one for a country, one per part for an industry.
fn parts<'a>(table: &'a Table, text: Option<&str>) -> Vec<&'a str> {
    let group_of = |part: &str| {
        let line = table.groups.iter().find(|line| line.members.iter().any(|member| member == part));
        line.map_or(OTHER, |line| line.name.as_str())
    };
    let Some(text) = text else { return vec![OTHER] };
    let whole = group_of(text);
    if whole != OTHER || !text.contains(',') {
        return vec![whole];
    }
    text.split(',').map(|part| group_of(part.trim())).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn isin(number: u32) -> Isin {
        Isin::with_check_digit(&format!("DE{number:09}")).unwrap()
    }

    fn table(groups: &[(&str, &[&str], Option<f64>)]) -> Table {
        let line = |(name, members, target): &(&str, &[&str], Option<f64>)| GroupSetting {
            name: (*name).into(),
            members: members.iter().map(|member| (*member).into()).collect(),
            target: *target,
        };
        Table { kind: "country", groups: groups.iter().map(line).collect(), cap: 0.35, tolerance: 0.10 }
    }

    fn of(texts: &[Option<&str>]) -> Vec<(Isin, Option<String>)> {
        (1..).zip(texts).map(|(number, text)| (isin(number), text.map(Into::into))).collect()
    }

    fn near(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-12
    }

    #[test]
    fn what_is_not_in_the_table_is_other() {
        let table = table(&[("EU", &["DE", "FR"], None), ("US", &["US"], None)]);
        let (ranges, notes) = ranges(&table, &of(&[Some("DE"), Some("FR"), Some("US"), Some("JP"), None]));
        let counts: Vec<_> = ranges.iter().map(|range| (range.name.as_str(), range.shares.len())).collect();
        assert_eq!(counts, [("EU", 2), ("OTHER", 2), ("US", 1)]);
        assert!(notes.is_empty() && ranges.iter().all(|range| near(range.upper, 1.0 / 3.0 + 0.10)));
    }

    #[test]
    fn several_industries_share_a_security_equally() {
        let table = table(&[("Tech", &["Software"], None), ("Fin", &["Banks", "A, B"], None)]);
        let (ranges, _) = ranges(&table, &of(&[Some("Software, Banks"), Some("A, B")]));
        let share = |name: &str, number| {
            let range = ranges.iter().find(|range| range.name == name).unwrap();
            range.shares.get(&isin(number)).copied().unwrap_or(0.0)
        };
        assert!(near(share("Tech", 1), 0.5) && near(share("Fin", 1), 0.5));
        assert!(near(share("Fin", 2), 1.0), "the whole text is looked up first");
    }

    #[test]
    fn targets_have_a_range_within_the_cap() {
        let table = table(&[("A", &["AA"], Some(0.2)), ("B", &["BB"], Some(0.6)), ("C", &["CC"], None)]);
        let texts: Vec<_> = ["AA", "BB", "CC", "DD", "EE"].map(Some).to_vec();
        let (ranges, notes) = ranges(&table, &of(&texts));
        let range = |name: &str| ranges.iter().find(|range| range.name == name).unwrap();
        assert!(near(range("A").lower, 0.1) && near(range("A").upper, 0.3));
        assert!(near(range("B").lower, 0.35) && near(range("B").upper, 0.35), "lower reduced to the cap");
        assert!(near(range("C").lower, 0.0) && near(range("C").upper, 0.35));
        assert!(notes[0].contains("country B") && notes[0].contains("50.0 %"), "{notes:?}");
    }

    #[test]
    fn targets_above_everything_are_scaled_and_those_of_nobody_are_reported() {
        let table = table(&[("A", &["AA"], Some(0.9)), ("B", &["BB"], Some(0.9)), ("C", &["CC"], Some(0.2))]);
        let (ranges, notes) = ranges(&table, &of(&[Some("AA"), Some("BB")]));
        assert!(near(ranges[0].target.unwrap(), 0.45), "{ranges:?}");
        assert!(notes.iter().any(|note| note.contains("C has a target and no security")));
    }

    #[test]
    fn one_group_alone_has_no_cap() {
        let (ranges, _) = ranges(&table(&[]), &of(&[Some("DE"), None]));
        assert_eq!(ranges.len(), 1);
        assert!(near(ranges[0].upper, 1.0));
    }

    #[test]
    fn nobody_has_no_groups() {
        assert!(ranges(&table(&[]), &[]).0.is_empty());
    }
}
