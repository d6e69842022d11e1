//! Bounds and pauses that no setting changes.

/// Sequences of one planning run; the pool shrinks until they fit.
pub const SEQUENCES_MAX: usize = 65_536;
/// Actions of one sequence.
pub const DEPTH_MAX: usize = 10;
/// Sequences of one job.
pub const JOB_SEQUENCES: u32 = 4_096;
/// Best sequences that each job sends back.
pub const JOB_KEEP: u16 = 20;
/// Rejected sequences shown in a plan.
pub const RIVALS_SHOWN: usize = 20;
/// Securities shown as left out; more would not fit into the statement.
pub const LEFT_OUT_SHOWN: usize = 200;
/// Holdings of one context; more would not fit into the statement.
pub const HOLDINGS_MAX: usize = 200;
/// Securities, venues and orders followed at all.
pub const FOLLOWED_MAX: usize = 2_000;

/// First pause before a job without a result is published again; each further one is twice as long.
pub const RETRY_MS: i64 = 500;
/// How often a job is published again.
pub const RETRIES: u32 = 5;
/// Pause after a run that got no results.
pub const FAILED_PAUSE_MS: i64 = 300_000;

/// A plan is shown this long.
pub const PLAN_LIFE_MS: i64 = 24 * HOUR_MS;
/// A step older than this is planned afresh before it is asked for.
pub const STEP_LIFE_MS: i64 = 30 * MINUTE_MS;
/// Plans kept in the store.
pub const PLANS_KEPT_MS: i64 = 365 * DAY_MS;
/// Targets older than this are told.
pub const TARGETS_OLD_MS: i64 = 7 * DAY_MS;
/// Targets older than this are ignored.
pub const TARGETS_AGE_MAX_MS: i64 = 30 * DAY_MS;
/// Rates older than this are told; days on which none are made do not count.
pub const RATE_OLD_MS: i64 = 24 * HOUR_MS;
/// Rates older than this are not planned by.
pub const RATE_AGE_MAX_MS: i64 = 48 * HOUR_MS;
/// Quotes may be this far ahead of our clock; more is a fault of a clock, and the quote is not believed.
pub const CLOCK_SKEW_MS: i64 = 5_000;

/// What a person said of a step, approved or skipped, holds this long.
pub const APPROVAL_LIFE_MS: i64 = 24 * HOUR_MS;

/// A security that the gate blocked stays out this long.
pub const BLOCK_MS: i64 = 24 * HOUR_MS;
/// A deferred order without a named time is tried again after this.
pub const DEFER_MS: i64 = 5 * MINUTE_MS;
/// A request without a verdict, or an approval that nobody carries out, is over after this.
pub const ANSWER_MS: i64 = 10 * MINUTE_MS;
/// An answered request is still said this long, so that everybody hears how it ended.
pub const SAID_AFTER_END_MS: i64 = 10 * MINUTE_MS;

/// A price that moved this much since the last run is worth another, in 1/1 000 000.
pub const PRICE_MOVE_E6: i64 = 10_000;
/// A score that moved this much is worth another run.
pub const SCORE_MOVE: f64 = 0.01;
/// A regime score that moved this much moves the reserve enough to plan again.
pub const REGIME_MOVE: f64 = 0.05;
/// A limit lies at most this far from the last price, in 1/1 000 000. The broker allows twice as much.
pub const LIMIT_BUFFER_E6: i64 = 10_000;
/// A limit lies this far beyond the other side's best price, in 1/1 000 000.
pub const QUOTE_BUFFER_E6: i64 = 2_500;

/// What the gate adds to the cost of a purchase, in 1/1 000 000.
pub const GATE_MARGIN_E6: i64 = 10_000;
/// Room for a rate moving while currencies are exchanged, in 1/1 000 000.
pub const FX_BUFFER_E6: i64 = 20_000;

/// A holding worth less may be sold whole, in EUR: two of the smallest trades, as the gate has it.
pub const SMALL_HOLDING_EUR: i64 = 500;

/// A country's largest share of the fund, in 1/1 000 000.
pub const COUNTRY_MAX_E6: i64 = 350_000;
/// An industry's largest share of the fund.
pub const INDUSTRY_MAX_E6: i64 = 300_000;
/// A security's own limit may be at most this share of the fund.
pub const OWN_LIMIT_MAX_E6: i64 = 300_000;

/// One minute.
pub const MINUTE_MS: i64 = 60_000;
/// One hour.
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// One day of 24 hours.
pub const DAY_MS: i64 = 24 * HOUR_MS;

const _: () = assert!(JOB_SEQUENCES as usize <= SEQUENCES_MAX);
const _: () = assert!(STEP_LIFE_MS < PLAN_LIFE_MS, "a step must not outlive its plan");
const _: () = assert!(LIMIT_BUFFER_E6 <= 20_000, "the broker refuses limits more than 2 % away");
