//! Halts: who opens them, and that only a person clears them.
//!
//! Anyone may open one: a person, the stop button, an incident of execute, a difference in the books, repeated refusals
//! of the broker, the loss of a day. A cause halts once. Resuming needs a name and a reason; both are kept for ever.

use bus_client::Out;
use contracts::{Breaker, HALTS_SAID, HaltEntry, Id, Meta, OrderIncident, Outcome, Reconciliation, RiskHalt};
use market::Timestamp;
use serde_json::Value;

use crate::{
    RiskGate,
    breaker::Latch,
    day_loss::DAILY_LOSS,
    refusals::{self, HALT_AT},
    store::{Save, spelled},
};

/// Longest actor or reason of a halt asked for, in bytes.
const WORD_MAX: usize = 40;
/// Longest text of one, in bytes.
const TEXT_MAX: usize = 300;
// With less than 120 bytes around each, what is said about halts fits its topic.
const _: () = assert!(HALTS_SAID * (TEXT_MAX + 2 * WORD_MAX + 120) < 16_384 - 512);

impl RiskGate {
    /// The broker refused an order: its security rests for an hour, and the third of a day halts everything.
    pub(crate) fn hear_refusal(
        &mut self,
        refusal: refusals::BrokerRefusal,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        let at = refusal.at;
        if !self.refusals.note(refusal.clone(), now) {
            return;
        }
        out.save(Save::Refusal(refusal.clone()));
        let count = self.refusals.on_the_day(at);
        if count < HALT_AT {
            return;
        }
        let said = shortened(&refusal.text, TEXT_MAX - 120);
        let text = format!("The broker refused {count} orders in one day, the last one with: {said}");
        let id = Id::derive(Timestamp::ZERO, &["repeated_refusals", &at.day_utc().to_string()]);
        let reason = "repeated_refusals".to_string();
        self.open_halt(HaltEntry { id, since: now, actor: "risk-gate".into(), reason, text }, now, out);
    }

    pub(crate) fn hear_incident(&mut self, incident: &OrderIncident, now: Timestamp, out: &mut Out<Self>) {
        let what = shortened(&incident.text, TEXT_MAX - 80);
        let text = format!("{what} Trading stands still until a person has looked and resumes it.");
        self.open_halt(
            HaltEntry {
                id: incident.incident_id,
                since: now,
                actor: "execute".into(),
                reason: spelled(&incident.kind),
                text,
            },
            now,
            out,
        );
    }

    pub(crate) fn hear_reconciliation(&mut self, one: &Reconciliation, now: Timestamp, out: &mut Out<Self>) {
        if one.agrees {
            return;
        }
        let id = Id::derive(one.at, &["reconciliation", one.currency.as_str()]);
        let text = format!("Our books say {}, the broker says {}.", one.books, one.broker);
        self.open_halt(
            HaltEntry { id, since: now, actor: "portfolio".into(), reason: "reconciliation".into(), text },
            now,
            out,
        );
    }

    /// A cause halts once; heard again after it was cleared, it does not.
    pub(crate) fn open_halt(&mut self, halt: HaltEntry, now: Timestamp, out: &mut Out<Self>) {
        if !self.known_halts.insert(halt.id) {
            return;
        }
        out.decided(format!("Halted by {}: {}", halt.actor, halt.text));
        out.save(Save::Halt(halt.clone()));
        self.halts.insert(halt.id, halt);
        self.say_halt(now, out);
        // The guards of `steward risk` name the open halts too.
        self.say_state(now, out);
    }

    pub(crate) fn halt_by_command(
        &mut self,
        halt: contracts::Halt,
        command: Option<&Meta>,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        let Some(id) = command.map(|meta| meta.id) else { return };
        let entry = HaltEntry {
            id,
            since: now,
            actor: shortened(&halt.actor, WORD_MAX),
            reason: shortened(&halt.reason, WORD_MAX),
            text: shortened(&halt.text, TEXT_MAX),
        };
        // A button that is pressed again halts for the same reason.
        let same = |open: &HaltEntry| (&open.actor, &open.reason) == (&entry.actor, &entry.reason);
        if !self.halts.values().any(same) {
            self.open_halt(entry, now, out);
        }
        out.answer(command, Outcome::Done, None, "Trading is halted.", Value::Null);
    }

    /// Only a person resumes, with a name and a reason; both stand in the history of halts for ever.
    pub(crate) fn resume(
        &mut self,
        actor: &str,
        text: &str,
        command: Option<&Meta>,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        let refuse = |out: &mut Out<Self>, code: &str, text: &str| {
            out.answer(command, Outcome::Refused, Some(code), text, Value::Null);
        };
        let (actor, text) = (shortened(actor.trim(), WORD_MAX), shortened(text.trim(), TEXT_MAX));
        if actor.is_empty() {
            return refuse(out, "no_actor", "Nobody is named who resumes; trading stands still.");
        }
        if text.is_empty() {
            return refuse(
                out,
                "no_reason",
                "Resuming needs a reason: say what was looked at and why it is safe.",
            );
        }
        if self.halts.is_empty() {
            return refuse(out, "not_halted", "Nothing is halted, so there is nothing to resume.");
        }
        let count = self.halts.len();
        let loss = self.halts.values().any(|halt| halt.reason == DAILY_LOSS);
        self.halts.clear();
        out.decided(format!("Resumed by {actor}, {count} halts cleared: {text}"));
        out.save(Save::Resume(now, format!("{actor}: {text}")));
        if let Some(latch) = self.latch.filter(|_| loss) {
            // Looked at by a person: for the rest of the day only sales rest.
            let latch = Latch { state: Breaker::SellsBlocked, acknowledged: true, ..latch };
            self.latch = Some(latch);
            out.save(Save::Breaker(latch, now));
            self.judge_breaker(now, out);
        }
        self.say_halt(now, out);
        self.say_state(now, out);
        out.answer(
            command,
            Outcome::Done,
            None,
            format!("Trading goes on; {count} halts were cleared."),
            Value::Null,
        );
    }

    pub(crate) fn say_halt(&self, now: Timestamp, out: &mut Out<Self>) {
        // All of them halt; so many are named that the statement is never too large to be said.
        let mut halts: Vec<HaltEntry> = self.halts.values().cloned().collect();
        halts.sort_by_key(|halt| (halt.since, halt.id));
        halts.truncate(HALTS_SAID);
        out.say(RiskHalt { halted: !self.halts.is_empty(), halts, at: now });
    }
}

/// Cuts a text at a whole character.
fn shortened(text: &str, bytes_max: usize) -> String {
    let end = (0..=bytes_max.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or_default().to_string()
}
