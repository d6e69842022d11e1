//! What is said about venues, and what is written about their coming days.

use bus_client::Out;
use market::{Mic, Timestamp};

use crate::limits::{CALENDAR_DAYS_MIN, CALENDAR_WRITTEN_DAYS};
use crate::schedule::grid_after;
use crate::venues::{again_at, describe};
use crate::{Ingest, Save};

impl Ingest {
    pub(crate) fn describe_venues(&mut self, now: Timestamp, out: &mut Out<Self>) {
        let due: Vec<Mic> =
            self.venues.iter().filter(|(_, then)| **then <= now).map(|(mic, _)| *mic).collect();
        for mic in due {
            let venue = describe(&self.calendars, mic, now);
            let venue = self.agreed(venue, now);
            self.venues.insert(mic, again_at(&self.calendars, mic, now));
            let key = format!("venue {mic}");
            if self.calendars.state(mic, now).reason.is_unknown() {
                self.troubled(&key, &format!("{mic} counts as closed: {}", venue.reason));
            } else if self.live && venue.calendar_days_left < CALENDAR_DAYS_MIN {
                let left = venue.calendar_days_left;
                self.troubled(
                    &key,
                    &format!("the calendar of {mic} ends in {left} days; install a newer release"),
                );
            } else {
                self.troubles.remove(&key);
            }
            out.say(venue);
        }
    }

    /// Writes the coming days of every venue for those who read the store.
    pub(crate) fn write_calendars(&mut self, now: Timestamp, out: &mut Out<Self>) {
        self.calendars_at = grid_after(now, 86_400_000);
        for mic in self.venues.keys() {
            let Some(venue) = self.calendars.venue(*mic) else { continue };
            let today = now.day_utc();
            let days = (0..CALENDAR_WRITTEN_DAYS).map(|ahead| today.plus_days(ahead)).filter_map(|day| {
                let sessions = self.calendars.sessions(*mic, day);
                let open = sessions.iter().flat_map(|sessions| sessions.iter());
                let open: Vec<String> =
                    open.map(|span| format!("[{},{}]", span.open.ms(), span.close.ms())).collect();
                let known = self.calendars.uses_rules() || day <= venue.valid_until();
                known.then(|| (day, format!("[{}]", open.join(","))))
            });
            let save = Save::Calendar { mic: *mic, days: days.collect(), valid_until: venue.valid_until() };
            out.save(save);
        }
    }
}
