//! Double-entry books of the simulated account: the truth every client is compared with.
//!
//! A transaction's postings sum to zero per currency and per instrument; booking refuses anything else.

use std::collections::BTreeMap;

/// Where an amount lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Account {
    /// Money of the client.
    Cash,
    /// Units of the client.
    Position,
    /// The client's bank.
    External,
    /// The broker's fees and interest.
    Fees,
    /// Tax offices.
    Tax,
    /// Payers of dividends.
    Income,
    /// Everybody the client trades with.
    Market,
}

/// What is counted: a currency (e4) or an instrument (e6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unit {
    /// Money.
    Currency(&'static str),
    /// Units of a security.
    Instrument(&'static str),
}

/// Why a transaction was booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Deposit or withdrawal.
    Transfer,
    /// A fill with its fee.
    Trade,
    /// A dividend with its tax.
    Dividend,
    /// Interest on negative cash.
    Interest,
    /// A fee that belongs to no trade.
    Custody,
    /// A split, with cash for fractions.
    Split,
    /// Units given up for cash.
    Takeover,
    /// Units of another security received for nothing, with cash for fractions.
    SpinOff,
}

/// One line of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Posting {
    pub(crate) account: Account,
    pub(crate) unit: Unit,
    pub(crate) amount: i64,
}

/// Postings that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Transaction {
    pub(crate) at_ms: i64,
    pub(crate) cause: Cause,
    pub(crate) postings: Vec<Posting>,
}

impl Transaction {
    /// Opens a transaction.
    pub(crate) fn new(at_ms: i64, cause: Cause) -> Self {
        Self { at_ms, cause, postings: Vec::new() }
    }

    /// Moves an amount of a unit from one account to another; zero moves nothing.
    pub(crate) fn moving(mut self, unit: Unit, from: Account, to: Account, amount: i64) -> Self {
        if amount != 0 {
            self.postings.push(Posting { account: from, unit, amount: -amount });
            self.postings.push(Posting { account: to, unit, amount });
        }
        self
    }

    /// Lists the units whose postings do not sum to zero.
    pub(crate) fn imbalances(&self) -> Vec<Unit> {
        let mut sums: BTreeMap<Unit, i128> = BTreeMap::new();
        for posting in &self.postings {
            *sums.entry(posting.unit).or_default() += i128::from(posting.amount);
        }
        sums.into_iter().filter(|(_, sum)| *sum != 0).map(|(unit, _)| unit).collect()
    }

    /// Returns the change of the client's cash in a currency.
    pub(crate) fn cash_change(&self, currency: &str) -> i64 {
        let own =
            |p: &&Posting| p.account == Account::Cash && matches!(p.unit, Unit::Currency(c) if c == currency);
        self.postings.iter().filter(own).map(|p| p.amount).sum()
    }
}

/// All transactions and the balances they add up to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    pub(crate) transactions: Vec<Transaction>,
    pub(crate) balances: BTreeMap<(Account, Unit), i64>,
}

impl Ledger {
    /// Books a transaction.
    ///
    /// # Panics
    ///
    /// When its postings do not sum to zero: that would be a mistake of the simulator itself.
    pub(crate) fn book(&mut self, transaction: Transaction) {
        assert!(transaction.imbalances().is_empty(), "every transaction sums to zero per unit");
        for posting in &transaction.postings {
            let balance = self.balances.entry((posting.account, posting.unit)).or_default();
            *balance = balance.checked_add(posting.amount).expect("balances fit 64 bits");
        }
        self.transactions.push(transaction);
    }

    /// Returns the client's cash in a currency, e4.
    pub(crate) fn cash(&self, currency: &'static str) -> i64 {
        self.balances.get(&(Account::Cash, Unit::Currency(currency))).copied().unwrap_or(0)
    }

    /// Returns the client's units of an instrument, e6.
    pub(crate) fn position(&self, ticker: &'static str) -> i64 {
        self.balances.get(&(Account::Position, Unit::Instrument(ticker))).copied().unwrap_or(0)
    }

    /// Lists the client's cash in every currency ever used.
    pub(crate) fn all_cash(&self) -> BTreeMap<&'static str, i64> {
        let cash = |(key, amount): (&(Account, Unit), &i64)| match key {
            (Account::Cash, Unit::Currency(c)) => Some((*c, *amount)),
            _ => None,
        };
        self.balances.iter().filter_map(cash).collect()
    }

    /// Lists the client's positions, also those that are back to zero.
    pub(crate) fn all_positions(&self) -> BTreeMap<&'static str, i64> {
        let held = |(key, amount): (&(Account, Unit), &i64)| match key {
            (Account::Position, Unit::Instrument(t)) => Some((*t, *amount)),
            _ => None,
        };
        self.balances.iter().filter_map(held).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booking_moves_both_sides() {
        let mut ledger = Ledger::default();
        let deposit = Transaction::new(0, Cause::Transfer).moving(
            Unit::Currency("EUR"),
            Account::External,
            Account::Cash,
            90_000_000,
        );
        ledger.book(deposit);
        assert_eq!(ledger.cash("EUR"), 90_000_000);
        assert_eq!(ledger.balances[&(Account::External, Unit::Currency("EUR"))], -90_000_000);
        assert_eq!(ledger.cash("USD"), 0);
    }

    #[test]
    #[should_panic(expected = "every transaction sums to zero")]
    fn refuses_a_transaction_that_creates_money() {
        let mut transaction = Transaction::new(0, Cause::Transfer);
        transaction.postings.push(Posting { account: Account::Cash, unit: Unit::Currency("EUR"), amount: 1 });
        Ledger::default().book(transaction);
    }
}
