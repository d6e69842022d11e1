//! The production client reads what the simulator writes, under every profile.

use crate::{Delivery, Profile, World, WorldConfig};
use ::market::{Day, Timestamp};
use tradernet::commands::{cash_flows::GetCashFlows, positions::GetPositions, trades::GetTrades};
use tradernet::{Keys, ReadCommand, decode_read, encode_read};

const WALL_S: u64 = 1_767_225_600;

fn ask<C: ReadCommand>(world: &mut World, command: &C) -> C::Reply {
    let keys = Keys::new(crate::PUBLIC_KEY, crate::PRIVATE_KEY.to_owned().into()).unwrap();
    let raw = encode_read(command, &keys, WALL_S);
    let headers = raw.headers.iter().map(|(n, v)| ((*n).to_owned(), v.clone()));
    let request = crate::RawRequest {
        method: "POST".into(),
        path: raw.path.clone(),
        headers: headers.chain([("User-Agent".to_owned(), "test".to_owned())]).collect(),
        body: raw.body.clone(),
    };
    let Delivery::Reply { reply, .. } = world.exchange(&request, i64::try_from(WALL_S).unwrap()) else {
        panic!("no reply")
    };
    decode_read(command, Ok(tradernet::RawReply::new(reply.status, reply.body))).unwrap()
}

#[test]
fn positions_trades_and_flows_arrive_as_they_are_booked() {
    let start: Timestamp = "2026-03-02T15:00:00Z".parse().unwrap();
    for profile in [Profile::Clean, Profile::LiveLike, Profile::Nasty] {
        let mut world = World::new(WorldConfig { profile, ..WorldConfig::new(4, start) }).unwrap();
        let account = ask(&mut world, &GetPositions);
        assert_eq!(account.positions.len(), world.positions().len(), "{profile:?}");
        assert_eq!(account.cash.len(), world.cash().len(), "{profile:?}");
        let (from, till) = (Day::from_ymd(2022, 1, 1).unwrap(), Day::from_ymd(2026, 3, 3).unwrap());
        let trades = ask(&mut world, &GetTrades { from, till });
        assert_eq!(trades.len(), world.fills().len(), "{profile:?}");
        let flows = ask(&mut world, &GetCashFlows { since: None, page: 0 });
        assert!(!flows.rows.is_empty(), "{profile:?}");
        assert!(world.unmodelled().is_empty(), "{:?}", world.unmodelled());
        assert!(world.invariants().iter().all(|report| report.ok));
    }
}
