//! What the vectors do not ask: missing data, evidence, exemptions, impossible figures.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use contracts::Breaker;
use money::{Money, Rate, Weight};

use super::*;

const KINDS: [OrderKind; 3] = [OrderKind::Normal, OrderKind::Manual, OrderKind::Emergency];
const SIDES: [Side; 2] = [Side::Buy, Side::Sell];

/// Changes one thing of a case.
type Change = fn(&mut Plain);
/// Puts an amount into one place of a case.
type ChangeAmount = fn(&mut Plain, Money);

/// A plain case that passes on both sides; tests change one thing.
#[derive(Clone)]
struct Plain {
    order: GateOrder,
    security: GateSecurity,
    state: GateState,
    settings: GateSettings,
}

fn eur(text: &str) -> Money {
    Money::parse(&format!("{text} EUR")).unwrap()
}

fn plain(side: Side) -> Plain {
    Plain {
        order: GateOrder {
            symbol: "AAA".to_owned(),
            side: Some(side),
            quantity: "10".parse().unwrap(),
            price: Some("50".parse().unwrap()),
            currency: Currency::EUR,
            kind: OrderKind::Normal,
        },
        security: GateSecurity {
            known: true,
            allow_buy: true,
            allow_sell: true,
            min_lot: "1".parse().unwrap(),
            tick: Some("0.01".parse().unwrap()),
            strict_hours: false,
            market_open: true,
        },
        state: GateState {
            mode: Some(Mode::Live),
            snapshot_age_s: Some(20),
            price_age_s: Some(60),
            breaker: Breaker::Normal,
            since_last_trade_s: None,
            trades_today: 0,
            trades_week: 0,
            pending_order: Some(false),
            since_submission_s: None,
            since_last_sell_s: None,
            days_since_last_buy: None,
            days_since_last_transaction: None,
            days_since_last_sell: None,
            position_quantity: "20".parse().unwrap(),
            avg_price: Some("45".parse().unwrap()),
            position_value_eur: Some(eur("1000")),
            portfolio_value_eur: Some(eur("20000")),
            balances: BTreeMap::from([(Currency::EUR, eur("3000"))]),
            pending_buy_value: BTreeMap::new(),
            limiting_bucket: BTreeMap::new(),
            eur_per_unit: BTreeMap::from([
                (Currency::EUR, Rate::ONE),
                (Currency::USD, "0.9".parse().unwrap()),
            ]),
        },
        settings: GateSettings::default(),
    }
}

fn judge(case: &Plain) -> Verdict {
    gate(&case.order, &case.security, &case.state, &case.settings)
}

fn with(side: Side, change: impl FnOnce(&mut Plain)) -> Verdict {
    let mut case = plain(side);
    change(&mut case);
    judge(&case)
}

fn evidence(verdict: &Verdict, check: &str) -> Option<CheckEvidence> {
    verdict.evidence.iter().find(|evidence| evidence.check == check).cloned()
}

#[test]
fn the_plain_case_passes_on_both_sides_with_all_its_evidence() {
    for (side, checks) in [(Side::Buy, 20), (Side::Sell, 22)] {
        let verdict = judge(&plain(side));
        assert_eq!((verdict.decision, verdict.code), (Decision::Allow, None));
        assert_eq!(verdict.evidence.len(), checks, "{:#?}", verdict.evidence);
        assert!(verdict.evidence.iter().all(|evidence| evidence.passed));
        let filled = |evidence: &CheckEvidence| !evidence.found.is_empty() && !evidence.limit.is_empty();
        assert!(verdict.evidence.iter().all(filled));
    }
}

#[test]
fn checks_stand_in_the_order_of_their_codes() {
    assert!(CHECKS.windows(2).all(|pair| pair[0].code < pair[1].code));
    assert!(CHECKS.iter().all(|check| check.code > Code::InvalidOrder));
}

#[test]
fn codes_are_written_as_they_are_encoded() {
    for code in CHECKS.iter().map(|check| check.code).chain([Code::InvalidOrder, Code::NeedsFx]) {
        assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
    }
    assert_eq!(serde_json::to_value(Decision::Simulate).unwrap(), "simulate");
}

