//! Every vector file is either run by a named test or listed, by name, as not built; an unknown one fails.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod open;

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fate {
    checked: Option<String>,
    except: Option<String>,
    not_built: Option<String>,
}

fn catalog() -> BTreeMap<String, BTreeMap<String, Fate>> {
    toml::from_str(include_str!("catalog.toml")).unwrap()
}

/// The cases of every file that is not built, by subject and file.
fn unbuilt() -> BTreeMap<String, BTreeMap<String, Vec<String>>> {
    toml::from_str(include_str!("not_built.toml")).unwrap()
}

fn folder() -> PathBuf {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors");
    std::env::var_os("STEWARD_VECTORS").map_or(own, PathBuf::from)
}

fn files() -> Vec<(String, String)> {
    let folder = folder();
    let mut found = Vec::new();
    for subject in
        fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())).flatten()
    {
        if !subject.path().is_dir() {
            continue;
        }
        for file in fs::read_dir(subject.path()).unwrap().flatten() {
            let name = file.file_name().into_string().unwrap();
            found.push((subject.file_name().into_string().unwrap(), name));
        }
    }
    found.sort();
    found
}

/// The names of a file's cases; nothing that is not built is passed over in silence.
fn cases(subject: &str, file: &str) -> Vec<String> {
    let text = fs::read_to_string(folder().join(subject).join(file)).unwrap();
    let all: serde_json::Value = serde_json::from_str(&text).unwrap();
    let cases = all["cases"].as_array().unwrap_or_else(|| panic!("{subject}/{file} has no cases"));
    cases.iter().map(|case| case["name"].as_str().unwrap_or("without a name").to_string()).collect()
}

#[test]
fn no_vector_file_is_unknown() {
    let catalog = catalog();
    let files = files();
    assert!(!files.is_empty(), "the folder of vectors is empty");
    let mut unknown = Vec::new();
    for (subject, file) in &files {
        let fate = file.strip_suffix(".json").and_then(|name| catalog.get(subject)?.get(name));
        match fate {
            Some(Fate { checked: Some(by), except: None, .. }) => {
                println!("checked    {subject}/{file} by {by}")
            }
            Some(Fate { checked: Some(by), except: Some(but), .. }) => {
                println!("checked    {subject}/{file} by {by}; {but}")
            }
            Some(Fate { not_built: Some(_), .. }) => {}
            _ => unknown.push(format!("{subject}/{file}")),
        }
    }
    assert!(
        unknown.is_empty(),
        "these vector files are unknown: {}; build what they ask for and list them in catalog.toml",
        unknown.join(", ")
    );
}

#[test]
fn what_is_not_built_is_named_with_every_case_and_why() {
    let (unbuilt, files) = (unbuilt(), files());
    for (subject, fates) in catalog() {
        let listed = fates.into_iter().filter_map(|(name, fate)| Some((name, fate.not_built?)));
        for (name, why) in listed {
            let file = format!("{name}.json");
            // Another folder may hold other cases of it.
            let cases = match files.contains(&(subject.clone(), file.clone())) {
                true => cases(&subject, &file),
                false => unbuilt.get(&subject).and_then(|of| of.get(&name)).cloned().unwrap_or_default(),
            };
            assert!(!cases.is_empty(), "{subject}/{file} is not built; name its cases in not_built.toml");
            cases.iter().for_each(|case| println!("not built  {subject}/{file} {case}: {why}"));
        }
    }
    let catalog = catalog();
    for (subject, name) in unbuilt.iter().flat_map(|(subject, of)| of.keys().map(move |name| (subject, name)))
    {
        let fate = catalog.get(subject).and_then(|of| of.get(name));
        assert!(fate.is_some_and(|fate| fate.not_built.is_some()), "{subject}/{name} is built or unknown");
    }
}

#[test]
fn every_checked_file_is_kept_in_the_repository() {
    for (subject, files) in catalog() {
        for (name, fate) in files {
            let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
                .join("vectors")
                .join(&subject)
                .join(format!("{name}.json"));
            assert_eq!(fate.checked.is_some(), file.exists(), "{subject}/{name}.json");
            assert_ne!(
                fate.checked.is_some(),
                fate.not_built.is_some(),
                "{subject}/{name} needs exactly one fate"
            );
        }
    }
}
