//! Cash as the books have it: what was there when they began, every fill and every flow since; what of it is
//! still under way; and by how much the broker may differ.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{Id, Side};
use market::{Day, Timestamp};
use money::{Currency, Money, MoneyError, Rate, Rounding, value};
use tradernet::commands::flow_class::{FlowClass, FlowKind};

use crate::books::{Fill, Origin};
use crate::flows::Booked;
use crate::limits::{CASH_TOLERANCE_E4, FEE_DAYS};

/// Cash by currency.
pub(crate) type Purse = BTreeMap<Currency, Money>;

/// What the cash of the books follows from.
pub(crate) struct Parts<'a> {
    pub(crate) opening: &'a Purse,
    pub(crate) fills: &'a BTreeMap<String, Fill>,
    pub(crate) flows: &'a BTreeMap<String, Booked>,
    /// Settlements that no trade explains.
    pub(crate) loose: &'a BTreeSet<String>,
}

/// Adds everything up.
///
/// # Errors
/// [`MoneyError::Overflow`]; the books then have no cash to compare.
pub(crate) fn cash(parts: &Parts<'_>) -> Result<Purse, MoneyError> {
    let mut purse = parts.opening.clone();
    for fill in parts.fills.values().filter(|fill| !fill.in_opening) {
        for moved in moved(fill)? {
            add(&mut purse, moved)?;
        }
    }
    for booked in parts.flows.values().filter(|booked| counts(booked, parts.fills, parts.loose)) {
        add(&mut purse, booked.flow.amount)?;
    }
    Ok(purse)
}

/// Adds an amount of any sign.
///
/// # Errors
/// [`MoneyError::Overflow`].
pub(crate) fn add(purse: &mut Purse, amount: Money) -> Result<(), MoneyError> {
    let sum = purse.entry(amount.currency()).or_insert(Money::zero(amount.currency()));
    *sum = sum.checked_add(amount)?;
    Ok(())
}

/// What a fill did to cash: its amount, its fee, and for an exchange the other currency.
///
/// # Errors
/// [`MoneyError::Overflow`].
pub(crate) fn moved(fill: &Fill) -> Result<Vec<Money>, MoneyError> {
    let Some(amount) = amount(fill) else { return Ok(Vec::new()) };
    let signed = |amount: Money, gained: bool| if gained { Ok(amount) } else { amount.checked_neg() };
    let sells = fill.side == Side::Sell;
    let mut all = vec![signed(amount, sells)?];
    if let Some(fee) = fill.fee {
        all.push(fee.checked_neg()?);
    }
    if let Some((base, _)) = fill.ticker.split_once('/').filter(|_| fill.isin.is_none())
        && let Ok(base) = Currency::new(base)
    {
        // A quantity has six digits, money four; whole units are exchanged.
        let base_amount = Money::from_e4(fill.qty.e6() / 100, base);
        all.push(signed(base_amount, !sells)?);
    }
    Ok(all)
}

/// What was paid or received for a fill.
fn amount(fill: &Fill) -> Option<Money> {
    fill.amount.or_else(|| value(fill.price?, fill.qty, fill.ccy?, Rounding::HalfEven).ok())
}

/// Whether a flow moves the cash of the books: it came after they began, it is no other side of a fill, it holds
/// nothing back for a while, and no fill has its fee already.
pub(crate) fn counts(booked: &Booked, fills: &BTreeMap<String, Fill>, loose: &BTreeSet<String>) -> bool {
    let elsewhere = match FlowKind::of(&booked.raw_type).class {
        FlowClass::Settlement => !loose.contains(&booked.key),
        FlowClass::Hold => true,
        _ => false,
    };
    let in_fill = || {
        let fee = trade_of(&booked.flow.text).and_then(|trade| fills.get(trade)?.fee);
        fee.is_some_and(|fee| fee.currency() == booked.flow.amount.currency())
    };
    booked.seen > Timestamp::ZERO && !elsewhere && !(is_fee(booked) && in_fill())
}

/// The trade that a fee names, as in `(Trade 73099870 2026-02-19 09:42:10)`.
pub(crate) fn trade_of(comment: &str) -> Option<&str> {
    let (_, rest) = comment.split_once("Trade ")?;
    let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..end).filter(|id| !id.is_empty())
}

