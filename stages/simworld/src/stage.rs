//! The simulator on the bus: it owns the clock, and answers what the truth is.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bus_client::{Input, NoCall, Out, Stage, Start};
use contracts::{
    ClockChange, ClockMode, ClockState, Finite, Meta, Outcome, TopicId, receive, stage::simworld as contract,
};
use market::{Calendars, Timestamp};

use crate::{
    Profile, World, WorldConfig,
    conductor::Conductor,
    journal,
    mornings::next_morning,
    settings::{Mode, Settings},
};

/// How often scaled time looks whether it may jump or has ended, wall time.
const LOOK_EVERY_MS: i64 = 200;
/// After this long in one step an answer counts as lost, and time moves on to whoever wants to ask again.
const LOST_ANSWER_MS: i64 = 3_000;
/// A step that lasts longer than this is reported, wall time.
const PATIENCE_MS: i64 = 10_000;
/// How often scaled time is kept, wall time.
const KEEP_EVERY_MS: i64 = 2_000;
/// After a shorter absence scaled time counts as having run on; after a longer one it goes on from where it was.
const ABSENCE_MS: i64 = 30_000;
const DAY_MS: i64 = 86_400_000;
/// When nobody wishes to act, time moves on by this much.
const IDLE_STEP_MS: i64 = 3_600_000;

/// The world and the virtual time it is asked at; shared with the HTTP side of this process.
pub struct Shared {
    /// The world.
    pub world: Mutex<World>,
    /// The clock as last said.
    pub clock: Mutex<ClockState>,
}

impl Shared {
    /// The world, also after a panic elsewhere: its books are changed in one go or not at all.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The clock.
    pub fn clock(&self) -> MutexGuard<'_, ClockState> {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The simulator as a stage.
pub struct Simworld {
    shared: Arc<Shared>,
    conductor: Conductor,
    calendars: Calendars,
    venues: Vec<market::Mic>,
    wake_at: Option<Timestamp>,
    step_since: Timestamp,
    kept_at: Timestamp,
    troubled: bool,
}

impl Simworld {
    /// What the HTTP side works on.
    #[must_use]
    pub fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }
}

impl Stage for Simworld {
    type Contract = contract::Simworld;
    type Settings = Settings;
    type Save = Alive;
    type Call = NoCall;
    type Reply = ();

    fn load(start: &Start<Settings>, rows: Option<&rusqlite::Connection>) -> Result<Self, String> {
        let settings = &start.settings;
        let bus_client::Environment::Sim(seed) = start.environment else {
            return Err(
                "the simulator never runs beside a live system; set `environment` to `sim:` and a number"
                    .into(),
            );
        };
        let rows = rows.ok_or("the simulator needs its store")?;
        let begin = settings.checked_start()?;
        let mut config = WorldConfig::new(seed, begin);
        config.tickers = (!settings.tickers.is_empty()).then(|| settings.tickers.clone());
        config.scenario.clone_from(&settings.scenario);
        config.profile = profile(&settings.profile)?;
        // The stages ask as often as virtual time lets them; a real broker's patience is measured elsewhere.
        config.rules.throttle = false;
        let mut world = World::new(config).map_err(|error| error.to_string())?;
        for entry in journal::entries(rows).map_err(|error| format!("the journal cannot be read: {error}"))? {
            journal::replay(&mut world, &entry);
        }
        let clock = last_clock(rows, bus_client::wall()).unwrap_or_else(|| first_clock(settings, begin));
        world.advance_to(clock.v0);
        let calendars = Calendars::embedded().with_rules();
        let venues = world.venues();
        Ok(Simworld {
            shared: Arc::new(Shared { world: Mutex::new(world), clock: Mutex::new(clock) }),
            conductor: Conductor::new(settings.stages.clone()),
            calendars,
            venues,
            wake_at: Some(Timestamp::ZERO),
            step_since: Timestamp::ZERO,
            kept_at: Timestamp::ZERO,
            troubled: false,
        })
    }

