//! The stage with its edge against the simulated broker in the same process.

#![allow(clippy::unwrap_used)]

mod support;

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
};

use bus_client::Edge;
use contracts::{Flow, FlowKind, Nav, PortfolioState, Reconciliation};
use portfolio::{Call, PortfolioEdge, Reply};
use simworld::{Profile, Rules, World, WorldConfig};
use support::{Rig, WALL_S, at, at_once, edge, keys};
use tradernet::{Exchange, RawReply, RawRequest, TransportError};

/// A broker where something is traded so many times, once per reading of the trades.
struct Busy {
    left: Cell<u32>,
    status: u16,
    /// What time its answers say it is.
    date: Option<String>,
    /// Lines of its statement.
    flows: String,
}

impl Exchange for Busy {
    async fn send(&self, request: RawRequest) -> Result<RawReply, TransportError> {
        let body = if request.path.ends_with("getTradesHistory") {
            let left = self.left.get();
            self.left.set(left.saturating_sub(1));
            format!(
                r#"{{"trades":{{"trade":[{{"id":{},"instr_nm":"RHNA.EU","type":1,"q":1,"p":5,"curr_c":"EUR"}}]}}}}"#,
                100 + left
            )
        } else if request.path.ends_with("getUserCashFlows") {
            format!(r#"{{"cashflow":[{}]}}"#, self.flows)
        } else if request.path.ends_with("getPositionJson") {
            r#"{"result":{"ps":{"loaded":true,"acc":[],"pos":[]}}}"#.to_owned()
        } else {
            r#"{"result":{"orders":{}}}"#.to_owned()
        };
        let reply = RawReply::new(self.status, body);
        Ok(match &self.date {
            Some(date) => reply.with_header("Date", date),
            None => reply,
        })
    }
}

fn read(left: u32, status: u16) -> Reply {
    read_at(left, status, None)
}

fn read_at(left: u32, status: u16, date: Option<String>) -> Reply {
    read_from(Busy { left: Cell::new(left), status, date, flows: String::new() })
}

fn read_from(broker: Busy) -> Reply {
    let today = at("2026-03-02T08:00:00Z").day_utc();
    let edge = PortfolioEdge::new(broker, keys(), Box::new(|| WALL_S));
    let call = Call { trades_from: today, trades_till: today, flows_since: None };
    at_once(edge.perform(call))
}

#[test]
fn a_trade_during_the_reading_begins_it_anew_but_not_for_ever() {
    assert!(read(0, 200).is_ok());
    assert!(read(2, 200).is_ok(), "it calms down");
    let failure = read(9, 200).unwrap_err();
    assert!(failure.text.contains("kept coming in"), "{}", failure.text);
}

#[test]
fn a_line_of_the_statement_that_cannot_be_read_hides_no_other() {
    let flows = r#"{"id":"a","type_code":"tax","date":"2026-03-02","sum":"-1","currency":"EUR"},
        {"id":"b","type_code":"tax","date":"2026-03-02","sum":"","currency":"EUR"}"#;
    let broker = Busy { left: Cell::new(0), status: 200, date: None, flows: flows.into() };
    let snapshot = read_from(broker).unwrap();
    let ids: Vec<_> = snapshot.unreadable.iter().map(|line| line.id.as_deref()).collect();
    assert_eq!((snapshot.flows.len(), ids), (1, vec![Some("b")]));
}

#[test]
fn a_reading_by_a_clock_that_is_not_the_brokers_is_none() {
    let said = |ahead: i64| {
        let then = std::time::UNIX_EPOCH
            + std::time::Duration::from_secs(WALL_S.checked_add_signed(-ahead).unwrap());
        read_at(0, 200, Some(httpdate::fmt_http_date(then)))
    };
    for ahead in [-5, 0, 5] {
        assert!(said(ahead).is_ok(), "{ahead}");
    }
    for ahead in [-6, 6, 86_400] {
        let failure = said(ahead).unwrap_err();
        assert!(failure.text.contains(&format!("our clock is {ahead} s ahead")), "{}", failure.text);
    }
}

#[test]
fn a_server_out_of_order_is_a_named_failure_never_an_empty_account() {
    let failure = read(0, 503).unwrap_err();
    assert!(failure.text.contains("out of order"), "{}", failure.text);
}

#[test]
fn books_and_broker_agree_from_the_first_reading_on_in_every_manner_of_writing() {
    for profile in [Profile::Clean, Profile::LiveLike, Profile::Nasty] {
        let start = at("2026-03-02T08:00:00Z");
        let rules = Rules { throttle: false, ..Rules::default() };
        let config = WorldConfig { profile, rules, ..WorldConfig::new(1, start) };
        let world = Rc::new(RefCell::new(World::new(config).unwrap()));
        let edge = edge(&world);
        let mut rig = Rig::priced("2026-03-02T08:00:00Z");
        let perform = |world: &Rc<RefCell<World>>, call, now| {
            world.borrow_mut().advance_to(now);
            at_once(edge.perform(call))
        };
        rig.run_with(at("2026-03-02T08:30:00Z"), |call, now| perform(&world, call, now));
        let state: PortfolioState = rig.last();
        let truth: BTreeMap<&str, i64> = world.borrow().positions();
        assert_eq!(state.positions.len(), truth.values().filter(|units| **units != 0).count());
        assert!(
            state.positions.iter().all(|position| !position.frozen && position.opened.is_some()),
            "{state:?}"
        );
        let pounds = state.cash.iter().find(|cash| cash.amount.currency() == money::Currency::GBP).unwrap();
        assert!(pounds.amount.is_negative(), "{pounds:?}");
        assert!(rig.about::<Reconciliation>().iter().all(|books| books.agrees));
        world.borrow_mut().book_cash("EUR", 2_000_000, "sepa").unwrap();
        rig.run_with(at("2026-03-02T08:40:00Z"), |call, now| perform(&world, call, now));
        let flow = rig.about::<Flow>().into_iter().rfind(|flow| flow.amount.e4() == 2_000_000).unwrap();
        assert_eq!(flow.kind, FlowKind::Deposit);
        assert!(rig.about::<Nav>().is_empty(), "most of it has no price here");
    }
}
