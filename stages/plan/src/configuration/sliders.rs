//! What five sliders from 0 to 1 mean: the parameters of a satellite's planner, and of its trading.
//!
//! Worked example: a risk appetite of 0.5 is a priority threshold of 0.35.

/// Least appetite and least of everything, up to the most.
pub type Position = f64;

/// Parameters that the sliders give the planner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlannerParameters {
    /// Candidates below this priority are dropped.
    pub priority_threshold: f64,
    /// How much costs count.
    pub cost_penalty_factor: f64,
    /// Largest part in one position.
    pub max_position_concentration: f64,
    /// Days to hold.
    pub min_hold_days: u32,
    /// Gain from which on profits are taken.
    pub profit_taking_threshold: f64,
    /// How much buying a dip counts.
    pub dip_weight: f64,
    /// How much buying a breakout counts.
    pub breakout_weight: f64,
    /// Momentum from which on a breakout is one.
    pub momentum_threshold: f64,
    /// Candidates of one category.
    pub max_opportunities_per_category: u32,
    /// How much difference counts against priority.
    pub diversity_weight: f64,
    /// Largest position.
    pub max_position_size: f64,
    /// Excess gain from which on it is a windfall.
    pub windfall_threshold: f64,
    /// Part of a windfall that is sold.
    pub windfall_sell_pct: f64,
    /// Distance of a trailing stop.
    pub trailing_stop_distance: f64,
}

/// Parameters that the sliders give the trading of a satellite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TradingParameters {
    /// Largest position.
    pub position_size_max: f64,
    /// Loss at which a position is closed.
    pub stop_loss_pct: f64,
    /// Days a position is meant to be held.
    pub target_hold_days: u32,
    /// How long to wait for a price.
    pub patience_factor: f64,
    /// How deep a dip must be.
    pub buy_dip_threshold: f64,
    /// How strong a breakout must be.
    pub breakout_threshold: f64,
    /// Positions at once.
    pub max_positions: u32,
    /// How much they should differ.
    pub diversification_factor: f64,
    /// Gain at which a position is closed.
    pub take_profit_threshold: f64,
    /// Distance of a trailing stop.
    pub trailing_stop_distance: f64,
}

/// Five sliders.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sliders {
    /// Risk appetite.
    pub risk: Position,
    /// How long to hold.
    pub hold: Position,
    /// From buying dips to buying breakouts.
    pub entry: Position,
    /// From few positions to many.
    pub spread: Position,
    /// How readily profits are taken.
    pub profit: Position,
}

impl Sliders {
    /// All at one position.
    #[must_use]
    pub fn all(position: Position) -> Sliders {
        Sliders { risk: position, hold: position, entry: position, spread: position, profit: position }
    }

    /// Where they stand for a strategy of this name; an unknown one is balanced.
    #[must_use]
    pub fn recommended(strategy: &str) -> Sliders {
        let [risk, hold, entry, spread, profit] = match strategy {
            "conservative" => [0.2, 0.9, 0.3, 0.9, 0.4],
            "aggressive" => [0.8, 0.3, 0.7, 0.4, 0.7],
            "momentum" => [0.8, 0.2, 0.9, 0.4, 0.7],
            "dip_buyer" => [0.5, 0.7, 0.1, 0.6, 0.3],
            "value" => [0.3, 0.8, 0.2, 0.7, 0.2],
            _ => [0.5, 0.6, 0.5, 0.6, 0.5],
        };
        Sliders { risk, hold, entry, spread, profit }
    }

    /// Whether every slider stands within 0 to 1.
    #[must_use]
    pub fn are_valid(&self) -> bool {
        [self.risk, self.hold, self.entry, self.spread, self.profit]
            .iter()
            .all(|one| (0.0..=1.0).contains(one))
    }

    /// What they mean for the planner.
    #[must_use]
    pub fn planner(&self) -> PlannerParameters {
        PlannerParameters {
            priority_threshold: 0.5 - 0.3 * self.risk,
            cost_penalty_factor: 0.2 - 0.15 * self.risk,
            max_position_concentration: 0.10 + 0.10 * self.risk,
            min_hold_days: whole(30.0 + 150.0 * self.hold),
            profit_taking_threshold: 0.10 + 0.30 * self.hold,
            dip_weight: 1.0 - self.entry,
            breakout_weight: self.entry,
            momentum_threshold: 0.3 + 0.6 * self.entry,
            max_opportunities_per_category: whole(2.0 + 8.0 * self.spread),
            diversity_weight: 0.5 * self.spread,
            max_position_size: 0.20 - 0.10 * self.spread,
            windfall_threshold: 0.40 - 0.25 * self.profit,
            windfall_sell_pct: 0.20 + 0.30 * self.profit,
            trailing_stop_distance: 0.15 - 0.10 * self.profit,
        }
    }

    /// What they mean for trading.
    #[must_use]
    pub fn trading(&self) -> TradingParameters {
        TradingParameters {
            position_size_max: 0.15 + 0.25 * self.risk,
            stop_loss_pct: 0.05 + 0.15 * self.risk,
            target_hold_days: whole(1.0 + 180.0 * self.hold),
            patience_factor: self.hold,
            buy_dip_threshold: 1.0 - self.entry,
            breakout_threshold: self.entry,
            max_positions: whole(3.0 + 20.0 * self.spread),
            diversification_factor: self.spread,
            take_profit_threshold: 0.05 + 0.25 * self.profit,
            trailing_stop_distance: 0.10 * (1.0 - self.profit),
        }
    }
}

/// Toward zero; not a number is nothing.
#[allow(clippy::as_conversions, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Below a thousand.
fn whole(number: f64) -> u32 {
    number.clamp(0.0, 1_000.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sliders_are_valid_from_0_to_1() {
        for (position, expected) in
            [(-0.01, false), (0.0, true), (1.0, true), (1.01, false), (f64::NAN, false)]
        {
            assert_eq!(Sliders::all(position).are_valid(), expected, "{position}");
        }
    }

    #[test]
    fn half_way_is_half_way() {
        let sliders = Sliders::all(0.5);
        assert!((sliders.planner().priority_threshold - 0.35).abs() < 1e-12);
        assert_eq!((sliders.planner().min_hold_days, sliders.trading().max_positions), (105, 13));
    }
}
