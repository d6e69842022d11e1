//! The reasons for which an order does not pass, in order of precedence, and what follows.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What the gate decides about an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Send it live.
    Allow,
    /// All checks passed, but the mode is not live: paper ledger.
    Simulate,
    /// It could pass later without a new plan.
    Defer,
    /// The step is wrong now.
    Block,
}

/// The check that failed first. The order of the variants is the order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// 1: symbol, side, quantity or price makes no sense.
    InvalidOrder,
    /// 2: the security is not in the universe.
    UnknownSecurity,
    /// 3: the quantity is not a whole number of lots.
    LotSize,
    /// 3b: the limit does not lie on the tick, or the tick is unknown.
    TickSize,
    /// 4: the owner does not allow this side.
    SideNotAllowed,
    /// 5: the snapshot of the account is too old or of unknown age.
    StaleState,
    /// 6: the price is too old or of unknown age.
    StalePrice,
    /// 7: the breaker forbids it.
    CircuitBreaker,
    /// 8a: the last order is too recent.
    MinGap,
    /// 8b: enough orders today.
    DailyLimit,
    /// 8c: enough orders in seven days.
    WeeklyLimit,
    /// 9: the venue is closed.
    MarketClosed,
    /// 10: an order of the security is open, or that cannot be excluded.
    PendingOrder,
    /// 11: an order of the security was sent a moment ago.
    DuplicateWindow,
    /// 12: bought too recently to buy again.
    BuyCooldown,
    /// 13: traded too recently to sell.
    MinHold,
    /// 14: sold too recently to sell again.
    SellCooldown,
    /// 15: nothing is held.
    NoPosition,
    /// 16: more than is held.
    ExceedsPosition,
    /// 17: what was paid is unknown.
    CostBasisUnknown,
    /// 18: the loss would be too large.
    MaxLoss,
    /// 19: too large a part of the holding.
    MaxSell,
    /// 20: no rate for the currency.
    NoFxRate,
    /// 21: too large a part of the fund would be in one security.
    Concentration,
    /// 22: the currency is overdrawn.
    NegativeBalance,
    /// 23: the cash does not suffice.
    InsufficientCash,
    /// 23: the cash suffices after an exchange of currencies.
    NeedsFx,
    /// Exchanges only: the currency to give does not suffice.
    InsufficientSource,
}

impl Code {
    /// Gives the decision that follows from the code.
    #[must_use]
    pub const fn decision(self) -> Decision {
        match self {
            Self::StaleState
            | Self::StalePrice
            | Self::CircuitBreaker
            | Self::MinGap
            | Self::DailyLimit
            | Self::WeeklyLimit
            | Self::MarketClosed
            | Self::PendingOrder
            | Self::DuplicateWindow
            | Self::NoFxRate
            | Self::NeedsFx => Decision::Defer,
            Self::InvalidOrder
            | Self::UnknownSecurity
            | Self::LotSize
            | Self::TickSize
            | Self::SideNotAllowed
            | Self::BuyCooldown
            | Self::MinHold
            | Self::SellCooldown
            | Self::NoPosition
            | Self::ExceedsPosition
            | Self::CostBasisUnknown
            | Self::MaxLoss
            | Self::MaxSell
            | Self::Concentration
            | Self::NegativeBalance
            | Self::InsufficientCash
            | Self::InsufficientSource => Decision::Block,
        }
    }

    /// Gives the name that appears in messages and in the interface.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidOrder => "invalid_order",
            Self::UnknownSecurity => "unknown_security",
            Self::LotSize => "lot_size",
            Self::TickSize => "tick_size",
            Self::SideNotAllowed => "side_not_allowed",
            Self::StaleState => "stale_state",
            Self::StalePrice => "stale_price",
            Self::CircuitBreaker => "circuit_breaker",
            Self::MinGap => "min_gap",
            Self::DailyLimit => "daily_limit",
            Self::WeeklyLimit => "weekly_limit",
            Self::MarketClosed => "market_closed",
            Self::PendingOrder => "pending_order",
            Self::DuplicateWindow => "duplicate_window",
            Self::BuyCooldown => "buy_cooldown",
            Self::MinHold => "min_hold",
            Self::SellCooldown => "sell_cooldown",
            Self::NoPosition => "no_position",
            Self::ExceedsPosition => "exceeds_position",
            Self::CostBasisUnknown => "cost_basis_unknown",
            Self::MaxLoss => "max_loss",
            Self::MaxSell => "max_sell",
            Self::NoFxRate => "no_fx_rate",
            Self::Concentration => "concentration",
            Self::NegativeBalance => "negative_balance",
            Self::InsufficientCash => "insufficient_cash",
            Self::NeedsFx => "needs_fx",
            Self::InsufficientSource => "insufficient_source",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
