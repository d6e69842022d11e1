//! Reads daily closes from the store of `ingest`, through its published view only.

use std::{collections::BTreeMap, path::PathBuf};

use bus_client::{Config, Edge, Place, open_for_reading};
use market::{Day, Isin};

use crate::{Score, limits::BARS_MAX};

/// Closes per security, oldest first, with the last day.
pub type Closes = BTreeMap<Isin, (Vec<f64>, Option<Day>)>;

/// What the scorer asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// The closes of these securities.
    ReadBars {
        /// Which.
        isins: Vec<Isin>,
    },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// Closes per security, oldest first, with the last day.
    Bars(Closes),
    /// The store could not be read.
    Failed {
        /// Which securities were asked for.
        isins: Vec<Isin>,
        /// One sentence.
        why: String,
    },
}

/// The reader of bars.
#[derive(Debug, Clone)]
pub struct Bars {
    market: PathBuf,
}

impl Bars {
    /// Reads the market store of this configuration.
    #[must_use]
    pub fn new(config: &Config) -> Bars {
        Bars { market: config.store_file("market") }
    }

    fn read(&self, isins: &[Isin]) -> Result<Closes, String> {
        let rows = open_for_reading(&Place::File(self.market.clone())).map_err(|error| error.to_string())?;
        let failed =
            |error: rusqlite::Error| format!("bars cannot be read from {}: {error}", self.market.display());
        // The newest bars first, so that the limit cuts off the oldest.
        let mut query = rows
            .prepare("SELECT day, close FROM api_bar WHERE isin = ?1 AND quality <> 'suspect' ORDER BY day DESC LIMIT ?2")
            .map_err(failed)?;
        let limit = i64::try_from(BARS_MAX).unwrap_or(i64::MAX);
        let mut found = BTreeMap::new();
        for isin in isins {
            let bars = query
                .query_map((isin.as_str(), limit), |row| {
                    Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
                })
                .and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>)
                .map_err(failed)?;
            let last = bars.first().and_then(|(day, _)| day.parse().ok());
            // A price in millionths fits a double exactly up to nine thousand million.
            #[allow(clippy::cast_precision_loss)]
            let closes: Vec<f64> = bars
                .iter()
                .rev()
                .map(|(_, close)| *close as f64 / 1e6)
                .filter(|close| *close > 0.0)
                .collect();
            found.insert(*isin, (closes, last));
        }
        Ok(found)
    }
}

impl Edge<Score> for Bars {
    async fn perform(&self, call: Call) -> Reply {
        let Call::ReadBars { isins } = call;
        match self.read(&isins) {
            Ok(bars) => Reply::Bars(bars),
            Err(why) => Reply::Failed { isins, why },
        }
    }
}
