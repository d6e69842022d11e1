//! What the gate has heard, and how a request looks against it. Whatever is missing or odd becomes "unknown", which
//! the checks read as no.

use std::collections::BTreeMap;

use contracts::{
    Breaker, Bucket, Cash, FxRates, Id, Mode, Nav, OrderRequested, OrderState, OrderStatus, PortfolioState,
    Quote, Security, Side, Universe, Venue, mutants,
};
use market::{Isin, Mic, Timestamp};
use money::{Money, Quantity, Rate};

use crate::{
    checks::{ExchangeOrder, ExchangeState, GateOrder, GateSecurity, GateState},
    doubt, price_rule, rate_age,
    store::Activity,
};

/// The part of the fund that always exists.
pub(crate) const CORE: &str = "core";
/// A satellite of which nothing was heard for longer buys nothing.
const BUCKET_AGE_MS: i64 = 26 * 3_600_000;

/// Minutes after an opening and before a closing in which nothing is sent.
pub(crate) const EDGE_MIN: i64 = 10;
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// Everything heard.
#[derive(Debug, Default)]
pub struct World {
    /// The securities and what may be done with them.
    pub universe: Option<Universe>,
    /// Last price of each.
    pub quotes: BTreeMap<Isin, Quote>,
    /// Currency rates.
    pub fx: Option<FxRates>,
    /// Which venue is open.
    pub venues: BTreeMap<Mic, Venue>,
    /// The account.
    pub portfolio: Option<PortfolioState>,
    /// Its value.
    pub nav: Option<Nav>,
    /// The parts of the fund, and when each was said.
    pub buckets: BTreeMap<String, (Bucket, Timestamp)>,
    /// Orders that are not final.
    pub open: BTreeMap<Id, OrderState>,
    /// Orders that were sent.
    pub activity: BTreeMap<String, Activity>,
}

/// When a security was traded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traded {
    /// Last purchase, or when it was opened.
    pub last_buy: Option<Timestamp>,
    /// Last sale.
    pub last_sell: Option<Timestamp>,
}

/// What the stage itself adds.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    /// Live or research.
    pub mode: Mode,
    /// The breaker, halts included.
    pub breaker: Breaker,
    /// An approval is out that nobody has acted on yet.
    pub approval_out: bool,
    /// In a simulated world holdings without a date count as older than the books.
    pub simulated: bool,
    /// Whether ages mean anything by our clock.
    pub clock_trusted: bool,
}

/// Whether a venue is open, and neither just opened nor about to close. The minutes are those of the statement; the close
/// itself is looked at now, so that an old statement does not keep a venue open.
pub(crate) fn takes_orders(venue: &Venue, now: Timestamp) -> bool {
    let inside = |minutes: Option<i64>| minutes.is_some_and(|minutes| minutes >= EDGE_MIN);
    let left_ms = venue.next_change.map(|close| close.since(now));
    venue.open
        && inside(venue.since_open_min)
        && inside(venue.until_close_min)
        && left_ms.is_some_and(|left| left >= EDGE_MIN * MINUTE_MS)
}

/// When a venue takes orders by itself; nothing for one that is about to close, because nobody says when it opens then.
pub(crate) fn takes_orders_from(venue: &Venue, now: Timestamp) -> Option<Timestamp> {
    let edge_ms = EDGE_MIN * MINUTE_MS;
    if !venue.open {
        return venue.next_change.map(|opens| opens.saturating_plus_ms(edge_ms));
    }
    let since = venue.since_open_min.filter(|since| *since < EDGE_MIN)?;
    Some(now.saturating_plus_ms((EDGE_MIN - since) * MINUTE_MS))
}

impl World {
    /// The security of a request.
    #[must_use]
    pub fn security(&self, isin: &Isin) -> Option<&Security> {
        self.universe.as_ref()?.find(isin)
    }

    /// The order as the checks see it.
    #[must_use]
    pub fn order(request: &OrderRequested) -> GateOrder {
        GateOrder {
            symbol: request.isin.to_string(),
            side: Some(request.side),
            quantity: request.qty_e6,
            price: Some(request.limit_price_e6),
            currency: request.ccy,
            kind: request.kind,
        }
    }

