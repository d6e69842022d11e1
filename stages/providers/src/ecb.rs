//! The reference rates of the European Central Bank: units of a currency for one EUR, by day, working days only.

use std::collections::BTreeMap;

use market::{Day, Timestamp};
use money::{Currency, Rate, Rounding, divide};

use crate::{
    answer::{Ask, DataFault, Service},
    fetch::{Request, Response},
};

/// Units of a currency for one EUR have at most so many digits behind the point.
const DIGITS: u32 = 9;
/// The fixing is published about this long after midnight UTC of its day (16:00 in Frankfurt in winter).
const PUBLISHED_MS: i64 = 15 * 3_600_000;

/// Which file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EcbFile {
    /// The last working day.
    Daily,
    /// Ninety days.
    NinetyDays,
    /// Since 1999.
    Whole,
}

/// EUR for one unit of each currency, by day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EcbRates {
    /// By day, then by currency.
    pub days: BTreeMap<Day, BTreeMap<Currency, Rate>>,
}

impl Ask for EcbFile {
    type Answer = EcbRates;
    const SERVICE: Service = Service::Ecb;

    fn request(&self) -> Request {
        let name = match self {
            EcbFile::Daily => "daily",
            EcbFile::NinetyDays => "hist-90d",
            EcbFile::Whole => "hist",
        };
        let request = Request::get(Service::Ecb, format!("/stats/eurofxref/eurofxref-{name}.xml"));
        Request { bulk: *self == EcbFile::Whole, ..request }
    }

    fn read(&self, reply: &Response) -> Result<EcbRates, DataFault> {
        if let Some(fault) = DataFault::of_status(reply) {
            return Err(fault);
        }
        if reply.status != 200 {
            return Err(DataFault::Outage(format!("status {}", reply.status)));
        }
        let text = reply.text();
        if !text.trim_end().ends_with('>') {
            return Err(DataFault::malformed("the file ends in the middle", &reply.body));
        }
        let mut rates = EcbRates::default();
        let mut day = None;
        for element in elements(&text) {
            if let Some(time) = attribute(element, "time") {
                let parsed: Day =
                    time.parse().map_err(|_| DataFault::malformed("a day is no day", &reply.body))?;
                day = Some(parsed);
            } else if let (Some(code), Some(units), Some(day)) =
                (attribute(element, "currency"), attribute(element, "rate"), day)
            {
                // A rate that is not given (`N/A`) is unknown; an unknown code is of no use here.
                if let (Ok(ccy), Some(rate)) = (Currency::new(code), eur_per_unit(units)) {
                    rates.days.entry(day).or_default().insert(ccy, rate);
                }
            }
        }
        if rates.days.is_empty() {
            return Err(DataFault::malformed("there is no rate in the file", &reply.body));
        }
        Ok(rates)
    }

    fn as_of(answer: &EcbRates) -> Option<Timestamp> {
        answer.days.last_key_value().map(|(day, _)| published(*day))
    }
}

/// When the rates of a day were made public.
#[must_use]
pub(crate) fn published(day: Day) -> Timestamp {
    Timestamp::from_ms(i64::from(day.epoch_days()) * 86_400_000 + PUBLISHED_MS)
}

/// Turns units of a currency for one EUR into EUR for one unit, half-even to nine digits. The only place that does.
pub(crate) fn eur_per_unit(units: &str) -> Option<Rate> {
    let digits = units.split_once('.').map_or(0, |(_, behind)| behind.len());
    let shortened = if digits > 9 { &units[..units.len() - (digits - 9)] } else { units };
    let e9 = money::parse_scaled(shortened, DIGITS, "rate").ok().filter(|e9| *e9 > 0)?;
    let scale = i128::from(10_i64.pow(DIGITS));
    let inverted = divide(scale * scale, i128::from(e9), Rounding::HalfEven).ok()?;
    Rate::from_e9(i64::try_from(inverted).ok()?).ok()
}

/// The texts between `<` and `>`.
fn elements(text: &str) -> impl Iterator<Item = &str> {
    text.split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or(""))
}

/// The value of an attribute, in either kind of quotes.
fn attribute<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = element;
    loop {
        let at = rest.find(name)?;
        let before = rest[..at].chars().next_back();
        rest = &rest[at + name.len()..];
        let value = rest.trim_start().strip_prefix('=').map(str::trim_start);
        if let (Some(value), true) = (value, before.is_none_or(|c| c.is_whitespace() || c == ':')) {
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            return value[1..].split(quote).next();
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const FILE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"><gesmes:subject>Reference rates</gesmes:subject>
<Cube><Cube time='2026-03-02'><Cube currency='USD' rate='1.1712'/><Cube currency='HKD' rate='9.1204'/>
<Cube currency='RUB' rate='N/A'/></Cube><Cube time="2026-02-27"><Cube currency="USD" rate="1.18"/></Cube></Cube></gesmes:Envelope>"#;

    fn read(text: &str) -> Result<EcbRates, DataFault> {
        EcbFile::Daily.read(&Response::new(200, text))
    }

    #[test]
    fn units_for_one_euro_become_euros_for_one_unit() {
        let rates = read(FILE).unwrap();
        let day: Day = "2026-03-02".parse().unwrap();
        let usd = rates.days[&day][&Currency::USD];
        assert_eq!(usd.e9(), 853_825_137, "1 / 1.1712, half-even");
        assert_eq!(rates.days.len(), 2);
        assert_eq!(rates.days[&day].len(), 2, "what is not given is unknown");
    }

    #[test]
    fn a_torn_or_foreign_file_is_a_fault() {
        assert!(matches!(read(&FILE[..FILE.len() / 2]), Err(DataFault::Malformed(_))));
        assert!(matches!(read("<?xml version='1.0'?><a></a>"), Err(DataFault::Malformed(_))));
        assert!(matches!(read("<html>down</html>"), Err(DataFault::Outage(_))));
        assert!(matches!(EcbFile::Whole.read(&Response::new(404, "x")), Err(DataFault::Outage(_))));
    }

    #[test]
    fn rates_that_are_none_are_unknown() {
        for text in ["0", "-1", "N/A", "", "1e3", "NaN"] {
            assert_eq!(eur_per_unit(text), None, "{text}");
        }
        assert_eq!(eur_per_unit("1").unwrap(), Rate::ONE);
        assert_eq!(
            eur_per_unit("160.12345678912").unwrap().e9(),
            eur_per_unit("160.123456789").unwrap().e9()
        );
    }
}
