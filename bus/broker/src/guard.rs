//! Ends the process when a thread of the broker panics.
//!
//! The library's router panics on some inputs. Its thread, or only the task of one connection, then ends while the
//! process and its sockets live on: a broker that accepts connections and carries nothing. A dead process is
//! restarted within a second and loses nothing, because every owner repeats its statements.

use std::panic;
use std::process;
use std::sync::Once;
use std::thread;

/// Name of the thread that accepts connections and serves them.
pub(crate) const SERVER_THREAD: &str = "broker-server";
/// Name of the thread that starts the library and learns if its server ends.
pub(crate) const STARTER_THREAD: &str = "broker-starter";
/// Name of the thread of the self-probe.
pub(crate) const PROBE_THREAD: &str = "broker-probe";
/// Number of the router; its thread is named after it.
pub(crate) const ROUTER_ID: usize = 0;
/// Name the library gives the router's thread.
const ROUTER_THREAD: &str = "router-0";

static INSTALLED: Once = Once::new();

/// Installs the hook, once per process. Panics of other threads keep their usual course.
pub(crate) fn install() {
    INSTALLED.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            usual(panic);
            if thread::current().name().is_some_and(is_ours) {
                // No unwinding and no clean-up: a half-dead router must not answer anybody any more.
                process::abort();
            }
        }));
    });
}

fn is_ours(name: &str) -> bool {
    [ROUTER_THREAD, SERVER_THREAD, STARTER_THREAD, PROBE_THREAD].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_threads_of_the_broker_and_no_others() {
        assert_eq!(ROUTER_THREAD, format!("router-{ROUTER_ID}"));
        for name in [ROUTER_THREAD, SERVER_THREAD, STARTER_THREAD, PROBE_THREAD] {
            assert!(is_ours(name), "{name}");
        }
        assert!(!is_ours("main"));
        assert!(!is_ours("tests::some_test"));
    }
}