    /// The security as the checks see it.
    #[must_use]
    pub fn gate_security(&self, request: &OrderRequested, now: Timestamp) -> GateSecurity {
        let known = self
            .security(&request.isin)
            .filter(|one| one.mic == request.mic && one.ccy == request.ccy && one.active);
        let venue = self.venues.get(&request.mic);
        GateSecurity {
            known: known.is_some(),
            allow_buy: known.is_some_and(|one| one.allow_buy) && self.bucket_allows(request, now),
            allow_sell: known.is_some_and(|one| one.allow_sell) && self.bucket_allows(request, now),
            min_lot: known.map_or(Quantity::ZERO, |one| one.lot_e6),
            tick: known.and_then(|one| one.tick_e6),
            strict_hours: venue.is_none_or(|venue| venue.strict),
            market_open: mutants::is("closed_venue") || venue.is_some_and(|venue| takes_orders(venue, now)),
        }
    }

    /// The state of the fund as the checks see it.
    #[must_use]
    pub fn state(&self, request: &OrderRequested, standing: Standing, now: Timestamp) -> GateState {
        let position = self.portfolio.as_ref().and_then(|portfolio| portfolio.position(&request.isin));
        let held = position.map_or(Quantity::ZERO, |position| position.qty_e6);
        let sent = self.trades(standing.mode);
        let newest =
            |wish: &dyn Fn(&Activity) -> bool| sent.iter().filter(|one| wish(one)).map(|one| one.sent).max();
        let same = |one: &Activity| one.isin == request.isin;
        let since = |when: Option<Timestamp>| when.map(|when| seconds(when, now));
        let Traded { last_buy, last_sell } = self.traded(&request.isin, standing.mode);
        // A held position of which nobody knows when it was bought may have been bought today.
        let unknown_history = held.is_positive() && last_buy.is_none() && !standing.simulated;
        let days =
            |when: Option<Timestamp>| when.map(|when| whole_days(when, now)).or(unknown_history.then_some(0));
        GateState {
            mode: Some(standing.mode),
            snapshot_age_s: self.snapshot_age(request, standing, now),
            price_age_s: self.price_age(request, now),
            breaker: standing.breaker,
            since_last_trade_s: since(newest(&|_| true)),
            trades_today: count(&sent, |one| one.sent.day_utc() == now.day_utc()),
            trades_week: count(&sent, |one| now.since(one.sent) < 7 * DAY_MS),
            pending_order: Some(standing.approval_out || self.is_pending(&request.isin)),
            since_submission_s: since(newest(&same)),
            since_last_sell_s: since(newest(&|one| same(one) && one.side == Side::Sell)),
            days_since_last_buy: days(last_buy),
            days_since_last_transaction: days(last_buy.max(last_sell)),
            days_since_last_sell: last_sell.map(|when| whole_days(when, now)),
            position_quantity: held,
            avg_price: position.and_then(|position| position.avg_price_e6),
            position_value_eur: self.position_value(position),
            portfolio_value_eur: self.portfolio.as_ref().and_then(|portfolio| portfolio.nav),
            balances: self.cash(&request.bucket_id, Cash::free),
            pending_buy_value: self.cash(&request.bucket_id, |cash| cash.reserved),
            limiting_bucket: self.limiting(&request.bucket_id),
            eur_per_unit: self.rates(now),
        }
    }

    /// Orders for securities that were sent in a mode; exchanges of currencies are no trades.
    #[must_use]
    pub fn trades(&self, mode: Mode) -> Vec<&Activity> {
        self.activity
            .values()
            .filter(|one| one.mode == mode && contracts::pair_of(&one.isin).is_none())
            .collect()
    }

    /// The exchange of a request and the state it is judged by; nothing for a security.
    #[must_use]
    pub fn exchange(
        &self,
        request: &OrderRequested,
        standing: Standing,
        now: Timestamp,
    ) -> Option<(ExchangeOrder, ExchangeState)> {
        let (base, quote) = contracts::pair_of(&request.isin)?;
        let pair = limits::FxPair { base, quote };
        let known = limits::FxPair::ALL.contains(&pair) && request.ccy == quote;
        let same = self.activity.values().filter(|one| one.mode == standing.mode && one.isin == request.isin);
        let state = ExchangeState {
            mode: Some(standing.mode),
            snapshot_age_s: self.snapshot_age(request, standing, now),
            price_age_s: self.exchange_price_age(request, pair, now),
            breaker: standing.breaker,
            tradable: self.venues.get(&request.mic).is_some_and(|venue| venue.open),
            pending_order: Some(standing.approval_out || self.is_pending(&request.isin)),
            since_submission_s: same.map(|one| one.sent).max().map(|sent| seconds(sent, now)),
            balances: self.cash(&request.bucket_id, Cash::free),
            pending_buy_value: self.cash(&request.bucket_id, |cash| cash.reserved),
            eur_per_unit: self.rates(now),
        };
        let order = ExchangeOrder {
            pair: known.then_some(pair),
            side: Some(request.side),
            quantity: request.qty_e6,
            price: Some(request.limit_price_e6),
        };
        Some((order, state))
    }

