//! Statistics and promises of the simulated market.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::core::dates::{iso, start_of};

fn built(seed: u64, year: i32) -> Market {
    let mut market = Market::new(seed, None, Vec::new());
    market.ensure(day_of(year, 12, 31));
    market
}

fn returns_of(market: &Market, index: usize) -> BTreeMap<i32, f64> {
    market.listings[index].closes.iter().skip(1).map(|c| (c.day, c.log_return)).collect()
}

fn correlation(a: &BTreeMap<i32, f64>, b: &BTreeMap<i32, f64>) -> f64 {
    let pairs: Vec<(f64, f64)> = a.iter().filter_map(|(d, x)| b.get(d).map(|y| (*x, *y))).collect();
    let n = pairs.len() as f64;
    let (mx, my) = (pairs.iter().map(|p| p.0).sum::<f64>() / n, pairs.iter().map(|p| p.1).sum::<f64>() / n);
    let cov: f64 = pairs.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum();
    let (vx, vy): (f64, f64) =
        pairs.iter().fold((0.0, 0.0), |(x, y), p| (x + (p.0 - mx).powi(2), y + (p.1 - my).powi(2)));
    cov / (vx * vy).sqrt()
}

/// Seeds whose ten years hold about as much crisis as the chain has in the long run.
#[test]
fn volatility_and_correlation_stay_within_the_bounds_of_the_model() {
    for seed in [4, 5] {
        check_statistics(seed);
    }
}

