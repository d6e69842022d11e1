//! Joins a stage to the bus: connect → subscribe → repeat own statements → handle inputs → publish, until it is told to
//! stop. One thread; one input at a time; nothing here decides anything.

use std::{
    collections::VecDeque,
    future::Future,
    io::Write as _,
    path::PathBuf,
    pin::Pin,
    process::ExitCode,
    rc::Rc,
    time::{Duration, Instant},
};

use contracts::{Address, ClockState, Contract, Health, HealthState, Meta, TopicId, receive};
use market::Timestamp;
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{error, info, warn};

use crate::{
    Clock, Config, ConfigError, Edge, Engine, EngineError, Publication, SecretError, Stage, Start,
    clock::wall,
    engine::INBOX_MAX,
    password,
    transport::{Event, Message, Transport, mqtt},
};

/// Publications that may wait for the bus before the stage pauses.
const OUTGOING_MAX: usize = 512;
/// How often a stage says that it is alive, when nothing else makes it.
const HEALTH_EVERY: Duration = Duration::from_secs(2);
/// Shortest pause between two health statements outside stepped time.
const HEALTH_PAUSE: Duration = Duration::from_millis(200);
/// Messages taken from the bus before the stage works again.
const TAKEN_AT_ONCE: usize = 64;
/// The same reason for being away is told again after this long.
const LOST_AGAIN: Duration = Duration::from_secs(60);

/// Why a process ends.
#[derive(Debug, Error)]
pub enum StartError {
    /// The command line.
    #[error("{0}")]
    Usage(String),
    /// `steward.toml`.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A password or key.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The stage or its store.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Something the stage needs outside the bus.
    #[error("stage {stage} cannot start: {why}")]
    Edge {
        /// Which stage.
        stage: String,
        /// One sentence.
        why: String,
    },
    /// The broker's address.
    #[error("{0}")]
    Bus(String),
    /// The system.
    #[error("{0}")]
    System(String),
}

/// What every stage binary takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arguments {
    /// `--config FILE`.
    pub config: PathBuf,
    /// `--instance N`, for stages that run several times.
    pub instance: Option<u32>,
}

impl Arguments {
    /// Understands the command line.
    ///
    /// # Errors
    /// The text for `--help` and `--version` as `Ok(Err(text))`; one sentence for anything wrong.
    pub fn parse(
        stage: &str,
        mut words: impl Iterator<Item = String>,
    ) -> Result<Result<Arguments, String>, String> {
        let mut arguments = Arguments { config: PathBuf::from("steward.toml"), instance: None };
        while let Some(word) = words.next() {
            let (name, mut value) = match word.split_once('=') {
                Some((name, value)) => (name.to_string(), Some(value.to_string())),
                None => (word, None),
            };
            let mut value =
                || value.take().or_else(|| words.next()).ok_or(format!("{name} needs a value; see --help"));
            match name.as_str() {
                "--config" | "-c" => arguments.config = value()?.into(),
                "--instance" => {
                    let text = value()?;
                    arguments.instance = Some(
                        text.parse().map_err(|_| format!("--instance is `{text}`, it must be a number"))?,
                    );
                }
                "--help" | "-h" => return Ok(Err(help(stage))),
                "--version" | "-V" => {
                    return Ok(Err(format!("steward-{stage} {}", env!("CARGO_PKG_VERSION"))));
                }
                other => return Err(format!("`{other}` is no option of steward-{stage}; see --help")),
            }
        }
        Ok(Ok(arguments))
    }

    /// The name of this instance.
    #[must_use]
    pub fn name(&self, stage: &str) -> String {
        self.instance.map_or(stage.to_string(), |number| format!("{stage}-{number}"))
    }
}

