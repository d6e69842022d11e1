//! What is said of a holding: how much speaks for selling it, windfall, and how well more of it would fit.

use contracts::{Finite, GroupKind, Position, Security, SellScore, Windfall};
use formulas::{
    fit::{self, BONUS_MAX, Held},
    lots,
    sell::{
        self, Parts, balance,
        block::{Holding, Limits, find},
        drawdown, instability, time_held, underperformance,
    },
    windfall::{ProfitTaking, believable_growth, excess, is_armed, score as windfall_score, take_profits},
};
use market::{Day, Timestamp};

pub use crate::shares::Shares;
use crate::{facts::Facts, merit::Merit, rolling::Measures, settings::Settings};

const DAY_MS: i64 = 86_400_000;
const YEAR_DAYS: f64 = 365.0;
/// Fills that miss what is held by less than this share of it explain it.
const SAME_SHARE: f64 = 1e-6;
/// Shortest time over which a gain is compared with growth.
const YEARS_MIN: f64 = 0.1;

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Looked<'a> {
    /// The security.
    pub security: &'a Security,
    /// Its figures.
    pub measures: &'a Measures,
    /// Its judgement.
    pub merit: &'a Merit,
    /// The fund.
    pub shares: &'a Shares,
    /// Limits.
    pub settings: &'a Settings,
    /// What the fund did with it.
    pub past: Option<&'a Past>,
    /// When.
    pub now: Timestamp,
}

/// A holding as its fills tell it, where they explain all of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Past {
    holding: lots::Holding,
    /// Dividends since it was opened; unknown where one was paid in another currency.
    received: Option<f64>,
}

impl Past {
    /// Reads the fills; `None` when they do not add up to what is held, as for a holding older than the books.
    #[must_use]
    pub fn new(facts: &Facts, position: &Position) -> Option<Past> {
        let holding = lots::holding(&facts.fills)?;
        let held = position.qty_e6.to_f64();
        if (holding.quantity - held).abs() > SAME_SHARE * held.abs() {
            return None;
        }
        let since = |day: &Day| Timestamp::ZERO.day_utc().days_until(*day) >= holding.opened;
        let received = facts
            .received
            .as_ref()
            .map(|all| all.iter().filter(|(day, _)| since(day)).map(|(_, amount)| amount).sum::<f64>());
        Some(Past { holding, received })
    }
}

