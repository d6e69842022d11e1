//! Which security a source's symbol means on a given day.
//!
//! Sources reuse and rename symbols, so each entry has days of validity. A symbol that could mean two securities
//! on the same day is refused when it is entered; what is not in the table is unknown, never guessed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::day::Day;
use crate::isin::Isin;
use crate::mic::Mic;
use crate::symbol::Symbol;

/// The most entries one symbol can have; symbols change hands a few times in decades.
pub const ALIASES_PER_SYMBOL_MAX: usize = 16;

/// One row of the table: a symbol means a security, from a day to a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Alias {
    /// The symbol at its source.
    pub symbol: Symbol,
    /// The security it means.
    pub isin: Isin,
    /// The venue it implies, where it implies one.
    pub mic: Option<Mic>,
    /// First day of validity; absent: since ever.
    pub valid_from: Option<Day>,
    /// Last day of validity, itself included; absent: until further notice.
    pub valid_to: Option<Day>,
}

/// Why a row does not enter the table, in the order in which it is examined.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AliasError {
    /// The last day lies before the first.
    #[error("alias {symbol}: valid_to {to} lies before valid_from {from}: swap or correct them")]
    Backwards {
        /// The symbol of the row.
        symbol: Symbol,
        /// The first day.
        from: Day,
        /// The last day.
        to: Day,
    },
    /// On some day the symbol would mean two securities.
    #[error(
        "alias {symbol} would mean {isin} and {other} on the same day: end the older one's validity first"
    )]
    Ambiguous {
        /// The symbol of the row.
        symbol: Symbol,
        /// The security of the refused row.
        isin: Isin,
        /// The security it already means.
        other: Isin,
    },
    /// The same symbol already means the same security on some of the days.
    #[error("alias {symbol} already means {isin} on some of these days: change the existing row instead")]
    Repeated {
        /// The symbol of the row.
        symbol: Symbol,
        /// The security it already means.
        isin: Isin,
    },
    /// The symbol has [`ALIASES_PER_SYMBOL_MAX`] rows already.
    #[error("alias {symbol} has 16 rows already: remove rows that no trade refers to")]
    Full {
        /// The symbol of the row.
        symbol: Symbol,
    },
}

/// The table from symbols to securities.
///
/// # Examples
///
/// ```
/// use market::{Alias, Aliases, Source, Symbol};
///
/// let symbol = Symbol::new(Source::Yahoo, "RHNA.DE").unwrap();
/// let isin = "DE000SMX0015".parse().unwrap();
/// let mut aliases = Aliases::default();
/// aliases.insert(Alias { symbol, isin, mic: None, valid_from: None, valid_to: None })?;
/// assert_eq!(aliases.isin(symbol, "2026-03-02".parse().unwrap()), Some(isin));
/// # Ok::<(), market::AliasError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aliases {
    rows: BTreeMap<Symbol, Vec<Alias>>,
}

impl Alias {
    /// True when the row is valid on `day`.
    #[must_use]
    pub fn is_valid_on(&self, day: Day) -> bool {
        self.first() <= day && day <= self.last()
    }

    fn first(&self) -> Day {
        self.valid_from.unwrap_or(Day::MIN)
    }

    fn last(&self) -> Day {
        self.valid_to.unwrap_or(Day::MAX)
    }
}

impl Aliases {
    /// Builds the table from rows.
    ///
    /// # Errors
    ///
    /// The [`AliasError`] of the first row that does not fit those before it.
    pub fn from_rows(rows: impl IntoIterator<Item = Alias>) -> Result<Self, AliasError> {
        let mut aliases = Self::default();
        for row in rows {
            aliases.insert(row)?;
        }
        Ok(aliases)
    }

    /// Adds a row; the table is unchanged when it is refused.
    ///
    /// # Errors
    ///
    /// An [`AliasError`] when the row runs backwards, or a day of it is taken.
    pub fn insert(&mut self, row: Alias) -> Result<(), AliasError> {
        let Alias { symbol, isin, .. } = row;
        let (from, to) = (row.first(), row.last());
        if to < from {
            return Err(AliasError::Backwards { symbol, from, to });
        }
        let known = self.rows.get(&symbol).map_or(&[][..], Vec::as_slice);
        let overlapping = || known.iter().filter(|other| other.first() <= to && from <= other.last());
        if let Some(other) = overlapping().find(|other| other.isin != isin) {
            return Err(AliasError::Ambiguous { symbol, isin, other: other.isin });
        }
        if overlapping().next().is_some() {
            return Err(AliasError::Repeated { symbol, isin });
        }
        if known.len() >= ALIASES_PER_SYMBOL_MAX {
            return Err(AliasError::Full { symbol });
        }
        let rows = self.rows.entry(symbol).or_default();
        rows.push(row);
        rows.sort_by_key(Alias::first);
        Ok(())
    }

