//! Every setting there is: type, range, default, unit, meaning. What is not in here cannot be set.
//!
//! Only what a stage reads today is listed, with who reads it; a test looks for the key in those stages. A stage that
//! learns to follow a setting adds its line here.

use serde::Serialize;
use serde_json::Value;

/// What a value may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Yes or no.
    Bool,
    /// A whole number within both bounds.
    Whole(i64, i64),
    /// A number within both bounds.
    Number(f64, f64),
    /// One of these words.
    Choice(&'static [&'static str]),
}

/// What a change of it can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// It stands between the fund and a loss: a change has to be confirmed.
    Safety,
    /// It changes what is thought good.
    Strategy,
}

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// Its name: `stage.what`, or a word alone when several stages follow it.
    pub key: &'static str,
    /// Type and range.
    pub kind: Kind,
    /// In force until somebody sets it.
    pub default: Preset,
    /// Unit of the value, empty if it has none.
    pub unit: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// What a change of it can do.
    pub class: Class,
    /// The stages that follow it.
    pub readers: &'static [&'static str],
}

impl Known {
    const fn safety(self, readers: &'static [&'static str]) -> Known {
        Known { class: Class::Safety, readers, ..self }
    }

    const fn strategy(self, readers: &'static [&'static str]) -> Known {
        Known { class: Class::Strategy, readers, ..self }
    }

    const fn new(
        key: &'static str,
        kind: Kind,
        default: Preset,
        unit: &'static str,
        doc: &'static str,
    ) -> Known {
        Known { key, kind, default, unit, doc, class: Class::Safety, readers: &[] }
    }
}

/// A default.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Preset {
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Whole(i64),
    /// Any number.
    Number(f64),
    /// A word.
    Word(&'static str),
}

impl Preset {
    /// As JSON.
    #[must_use]
    pub fn value(self) -> Value {
        match self {
            Preset::Bool(value) => value.into(),
            Preset::Whole(value) => value.into(),
            Preset::Number(value) => value.into(),
            Preset::Word(value) => value.into(),
        }
    }
}

const fn flag(key: &'static str, default: bool, doc: &'static str) -> Known {
    Known::new(key, Kind::Bool, Preset::Bool(default), "", doc)
}

const fn whole(
    key: &'static str,
    default: i64,
    (min, max): (i64, i64),
    unit: &'static str,
    doc: &'static str,
) -> Known {
    Known::new(key, Kind::Whole(min, max), Preset::Whole(default), unit, doc)
}

const fn number(
    key: &'static str,
    default: f64,
    (min, max): (f64, f64),
    unit: &'static str,
    doc: &'static str,
) -> Known {
    Known::new(key, Kind::Number(min, max), Preset::Number(default), unit, doc)
}

