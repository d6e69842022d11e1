//! Frankfurter: the ECB's rates as JSON, units of a currency for one EUR.

use std::collections::BTreeMap;

use market::{Day, Timestamp};
use money::{Currency, Rate};
use serde_json::Value;

use crate::{
    answer::{Ask, DataFault, Service},
    ecb::{eur_per_unit, published},
    fetch::{Request, Response},
    yahoo::json,
};

/// Asks for the latest rates of some currencies, or for those of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrankfurterLatest {
    /// Which currencies.
    pub currencies: Vec<Currency>,
    /// Of a day instead of the last working day.
    pub day: Option<Day>,
}

impl Ask for FrankfurterLatest {
    /// EUR for one unit, and the day they are of.
    type Answer = (Day, BTreeMap<Currency, Rate>);
    const SERVICE: Service = Service::Frankfurter;

    fn request(&self) -> Request {
        let codes: Vec<&str> = self.currencies.iter().map(Currency::as_str).collect();
        let when = self.day.map_or_else(|| "latest".to_owned(), |day| day.to_string());
        Request::get(Service::Frankfurter, format!("/v1/{when}?base=EUR&symbols={}", codes.join(",")))
    }

    fn read(&self, reply: &Response) -> Result<Self::Answer, DataFault> {
        if let Some(fault) = DataFault::of_status(reply) {
            return Err(fault);
        }
        match reply.status {
            200 => {}
            404 | 422 => return Err(DataFault::Empty),
            status => return Err(DataFault::Outage(format!("status {status}"))),
        }
        let body = json(reply)?;
        let malformed = |why| DataFault::malformed(why, &reply.body);
        if body["base"].as_str() != Some("EUR") {
            return Err(malformed("the base is not EUR"));
        }
        let day = body["date"].as_str().and_then(|day| day.parse().ok());
        let day = day.ok_or_else(|| malformed("there is no date"))?;
        let rates = body["rates"].as_object().ok_or_else(|| malformed("there are no rates"))?;
        let rates = rates.iter().filter_map(|(code, units)| {
            let Value::Number(units) = units else { return None };
            Some((Currency::new(code).ok()?, eur_per_unit(&units.to_string())?))
        });
        Ok((day, rates.collect()))
    }

    fn as_of(answer: &Self::Answer) -> Option<Timestamp> {
        Some(published(answer.0))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Result<(Day, BTreeMap<Currency, Rate>), DataFault> {
        FrankfurterLatest { currencies: vec![Currency::USD], day: None }.read(&Response::new(status, body))
    }

    #[test]
    fn the_day_that_was_answered_counts_and_not_the_one_asked_for() {
        let (day, rates) = read(
            200,
            r#"{"amount":1.0,"base":"EUR","date":"2026-02-27","rates":{"HKD":9.1204,"USD":1.1712,"XXQ":null}}"#,
        )
        .unwrap();
        assert_eq!(day.to_string(), "2026-02-27");
        assert_eq!(rates[&Currency::USD].e9(), 853_825_137);
        assert_eq!(rates.len(), 2);
    }

    #[test]
    fn another_base_or_half_a_reply_is_a_fault() {
        assert!(matches!(
            read(200, r#"{"base":"USD","date":"2026-02-27","rates":{}}"#),
            Err(DataFault::Malformed(_))
        ));
        assert!(matches!(read(200, r#"{"base":"EUR","ra"#), Err(DataFault::Malformed(_))));
        assert!(matches!(read(404, r#"{"message":"not found"}"#), Err(DataFault::Empty)));
    }
}
