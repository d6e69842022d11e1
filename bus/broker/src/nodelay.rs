//! Sets `TCP_NODELAY` on the socket the broker library listens on, so that every connection it accepts inherits it.
//!
//! The library opens and keeps its listening socket itself and offers no such setting. On Linux an accepted socket
//! takes the option over from the listening one, and an option belongs to the socket, not to the descriptor: so the
//! descriptor is found among our own, duplicated, and the option set through the duplicate.
//!
//! The only unsafe line of the crate is here: the standard library has no safe way from a descriptor's number to the
//! descriptor. Rejected: copying every byte through a listener of our own (a hop more per message), and another
//! process reaching in (needs rights the unit does not have).
#![allow(unsafe_code)]

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};
use std::path::Path;

use crate::sockets;

/// Sets the option; returns false while nobody listens on the address yet, or the system does not tell.
pub(crate) fn set_on_listener(addr: SocketAddr) -> io::Result<bool> {
    let Some(inode) = sockets::listening_inode(addr) else { return Ok(false) };
    let Some(number) = descriptor_of(inode)? else { return Ok(false) };
    // SAFETY: the number was just read from our own table of descriptors and belongs to the listening socket, which
    // the library keeps open for as long as the process lives. Should it have been closed since, duplicating fails
    // or yields another open descriptor of ours, on which setting a TCP option does no harm.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    let duplicate: OwnedFd = borrowed.try_clone_to_owned()?;
    // `TcpStream` is merely the type that can set the option; nothing is sent or received.
    let socket = TcpStream::from(duplicate);
    socket.set_nodelay(true)?;
    socket.nodelay()
}

fn descriptor_of(inode: u64) -> io::Result<Option<RawFd>> {
    let wanted = format!("socket:[{inode}]");
    for entry in fs::read_dir("/proc/self/fd")? {
        let entry = entry?;
        // A descriptor may close while we look; then it is not the one.
        let Ok(target) = fs::read_link(entry.path()) else { continue };
        if target == Path::new(&wanted) {
            return Ok(entry.file_name().to_str().and_then(|name| name.parse().ok()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn accepted_sockets_inherit_the_option() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let _early = TcpStream::connect(addr).unwrap();
        assert!(!listener.accept().unwrap().0.nodelay().unwrap());
        assert!(set_on_listener(addr).unwrap());
        let _late = TcpStream::connect(addr).unwrap();
        assert!(listener.accept().unwrap().0.nodelay().unwrap());
    }

    #[test]
    fn does_nothing_where_nobody_listens() {
        let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(!set_on_listener(addr).unwrap());
    }
}