fn help(stage: &str) -> String {
    let says = contracts::STAGES.iter().find(|known| known.name == stage).map_or("", |known| known.says);
    format!(
        "steward-{stage}: {says}\n\nUsage: steward-{stage} [--config FILE] [--instance N]\n\nOptions:\n  -c, --config FILE   Configuration [default: steward.toml]\n      --instance N    Number of this instance, for stages that run several times\n  -h, --help          Print this\n  -V, --version       Print the version\n\nEnvironment: STEWARD_LOG sets the log level (error, warn, info, debug, trace).\nExit codes: 0 told to stop, 1 cannot go on (the reason is the last line), 2 wrong usage."
    )
}

/// The `main` of a stage that calls nothing outside the bus.
pub fn main<S: Stage<Call = crate::NoCall>>() -> ExitCode {
    main_with::<S, _>(|_| Ok(crate::NoEdge))
}

/// The `main` of a stage with an edge.
pub fn main_with<S: Stage, E: Edge<S> + 'static>(
    edge: impl FnOnce(&Start<S::Settings>) -> Result<E, String>,
) -> ExitCode {
    main_on(|engine: &Engine<S>| edge(engine.start()))
}

/// The `main` of a stage whose edge shares something with the loaded stage.
pub fn main_on<S: Stage, E: Edge<S> + 'static>(
    edge: impl FnOnce(&Engine<S>) -> Result<E, String>,
) -> ExitCode {
    let stage = <S::Contract as Contract>::NAME;
    let arguments = match Arguments::parse(stage, std::env::args().skip(1)) {
        Ok(Ok(arguments)) => arguments,
        Ok(Err(text)) => return print(&text),
        Err(sentence) => {
            drop(writeln!(std::io::stderr(), "{sentence}"));
            return ExitCode::from(2);
        }
    };
    crate::start_log();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => {
            runtime.block_on(tokio::task::LocalSet::new().run_until(start::<S, E>(&arguments, edge)))
        }
        Err(error) => Err(StartError::System(format!("the runtime cannot start: {error}"))),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            error!("{sentence}");
            ExitCode::FAILURE
        }
    }
}

#[allow(clippy::print_stdout)]
fn print(text: &str) -> ExitCode {
    println!("{text}");
    ExitCode::SUCCESS
}

async fn start<S: Stage, E: Edge<S> + 'static>(
    arguments: &Arguments,
    edge: impl FnOnce(&Engine<S>) -> Result<E, String>,
) -> Result<(), StartError> {
    let config = Config::read(&arguments.config)?;
    let stage = <S::Contract as Contract>::NAME;
    let instance = arguments.name(stage);
    let mut engine = Engine::<S>::open(&config, &instance, None, wall())?;
    let edge = edge(&engine).map_err(|why| StartError::Edge { stage: instance.clone(), why })?;
    let transport = connect(&config, &mut engine)?;
    let clock = if stage == "simworld" { Clock::System } else { Clock::of(&config.environment) };
    run(engine, transport, edge, clock, stopped()?).await?;
    Ok(())
}

/// An MQTT transport with the stage's password and last will.
///
/// # Errors
/// A missing password (unless the broker is somebody else's) or a URL that cannot be understood.
pub fn connect<S: Stage>(config: &Config, engine: &mut Engine<S>) -> Result<mqtt::MqttTransport, StartError> {
    let instance = engine.start().instance.clone();
    let gone = Health { state: HealthState::Gone, ..engine.health(0, false) };
    let last_will = Some(engine.publish_health(gone, wall()));
    let password = password(config, &instance)?;
    let access = mqtt::Access { url: config.bus.url.clone(), instance, password, last_will };
    mqtt::MqttTransport::start(&access).map_err(StartError::Bus)
}

/// Resolves when the process is told to stop.
///
/// # Errors
/// When signals cannot be listened for.
pub fn stopped() -> Result<impl Future<Output = ()>, StartError> {
    let listen =
        |kind| signal(kind).map_err(|error| StartError::System(format!("signals cannot be heard: {error}")));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    })
}

