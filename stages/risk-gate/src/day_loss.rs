//! The loss of the day as part of the stage: when it is judged, what it latches, and the halt that comes of it.

use bus_client::Out;
use contracts::{Breaker, HaltEntry, Id};
use market::{Day, Timestamp};

use crate::{
    RiskGate,
    breaker::{day_change, day_of, judged, latched},
    store::{Save, spelled},
};

/// The reason of a halt for the loss of a day.
pub(crate) const DAILY_LOSS: &str = "daily_loss";

impl RiskGate {
    pub(crate) fn judge_breaker(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let doubt = self.world.doubt(now);
        let state = judged(self.world.nav.as_ref(), doubt.is_some(), self.latch, self.loss);
        if let (Some(doubt), true) = (&doubt, state != self.breaker) {
            out.decided(format!("The loss of the day cannot be judged: {doubt}."));
        }
        self.breaker = state;
        let Some(nav) = self.world.nav.clone() else { return };
        if let Some((day, index)) = self.peaks.note(&nav) {
            out.save(Save::Peak(day, index));
        }
        let day = day_of(&nav, self.latch);
        if self.is_clock_trusted(now) {
            self.end_of_loss(day, now, out);
        }
        let Some(latch) = latched(day, state, self.latch) else { return };
        self.latch = Some(latch);
        out.decided(format!("The daily-loss breaker is {} for {day}.", spelled(&state)));
        out.save(Save::Breaker(latch, now));
        if state == Breaker::Halted {
            let id = loss_halt(day);
            let text = format!(
                "The fund lost {:.1} % on {day}. Nothing is traded until the next day, or until a person has looked and resumes.",
                day_change(&nav).unwrap_or(0.0) * -100.0
            );
            let (actor, reason) = ("breaker".to_string(), DAILY_LOSS.to_string());
            self.open_halt(HaltEntry { id, since: now, actor, reason, text }, now, out);
        }
    }

    /// The halt for the loss of a day ends with that day; no other halt ends by itself.
    pub(crate) fn end_of_loss(&mut self, today: Day, now: Timestamp, out: &mut Out<Self>) {
        let over: Vec<HaltEntry> = self
            .halts
            .values()
            .filter(|halt| is_of_loss(halt) && halt.id != loss_halt(today))
            .cloned()
            .collect();
        for halt in &over {
            self.halts.remove(&halt.id);
            out.save(Save::Over(halt.clone(), now));
        }
        if !over.is_empty() {
            out.decided("The day of the loss is over.");
            self.say_halt(now, out);
        }
    }

    /// When the breaker opens by itself at the earliest: a full stop for the loss of a day with the next day, if nothing
    /// else halts. Blocked sales come free with a better price, and a doubt with a new one: nobody knows when.
    pub(crate) fn loss_over(&self, now: Timestamp) -> Option<Timestamp> {
        let by_loss = self.breaker == Breaker::Halted && self.halts.values().all(is_of_loss);
        let day = self.latch.filter(|latch| by_loss && latch.state == Breaker::Halted)?.day;
        Some(Timestamp::from_ms(i64::from(day.next().epoch_days()) * 86_400_000)).filter(|next| *next > now)
    }

    /// The value may have grown doubtful since it was judged: prices age without a message.
    pub(crate) fn breaker_now(&self, now: Timestamp) -> Breaker {
        if self.breaker == Breaker::Halted || self.world.doubt(now).is_none() {
            return self.breaker;
        }
        Breaker::Unknown
    }
}

fn is_of_loss(halt: &HaltEntry) -> bool {
    halt.reason == DAILY_LOSS && halt.actor == "breaker"
}

fn loss_halt(day: Day) -> Id {
    Id::derive(Timestamp::ZERO, &[DAILY_LOSS, &day.to_string()])
}
