//! Starts a whole system in order: the broker, and once it listens, everything else.

use std::{future::Future, net::SocketAddr, path::PathBuf, sync::Arc};

use bus_client::{BusConfig, transport::mqtt::host_and_port};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    Fault, Log,
    ports::accepts,
    programs::{BROKER, Programs},
    supervisor::{Change, Supervisor},
};

/// Where this program and with it all others lie.
///
/// # Errors
/// When the system does not tell.
pub(crate) fn own_executable() -> Result<PathBuf, Fault> {
    std::env::current_exe()
        .map_err(|error| Fault::System(format!("the system does not tell where this program lies: {error}")))
}

/// The broker's address if it is to be started here; `None` if it is somebody else's: on another machine, or one that
/// asks for no password, which ours always does, or one that the owner starts.
///
/// # Errors
/// When the URL cannot be understood.
pub(crate) fn own_broker(bus: &BusConfig, without: &[String]) -> Result<Option<SocketAddr>, Fault> {
    let (host, port) = host_and_port(&bus.url).map_err(Fault::Refused)?;
    if bus.anonymous || without.iter().any(|name| name == BROKER) {
        return Ok(None);
    }
    let host = if host == "localhost" { "127.0.0.1".to_string() } else { host };
    let address = host.trim_matches(['[', ']']).parse().map(|ip| SocketAddr::new(ip, port)).ok();
    Ok(address.filter(|address| address.ip().is_loopback()))
}

/// Starts all programs; when that fails none is left.
///
/// # Errors
/// When the broker does not come up.
pub(crate) async fn launch(
    dir: PathBuf,
    programs: &Programs,
    broker: Option<SocketAddr>,
    log: Arc<Log>,
) -> Result<Supervisor, Fault> {
    let mut supervisor = Supervisor::new(own_executable()?, dir, log);
    if let Some(address) = broker {
        supervisor.start(programs.broker.clone());
        if let Err(fault) = broker_is_up(&mut supervisor, address).await {
            supervisor.stop().await;
            return Err(fault);
        }
    }
    for program in &programs.stages {
        supervisor.start(program.clone());
    }
    Ok(supervisor)
}

async fn broker_is_up(supervisor: &mut Supervisor, address: SocketAddr) -> Result<(), Fault> {
    let given_up = async {
        loop {
            if let Change::GivenUp { sentence, .. } = supervisor.next().await {
                return sentence;
            }
        }
    };
    tokio::select! {
        biased;
        up = accepts(address) => up,
        sentence = given_up => Err(Fault::Refused(sentence)),
    }
}

/// Resolves when a person or the system wants an end: Ctrl-C, SIGTERM, or the terminal is gone.
///
/// # Errors
/// When signals cannot be listened for.
pub(crate) fn stop_signal() -> Result<impl Future<Output = ()>, Fault> {
    let listen =
        |kind| signal(kind).map_err(|error| Fault::System(format!("signals cannot be heard: {error}")));
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hang_up = listen(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {}, _ = hang_up.recv() => {} }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_a_broker_of_this_machine_is_started() {
        let table = [
            ("mqtt://127.0.0.1:1883", Some("127.0.0.1:1883")),
            ("mqtt://localhost:2000", Some("127.0.0.1:2000")),
            ("mqtt://[::1]:2000", Some("[::1]:2000")),
            ("mqtt://192.168.1.5:1883", None),
            ("mqtt://broker.home:1883", None),
        ];
        for (url, expected) in table {
            let bus = |anonymous| BusConfig { url: url.into(), anonymous, ..BusConfig::default() };
            assert_eq!(
                own_broker(&bus(false), &[]).unwrap(),
                expected.map(|text| text.parse().unwrap()),
                "{url}"
            );
            assert_eq!(own_broker(&bus(true), &[]).unwrap(), None, "{url}");
            assert_eq!(own_broker(&bus(false), &["broker".into()]).unwrap(), None, "{url}");
        }
        assert!(own_broker(&BusConfig { url: "http://x:1".into(), ..BusConfig::default() }, &[]).is_err());
    }
}
