//! The fictional securities as a client's universe needs them, so that nobody types them twice.

use market::{Calendars, Mic};

use crate::core::universe::{Kind, securities};

/// One security of the simulated universe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Broker's ticker.
    pub ticker: &'static str,
    /// ISIN; never to be sent to a real service.
    pub isin: &'static str,
    /// Name.
    pub name: &'static str,
    /// Venue.
    pub mic: Mic,
    /// Trading currency.
    pub ccy: &'static str,
    /// Two letters; absent for funds.
    pub country: Option<&'static str>,
    /// Absent for funds.
    pub industry: Option<&'static str>,
    /// `stock` or `etf`.
    pub product_type: &'static str,
    /// Units per lot.
    pub lot: i64,
    /// Price step, 1/1 000 000 of the currency.
    pub tick_e6: i64,
}

/// Every security of the simulated universe.
///
/// # Panics
/// If a venue of the built-in universe has no calendar, which a test excludes.
#[must_use]
pub fn listings() -> Vec<Listing> {
    let calendars = Calendars::embedded().with_rules();
    let known = |text: &'static str| (!text.is_empty()).then_some(text);
    securities()
        .iter()
        .map(|security| Listing {
            ticker: security.ticker,
            isin: security.isin,
            name: security.name,
            mic: mic(&calendars, security.codesub)
                .expect("every venue of the built-in universe has a calendar"),
            ccy: security.currency,
            country: known(security.country),
            industry: known(security.industry),
            product_type: if security.kind == Kind::Share { "stock" } else { "etf" },
            lot: security.lot,
            tick_e6: security.tick_e6,
        })
        .collect()
}

fn mic(calendars: &Calendars, name: &str) -> Option<Mic> {
    let titled: String = name
        .to_ascii_lowercase()
        .split(' ')
        .map(|word| word[..1].to_uppercase() + &word[1..])
        .collect::<Vec<_>>()
        .join(" ");
    let spelled = match name {
        "HKEX" => "HKSE",
        "NYSE Arca" => "NYSE",
        "TOKYO" | "MILAN" | "PARIS" | "AMSTERDAM" | "COPENHAGEN" => &titled,
        other => other,
    };
    calendars.by_name(spelled).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_security_has_a_venue_with_a_calendar() {
        let all = listings();
        assert_eq!(all.len(), 33);
        let of = |ticker: &str| all.iter().find(|one| one.ticker == ticker).map(|one| one.mic.to_string());
        assert_eq!(of("RHNA.EU").as_deref(), Some("XETR"));
        assert_eq!(of("NRDW.US").as_deref(), Some("XNAS"));
        assert_eq!(of("QXTM.US").as_deref(), Some("XNYS"));
        assert_eq!(of("JADEP.9911.AS").as_deref(), Some("XHKG"));
        assert_eq!(of("998X.JP").as_deref(), Some("XTKS"));
    }
}
