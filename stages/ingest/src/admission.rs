//! Whether a universe may be used in this environment.

use std::collections::BTreeSet;

use contracts::Security;
use market::{Calendars, Isin};
use tradernet::Ticker;

use crate::limits::SECURITIES_MAX;

/// Says why a universe must not be used here, if so: simulated securities in a live system, twins, or names
/// that the broker's lists cannot carry.
pub(crate) fn objection(universe: &[Security], live: bool) -> Option<String> {
    if universe.len() > SECURITIES_MAX {
        return Some(format!("{} securities are more than the {SECURITIES_MAX} allowed", universe.len()));
    }
    let (mut isins, mut tickers) = (BTreeSet::new(), BTreeSet::new());
    universe.iter().find_map(|security| {
        let Security { isin, ticker, .. } = security;
        if live && is_simulated(isin) {
            return Some(format!("{isin} is a simulated security; it must never reach a live system"));
        }
        if Ticker::parse(ticker).is_err() {
            return Some(format!("`{ticker}` of {isin} is no ticker of the broker"));
        }
        if !isins.insert(*isin) || !tickers.insert(ticker.as_str()) {
            return Some(format!("{isin} or its ticker `{ticker}` is listed twice"));
        }
        None
    })
}

/// The calendars of an environment: general rules fill the years that the file does not cover, but only in
/// simulated worlds.
pub(crate) fn calendars(live: bool) -> Calendars {
    let calendars = Calendars::embedded();
    let calendars = if live { calendars } else { calendars.with_rules() };
    assert!(!(live && calendars.uses_rules()), "a live calendar knows its days, it does not guess them");
    calendars
}

/// Tells whether an ISIN is one of the invented ones: privately usable issuer numbers (CUSIP 99, SEDOL 9) and
/// letters that no national numbering agency of these countries gives out.
pub(crate) fn is_simulated(isin: &Isin) -> bool {
    let (country, number) = isin.as_str().split_at(2);
    match country {
        "US" => number.starts_with("99"),
        "GB" | "JE" => number.starts_with("009"),
        "JP" => number.starts_with("399800"),
        _ => ["000SMX", "0099SM", "0000SM"].iter().any(|shape| number.starts_with(shape)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::Sample;

    use super::*;

    #[test]
    fn every_invented_isin_is_recognised_and_no_real_one() {
        let invented = [
            "US99S0011099",
            "US99S0121062",
            "DE000SMX0015",
            "DE000SMX0031",
            "FR0099SM0014",
            "NL0099SM0010",
            "IT0099SM0019",
            "IE0099SM0016",
            "JE009SMX0716",
            "DK0099SM0013",
            "GB009SMX0155",
            "HK0000SM0017",
            "HK0000SM0066",
            "JP3998001006",
            "JP3998002004",
        ];
        for text in invented {
            assert!(is_simulated(&text.parse().unwrap()), "{text}");
        }
        for text in
            ["US0378331005", "DE0007164600", "GB0002634946", "JE00B4T3BW64", "FR0000121014", "JP3633400001"]
        {
            assert!(!is_simulated(&text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn a_simulated_security_is_refused_in_live_operation_only() {
        let universe = [Security::sample()];
        let simulated = [Security { isin: "DE000SMX0015".parse().unwrap(), ..Security::sample() }];
        assert!(objection(&simulated, true).unwrap().contains("simulated security"));
        assert_eq!(objection(&simulated, false), None);
        assert_eq!(objection(&universe, false), None);
    }

    #[test]
    fn twins_and_impossible_tickers_are_refused() {
        let one = Security::sample();
        assert!(objection(&[one.clone(), one.clone()], false).unwrap().contains("twice"));
        let bad = Security { ticker: "A,B".into(), ..one };
        assert!(objection(&[bad], false).unwrap().contains("no ticker"));
    }

    #[test]
    fn only_simulated_worlds_guess_days() {
        assert!(!calendars(true).uses_rules());
        assert!(calendars(false).uses_rules());
    }
}