    /// Known only for a believable price of the pair, near the reference rate, to which the limit belongs.
    fn exchange_price_age(
        &self,
        request: &OrderRequested,
        pair: limits::FxPair,
        now: Timestamp,
    ) -> Option<u64> {
        let rates = self.rates(now);
        let reference = limits::cross_rate(*rates.get(&pair.base)?, *rates.get(&pair.quote)?).ok()?;
        let quote = self
            .quotes
            .get(&request.isin)
            .filter(|quote| !quote.suspect && quote.ccy == request.ccy && quote.at <= now)?;
        let belongs = price_rule::keeps_for_exchange(request.side, request.limit_price_e6, quote, reference);
        belongs.then(|| seconds(quote.at, now))
    }

    /// When a security was last bought and sold, by whomever and even if none of it is held any more: what the account
    /// says, and fills that it does not know yet.
    #[must_use]
    pub fn traded(&self, isin: &Isin, mode: Mode) -> Traded {
        let position = self.portfolio.as_ref().and_then(|portfolio| portfolio.position(isin));
        let closed = self.portfolio.as_ref().and_then(|portfolio| portfolio.closed(isin));
        let filled = |side: Side| {
            let own = self.activity.values().filter(|one| one.mode == mode && one.filled);
            own.filter(|one| one.isin == *isin && one.side == side).map(|one| one.sent).max()
        };
        Traded {
            last_buy: position
                .and_then(|position| position.last_buy.or(position.opened))
                .max(closed.and_then(|closed| closed.last_buy))
                .max(filled(Side::Buy)),
            last_sell: position
                .and_then(|position| position.last_sell)
                .max(closed.and_then(|closed| closed.last_sell))
                .max(filled(Side::Sell)),
        }
    }

    /// Whether the status of the bucket lets this side and kind of order through. Of the core nothing needs to have
    /// been heard; a satellite that is unknown, or silent for 26 hours, buys nothing and sells nothing.
    fn bucket_allows(&self, request: &OrderRequested, now: Timestamp) -> bool {
        let Some((bucket, said)) = self.buckets.get(&request.bucket_id) else {
            return request.bucket_id == CORE;
        };
        let exit = request.stop_loss || request.kind != contracts::OrderKind::Normal;
        match (bucket.status.as_str(), request.side) {
            ("active" | "accumulating", Side::Sell) => true,
            ("active" | "accumulating", Side::Buy) => {
                bucket.bucket_id == CORE || now.since(*said) <= BUCKET_AGE_MS
            }
            // Simulated only; the mode of the order takes care of that.
            ("research", _) => true,
            ("hibernating", Side::Sell) => exit,
            ("paused", Side::Sell) => request.kind == contracts::OrderKind::Manual,
            _ => false,
        }
    }

    /// Days to hold for this request: the bucket's own, none for a sale that limits a loss.
    #[must_use]
    pub fn min_hold_days(&self, request: &OrderRequested, core: u32) -> u32 {
        if request.stop_loss && request.side == Side::Sell {
            return 0;
        }
        let own = self.buckets.get(&request.bucket_id).filter(|_| request.bucket_id != CORE);
        own.map_or(core, |(bucket, _)| u32::from(bucket.min_hold_days).clamp(1, 90))
    }

    /// Whether orders of a bucket end on paper whatever the mode.
    #[must_use]
    pub fn is_on_paper(&self, bucket_id: &str) -> bool {
        self.buckets.get(bucket_id).is_some_and(|(bucket, _)| bucket.status == "research")
    }

    /// Why the value of the fund is doubted, if it is.
    #[must_use]
    pub fn doubt(&self, now: Timestamp) -> Option<String> {
        let grounds = doubt::Grounds {
            portfolio: self.portfolio.as_ref(),
            quotes: &self.quotes,
            venues: &self.venues,
            fx: self.fx.as_ref(),
        };
        doubt::why(grounds, |isin| self.security(isin).map(|security| security.mic), now)
    }

