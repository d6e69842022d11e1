//! The ports of a run, and whether they are free.

use std::{
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use crate::Fault;

/// Pause between two looks at whether a port accepts.
const LOOK: Duration = Duration::from_millis(10);
/// Longest wait for the broker's port.
const ACCEPT_MAX: Duration = Duration::from_secs(15);

/// The three ports of a demo, in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// Stages' broker.
    pub bus: u16,
    /// Simulated brokerage.
    pub simworld: u16,
    /// Dashboard.
    pub bridge: u16,
}

impl Ports {
    /// The row that begins with `base`.
    #[must_use]
    pub fn from_base(base: u16) -> Ports {
        Ports { bus: base, simworld: base.saturating_add(1), bridge: base.saturating_add(2) }
    }

    /// Makes sure that nobody listens on them.
    ///
    /// # Errors
    /// Names the first that is in use and what to do.
    pub fn ensure_free(&self) -> Result<(), Fault> {
        for (port, what) in
            [(self.bus, "the bus"), (self.simworld, "the simulated broker"), (self.bridge, "the dashboard")]
        {
            ensure_free(SocketAddr::from(([127, 0, 0, 1], port)), what, "choose others with --ports BASE")?;
        }
        Ok(())
    }
}

/// Makes sure that nobody listens there.
///
/// # Errors
/// Names the port, what it is for, and what to do.
pub fn ensure_free(address: SocketAddr, what: &str, otherwise: &str) -> Result<(), Fault> {
    TcpListener::bind(address).map(drop).map_err(|error| {
        Fault::Refused(match error.kind() {
            std::io::ErrorKind::AddrInUse => format!(
                "port {} ({what}) is in use by another program; stop that program, or {otherwise}",
                address.port()
            ),
            _ => format!("port {} ({what}) cannot be used ({error}); {otherwise}", address.port()),
        })
    })
}

/// Waits until somebody accepts there.
///
/// # Errors
/// When nobody does in time.
pub async fn accepts(address: SocketAddr) -> Result<(), Fault> {
    let looks = async {
        while tokio::net::TcpStream::connect(address).await.is_err() {
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(ACCEPT_MAX, looks).await.map_err(|_| {
        Fault::Unreachable(format!(
            "nobody listens at {address} after {} s; look at the log of the broker",
            ACCEPT_MAX.as_secs()
        ))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_named_with_what_to_do() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let sentence =
            Ports { bus: port, simworld: port, bridge: port }.ensure_free().unwrap_err().to_string();
        assert!(sentence.contains(&port.to_string()) && sentence.contains("the bus"), "{sentence}");
        assert!(sentence.contains("--ports BASE"), "{sentence}");
    }

    #[test]
    fn a_free_port_is_fine() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        ensure_free(SocketAddr::from(([127, 0, 0, 1], port)), "the bus", "x").unwrap();
    }

    #[test]
    fn ports_follow_their_base() {
        assert_eq!(Ports::from_base(18_800), Ports { bus: 18_800, simworld: 18_801, bridge: 18_802 });
    }
}
