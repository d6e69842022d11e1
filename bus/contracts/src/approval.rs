//! Approved is a type, not a flag: an order that the gate signed, and the only way to obtain one.
//!
//! The gate and `execute` share a key that nobody else may read. [`ApprovalKey::sign`] turns the terms into an
//! [`OrderApproved`] statement; [`ApprovalKey::verify`] is the only constructor of [`Approved`], which is what
//! `execute` places. Anything else on the bus can claim to be the gate, so a signature that does not fit is not
//! an error of transport but an incident.

use std::fmt;

use serde::{Deserialize, Serialize};

use ::market::{Isin, Mic, Timestamp};
use ::money::{Currency, Price, Quantity};

use crate::{CheckEvidence, Id, Mode, OrderKind, Sample, Side, mutants, sample_values as v};

/// An approval lives at most this long; long enough for one placement, too short to be of use to a thief.
pub const APPROVAL_LIFE_MS: i64 = 120_000;

/// The gate's signed permission to place one order once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OrderApproved {
    /// Which order.
    pub order_id: Id,
    /// The plan behind it.
    pub plan_id: Id,
    /// For which part of the fund.
    pub bucket_id: String,
    /// Live, or into the paper ledger.
    pub mode: Mode,
    /// Which checks were applied.
    pub kind: OrderKind,
    /// Security.
    pub isin: Isin,
    /// Venue.
    pub mic: Mic,
    /// The broker's ticker.
    pub ticker: String,
    /// Buy or sell.
    pub side: Side,
    /// How many.
    pub qty_e6: Quantity,
    /// Not above (buy) or below (sell) this.
    pub limit_price_e6: Price,
    /// Of the limit.
    pub ccy: Currency,
    /// Holdings it rests on.
    pub state_id: String,
    /// When it was given.
    pub issued: Timestamp,
    /// When it is worth nothing any more.
    pub expires: Timestamp,
    /// Every check with its numbers.
    pub checks: Vec<CheckEvidence>,
    /// Keyed hash over all of the above, 64 hexadecimal digits.
    pub mac: String,
}

impl Sample for OrderApproved {
    fn sample() -> Self {
        let terms = OrderApproved {
            order_id: v::id(),
            plan_id: v::id(),
            bucket_id: "core".into(),
            mode: Mode::Live,
            kind: OrderKind::Normal,
            isin: v::isin(),
            mic: v::mic(),
            ticker: "RHNA.EU".into(),
            side: Side::Buy,
            qty_e6: v::one(),
            limit_price_e6: v::price(),
            ccy: Currency::EUR,
            state_id: "9323b02fdf9c20ffe879d48bb196eecf".into(),
            issued: v::at(),
            expires: v::at().saturating_plus_ms(APPROVAL_LIFE_MS),
            checks: vec![CheckEvidence::sample()],
            mac: String::new(),
        };
        ApprovalKey::from_bytes([7; 32]).sign(terms)
    }
}

/// An order that carries a genuine, unexpired approval. Only [`ApprovalKey::verify`] makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct Approved(OrderApproved);

impl Approved {
    /// What was approved.
    #[must_use]
    pub fn terms(&self) -> &OrderApproved {
        &self.0
    }
}

/// Why an approval is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotApproved {
    /// The signature is not the gate's: an incident.
    #[error("the approval carries a signature that is not the gate's")]
    Forged,
    /// Too old, or valid for longer than any approval may be.
    #[error("the approval expired at {0}")]
    Expired(Timestamp),
    /// Given in the future, or for longer than allowed.
    #[error("the approval's times are impossible: issued {issued}, expires {expires}, now {now}")]
    ImpossibleTimes {
        /// When it claims to have been given.
        issued: Timestamp,
        /// When it claims to end.
        expires: Timestamp,
        /// Now.
        now: Timestamp,
    },
}

/// The key shared by gate and `execute` only.
pub struct ApprovalKey([u8; 32]);

impl fmt::Debug for ApprovalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApprovalKey(…)")
    }
}

