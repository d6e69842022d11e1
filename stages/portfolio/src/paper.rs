//! The paper ledger: the books of research mode. A copy of the account when it begins; from then on fills of paper orders
//! change it, and the account's owner and corporate actions do as they do to the account.
//!
//! A paper fill is booked once, by its id. What the owner pays in or out reaches it whole; a dividend, its tax and what
//! a corporate action pays reach it in the proportion of what is held on paper to what is held at the broker. A security
//! that is held on paper alone has neither: nobody tells of them.
//!
//! Worked example: 12 EUR of dividend for 10 held at the broker, 25 held on paper: 30 EUR.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{Id, OrderFill, OrderState, Side};
use market::{Isin, Timestamp};
use money::{Currency, Money, MoneyError, Quantity, Rate, Rounding, to_eur, value};

use crate::actions::Change;
use crate::books::{Books, Fill, Held, Origin, Traded};
use crate::cash_book::{self, Purse};
use crate::flows::Booked;
use crate::nav::DayEnd;

/// The books of research mode.
#[derive(Debug, Default)]
pub(crate) struct Paper {
    /// Since when; nothing while it has not begun.
    pub(crate) begun: Option<Timestamp>,
    pub(crate) books: Books,
    pub(crate) cash: Purse,
    /// Booked fills, by their ids.
    pub(crate) fills: BTreeSet<String>,
    /// Flows that have been counted.
    pub(crate) flows: BTreeSet<Id>,
    /// The ends of its days, oldest first.
    pub(crate) days: Vec<DayEnd>,
    /// When a fill was booked last, since the start of the program.
    pub(crate) booked: Option<Timestamp>,
    /// Orders on paper as far as they are known.
    pub(crate) orders: BTreeMap<Id, OrderState>,
}

/// One change of its rows.
#[derive(Debug, Clone)]
pub enum PaperSave {
    /// It begins anew: whatever was there is gone.
    Begun(Timestamp),
    /// A fill, once.
    Fill(Box<Fill>),
    /// A holding as it is now.
    Position(Isin, Held),
    /// Cash of one currency as it is now.
    Cash(Money),
    /// A flow has been counted.
    Flow(Id),
    /// The end of a day.
    DayEnd(DayEnd),
}

impl Paper {
    /// Begins as a copy.
    pub(crate) fn begin(
        &mut self,
        books: &Books,
        cash: &Purse,
        flows: impl Iterator<Item = Id>,
        now: Timestamp,
    ) -> Vec<PaperSave> {
        // What was sold is copied for its dates: no trial buys back what the real fund would have to wait for.
        let held = books.iter().filter(|(_, held)| !held.qty.is_zero() || held.last_sell.is_some());
        let orders = std::mem::take(&mut self.orders);
        *self = Paper {
            begun: Some(now),
            books: held.map(|(isin, held)| (*isin, held.clone())).collect(),
            cash: cash.clone(),
            flows: flows.collect(),
            orders,
            ..Paper::default()
        };
        let mut saves = vec![PaperSave::Begun(now)];
        saves.extend(self.books.iter().map(|(isin, held)| PaperSave::Position(*isin, held.clone())));
        saves.extend(self.cash.values().map(|amount| PaperSave::Cash(*amount)));
        saves.extend(self.flows.iter().map(|id| PaperSave::Flow(*id)));
        saves
    }

    /// Books every fill of the known orders that is not booked yet and came after the beginning.
    ///
    /// # Errors
    /// One sentence for a fill that cannot be booked; the others are.
    pub(crate) fn book(
        &mut self,
        ticker: impl Fn(&Isin) -> Option<String>,
        rate: impl Fn(Currency) -> Option<Rate>,
    ) -> (Vec<PaperSave>, Vec<String>) {
        let (mut saves, mut doubts) = (Vec::new(), Vec::new());
        let Some(begun) = self.begun else { return (saves, doubts) };
        let mut due: Vec<(OrderState, OrderFill)> = Vec::new();
        for order in self.orders.values() {
            let new = |fill: &&OrderFill| fill.at >= begun && !self.fills.contains(&fill.trade_id);
            due.extend(order.fills.iter().filter(new).map(|fill| (order.clone(), fill.clone())));
        }
        due.sort_by(|(_, one), (_, other)| (one.at, &one.trade_id).cmp(&(other.at, &other.trade_id)));
        for (order, fill) in due {
            let pair = contracts::pair_of(&order.isin);
            let ticker = match pair {
                Some((base, quote)) => contracts::pair_ticker(base, quote),
                None => ticker(&order.isin).unwrap_or_else(|| order.isin.to_string()),
            };
            match self.take(row(&order, &fill, ticker, rate(order.ccy))) {
                Ok(done) => saves.extend(done),
                Err(why) => doubts.push(format!("paper fill {} cannot be booked: {why}", fill.trade_id)),
            }
        }
        (saves, doubts)
    }

