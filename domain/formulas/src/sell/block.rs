//! Blocks: what forbids selling for now.
//!
//! Rule, first that applies: the owner does not allow it; a loss beyond the limit; held too short since the last
//! transaction; sold too recently. Whole days. An unknown date blocks, unless the owner marked the holding as older
//! than the books; the reference let it pass.

/// Why nothing may be sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block {
    /// The owner does not allow selling.
    SideNotAllowed,
    /// The loss is beyond the limit.
    MaxLoss,
    /// The last transaction is unknown.
    UnknownDate,
    /// The last transaction is too recent.
    MinHold,
    /// The last sale is too recent.
    SellCooldown,
}

impl Block {
    /// The name in statements.
    pub fn name(self) -> &'static str {
        match self {
            Block::SideNotAllowed => "side_not_allowed",
            Block::MaxLoss => "max_loss",
            Block::UnknownDate => "unknown_date",
            Block::MinHold => "min_hold",
            Block::SellCooldown => "sell_cooldown",
        }
    }
}

/// Limits of selling.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Loss from which a rule does not sell, below 0.
    pub max_loss: f64,
    /// Days since the last transaction.
    pub min_hold_days: i64,
    /// Days since the last sale.
    pub cooldown_days: i64,
}

/// What is known of a holding.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Holding {
    /// The owner allows it.
    pub allow_sell: bool,
    /// Gain since purchase.
    pub profit: f64,
    /// Whole days since the last transaction.
    pub days_since_transaction: Option<i64>,
    /// Whole days since the last sale; none means never.
    pub days_since_sale: Option<i64>,
    /// Older than the books, so dates are not missing but unknowable.
    pub predates_ledger: bool,
}

/// Finds what blocks selling.
///
/// # Examples
/// ```
/// use formulas::sell::block::{Block, Holding, Limits, find};
/// let limits = Limits { max_loss: -0.2, min_hold_days: 90, cooldown_days: 180 };
/// let free = Holding {
///     allow_sell: true,
///     profit: -0.2,
///     days_since_transaction: Some(90),
///     days_since_sale: Some(180),
///     predates_ledger: false,
/// };
/// assert_eq!(find(&free, &limits), None);
/// assert_eq!(find(&Holding { allow_sell: false, ..free }, &limits), Some(Block::SideNotAllowed));
/// assert_eq!(find(&Holding { profit: -0.201, ..free }, &limits), Some(Block::MaxLoss));
/// assert_eq!(find(&Holding { days_since_transaction: Some(89), ..free }, &limits), Some(Block::MinHold));
/// assert_eq!(find(&Holding { days_since_sale: Some(179), ..free }, &limits), Some(Block::SellCooldown));
/// let unknown = Holding { days_since_transaction: None, ..free };
/// assert_eq!(find(&unknown, &limits), Some(Block::UnknownDate));
/// assert_eq!(find(&Holding { predates_ledger: true, ..unknown }, &limits), None);
/// ```
pub fn find(holding: &Holding, limits: &Limits) -> Option<Block> {
    let since = |days: Option<i64>, least: i64| days.is_some_and(|days| days < least);
    if !holding.allow_sell {
        Some(Block::SideNotAllowed)
    } else if holding.profit.is_nan() || holding.profit < limits.max_loss {
        Some(Block::MaxLoss)
    } else if holding.days_since_transaction.is_none() && !holding.predates_ledger {
        Some(Block::UnknownDate)
    } else if since(holding.days_since_transaction, limits.min_hold_days) {
        Some(Block::MinHold)
    } else if since(holding.days_since_sale, limits.cooldown_days) {
        Some(Block::SellCooldown)
    } else {
        None
    }
}
