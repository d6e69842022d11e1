//! Fault rules: which request goes wrong, and how. The first rule that matches wins.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::random::{Stream, draws};

/// Rules kept at most.
const RULES_MAX: usize = 256;
/// Firings remembered at most.
const FIRINGS_MAX: usize = 10_000;

/// When a matching rule fires.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// With this chance, drawn per match.
    Prob(f64),
    /// On these matches, the first being 1.
    Nth(Vec<u64>),
    /// Between two virtual instants, ISO 8601 in UTC.
    Between(String, String),
}

/// What a firing rule does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Effect {
    /// Nothing is processed, no answer comes; the connection closes after `ms`.
    TimeoutBefore {
        /// Wall milliseconds until the connection closes.
        #[serde(default = "default_hold_ms")]
        ms: u64,
    },
    /// The request is processed, no answer comes.
    TimeoutAfter {
        /// Wall milliseconds until the connection closes.
        #[serde(default = "default_hold_ms")]
        ms: u64,
    },
    /// The request is processed, the connection breaks in the middle of the answer.
    ResetAfter,
    /// The request is processed, half of the answer arrives as if it were whole.
    Truncate,
    /// The request is processed, the answer is no JSON.
    Malformed,
    /// A gateway answers with this status and a page.
    Http {
        /// HTTP status.
        status: u16,
        /// Whether the request is processed all the same.
        #[serde(default)]
        processed: bool,
    },
    /// A gateway between client and service refuses with a page; nothing is processed.
    #[serde(rename = "http_403_html")]
    Http403Html,
    /// The service answers with an error.
    Error {
        /// Error code, 0 allowed.
        code: i64,
        /// Error text.
        text: String,
    },
    /// The request is refused for being one too many.
    RateLimit {
        /// Whether the refusal hides in the body of a 200.
        #[serde(default)]
        body: bool,
        /// Seconds in `Retry-After`.
        #[serde(default = "default_retry_s")]
        retry_after: u64,
    },
    /// Positions and cash come back empty, as a success.
    EmptyOk,
    /// The answer takes `ms` longer.
    Slow {
        /// Wall milliseconds.
        ms: u64,
    },
    /// The order is accepted and ends in `status` a little later.
    RejectLate {
        /// 70 or 74.
        #[serde(default = "default_reject_status")]
        status: u8,
        /// Virtual milliseconds until then.
        #[serde(default = "default_reject_ms")]
        after_ms: i64,
    },
    /// The order is filled in part and then given up (72).
    PartialThenDead,
    /// The broker makes two orders of one request.
    DupOrder,
    /// The whole answer comes twice on the connection; HTTP only, in process it comes once.
    DupAck,
    /// Lists of orders, trades and positions are `s` seconds old.
    StaleList {
        /// Virtual seconds.
        s: i64,
    },
    /// Listings do not repeat the caller's order id.
    DropEcho,
    /// Units are there, the money of the last `s` seconds has not moved yet.
    CashLag {
        /// Virtual seconds.
        s: i64,
    },
    /// The order costs five times the usual fee.
    FeeSurprise,
    /// The order fills while it is being cancelled.
    CancelRace,
    /// A dividend is taken back three days after it was paid; the rule names the command `dividend`.
    DividendReverted,
    /// The socket closes.
    WsDrop,
    /// The socket stays open and says nothing.
    WsSilent,
    /// The socket serves delayed data to a stranger.
    WsDemo,
    /// Frames come twice.
    WsDup,
    /// Frames come in the wrong order.
    WsReorder,
    /// A frame is no JSON.
    WsGarbage,
    /// Prices are delivered times `factor`, a decimal text such as `10`, `0.1`, `0` or `-1`.
    Spike {
        /// The factor.
        factor: String,
    },
    /// The last price is the one of yesterday.
    StalePrice,
    /// The currency is labelled wrongly: pounds for pence and the other way round.
    WrongCurrency,
    /// Prices are a hundredth of what they are, under the usual label.
    WrongUnit,
    /// Splits are not reported.
    SplitUnannounced,
}

/// Reads a factor such as `0.1` exactly, as numerator and denominator.
pub(crate) fn ratio(text: &str) -> Option<(i64, i64)> {
    Some((super::fixed::parse(text, 6)?, super::fixed::E6))
}

