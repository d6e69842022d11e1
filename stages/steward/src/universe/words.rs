//! The words of `steward universe`.

use clap::{Args, Subcommand, ValueEnum};
use market::Mic;

/// `universe`.
#[derive(Debug, Clone, Subcommand)]
pub enum Question {
    /// The securities, what is allowed with each and how far their history reaches
    List {
        /// Also those that were taken out
        #[arg(long)]
        all: bool,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// Everything that is known of one security, and who says so
    Show {
        /// ISIN or ticker
        security: String,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// Adds a security; it is only watched until you allow more
    Add(Add),
    /// Changes what you allow and want, or corrects what providers say; an empty text takes a correction back
    Set(Set),
    /// Takes a security out; its history stays
    Deactivate(Deactivate),
    /// Reads the data of one security, or of all, again
    Refresh(Refresh),
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// Yes.
    On,
    /// No.
    Off,
}

impl Switch {
    pub(super) fn is_on(self) -> bool {
        self == Switch::On
    }
}

/// `universe add`.
#[derive(Debug, Clone, Args)]
pub struct Add {
    /// ISIN, ticker or name
    pub identifier: String,
    /// Venue to take where several are possible, for example XETR
    #[arg(long)]
    pub mic: Option<Mic>,
    /// Shows how its history is read, until that ends
    #[arg(long)]
    pub wait: bool,
    /// Prints JSON
    #[arg(long)]
    pub json: bool,
}

/// `universe set`.
#[derive(Debug, Clone, Args)]
pub struct Set {
    /// ISIN or ticker
    pub security: String,
    /// Watched and scored
    #[arg(long)]
    pub active: Option<Switch>,
    /// May be bought
    #[arg(long)]
    pub buy: Option<Switch>,
    /// May be sold
    #[arg(long)]
    pub sell: Option<Switch>,
    /// Conviction, 0.1 to 3
    #[arg(long)]
    pub priority: Option<f64>,
    /// Least share of the fund in percent, 0 to 20
    #[arg(long, value_name = "PERCENT")]
    pub min: Option<f64>,
    /// Most share of the fund in percent, 0 to 30
    #[arg(long, value_name = "PERCENT")]
    pub max: Option<f64>,
    /// To be sold over time
    #[arg(long)]
    pub exit: Option<Switch>,
    /// Name
    #[arg(long)]
    pub name: Option<String>,
    /// Country, two letters
    #[arg(long)]
    pub country: Option<String>,
    /// Industry
    #[arg(long)]
    pub industry: Option<String>,
    /// stock, etf or etc
    #[arg(long)]
    pub product_type: Option<String>,
    /// Symbol at Yahoo
    #[arg(long)]
    pub yahoo_symbol: Option<String>,
    /// Prints JSON
    #[arg(long)]
    pub json: bool,
}

/// `universe deactivate`.
#[derive(Debug, Clone, Args)]
pub struct Deactivate {
    /// ISIN or ticker
    pub security: String,
    /// Why, in your words
    #[arg(value_name = "TEXT")]
    pub text: Option<String>,
    /// Even while it is held: it is then neither watched nor sold
    #[arg(long)]
    pub force: bool,
    /// Prints JSON
    #[arg(long)]
    pub json: bool,
}

/// `universe refresh`.
#[derive(Debug, Clone, Args)]
pub struct Refresh {
    /// ISIN or ticker; all when absent
    pub security: Option<String>,
    /// Prints JSON
    #[arg(long)]
    pub json: bool,
}
