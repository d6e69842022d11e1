//! Ten years of every security: read once, not again, and the same however often the reading is killed.

use std::time::{Duration, Instant};

use contracts::{Health, HealthState, History};
use market::{Day, Timestamp};
use simworld::{Listing, World, WorldConfig};
use steward_tests::outside::{Outside, SUNDAY, Wishes};

use crate::dice::Dice;

const LONG: Duration = Duration::from_secs(180);
const INGEST: &str = "steward-ingest";
/// Every bar with all of it.
const BARS: &str =
    "SELECT isin, day, open, high, low, close, volume, quality, is_final FROM api_bar ORDER BY isin, day";
/// Runs that are killed, and how often each.
const RUNS: u64 = 3;
const KILLS: u64 = 4;

fn wishes() -> Wishes {
    Wishes { ingest: "history_days = 3653\nbroker_socket = false\n".into(), ..Wishes::default() }
}

/// Waits until the past of all securities is complete.
fn finished(outside: &Outside) {
    let mut bus = outside.bus("steward-history");
    bus.wait_for::<History>("the past is complete", LONG, |history| history.complete_until.len() == 33);
}

/// Every close equals the market's own, day by day; those of VNTX from before its split by four are brought into the
/// new units and rounded to the nearest step, as the broker does.
fn equals_the_market(outside: &Outside) {
    let start: Timestamp = SUNDAY.parse().unwrap();
    let world = World::new(WorldConfig::new(1, start)).unwrap();
    let split: Day = "2025-08-18".parse().unwrap();
    for Listing { ticker, isin, tick_e6, .. } in simworld::listings() {
        let sql = format!(
            "SELECT CAST(strftime('%s', day) AS INTEGER) / 86400, close
             FROM api_bar WHERE isin = '{isin}' AND is_final = 1 ORDER BY day"
        );
        let number =
            |cell: &str| cell.trim_matches(|letter: char| !letter.is_ascii_digit()).parse::<i64>().unwrap();
        let ours: Vec<(Day, i64)> = outside
            .rows("market", &sql)
            .iter()
            .map(|row| {
                let (day, close) = row.split_once(',').unwrap();
                (Day::from_epoch_days(i32::try_from(number(day)).unwrap()).unwrap(), number(close))
            })
            .collect();
        let first = start.day_utc().plus_days(-3_640);
        let theirs: Vec<(Day, i64)> = world
            .daily_closes(ticker, first, start.day_utc())
            .into_iter()
            .map(|(day, close)| match ticker == "VNTX.US" && day < split {
                true => (day, quartered(close, tick_e6)),
                false => (day, close),
            })
            .collect();
        let ours: Vec<(Day, i64)> = ours.into_iter().filter(|(day, _)| *day >= first).collect();
        let differs = ours.iter().zip(&theirs).find(|(one, other)| one != other);
        assert!(
            ours.len() == theirs.len() && differs.is_none(),
            "{ticker}: {} and {} closes, {differs:?}",
            ours.len(),
            theirs.len()
        );
    }
}

/// A quarter, to the nearest step, halves to the even one.
fn quartered(close: i64, tick_e6: i64) -> i64 {
    let (steps, rest) = (close / (4 * tick_e6), close % (4 * tick_e6));
    let up = rest > 2 * tick_e6 || (rest == 2 * tick_e6 && steps % 2 == 1);
    (steps + i64::from(up)) * tick_e6
}

fn ready(outside: &Outside, pid: u32) {
    let mut bus = outside.bus("steward-ready");
    bus.wait_for::<Health>("ingest is ready", LONG, |health| {
        health.pid == pid && health.state == HealthState::Healthy
    });
}

#[test]
fn what_was_read_is_not_read_again_and_a_killed_reading_ends_equal() {
    let mut outside = Outside::new(&wishes());
    let begun = Instant::now();
    outside.start(INGEST);
    finished(&outside);
    let whole = begun.elapsed();
    let bars = outside.rows("market", BARS);
    assert!(bars.len() > 33 * 2_400, "{} bars", bars.len());
    let most = outside.peak_kb(INGEST).unwrap_or(0) / 1_024;
    println!("{} bars of 33 securities in {:.2} s, at most {most} MB", bars.len(), whole.as_secs_f64());

    equals_the_market(&outside);

    // The second run asks nothing.
    let asked = outside.asked("getHloc");
    assert!(asked >= 33, "{asked} questions");
    outside.kill(INGEST);
    let again = Instant::now();
    let pid = outside.start(INGEST);
    ready(&outside, pid);
    println!("ready again after {:.2} s", again.elapsed().as_secs_f64());
    // Statements of health come every two seconds: by the next one anything due has been asked for.
    ready(&outside, pid);
    assert_eq!(outside.asked("getHloc"), asked, "it was all there");
    assert_eq!(outside.rows("market", BARS), bars);
    drop(outside);

    for seed in 1..=RUNS {
        let (killed, last) = killed_at(&mut Dice::new(seed), whole);
        assert!(last == bars, "seed {seed}: another past after the kills at {killed:?}");
        println!("seed {seed}: killed {killed:?} ms after its starts, ended equal");
    }
}

/// A reading that is killed at random moments, and what it has in the end.
fn killed_at(dice: &mut Dice, whole: Duration) -> (Vec<u64>, Vec<String>) {
    let mut outside = Outside::new(&wishes());
    let most = u64::try_from(whole.as_millis()).unwrap();
    let mut killed = Vec::new();
    for _ in 0..KILLS {
        outside.start(INGEST);
        // Early moments hit the making of the store, later ones the writing of bars.
        let after = dice.roll(most / 2);
        pause(after);
        outside.kill(INGEST);
        killed.push(after);
    }
    outside.start(INGEST);
    finished(&outside);
    (killed, outside.rows("market", BARS))
}

/// The moment of the kill is the point of the test.
#[allow(clippy::disallowed_methods)]
fn pause(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}
