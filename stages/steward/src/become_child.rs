//! Becomes a supervised program: asks the system for SIGTERM at the parent's death, then replaces itself.
//!
//! The wish survives the replacement, so the program needs to know nothing of it. Rejected: setting it between fork
//! and exec, which would need unsafe code; and a pipe that the program would have to watch.

use std::{ffi::OsString, os::unix::process::CommandExt, path::Path, process::Command};

use rustix::process::{Signal, getppid, set_parent_process_death_signal};

use crate::Fault;

/// Replaces this process; returns only when that is impossible.
#[must_use]
pub fn become_child(parent: u32, program: &Path, arguments: &[OsString]) -> Fault {
    if let Err(error) = set_parent_process_death_signal(Some(Signal::TERM)) {
        return Fault::System(format!(
            "the system cannot promise to end {} with its supervisor: {error}",
            program.display()
        ));
    }
    // The parent may have died before the wish was made; then nobody would ever end the program.
    let now = getppid().map(|pid| pid.as_raw_nonzero().get().unsigned_abs());
    if now != Some(parent) {
        return Fault::System(format!(
            "the supervisor {parent} is gone, so {} was not started",
            program.display()
        ));
    }
    let error = Command::new(program).args(arguments).exec();
    Fault::file(program, "started", error)
}
