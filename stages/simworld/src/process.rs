//! The simulator as a process: the stage on the bus and the imitated services over HTTP, sharing one world.

use std::{
    process::ExitCode,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bus_client::{Engine, NoEdge, virtual_time, wall};
use market::Timestamp;

use crate::{
    Delivery, RawRequest, World,
    control::{ControlReply, control},
    edge::{Host, serve_on},
    journal::{Entry, Journal, changes_the_world},
    stage::{Shared, Simworld},
};

/// Runs the process until it is told to stop.
pub fn serve_process() -> ExitCode {
    bus_client::main_on::<Simworld, NoEdge>(|engine| {
        start_http(engine)?;
        Ok(NoEdge)
    })
}

fn start_http(engine: &Engine<Simworld>) -> Result<(), String> {
    let address = engine.start().settings.http;
    let listener = std::net::TcpListener::bind(address)
        .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
        .and_then(tokio::net::TcpListener::from_std)
        .map_err(|error| {
            format!(
                "port {} cannot be used ({error}); stop what uses it or choose another `http`",
                address.port()
            )
        })?;
    let file = engine.start().config.store_file("world");
    let journal = rusqlite::Connection::open(&file)
        .and_then(|connection| {
            connection.busy_timeout(std::time::Duration::from_secs(5)).map(|()| connection)
        })
        .map_err(|error| format!("the journal {} cannot be opened: {error}", file.display()))?;
    let host = OnTheBus { shared: engine.stage().shared(), journal: Mutex::new(Journal::new(journal)) };
    tokio::spawn(async move {
        if let Err(error) = serve_on(listener, Arc::new(host)).await {
            tracing::error!(%error, "The imitated services stopped.");
        }
    });
    Ok(())
}

/// A world whose time comes from the clock statement, and whose changes are journalled before they are done.
struct OnTheBus {
    shared: Arc<Shared>,
    journal: Mutex<Journal>,
}

impl OnTheBus {
    fn virtual_now(&self) -> Timestamp {
        virtual_time(&self.shared.clock(), wall())
    }

    /// Keeps a request that changes the world. The world stays locked meanwhile, so the order kept is the order done.
    fn keep(&self, world: &World, request: &RawRequest) -> rusqlite::Result<()> {
        let entry = Entry { at: world.now(), wall_unix_s: self.wall_unix_s(), request: request.clone() };
        self.journal.lock().unwrap_or_else(PoisonError::into_inner).keep(&entry)
    }
}

impl OnTheBus {
    /// The clock is a statement on the bus; here it can only be read.
    fn clock_call(&self, method: &str) -> ControlReply {
        let clock = self.shared.clock().clone();
        if method != "GET" {
            let text = "on the bus the clock is set by command/simworld/clock";
            return ControlReply { status: 400, body: serde_json::json!({ "error": text }) };
        }
        let mut body = serde_json::to_value(&clock).unwrap_or_default();
        body["virtual"] = virtual_time(&clock, wall()).to_string().into();
        ControlReply { status: 200, body }
    }
}

impl Host for OnTheBus {
    fn world(&self) -> MutexGuard<'_, World> {
        let now = self.virtual_now();
        let mut world = self.shared.world();
        world.advance_to(now);
        world
    }

    fn wall_unix_s(&self) -> i64 {
        wall().ms() / 1_000
    }

    fn exchange(&self, request: &RawRequest) -> Delivery {
        let mut world = self.world();
        if changes_the_world(request)
            && let Err(error) = self.keep(&world, request)
        {
            tracing::error!(%error, "The journal cannot be written; the request was not done.");
            return Delivery::Reset { partial: Vec::new() };
        }
        world.exchange(request, self.wall_unix_s())
    }

    fn control(&self, method: &str, call: &str, body: &[u8]) -> ControlReply {
        if call == "clock" {
            return self.clock_call(method);
        }
        let mut world = self.world();
        let request = RawRequest {
            method: method.into(),
            path: format!("/sim/{call}"),
            headers: Vec::new(),
            body: body.into(),
        };
        if changes_the_world(&request)
            && let Err(error) = self.keep(&world, &request)
        {
            return ControlReply {
                status: 503,
                body: serde_json::json!({ "error": format!("the journal cannot be written: {error}") }),
            };
        }
        control(&mut world, method, call, body)
    }
}
