//! Every key of a planner configuration: what it may be, and what it is where a document does not name it.
//!
//! Adding one: a line here, and its effect in [`super::effect`].

use std::borrow::Cow;

/// What a key holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Whole(i64),
    /// A number.
    Number(f64),
    /// A text.
    Text(Cow<'static, str>),
}

/// What a key may hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Yes or no.
    Flag,
    /// A whole number within these.
    Whole(i64, i64),
    /// A number within these.
    Number(f64, f64),
    /// At most so many characters.
    Text(usize),
    /// One of these words.
    Word(&'static [&'static str]),
}

/// One key.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// Its place in the document, without the word `params`.
    pub path: &'static str,
    /// What it may hold.
    pub kind: Kind,
    /// What it holds otherwise.
    pub default: Value,
}

const fn flag(path: &'static str, default: bool) -> Key {
    Key { path, kind: Kind::Flag, default: Value::Flag(default) }
}

const fn whole(path: &'static str, least: i64, most: i64, default: i64) -> Key {
    Key { path, kind: Kind::Whole(least, most), default: Value::Whole(default) }
}

const fn number(path: &'static str, least: f64, most: f64, default: f64) -> Key {
    Key { path, kind: Kind::Number(least, most), default: Value::Number(default) }
}

const fn text(path: &'static str, most: usize) -> Key {
    Key { path, kind: Kind::Text(most), default: Value::Text(Cow::Borrowed("")) }
}

const PROFILES: &[&str] = &["conservative", "balanced", "aggressive"];