    /// One fill: everything of it, or nothing.
    fn take(&mut self, fill: Fill) -> Result<Vec<PaperSave>, MoneyError> {
        let mut cash = self.cash.clone();
        for amount in cash_book::moved(&fill)? {
            cash_book::add(&mut cash, amount)?;
        }
        let mut saves = Vec::new();
        if let (Some(isin), Some(ccy)) = (fill.isin, fill.ccy) {
            let held = self.books.get(&isin).cloned().unwrap_or_else(|| Held::nothing(&fill.ticker, ccy));
            let after = held.after(&Traded::from(&fill))?;
            self.books.insert(isin, after.clone());
            saves.push(PaperSave::Position(isin, after));
        }
        saves.extend(self.changed(cash));
        self.fills.insert(fill.trade_id.clone().unwrap_or_default());
        saves.push(PaperSave::Fill(Box::new(fill)));
        Ok(saves)
    }

    /// Takes other cash; gives what differs.
    fn changed(&mut self, cash: Purse) -> Vec<PaperSave> {
        let differs = |(ccy, amount): &(&Currency, &Money)| self.cash.get(ccy) != Some(amount);
        let saves = cash.iter().filter(differs).map(|(_, amount)| PaperSave::Cash(*amount)).collect();
        self.cash = cash;
        saves
    }

    /// Takes its part of the account's flows; `held` is what the account holds of a security.
    pub(crate) fn pay<'a>(
        &mut self,
        flows: impl Iterator<Item = &'a Booked>,
        held: impl Fn(&Isin) -> Quantity,
    ) -> Vec<PaperSave> {
        let mut saves = Vec::new();
        if self.begun.is_none() {
            return saves;
        }
        for booked in flows {
            if booked.seen == Timestamp::ZERO || !self.flows.insert(booked.flow.id) {
                continue;
            }
            saves.push(PaperSave::Flow(booked.flow.id));
            let amount = if booked.external { Some(booked.flow.amount) } else { self.part(booked, &held) };
            let mut cash = self.cash.clone();
            if let Some(amount) = amount
                && cash_book::add(&mut cash, amount).is_ok()
            {
                saves.extend(self.changed(cash));
            }
        }
        saves
    }

    /// Its part of what a security pays.
    fn part(&self, booked: &Booked, held: impl Fn(&Isin) -> Quantity) -> Option<Money> {
        use contracts::FlowKind as K;
        // It keeps the fractions of a split, so that nothing is paid out for them.
        let fraction = booked.raw_type.contains("split");
        let counts = matches!(booked.flow.kind, K::Dividend | K::Tax | K::CorporateAction) && !fraction;
        let isin = booked.flow.isin.filter(|_| counts)?;
        let (ours, theirs) = (self.books.get(&isin)?.qty, held(&isin));
        if !theirs.is_positive() {
            return None;
        }
        let exact = booked.flow.amount.scale(ours.e6(), theirs.e6(), Rounding::Down).ok()?;
        exact.to_minor(Rounding::Down).ok()
    }

    /// A corporate action that the account had.
    pub(crate) fn act(&mut self, isin: Isin, change: Change) -> Result<Vec<PaperSave>, MoneyError> {
        let Some(before) = self.books.get(&isin).filter(|held| !held.qty.is_zero()).cloned() else {
            return Ok(Vec::new());
        };
        let mut saves = Vec::new();
        let mut after = before.clone();
        match change {
            Change::Split { before: old, after: new } => {
                // Paper has no fractions to pay out: it keeps them.
                let left =
                    money::multiply_divide(before.qty.e6().into(), new.into(), old.into(), Rounding::Down)?;
                let left = i64::try_from(left).map_err(|_| MoneyError::Overflow { operation: "split" })?;
                after = before.split(old, new, Quantity::from_e6(left)?)?;
            }
            Change::Renamed { to } => {
                // The account renames only into a name it does not hold; on paper some may have been bought already.
                let moved = match self.books.get(&to).filter(|known| known.qty.is_positive()) {
                    Some(known) => Held {
                        last_buy: known.last_buy.max(before.last_buy),
                        opened: known.opened.into_iter().chain(before.opened).min(),
                        ..known.after(&Traded {
                            side: Side::Buy,
                            qty: before.qty,
                            price: before.avg,
                            eur: before.cost_eur,
                            at: before.last_buy.or(before.opened).unwrap_or(Timestamp::ZERO),
                        })?
                    },
                    None => before,
                };
                saves.push(PaperSave::Position(to, moved.clone()));
                self.books.insert(to, moved);
                after.qty = Quantity::ZERO;
                after.empty();
            }
            Change::Removed => {
                after.qty = Quantity::ZERO;
                after.empty();
            }
        }
        saves.push(PaperSave::Position(isin, after.clone()));
        self.books.insert(isin, after);
        Ok(saves)
    }
}

