//! Sequences with a purpose: sell what is too much and buy what is too little, take profits and reinvest, and so on.
//!
//! Below a depth the subsets of the pool contain them all; patterns reach the candidates that the pool cut away.
//! Each gives none or one sequence of at most `depth` actions; [`adaptive`] up to two. A purchase is taken while its value
//! fits into the cash that is left, sales before it included; one that does not fit is passed over.
//!
//! Adding one: a variant with its name, and its rule in [`sequences`].

pub mod adaptive;

use limits::{Fine, Side};

use crate::lists::{Category as C, Item, Lists, by_priority};
use adaptive::Needs;

/// One pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pattern {
    /// Purchases with the cash at hand.
    DirectBuy,
    /// Profits taken and reinvested.
    ProfitTaking,
    /// From too much to too little.
    Rebalance,
    /// More of what fell, paid for by one profit if need be.
    AveragingDown,
    /// The one best candidate.
    SingleBest,
    /// As many sales as fit.
    MultiSell,
    /// Half sales, half purchases.
    MixedStrategy,
    /// Opportunities before anything else.
    OpportunityFirst,
    /// Half of the places for what is too much.
    DeepRebalance,
    /// Sales for opportunities.
    CashGeneration,
    /// All sales, then purchases by priority.
    CostOptimized,
    /// Purchases for the groups that lack most.
    Adaptive,
}

impl Pattern {
    /// In the order in which they are asked.
    pub const ALL: [Pattern; 12] = [
        Pattern::DirectBuy,
        Pattern::ProfitTaking,
        Pattern::Rebalance,
        Pattern::AveragingDown,
        Pattern::SingleBest,
        Pattern::MultiSell,
        Pattern::MixedStrategy,
        Pattern::OpportunityFirst,
        Pattern::DeepRebalance,
        Pattern::CashGeneration,
        Pattern::CostOptimized,
        Pattern::Adaptive,
    ];

    /// Its name in configurations.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Pattern::DirectBuy => "direct_buy",
            Pattern::ProfitTaking => "profit_taking",
            Pattern::Rebalance => "rebalance",
            Pattern::AveragingDown => "averaging_down",
            Pattern::SingleBest => "single_best",
            Pattern::MultiSell => "multi_sell",
            Pattern::MixedStrategy => "mixed_strategy",
            Pattern::OpportunityFirst => "opportunity_first",
            Pattern::DeepRebalance => "deep_rebalance",
            Pattern::CashGeneration => "cash_generation",
            Pattern::CostOptimized => "cost_optimized",
            Pattern::Adaptive => "adaptive",
        }
    }
}

/// In which order joined lists are looked at by the two patterns that leave it open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    /// Best first, whatever its category.
    ByPriority,
    /// Category after category.
    InOrder,
}

/// What every pattern starts from.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// The candidates.
    pub lists: &'a Lists,
    /// Cash that may be spent, in EUR.
    pub cash: Fine,
    /// See [`Joined`].
    pub joined: Joined,
    /// Groups that lack something.
    pub needs: &'a Needs,
    /// Whether sales leave one place for a purchase, where there are two places and something to buy.
    pub keeps_place: bool,
}

/// The sequences of a pattern; none is empty.
#[must_use]
pub fn sequences(pattern: Pattern, ground: Ground<'_>, depth: usize) -> Vec<Vec<Item>> {
    let Ground { lists, cash, joined, needs, keeps_place } = ground;
    let sales = lists.join(&[C::ProfitTaking, C::RebalanceSells]);
    let dips_and_gaps = || {
        let list = lists.join(&[C::AveragingDown, C::RebalanceBuys]);
        if joined == Joined::ByPriority { by_priority(list) } else { list }
    };
    let buys = || lists.join(&[C::AveragingDown, C::RebalanceBuys, C::OpportunityBuys]);
    let chances_first = || lists.join(&[C::OpportunityBuys, C::AveragingDown, C::RebalanceBuys]);
    let half = (depth / 2).max(1);
    let kept = keeps_place && depth >= 2 && lists.flat().iter().any(|item| item.side == Side::Buy);
    let mut draft = Draft::new(cash, depth, usize::from(kept));
    match pattern {
        Pattern::Adaptive => return adaptive::sequences(lists, cash, needs, depth),
        Pattern::DirectBuy if cash.is_positive() => {
            draft.buy(&if joined == Joined::ByPriority { by_priority(buys()) } else { buys() });
        }
        Pattern::ProfitTaking if draft.sell(lists.of(C::ProfitTaking), depth) => draft.buy(&dips_and_gaps()),
        Pattern::Rebalance if draft.sell(lists.of(C::RebalanceSells), depth) => {
            draft.buy(lists.of(C::RebalanceBuys));
        }
        Pattern::AveragingDown => {
            let dips = lists.of(C::AveragingDown);
            if dips.first().is_some_and(|dip| cash < dip.value) {
                draft.sell(lists.of(C::ProfitTaking), 1);
            }
            if !dips.is_empty() {
                draft.buy(dips);
            }
        }
        Pattern::SingleBest if depth > 0 => draft.best(&lists.flat()),
        Pattern::MultiSell if draft.sell(&sales, depth) => draft.buy(&buys()),
        Pattern::MixedStrategy => {
            draft.sell(&sales, half);
            draft.buy(&buys());
        }
        Pattern::OpportunityFirst if !lists.of(C::OpportunityBuys).is_empty() => draft.buy(&chances_first()),
        Pattern::DeepRebalance => {
            let buys = lists.of(C::RebalanceBuys);
            if !buys.is_empty() && draft.sell(lists.of(C::RebalanceSells), half) {
                draft.buy(buys);
            }
        }
        Pattern::CashGeneration if draft.sell(&sales, depth) => draft.buy(&chances_first()),
        Pattern::CostOptimized if depth > 0 => {
            draft.sell(&sales, depth);
            let all = by_priority(lists.flat());
            draft.buy(&all.into_iter().filter(|item| item.side == Side::Buy).collect::<Vec<_>>());
        }
        _ => {}
    }
    if draft.taken.is_empty() { Vec::new() } else { vec![draft.taken] }
}

