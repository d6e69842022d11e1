//! One stage with its store and its statements, without sockets and without a clock.
//!
//! Per input: refuse or drop it → `handle` → rows and statements in one transaction → hand out what is to be
//! published. A publication lost after the commit is repaired by the next repeat.

use std::collections::{BTreeMap, VecDeque};

use contracts::{
    Address, Body, Class, Contract, Health, Id, Meta, Refused, RepeatWanted, Reply, SettingsSnapshot,
    TopicId, receive,
};
use market::Timestamp;
use thiserror::Error;
use tracing::{Span, debug, info, info_span, warn};

use crate::{
    Config, Input, Out, Place, Report, Stage, Start, Store, StoreError, WriteFault,
    out::Said,
    seen::Seen,
    statements::{Live, Statements, envelope, meta_of},
    store::write_statement,
};

/// Calls that may wait for their turn; more than this is a stage that asks without listening.
const CALLS_MAX: usize = 256;
/// Messages that may wait; they do so only while the bus takes nothing or the clock has not spoken.
pub(crate) const INBOX_MAX: usize = 16_384;
/// Answers kept, so that a doubled command gets the same answer and is done once.
const ANSWERS_KEPT: usize = 256;

/// Why a stage cannot go on; the process ends and starts again from its rows.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stage could not be loaded.
    #[error("stage {stage} cannot start: {why}")]
    Load {
        /// Which stage.
        stage: String,
        /// One sentence.
        why: String,
    },
    /// More calls than anyone can answer.
    #[error("stage {stage} asked for more than {CALLS_MAX} things at once; this is a fault of the program")]
    TooManyCalls {
        /// Which stage.
        stage: String,
    },
    /// More messages wait than will ever be worked off; a fresh start hears what still holds.
    #[error(
        "stage {stage} cannot keep up: {INBOX_MAX} messages wait; it starts again and hears what still holds"
    )]
    TooManyMessages {
        /// Which stage.
        stage: String,
    },
}

/// Statements are subscribed to without acknowledgement: the embedded broker hands a new subscriber at most a
/// hundred unacknowledged retained messages and silently leaves out the rest. A statement that is lost all the same
/// is noticed by its fingerprint and repeated (`system/repeat`). What is said only once is acknowledged.
#[must_use]
pub fn subscription_quality(class: Class) -> u8 {
    u8::from(class != Class::Statement)
}

/// One message to the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// Path on the wire.
    pub topic: String,
    /// Payload; empty clears a retained statement.
    pub payload: Vec<u8>,
    /// Kept by the broker for later subscribers.
    pub retain: bool,
    /// MQTT quality of service.
    pub qos: u8,
}

impl Publication {
    pub(crate) fn of(prefix: &str, address: &Address, payload: Vec<u8>) -> Publication {
        let spec = address.topic.spec();
        Publication {
            topic: spec.address(prefix, &address.key),
            payload,
            retain: spec.class == Class::Statement,
            qos: spec.qos,
        }
    }
}

/// A stage, its store and its statements.
pub struct Engine<S: Stage> {
    start: Start<S::Settings>,
    prefix: String,
    store: Option<Store>,
    stage: S,
    statements: Statements,
    seen: Seen,
    settings: u64,
    repeats: Option<u64>,
    calls: VecDeque<(S::Call, Option<Meta>)>,
    in_flight: usize,
    /// Replies that are there and have not been heard, in a scenario that delivers them late.
    unheard: VecDeque<(S::Reply, Option<Meta>)>,
    answers: VecDeque<(Id, Option<Publication>)>,
    report: Report,
    incarnation: u64,
    number: u64,
    healths: u64,
}