    fn handle(&mut self, input: Input<Self>, now: Timestamp, out: &mut Out<Self>) {
        match input {
            Input::Heard(contract::Input::SystemHealth(health)) => {
                match health.body {
                    Some(body) => self.conductor.hear(body),
                    None => self.conductor.forget(&health.key),
                }
                self.try_step(now, out);
            }
            Input::Heard(contract::Input::CommandSimworldClock(command)) => {
                if let Some(change) = command.body {
                    self.change(&change, command.meta.as_ref(), now, out);
                }
            }
            Input::Heard(contract::Input::CommandSimworldTruth(command)) => {
                self.answer_truth(command.meta.as_ref(), now, out)
            }
            Input::Tick => self.look(now, out),
            Input::Replied(()) | Input::Answered(_) | Input::Settings(_) | Input::Refused(_) => {}
        }
    }

    fn wake_at(&self) -> Option<Timestamp> {
        self.wake_at
    }

    fn apply(rows: &rusqlite::Transaction<'_>, alive: Alive) -> rusqlite::Result<()> {
        rows.execute("INSERT INTO alive (one, virtual, wall) VALUES (1, ?1, ?2) ON CONFLICT DO UPDATE SET virtual = ?1, wall = ?2", (alive.virtual_time.ms(), alive.wall.ms()))?;
        Ok(())
    }
}

/// How far virtual time had come at a wall time, kept so that a later process goes on from there.
#[derive(Debug, Clone, Copy)]
pub struct Alive {
    virtual_time: Timestamp,
    wall: Timestamp,
}

impl Simworld {
    fn say(&mut self, clock: ClockState, now: Timestamp, out: &mut Out<Self>) {
        self.step_since = now;
        *self.shared.clock() = clock.clone();
        self.shared.world().advance_to(clock.v0);
        out.say(clock);
    }

    /// What time itself brings: the first word, jumps, the end.
    fn look(&mut self, now: Timestamp, out: &mut Out<Self>) {
        self.wake_at = Some(now.saturating_plus_ms(LOOK_EVERY_MS));
        let clock = self.shared.clock().clone();
        if self.step_since == Timestamp::ZERO {
            // The first word of this process; a clock that was never said begins now.
            let fresh = clock.w0_unix_ms == 0;
            let clock = if fresh { ClockState { w0_unix_ms: now.ms(), epoch: 1, ..clock } } else { clock };
            return self.say(clock, now, out);
        }
        if clock.ended {
            return;
        }
        if clock.mode == ClockMode::Stepped {
            self.try_step(now, out);
            return self.complain(now, &clock, out);
        }
        let time = bus_client::virtual_time(&clock, now);
        self.shared.world().advance_to(time);
        if now.since(self.kept_at) > KEEP_EVERY_MS {
            self.kept_at = now;
            out.save(Alive { virtual_time: time, wall: now });
        }
        if clock.until.is_some_and(|until| time >= until) {
            let clock =
                ClockState { v0: time, w0_unix_ms: now.ms(), epoch: clock.epoch + 1, ended: true, ..clock };
            return self.say(clock, now, out);
        }
        if clock.mode == ClockMode::FastClosed
            && let Some(morning) = next_morning(&self.calendars, &self.venues, time)
        {
            let v0 = clock.until.map_or(morning, |until| morning.min(until));
            self.say(ClockState { v0, w0_unix_ms: now.ms(), epoch: clock.epoch + 1, ..clock }, now, out);
        }
    }

    fn try_step(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let clock = self.shared.clock().clone();
        if clock.mode != ClockMode::Stepped || clock.ended || self.step_since == Timestamp::ZERO {
            return;
        }
        let helpless =
            now.since(self.step_since) > LOST_ANSWER_MS && self.conductor.only_time_helps(clock.step);
        if self.conductor.waits_for(clock.step).is_some() && !helpless {
            return;
        }
        if std::mem::take(&mut self.troubled) {
            out.recovered();
        }
        let next = self
            .conductor
            .next_wake()
            .unwrap_or(clock.v0.saturating_plus_ms(IDLE_STEP_MS))
            .max(clock.v0.saturating_plus_ms(1));
        let ended = clock.until.is_some_and(|until| next >= until);
        let v0 = clock.until.map_or(next, |until| next.min(until));
        self.say(ClockState { v0, w0_unix_ms: now.ms(), step: clock.step + 1, ended, ..clock }, now, out);
    }

