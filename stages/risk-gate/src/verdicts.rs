//! One request becomes one verdict, for ever: by which limits it is judged, and what is said then.

use bus_client::Out;
use contracts::{APPROVAL_LIFE_MS, Mode, OrderApproved, OrderRefused, OrderRequested, Refusal, mutants};
use limits::Costs;
use market::Timestamp;
use money::{Currency, Money, Rounding, Weight};

use crate::{
    RiskGate,
    checks::{Code, Decision, GateSettings, Verdict, exchange_gate, gate},
    guards,
    refusals::REST_MIN,
    store::{Activity, Save, VerdictRow, spelled},
    world::{World, takes_orders_from},
};

/// An approval is taken back from the bus this long after it can no longer be of use.
pub(crate) const APPROVED_KEPT_MS: i64 = 10 * 60_000;
/// A refusal stays readable for a day.
pub(crate) const REFUSED_KEPT_MS: i64 = 86_400_000;
/// Orders of the first day with real money.
const FIRST_LIVE_DAY_ORDERS: u32 = 1;
/// A position worth less than this many times the smallest sensible trade may be sold whole.
const SMALL_POSITION: i64 = 2;
/// A trade whose costs are a larger part of it is not sensible, in 1/1 000 000.
const MOST_COST_E6: i64 = 10_000;

impl RiskGate {
    /// One verdict per order id, for ever: a request heard again has been judged.
    pub(crate) fn judge(&mut self, request: &OrderRequested, now: Timestamp, out: &mut Out<Self>) {
        let id = request.order_id.to_string();
        if self.decided.contains(&id) {
            return;
        }
        let standing = self.standing(&request.bucket_id, now);
        let limits = self.limits_for(request, now);
        let verdict = match self.world.exchange(request, standing, now) {
            Some((order, state)) => exchange_gate(&order, &state, &limits),
            None => gate(
                &World::order(request),
                &self.world.gate_security(request, now),
                &self.world.state(request, standing, now),
                &limits,
            ),
        };
        self.decided.insert(id);
        match verdict.decision {
            Decision::Allow | Decision::Simulate => self.approve(request, verdict, standing.mode, now, out),
            Decision::Defer | Decision::Block => self.refuse(request, verdict, now, out),
        }
    }

    /// What the general limits are for this order: the owner's own limit of a security, the hold of its bucket, a small
    /// or unwanted position that may be sold whole, a security that rests after the broker refused it, the first day.
    pub(crate) fn limits_for(&self, request: &OrderRequested, now: Timestamp) -> GateSettings {
        let security = self.world.security(&request.isin);
        let own = security.and_then(|security| security.max_weight_e6);
        let ceiling = Weight::from_e6(300_000).unwrap_or(self.limits.max_position);
        let mut limits = self.general_limits(now);
        if let Some(own) = own {
            limits.max_position = own.min(ceiling);
        }
        limits.min_hold_days = self.world.min_hold_days(request, limits.min_hold_days);
        let unwanted = security.is_some_and(|one| {
            one.marked_for_exit || (!one.allow_buy && one.max_weight_e6 == Some(Weight::ZERO))
        });
        if unwanted || self.is_small(request) {
            limits.max_sell = Weight::ONE;
        }
        if self.refusals.rests(&request.isin, now) {
            limits.duplicate_window_min = limits.duplicate_window_min.max(REST_MIN);
        }
        limits
    }

    /// The limits that hold for every order today.
    pub(crate) fn general_limits(&self, now: Timestamp) -> GateSettings {
        let mut limits = self.limits.clone();
        let traded_before = |one: &Activity| one.mode == Mode::Live && one.sent.day_utc() < now.day_utc();
        if !self.simulated && self.mode == Mode::Live && !self.world.activity.values().any(traded_before) {
            limits.max_per_day = limits.max_per_day.min(FIRST_LIVE_DAY_ORDERS);
        }
        limits
    }

    /// Whether the position is worth less than twice the smallest sensible trade; an unknown worth is not small.
    pub(crate) fn is_small(&self, request: &OrderRequested) -> bool {
        let value =
            self.world.portfolio.as_ref().and_then(|portfolio| portfolio.position(&request.isin)?.value_eur);
        value.zip(self.small()).is_some_and(|(value, small)| value.covers(small) == Ok(false))
    }

    /// Twice the smallest sensible trade at the costs that are known: 500 EUR by the documented ones.
    fn small(&self) -> Option<Money> {
        let costs = Costs { fixed_eur: self.limits.fixed_eur, percent: self.limits.percent };
        let most = Weight::from_e6(MOST_COST_E6).ok()?;
        let least =
            limits::min_trade_amount(&costs, most).ok()?.to_money(Currency::EUR, Rounding::Up).ok()?;
        least.scale(SMALL_POSITION, 1, Rounding::Up).ok()
    }

