//! What the fund consists of, and which parts of it are nearly too large, by the rows of the last end of a day: a share
//! that moves around a level all day long would be news all day long.
//!
//! Composition is the share of what is held, cash left out, by country, industry, currency and kind. Concentration is the
//! share of everything, cash included: a country from 28 % of the fund, an industry from 24 %, a security from 0.8 of
//! its own limit (15 %, or what the owner set, at most 30 %), a foreign currency from 48 %; holdings whose country or
//! industry nobody knows from 10 % together; and how few places hold most of it (Herfindahl index above 0.15). A fund
//! without a country is spread over many and counts for none.

use std::collections::BTreeMap;

use contracts::{Finite, LargePart, LargePartKind, LargePartLevel, Security};
use formulas::{
    concentration::herfindahl,
    concentration_alert::{Severity, severity},
};
use market::Isin;
use money::Currency;

use crate::analytics::{Figure, Kind};
use crate::closing::HoldingEnd;
use crate::nav::DayEnd;

const COUNTRY_MAX: f64 = 0.35;
const INDUSTRY_MAX: f64 = 0.30;
const POSITION_MAX: f64 = 0.15;
/// The owner's own limit of a security counts up to this.
const OWN_MAX: f64 = 0.30;
const CURRENCY_MAX: f64 = 0.60;
const UNKNOWN_MAX: f64 = 0.10;
const HERFINDAHL_MAX: f64 = 0.15;
/// Rounding that must not hide a share that is exactly at its limit.
const HAIR: f64 = 1e-9;
/// Named at most; a fund has no room for more parts of this size, but for faults.
const NAMED_MAX: usize = 16;
const UNKNOWN: &str = "Unknown";

/// What securities are, as far as shares go.
pub(crate) type Classes = BTreeMap<Isin, Security>;

fn country(held: &HoldingEnd, classes: &Classes) -> Option<String> {
    classes.get(&held.isin)?.country.clone().filter(|name| !name.trim().is_empty())
}

fn industry(held: &HoldingEnd, classes: &Classes) -> Option<String> {
    classes.get(&held.isin)?.industry.clone().filter(|name| !name.trim().is_empty())
}

fn kind(held: &HoldingEnd, classes: &Classes) -> Option<String> {
    classes.get(&held.isin).map(|one| one.product_type.clone()).filter(|name| !name.trim().is_empty())
}

/// A holding that stands for many: its country says nothing.
fn is_spread(held: &HoldingEnd, classes: &Classes) -> bool {
    let kind = kind(held, classes).unwrap_or_default().to_lowercase();
    kind.contains("etf") || kind.contains("fund")
}

fn sums(
    holdings: &[HoldingEnd],
    name: impl Fn(&HoldingEnd) -> Option<String>,
) -> BTreeMap<Option<String>, f64> {
    let mut sums = BTreeMap::new();
    for held in holdings {
        *sums.entry(name(held)).or_insert(0.0) += held.value.to_f64();
    }
    sums
}

/// Shares of what is held.
pub(crate) fn composition(day: &DayEnd, classes: &Classes) -> Vec<Figure> {
    let holdings = &day.closing.holdings;
    let total: f64 = holdings.iter().map(|held| held.value.to_f64()).sum();
    let by: [(&str, BTreeMap<Option<String>, f64>); 4] = [
        ("country", sums(holdings, |held| country(held, classes))),
        ("industry", sums(holdings, |held| industry(held, classes))),
        ("currency", sums(holdings, |held| Some(held.ccy.to_string()))),
        ("kind", sums(holdings, |held| kind(held, classes))),
    ];
    let figure = |by: &str, name: Option<String>, sum: f64| Figure {
        kind: Kind::Composition,
        period: "",
        name: by.into(),
        part: name.unwrap_or_else(|| UNKNOWN.into()),
        value: (total > 0.0).then_some(sum / total).filter(|share| share.is_finite()),
        days: (Some(day.day), day.day),
    };
    by.into_iter()
        .flat_map(|(by, sums)| sums.into_iter().map(move |(name, sum)| figure(by, name, sum)))
        .collect()
}

