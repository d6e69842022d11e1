//! Dividends that no purchase has used yet.
//!
//! A dividend is cash like any other. Each filled purchase uses dividends in the order in which they came, whatever it
//! bought, and an order uses them once. Tax takes its part of a security's oldest dividends before any purchase does. What
//! is left of a security's dividends may be spent on itself, however long ago they came.
//!
//! Worked example: 300 EUR of dividends, then a purchase of 250 EUR: 50 EUR are left, and nothing is repeated tomorrow.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{Flow, FlowKind, Id};
use market::{Day, Isin};
use money::{Currency, Money};

/// One dividend, or the tax on one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// When it was paid.
    pub day: Day,
    /// By what.
    pub isin: Isin,
    /// Its worth in 1/10 000 EUR; a tax, or a dividend that was taken back, is below zero.
    pub eur_e4: i64,
}

/// All dividends heard of and how much of each is used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dividends {
    rows: BTreeMap<Id, Row>,
    used_e4: BTreeMap<Id, i64>,
    orders: BTreeSet<Id>,
}

/// What a purchase used of one dividend; `left` of it in 1/10 000 EUR.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// Which order bought.
    pub order_id: Id,
    /// Which dividend; `None` marks an order that used nothing.
    pub flow: Option<Id>,
    /// All that is used of it now, in 1/10 000 EUR.
    pub used_e4: i64,
}

impl Dividends {
    /// Takes what the store knows.
    pub fn restore(&mut self, used: Used) {
        self.orders.insert(used.order_id);
        if let Some(flow) = used.flow {
            let known = self.used_e4.entry(flow).or_default();
            *known = used.used_e4.max(*known);
        }
    }

    /// Takes what the store knows of a dividend.
    pub fn restore_row(&mut self, flow: Id, row: Row) {
        self.rows.insert(flow, row);
    }

    /// Takes a flow; a tax on a dividend lowers it through its own row. Gives what is to be stored if it was news.
    pub fn hear(&mut self, flow: &Flow) -> Option<(Id, Row)> {
        let (isin, amount) = (flow.isin?, flow.amount_eur?);
        let counts = matches!(flow.kind, FlowKind::Dividend | FlowKind::Tax);
        if !counts || amount.currency() != Currency::EUR {
            return None;
        }
        let row = Row { day: flow.day, isin, eur_e4: amount.e4() };
        (self.rows.insert(flow.id, row) != Some(row)).then_some((flow.id, row))
    }

    /// Takes a filled purchase of a worth; unknown worth uses everything. Gives what is to be stored; nothing if the
    /// order was counted before.
    pub fn buy(&mut self, order_id: Id, worth: Option<Money>) -> Vec<Used> {
        if !self.orders.insert(order_id) {
            return Vec::new();
        }
        let mut left = worth.map_or(i64::MAX, Money::e4);
        let mut order: Vec<(Day, Id, Row)> = self.rows.iter().map(|(id, row)| (row.day, *id, *row)).collect();
        order.sort_by_key(|(day, id, _)| (*day, *id));
        let mut taxes: BTreeMap<Isin, i64> = BTreeMap::new();
        for row in self.rows.values().filter(|row| row.eur_e4 < 0) {
            let tax = taxes.entry(row.isin).or_default();
            *tax = tax.saturating_sub(row.eur_e4);
        }
        let mut used = vec![Used { order_id, flow: None, used_e4: 0 }];
        for (_, flow, row) in order {
            let known = self.used_e4.entry(flow).or_default();
            let there = row.eur_e4.saturating_sub(*known).max(0);
            let tax = taxes.get(&row.isin).copied().unwrap_or(0).min(there);
            taxes.entry(row.isin).and_modify(|left| *left -= tax);
            let part = (there - tax).min(left).max(0);
            if part > 0 {
                *known = known.saturating_add(part);
                left = left.saturating_sub(part);
                used.push(Used { order_id, flow: Some(flow), used_e4: *known });
            }
        }
        used
    }

