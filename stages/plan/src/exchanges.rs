//! Asking for an exchange of currencies: when it may be asked for, and what is said then.
//!
//! One at a time like every request, a pair not again within five minutes, and only while the pair trades at a price that
//! is known, fresh and believed. The gate judges it by its own list.

use bus_client::Out;
use contracts::{Finite, Grounds, Id, OrderKind, OrderRequested, pair_isin, pair_ticker, pair_venue};
use limits::{FxPair, cross_rate};
use market::{Isin, Timestamp};
use money::{Currency, Rate, Rounding};

use crate::{
    exchange_cost,
    exchange_order::{self, Exchange},
    facts::{CORE, KnownQuote},
    limits::{CLOCK_SKEW_MS, MINUTE_MS},
    requests::{Request, Stage},
    rescue::{act, proposal::Asked},
    snapshot::rate_of,
    stage::Plan,
    store::Save,
    waits::Wait,
};

/// A pair is not asked for again within this.
const BETWEEN_MS: i64 = 5 * MINUTE_MS;

impl Plan {
    /// Asks for an exchange of about so many units; gives what was asked for, or what it waits for.
    pub(crate) fn exchange(
        &mut self,
        ask: (FxPair, limits::Side, i64),
        (plan_id, kind, reason): (Id, OrderKind, &str),
        now: Timestamp,
        out: &mut Out<Self>,
    ) -> Result<Asked, Wait> {
        let isin = pair_isin(ask.0.base, ask.0.quote).ok_or_else(|| wait("the pair has no number"))?;
        self.may_exchange(isin, now)?;
        let known = self.facts.quotes.get(&isin).cloned().ok_or_else(|| wait("the pair has no price"))?;
        self.is_fresh(&known, now)?;
        let exchange = self.sized(ask, &known, now)?;
        let rate =
            rate_of(&self.facts, &self.rules, exchange.pair.quote, now).map_err(|(_, why)| wait(&why))?;
        let order = self.order_of(&exchange, (plan_id, kind, reason), (&known, rate), now)?;
        let words = in_words(&exchange);
        out.decided(format!("Asks to exchange: {words}, because {reason}"));
        out.save(Save::Asked(Box::new(order.clone())));
        let (order_id, state_id) = (order.order_id, order.state_id.clone());
        out.say(order.clone());
        self.requests.add(Request { order_id, state_id, stage: Stage::Asked, since: now });
        self.exchanged.insert(isin, now);
        Ok(Asked { order, rate, words })
    }

    /// A pair rests after it was asked for, and after the gate or the broker refused it; and it must trade. How often
    /// securities may be traded is no matter of exchanges.
    fn may_exchange(&self, isin: Isin, now: Timestamp) -> Result<(), Wait> {
        let asked = self.exchanged.get(&isin).map(|last| last.saturating_plus_ms(BETWEEN_MS));
        if let Some(until) = asked.filter(|until| *until > now) {
            return Err(Wait { text: format!("the pair rests until {until}"), until: Some(until) });
        }
        if let Some(hold) = self.memory.own(isin, now) {
            let text =
                format!("the last exchange was refused ({}); it rests until {}", hold.code, hold.until);
            return Err(Wait { text, until: Some(hold.until) });
        }
        match self.facts.venues.get(&pair_venue()) {
            Some(known) if known.venue.open => Ok(()),
            Some(_) => Err(wait("the pair does not trade now")),
            None => Err(wait("nobody knows whether the pair trades now")),
        }
    }

    fn is_fresh(&self, KnownQuote { quote, .. }: &KnownQuote, now: Timestamp) -> Result<(), Wait> {
        let age = now.since(quote.at);
        if quote.suspect || !(-CLOCK_SKEW_MS..=self.rules.price_age_max_ms).contains(&age) {
            return Err(wait("the price of the pair is too old or doubtful"));
        }
        Ok(())
    }

    fn sized(
        &self,
        (pair, side, units): (FxPair, limits::Side, i64),
        known: &KnownQuote,
        now: Timestamp,
    ) -> Result<Exchange, Wait> {
        let rate = |ccy: Currency| rate_of(&self.facts, &self.rules, ccy, now).ok();
        let rate_or = |ccy| rate(ccy).ok_or_else(|| wait(&format!("the rate of {ccy} is not known")));
        let reference = cross_rate(rate_or(pair.base)?, rate_or(pair.quote)?).map_err(impossible)?;
        let state = self.facts.state.as_ref().ok_or_else(|| wait("the account has not been read"))?;
        let purses = act::purses(state, &self.rules, rate).map_err(impossible)?;
        let (side, source) = match side {
            limits::Side::Buy => (contracts::Side::Buy, pair.quote),
            limits::Side::Sell => (contracts::Side::Sell, pair.base),
        };
        let available = purses.get(&source).copied().unwrap_or(limits::Fine::ZERO);
        exchange_order::order((pair, side, units), &known.quote, reference, available).map_err(impossible)
    }

    fn order_of(
        &self,
        exchange: &Exchange,
        (plan_id, kind, reason): (Id, OrderKind, &str),
        (known, rate): (&KnownQuote, Rate),
        now: Timestamp,
    ) -> Result<OrderRequested, Wait> {
        let Exchange { pair, side, limit, .. } = *exchange;
        let state = self.facts.state.as_ref().ok_or_else(|| wait("the account has not been read"))?;
        let quantity = exchange.quantity().map_err(impossible)?;
        let value = money::value(limit, quantity, pair.quote, Rounding::Up).map_err(impossible)?;
        let value_eur = money::to_eur(value, rate, Rounding::Up).map_err(impossible)?;
        let isin = known.quote.isin;
        let asked_at = now.ms().to_string();
        Ok(OrderRequested {
            // The same need at another time is another order.
            order_id: Id::derive(now, &["exchange", &plan_id.to_string(), isin.as_str(), &asked_at]),
            plan_id,
            step: 1,
            bucket_id: CORE.into(),
            kind,
            side,
            isin,
            mic: pair_venue(),
            qty_e6: quantity,
            limit_price_e6: limit,
            ccy: pair.quote,
            value_eur,
            fee_eur: exchange_cost::fee(value, rate).map_err(impossible)?,
            stop_loss: false,
            state_id: state.state_id.clone(),
            at: now,
            reason: reason.to_string(),
            grounds: Grounds {
                quote: known.id,
                quote_price_e6: known.quote.price_e6,
                quote_at: known.quote.at,
                score: None,
                target_e6: None,
                current_e6: None,
                score_unchanged: Finite::ZERO,
                score_after: Finite::ZERO,
            },
        })
    }
}

fn in_words(exchange: &Exchange) -> String {
    let Exchange { pair, side, units, limit } = exchange;
    let ticker = pair_ticker(pair.base, pair.quote);
    let (verb, bound) = match side {
        contracts::Side::Buy => ("bought", "at most"),
        contracts::Side::Sell => ("sold", "at least"),
    };
    format!("{units} {ticker} are {verb} at {bound} {limit}")
}

fn wait(text: &str) -> Wait {
    Wait { text: text.to_string(), until: None }
}

fn impossible(error: impl std::fmt::Display) -> Wait {
    wait(&error.to_string())
}
