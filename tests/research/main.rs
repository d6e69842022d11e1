//! Research mode through all stages: the paper ledger is the fund, and the account is only watched.
#![allow(clippy::unwrap_used, missing_docs)]

use contracts::{Mode, PortfolioState};
use steward_tests::pipeline::Pipeline;

fn state(pipeline: &Pipeline) -> PortfolioState {
    pipeline.statement("").unwrap()
}

fn count(pipeline: &Pipeline, sql: &str) -> i64 {
    count_in(pipeline, "ledger", sql)
}

fn count_in(pipeline: &Pipeline, store: &str, sql: &str) -> i64 {
    let place = bus_client::Place::File(pipeline.folder().join(format!("stores/{store}.db")));
    bus_client::open_for_reading(&place).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn research_trades_on_paper_moves_the_paper_ledger_and_leaves_the_account_alone() {
    let mut pipeline = Pipeline::in_mode(7, 1, "research");
    let before = pipeline.world.borrow().positions();
    let placed = pipeline.world.borrow().orders().len();
    pipeline.run_days(3);
    assert!(count_in(&pipeline, "orders", "SELECT count(*) FROM api_order WHERE mode = 'research'") > 0);
    assert_eq!(count_in(&pipeline, "orders", "SELECT count(*) FROM api_order WHERE mode = 'live'"), 0);
    assert_eq!(pipeline.world.borrow().orders().len(), placed, "nothing leaves the machine");
    assert_eq!(pipeline.world.borrow().positions(), before);

    let fills = count(&pipeline, "SELECT count(*) FROM api_paper_fill");
    assert!(fills > 0, "what is filled on paper is booked on paper");
    assert_eq!(count(&pipeline, "SELECT count(*) FROM api_fill WHERE source = 'broker'"), 0);
    let now = state(&pipeline);
    assert_eq!(now.mode, Mode::Research);
    let on_paper: i64 = now.positions.iter().map(|position| position.qty_e6.e6()).sum();
    assert_ne!(on_paper, before.values().sum::<i64>(), "the paper ledger is not the account any more");
    assert!(count(&pipeline, "SELECT count(*) FROM api_paper_nav") >= 2, "days end on paper");
    assert!(count(&pipeline, "SELECT count(*) FROM api_nav") >= 2, "and in the account");

    pipeline.kill("portfolio");
    pipeline.start_missing();
    let end = pipeline.now().saturating_plus_ms(60_000);
    pipeline.run_until(end);
    assert_eq!(state(&pipeline).state_id, now.state_id, "a restart changes nothing");
    assert_eq!(count(&pipeline, "SELECT count(*) FROM api_paper_fill"), fills, "and books nothing twice");
}

#[test]
fn live_orders_never_reach_the_paper_ledger() {
    let mut pipeline = Pipeline::new(7, 1);
    pipeline.run_days(2);
    assert!(count_in(&pipeline, "orders", "SELECT count(*) FROM api_order WHERE mode = 'live'") > 0);
    assert_eq!(state(&pipeline).mode, Mode::Live);
    assert_eq!(count(&pipeline, "SELECT count(*) FROM paper_begun"), 0);
    assert_eq!(count(&pipeline, "SELECT count(*) FROM paper_fill"), 0);
}
