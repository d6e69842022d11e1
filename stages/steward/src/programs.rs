//! Which programs a run starts, from the registry of stages.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use contracts::STAGES;

use crate::{Fault, supervisor::Program};

/// Stages without which money still moves rightly; they are left out with a note when they are not installed.
const OPTIONAL: [&str; 4] = ["notify", "hardware", "bridge", "keeper"];

/// The broker's name among programs; it is no stage.
pub(crate) const BROKER: &str = "broker";

/// What is to run.
#[derive(Debug, Clone)]
pub struct Selection {
    /// With the simulated world.
    pub simulated: bool,
    /// Instances of `evaluate`.
    pub evaluators: u32,
    /// Stages left out.
    pub without: Vec<String>,
}

/// The programs of a run.
#[derive(Debug, Clone)]
pub struct Programs {
    /// The stages' broker, started before all else.
    pub broker: Program,
    /// Everything else.
    pub stages: Vec<Program>,
    /// Optional stages that are not installed.
    pub missing: Vec<String>,
}

impl Programs {
    /// Instance names of all stages.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.stages.iter().map(|program| program.name.clone()).collect()
    }
}

/// Finds the programs in `folder`; each gets `--config` with `config`.
///
/// # Errors
/// When a stage that is needed is not there, or one that is left out is not known.
pub fn find(folder: &Path, config: &Path, selection: &Selection) -> Result<Programs, Fault> {
    if let Some(unknown) = selection
        .without
        .iter()
        .find(|name| *name != BROKER && !STAGES.iter().any(|stage| stage.name == **name))
    {
        return Err(Fault::Refused(format!(
            "--without names `{unknown}`, which is no stage; see `steward topics list`"
        )));
    }
    let mut missing = Vec::new();
    let mut stages = Vec::new();
    for stage in STAGES.iter().map(|stage| stage.name) {
        let wanted = stage != "steward"
            && (stage != "simworld" || selection.simulated)
            && !selection.without.iter().any(|name| name == stage);
        if !wanted {
            continue;
        }
        let path = executable(folder, stage);
        if !path.exists() {
            if OPTIONAL.contains(&stage) {
                missing.push(stage.to_string());
                continue;
            }
            return Err(not_there(&path));
        }
        let instances = if stage == "evaluate" { selection.evaluators } else { 0 };
        if instances == 0 {
            stages.push(program(stage.to_string(), path.clone(), config, None));
        }
        stages
            .extend((1..=instances).map(|n| program(format!("{stage}-{n}"), path.clone(), config, Some(n))));
    }
    let path = executable(folder, BROKER);
    if !path.exists() {
        return Err(not_there(&path));
    }
    Ok(Programs { broker: program(BROKER.into(), path, config, None), stages, missing })
}

fn executable(folder: &Path, stage: &str) -> PathBuf {
    folder.join(format!("steward-{stage}"))
}

fn program(name: String, path: PathBuf, config: &Path, instance: Option<u32>) -> Program {
    let mut arguments: Vec<OsString> = vec!["--config".into(), config.into()];
    if let Some(number) = instance {
        arguments.extend(["--instance".into(), number.to_string().into()]);
    }
    Program { name, path, arguments }
}

fn not_there(path: &Path) -> Fault {
    Fault::Refused(format!(
        "{} does not exist, but every stage must lie beside `steward`; build or install all of them",
        path.display()
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use super::*;

    fn folder(without: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let names = STAGES.iter().map(|stage| stage.name).chain(["broker"]);
        for name in names.filter(|name| !without.contains(name)) {
            fs::write(executable(folder.path(), name), "").unwrap();
        }
        folder
    }

    fn selection() -> Selection {
        Selection { simulated: true, evaluators: 2, without: vec![] }
    }

    #[test]
    fn every_stage_runs_and_evaluators_are_numbered() {
        let folder = folder(&[]);
        let found = find(folder.path(), Path::new("steward.toml"), &selection()).unwrap();
        let names = found.names();
        assert!(names.contains(&"simworld".into()) && names.contains(&"evaluate-2".into()), "{names:?}");
        assert!(!names.contains(&"steward".into()) && !names.contains(&"evaluate".into()), "{names:?}");
        assert_eq!(names.len(), STAGES.len() - 1 + 1);
        let second = found.stages.iter().find(|program| program.name == "evaluate-2").unwrap();
        assert_eq!(second.arguments, ["--config", "steward.toml", "--instance", "2"]);
    }

    #[test]
    fn the_real_world_has_no_simulator() {
        let folder = folder(&["simworld"]);
        let selection = Selection { simulated: false, ..selection() };
        assert!(
            !find(folder.path(), Path::new("x"), &selection).unwrap().names().contains(&"simworld".into())
        );
    }

    #[test]
    fn a_missing_stage_is_named_unless_money_can_do_without_it() {
        let folder = folder(&["hardware"]);
        assert_eq!(find(folder.path(), Path::new("x"), &selection()).unwrap().missing, ["hardware"]);
        fs::remove_file(executable(folder.path(), "risk-gate")).unwrap();
        let sentence = find(folder.path(), Path::new("x"), &selection()).unwrap_err().to_string();
        assert!(sentence.contains("steward-risk-gate"), "{sentence}");
    }

    #[test]
    fn stages_can_be_left_out_by_their_right_name() {
        let folder = folder(&[]);
        let left_out = |name: &str| Selection { without: vec![name.into()], ..selection() };
        assert!(
            !find(folder.path(), Path::new("x"), &left_out("bridge"))
                .unwrap()
                .names()
                .contains(&"bridge".into())
        );
        assert!(
            find(folder.path(), Path::new("x"), &left_out("brigde"))
                .unwrap_err()
                .to_string()
                .contains("brigde")
        );
    }
}