    /// Known only for the very holdings that the request assumes, read not long ago and without a difference to the
    /// broker; of the ledger that the order changes, not from before an order that was filled, and by a clock that is
    /// trusted.
    fn snapshot_age(&self, request: &OrderRequested, standing: Standing, now: Timestamp) -> Option<u64> {
        let mode = standing.mode;
        let portfolio = self.portfolio.as_ref()?;
        let frozen = portfolio.position(&request.isin).is_some_and(|position| position.frozen);
        // Orders on paper are judged by the paper ledger, live ones by the account; a bucket on paper has no ledger yet.
        let foreign = portfolio.mode != mode && !self.is_on_paper(&request.bucket_id);
        let before_a_fill =
            self.activity.values().any(|one| one.mode == mode && one.filled && one.sent >= portfolio.at);
        let usable = standing.clock_trusted
            && !portfolio.stale
            && !frozen
            && !foreign
            && !before_a_fill
            && portfolio.state_id == request.state_id
            && portfolio.at <= now;
        usable.then(|| seconds(portfolio.at, now))
    }

    /// Known only for a believable price to which the limit belongs by [`price_rule`].
    fn price_age(&self, request: &OrderRequested, now: Timestamp) -> Option<u64> {
        let quote = self
            .quotes
            .get(&request.isin)
            .filter(|quote| !quote.suspect && quote.ccy == request.ccy && quote.at <= now)?;
        let belongs = price_rule::keeps(request.side, request.limit_price_e6, quote);
        (belongs || mutants::is("far_limit")).then(|| seconds(quote.at, now))
    }

    fn is_pending(&self, isin: &Isin) -> bool {
        // One that the broker has not acknowledged stops every other order, of any security.
        let unacknowledged = |order: &OrderState| {
            matches!(order.status, OrderStatus::Armed | OrderStatus::Sending | OrderStatus::Unknown)
        };
        if mutants::is("two_at_once") {
            return false;
        }
        let own = self.open.values().any(|order| order.isin == *isin || unacknowledged(order));
        own || self
            .portfolio
            .as_ref()
            .is_some_and(|portfolio| portfolio.open_orders.iter().any(|order| order.isin == *isin))
    }

    fn position_value(&self, position: Option<&contracts::Position>) -> Option<Money> {
        match position {
            Some(position) => position.value_eur,
            None => self.portfolio.as_ref().map(|_| Money::zero(money::Currency::EUR)),
        }
    }

    /// A bucket's own cash: what belongs to another is not there for it, and what another owes is not there either.
    fn cash(&self, bucket_id: &str, pick: impl Fn(&Cash) -> Money) -> BTreeMap<money::Currency, Money> {
        let lines = || self.portfolio.iter().flat_map(|portfolio| &portfolio.cash);
        let debt = |own: &Cash| {
            lines()
                .filter(|cash| cash.bucket_id != bucket_id && cash.amount.currency() == own.amount.currency())
                .filter(|cash| cash.amount.is_negative())
                .try_fold(Money::zero(own.amount.currency()), |sum, cash| sum.checked_add(cash.amount))
        };
        lines()
            .filter(|cash| cash.bucket_id == bucket_id)
            .filter_map(|cash| {
                let owed = debt(&Cash { reserved: cash.reserved, ..cash.clone() }).ok()?;
                let amount = cash.amount.checked_add(owed).ok()?;
                let spendable = Some(cash.free().checked_add(owed).ok()?);
                Some((cash.amount.currency(), pick(&Cash { amount, spendable, ..cash.clone() })))
            })
            .collect()
    }

    /// The satellite whose own cash is the limit; the core's is the account's.
    fn limiting(&self, bucket_id: &str) -> BTreeMap<money::Currency, String> {
        let lines = self.portfolio.iter().flat_map(|portfolio| &portfolio.cash);
        let own = lines.filter(|cash| cash.bucket_id == bucket_id && bucket_id != CORE);
        own.map(|cash| (cash.amount.currency(), bucket_id.to_string())).collect()
    }

    /// Rates recent enough to trade by; a missing one stops what needs it.
    fn rates(&self, now: Timestamp) -> BTreeMap<money::Currency, Rate> {
        let known = self.fx.iter().flat_map(|fx| &fx.rates);
        let usable = known.filter(|(_, rate)| rate_age::is_usable(rate.as_of, now));
        let known = usable.map(|(ccy, rate)| (*ccy, rate.eur_per_unit_e9));
        known.chain([(money::Currency::EUR, Rate::ONE)]).collect()
    }
}

/// Whole seconds; an event of the future is no time ago.
fn seconds(when: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(now.since(when) / 1_000).unwrap_or(0)
}

fn whole_days(when: Timestamp, now: Timestamp) -> u32 {
    u32::try_from(now.since(when) / DAY_MS).unwrap_or(0)
}

fn count(sent: &[&Activity], wish: impl Fn(&Activity) -> bool) -> u32 {
    u32::try_from(sent.iter().filter(|one| wish(one)).count()).unwrap_or(u32::MAX)
}