impl ApprovalKey {
    /// Wraps 32 secret bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> ApprovalKey {
        ApprovalKey(bytes)
    }

    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<ApprovalKey> {
        blake3::Hash::from_hex(text.trim()).ok().map(|hash| ApprovalKey(*hash.as_bytes()))
    }

    /// Signs the terms; whatever stood in `mac` is replaced.
    #[must_use]
    pub fn sign(&self, mut terms: OrderApproved) -> OrderApproved {
        terms.mac = self.mac(&terms).to_hex().to_string();
        terms
    }

    /// Accepts an approval whose signature, times and life are right.
    ///
    /// # Errors
    /// [`NotApproved`], in the order of its variants.
    pub fn verify(&self, approval: OrderApproved, now: Timestamp) -> Result<Approved, NotApproved> {
        // Comparing two `Hash` values takes the same time wherever they differ.
        let genuine = blake3::Hash::from_hex(&approval.mac).ok() == Some(self.mac(&approval));
        if !genuine && !mutants::is("skip_mac") {
            return Err(NotApproved::Forged);
        }
        if now >= approval.expires && !mutants::is("ignore_expiry") {
            return Err(NotApproved::Expired(approval.expires));
        }
        let life = approval.expires.since(approval.issued);
        let possible = approval.issued <= now && life <= APPROVAL_LIFE_MS;
        if !possible && !mutants::is("ignore_expiry") && !mutants::is("long_life") {
            return Err(NotApproved::ImpossibleTimes {
                issued: approval.issued,
                expires: approval.expires,
                now,
            });
        }
        Ok(Approved(approval))
    }

    fn mac(&self, terms: &OrderApproved) -> blake3::Hash {
        let unsigned = OrderApproved { mac: String::new(), ..terms.clone() };
        let bytes = rmp_serde::to_vec_named(&unsigned).expect("plain fields always have a MessagePack form");
        blake3::keyed_hash(&self.0, &bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> ApprovalKey {
        ApprovalKey::from_bytes([7; 32])
    }

    fn now() -> Timestamp {
        v::at().saturating_plus_ms(1_000)
    }

    #[test]
    fn a_signed_order_is_approved() {
        assert!(key().verify(OrderApproved::sample(), now()).is_ok());
    }

    #[test]
    fn every_changed_term_is_a_forgery() {
        let changes: &[fn(&mut OrderApproved)] = &[
            |o| o.qty_e6 = Quantity::from_e6(2_000_000).expect("in range"),
            |o| o.side = Side::Sell,
            |o| o.limit_price_e6 = Price::from_e6(1).expect("positive"),
            |o| o.expires = o.expires.saturating_plus_ms(1),
            |o| o.mode = Mode::Research,
            |o| o.ticker = "ALPB.EU".into(),
            |o| o.mac = String::new(),
            |o| o.mac = "zz".into(),
            |o| o.checks.clear(),
        ];
        for change in changes {
            let mut approval = OrderApproved::sample();
            change(&mut approval);
            assert_eq!(key().verify(approval, now()), Err(NotApproved::Forged));
        }
    }

    #[test]
    fn another_key_forges() {
        let other = ApprovalKey::from_bytes([8; 32]);
        assert_eq!(other.verify(OrderApproved::sample(), now()), Err(NotApproved::Forged));
    }

    #[test]
    fn expires_at_its_last_millisecond() {
        let approval = OrderApproved::sample();
        let end = approval.expires;
        assert!(key().verify(approval.clone(), end.saturating_plus_ms(-1)).is_ok());
        assert_eq!(key().verify(approval, end), Err(NotApproved::Expired(end)));
    }

    #[test]
    fn a_life_longer_than_allowed_is_refused_even_when_signed() {
        let mut approval = OrderApproved::sample();
        approval.expires = approval.issued.saturating_plus_ms(APPROVAL_LIFE_MS + 1);
        let approval = key().sign(approval);
        assert!(matches!(key().verify(approval, now()), Err(NotApproved::ImpossibleTimes { .. })));
    }

    #[test]
    fn an_approval_from_the_future_is_refused() {
        let approval = OrderApproved::sample();
        let early = approval.issued.saturating_plus_ms(-1);
        assert!(matches!(key().verify(approval, early), Err(NotApproved::ImpossibleTimes { .. })));
    }

    #[test]
    fn the_key_is_never_shown() {
        assert_eq!(format!("{:?}", key()), "ApprovalKey(…)");
    }
}