/// The parts of the fund that are nearly too large, the worst first.
pub(crate) fn concentration(day: &DayEnd, classes: &Classes) -> Vec<LargePart> {
    let total = day.nav.to_f64();
    if total <= 0.0 {
        return Vec::new();
    }
    let holdings = &day.closing.holdings;
    let mut found = Vec::new();
    let mut judge = |kind: LargePartKind, name: String, sum: f64, limit: f64| {
        let level = severity(sum / total, limit).map(level);
        found.extend(level.and_then(|level| said(kind, name, sum / total, limit, level)));
    };
    let one_country: Vec<HoldingEnd> = holdings
        .iter()
        .filter(|held| country(held, classes).is_some() || !is_spread(held, classes))
        .copied()
        .collect();
    let countries = sums(&one_country, |held| country(held, classes));
    let industries = sums(&one_country, |held| industry(held, classes));
    let unknown = [&countries, &industries].map(|sums| sums.get(&None).copied().unwrap_or(0.0));
    for (sums, kind, limit) in [
        (countries, LargePartKind::Country, COUNTRY_MAX),
        (industries, LargePartKind::Industry, INDUSTRY_MAX),
    ] {
        for (name, sum) in sums {
            name.into_iter().for_each(|name| judge(kind, name, sum, limit));
        }
    }
    for held in holdings {
        let own =
            classes.get(&held.isin).and_then(|one| one.max_weight_e6).map(|max| max.to_f64().min(OWN_MAX));
        judge(
            LargePartKind::Position,
            held.isin.to_string(),
            held.value.to_f64(),
            own.filter(|own| *own > 0.0).unwrap_or(POSITION_MAX),
        );
    }
    let mut currencies = sums(holdings, |held| Some(held.ccy.to_string()));
    for cash in &day.closing.cash {
        *currencies.entry(Some(cash.amount.currency().to_string())).or_insert(0.0) += cash.value.to_f64();
    }
    currencies.remove(&Some(Currency::EUR.to_string()));
    for (name, sum) in currencies {
        name.into_iter().for_each(|name| judge(LargePartKind::Currency, name, sum, CURRENCY_MAX));
    }
    for (name, sum) in ["country", "industry"].into_iter().zip(unknown) {
        if sum / total >= UNKNOWN_MAX - HAIR {
            let level = LargePartLevel::Warning;
            found.extend(said(LargePartKind::Unknown, name.into(), sum / total, UNKNOWN_MAX, level));
        }
    }
    let values: Vec<f64> = holdings.iter().map(|held| held.value.to_f64()).collect();
    if let Some(index) = herfindahl(&values).filter(|index| *index > HERFINDAHL_MAX + HAIR) {
        let level = LargePartLevel::Warning;
        found.extend(said(LargePartKind::Whole, "holdings".into(), index, HERFINDAHL_MAX, level));
    }
    found.sort_by_key(|part| std::cmp::Reverse(part.level));
    found.truncate(NAMED_MAX);
    found
}

fn level(severity: Severity) -> LargePartLevel {
    match severity {
        Severity::Warning => LargePartLevel::Warning,
        Severity::Critical => LargePartLevel::Critical,
        Severity::Breach => LargePartLevel::Breach,
    }
}