impl<S: Stage> Engine<S> {
    /// Opens the store (if the stage keeps one) in `place` and loads the stage. `now` is wall time: it marks the
    /// incarnation of stages that keep nothing.
    ///
    /// # Errors
    /// One sentence.
    pub fn open(
        config: &Config,
        instance: &str,
        place: Option<Place>,
        now: Timestamp,
    ) -> Result<Self, EngineError> {
        let fault = |why: String| EngineError::Load { stage: instance.to_string(), why };
        let settings =
            config.settings(<S::Contract as Contract>::NAME).map_err(|error| fault(error.to_string()))?;
        let start = Start {
            settings,
            environment: config.environment.clone(),
            instance: instance.into(),
            config: config.clone(),
        };
        let mut store = match <S::Contract as Contract>::STORE {
            Some(name) => {
                let place = place.unwrap_or_else(|| Place::File(config.store_file(name)));
                Some(Store::open(name, &place, &config.environment.to_string())?)
            }
            None => None,
        };
        let stage = S::load(&start, store.as_ref().map(Store::rows)).map_err(|why| {
            // Rows that make no sense may be a damaged file, and that has another remedy.
            store.as_ref().and_then(Store::damage).map_or_else(|| fault(why), EngineError::Store)
        })?;
        let since_start = u64::try_from(now.ms() / 1000).unwrap_or(0);
        let incarnation = store.as_ref().map_or(since_start, Store::incarnation);
        // What is not in the store is numbered above everything that an earlier start can have said about it: a cleared
        // statement's row does not stay for ever, and readers remember its number.
        let floor =
            store.as_ref().map_or(since_start << 20, |store| store.incarnation().saturating_sub(1) << 32);
        let mut statements = Statements::new(floor);
        if let Some(store) = &mut store {
            for (address, live) in store.statements()? {
                statements.restore(address, live);
            }
        }
        Ok(Engine {
            prefix: config.bus.prefix.clone(),
            start,
            store,
            stage,
            statements,
            seen: Seen::default(),
            settings: 0,
            repeats: None,
            calls: VecDeque::new(),
            in_flight: 0,
            unheard: VecDeque::new(),
            answers: VecDeque::new(),
            report: Report::default(),
            incarnation,
            number: 0,
            healths: 0,
        })
    }

    /// The stage, for tests and for edges that share its state.
    pub fn stage(&self) -> &S {
        &self.stage
    }

    /// What it was started with.
    pub fn start(&self) -> &Start<S::Settings> {
        &self.start
    }

    /// What this stage subscribes to, with the quality of service of each.
    pub fn filters(&self) -> Vec<(String, u8)> {
        let commands =
            <S::Contract as Contract>::OWNS.iter().any(|topic| topic.spec().class == Class::Command);
        <S::Contract as Contract>::READS
            .iter()
            .map(|topic| topic.spec())
            .filter(|spec| spec.class != Class::Reply || commands)
            .filter(|spec| spec.id != TopicId::SystemClock || self.start.environment.is_simulated())
            .map(|spec| (spec.filter(&self.prefix), subscription_quality(spec.class)))
            .collect()
    }

    /// All live statements again; said at every connect.
    pub fn repeat(&self) -> Vec<Publication> {
        self.statements.repeat(&self.prefix).collect()
    }

    /// Handles one message from the bus.
    ///
    /// # Errors
    /// Only when the stage cannot go on; a bad message is refused and counted instead.
    pub fn deliver(
        &mut self,
        topic: &str,
        payload: &[u8],
        now: Timestamp,
    ) -> Result<Vec<Publication>, EngineError> {
        let understood = Address::parse(&self.prefix, topic).and_then(|address| {
            let heard = self.understand(&address, payload)?;
            Ok((address, heard))
        });
        let (address, heard) = match understood {
            Ok(understood) => understood,
            Err(refused) => return self.refuse(refused, payload, now),
        };
        let cause = if payload.is_empty() { None } else { meta_of(payload) };
        if !self.seen.is_newer(&address, cause.as_ref()) {
            return Ok(Vec::new());
        }
        self.report.inputs += 1;
        let span = self.span(&address.to_string(), cause.as_ref());
        let _entered = span.enter();
        match heard {
            Heard::Settings(snapshot) if snapshot.revision != self.settings => {
                self.settings = snapshot.revision;
                self.handle(Input::Settings(snapshot), cause, now)
            }
            Heard::Repeat(wanted) => {
                self.seen.reopen(&wanted);
                Ok(self.repeat_if_asked(&wanted))
            }
            Heard::Nothing | Heard::Settings(_) => Ok(Vec::new()),
            Heard::Answer(reply) => self.handle(Input::Answered(reply), cause, now),
            Heard::Topic(input) => {
                if address.topic.spec().class == Class::Command {
                    return self.command(input, cause, now);
                }
                self.handle(Input::Heard(input), cause, now)
            }
        }
    }

    /// Tells the stage that its time has come, if it has.
    ///
    /// # Errors
    /// As [`Engine::deliver`].
    pub fn tick(&mut self, now: Timestamp) -> Result<Vec<Publication>, EngineError> {
        if self.stage.wake_at().is_none_or(|then| then > now) {
            return Ok(Vec::new());
        }
        let span = self.span("tick", None);
        let _entered = span.enter();
        self.handle(Input::Tick, None, now)
    }

    /// The next call to perform, with the message that led to it.
    pub fn next_call(&mut self) -> Option<(S::Call, Option<Meta>)> {
        let call = self.calls.pop_front()?;
        self.in_flight += 1;
        Some(call)
    }

