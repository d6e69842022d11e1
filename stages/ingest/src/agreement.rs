//! Does the broker agree that a venue is open? A venue is open when its calendar and the broker both say so; the broker
//! may close what the calendar opens, never open what it closes. An answer that is missing or old is no agreement.
//!
//! The broker tells of markets, not of venues: all of Europe is one of them, and shows the hours of Frankfurt. A venue
//! that belongs to none of its markets has nobody to agree, and counts as closed.

use std::collections::BTreeMap;

use bus_client::Out;
use contracts::Venue;
use market::{Mic, Timestamp};
use tradernet::{
    commands::market_status::{MarketState, MarketStatus},
    pacer::PaceClass,
};

use crate::limits::{AGREEMENT_AGE_MS, DISAGREEMENT_MS};
use crate::schedule::{grid_after, pause_ms};
use crate::stage::Reading;
use crate::{Call, Failure, Ingest};

/// The market of the broker that a venue belongs to.
fn market_of(mic: Mic) -> Option<&'static str> {
    match mic.as_str() {
        "XNYS" | "XNAS" | "ARCX" | "XASE" => Some("FIX"),
        "XHKG" => Some("HKEX"),
        "XLON" | "XDUB" | "XETR" | "XFRA" | "XPAR" | "XAMS" | "XBRU" | "XLIS" | "XMIL" | "MTAA" | "XMAD"
        | "BMEX" | "XSWX" | "XWBO" | "XVIE" | "XCSE" | "XSTO" | "XHEL" | "XOSL" | "ASEX" | "XATH" => {
            Some("EU")
        }
        _ => None,
    }
}

/// What the broker said about its markets.
#[derive(Default)]
pub(crate) struct Agreement {
    pub(crate) at: Timestamp,
    pub(crate) reading: Reading,
    said: Option<(Timestamp, BTreeMap<String, MarketState>)>,
    /// Since when each venue is open by its calendar alone.
    alone: BTreeMap<Mic, Timestamp>,
}

impl Agreement {
    /// Why a venue whose calendar says open is closed all the same.
    fn objection(&self, mic: Mic, now: Timestamp, interval_ms: i64) -> Option<&'static str> {
        let known = self.said.as_ref();
        let fresh = known.filter(|(at, _)| now.since(*at) <= AGREEMENT_AGE_MS.max(2 * interval_ms + 60_000));
        let Some(market) = market_of(mic) else { return Some("broker_without_market") };
        match fresh.and_then(|(_, markets)| markets.get(market)) {
            Some(state) if state.is_open() => None,
            Some(MarketState::Unknown(_)) | None => Some("broker_unknown"),
            Some(_) => Some("broker_closed"),
        }
    }
}

impl Ingest {
    /// Closes what the broker does not agree about, and tells of it when that lasts.
    pub(crate) fn agreed(&mut self, venue: Venue, now: Timestamp) -> Venue {
        let mic = venue.mic;
        let key = format!("market {mic}");
        let interval = i64::from(self.settings.market_status_interval_s) * 1_000;
        let objection = self.agreement.objection(mic, now, interval).filter(|_| venue.open);
        let Some(why) = objection else {
            self.agreement.alone.remove(&mic);
            self.troubles.remove(&key);
            return venue;
        };
        let since = *self.agreement.alone.entry(mic).or_insert(now);
        // A market that the broker does not have is no disagreement: nothing of it can be traded anyway.
        if now.since(since) > DISAGREEMENT_MS && market_of(mic).is_some() {
            let says = if why == "broker_closed" { "that it is closed" } else { "nothing of it" };
            self.troubled(
                &key,
                &format!(
                    "{mic} is open by its calendar and the broker says {says}, since {since}; nothing is traded there until both agree"
                ),
            );
        }
        Venue { open: false, reason: why.into(), since_open_min: None, until_close_min: None, ..venue }
    }

