//! The named presets of a world: account, mood, dated events, faults; each says what it must show.

use super::account::Opening;
use super::dates::{day_at, iso, start_of};
use super::faults::{Effect, FaultRule, When};
use super::market::{ForcedRegime, Regime};
use super::world::World;

/// One preset.
pub(crate) struct Scenario {
    /// Name.
    pub(crate) name: &'static str,
    /// What a run of it must show.
    pub(crate) shows: &'static str,
    /// Account it begins with.
    pub(crate) opening: Opening,
    /// Mood of the first days, with their number.
    pub(crate) mood: Option<(Regime, i32)>,
    /// First instant when the caller names none.
    pub(crate) start: Option<&'static str>,
    /// Tickers when the caller names none.
    pub(crate) tickers: &'static [&'static str],
    /// Dates events and sets faults.
    set_up: fn(&mut World),
}

const HONG_KONG: [&str; 6] =
    ["JADEP.9911.AS", "KOWTC.9934.AS", "SINOG.9957.AS", "HARBR.9972.AS", "PEARL.98.AS", "LOTUS.999.AS"];
const WITHOUT_PAIR: [&str; 3] = ["VNDH.EU", "998X.JP", "998Y.JP"];

/// First instant where neither scenario nor caller names one.
pub(crate) const USUAL_START: &str = "2026-03-02T08:00:00Z";

const fn plain(name: &'static str, shows: &'static str) -> Scenario {
    Scenario { name, shows, opening: Opening::Grown, mood: None, start: None, tickers: &[], set_up: nothing }
}

const fn dated(name: &'static str, shows: &'static str, start: &'static str) -> Scenario {
    Scenario { start: Some(start), ..plain(name, shows) }
}

const fn with(name: &'static str, shows: &'static str, set_up: fn(&mut World)) -> Scenario {
    Scenario { set_up, ..plain(name, shows) }
}

/// Every preset, the ordinary one first.
pub(crate) const SCENARIOS: [Scenario; 25] = [
    plain("default", "normal operation for 60 sessions, all invariants"),
    Scenario { opening: Opening::Cash(0), ..plain("empty_account", "no orders, no division by zero") },
    Scenario {
        opening: Opening::Cash(1_500_000),
        ..plain("tiny_account", "orders below the cost threshold are suppressed")
    },
    Scenario {
        opening: Opening::Cash(250_000_000),
        ..plain("first_deposit", "staged build-up, currency legs")
    },
    Scenario {
        mood: Some((Regime::Crisis, 126)),
        ..plain("crash", "the gate holds, no churn in panic, no margin")
    },
    Scenario { mood: Some((Regime::Calm, 365)), ..plain("rally", "rebalancing within the caps") },
    with("fx_shock", "a jump of a rate is checked before use", fx_shock),
    with("flash_spike", "no order rests on an injected price", flash_spike),
    with("ambiguous_orders", "one order per intent, a quiet state afterwards", ambiguous_orders),
    with("dup_order", "a doubled order is found and cancelled", dup_order),
    with("outage_broker", "alert, recovery, no stale decision", outage_broker),
    with("outage_yahoo", "scores degrade, everything still runs", outage_yahoo),
    dated("split_day", "history is re-based, targets keep their value", "2025-08-11T08:00:00Z"),
    dated("reverse_split", "history is re-based, the fraction is paid", "2026-06-08T08:00:00Z"),
    Scenario {
        set_up: dividend_season,
        ..dated("dividend_season", "income is booked once, a reversal is handled", "2026-05-04T08:00:00Z")
    },
    with("takeover", "the position is closed against cash", takeover),
    with("spin_off", "units that nobody bought are noticed and not traded blindly", spin_off),
    with("isin_change", "the position goes on under its new name", isin_change),
    dated("holiday_mix", "a calendar per venue, early closes", "2026-03-30T06:00:00Z"),
    dated("dst_week", "the offset between the continents changes twice", "2026-03-08T08:00:00Z"),
    dated("year_end", "dates over the end of a year", "2026-12-28T08:00:00Z"),
    Scenario {
        tickers: &HONG_KONG,
        ..plain("hk_day", "lots, the lunch break, funding in Hong Kong dollars")
    },
    Scenario { tickers: &WITHOUT_PAIR, ..plain("no_pair", "refused with a reason: no way to pay") },
    with("clock_faults", "no order while the clock is in doubt", clock_faults),
    with("soak", "bounded memory and all invariants over years", soak),
];