#[test]
fn evidence_ends_with_the_first_failure() {
    let verdict = with(Side::Sell, |case| {
        case.state.price_age_s = None;
        case.state.pending_order = Some(true);
    });
    assert_eq!(verdict.code, Some(Code::StalePrice));
    let names: Vec<&str> = verdict.evidence.iter().map(|evidence| evidence.check.as_str()).collect();
    let expected = [
        "invalid_order",
        "unknown_security",
        "lot_size",
        "tick_size",
        "side_not_allowed",
        "stale_state",
        "stale_price",
    ];
    assert_eq!(names, expected);
    assert_eq!(verdict.evidence[6].found, "unknown age");
    assert_eq!(verdict.evidence[6].limit, "1800 s");
}

#[test]
fn unknown_figures_never_pass() {
    let table: [(Side, Change, Code); 10] = [
        (Side::Buy, |case| case.order.price = None, Code::InvalidOrder),
        (Side::Buy, |case| case.order.side = None, Code::InvalidOrder),
        (Side::Buy, |case| case.state.snapshot_age_s = None, Code::StaleState),
        (Side::Buy, |case| case.state.price_age_s = None, Code::StalePrice),
        (Side::Buy, |case| case.state.breaker = Breaker::Unknown, Code::CircuitBreaker),
        (Side::Buy, |case| case.state.pending_order = None, Code::PendingOrder),
        (Side::Sell, |case| case.state.avg_price = None, Code::CostBasisUnknown),
        (Side::Buy, |case| case.state.eur_per_unit.clear(), Code::NoFxRate),
        (Side::Buy, |case| case.state.position_value_eur = None, Code::Concentration),
        (Side::Buy, |case| case.state.portfolio_value_eur = None, Code::Concentration),
    ];
    for (side, change, code) in table {
        assert_eq!(with(side, change).code, Some(code));
    }
}

#[test]
fn a_limit_lies_on_a_known_tick() {
    let price = |text: &str| text.parse::<Price>().unwrap();
    let cases = [
        ("50", Some("0.05"), true),
        ("50.05", Some("0.05"), true),
        ("50.049999", Some("0.05"), false),
        ("50.050001", Some("0.05"), false),
        ("50.04", Some("0.05"), false),
        ("0.0001", Some("0.0001"), true),
        ("0.00015", Some("0.0001"), false),
        ("0.04", Some("0.05"), false),
        ("50", None, false),
        ("50", Some("0"), false),
    ];
    for (limit, tick, passes) in cases {
        for side in SIDES {
            for kind in KINDS {
                let verdict = with(side, |case| {
                    case.order.price = Some(price(limit));
                    case.order.kind = kind;
                    case.security.tick = tick.map(price);
                });
                let found = evidence(&verdict, "tick_size").unwrap();
                assert_eq!(found.passed, passes, "{limit} {tick:?}");
                assert_eq!(verdict.code == Some(Code::TickSize), !passes, "{limit} {tick:?}");
                assert!(passes || verdict.decision == Decision::Block);
            }
        }
    }
}

#[test]
fn amounts_in_the_wrong_currency_never_pass() {
    let dollars = Money::parse("9000 USD").unwrap();
    let table: [(ChangeAmount, Code); 6] = [
        (|case, money| case.state.position_value_eur = Some(money), Code::Concentration),
        (|case, money| case.state.portfolio_value_eur = Some(money), Code::Concentration),
        (
            |case, money| {
                case.state.balances.insert(Currency::EUR, money);
            },
            Code::NegativeBalance,
        ),
        (
            |case, money| {
                case.state.pending_buy_value.insert(Currency::EUR, money);
            },
            Code::InsufficientCash,
        ),
        (|case, money| case.settings.reserve_eur = money, Code::InsufficientCash),
        (|case, money| case.settings.fixed_eur = money, Code::InsufficientCash),
    ];
    for (change, code) in table {
        assert_eq!(with(Side::Buy, |case| change(case, dollars)).code, Some(code));
    }
}

