//! When each simulated venue trades: sessions in UTC and offsets of local time.
//!
//! The table of closures is the production one: where calendar and simulator differed, every test of trading
//! hours would test the difference. Outside its years rules take its place.

use ::market::{Calendars, Day, Mic};

use super::dates::{DAY_MS, day_at, day_of, nth_weekday, start_of, weekday};

/// A group of listings that share one trading calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Venue {
    /// New York: NYSE, NASDAQ, NYSE Arca.
    NewYork,
    /// Xetra.
    Frankfurt,
    /// Euronext Paris.
    Paris,
    /// Euronext Amsterdam.
    Amsterdam,
    /// Borsa Italiana.
    Milan,
    /// Nasdaq Copenhagen.
    Copenhagen,
    /// London Stock Exchange.
    London,
    /// Hong Kong Exchanges.
    HongKong,
    /// Tokyo Stock Exchange.
    Tokyo,
}

/// Every venue, in the order of the enum.
pub(crate) const VENUES: [Venue; 9] = [
    Venue::NewYork,
    Venue::Frankfurt,
    Venue::Paris,
    Venue::Amsterdam,
    Venue::Milan,
    Venue::Copenhagen,
    Venue::London,
    Venue::HongKong,
    Venue::Tokyo,
];

impl Venue {
    /// Returns the venue of a listing name as the broker writes it.
    pub(crate) fn of_listing(codesub: &str) -> Option<Self> {
        Some(match codesub {
            "NASDAQ" | "NYSE" | "NYSE Arca" => Self::NewYork,
            "XETRA" => Self::Frankfurt,
            "PARIS" => Self::Paris,
            "AMSTERDAM" => Self::Amsterdam,
            "MILAN" => Self::Milan,
            "COPENHAGEN" => Self::Copenhagen,
            "LSE" => Self::London,
            "HKEX" => Self::HongKong,
            "TOKYO" => Self::Tokyo,
            _ => return None,
        })
    }

    /// Returns the market identifier code.
    pub(crate) fn mic(self) -> &'static str {
        match self {
            Self::NewYork => "XNYS",
            Self::Frankfurt => "XETR",
            Self::Paris => "XPAR",
            Self::Amsterdam => "XAMS",
            Self::Milan => "XMIL",
            Self::Copenhagen => "XCSE",
            Self::London => "XLON",
            Self::HongKong => "XHKG",
            Self::Tokyo => "XTKS",
        }
    }

    /// Returns the offset of local time from UTC in minutes at an instant.
    pub(crate) fn utc_offset_min(self, ms: i64) -> i64 {
        match self {
            Self::HongKong => 480,
            Self::Tokyo => 540,
            Self::NewYork => -300 + if us_summer(ms) { 60 } else { 0 },
            Self::London => i64::from(eu_summer(ms)) * 60,
            _ => 60 + i64::from(eu_summer(ms)) * 60,
        }
    }
}

fn year_of(ms: i64) -> i32 {
    super::dates::civil(day_at(ms)).0
}

/// Summer time in the EU and the UK: last Sunday of March 01:00 UTC to last Sunday of October 01:00 UTC.
pub(crate) fn eu_summer(ms: i64) -> bool {
    let year = year_of(ms);
    let hour = 3_600_000;
    (start_of(nth_weekday(year, 3, 6, 0)) + hour..start_of(nth_weekday(year, 10, 6, 0)) + hour).contains(&ms)
}

/// Summer time in the US: second Sunday of March to first Sunday of November, 02:00 local.
fn us_summer(ms: i64) -> bool {
    let year = year_of(ms);
    let begin = start_of(nth_weekday(year, 3, 6, 2)) + 7 * 3_600_000;
    let end = start_of(nth_weekday(year, 11, 6, 1)) + 6 * 3_600_000;
    (begin..end).contains(&ms)
}

/// The trading windows of one venue on one day, UTC milliseconds, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sessions {
    windows: [(i64, i64); 2],
    count: u8,
}

impl Sessions {
    /// Collects up to two windows.
    pub(crate) fn new(windows: &[(i64, i64)]) -> Self {
        let mut sessions = Self::default();
        for (slot, window) in sessions.windows.iter_mut().zip(windows) {
            *slot = *window;
            sessions.count += 1;
        }
        sessions
    }

    /// Lists the windows.
    pub(crate) fn windows(&self) -> &[(i64, i64)] {
        &self.windows[..usize::from(self.count)]
    }

    /// Returns the first opening, absent on closed days.
    pub(crate) fn open(&self) -> Option<i64> {
        self.windows().first().map(|w| w.0)
    }

    /// Returns the last closing, absent on closed days.
    pub(crate) fn close(&self) -> Option<i64> {
        self.windows().last().map(|w| w.1)
    }

    /// Tells whether trading goes on at an instant; the closing instant is closed.
    pub(crate) fn contains(&self, ms: i64) -> bool {
        self.windows().iter().any(|w| (w.0..w.1).contains(&ms))
    }

    /// Returns the trading time of the whole day in milliseconds.
    pub(crate) fn length(&self) -> i64 {
        self.windows().iter().map(|w| w.1 - w.0).sum()
    }

