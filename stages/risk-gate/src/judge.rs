//! From the newest statements to the inputs of the pure gate, and from its verdict to what is said.

use std::collections::BTreeMap;

use contracts::{Breaker, OrderRequested, PortfolioState, Position, Side};
use market::Timestamp;
use money::{Currency, Money, Price, Quantity, Weight};

use crate::activity::{Activities, next_midnight};
use crate::checks::{Code, GateOrder, GateSecurity, GateSettings, GateState, Verdict, gate};
use crate::facts::{CORE, Facts, age_s, is_open, opens_at};
use crate::limits::{BUCKET_AGE_MS, DAY_MS, OWN_SHARE_MAX_E6};
use crate::price_rule;
use crate::settings::Rules;

/// A request with everything it is judged by.
pub struct Question<'a> {
    /// What is asked for.
    pub request: &'a OrderRequested,
    /// Statements of the others.
    pub facts: &'a Facts,
    /// Own orders.
    pub activities: &'a Activities,
    /// The breaker; `Halted` while any halt is open.
    pub breaker: Breaker,
    /// Some order or approval has not been acknowledged.
    pub unacknowledged: bool,
    /// Rules.
    pub rules: &'a Rules,
    /// `live` or `sim:<seed>`.
    pub environment: &'a str,
    /// Now.
    pub now: Timestamp,
}

/// The verdict with what is said beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// Of the pure gate.
    pub verdict: Verdict,
    /// One sentence.
    pub text: String,
    /// For a deferred order: when the check can change, if that is known.
    pub earliest: Option<Timestamp>,
}

/// Judges a request.
#[must_use]
pub fn judge(question: &Question<'_>) -> Judgement {
    let snapshot = question.snapshot_age();
    let verdict = gate(
        &question.order(),
        &question.security(),
        &question.state(snapshot.ok()),
        &question.settings(),
    );
    let earliest = question.earliest(&verdict);
    let text = question.sentence(&verdict, snapshot.err());
    Judgement { verdict, text, earliest }
}

