//! What `portfolio` says about the account: holdings, cash, value, flows, buckets.

use serde::{Deserialize, Serialize};

use ::market::{Day, Isin, Timestamp};
use ::money::{Currency, Money, Price, Quantity};

use crate::{Finite, Id, Mode, OrderStatus, Sample, Side, sample_values as v};

/// One holding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Position {
    /// Which security.
    pub isin: Isin,
    /// Which part of the fund it belongs to.
    pub bucket_id: String,
    /// How many.
    pub qty_e6: Quantity,
    /// Average cost per unit in the trading currency, fees left out; unknown for holdings older than the books.
    pub avg_price_e6: Option<Price>,
    /// What all of it cost in EUR, each purchase at the rate of its day; unknown where one of these rates is.
    #[serde(default)]
    pub cost_eur: Option<Money>,
    /// Trading currency.
    pub ccy: Currency,
    /// Price used for the value.
    pub price_e6: Option<Price>,
    /// Worth in EUR; unknown without price or rate.
    pub value_eur: Option<Money>,
    /// First purchase.
    pub opened: Option<Timestamp>,
    /// Last purchase.
    pub last_buy: Option<Timestamp>,
    /// Last sale.
    pub last_sell: Option<Timestamp>,
    /// Our books and the broker's differ: nothing is done with it.
    pub frozen: bool,
}

/// A security that is not held any more: what was traded not long ago is not bought again at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Closed {
    /// Which security.
    pub isin: Isin,
    /// Last purchase.
    pub last_buy: Option<Timestamp>,
    /// Last sale.
    pub last_sell: Option<Timestamp>,
}

/// Cash of one currency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cash {
    /// Which part of the fund.
    pub bucket_id: String,
    /// All of it, unsettled trades included; negative is kept negative.
    pub amount: Money,
    /// Promised to open orders.
    pub reserved: Money,
    /// Part of the amount that sales bring in on a later settlement day; unknown where none was said.
    #[serde(default)]
    pub pending_in: Option<Money>,
    /// What purchases have taken out of the amount and pay on a later settlement day.
    #[serde(default)]
    pub pending_out: Option<Money>,
    /// What may be spent of it as far as the broker is concerned: settled, and less what is still to be paid; never more
    /// than the amount. Absent in statements that are older than it.
    #[serde(default)]
    pub spendable: Option<Money>,
}

impl Cash {
    /// What may be spent, before promises to open orders.
    #[must_use]
    pub fn free(&self) -> Money {
        self.spendable.unwrap_or(self.amount)
    }

    /// The part of the amount that is settled: without what sales bring in later, with what purchases pay later.
    #[must_use]
    pub fn settled(&self) -> Option<Money> {
        self.amount.checked_sub(self.pending_in?).ok()?.checked_add(self.pending_out?).ok()
    }
}

/// An order that is not final.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OpenOrder {
    /// Which.
    pub order_id: Id,
    /// Security.
    pub isin: Isin,
    /// Buy or sell.
    pub side: Side,
    /// Not yet filled.
    pub left_e6: Quantity,
    /// How far it is.
    pub status: OrderStatus,
}

/// One consistent snapshot. `state_id` names the holdings; prices and times are not part of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PortfolioState {
    /// 32 hexadecimal digits.
    pub state_id: String,
    /// `live` or `sim:<seed>`.
    pub environment: String,
    /// Live or research.
    pub mode: Mode,
    /// When the broker was read.
    pub at: Timestamp,
    /// By ISIN.
    pub positions: Vec<Position>,
    /// What was held until a year ago at most, whoever sold it; by ISIN.
    #[serde(default)]
    pub closed: Vec<Closed>,
    /// By currency.
    pub cash: Vec<Cash>,
    /// By id.
    pub open_orders: Vec<OpenOrder>,
    /// Everything in EUR; unknown while any part of it is.
    pub nav: Option<Money>,
    /// What lacks a price or a rate.
    pub unvalued: Vec<String>,
    /// The broker could not be read for too long.
    pub stale: bool,
}

