//! All SQL of the optimiser.

use std::collections::BTreeMap;

use contracts::{GroupKind, TargetWeights};
use market::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction};

use crate::groups::GroupSetting;

/// Runs older than this are forgotten.
const KEPT_MS: i64 = 90 * 86_400_000;

/// What is kept.
#[derive(Debug, Clone, PartialEq)]
pub enum Save {
    /// A run that was said, and the owner's figures it decided by, as JSON.
    Run(Box<TargetWeights>, String),
    /// All groups of a kind, as the owner wants them from now on.
    Groups {
        /// Of what.
        kind: GroupKind,
        /// All of them, in their order.
        groups: Vec<GroupSetting>,
        /// When.
        at: Timestamp,
    },
    /// A run that came to nothing.
    Failed {
        /// When.
        at: Timestamp,
        /// The code.
        code: String,
        /// One sentence.
        why: String,
    },
}

/// The last run that was said.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Last {
    pub(crate) at: Timestamp,
    pub(crate) blend: f64,
    pub(crate) weights: Vec<(String, i64)>,
    pub(crate) groups: Groups,
}

/// What a statement says of its groups beside their weights: target and members of each.
pub(crate) type Groups = BTreeMap<(String, String), (Option<i64>, Vec<(String, f64)>)>;

/// The groups of a run, as they can be compared with those of the next.
pub(crate) fn groups_of(run: &TargetWeights) -> Groups {
    let group = |group: &contracts::TargetGroup| {
        let members = group.members.iter().map(|(isin, share)| (isin.to_string(), share.get()));
        (
            (group.kind.clone(), group.name.clone()),
            (group.target_e6.map(money::Weight::e6), members.collect()),
        )
    };
    run.groups.iter().map(group).collect()
}

/// Reads the last run that was said, if any; it may have wanted nothing.
pub(crate) fn last(rows: &Connection) -> rusqlite::Result<Option<Last>> {
    let mut newest = rows.prepare(
        "SELECT ts, blend FROM optimiser_run WHERE status <> 'failed' ORDER BY ts DESC, id DESC LIMIT 1",
    )?;
    let mut found = newest.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)))?;
    let Some(run) = found.next() else { return Ok(None) };
    let (ts, blend) = run?;
    let mut query = rows.prepare("SELECT isin, weight FROM api_target ORDER BY isin")?;
    let weights = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    Ok(Some(Last { at: Timestamp::from_ms(ts), blend, weights, groups: last_groups(rows)? }))
}

fn last_groups(rows: &Connection) -> rusqlite::Result<Groups> {
    let mut query = rows.prepare(
        r#"SELECT kind, "group", target, member, share FROM api_group ORDER BY kind, "group", member"#,
    )?;
    let mut found = query.query([])?;
    let mut groups = Groups::new();
    while let Some(row) = found.next()? {
        let (_, members) = groups
            .entry((row.get(0)?, row.get(1)?))
            .or_insert_with(|| (row.get(2).unwrap_or_default(), Vec::new()));
        members.push((row.get(3)?, row.get(4)?));
    }
    Ok(groups)
}

/// The groups of a kind as the owner changed them, if ever.
pub(crate) fn table(rows: &Connection, kind: GroupKind) -> rusqlite::Result<Option<Vec<GroupSetting>>> {
    let known = rows
        .query_row("SELECT 1 FROM group_table WHERE kind = ?1", [kind.name()], |row| row.get::<_, i64>(0))
        .optional()?;
    if known.is_none() {
        return Ok(None);
    }
    let mut lines = rows.prepare("SELECT name, target FROM group_line WHERE kind = ?1 ORDER BY place")?;
    let line = |row: &rusqlite::Row<'_>| {
        Ok(GroupSetting { name: row.get(0)?, members: Vec::new(), target: row.get(1)? })
    };
    let mut groups = lines.query_map([kind.name()], line)?.collect::<Result<Vec<_>, _>>()?;
    let mut members =
        rows.prepare("SELECT member FROM group_line_member WHERE kind = ?1 AND name = ?2 ORDER BY member")?;
    for group in &mut groups {
        let found = members.query_map((kind.name(), &group.name), |row| row.get(0))?;
        group.members = found.collect::<Result<_, _>>()?;
    }
    Ok(Some(groups))
}