impl Question<'_> {
    fn order(&self) -> GateOrder {
        let request = self.request;
        let known = self.facts.security(request);
        GateOrder {
            symbol: known.map_or_else(|| request.isin.to_string(), |security| security.ticker.clone()),
            side: Some(request.side),
            quantity: request.qty_e6,
            price: Some(request.limit_price_e6),
            currency: request.ccy,
            kind: request.kind,
        }
    }

    fn security(&self) -> GateSecurity {
        let security = self.facts.security(self.request);
        let venue = self.facts.venues.get(&self.request.mic);
        let frozen = self.held().any(|position| position.frozen);
        let (buy, sell) = self.bucket_allows();
        GateSecurity {
            known: security.is_some(),
            allow_buy: security.is_some_and(|security| security.allow_buy) && buy && !frozen,
            allow_sell: security.is_some_and(|security| security.allow_sell) && sell && !frozen,
            min_lot: security.map_or(Quantity::ZERO, |security| security.lot_e6),
            strict_hours: venue.is_none_or(|venue| venue.body.strict),
            market_open: venue.is_some_and(|venue| is_open(venue, self.now)),
        }
    }

    /// The core is always active; a satellite buys only while its state is known, recent and active.
    fn bucket_allows(&self) -> (bool, bool) {
        let known = self.facts.buckets.get(&self.request.bucket_id);
        let is_core = self.request.bucket_id == CORE;
        let Some(bucket) = known else { return (is_core, true) };
        let active = bucket.body.status == "active";
        let recent = is_core || self.now.since(bucket.at) <= BUCKET_AGE_MS;
        (active && recent, active)
    }

    fn held(&self) -> impl Iterator<Item = &Position> {
        let positions = self.facts.state.iter().flat_map(|state| &state.positions);
        positions.filter(|position| position.isin == self.request.isin)
    }

    /// The age of the snapshot, or why it does not show the holdings that the request means.
    fn snapshot_age(&self) -> Result<u64, &'static str> {
        let state = self.facts.state.as_ref().ok_or("no snapshot of the account has been heard")?;
        if state.stale {
            return Err("the account could not be read for too long");
        }
        if state.environment != self.environment {
            return Err("the snapshot is of another environment");
        }
        if self.rules.mode == contracts::Mode::Live && state.mode != self.rules.mode {
            return Err("the snapshot is of the paper account");
        }
        if state.state_id != self.request.state_id {
            return Err("the holdings are no longer those of the request");
        }
        if self.activities.last_fill(self.rules.mode).is_some_and(|fill| fill > state.at) {
            return Err("the snapshot does not show the last fill yet");
        }
        age_s(state.at, self.now).ok_or("the snapshot is of the future")
    }

    fn price_age(&self) -> Option<u64> {
        let request = self.request;
        let quote = self.facts.quotes.get(&request.isin)?;
        let usable = !quote.suspect
            && quote.ccy == request.ccy
            && quote.mic == request.mic
            && price_rule::keeps(request.side, request.limit_price_e6, quote);
        age_s(quote.at, self.now).filter(|_| usable)
    }

    fn state(&self, snapshot_age_s: Option<u64>) -> GateState {
        let (mode, isin, now) = (self.rules.mode, &self.request.isin, self.now);
        let counts = self.activities.counts(mode, &self.rules.zone, now);
        let seconds = |at: Timestamp| u64::try_from(now.since(at).max(0) / 1_000).unwrap_or(0);
        let sent = |side| self.activities.last_sent(mode, isin, side).map(seconds);
        let days = |side| self.days_since(side);
        let position = self.position();
        let cash = self.facts.state.as_ref().map(|state| Spendable::of(state, &self.request.bucket_id));
        let cash = cash.unwrap_or_default();
        GateState {
            mode: Some(mode),
            snapshot_age_s,
            price_age_s: self.price_age(),
            breaker: self.breaker,
            since_last_trade_s: counts.last.map(seconds),
            trades_today: counts.today,
            trades_week: counts.week,
            pending_order: Some(self.is_pending()),
            since_submission_s: sent(None),
            since_last_sell_s: sent(Some(Side::Sell)),
            days_since_last_buy: days(Some(Side::Buy)),
            days_since_last_transaction: days(None),
            days_since_last_sell: days(Some(Side::Sell)),
            position_quantity: position.map_or(Quantity::ZERO, |position| position.qty_e6),
            avg_price: position.and_then(|position| position.avg_price_e6),
            position_value_eur: self.value_held(),
            portfolio_value_eur: self.facts.state.as_ref().and_then(|state| state.nav),
            balances: cash.balances,
            pending_buy_value: cash.reserved,
            limiting_bucket: cash.limiting,
            eur_per_unit: self.facts.eur_per_unit(now),
        }
    }

    /// What the request's bucket holds of the security.
    fn position(&self) -> Option<&Position> {
        self.held().find(|position| position.bucket_id == self.request.bucket_id)
    }

    /// What all buckets together hold of it, in EUR.
    fn value_held(&self) -> Option<Money> {
        self.facts.state.as_ref()?;
        let values: Option<Vec<Money>> = self.held().map(|position| position.value_eur).collect();
        Money::checked_sum(Currency::EUR, values?).ok()
    }

    fn is_pending(&self) -> bool {
        let reported = self.facts.state.iter().flat_map(|state| &state.open_orders);
        let ended = |id| self.activities.find(id).is_some_and(|own| own.ended.is_some());
        self.unacknowledged
            || self.activities.any_open(&self.request.isin)
            || reported.into_iter().any(|open| open.isin == self.request.isin && !ended(open.order_id))
    }

    /// Whole days since the security was traded. Unknown history of a holding counts as today.
    fn days_since(&self, side: Option<Side>) -> Option<u32> {
        let isin = &self.request.isin;
        let own = self.activities.last_filled(self.rules.mode, isin, side);
        let bought = |position: &Position| position.last_buy.max(position.opened);
        let booked = self.held().filter_map(|position| match side {
            Some(Side::Buy) => bought(position),
            Some(Side::Sell) => position.last_sell,
            None => bought(position).max(position.last_sell),
        });
        let last = booked.chain(own).max();
        let no_history = |position: &Position| {
            !position.qty_e6.is_zero() && bought(position).is_none() && position.last_sell.is_none()
        };
        let unknown = self.activities.last_filled(self.rules.mode, isin, None).is_none() && self.held().any(no_history);
        match last {
            Some(at) => Some(u32::try_from(self.now.since(at).max(0) / DAY_MS).unwrap_or(u32::MAX)),
            None if unknown => Some(0),
            None => None,
        }
    }

    /// The limits as they are for this bucket and this security.
    fn settings(&self) -> GateSettings {
        let mut settings = self.rules.gate.clone();
        if self.request.bucket_id != CORE
            && let Some(bucket) = self.facts.buckets.get(&self.request.bucket_id)
        {
            settings.min_hold_days = u32::from(bucket.body.min_hold_days.clamp(1, 90));
        }
        let security = self.facts.security(self.request);
        if let Some(own) = security.and_then(|security| security.max_weight_e6) {
            let largest = Weight::from_e6(OWN_SHARE_MAX_E6).expect("a share");
            settings.max_position = own.min(largest);
        }
        let leaves = security.is_some_and(|one| !one.allow_buy && one.max_weight_e6 == Some(Weight::ZERO));
        if leaves || self.is_small() {
            settings.max_sell = Weight::ONE;
        }
        settings
    }

    /// A holding worth less than two smallest trades cannot be halved sensibly.
    fn is_small(&self) -> bool {
        let twice = self.rules.min_trade.checked_mul(2);
        let value = self.position().and_then(|position| position.value_eur);
        value.zip(twice.ok()).is_some_and(|(value, twice)| value.checked_cmp(twice).is_ok_and(|order| order.is_lt()))
    }

    fn earliest(&self, verdict: &Verdict) -> Option<Timestamp> {
        let waited = || verdict.wait_s.and_then(|wait| i64::try_from(wait).ok()?.checked_mul(1_000));
        match verdict.code? {
            Code::MinGap | Code::DuplicateWindow => waited().map(|ms| self.now.saturating_plus_ms(ms)),
            Code::DailyLimit => Some(next_midnight(&self.rules.zone, self.now)),
            Code::WeeklyLimit => self.activities.week_eases_at(self.rules.mode, self.now),
            Code::MarketClosed => {
                self.facts.venues.get(&self.request.mic).and_then(|venue| opens_at(venue, self.now))
            }
            _ => None,
        }
    }

    fn sentence(&self, verdict: &Verdict, stale: Option<&str>) -> String {
        let (Some(code), Some(last)) = (verdict.code, verdict.evidence.last()) else {
            return format!("All {} checks passed.", verdict.evidence.len());
        };
        match (code, stale) {
            (Code::StaleState, Some(why)) => format!("{code}: {why}."),
            _ => format!("{code}: found {}, needed {}.", last.found, last.limit),
        }
    }
}