/// What sales will bring in and purchases will pay after today, by currency; unknown while a settlement day is.
pub(crate) fn pending(
    fills: &BTreeMap<String, Fill>,
    ccy: Currency,
    today: Day,
) -> (Option<Money>, Option<Money>) {
    let mut sums = [Some(Money::zero(ccy)); 2];
    let recent = |fill: &&Fill| fill.executed.day_utc().days_until(today) <= 7;
    for fill in fills.values().filter(|fill| fill.ccy == Some(ccy) && fill.isin.is_some()).filter(recent) {
        let sum = if fill.side == Side::Sell { &mut sums[0] } else { &mut sums[1] };
        *sum = match fill.settle_day {
            Some(day) if day <= today => *sum,
            Some(_) => sum.zip(amount(fill)).and_then(|(sum, amount)| sum.checked_add(amount).ok()),
            None => None,
        };
    }
    (sums[0], sums[1])
}

/// By how much books and broker may differ in a currency: less than a cent, and while a fee of the last days is
/// not known yet by what it may be.
pub(crate) fn tolerance(
    fills: &BTreeMap<String, Fill>,
    ccy: Currency,
    rate: Option<Rate>,
    today: Day,
) -> Money {
    let waits = |fill: &&Fill| {
        fill.fee.is_none()
            && fill.origin == Origin::Broker
            && fill.ccy == Some(ccy)
            && fill.executed.day_utc().days_until(today) <= FEE_DAYS
    };
    let five_euros =
        rate.and_then(|rate| Money::from_e4(50_000, ccy).scale(1_000_000_000, rate.e9(), Rounding::Up).ok());
    let of = |fill: &Fill| {
        let half_percent = amount(fill)?.scale(1, 200, Rounding::Up).ok()?;
        half_percent.checked_add(five_euros?).ok()
    };
    let least = Money::from_e4(CASH_TOLERANCE_E4, ccy);
    fills.values().filter(waits).filter_map(of).fold(least, |sum, more| sum.checked_add(more).unwrap_or(sum))
}

/// The differences beyond the tolerance, one sentence each.
pub(crate) fn differences(
    books: &Purse,
    broker: &Purse,
    tolerance: impl Fn(Currency) -> Money,
) -> BTreeMap<Currency, String> {
    let zero = Money::zero;
    let currencies: std::collections::BTreeSet<Currency> =
        books.keys().chain(broker.keys()).copied().collect();
    let differs = |ccy: &Currency| {
        let ours = books.get(ccy).copied().unwrap_or(zero(*ccy));
        let theirs = broker.get(ccy).copied().unwrap_or(zero(*ccy));
        let off = ours.e4().checked_sub(theirs.e4()).map_or(i64::MAX, i64::saturating_abs);
        (off >= tolerance(*ccy).e4())
            .then(|| (*ccy, format!("our books say {ours}, the broker says {theirs}")))
    };
    currencies.iter().filter_map(differs).collect()
}

/// What may be counted on: the smaller of both, so that nothing is spent that one of them does not know.
pub(crate) fn careful(books: &Purse, broker: &Purse) -> Purse {
    let mut purse = broker.clone();
    for (ccy, ours) in books {
        let theirs = purse.entry(*ccy).or_insert(Money::zero(*ccy));
        if ours.e4() < theirs.e4() {
            *theirs = *ours;
        }
    }
    purse
}

/// Fees of fills that flows tell otherwise than the books: of those that came without one, and of those for which
/// the statement has several rows, which are all of it. A single row beside a fee that is known may be a part of it.
pub(crate) fn late_fees<'a>(
    fills: &BTreeMap<String, Fill>,
    flows: impl IntoIterator<Item = &'a Booked>,
) -> Vec<(String, Id, Money)> {
    let mut told: BTreeMap<&str, (Money, usize)> = BTreeMap::new();
    for booked in flows.into_iter().filter(|booked| is_fee(booked)) {
        let trade = trade_of(&booked.flow.text).filter(|trade| fills.contains_key(*trade));
        if let (Some(trade), Ok(paid)) = (trade, booked.flow.amount.checked_neg()) {
            let (sum, rows) = told.entry(trade).or_insert((Money::zero(paid.currency()), 0));
            // A row in another currency is none of this fee; it counts as the flow that it is.
            if let Ok(more) = sum.checked_add(paid) {
                (*sum, *rows) = (more, *rows + 1);
            }
        }
    }
    let differs = |(trade, (sum, rows)): (&str, (Money, usize))| {
        let fill = fills.get(trade)?;
        let is_news = match fill.fee {
            None => true,
            Some(fee) => fee != sum && fee.currency() == sum.currency() && rows > 1,
        };
        is_news.then(|| (trade.to_owned(), fill.fill_id, sum))
    };
    told.into_iter().filter_map(differs).collect()
}