/// All keys, in the order in which a document is written.
pub const KEYS: &[Key] = &[
    text("planner.name", 60),
    text("planner.description", 500),
    whole("planner.max_depth", 1, 10, 5),
    whole("planner.max_pool", 4, 24, 20),
    whole("planner.max_opportunities_per_category", 1, 20, 5),
    number("planner.priority_threshold", 0.0, 1.0, 0.3),
    flag("planner.enable_diverse_selection", true),
    number("planner.diversity_weight", 0.0, 1.0, 0.3),
    number("planner.min_improvement", 0.0001, 0.05, 0.002),
    Key {
        path: "planner.risk_profile",
        kind: Kind::Word(PROFILES),
        default: Value::Text(Cow::Borrowed("balanced")),
    },
    number("planner.cost_penalty_factor", 0.0, 3.0, 1.0),
    number("planner.base_trade_amount_eur", 250.0, 1_000_000.0, 1_000.0),
    number("planner.transaction_cost_fixed", 0.0, 100.0, 2.0),
    number("planner.transaction_cost_percent", 0.0, 0.0090, 0.002),
    number("planner.spread_percent", 0.0, 0.05, 0.001),
    number("planner.slippage_percent", 0.0, 0.05, 0.0015),
    flag("planner.allow_sell", true),
    flag("planner.allow_buy", true),
    whole("planner.min_hold_days", 0, 365, 90),
    whole("planner.sell_cooldown_days", 0, 365, 180),
    number("planner.max_loss_threshold", -1.0, 0.0, -0.20),
    flag("opportunity_calculators.profit_taking.enabled", true),
    number("opportunity_calculators.profit_taking.windfall_threshold", 0.0, 1.0, 0.0),
    number("opportunity_calculators.profit_taking.priority_weight", 0.0, 3.0, 1.2),
    flag("opportunity_calculators.averaging_down.enabled", true),
    number("opportunity_calculators.averaging_down.max_dip", -1.0, 0.0, -0.20),
    number("opportunity_calculators.averaging_down.min_dip", -1.0, 0.0, -0.05),
    number("opportunity_calculators.averaging_down.min_quality_score", 0.0, 1.0, 0.6),
    number("opportunity_calculators.averaging_down.priority_weight", 0.0, 3.0, 1.0),
    flag("opportunity_calculators.opportunity_buys.enabled", true),
    number("opportunity_calculators.opportunity_buys.min_quality_score", 0.0, 1.0, 0.7),
    number("opportunity_calculators.opportunity_buys.priority_weight", 0.0, 3.0, 1.1),
    flag("opportunity_calculators.rebalance_sells.enabled", true),
    number("opportunity_calculators.rebalance_sells.overweight_threshold", 0.0, 1.0, 0.02),
    number("opportunity_calculators.rebalance_sells.priority_weight", 0.0, 3.0, 0.8),
    flag("opportunity_calculators.rebalance_buys.enabled", true),
    number("opportunity_calculators.rebalance_buys.underweight_threshold", 0.0, 1.0, 0.02),
    number("opportunity_calculators.rebalance_buys.priority_weight", 0.0, 3.0, 0.9),
    flag("opportunity_calculators.weight_based.enabled", true),
    number("opportunity_calculators.weight_based.min_gap_threshold", 0.0001, 0.5, 0.01),
    number("opportunity_calculators.weight_based.priority_weight", 0.0, 3.0, 1.0),
    flag("opportunity_calculators.dividend_reinvestment.enabled", true),
    number("opportunity_calculators.dividend_reinvestment.min_yield", 0.0, 1.0, 0.03),
    number("opportunity_calculators.dividend_reinvestment.priority_weight", 0.0, 3.0, 1.0),
    flag("pattern_generators.direct_buy.enabled", true),
    whole("pattern_generators.direct_buy.max_depth", 1, 10, 10),
    flag("pattern_generators.profit_taking.enabled", true),
    whole("pattern_generators.profit_taking.max_depth", 1, 10, 10),
    flag("pattern_generators.rebalance.enabled", true),
    whole("pattern_generators.rebalance.max_depth", 1, 10, 10),
    flag("pattern_generators.averaging_down.enabled", true),
    whole("pattern_generators.averaging_down.max_depth", 1, 10, 10),
    flag("pattern_generators.single_best.enabled", true),
    whole("pattern_generators.single_best.max_depth", 1, 10, 1),
    flag("pattern_generators.multi_sell.enabled", true),
    whole("pattern_generators.multi_sell.max_depth", 1, 10, 10),
    flag("pattern_generators.mixed_strategy.enabled", true),
    whole("pattern_generators.mixed_strategy.max_depth", 1, 10, 10),
    flag("pattern_generators.opportunity_first.enabled", true),
    whole("pattern_generators.opportunity_first.max_depth", 1, 10, 10),
    flag("pattern_generators.deep_rebalance.enabled", true),
    whole("pattern_generators.deep_rebalance.max_depth", 1, 10, 10),
    flag("pattern_generators.cash_generation.enabled", true),
    whole("pattern_generators.cash_generation.max_depth", 1, 10, 10),
    flag("pattern_generators.cost_optimized.enabled", true),
    whole("pattern_generators.cost_optimized.max_depth", 1, 10, 10),
    flag("pattern_generators.adaptive.enabled", false),
    whole("pattern_generators.adaptive.max_depth", 1, 10, 10),
    flag("sequence_generators.subsets.enabled", true),
    flag("sequence_generators.enhanced_combinatorial.enabled", false),
    whole("sequence_generators.enhanced_combinatorial.max_sells", 1, 10, 4),
    whole("sequence_generators.enhanced_combinatorial.max_buys", 1, 10, 4),
    whole("sequence_generators.enhanced_combinatorial.max_steps", 1, 10, 10),
    whole("sequence_generators.enhanced_combinatorial.max_combinations", 1, 1_000, 50),
    whole("sequence_generators.enhanced_combinatorial.max_candidates", 1, 50, 12),
    number("sequence_generators.enhanced_combinatorial.priority_threshold", 0.0, 1.0, 0.3),
    flag("filters.correlation_aware.enabled", false),
    number("filters.correlation_aware.correlation_threshold", -1.0, 1.0, 0.7),
];

/// Keys, or whole sections, of the old system that have no effect here, and why.
pub const NOT_BUILT: &[(&str, &str)] = &[
    ("planner.enable_batch_generation", "every run is planned whole"),
    ("planner.beam_width", "everything is evaluated"),
    ("planner.enable_multi_objective", "one score decides"),
    ("planner.enable_stochastic_scenarios", "moving the traded price alone tests no market risk"),
    ("planner.enable_monte_carlo_paths", "moving the traded price alone tests no market risk"),
    ("planner.monte_carlo_path_count", "moving the traded price alone tests no market risk"),
    ("planner.enable_multi_timeframe", "the score knows no time frames"),
    ("planner.enable_market_regime_scenarios", "the regime acts on the reserve only"),
    ("planner.fx_cost_percent", "it has one source, a constant of the planner"),
    ("opportunity_calculators.weight_based.transaction_cost_fixed", "costs have one source, [planner]"),
    ("opportunity_calculators.weight_based.transaction_cost_percent", "costs have one source, [planner]"),
    ("opportunity_calculators.averaging_down.base_trade_amount_eur", "sizes have one source, [planner]"),
    ("pattern_generators.market_regime", "selling by regime sells low"),
    ("sequence_generators.combinatorial", "it is a part of the subsets"),
    ("sequence_generators.partial_execution", "parts of a trade must not feed orders"),
    ("sequence_generators.constraint_relaxation", "rules are not relaxed near orders"),
    ("filters.diversity", "everything is evaluated"),
    ("filters.eligibility", "its rules are checks of every sale"),
    ("filters.recently_traded", "its rules are checks of every trade"),
];

