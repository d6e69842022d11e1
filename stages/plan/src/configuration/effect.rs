//! What a configuration does to the planner's rules.
//!
//! Finders, patterns, generators and sizes are as it says. Costs, holds, cooldowns and the loss limit have one source, the
//! fund's settings; here they may only be stricter, and a looser value has no effect and is told. So may spread, slippage
//! and the weight of costs only be larger than their defaults.

use contracts::{Finite, PlanCosts};
use money::Money;

use super::{
    Configuration,
    keys::Value,
    read::{Problem, Severity},
};
use crate::{
    parameters::{Combinations, Parameters, Switch},
    patterns::Pattern,
    settings::{Rules, euro, min_trade, share},
    terms::{RiskProfile, Terms},
};

const PENALTY: &str = "planner.cost_penalty_factor";
const SPREAD: &str = "planner.spread_percent";
const SLIPPAGE: &str = "planner.slippage_percent";

/// The planner's rules under a configuration, how sequences are judged under it, and what of it has no effect.
#[must_use]
pub fn effect(base: &Rules, name: &str, configuration: &Configuration) -> (Rules, Terms, Vec<Problem>) {
    let mut strict = Strict { configuration, looser: Vec::new() };
    let mut rules = base.clone();
    let fixed = strict.number("planner.transaction_cost_fixed", eur_of(base.costs.fixed_eur));
    let percent = strict.number("planner.transaction_cost_percent", base.costs.percent.to_f64());
    if let Some(fixed) = fixed.and_then(euro) {
        rules.costs.fixed_eur = fixed;
    }
    if let Some(percent) = percent.and_then(share) {
        rules.costs.percent = percent;
    }
    rules.min_trade = min_trade(&rules.costs);
    let days = |days: f64| f64_to_u32(days);
    if let Some(hold) = strict.number("planner.min_hold_days", base.sell.min_hold_days.into()) {
        rules.sell.min_hold_days = days(hold);
    }
    if let Some(pause) = strict.number("planner.sell_cooldown_days", base.sell.sell_cooldown_days.into()) {
        rules.sell.sell_cooldown_days = days(pause);
    }
    let loss_max = -base.sell.loss_max.to_f64();
    if let Some(loss) = strict.number("planner.max_loss_threshold", loss_max).and_then(|loss| share(-loss)) {
        rules.sell.loss_max = loss;
    }
    if let Some(amount) = configuration.given_number("planner.base_trade_amount_eur").and_then(euro) {
        rules.base_trade = amount;
    }
    if let Some(least) = configuration.given_number("planner.min_improvement") {
        rules.min_improvement = least;
    }
    rules.parameters = parameters(&base.parameters, configuration);
    let terms = Terms { costs: costs(&rules, &mut strict), ..terms(&rules, name, configuration) };
    (rules, terms, strict.looser)
}

/// What trading costs in the score: never less than it surely does, or it would seem free.
fn costs(rules: &Rules, strict: &mut Strict<'_>) -> PlanCosts {
    let defaults = Configuration::default();
    let mut number = |path: &'static str| {
        let least = defaults.number(path);
        strict.number(path, least).unwrap_or(least)
    };
    let [spread, slippage, factor] = [SPREAD, SLIPPAGE, PENALTY].map(&mut number);
    let costs = Terms::of(rules).costs;
    PlanCosts {
        impact_e6: share(spread + slippage).unwrap_or(costs.impact_e6),
        factor: Finite::new(factor).unwrap_or(costs.factor),
        ..costs
    }
}

/// A part of the costs that counts under a configuration.
fn counted(configuration: &Configuration, path: &str) -> Value {
    Value::Number(configuration.number(path).max(Configuration::default().number(path)))
}