/// All of them, by key.
pub const ALL: &[Known] = &[
    number(
        "dividends.same_security_min_yield",
        0.03,
        (0.0, 1.0),
        "per year",
        "Yield from which on dividends are spent on what paid them; a planner configuration may name its own.",
    )
    .strategy(&["plan"]),
    flag(
        "event_driven_rebalancing_enabled",
        true,
        "A holding far off its target, or cash that waits, makes the planner look again.",
    )
    .strategy(&["plan"]),
    number("market_avg_pe", 22.0, (5.0, 60.0), "ratio", "Price to earnings that counts as ordinary.")
        .strategy(&["score"]),
    number(
        "market_regime_bear_cash_reserve",
        0.05,
        (0.01, 0.40),
        "fraction",
        "Share that targets and plans keep as cash in a bear market, and while the market is not known.",
    )
    .strategy(&["optimise", "plan"]),
    number(
        "market_regime_bear_threshold",
        -0.05,
        (-0.30, -0.001),
        "fraction",
        "Distance of the indices from their averages at which a bear market begins.",
    )
    .strategy(&["score"]),
    number(
        "market_regime_bull_cash_reserve",
        0.02,
        (0.01, 0.40),
        "fraction",
        "Share that targets and plans keep as cash in a bull market.",
    )
    .strategy(&["optimise", "plan"]),
    number(
        "market_regime_bull_threshold",
        0.05,
        (0.001, 0.30),
        "fraction",
        "Distance of the indices from their averages at which a bull market begins.",
    )
    .strategy(&["score"]),
    flag(
        "market_regime_detection_enabled",
        true,
        "The cash reserve of targets and plans follows the market.",
    )
    .strategy(&["optimise", "plan"]),
    number(
        "market_regime_sideways_cash_reserve",
        0.03,
        (0.01, 0.40),
        "fraction",
        "Share that targets and plans keep as cash in a market without direction.",
    )
    .strategy(&["optimise", "plan"]),
    whole(
        "min_cash_reserve",
        500,
        (0, 1_000_000),
        "EUR",
        "Cash that is never invested; a larger sum in steward.toml counts.",
    )
    .safety(&["optimise", "plan"]),
    number("min_security_score", 0.5, (0.0, 1.0), "score", "A lower total is not offered for buying.")
        .strategy(&["plan", "score"]),
    number("optimizer_blend", 0.5, (0.0, 1.0), "fraction", "Between mean-variance (0) and risk parity (1).")
        .strategy(&["optimise"]),
    number("optimizer_target_return", 0.11, (0.01, 0.40), "per year", "Return the optimiser aims at.")
        .strategy(&["optimise"]),
    flag("plan.require_approval", false, "Every order waits for a person; negative balances are only told.")
        .safety(&["plan"]),
    number(
        "rebalance_cash_threshold_multiplier",
        2.0,
        (0.0, 20.0),
        "smallest trades",
        "Cash that waits to be invested from which on the planner looks again.",
    )
    .strategy(&["plan"]),
    number(
        "rebalance_position_drift_threshold",
        0.05,
        (0.005, 0.05),
        "fraction",
        "Distance of a holding from its target from which on the planner looks again; smaller targets have a narrower one anyway.",
    )
    .strategy(&["plan"]),
    flag("risk.allow_offhours_buys", false, "Buys may be sent while a flexible venue is closed.")
        .safety(&["risk-gate"]),
    whole(
        "risk.buy_cooldown_days",
        30,
        (0, 365),
        "days",
        "After a buy, the same security is not bought again.",
    )
    .safety(&["plan", "risk-gate"]),
    number(
        "risk.cost_margin",
        0.01,
        (0.0, 0.1),
        "fraction",
        "Cash a buy must leave beyond its estimated cost.",
    )
    .safety(&["risk-gate"]),
    number(
        "risk.daily_loss_halted",
        0.05,
        (0.005, 0.5),
        "fraction",
        "Loss of a day from which nothing is traded.",
    )
    .safety(&["risk-gate"]),
    number(
        "risk.daily_loss_release",
        0.015,
        (0.0, 0.5),
        "fraction",
        "Loss of a day below which sales are free again.",
    )
    .safety(&["risk-gate"]),
    number(
        "risk.daily_loss_sells_blocked",
        0.02,
        (0.002, 0.5),
        "fraction",
        "Loss of a day from which nothing is sold.",
    )
    .safety(&["risk-gate"]),
    whole(
        "risk.duplicate_window_min",
        5,
        (1, 1_440),
        "min",
        "After an order, the same security waits this long.",
    )
    .safety(&["risk-gate"]),
    number(
        "risk.fx_buffer",
        0.02,
        (0.0, 0.1),
        "fraction",
        "Extra EUR that must be there to convert for a buy.",
    )
    .safety(&["risk-gate"]),
    number("risk.max_country_pct", 0.35, (0.05, 0.35), "fraction", "No plan lifts a country above this share.")
        .safety(&["optimise", "plan"]),
    number("risk.max_industry_pct", 0.30, (0.05, 0.30), "fraction", "No plan lifts an industry above this share.")
        .safety(&["optimise", "plan"]),
    number("risk.max_loss", -0.20, (-0.9, 0.0), "fraction", "Nothing is sold below this return.").safety(&[
        "plan",
        "risk-gate",
        "score",
    ]),
    whole("risk.max_per_day", 4, (0, 100), "orders", "Orders sent in one day.").safety(&["risk-gate"]),
    whole("risk.max_per_week", 10, (0, 500), "orders", "Orders sent in seven days.").safety(&["risk-gate"]),
    number("risk.max_position_pct", 0.15, (0.01, 0.30), "fraction", "Largest share of one security.")
        .safety(&["optimise", "plan", "risk-gate"]),
    whole("risk.max_price_age_s", 1_800, (60, 86_400), "s", "Older prices are not traded on.")
        .safety(&["plan", "risk-gate"]),
    number(
        "risk.max_price_vs_52w_high",
        0.95,
        (0.5, 0.95),
        "fraction",
        "No share is bought above this part of its high of 52 weeks; funds are.",
    )
    .safety(&["plan"]),
    number("risk.max_sell_pct", 0.5, (0.01, 1.0), "fraction", "Largest part of a position sold at once.")
        .safety(&["plan", "risk-gate"]),
    whole(
        "risk.max_snapshot_age_s",
        300,
        (30, 3_600),
        "s",
        "Older readings of the account are not traded on.",
    )
    .safety(&["risk-gate"]),
    whole("risk.min_gap_min", 60, (0, 10_080), "min", "Time between any two orders.").safety(&["risk-gate"]),
    whole("risk.min_hold_days", 90, (0, 3_650), "days", "Nothing of the core is sold before.").safety(&[
        "plan",
        "risk-gate",
        "score",
    ]),
    number("risk.reserve_eur", 5.0, (0.0, 1_000_000.0), "EUR", "Never spent, per currency in EUR worth.")
        .safety(&["risk-gate"]),
    whole(
        "risk.sell_cooldown_days",
        180,
        (0, 3_650),
        "days",
        "After a sale, the same security is not sold again.",
    )
    .safety(&["plan", "risk-gate", "score"]),
    whole("risk.sell_window_min", 120, (1, 10_080), "min", "Time between two sales of one security.")
        .safety(&["risk-gate"]),
    number("risk_free_rate", 0.02, (0.0, 0.15), "per year", "What money earns without risk.")
        .strategy(&["optimise", "score"]),
    number("target_annual_return", 0.11, (0.01, 0.40), "per year", "Growth that earns the full score.")
        .strategy(&["score"]),
    Known {
        key: contracts::TRADING_MODE,
        kind: Kind::Choice(&["research", LIVE]),
        default: Preset::Word("research"),
        unit: "",
        doc: "Whether orders reach the real account (live) or end on paper (research).",
        class: Class::Safety,
        readers: &["execute", "portfolio", "risk-gate"],
    },
    number(
        "transaction_cost_fixed",
        2.0,
        (0.0, 100.0),
        "EUR",
        "Fixed costs of a trade; the planner counts those of steward.toml if they are larger.",
    )
    .strategy(&["execute", "optimise", "plan", "risk-gate"]),
    number(
        "transaction_cost_percent",
        0.002,
        (0.0, 0.05),
        "fraction",
        "Costs of a trade in proportion to its value; the planner counts those of steward.toml if they are larger.",
    )
    .strategy(&["execute", "optimise", "plan", "risk-gate"]),
];