    /// What is left of a security's dividends after tax, in EUR; never below zero.
    #[must_use]
    pub fn unused(&self, isin: Isin) -> Money {
        let of_it = self.rows.iter().filter(|(_, row)| row.isin == isin);
        let left =
            of_it.map(|(id, row)| row.eur_e4.saturating_sub(self.used_e4.get(id).copied().unwrap_or(0)));
        Money::from_e4(left.fold(0_i64, i64::saturating_add).max(0), Currency::EUR)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::Sample;
    use market::Timestamp;

    use super::*;

    fn id(text: &str) -> Id {
        Id::derive(Timestamp::ZERO, &[text])
    }

    fn flow(name: &str, kind: FlowKind, day: &str, eur: i64) -> Flow {
        let amount = Money::from_units(eur, Currency::EUR).unwrap();
        let isin = Some("DE0007164600".parse().unwrap());
        Flow {
            id: id(name),
            kind,
            day: day.parse().unwrap(),
            amount,
            amount_eur: Some(amount),
            isin,
            ..Flow::sample()
        }
    }

    fn eur(units: i64) -> Money {
        Money::from_units(units, Currency::EUR).unwrap()
    }

    fn left(dividends: &Dividends) -> i64 {
        dividends.unused("DE0007164600".parse().unwrap()).e4() / 10_000
    }

    #[test]
    fn purchases_use_the_oldest_dividends_first_and_each_order_once() {
        let mut dividends = Dividends::default();
        assert!(dividends.hear(&flow("new", FlowKind::Dividend, "2026-03-02", 100)).is_some());
        assert!(dividends.hear(&flow("old", FlowKind::Dividend, "2026-01-02", 190)).is_some());
        assert!(
            dividends.hear(&flow("old", FlowKind::Dividend, "2026-01-02", 200)).is_some(),
            "another worth"
        );
        assert!(dividends.hear(&flow("old", FlowKind::Dividend, "2026-01-02", 200)).is_none());
        let used = dividends.buy(id("order"), Some(eur(250)));
        let of =
            |used: &[Used]| used.iter().filter_map(|one| Some((one.flow?, one.used_e4))).collect::<Vec<_>>();
        assert_eq!(of(&used), [(id("old"), 2_000_000), (id("new"), 500_000)]);
        assert_eq!(left(&dividends), 50);
        assert!(dividends.buy(id("order"), Some(eur(250))).is_empty());
        assert_eq!(left(&dividends), 50);
    }

    #[test]
    fn a_restart_knows_what_is_used() {
        let mut dividends = Dividends::default();
        dividends.hear(&flow("one", FlowKind::Dividend, "2026-01-02", 300));
        let used = dividends.buy(id("order"), Some(eur(250)));
        let mut again = Dividends::default();
        used.into_iter().for_each(|one| again.restore(one));
        again.hear(&flow("one", FlowKind::Dividend, "2026-01-02", 300));
        assert_eq!(left(&again), 50);
        assert!(again.buy(id("order"), Some(eur(250))).is_empty());
    }

    #[test]
    fn tax_lowers_a_dividend_and_other_flows_are_none() {
        let mut dividends = Dividends::default();
        dividends.hear(&flow("one", FlowKind::Dividend, "2026-01-02", 300));
        dividends.hear(&flow("tax", FlowKind::Tax, "2026-01-02", -80));
        dividends.hear(&flow("deposit", FlowKind::Deposit, "2026-01-02", 5_000));
        assert_eq!(left(&dividends), 220);
        dividends.buy(id("order"), Some(eur(1_000)));
        assert_eq!(left(&dividends), 0);
    }

    #[test]
    fn a_tax_takes_its_part_of_the_oldest_dividend_once() {
        let mut dividends = Dividends::default();
        dividends.hear(&flow("one", FlowKind::Dividend, "2026-01-02", 300));
        dividends.hear(&flow("tax", FlowKind::Tax, "2026-01-02", -80));
        dividends.buy(id("first"), Some(eur(1_000)));
        dividends.hear(&flow("two", FlowKind::Dividend, "2026-04-02", 300));
        assert_eq!(left(&dividends), 300, "the tax was paid by the first one");
        dividends.buy(id("second"), Some(eur(250)));
        assert_eq!(left(&dividends), 50);
    }

    #[test]
    fn a_purchase_of_unknown_worth_uses_everything() {
        let mut dividends = Dividends::default();
        dividends.hear(&flow("one", FlowKind::Dividend, "2026-01-02", 300));
        dividends.buy(id("order"), None);
        assert_eq!(left(&dividends), 0);
    }
}