/// What may be spent per currency: the smaller of the whole account's cash and the bucket's own.
#[derive(Debug, Default, PartialEq, Eq)]
struct Spendable {
    balances: BTreeMap<Currency, Money>,
    reserved: BTreeMap<Currency, Money>,
    limiting: BTreeMap<Currency, String>,
}

impl Spendable {
    fn of(state: &PortfolioState, bucket_id: &str) -> Spendable {
        let mut found = Spendable::default();
        let currencies = state.cash.iter().map(|cash| cash.amount.currency());
        for currency in currencies.collect::<std::collections::BTreeSet<_>>() {
            let sum = |only: Option<&str>| {
                let rows = || {
                    let of_bucket = |cash: &&contracts::Cash| only.is_none_or(|only| cash.bucket_id == only);
                    state.cash.iter().filter(of_bucket).filter(|cash| cash.amount.currency() == currency)
                };
                let amount = Money::checked_sum(currency, rows().map(|cash| cash.amount)).ok()?;
                let reserved = Money::checked_sum(currency, rows().map(|cash| cash.reserved)).ok()?;
                Some((amount, reserved, amount.checked_sub(reserved).ok()?))
            };
            // What cannot be added up is left out, and counts as nothing.
            let (Some(all), Some(own)) = (sum(None), sum(Some(bucket_id))) else { continue };
            let own_is_less = own.2.checked_cmp(all.2).is_ok_and(|order| order.is_lt());
            let (amount, reserved, _) = if own_is_less { own } else { all };
            if own_is_less {
                found.limiting.insert(currency, bucket_id.to_string());
            }
            found.balances.insert(currency, amount);
            found.reserved.insert(currency, reserved);
        }
        found
    }
}

/// The price at which an order is written into a sentence.
#[must_use]
pub fn described(request: &OrderRequested) -> String {
    let side = match request.side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    };
    let limit: Price = request.limit_price_e6;
    format!("{side} {} {} at {limit} {}", request.qty_e6, request.isin, request.ccy)
}