/// The word that costs money.
const LIVE: &str = "live";
/// What has to be said, word for word, before orders may reach the real account.
pub const LIVE_CONFIRMATION: &str = LIVE;

/// What this value asks to be confirmed with, if it does: real money with its own word, everything else of the class
/// `safety` with the name of the setting. Going back to research never does.
#[must_use]
pub fn confirmation(known: &Known, value: Option<&Value>) -> Option<&'static str> {
    if known.key == contracts::TRADING_MODE {
        let live = value.and_then(Value::as_str) == Some(LIVE);
        return live.then_some(LIVE_CONFIRMATION);
    }
    (known.class == Class::Safety).then_some(known.key)
}

/// Finds a setting.
#[must_use]
pub fn find(key: &str) -> Option<&'static Known> {
    ALL.iter().find(|known| known.key == key)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::set::checked;

    #[test]
    fn settings_are_sorted_and_named_once() {
        assert!(ALL.is_sorted_by(|a, b| a.key < b.key));
    }

    #[test]
    fn every_default_is_allowed_and_explained() {
        for known in ALL {
            assert_eq!(
                checked(known, &known.default.value()).unwrap(),
                known.default.value(),
                "{}",
                known.key
            );
            assert!(known.doc.ends_with('.'), "{}", known.key);
            assert!(!known.readers.is_empty(), "{}: what nobody reads is not offered", known.key);
            assert!(
                // What several stages follow has a name without a stage.
                known.key.split_once('.').is_none_or(|(stage, _)| {
                    ["risk", "dividends"].contains(&stage)
                        || contracts::STAGES.iter().any(|known| known.name == stage)
                }),
                "{}",
                known.key
            );
        }
    }

    #[test]
    fn release_of_the_breaker_lies_below_its_limit() {
        let number = |key: &str| find(key).unwrap().default.value().as_f64().unwrap();
        assert!(number("risk.daily_loss_release") < number("risk.daily_loss_sells_blocked"));
        assert!(number("risk.daily_loss_sells_blocked") < number("risk.daily_loss_halted"));
    }
}
