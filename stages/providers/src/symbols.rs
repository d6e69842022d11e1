//! From the broker's ticker to the symbols of the other providers. The reverse is never computed: it is looked up in
//! the stored mapping. What has no rule stays unresolved.

use market::Mic;

use crate::venues::{VenueRow, venue_of_mic};

/// Yahoo's symbol of a broker's ticker at a venue.
#[must_use]
pub fn yahoo_symbol(ticker: &str, mic: Mic) -> Option<String> {
    if let Some((base, quote)) = ticker.split_once('/') {
        let code = |text: &str| text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        return (code(base) && code(quote)).then(|| format!("{base}{quote}=X"));
    }
    let (name, suffix) = ticker.rsplit_once('.')?;
    match suffix {
        "US" => american(name),
        "EU" => {
            let venue = venue_of_mic(mic).filter(|venue| !venue.yahoo.is_empty())?;
            plain(name).then(|| format!("{name}{}", venue.yahoo))
        }
        "GR" => plain(name).then(|| format!("{name}.AT")),
        "JP" => plain(name).then(|| format!("{name}.T")),
        "AS" => {
            let code = name.rsplit_once('.').map_or(name, |(_, code)| code);
            let digits =
                !code.is_empty() && code.len() <= 5 && code.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| format!("{code:0>4}.HK"))
        }
        _ => None,
    }
}

/// Yahoo's symbol of an exchange's own code, as OpenFIGI writes it: `9934`, `LNTC/B`.
#[must_use]
pub fn symbol_by_code(code: &str, venue: &VenueRow) -> Option<String> {
    let readable =
        |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'/' || byte == b'-';
    if code.is_empty() || code.len() > 12 || !code.bytes().all(readable) {
        return None;
    }
    let code = code.replace('/', "-");
    let code = if venue.mic == "XHKG" { format!("{code:0>4}") } else { code };
    Some(format!("{code}{}", venue.yahoo))
}

/// Stooq's symbol of a broker's ticker at a venue.
#[must_use]
pub fn stooq_symbol(ticker: &str, mic: Mic) -> Option<String> {
    let venue = venue_of_mic(mic).filter(|venue| !venue.stooq.is_empty())?;
    let yahoo = yahoo_symbol(ticker, mic)?;
    let code = yahoo.strip_suffix(venue.yahoo)?;
    let code = if venue.stooq == "hk" { code.trim_start_matches('0') } else { code };
    Some(format!("{}.{}", code.to_ascii_lowercase(), venue.stooq))
}

/// A share class is a dash there; preferred shares and units have no rule.
fn american(name: &str) -> Option<String> {
    match name.split_once('.') {
        None => plain(name).then(|| name.to_owned()),
        Some((code, class)) => {
            (plain(code) && class.len() == 1 && plain(class)).then(|| format!("{code}-{class}"))
        }
    }
}

fn plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_exchanges_own_code_becomes_a_symbol() {
        let symbol =
            |code: &str, mic: &str| symbol_by_code(code, venue_of_mic(mic.parse().unwrap()).unwrap());
        assert_eq!(symbol("RHNA", "XETR").as_deref(), Some("RHNA.DE"));
        assert_eq!(symbol("LNTC/B", "XNYS").as_deref(), Some("LNTC-B"));
        assert_eq!(symbol("98", "XHKG").as_deref(), Some("0098.HK"));
        for odd in ["", "a b", "RHNA GR EQUITY"] {
            assert_eq!(symbol(odd, "XETR"), None, "{odd}");
        }
    }

    #[test]
    fn every_form_of_the_broker_has_its_symbol_or_none() {
        for (ticker, mic, yahoo, stooq) in [
            ("NRDW.US", "XNAS", Some("NRDW"), Some("nrdw.us")),
            ("LNTC.B.US", "XNYS", Some("LNTC-B"), Some("lntc-b.us")),
            ("BAC.PRK.US", "XNYS", None, None),
            ("RHNA.EU", "XETR", Some("RHNA.DE"), Some("rhna.de")),
            ("TLPK.EU", "XAMS", Some("TLPK.AS"), None),
            ("THMB.EU", "XLON", Some("THMB.L"), Some("thmb.uk")),
            ("VNDH.EU", "XCSE", Some("VNDH.CO"), None),
            ("KOWTC.9934.AS", "XHKG", Some("9934.HK"), Some("9934.hk")),
            ("PEARL.98.AS", "XHKG", Some("0098.HK"), Some("98.hk")),
            ("998X.JP", "XTKS", Some("998X.T"), Some("998x.jp")),
            ("OPAP.GR", "ASEX", Some("OPAP.AT"), None),
            ("EUR/USD", "XXXX", Some("EURUSD=X"), None),
            ("KZTK.KZ", "XKAZ", None, None),
            ("RHNA.EU", "XXXX", None, None),
            ("NAME.AS", "XAMS", None, None),
            ("", "XETR", None, None),
        ] {
            let mic = mic.parse().unwrap();
            assert_eq!(yahoo_symbol(ticker, mic).as_deref(), yahoo, "{ticker}");
            assert_eq!(stooq_symbol(ticker, mic).as_deref(), stooq, "{ticker}");
        }
    }
}