/// A call under way: its answer, and the message that led to it.
type Pending<S> = Pin<Box<dyn Future<Output = (<S as Stage>::Reply, Option<Meta>)>>>;
/// News that nobody asked for, awaited.
type Awaited<S> = Pin<Box<dyn Future<Output = <S as Stage>::Reply>>>;

struct Runner<S: Stage, T: Transport, E: Edge<S>> {
    engine: Engine<S>,
    transport: T,
    edge: Rc<E>,
    clock: Clock,
    clock_version: u64,
    inbox: VecDeque<(Message, Instant)>,
    outgoing: VecDeque<Publication>,
    call: Option<Pending<S>>,
    news: Option<Awaited<S>>,
    connected: bool,
    /// Why the bus is away, as it was last told.
    lost: Option<(String, Instant)>,
    health: Option<Health>,
    health_at: Instant,
    announced: bool,
}

/// Runs a stage until `stop` resolves; then says goodbye and returns within two seconds.
///
/// # Errors
/// Only when the stage cannot go on.
pub async fn run<S: Stage, T: Transport, E: Edge<S> + 'static>(
    engine: Engine<S>,
    transport: T,
    edge: E,
    clock: Clock,
    stop: impl Future<Output = ()>,
) -> Result<(), EngineError> {
    let mut runner = Runner {
        engine,
        transport,
        edge: Rc::new(edge),
        clock,
        clock_version: 0,
        inbox: VecDeque::new(),
        outgoing: VecDeque::new(),
        call: None,
        news: None,
        connected: false,
        lost: None,
        health: None,
        health_at: Instant::now(),
        announced: false,
    };
    let mut stop = std::pin::pin!(stop);
    loop {
        runner.work()?;
        runner.publish();
        tokio::select! {
            biased;
            () = &mut stop => return runner.goodbye().await,
            happened = runner.wait() => runner.happened(happened).await?,
        }
    }
}

enum Happened<R> {
    Bus(Event),
    Reply(R, Option<Meta>),
    News(R),
    Time,
}

