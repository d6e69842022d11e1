//! Rules for the days that the calendar file does not cover, for simulated worlds only.
//!
//! A simulated history starts in 2015 and a simulated year may lie beyond the file. There the simulator lives by
//! these rules; as broker and stages of that world share them, they need to be plausible, not true. Live
//! operation never uses them: a day beyond the file is closed there.
//!
//! * 2025 has listed closures for the venues of the simulated universe.
//! * Other years: weekends, and on weekdays
//!   1 January everywhere; 25 December except in Japan and mainland China; 26 December also not in Canada;
//!   Good Friday except in Japan and mainland China; Easter Monday also not in Canada;
//!   1 May in Europe without Britain; in the United States the New York exchanges' own holidays instead.
//! * Early closes: the day after Thanksgiving in the United States, fixed days of December at some venues.
//! * Tokyo closed at 15:00 until 2024-11-04.
//!
//! Deliberately absent: lunar holidays, holidays moved to Monday outside the United States, single occasions.

use crate::day::Day;
use crate::local_time::LocalTime;
use crate::sessions::Hours;
use crate::venue::{DayPlan, Venue};
use crate::weekday::Weekday;

/// Closures of 2025 by venue, as month · 100 + day.
const CLOSED_2025: &[(&[&str], &[u16])] = &[
    (&["XNYS", "XNAS"], &[101, 109, 120, 217, 418, 526, 619, 704, 901, 1127, 1225]),
    (&["XETR"], &[101, 418, 421, 501, 1224, 1225, 1226, 1231]),
    (&["XPAR", "XAMS", "XBRU", "XLIS"], &[101, 418, 421, 501, 1225, 1226]),
    (&["XMIL"], &[101, 418, 421, 501, 815, 1224, 1225, 1226, 1231]),
    (&["XLON"], &[101, 418, 421, 505, 526, 825, 1225, 1226]),
    (&["XCSE"], &[101, 417, 418, 421, 529, 530, 605, 609, 1224, 1225, 1226, 1231]),
    (&["XHKG"], &[101, 129, 130, 131, 404, 418, 421, 501, 505, 701, 1001, 1007, 1029, 1225, 1226]),
    (
        &["XTKS"],
        &[101, 102, 103, 113, 211, 224, 320, 429, 505, 506, 721, 811, 915, 923, 1013, 1103, 1124, 1231],
    ),
];

/// Venues, the dates on which they close early, and the hour and minute of that close.
type EarlyCloses = (&'static [&'static str], &'static [u16], (u8, u8));

/// Early closes of 2025 by venue.
const EARLY_2025: &[EarlyCloses] =
    &[(&["XNYS", "XNAS"], &[703, 1128, 1224], (13, 0)), (&["XHKG"], &[128, 1224, 1231], (12, 0))];

/// Early closes on the same dates every year.
const EARLY_FIXED: &[EarlyCloses] = &[
    (&["XETR"], &[1230], (14, 0)),
    (&["XPAR", "XAMS", "XBRU"], &[1224, 1231], (14, 5)),
    (&["XLIS"], &[1224, 1231], (13, 5)),
    (&["XLON"], &[1224, 1231], (12, 30)),
];

/// The first year in which New York kept Juneteenth.
const JUNETEENTH_SINCE: i32 = 2022;

/// What `day` is at `venue` by the rules.
pub(crate) fn plan(venue: &Venue, day: Day) -> DayPlan {
    if day.weekday().is_weekend() {
        DayPlan::Weekend
    } else if is_holiday(venue, day) {
        DayPlan::Holiday
    } else {
        DayPlan::Trading(hours(venue, day))
    }
}

fn is_holiday(venue: &Venue, day: Day) -> bool {
    let listed = CLOSED_2025.iter().find(|(mics, _)| mics.contains(&venue.mic().as_str()));
    match listed {
        Some((_, dates)) if day.year() == 2025 => dates.contains(&date(day)),
        _ if venue.country() == "US" => is_new_york_holiday(day),
        _ => is_general_holiday(venue.country(), day),
    }
}

fn hours(venue: &Venue, day: Day) -> Hours {
    let normal = venue.hours();
    let mic = venue.mic();
    let listed = |rows: &[EarlyCloses]| {
        let row = rows
            .iter()
            .find(|(mics, dates, _)| mics.contains(&mic.as_str()) && dates.contains(&date(day)))?;
        LocalTime::from_hm(row.2.0, row.2.1)
    };
    let early = if day.year() == 2025 { listed(EARLY_2025) } else { None }
        .or_else(|| listed(EARLY_FIXED))
        .or_else(|| {
            (venue.country() == "US" && is_after_thanksgiving(day)).then(|| LocalTime::from_hm(13, 0))?
        })
        .or_else(|| {
            (mic.as_str() == "XTKS" && day < tokyo_extension()).then(|| LocalTime::from_hm(15, 0))?
        });
    Hours { close: early.unwrap_or(normal.close), ..normal }
}

/// The first day on which Tokyo closed at 15:30.
fn tokyo_extension() -> Day {
    Day::from_ymd(2024, 11, 5).expect("5 November 2024 is a date")
}

fn date(day: Day) -> u16 {
    u16::from(day.month()) * 100 + u16::from(day.day())
}

fn is_general_holiday(country: &str, day: Day) -> bool {
    let is_mainland_or_japan = matches!(country, "CN" | "JP");
    let is_europe = !matches!(country, "CN" | "JP" | "HK" | "AU" | "CA" | "US");
    match date(day) {
        101 => true,
        501 => is_europe && country != "GB",
        1225 => !is_mainland_or_japan,
        1226 => !is_mainland_or_japan && country != "CA",
        _ if is_mainland_or_japan => false,
        _ => {
            let from_easter = easter_sunday(day.year()).days_until(day);
            from_easter == -2 || (from_easter == 1 && country != "CA")
        }
    }
}