    pub(crate) fn approve(
        &mut self,
        request: &OrderRequested,
        verdict: Verdict,
        mode: Mode,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        // What must hold whenever money may move, whatever the checks say.
        assert!(
            self.halts.is_empty() || mutants::is("ignore_halt"),
            "nothing is approved while a halt is open"
        );
        assert_eq!(verdict.decision == Decision::Allow, mode == Mode::Live, "the mode is the verdict's");
        let ticker = match contracts::pair_of(&request.isin) {
            Some((base, quote)) => contracts::pair_ticker(base, quote),
            None => self.world.security(&request.isin).map(|one| one.ticker.clone()).unwrap_or_default(),
        };
        let approval = self.key.sign(OrderApproved {
            order_id: request.order_id,
            plan_id: request.plan_id,
            bucket_id: request.bucket_id.clone(),
            mode,
            kind: request.kind,
            isin: request.isin,
            mic: request.mic,
            ticker,
            side: request.side,
            qty_e6: request.qty_e6,
            limit_price_e6: request.limit_price_e6,
            ccy: request.ccy,
            state_id: request.state_id.clone(),
            issued: now,
            expires: now.saturating_plus_ms(APPROVAL_LIFE_MS * if mutants::is("long_life") { 10 } else { 1 }),
            checks: verdict.evidence.clone(),
            mac: String::new(),
        });
        let id = request.order_id.to_string();
        self.out_until.insert(id.clone(), approval.expires);
        self.clear_approved.insert(id, approval.expires.saturating_plus_ms(APPROVED_KEPT_MS));
        out.decided(format!(
            "Approved: {} {} of {}, {} checks passed.",
            spelled(&request.side),
            request.qty_e6,
            request.isin,
            verdict.evidence.len()
        ));
        out.save(Save::Verdict(
            Box::new(row(request, &verdict, None, now)),
            Some(Box::new(approval.clone())),
        ));
        out.say(approval);
        self.say_state(now, out);
    }

    pub(crate) fn refuse(
        &mut self,
        request: &OrderRequested,
        verdict: Verdict,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        let code = verdict.code.map_or("unknown", Code::as_str);
        let earliest = self.earliest(request, &verdict, now);
        let last = verdict.evidence.iter().rev().find(|check| !check.passed);
        let numbers =
            last.map(|check| format!(": found {}, allowed {}", check.found, check.limit)).unwrap_or_default();
        let text = format!(
            "{} {} of {} refused by `{code}`{numbers}.",
            spelled(&request.side),
            request.qty_e6,
            request.isin
        );
        let decision = if verdict.decision == Decision::Defer { Refusal::Defer } else { Refusal::Block };
        self.clear_refused.insert(request.order_id.to_string(), now.saturating_plus_ms(REFUSED_KEPT_MS));
        out.decided(text.clone());
        out.save(Save::Verdict(Box::new(row(request, &verdict, earliest, now)), None));
        out.say(OrderRefused {
            order_id: request.order_id,
            isin: request.isin,
            side: request.side,
            decision,
            code: code.into(),
            text,
            checks: verdict.evidence,
            earliest,
            at: now,
        });
    }

    /// When a deferred order can pass at the earliest, where that is known.
    pub(crate) fn earliest(
        &self,
        request: &OrderRequested,
        verdict: &Verdict,
        now: Timestamp,
    ) -> Option<Timestamp> {
        if verdict.decision != Decision::Defer {
            return None;
        }
        if let Some(wait_s) = verdict.wait_s {
            return Some(now.saturating_plus_ms(i64::try_from(wait_s).ok()?.saturating_mul(1_000)));
        }
        match verdict.code? {
            Code::MarketClosed => takes_orders_from(self.world.venues.get(&request.mic)?, now),
            // Whatever becomes of the approval that is out, it is over then.
            Code::PendingOrder => self.out_until.values().filter(|until| **until > now).max().copied(),
            Code::CircuitBreaker => self.loss_over(now),
            Code::DailyLimit => Some(Timestamp::from_ms((now.ms() / 86_400_000 + 1) * 86_400_000)),
            Code::WeeklyLimit => {
                guards::week(
                    &self.world.trades(self.standing(&request.bucket_id, now).mode),
                    &self.limits,
                    now,
                )
                .until
            }
            _ => None,
        }
    }
}

fn row(
    request: &OrderRequested,
    verdict: &Verdict,
    earliest: Option<Timestamp>,
    now: Timestamp,
) -> VerdictRow {
    VerdictRow {
        order_id: request.order_id.to_string(),
        ts: now,
        kind: spelled(&request.kind),
        decision: spelled(&verdict.decision),
        code: verdict.code.map(|code| code.as_str().to_string()),
        checks: serde_json::to_string(&verdict.evidence).unwrap_or_default(),
        state_id: request.state_id.clone(),
        earliest,
    }
}