#[test]
fn euros_with_another_rate_than_one_do_not_pass() {
    let wrong: Rate = "1.1".parse().unwrap();
    let verdict = with(Side::Buy, |case| {
        case.state.eur_per_unit.insert(Currency::EUR, wrong);
    });
    assert_eq!(verdict.code, Some(Code::NoFxRate));
}

#[test]
fn figures_too_large_to_compute_do_not_pass() {
    let most = Quantity::from_units(9_000_000_000_000).unwrap();
    let verdict = with(Side::Buy, |case| {
        case.order.quantity = most;
        case.order.price = Some(Price::from_e6(i64::MAX).unwrap());
        case.security.tick = Price::from_e6(1).ok();
    });
    assert_eq!(verdict.code, Some(Code::Concentration));
    let verdict = with(Side::Sell, |case| {
        case.order.quantity = most;
        case.state.position_quantity = Quantity::from_e6(i64::MAX).unwrap();
    });
    assert_eq!(verdict.code, Some(Code::MaxSell));
}

#[test]
fn exemptions_are_written_down() {
    let verdict = with(Side::Sell, |case| {
        case.order.kind = OrderKind::Emergency;
        case.state.days_since_last_transaction = Some(1);
        case.state.days_since_last_sell = Some(1);
        case.state.avg_price = None;
        case.state.trades_today = 99;
    });
    assert_eq!(verdict.decision, Decision::Allow);
    let exempt = [
        "min_gap",
        "daily_limit",
        "weekly_limit",
        "min_hold",
        "sell_cooldown",
        "cost_basis_unknown",
        "max_sell",
    ];
    for check in exempt {
        let evidence = evidence(&verdict, check).unwrap();
        assert_eq!((evidence.found.as_str(), evidence.limit.as_str()), ("emergency order", "exempt"));
    }
}

#[test]
fn a_halt_stops_every_kind_and_side() {
    for side in SIDES {
        for kind in KINDS {
            let verdict = with(side, |case| {
                case.order.kind = kind;
                case.state.breaker = Breaker::Halted;
            });
            assert_eq!((verdict.decision, verdict.code), (Decision::Defer, Some(Code::CircuitBreaker)));
        }
    }
}

#[test]
fn nothing_is_allowed_unless_the_mode_is_live() {
    for side in SIDES {
        for kind in KINDS {
            for mode in [Some(Mode::Research), None] {
                let verdict = with(side, |case| {
                    case.order.kind = kind;
                    case.state.mode = mode;
                });
                assert_eq!((verdict.decision, verdict.code), (Decision::Simulate, None));
                assert!(!evidence(&verdict, MODE).unwrap().passed);
            }
        }
    }
}

#[test]
fn no_kind_sells_what_is_not_held() {
    for kind in KINDS {
        for (held, code) in [("0", Code::NoPosition), ("9.999999", Code::ExceedsPosition)] {
            let verdict = with(Side::Sell, |case| {
                case.order.kind = kind;
                case.state.position_quantity = held.parse().unwrap();
            });
            assert_eq!(verdict.code, Some(code));
        }
    }
}

#[test]
fn no_kind_buys_beyond_cash_or_concentration() {
    for kind in KINDS {
        let poor = with(Side::Buy, |case| {
            case.order.kind = kind;
            case.state.balances.insert(Currency::EUR, eur("513.02"));
        });
        assert_eq!(poor.code, Some(Code::InsufficientCash));
        let heavy = with(Side::Buy, |case| {
            case.order.kind = kind;
            case.state.position_value_eur = Some(eur("2500.0001"));
        });
        assert_eq!(heavy.code, Some(Code::Concentration));
    }
}

#[test]
fn cash_evidence_shows_both_amounts_to_the_cent() {
    let short = with(Side::Buy, |case| {
        case.state.balances.insert(Currency::EUR, eur("513.02"));
    });
    let cash = evidence(&short, "insufficient_cash").unwrap();
    assert_eq!((cash.found.as_str(), cash.limit.as_str()), ("508.02 EUR available", "508.03 EUR required"));
    let enough = with(Side::Buy, |case| {
        case.state.balances.insert(Currency::EUR, eur("513.03"));
    });
    assert_eq!(enough.decision, Decision::Allow);
}

