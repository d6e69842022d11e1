//! The fit of a security as the reference computed it: targets stand where the gap belongs.

use formulas::fit::{BONUS_MAX_REFERENCE, Held, averaging, place};
use formulas::rounding::round_to;
use serde_json::Value;

/// Score, country, industry and averaging with three decimals.
pub fn fit(input: &Value, quality: f64, opportunity: f64) -> [f64; 4] {
    let context = &input["portfolio_context"];
    let Some(country) = input["country"].as_str().filter(|_| context.is_object()) else { return [0.5; 4] };
    let weight = |kind: &str, member: &str| {
        let group = context[format!("{kind}_to_group")][member].as_str().unwrap_or("OTHER");
        context[format!("{kind}_weights")][group].as_f64().unwrap_or(0.0)
    };
    let country = place(weight("country", country)).unwrap();
    let listed = input["industry"].as_str().unwrap_or("").split(',').map(str::trim);
    let industries: Vec<f64> =
        listed.filter(|name| !name.is_empty()).map(|name| place(weight("industry", name)).unwrap()).collect();
    let industry =
        if industries.is_empty() { 0.5 } else { industries.iter().sum::<f64>() / industries.len() as f64 };
    let symbol = input["symbol"].as_str().unwrap();
    let number = |map: &str| context[map][symbol].as_f64();
    let total = context["total_value"].as_f64().unwrap();
    let held = number("positions").filter(|value| *value > 0.0).map(|value| {
        let prices = number("position_avg_prices").zip(number("current_prices"));
        Held {
            quality,
            opportunity,
            loss: prices.filter(|(cost, _)| *cost > 0.0).map(|(cost, price)| (cost - price) / cost),
            share: (total > 0.0).then_some(value / total),
        }
    });
    let averaging = averaging(held, BONUS_MAX_REFERENCE).unwrap();
    [formulas::fit::fit(country, industry, averaging).unwrap(), country, industry, averaging]
        .map(|score| round_to(score, 3))
}
