//! Rules of structure that matter, as failing tests.
#![allow(clippy::unwrap_used, missing_docs)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Workspace packages: folder → (name, workspace packages it is built with, outside packages).
fn packages() -> BTreeMap<String, (String, BTreeSet<String>, BTreeSet<String>)> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let inside: BTreeSet<_> =
        packages.iter().map(|package| package["name"].as_str().unwrap().to_string()).collect();
    packages
        .iter()
        .map(|package| {
            let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
            let folder = manifest.parent().unwrap().strip_prefix(root()).unwrap().display().to_string();
            let normal = package["dependencies"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|dependency| dependency["kind"].is_null());
            let (ours, theirs) = normal
                .map(|dependency| dependency["name"].as_str().unwrap().to_string())
                .partition(|name| inside.contains(name));
            (folder, (package["name"].as_str().unwrap().to_string(), ours, theirs))
        })
        .collect()
}

fn layer(folder: &str) -> u8 {
    match folder {
        _ if folder.starts_with("domain/") => 0,
        "bus/contracts" => 1,
        "bus/client" | "bus/broker" => 2,
        "hardware/protocol" | "hardware/leds" | "stages/tradernet" | "stages/providers" => 2,
        _ if folder.starts_with("stages/") || folder.starts_with("hardware/") => 3,
        _ => 4,
    }
}

#[test]
fn dependencies_point_from_stages_to_the_domain() {
    let packages = packages();
    let folder_of: BTreeMap<_, _> =
        packages.iter().map(|(folder, (name, ..))| (name.clone(), folder.clone())).collect();
    for (folder, (_, ours, _)) in &packages {
        for dependency in ours {
            let other = &folder_of[dependency];
            assert!(layer(other) <= layer(folder), "{folder} must not depend on {other}");
            let stage_on_stage = layer(folder) == 3 && layer(other) == 3;
            let allowed = folder == "stages/steward" && other == "stages/simworld";
            assert!(
                !stage_on_stage || allowed,
                "stage {folder} depends on stage {other}; stages meet only in contracts"
            );
        }
    }
}

#[test]
fn pure_crates_have_no_runtime_sockets_or_sql() {
    for (folder, (_, _, theirs)) in packages() {
        let pure = layer(&folder) <= 1 || matches!(folder.as_str(), "hardware/protocol" | "hardware/leds");
        for banned in ["tokio", "rusqlite", "reqwest", "rumqttc", "axum"] {
            assert!(!pure || !theirs.contains(banned), "{folder} is pure and must not use {banned}");
        }
    }
}

#[test]
fn only_edges_and_the_bus_name_the_runtime() {
    for file in sources("stages").into_iter().filter(|file| !file.to_string_lossy().contains("/steward/")) {
        let text = fs::read_to_string(&file).unwrap();
        let named = code_before_tests(&text).contains("tokio::");
        let place = file.to_string_lossy().into_owned();
        let allowed =
            ["edge", "process.rs", "http", "server", "serve"].iter().any(|word| place.contains(word));
        assert!(!named || allowed, "{} names the runtime; only edges may", file.display());
    }
}

#[test]
fn no_program_changes_the_notes_at_the_broker() {
    let words = [
        "Notes::",
        "encode_note",
        "NoteCommand",
        "AddToList",
        "RemoveFromList",
        "AddPriceAlert",
        "RemovePriceAlert",
    ];
    for file in sources("stages") {
        let place = file.to_string_lossy().into_owned();
        if place.contains("/tradernet/") || place.contains("/tests/") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let named = words.iter().find(|word| code_before_tests(&text).contains(**word));
        assert_eq!(named, None, "{place} can change watch lists or price alerts; say here which program may");
    }
}

#[test]
fn every_table_has_one_owner() {
    for file in sources("stages").into_iter().chain(sources("bus")) {
        let text = fs::read_to_string(&file).unwrap();
        let code = code_before_tests(&text);
        let writes = ["INSERT INTO ", "UPDATE ", "DELETE FROM "].iter().any(|word| code.contains(word));
        let place = file.to_string_lossy().into_owned();
        let allowed = ["store", "journal.rs", "stage.rs"].iter().any(|word| place.contains(word));
        assert!(!writes || allowed, "{} writes SQL; only a stage's store may", file.display());
    }
}

#[test]
fn every_source_file_says_what_it_is() {
    for folder in ["bus", "domain", "stages", "hardware"] {
        for file in sources(folder) {
            let text = fs::read_to_string(&file).unwrap();
            assert!(
                text.starts_with("//!") || text.starts_with("#!["),
                "{} has no first paragraph",
                file.display()
            );
        }
    }
}

#[test]
fn every_test_that_is_skipped_says_why() {
    for folder in ["bus", "domain", "stages", "hardware", "tests"] {
        for file in sources(folder) {
            let text = fs::read_to_string(&file).unwrap();
            let skip = ["#[", "ignore"].concat();
            assert!(!text.contains(&skip), "{} skips a test", file.display());
        }
    }
}

#[test]
fn every_stage_of_the_registry_has_a_crate_and_a_unit() {
    let folders: BTreeSet<_> = packages().into_keys().collect();
    for stage in contracts::STAGES {
        let folder = if stage.name == "hardware" {
            "hardware/link".to_string()
        } else {
            format!("stages/{}", stage.name)
        };
        assert!(folders.contains(&folder), "stage {} has no crate {folder}", stage.name);
    }
}

/// A setting that nobody reads would be changed in vain, and believed in.
#[test]
fn every_setting_that_is_offered_is_read_by_the_stages_that_it_names() {
    for known in keeper::registry::ALL {
        for reader in known.readers {
            let files = sources(&format!("stages/{reader}/src"));
            assert!(!files.is_empty(), "`{}` names the reader {reader}, which is no stage", known.key);
            let quoted = format!("\"{}\"", known.key);
            let reads = |file: &PathBuf| {
                let text = fs::read_to_string(file).unwrap();
                let code = code_before_tests(&text);
                // The mode has a function of its own, which all that follow it share.
                let mode = ["trading_mode()", "mode_in_force("].iter().any(|word| code.contains(word));
                code.contains(&quoted) || (known.key == contracts::TRADING_MODE && mode)
            };
            assert!(files.iter().any(reads), "{reader} does not read the setting `{}`", known.key);
        }
    }
}

fn sources(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![root().join(folder)];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            let name = entry.file_name();
            if path.is_dir() && name != "target" && name != "tests" && name != "examples" && name != "fuzz" {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn code_before_tests(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}