    /// Returns the trading time that has passed at an instant; breaks do not count.
    pub(crate) fn elapsed(&self, ms: i64) -> i64 {
        self.windows().iter().map(|w| (ms.min(w.1) - w.0).max(0)).sum()
    }

    /// Returns the instant at which a given trading time has passed.
    pub(crate) fn instant(&self, elapsed: i64) -> i64 {
        let mut rest = elapsed;
        for window in self.windows() {
            if rest < window.1 - window.0 {
                return window.0 + rest;
            }
            rest -= window.1 - window.0;
        }
        self.close().unwrap_or(0)
    }
}

/// First day the calendar covers: account histories may begin before the price paths.
fn first_day() -> i32 {
    day_of(2014, 12, 1)
}

/// First day the calendar does not cover.
fn end_day() -> i32 {
    day_of(2029, 1, 1)
}

/// Sessions of all venues, one table lookup each.
#[derive(Clone)]
pub(crate) struct Calendar {
    by_venue: Vec<Vec<Sessions>>,
}

impl Calendar {
    /// Builds the table of every venue.
    pub(crate) fn build() -> Self {
        let calendars = Calendars::embedded().with_rules();
        let days = first_day()..end_day();
        let sessions = |venue| days.clone().map(|day| sessions_of(&calendars, venue, day)).collect();
        let by_venue = VENUES.iter().map(|venue| sessions(*venue));
        Self { by_venue: by_venue.collect() }
    }

    /// Returns the sessions of a venue on a day; outside the table every venue is closed.
    pub(crate) fn sessions(&self, venue: Venue, day: i32) -> Sessions {
        let index = VENUES.iter().position(|v| *v == venue).unwrap_or(0);
        usize::try_from(day - first_day())
            .ok()
            .and_then(|offset| self.by_venue[index].get(offset))
            .copied()
            .unwrap_or_default()
    }
}

/// Trading hours of currency pairs: Monday 00:00 to Friday 23:00 UTC.
pub(crate) fn currency_sessions(day: i32) -> Sessions {
    match weekday(day) {
        0..=3 => Sessions::new(&[(start_of(day), start_of(day) + DAY_MS)]),
        4 => Sessions::new(&[(start_of(day), start_of(day) + 23 * 3_600_000)]),
        _ => Sessions::default(),
    }
}

fn sessions_of(calendars: &Calendars, venue: Venue, day: i32) -> Sessions {
    let mic: Mic = venue.mic().parse().expect("venue codes are valid");
    let day = Day::from_epoch_days(day).filter(|_| weekday(day) < 5);
    let Some(sessions) = day.and_then(|day| calendars.sessions(mic, day)) else {
        return Sessions::default();
    };
    let windows: Vec<(i64, i64)> = sessions.iter().map(|w| (w.open.ms(), w.close.ms())).collect();
    Sessions::new(&windows)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn text(venue: Venue, (y, m, d): (i32, i32, i32)) -> Vec<String> {
        let iso = |ms| super::super::dates::iso_second(ms, 'T')[11..16].to_owned();
        let sessions = sessions_of(&Calendars::embedded().with_rules(), venue, day_of(y, m, d));
        sessions.windows().iter().map(|w| format!("{}-{}", iso(w.0), iso(w.1))).collect()
    }

    #[test]
    fn sessions_follow_local_time_through_the_weeks_in_which_summer_time_differs() {
        let none: [&str; 0] = [];
        assert_eq!(text(Venue::NewYork, (2026, 3, 6)), ["14:30-21:00"]);
        assert_eq!(text(Venue::NewYork, (2026, 3, 9)), ["13:30-20:00"]);
        assert_eq!(text(Venue::Frankfurt, (2026, 3, 9)), ["08:00-16:30"]);
        assert_eq!(text(Venue::Frankfurt, (2026, 3, 30)), ["07:00-15:30"]);
        assert_eq!(text(Venue::HongKong, (2026, 3, 2)), ["01:30-04:00", "05:00-08:00"]);
        assert_eq!(text(Venue::Tokyo, (2024, 11, 1)), ["00:00-02:30", "03:30-06:00"]);
        assert_eq!(text(Venue::Tokyo, (2024, 11, 6)), ["00:00-02:30", "03:30-06:30"]);
        assert_eq!(text(Venue::NewYork, (2026, 3, 7)), none);
        assert_eq!(text(Venue::NewYork, (2026, 4, 3)), none);
        assert_eq!(text(Venue::NewYork, (2026, 11, 27)), ["14:30-18:00"]);
    }

    #[test]
    fn trading_time_skips_the_lunch_break() {
        let day = day_of(2026, 3, 2);
        let sessions = sessions_of(&Calendars::embedded().with_rules(), Venue::HongKong, day);
        let at = |h: i64, m: i64| start_of(day) + (h * 60 + m) * 60_000;
        assert_eq!(sessions.elapsed(at(4, 30)), sessions.elapsed(at(4, 0)));
        assert_eq!(sessions.instant(sessions.elapsed(at(5, 10))), at(5, 10));
        assert!(!sessions.contains(at(4, 0)) && sessions.contains(at(5, 0)));
        assert_eq!(sessions.instant(sessions.length()), at(8, 0));
    }
}