impl PortfolioState {
    /// The holding of a security, if any.
    #[must_use]
    pub fn position(&self, isin: &Isin) -> Option<&Position> {
        self.positions.iter().find(|position| position.isin == *isin)
    }

    /// The last trades of a security that is not held any more, if there were any within a year.
    #[must_use]
    pub fn closed(&self, isin: &Isin) -> Option<&Closed> {
        self.closed.iter().find(|closed| closed.isin == *isin)
    }

    /// Cash of a currency, if any is known.
    #[must_use]
    pub fn cash_in(&self, ccy: Currency) -> Option<&Cash> {
        self.cash.iter().find(|cash| cash.amount.currency() == ccy)
    }
}

impl Sample for PortfolioState {
    fn sample() -> Self {
        PortfolioState {
            state_id: "9323b02fdf9c20ffe879d48bb196eecf".into(),
            environment: "sim:1".into(),
            mode: Mode::Live,
            at: v::at(),
            positions: vec![Position {
                isin: v::isin(),
                bucket_id: "core".into(),
                qty_e6: v::one(),
                avg_price_e6: Some(v::price()),
                cost_eur: Some(v::eur()),
                ccy: Currency::EUR,
                price_e6: Some(v::price()),
                value_eur: Some(v::eur()),
                opened: Some(v::at()),
                last_buy: Some(v::at()),
                last_sell: None,
                frozen: false,
            }],
            closed: vec![Closed {
                isin: "CH0038863350".parse().expect("a well-known ISIN"),
                last_buy: None,
                last_sell: Some(v::at()),
            }],
            cash: vec![Cash {
                bucket_id: "core".into(),
                amount: v::eur(),
                reserved: Money::zero(Currency::EUR),
                pending_in: Some(Money::zero(Currency::EUR)),
                pending_out: Some(Money::zero(Currency::EUR)),
                spendable: None,
            }],
            open_orders: vec![OpenOrder {
                order_id: v::id(),
                isin: v::isin(),
                side: Side::Buy,
                left_e6: v::one(),
                status: OrderStatus::Accepted,
            }],
            nav: Some(v::eur()),
            unvalued: vec![],
            stale: false,
        }
    }
}

/// The value of the fund.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Nav {
    /// When.
    pub at: Timestamp,
    /// Positions and cash.
    pub nav: Money,
    /// Positions.
    pub positions: Money,
    /// Cash.
    pub cash: Money,
    /// The day of the fund that goes on.
    pub day: Day,
    /// Whose end `day_start` is the value of; the day before the first one for the first valuation of all.
    #[serde(default)]
    pub start_day: Option<Day>,
    /// Value at the end of the day before.
    pub day_start: Money,
    /// Deposits less withdrawals since then.
    pub flow_today: Money,
    /// Gain since the first valuation, as a fraction, flows taken out.
    pub since_start: Finite,
    /// Parts of the fund that were nearly too large or too large at the end of the day before, the worst first.
    #[serde(default)]
    pub concentration: Vec<LargePart>,
}

/// What a part of the fund is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LargePartKind {
    /// All securities of a country.
    Country,
    /// All securities of an industry.
    Industry,
    /// One security.
    Position,
    /// Everything in a foreign currency, cash included.
    Currency,
    /// Securities whose country or industry nobody knows.
    Unknown,
    /// How few holdings make up most of what is held: the Herfindahl index of their values.
    Whole,
}

/// How near a part is to its limit, mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LargePartLevel {
    /// From eight tenths of it.
    Warning,
    /// From nine tenths of it.
    Critical,
    /// Above it.
    Breach,
}

/// A part of the fund that is nearly too large.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LargePart {
    /// What it is.
    pub kind: LargePartKind,
    /// Which one: a country, an industry, an ISIN, a currency.
    pub name: String,
    /// Its share of everything, cash included, to the thousandth.
    pub share: Finite,
    /// What it may be.
    pub limit: Finite,
    /// How near it is.
    pub level: LargePartLevel,
}