/// Shares are said to the thousandth: what moves less is no news.
fn said(
    kind: LargePartKind,
    name: String,
    share: f64,
    limit: f64,
    level: LargePartLevel,
) -> Option<LargePart> {
    let share = Finite::new((share * 1_000.0).round() / 1_000.0)?;
    Some(LargePart { kind, name, share, limit: Finite::new(limit)?, level })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::Sample;
    use market::Timestamp;
    use money::{Money, Price, Quantity, Rate, Weight};

    use super::*;
    use crate::analytics::tests::ends;
    use crate::closing::{CashEnd, Closing};

    const A: &str = "DE000SMX0015";
    const B: &str = "DE000SMX0023";

    fn eur(units: i64) -> Money {
        Money::from_units(units, Currency::EUR).unwrap()
    }

    fn held(isin: &str, units: i64, ccy: &str) -> HoldingEnd {
        HoldingEnd {
            isin: isin.parse().unwrap(),
            qty: Quantity::from_units(1).unwrap(),
            price: Price::from_e6(1_000_000).unwrap(),
            ccy: Currency::new(ccy).unwrap(),
            priced: Timestamp::ZERO,
            rate: Rate::ONE,
            value: eur(units),
        }
    }

    fn security(isin: &str, country: Option<&str>, industry: Option<&str>) -> Security {
        Security {
            isin: isin.parse().unwrap(),
            country: country.map(Into::into),
            industry: industry.map(Into::into),
            product_type: "share".into(),
            max_weight_e6: None,
            ..Security::sample()
        }
    }

    fn classes(list: &[Security]) -> Classes {
        list.iter().map(|one| (one.isin, one.clone())).collect()
    }

    /// A fund of 1 000 EUR.
    fn day(holdings: Vec<HoldingEnd>) -> DayEnd {
        let mut day = ends(&[("2026-03-02", 1_000.0, 0.0)]).remove(0);
        day.closing = Closing { holdings, cash: vec![] };
        day
    }

    fn found(day: &DayEnd, classes: &Classes) -> Vec<(LargePartKind, String, LargePartLevel)> {
        concentration(day, classes).into_iter().map(|one| (one.kind, one.name, one.level)).collect()
    }

    #[test]
    fn a_position_warns_from_eight_tenths_of_its_limit_and_breaks_it_above() {
        use LargePartLevel::{Breach, Critical, Warning};
        let known = classes(&[security(A, Some("DE"), Some("Tools"))]);
        for (units, expected) in [
            (119, None),
            (120, Some(Warning)),
            (135, Some(Critical)),
            (150, Some(Critical)),
            (151, Some(Breach)),
        ] {
            let all = found(&day(vec![held(A, units, "EUR")]), &known);
            let position = all.iter().find(|(kind, ..)| *kind == LargePartKind::Position);
            assert_eq!(position.map(|(.., level)| *level), expected, "{units}");
        }
        let own = |share| {
            let mut one = security(A, Some("DE"), Some("Tools"));
            one.max_weight_e6 = Some(Weight::from_e6(share).unwrap());
            let all = found(&day(vec![held(A, 200, "EUR")]), &classes(&[one]));
            all.iter().any(|(kind, ..)| *kind == LargePartKind::Position)
        };
        assert!(own(250_000) && !own(251_000), "the owner's own limit, from 0.8 of it");
        assert!(!own(900_000), "which counts up to 30 percent");
    }

    #[test]
    fn countries_industries_and_foreign_currencies_have_limits_of_their_own() {
        use LargePartKind::{Country, Currency, Industry};
        let known = classes(&[security(A, Some("US"), Some("Tools")), security(B, Some("US"), Some("Food"))]);
        let kinds = |one: i64, other: i64, ccy: &str| {
            let all = found(&day(vec![held(A, one, ccy), held(B, other, ccy)]), &known);
            let of = |wanted| all.iter().any(|(kind, ..)| *kind == wanted);
            (of(Country), of(Industry), of(Currency))
        };
        assert_eq!(kinds(139, 140, "EUR"), (false, false, false));
        assert_eq!(kinds(140, 140, "EUR"), (true, false, false));
        assert_eq!(kinds(240, 39, "EUR"), (false, true, false));
        assert_eq!(kinds(239, 240, "USD"), (true, true, false));
        assert_eq!(kinds(239, 241, "USD"), (true, true, true));
        assert_eq!(kinds(239, 241, "EUR"), (true, true, false), "the fund's own currency has no limit");
        let mut rich = day(vec![held(A, 200, "USD")]);
        let dollars = Money::from_units(280, money::Currency::new("USD").unwrap()).unwrap();
        rich.closing.cash = vec![CashEnd { amount: dollars, rate: Rate::ONE, value: eur(280) }];
        assert!(found(&rich, &known).iter().any(|(kind, ..)| *kind == Currency), "cash counts");
    }

    #[test]
    fn what_nobody_can_classify_is_named_from_a_tenth_on_and_funds_are_let_go() {
        let unknown = |units: i64, classes: &Classes| {
            let all = found(&day(vec![held(A, units, "EUR")]), classes);
            all.into_iter().filter(|(kind, ..)| *kind == LargePartKind::Unknown).count()
        };
        assert_eq!(unknown(99, &Classes::new()), 0);
        assert_eq!(unknown(100, &Classes::new()), 2, "neither country nor industry");
        assert_eq!(unknown(100, &classes(&[security(A, Some("DE"), None)])), 1);
        let fund = Security { product_type: "ETF".into(), ..security(A, None, None) };
        assert_eq!(unknown(400, &classes(&[fund])), 0);
    }

    #[test]
    fn few_places_are_noticed_and_nothing_is_said_of_an_empty_fund() {
        let isins = ["DE000SMX0015", "DE000SMX0023", "DE000SMX0031", "US99S0011099"];
        let even = |count: usize| day(isins[..count].iter().map(|isin| held(isin, 10, "EUR")).collect());
        let whole =
            |day: &DayEnd| found(day, &Classes::new()).iter().any(|(kind, ..)| *kind == LargePartKind::Whole);
        assert!(whole(&even(4)), "a quarter each is 0.25");
        assert!(!whole(&day(vec![])));
        let mut nothing = day(vec![held(A, 100, "EUR")]);
        nothing.nav = eur(0);
        assert!(found(&nothing, &Classes::new()).is_empty());
    }

    #[test]
    fn the_composition_leaves_cash_out_and_puts_what_is_unknown_under_its_own_name() {
        let known = classes(&[security(A, Some("DE"), None)]);
        let all = composition(&day(vec![held(A, 300, "EUR"), held(B, 100, "USD")]), &known);
        let share = |by: &str, name: &str| {
            all.iter().find(|one| one.name == by && one.part == name).and_then(|one| one.value)
        };
        assert_eq!((share("country", "DE"), share("country", "Unknown")), (Some(0.75), Some(0.25)));
        assert_eq!((share("currency", "EUR"), share("currency", "USD")), (Some(0.75), Some(0.25)));
        assert_eq!(share("industry", "Unknown"), Some(1.0));
        assert!(composition(&day(vec![]), &known).is_empty());
    }
}