/// Finds a preset.
pub(crate) fn scenario(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}

/// A preset as others choose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    /// Name.
    pub name: &'static str,
    /// What a run of it must show.
    pub shows: &'static str,
    /// First instant, RFC 3339.
    pub start: &'static str,
    /// Tickers it is meant for; all when empty.
    pub tickers: &'static [&'static str],
}

/// Every preset, the ordinary one first.
#[must_use]
pub fn presets() -> Vec<Preset> {
    let preset = |one: &Scenario| Preset {
        name: one.name,
        shows: one.shows,
        start: one.start.unwrap_or(USUAL_START),
        tickers: one.tickers,
    };
    SCENARIOS.iter().map(preset).collect()
}

/// Lists the names.
pub(crate) fn names() -> Vec<&'static str> {
    SCENARIOS.iter().map(|scenario| scenario.name).collect()
}

impl Scenario {
    /// Returns the moods it forces on a world that begins on a day.
    pub(crate) fn moods(&self, start: i32) -> Vec<ForcedRegime> {
        self.mood
            .iter()
            .map(|(regime, days)| ForcedRegime { regime: *regime, from: start, to: start + days })
            .collect()
    }

    /// Dates its events and sets its faults in a world that has just begun.
    pub(crate) fn set_up(&self, world: &mut World) {
        (self.set_up)(world);
    }
}

fn nothing(_: &mut World) {}

fn today(world: &World) -> i32 {
    day_at(world.now)
}

/// Presets are made of rules that hold; one that does not is a mistake of the simulator.
fn rule(world: &mut World, id: &str, (target, cmd, ticker): (&str, &str, &str), when: When, effect: Effect) {
    let rule = FaultRule {
        id: id.to_owned(),
        target: target.to_owned(),
        cmd: cmd.to_owned(),
        ticker: ticker.to_owned(),
        when,
        max: None,
        effect,
    };
    world.faults.put(rule).expect("rules of presets are well formed");
}

fn days(world: &World, from: i32, to: i32) -> When {
    let instant = |days: i32| format!("{}T00:00:00Z", iso(today(world) + days));
    When::Between(instant(from), instant(to))
}

fn fx_shock(world: &mut World) {
    let day = today(world) + 3;
    // More units of a currency per euro: the pound loses 15 percent.
    world.market.rates.shock("GBP", day, -libm::log(0.85));
    world.market.rates.push_hong_kong_to_its_edge(day);
}

fn flash_spike(world: &mut World) {
    for (number, (ticker, factor)) in
        [("NRDW.US", "10"), ("PRVL.US", "0.1"), ("ALPB.EU", "0"), ("MGLW.EU", "-1"), ("VNTX.US", "100")]
            .iter()
            .enumerate()
    {
        let day = i32::try_from(number).unwrap_or(0) + 1;
        let when = days(world, day, day + 1);
        let effect = Effect::Spike { factor: (*factor).to_owned() };
        rule(world, &format!("spike{number}"), ("tn", "getStockQuotesJson", ticker), when, effect);
    }
}