    /// Gives the answer of a call to the stage.
    ///
    /// # Errors
    /// As [`Engine::deliver`].
    pub fn reply(
        &mut self,
        reply: S::Reply,
        cause: Option<Meta>,
        now: Timestamp,
    ) -> Result<Vec<Publication>, EngineError> {
        self.in_flight = self.in_flight.saturating_sub(1);
        let span = self.span("reply", cause.as_ref());
        let _entered = span.enter();
        self.handle(Input::Replied(reply), cause, now)
    }

    /// Gives the stage news that nobody asked for.
    ///
    /// # Errors
    /// As [`Engine::deliver`].
    pub fn told(&mut self, news: S::Reply, now: Timestamp) -> Result<Vec<Publication>, EngineError> {
        let span = self.span("news", None);
        let _entered = span.enter();
        self.handle(Input::Replied(news), None, now)
    }

    /// Makes the next write of the store go wrong; a stage without a store has none. For fault tests.
    pub fn fail_next_write(&mut self, fault: WriteFault) {
        if let Some(store) = &mut self.store {
            store.fail_next_write(fault);
        }
    }

    /// When time alone makes the stage act.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.stage.wake_at()
    }

    /// Nothing under way that must end before time may move on in stepped time.
    pub fn is_idle(&self) -> bool {
        let held = S::CALLS_HOLD_TIME && (!self.calls.is_empty() || self.in_flight > 0);
        !held && self.stage.is_idle()
    }

    /// Notes how long the last input waited and took.
    pub fn note_lag(&mut self, lag_ms: u64) {
        self.report.lag_ms = lag_ms;
    }

    /// Notes something the runner ran into.
    pub fn note_error(&mut self, sentence: &str) {
        self.report.last_error = Some(sentence.to_string());
    }

    /// The stage's health as it is now.
    pub fn health(&self, step: u64, idle: bool) -> Health {
        let mut health = self.report.health(&self.start.instance, self.incarnation, self.stage.wake_at());
        health.step = step;
        health.idle = idle;
        health.said = self.statements.fingerprints();
        health.seen = self.seen.fingerprints();
        health
    }

    /// Wraps a health statement; its version grows with every start and every statement.
    pub fn publish_health(&mut self, health: Health, now: Timestamp) -> Publication {
        self.healths += 1;
        let address = Address { topic: Health::TOPIC, key: health.key() };
        let body = rmp_serde::to_vec_named(&health).expect("plain fields always have a MessagePack form");
        let version = (self.incarnation << 24) + self.healths;
        let said = Said { address, body, cause: None };
        let payload = envelope(&self.start.instance, &said, version, now, 0);
        Publication::of(&self.prefix, &said.address, payload)
    }

    fn understand(&self, address: &Address, payload: &[u8]) -> Result<Heard<S>, Refused> {
        let Address { topic, key } = address;
        Ok(match topic {
            TopicId::SystemSettings => match receive::<SettingsSnapshot>(key, payload)?.body {
                Some(snapshot) => Heard::Settings(snapshot),
                None => Heard::Nothing,
            },
            TopicId::SystemClock => Heard::Nothing,
            TopicId::SystemRepeat => {
                receive::<RepeatWanted>(key, payload)?.body.map_or(Heard::Nothing, Heard::Repeat)
            }
            TopicId::Reply => receive::<Reply>(key, payload)?.body.map_or(Heard::Nothing, Heard::Answer),
            _ => Heard::Topic(<S::Contract as Contract>::decode(*topic, key, payload)?),
        })
    }

    /// The number heard first is from before this start: everything has just been said at the connect.
    fn repeat_if_asked(&mut self, wanted: &RepeatWanted) -> Vec<Publication> {
        let asked = wanted.asked.get(<S::Contract as Contract>::NAME).copied().unwrap_or(0);
        match self.repeats.replace(asked) {
            Some(before) if asked > before => {
                info!("Repeating all statements: a reader has missed something.");
                self.repeat()
            }
            _ => Vec::new(),
        }
    }

    fn refuse(
        &mut self,
        refused: Refused,
        payload: &[u8],
        now: Timestamp,
    ) -> Result<Vec<Publication>, EngineError> {
        self.report.refused += 1;
        self.report.last_error = Some(refused.to_string());
        warn!(reason = %refused, bytes = payload.len(), "Message refused, nothing changed.");
        self.handle(Input::Refused(refused), None, now)
    }

    /// A command is done once; the same one again gets the same answer.
    fn command(
        &mut self,
        input: <S::Contract as Contract>::Input,
        cause: Option<Meta>,
        now: Timestamp,
    ) -> Result<Vec<Publication>, EngineError> {
        let Some(id) = cause.as_ref().map(|meta| meta.id) else { return Ok(Vec::new()) };
        if let Some((_, answer)) = self.answers.iter().find(|(known, _)| *known == id) {
            return Ok(answer.iter().cloned().collect());
        }
        self.remember(id, None);
        self.handle(Input::Heard(input), cause, now)
    }

    fn remember(&mut self, id: Id, answer: Option<Publication>) {
        if let Some(known) = self.answers.iter_mut().find(|(known, _)| *known == id) {
            known.1 = answer;
            return;
        }
        if self.answers.len() >= ANSWERS_KEPT {
            self.answers.pop_front();
        }
        self.answers.push_back((id, answer));
    }

    fn handle(
        &mut self,
        input: Input<S>,
        cause: Option<Meta>,
        now: Timestamp,
    ) -> Result<Vec<Publication>, EngineError> {
        let mut out = Out::new(cause);
        self.stage.handle(input, now, &mut out);
        self.commit(out, now)
    }

    fn commit(&mut self, mut out: Out<S>, now: Timestamp) -> Result<Vec<Publication>, EngineError> {
        let saves = std::mem::take(&mut out.saves);
        let news = self.news(&mut out, now);
        let kept: Vec<_> =
            news.iter().filter(|(said, _)| said.address.topic.spec().class == Class::Statement).collect();
        if let Some(store) = &mut self.store
            && (!saves.is_empty() || !kept.is_empty())
        {
            store.write(|rows| {
                for save in saves {
                    S::apply(rows, save)?;
                }
                kept.iter().try_for_each(|(said, live)| write_statement(rows, &said.address, live))
            })?;
        }
        self.tell(&mut out);
        let cause = out.cause().cloned();
        if self.calls.len() + out.calls.len() > CALLS_MAX {
            return Err(EngineError::TooManyCalls { stage: self.start.instance.clone() });
        }
        for call in out.calls.drain(..) {
            let place = if S::is_urgent(&call) {
                self.calls.iter().position(|(waiting, _)| !S::is_urgent(waiting))
            } else {
                None
            };
            self.calls.insert(place.unwrap_or(self.calls.len()), (call, cause.clone()));
        }
        let mut publications = Vec::with_capacity(news.len());
        for (said, live) in news {
            self.statements.accept(&said.address, &live);
            let publication = Publication::of(&self.prefix, &said.address, live.payload);
            if said.address.topic == TopicId::Reply
                && let Ok(id) = said.address.key.parse()
            {
                self.remember(id, Some(publication.clone()));
            }
            publications.push(publication);
        }
        Ok(publications)
    }

    /// What of the said is new, as envelopes. The last word on one address counts.
    fn news(&mut self, out: &mut Out<S>, now: Timestamp) -> Vec<(Said, Live)> {
        let mut last: BTreeMap<(Address, u64), Said> = BTreeMap::new();
        let mut order = Vec::new();
        for (said, place) in std::mem::take(&mut out.said).into_iter().zip(0_u64..) {
            // Events may be said several times; of a statement only the last word stays.
            let place = if said.address.topic.spec().class == Class::Statement { 0 } else { place };
            let key = (said.address.clone(), place);
            if last.insert(key.clone(), said).is_none() {
                order.push(key);
            }
        }
        let mut news = Vec::new();
        for key in order {
            let Some(said) = last.remove(&key) else { continue };
            let max = said.address.topic.spec().max_bytes as usize;
            self.number += 1;
            let Some(live) = self.statements.next(&self.start.instance, &said, now, self.number) else {
                continue;
            };
            if live.payload.len() > max {
                let sentence = format!(
                    "{} would have {} bytes, at most {max} are allowed; it was not said",
                    said.address,
                    live.payload.len()
                );
                out.trouble(sentence);
                continue;
            }
            news.push((said, live));
        }
        news
    }

    fn tell(&mut self, out: &mut Out<S>) {
        if let Some(decision) = out.decision.take() {
            info!(decision, "Decided.");
            self.report.last_decision = Some(decision);
        }
        match out.trouble.take() {
            Some(Some(trouble)) => {
                if self.report.trouble.as_ref() != Some(&trouble) {
                    warn!(trouble, "In trouble.");
                }
                self.report.trouble = Some(trouble);
            }
            Some(None) => {
                if let Some(over) = self.report.trouble.take() {
                    info!(over, "Recovered.");
                }
            }
            None => {}
        }
    }

    fn span(&self, topic: &str, meta: Option<&Meta>) -> Span {
        let Some(meta) = meta else { return info_span!("handle", stage = %self.start.instance, topic) };
        debug!(topic, id = %meta.id, "Heard.");
        let cause = meta.cause.map(|cause| cause.to_string()).unwrap_or_default();
        info_span!("handle", stage = %self.start.instance, topic, id = %meta.id, trace = %meta.trace, cause)
    }
}

