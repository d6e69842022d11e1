//! Real processes: the programs as they are installed, on a real broker, killed with real signals.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use contracts::{Address, Body, receive};
use rumqttc::{Client, Connection, Event, MqttOptions, Packet, QoS};
use serde_json::Value;

/// How often this test process asked for ports.
static PORTS: AtomicU32 = AtomicU32::new(0);

/// The folder of the programs: that of the running test, or `STEWARD_BIN`.
///
/// # Panics
/// With what to do, when they have not been built.
#[must_use]
pub fn programs() -> PathBuf {
    let own = || std::env::current_exe().ok()?.parent()?.parent().map(Path::to_path_buf);
    let folder =
        std::env::var_os("STEWARD_BIN").map(PathBuf::from).or_else(own).expect("a folder of programs");
    let known = folder.join("steward-broker");
    assert!(
        known.exists(),
        "{} is missing; run `cargo build --workspace --bins` first, as `make test` does",
        known.display()
    );
    folder
}

/// Four ports in a row that nobody uses, below those that systems give to outgoing connections (from 32 768 on): a
/// connection of another test that happened to have such a number kept a broker from listening.
#[must_use]
pub fn ports() -> u16 {
    const FIRST: u16 = 10_000;
    const PLACES: u32 = 5_500;
    loop {
        let place = (std::process::id().wrapping_mul(37).wrapping_add(PORTS.fetch_add(1, Ordering::Relaxed)))
            % PLACES;
        let base = FIRST + u16::try_from(place * 4).unwrap_or(0);
        if (base..base + 4).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok()) {
            return base;
        }
    }
}

/// A running `steward demo --headless`.
pub struct Demo {
    child: Child,
    folder: tempfile::TempDir,
    /// First of its ports: the bus.
    pub ports: u16,
}

impl Demo {
    /// Starts a demo with these options in a folder of its own.
    ///
    /// # Panics
    /// When the program cannot be started.
    #[must_use]
    pub fn start(options: &[&str]) -> Demo {
        let folder = crate::memory_folder();
        let ports = ports();
        let child = Command::new(programs().join("steward"))
            .args(["demo", "--headless", "--ports", &ports.to_string(), "--dir"])
            .arg(folder.path().join("demo"))
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("steward starts");
        Demo { child, folder, ports }
    }

    /// Its data folder.
    #[must_use]
    pub fn dir(&self) -> PathBuf {
        self.folder.path().join("demo")
    }

    /// The process of the supervisor.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Processes of this demo by the name of their program, from the system's own list.
    #[must_use]
    pub fn processes(&self) -> Vec<(String, u32)> {
        processes_in(&self.dir())
    }

    /// The process of one program.
    #[must_use]
    pub fn process(&self, program: &str) -> Option<u32> {
        self.processes().into_iter().find(|(name, _)| name == program).map(|(_, pid)| pid)
    }

    /// A client with a stage's own password that listens.
    ///
    /// # Panics
    /// When the password is not there.
    #[must_use]
    pub fn client(&self, user: &str, id: &str) -> Listener {
        Listener::connect(self.ports, id, Some((user, &self.password(user))))
    }

    /// A client with a stage's own password that speaks.
    ///
    /// # Panics
    /// When the password is not there.
    #[must_use]
    pub fn speaker(&self, user: &str, id: &str) -> Speaker {
        Speaker::new(self.ports, id, Some((user, &self.password(user))))
    }

    fn password(&self, user: &str) -> String {
        let file = self.dir().join("credentials").join(user);
        let password = eventually("the broker has made its passwords", Duration::from_secs(10), || {
            fs::read_to_string(&file).ok().filter(|text| !text.trim().is_empty())
        });
        eventually("the bus listens", Duration::from_secs(10), || {
            std::net::TcpStream::connect(("127.0.0.1", self.ports)).ok()
        });
        password.trim().to_string()
    }

    /// Sends a signal to one process.
    ///
    /// # Panics
    /// When `kill` cannot be run.
    pub fn signal(pid: u32, signal: &str) {
        // A process that is gone already is as good as signalled.
        let _ = Command::new("kill").args([signal, &pid.to_string()]).status().expect("kill runs");
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not end in time; says what it printed last.
    pub fn wait(self, within: Duration) -> (ExitStatus, String) {
        self.wait_and(within, || ())
    }

    /// As [`Demo::wait`], and does something with its folder before that goes.
    ///
    /// # Panics
    /// As there.
    pub fn wait_and(mut self, within: Duration, then: impl FnOnce()) -> (ExitStatus, String) {
        let lines = self.child.stderr.take().map(collect);
        let out = self.child.stdout.take().map(collect);
        let deadline = Instant::now() + within;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                break Some(status);
            }
            if Instant::now() > deadline {
                break None;
            }
            pause();
        };
        if status.is_none() {
            Demo::signal(self.pid(), "-TERM");
            drop(self.child.wait());
        }
        let text = [lines, out]
            .into_iter()
            .flatten()
            .filter_map(|thread| thread.join().ok())
            .collect::<Vec<_>>()
            .join("\n");
        then();
        match status {
            Some(status) => (status, text),
            None => panic!("the demo did not end within {within:?}:\n{}", tail(&text)),
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        if self.child.try_wait().ok().flatten().is_none() {
            Demo::signal(self.pid(), "-TERM");
            drop(self.child.wait());
        }
    }
}

fn collect(stream: impl std::io::Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        BufReader::new(stream).lines().map_while(Result::ok).collect::<Vec<_>>().join("\n")
    })
}

/// The last lines of a text.
#[must_use]
pub fn tail(text: &str) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