/// Services that a rule can name.
const TARGETS: [&str; 7] = ["tn", "yh", "ecb", "ff", "figi", "stooq", "ws"];

fn default_hold_ms() -> u64 {
    30_000
}

fn default_retry_s() -> u64 {
    30
}

fn default_reject_status() -> u8 {
    70
}

fn default_reject_ms() -> i64 {
    300
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaultRule {
    /// Name; a rule with the same name is replaced.
    pub id: String,
    /// Imitated service: `tn`, `yh`, `ecb`, `ff`, `figi`, `stooq` or `ws`.
    #[serde(default = "default_target")]
    pub target: String,
    /// Command, `*` for all.
    #[serde(default = "any")]
    pub cmd: String,
    /// Ticker named in the request, `*` for all.
    #[serde(default = "any")]
    pub ticker: String,
    /// When it fires.
    pub when: When,
    /// Firings at most; unlimited when absent.
    #[serde(default)]
    pub max: Option<u64>,
    /// What it does.
    pub effect: Effect,
}

fn default_target() -> String {
    "tn".to_owned()
}

fn any() -> String {
    "*".to_owned()
}

/// One firing of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Firing {
    /// Rule.
    pub rule: String,
    /// Number of the request in the log.
    pub request: u64,
    /// Virtual milliseconds.
    pub at_ms: i64,
}

/// Why a rule is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// Too many rules.
    #[error("more than 256 fault rules; delete some first")]
    TooMany,
    /// Bad chance.
    #[error("rule {0}: prob must lie between 0 and 1")]
    Chance(String),
    /// Bad span.
    #[error("rule {0}: between needs two instants like 2026-03-02T08:00:00Z")]
    Span(String),
    /// Unknown service.
    #[error("rule {0}: target {1:?} is not imitated; use tn, yh, ecb, ff, figi, stooq or ws")]
    Target(String, String),
    /// Bad factor.
    #[error("rule {0}: factor must be a decimal text such as \"0.1\"")]
    Factor(String),
}

/// All rules of a world with their counters.
#[derive(Clone)]
pub(crate) struct Faults {
    seed: u64,
    rules: Vec<FaultRule>,
    matches: BTreeMap<String, u64>,
    fired: BTreeMap<String, u64>,
    pub(crate) firings: Vec<Firing>,
}

impl Faults {
    /// Starts without rules.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            rules: Vec::new(),
            matches: BTreeMap::new(),
            fired: BTreeMap::new(),
            firings: Vec::new(),
        }
    }

    /// Adds or replaces a rule.
    pub(crate) fn put(&mut self, rule: FaultRule) -> Result<(), FaultError> {
        if !TARGETS.contains(&rule.target.as_str()) {
            return Err(FaultError::Target(rule.id, rule.target));
        }
        if let Effect::Spike { factor } = &rule.effect
            && ratio(factor).is_none()
        {
            return Err(FaultError::Factor(rule.id));
        }
        match &rule.when {
            When::Prob(p) if !(0.0..=1.0).contains(p) => return Err(FaultError::Chance(rule.id)),
            When::Between(a, b) if instant(a).is_none() || instant(b).is_none() => {
                return Err(FaultError::Span(rule.id));
            }
            _ => {}
        }
        self.remove(&rule.id);
        if self.rules.len() >= RULES_MAX {
            return Err(FaultError::TooMany);
        }
        self.rules.push(rule);
        Ok(())
    }

    /// Removes a rule; false when there was none.
    pub(crate) fn remove(&mut self, id: &str) -> bool {
        let before = self.rules.len();
        self.rules.retain(|r| r.id != id);
        self.matches.remove(id);
        self.fired.remove(id);
        before != self.rules.len()
    }

    /// Returns the ticker a rule is about, absent when it is about all.
    pub(crate) fn ticker_of(&self, id: &str) -> Option<String> {
        let rule = self.rules.iter().find(|rule| rule.id == id)?;
        (rule.ticker != "*").then(|| rule.ticker.clone())
    }

    /// Returns the effect of the first rule that fires for a request.
    pub(crate) fn effect(
        &mut self,
        target: &str,
        cmd: &str,
        ticker: &str,
        now: i64,
        request: u64,
    ) -> Option<(String, Effect)> {
        let fits = |pattern: &str, value: &str| pattern == "*" || pattern == value;
        let mut chosen = None;
        let named = |pattern: &str| pattern == "*" || ticker.split(',').any(|one| one.trim() == pattern);
        let meant = |r: &&FaultRule| r.target == target && fits(&r.cmd, cmd) && named(&r.ticker);
        for rule in self.rules.iter().filter(meant) {
            let count = self.matches.entry(rule.id.clone()).or_default();
            *count += 1;
            let spent = rule.max.is_some_and(|max| self.fired.get(&rule.id).copied().unwrap_or(0) >= max);
            if !spent && fires(self.seed, rule, *count, now) {
                chosen = Some((rule.id.clone(), rule.effect.clone()));
                break;
            }
        }
        let (rule, effect) = chosen?;
        *self.fired.entry(rule.clone()).or_default() += 1;
        if self.firings.len() < FIRINGS_MAX {
            self.firings.push(Firing { rule: rule.clone(), request, at_ms: now });
        }
        Some((rule, effect))
    }
}

