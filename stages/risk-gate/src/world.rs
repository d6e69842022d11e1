//! What the gate has heard, and how a request looks against it. Whatever is missing or odd becomes "unknown", which
//! the checks read as no.

use std::collections::BTreeMap;

use contracts::{
    Breaker, FxRates, Id, Mode, Nav, OrderRequested, OrderState, PortfolioState, Quote, Security, Side,
    Universe, Venue,
};
use market::{Isin, Mic, Timestamp};
use money::{Money, Quantity, Rate};

use crate::{
    checks::{GateOrder, GateSecurity, GateState},
    store::Activity,
};

/// Minutes after an opening and before a closing in which nothing is sent.
const EDGE_MIN: i64 = 10;
/// A limit further than this from the last price does not belong to it, in parts per thousand.
const LIMIT_OFF_PER_MILLE: i64 = 20;
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
    pub fn gate_security(&self, request: &OrderRequested) -> GateSecurity {
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
                venue.open && inside(venue.since_open_min) && inside(venue.until_close_min)
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
            snapshot_age_s: self.snapshot_age(request, now),
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
            balances: self.cash(|cash| cash.amount),
            pending_buy_value: self.cash(|cash| cash.reserved),
            limiting_bucket: BTreeMap::new(),
            eur_per_unit: self.rates(),
        }
    }

    /// Known only for the very holdings that the request assumes, read not long ago and without a difference to the broker.
    fn snapshot_age(&self, request: &OrderRequested, now: Timestamp) -> Option<u64> {
        let portfolio = self.portfolio.as_ref()?;
        let frozen = portfolio.position(&request.isin).is_some_and(|position| position.frozen);
        let usable =
            !portfolio.stale && !frozen && portfolio.state_id == request.state_id && portfolio.at <= now;
        usable.then(|| seconds(portfolio.at, now))
    }

    /// Known only for a believable price to which the limit belongs.
    fn price_age(&self, request: &OrderRequested, now: Timestamp) -> Option<u64> {
        let quote = self
            .quotes
            .get(&request.isin)
            .filter(|quote| !quote.suspect && quote.ccy == request.ccy && quote.at <= now)?;
        let (price, limit) = (i128::from(quote.price_e6.e6()), i128::from(request.limit_price_e6.e6()));
        let off = (limit - price).abs() * 1_000;
        (price > 0 && off <= price * i128::from(LIMIT_OFF_PER_MILLE)).then(|| seconds(quote.at, now))
    }

    fn is_pending(&self, isin: &Isin) -> bool {
        let own = self.open.values().any(|order| order.isin == *isin);
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

    fn cash(&self, pick: impl Fn(&contracts::Cash) -> Money) -> BTreeMap<money::Currency, Money> {
        let lines = self.portfolio.iter().flat_map(|portfolio| &portfolio.cash);
        lines.map(|cash| (cash.amount.currency(), pick(cash))).collect()
    }

    fn rates(&self) -> BTreeMap<money::Currency, Rate> {
        let known = self.fx.iter().flat_map(|fx| &fx.rates).map(|(ccy, rate)| (*ccy, rate.eur_per_unit_e9));
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
