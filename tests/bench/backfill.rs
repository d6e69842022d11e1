//! Ten years of 33 securities, read by the real program from the simulated broker over HTTP into its store on a disk.

use std::time::{Duration, Instant};

use contracts::{Health, HealthState, History};
use steward_tests::outside::{Outside, Wishes};

use crate::{Figures, to_f64};

const LONG: Duration = Duration::from_secs(120);
const INGEST: &str = "steward-ingest";

/// Measures the first reading, and the start of a program that finds everything there.
pub fn measure(figures: &mut Figures) {
    // Fast enough that the broker's allowance of one request in two seconds costs a tenth of a second.
    let settings = "history_days = 3653\nbroker_socket = false\n";
    let mut outside = Outside::new(&Wishes { speed: 600.0, ingest: settings.into(), ..Wishes::default() });
    let mut bus = outside.bus("steward-bench-history");
    let begun = Instant::now();
    outside.start(INGEST);
    bus.wait_for::<History>("the past is complete", LONG, |history| history.complete_until.len() == 33);
    let seconds = begun.elapsed().as_secs_f64();
    figures.note("33 securities x 10 years read and stored (allowance x600)", seconds, "s");
    let bars = outside.rows("market", "SELECT isin FROM api_bar").len();
    figures.note("  bars", to_f64(bars as u64), "");
    if let Some(kb) = outside.peak_kb(INGEST) {
        figures.note("  most memory of steward-ingest (resident)", to_f64(kb) / 1024.0, "MB");
    }
    let asked = outside.asked("getHloc");
    outside.kill(INGEST);
    let again = Instant::now();
    let pid = outside.start(INGEST);
    let mut bus = outside.bus("steward-bench-again");
    bus.wait_for::<Health>("ingest is ready", LONG, |health| {
        health.pid == pid && health.state == HealthState::Healthy
    });
    figures.note("the same again, nothing to do: start to healthy", again.elapsed().as_secs_f64(), "s");
    let more = outside.asked("getHloc") - asked;
    figures.note("  questions about bars in it", to_f64(more as u64), "");
}
