//! The state machine: shows every statement, and turns a request into a command whose answer it awaits.

use std::{collections::BTreeMap, sync::Arc};

use bus_client::{Input, Out, Stage, Start};
use contracts::{
    Body, Halt, Id, Meta, OrderApproved, Received, Reply, SettingsSnapshot, TopicId,
    stage::bridge as contract,
};
use market::Timestamp;
use serde_json::json;

use crate::{
    limits::{OUTCOMES_KEPT_MS, PENDING_MAX, TEXT_MAX},
    settings::{Listen, Settings},
    store,
    window::{Answer, Window},
};

/// Asks the edge for the next request; it may take for ever, so it does not hold time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextRequest;

/// A request from the HTTP side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Stop all trading.
    Halt {
        /// Under which the answer is awaited.
        number: u64,
        /// Why, in the asker's words.
        text: String,
    },
}

/// How a command stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The request; also the trace of all that follows from it.
    pub id: Id,
    /// Asked of whom.
    pub stage: String,
    /// What.
    pub name: String,
    /// accepted, done, refused or failed.
    pub state: String,
    /// Why not, as a code.
    pub code: Option<String>,
    /// One sentence.
    pub answer: Option<String>,
}

/// A change of the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Save {
    /// A command as it stands.
    Outcome(Outcome, Timestamp),
    /// Outcomes before this go.
    Prune(Timestamp),
}

/// The bridge.
#[derive(Debug)]
pub struct Bridge {
    window: Arc<Window>,
    /// Commands without an answer, by trace.
    pending: BTreeMap<Id, u64>,
    listening: bool,
    wake_at: Option<Timestamp>,
}

impl Bridge {
    /// What the HTTP side looks at.
    #[must_use]
    pub fn window(&self) -> Arc<Window> {
        Arc::clone(&self.window)
    }
}

impl Stage for Bridge {
    type Contract = contract::Bridge;
    type Settings = Settings;
    type Save = Save;
    type Call = NextRequest;
    type Reply = Request;
    const CALLS_HOLD_TIME: bool = false;

    fn load(start: &Start<Settings>, _: Option<&rusqlite::Connection>) -> Result<Self, String> {
        let listening = start.settings.listen()? != Listen::Off;
        Ok(Bridge {
            window: Arc::new(Window::default()),
            pending: BTreeMap::new(),
            listening,
            wake_at: listening.then_some(Timestamp::ZERO),
        })
    }

    fn handle(&mut self, input: Input<Self>, now: Timestamp, out: &mut Out<Self>) {
        match input {
            Input::Heard(heard) => self.heard(heard, out),
            Input::Settings(snapshot) => self.settings(snapshot, out),
            Input::Tick => {
                self.wake_at = None;
                if self.listening {
                    out.call(NextRequest);
                }
            }
            Input::Replied(request) => {
                self.request(request, now, out);
                out.call(NextRequest);
            }
            Input::Answered(reply) => self.answered(reply, now, out),
            Input::Refused(_) => {}
        }
    }

    fn wake_at(&self) -> Option<Timestamp> {
        self.wake_at
    }

    fn apply(rows: &rusqlite::Transaction<'_>, save: Save) -> rusqlite::Result<()> {
        store::apply(rows, save)
    }
}

impl Bridge {
    fn heard(&mut self, heard: contract::Input, out: &mut Out<Self>) {
        use contract::Input as Heard;
        match heard {
            Heard::MarketQuote(it) => self.show(it, out),
            Heard::MarketFx(it) => self.show(it, out),
            Heard::MarketVenue(it) => self.show(it, out),
            Heard::MarketUniverse(it) => self.show(it, out),
            Heard::MarketHistory(it) => self.show(it, out),
            Heard::PortfolioState(it) => self.show(it, out),
            Heard::PortfolioNav(it) => self.show(it, out),
            Heard::PortfolioFlow(it) => self.show(it, out),
            Heard::PortfolioBucket(it) => self.show(it, out),
            Heard::PortfolioReconciliation(it) => self.show(it, out),
            Heard::PortfolioEvaluation(it) => self.show(it, out),
            Heard::ScoreSecurity(it) => self.show(it, out),
            Heard::ScoreRegime(it) => self.show(it, out),
            Heard::TargetWeights(it) => self.show(it, out),
            Heard::PlanContext(it) => self.show(it, out),
            Heard::PlanProposed(it) => self.show(it, out),
            Heard::OrderRequested(it) => self.show(it, out),
            Heard::OrderApproved(it) => self.show(without_signature(it), out),
            Heard::OrderRefused(it) => self.show(it, out),
            Heard::OrderState(it) => self.show(it, out),
            Heard::OrderIncident(it) => self.show(it, out),
            Heard::RiskHalt(it) => self.show(it, out),
            Heard::RiskState(it) => self.show(it, out),
            Heard::SystemHealth(it) => self.show(it, out),
            Heard::SystemJob(it) => self.show(it, out),
            Heard::DisplayState(it) => self.show(it, out),
            Heard::Alert(it) => self.show(it, out),
        }
    }

