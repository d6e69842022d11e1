//! `getAllSecurities`: master data of instruments by ticker. Its quotes are a frozen snapshot and
//! are not even read.

use std::collections::BTreeMap;

use market::Isin;
use money::{Currency, Price, Quantity};

use crate::command::ReadCommand;
use crate::command::decoding::Decode;
use crate::commands::tickers::Tickers;
use crate::exchange::RequestKind;
use crate::fault::Flaw;
use crate::ids::Ticker;
use crate::json::{Fields, Node};
use crate::pacer::PaceClass;
use crate::params::Params;
use crate::typed::{integer_of, rows_of, text_of};

/// Asks for up to 50 instruments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetSecurities {
    /// Which.
    pub tickers: Tickers<50>,
}

/// Holds the instruments that came, and what did not come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Securities {
    /// Instruments by ticker.
    pub by_ticker: BTreeMap<Ticker, Security>,
    /// Requested tickers the broker does not know or sent unreadable.
    pub missing: Vec<Ticker>,
}

/// Holds the master data of one instrument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Security {
    /// ISIN, when well formed.
    pub isin: Option<Isin>,
    /// Latin name if there is one.
    pub name: Option<String>,
    /// What kind of product it is.
    pub product: Product,
    /// Currency.
    pub currency: Option<Currency>,
    /// Units in one lot.
    pub lot: Option<Quantity>,
    /// Tick.
    pub tick: Option<Price>,
    /// Market code, such as `FIX`, `EU`, `HKEX`.
    pub market: Option<String>,
    /// Market number.
    pub market_id: Option<i64>,
    /// Listing venue, such as `XETRA`: the key to the venue of European tickers.
    pub venue: Option<String>,
    /// The exchange's own code.
    pub exchange_code: Option<String>,
    /// Two letters of the country of risk; empty for funds, whose domicile says nothing.
    pub country: Option<String>,
    /// Business sector in the broker's words; empty for funds.
    pub sector: Option<String>,
    /// Classification of financial instruments.
    pub cfi: Option<String>,
    /// Whether the broker calls it tradable; unknown is not yes.
    pub tradable: Option<bool>,
    /// Whether it is about to be removed.
    pub removed: Option<bool>,
}

/// Says what kind of product an instrument is; only the first four are ever traded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Product {
    /// Common share.
    CommonShare,
    /// Preferred share.
    PreferredShare,
    /// Fund or ETF.
    Fund,
    /// Depositary receipt.
    DepositaryReceipt,
    /// Anything else, with the broker's type and kind.
    Other(Option<i64>, Option<i64>),
}

impl Product {
    /// Tells whether the system may trade such a product.
    pub fn is_tradable(self) -> bool {
        !matches!(self, Self::Other(..))
    }

    fn of(kind: Option<i64>, subkind: Option<i64>) -> Self {
        match (kind, subkind) {
            (Some(1), Some(1)) => Self::CommonShare,
            (Some(1), Some(2)) => Self::PreferredShare,
            (Some(1), Some(7)) => Self::Fund,
            (Some(1), Some(10)) => Self::DepositaryReceipt,
            (kind, subkind) => Self::Other(kind, subkind),
        }
    }
}

impl Decode for GetSecurities {
    type Reply = Securities;

    fn params(&self) -> String {
        let sort = Params::new().text("field", "ticker").text("dir", "ASC").finish();
        let filter = Params::new().text("field", "ticker").text("operator", "in");
        let filter = filter.text("value", &self.tickers.joined()).finish();
        Params::new()
            .integer("take", 50)
            .integer("skip", 0)
            .raw("sort", &format!("[{sort}]"))
            .raw("filter", &format!(r#"{{"filters":[{filter}]}}"#))
            .finish()
    }

    fn decode(&self, reply: Node<'_>) -> Result<Securities, Flaw> {
        let list = reply.get("securities");
        let total = integer_of(reply.get("total"), "total")?;
        if !list.is_present() && total != Some(0) {
            return Err(Flaw::missing("securities"));
        }
        let mut by_ticker = BTreeMap::new();
        for row in rows_of(list, "securities")? {
            let fields = row.fields();
            let Ok(ticker) = fields.need_ticker("ticker") else { continue };
            by_ticker.insert(ticker, security(&fields));
        }
        let missing = self.tickers.iter().filter(|ticker| !by_ticker.contains_key(ticker));
        Ok(Securities { missing: missing.cloned().collect(), by_ticker })
    }
}

impl ReadCommand for GetSecurities {
    const NAME: &'static str = "getAllSecurities";
    const PACE: PaceClass = PaceClass::Directory;
    const KIND: RequestKind = RequestKind::BulkRead;
}

fn security(row: &Fields<'_>) -> Security {
    let product = Product::of(row.integer_or_unknown("instr_type_c"), row.integer_or_unknown("instr_kind_c"));
    let is_fund = product == Product::Fund;
    let attribute = |name| row.get("attributes").embedded(|attributes| text_of(attributes.get(name)));
    let country = || {
        let risk = ["CntryOfRisk", "issuerJurisdiction", "IncomeTaxCountry"].into_iter().map(attribute);
        risk.chain([row.text("issuer_country_code")]).flatten().find(|code| is_country(code))
    };
    Security {
        isin: row.isin("issue_nb"),
        name: row.text("latname").or_else(|| row.text("name")),
        product,
        currency: row.currency("face_curr_c").ok().flatten(),
        lot: row.quantity_or_unknown("lot_size_q").filter(|lot| lot.is_positive()),
        tick: row.live_price_or_unknown("min_step"),
        market: row.text("mkt_short_code").or_else(|| row.text("mkt_name")),
        market_id: row.integer_or_unknown("mkt_id"),
        venue: row.text("codesub_nm").or_else(|| row.text("market")),
        exchange_code: row.text("code_nm").or_else(|| row.text("exchange_ticker")),
        country: if is_fund { None } else { country() },
        sector: if is_fund { None } else { row.text("sector_code") },
        cfi: attribute("CFICode"),
        tradable: row.flag("istrade").ok().flatten(),
        removed: row.flag("to_delete").ok().flatten(),
    }
}

fn is_country(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_four_products_are_tradable() {
        for (kind, subkind, tradable) in [
            (1, 1, true),
            (1, 2, true),
            (1, 7, true),
            (1, 10, true),
            (1, 14, false),
            (2, 1, false),
            (6, 8, false),
        ] {
            assert_eq!(Product::of(Some(kind), Some(subkind)).is_tradable(), tradable, "{kind}/{subkind}");
        }
        assert!(!Product::of(None, None).is_tradable());
        assert!(!Product::of(Some(1), None).is_tradable());
    }

    #[test]
    fn asks_with_one_filter() {
        let tickers = ["NRDW.US", "RHNA.EU"].map(|t| Ticker::parse(t).unwrap()).to_vec();
        let params = GetSecurities { tickers: Tickers::new(tickers).unwrap() }.params();
        assert_eq!(
            params,
            r#"{"take":50,"skip":0,"sort":[{"field":"ticker","dir":"ASC"}],"filter":{"filters":[{"field":"ticker","operator":"in","value":"NRDW.US,RHNA.EU"}]}}"#
        );
    }
}