/// Stage programs that work in this folder, as every program of a demo does.
#[must_use]
pub fn processes_in(folder: &Path) -> Vec<(String, u32)> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let Ok(line) = fs::read(entry.path().join("cmdline")) else { continue };
        let words: Vec<_> = line.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
        let program = words.first().map_or("", |word| word.rsplit('/').next().unwrap_or("")).to_string();
        let here = fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == folder);
        if here && program.starts_with("steward-") {
            found.push((program, pid));
        }
    }
    found.sort();
    found
}

/// Memory of a process in kilobytes, shared pages counted by their share.
#[must_use]
pub fn pss_kb(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("Pss:")?.trim().split(' ').next()?.parse().ok())
}

/// The most memory that a process ever had resident, in kilobytes, shared pages included.
#[must_use]
pub fn peak_kb(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().split(' ').next()?.parse().ok())
}

fn pause() {
    // Waiting for another process; nothing here tells when it is done.
    #[allow(clippy::disallowed_methods)]
    std::thread::sleep(Duration::from_millis(20));
}

/// Waits until something is there.
///
/// # Panics
/// When it is not there in time, with what was waited for.
pub fn eventually<T>(what: &str, within: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + within;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} within {within:?}");
        pause();
    }
}

/// A client on the bus that listens to everything.
pub struct Listener {
    client: Client,
    connection: Connection,
    prefix: String,
}

impl Listener {
    /// Connects and subscribes to everything.
    ///
    /// # Panics
    /// When the bus does not accept it within ten seconds.
    #[must_use]
    pub fn connect(port: u16, id: &str, login: Option<(&str, &str)>) -> Listener {
        let (client, connection) = open(port, id, login);
        let mut listener = Listener { client, connection, prefix: "steward".into() };
        listener.client.subscribe("#", QoS::AtMostOnce).expect("a fresh client has room");
        eventually("the bus accepts a client", Duration::from_secs(10), || {
            matches!(
                listener.connection.recv_timeout(Duration::from_millis(100)),
                Ok(Ok(Event::Incoming(Packet::SubAck(_))))
            )
            .then_some(())
        });
        listener
    }

    /// The next message within a time.
    pub fn next(&mut self, within: Duration) -> Option<(String, Vec<u8>)> {
        let deadline = Instant::now() + within;
        while Instant::now() < deadline {
            match self.connection.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(Ok(Event::Incoming(Packet::Publish(publish)))) => {
                    return Some((publish.topic, publish.payload.to_vec()));
                }
                Ok(Err(_)) => pause(),
                Ok(Ok(_)) => {}
                Err(_) => return None,
            }
        }
        None
    }

    /// Waits for a statement that satisfies a wish.
    ///
    /// # Panics
    /// When it does not come in time, with what was waited for.
    pub fn wait_for<B: Body>(&mut self, what: &str, within: Duration, mut wish: impl FnMut(&B) -> bool) -> B {
        let deadline = Instant::now() + within;
        while let Some((topic, payload)) = self.next(deadline.saturating_duration_since(Instant::now())) {
            let Ok(address) = Address::parse(&self.prefix, &topic) else { continue };
            if address.topic != B::TOPIC {
                continue;
            }
            if let Ok(received) = receive::<B>(&address.key, &payload)
                && let Some(body) = received.body
                && wish(&body)
            {
                return body;
            }
        }
        panic!("{what} within {within:?}");
    }
}

fn open(port: u16, id: &str, login: Option<(&str, &str)>) -> (Client, Connection) {
    let mut options = MqttOptions::new(id, "127.0.0.1", port);
    options.set_keep_alive(Duration::from_secs(30)).set_max_packet_size(1 << 20, 1 << 20).set_inflight(64);
    if let Some((user, password)) = login {
        options.set_credentials(user, password);
    }
    Client::new(options, 64)
}

/// A client on the bus that only speaks, and may say what it should not: what it said waits behind nothing it hears.
pub struct Speaker {
    client: Client,
    connection: Connection,
}

impl Speaker {
    /// A client that connects when it first has something to say.
    #[must_use]
    pub fn new(port: u16, id: &str, login: Option<(&str, &str)>) -> Speaker {
        let (client, connection) = open(port, id, login);
        Speaker { client, connection }
    }

    /// Publishes a retained statement as anybody, until the broker says that it has it.
    ///
    /// # Panics
    /// When the broker does not take it within thirty seconds, with the last thing it said.
    pub fn publish(&mut self, topic: &str, payload: &[u8]) {
        let deadline = Instant::now() + Duration::from_secs(30);
        let mut heard = "nothing".to_string();
        self.client.publish(topic, QoS::AtLeastOnce, true, payload).expect("room for one message");
        while let Ok(event) = self.connection.recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            match event {
                Ok(Event::Incoming(Packet::PubAck(_))) => return,
                Ok(event) => heard = format!("{event:?}"),
                // What a lost connection had not delivered is lost with it.
                Err(error) => {
                    heard = error.to_string();
                    pause();
                    self.client
                        .publish(topic, QoS::AtLeastOnce, true, payload)
                        .expect("room for one message");
                }
            }
        }
        panic!("the broker took nothing on {topic}; the last it said: {heard}");
    }
}

/// One call of the simulator's control interface; nothing when nobody listens.
#[must_use]
pub fn control(port: u16, call: &str, body: &str) -> Option<Value> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    write!(
        stream,
        "{call} HTTP/1.1\r\nHost: sim\r\nConnection: close\r\nX-Sim-Control: 1\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    head.starts_with("HTTP/1.1 200").then(|| serde_json::from_str(body).ok())?
}

/// The report of a finished demo.
///
/// # Panics
/// When it is not there or no JSON.
#[must_use]
pub fn report(file: &Path) -> Value {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str(&text).expect("a report is JSON")
}
