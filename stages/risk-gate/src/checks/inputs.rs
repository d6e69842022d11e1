//! What the gate judges: the order, the security, the state of the fund, and the limits.
//!
//! A missing "since" means known never; a missing age, value or rate means unknown, and unknown does
//! not pass. Durations are whole seconds or whole days, rounded down.

use std::collections::BTreeMap;

use contracts::{Breaker, Mode, OrderKind, Side};
use money::{Currency, Money, Price, Quantity, Rate, Weight};

/// One intended order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateOrder {
    /// What is traded; empty is refused.
    pub symbol: String,
    /// Buy or sell; `None` for any other text.
    pub side: Option<Side>,
    /// How many pieces.
    pub quantity: Quantity,
    /// The limit, in the currency; `None` for one that is not a price.
    pub price: Option<Price>,
    /// The currency of the limit.
    pub currency: Currency,
    /// Which checks apply.
    pub kind: OrderKind,
}

/// What is known of the security.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateSecurity {
    /// Whether it is in the universe.
    pub known: bool,
    /// Whether the owner, and the bucket's status, allow buying.
    pub allow_buy: bool,
    /// Whether the owner, and the bucket's status, allow selling.
    pub allow_sell: bool,
    /// Pieces in a lot; less than one counts as one.
    pub min_lot: Quantity,
    /// Smallest step of its price; `None` = unknown, on which no limit lies.
    pub tick: Option<Price>,
    /// Whether the venue refuses orders while it is closed.
    pub strict_hours: bool,
    /// Whether the venue is open, with a margin at the edges.
    pub market_open: bool,
}

/// The state of the fund as far as it matters for the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateState {
    /// Whether orders are live; `None` = unset, which is not live.
    pub mode: Option<Mode>,
    /// Age of the snapshot; `None` = unknown.
    pub snapshot_age_s: Option<u64>,
    /// Age of the price; `None` = unknown.
    pub price_age_s: Option<u64>,
    /// The daily-loss breaker; `Halted` while any halt is open.
    pub breaker: Breaker,
    /// Since the last live order of any security; `None` = never.
    pub since_last_trade_s: Option<u64>,
    /// Orders sent today.
    pub trades_today: u32,
    /// Orders sent in 7 × 24 hours.
    pub trades_week: u32,
    /// Whether an order of the security is open; `None` = unknown, which counts as open.
    pub pending_order: Option<bool>,
    /// Since the last submission for the security; `None` = never.
    pub since_submission_s: Option<u64>,
    /// Since the last sale of the security was sent; `None` = never.
    pub since_last_sell_s: Option<u64>,
    /// Whole days since the security was bought; `None` = never.
    pub days_since_last_buy: Option<u32>,
    /// Whole days since it was bought or sold; `None` = never.
    pub days_since_last_transaction: Option<u32>,
    /// Whole days since it was sold; `None` = never.
    pub days_since_last_sell: Option<u32>,
    /// Pieces held.
    pub position_quantity: Quantity,
    /// Average price paid; `None` = unknown.
    pub avg_price: Option<Price>,
    /// Worth of the holding in EUR; `None` = unknown.
    pub position_value_eur: Option<Money>,
    /// Worth of the fund in EUR with cash; `None` = unknown.
    pub portfolio_value_eur: Option<Money>,
    /// Spendable cash per currency, negative kept; absent = none.
    pub balances: BTreeMap<Currency, Money>,
    /// Cash reserved by open buys per currency; absent = none.
    pub pending_buy_value: BTreeMap<Currency, Money>,
    /// The bucket whose cash is the smaller one, per currency; absent = the broker's.
    pub limiting_bucket: BTreeMap<Currency, String>,
    /// EUR per unit of each currency, EUR included.
    pub eur_per_unit: BTreeMap<Currency, Rate>,
}

/// The limits in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateSettings {
    /// Largest age of the snapshot, seconds.
    pub max_snapshot_age_s: u64,
    /// Largest age of the price, seconds.
    pub max_price_age_s: u64,
    /// Minutes between two orders.
    pub min_gap_min: u32,
    /// Orders per day.
    pub max_per_day: u32,
    /// Orders per week.
    pub max_per_week: u32,
    /// Days between two buys of a security.
    pub buy_cooldown_days: u32,
    /// Days to hold: the bucket's own, 0 for a stop-loss sale.
    pub min_hold_days: u32,
    /// Days between two sales of a security.
    pub sell_cooldown_days: u32,
    /// Largest tolerated loss as a share of what was paid.
    pub max_loss: Weight,
    /// Largest part of a holding in one sale.
    pub max_sell: Weight,
    /// Largest part of the fund in one security.
    pub max_position: Weight,
    /// Fixed fee per trade, EUR.
    pub fixed_eur: Money,
    /// Fee in proportion to the value.
    pub percent: Weight,
    /// Cash of each currency that is not spent, EUR.
    pub reserve_eur: Money,
    /// Minutes between two submissions for a security.
    pub duplicate_window_min: u32,
    /// Minutes between two sales of a security.
    pub sell_window_min: u32,
    /// Whether buys may wait at the broker of a closed venue.
    pub allow_offhours_buys: bool,
    /// Margin on the required cash.
    pub cost_margin: Weight,
    /// Margin on an exchange of currencies.
    pub fx_buffer: Weight,
}

impl Default for GateSettings {
    /// Gives the limits of the specification.
    fn default() -> Self {
        let share = |e6| Weight::from_e6(e6).expect("the default shares lie from 0 to 1");
        Self {
            max_snapshot_age_s: 300,
            max_price_age_s: 1800,
            min_gap_min: 60,
            max_per_day: 4,
            max_per_week: 10,
            buy_cooldown_days: 30,
            min_hold_days: 90,
            sell_cooldown_days: 180,
            max_loss: share(200_000),
            max_sell: share(500_000),
            max_position: share(150_000),
            fixed_eur: Money::from_e4(20_000, Currency::EUR),
            percent: share(2_000),
            reserve_eur: Money::from_e4(50_000, Currency::EUR),
            duplicate_window_min: 5,
            sell_window_min: 120,
            allow_offhours_buys: false,
            cost_margin: share(10_000),
            fx_buffer: share(20_000),
        }
    }
}