enum Heard<S: Stage> {
    Nothing,
    Settings(SettingsSnapshot),
    Repeat(RepeatWanted),
    Answer(Reply),
    Topic(<S::Contract as Contract>::Input),
}

/// An engine with its edge, of whatever stage: what a scenario in one process is made of.
pub trait Node {
    /// Instance name.
    fn name(&self) -> &str;
    /// See [`Engine::filters`].
    fn filters(&self) -> Vec<(String, u8)>;
    /// See [`Engine::repeat`].
    fn repeat(&self) -> Vec<Publication>;
    /// See [`Engine::deliver`].
    ///
    /// # Errors
    /// As there.
    fn deliver(
        &mut self,
        topic: &str,
        payload: &[u8],
        now: Timestamp,
    ) -> Result<Vec<Publication>, EngineError>;
    /// See [`Engine::tick`].
    ///
    /// # Errors
    /// As there.
    fn tick(&mut self, now: Timestamp) -> Result<Vec<Publication>, EngineError>;
    /// Performs the next waiting call and keeps the reply; false when no call waits.
    fn ask(&mut self) -> bool;
    /// Handles the oldest reply that was kept; `None` when there is none.
    ///
    /// # Errors
    /// As [`Engine::reply`].
    fn hear_reply(&mut self, now: Timestamp) -> Result<Option<Vec<Publication>>, EngineError>;
    /// Performs the next waiting call, if any, and handles its reply at once.
    ///
    /// # Errors
    /// As [`Engine::reply`].
    fn perform(&mut self, now: Timestamp) -> Result<Option<Vec<Publication>>, EngineError> {
        if !self.ask() {
            return Ok(None);
        }
        // A call that waits for a person or a device is never answered here.
        self.hear_reply(now).map(|said| Some(said.unwrap_or_default()))
    }
    /// See [`Engine::wake_at`].
    fn wake_at(&self) -> Option<Timestamp>;
    /// See [`Engine::fail_next_write`].
    fn fail_next_write(&mut self, fault: WriteFault);
    /// Whether a call waits to be performed.
    fn has_call(&self) -> bool;
    /// See [`Engine::is_idle`].
    fn is_idle(&self) -> bool;
    /// See [`Engine::health`].
    fn health(&self, step: u64, idle: bool) -> Health;
    /// See [`Engine::publish_health`].
    fn publish_health(&mut self, health: Health, now: Timestamp) -> Publication;
}

