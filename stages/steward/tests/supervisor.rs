//! The supervisor with real processes: restarts, giving up, and that nobody is left behind.
#![allow(clippy::unwrap_used, missing_docs)]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use steward::{
    Log,
    supervisor::{Change, Program, Supervisor},
};

/// Far above what a busy machine needs.
const DEADLINE: Duration = Duration::from_secs(30);
/// Set in the process that plays the supervisor to be killed.
const PLAY: &str = "STEWARD_TEST_FOLDER";

fn launcher() -> PathBuf {
    env!("CARGO_BIN_EXE_steward").into()
}

fn shell(name: &str, script: &str) -> Program {
    Program { name: name.into(), path: "/bin/sh".into(), arguments: vec!["-c".into(), script.into()] }
}

fn supervisor(dir: &Path) -> Supervisor {
    let log = Log::shown(steward::Shown::Nothing).kept_in(&dir.join("log")).unwrap();
    Supervisor::new(launcher(), dir.into(), Arc::new(log))
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        tokio::time::timeout(DEADLINE, test).await.expect("the test ended in time");
    });
}

async fn started(supervisor: &mut Supervisor, wanted: &str) -> u32 {
    loop {
        match supervisor.next().await {
            Change::Started { name, pid } if name == wanted => return pid,
            Change::GivenUp { sentence, .. } => panic!("{sentence}"),
            _ => {}
        }
    }
}

fn is_alive(pid: u32) -> bool {
    // A dead process that nobody has waited for still has an entry; its state says so.
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|text| text.rsplit(')').next().and_then(|rest| rest.trim().chars().next()) != Some('Z'))
}

fn until(what: &str, done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < DEADLINE, "{what} did not happen in time");
        std::thread::yield_now();
    }
}

async fn until_async(what: &str, done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < DEADLINE, "{what} did not happen in time");
        tokio::task::yield_now().await;
    }
}

fn kill(pid: u32, signal: &str) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

#[test]
fn a_program_that_dies_is_started_again() {
    run(async {
        let dir = tempfile::tempdir().unwrap();
        let mut supervisor = supervisor(dir.path());
        supervisor.start(shell("sleeper", "exec sleep 1000"));
        let first = started(&mut supervisor, "sleeper").await;
        kill(first, "-KILL");
        let second = started(&mut supervisor, "sleeper").await;
        assert_ne!(first, second);
        assert_eq!(supervisor.restarts()["sleeper"], 1);
        supervisor.stop().await;
        assert!(!is_alive(second));
    });
}

#[test]
fn a_program_that_keeps_dying_is_given_up_with_its_last_line() {
    run(async {
        let dir = tempfile::tempdir().unwrap();
        let mut supervisor = supervisor(dir.path());
        supervisor.start(shell("faulty", "echo first; echo 'the key is missing' >&2; exit 3"));
        let sentence = loop {
            if let Change::GivenUp { sentence, .. } = supervisor.next().await {
                break sentence;
            }
        };
        assert!(sentence.starts_with("faulty died 5 times"), "{sentence}");
        assert!(sentence.contains("the key is missing") && sentence.contains("code 3"), "{sentence}");
        assert!(!sentence.contains('\n'), "{sentence}");
        assert_eq!(supervisor.restarts()["faulty"], 4);
        supervisor.stop().await;
        let log = fs::read_to_string(dir.path().join("log")).unwrap();
        assert_eq!(
            log.matches("the key is missing\n").count(),
            5 + 4,
            "each line, and each notice naming it\n{log}"
        );
    });
}

#[test]
fn a_program_that_is_not_there_is_given_up_and_named() {
    run(async {
        let dir = tempfile::tempdir().unwrap();
        let mut supervisor = supervisor(dir.path());
        let path = dir.path().join("steward-nothing");
        supervisor.start(Program { name: "nothing".into(), path, arguments: vec![] });
        let sentence = loop {
            if let Change::GivenUp { sentence, .. } = supervisor.next().await {
                break sentence;
            }
        };
        assert!(sentence.contains("steward-nothing cannot be started"), "{sentence}");
        supervisor.stop().await;
    });
}

#[test]
fn stopping_ends_the_polite_at_once_and_the_deaf_after_the_grace() {
    run(async {
        let dir = tempfile::tempdir().unwrap();
        let mut supervisor = supervisor(dir.path());
        let deaf = "trap '' TERM; touch deaf; while :; do sleep 1; done";
        supervisor.start(shell("deaf", deaf));
        supervisor.start(shell(
            "polite",
            "trap 'touch goodbye; exit 0' TERM; touch polite; while :; do sleep 0.01; done",
        ));
        let deaf = started(&mut supervisor, "deaf").await;
        until_async("both shells are ready", || {
            dir.path().join("deaf").exists() && dir.path().join("polite").exists()
        })
        .await;
        supervisor.stop().await;
        assert!(!is_alive(deaf));
        assert!(dir.path().join("goodbye").exists(), "the polite one had no time to say goodbye");
    });
}

#[test]
fn programs_run_in_their_folder_and_know_that_they_are_supervised() {
    run(async {
        let dir = tempfile::tempdir().unwrap();
        let mut supervisor = supervisor(dir.path());
        supervisor.start(shell(
            "curious",
            "echo \"$STEWARD_SUPERVISED\" > told.tmp; mv told.tmp told; exec sleep 1000",
        ));
        until_async("the program wrote", || dir.path().join("told").exists()).await;
        assert_eq!(fs::read_to_string(dir.path().join("told")).unwrap(), "1\n");
        supervisor.stop().await;
    });
}

/// Not a test of its own: the process that is killed by the next one.
#[test]
fn plays_a_supervisor_when_told_to() {
    let Some(dir) = std::env::var_os(PLAY).map(PathBuf::from) else { return };
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let mut supervisor = supervisor(&dir);
        for name in ["one", "two"] {
            supervisor.start(shell(name, "exec sleep 1000"));
        }
        loop {
            if let Change::Started { pid, .. } = supervisor.next().await {
                println!("child {pid}");
            }
        }
    });
}

#[test]
fn nobody_is_left_when_the_supervisor_itself_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let mut played = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "plays_a_supervisor_when_told_to", "--nocapture"])
        .env(PLAY, dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(played.stdout.take().unwrap()).lines().map_while(Result::ok);
    // The harness may print its own words on the same line.
    let pids: Vec<u32> =
        lines.filter_map(|line| line.rsplit_once("child ")?.1.trim().parse().ok()).take(2).collect();
    assert_eq!(pids.len(), 2);
    // A child is a shell for a moment before it is what it was started as.
    until("both sleep", || {
        pids.iter().all(|pid| {
            fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "sleep")
        })
    });
    played.kill().unwrap();
    played.wait().unwrap();
    until("both are gone", || pids.iter().all(|pid| !is_alive(*pid)));
}
