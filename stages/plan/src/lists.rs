//! The candidates as patterns and generators see them: five lists, each best first.

use limits::{Fine, Side};

/// What kind of trade a candidate is; caps and patterns go by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// A gain beyond expectation.
    ProfitTaking,
    /// More of what fell.
    AveragingDown,
    /// Less of what is too much.
    RebalanceSells,
    /// More of what is too little.
    RebalanceBuys,
    /// Something good.
    OpportunityBuys,
}

impl Category {
    /// In the order of the flat list.
    pub const ALL: [Category; 5] = [
        Category::ProfitTaking,
        Category::AveragingDown,
        Category::RebalanceSells,
        Category::RebalanceBuys,
        Category::OpportunityBuys,
    ];

    /// Its name in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Category::ProfitTaking => "profit_taking",
            Category::AveragingDown => "averaging_down",
            Category::RebalanceSells => "rebalance_sells",
            Category::RebalanceBuys => "rebalance_buys",
            Category::OpportunityBuys => "opportunity_buys",
        }
    }
}

/// One candidate, as little of it as sequences need.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Item {
    /// Which candidate.
    pub id: u16,
    /// Which security, as a number.
    pub security: u16,
    /// Buy or sell.
    pub side: Side,
    /// Worth in EUR.
    pub value: Fine,
    /// Higher first.
    pub priority: f64,
}

/// The candidates of each category, best first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lists {
    lists: [Vec<Item>; 5],
}

impl Lists {
    /// Takes the lists in the order of [`Category::ALL`].
    #[must_use]
    pub fn new(lists: [Vec<Item>; 5]) -> Lists {
        Lists { lists }
    }

    /// One list.
    #[must_use]
    pub fn of(&self, category: Category) -> &[Item] {
        &self.lists[match category {
            Category::ProfitTaking => 0,
            Category::AveragingDown => 1,
            Category::RebalanceSells => 2,
            Category::RebalanceBuys => 3,
            Category::OpportunityBuys => 4,
        }]
    }

    /// Several lists, one after the other.
    #[must_use]
    pub fn join(&self, categories: &[Category]) -> Vec<Item> {
        categories.iter().flat_map(|category| self.of(*category)).copied().collect()
    }

    /// All lists, one after the other.
    #[must_use]
    pub fn flat(&self) -> Vec<Item> {
        self.lists.concat()
    }
}

/// Highest priority first; what is equal keeps its order.
#[must_use]
pub fn by_priority(mut items: Vec<Item>) -> Vec<Item> {
    items.sort_by(|one, other| other.priority.total_cmp(&one.priority));
    items
}

/// Whether no security occurs twice.
#[must_use]
pub fn is_free_of_repeats(sequence: &[Item]) -> bool {
    let repeats =
        |(at, item): (usize, &Item)| sequence[..at].iter().any(|known| known.security == item.security);
    !sequence.iter().enumerate().any(repeats)
}
