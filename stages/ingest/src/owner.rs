//! What the owner asks about the universe, and what of it is refused.

use contracts::{Corrected, Finite, Security, SecurityUpdate};
use market::{Calendars, Isin, Mic};
use money::Weight;
use tradernet::Ticker;
use tradernet::commands::{
    find_ticker::Listing,
    securities::{Product, Security as Master},
};

/// Most that may be wanted at least, and at most, of one security.
const MIN_WEIGHT_E6_MAX: i64 = 200_000;
const MAX_WEIGHT_E6_MAX: i64 = 300_000;
const PRIORITY_MIN: f64 = 0.1;
const PRIORITY_MAX: f64 = 3.0;
/// Longest text of a correction.
const TEXT_CHARS_MAX: usize = 100;
/// Words that make a fund one of commodities; whole words only.
const COMMODITIES: [&str; 20] = [
    "ETC",
    "COMMODITY",
    "GOLD",
    "SILVER",
    "PLATINUM",
    "PALLADIUM",
    "COPPER",
    "ALUMINIUM",
    "ALUMINUM",
    "OIL",
    "CRUDE",
    "BRENT",
    "WTI",
    "GAS",
    "CORN",
    "WHEAT",
    "SOYBEAN",
    "COMMODITIES",
    "NICKEL",
    "ZINC",
];

