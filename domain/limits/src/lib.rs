//! The checks that plan and risk-gate share, with the sizes, costs and exchanges they rest on.
//!
//! One file per question, each a pure function on integer types. A check answers with a
//! [`Finding`]: what was found, what is allowed, and whether it passed. The gate runs these checks
//! in its own order; plan runs them before it proposes, so that it does not propose what the gate
//! must refuse.
//!
//! | Check | Fails when |
//! |---|---|
//! | [`side_not_allowed`] | the owner's flag for the side is off |
//! | [`min_hold`] | the last transaction is too recent for a sale |
//! | [`sell_cooldown`] | the last sale is too recent for another |
//! | [`no_position`] | nothing is held |
//! | [`exceeds_position`] | more would be sold than is held |
//! | [`cost_basis_unknown`] | the average price paid is missing or zero |
//! | [`max_loss`] | the sale would realise too large a loss |
//! | [`max_sell`] | too large a part of the holding would be sold |
//!
//! | Subject | Function |
//! |---|---|
//! | costs | [`commission()`], [`min_trade_amount`], [`max_trades`], [`round_trip_cost_ratio`] |
//! | sizes | [`buy_quantity()`], [`sell_quantity()`], [`round_to_lots`] |
//! | pace | [`trade_frequency`] |
//! | loss of the day | [`daily_pnl`], [`daily_loss_tier`] |
//! | exchange | [`cross_rate`], [`fx_route`], [`fx_order`], [`fx_two_leg`] |
//! | sale as a whole | [`sell_eligibility()`] |
//!
//! Arithmetic: quantities and prices in 1/10⁶, rates in 1/10⁹, amounts in 1/10⁴, and results that are
//! not yet money in 1/10¹² ([`Fine`]). Deliberately absent: clocks, stores, settings look-ups, floats,
//! and every fallback for a missing rate, price or cost basis.
#![deny(clippy::as_conversions, clippy::float_arithmetic, clippy::arithmetic_side_effects)]

pub mod buy_quantity;
pub mod commission;
pub mod cost_basis_unknown;
pub mod daily_loss;
pub mod exceeds_position;
mod finding;
mod fine;
pub mod frequency;
pub mod fx;
pub mod max_loss;
pub mod max_sell;
pub mod min_hold;
pub mod min_trade;
pub mod no_position;
pub mod sell_cooldown;
pub mod sell_eligibility;
pub mod sell_quantity;
mod side;
pub mod side_not_allowed;

pub use buy_quantity::{BuySize, SizeError, buy_quantity};
pub use commission::{Costs, commission, commission_fine};
pub use daily_loss::{LossTier, daily_loss_tier, daily_pnl, display_pnl};
pub use finding::Finding;
pub use fine::Fine;
pub use frequency::{FrequencyCode, FrequencyCounts, FrequencyLimits, trade_frequency};
pub use fx::{FxError, FxNeed, FxOrder, FxPair, FxTwoLeg, cross_rate, fx_order, fx_route, fx_two_leg};
pub use min_trade::{max_trades, min_trade_amount, round_trip_cost_ratio};
pub use sell_eligibility::{SellCode, SellEligibility, SellQuestion, SellTerms, sell_eligibility};
pub use sell_quantity::{effective_lot, round_to_lots, sell_quantity};
pub use side::Side;
