//! A person dates a holding that is older than the books. Without a date the gate must take it for bought today, and would
//! neither sell it nor buy more of it for ever.
//!
//! Only what the books cannot know is taken from a person: a holding that was there before them and of which no trade
//! tells. A date once given stays; the next purchase or sale counts as always.

use bus_client::Out;
use contracts::{HeldSince, Outcome, Received};
use market::{Day, Timestamp};

use crate::{Portfolio, Save, books::Held, paper::PaperSave};

const DAY_MS: i64 = 86_400_000;

/// Why a holding is not dated by a person, in the order in which it is judged.
fn refusal(asked: &HeldSince, held: Option<&Held>, today: Day) -> Option<(&'static str, &'static str)> {
    let held = held.filter(|held| !held.qty.is_zero());
    match held {
        _ if asked.actor.trim().is_empty() => Some(("no_actor", "Nobody is named who says so.")),
        _ if asked.text.trim().is_empty() => {
            Some(("no_reason", "A reason is needed: say where the date stands."))
        }
        None => Some(("not_held", "Nothing of this security is held.")),
        Some(held) if !held.predates => {
            Some(("not_before", "It was bought since the books began; they know when."))
        }
        Some(held) if held.opened.or(held.last_buy).is_some() => {
            Some(("known", "The books know since when it is held."))
        }
        Some(_) if asked.since >= today => Some(("not_past", "The date must lie before today.")),
        Some(_) => None,
    }
}

impl Portfolio {
    pub(crate) fn held_since(&mut self, heard: Received<HeldSince>, now: Timestamp, out: &mut Out<Self>) {
        let (Some(asked), Some(command)) = (heard.body, heard.meta) else { return };
        let held = self.accounts.books.get(&asked.isin);
        if let Some((code, text)) = refusal(&asked, held, now.day_utc()) {
            return out.answer(Some(&command), Outcome::Refused, Some(code), text, serde_json::Value::Null);
        }
        let opened = Some(Timestamp::from_ms(i64::from(asked.since.epoch_days()) * DAY_MS));
        if let Some(held) = self.accounts.books.get_mut(&asked.isin) {
            held.opened = opened;
            out.save(Save::Position(asked.isin, held.clone()));
        }
        if let Some(held) = self.paper.books.get_mut(&asked.isin).filter(|held| held.opened.is_none()) {
            held.opened = opened;
            out.save(Save::Paper(PaperSave::Position(asked.isin, held.clone())));
        }
        let text = format!("{} is held since {}.", asked.isin, asked.since);
        out.decided(format!("{text} Said by {}: {}", asked.actor.trim(), asked.text.trim()));
        out.answer(Some(&command), Outcome::Done, None, text, serde_json::Value::Null);
        self.settle(now);
    }
}
