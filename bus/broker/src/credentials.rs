//! The password of each stage: made at the first start, kept in `<data folder>/credentials/<stage>`, readable by its
//! owner alone.
//!
//! A stage signs in with its own name as user name. What may be read by others is refused rather than repaired: the
//! password may already be known to somebody.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Every name that may sign in, alphabetically.
pub fn stages() -> impl Iterator<Item = &'static str> {
    contracts::STAGES.iter().map(|stage| stage.name).chain(std::iter::once("broker"))
}

/// Random bytes of a new password; written as twice as many hexadecimal digits.
const RANDOM_BYTES: usize = 32;
/// Shortest password an owner may put into a file by hand.
const PASSWORD_LEN_MIN: usize = 16;
/// Longest password; also bounds how much of a file is read.
const PASSWORD_LEN_MAX: usize = 128;
/// Permission bits of group and others.
const FOREIGN_BITS: u32 = 0o077;

/// Why a password cannot be had. Each is one sentence for the owner of the machine.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The name is not one of [`stages`].
    #[error("{stage:?} is not a stage, so it has no password")]
    UnknownStage {
        /// The name asked for.
        stage: String,
    },
    /// There is no password yet.
    #[error("{} does not exist; start steward-broker once, it makes the passwords", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The folder or file is open to group or others.
    #[error("{} may be read by others (mode {mode:o}); delete it, the broker makes a new one at its next start", path.display())]
    Exposed {
        /// The folder or file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A link, a folder or a device lies where a file must be, or a file where the folder must be.
    #[error("{} must be a plain {expected}; remove what lies there", path.display())]
    NotPlain {
        /// The path.
        path: PathBuf,
        /// `file` or `folder`.
        expected: &'static str,
    },
    /// The contents are no password.
    #[error("{} must hold one line of 16 to 128 printable characters; delete it, the broker makes a new one at its next start", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The system refused to create, read or write.
    #[error("{} cannot be {action}; check who owns the data folder", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// What was tried, as a participle.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

/// The passwords of all stages. Deliberately without `Debug`.
#[derive(Clone)]
pub struct Passwords(BTreeMap<&'static str, String>);

impl Passwords {
    /// Returns whether the user exists.
    #[must_use]
    pub fn knows(&self, user: &str) -> bool {
        self.0.contains_key(user)
    }

    /// Returns whether user and password belong together; takes equally long wherever two passwords differ.
    #[must_use]
    pub fn admit(&self, user: &str, password: &str) -> bool {
        self.0.get(user).is_some_and(|expected| same(expected.as_bytes(), password.as_bytes()))
    }

    /// Returns the password of a stage.
    pub(crate) fn of(&self, stage: &str) -> Option<&str> {
        self.0.get(stage).map(String::as_str)
    }
}

/// Makes the missing passwords and reads all of them.
///
/// # Errors
/// Names the folder or file that is exposed, malformed or out of reach.
pub fn ensure(dir: &Path) -> Result<Passwords, CredentialError> {
    let folder = folder_of(dir);
    create_folder(&folder)?;
    check_folder(&folder)?;
    let mut passwords = BTreeMap::new();
    for stage in stages() {
        let path = folder.join(stage);
        let text = match read(&path) {
            Err(CredentialError::Missing { .. }) => {
                create(&folder, stage)?;
                read(&path)?
            }
            other => other?,
        };
        passwords.insert(stage, text);
    }
    Ok(Passwords(passwords))
}

/// Reads the password of one stage; never makes one.
///
/// # Errors
/// Says whether the stage is unknown, or its file missing, exposed, malformed or out of reach.
pub fn password(dir: &Path, stage: &str) -> Result<String, CredentialError> {
    if !stages().any(|known| known == stage) {
        return Err(CredentialError::UnknownStage { stage: stage.to_owned() });
    }
    read(&folder_of(dir).join(stage))
}

fn folder_of(dir: &Path) -> PathBuf {
    dir.join("credentials")
}

fn io_error(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> CredentialError {
    let path = path.to_path_buf();
    move |source| CredentialError::Io { path, action, source }
}

fn create_folder(folder: &Path) -> Result<(), CredentialError> {
    if let Some(dir) = folder.parent() {
        fs::create_dir_all(dir).map_err(io_error(dir, "created"))?;
    }
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(io_error(folder, "created")(error)),
        _ => Ok(()),
    }
}

fn check_folder(folder: &Path) -> Result<(), CredentialError> {
    let found = fs::symlink_metadata(folder).map_err(io_error(folder, "read"))?;
    if !found.is_dir() {
        return Err(CredentialError::NotPlain { path: folder.to_path_buf(), expected: "folder" });
    }
    refuse_exposed(folder, found.mode())
}

fn refuse_exposed(path: &Path, mode: u32) -> Result<(), CredentialError> {
    let mode = mode & 0o7777;
    if mode & FOREIGN_BITS == 0 {
        Ok(())
    } else {
        Err(CredentialError::Exposed { path: path.to_path_buf(), mode })
    }
}

/// Writes a new password under a name of its own first and then links it into place, so that a file with the
/// stage's name is always whole, and an existing one is never replaced.
fn create(folder: &Path, stage: &str) -> Result<(), CredentialError> {
    let path = folder.join(stage);
    let draft = folder.join(format!(".{stage}.{}", std::process::id()));
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(io_error(&draft, "removed")(error))?,
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .map_err(io_error(&draft, "created"))?;
    let text = random_password().map_err(io_error(Path::new("/dev/urandom"), "read"))?;
    file.write_all(text.as_bytes()).map_err(io_error(&draft, "written"))?;
    file.sync_all().map_err(io_error(&draft, "written"))?;
    let linked = match fs::hard_link(&draft, &path) {
        // Another broker was quicker; its password counts.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => other.map_err(io_error(&path, "created")),
    };
    fs::remove_file(&draft).map_err(io_error(&draft, "removed"))?;
    linked
}

fn random_password() -> io::Result<String> {
    let mut bytes = [0_u8; RANDOM_BYTES];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let mut text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    text.push('\n');
    Ok(text)
}

fn read(path: &Path) -> Result<String, CredentialError> {
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(CredentialError::Missing { path: path.to_path_buf() });
        }
        other => other.map_err(io_error(path, "read"))?,
    };
    if !found.is_file() {
        return Err(CredentialError::NotPlain { path: path.to_path_buf(), expected: "file" });
    }
    let file = File::open(path).map_err(io_error(path, "read"))?;
    // The mode of what was opened counts, not of what lay there before.
    refuse_exposed(path, file.metadata().map_err(io_error(path, "read"))?.mode())?;
    let mut bytes = Vec::new();
    let longest = u64::try_from(PASSWORD_LEN_MAX).unwrap_or(u64::MAX).saturating_add(2);
    file.take(longest).read_to_end(&mut bytes).map_err(io_error(path, "read"))?;
    let malformed = || CredentialError::Malformed { path: path.to_path_buf() };
    let text = String::from_utf8(bytes).map_err(|_| malformed())?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let plausible = (PASSWORD_LEN_MIN..=PASSWORD_LEN_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    if plausible { Ok(text.to_owned()) } else { Err(malformed()) }
}

/// Compares without stopping at the first difference.
fn same(left: &[u8], right: &[u8]) -> bool {
    let difference = left.iter().zip(right).fold(0, |seen, (l, r)| std::hint::black_box(seen | (l ^ r)));
    left.len() == right.len() && difference == 0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn first_start_makes_a_private_file_for_every_stage() {
        let dir = tempfile::tempdir().unwrap();
        let passwords = ensure(dir.path()).unwrap();
        let folder = folder_of(dir.path());
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), stages().count(), "no drafts are left");
        let mut seen = std::collections::BTreeSet::new();
        for stage in stages() {
            assert_eq!(mode(&folder.join(stage)), 0o600, "{stage}");
            let text = password(dir.path(), stage).unwrap();
            assert_eq!(text.len(), 2 * RANDOM_BYTES);
            assert!(passwords.admit(stage, &text));
            assert!(seen.insert(text), "{stage} shares a password");
        }
    }

    #[test]
    fn later_starts_keep_what_is_there() {
        let dir = tempfile::tempdir().unwrap();
        ensure(dir.path()).unwrap();
        let before = password(dir.path(), "plan").unwrap();
        fs::remove_file(folder_of(dir.path()).join("score")).unwrap();
        let again = ensure(dir.path()).unwrap();
        assert_eq!(again.of("plan"), Some(before.as_str()));
        assert!(again.of("score").is_some());
    }

    #[test]
    fn reading_never_creates() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(password(dir.path(), "plan"), Err(CredentialError::Missing { .. })));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn refuses_a_stage_that_does_not_exist() {
        let dir = tempfile::tempdir().unwrap();
        for stage in ["", "admin", "../plan", "Plan"] {
            assert!(
                matches!(password(dir.path(), stage), Err(CredentialError::UnknownStage { .. })),
                "{stage}"
            );
        }
    }

    #[test]
    fn refuses_every_mode_that_lets_others_in() {
        let dir = tempfile::tempdir().unwrap();
        ensure(dir.path()).unwrap();
        let path = folder_of(dir.path()).join("execute");
        for open in [0o640, 0o604, 0o620, 0o602, 0o644, 0o601] {
            fs::set_permissions(&path, fs::Permissions::from_mode(open)).unwrap();
            assert!(
                matches!(password(dir.path(), "execute"), Err(CredentialError::Exposed { .. })),
                "{open:o}"
            );
            assert!(ensure(dir.path()).is_err(), "{open:o}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        assert!(password(dir.path(), "execute").is_ok());
    }

    #[test]
    fn refuses_a_folder_that_lets_others_in() {
        let dir = tempfile::tempdir().unwrap();
        ensure(dir.path()).unwrap();
        fs::set_permissions(folder_of(dir.path()), fs::Permissions::from_mode(0o750)).unwrap();
        let refusal = ensure(dir.path()).err().unwrap().to_string();
        assert!(refusal.contains("may be read by others (mode 750)"), "{refusal}");
    }

    #[test]
    fn refuses_links_and_folders_in_place_of_a_file() {
        let dir = tempfile::tempdir().unwrap();
        ensure(dir.path()).unwrap();
        let path = folder_of(dir.path()).join("keeper");
        fs::remove_file(&path).unwrap();
        symlink(folder_of(dir.path()).join("plan"), &path).unwrap();
        assert!(matches!(password(dir.path(), "keeper"), Err(CredentialError::NotPlain { .. })));
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(matches!(password(dir.path(), "keeper"), Err(CredentialError::NotPlain { .. })));
    }

    #[test]
    fn takes_lengths_at_the_boundaries_and_refuses_one_beyond() {
        let dir = tempfile::tempdir().unwrap();
        ensure(dir.path()).unwrap();
        let path = folder_of(dir.path()).join("notify");
        let table = [(15, false), (16, true), (128, true), (129, false), (0, false), (10_000, false)];
        for (length, good) in table {
            fs::write(&path, "x".repeat(length)).unwrap();
            assert_eq!(password(dir.path(), "notify").is_ok(), good, "{length}");
        }
        fs::write(&path, "sixteen and blank\n").unwrap();
        assert!(matches!(password(dir.path(), "notify"), Err(CredentialError::Malformed { .. })));
        fs::write(&path, [0xff; 32]).unwrap();
        assert!(matches!(password(dir.path(), "notify"), Err(CredentialError::Malformed { .. })));
    }

    #[test]
    fn admits_only_the_exact_password() {
        let dir = tempfile::tempdir().unwrap();
        let passwords = ensure(dir.path()).unwrap();
        let right = passwords.of("plan").unwrap().to_owned();
        assert!(passwords.admit("plan", &right));
        assert!(!passwords.admit("plan", ""));
        assert!(!passwords.admit("plan", &right[1..]));
        assert!(!passwords.admit("plan", &format!("{right}0")));
        assert!(!passwords.admit("score", &right));
        assert!(!passwords.admit("nobody", &right));
    }
}
