//! Keeps a process within its share of the broker's request allowance: token buckets per class of
//! command, pauses after throttling. Pure: the time is an argument, jitter is an argument.

use std::collections::BTreeMap;

/// Steps between the tries of a failed read; the caller adds its jitter.
pub const READ_RETRY_DELAYS_MS: [u64; 3] = [3_000, 6_000, 12_000];
/// An order that waited longer than this in a queue is stale and must not be sent.
pub const ORDER_QUEUE_MS_MAX: u64 = 30_000;
/// A queued read that is older than this when throttling ends is dropped unless essential.
pub const QUEUED_READ_MS_MAX: u64 = 600_000;
/// First pause after throttling without a named pause; doubles up to the last.
const PENALTY_MS_FIRST: u64 = 60_000;
const PENALTY_MS_MAX: u64 = 900_000;
/// How long a process halves its rate after another one was throttled.
const HALVED_MS: u64 = 600_000;
/// Largest jitter, in thousandths of the pause.
const JITTER_PERMILLE_MAX: i64 = 200;
/// Credit earned in a millisecond: two, so that the halved rate needs no fraction.
const CREDIT_PER_MS: u64 = 2;

/// Groups commands that are paid from one allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PaceClass {
    /// Security directories; the broker's only published limit.
    Directory,
    /// Candles, which belong to one process alone.
    Candles,
    /// Other histories.
    History,
    /// Positions, orders, quotes, market status, cross rates.
    Live,
    /// Orders and cancellations.
    Orders,
}

/// Holds the allowance of one class: one request per interval, and so many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Milliseconds in which one request is earned.
    pub interval_ms: u64,
    /// Requests that may be saved up.
    pub burst: u64,
}

impl PaceClass {
    /// All classes.
    pub const ALL: [Self; 5] = [Self::Directory, Self::Candles, Self::History, Self::Live, Self::Orders];

    /// Returns the allowance of the whole key, before it is shared out.
    pub fn whole(self) -> Allowance {
        match self {
            Self::Directory => Allowance { interval_ms: 6_000, burst: 1 },
            Self::Candles | Self::History => Allowance { interval_ms: 2_000, burst: 3 },
            Self::Live => Allowance { interval_ms: 1_500, burst: 5 },
            Self::Orders => Allowance { interval_ms: 3_000, burst: 1 },
        }
    }
}

/// Says how many hundredths of each class belong to a process; nothing means never.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shares(BTreeMap<PaceClass, u64>);

impl Shares {
    /// Shares of the process that collects market data.
    pub fn ingest() -> Self {
        use PaceClass::{Candles, Directory, History, Live};
        Self(BTreeMap::from([(Directory, 100), (Candles, 100), (History, 30), (Live, 30)]))
    }

    /// Shares of the process that reads the account.
    pub fn portfolio() -> Self {
        Self(BTreeMap::from([(PaceClass::History, 30), (PaceClass::Live, 30)]))
    }

    /// Shares of the process that places orders.
    pub fn execute() -> Self {
        use PaceClass::{History, Live, Orders};
        Self(BTreeMap::from([(History, 40), (Live, 40), (Orders, 100)]))
    }
}

/// Says whether a request may go out now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Send it now; it has been paid for.
    Go,
    /// Ask again at this time.
    Wait {
        /// Milliseconds on the caller's monotonic clock.
        until_ms: u64,
    },
    /// This process never sends this class.
    NotOurs,
}

#[derive(Debug, Clone)]
struct Bucket {
    allowance: Allowance,
    /// Saved-up credit; a request costs [`Bucket::cost`].
    credit: u64,
    filled_at_ms: u64,
}

/// Counts the requests of one process. Times are milliseconds of any clock that never goes back.
#[derive(Debug, Clone)]
pub struct Pacer {
    buckets: BTreeMap<PaceClass, Bucket>,
    blocked_until_ms: u64,
    halved_until_ms: u64,
    penalties: u32,
}

impl Pacer {
    /// Starts with full buckets.
    pub fn new(shares: &Shares, now_ms: u64) -> Self {
        let buckets = shares.0.iter().map(|(class, percent)| {
            let allowance = shared(class.whole(), *percent);
            (*class, Bucket::full(allowance, now_ms))
        });
        Self { buckets: buckets.collect(), blocked_until_ms: 0, halved_until_ms: 0, penalties: 0 }
    }

