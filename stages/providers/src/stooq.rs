//! Stooq: daily bars as text with commas. A second source for confirming doubtful closes; refusals come as 200.

use market::{Day, Timestamp};

use crate::{
    answer::{Ask, Bar, DataFault, Service},
    fetch::{Request, Response},
    units::Unit,
};

/// Asks for the bars of a symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StooqDaily {
    /// The symbol there.
    pub symbol: String,
    /// First day.
    pub from: Day,
    /// Last day.
    pub until: Day,
    /// Their unit: Stooq does not say it. London is in pence.
    pub unit: Unit,
    /// The key that its captcha gives out, if the owner has one.
    pub key: Option<String>,
}

impl Ask for StooqDaily {
    type Answer = Vec<Bar>;
    const SERVICE: Service = Service::Stooq;

    fn request(&self) -> Request {
        let compact = |day: Day| day.to_string().replace('-', "");
        let key = self.key.as_ref().map_or(String::new(), |key| format!("&apikey={key}"));
        let (from, until) = (compact(self.from), compact(self.until));
        let symbol = &self.symbol;
        Request::get(Service::Stooq, format!("/q/d/l/?s={symbol}&d1={from}&d2={until}&i=d{key}"))
    }

    fn read(&self, reply: &Response) -> Result<Vec<Bar>, DataFault> {
        if let Some(fault) = DataFault::of_status(reply) {
            return Err(fault);
        }
        let text = reply.text();
        let text = text.trim();
        if text.starts_with("No data") {
            return Err(DataFault::Unknown);
        }
        if text.contains("daily hits limit") {
            return Err(DataFault::RateLimited { retry_after_s: Some(24 * 3_600) });
        }
        if text.contains("apikey") {
            return Err(DataFault::Blocked);
        }
        let mut lines = text.lines();
        if lines.next().map(str::trim) != Some("Date,Open,High,Low,Close,Volume") {
            return Err(DataFault::malformed("the first line is not the usual one", &reply.body));
        }
        let torn = || DataFault::malformed("a line is not a day", &reply.body);
        let mut bars: Vec<Bar> = Vec::new();
        for line in lines {
            let bar = self.bar(line.trim()).ok_or_else(torn)?;
            if bars.last().is_some_and(|last| last.day >= bar.day) {
                return Err(torn());
            }
            if (self.from..=self.until).contains(&bar.day) {
                bars.push(bar);
            }
        }
        Ok(bars)
    }

    fn as_of(answer: &Vec<Bar>) -> Option<Timestamp> {
        let day = answer.last()?.day;
        Some(Timestamp::from_ms(i64::from(day.epoch_days()) * 86_400_000))
    }
}

impl StooqDaily {
    fn bar(&self, line: &str) -> Option<Bar> {
        let mut fields = line.split(',');
        let day = fields.next()?.parse().ok()?;
        let mut price = || self.unit.price(fields.next()?.parse().ok()?);
        let (open, high, low, close) = (price()?, price()?, price()?, price()?);
        let volume = fields.next().and_then(|text| text.parse().ok());
        Some(Bar { day, open: Some(open), high: Some(high), low: Some(low), close, volume, repaired: false })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Vec<Bar>, DataFault> {
        let day = |text: &str| text.parse().unwrap();
        StooqDaily {
            symbol: "thmb.uk".into(),
            from: day("2026-02-27"),
            until: day("2026-03-02"),
            unit: Unit::of("GBp").unwrap(),
            key: None,
        }
        .read(&Response::new(200, body))
    }

    const HEAD: &str = "Date,Open,High,Low,Close,Volume\r\n";

    #[test]
    fn bars_come_in_the_main_unit_and_within_the_days_asked_for() {
        let bars = read(&format!(
            "{HEAD}2026-02-26,1,1,1,1,1\r\n2026-02-27,631,633.5,627,629,990100\r\n2026-03-02,640,645,636.5,642.5,\r\n"
        ))
        .unwrap();
        assert_eq!(bars.iter().map(|bar| bar.close.e6()).collect::<Vec<_>>(), [6_290_000, 6_425_000]);
        assert_eq!((bars[0].volume, bars[1].volume), (Some(990_100), None));
    }

    #[test]
    fn refusals_that_look_like_answers_are_faults() {
        assert_eq!(read("No data"), Err(DataFault::Unknown));
        assert!(matches!(read("Exceeded the daily hits limit"), Err(DataFault::RateLimited { .. })));
        assert_eq!(read("Get your apikey:\n1. Open"), Err(DataFault::Blocked));
        for torn in ["2026-02-27,631,633.5", "2026-02-27,631,633.5,627,0,1", "x"] {
            assert!(matches!(read(&format!("{HEAD}{torn}")), Err(DataFault::Malformed(_))), "{torn}");
        }
        let twice = format!("{HEAD}2026-02-27,1,1,1,1,1\n2026-02-27,1,1,1,1,1\n");
        assert!(matches!(read(&twice), Err(DataFault::Malformed(_))));
    }
}