impl<S: Stage, E: crate::Edge<S>> Node for (Engine<S>, E) {
    fn name(&self) -> &str {
        &self.0.start.instance
    }
    fn filters(&self) -> Vec<(String, u8)> {
        self.0.filters()
    }
    fn repeat(&self) -> Vec<Publication> {
        self.0.repeat()
    }
    fn deliver(
        &mut self,
        topic: &str,
        payload: &[u8],
        now: Timestamp,
    ) -> Result<Vec<Publication>, EngineError> {
        self.0.deliver(topic, payload, now)
    }
    fn tick(&mut self, now: Timestamp) -> Result<Vec<Publication>, EngineError> {
        self.0.tick(now)
    }
    fn ask(&mut self) -> bool {
        let Some((call, cause)) = self.0.next_call() else { return false };
        if let Some(reply) = at_once(self.1.perform(call)) {
            self.0.unheard.push_back((reply, cause));
        }
        true
    }
    fn hear_reply(&mut self, now: Timestamp) -> Result<Option<Vec<Publication>>, EngineError> {
        let Some((reply, cause)) = self.0.unheard.pop_front() else { return Ok(None) };
        self.0.reply(reply, cause, now).map(Some)
    }
    fn wake_at(&self) -> Option<Timestamp> {
        self.0.wake_at()
    }
    fn fail_next_write(&mut self, fault: WriteFault) {
        self.0.fail_next_write(fault);
    }
    fn has_call(&self) -> bool {
        !self.0.calls.is_empty()
    }
    fn is_idle(&self) -> bool {
        self.0.is_idle()
    }
    fn health(&self, step: u64, idle: bool) -> Health {
        self.0.health(step, idle)
    }
    fn publish_health(&mut self, health: Health, now: Timestamp) -> Publication {
        self.0.publish_health(health, now)
    }
}

/// Completes a future that waits for nothing, as the edges of a scenario in one process do.
fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(value) => Some(value),
        std::task::Poll::Pending => None,
    }
}