/// Every key with what is in force under a configuration: what it names, unless that is looser than the fund's own rule;
/// where it names nothing, the fund's rules and the defaults.
#[must_use]
pub fn in_force(base: &Rules, configuration: &Configuration) -> String {
    let (rules, terms, _) = effect(base, "", configuration);
    let whole = |number: usize| Value::Whole(i64::try_from(number).unwrap_or(i64::MAX));
    let parameters = &rules.parameters;
    let held = [
        ("planner.max_depth", whole(parameters.max_depth)),
        ("planner.max_pool", whole(parameters.max_pool)),
        ("planner.min_improvement", Value::Number(terms.min_improvement)),
        (PENALTY, counted(configuration, PENALTY)),
        (SPREAD, counted(configuration, SPREAD)),
        (SLIPPAGE, counted(configuration, SLIPPAGE)),
        ("planner.base_trade_amount_eur", Value::Number(eur_of(rules.base_trade))),
        ("planner.transaction_cost_fixed", Value::Number(eur_of(rules.costs.fixed_eur))),
        ("planner.transaction_cost_percent", Value::Number(rules.costs.percent.to_f64())),
        ("planner.min_hold_days", Value::Whole(rules.sell.min_hold_days.into())),
        ("planner.sell_cooldown_days", Value::Whole(rules.sell.sell_cooldown_days.into())),
        ("planner.max_loss_threshold", Value::Number(-rules.sell.loss_max.to_f64())),
        (
            "opportunity_calculators.opportunity_buys.min_quality_score",
            Value::Number(parameters.opportunity_quality),
        ),
        ("opportunity_calculators.dividend_reinvestment.min_yield", Value::Number(parameters.dividend_yield)),
        (
            "opportunity_calculators.weight_based.min_gap_threshold",
            Value::Number(parameters.min_gap.to_f64()),
        ),
    ];
    let mut full = configuration.clone();
    held.into_iter().for_each(|(path, value)| full.set(path, value));
    full.full_text()
}

fn terms(rules: &Rules, name: &str, configuration: &Configuration) -> Terms {
    let mut terms = Terms::of(rules);
    terms.name = name.to_string();
    terms.hash = configuration.hash();
    terms.profile = RiskProfile::named(configuration.word("planner.risk_profile")).unwrap_or_default();
    terms
}

fn parameters(base: &Parameters, configuration: &Configuration) -> Parameters {
    let finder = |name: &str| Switch {
        enabled: configuration.flag(&format!("opportunity_calculators.{name}.enabled")),
        weight: configuration.number(&format!("opportunity_calculators.{name}.priority_weight")),
    };
    let of = |name: &str| configuration.number(&format!("opportunity_calculators.{name}"));
    let given = |name: &str| configuration.given_number(&format!("opportunity_calculators.{name}"));
    let pattern = |pattern: Pattern| {
        let section = format!("pattern_generators.{}", pattern.name());
        let enabled = configuration.flag(&format!("{section}.enabled"));
        enabled.then(|| (pattern, configuration.whole(&format!("{section}.max_depth"))))
    };
    Parameters {
        weight_based: finder("weight_based"),
        min_gap: given("weight_based.min_gap_threshold").and_then(share).unwrap_or(base.min_gap),
        profit_taking: finder("profit_taking"),
        windfall_from: of("profit_taking.windfall_threshold"),
        rebalance_sells: finder("rebalance_sells"),
        overweight: of("rebalance_sells.overweight_threshold"),
        overweight_part: base.overweight_part,
        rebalance_buys: finder("rebalance_buys"),
        underweight: of("rebalance_buys.underweight_threshold"),
        opportunity_buys: finder("opportunity_buys"),
        opportunity_quality: given("opportunity_buys.min_quality_score").unwrap_or(base.opportunity_quality),
        averaging_down: finder("averaging_down"),
        max_dip: of("averaging_down.max_dip"),
        min_dip: of("averaging_down.min_dip"),
        averaging_quality: of("averaging_down.min_quality_score"),
        dividend_reinvestment: finder("dividend_reinvestment"),
        dividend_yield: given("dividend_reinvestment.min_yield").unwrap_or(base.dividend_yield),
        allow_buy: configuration.flag("planner.allow_buy"),
        allow_sell: configuration.flag("planner.allow_sell"),
        priority_threshold: configuration.number("planner.priority_threshold"),
        per_category: configuration.whole("planner.max_opportunities_per_category"),
        diverse: configuration.flag("planner.enable_diverse_selection"),
        diversity_weight: configuration.number("planner.diversity_weight").clamp(0.0, 1.0),
        max_pool: configuration.given_whole("planner.max_pool").unwrap_or(base.max_pool),
        max_depth: configuration.given_whole("planner.max_depth").unwrap_or(base.max_depth),
        subsets: configuration.flag("sequence_generators.subsets.enabled"),
        patterns: Pattern::ALL.into_iter().filter_map(pattern).collect(),
        combinations: combinations(configuration),
        correlation_max: configuration
            .flag("filters.correlation_aware.enabled")
            .then(|| configuration.number("filters.correlation_aware.correlation_threshold")),
    }
}

