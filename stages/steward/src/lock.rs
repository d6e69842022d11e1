//! One run per folder: a locked file with the process in it. The system lets go of the lock when the process ends, in
//! whatever way, so a leftover file never blocks.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read, Write},
    path::{Path, PathBuf},
};

use crate::Fault;

const NAME: &str = "steward.lock";

/// Held while this process runs the folder.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Takes the folder for this process.
///
/// # Errors
/// [`Fault::Refused`] naming the process that has it.
pub fn take(dir: &Path) -> Result<Lock, Fault> {
    let path: PathBuf = dir.join(NAME);
    fs::create_dir_all(dir).map_err(|error| Fault::file(dir, "created", error))?;
    let mut options = OpenOptions::new();
    let mut file = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(|error| Fault::file(&path, "opened", error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            drop(file.read_to_string(&mut pid));
            return Err(Fault::Refused(format!(
                "{} is already run by process {}; stop that one first, or choose another folder with --dir",
                dir.display(),
                pid.trim()
            )));
        }
        Err(TryLockError::Error(error)) => return Err(Fault::file(&path, "locked", error)),
    }
    file.set_len(0)
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .map_err(|error| Fault::file(&path, "written", error))?;
    Ok(Lock { _file: file })
}

/// Whether some process runs the folder now.
#[must_use]
pub fn is_taken(dir: &Path) -> bool {
    File::open(dir.join(NAME))
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_is_refused_and_names_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let first = take(dir.path()).unwrap();
        let sentence = take(dir.path()).unwrap_err().to_string();
        assert!(sentence.contains(&format!("process {};", std::process::id())), "{sentence}");
        assert!(is_taken(dir.path()));
        drop(first);
        assert!(!is_taken(dir.path()));
        take(dir.path()).unwrap();
    }

    #[test]
    fn a_leftover_file_does_not_block() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(NAME), "999999999\n").unwrap();
        take(dir.path()).unwrap();
        assert_eq!(fs::read_to_string(dir.path().join(NAME)).unwrap(), format!("{}\n", std::process::id()));
    }
}