/// Whether a flow is the fee of a trade, or its reversal; a refund is money of its own.
fn is_fee(booked: &Booked) -> bool {
    booked.raw_type.contains("commission") && FlowKind::of(&booked.raw_type).class == FlowClass::Cost
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use super::*;
    use crate::flows::tests::booked;

    const NOW: i64 = 1_772_438_400_000;

    fn eur(e4: i64) -> Money {
        Money::from_e4(e4, Currency::EUR)
    }

    /// A trade of so many at two euros.
    pub(crate) fn fill(id: &str, ticker: &str, side: Side, n: i64, fee: Option<i64>) -> (String, Fill) {
        let fill = Fill {
            fill_id: Id::derive(Timestamp::ZERO, &[id]),
            trade_id: Some(id.into()),
            broker_order_id: None,
            order_id: None,
            isin: (!ticker.contains('/')).then(|| "DE000SMX0015".parse().unwrap()),
            ticker: ticker.into(),
            side,
            qty: money::Quantity::from_units(n).unwrap(),
            price: Some(money::Price::from_e6(2_000_000).unwrap()),
            ccy: Some(if ticker.contains('/') { Currency::USD } else { Currency::EUR }),
            amount: None,
            fee: fee.map(eur),
            rate: None,
            value_eur: None,
            executed: Timestamp::from_ms(NOW),
            booked: Timestamp::from_ms(NOW),
            settle_day: None,
            origin: Origin::Broker,
            in_opening: false,
        };
        (id.into(), fill)
    }

    fn sum(fills: &BTreeMap<String, Fill>, flows: &[Booked]) -> Purse {
        let opening = Purse::from([(Currency::EUR, eur(1_000_000))]);
        let flows = flows.iter().map(|booked| (booked.key.clone(), booked.clone())).collect();
        cash(&Parts { opening: &opening, fills, flows: &flows, loose: &BTreeSet::new() }).unwrap()
    }

    #[test]
    fn fills_and_flows_since_the_beginning_add_up_to_the_cash() {
        let fills = BTreeMap::from([
            fill("7", "RHNA.EU", Side::Buy, 10, Some(20_000)),
            fill("8", "RHNA.EU", Side::Sell, 4, Some(10_000)),
        ]);
        let flows =
            [booked("a", "sepa", 5_000, 1), booked("b", "sepa", 9_000, 0), booked("c", "block", -1, 1)];
        let expected = 1_000_000 - 200_000 - 20_000 + 80_000 - 10_000 + 5_000;
        assert_eq!(sum(&fills, &flows)[&Currency::EUR], eur(expected), "what was there before counts once");
    }

    #[test]
    fn a_settlement_moves_cash_only_where_no_trade_did() {
        let row = booked("a", "currency_conversion", 5_000, 1);
        let counts = |loose: &[&str]| {
            let loose = loose.iter().map(|key| (*key).to_owned()).collect();
            counts(&row, &BTreeMap::new(), &loose)
        };
        assert_eq!((counts(&["a"]), counts(&["b"]), counts(&[])), (true, false, false));
    }

    #[test]
    fn an_exchange_moves_both_currencies() {
        let buy = sum(&BTreeMap::from([fill("7", "EUR/USD", Side::Buy, 100, None)]), &[]);
        assert_eq!((buy[&Currency::EUR].e4(), buy[&Currency::USD].e4()), (2_000_000, -2_000_000));
        let sell = sum(&BTreeMap::from([fill("7", "EUR/USD", Side::Sell, 100, None)]), &[]);
        assert_eq!((sell[&Currency::EUR].e4(), sell[&Currency::USD].e4()), (0, 2_000_000));
    }

    #[test]
    fn a_fee_told_twice_counts_once_and_one_told_late_counts() {
        let fee = |key: &str| Booked {
            flow: contracts::Flow {
                text: "(Trade 7 2026-03-02 09:42:10)".into(),
                ..booked(key, "commission_for_trades", -20_000, 1).flow
            },
            ..booked(key, "commission_for_trades", -20_000, 1)
        };
        let with = |known| sum(&BTreeMap::from([fill("7", "RHNA.EU", Side::Buy, 10, known)]), &[fee("a")]);
        assert_eq!(with(Some(20_000)), with(None));
        let unknown = BTreeMap::from([fill("7", "RHNA.EU", Side::Buy, 10, None)]);
        let late = late_fees(&unknown, [&fee("a")]);
        assert_eq!((late.len(), late[0].0.as_str(), late[0].2), (1, "7", eur(20_000)));
        let known = BTreeMap::from([fill("7", "RHNA.EU", Side::Buy, 10, Some(1))]);
        assert!(late_fees(&known, [&fee("a")]).is_empty(), "one row may be a part of it");
        assert_eq!(trade_of("(Trade )"), None);
    }

    fn fee_row(key: &str, code: &str, amount: Money) -> Booked {
        let row = booked(key, code, 0, 1);
        let text = "(Trade 7 2026-03-02 09:42:10)".into();
        Booked { flow: contracts::Flow { text, amount, ..row.flow.clone() }, ..row }
    }

    #[test]
    fn several_fee_rows_of_a_trade_are_one_fee_whenever_they_come() {
        let rows = [
            fee_row("a", "commission_for_trades", eur(-12_000)),
            fee_row("b", "commission_for_trades", eur(-8_000)),
            fee_row("c", "commission_for_trades_reverted", eur(5_000)),
        ];
        let fees = |known, rows: &[Booked]| {
            let late = late_fees(&BTreeMap::from([fill("7", "RHNA.EU", Side::Buy, 10, known)]), rows);
            late.into_iter().map(|(_, _, fee)| fee.e4()).collect::<Vec<_>>()
        };
        assert_eq!(fees(None, &rows[..2]), [20_000], "together");
        assert_eq!(fees(Some(12_000), &rows[..2]), [20_000], "the second one later");
        assert!(fees(Some(20_000), &rows[..2]).is_empty(), "known");
        assert_eq!(fees(Some(20_000), &rows), [15_000], "a part is taken back");
        let foreign = fee_row("d", "commission_for_trades", Money::from_e4(-8_000, Currency::USD));
        assert_eq!(fees(None, &[rows[0].clone(), foreign.clone()]), [12_000]);
        let fills = BTreeMap::from([fill("7", "RHNA.EU", Side::Buy, 10, Some(12_000))]);
        let counts = |row: &Booked| counts(row, &fills, &BTreeSet::new());
        assert!(!counts(&rows[0]) && counts(&foreign), "it is paid beside the fee");
        let refund = fee_row("e", "commission_refund", eur(3_000));
        assert!(fees(None, std::slice::from_ref(&refund)).is_empty() && counts(&refund), "money of its own");
    }

    #[test]
    fn an_overflow_is_an_error_not_a_sum() {
        let opening = Purse::from([(Currency::EUR, eur(i64::MAX))]);
        let fills = BTreeMap::from([fill("8", "RHNA.EU", Side::Sell, 4, None)]);
        let (flows, loose) = (BTreeMap::new(), BTreeSet::new());
        assert!(cash(&Parts { opening: &opening, fills: &fills, flows: &flows, loose: &loose }).is_err());
    }

    #[test]
    fn a_cent_may_be_missing_and_for_two_days_what_an_unknown_fee_may_be() {
        let today = Timestamp::from_ms(NOW).day_utc();
        let allowed = |fee, day| {
            let fills = BTreeMap::from([fill("7", "RHNA.EU", Side::Buy, 100, fee)]);
            tolerance(&fills, Currency::EUR, Some(Rate::ONE), day).e4()
        };
        assert_eq!(allowed(Some(1), today), CASH_TOLERANCE_E4);
        assert_eq!(
            allowed(None, today),
            CASH_TOLERANCE_E4 + 10_000 + 50_000,
            "half a percent and five euros"
        );
        assert_eq!(allowed(None, today.plus_days(2)), CASH_TOLERANCE_E4 + 60_000);
        assert_eq!(allowed(None, today.plus_days(3)), CASH_TOLERANCE_E4);
        let differs = |e4| {
            let ours = Purse::from([(Currency::EUR, eur(e4))]);
            !differences(&ours, &Purse::new(), |_| eur(CASH_TOLERANCE_E4)).is_empty()
        };
        assert_eq!([99, 100, -99, -100, i64::MIN].map(differs), [false, true, false, true, true]);
    }

    #[test]
    fn the_smaller_of_both_may_be_counted_on() {
        let purse = |e4| Purse::from([(Currency::EUR, eur(e4))]);
        assert_eq!(careful(&purse(5), &purse(7)), purse(5));
        assert_eq!(careful(&purse(9), &purse(7)), purse(7));
        assert_eq!(careful(&purse(9), &Purse::new()), purse(0));
        assert_eq!(careful(&Purse::new(), &purse(7)), purse(7));
    }

    #[test]
    fn what_settles_later_is_pending_and_unknown_without_a_day() {
        let today = Timestamp::from_ms(NOW).day_utc();
        let on = |day: Option<Day>, side| {
            let (id, fill) = fill("7", "RHNA.EU", side, 10, None);
            pending(&BTreeMap::from([(id, Fill { settle_day: day, ..fill })]), Currency::EUR, today)
        };
        let nothing = Some(eur(0));
        assert_eq!(on(Some(today.next()), Side::Buy), (nothing, Some(eur(200_000))));
        assert_eq!(on(Some(today.next()), Side::Sell), (Some(eur(200_000)), nothing));
        assert_eq!(on(Some(today), Side::Buy), (nothing, nothing));
        assert_eq!(on(None, Side::Buy), (nothing, None));
    }
}