/// The holidays of the New York exchanges, as they are kept on weekdays.
fn is_new_york_holiday(day: Day) -> bool {
    let (month, number) = (day.month(), day.day());
    let is_monday = day.weekday() == Weekday::Monday;
    let nth = (number - 1) / 7 + 1;
    match month {
        // A New Year's Day on a Saturday is not made up for.
        1 if date(day) == 101 || (number == 2 && is_monday) => true,
        1 => is_monday && nth == 3,
        2 => is_monday && nth == 3,
        5 => is_monday && number > 24,
        6 => day.year() >= JUNETEENTH_SINCE && is_kept(day, 19),
        7 => is_kept(day, 4),
        9 => is_monday && nth == 1,
        11 => day.weekday() == Weekday::Thursday && nth == 4,
        12 => is_kept(day, 25),
        _ => easter_sunday(day.year()).days_until(day) == -2,
    }
}

/// True when a holiday on `number` of the month is kept on `day`: on Friday for Saturday, on Monday for Sunday.
fn is_kept(day: Day, number: u8) -> bool {
    let on = |other: u8| day.day() == other;
    on(number)
        || (on(number - 1) && day.weekday() == Weekday::Friday)
        || (on(number + 1) && day.weekday() == Weekday::Monday)
}

fn is_after_thanksgiving(day: Day) -> bool {
    let thursday = day.prev();
    day.month() == 11 && thursday.weekday() == Weekday::Thursday && (thursday.day() - 1) / 7 + 1 == 4
}

/// Western Easter Sunday by the anonymous Gregorian computus.
pub(crate) fn easter_sunday(year: i32) -> Day {
    let golden = year % 19;
    let (century, rest) = (year / 100, year % 100);
    let moon_shift = (century - (century + 8) / 25 + 1) / 3;
    let epact = (19 * golden + century - century / 4 - moon_shift + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (rest / 4) - epact - rest % 4) % 7;
    let correction = (golden + 11 * epact + 22 * weekday) / 451;
    let march_days = epact + weekday - 7 * correction + 22;
    let first_of_march = Day::from_ymd(year, 3, 1).expect("the year of a Day has a March");
    first_of_march.plus_days(march_days - 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::calendars::Calendars;

    fn plan_of(mic: &str, day: &str) -> DayPlan {
        let calendars = Calendars::embedded();
        plan(calendars.venue(mic.parse().unwrap()).unwrap(), day.parse().unwrap())
    }

    fn close_of(mic: &str, day: &str) -> String {
        match plan_of(mic, day) {
            DayPlan::Trading(hours) => hours.close.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn knows_easter() {
        for text in
            ["2015-04-05", "2016-03-27", "2019-04-21", "2024-03-31", "2025-04-20", "2026-04-05", "2038-04-25"]
        {
            let day: Day = text.parse().unwrap();
            assert_eq!(easter_sunday(day.year()), day);
        }
    }

    /// The strongest check of the rules: they reproduce the published table of all years it has.
    #[test]
    fn the_new_york_rules_give_the_published_table() {
        let calendars = Calendars::embedded();
        let venue = calendars.venue("XNYS".parse().unwrap()).unwrap();
        let mut day = venue.valid_from();
        while day <= venue.valid_until() {
            let by_rule = matches!(plan(venue, day), DayPlan::Holiday);
            assert_eq!(by_rule, matches!(venue.plan(day), DayPlan::Holiday), "{day}");
            day = day.next();
        }
    }

    #[test]
    fn past_years_follow_the_rules() {
        for (mic, day, is_closed) in [
            ("XNYS", "2021-06-18", false),
            ("XNYS", "2022-06-20", true),
            ("XNYS", "2021-12-31", false),
            ("XNYS", "2017-01-02", true),
            ("XNYS", "2019-04-19", true),
            ("XNYS", "2019-04-22", false),
            ("XETR", "2019-04-22", true),
            ("XETR", "2019-05-01", true),
            ("XLON", "2019-05-01", false),
            ("XLON", "2019-12-26", true),
            ("XHKG", "2019-04-22", true),
            ("XTKS", "2019-04-19", false),
            ("XTKS", "2019-12-25", false),
            ("XTKS", "2019-01-01", true),
            ("XTSE", "2019-04-22", false),
        ] {
            assert_eq!(plan_of(mic, day) == DayPlan::Holiday, is_closed, "{mic} {day}");
        }
        assert_eq!(plan_of("XETR", "2019-06-01"), DayPlan::Weekend);
    }

    #[test]
    fn the_listed_year_wins_over_the_rules() {
        for (mic, day, close) in [
            ("XNYS", "2025-01-09", "Holiday"),
            ("XNYS", "2025-07-03", "13:00"),
            ("XNYS", "2025-11-28", "13:00"),
            ("XHKG", "2025-01-28", "12:00"),
            ("XHKG", "2025-01-29", "Holiday"),
            ("XMIL", "2025-08-15", "Holiday"),
            ("XETR", "2025-12-30", "14:00"),
            ("XLON", "2025-12-24", "12:30"),
            ("XAMS", "2025-12-31", "14:05"),
            ("XLIS", "2025-12-31", "13:05"),
            ("XTKS", "2024-11-01", "15:00"),
            ("XTKS", "2024-11-05", "15:30"),
            ("XNYS", "2019-11-29", "13:00"),
            ("XNYS", "2019-11-22", "16:00"),
        ] {
            assert_eq!(close_of(mic, day), close, "{mic} {day}");
        }
    }
}
