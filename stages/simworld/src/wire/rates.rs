//! `getCrossRatesForDate`: reference rates, fixed at 14:15 Frankfurt time on working days.

use super::dispatch::{Answer, Failure};
use super::json::{Json, field, object};
use super::params::Params;
use super::profile::Style;
use crate::core::dates::{day_at, parse_iso};
use crate::core::fixed::E6;
use crate::core::market::fx::CURRENCIES;
use crate::core::world::World;

impl World {
    /// Writes units of each currency per unit of the base; unknown currencies are left out.
    pub(super) fn cross_rates(&mut self, params: &Params, style: &Style) -> Answer {
        let base = params.text("base_currency").unwrap_or("").to_owned();
        let day = match params.text("date") {
            Some(text) => parse_iso(text).ok_or_else(|| Failure::command(5, "date is wrong"))?,
            None => day_at(self.now),
        };
        let at = self.fixing(day).ok_or_else(|| Failure::command(0, "No rates for this date"))?;
        if base != "EUR" && !CURRENCIES.contains(&base.as_str()) {
            return Err(Failure::command(0, "Currency is unknown"));
        }
        let rate = |currency: &String| {
            // A price of base in currency: units of that currency for one unit of base.
            let units = self.market.rates.cross(&base, currency, at)? * E6 as f64;
            Some(field(currency, style.number(currency, libm::rint(units) as i64, 6)))
        };
        Ok(object([("rates", Json::Object(params.list("currencies").iter().filter_map(rate).collect()))]))
    }
}
