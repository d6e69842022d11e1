//! What a Yahoo symbol names, and how Yahoo describes the place where it trades.

use crate::core::calendar::Venue;
use crate::core::market::fx::CURRENCIES;
use crate::core::universe::{Kind, Security};
use crate::core::world::World;

/// What stands behind a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behind {
    /// A security of the universe.
    Security(usize),
    /// An index that follows a fund: place in the market and factor.
    Follows(usize, i64),
    /// The volatility index.
    Volatility,
    /// A yield: its long-run mean in hundredths of a percent.
    Yield(i64),
    /// A currency against another.
    Cross(&'static str, &'static str),
}

/// A symbol as Yahoo lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) symbol: String,
    pub(super) behind: Behind,
    /// Short code of the exchange.
    pub(super) exchange: &'static str,
    /// Name of the exchange.
    pub(super) exchange_name: &'static str,
    /// Currency as Yahoo labels it: `GBp` are pence.
    pub(super) currency: &'static str,
    /// Delivered units per unit of the currency: 100 for pence.
    pub(super) minor: i64,
    /// EQUITY, ETF, MUTUALFUND, INDEX or CURRENCY.
    pub(super) kind: &'static str,
    /// Name.
    pub(super) name: String,
    /// Trading hours.
    pub(super) venue: Venue,
    /// Minutes by which quotes are late.
    pub(super) delay_min: i64,
}

impl Listed {
    /// Returns the place in the market of a security.
    pub(super) fn security(&self) -> Option<usize> {
        match self.behind {
            Behind::Security(index) => Some(index),
            _ => None,
        }
    }
}

/// Indices: symbol, fund that they follow, factor, name.
const INDICES: [(&str, &str, i64, &str, &str); 3] = [
    ("^GSPC", "QXTM.US", 40, "S&P 500", "INDEX"),
    ("SPY", "QXTM.US", 4, "SPDR S&P 500", "ETF"),
    ("^STOXX", "MGLW.EU", 7, "STXE 600 PR.EUR", "INDEX"),
];

/// Yields: symbol, long-run mean in hundredths of a percent, name.
const YIELDS: [(&str, i64, &str); 4] = [
    ("^IRX", 360, "13 WEEK TREASURY BILL"),
    ("^FVX", 380, "Treasury Yield 5 Years"),
    ("^TNX", 410, "CBOE Interest Rate 10 Year T No"),
    ("^TYX", 440, "Treasury Yield 30 Years"),
];

/// Listings on a second venue: the same paper, a different price source for whoever picks the first hit.
pub(super) const WRONG_VENUES: [(&str, &str); 1] = [("RHNA.F", "RHNA.EU")];

/// Returns Yahoo's code and name of an exchange.
pub(super) fn exchange(codesub: &str) -> (&'static str, &'static str) {
    match codesub {
        "NASDAQ" => ("NMS", "NasdaqGS"),
        "NYSE" => ("NYQ", "NYSE"),
        "NYSE Arca" => ("PCX", "NYSEArca"),
        "XETRA" => ("GER", "XETRA"),
        "PARIS" => ("PAR", "Paris"),
        "AMSTERDAM" => ("AMS", "Amsterdam"),
        "MILAN" => ("MIL", "Milan"),
        "COPENHAGEN" => ("CPH", "Copenhagen"),
        "LSE" => ("LSE", "LSE"),
        "HKEX" => ("HKG", "HKSE"),
        _ => ("JPX", "Tokyo"),
    }
}

/// Returns the zone of a venue as the zone database names it.
pub(super) fn zone(venue: Venue) -> &'static str {
    match venue {
        Venue::NewYork => "America/New_York",
        Venue::Frankfurt => "Europe/Berlin",
        Venue::Paris => "Europe/Paris",
        Venue::Amsterdam => "Europe/Amsterdam",
        Venue::Milan => "Europe/Rome",
        Venue::Copenhagen => "Europe/Copenhagen",
        Venue::London => "Europe/London",
        Venue::HongKong => "Asia/Hong_Kong",
        Venue::Tokyo => "Asia/Tokyo",
    }
}

