//! The name of a set of holdings: a hash over quantities, cash, open orders and buckets, never over prices.

use contracts::{Cash, OpenOrder, OrderStatus, Position, Side};
use money::Quantity;
use sha2::{Digest, Sha256};

/// Digits of the name, half of the hash.
const BYTES: usize = 16;

/// Names the holdings. The buckets are given as name, status and target share in millionths.
pub(crate) fn state_id(
    environment: &str,
    positions: &[Position],
    cash: &[Cash],
    orders: &[OpenOrder],
    buckets: &[(&str, &str, u32)],
) -> String {
    named(&bytes(environment, positions, cash, orders, buckets))
}

fn bytes(
    environment: &str,
    positions: &[Position],
    cash: &[Cash],
    orders: &[OpenOrder],
    buckets: &[(&str, &str, u32)],
) -> Vec<u8> {
    let positions = positions
        .iter()
        .filter(|position| !position.qty_e6.is_zero())
        .map(|position| holding(position.isin.as_str(), &position.bucket_id, position.qty_e6));
    let cash = cash.iter().filter(|cash| !cash.amount.is_zero()).map(|cash| {
        let currency = cash.amount.currency();
        record(&[currency.as_str(), &cash.bucket_id], &cash.amount.e4().to_le_bytes())
    });
    let orders = orders.iter().filter(|order| !order.status.is_final()).map(|order| {
        let mut rest = vec![u8::from(order.side == Side::Sell)];
        rest.extend(order.left_e6.e6().to_le_bytes());
        rest.push(u8::from(order.status != OrderStatus::Unknown));
        record(&[&order.order_id.to_string(), order.isin.as_str()], &rest)
    });
    let buckets =
        buckets.iter().map(|(bucket, status, target)| record(&[bucket, status], &target.to_le_bytes()));
    encoded(environment, [positions.collect(), cash.collect(), orders.collect(), buckets.collect()])
}

fn holding(isin: &str, bucket: &str, qty: Quantity) -> Record {
    record(&[isin, bucket], &qty.e6().to_le_bytes())
}

fn encoded(environment: &str, sections: [Vec<Record>; 4]) -> Vec<u8> {
    let mut all = b"steward-state\x01".to_vec();
    all.extend(text(environment));
    for (tag, records) in (1_u8..).zip(sections) {
        section(&mut all, tag, records);
    }
    all
}

fn named(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(BYTES).map(|byte| format!("{byte:02x}")).collect()
}

/// A record with the texts by which it is sorted.
type Record = (Vec<String>, Vec<u8>);

fn record(key: &[&str], rest: &[u8]) -> Record {
    let mut bytes: Vec<u8> = key.iter().flat_map(|part| text(part)).collect();
    bytes.extend_from_slice(rest);
    (key.iter().map(|part| (*part).to_owned()).collect(), bytes)
}

fn section(all: &mut Vec<u8>, tag: u8, mut records: Vec<Record>) {
    records.sort();
    all.push(tag);
    all.extend(u32::try_from(records.len()).unwrap_or(u32::MAX).to_le_bytes());
    records.into_iter().for_each(|(_, bytes)| all.extend(bytes));
}

fn text(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    let mut bytes = length.to_le_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::{PortfolioState, Sample};
    use money::{Currency, Money};

    use super::*;

    fn example() -> (Vec<Position>, Vec<Cash>) {
        let PortfolioState { mut positions, mut cash, .. } = PortfolioState::sample();
        positions[0].isin = "US0001234568".parse().unwrap();
        positions[0].qty_e6 = Quantity::from_units(10).unwrap();
        cash[0].amount = Money::from_units(1_500, Currency::EUR).unwrap();
        (positions, cash)
    }

    const CORE: [(&str, &str, u32); 1] = [("core", "active", 0)];

    #[test]
    fn the_documented_example_has_its_documented_name() {
        // The ISIN of the example has a wrong check digit, so it can only be given as text.
        let ten = Quantity::from_units(10).unwrap();
        let records = [
            vec![holding("US0001234565", "core", ten)],
            vec![record(&["EUR", "core"], &15_000_000_i64.to_le_bytes())],
            vec![],
            vec![record(&["core", "active"], &0_u32.to_le_bytes())],
        ];
        let documented = encoded("live", records);
        assert_eq!(documented.len(), 105);
        assert_eq!(named(&documented), "9323b02fdf9c20ffe879d48bb196eecf");
        let (positions, cash) = example();
        let ours = bytes("live", &positions, &cash, &[], &CORE);
        let other = ours.iter().zip(&documented).filter(|(one, other)| one != other).count();
        assert_eq!((ours.len(), other), (105, 1), "only the check digit differs");
    }

    #[test]
    fn prices_and_nothings_are_no_part_of_it_and_holdings_are() {
        let (positions, cash) = example();
        let name = state_id("live", &positions, &cash, &[], &CORE);
        let mut same = (positions.clone(), cash.clone());
        same.0[0].price_e6 = None;
        same.0[0].value_eur = None;
        same.0.push(Position {
            qty_e6: Quantity::ZERO,
            isin: "DE0007164600".parse().unwrap(),
            ..positions[0].clone()
        });
        same.1.push(Cash { amount: Money::zero(Currency::USD), ..cash[0].clone() });
        assert_eq!(state_id("live", &same.0, &same.1, &[], &CORE), name);
        let mut more = positions.clone();
        more[0].qty_e6 = Quantity::from_e6(10_000_001).unwrap();
        assert_ne!(state_id("live", &more, &cash, &[], &CORE), name);
        assert_ne!(state_id("sim:1", &positions, &cash, &[], &CORE), name);
        let order = PortfolioState::sample().open_orders;
        assert_ne!(state_id("live", &positions, &cash, &order, &CORE), name);
    }

    #[test]
    fn the_order_of_the_lists_does_not_matter() {
        let (mut positions, cash) = example();
        positions.push(Position { isin: "DE0007164600".parse().unwrap(), ..positions[0].clone() });
        let name = state_id("live", &positions, &cash, &[], &CORE);
        positions.reverse();
        assert_eq!(state_id("live", &positions, &cash, &[], &CORE), name);
    }
}
