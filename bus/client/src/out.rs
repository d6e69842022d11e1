//! What a stage wants done after one input: statements, rows, calls, answers. Nothing happens until the commit.

use contracts::{Address, Body, Contract, Id, Meta, Outcome, Owns, Reply, TopicId};

use crate::Stage;

/// Collects the effects of one `handle`.
pub struct Out<S: Stage> {
    pub(crate) said: Vec<Said>,
    pub(crate) saves: Vec<S::Save>,
    pub(crate) calls: Vec<S::Call>,
    pub(crate) decision: Option<String>,
    pub(crate) trouble: Option<Option<String>>,
    cause: Option<Meta>,
}

/// One thing to publish, encoded; an empty body clears the statement.
pub(crate) struct Said {
    pub(crate) address: Address,
    pub(crate) body: Vec<u8>,
    pub(crate) cause: Option<Meta>,
}

impl<S: Stage> Out<S> {
    /// An empty collection, as the engine makes it per input; public for tests of pure stages.
    #[must_use]
    pub fn new(cause: Option<Meta>) -> Self {
        Out { said: Vec::new(), saves: Vec::new(), calls: Vec::new(), decision: None, trouble: None, cause }
    }

    /// Says how a thing is now. Saying the same again publishes nothing.
    pub fn say<B: Body>(&mut self, body: B)
    where
        S::Contract: Owns<B>,
    {
        let address = Address { topic: B::TOPIC, key: body.key() };
        let bytes = rmp_serde::to_vec_named(&body).expect("plain fields always have a MessagePack form");
        self.said.push(Said { address, body: bytes, cause: self.cause.clone() });
    }

    /// Says that a statement is over.
    pub fn clear<B: Body>(&mut self, key: impl Into<String>)
    where
        S::Contract: Owns<B>,
    {
        let address = Address { topic: B::TOPIC, key: key.into() };
        self.said.push(Said { address, body: Vec::new(), cause: self.cause.clone() });
    }

    /// Changes a row, in the same transaction as everything else of this input.
    pub fn save(&mut self, save: S::Save) {
        self.saves.push(save);
    }

    /// Asks the edge for something, after the commit.
    pub fn call(&mut self, call: S::Call) {
        self.calls.push(call);
    }

    /// Answers a command; an answer given twice is sent twice but counts once.
    pub fn answer(
        &mut self,
        command: Option<&Meta>,
        outcome: Outcome,
        code: Option<&str>,
        text: impl Into<String>,
        data: serde_json::Value,
    ) {
        let Some(command) = command else { return };
        let reply = Reply {
            id: command.id,
            stage: <S::Contract as Contract>::NAME.to_string(),
            outcome,
            code: code.map(str::to_string),
            text: text.into(),
            data,
        };
        let bytes = rmp_serde::to_vec_named(&reply).expect("plain fields always have a MessagePack form");
        self.said.push(Said {
            address: Address { topic: TopicId::Reply, key: reply.id.to_string() },
            body: bytes,
            cause: Some(command.clone()),
        });
    }

    /// Names the message that what follows is due to, when that is not the present input: a timer acts on
    /// something heard before.
    pub fn because(&mut self, cause: Option<&Meta>) {
        if let Some(cause) = cause {
            self.cause = Some(cause.clone());
        }
    }

    /// The message that what follows is due to.
    #[must_use]
    pub fn cause(&self) -> Option<&Meta> {
        self.cause.as_ref()
    }

    /// One sentence for the log and for the stage's health.
    pub fn decided(&mut self, sentence: impl Into<String>) {
        self.decision = Some(sentence.into());
    }

    /// Something a person should look at: the stage reports itself degraded until [`Out::recovered`].
    pub fn trouble(&mut self, sentence: impl Into<String>) {
        self.trouble = Some(Some(sentence.into()));
    }

    /// Whether a trouble has been reported in this input.
    #[must_use]
    pub fn is_in_trouble(&self) -> bool {
        matches!(self.trouble, Some(Some(_)))
    }

    /// The trouble is over.
    pub fn recovered(&mut self) {
        self.trouble = Some(None);
    }

    /// What was said about a topic, decoded; for tests.
    #[must_use]
    pub fn heard_about<B: Body>(&self) -> Vec<Option<B>> {
        self.said
            .iter()
            .filter(|said| said.address.topic == B::TOPIC)
            .map(|said| rmp_serde::from_slice(&said.body).ok())
            .collect()
    }

    /// The calls asked for; for tests.
    #[must_use]
    pub fn calls(&self) -> &[S::Call] {
        &self.calls
    }

    /// The rows to be saved; for tests.
    #[must_use]
    pub fn saves(&self) -> &[S::Save] {
        &self.saves
    }

    /// The trouble reported; for tests.
    #[must_use]
    pub fn trouble_said(&self) -> Option<&str> {
        self.trouble.as_ref().and_then(|trouble| trouble.as_deref())
    }

    /// A fresh id below the time, over the given parts and this stage's name.
    #[must_use]
    pub fn derive_id(at: market::Timestamp, parts: &[&str]) -> Id {
        let mut all = vec![<S::Contract as Contract>::NAME];
        all.extend_from_slice(parts);
        Id::derive(at, &all)
    }
}
