//! The simulator on its own: no bus, no stages, only the imitated services and a clock anybody may set.
//!
//! For whoever writes a client of the broker: start it, point the client at it, look at what it saw.

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bus_client::wall;
use clap::{Parser, ValueEnum};
use market::{Calendars, Mic, Timestamp};
use serde::Deserialize;
use serde_json::json;

use crate::control::{ControlReply, control};
use crate::core::scenarios::{SCENARIOS, USUAL_START, scenario};
use crate::edge::{Host, bind, serve_on};
use crate::mornings::next_morning;
use crate::{PRIVATE_KEY, PUBLIC_KEY, World, WorldConfig, stage};

/// A simulated broker, market and clock on this machine.
#[derive(Debug, Parser)]
#[command(
    name = "steward-simworld",
    version,
    after_help = "Without options, or with --config, it runs as a stage on the bus.\nExit codes: 0 told to stop, 1 cannot go on (the reason is the last line), 2 wrong usage."
)]
struct Options {
    /// Seed of every price and every draw
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Account, mood and events; `list` shows them all
    #[arg(long, default_value = "default")]
    scenario: String,
    /// How the broker writes: clean, live_like or nasty
    #[arg(long, default_value = "live_like")]
    profile: String,
    /// First instant, such as 2026-03-02T08:00:00Z [default: the scenario's]
    #[arg(long)]
    start: Option<String>,
    /// Port on loopback
    #[arg(long, default_value_t = 8900)]
    port: u16,
    /// How time moves
    #[arg(long, value_enum, default_value_t = Mode::Real)]
    mode: Mode,
    /// Virtual seconds per second, with --mode scaled or fast-closed
    #[arg(long, default_value_t = 60.0)]
    speed: f64,
    /// Answers any number of requests
    #[arg(long)]
    no_limits: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    /// As the wall clock
    Real,
    /// Faster, by --speed
    Scaled,
    /// Faster, and over closed hours in one jump
    FastClosed,
    /// Only when POST /sim/clock says so
    Stepped,
}

/// Runs alone when the arguments ask for it; `None` leaves the process to the stage.
#[must_use]
pub fn serve_alone() -> Option<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let ours = [
        "--seed",
        "--scenario",
        "--profile",
        "--start",
        "--port",
        "--mode",
        "--speed",
        "--no-limits",
        "--help",
    ];
    let first = arguments.first()?.split('=').next()?.to_owned();
    if !ours.contains(&first.as_str()) {
        return None;
    }
    Some(match Options::try_parse() {
        Ok(options) => run(&options),
        Err(error) => {
            let _ = error.print();
            ExitCode::from(if error.use_stderr() { 2 } else { 0 })
        }
    })
}

fn run(options: &Options) -> ExitCode {
    if options.scenario == "list" {
        say(&SCENARIOS.iter().map(|s| format!("{:17} {}\n", s.name, s.shows)).collect::<String>());
        return ExitCode::SUCCESS;
    }
    bus_client::start_log();
    let ended = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("the runtime cannot start: {error}"))
        .and_then(|runtime| runtime.block_on(serve(options)));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            tracing::error!("{sentence}");
            ExitCode::from(2)
        }
    }
}

async fn serve(options: &Options) -> Result<(), String> {
    let host = Alone::new(options)?;
    let address = SocketAddr::from(([127, 0, 0, 1], options.port));
    let listener = bind(address).await.map_err(|error| {
        format!("port {} cannot be used ({error}); choose another with --port", options.port)
    })?;
    say(&banner(options, &host.world().now().to_string()));
    let server = serve_on(listener, Arc::new(host));
    tokio::select! {
        biased;
        _ = tokio::signal::ctrl_c() => Ok(()),
        ended = server => ended.map_err(|error| format!("the server stopped: {error}")),
    }
}

/// A world with a clock of its own.
struct Alone {
    world: Mutex<World>,
    clock: Mutex<Clock>,
    calendars: Calendars,
    venues: Vec<Mic>,
}