fn combinations(configuration: &Configuration) -> Option<Combinations> {
    let whole =
        |name: &str| configuration.whole(&format!("sequence_generators.enhanced_combinatorial.{name}"));
    configuration.flag("sequence_generators.enhanced_combinatorial.enabled").then(|| Combinations {
        sells: whole("max_sells"),
        buys: whole("max_buys"),
        steps: whole("max_steps"),
        sequences: whole("max_combinations"),
        candidates: whole("max_candidates"),
        priority: configuration.number("sequence_generators.enhanced_combinatorial.priority_threshold"),
    })
}

/// Takes what is stricter than the fund's own rule, which is always the larger number, and remembers what is looser.
struct Strict<'a> {
    configuration: &'a Configuration,
    looser: Vec<Problem>,
}

impl Strict<'_> {
    fn number(&mut self, path: &'static str, base: f64) -> Option<f64> {
        let found = match self.configuration.given(path)? {
            Value::Number(number) => *number,
            Value::Whole(whole) => f64::from(i32::try_from(*whole).ok()?),
            _ => return None,
        };
        if found >= base {
            return Some(found);
        }
        self.looser.push(Problem {
            severity: Severity::Warning,
            code: "no_effect",
            line: None,
            key: path.to_string(),
            text: format!("{path} = {found} is looser than the fund's own {base} and has no effect"),
        });
        None
    }
}

#[allow(clippy::as_conversions, clippy::cast_precision_loss)] // Costs of one trade have few digits.
fn eur_of(amount: Money) -> f64 {
    amount.e4() as f64 / 10_000.0
}