    /// Asks for leave to send one request; `Go` takes it from the allowance.
    pub fn take(&mut self, class: PaceClass, now_ms: u64) -> Turn {
        let halved = now_ms < self.halved_until_ms;
        let Some(bucket) = self.buckets.get_mut(&class) else { return Turn::NotOurs };
        if now_ms < self.blocked_until_ms {
            return Turn::Wait { until_ms: self.blocked_until_ms };
        }
        let credit_per_ms = if halved { CREDIT_PER_MS / 2 } else { CREDIT_PER_MS };
        bucket.refill(now_ms, credit_per_ms);
        let missing = bucket.cost().saturating_sub(bucket.credit);
        if missing == 0 {
            bucket.credit -= bucket.cost();
            return Turn::Go;
        }
        Turn::Wait { until_ms: bucket.filled_at_ms.saturating_add(missing.div_ceil(credit_per_ms)) }
    }

    /// Notes that the broker throttled us and returns the end of the pause that follows.
    ///
    /// `jitter_permille` spreads the pauses of several processes; it is held to ±200. A pause the
    /// broker named is never shortened.
    pub fn throttled(&mut self, now_ms: u64, named_pause_ms: Option<u64>, jitter_permille: i64) -> u64 {
        let doubled = PENALTY_MS_FIRST.saturating_mul(1 << self.penalties.min(10));
        let jitter = jitter_permille.clamp(-JITTER_PERMILLE_MAX, JITTER_PERMILLE_MAX);
        let permille = u64::try_from(1_000 + jitter).unwrap_or(1_000);
        let pause_ms = named_pause_ms.unwrap_or(doubled.min(PENALTY_MS_MAX) * permille / 1_000);
        self.penalties = self.penalties.saturating_add(1);
        self.blocked_until_ms = self.blocked_until_ms.max(now_ms.saturating_add(pause_ms));
        self.blocked_until_ms
    }

    /// Notes that the broker answered again, which ends the doubling of pauses.
    pub fn answered(&mut self) {
        self.penalties = 0;
    }

    /// Notes that another process was throttled: this one earns at half its rate for ten minutes.
    pub fn halve(&mut self, now_ms: u64) {
        self.halved_until_ms = now_ms.saturating_add(HALVED_MS);
    }
}

impl Bucket {
    fn full(allowance: Allowance, now_ms: u64) -> Self {
        let credit = allowance.interval_ms * CREDIT_PER_MS * allowance.burst;
        Self { allowance, credit, filled_at_ms: now_ms }
    }

    fn cost(&self) -> u64 {
        self.allowance.interval_ms * CREDIT_PER_MS
    }

    /// Adds what was earned since the last look; a clock that steps back earns nothing.
    fn refill(&mut self, now_ms: u64, credit_per_ms: u64) {
        let earned = now_ms.saturating_sub(self.filled_at_ms).saturating_mul(credit_per_ms);
        self.credit = self.credit.saturating_add(earned).min(self.cost() * self.allowance.burst);
        self.filled_at_ms = self.filled_at_ms.max(now_ms);
    }
}

