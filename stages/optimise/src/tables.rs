//! What the owner may change in the tables of groups, and what of it is refused; a refused request changes nothing.
//!
//! A group has a name and members; a member belongs to one group of its kind at most. Targets are shares of the core;
//! together they may exceed everything, then they are scaled down for use. [`OTHER`] is everything that no group has:
//! it may have a target and no members. A group without members is kept: it is an intention.

use std::collections::BTreeSet;

use contracts::{GroupDelete, GroupKind, GroupPut, TargetsPut};

use crate::groups::{GroupSetting, OTHER};

/// Most groups of one kind.
const GROUPS_MAX: usize = 50;
/// Most members of one group.
const MEMBERS_MAX: usize = 300;
/// Longest name of a group, bytes.
pub(crate) const NAME_MAX: usize = 40;
/// Longest name of an industry, characters.
const INDUSTRY_MAX: usize = 100;

/// Why a request is refused: a code and a sentence.
pub type Refused = (&'static str, String);

/// Makes a group or gives it other members; says what became of it.
///
/// # Errors
/// The first rule that is broken.
pub fn put(groups: &mut Vec<GroupSetting>, ask: &GroupPut) -> Result<String, Refused> {
    let name = name(&ask.name)?;
    let kind = ask.kind.name();
    if name == OTHER {
        return Err((
            "reserved",
            format!("`name` is {OTHER}, which is everything that no group has; it can have a target only"),
        ));
    }
    let members = members(ask)?;
    for line in groups.iter().filter(|line| line.name != name) {
        if let Some(twice) = line.members.iter().find(|member| members.contains(*member)) {
            let text =
                format!("`members` has {twice:?}, which belongs to the {kind} group {} already", line.name);
            return Err(("member_elsewhere", text));
        }
    }
    let members: Vec<String> = members.into_iter().collect();
    let text = format!("The {kind} group {name} has {} members.", members.len());
    let is_full = groups.len() >= GROUPS_MAX;
    match groups.iter_mut().find(|line| line.name == name) {
        Some(line) => line.members = members,
        None if is_full => {
            return Err((
                "too_many",
                format!("there are {GROUPS_MAX} {kind} groups already, more are not kept"),
            ));
        }
        None => groups.push(GroupSetting { name, members, target: None }),
    }
    Ok(text)
}

/// Takes a group away, with its target.
///
/// # Errors
/// When there is none of that name.
pub fn delete(groups: &mut Vec<GroupSetting>, ask: &GroupDelete) -> Result<String, Refused> {
    let Some(at) = groups.iter().position(|line| line.name == ask.name.trim()) else {
        return Err(unknown(ask.kind, &ask.name, groups));
    };
    let gone = groups.remove(at);
    Ok(format!("The {} group {} is gone; its members belong to {OTHER}.", ask.kind.name(), gone.name))
}

/// Sets targets; 0 takes one away.
///
/// # Errors
/// The first rule that is broken.
pub fn targets(groups: &mut Vec<GroupSetting>, ask: &TargetsPut) -> Result<String, Refused> {
    if ask.targets.is_empty() {
        return Err(("empty", "`targets` names no group".into()));
    }
    let mut changed = groups.clone();
    for (name, share) in &ask.targets {
        let target = (share.e6() > 0).then(|| share.to_f64());
        match changed.iter_mut().find(|line| line.name == *name) {
            Some(line) => line.target = target,
            None if name == OTHER => {
                changed.push(GroupSetting { name: name.clone(), members: Vec::new(), target });
            }
            None => return Err(unknown(ask.kind, name, groups)),
        }
    }
    changed.retain(|line| line.name != OTHER || line.target.is_some());
    *groups = changed;
    let sum: f64 = groups.iter().filter_map(|line| line.target).sum();
    let scaled = if sum > 1.0 { "; more than everything, so they are scaled down for use" } else { "" };
    Ok(format!("The targets of the {} groups add up to {:.1} %{scaled}.", ask.kind.name(), sum * 100.0))
}

fn unknown(kind: GroupKind, name: &str, groups: &[GroupSetting]) -> Refused {
    let known: Vec<&str> = groups.iter().map(|line| line.name.as_str()).collect();
    let shown: String = name.chars().take(NAME_MAX).collect();
    let known =
        if known.is_empty() { "there are none".into() } else { format!("known are {}", known.join(", ")) };
    ("unknown_group", format!("there is no {} group {shown:?}; {known}", kind.name()))
}

fn name(text: &str) -> Result<String, Refused> {
    let name = text.trim();
    if name.is_empty() || name.len() > NAME_MAX || name.chars().any(char::is_control) {
        return Err(("name", format!("`name` must be 1 to {NAME_MAX} printable bytes")));
    }
    Ok(name.into())
}

/// Members without blanks and doubles.
fn members(ask: &GroupPut) -> Result<BTreeSet<String>, Refused> {
    let trimmed = ask.members.iter().map(|member| member.trim()).filter(|member| !member.is_empty());
    let members: BTreeSet<String> = trimmed.map(ToString::to_string).collect();
    if members.len() > MEMBERS_MAX {
        return Err((
            "too_many",
            format!("`members` has {}, a group has at most {MEMBERS_MAX}", members.len()),
        ));
    }
    for member in &members {
        let is_country = member.len() == 2 && member.bytes().all(|byte| byte.is_ascii_uppercase());
        let is_industry = member.chars().count() <= INDUSTRY_MAX && !member.chars().any(char::is_control);
        match ask.kind {
            GroupKind::Country if !is_country => {
                let shown: String = member.chars().take(NAME_MAX).collect();
                return Err(("member", format!("`members` has {shown:?}, a country is two capital letters")));
            }
            GroupKind::Industry if !is_industry => {
                let text =
                    format!("`members` has an industry of more than {INDUSTRY_MAX} printable characters");
                return Err(("member", text));
            }
            GroupKind::Country | GroupKind::Industry => {}
        }
    }
    Ok(members)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use contracts::Sample;
    use money::Weight;

    use super::*;

    fn table() -> Vec<GroupSetting> {
        let line = |name: &str, members: &[&str], target| GroupSetting {
            name: name.into(),
            members: members.iter().map(|member| (*member).into()).collect(),
            target,
        };
        vec![line("EU", &["DE", "FR"], Some(0.4)), line("US", &["US"], None)]
    }

    fn of(name: &str, members: &[&str]) -> GroupPut {
        let members = members.iter().map(|member| (*member).into()).collect();
        GroupPut { name: name.into(), members, ..GroupPut::sample() }
    }

    fn wish(targets: &[(&str, i64)]) -> TargetsPut {
        let targets = targets.iter().map(|(name, e6)| ((*name).to_string(), Weight::from_e6(*e6).unwrap()));
        TargetsPut { targets: targets.collect::<BTreeMap<_, _>>(), ..TargetsPut::sample() }
    }

    #[test]
    fn a_group_is_made_and_given_other_members_while_its_target_stays() {
        let mut groups = table();
        put(&mut groups, &of(" NORDIC ", &["SE", " DK", "", "SE"])).unwrap();
        assert_eq!((groups[2].name.as_str(), groups[2].members.join(" ")), ("NORDIC", "DK SE".into()));
        put(&mut groups, &of("EU", &[])).unwrap();
        assert_eq!((groups[0].members.len(), groups[0].target), (0, Some(0.4)));
    }

    #[test]
    fn what_breaks_a_rule_is_named_and_changes_nothing() {
        let many: Vec<String> = (0..=MEMBERS_MAX).map(|number| format!("industry {number}")).collect();
        for (ask, code) in [
            (of("", &["SE"]), "name"),
            (of(&"x".repeat(NAME_MAX + 1), &["SE"]), "name"),
            (of("a\nb", &["SE"]), "name"),
            (of(OTHER, &["SE"]), "reserved"),
            (of("NORDIC", &["Sweden"]), "member"),
            (of("NORDIC", &["se"]), "member"),
            (of("NORDIC", &["FR"]), "member_elsewhere"),
            (GroupPut { kind: GroupKind::Industry, members: many, ..of("ALL", &[]) }, "too_many"),
            (GroupPut { kind: GroupKind::Industry, ..of("LONG", &[&"x".repeat(101)]) }, "member"),
        ] {
            let mut groups = table();
            assert_eq!(put(&mut groups, &ask).unwrap_err().0, code, "{ask:?}");
            assert_eq!(groups, table());
        }
    }

    #[test]
    fn there_are_fifty_groups_of_a_kind_and_no_more() {
        let mut groups = Vec::new();
        for number in 0..GROUPS_MAX {
            put(&mut groups, &of(&format!("G{number}"), &[])).unwrap();
        }
        assert_eq!(put(&mut groups, &of("ONE MORE", &[])).unwrap_err().0, "too_many");
        assert!(put(&mut groups, &of("G7", &["SE"])).is_ok(), "an old one may still change");
    }

    #[test]
    fn a_group_goes_with_its_target_once() {
        let mut groups = table();
        let gone = GroupDelete { name: "EU".into(), ..GroupDelete::sample() };
        assert!(delete(&mut groups, &gone).unwrap().contains("OTHER"));
        let (code, text) = delete(&mut groups, &gone).unwrap_err();
        assert_eq!((code, text.contains("known are US")), ("unknown_group", true));
    }

    #[test]
    fn targets_are_set_removed_and_scaled_for_use_only() {
        let mut groups = table();
        let text = targets(&mut groups, &wish(&[("EU", 0), ("US", 700_000), (OTHER, 500_000)])).unwrap();
        assert!(text.contains("120.0 %") && text.contains("scaled"), "{text}");
        assert_eq!((groups[0].target, groups[1].target, groups[2].target), (None, Some(0.7), Some(0.5)));
        targets(&mut groups, &wish(&[(OTHER, 0)])).unwrap();
        assert_eq!(groups.len(), 2, "OTHER is a line only while it has a target");
    }

    #[test]
    fn one_wrong_target_changes_none() {
        for (ask, code) in
            [(wish(&[]), "empty"), (wish(&[("EU", 100_000), ("MOON", 100_000)]), "unknown_group")]
        {
            let mut groups = table();
            assert_eq!(targets(&mut groups, &ask).unwrap_err().0, code);
            assert_eq!(groups, table());
        }
    }
}
