//! What `ingest` says about the market: quotes, currency rates, venues, the universe, history.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use ::market::{Day, Isin, Mic, Timestamp};
use ::money::{Currency, Price, Quantity, Rate, Weight};

use crate::{Finite, Sample, sample_values as v};

/// Where a figure came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The brokerage.
    Broker,
    /// Yahoo.
    Yahoo,
    /// The European Central Bank.
    Ecb,
    /// A person.
    Manual,
    /// An imported ledger.
    Import,
    /// Computed from other figures.
    Derived,
}

/// Last price of a security.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Quote {
    /// Which security.
    pub isin: Isin,
    /// Venue of the price.
    pub mic: Mic,
    /// Last price, 1/1 000 000 of the currency.
    pub price_e6: Price,
    /// Best bid, if known.
    pub bid_e6: Option<Price>,
    /// Best ask, if known.
    pub ask_e6: Option<Price>,
    /// Currency of the price; pence are converted before they get here.
    pub ccy: Currency,
    /// When the price was made.
    pub at: Timestamp,
    /// Who says so.
    pub source: Source,
    /// Jumped too far to be believed without a second look; nothing may be bought or sold on it.
    pub suspect: bool,
}

impl Sample for Quote {
    fn sample() -> Self {
        Quote {
            isin: v::isin(),
            mic: v::mic(),
            price_e6: v::price(),
            bid_e6: Some(v::price()),
            ask_e6: None,
            ccy: Currency::EUR,
            at: v::at(),
            source: Source::Broker,
            suspect: false,
        }
    }
}

/// One currency rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FxRate {
    /// EUR for one unit of the currency, 1/1 000 000 000.
    pub eur_per_unit_e9: Rate,
    /// When the rate was made.
    pub as_of: Timestamp,
    /// Who says so.
    pub source: Source,
}

/// All currency rates known; a currency that is absent is unknown, never one to one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FxRates {
    /// By currency; EUR itself is one.
    pub rates: BTreeMap<Currency, FxRate>,
    /// When the newest of them came in.
    pub at: Timestamp,
}

impl Sample for FxRates {
    fn sample() -> Self {
        FxRates {
            rates: BTreeMap::from([(
                v::usd(),
                FxRate { eur_per_unit_e9: v::rate(), as_of: v::at(), source: Source::Ecb },
            )]),
            at: v::at(),
        }
    }
}

/// Whether a venue is open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Venue {
    /// Which venue.
    pub mic: Mic,
    /// Open now; unknown means closed.
    pub open: bool,
    /// Why, for example `regular`, `lunch_break`, `holiday`, `unknown_venue`, `beyond_calendar`.
    pub reason: String,
    /// Whole minutes since the present stretch of trading began.
    pub since_open_min: Option<i64>,
    /// Whole minutes until it ends.
    pub until_close_min: Option<i64>,
    /// When open or closed changes next; unknown beyond the calendar.
    pub next_change: Option<Timestamp>,
    /// Orders are refused by the venue itself when it is shut.
    pub strict: bool,
    /// Days that the calendar still covers.
    pub calendar_days_left: i64,
}

impl Sample for Venue {
    fn sample() -> Self {
        Venue {
            mic: v::mic(),
            open: true,
            reason: "regular".into(),
            since_open_min: Some(90),
            until_close_min: Some(420),
            next_change: Some(v::at()),
            strict: false,
            calendar_days_left: 300,
        }
    }
}

/// One security of the universe and what may be done with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Security {
    /// Key.
    pub isin: Isin,
    /// Name for people.
    pub name: String,
    /// The broker's ticker.
    pub ticker: String,
    /// Venue it is traded at.
    pub mic: Mic,
    /// Trading currency.
    pub ccy: Currency,
    /// Two letters; unknown for funds.
    pub country: Option<String>,
    /// Industry, if known.
    pub industry: Option<String>,
    /// stock, etf, etc.
    pub product_type: String,
    /// Smallest tradable step.
    pub lot_e6: Quantity,
    /// Smallest price step, if known.
    pub tick_e6: Option<Price>,
    /// Watched and scored.
    pub active: bool,
    /// The owner lets Steward buy it.
    pub allow_buy: bool,
    /// The owner lets Steward sell it.
    pub allow_sell: bool,
    /// The owner's own limit, if any.
    pub max_weight_e6: Option<Weight>,
    /// The least the owner wants of it, if any.
    #[serde(default)]
    pub min_weight_e6: Option<Weight>,
    /// The owner wants it sold over time and not bought again.
    #[serde(default)]
    pub marked_for_exit: bool,
    /// How much the owner prefers it, 0.1 to 3: purchases come sooner, sales later. Absent = 1.
    #[serde(default)]
    pub priority_multiplier: Option<Finite>,
    /// The ISIN it had before, if a corporate action changed it: whoever keeps rows of it can find those of before.
    #[serde(default)]
    pub previous_isin: Option<Isin>,
}

/// The active securities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Universe {
    /// In the order of their ISIN.
    pub securities: Vec<Security>,
}

