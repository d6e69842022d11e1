//! `getSecurityInfo`: tick, lot and currency of one instrument.

use market::Day;
use money::{Currency, Price, Quantity};

use crate::command::ReadCommand;
use crate::command::decoding::Decode;
use crate::fault::Flaw;
use crate::ids::Ticker;
use crate::json::Node;
use crate::pacer::PaceClass;
use crate::params::Params;

/// Asks for one instrument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetSecurityInfo {
    /// Which.
    pub ticker: Ticker,
}

/// Holds one instrument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityInfo {
    /// The ticker as the broker confirms it.
    pub ticker: Ticker,
    /// Short name.
    pub name: Option<String>,
    /// The exchange's own code.
    pub exchange_code: Option<String>,
    /// Trading currency.
    pub currency: Option<Currency>,
    /// Tick.
    pub tick: Option<Price>,
    /// Units in one lot; an unknown lot stops trading where lots differ.
    pub lot: Option<Quantity>,
    /// Market code, such as `FIX`.
    pub market: Option<String>,
    /// Market number.
    pub market_id: Option<i64>,
    /// First day of history.
    pub first_day: Option<Day>,
}

impl Decode for GetSecurityInfo {
    type Reply = SecurityInfo;

    fn params(&self) -> String {
        Params::new().text("ticker", self.ticker.as_str()).flag("sup", true).finish()
    }

    fn decode(&self, reply: Node<'_>) -> Result<SecurityInfo, Flaw> {
        let fields = reply.fields();
        let ticker = fields.need_ticker("nt_ticker")?;
        if ticker != self.ticker {
            return Err(Flaw::new("nt_ticker", "is another instrument than the one asked for"));
        }
        Ok(SecurityInfo {
            ticker,
            name: fields.text("short_name"),
            exchange_code: fields.text("code_nm"),
            currency: fields.currency("currency")?,
            tick: fields.live_price_or_unknown("min_step"),
            lot: fields.quantity_or_unknown("lot").filter(|lot| lot.is_positive()),
            market: fields.text("mkt_name"),
            market_id: fields.get("mrkt").fields().integer_or_unknown("mkt_id"),
            first_day: fields.day("firstDate"),
        })
    }
}

impl ReadCommand for GetSecurityInfo {
    const NAME: &'static str = "getSecurityInfo";
    const PACE: PaceClass = PaceClass::Live;
}
