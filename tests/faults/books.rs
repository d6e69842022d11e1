//! Whether two accounts are one: pieces exactly, money to the cent.

use std::collections::BTreeMap;

/// Half a cent, in 1/10 000: the broker's lists round to the cent.
const HALF_A_CENT_E4: i64 = 50;

/// What one side says it has.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// Pieces in 1/1 000 000, by security; nothing held is left out.
    pub held_e6: BTreeMap<String, i64>,
    /// Money in 1/10 000, by currency.
    pub cash_e4: BTreeMap<String, i64>,
}

/// The first difference, in words.
pub fn differ(ours: &Books, theirs: &Books) -> Option<String> {
    if ours.held_e6 != theirs.held_e6 {
        return Some(format!("we hold {:?}, the broker says {:?}", ours.held_e6, theirs.held_e6));
    }
    let of = |books: &Books, currency: &str| books.cash_e4.get(currency).copied().unwrap_or(0);
    let currencies = theirs.cash_e4.keys().chain(ours.cash_e4.keys());
    let apart = |currency: &&String| (of(ours, currency) - of(theirs, currency)).abs() > HALF_A_CENT_E4;
    currencies.into_iter().find(apart).map(|currency| {
        let (ours, theirs) = (of(ours, currency), of(theirs, currency));
        format!("we have {ours} {currency}, the broker says {theirs} (1/10 000)")
    })
}

#[test]
fn accounts_are_one_to_the_piece_and_to_the_cent() {
    let books = |qty: i64, cash: i64| Books {
        held_e6: [("A".to_string(), qty)].into(),
        cash_e4: [("EUR".to_string(), cash)].into(),
    };
    assert_eq!(differ(&books(1, 100), &books(1, 150)), None);
    assert!(differ(&books(1, 100), &books(1, 151)).is_some());
    assert!(differ(&books(1, 100), &books(2, 100)).is_some());
    assert!(
        differ(&Books::default(), &books(1, 0)).is_some(),
        "what one side does not name it does not hold"
    );
    let money = Books { cash_e4: [("USD".to_string(), 51)].into(), ..Books::default() };
    assert!(differ(&money, &Books::default()).is_some() && differ(&Books::default(), &money).is_some());
}
