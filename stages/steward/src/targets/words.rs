//! The words of `steward targets`.

use clap::{Args, Subcommand, ValueEnum};
use contracts::GroupKind;

use crate::cli::Place;

/// `targets`.
#[derive(Debug, Clone, Args)]
pub struct TargetsOptions {
    /// What about targets; without a word: shows them.
    #[command(subcommand)]
    pub question: Option<Question>,
    /// Which system.
    #[command(flatten)]
    pub place: Place,
    /// Prints JSON
    #[arg(long, global = true)]
    pub json: bool,
}

/// A question about targets.
#[derive(Debug, Clone, Subcommand)]
pub enum Question {
    /// Computes the targets at once
    Run,
    /// The groups as they were set, with members and targets
    Groups,
    /// Makes a group, or gives one other members; its target stays
    Group {
        /// Of what
        kind: Kind,
        /// Its name
        name: String,
        /// All its members: countries as two letters, or industries
        members: Vec<String>,
    },
    /// Takes a group away, with its target
    Drop {
        /// Of what
        kind: Kind,
        /// Its name
        name: String,
    },
    /// Sets how much of the fund groups should have, in percent; 0 takes a target away
    Set {
        /// Of what
        kind: Kind,
        /// For example EU=40 US=35
        #[arg(required = true, value_name = "GROUP=PERCENT", value_parser = wish)]
        targets: Vec<(String, f64)>,
    },
}

/// What a group is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Countries.
    Country,
    /// Industries.
    Industry,
}

impl Kind {
    pub(super) fn of(self) -> GroupKind {
        match self {
            Kind::Country => GroupKind::Country,
            Kind::Industry => GroupKind::Industry,
        }
    }
}

/// A group and its percentage.
fn wish(text: &str) -> Result<(String, f64), String> {
    let (name, percent) = text.rsplit_once('=').ok_or("write GROUP=PERCENT, for example EU=40")?;
    let number: f64 = percent
        .trim_end_matches('%')
        .trim()
        .parse()
        .map_err(|_| format!("`{percent}` is no percentage; write GROUP=PERCENT, for example EU=40"))?;
    if (0.0..=100.0).contains(&number) {
        Ok((name.trim().to_string(), number))
    } else {
        Err(format!("`{percent}` must be 0 to 100 percent"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_a_group_and_a_percentage() {
        assert_eq!(wish("EU=40"), Ok(("EU".into(), 40.0)));
        assert_eq!(wish("A=B=12.5%"), Ok(("A=B".into(), 12.5)));
        for (text, part) in [
            ("EU", "GROUP=PERCENT"),
            ("EU=x", "no percentage"),
            ("EU=101", "0 to 100"),
            ("EU=-1", "0 to 100"),
            ("EU=NaN", "0 to 100"),
        ] {
            assert!(wish(text).is_err_and(|why| why.contains(part)), "{text}");
        }
    }
}