impl<S: Stage, T: Transport, E: Edge<S> + 'static> Runner<S, T, E> {
    /// Handles everything that is there, as long as what it leads to can be sent.
    fn work(&mut self) -> Result<(), EngineError> {
        let Some(now) = self.clock.now() else { return Ok(()) };
        while self.outgoing.len() < OUTGOING_MAX {
            let Some((message, came)) = self.inbox.pop_front() else { break };
            let said = self.engine.deliver(&message.topic, &message.payload, now)?;
            self.engine.note_lag(u64::try_from(came.elapsed().as_millis()).unwrap_or(u64::MAX));
            self.outgoing.extend(said);
            self.transport.handled(message.ticket);
        }
        if self.inbox.is_empty() && self.engine.wake_at().is_some_and(|then| then <= now) {
            let said = self.engine.tick(now)?;
            self.outgoing.extend(said);
        }
        if self.call.is_none()
            && let Some((call, cause)) = self.engine.next_call()
        {
            let edge = Rc::clone(&self.edge);
            self.call = Some(Box::pin(async move { (edge.perform(call).await, cause) }));
        }
        // What comes unasked would come at another instant of stepped time in every run.
        if self.clock.is_stepped() {
            self.news = None;
        } else if self.news.is_none() {
            let edge = Rc::clone(&self.edge);
            self.news = Some(Box::pin(async move { edge.news().await }));
        }
        Ok(())
    }

    /// A call under way is counted by the engine, which knows whether it holds time.
    fn is_idle(&self) -> bool {
        let due = self.clock.now().is_none_or(|now| self.engine.wake_at().is_some_and(|then| then <= now));
        self.inbox.is_empty() && self.engine.is_idle() && !due
    }

    /// Hands over what is waiting, and the health when it says something new.
    fn publish(&mut self) {
        if !self.connected {
            return;
        }
        self.transport.publish(&mut self.outgoing);
        let idle = self.is_idle() && self.outgoing.is_empty();
        if let Some(health) = self.health_due(idle) {
            let publication = self.engine.publish_health(health, self.clock.now().unwrap_or(Timestamp::ZERO));
            self.outgoing.push_back(publication);
            self.transport.publish(&mut self.outgoing);
        }
    }

    fn health_due(&mut self, idle: bool) -> Option<Health> {
        let since = self.health_at.elapsed();
        let stepped = self.clock.is_stepped();
        if !stepped && since < HEALTH_PAUSE && self.health.is_some() {
            return None;
        }
        let health = self.engine.health(self.clock.step(), idle);
        let changed = self.health.as_ref().is_none_or(|last| {
            if stepped {
                idle && (last.step, last.idle, last.wake_at, &last.said, &last.seen)
                    != (health.step, idle, health.wake_at, &health.said, &health.seen)
            } else {
                (last.state, &last.last_error, &last.last_decision)
                    != (health.state, &health.last_error, &health.last_decision)
            }
        });
        if !changed && since < HEALTH_EVERY {
            return None;
        }
        if !self.announced {
            self.announced = true;
            info!(stage = %self.engine.start().instance, "Ready.");
            notify(&[sd_notify::NotifyState::Ready]);
        }
        notify(&[sd_notify::NotifyState::Watchdog]);
        self.health = Some(health.clone());
        self.health_at = Instant::now();
        Some(health)
    }

    async fn wait(&mut self) -> Happened<S::Reply> {
        let pause = self.pause();
        // Without a clock nothing can be worked off, and the clock may stand behind everything else that is retained.
        let told = self.clock.now().is_some();
        let full = told && self.inbox.len() >= TAKEN_AT_ONCE && self.outgoing.len() < OUTGOING_MAX;
        tokio::select! {
            biased;
            (reply, cause) = answered(&mut self.call) => Happened::Reply(reply, cause),
            event = self.transport.next(), if !full => Happened::Bus(event),
            news = answered(&mut self.news), if !full => Happened::News(news),
            () = tokio::time::sleep(pause) => Happened::Time,
        }
    }

    /// How long nothing needs to be done unless something happens.
    fn pause(&self) -> Duration {
        let health = HEALTH_EVERY.saturating_sub(self.health_at.elapsed());
        let busy = !self.inbox.is_empty() && self.clock.now().is_some() && self.outgoing.len() < OUTGOING_MAX;
        if busy {
            return Duration::ZERO;
        }
        let timer = self.engine.wake_at().and_then(|then| self.clock.until(then));
        // A health statement that is held back for the shortest pause must still come.
        health
            .max(Duration::from_millis(1))
            .min(timer.unwrap_or(HEALTH_EVERY))
            .min(HEALTH_PAUSE.max(Duration::from_millis(1)))
    }

    async fn happened(&mut self, happened: Happened<S::Reply>) -> Result<(), EngineError> {
        match happened {
            Happened::Time => {}
            Happened::Reply(reply, cause) => {
                self.call = None;
                let now = self.clock.now().unwrap_or(Timestamp::ZERO);
                let said = self.engine.reply(reply, cause, now)?;
                self.outgoing.extend(said);
            }
            Happened::News(news) => {
                self.news = None;
                let now = self.clock.now().unwrap_or(Timestamp::ZERO);
                let said = self.engine.told(news, now)?;
                self.outgoing.extend(said);
            }
            Happened::Bus(event) => self.bus(event)?,
        }
        Ok(())
    }

    fn bus(&mut self, event: Event) -> Result<(), EngineError> {
        match event {
            Event::Room => {}
            Event::Connected => {
                // What was waiting is part of the repeat, or will be asked for again.
                self.outgoing.retain(|publication| !publication.retain);
                self.inbox.clear();
                match self.transport.subscribe(&self.engine.filters()) {
                    Ok(()) => {
                        (self.connected, self.lost) = (true, None);
                        let mut all: VecDeque<_> = self.engine.repeat().into();
                        all.append(&mut self.outgoing);
                        self.outgoing = all;
                        self.health = None;
                        info!(stage = %self.engine.start().instance, statements = self.outgoing.len(), "Connected to the bus.");
                    }
                    Err(why) => warn!(why, "Subscribing failed; waiting for the next connection."),
                }
            }
            Event::Lost(why) => {
                let told =
                    self.lost.as_ref().is_some_and(|(last, at)| *last == why && at.elapsed() < LOST_AGAIN);
                if self.connected || !told {
                    warn!(stage = %self.engine.start().instance, "{why}");
                    self.lost = Some((why.clone(), Instant::now()));
                }
                self.connected = false;
                self.engine.note_error(&why);
            }
            Event::Message(message) => return self.message(message),
        }
        Ok(())
    }

    fn message(&mut self, message: Message) -> Result<(), EngineError> {
        if let Some(state) = self.clock_statement(&message) {
            self.transport.handled(message.ticket);
            self.clock = Clock::Virtual(Some(state));
            return Ok(());
        }
        if self.inbox.len() >= INBOX_MAX {
            return Err(EngineError::TooManyMessages { stage: self.engine.start().instance.clone() });
        }
        if self.clock.now().is_none() {
            // Unacknowledged it would hold back the clock. Lost with the process it is said again at the next connect.
            self.transport.handled(message.ticket);
        }
        self.inbox.push_back((message, Instant::now()));
        Ok(())
    }

    /// The clock goes before everything else: until it has spoken, nothing is handled.
    fn clock_statement(&mut self, message: &Message) -> Option<ClockState> {
        let Clock::Virtual(_) = self.clock else { return None };
        let address = Address::parse(&self.engine.start().config.bus.prefix, &message.topic).ok()?;
        if address.topic != TopicId::SystemClock {
            return None;
        }
        let received = receive::<ClockState>(&address.key, &message.payload).ok()?;
        let version = received.meta?.key_version;
        let newer = version > self.clock_version;
        self.clock_version = self.clock_version.max(version);
        match (&self.clock, newer) {
            (Clock::Virtual(Some(known)), false) => Some(known.clone()),
            _ => received.body,
        }
    }

    async fn goodbye(mut self) -> Result<(), EngineError> {
        notify(&[sd_notify::NotifyState::Stopping]);
        info!(stage = %self.engine.start().instance, "Told to stop.");
        if self.connected {
            let health = Health { state: HealthState::Gone, ..self.engine.health(self.clock.step(), false) };
            let last = self.engine.publish_health(health, self.clock.now().unwrap_or(Timestamp::ZERO));
            self.outgoing.push_back(last);
            self.transport.publish(&mut self.outgoing);
        }
        self.transport.close().await;
        Ok(())
    }
}