fn ambiguous_orders(world: &mut World) {
    let order = ("tn", "putTradeOrder", "*");
    rule(world, "after", order, When::Prob(0.3), Effect::TimeoutAfter { ms: 300 });
    rule(world, "before", order, When::Prob(0.2), Effect::TimeoutBefore { ms: 300 });
    rule(world, "echo", ("tn", "getNotifyOrderJson", "*"), When::Prob(1.0), Effect::DropEcho);
    rule(world, "echo2", ("tn", "getOrdersHistory", "*"), When::Prob(1.0), Effect::DropEcho);
}

fn dup_order(world: &mut World) {
    rule(world, "double", ("tn", "putTradeOrder", "*"), When::Prob(0.05), Effect::DupOrder);
}

fn outage_broker(world: &mut World) {
    let (first, second) = (days(world, 2, 3), days(world, 3, 4));
    rule(world, "gateway", ("tn", "*", "*"), first, Effect::Http { status: 503, processed: false });
    rule(world, "firewall", ("tn", "*", "*"), second, Effect::Http403Html);
}

fn outage_yahoo(world: &mut World) {
    let when = days(world, 0, 30);
    rule(world, "absent", ("yh", "*", "*"), when, Effect::Http { status: 502, processed: false });
}

fn dividend_season(world: &mut World) {
    let reversal = FaultRule {
        id: "reversal".into(),
        target: "tn".into(),
        cmd: "dividend".into(),
        ticker: "*".into(),
        when: When::Nth(vec![2]),
        max: Some(1),
        effect: Effect::DividendReverted,
    };
    world.faults.put(reversal).expect("rules of presets are well formed");
}

fn takeover(world: &mut World) {
    let day = today(world) + 14;
    // A world without the name has nothing to take over.
    let _ = world.plan_takeover("CRWN.EU", day, None);
}

fn spin_off(world: &mut World) {
    let day = today(world) + 14;
    let _ = world.plan_spin_off("NRDW.US", day, "VNTX.US", (1, 5));
}

fn isin_change(world: &mut World) {
    let day = today(world) + 14;
    let _ = world.plan_new_isin("VDHV.EU", day);
}

fn clock_faults(world: &mut World) {
    let refused = || Effect::Error { code: 4, text: "Invalid signature provided".into() };
    let span = |from: i64, to: i64| {
        let instant = |hours: i64| {
            let ms = start_of(today(world)) + hours * 3_600_000;
            format!("{}Z", super::dates::iso_second(ms, 'T'))
        };
        When::Between(instant(from), instant(to))
    };
    let (first, second) = (span(24 + 14, 24 + 16), span(48 + 9, 48 + 12));
    rule(world, "skew1", ("tn", "*", "*"), first, refused());
    rule(world, "skew2", ("tn", "*", "*"), second, refused());
}

fn soak(world: &mut World) {
    let rare = || When::Prob(0.005);
    let any = ("tn", "*", "*");
    rule(world, "silence", any, rare(), Effect::TimeoutAfter { ms: 300 });
    rule(world, "lost", any, rare(), Effect::TimeoutBefore { ms: 300 });
    rule(world, "gateway", any, rare(), Effect::Http { status: 502, processed: true });
    rule(world, "limit", any, rare(), Effect::RateLimit { body: true, retry_after: 30 });
    rule(world, "half", any, rare(), Effect::Truncate);
    rule(world, "empty", ("tn", "getPositionJson", "*"), rare(), Effect::EmptyOk);
    rule(
        world,
        "late",
        ("tn", "putTradeOrder", "*"),
        rare(),
        Effect::RejectLate { status: 70, after_ms: 300 },
    );
    rule(
        world,
        "yahoo",
        ("yh", "*", "*"),
        When::Prob(0.02),
        Effect::RateLimit { body: false, retry_after: 30 },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_has_its_own_name_and_says_what_it_shows() {
        let names: std::collections::BTreeSet<_> = names().into_iter().collect();
        assert_eq!(names.len(), SCENARIOS.len());
        assert!(SCENARIOS.iter().all(|scenario| !scenario.shows.is_empty()));
        assert!(scenario("nothing_like_it").is_none());
    }
}
