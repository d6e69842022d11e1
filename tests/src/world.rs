//! The simulated world as the production clients see it, without a socket in between.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use bus_client::{Edge, Stage};
use simworld::{Delivery, World};
use tradernet::{Exchange, Method, RawReply, RawRequest, TransportError};

/// Wall time at which every request is signed and checked; nothing here depends on the real one.
pub const WALL_UNIX_S: i64 = 1_790_000_000;

/// One world shared by the edges of several stages.
#[derive(Clone)]
pub struct InProcess(pub Rc<RefCell<World>>);

impl Exchange for InProcess {
    async fn send(&self, request: RawRequest) -> Result<RawReply, TransportError> {
        let agent = ("User-Agent".to_string(), "steward".to_string());
        let headers = request.headers.iter().map(|(name, value)| ((*name).to_string(), value.clone()));
        let raw = simworld::RawRequest {
            method: if request.method == Method::Get { "GET".into() } else { "POST".into() },
            path: format!("/tn{}", request.path),
            headers: headers.chain([agent]).collect(),
            body: request.body,
        };
        let mut world = self.0.borrow_mut();
        let delivery = world.exchange(&raw, WALL_UNIX_S);
        // Nobody waits for real: a slow answer takes the world's time, in which orders fill and prices move.
        let wait_ms = match &delivery {
            Delivery::Reply { delay_ms, .. } => *delay_ms,
            Delivery::TimedOut { after_ms } => *after_ms,
            Delivery::Reset { .. } => 0,
        };
        let there = world.now().saturating_plus_ms(i64::try_from(wait_ms).unwrap_or(0));
        world.advance_to(there);
        match delivery {
            Delivery::Reply { reply, .. } => Ok(RawReply {
                status: reply.status,
                headers: reply
                    .headers
                    .into_iter()
                    .map(|(name, value)| (name.to_lowercase(), value))
                    .collect::<BTreeMap<_, _>>(),
                body: reply.body,
            }),
            Delivery::TimedOut { .. } => Err(TransportError::Unknown { reason: "time-out".into() }),
            Delivery::Reset { .. } => Err(TransportError::Unknown { reason: "connection reset".into() }),
        }
    }
}

/// The outside of stages that wait for a person or a board: nobody comes.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl<S: Stage> Edge<S> for Silent {
    async fn perform(&self, _call: S::Call) -> S::Reply {
        std::future::pending().await
    }
}