    /// Asks while a venue is open by its calendar; else at the next opening.
    pub(crate) fn ask_markets(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let states = self.venues.keys().map(|mic| self.calendars.state(*mic, now));
        let (mut open, mut next) = (false, None::<Timestamp>);
        for state in states {
            open |= state.open;
            next = next.into_iter().chain(state.next_change.filter(|then| *then > now)).min();
        }
        if !open {
            let hour = grid_after(now, 3_600_000);
            self.agreement.at = next.map_or(hour, |then| then.min(hour));
            return;
        }
        if let Some(until) = self.must_wait(PaceClass::Live, now) {
            self.agreement.at = until;
            return;
        }
        self.agreement.reading.awaited = 1;
        out.call(Call::Markets);
    }

    /// Takes the answer; a venue about which it changes anything is described again.
    pub(crate) fn markets_came(
        &mut self,
        result: Result<MarketStatus, Failure>,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        self.agreement.reading.awaited = 0;
        let interval = i64::from(self.settings.market_status_interval_s) * 1_000;
        match result {
            Ok(status) => {
                self.agreement.reading.failures = 0;
                self.succeeded("markets");
                let markets = status.markets.into_iter().map(|row| (row.code, row.state)).collect();
                self.agreement.said = Some((now, markets));
                self.agreement.at = grid_after(now, interval);
            }
            Err(failure) => {
                self.agreement.reading.failures += 1;
                let least = self.failed("markets", &failure, now);
                let pause = pause_ms(self.agreement.reading.failures, least);
                self.agreement.at = now.saturating_plus_ms(pause);
            }
        }
        let differs = |ingest: &Ingest, mic: &Mic| {
            let open = ingest.calendars.state(*mic, now).open;
            let objects = ingest.agreement.objection(*mic, now, interval).is_some();
            open && (objects || ingest.agreement.alone.contains_key(mic))
        };
        let again: Vec<Mic> = self.venues.keys().filter(|mic| differs(self, mic)).copied().collect();
        for mic in again {
            self.venues.insert(mic, now);
        }
        self.describe_venues(now, out);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use market::Calendars;

    use super::*;

    #[test]
    fn every_venue_of_europe_and_america_with_a_calendar_belongs_to_a_market_of_the_broker() {
        let calendars = Calendars::embedded();
        let without = ["XTSE", "XTKS", "XASX", "XSHE", "XSHG"];
        for venue in calendars.venues() {
            let mic = venue.mic();
            assert_eq!(market_of(mic).is_none(), without.contains(&mic.as_str()), "{mic}");
        }
        // Other codes of the same exchanges.
        for mic in ["ARCX", "XASE", "XFRA", "MTAA", "BMEX", "XVIE", "XATH"] {
            let mic: Mic = mic.parse().unwrap();
            let venue = calendars.venue(mic).unwrap();
            assert!(market_of(mic).is_some() && market_of(mic) == market_of(venue.mic()), "{mic}");
        }
    }

    #[test]
    fn only_a_fresh_and_plain_yes_is_an_agreement() {
        let xetra: Mic = "XETR".parse().unwrap();
        let at = Timestamp::from_ms;
        let with = |state| Agreement {
            said: Some((at(0), BTreeMap::from([("EU".to_owned(), state)]))),
            ..Agreement::default()
        };
        assert_eq!(Agreement::default().objection(xetra, at(0), 60_000), Some("broker_unknown"));
        for (state, expected) in [
            (MarketState::Open, None),
            (MarketState::Close, Some("broker_closed")),
            (MarketState::PreOpen, Some("broker_closed")),
            (MarketState::PostClose, Some("broker_closed")),
            (MarketState::Unknown(Some("HALF".into())), Some("broker_unknown")),
        ] {
            assert_eq!(with(state.clone()).objection(xetra, at(0), 60_000), expected, "{state:?}");
        }
        let open = with(MarketState::Open);
        assert_eq!(open.objection(xetra, at(AGREEMENT_AGE_MS), 60_000), None);
        assert_eq!(open.objection(xetra, at(AGREEMENT_AGE_MS + 1), 60_000), Some("broker_unknown"));
        assert_eq!(open.objection("XNYS".parse().unwrap(), at(0), 60_000), Some("broker_unknown"));
    }
}