/// Virtual time as a line through one known point.
#[derive(Debug, Clone)]
struct Clock {
    mode: Mode,
    speed: f64,
    v0: Timestamp,
    w0: Timestamp,
    epoch: u64,
    step: u64,
}

/// What a client of the control interface may ask of the clock.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockCall {
    mode: Option<Mode>,
    speed: Option<f64>,
    goto: Option<Timestamp>,
    advance_s: Option<i64>,
    /// `open:XNYS`, `close:XNYS` or `event`.
    to_next: Option<String>,
}

impl Clock {
    fn at(&self, wall: Timestamp) -> Timestamp {
        match self.mode {
            Mode::Stepped => self.v0,
            _ => {
                let passed = wall.since(self.w0).max(0) as f64 * self.speed;
                self.v0.saturating_plus_ms(passed as i64)
            }
        }
    }

    fn set(&mut self, v0: Timestamp) {
        (self.v0, self.w0, self.epoch, self.step) = (v0, wall(), self.epoch + 1, self.step + 1);
    }

    fn written(&self, now: Timestamp) -> serde_json::Value {
        let mode = match self.mode {
            Mode::Real => "real",
            Mode::Scaled => "scaled",
            Mode::FastClosed => "fast_closed",
            Mode::Stepped => "stepped",
        };
        json!({
            "mode": mode,
            "virtual": now.to_string(),
            "v0": self.v0.to_string(),
            "w0_unix_ms": self.w0.ms(),
            "speed": self.speed,
            "epoch": self.epoch,
            "step": self.step,
        })
    }
}

impl Alone {
    fn new(options: &Options) -> Result<Self, String> {
        let preset = scenario(&options.scenario);
        let text = options.start.as_deref().or(preset.and_then(|p| p.start)).unwrap_or(USUAL_START);
        let start: Timestamp =
            text.parse().map_err(|_| format!("--start is `{text}`, it must look like {USUAL_START}"))?;
        if !(options.speed > 0.0 && options.speed <= 100_000.0) {
            return Err(format!("--speed is {}, it must be above 0 and at most 100000", options.speed));
        }
        let mut config = WorldConfig::new(options.seed, start);
        config.scenario.clone_from(&options.scenario);
        config.profile = stage::profile(&options.profile)?;
        config.rules.throttle = !options.no_limits;
        let world = World::new(config).map_err(|error| error.to_string())?;
        let speed = if options.mode == Mode::Real { 1.0 } else { options.speed };
        let clock = Clock { mode: options.mode, speed, v0: start, w0: wall(), epoch: 1, step: 1 };
        let venues = world.venues();
        Ok(Self {
            world: Mutex::new(world),
            clock: Mutex::new(clock),
            calendars: Calendars::embedded().with_rules(),
            venues,
        })
    }

    fn clock(&self) -> MutexGuard<'_, Clock> {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        let mut clock = self.clock();
        let now = clock.at(wall());
        if clock.mode == Mode::FastClosed
            && let Some(morning) = next_morning(&self.calendars, &self.venues, now)
        {
            clock.set(morning);
            return morning;
        }
        now
    }

    fn set_clock(&self, body: &[u8]) -> ControlReply {
        let call: ClockCall = match serde_json::from_slice(body) {
            Ok(call) => call,
            Err(error) => return ControlReply::refused(error),
        };
        let now = self.now();
        let mut to =
            call.goto.unwrap_or(now).saturating_plus_ms(call.advance_s.unwrap_or(0).saturating_mul(1000));
        if let Some(what) = &call.to_next {
            match self.next(what, to) {
                Some(next) => to = next,
                None => {
                    return ControlReply::refused(
                        "to_next is event, or open: or close: and a venue such as XNYS",
                    );
                }
            }
        }
        let speed = call.speed.unwrap_or(self.clock().speed);
        if to < now || speed.is_nan() || speed <= 0.0 {
            return ControlReply::refused(
                "time never runs backwards and speed lies above 0; nothing was changed",
            );
        }
        let mut clock = self.clock();
        clock.mode = call.mode.unwrap_or(clock.mode);
        clock.speed = if clock.mode == Mode::Real { 1.0 } else { speed };
        clock.set(to);
        drop(clock);
        drop(self.world());
        ControlReply::done(self.clock().written(to))
    }

    /// Returns the next opening, close or booking after an instant.
    fn next(&self, what: &str, from: Timestamp) -> Option<Timestamp> {
        if what == "event" {
            return self.world.lock().unwrap_or_else(PoisonError::into_inner).next_event();
        }
        let (kind, venue) = what.split_once(':')?;
        let venue: Mic = venue.parse().ok()?;
        let mut at = from;
        // Openings and closes alternate; a lunch break makes four a day.
        for _ in 0..8 {
            let open = self.calendars.is_open(venue, at);
            at = self.calendars.state(venue, at).next_change?;
            if (kind == "open" && !open) || (kind == "close" && open) {
                return Some(at);
            }
        }
        None
    }
}

