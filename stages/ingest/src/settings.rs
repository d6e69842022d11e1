//! `[stage.ingest]`.

use std::{collections::BTreeMap, path::PathBuf, str::FromStr};

use contracts::Security;
use market::{Isin, Mic};
use money::{Currency, Price, Quantity};
use providers::{Base, Service};
use serde::Deserialize;

/// What the owner can choose.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where the broker is.
    pub broker_url: String,
    /// Public key of the account.
    pub public_key: String,
    /// File of the private key, relative to the data folder, readable by nobody else.
    pub private_key_file: PathBuf,
    /// Whether prices are also heard over the broker's socket, which only makes them newer.
    pub broker_socket: bool,
    /// Seconds between quotes while a venue is open, 10 to 3 600.
    pub quote_interval_s: u32,
    /// Seconds between questions whether the broker's markets are open, 30 to 3 600.
    pub market_status_interval_s: u32,
    /// Seconds between readings of the currency rates, 60 to 86 400.
    pub fx_interval_s: u32,
    /// Days of bars to read at first, 30 to 6 000; fifteen years unless said otherwise.
    pub history_days: u32,
    /// Where Yahoo is; empty: it is not asked.
    pub yahoo_url: String,
    /// Where the European Central Bank is; empty: it is not asked.
    pub ecb_url: String,
    /// Where Frankfurter is, asked when the bank does not answer; empty: it is not asked.
    pub frankfurter_url: String,
    /// Where OpenFIGI is, asked for the exchange's code when Yahoo's search names no listing; empty: it is not asked.
    pub openfigi_url: String,
    /// Where Stooq is, asked for closes when Yahoo has none; empty: it is not asked.
    pub stooq_url: String,
    /// The key that Stooq gives out.
    pub stooq_key: Option<String>,
    /// Indices whose closes are kept.
    pub indices: Vec<IndexListed>,
    /// Securities with which an empty store begins.
    pub universe: Vec<Listed>,
}

/// An index as the owner lists it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexListed {
    /// Its name, for example the group that it stands for.
    pub name: String,
    /// Yahoo's symbol.
    pub symbol: String,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            broker_url: String::new(),
            public_key: String::new(),
            private_key_file: PathBuf::from("keys/broker"),
            broker_socket: true,
            quote_interval_s: 60,
            market_status_interval_s: 60,
            fx_interval_s: 3_600,
            history_days: 5_479,
            yahoo_url: String::new(),
            ecb_url: String::new(),
            frankfurter_url: String::new(),
            openfigi_url: String::new(),
            stooq_url: String::new(),
            stooq_key: None,
            indices: Vec::new(),
            universe: Vec::new(),
        }
    }
}

impl Settings {
    /// The providers besides the broker that have an address.
    pub(crate) fn bases(&self, simulated: bool) -> Result<BTreeMap<Service, Base>, String> {
        let addresses = [
            (Service::Yahoo, &self.yahoo_url),
            (Service::Ecb, &self.ecb_url),
            (Service::Frankfurter, &self.frankfurter_url),
            (Service::OpenFigi, &self.openfigi_url),
            (Service::Stooq, &self.stooq_url),
        ];
        let set = addresses.into_iter().filter(|(_, url)| !url.is_empty());
        set.map(|(service, url)| {
            let base = Base::parse(url, simulated);
            base.map(|base| (service, base))
                .map_err(|fault| format!("[stage.ingest] `{}_url`: {fault}", service.name()))
        })
        .collect()
    }

    /// Checks ranges.
    pub(crate) fn check(&self) -> Result<(), String> {
        let ranges = [
            ("quote_interval_s", self.quote_interval_s, 10, 3_600),
            ("market_status_interval_s", self.market_status_interval_s, 30, 3_600),
            ("fx_interval_s", self.fx_interval_s, 60, 86_400),
            ("history_days", self.history_days, 30, 6_000),
        ];
        match ranges.iter().find(|(_, value, least, most)| !(least..=most).contains(&value)) {
            Some((name, value, least, most)) => {
                Err(format!("[stage.ingest] `{name}` is {value}, it must be {least} to {most}"))
            }
            None => Ok(()),
        }
    }
}

/// One security as the owner lists it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// The broker's ticker.
    pub ticker: String,
    /// Key.
    pub isin: Isin,
    /// Name for people.
    pub name: String,
    /// Venue.
    pub mic: Mic,
    /// Trading currency.
    pub ccy: Currency,
    /// Two letters; unknown for funds.
    #[serde(default)]
    pub country: Option<String>,
    /// Industry.
    #[serde(default)]
    pub industry: Option<String>,
    /// stock, etf, etc.
    pub product_type: String,
    /// Smallest tradable step.
    pub lot: Number,
    /// Smallest price step.
    #[serde(default)]
    pub tick: Option<Number>,
}

/// A number as people write it, read exactly: `100`, `0.05` or `"0.05"`.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Number {
    /// Without a point.
    Whole(i64),
    /// With a point; its shortest text is what was written.
    Decimal(f64),
    /// In quotes.
    Text(String),
}

impl Number {
    fn read<T: FromStr<Err = money::MoneyError>>(&self) -> Result<T, String> {
        let text = match self {
            Number::Whole(number) => number.to_string(),
            Number::Decimal(number) => number.to_string(),
            Number::Text(text) => text.clone(),
        };
        text.parse().map_err(|error: money::MoneyError| error.to_string())
    }
}

impl Listed {
    /// The security, with the same permission to buy and to sell.
    pub(crate) fn security(&self, allowed: bool) -> Result<Security, String> {
        let fault =
            |field: &str, why: String| format!("[[stage.ingest.universe]] {}: `{field}`: {why}", self.ticker);
        let lot_e6: Quantity = self.lot.read().map_err(|why| fault("lot", why))?;
        let tick_e6: Option<Price> =
            self.tick.as_ref().map(Number::read).transpose().map_err(|why| fault("tick", why))?;
        if !lot_e6.is_positive() {
            return Err(fault("lot", "it must be above zero".into()));
        }
        if tick_e6.is_some_and(Price::is_zero) {
            return Err(fault("tick", "it must be above zero; leave it out when it is unknown".into()));
        }
        Ok(Security {
            isin: self.isin,
            name: self.name.clone(),
            ticker: self.ticker.clone(),
            mic: self.mic,
            ccy: self.ccy,
            country: self.country.clone(),
            industry: self.industry.clone(),
            product_type: self.product_type.clone(),
            lot_e6,
            tick_e6,
            active: true,
            allow_buy: allowed,
            allow_sell: allowed,
            max_weight_e6: None,
            min_weight_e6: None,
            marked_for_exit: false,
            priority_multiplier: None,
            previous_isin: None,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_exactly_however_they_are_written() {
        for (number, expected) in [
            (Number::Whole(500), 500_000_000),
            (Number::Decimal(0.005), 5_000),
            (Number::Text("0.05".into()), 50_000),
        ] {
            assert_eq!(number.read::<Price>().unwrap().e6(), expected);
        }
        assert!(Number::Decimal(f64::NAN).read::<Price>().is_err());
        assert!(Number::Text("1,5".into()).read::<Price>().is_err());
    }

    #[test]
    fn ranges_hold_at_both_ends() {
        for (seconds, good) in [(9, false), (10, true), (3_600, true), (3_601, false)] {
            let settings = Settings { quote_interval_s: seconds, ..Settings::default() };
            assert_eq!(settings.check().is_ok(), good, "{seconds}");
        }
    }
}