impl Universe {
    /// Finds a security.
    #[must_use]
    pub fn find(&self, isin: &Isin) -> Option<&Security> {
        self.securities.iter().find(|security| security.isin == *isin)
    }
}

impl Sample for Security {
    fn sample() -> Self {
        Security {
            isin: v::isin(),
            name: "Rheinau Automation SE".into(),
            ticker: "RHNA.EU".into(),
            mic: v::mic(),
            ccy: Currency::EUR,
            country: Some("DE".into()),
            industry: Some("Specialty Industrial Machinery".into()),
            product_type: "stock".into(),
            lot_e6: v::one(),
            tick_e6: Some(v::price()),
            active: true,
            allow_buy: true,
            allow_sell: true,
            max_weight_e6: None,
            min_weight_e6: None,
            marked_for_exit: false,
            priority_multiplier: None,
            previous_isin: None,
        }
    }
}

impl Sample for Universe {
    fn sample() -> Self {
        Universe { securities: vec![Security::sample()] }
    }
}

/// How far the daily bars reach.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct History {
    /// Last day up to which bars are complete, per security.
    pub complete_until: BTreeMap<Isin, Day>,
    /// How many bars are stored in all.
    pub bars: u64,
}

impl Sample for History {
    fn sample() -> Self {
        History { complete_until: BTreeMap::from([(v::isin(), v::day())]), bars: 3_012 }
    }
}

/// Adds a security to the universe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SecurityAdd {
    /// Who asks.
    pub actor: String,
    /// ISIN, the broker's ticker, or the name.
    pub identifier: String,
    /// Venue to take where several are possible.
    pub mic: Option<Mic>,
}

impl Sample for SecurityAdd {
    fn sample() -> Self {
        SecurityAdd { actor: "steward".into(), identifier: "DE000SMX0015".into(), mic: None }
    }
}

/// A field that the owner may correct against the providers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Corrected {
    /// Name for people.
    Name,
    /// Two letters.
    Country,
    /// Industry in words.
    Industry,
    /// stock, etf, etc.
    ProductType,
    /// What Yahoo calls it.
    YahooSymbol,
}

impl Corrected {
    /// All of them.
    pub const ALL: [Corrected; 5] =
        [Self::Name, Self::Country, Self::Industry, Self::ProductType, Self::YahooSymbol];

    /// The name in the store and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Country => "country",
            Self::Industry => "industry",
            Self::ProductType => "product_type",
            Self::YahooSymbol => "yahoo_symbol",
        }
    }
}

/// Changes what the owner says of a security; what is absent stays as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SecurityUpdate {
    /// Who asks.
    pub actor: String,
    /// Which.
    pub isin: Isin,
    /// Watched and scored again.
    pub active: Option<bool>,
    /// May be bought.
    pub allow_buy: Option<bool>,
    /// May be sold.
    pub allow_sell: Option<bool>,
    /// Conviction, 0.1 to 3.
    pub priority: Option<Finite>,
    /// Least share of the fund, 0 to 20 %.
    pub min_weight_e6: Option<Weight>,
    /// Most share of the fund, 0 to 30 %.
    pub max_weight_e6: Option<Weight>,
    /// To be sold over time.
    pub marked_for_exit: Option<bool>,
    /// Corrections against the providers; null takes one back.
    pub corrections: BTreeMap<Corrected, Option<String>>,
}

impl SecurityUpdate {
    /// A change of nothing, to be filled.
    #[must_use]
    pub fn of(actor: &str, isin: Isin) -> Self {
        SecurityUpdate {
            actor: actor.into(),
            isin,
            active: None,
            allow_buy: None,
            allow_sell: None,
            priority: None,
            min_weight_e6: None,
            max_weight_e6: None,
            marked_for_exit: None,
            corrections: BTreeMap::new(),
        }
    }
}

impl Sample for SecurityUpdate {
    fn sample() -> Self {
        let corrections = BTreeMap::from([(Corrected::Country, Some("DE".into()))]);
        SecurityUpdate {
            allow_buy: Some(true),
            priority: Some(v::number(1.5)),
            corrections,
            ..SecurityUpdate::of("steward", v::isin())
        }
    }
}

/// Takes a security out of the universe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SecurityDeactivate {
    /// Who asks.
    pub actor: String,
    /// Which.
    pub isin: Isin,
    /// Why, in words.
    pub text: String,
    /// Even while it is held: it is then neither watched nor sold.
    pub force: bool,
}

impl Sample for SecurityDeactivate {
    fn sample() -> Self {
        SecurityDeactivate { actor: "steward".into(), isin: v::isin(), text: "Merged.".into(), force: false }
    }
}

/// Reads data again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct IngestRun {
    /// Who asks.
    pub actor: String,
    /// One security, or all.
    pub isin: Option<Isin>,
}

impl Sample for IngestRun {
    fn sample() -> Self {
        IngestRun { actor: "steward".into(), isin: Some(v::isin()) }
    }
}
