//! The real program: exit codes, sentences, and what a demo does when a part of it fails.
#![allow(clippy::unwrap_used, missing_docs)]

use std::{
    fs,
    io::ErrorKind,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const STEWARD: &str = env!("CARGO_BIN_EXE_steward");

fn steward(program: &Path, dir: &Path, words: &[&str]) -> Output {
    loop {
        match Command::new(program).args(words).current_dir(dir).env("NO_COLOR", "1").output() {
            // Another test's child may hold our fresh copy open for the moment between its fork and its exec.
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
            output => return output.unwrap(),
        }
    }
}

fn code_and_words(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A folder with this program and a shell script for every other one.
fn installed(script: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("steward");
    fs::copy(STEWARD, &program).unwrap();
    for name in contracts::STAGES.iter().map(|stage| stage.name).chain(["broker"]) {
        let file = folder.path().join(format!("steward-{name}"));
        if name != "steward" {
            fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
    (folder, program)
}

/// Three ports in a row that nobody listens on.
fn free_ports() -> u16 {
    loop {
        let base = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if (20_000..64_000).contains(&base) && (base..base + 3).all(free) {
            return base;
        }
    }
}

#[test]
fn the_version_is_data() {
    let dir = tempfile::tempdir().unwrap();
    let output = steward(Path::new(STEWARD), dir.path(), &["--version"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("steward {}\n", env!("CARGO_PKG_VERSION")));
    assert!(output.status.success());
}

#[test]
fn each_command_without_a_configuration_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    for words in [
        &["status"][..],
        &["halt"],
        &["resume", "Looked."],
        &["explain", "latest"],
        &["watch"],
        &["topics", "tail"],
    ] {
        let (code, sentence) = code_and_words(&steward(Path::new(STEWARD), dir.path(), words));
        assert_eq!(code, Some(2), "{words:?} {sentence}");
        assert!(sentence.contains("steward demo"), "{words:?} {sentence}");
        assert_eq!(sentence.lines().count(), 1, "{sentence}");
    }
}

#[test]
fn an_unreachable_bus_has_its_own_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_ports();
    let text = format!("environment = \"sim:1\"\n[bus]\nurl = \"mqtt://127.0.0.1:{port}\"\n");
    fs::write(dir.path().join("steward.toml"), text).unwrap();
    fs::create_dir(dir.path().join("credentials")).unwrap();
    let password = dir.path().join("credentials/steward");
    fs::write(&password, "0123456789abcdef").unwrap();
    fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).unwrap();
    for words in [&["status"][..], &["status", "--json"], &["halt", "why"], &["topics", "tail"]] {
        let output = steward(Path::new(STEWARD), dir.path(), words);
        let (code, sentence) = code_and_words(&output);
        assert_eq!(code, Some(3), "{words:?} {sentence}");
        assert!(sentence.contains("cannot be reached"), "{sentence}");
        assert!(output.stdout.is_empty(), "what is no data must not look like it");
    }
}

#[test]
fn the_registry_is_shown_without_any_system() {
    let dir = tempfile::tempdir().unwrap();
    let output = steward(Path::new(STEWARD), dir.path(), &["topics", "list", "--json"]);
    let topics: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(topics.as_array().unwrap().len(), contracts::TOPICS.len());
    let (code, sentence) =
        code_and_words(&steward(Path::new(STEWARD), dir.path(), &["topics", "show", "nothing"]));
    assert_eq!(code, Some(1), "{sentence}");
}

#[test]
fn the_real_world_is_never_guessed() {
    let dir = tempfile::tempdir().unwrap();
    let (code, words) = code_and_words(&steward(Path::new(STEWARD), dir.path(), &["up"]));
    assert_eq!(code, Some(1));
    assert!(words.contains("environment = \"live\"") && words.contains("research"), "{words}");
    fs::write(dir.path().join("steward.toml"), "environment = \"sim:1\"").unwrap();
    let (code, words) = code_and_words(&steward(Path::new(STEWARD), dir.path(), &["up"]));
    assert_eq!(code, Some(1));
    assert!(words.contains("steward demo"), "{words}");
}

#[test]
fn a_demo_names_the_port_that_is_in_use() {
    let (_folder, program) = installed("exit 1");
    let dir = tempfile::tempdir().unwrap();
    let base = free_ports();
    let _taken = TcpListener::bind(("127.0.0.1", base + 1)).unwrap();
    let words = ["demo", "--headless", "--ports", &base.to_string()];
    let (code, sentence) = code_and_words(&steward(&program, dir.path(), &words));
    assert_eq!(code, Some(1));
    assert!(sentence.contains(&(base + 1).to_string()) && sentence.contains("--ports BASE"), "{sentence}");
}

#[test]
fn a_second_demo_in_the_same_folder_is_refused() {
    let (_folder, program) = installed("exit 1");
    let dir = tempfile::tempdir().unwrap();
    let _first = steward::lock::take(&dir.path().join("demo")).unwrap();
    let (code, sentence) = code_and_words(&steward(&program, dir.path(), &["demo", "--headless"]));
    assert_eq!(code, Some(1));
    assert!(sentence.contains(&format!("process {};", std::process::id())), "{sentence}");
}

#[test]
fn a_demo_whose_broker_keeps_dying_ends_with_its_last_words() {
    let (_folder, program) = installed("echo 'the disk is full' >&2; exit 7");
    let dir = tempfile::tempdir().unwrap();
    let words = ["demo", "--headless", "--ports", &free_ports().to_string()];
    let (code, sentence) = code_and_words(&steward(&program, dir.path(), &words));
    assert_eq!(code, Some(1));
    let last = sentence.lines().last().unwrap();
    assert!(last.starts_with("broker died 5 times") && last.contains("the disk is full"), "{sentence}");
}

#[test]
fn a_missing_stage_is_named_before_anything_starts() {
    let (folder, program) = installed("exit 1");
    fs::remove_file(folder.path().join("steward-execute")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (code, sentence) = code_and_words(&steward(&program, dir.path(), &["demo", "--headless"]));
    assert_eq!(code, Some(1));
    assert!(sentence.contains("steward-execute does not exist"), "{sentence}");
    assert!(!dir.path().join("demo").exists());
}

#[test]
fn wrong_usage_has_exit_code_two() {
    let dir = tempfile::tempdir().unwrap();
    for words in [&["frobnicate"][..], &["demo", "--days", "0"], &["explain"]] {
        assert_eq!(steward(Path::new(STEWARD), dir.path(), words).status.code(), Some(2), "{words:?}");
    }
}