fn check_statistics(seed: u64) {
    let market = built(seed, 2024);
    let shares: Vec<usize> = (0..market.listings.len())
        .filter(|i| market.listings[*i].security.kind == universe::Kind::Share)
        .collect();
    let returns: Vec<_> = shares.iter().map(|i| returns_of(&market, *i)).collect();
    for (index, series) in shares.iter().zip(&returns) {
        let security = &market.listings[*index].security;
        let n = series.len() as f64;
        let mean = series.values().sum::<f64>() / n;
        let variance = series.values().map(|r| (r - mean) * (r - mean)).sum::<f64>() / n;
        let ratio = (variance * 252.0).sqrt() / security.sigma;
        assert!((0.8..=1.45).contains(&ratio), "{} {ratio}", security.ticker);
    }
    let (mut all, mut same) = (Vec::new(), Vec::new());
    for a in 0..shares.len() {
        for b in 0..a {
            let value = correlation(&returns[a], &returns[b]);
            let pair = (&market.listings[shares[a]].security, &market.listings[shares[b]].security);
            assert!((0.0..=0.85).contains(&value), "{} {} {value}", pair.0.ticker, pair.1.ticker);
            all.push(value);
            if pair.0.sector == pair.1.sector {
                same.push(value);
            }
        }
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    assert!((0.30..=0.45).contains(&mean(&all)), "all {}", mean(&all));
    assert!((0.35..=0.55).contains(&mean(&same)), "same sector {}", mean(&same));
}

#[test]
fn leaving_tickers_out_never_changes_the_paths_of_the_others() {
    let all = built(5, 2017);
    let names = ["NRDW.US".to_owned(), "MGLW.EU".to_owned(), "9911".to_owned()];
    let mut few = Market::new(5, Some(&names), Vec::new());
    few.ensure(day_of(2017, 12, 31));
    for ticker in ["NRDW.US", "MGLW.EU"] {
        let (a, b) = (all.find(ticker).unwrap(), few.find(ticker).unwrap());
        assert_eq!(all.listings[a].closes, few.listings[b].closes, "{ticker}");
    }
    assert_eq!(few.find("CBLR.US"), None);
}

#[test]
fn building_in_steps_equals_building_at_once() {
    let mut stepped = Market::new(2, None, Vec::new());
    for day in day_of(2015, 1, 5)..day_of(2016, 1, 1) {
        stepped.ensure(day);
    }
    let once = built(2, 2015);
    for (a, b) in stepped.listings.iter().zip(&once.listings) {
        assert_eq!(a.closes, b.closes, "{}", a.security.ticker);
    }
}

#[test]
fn a_dividend_lowers_the_price_by_its_amount_on_the_ex_date() {
    let market = built(1, 2016);
    let index = market.find("PRVL.US").unwrap();
    let paid: Vec<_> = market.dividends.iter().filter(|d| d.security == index).collect();
    assert_eq!(paid.len(), 8);
    for dividend in &paid {
        let close = market.close_on_or_before(index, dividend.ex_day).unwrap();
        assert_eq!(close.day, dividend.ex_day);
        let factors = returns::Factors::draw(1, close.day, close.regime, &market.sectors);
        let without = returns::of_session(&market.listings[index].security, &factors);
        let drop = 1.0 - libm::exp(close.log_return - without);
        let expected = dividend.amount_e6 as f64 / close.before_e6 as f64;
        assert!((drop - expected).abs() < 1e-12, "{}", iso(dividend.ex_day));
    }
    let first = paid[0];
    let sessions = market.close_index(index, first.pay_day.unwrap()).unwrap()
        - market.close_index(index, first.ex_day).unwrap();
    assert_eq!(sessions, 10);
}

#[test]
fn a_split_divides_the_price_and_rebases_older_ones() {
    let market = built(1, 2026);
    for (ticker, date, factor) in [("VNTX.US", (2025, 8, 18), 4.0), ("KYST.US", (2026, 6, 15), 0.1)] {
        let index = market.find(ticker).unwrap();
        let day = day_of(date.0, date.1, date.2);
        let at = market.close_index(index, day).unwrap();
        let (old, new) = (market.listings[index].closes[at - 1], market.listings[index].closes[at]);
        let ratio = old.close_e6 as f64 / new.before_e6 as f64;
        assert!((ratio / factor - 1.0).abs() < 0.02, "{ticker} {ratio}");
        let (n, d) = market.rebase(index, old.day, day);
        assert!((d as f64 / n as f64 - factor).abs() < 1e-12);
        assert_eq!(market.rebase(index, day, day + 100), (1, 1));
    }
}

#[test]
fn no_tick_leaves_the_range_of_its_day_and_lunch_freezes_the_price() {
    let market = built(1, 2015);
    let day = day_of(2015, 6, 3);
    for ticker in ["NRDW.US", "HLXB.US", "KYST.US", "JADEP.9911.AS", "998X.JP", "THMB.EU"] {
        let index = market.find(ticker).unwrap();
        let at = market.close_index(index, day).unwrap();
        let bar = market.bar(index, at);
        assert!(bar.low_e6 <= bar.open_e6.min(bar.close_e6) && bar.high_e6 >= bar.open_e6.max(bar.close_e6));
        let sessions = market.sessions(index, day);
        for second in (sessions.open().unwrap()..sessions.close().unwrap()).step_by(7_000) {
            let price = market.last_price(index, second).unwrap();
            assert!((bar.low_e6..=bar.high_e6).contains(&price), "{ticker}");
            assert_eq!(price % market.listings[index].security.tick_at(price), 0, "{ticker} {price}");
            let quote = market.quote(index, second).unwrap();
            assert!(quote.bid_e6 < quote.ask_e6 && quote.bid_e6 <= price && price <= quote.ask_e6);
        }
    }
    let jade = market.find("JADEP.9911.AS").unwrap();
    let noon = |minute: i64| start_of(day) + 4 * 3_600_000 + minute * 60_000;
    assert_eq!(market.last_price(jade, noon(1)), market.last_price(jade, noon(59)));
}

#[test]
fn a_price_changes_only_at_the_announced_instants() {
    let market = built(1, 2015);
    let index = market.find("VNTX.US").unwrap();
    let day = day_of(2015, 6, 3);
    let sessions = market.sessions(index, day);
    let mut now = sessions.open().unwrap();
    for _ in 0..200 {
        let next = market.next_change(&sessions, now);
        assert!(next > now);
        assert_eq!(market.last_price(index, now), market.last_price(index, next - 1));
        now = next;
    }
}

#[test]
fn a_halted_security_has_no_session_that_day() {
    let market = built(1, 2016);
    let index = market.find("HLXB.US").unwrap();
    let halted: Vec<i32> = market.halts[&index].iter().copied().filter(|d| *d < day_of(2017, 1, 1)).collect();
    assert!((2..=4).contains(&halted.len()), "{halted:?}");
    for day in halted {
        assert!(market.close_on_or_before(index, day).unwrap().day < day);
    }
}

#[test]
fn the_first_day_of_a_forced_mood_keeps_it_until_the_last() {
    let (from, to) = (day_of(2015, 3, 2), day_of(2015, 6, 1));
    let forced = ForcedRegime { regime: Regime::Crisis, from, to };
    let mut market = Market::new(1, Some(&["NRDW.US".to_owned()]), vec![forced]);
    market.ensure(to + 30);
    assert!((from..=to).all(|day| day < from + 1 || market.regime_on(0, day) == Regime::Crisis));
}

/// Refreshed on purpose only: set `UPDATE_GOLDEN=1` and say in the commit why the model changed.
#[test]
fn closes_2015_to_2027_of_seed_1_equal_the_golden_hash() {
    use sha2::{Digest, Sha256};
    let market = built(1, 2027);
    let mut hash = Sha256::new();
    for listing in &market.listings {
        for close in &listing.closes {
            hash.update(format!("{}|{}|{}\n", listing.security.ticker, iso(close.day), close.close_e6));
        }
    }
    let hash: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/closes_seed1.sha256");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, format!("{hash}\n")).unwrap();
    }
    assert_eq!(hash, std::fs::read_to_string(path).unwrap().trim());
}
