//! Asks the system which TCP sockets belong to a local port: the broker library tells neither how many connections
//! it has nor which descriptor it listens on.

use std::fs;
use std::net::SocketAddr;

/// State of a listening socket in the kernel's table.
const LISTEN: u8 = 0x0a;
/// State of an open connection in the kernel's table.
const ESTABLISHED: u8 = 0x01;

/// One line of the kernel's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    local_port: u16,
    state: u8,
    inode: u64,
}

/// Returns the inode of the socket that listens on the port; unknown when none does or the system does not tell.
pub(crate) fn listening_inode(addr: SocketAddr) -> Option<u64> {
    rows(addr)?.find(|row| row.state == LISTEN && row.local_port == addr.port()).map(|row| row.inode)
}

/// Returns how many connections to the port are open, unknown where the system does not tell.
pub(crate) fn open_connections(addr: SocketAddr) -> Option<u64> {
    let count = rows(addr)?.filter(|row| row.state == ESTABLISHED && row.local_port == addr.port()).count();
    u64::try_from(count).ok()
}

fn rows(addr: SocketAddr) -> Option<impl Iterator<Item = Row>> {
    let path = if addr.is_ipv4() { "/proc/self/net/tcp" } else { "/proc/self/net/tcp6" };
    let text = fs::read_to_string(path).ok()?;
    Some(text.lines().filter_map(parse).collect::<Vec<_>>().into_iter())
}

/// Columns: number, local address, remote address, state, queues, timer, retransmissions, user, time-out, inode.
fn parse(line: &str) -> Option<Row> {
    let mut columns = line.split_ascii_whitespace();
    let (_, port) = columns.nth(1)?.rsplit_once(':')?;
    let state = columns.nth(1)?;
    let inode = columns.nth(5)?;
    Some(Row {
        local_port: u16::from_str_radix(port, 16).ok()?,
        state: u8::from_str_radix(state, 16).ok()?,
        inode: inode.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn reads_port_state_and_inode_and_passes_over_the_heading() {
        let table = [
            (
                "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
                None,
            ),
            (
                "   0: 0100007F:075B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 1 0 100 0 0 10 0",
                Some(Row { local_port: 1883, state: LISTEN, inode: 12345 }),
            ),
            (
                "   1: 00000000000000000000000001000000:075C 00000000000000000000000001000000:D431 01 00000000:00000000 00:00000000 00000000  1000        0 9 1",
                Some(Row { local_port: 1884, state: ESTABLISHED, inode: 9 }),
            ),
            ("", None),
            ("   0: 0100007F:075B", None),
        ];
        for (line, row) in table {
            assert_eq!(parse(line), row, "{line}");
        }
    }

    #[test]
    fn finds_a_listener_and_counts_only_its_own_side_of_connections() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let addr = listener.local_addr().unwrap();
            assert!(listening_inode(addr).is_some());
            assert_eq!(open_connections(addr), Some(0));
            let _client = TcpStream::connect(addr).unwrap();
            let _server = listener.accept().unwrap();
            assert_eq!(open_connections(addr), Some(1));
        }
    }

    #[test]
    fn finds_nothing_on_a_port_nobody_listens_on() {
        let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert_eq!(listening_inode(addr), None);
    }
}