fn write_table(
    rows: &Transaction<'_>,
    kind: GroupKind,
    groups: &[GroupSetting],
    at: Timestamp,
) -> rusqlite::Result<()> {
    let kind = kind.name();
    rows.execute("DELETE FROM group_line_member WHERE kind = ?1", [kind])?;
    rows.execute("DELETE FROM group_line WHERE kind = ?1", [kind])?;
    rows.execute("INSERT OR REPLACE INTO group_table (kind, updated) VALUES (?1, ?2)", (kind, at.ms()))?;
    for (place, group) in (0_i64..).zip(groups) {
        rows.execute(
            "INSERT INTO group_line (kind, name, place, target) VALUES (?1, ?2, ?3, ?4)",
            (kind, &group.name, place, group.target),
        )?;
        for member in &group.members {
            rows.execute(
                "INSERT INTO group_line_member (kind, member, name) VALUES (?1, ?2, ?3)",
                (kind, member, &group.name),
            )?;
        }
    }
    Ok(())
}

pub(crate) fn apply(rows: &Transaction<'_>, save: Save) -> rusqlite::Result<()> {
    match save {
        Save::Run(run, params) => {
            forget(rows, run.at)?;
            write(rows, &run, &params)
        }
        Save::Groups { kind, groups, at } => write_table(rows, kind, &groups, at),
        Save::Failed { at, code, why } => {
            forget(rows, at)?;
            let id = format!("failed-{}", at.ms());
            rows.execute(
                "INSERT OR IGNORE INTO optimiser_run (id, ts, method, why, diagnostics, status, level, snapshot, blend) VALUES (?1, ?2, ?3, ?4, '{}', 'failed', '', '', 0.0)",
                (id, at.ms(), code, why),
            )
            .map(drop)
        }
    }
}

fn forget(rows: &Transaction<'_>, now: Timestamp) -> rusqlite::Result<()> {
    let old = now.ms() - KEPT_MS;
    for table in ["target_weight", "target_group", "target_group_member"] {
        let sql = format!("DELETE FROM {table} WHERE run_id IN (SELECT id FROM optimiser_run WHERE ts < ?1)");
        rows.prepare_cached(&sql)?.execute([old])?;
    }
    rows.execute("DELETE FROM optimiser_run WHERE ts < ?1", [old]).map(drop)
}

fn write(rows: &Transaction<'_>, run: &TargetWeights, params: &str) -> rusqlite::Result<()> {
    let id = run.run_id.to_string();
    let figures = run.figures.iter().find(|figures| figures.of == "final");
    let diagnostics = serde_json::json!({
        "binding": run.binding, "relaxed": run.relaxed, "clash": run.clash, "warnings": run.warnings,
        "excluded": run.excluded.iter().map(|one| (one.isin.to_string(), &one.reason)).collect::<Vec<_>>(),
        "figures": run.figures.iter().map(|one| (&one.of, one.expected_return.get(), one.volatility.get())).collect::<Vec<_>>(),
        "alike": run.alike.iter().map(|one| (one.first.to_string(), one.second.to_string(), one.correlation.get())).collect::<Vec<_>>(),
    });
    let status = format!("{:?}", run.status).to_lowercase();
    rows.execute(
        "INSERT OR IGNORE INTO optimiser_run (id, ts, method, why, diagnostics, status, level, snapshot, blend, expected_return, volatility, cvar, params) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        rusqlite::params![
            id, run.at.ms(), run.method, run.why, diagnostics.to_string(), status, run.level, run.snapshot, run.blend.get(),
            figures.map(|figures| figures.expected_return.get()), figures.map(|figures| figures.volatility.get()),
            run.cvar_95_20d.map(contracts::Finite::get), params,
        ],
    )?;
    let mut weight = rows.prepare_cached("INSERT OR IGNORE INTO target_weight (run_id, isin, weight_e6, current_e6, reason, lower_e6, upper_e6, expected_return) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
    for one in &run.weights {
        weight.execute(rusqlite::params![
            id,
            one.isin.as_str(),
            one.weight_e6.e6(),
            one.current_e6.e6(),
            one.reason,
            one.lower_e6.e6(),
            one.upper_e6.e6(),
            one.expected_return.map(contracts::Finite::get),
        ])?;
    }
    let mut group = rows.prepare_cached("INSERT OR IGNORE INTO target_group (run_id, kind, name, target_e6, lower_e6, upper_e6, value_e6) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
    let mut member = rows.prepare_cached("INSERT OR IGNORE INTO target_group_member (run_id, kind, name, isin, share) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for one in &run.groups {
        group.execute(rusqlite::params![
            id,
            one.kind,
            one.name,
            one.target_e6.map(money::Weight::e6),
            one.lower_e6.e6(),
            one.upper_e6.e6(),
            one.value_e6.e6(),
        ])?;
        for (isin, share) in &one.members {
            member.execute(rusqlite::params![id, one.kind, one.name, isin.as_str(), share.get()])?;
        }
    }
    Ok(())
}
