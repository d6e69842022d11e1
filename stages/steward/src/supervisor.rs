//! Starts programs, starts them again when they die, and ends them all.
//!
//! Each program is tended by a task of its own: it starts the program through [`become_child`](crate::become_child),
//! passes its lines to the log, and follows [`Restarts`]. Ending is SIGTERM to all at once, a grace, then SIGKILL.
//! A supervisor that is itself killed takes its programs with it, see there.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader},
    process::{Child, Command},
    sync::{mpsc, watch},
    task::JoinHandle,
};

use crate::{
    Fault, Log,
    restarts::{Restarts, Verdict},
};

/// How long programs have to end by themselves.
pub const GRACE: Duration = Duration::from_secs(2);
/// A longer line is cut into several.
const LINE_BYTES_MAX: u64 = 8_192;
/// How long the last lines of a dead program are waited for; a grandchild may hold the pipe open.
const LAST_LINES: Duration = Duration::from_millis(300);
/// Changes waiting to be taken.
const CHANGES_MAX: usize = 256;

/// One program to be kept running.
#[derive(Debug, Clone)]
pub struct Program {
    /// Name in the log.
    pub name: String,
    /// The executable.
    pub path: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

/// What happened to a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It runs.
    Started {
        /// Which.
        name: String,
        /// Its process.
        pid: u32,
    },
    /// It died and will be started again.
    Died {
        /// Which.
        name: String,
    },
    /// It died too often.
    GivenUp {
        /// Which.
        name: String,
        /// What happened, why, what to do.
        sentence: String,
    },
}

/// What all tasks share.
struct Common {
    launcher: PathBuf,
    dir: PathBuf,
    log: Arc<Log>,
    changes: mpsc::Sender<Change>,
}

/// Keeps programs running.
pub struct Supervisor {
    common: Arc<Common>,
    stop: watch::Sender<bool>,
    changes: mpsc::Receiver<Change>,
    tasks: Vec<JoinHandle<()>>,
    restarts: BTreeMap<String, u32>,
}

impl Supervisor {
    /// Starts programs in `dir`, each through `launcher`, which is this program's own executable.
    #[must_use]
    pub fn new(launcher: PathBuf, dir: PathBuf, log: Arc<Log>) -> Supervisor {
        let (sender, changes) = mpsc::channel(CHANGES_MAX);
        let (stop, _) = watch::channel(false);
        let common = Arc::new(Common { launcher, dir, log, changes: sender });
        Supervisor { common, stop, changes, tasks: Vec::new(), restarts: BTreeMap::new() }
    }

    /// Starts one program and keeps it running.
    pub fn start(&mut self, program: Program) {
        self.restarts.insert(program.name.clone(), 0);
        self.tasks.push(tokio::spawn(tend(program, Arc::clone(&self.common), self.stop.subscribe())));
    }

    /// The next thing that happens to any program. May be dropped while waiting without losing anything.
    pub async fn next(&mut self) -> Change {
        let Some(change) = self.changes.recv().await else { return std::future::pending().await };
        if let Change::Died { name } = &change {
            *self.restarts.entry(name.clone()).or_default() += 1;
        }
        change
    }

    /// How often each program had to be started again.
    #[must_use]
    pub fn restarts(&self) -> &BTreeMap<String, u32> {
        &self.restarts
    }

    /// Ends all programs; returns when none is left.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        for task in std::mem::take(&mut self.tasks) {
            // Nobody takes changes any more; a full channel must not hold a task back.
            let mut task = task;
            loop {
                tokio::select! {
                    biased;
                    _ = &mut task => break,
                    Some(_) = self.changes.recv() => {}
                }
            }
        }
    }
}

/// The whole life of one program.
async fn tend(program: Program, common: Arc<Common>, mut stop: watch::Receiver<bool>) {
    let mut restarts = Restarts::default();
    loop {
        let born = Instant::now();
        let (why, last_line) = match live(&program, &common, &mut stop).await {
            Ok(None) => return,
            Ok(Some((status, last_line))) => (ended(status), last_line),
            Err(fault) => (fault.to_string(), None),
        };
        let said =
            last_line.map_or_else(|| "it said nothing".to_string(), |line| format!("its last line: {line}"));
        match restarts.died(born.elapsed()) {
            Verdict::Again(pause) => {
                let text = format!(" WARN {why}; starts again in {:.1} s; {said}", pause.as_secs_f64());
                common.log.line(&program.name, &text);
                drop(common.changes.send(Change::Died { name: program.name.clone() }).await);
                tokio::select! {
                    biased;
                    _ = stop.changed() => return,
                    () = tokio::time::sleep(pause) => {}
                }
            }
            Verdict::GiveUp => {
                let sentence = format!(
                    "{} died {} times in a row and was given up ({why}; {said}); remove the cause and start again",
                    program.name,
                    crate::restarts::SHORT_LIVES_MAX
                );
                common.log.line(&program.name, &format!("ERROR {sentence}"));
                drop(common.changes.send(Change::GivenUp { name: program.name.clone(), sentence }).await);
                return;
            }
        }
    }
}

/// One life: `None` when it ended because everything ends.
async fn live(
    program: &Program,
    common: &Common,
    stop: &mut watch::Receiver<bool>,
) -> Result<Option<(ExitStatus, Option<String>)>, Fault> {
    if *stop.borrow() {
        return Ok(None);
    }
    let mut child = spawn(program, common)?;
    let lines = tokio::spawn(read_lines(child.stderr.take(), program.name.clone(), Arc::clone(&common.log)));
    let others = tokio::spawn(read_lines(child.stdout.take(), program.name.clone(), Arc::clone(&common.log)));
    if let Some(pid) = child.id() {
        drop(common.changes.send(Change::Started { name: program.name.clone(), pid }).await);
    }
    let status = tokio::select! {
        biased;
        _ = stop.changed() => {
            end(&mut child).await;
            return Ok(None);
        }
        status = child.wait() => status.map_err(|error| Fault::System(format!("{} cannot be waited for: {error}", program.name)))?,
    };
    let last = tokio::time::timeout(LAST_LINES, lines).await.ok().and_then(Result::ok).flatten();
    let other = tokio::time::timeout(LAST_LINES, others).await.ok().and_then(Result::ok).flatten();
    Ok(Some((status, last.or(other))))
}

fn spawn(program: &Program, common: &Common) -> Result<Child, Fault> {
    Command::new(&common.launcher)
        .args(["child", "--parent", &std::process::id().to_string(), "--"])
        .arg(&program.path)
        .args(&program.arguments)
        .current_dir(&common.dir)
        .env("STEWARD_SUPERVISED", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A group of its own: Ctrl-C at the terminal reaches the supervisor only, which then ends all in order.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| Fault::file(&common.launcher, "started", error))
}

/// SIGTERM, a grace, SIGKILL. The child has not been waited for, so its number cannot belong to another.
async fn end(child: &mut Child) {
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        // Failing means that it has just ended by itself.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
    if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
        drop(child.kill().await);
    }
}

/// Passes on lines until the end; returns the last one with anything in it.
async fn read_lines(pipe: Option<impl AsyncRead + Unpin>, name: String, log: Arc<Log>) -> Option<String> {
    let mut reader = BufReader::new(pipe?);
    let mut last = None;
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        let read = (&mut reader).take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes).await;
        if !read.is_ok_and(|count| count > 0) {
            return last;
        }
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_end();
        log.line(&name, text);
        if !text.trim().is_empty() {
            last = Some(text.trim().to_string());
        }
    }
}

fn ended(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with code {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended".into(),
    }
}