/// Old names that an import may still use.
pub const RENAMED: &[(&str, &str)] = &[
    (
        "opportunity_calculators.averaging_down.dip_threshold",
        "opportunity_calculators.averaging_down.max_dip",
    ),
    ("opportunity_calculators.averaging_down.max_drawdown", "opportunity_calculators.averaging_down.max_dip"),
];

/// The key of this path.
#[must_use]
pub fn key(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

/// Whether this is a section that holds keys.
#[must_use]
pub fn is_section(path: &str) -> bool {
    let holds = |full: &str| full.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
    KEYS.iter().any(|key| holds(key.path)) || NOT_BUILT.iter().any(|(full, _)| holds(full))
}

/// Why a key or its section has no effect.
#[must_use]
pub fn not_built(path: &str) -> Option<&'static str> {
    let names =
        |known: &str| path == known || path.strip_prefix(known).is_some_and(|rest| rest.starts_with('.'));
    NOT_BUILT.iter().find(|(known, _)| names(known)).map(|(_, why)| *why)
}

impl Key {
    /// What it may hold, in words.
    #[must_use]
    pub fn rule(&self) -> String {
        match self.kind {
            Kind::Flag => "true or false".into(),
            Kind::Whole(least, most) => format!("a whole number from {least} to {most}"),
            Kind::Number(least, most) => format!("a number from {least} to {most}"),
            Kind::Text(most) => format!("a text of at most {most} characters"),
            Kind::Word(words) => format!("one of {}", words.join(", ")),
        }
    }

    /// Whether a value is of its type.
    #[must_use]
    pub fn is_of_type(&self, value: &Value) -> bool {
        matches!(
            (self.kind, value),
            (Kind::Flag, Value::Flag(_))
                | (Kind::Whole(..), Value::Whole(_))
                | (Kind::Number(..), Value::Number(_))
                | (Kind::Text(_) | Kind::Word(_), Value::Text(_))
        )
    }

    /// Whether a value of its type is one it may hold.
    #[must_use]
    pub fn may_be(&self, value: &Value) -> bool {
        match (self.kind, value) {
            (Kind::Whole(least, most), Value::Whole(found)) => (least..=most).contains(found),
            (Kind::Number(least, most), Value::Number(found)) => (least..=most).contains(found),
            (Kind::Text(most), Value::Text(found)) => found.chars().count() <= most,
            (Kind::Word(words), Value::Text(found)) => words.contains(&found.as_ref()),
            (Kind::Flag, Value::Flag(_)) => true,
            _ => false,
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Flag(flag) => write!(f, "{flag}"),
            Value::Whole(whole) => write!(f, "{whole}"),
            // With a point, so that it reads back as a number.
            Value::Number(number) => write!(f, "{number:?}"),
            Value::Text(text) => write!(f, "{}", toml::Value::String(text.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_default_is_allowed_and_every_path_is_there_once() {
        let mut paths = BTreeSet::new();
        for key in KEYS {
            assert!(key.may_be(&key.default), "{}", key.path);
            assert!(paths.insert(key.path), "{} twice", key.path);
            assert_eq!(not_built(key.path), None, "{} has an effect or has none", key.path);
        }
        for (_, new) in RENAMED {
            assert!(key(new).is_some(), "{new}");
        }
    }

    #[test]
    fn limits_belong_to_the_range_and_nothing_beyond_does() {
        let depth = key("planner.max_depth").expect("a key");
        for (found, expected) in [(0, false), (1, true), (10, true), (11, false)] {
            assert_eq!(depth.may_be(&Value::Whole(found)), expected, "{found}");
        }
        let threshold = key("planner.priority_threshold").expect("a key");
        for (found, expected) in [(-0.01, false), (0.0, true), (1.0, true), (1.01, false), (f64::NAN, false)]
        {
            assert_eq!(threshold.may_be(&Value::Number(found)), expected, "{found}");
        }
        assert!(!threshold.is_of_type(&Value::Text("0.3".into())));
    }
}