/// A sequence as it grows.
struct Draft {
    cash: Fine,
    depth: usize,
    /// Places that sales leave free.
    kept: usize,
    taken: Vec<Item>,
}

impl Draft {
    fn new(cash: Fine, depth: usize, kept: usize) -> Draft {
        Draft { cash, depth, kept, taken: Vec::new() }
    }

    /// Takes the first sales of a list; tells whether there was one.
    fn sell(&mut self, list: &[Item], most: usize) -> bool {
        for item in list.iter().take(most.min(self.depth - self.kept)) {
            self.cash = Fine::from_e12(self.cash.e12().saturating_add(item.value.e12()));
            self.taken.push(*item);
        }
        !list.is_empty()
    }

    /// Takes every purchase that still fits.
    fn buy(&mut self, list: &[Item]) {
        for item in list {
            if self.taken.len() < self.depth && item.value <= self.cash && !self.holds(*item) {
                self.cash = Fine::from_e12(self.cash.e12().saturating_sub(item.value.e12()));
                self.taken.push(*item);
            }
        }
    }

    /// Takes the first of the highest priority, unless it is a purchase that cannot be paid for.
    fn best(&mut self, list: &[Item]) {
        let mut best: Option<Item> = None;
        for item in list {
            if best.is_none_or(|best| item.priority > best.priority) {
                best = Some(*item);
            }
        }
        if let Some(best) = best.filter(|best| best.side == Side::Sell || best.value <= self.cash) {
            self.taken.push(best);
        }
    }

    fn holds(&self, item: Item) -> bool {
        self.taken.iter().any(|known| known.id == item.id)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn item(id: u16, side: Side, value: i128) -> Item {
        let value = Fine::from_e12(value * Fine::SCALE);
        Item { id, security: id, side, value, priority: 1.0 - f64::from(id) / 10.0 }
    }

    /// What selling as much as possible makes of three sales and, if any, one purchase.
    fn sold(depth: usize, buys: bool, keeps_place: bool) -> Vec<u16> {
        let sales = (0..3).map(|id| item(id, Side::Sell, 100)).collect();
        let purchases = if buys { vec![item(3, Side::Buy, 50)] } else { Vec::new() };
        let lists = Lists::new(C::ALL.map(|category| match category {
            C::RebalanceSells => Vec::clone(&sales),
            C::RebalanceBuys => purchases.clone(),
            _ => Vec::new(),
        }));
        let needs = Needs::default();
        let ground = Ground {
            lists: &lists,
            cash: Fine::ZERO,
            joined: Joined::ByPriority,
            needs: &needs,
            keeps_place,
        };
        sequences(Pattern::MultiSell, ground, depth).concat().iter().map(|item| item.id).collect()
    }

    #[test]
    fn sales_leave_one_place_for_a_purchase_where_there_are_two_and_something_to_buy() {
        assert_eq!(sold(3, true, true), [0, 1, 3]);
        assert_eq!(sold(2, true, true), [0, 3]);
        assert_eq!(sold(1, true, true), [0], "one place is the sale's");
        assert_eq!(sold(3, false, true), [0, 1, 2], "nothing is to be bought");
        assert_eq!(sold(3, true, false), [0, 1, 2], "as the old system did");
    }
}
