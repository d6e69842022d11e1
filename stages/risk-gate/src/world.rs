//! What the gate has heard, and how a request looks against it. Whatever is missing or odd becomes "unknown", which
//! the checks read as no.

use std::collections::BTreeMap;

use contracts::{
    Breaker, Cash, FxRates, Id, Mode, Nav, OrderRequested, OrderState, OrderStatus, PortfolioState, Quote,
    Security, Side, Universe, Venue,
};
use market::{Isin, Mic, Timestamp};
use money::{Money, Quantity, Rate};

use crate::{
    checks::{GateOrder, GateSecurity, GateState},
    price_rule, rate_age,
    store::Activity,
};

/// Minutes after an opening and before a closing in which nothing is sent.
const EDGE_MIN: i64 = 10;
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
    /// Orders that are not final.
    pub open: BTreeMap<Id, OrderState>,
    /// Orders that were sent.
    pub activity: BTreeMap<String, Activity>,
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
        let inside = |minutes: Option<i64>| minutes.is_some_and(|minutes| minutes >= EDGE_MIN);
        GateSecurity {
            known: known.is_some(),
            allow_buy: known.is_some_and(|one| one.allow_buy),
            allow_sell: known.is_some_and(|one| one.allow_sell),
            min_lot: known.map_or(Quantity::ZERO, |one| one.lot_e6),
            strict_hours: venue.is_none_or(|venue| venue.strict),
            market_open: venue.is_some_and(|venue| {
                // The minutes are those of the statement; the close itself is looked at now, so that an old
                // statement does not keep a venue open.
                let left_ms = venue.next_change.map(|close| close.since(now));
                venue.open
                    && inside(venue.since_open_min)
                    && inside(venue.until_close_min)
                    && left_ms.is_some_and(|left| left >= EDGE_MIN * MINUTE_MS)
            }),
        }
    }

    /// The state of the fund as the checks see it.
    #[must_use]
    pub fn state(&self, request: &OrderRequested, standing: Standing, now: Timestamp) -> GateState {
        let position = self.portfolio.as_ref().and_then(|portfolio| portfolio.position(&request.isin));
        let held = position.map_or(Quantity::ZERO, |position| position.qty_e6);
        let sent: Vec<&Activity> = self.activity.values().filter(|one| one.mode == standing.mode).collect();
        let newest =
            |wish: &dyn Fn(&Activity) -> bool| sent.iter().filter(|one| wish(one)).map(|one| one.sent).max();
        let same = |one: &Activity| one.isin == request.isin;
        let since = |when: Option<Timestamp>| when.map(|when| seconds(when, now));
        let filled = |side: Side| newest(&|one| same(one) && one.filled && one.side == side);
        let last_buy =
            later(position.and_then(|position| position.last_buy.or(position.opened)), filled(Side::Buy));
        let last_sell = later(position.and_then(|position| position.last_sell), filled(Side::Sell));
        // A held position of which nobody knows when it was bought may have been bought today.
        let unknown_history = held.is_positive() && last_buy.is_none() && !standing.simulated;
        let days =
            |when: Option<Timestamp>| when.map(|when| whole_days(when, now)).or(unknown_history.then_some(0));
        GateState {
            mode: Some(standing.mode),
            snapshot_age_s: self.snapshot_age(request, standing.mode, now),
            price_age_s: self.price_age(request, now),
            breaker: standing.breaker,
            since_last_trade_s: since(newest(&|_| true)),
            trades_today: count(&sent, |one| one.sent.day_utc() == now.day_utc()),
            trades_week: count(&sent, |one| now.since(one.sent) < 7 * DAY_MS),
            pending_order: Some(standing.approval_out || self.is_pending(&request.isin)),
            since_submission_s: since(newest(&same)),
            since_last_sell_s: since(newest(&|one| same(one) && one.side == Side::Sell)),
            days_since_last_buy: days(last_buy),
            days_since_last_transaction: days(later(last_buy, last_sell)),
            days_since_last_sell: last_sell.map(|when| whole_days(when, now)),
            position_quantity: held,
            avg_price: position.and_then(|position| position.avg_price_e6),
            position_value_eur: self.position_value(position),
            portfolio_value_eur: self.portfolio.as_ref().and_then(|portfolio| portfolio.nav),
            balances: self.cash(&request.bucket_id, |cash| cash.amount),
            pending_buy_value: self.cash(&request.bucket_id, |cash| cash.reserved),
            limiting_bucket: BTreeMap::new(),
            eur_per_unit: self.rates(now),
        }
    }

    /// Known only for the very holdings that the request assumes, read not long ago and without a difference to the
    /// broker; of the real account when orders are live, and not from before an order that was filled.
    fn snapshot_age(&self, request: &OrderRequested, mode: Mode, now: Timestamp) -> Option<u64> {
        let portfolio = self.portfolio.as_ref()?;
        let frozen = portfolio.position(&request.isin).is_some_and(|position| position.frozen);
        let foreign = mode == Mode::Live && portfolio.mode != Mode::Live;
        let before_a_fill =
            self.activity.values().any(|one| one.mode == mode && one.filled && one.sent >= portfolio.at);
        let usable = !portfolio.stale
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
        belongs.then(|| seconds(quote.at, now))
    }

    fn is_pending(&self, isin: &Isin) -> bool {
        // One that the broker has not acknowledged stops every other order, of any security.
        let unacknowledged = |order: &OrderState| {
            matches!(order.status, OrderStatus::Armed | OrderStatus::Sending | OrderStatus::Unknown)
        };
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

    /// A bucket's own cash: what belongs to another is not there for it.
    fn cash(&self, bucket_id: &str, pick: impl Fn(&Cash) -> Money) -> BTreeMap<money::Currency, Money> {
        let lines = self.portfolio.iter().flat_map(|portfolio| &portfolio.cash);
        lines
            .filter(|cash| cash.bucket_id == bucket_id)
            .map(|cash| (cash.amount.currency(), pick(cash)))
            .collect()
    }

    /// Rates recent enough to trade by; a missing one stops what needs it.
    fn rates(&self, now: Timestamp) -> BTreeMap<money::Currency, Rate> {
        let known = self.fx.iter().flat_map(|fx| &fx.rates);
        let usable = known.filter(|(_, rate)| rate_age::is_usable(rate.as_of, now));
        let known = usable.map(|(ccy, rate)| (*ccy, rate.eur_per_unit_e9));
        known.chain([(money::Currency::EUR, Rate::ONE)]).collect()
    }
}

fn later(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.max(other)
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