/// Why a request is refused: a code and a sentence.
pub(crate) type Refused = (&'static str, String);

/// The owner's multiplier as it is said: 1 is no preference, and the rows keep nothing else for it.
pub(crate) fn preference(multiplier: f64) -> Option<Finite> {
    Finite::new(multiplier).filter(|_| (multiplier - 1.0).abs() > f64::EPSILON)
}

/// Checks a change and makes it.
///
/// # Errors
/// The first rule that is broken; nothing is changed then.
pub(crate) fn change(security: &Security, ask: &SecurityUpdate, has_data: bool) -> Result<Security, Refused> {
    let mut new = security.clone();
    let ticker = &security.ticker;
    if ask.active == Some(false) {
        return Err(("use_deactivate", format!("{ticker} is taken out by `deactivate`, not by a change")));
    }
    for (name, wanted, slot) in [
        ("allow_buy", ask.allow_buy, &mut new.allow_buy),
        ("allow_sell", ask.allow_sell, &mut new.allow_sell),
    ] {
        if wanted == Some(true) && !has_data {
            let text = format!("`{name}` of {ticker} waits for its first complete data; look again later");
            return Err(("no_data", text));
        }
        *slot = wanted.unwrap_or(*slot);
    }
    new.active = ask.active.unwrap_or(new.active);
    new.marked_for_exit = ask.marked_for_exit.unwrap_or(new.marked_for_exit);
    if let Some(priority) = ask.priority
        && !(PRIORITY_MIN..=PRIORITY_MAX).contains(&priority.get())
    {
        return Err(("priority", format!("`priority` must be {PRIORITY_MIN} to {PRIORITY_MAX}")));
    }
    if let Some(priority) = ask.priority {
        new.priority_multiplier = preference(priority.get());
    }
    new.min_weight_e6 = ask.min_weight_e6.or(new.min_weight_e6);
    new.max_weight_e6 = ask.max_weight_e6.or(new.max_weight_e6);
    let e6 = |weight: Option<Weight>| weight.map_or(0, Weight::e6);
    let range = |name: &str, weight: Option<Weight>, most: i64| {
        if (0..=most).contains(&e6(weight)) {
            return Ok(());
        }
        Err(("weight", format!("`{name}` must be 0 to {} %", most / 10_000)))
    };
    range("min_weight", new.min_weight_e6, MIN_WEIGHT_E6_MAX)?;
    range("max_weight", new.max_weight_e6, MAX_WEIGHT_E6_MAX)?;
    if new.max_weight_e6.is_some_and(|most| most.e6() < e6(new.min_weight_e6)) {
        return Err(("weight", format!("`min_weight` of {ticker} would be above its `max_weight`")));
    }
    for (field, value) in &ask.corrections {
        correct(&mut new, *field, value.as_deref())?;
    }
    Ok(new)
}

/// Applies one correction; one that is taken back shows with the next data of the providers.
fn correct(security: &mut Security, field: Corrected, value: Option<&str>) -> Result<(), Refused> {
    let Some(value) = value.map(str::trim) else { return Ok(()) };
    if value.is_empty() || value.chars().count() > TEXT_CHARS_MAX || value.chars().any(char::is_control) {
        let text = format!("`{}` must be 1 to {TEXT_CHARS_MAX} printable characters", field.name());
        return Err(("correction", text));
    }
    match field {
        Corrected::Name => security.name = value.into(),
        Corrected::Industry => security.industry = Some(value.into()),
        Corrected::Country => {
            if value.len() != 2 || !value.bytes().all(|byte| byte.is_ascii_uppercase()) {
                return Err(("correction", "`country` must be two capital letters".into()));
            }
            security.country = Some(value.into());
        }
        Corrected::ProductType => {
            if !["stock", "etf", "etc"].contains(&value) {
                return Err(("correction", "`product_type` must be stock, etf or etc".into()));
            }
            security.product_type = value.into();
        }
        Corrected::YahooSymbol => {}
    }
    Ok(())
}

/// Chooses what a person means among the broker's hits.
///
/// # Errors
/// When nothing or several things are meant, with what there is.
pub(crate) fn meant(
    identifier: &str,
    mic: Option<Mic>,
    hits: &[(Isin, Listing)],
) -> Result<(Isin, Ticker), Refused> {
    let wanted = identifier.trim();
    let at_venue = |listing: &Listing| {
        let venue = listing.venue.as_deref().and_then(providers::venue_of_text);
        mic.is_none_or(|mic| venue.is_some_and(|venue| venue.mic == mic.as_str()))
    };
    let hits: Vec<&(Isin, Listing)> = hits.iter().filter(|(_, listing)| at_venue(listing)).collect();
    let exact = |(isin, listing): &&(Isin, Listing)| {
        isin.as_str().eq_ignore_ascii_case(wanted) || listing.ticker.as_str().eq_ignore_ascii_case(wanted)
    };
    let mut fitting: Vec<&(Isin, Listing)> = hits.iter().copied().filter(exact).collect();
    if fitting.is_empty() {
        fitting = hits;
    }
    match fitting.as_slice() {
        [] => Err(("not_found", format!("the broker knows nothing called `{wanted}`; try its ISIN"))),
        [(isin, listing)] => Ok((*isin, listing.ticker.clone())),
        several => {
            let shown: Vec<String> = several
                .iter()
                .take(8)
                .map(|(isin, listing)| {
                    let venue = listing.venue.as_deref().unwrap_or("?");
                    format!("{} ({isin}, {venue})", listing.ticker)
                })
                .collect();
            Err(("ambiguous", format!("`{wanted}` may be {}; name one of them", shown.join(", "))))
        }
    }
}

/// Makes a security of the broker's master data; it may neither be bought nor sold yet.
///
/// # Errors
/// When something that trading needs is unknown.
pub(crate) fn security_of(
    isin: Isin,
    ticker: &Ticker,
    master: &Master,
    calendars: &Calendars,
) -> Result<Security, Refused> {
    let unknown = |what: &str| ("unknown", format!("the broker does not say the {what} of {ticker}"));
    if master.isin.is_some_and(|found| found != isin) {
        return Err((
            "contradiction",
            format!("{ticker} has another ISIN in the broker's list than in its search"),
        ));
    }
    if !master.product.is_tradable() {
        return Err((
            "not_tradable",
            format!("{ticker} is neither share nor fund; such products are not traded"),
        ));
    }
    let venue = master.venue.as_deref().or(master.market.as_deref()).ok_or_else(|| unknown("venue"))?;
    let mic = match providers::venue_of_text(venue) {
        Some(row) => row.mic.parse().map_err(|_| unknown("venue"))?,
        None => calendars.by_name(venue).map_err(|error| ("venue", error.to_string()))?,
    };
    if calendars.venue(mic).is_none() {
        return Err(("venue", format!("the calendar does not know {venue}, where {ticker} is traded")));
    }
    let name = master.name.clone().unwrap_or_else(|| ticker.to_string());
    Ok(Security {
        isin,
        product_type: product_type(master.product, &name).into(),
        name,
        ticker: ticker.to_string(),
        mic,
        ccy: master.currency.ok_or_else(|| unknown("currency"))?,
        country: master.country.clone(),
        industry: master.sector.clone(),
        lot_e6: master.lot.ok_or_else(|| unknown("lot"))?,
        tick_e6: master.tick.filter(|tick| !tick.is_zero()),
        active: true,
        allow_buy: false,
        allow_sell: false,
        max_weight_e6: None,
        min_weight_e6: None,
        marked_for_exit: false,
        priority_multiplier: None,
        previous_isin: None,
    })
}

fn product_type(product: Product, name: &str) -> &'static str {
    let upper = name.to_uppercase();
    let mut words = upper.split(|c: char| !c.is_alphanumeric());
    match product {
        Product::Fund if words.any(|word| COMMODITIES.contains(&word)) => "etc",
        Product::Fund => "etf",
        _ => "stock",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::{Finite, Sample};

    use super::*;

    fn ask(change: impl FnOnce(&mut SecurityUpdate)) -> Result<Security, Refused> {
        let security = Security { allow_buy: false, allow_sell: false, ..Security::sample() };
        let mut update = SecurityUpdate::of("test", security.isin);
        change(&mut update);
        super::change(&security, &update, true)
    }

    fn code(result: Result<Security, Refused>) -> &'static str {
        result.map_or_else(|(code, _)| code, |_| "done")
    }

    #[test]
    fn what_is_absent_stays_as_it_is() {
        let security = Security { allow_buy: false, allow_sell: false, ..Security::sample() };
        assert_eq!(ask(|_| {}).unwrap(), security);
        assert!(ask(|update| update.allow_buy = Some(true)).unwrap().allow_buy);
    }

    #[test]
    fn nothing_is_allowed_before_the_first_complete_data() {
        let security = Security::sample();
        let mut update = SecurityUpdate::of("test", security.isin);
        update.allow_sell = Some(true);
        assert_eq!(code(change(&security, &update, false)), "no_data");
        update.allow_sell = Some(false);
        assert_eq!(code(change(&security, &update, false)), "done");
    }

    #[test]
    fn ranges_hold_at_both_ends_and_the_least_stays_below_the_most() {
        let weight = |e6| Some(Weight::from_e6(e6).unwrap());
        for (e6, expected) in [(0, "done"), (200_000, "done"), (200_001, "weight")] {
            assert_eq!(code(ask(|update| update.min_weight_e6 = weight(e6))), expected, "{e6}");
        }
        for (e6, expected) in [(0, "done"), (300_000, "done"), (300_001, "weight")] {
            assert_eq!(code(ask(|update| update.max_weight_e6 = weight(e6))), expected, "{e6}");
        }
        let crossed =
            ask(|update| (update.min_weight_e6, update.max_weight_e6) = (weight(100_001), weight(100_000)));
        assert_eq!(code(crossed), "weight");
        for (priority, expected) in [(0.1, "done"), (3.0, "done"), (0.09, "priority"), (3.01, "priority")] {
            let number = Finite::new(priority).unwrap();
            assert_eq!(code(ask(|update| update.priority = Some(number))), expected, "{priority}");
        }
    }

    #[test]
    fn corrections_are_checked_by_their_field() {
        let correct =
            |field, value: &str| ask(|update| drop(update.corrections.insert(field, Some(value.to_owned()))));
        assert_eq!(correct(Corrected::Country, "FR").unwrap().country.as_deref(), Some("FR"));
        for (field, value) in [
            (Corrected::Country, "France"),
            (Corrected::Country, "fr"),
            (Corrected::ProductType, "bond"),
            (Corrected::Name, " "),
            (Corrected::Name, "a\nb"),
        ] {
            assert_eq!(code(correct(field, value)), "correction", "{value:?}");
        }
    }

    fn hit(isin: &str, ticker: &str, venue: &str) -> (Isin, Listing) {
        let ticker = Ticker::parse(ticker).unwrap();
        let listing = Listing { ticker, market: None, currency: None, venue: Some(venue.into()), name: None };
        (isin.parse().unwrap(), listing)
    }

    #[test]
    fn one_hit_is_meant_and_several_are_listed() {
        let hits = [hit("DE000SMX0015", "RHNA.EU", "XETRA"), hit("DE000SMX0023", "ALPB.EU", "XETRA")];
        let found = |text: &str| meant(text, None, &hits).map(|(_, ticker)| ticker.to_string());
        assert_eq!(found("de000smx0015"), Ok("RHNA.EU".into()));
        assert_eq!(found("ALPB.EU"), Ok("ALPB.EU".into()));
        let (code, text) = found("AG").unwrap_err();
        assert!(code == "ambiguous" && text.contains("RHNA.EU (DE000SMX0015, XETRA)"), "{text}");
        assert_eq!(meant("x", None, &[]).unwrap_err().0, "not_found");
        let two = [hit("DE000SMX0015", "RHNA.EU", "XETRA"), hit("DE000SMX0015", "RHNP.EU", "PARIS")];
        assert_eq!(meant("DE000SMX0015", None, &two).unwrap_err().0, "ambiguous");
        let paris = meant("DE000SMX0015", Some("XPAR".parse().unwrap()), &two).unwrap();
        assert_eq!(paris.1.to_string(), "RHNP.EU");
    }

    #[test]
    fn commodity_words_count_as_whole_words() {
        assert_eq!(product_type(Product::Fund, "Aurum Reserve Physical Gold ETC"), "etc");
        assert_eq!(product_type(Product::Fund, "Soil and Goldman Equity"), "etf");
        assert_eq!(product_type(Product::CommonShare, "Gold Mines plc"), "stock");
    }
}