    fn complain(&mut self, now: Timestamp, clock: &ClockState, out: &mut Out<Self>) {
        if now.since(self.step_since) > PATIENCE_MS
            && let Some(why) = self.conductor.waits_for(clock.step)
        {
            self.troubled = true;
            out.trouble(format!("Virtual time stands still at {}: {why}.", clock.v0));
        }
    }

    fn change(&mut self, change: &ClockChange, command: Option<&Meta>, now: Timestamp, out: &mut Out<Self>) {
        let clock = self.shared.clock().clone();
        let time = bus_client::virtual_time(&clock, now);
        let speed = change.speed.unwrap_or(clock.speed);
        if speed.get() <= 0.0 || change.advance_s.is_some_and(|seconds| seconds < 0) {
            let text = "Speed must be above zero, and time never runs backwards; nothing was changed.";
            return out.answer(command, Outcome::Refused, Some("invalid"), text, serde_json::Value::Null);
        }
        let v0 = time.saturating_plus_ms(change.advance_s.unwrap_or(0).saturating_mul(1_000));
        let until = change.until.or(clock.until);
        let ended = until.is_some_and(|until| v0 >= until);
        let changed =
            ClockState { v0, w0_unix_ms: now.ms(), speed, until, ended, epoch: clock.epoch + 1, ..clock };
        self.say(changed, now, out);
        out.answer(command, Outcome::Done, None, format!("Virtual time is {v0}."), serde_json::Value::Null);
    }

    fn answer_truth(&self, command: Option<&Meta>, now: Timestamp, out: &mut Out<Self>) {
        let clock = self.shared.clock().clone();
        let mut world = self.shared.world();
        world.advance_to(bus_client::virtual_time(&clock, now));
        let truth = world.truth();
        out.answer(command, Outcome::Done, None, "The simulator's own books.", truth);
    }
}

/// Reads the name of a profile.
pub(crate) fn profile(name: &str) -> Result<Profile, String> {
    match name {
        "clean" => Ok(Profile::Clean),
        "live_like" => Ok(Profile::LiveLike),
        "nasty" => Ok(Profile::Nasty),
        other => Err(format!("`profile` is `{other}`, it must be clean, live_like or nasty")),
    }
}

fn first_clock(settings: &Settings, begin: Timestamp) -> ClockState {
    let mode = match settings.mode {
        Mode::Real => ClockMode::Real,
        Mode::Scaled => ClockMode::Scaled,
        Mode::FastClosed => ClockMode::FastClosed,
        Mode::Stepped => ClockMode::Stepped,
    };
    let speed = if settings.mode == Mode::Real { 1.0 } else { settings.speed };
    ClockState {
        mode,
        v0: begin,
        w0_unix_ms: 0,
        speed: Finite::new(speed).unwrap_or_default(),
        epoch: 0,
        step: 1,
        start: begin,
        until: settings.days.map(|days| begin.saturating_plus_ms(i64::from(days) * DAY_MS)),
        ended: false,
    }
}

/// The clock as an earlier process last said it. The stages kept counting during a short absence; after a long one
/// they were gone as well, and time goes on from where it was last kept.
fn last_clock(rows: &rusqlite::Connection, now: Timestamp) -> Option<ClockState> {
    let name = TopicId::SystemClock.spec().name;
    let payload: Vec<u8> =
        rows.query_row("SELECT body FROM statement WHERE topic = ?1", [name], |row| row.get(0)).ok()?;
    let clock = receive::<ClockState>("", &payload).ok()?.body?;
    let kept =
        rows.query_row("SELECT virtual, wall FROM alive", [], |row| Ok((row.get(0)?, row.get(1)?))).ok();
    match kept.map(|(virtual_ms, wall_ms)| (Timestamp::from_ms(virtual_ms), Timestamp::from_ms(wall_ms))) {
        Some((virtual_time, wall)) if clock.mode != ClockMode::Stepped && now.since(wall) > ABSENCE_MS => {
            Some(ClockState {
                v0: virtual_time.max(clock.v0),
                w0_unix_ms: now.ms(),
                epoch: clock.epoch + 1,
                ..clock
            })
        }
        _ => Some(clock),
    }
}
