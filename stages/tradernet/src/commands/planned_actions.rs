//! `getPlannedCorpActions`: announced dividends and other corporate actions (shape unverified).

use market::Day;
use money::Currency;

use crate::command::ReadCommand;
use crate::command::decoding::Decode;
use crate::fault::Flaw;
use crate::ids::Ticker;
use crate::json::{Fields, Node, Shape};
use crate::pacer::PaceClass;
use crate::params::Params;
use crate::typed::text_of;

/// Digits kept of an amount for one unit; dividends are quoted finer than cents.
const PER_UNIT_DIGITS: u32 = 6;

/// Asks for announced corporate actions of an office of the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetPlannedActions {
    /// Office number; 35 is Freedom24.
    pub reception: u32,
}

/// Holds the announcements.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlannedActions {
    /// Readable rows.
    pub rows: Vec<PlannedAction>,
    /// Rows that could not be read; the shape is unverified, so they are expected.
    pub unreadable: usize,
}

/// Holds one announcement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedAction {
    /// The broker's id.
    pub id: Option<String>,
    /// Kind as written, such as `dividend` or `split`.
    pub kind: String,
    /// Security.
    pub ticker: Ticker,
    /// Amount for one unit in millionths of the currency.
    pub per_unit_e6: Option<i64>,
    /// Currency of the amount.
    pub currency: Option<Currency>,
    /// First day without the right.
    pub ex_day: Option<Day>,
    /// Day of payment.
    pub pay_day: Option<Day>,
    /// Whether it has been carried out.
    pub executed: Option<bool>,
}

impl Decode for GetPlannedActions {
    type Reply = PlannedActions;

    fn params(&self) -> String {
        Params::new().integer("reception", self.reception).finish()
    }

    fn decode(&self, reply: Node<'_>) -> Result<PlannedActions, Flaw> {
        if reply.shape() != Shape::List {
            return Err(Flaw::new("body", "is not a list"));
        }
        let rows = reply.list().ok_or(Flaw::new("body", "is not a list"))?;
        let mut found = PlannedActions::default();
        for row in rows {
            match planned_action(&row.fields()) {
                Ok(action) => found.rows.push(action),
                Err(_) => found.unreadable += 1,
            }
        }
        Ok(found)
    }
}

impl ReadCommand for GetPlannedActions {
    const NAME: &'static str = "getPlannedCorpActions";
    const PACE: PaceClass = PaceClass::History;
}

fn planned_action(row: &Fields<'_>) -> Result<PlannedAction, Flaw> {
    Ok(PlannedAction {
        id: text_of(row.first(&["id", "corporate_action_id"])),
        kind: row.need_text("type")?,
        ticker: row.need_ticker("ticker")?,
        per_unit_e6: row.number("amount_per_one", PER_UNIT_DIGITS)?,
        currency: row.currency("currency")?,
        ex_day: row.day("ex_date"),
        pay_day: row.day("pay_date"),
        executed: row.flag("executed")?,
    })
}
