//! The folder of a demo: whether it is one, whose world it holds, and how it is emptied.

use std::{
    fs,
    path::{Path, PathBuf},
};

use bus_client::{Config, Environment};

use crate::Fault;

/// What a demo leaves behind and `--fresh` removes. Keys and passwords stay; they belong to no world.
const LEFTOVERS: [&str; 2] = ["stores", "log"];

/// What a folder is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    /// Not there, or empty.
    Nothing,
    /// A demo's, with its world and the story that is told in it.
    Demo(u64, String),
    /// Somebody else's.
    Foreign(String),
}

/// Makes sure that the folder may hold this demo; changes nothing.
///
/// # Errors
/// [`Fault::Refused`] when it belongs to something else or to another world.
pub(crate) fn check(dir: &Path, seed: u64, scenario: &str, fresh: bool) -> Result<(), Fault> {
    match look(dir) {
        Found::Foreign(why) => Err(Fault::Refused(format!(
            "{} is not the folder of a demo ({why}), nothing was changed; choose another with --dir",
            dir.display()
        ))),
        Found::Demo(other, _) if other != seed && !fresh => Err(Fault::Refused(format!(
            "{} holds the world of seed {other}, not {seed}; add --fresh to delete it, or choose another folder with --dir",
            dir.display()
        ))),
        // The account and the dated events of a world are its story: another one is another world.
        Found::Demo(_, told) if told != scenario && !fresh => Err(Fault::Refused(format!(
            "{} holds the scenario `{told}`, not `{scenario}`; add --fresh to delete it, or choose another folder with --dir",
            dir.display()
        ))),
        Found::Demo(..) | Found::Nothing => Ok(()),
    }
}

fn look(dir: &Path) -> Found {
    let file = dir.join("steward.toml");
    if file.exists() {
        return match Config::read(&file) {
            Ok(Config { environment: Environment::Sim(seed), .. }) => Found::Demo(seed, scenario(&file)),
            Ok(_) => Found::Foreign("its steward.toml is of the real world".into()),
            Err(error) => Found::Foreign(error.to_string()),
        };
    }
    let mut others = entries(dir).into_iter().filter(|path| !path.ends_with("steward.lock"));
    match others.next() {
        None => Found::Nothing,
        Some(path) => Found::Foreign(format!("it has no steward.toml, but {}", path.display())),
    }
}

/// The story of a world; older configurations name none and tell the ordinary one.
fn scenario(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let table = text.parse::<toml::Table>().unwrap_or_default();
    let named = table.get("stage").and_then(|stage| stage.get("simworld")?.get("scenario")?.as_str());
    named.unwrap_or("default").to_owned()
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> =
        fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    found.sort();
    found
}

/// Deletes what an earlier demo left; only after [`check`], and while nobody runs it.
///
/// # Errors
/// When a folder cannot be deleted.
pub(crate) fn empty(dir: &Path) -> Result<(), Fault> {
    for name in LEFTOVERS {
        let folder = dir.join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|error| Fault::file(&folder, "deleted", error))?;
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn prepare(dir: &Path, seed: u64, fresh: bool) -> Result<(), Fault> {
        check(dir, seed, "default", fresh)?;
        if fresh { empty(dir) } else { Ok(()) }
    }

    const SIM: (&str, &str) = ("steward.toml", "environment = \"sim:1\"");

    #[test]
    fn a_new_or_empty_folder_is_fine() {
        let dir = folder(&[]);
        prepare(dir.path(), 1, false).unwrap();
        prepare(&dir.path().join("new"), 1, true).unwrap();
    }

    #[test]
    fn the_same_world_goes_on_and_another_needs_fresh() {
        let dir = folder(&[SIM, ("stores/market.db", "x")]);
        prepare(dir.path(), 1, false).unwrap();
        let sentence = prepare(dir.path(), 2, false).unwrap_err().to_string();
        assert!(sentence.contains("seed 1") && sentence.contains("--fresh"), "{sentence}");
        assert!(dir.path().join("stores/market.db").exists());
        prepare(dir.path(), 2, true).unwrap();
        assert!(!dir.path().join("stores").exists());
        assert!(dir.path().join("steward.toml").exists());
    }

    #[test]
    fn another_story_is_another_world() {
        let told = "environment = \"sim:1\"\n[stage.simworld]\nscenario = \"crash\"";
        let dir = folder(&[("steward.toml", told)]);
        check(dir.path(), 1, "crash", false).unwrap();
        let sentence = check(dir.path(), 1, "default", false).unwrap_err().to_string();
        assert!(sentence.contains("`crash`") && sentence.contains("--fresh"), "{sentence}");
        check(dir.path(), 1, "default", true).unwrap();
    }

    #[test]
    fn nothing_is_deleted_where_no_demo_is() {
        let live = ("steward.toml", "environment = \"live\"");
        let broken = ("steward.toml", "environment = ");
        for files in
            [vec![live, ("stores/ledger.db", "x")], vec![broken, ("stores/x", "")], vec![("photos/a", "x")]]
        {
            let dir = folder(&files);
            for fresh in [false, true] {
                let sentence = prepare(dir.path(), 1, fresh).unwrap_err().to_string();
                assert!(sentence.contains("nothing was changed"), "{sentence}");
            }
            for (name, _) in files {
                assert!(dir.path().join(name).exists());
            }
        }
    }
}