    /// The row of `symbol` that is valid on `day`.
    #[must_use]
    pub fn row(&self, symbol: Symbol, day: Day) -> Option<&Alias> {
        self.rows.get(&symbol)?.iter().find(|row| row.is_valid_on(day))
    }

    /// The security that `symbol` means on `day`; `None` when the table does not say.
    #[must_use]
    pub fn isin(&self, symbol: Symbol, day: Day) -> Option<Isin> {
        self.row(symbol, day).map(|row| row.isin)
    }

    /// The symbols that mean `isin` on `day`, in the order of their sources.
    pub fn symbols_of(&self, isin: Isin, day: Day) -> impl Iterator<Item = Symbol> + '_ {
        self.rows().filter(move |row| row.isin == isin && row.is_valid_on(day)).map(|row| row.symbol)
    }

    /// All rows, by symbol and first day.
    pub fn rows(&self) -> impl Iterator<Item = &Alias> + '_ {
        self.rows.values().flatten()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::source::Source;

    const RHEINAU: &str = "DE000SMX0015";
    const ALPENBACH: &str = "DE000SMX0023";

    fn row(isin: &str, from: &str, to: &str) -> Alias {
        let day = |text: &str| (!text.is_empty()).then(|| text.parse::<Day>().unwrap());
        Alias {
            symbol: Symbol::new(Source::Yahoo, "RHNA.DE").unwrap(),
            isin: isin.parse().unwrap(),
            mic: None,
            valid_from: day(from),
            valid_to: day(to),
        }
    }

    fn meaning(aliases: &Aliases, day: &str) -> Option<String> {
        aliases.isin(row(RHEINAU, "", "").symbol, day.parse().unwrap()).map(|isin| isin.to_string())
    }

    #[test]
    fn a_symbol_that_changed_hands_means_each_on_its_days() {
        let aliases =
            Aliases::from_rows([row(ALPENBACH, "2025-01-01", ""), row(RHEINAU, "", "2024-06-30")]).unwrap();
        assert_eq!(meaning(&aliases, "2024-06-30").as_deref(), Some(RHEINAU));
        assert_eq!(meaning(&aliases, "2024-07-01"), None);
        assert_eq!(meaning(&aliases, "2024-12-31"), None);
        assert_eq!(meaning(&aliases, "2025-01-01").as_deref(), Some(ALPENBACH));
    }

    #[test]
    fn refuses_two_meanings_on_one_day_and_keeps_the_first() {
        let mut aliases = Aliases::from_rows([row(RHEINAU, "", "2024-06-30")]).unwrap();
        let refusal = aliases.insert(row(ALPENBACH, "2024-06-30", "")).unwrap_err();
        assert!(matches!(refusal, AliasError::Ambiguous { .. }), "{refusal}");
        assert_eq!(aliases.rows().count(), 1);
        assert_eq!(meaning(&aliases, "2024-06-30").as_deref(), Some(RHEINAU));
        aliases.insert(row(ALPENBACH, "2024-07-01", "")).unwrap();
    }

    #[test]
    fn refuses_repeated_and_backward_rows() {
        let mut aliases = Aliases::from_rows([row(RHEINAU, "", "")]).unwrap();
        assert!(matches!(aliases.insert(row(RHEINAU, "2026-01-01", "")), Err(AliasError::Repeated { .. })));
        let backwards = row(RHEINAU, "2026-01-02", "2026-01-01");
        assert!(matches!(aliases.insert(backwards), Err(AliasError::Backwards { .. })));
    }

    #[test]
    fn one_symbol_has_at_most_sixteen_rows() {
        let mut aliases = Aliases::default();
        for year in 0..ALIASES_PER_SYMBOL_MAX {
            let (from, to) = (format!("{}-01-01", 2000 + year), format!("{}-12-31", 2000 + year));
            aliases.insert(row(RHEINAU, &from, &to)).unwrap();
        }
        assert!(matches!(aliases.insert(row(RHEINAU, "2030-01-01", "")), Err(AliasError::Full { .. })));
    }

    #[test]
    fn another_sources_symbol_is_unknown() {
        let aliases = Aliases::from_rows([row(RHEINAU, "", "")]).unwrap();
        let at_broker = Symbol::new(Source::Broker, "RHNA.DE").unwrap();
        let day: Day = "2026-03-02".parse().unwrap();
        assert_eq!(aliases.isin(at_broker, day), None);
        let symbols: Vec<Symbol> = aliases.symbols_of(RHEINAU.parse().unwrap(), day).collect();
        assert_eq!(symbols, [row(RHEINAU, "", "").symbol]);
    }
}