impl Sample for Nav {
    fn sample() -> Self {
        Nav {
            at: v::at(),
            nav: v::eur(),
            positions: v::eur(),
            cash: Money::zero(Currency::EUR),
            day: v::day(),
            start_day: Some(v::day()),
            day_start: v::eur(),
            flow_today: Money::zero(Currency::EUR),
            since_start: v::number(0.0125),
            concentration: vec![LargePart {
                kind: LargePartKind::Country,
                name: "DE".into(),
                share: v::number(0.36),
                limit: v::number(0.35),
                level: LargePartLevel::Breach,
            }],
        }
    }
}

/// What a cash flow is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FlowKind {
    /// Money paid in.
    Deposit,
    /// Money taken out.
    Withdrawal,
    /// Income of a holding.
    Dividend,
    /// Tax withheld.
    Tax,
    /// A fee of the broker.
    Fee,
    /// Interest.
    Interest,
    /// The cash part of a corporate action, such as a takeover or the fraction of a reverse split.
    CorporateAction,
    /// Anything else; looked at by a person.
    Other,
}

/// One cash flow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Flow {
    /// Key.
    pub id: Id,
    /// What it is.
    pub kind: FlowKind,
    /// Booking day.
    pub day: Day,
    /// Signed.
    pub amount: Money,
    /// In EUR at that day's rate.
    pub amount_eur: Option<Money>,
    /// The security it came from.
    pub isin: Option<Isin>,
    /// The broker's text.
    pub text: String,
}

impl Sample for Flow {
    fn sample() -> Self {
        Flow {
            id: v::id(),
            kind: FlowKind::Deposit,
            day: v::day(),
            amount: v::eur(),
            amount_eur: Some(v::eur()),
            isin: None,
            text: "SEPA".into(),
        }
    }
}

/// A part of the fund with rules of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Bucket {
    /// `core` or the name of a satellite.
    pub bucket_id: String,
    /// For people.
    pub name: String,
    /// active, paused, …
    pub status: String,
    /// Units issued.
    pub units: Finite,
    /// EUR per unit.
    pub unit_price: Finite,
    /// 1–90.
    pub min_hold_days: u16,
}

impl Sample for Bucket {
    fn sample() -> Self {
        Bucket {
            bucket_id: "core".into(),
            name: "Core".into(),
            status: "active".into(),
            units: v::number(100.0),
            unit_price: v::number(1.25),
            min_hold_days: 90,
        }
    }
}

/// Our books against the broker's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reconciliation {
    /// Which.
    pub currency: Currency,
    /// When.
    pub at: Timestamp,
    /// Ours.
    pub books: Money,
    /// Theirs.
    pub broker: Money,
    /// Within a cent.
    pub agrees: bool,
}

impl Sample for Reconciliation {
    fn sample() -> Self {
        Reconciliation {
            currency: Currency::EUR,
            at: v::at(),
            books: v::eur(),
            broker: v::eur(),
            agrees: true,
        }
    }
}

/// One line of an evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BucketShare {
    /// Which.
    pub bucket_id: String,
    /// What it holds of the fund.
    pub share: Finite,
    /// What it should hold.
    pub target: Finite,
}

/// How the buckets did and what each should hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BucketEvaluation {
    /// When.
    pub at: Timestamp,
    /// By bucket.
    pub shares: Vec<BucketShare>,
}

impl Sample for BucketEvaluation {
    fn sample() -> Self {
        BucketEvaluation {
            at: v::at(),
            shares: vec![BucketShare {
                bucket_id: "core".into(),
                share: v::number(1.0),
                target: v::number(1.0),
            }],
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn settled_cash_leaves_out_what_is_under_way_and_is_unknown_without_settlement_days() {
        let eur = |units| Money::from_units(units, Currency::EUR).unwrap();
        let cash = |pending_in, pending_out| Cash {
            bucket_id: "core".into(),
            amount: eur(100),
            reserved: eur(0),
            pending_in,
            pending_out,
            spendable: None,
        };
        assert_eq!(cash(Some(eur(30)), Some(eur(5))).settled(), Some(eur(75)));
        assert_eq!(cash(None, Some(eur(5))).settled(), None);
    }
}
