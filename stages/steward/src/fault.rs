//! Why a command ends badly: one sentence for a person, and the exit code that says it to a program.

use std::path::PathBuf;

use thiserror::Error;

/// What went wrong.
#[derive(Debug, Error)]
pub enum Fault {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] bus_client::ConfigError),
    /// A password or key.
    #[error(transparent)]
    Secret(#[from] bus_client::SecretError),
    /// A store.
    #[error(transparent)]
    Store(#[from] bus_client::StoreError),
    /// No configuration where one was expected.
    #[error("{} does not exist; run `steward demo` for a simulated world, or name the right file with --config", .0.display())]
    NoConfig(PathBuf),
    /// The stages' broker.
    #[error("{0}")]
    Unreachable(String),
    /// A command without a reply.
    #[error(
        "{stage} gave no answer within {seconds} s, so it is unknown whether it was done; look at `steward status` and try again"
    )]
    NoAnswer {
        /// Who was asked.
        stage: String,
        /// How long.
        seconds: u64,
    },
    /// A file could not be read or written.
    #[error("{} cannot be {doing} ({why}); check the path and who may use it", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What was tried, as a participle.
        doing: &'static str,
        /// What the system says.
        why: String,
    },
    /// Something of the operating system.
    #[error("{0}")]
    System(String),
    /// A rule forbids it, or the run went wrong.
    #[error("{0}")]
    Refused(String),
}

impl Fault {
    /// 2 for a configuration that cannot be used, 3 when nobody answers, 1 for all else.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Fault::Config(_) | Fault::NoConfig(_) => 2,
            Fault::Unreachable(_) | Fault::NoAnswer { .. } => 3,
            _ => 1,
        }
    }

    pub(crate) fn file(path: impl Into<PathBuf>, doing: &'static str, why: impl ToString) -> Fault {
        Fault::File { path: path.into(), doing, why: why.to_string() }
    }
}
