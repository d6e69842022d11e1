//! The context of a run as it is published, and its id.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};
use thiserror::Error;

use contracts::{Candidate, Finite, Holding, PlanContext};
use market::{Isin, Timestamp};
use money::{Currency, Money, MoneyError};

use crate::{facts::CORE, limits::HOLDINGS_MAX, snapshot::Snapshot};

/// Bytes that the envelope around a context may take.
const ENVELOPE_BYTES: usize = 1_024;
/// `max_bytes` of `plan/context`.
const CONTEXT_BYTES_MAX: usize = 65_536;
/// Quality of what has no score: neither good nor bad.
const QUALITY_UNKNOWN: f64 = 0.5;

/// Why no context can be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoContext {
    /// Too many holdings for one statement.
    #[error("{0} securities do not fit into one planning context; at most {HOLDINGS_MAX} do")]
    TooMany(usize),
    /// Too large for the bus.
    #[error("the planning context has {0} bytes, which is more than plan/context allows")]
    TooLarge(usize),
    /// A sum does not fit.
    #[error("the holdings cannot be added up: {0}")]
    Arithmetic(#[source] MoneyError),
}

/// Makes the context of a run; `at` is part of its identity.
///
/// # Errors
/// [`NoContext`].
pub fn make(
    snapshot: &Snapshot<'_>,
    candidates: Vec<Candidate>,
    at: Timestamp,
) -> Result<PlanContext, NoContext> {
    let held = snapshot.state.positions.iter().map(|position| position.isin);
    let all: BTreeSet<Isin> = held.chain(candidates.iter().map(|candidate| candidate.isin)).collect();
    if all.len() > HOLDINGS_MAX {
        return Err(NoContext::TooMany(all.len()));
    }
    let holdings = all.into_iter().map(|isin| holding(snapshot, isin)).collect::<Result<_, _>>()?;
    let mut context = PlanContext {
        bucket_id: CORE.into(),
        context_id: String::new(),
        state_id: snapshot.state.state_id.clone(),
        at,
        cash_eur: snapshot.cash,
        total_eur: snapshot.total,
        holdings,
        candidates,
    };
    let bytes = encoded(&context);
    if bytes.len() > CONTEXT_BYTES_MAX - ENVELOPE_BYTES {
        return Err(NoContext::TooLarge(bytes.len()));
    }
    context.context_id = id_of(&bytes);
    Ok(context)
}

/// The same content at another time, which makes it another context.
#[must_use]
pub fn at(context: PlanContext, at: Timestamp) -> PlanContext {
    let mut moved = PlanContext { at, context_id: String::new(), ..context };
    moved.context_id = id_of(&encoded(&moved));
    moved
}

/// Whether two contexts say the same, apart from when they were made.
#[must_use]
pub fn same_content(one: &PlanContext, other: &PlanContext) -> bool {
    let plain = |context: &PlanContext| PlanContext {
        context_id: String::new(),
        at: Timestamp::ZERO,
        ..context.clone()
    };
    plain(one) == plain(other)
}

fn holding(snapshot: &Snapshot<'_>, isin: Isin) -> Result<Holding, NoContext> {
    let values = snapshot
        .state
        .positions
        .iter()
        .filter(|position| position.isin == isin)
        .filter_map(|position| position.value_eur);
    let quality = snapshot.score(isin).or_else(|| Finite::new(QUALITY_UNKNOWN)).unwrap_or(Finite::ZERO);
    let value_eur = Money::checked_sum(Currency::EUR, values).map_err(NoContext::Arithmetic)?;
    Ok(Holding { isin, value_eur, target_e6: snapshot.target(isin), quality })
}

fn encoded(context: &PlanContext) -> Vec<u8> {
    rmp_serde::to_vec_named(context).expect("plain fields always have a MessagePack form")
}

/// SHA-256 over a label, a version and the body without its id; the first 16 bytes in hexadecimal.
fn id_of(body: &[u8]) -> String {
    let hash = Sha256::new().chain_update(b"steward-context").chain_update([1]).chain_update(body).finalize();
    hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use contracts::Sample;

    use super::*;

    #[test]
    fn an_id_is_the_hash_of_label_version_and_body() {
        // printf 'steward-context\x01abc' | sha256sum
        assert_eq!(id_of(b"abc"), EXPECTED);
    }

    const EXPECTED: &str = "fe553d89d9dc87094f797186368413ed";

    #[test]
    fn time_alone_is_no_content_and_a_price_is() {
        let one = PlanContext::sample();
        let later = PlanContext { at: Timestamp::ZERO, context_id: "x".into(), ..one.clone() };
        assert!(same_content(&one, &later));
        let mut dearer = one.clone();
        dearer.candidates[0].price_e6 = money::Price::ZERO;
        assert!(!same_content(&one, &dearer));
    }
}