    fn show<B: Body>(&mut self, received: Received<B>, out: &mut Out<Self>) {
        let topic = B::TOPIC.spec().name;
        let meta = received.meta.as_ref();
        let json = json!({
            "topic": topic,
            "key": received.key,
            "version": meta.map(|meta| meta.key_version),
            "at": meta.map(|meta| meta.at),
            "stage": meta.map(|meta| meta.stage.as_str()),
            "trace": meta.map(|meta| meta.trace),
            "body": received.body,
        });
        if !self.window.show(topic, &received.key, received.body.is_some(), &json.to_string()) {
            out.trouble(
                "More statements are live than the bridge shows; an owner does not clear what is over.",
            );
        }
    }

    /// Settings reach every stage through the runner; here they are shown like any statement.
    fn settings(&mut self, snapshot: SettingsSnapshot, out: &mut Out<Self>) {
        let meta = out.cause().cloned();
        self.show(Received { key: String::new(), meta, body: Some(snapshot) }, out);
    }

    fn request(&mut self, request: Request, now: Timestamp, out: &mut Out<Self>) {
        let Request::Halt { number, text } = request;
        let id = Out::<Self>::derive_id(now, &["request", &number.to_string()]);
        // The request begins a trace of its own: by it the answer is known again.
        let stage = <contract::Bridge as contracts::Contract>::NAME.to_string();
        out.because(Some(&Meta { id, key_version: 0, at: now, stage, trace: id, cause: None }));
        if self.pending.len() >= PENDING_MAX {
            self.pending.pop_first();
        }
        self.pending.insert(id, number);
        let spec = TopicId::CommandRiskGateHalt.spec();
        out.say(Halt {
            actor: "http".into(),
            reason: "owner".into(),
            text: text.chars().take(TEXT_MAX).collect(),
        });
        let (state, stage) = ("accepted".to_string(), "risk-gate".to_string());
        let outcome = Outcome { id, stage, name: spec.name.into(), state, code: None, answer: None };
        out.save(Save::Outcome(outcome, now));
        out.save(Save::Prune(now.saturating_minus_ms(OUTCOMES_KEPT_MS)));
        out.decided("Asked risk-gate to halt, as somebody on this machine wishes.");
    }

    fn answered(&mut self, reply: Reply, now: Timestamp, out: &mut Out<Self>) {
        let Some(id) = out.cause().map(|meta| meta.trace) else { return };
        // Answers to other stages' commands pass by here too.
        let Some(number) = self.pending.remove(&id) else { return };
        let state = match reply.outcome {
            contracts::Outcome::Done => "done",
            contracts::Outcome::Refused => "refused",
            contracts::Outcome::Failed => "failed",
        };
        self.window.answer(
            number,
            Answer {
                outcome: state.into(),
                code: reply.code.clone(),
                text: reply.text.clone(),
                trace: id.to_string(),
            },
        );
        let name = TopicId::CommandRiskGateHalt.spec().name.to_string();
        let outcome = Outcome {
            id,
            stage: reply.stage,
            name,
            state: state.into(),
            code: reply.code,
            answer: Some(reply.text),
        };
        out.save(Save::Outcome(outcome, now));
    }
}

/// An approval's signature is nobody's business but the gate's and execute's.
fn without_signature(mut received: Received<OrderApproved>) -> Received<OrderApproved> {
    if let Some(approval) = &mut received.body {
        approval.mac = "hidden".into();
    }
    received
}