fn row(order: &OrderState, fill: &OrderFill, ticker: String, rate: Option<Rate>) -> Fill {
    let is_pair = contracts::pair_of(&order.isin).is_some();
    let amount = value(fill.price_e6, fill.qty_e6, order.ccy, Rounding::HalfEven).ok();
    let amount = amount.and_then(|amount| amount.to_minor(Rounding::HalfEven).ok());
    let value_eur = amount.zip(rate).and_then(|(amount, rate)| to_eur(amount, rate, Rounding::HalfEven).ok());
    Fill {
        fill_id: Id::derive(fill.at, &["paper", &fill.trade_id]),
        trade_id: Some(fill.trade_id.clone()),
        broker_order_id: None,
        order_id: Some(order.order_id),
        isin: (!is_pair).then_some(order.isin),
        ticker,
        side: order.side,
        qty: fill.qty_e6,
        price: Some(fill.price_e6),
        ccy: Some(order.ccy),
        amount,
        fee: fill.fee,
        rate,
        value_eur,
        executed: fill.at,
        booked: fill.at,
        settle_day: Some(fill.at.day_utc()),
        origin: Origin::Broker,
        in_opening: false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::{Mode, OrderStatus, Sample, pair_isin};
    use money::Price;

    use super::*;
    use crate::flows::tests::booked;

    const NOW: Timestamp = Timestamp::from_ms(1_772_438_400_000);

    fn isin() -> Isin {
        "DE000SMX0015".parse().unwrap()
    }

    fn eur(text: &str) -> Money {
        Money::parse(text).unwrap()
    }

    fn units(count: i64) -> Quantity {
        Quantity::from_units(count).unwrap()
    }

    fn begun() -> Paper {
        let held = Held { qty: units(10), ..Held::nothing("RHNA.EU", Currency::EUR) };
        let mut paper = Paper::default();
        let cash = Purse::from([(Currency::EUR, eur("1000 EUR"))]);
        paper.begin(&Books::from([(isin(), held)]), &cash, std::iter::empty(), NOW);
        paper
    }

    fn order(isin: Isin, side: Side, quantity: i64, price: &str, ccy: Currency) -> OrderState {
        let order = OrderState::sample();
        let fill = OrderFill {
            trade_id: format!("paper-{side:?}-{isin}"),
            qty_e6: units(quantity),
            price_e6: price.parse::<Price>().unwrap(),
            fee: Some(Money::from_units(1, ccy).unwrap()),
            at: NOW,
        };
        OrderState {
            order_id: Id::derive(NOW, &[&fill.trade_id]),
            isin,
            side,
            ccy,
            mode: Mode::Research,
            status: OrderStatus::Filled,
            fills: vec![fill],
            ..order
        }
    }

    fn heard(paper: &mut Paper, order: OrderState) -> (usize, Vec<String>) {
        paper.orders.insert(order.order_id, order);
        let (saves, doubts) = paper.book(|_| Some("RHNA.EU".into()), |_| Some(Rate::ONE));
        (saves.len(), doubts)
    }

    #[test]
    fn a_fill_moves_holding_and_cash_with_its_fee_once() {
        let mut paper = begun();
        let buy = order(isin(), Side::Buy, 5, "20.005", Currency::EUR);
        assert!(heard(&mut paper, buy.clone()).0 > 0);
        assert_eq!(paper.books[&isin()].qty, units(15));
        assert_eq!(paper.cash[&Currency::EUR], eur("898.98 EUR"), "100.02 and a fee of 1");
        assert_eq!(heard(&mut paper, buy), (0, vec![]), "told again, it is not booked again");
    }

    #[test]
    fn a_fill_from_before_the_beginning_is_not_its_own() {
        let mut paper = begun();
        let mut early = order(isin(), Side::Buy, 5, "20", Currency::EUR);
        early.fills[0].at = NOW.saturating_minus_ms(1);
        assert_eq!(heard(&mut paper, early), (0, vec![]));
    }

    #[test]
    fn nothing_is_booked_before_it_has_begun() {
        let mut paper = Paper::default();
        assert_eq!(heard(&mut paper, order(isin(), Side::Buy, 5, "20", Currency::EUR)), (0, vec![]));
        assert!(paper.pay(std::iter::once(&booked("a", "sepa", 5_000, 1)), |_| units(1)).is_empty());
    }

    #[test]
    fn an_exchange_moves_both_currencies() {
        let mut paper = begun();
        let pair = pair_isin(Currency::EUR, Currency::USD).unwrap();
        heard(&mut paper, order(pair, Side::Sell, 100, "1.1", Currency::USD));
        assert_eq!(paper.cash[&Currency::EUR], eur("900 EUR"));
        assert_eq!(paper.cash[&Currency::USD], eur("109 USD"), "110 less the fee");
        assert_eq!(paper.books.len(), 1, "a pair is no holding");
    }

    #[test]
    fn what_cannot_be_booked_is_said_and_changes_nothing() {
        let mut paper = begun();
        paper.cash.insert(Currency::EUR, Money::from_e4(i64::MIN, Currency::EUR));
        let (saves, doubts) = heard(&mut paper, order(isin(), Side::Buy, 5, "20", Currency::EUR));
        assert_eq!((saves, doubts.len(), paper.books[&isin()].qty), (0, 1, units(10)));
    }

    #[test]
    fn payments_of_the_owner_count_whole_and_once_and_older_ones_not() {
        let mut paper = begun();
        let flows = [booked("a", "sepa", 50_000, 1), booked("b", "sepa", 90_000, 0)];
        assert_eq!(paper.pay(flows.iter(), |_| units(1)).len(), 2);
        assert_eq!(paper.cash[&Currency::EUR], eur("1005 EUR"));
        assert!(paper.pay(flows.iter(), |_| units(1)).is_empty());
    }

    #[test]
    fn a_dividend_counts_in_proportion_and_not_at_all_for_what_the_account_does_not_hold() {
        let dividend = |key: &str| {
            let mut booked = booked(key, "dividend", 120_000, 1);
            booked.flow.isin = Some(isin());
            (booked.external, booked.flow.kind) = (false, contracts::FlowKind::Dividend);
            booked
        };
        let mut paper = begun();
        paper.books.get_mut(&isin()).unwrap().qty = units(25);
        paper.pay(std::iter::once(&dividend("a")), |_| units(10));
        assert_eq!(paper.cash[&Currency::EUR], eur("1030 EUR"));
        paper.pay(std::iter::once(&dividend("b")), |_| Quantity::ZERO);
        assert_eq!(paper.cash[&Currency::EUR], eur("1030 EUR"));
    }

    #[test]
    fn corporate_actions_reach_it() {
        let mut paper = begun();
        paper.act(isin(), Change::Split { before: 1, after: 3 }).unwrap();
        assert_eq!(paper.books[&isin()].qty, units(30));
        let to = "DE000SMX0023".parse().unwrap();
        paper.act(isin(), Change::Renamed { to }).unwrap();
        assert_eq!((paper.books[&isin()].qty, paper.books[&to].qty), (Quantity::ZERO, units(30)));
        paper.act(to, Change::Removed).unwrap();
        assert_eq!(paper.books[&to].qty, Quantity::ZERO);
    }

    #[test]
    fn a_new_name_joins_what_paper_holds_under_it() {
        let mut paper = begun();
        let to: Isin = "DE000SMX0023".parse().unwrap();
        heard(&mut paper, order(to, Side::Buy, 5, "20", Currency::EUR));
        paper.act(isin(), Change::Renamed { to }).unwrap();
        assert_eq!((paper.books[&isin()].qty, paper.books[&to].qty), (Quantity::ZERO, units(15)));
    }

    #[test]
    fn it_begins_anew_as_a_copy() {
        let mut paper = begun();
        heard(&mut paper, order(isin(), Side::Sell, 5, "20", Currency::EUR));
        let later = NOW.saturating_plus_ms(1);
        let saves = paper.begin(&Books::new(), &Purse::new(), std::iter::empty(), later);
        assert!(matches!(saves.as_slice(), [PaperSave::Begun(at)] if *at == later));
        assert!(paper.books.is_empty() && paper.fills.is_empty() && !paper.orders.is_empty());
        assert_eq!(paper.book(|_| None, |_| None).0.len(), 0, "old fills stay in the past");
    }
}
