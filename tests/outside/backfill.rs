//! Ten years of every security: read once, not again, and the same however often the reading is killed.

use std::time::{Duration, Instant};

use contracts::{Health, HealthState, History};
use steward_tests::outside::{Outside, Wishes};

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