impl Host for Alone {
    fn world(&self) -> MutexGuard<'_, World> {
        let now = self.now();
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.advance_to(now);
        world
    }

    fn wall_unix_s(&self) -> i64 {
        wall().ms() / 1_000
    }

    fn control(&self, method: &str, call: &str, body: &[u8]) -> ControlReply {
        match (method, call) {
            ("GET", "clock") => {
                let now = self.now();
                ControlReply::done(self.clock().written(now))
            }
            ("POST", "clock") => self.set_clock(body),
            _ => {
                let mut world = self.world();
                let before = world.now();
                let reply = control(&mut world, method, call, body);
                // A new or an older world has its own time.
                let now = world.now();
                if now != before {
                    drop(world);
                    self.clock().set(now);
                }
                reply
            }
        }
    }
}

#[allow(clippy::print_stdout)]
fn say(text: &str) {
    let mut out = std::io::stdout();
    // Nobody listening is no reason to fail.
    let _ = out.write_all(text.as_bytes());
    if out.is_terminal() {
        let _ = out.flush();
    }
}

fn banner(options: &Options, now: &str) -> String {
    let at = format!("127.0.0.1:{}", options.port);
    format!(
        "A simulated world: seed {seed}, scenario {scenario}, profile {profile}; virtual time {now}, {mode:?}.

  broker       http://{at}/tn         POST /tn/api/{{command}}, signed (V3); GET /tn/api?q=..., public reads
               ws://{at}/tnws         quotes, orderBook, orders, portfolio, markets
  Yahoo        http://{at}/yh         chart, quote, quoteSummary, timeseries, search; cookie and crumb
  ECB          http://{at}/ecb        stats/eurofxref/eurofxref-daily.xml, -hist-90d.xml, -hist.xml
  Frankfurter  http://{at}/ff         v1/latest, v1/2026-02-27, v1/2026-01-01..2026-02-27
  OpenFIGI     http://{at}/figi       v3/mapping
  Stooq        http://{at}/stooq      q/d/l/?s=nrdw.us&i=d
  control      http://{at}/sim        header X-Sim-Control: 1; info, clock, cash, price, faults, truth, invariants,
                                        requests, snapshot, reset

  public key   {PUBLIC_KEY}
  private key  {PRIVATE_KEY}

  body='{{}}'; ts=$(date +%s)
  sig=$(printf '%s%s' \"$body\" \"$ts\" | openssl dgst -sha256 -hmac {PRIVATE_KEY} | sed 's/.* //')
  curl -s http://{at}/tn/api/getPositionJson -H \"X-NtApi-PublicKey: {PUBLIC_KEY}\" \\
       -H \"X-NtApi-Timestamp: $ts\" -H \"X-NtApi-Sig: $sig\" -d \"$body\"
  curl -s http://{at}/sim/requests -H 'X-Sim-Control: 1'        what your client sent, and what came of it

",
        seed = options.seed,
        scenario = options.scenario,
        profile = options.profile,
        mode = options.mode,
    )
}
