//! Reads what only this stage may know: its password at the broker, and the key of approvals.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use contracts::ApprovalKey;
use thiserror::Error;

use crate::Config;

/// Why a secret cannot be had. The secret itself is never part of a message.
#[derive(Debug, Error)]
pub enum SecretError {
    /// Not there or not readable.
    #[error("{} cannot be read ({why}); start steward-broker once, or check who may read it", file.display())]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// What the system says.
        why: String,
    },
    /// Others can read it.
    #[error("{} can be read by others (mode {mode:o}); run `chmod 600` on it and replace the secret", file.display())]
    Exposed {
        /// Which file.
        file: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Not what it should be.
    #[error("{} does not hold {expected}; remove it and start again to have a new one made", file.display())]
    Malformed {
        /// Which file.
        file: PathBuf,
        /// What should be in it.
        expected: &'static str,
    },
}

/// The password of a stage at the broker; `None` where the broker is somebody else's and asks for none.
///
/// # Errors
/// [`SecretError`].
pub fn password(config: &Config, stage: &str) -> Result<Option<String>, SecretError> {
    if config.bus.anonymous {
        return Ok(None);
    }
    let file = config.dir.join("credentials").join(contracts::stage_of(stage));
    let text = read(&file)?.trim().to_string();
    if text.is_empty() {
        return Err(SecretError::Malformed { file, expected: "a password" });
    }
    Ok(Some(text))
}

/// The key shared by gate and `execute`; the first of the two makes it.
///
/// # Errors
/// [`SecretError`].
pub fn approval_key(dir: &Path) -> Result<ApprovalKey, SecretError> {
    let file = dir.join("keys").join("approval");
    if !file.exists() {
        create(&file).map_err(|why| SecretError::Unreadable { file: file.clone(), why: why.to_string() })?;
    }
    let text = read(&file)?;
    ApprovalKey::from_hex(&text).ok_or(SecretError::Malformed { file, expected: "64 hexadecimal digits" })
}

fn read(file: &Path) -> Result<String, SecretError> {
    let unreadable =
        |error: std::io::Error| SecretError::Unreadable { file: file.into(), why: error.to_string() };
    let mode = fs::metadata(file).map_err(unreadable)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(SecretError::Exposed { file: file.into(), mode });
    }
    fs::read_to_string(file).map_err(unreadable)
}

/// Writes a random key beside the place and moves it there, so that two stages starting at once agree on one.
fn create(file: &Path) -> std::io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    let mut bytes = [0_u8; 32];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let draft = folder.join(format!(".approval.{}", std::process::id()));
    let mut handle = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    handle.write_all(blake3::Hash::from_bytes(bytes).to_hex().as_bytes())?;
    handle.sync_all()?;
    let linked = fs::hard_link(&draft, file);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_approval_key_is_made_once_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        approval_key(folder.path()).unwrap();
        let file = folder.path().join("keys/approval");
        let first = fs::read(&file).unwrap();
        approval_key(folder.path()).unwrap();
        assert_eq!(fs::read(&file).unwrap(), first);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn an_exposed_secret_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        approval_key(folder.path()).unwrap();
        fs::set_permissions(folder.path().join("keys/approval"), fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(approval_key(folder.path()), Err(SecretError::Exposed { mode: 0o640, .. })));
    }

    #[test]
    fn a_malformed_key_is_refused_without_showing_it() {
        let folder = tempfile::tempdir().unwrap();
        approval_key(folder.path()).unwrap();
        fs::write(folder.path().join("keys/approval"), "hunter2").unwrap();
        let sentence = approval_key(folder.path()).unwrap_err().to_string();
        assert!(!sentence.contains("hunter2"), "{sentence}");
    }

    #[test]
    fn a_missing_password_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::parse("environment = \"live\"", &folder.path().join("steward.toml")).unwrap();
        let sentence = password(&config, "score").unwrap_err().to_string();
        assert!(sentence.contains("start steward-broker"), "{sentence}");
    }

    #[test]
    fn a_broker_that_asks_for_no_password_gets_none() {
        let text = "environment = \"live\"\n[bus]\nanonymous = true";
        let config = Config::parse(text, Path::new("nowhere/steward.toml")).unwrap();
        assert_eq!(password(&config, "score").unwrap(), None);
    }
}