fn shared(whole: Allowance, percent: u64) -> Allowance {
    let percent = percent.clamp(1, 100);
    Allowance { interval_ms: whole.interval_ms * 100 / percent, burst: (whole.burst * percent / 100).max(1) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spends_the_burst_and_then_the_rate() {
        let mut pacer = Pacer::new(&Shares::execute(), 0);
        // 40 % of one request per 1.5 s and of a burst of five.
        assert_eq!(pacer.take(PaceClass::Live, 0), Turn::Go);
        assert_eq!(pacer.take(PaceClass::Live, 0), Turn::Go);
        assert_eq!(pacer.take(PaceClass::Live, 0), Turn::Wait { until_ms: 3_750 });
        assert_eq!(pacer.take(PaceClass::Live, 3_749), Turn::Wait { until_ms: 3_750 });
        assert_eq!(pacer.take(PaceClass::Live, 3_750), Turn::Go);
    }

    #[test]
    fn orders_belong_to_one_process_only() {
        for shares in [Shares::ingest(), Shares::portfolio()] {
            assert_eq!(Pacer::new(&shares, 0).take(PaceClass::Orders, 0), Turn::NotOurs);
        }
        let mut pacer = Pacer::new(&Shares::execute(), 0);
        assert_eq!(pacer.take(PaceClass::Orders, 0), Turn::Go);
        assert_eq!(pacer.take(PaceClass::Orders, 1), Turn::Wait { until_ms: 3_000 });
        assert_eq!(pacer.take(PaceClass::Directory, 0), Turn::NotOurs);
    }

    #[test]
    fn the_shares_of_a_class_add_up_to_the_whole_at_most() {
        for class in PaceClass::ALL {
            let all = [Shares::ingest(), Shares::portfolio(), Shares::execute()];
            let sum: u64 = all.iter().filter_map(|shares| shares.0.get(&class)).sum();
            assert!(sum == 100, "{class:?} {sum}");
        }
    }

    #[test]
    fn pauses_double_up_to_a_quarter_of_an_hour_and_reset() {
        let mut pacer = Pacer::new(&Shares::execute(), 0);
        let pauses: Vec<u64> = (0..6).map(|_| pacer.pause_after_throttling()).collect();
        assert_eq!(pauses, [60_000, 120_000, 240_000, 480_000, 900_000, 900_000]);
        pacer.answered();
        assert_eq!(pacer.pause_after_throttling(), 60_000);
    }

    impl Pacer {
        /// Throttles at time zero and returns the pause, with the block taken off again.
        fn pause_after_throttling(&mut self) -> u64 {
            let until = self.throttled(0, None, 0);
            self.blocked_until_ms = 0;
            until
        }
    }

    #[test]
    fn throttling_blocks_every_class_and_keeps_a_named_pause() {
        let mut pacer = Pacer::new(&Shares::execute(), 0);
        assert_eq!(pacer.throttled(1_000, Some(7_000), -200), 8_000);
        assert_eq!(pacer.take(PaceClass::Orders, 7_999), Turn::Wait { until_ms: 8_000 });
        assert_eq!(pacer.take(PaceClass::Live, 8_000), Turn::Go);
        assert_eq!(Pacer::new(&Shares::execute(), 0).throttled(0, None, -999), 48_000);
        assert_eq!(Pacer::new(&Shares::execute(), 0).throttled(0, None, 999), 72_000);
    }

    #[test]
    fn earns_at_half_rate_after_another_process_was_throttled() {
        let mut pacer = Pacer::new(&Shares::execute(), 0);
        pacer.halve(0);
        assert_eq!(pacer.take(PaceClass::Orders, 0), Turn::Go);
        assert_eq!(pacer.take(PaceClass::Orders, 0), Turn::Wait { until_ms: 6_000 });
        assert_eq!(pacer.take(PaceClass::Orders, HALVED_MS), Turn::Go);
        assert_eq!(pacer.take(PaceClass::Orders, HALVED_MS), Turn::Wait { until_ms: HALVED_MS + 3_000 });
    }

    #[test]
    fn a_clock_that_stands_still_or_steps_back_earns_nothing() {
        let mut pacer = Pacer::new(&Shares::execute(), 10_000);
        assert_eq!(pacer.take(PaceClass::Orders, 10_000), Turn::Go);
        assert_eq!(pacer.take(PaceClass::Orders, 0), Turn::Wait { until_ms: 13_000 });
    }

    proptest! {
        #[test]
        fn never_exceeds_burst_plus_rate(steps in prop::collection::vec(0_u64..5_000, 1..200)) {
            let mut pacer = Pacer::new(&Shares::ingest(), 0);
            let (mut now, mut sent) = (0, 0);
            for step in steps {
                now += step;
                if pacer.take(PaceClass::Candles, now) == Turn::Go {
                    sent += 1;
                }
                prop_assert!(sent <= 3 + now / 2_000);
            }
        }

        #[test]
        fn waiting_as_told_is_enough(start in 0_u64..1_000_000, gap in 0_u64..4_000) {
            let mut pacer = Pacer::new(&Shares::portfolio(), start);
            let mut now = start;
            for _ in 0..20 {
                now += gap;
                if let Turn::Wait { until_ms } = pacer.take(PaceClass::Live, now) {
                    prop_assert!(until_ms > now);
                    now = until_ms;
                    prop_assert_eq!(pacer.take(PaceClass::Live, now), Turn::Go);
                }
            }
        }
    }
}
