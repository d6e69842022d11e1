//! `getPositionJson`: what the account holds, in securities and in cash.

use market::Isin;
use money::{Currency, Money, Price, Quantity};

use crate::command::ReadCommand;
use crate::command::decoding::Decode;
use crate::fault::Flaw;
use crate::ids::Ticker;
use crate::json::{Fields, Node};
use crate::pacer::PaceClass;

/// Asks for positions and cash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetPositions;

/// Holds one consistent reading of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Cash, one row per currency.
    pub cash: Vec<CashRow>,
    /// Securities, one row per ticker.
    pub positions: Vec<PositionRow>,
}

/// Holds the cash in one currency. Any amount may be negative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CashRow {
    /// The currency.
    pub currency: Currency,
    /// Money available; negative after fees or accruals.
    pub available: Money,
    /// Unsettled receivable.
    pub receivable: Option<Money>,
    /// Unsettled payable.
    pub payable: Option<Money>,
    /// Expected to come in, working orders included (unverified).
    pub forecast_in: Option<Money>,
    /// Expected to go out, working orders included (unverified).
    pub forecast_out: Option<Money>,
}

/// Holds one position. Values the broker computes are left out: they have been absurd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PositionRow {
    /// The broker's ticker.
    pub ticker: Ticker,
    /// ISIN, when it is there and well formed.
    pub isin: Option<Isin>,
    /// Name in the account's language.
    pub name: Option<String>,
    /// Units held; negative is a short position, a fault of the account.
    pub quantity: Quantity,
    /// Trading currency.
    pub currency: Currency,
    /// Average acquisition price of a unit.
    pub average_price: Option<Price>,
    /// Last price known to the back office; a fall-back only.
    pub market_price: Option<Price>,
    /// Previous close.
    pub close_price: Option<Price>,
    /// Accrued interest of bonds.
    pub accrued: Option<Money>,
    /// Settlement scheme, such as `T1`.
    pub settlement: Option<String>,
    /// The broker's instrument number.
    pub instrument_id: Option<i64>,
    /// The broker's market number.
    pub market_id: Option<i64>,
}

impl Decode for GetPositions {
    type Reply = Account;

    fn params(&self) -> String {
        "{}".to_owned()
    }

    fn decode(&self, reply: Node<'_>) -> Result<Account, Flaw> {
        let nested = reply.get("result").get("ps");
        let fields =
            if nested.is_present() { nested } else { reply }.open().ok_or(Flaw::missing("result.ps"))?;
        let loaded = fields.flag("loaded")?;
        let named = fields.get("acc").is_present() && fields.get("pos").is_present();
        // Without the word "loaded" only both lists together make a reading: an account that
        // merely failed to load must never look empty.
        match loaded {
            Some(true) => {}
            None if named => {}
            None => return Err(Flaw::missing("result.ps")),
            Some(false) => {
                return Err(Flaw::new("loaded", "is false: the lists mean nothing yet, ask again"));
            }
        }
        let cash = fields.rows("acc")?.into_iter().map(|row| cash_row(&row.fields()));
        let positions = fields.rows("pos")?.into_iter().map(|row| position_row(&row.fields()));
        Ok(Account { cash: cash.collect::<Result<_, _>>()?, positions: positions.collect::<Result<_, _>>()? })
    }
}

impl ReadCommand for GetPositions {
    const NAME: &'static str = "getPositionJson";
    const PACE: PaceClass = PaceClass::Live;
}

fn cash_row(row: &Fields<'_>) -> Result<CashRow, Flaw> {
    let currency = row.need_currency("curr")?;
    Ok(CashRow {
        currency,
        available: row.need_money("s", currency)?,
        receivable: row.money("t2_in", currency)?,
        payable: row.money("t2_out", currency)?,
        forecast_in: row.money("forecast_in", currency)?,
        forecast_out: row.money("forecast_out", currency)?,
    })
}

fn position_row(row: &Fields<'_>) -> Result<PositionRow, Flaw> {
    let currency = row.need_currency("curr")?;
    Ok(PositionRow {
        ticker: row.need_ticker("i")?,
        isin: row.isin("issue_nb"),
        name: row.text("name2").or_else(|| row.text("name")),
        quantity: row.need_quantity("q")?,
        currency,
        average_price: row.price("bal_price_a")?,
        market_price: row.live_price_or_unknown("mkt_price"),
        close_price: row.live_price_or_unknown("close_price"),
        accrued: row.money("accruedint_a", currency).ok().flatten(),
        settlement: row.text("scheme_calc"),
        instrument_id: row.integer_or_unknown("instr_id"),
        market_id: row.integer_or_unknown("mkt_id"),
    })
}
