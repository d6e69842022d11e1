//! A broker in this process or as the real binary, and a client whose every wait has a deadline.
#![allow(dead_code, clippy::unwrap_used)]

use std::future::Future;
use std::io::Read;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use broker::{Config, Handle, Limits, credentials};
use rumqttc::{AsyncClient, ConnectionError, Event, EventLoop, LastWill, MqttOptions, Packet, Publish, QoS};
use tempfile::TempDir;

/// Longest any single wait may take; far above what a busy machine needs.
pub const DEADLINE: Duration = Duration::from_secs(20);
/// Requests a client may hold: more than the 100 acknowledgements that can be due at once.
const REQUESTS_MAX: usize = 256;

/// Runs a test on a runtime of one thread.
pub fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

/// Waits for an event, at most the deadline.
pub async fn within<T>(what: &str, event: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, event).await.unwrap_or_else(|_| panic!("{what} did not happen in time"))
}

/// A broker in this process.
pub struct Broker {
    pub handle: Handle,
    pub dir: TempDir,
}

impl Broker {
    pub async fn start() -> Broker {
        Broker::with(Limits::default()).await
    }

    pub async fn with(limits: Limits) -> Broker {
        let dir = tempfile::tempdir().unwrap();
        let config = Config {
            dir: dir.path().to_path_buf(),
            listen: "127.0.0.1:0".parse().unwrap(),
            limits,
            no_delay: true,
        };
        let handle = broker::run(&config).unwrap();
        within("the first heartbeat", handle.healthy()).await.unwrap();
        Broker { handle, dir }
    }

    pub fn options(&self, stage: &str, client_id: &str) -> MqttOptions {
        options(self.handle.addr(), self.dir.path(), stage, client_id)
    }

    pub async fn client(&self, stage: &str, client_id: &str) -> Client {
        Client::connect(self.options(stage, client_id)).await
    }
}

/// Options as the stages use them.
pub fn options(addr: SocketAddr, dir: &Path, stage: &str, client_id: &str) -> MqttOptions {
    let mut options = MqttOptions::new(client_id, addr.ip().to_string(), addr.port());
    options.set_credentials(stage, credentials::password(dir, stage).unwrap());
    options.set_max_packet_size(2 * 1024 * 1024, 2 * 1024 * 1024);
    options.set_keep_alive(Duration::from_secs(30));
    options
}

pub fn will(topic: &str, payload: &str) -> LastWill {
    LastWill::new(topic, payload, QoS::AtLeastOnce, true)
}

/// A connected client.
pub struct Client {
    pub client: AsyncClient,
    pub events: EventLoop,
}

impl Client {
    /// Connects or fails the test.
    pub async fn connect(options: MqttOptions) -> Client {
        Client::try_connect(options).await.unwrap()
    }

    pub async fn try_connect(options: MqttOptions) -> Result<Client, ConnectionError> {
        let (client, events) = AsyncClient::new(options, REQUESTS_MAX);
        let mut connected = Client { client, events };
        within("an answer to the connection", connected.until(|p| matches!(p, Packet::ConnAck(_)))).await?;
        Ok(connected)
    }

    async fn until(&mut self, wanted: impl Fn(&Packet) -> bool) -> Result<Packet, ConnectionError> {
        loop {
            if let Event::Incoming(packet) = self.events.poll().await?
                && wanted(&packet)
            {
                return Ok(packet);
            }
        }
    }

    pub async fn subscribe(&mut self, filter: &str, qos: QoS) {
        self.client.subscribe(filter, qos).await.unwrap();
        within("a subscription", self.until(|p| matches!(p, Packet::SubAck(_)))).await.unwrap();
    }

    /// Publishes at QoS 1 and waits for the acknowledgement.
    pub async fn publish(&mut self, topic: &str, retain: bool, payload: impl Into<Vec<u8>>) {
        self.client.publish(topic, QoS::AtLeastOnce, retain, payload).await.unwrap();
        within("an acknowledgement", self.until(|p| matches!(p, Packet::PubAck(_)))).await.unwrap();
    }

    /// Returns the next publication received.
    pub async fn next(&mut self) -> Publish {
        match within("a publication", self.until(|p| matches!(p, Packet::Publish(_)))).await.unwrap() {
            Packet::Publish(publish) => publish,
            other => panic!("{other:?}"),
        }
    }

    /// Returns the next publication as topic and text.
    pub async fn next_text(&mut self) -> (String, String) {
        let publish = self.next().await;
        (publish.topic, String::from_utf8(publish.payload.to_vec()).unwrap())
    }

    /// Acknowledges by hand; never waits, because the caller is the one who would have to make room.
    pub fn acknowledge(&self, publish: &Publish) {
        self.client.try_ack(publish).unwrap();
    }

    /// Waits until the connection ends.
    pub async fn ends(&mut self) -> ConnectionError {
        within("the end of the connection", self.until(|_| false)).await.unwrap_err()
    }

    /// Says good-bye, so that no last will follows.
    pub async fn leave(mut self) {
        self.client.disconnect().await.unwrap();
        within("the good-bye", self.until(|_| false)).await.unwrap_err();
    }
}

/// A port nobody listens on.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The real binary with a settings file of its own.
pub struct Process {
    child: Child,
    pub addr: SocketAddr,
    notices: UnixDatagram,
}

impl Process {
    /// Starts it in the folder and returns once it has told the service manager that it is ready.
    pub fn start(dir: &Path, port: u16) -> Process {
        let notices_path = dir.join("notify");
        std::fs::remove_file(&notices_path).ok();
        let notices = UnixDatagram::bind(&notices_path).unwrap();
        notices.set_read_timeout(Some(DEADLINE)).unwrap();
        let child = command(&settings(dir, port, ""))
            .env("NOTIFY_SOCKET", &notices_path)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let process = Process { child, addr: format!("127.0.0.1:{port}").parse().unwrap(), notices };
        process.told("READY=1");
        process
    }

    /// Waits for a word to the service manager.
    pub fn told(&self, word: &str) {
        let mut buffer = [0; 4096];
        loop {
            let length = self.notices.recv(&mut buffer).unwrap();
            if String::from_utf8_lossy(&buffer[..length]).lines().any(|line| line == word) {
                return;
            }
        }
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(name).arg(self.child.id().to_string()).status().unwrap();
        assert!(status.success());
    }

    /// Waits for the end, looking often, at most the deadline.
    pub fn ended(&mut self) -> ExitStatus {
        wait(&mut self.child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Writes a settings file.
pub fn settings(dir: &Path, port: u16, more: &str) -> PathBuf {
    let path = dir.join("steward.toml");
    let text = format!("dir = {:?}\n[bus]\nurl = \"mqtt://127.0.0.1:{port}\"\n{more}", dir.join("data"));
    std::fs::write(&path, text).unwrap();
    path
}

pub fn command(settings: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_steward-broker"));
    command.arg("--config").arg(settings).env_remove("RUST_LOG").env_remove("NOTIFY_SOCKET");
    command
}

/// Runs the binary to its end and returns what it wrote.
pub fn output(settings: &Path) -> (ExitStatus, String) {
    let mut child = command(settings).stderr(Stdio::piped()).spawn().unwrap();
    let status = wait(&mut child);
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    (status, text)
}

fn wait(child: &mut Child) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(start.elapsed() < DEADLINE, "the process did not end in time");
        std::thread::yield_now();
    }
}