#[test]
fn cash_evidence_names_the_bucket_that_falls_short() {
    let short = with(Side::Buy, |case| {
        case.state.balances.insert(Currency::EUR, eur("100"));
        case.state.limiting_bucket.insert(Currency::EUR, "growth".to_owned());
    });
    let cash = evidence(&short, "insufficient_cash").unwrap();
    assert_eq!(cash.found, "95.00 EUR available in bucket growth");
}

#[test]
fn a_needed_exchange_is_named_as_such_in_code_and_evidence() {
    let verdict = with(Side::Buy, |case| case.order.currency = Currency::USD);
    assert_eq!((verdict.decision, verdict.code), (Decision::Defer, Some(Code::NeedsFx)));
    let cash = evidence(&verdict, "needs_fx").unwrap();
    assert!(cash.found.ends_with("2995.00 EUR free"), "{}", cash.found);
    assert!(cash.limit.ends_with("EUR to exchange"), "{}", cash.limit);
}

#[test]
fn deferred_orders_say_how_long_to_wait_where_that_is_known() {
    let table: [(Side, Change, Code, u64); 4] = [
        (Side::Buy, |case| case.state.since_last_trade_s = Some(3599), Code::MinGap, 1),
        (Side::Buy, |case| case.state.since_submission_s = Some(240), Code::DuplicateWindow, 60),
        (Side::Sell, |case| case.state.since_last_sell_s = Some(7000), Code::DuplicateWindow, 200),
        (
            Side::Sell,
            |case| {
                case.state.since_submission_s = Some(0);
                case.state.since_last_sell_s = Some(7199);
            },
            Code::DuplicateWindow,
            300,
        ),
    ];
    for (side, change, code, wait_s) in table {
        let verdict = with(side, change);
        assert_eq!((verdict.code, verdict.wait_s), (Some(code), Some(wait_s)));
    }
    let closed = with(Side::Buy, |case| case.security.market_open = false);
    assert_eq!((closed.code, closed.wait_s), (Some(Code::MarketClosed), None));
}

#[test]
fn a_stop_loss_sale_says_that_it_is_exempt_from_holding() {
    let verdict = with(Side::Sell, |case| {
        case.state.days_since_last_transaction = Some(0);
        case.settings.min_hold_days = 0;
    });
    assert_eq!(verdict.decision, Decision::Allow);
    assert_eq!(evidence(&verdict, "min_hold").unwrap().limit, "0 days (stop-loss sale, exempt)");
}

#[test]
fn the_whole_of_a_small_position_goes_when_the_caller_permits_it() {
    let change = |case: &mut Plain| case.order.quantity = "20".parse().unwrap();
    assert_eq!(with(Side::Sell, change).code, Some(Code::MaxSell));
    let verdict = with(Side::Sell, |case| {
        change(case);
        case.settings.max_sell = Weight::ONE;
    });
    assert_eq!(verdict.decision, Decision::Allow);
}

#[test]
fn lots_of_less_than_one_piece_count_as_one() {
    let half = with(Side::Buy, |case| {
        case.security.min_lot = "0.5".parse().unwrap();
        case.order.quantity = "9.5".parse().unwrap();
    });
    assert_eq!(half.code, Some(Code::LotSize));
}

#[test]
fn a_verdict_fits_well_into_its_message() {
    let verdict = judge(&plain(Side::Sell));
    assert!(serde_json::to_vec(&verdict.evidence).unwrap().len() < 3_000);
}