impl Looked<'_> {
    fn days_since(&self, then: Option<Timestamp>) -> Option<i64> {
        then.map(|then| self.now.since(then).div_euclid(DAY_MS))
    }

    /// Whole days the holding is old: the mean of what is left of it, or since it was opened where its past is not known.
    #[allow(clippy::cast_possible_truncation)]
    fn days_held(&self, position: &Position) -> Option<i64> {
        let today = Timestamp::ZERO.day_utc().days_until(self.now.day_utc());
        match self.past {
            Some(past) => Some(past.holding.days(today).floor() as i64),
            None => self.days_since(position.opened),
        }
    }

    fn profit(&self, position: &Position) -> Option<f64> {
        let cost = position.avg_price_e6?.to_f64();
        let price = self.measures.price?;
        (cost > 0.0).then(|| underperformance::profit(price, cost))
    }

    fn share(&self, position: &Position) -> Option<f64> {
        Some(position.value_eur?.to_f64() / self.shares.nav()?)
    }

    /// Gain a year and age in days, for the tags.
    #[must_use]
    // Days are small numbers.
    #[allow(clippy::cast_precision_loss)]
    pub fn annualised(&self, position: &Position) -> Option<(f64, i64)> {
        let (cost, price) = (position.avg_price_e6?.to_f64(), self.measures.price?);
        let days = self.days_held(position)?;
        let rate = underperformance::annualised(price, cost, days as f64);
        rate.is_finite().then_some((rate, days))
    }

    /// How much speaks for selling it.
    #[must_use]
    // Days are small numbers.
    #[allow(clippy::cast_precision_loss)]
    pub fn sell(&self, position: &Position) -> SellScore {
        let limits = Limits {
            max_loss: self.settings.max_loss_threshold,
            min_hold_days: self.settings.min_hold_days,
            cooldown_days: self.settings.sell_cooldown_days,
        };
        let days = self.days_held(position);
        let profit = self.profit(position);
        let last = position.last_buy.max(position.last_sell).or(position.opened);
        let blocked = match profit {
            None => Some("unknown_cost"),
            Some(profit) => find(
                &Holding {
                    allow_sell: self.security.allow_sell,
                    profit,
                    days_since_transaction: self.days_since(last),
                    days_since_sale: self.days_since(position.last_sell),
                    predates_ledger: false,
                },
                &limits,
            )
            .map(|block| block.name()),
        };
        let (price, cost) = (self.measures.price, position.avg_price_e6.map(|cost| cost.to_f64()));
        let (fall, bars) = self.measures.fall;
        let held = |kind| self.shares.held(self.security, kind).into_iter().map(|(share, _)| share);
        let industries: Vec<f64> = held(GroupKind::Industry).collect();
        let parts = Parts {
            underperformance: price.zip(cost).zip(days).map_or(0.5, |((price, cost), days)| {
                underperformance::score(price, cost, days as f64, limits.max_loss)
            }),
            time_held: time_held::score(days, limits.min_hold_days),
            balance: balance::score(
                held(GroupKind::Country).fold(0.0, f64::max),
                &industries,
                self.share(position),
            ),
            instability: instability::score(
                profit.unwrap_or(0.0),
                days.unwrap_or(time_held::UNKNOWN_DAYS),
                self.measures.technical,
            ),
            drawdown: drawdown::score(fall, bars),
        };
        let passes = self.merit.passes_gate;
        // Nothing speaks for a sale that is forbidden, and no part of it does either.
        let score = if blocked.is_some() { 0.0 } else { sell::score(&parts, passes) };
        let part = |value: f64| if blocked.is_some() { 0.0 } else { value };
        let named = [
            ("underperformance", parts.underperformance),
            ("time_held", parts.time_held),
            ("portfolio_balance", parts.balance),
            ("instability", parts.instability),
            ("drawdown", parts.drawdown),
        ];
        SellScore {
            score: Finite::new(score).unwrap_or_default(),
            parts: named
                .iter()
                .filter_map(|(name, value)| Some((name.to_string(), Finite::new(part(*value))?)))
                .collect(),
            blocked: blocked.map(str::to_string),
            review: passes == Some(false) && profit.is_some_and(|profit| profit < limits.max_loss),
            profit: profit.and_then(Finite::new),
            days_held: days,
        }
    }

    /// Gain beyond what the security's own past explains: with dividends and what sales brought, over the time since the
    /// holding was opened, where the fills are known; else that of what is left, over its age. What was taken is taken
    /// again only after a further gain or a year.
    #[must_use]
    // Days are small numbers.
    #[allow(clippy::cast_precision_loss)]
    pub fn windfall(&self, position: &Position) -> Option<Windfall> {
        let today = Timestamp::ZERO.day_utc().days_until(self.now.day_utc());
        let whole = self.past.and_then(|past| {
            let gain = past.holding.gain(self.measures.price?, past.received?)?;
            Some((gain, f64::from((today - past.holding.opened).max(0))))
        });
        let of_what_is_left = || Some((self.profit(position)?, self.days_held(position)? as f64));
        let (gain, days) = whole.or_else(of_what_is_left)?;
        let years = (days / YEAR_DAYS).max(YEARS_MIN);
        let growth = believable_growth(self.measures.growth.or(self.measures.long_growth));
        let beyond = excess(gain, years, growth)?;
        let mut taking = take_profits(gain, beyond);
        if let Some(taken) = self.past.and_then(|past| past.holding.taken)
            && taking.share > 0.0
            && !is_armed(self.profit(position)?, taken.gain, f64::from(today - taken.day) / YEAR_DAYS)
        {
            taking = ProfitTaking { share: 0.0, reason: "taken_before" };
        }
        Some(Windfall {
            score: Finite::new(windfall_score(beyond)?)?,
            excess: Finite::new(beyond)?,
            sell: Finite::new(taking.share)?,
            reason: taking.reason.into(),
        })
    }

    /// How well it fits what is held and wanted; unknown without targets or a value of the fund.
    #[must_use]
    pub fn fit(&self, position: Option<&Position>) -> Option<f64> {
        let place = |kind| self.shares.fit(self.security, kind);
        let held = position.map(|position| Held {
            quality: self.merit.quality.unwrap_or(0.5),
            opportunity: self.merit.group("opportunity").value.unwrap_or(0.5),
            loss: self.profit(position).map(|profit| -profit),
            share: self.share(position),
        });
        let bonus = if self.merit.passes_gate == Some(true) { BONUS_MAX } else { 0.0 };
        fit::fit(place(GroupKind::Country)?, place(GroupKind::Industry)?, fit::averaging(held, bonus)?)
    }
}