#[allow(clippy::as_conversions, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 to 3 650 days.
fn f64_to_u32(days: f64) -> u32 {
    days.clamp(0.0, 3_650.0) as u32
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use money::{Currency, Weight};

    use super::{super::read::read, *};
    use crate::Settings;

    fn under(text: &str) -> (Rules, Terms, Vec<Problem>) {
        let read = read(text);
        assert!(read.errors().is_empty(), "{:?}", read.problems);
        effect(&Settings::default().rules().unwrap(), "own", &read.configuration)
    }

    #[test]
    fn a_configuration_that_names_nothing_changes_nothing() {
        let base = Settings::default().rules().unwrap();
        let (rules, terms, looser) = under("");
        assert_eq!(rules.parameters, base.parameters);
        assert_eq!(rules.min_trade, base.min_trade);
        assert_eq!(terms.costs, Terms::of(&base).costs);
        assert!(looser.is_empty());
    }

    #[test]
    fn the_planner_follows_the_settings_where_the_configuration_is_silent() {
        let settings = Settings { max_pool: 7, max_depth: 2, min_gap_bps: 300, ..Settings::default() };
        let base = settings.rules().unwrap();
        let (rules, ..) = effect(&base, "own", &read("[planner]\nmax_depth = 4").configuration);
        assert_eq!((rules.parameters.max_pool, rules.parameters.max_depth), (7, 4));
        assert_eq!(rules.parameters.min_gap, base.parameters.min_gap);
    }

    #[test]
    fn stricter_values_count_and_looser_ones_are_told() {
        let (rules, _, looser) = under(
            "[planner]\nmin_hold_days = 120\nsell_cooldown_days = 240\nmax_loss_threshold = -0.15\ntransaction_cost_fixed = 4\n",
        );
        assert_eq!((rules.sell.min_hold_days, rules.sell.sell_cooldown_days), (120, 240));
        assert_eq!(rules.sell.loss_max, Weight::from_e6(150_000).unwrap());
        assert_eq!(rules.min_trade, Money::from_units(500, Currency::EUR).unwrap());
        assert!(looser.is_empty());
        let (rules, _, looser) = under(
            "[planner]\nmin_hold_days = 60\nsell_cooldown_days = 120\nmax_loss_threshold = -0.25\ntransaction_cost_fixed = 1\ntransaction_cost_percent = 0.001\n",
        );
        let base = Settings::default().rules().unwrap();
        assert_eq!(rules.sell, base.sell);
        assert_eq!(rules.min_trade, base.min_trade);
        assert_eq!(looser.len(), 5);
        assert!(looser.iter().all(|one| one.code == "no_effect"));
    }

    #[test]
    fn what_is_shown_as_in_force_is_what_the_planner_goes_by() {
        let settings = Settings {
            max_pool: 7,
            max_depth: 2,
            min_gap_bps: 300,
            opportunity_quality: 0.8,
            min_improvement: 0.004,
            base_trade_amount_eur: 700,
            transaction_cost_fixed_cents: 300,
            min_hold_days: 100,
            max_loss_bps: 1_500,
            ..Settings::default()
        };
        let base = settings.rules().unwrap();
        let text = "[planner]\nmax_depth = 4\nmin_hold_days = 90\nsell_cooldown_days = 200\ncost_penalty_factor = 0.5";
        let configuration = read(text).configuration;
        let shown = in_force(&base, &configuration);
        for line in [
            "max_depth = 4",
            "max_pool = 7",
            "min_improvement = 0.004",
            "cost_penalty_factor = 1.0",
            "base_trade_amount_eur = 700.0",
            "transaction_cost_fixed = 3.0",
            "min_hold_days = 100",
            "sell_cooldown_days = 200",
            "max_loss_threshold = -0.15",
            "min_gap_threshold = 0.03",
            "min_quality_score = 0.8",
        ] {
            assert!(shown.lines().any(|found| found == line), "{line} is missing in\n{shown}");
        }
        let (rules, terms, _) = effect(&base, "own", &configuration);
        let (again, again_terms, _) = effect(&base, "own", &read(&shown).configuration);
        assert_eq!((again.parameters, again.costs, again.sell), (rules.parameters, rules.costs, rules.sell));
        assert_eq!((again.base_trade, again_terms.costs), (rules.base_trade, terms.costs));
    }

    #[test]
    fn spread_and_slippage_are_never_less_than_their_defaults() {
        for (spread, slippage, e6, told) in [
            (0.0, 0.0, 2_500, 2),
            (0.0009, 0.0016, 2_600, 1),
            (0.001, 0.0015, 2_500, 0),
            (0.002, 0.0015, 3_500, 0),
        ] {
            let text = format!("[planner]\nspread_percent = {spread}\nslippage_percent = {slippage}");
            let (_, terms, looser) = under(&text);
            assert_eq!((terms.costs.impact_e6.e6(), looser.len()), (e6, told), "{spread} {slippage}");
            let base = Settings::default().rules().unwrap();
            let shown = in_force(&base, &read(&text).configuration);
            let (_, again, _) = effect(&base, "own", &read(&shown).configuration);
            assert_eq!(again.costs, terms.costs, "what is shown is what counts");
        }
    }

    #[test]
    fn costs_never_count_less_than_once() {
        for (given, expected) in [("0.1", 1.0), ("1", 1.0), ("1.5", 1.5)] {
            let (_, terms, _) = under(&format!("[planner]\ncost_penalty_factor = {given}"));
            assert!((terms.costs.factor.get() - expected).abs() < 1e-12, "{given}");
        }
    }

    #[test]
    fn every_module_can_be_switched_off() {
        for finder in [
            "profit_taking",
            "averaging_down",
            "opportunity_buys",
            "rebalance_sells",
            "rebalance_buys",
            "weight_based",
            "dividend_reinvestment",
        ] {
            let (rules, ..) = under(&format!("[opportunity_calculators.{finder}]\nenabled = false"));
            let p = &rules.parameters;
            let on = [
                p.profit_taking,
                p.averaging_down,
                p.opportunity_buys,
                p.rebalance_sells,
                p.rebalance_buys,
                p.weight_based,
                p.dividend_reinvestment,
            ];
            assert_eq!(on.iter().filter(|switch| !switch.enabled).count(), 1, "{finder}");
        }
        for pattern in Pattern::ALL {
            let (rules, ..) = under(&format!("[pattern_generators.{}]\nenabled = false", pattern.name()));
            assert!(!rules.parameters.patterns.contains_key(&pattern));
        }
        let (rules, ..) = under("[sequence_generators.subsets]\nenabled = false");
        assert!(!rules.parameters.subsets);
    }

    #[test]
    fn the_profile_spread_and_name_reach_the_terms() {
        let (_, terms, _) = under(
            "[planner]\nrisk_profile = \"aggressive\"\nspread_percent = 0.002\nslippage_percent = 0.003",
        );
        assert_eq!(terms.profile, RiskProfile::Aggressive);
        assert_eq!(terms.costs.impact_e6, Weight::from_e6(5_000).unwrap());
        assert_eq!((terms.name.as_str(), terms.hash.len()), ("own", 16));
    }
}