/// Returns the abbreviation that goes with a zone at an offset.
pub(super) fn zone_short(venue: Venue, offset_min: i64) -> &'static str {
    match (venue, offset_min) {
        (Venue::NewYork, -300) => "EST",
        (Venue::NewYork, _) => "EDT",
        (Venue::London, 0) => "GMT",
        (Venue::London, _) => "BST",
        (Venue::HongKong, _) => "HKT",
        (Venue::Tokyo, _) => "JST",
        (_, 60) => "CET",
        _ => "CEST",
    }
}

impl World {
    /// Finds what a Yahoo symbol names; case matters nowhere but in the answer.
    pub(super) fn listed(&self, symbol: &str) -> Option<Listed> {
        let symbol = symbol.to_ascii_uppercase();
        let index_of = |ticker: &str| self.market.find(ticker);
        let visible = |s: &Security| self.market.find(s.ticker);
        if let Some(index) = self
            .market
            .listings
            .iter()
            .find(|l| l.security.yahoo == symbol)
            .and_then(|l| visible(&l.security))
        {
            return Some(self.listed_security(index, &symbol));
        }
        if let Some((_, ticker)) = WRONG_VENUES.iter().find(|(wrong, _)| *wrong == symbol) {
            let listed = self.listed_security(index_of(ticker)?, &symbol);
            return Some(Listed { exchange: "FRA", exchange_name: "Frankfurt", ..listed });
        }
        let american = |behind, name: &str, kind| Listed {
            symbol: symbol.clone(),
            behind,
            exchange: "SNP",
            exchange_name: "SNP",
            currency: "USD",
            minor: 1,
            kind,
            name: name.to_owned(),
            venue: Venue::NewYork,
            delay_min: 0,
        };
        if let Some((_, ticker, factor, name, kind)) = INDICES.iter().find(|(s, ..)| *s == symbol) {
            let index = index_of(ticker)?;
            let security = &self.market.listings[index].security;
            let listed = american(Behind::Follows(index, *factor), name, kind);
            return Some(Listed { currency: security.currency, venue: security.venue, ..listed });
        }
        if symbol == "^VIX" {
            return Some(american(Behind::Volatility, "CBOE Volatility Index", "INDEX"));
        }
        if let Some((_, mean, name)) = YIELDS.iter().find(|(s, ..)| *s == symbol) {
            return Some(american(Behind::Yield(*mean), name, "INDEX"));
        }
        let (base, quote) = currencies(symbol.strip_suffix("=X")?)?;
        Some(Listed {
            currency: quote,
            exchange: "CCY",
            exchange_name: "CCY",
            venue: Venue::London,
            ..american(Behind::Cross(base, quote), &format!("{base}/{quote}"), "CURRENCY")
        })
    }

    /// Describes a security under one of its symbols.
    pub(super) fn listed_security(&self, index: usize, symbol: &str) -> Listed {
        let security = &self.market.listings[index].security;
        let (exchange, exchange_name) = exchange(security.codesub);
        let pence = security.currency == "GBP";
        Listed {
            symbol: symbol.to_owned(),
            behind: Behind::Security(index),
            exchange,
            exchange_name,
            currency: if pence { "GBp" } else { security.currency },
            minor: if pence { 100 } else { 1 },
            kind: match security.kind {
                Kind::Share => "EQUITY",
                Kind::Etf => "ETF",
                Kind::Etc => "MUTUALFUND",
            },
            name: security.name.to_owned(),
            venue: security.venue,
            delay_min: if security.venue == Venue::NewYork { 0 } else { 15 },
        }
    }
}

/// Reads `EURUSD` or, against the dollar, `HKD`.
fn currencies(text: &str) -> Option<(&'static str, &'static str)> {
    let known = |code: &str| {
        if code == "EUR" { Some("EUR") } else { CURRENCIES.iter().copied().find(|c| *c == code) }
    };
    match text.len() {
        6 => Some((known(text.get(..3)?)?, known(text.get(3..)?)?)).filter(|(a, b)| a != b),
        3 => Some(("USD", known(text)?)).filter(|(a, b)| a != b),
        _ => None,
    }
}