async fn answered<R>(call: &mut Option<Pin<Box<dyn Future<Output = R>>>>) -> R {
    match call {
        Some(call) => call.await,
        None => std::future::pending().await,
    }
}

fn notify(state: &[sd_notify::NotifyState]) {
    // Without systemd there is nobody to tell.
    drop(sd_notify::notify(state));
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Result<Arguments, String>, String> {
        Arguments::parse("evaluate", words.iter().map(|word| (*word).to_string()))
    }

    #[test]
    fn the_command_line_is_understood() {
        let arguments = parse(&["--config=x.toml", "--instance", "2"]).unwrap().unwrap();
        assert_eq!(arguments, Arguments { config: "x.toml".into(), instance: Some(2) });
        assert_eq!(arguments.name("evaluate"), "evaluate-2");
    }

    #[test]
    fn mistakes_are_sentences() {
        assert!(parse(&["--confg", "x"]).unwrap_err().contains("--confg"));
        assert!(parse(&["--config"]).unwrap_err().contains("needs a value"));
        assert!(parse(&["--instance", "two"]).unwrap_err().contains("two"));
    }

    #[test]
    fn help_names_the_exit_codes() {
        assert!(parse(&["--help"]).unwrap().unwrap_err().contains("Exit codes"));
    }
}