#[test]
fn each_check_applies_to_exactly_the_kinds_of_its_table() {
    use OrderKind::{Emergency, Manual, Normal};
    let all: &[OrderKind] = &KINDS;
    let unless_emergency: &[OrderKind] = &[Normal, Manual];
    let table: [(Side, Change, Code, &[OrderKind]); 27] = [
        (Side::Buy, |case| case.order.symbol.clear(), Code::InvalidOrder, all),
        (Side::Buy, |case| case.security.known = false, Code::UnknownSecurity, all),
        (Side::Buy, |case| case.security.min_lot = "4".parse().unwrap(), Code::LotSize, all),
        (Side::Buy, |case| case.security.allow_buy = false, Code::SideNotAllowed, all),
        (Side::Sell, |case| case.security.allow_sell = false, Code::SideNotAllowed, all),
        (Side::Sell, |case| case.state.snapshot_age_s = Some(301), Code::StaleState, all),
        (Side::Sell, |case| case.state.price_age_s = Some(1801), Code::StalePrice, all),
        (Side::Buy, |case| case.state.breaker = Breaker::Halted, Code::CircuitBreaker, all),
        (Side::Buy, |case| case.state.breaker = Breaker::Unknown, Code::CircuitBreaker, &[Normal, Emergency]),
        (
            Side::Sell,
            |case| case.state.breaker = Breaker::SellsBlocked,
            Code::CircuitBreaker,
            unless_emergency,
        ),
        (Side::Buy, |case| case.state.since_last_trade_s = Some(3599), Code::MinGap, unless_emergency),
        (Side::Buy, |case| case.state.trades_today = 4, Code::DailyLimit, unless_emergency),
        (Side::Buy, |case| case.state.trades_week = 10, Code::WeeklyLimit, unless_emergency),
        (Side::Buy, |case| case.security.market_open = false, Code::MarketClosed, all),
        (Side::Buy, |case| case.state.pending_order = Some(true), Code::PendingOrder, all),
        (Side::Buy, |case| case.state.since_submission_s = Some(299), Code::DuplicateWindow, all),
        (Side::Sell, |case| case.state.since_last_sell_s = Some(7199), Code::DuplicateWindow, all),
        (Side::Buy, |case| case.state.days_since_last_buy = Some(29), Code::BuyCooldown, unless_emergency),
        (
            Side::Sell,
            |case| case.state.days_since_last_transaction = Some(89),
            Code::MinHold,
            unless_emergency,
        ),
        (Side::Sell, |case| case.state.days_since_last_sell = Some(179), Code::SellCooldown, &[Normal]),
        (Side::Sell, |case| case.state.position_quantity = Quantity::ZERO, Code::NoPosition, all),
        (Side::Sell, |case| case.state.avg_price = None, Code::CostBasisUnknown, &[Normal]),
        (Side::Sell, |case| case.state.avg_price = Some("62.6".parse().unwrap()), Code::MaxLoss, &[Normal]),
        (Side::Sell, |case| case.order.quantity = "11".parse().unwrap(), Code::MaxSell, &[Normal]),
        (Side::Buy, |case| case.state.eur_per_unit.clear(), Code::NoFxRate, all),
        (Side::Buy, |case| case.state.portfolio_value_eur = Some(eur("0")), Code::Concentration, all),
        (
            Side::Buy,
            |case| {
                case.state.balances.insert(Currency::EUR, eur("-0.0001"));
            },
            Code::NegativeBalance,
            all,
        ),
    ];
    for (side, change, code, kinds) in table {
        for kind in KINDS {
            let verdict = with(side, |case| {
                case.order.kind = kind;
                change(case);
            });
            let expected = kinds.contains(&kind).then_some(code);
            assert_eq!(verdict.code, expected, "{code} for {kind:?}");
        }
    }
}

#[test]
fn an_exchange_is_only_needed_when_free_euros_cover_it_with_the_buffer() {
    // At one EUR per USD: 508.03 required and 5 reserved make 513.03 short, with 2 % 523.2906 EUR.
    for (balance, code) in [("528.2906", Code::NeedsFx), ("528.2905", Code::InsufficientCash)] {
        let verdict = with(Side::Buy, |case| {
            case.order.currency = Currency::USD;
            case.state.eur_per_unit.insert(Currency::USD, Rate::ONE);
            case.state.balances.insert(Currency::EUR, eur(balance));
        });
        assert_eq!(verdict.code, Some(code), "{balance}");
    }
}

#[test]
fn a_holding_may_reach_its_part_of_the_fund_but_not_a_grain_more() {
    for (held, code) in [("2500", None), ("2500.0001", Some(Code::Concentration))] {
        let verdict = with(Side::Buy, |case| case.state.position_value_eur = Some(eur(held)));
        assert_eq!(verdict.code, code, "{held}");
    }
}
