//! The outside of the system alone, as real programs: a bus, the simulated broker over HTTP, `steward-ingest` on its
//! store, and the command line. Any of them may be killed.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use bus_client::{Place, open_for_reading};
use serde_json::Value;

use crate::processes::{Demo, Listener, eventually, peak_kb, ports, programs};

const SOON: Duration = Duration::from_secs(20);

/// A Sunday: nothing becomes final while a test runs.
pub const SUNDAY: &str = "2026-03-01T10:00:00Z";

/// What is started, and how time moves in it.
#[derive(Debug, Clone)]
pub struct Wishes {
    /// First instant.
    pub start: &'static str,
    /// Virtual seconds per second.
    pub speed: f64,
    /// How the broker writes.
    pub profile: &'static str,
    /// Securities with which the store begins; every one of the simulator when empty.
    pub tickers: &'static [&'static str],
    /// More of `[stage.ingest]`.
    pub ingest: String,
}

impl Default for Wishes {
    fn default() -> Self {
        Wishes { start: SUNDAY, speed: 60.0, profile: "live_like", tickers: &[], ingest: String::new() }
    }
}

/// The programs that run, and where.
pub struct Outside {
    folder: tempfile::TempDir,
    port: u16,
    children: Vec<(&'static str, Child)>,
}

impl Outside {
    /// Starts the bus and the simulated world; `ingest` comes with [`Outside::start`].
    ///
    /// # Panics
    /// When a program cannot be started.
    #[must_use]
    pub fn new(wishes: &Wishes) -> Outside {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = ports();
        let keys = folder.path().join("keys");
        fs::create_dir(&keys).expect("a folder for the key");
        let mut key = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(keys.join("broker"))
            .expect("a file for the key");
        writeln!(key, "{}", simworld::PRIVATE_KEY).expect("room for the key");
        fs::write(folder.path().join("steward.toml"), text(wishes, port))
            .expect("room for the configuration");
        let mut outside = Outside { folder, port, children: Vec::new() };
        outside.start("steward-broker");
        eventually("the bus listens", SOON, || TcpStream::connect(("127.0.0.1", port)).ok());
        outside.start("steward-simworld");
        eventually("the simulated broker listens", SOON, || TcpStream::connect(("127.0.0.1", port + 1)).ok());
        outside
    }

    /// Starts a program; its process.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(&mut self, program: &'static str) -> u32 {
        let child = Command::new(programs().join(program))
            .args(["--config", "steward.toml"])
            .current_dir(self.folder.path())
            .env("STEWARD_LOG", "warn")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a program starts");
        let pid = child.id();
        self.children.push((program, child));
        pid
    }

    /// Ends a program without a word of warning.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&mut self, program: &str) {
        let place = self.children.iter().position(|(name, _)| *name == program);
        let (_, mut child) = self.children.remove(place.expect("it was started"));
        child.kill().expect("a child can be killed");
        drop(child.wait());
    }

    /// A client that hears everything.
    #[must_use]
    pub fn bus(&self, id: &str) -> Listener {
        let file = self.folder.path().join("credentials/steward");
        let password = eventually("the bus has made its passwords", SOON, || fs::read_to_string(&file).ok());
        Listener::connect(self.port, id, Some(("steward", password.trim())))
    }

    /// Runs the command line to its end.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn steward(&self, words: &[&str]) -> Output {
        Command::new(programs().join("steward"))
            .args(words)
            .arg("--dir")
            .arg(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .expect("steward starts")
    }

    /// The folder of all this.
    #[must_use]
    pub fn dir(&self) -> PathBuf {
        self.folder.path().to_path_buf()
    }

    /// Rows of a store, each joined by commas.
    ///
    /// # Panics
    /// When the store cannot be read.
    #[must_use]
    pub fn rows(&self, store: &str, sql: &str) -> Vec<String> {
        let file = self.folder.path().join(format!("stores/{store}.db"));
        let store = open_for_reading(&Place::File(file)).expect("a store");
        let mut query = store.prepare(sql).expect("a question");
        let columns = query.column_count();
        let mut found = query.query([]).expect("an answer");
        let mut rows = Vec::new();
        while let Some(row) = found.next().expect("a row") {
            let cell = |place| row.get_ref(place).map_or_else(|_| String::new(), |cell| format!("{cell:?}"));
            rows.push((0..columns).map(cell).collect::<Vec<_>>().join(","));
        }
        rows
    }

    /// Asks the simulator's control interface.
    ///
    /// # Panics
    /// When it does not answer with JSON.
    #[must_use]
    pub fn control(&self, method: &str, call: &str, body: &str) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port + 1)).expect("the simulator listens");
        let length = body.len();
        write!(
            stream,
            "{method} /sim/{call} HTTP/1.1\r\nHost: sim\r\nConnection: close\r\nX-Sim-Control: 1\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .expect("the simulator hears");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the simulator answers");
        let (_, body) = answer.split_once("\r\n\r\n").expect("an answer has a body");
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }

    /// How often a command of the broker was asked for.
    #[must_use]
    pub fn asked(&self, command: &str) -> usize {
        let all = self.control("GET", "requests?since=0", "");
        all.as_array().map_or(0, |all| all.iter().filter(|one| one["command"] == command).count())
    }

    /// The most memory a program ever had resident, in kilobytes.
    #[must_use]
    pub fn peak_kb(&self, program: &str) -> Option<u64> {
        let (_, child) = self.children.iter().find(|(name, _)| *name == program)?;
        peak_kb(child.id())
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        for (_, child) in self.children.iter_mut().rev() {
            Demo::signal(child.id(), "-TERM");
            drop(child.wait());
        }
    }
}

fn text(wishes: &Wishes, port: u16) -> String {
    let Wishes { start, speed, profile, tickers, ingest } = wishes;
    let world = port + 1;
    let account = format!(
        "broker_url = \"http://127.0.0.1:{world}/tn\"\npublic_key = \"{}\"\nprivate_key_file = \"keys/broker\"\n",
        simworld::PUBLIC_KEY
    );
    let head = format!(
        "environment = \"sim:1\"\ndir = \".\"\n[bus]\nurl = \"mqtt://127.0.0.1:{port}\"\n\
         [stage.simworld]\nhttp = \"127.0.0.1:{world}\"\nmode = \"scaled\"\nspeed = {speed:?}\nstart = \"{start}\"\nprofile = \"{profile}\"\n\
         [stage.portfolio]\n{account}mode = \"live\"\nsync_interval_s = 60\n\
         [stage.ingest]\n{account}{ingest}\n"
    );
    let listed = simworld::listings();
    let wanted = listed.iter().filter(|one| tickers.is_empty() || tickers.contains(&one.ticker));
    let universe: String = wanted.map(listing).collect();
    head + &universe
}

fn listing(listing: &simworld::Listing) -> String {
    let simworld::Listing { ticker, isin, name, mic, ccy, product_type, lot, tick_e6, .. } = listing;
    let tick = format!("{}.{:06}", tick_e6 / 1_000_000, tick_e6 % 1_000_000);
    format!(
        "[[stage.ingest.universe]]\nticker = \"{ticker}\"\nisin = \"{isin}\"\nname = \"{name}\"\nmic = \"{mic}\"\nccy = \"{ccy}\"\nproduct_type = \"{product_type}\"\nlot = {lot}\ntick = \"{tick}\"\n"
    )
}