fn fires(seed: u64, rule: &FaultRule, count: u64, now: i64) -> bool {
    match &rule.when {
        When::Prob(p) => draws(seed, Stream::Fault, &rule.id, count).uniform() < *p,
        When::Nth(list) => list.contains(&count),
        When::Between(from, to) => match (instant(from), instant(to)) {
            (Some(from), Some(to)) => (from..to).contains(&now),
            _ => false,
        },
    }
}

/// Reads an instant as `YYYY-MM-DDThh:mm:ss[.mmm][Z]`; fractions are dropped.
pub(crate) fn instant(text: &str) -> Option<i64> {
    Some(super::dates::start_of(super::dates::parse_iso(text)?) + super::dates::parse_time_of_day(text)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn rule(id: &str, when: When) -> FaultRule {
        FaultRule {
            id: id.into(),
            target: "tn".into(),
            cmd: "putTradeOrder".into(),
            ticker: "*".into(),
            when,
            max: None,
            effect: Effect::EmptyOk,
        }
    }

    fn firings(faults: &mut Faults, n: u64) -> Vec<u64> {
        (1..=n).filter(|i| faults.effect("tn", "putTradeOrder", "X", 0, *i).is_some()).collect()
    }

    #[test]
    fn fires_on_the_named_matches_and_not_on_other_commands() {
        let mut faults = Faults::new(1);
        faults.put(rule("a", When::Nth(vec![2, 4]))).unwrap();
        assert_eq!(faults.effect("tn", "getHloc", "X", 0, 0), None);
        assert_eq!(firings(&mut faults, 6), [2, 4]);
    }

    #[test]
    fn chances_are_drawn_per_match_and_repeat_exactly() {
        let run = || {
            let mut faults = Faults::new(1);
            faults.put(rule("a", When::Prob(0.3))).unwrap();
            firings(&mut faults, 200)
        };
        assert_eq!(run(), run());
        assert!((40..80).contains(&run().len()), "{}", run().len());
    }

    #[test]
    fn a_span_holds_from_its_beginning_to_before_its_end_and_max_ends_a_rule() {
        let mut faults = Faults::new(1);
        let span = When::Between("1970-01-01T00:00:01Z".into(), "1970-01-01T00:00:02Z".into());
        faults.put(FaultRule { max: Some(2), ..rule("a", span) }).unwrap();
        let mut at = |ms| faults.effect("tn", "putTradeOrder", "X", ms, 0).is_some();
        assert_eq!([at(999), at(1000), at(1999), at(1500), at(2000)], [false, true, true, false, false]);
    }

    #[test]
    fn refuses_rules_that_mean_nothing() {
        let mut faults = Faults::new(1);
        assert!(faults.put(rule("a", When::Prob(1.5))).is_err());
        assert!(faults.put(rule("a", When::Between("soon".into(), "later".into()))).is_err());
        assert!(faults.put(FaultRule { target: "zz".into(), ..rule("a", When::Prob(1.0)) }).is_err());
    }

    #[test]
    fn reads_the_documented_form() {
        let text = r#"{"id":"f1","cmd":"putTradeOrder","when":{"prob":0.2},"max":5,"effect":{"kind":"timeout_after","ms":300}}"#;
        let rule: FaultRule = serde_json::from_str(text).unwrap();
        assert_eq!(rule.effect, Effect::TimeoutAfter { ms: 300 });
        assert_eq!(rule.ticker, "*");
    }
}
