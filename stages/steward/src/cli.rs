//! The commands and their options.

use std::{ffi::OsString, path::PathBuf, str::FromStr};

use clap::{Args, Parser, Subcommand, ValueEnum};

const EXIT_CODES: &str =
    "Exit codes: 0 done or healthy, 1 something is wrong, 2 wrong usage, 3 no answer from the bus.";

/// The steward of a retirement fund: shows, asks, starts and stops.
#[derive(Debug, Parser)]
#[command(name = "steward", version, propagate_version = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs everything in a simulated world with a clock of its own
    #[command(after_help = "Examples:
  steward demo                              a month in about half an hour, with a live view; q ends it
  steward demo --headless --speed max       as fast as it goes, one line per day
  steward demo --seed 7 --days 365 --headless --speed max --report year.json
  steward demo --scenario list              what stories there are
  steward demo --scenario split_day --profile nasty --fresh
Exit codes: 0 the simulated time has ended or you stopped it, 1 a program was given up, books differ, time stood still, or it could not start: another demo or program is in the way; 2 wrong usage.")]
    Demo(DemoOptions),
    /// Runs everything in the real world; places orders only if the configuration says so
    #[command(after_help = "Example:
  steward up --config /etc/steward/steward.toml
Exit codes: 0 stopped by you, 1 a program was given up or there is no configuration of the real world, 2 it is wrong.")]
    Up(UpOptions),
    /// Shows how every stage is, the value of the fund, halts and open orders
    #[command(after_help = "Examples:
  steward status
  steward status --dir demo --json
Exit codes: 0 healthy, 1 something is wrong, 3 the bus cannot be reached.")]
    Status(DataOptions),
    /// Shows everything live; q, Esc or Ctrl-C leaves
    #[command(after_help = "Example:
  steward watch --dir demo
Exit codes: 0 left by you, 3 the bus cannot be reached.")]
    Watch(Place),
    /// Lists the topics, follows them, or shows the rules of one
    #[command(after_help = "Examples:
  steward topics list
  steward topics show order-approved
  steward topics tail 'order/#' | jq .body
  steward topics decode market-quote message.bin
Exit codes: 0 done, 1 no such topic or no such message, 3 the bus cannot be reached.")]
    Topics {
        /// Which system.
        #[command(flatten)]
        place: Place,
        /// What about them.
        #[command(subcommand)]
        question: TopicsQuestion,
    },
    /// Stops all trading at once
    #[command(after_help = "Examples:
  steward halt
  steward halt 'Before the holidays.'
Exit codes: 0 halted, 1 refused, 3 no answer: then pull the plug or use the stop button.")]
    Halt(WordOptions),
    /// Lets trading go on: clears the open halts
    #[command(after_help = "Example:
  steward resume 'Compared the books with the broker.'
Exit codes: 0 trading goes on, 1 refused, 3 no answer.")]
    Resume(WordOptions),
    /// Says what became of an order of unknown fate, where the broker's lists never show it
    #[command(after_help = "Examples:
  steward settle 01KJPKX0XJ4Q7N2D5T9V3W8YZA --never-arrived 'No such order on the broker's page.'
  steward settle 01KJPKX0XJ4Q7N2D5T9V3W8YZA --broker-order 5510020011 'Found by hand on the broker's page.'
Exit codes: 0 settled, 1 refused, 3 no answer.")]
    Settle(SettleOptions),
    /// Says since when a holding that is older than the books is held, so that it can be sold or added to
    #[command(after_help = "Example:
  steward held-since DE000SMX0015 2019-05-01 'Statement of May 2019.'
Exit codes: 0 done, 1 refused, 3 no answer.")]
    HeldSince(HeldSinceOptions),
    /// Lists, shows and changes the settings that the stages follow, and their history
    #[command(after_help = "Examples:
  steward settings list
  steward settings show risk.max_per_day
  steward settings set optimizer_blend 0.6
  steward settings set risk.max_per_day 2 --confirm risk.max_per_day
  steward settings set risk.max_per_day default --confirm risk.max_per_day
  steward settings history --count 20
Exit codes: 0 done, 1 refused or no such setting, 3 no answer.")]
    Settings {
        /// Which system.
        #[command(flatten)]
        place: Place,
        /// What about them.
        #[command(subcommand)]
        question: crate::settings::Question,
    },
    /// Lists, shows, adds and changes the securities that are watched
    #[command(after_help = "Examples:
  steward universe list
  steward universe add DE000SMX0015 --wait
  steward universe set RHNA.EU --buy on --sell on --max 10
  steward universe show RHNA.EU --json
Exit codes: 0 done, 1 refused or not known, 3 no answer from the bus.")]
    Universe {
        /// Which system.
        #[command(flatten)]
        place: Place,
        /// What about them.
        #[command(subcommand)]
        question: crate::universe::Question,
    },
    /// Plans at once and shows the plan; or shows, lists and compares plans, approves and skips steps
    #[command(after_help = "Examples:
  steward plan                       plans at once
  steward plan show                  the latest plan, with its score, costs and rivals
  steward plan history --count 20
  steward plan diff previous latest
  steward plan approve 01KJPKX0XJ4Q7N2D5T9V3W8YZA 1
  steward plan skip latest 2
Exit codes: 0 done, 1 no such plan or nothing can be planned, 3 no answer from the bus.")]
    Plan(PlanOptions),
    /// Shows, checks and changes what is wanted of the planner
    #[command(after_help = "Examples:
  steward planner config list
  steward planner config show conservative --full
  steward planner config validate own.toml
  steward planner config apply own.toml --note 'Shorter plans'
  steward planner config history core --diff 1 2
Exit codes: 0 done, 1 refused or no such configuration, 3 no answer from the bus.")]
    Planner {
        /// Which system.
        #[command(flatten)]
        place: Place,
        /// What about it.
        #[command(subcommand)]
        question: crate::planner::Question,
    },
    /// Explains one order from the price to the booking, or one security from the price to the last plan
    #[command(after_help = "Examples:
  steward explain latest
  steward explain 01KJPKX0XJ4Q7N2D5T9V3W8YZA --json
  steward explain DE000SMX0015
Exit codes: 0 explained, 1 no such order or security.")]
    Explain(ExplainOptions),
    /// Shows every guard between the fund and its next order, and when it opens again
    #[command(after_help = "Examples:
  steward risk
  steward risk --json
Exit codes: 0 nothing stands in the way, 1 something does, 3 the bus cannot be reached.")]
    Risk(DataOptions),
    /// Names what is missing before orders may reach the real account; with the confirmation, switches
    #[command(after_help = "Examples:
  steward golive --check
  steward golive --confirm live
  steward golive --research
Exit codes: 0 nothing is missing or the switch was made, 1 something is missing, 3 no answer.")]
    Golive(GoliveOptions),
    /// Shows how much of the fund each security should be, and why; changes groups and their targets
    #[command(after_help = "Examples:
  steward targets
  steward targets --dir demo --json
  steward targets run                             computes them at once
  steward targets group country NORDIC DK,FI,NO,SE
  steward targets set country EU=40 US=35
Exit codes: 0 done, 1 refused or there are none yet, 3 the bus cannot be reached.")]
    Targets(crate::targets::TargetsOptions),
    /// Shows how good a security is and why, or lists all of them
    #[command(after_help = "Examples:
  steward score --dir demo
  steward score DE000SMX0015 --dir demo
  steward score DE000SMX0015 --json
Exit codes: 0 shown, 1 no such security or nothing scored yet.")]
    Score(ScoreOptions),
    /// Shows how the fund did, what earned it, how much was traded, and what it consists of
    #[command(after_help = "Examples:
  steward performance
  steward performance --dir demo --json
Exit codes: 0 shown, 1 no day has ended yet.")]
    Performance(DataOptions),
    /// Checks configuration, secrets, stores, bus, disk and stages, and says what to do
    #[command(after_help = "Examples:
  steward doctor
  steward doctor --config /etc/steward/steward.toml --json
  steward doctor --broker                   what to know of the broker before going live; only reads
Exit codes: 0 nothing failed, 1 a check failed.")]
    Doctor(DoctorOptions),
    /// Reads the brokerage account now and says what that brought
    #[command(after_help = "Examples:
  steward sync
  steward sync --json
Exit codes: 0 read, 1 not read or not believed, 3 no answer.")]
    Sync(DataOptions),
    /// Takes an existing ledger over from CSV files, whole or not at all; docs/import.md names the columns
    #[command(after_help = "Examples:
  steward import --trades trades.csv --cash-flows cash.csv --dry-run
  steward import --trades trades.csv
Exit codes: 0 taken over, 1 a line is wrong and nothing was changed, 2 wrong usage, 3 no answer.")]
    Import(ImportOptions),
    /// Writes the books as CSV or JSON
    #[command(after_help = "Examples:
  steward export trades
  steward export nav --format json --out nav.json
Exit codes: 0 written, 1 the books or the file cannot be used.")]
    Export(ExportOptions),
    /// Becomes another program that ends when its parent does
    #[command(hide = true)]
    Child {
        /// Process that must still be the parent.
        #[arg(long)]
        parent: u32,
        /// Program to become.
        program: PathBuf,
        /// Its arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

/// Which system is meant.
#[derive(Debug, Clone, Default, Args)]
pub struct Place {
    /// Folder with a steward.toml
    #[arg(long, value_name = "DIR", conflicts_with = "config", global = true)]
    pub dir: Option<PathBuf>,
    /// Configuration [default: steward.toml, or demo/steward.toml where there is none]
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
}

/// A question whose answer is data.
#[derive(Debug, Clone, Args)]
pub struct DataOptions {
    /// Which system.
    #[command(flatten)]
    pub place: Place,
    /// Prints JSON
    #[arg(long)]
    pub json: bool,
}

/// What to examine.
#[derive(Debug, Clone, Args)]
pub struct DoctorOptions {
    /// How and where.
    #[command(flatten)]
    pub data: DataOptions,
    /// Asks the broker instead: the probes before going live; nothing is ordered
    #[arg(long)]
    pub broker: bool,
}

/// `import`.
#[derive(Debug, Clone, Args)]
pub struct ImportOptions {
    /// Purchases, sales and splits
    #[arg(long, value_name = "FILE", required_unless_present = "cash_flows")]
    pub trades: Option<PathBuf>,
    /// Everything else that moved cash
    #[arg(long, value_name = "FILE")]
    pub cash_flows: Option<PathBuf>,
    /// Only says what would happen
    #[arg(long)]
    pub dry_run: bool,
    /// Which system.
    #[command(flatten)]
    pub place: Place,
    /// Prints JSON
    #[arg(long)]
    pub json: bool,
}

/// A part of the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Exported {
    /// Purchases, sales and exchanges of currency
    Trades,
    /// Deposits, withdrawals, income, fees and taxes
    CashFlows,
    /// What is held
    Positions,
    /// Cash as the broker reports it
    Cash,
    /// Dividends with their tax
    Dividends,
    /// Splits, takeovers and new names
    CorporateActions,
    /// The value at the end of each day
    Nav,
}

/// How data is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A heading and one line per row
    Csv,
    /// One list of objects
    Json,
}

/// `export`.
#[derive(Debug, Clone, Args)]
pub struct ExportOptions {
    /// Which part of the books
    #[arg(value_enum, value_name = "WHAT")]
    pub what: Exported,
    /// How it is written
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    pub format: Format,
    /// File to write instead of printing
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Which system.
    #[command(flatten)]
    pub place: Place,
}

/// A command with a remark.
#[derive(Debug, Clone, Args)]
pub struct WordOptions {
    /// Why, in your words
    #[arg(value_name = "TEXT")]
    pub text: Option<String>,
    /// Which system.
    #[command(flatten)]
    pub place: Place,
    /// Prints JSON
    #[arg(long)]
    pub json: bool,
}

/// `held-since`.
#[derive(Debug, Clone, Args)]
pub struct HeldSinceOptions {
    /// Which security
    #[arg(value_name = "ISIN")]
    pub isin: String,
    /// The day since which it is held at least, as 2019-05-01
    #[arg(value_name = "DAY")]
    pub since: String,
    /// Where the date stands, in your words
    #[arg(value_name = "TEXT")]
    pub text: String,
    /// Which system.
    #[command(flatten)]
    pub place: Place,
    /// Prints JSON
    #[arg(long)]
    pub json: bool,
}

/// `settle`.
#[derive(Debug, Clone, Args)]
pub struct SettleOptions {
    /// Id of the order
    #[arg(value_name = "ORDER")]
    pub order: String,
    /// What you looked at, in your words; kept for ever
    #[arg(value_name = "TEXT")]
    pub text: String,
    /// It never arrived at the broker, or is there no longer
    #[arg(long, conflicts_with = "broker_order", required_unless_present = "broker_order")]
    pub never_arrived: bool,
    /// It is the broker's order with this id
    #[arg(long, value_name = "ID")]
    pub broker_order: Option<String>,
    /// Which system.
    #[command(flatten)]
    pub place: Place,
    /// Prints JSON
    #[arg(long)]
    pub json: bool,
}

/// `golive`.
#[derive(Debug, Clone, Args)]
pub struct GoliveOptions {
    /// Only looks; the same as without any option
    #[arg(long, conflicts_with = "confirm")]
    pub check: bool,
    /// Back to paper at once, without conditions; names the orders that still work at the broker
    #[arg(long, conflicts_with_all = ["check", "confirm"])]
    pub research: bool,
    /// Switches to real money when nothing is missing; WORD is `live`
    #[arg(long, value_name = "WORD")]
    pub confirm: Option<String>,
    /// Which system.
    #[command(flatten)]
    pub place: Place,
    /// Prints JSON
    #[arg(long)]
    pub json: bool,
}

/// `explain`.
#[derive(Debug, Clone, Args)]
pub struct ExplainOptions {
    /// Id of the order, `latest`, or the ISIN of a security
    #[arg(value_name = "ORDER|ISIN")]
    pub order: String,
    /// Which system.
    #[command(flatten)]
    pub place: Place,
    /// Prints JSON
    #[arg(long)]
    pub json: bool,
}

/// `score`.
#[derive(Debug, Clone, Args)]
pub struct ScoreOptions {
    /// ISIN; all securities without one
    #[arg(value_name = "ISIN")]
    pub isin: Option<String>,
    /// Which system.
    #[command(flatten)]
    pub place: Place,
    /// Prints JSON
    #[arg(long)]
    pub json: bool,
}

/// `plan`.
#[derive(Debug, Clone, Args)]
pub struct PlanOptions {
    /// What about plans; without a word: plan at once.
    #[command(subcommand)]
    pub question: Option<PlanQuestion>,
    /// Which system.
    #[command(flatten)]
    pub place: Place,
    /// Prints JSON
    #[arg(long, global = true)]
    pub json: bool,
}

/// A question about plans.
#[derive(Debug, Clone, Subcommand)]
pub enum PlanQuestion {
    /// Shows one plan
    Show {
        /// Its id, `latest` or `previous`
        #[arg(default_value = "latest")]
        plan: String,
    },
    /// Lists the plans kept, newest first
    History {
        /// How many
        #[arg(long, default_value_t = 20)]
        count: usize,
    },
    /// Says what a newer plan does differently
    Diff {
        /// Id of the older, or `previous`
        #[arg(default_value = "previous")]
        older: String,
        /// Id of the newer, or `latest`
        #[arg(default_value = "latest")]
        newer: String,
    },
    /// Agrees to one step, where plans wait for a person (plan.require_approval)
    Approve(StepOfPlan),
    /// Leaves one step out: its security is not traded for a day
    Skip(StepOfPlan),
}

/// One step of a plan.
#[derive(Debug, Clone, Args)]
pub struct StepOfPlan {
    /// Id of the plan that you looked at, or `latest`
    #[arg(value_name = "PLAN")]
    pub plan: String,
    /// Number of the step, from 1
    #[arg(value_name = "STEP")]
    pub step: u16,
}

/// `topics`.
#[derive(Debug, Clone, Subcommand)]
pub enum TopicsQuestion {
    /// All topics with owner, readers and rules
    List {
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// Every message as one line of JSON, until Ctrl-C
    Tail {
        /// Topics below the version, for example 'order/#' or 'system/health/+'
        #[arg(default_value = "#")]
        filter: String,
        /// Ends after this many messages
        #[arg(long, value_name = "N")]
        count: Option<u64>,
    },
    /// One message as JSON, from a file or from what another MQTT client wrote
    Decode {
        /// The topic it was said on, for example market-quote
        name: String,
        /// Where its bytes are; - is the standard input
        #[arg(default_value = "-")]
        file: std::path::PathBuf,
    },
    /// The rules of one topic and an example
    Show {
        /// Its name, for example order-approved
        name: String,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
}

/// `up`.
#[derive(Debug, Clone, Args)]
pub struct UpOptions {
    /// Which system.
    #[command(flatten)]
    pub place: Place,
    /// Evaluators to start
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=16))]
    pub evaluators: u32,
    /// Stages not to start; `broker` where another one serves `bus.url`
    #[arg(long, value_name = "STAGE", value_delimiter = ',')]
    pub without: Vec<String>,
}

/// `demo`.
#[derive(Debug, Clone, Args)]
pub struct DemoOptions {
    /// Which world; the same seed is the same world
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Which story: an account, a market mood and dated events; `list` names them
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub scenario: String,
    /// How the simulated broker writes: clean, live_like or nasty
    #[arg(long, value_name = "MANNER", default_value = "live_like", value_parser = ["clean", "live_like", "nasty"])]
    pub profile: String,
    /// Days to simulate
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub days: u32,
    /// Virtual seconds per second while a venue is open (closed times are skipped), or `max`: from event to event
    #[arg(long, default_value = "1800")]
    pub speed: Speed,
    /// Prints one line per day instead of the live view, and ends with the simulated time
    #[arg(long)]
    pub headless: bool,
    /// Writes a summary as JSON when it ends
    #[arg(long, value_name = "FILE", requires = "headless")]
    pub report: Option<PathBuf>,
    /// Folder of the demo
    #[arg(long, value_name = "DIR", default_value = "demo")]
    pub dir: PathBuf,
    /// Evaluators to start
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=16))]
    pub evaluators: u32,
    /// First of three ports on loopback: bus, simulated broker, dashboard
    #[arg(long, value_name = "BASE", default_value_t = 18_800, value_parser = clap::value_parser!(u16).range(1_024..=65_000))]
    pub ports: u16,
    /// Another MQTT broker to use instead of the built-in one; it must ask for no password
    #[arg(long, value_name = "URL")]
    pub bus: Option<String>,
    /// Deletes what an earlier demo left in the folder
    #[arg(long)]
    pub fresh: bool,
    /// Stages not to start; `broker` where another one serves the bus
    #[arg(long, value_name = "STAGE", value_delimiter = ',')]
    pub without: Vec<String>,
    /// Prints the whole log instead of warnings only
    #[arg(long, short)]
    pub verbose: bool,
}

/// How fast virtual time runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Speed {
    /// Virtual seconds per second.
    Times(f64),
    /// From one event to the next.
    Max,
}

/// The simulator's own limit.
const SPEED_MAX: f64 = 100_000.0;

impl FromStr for Speed {
    type Err = String;
    fn from_str(text: &str) -> Result<Speed, String> {
        if text == "max" {
            return Ok(Speed::Max);
        }
        match text.parse() {
            Ok(times) if times > 0.0 && times <= SPEED_MAX => Ok(Speed::Times(times)),
            _ => Err(format!("it must be a number above 0 and at most {SPEED_MAX}, or `max`")),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Command, clap::Error> {
        Cli::try_parse_from(words.split(' ')).map(|cli| cli.command)
    }

    fn demo(words: &str) -> DemoOptions {
        match parse(words).unwrap() {
            Command::Demo(options) => options,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_definition_is_sound() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn demo_has_its_defaults() {
        let options = demo("steward demo");
        assert_eq!((options.seed, options.days, options.evaluators, options.ports), (1, 30, 1, 18_800));
        assert_eq!(options.speed, Speed::Times(1_800.0));
        assert_eq!(options.dir, PathBuf::from("demo"));
        assert!(!options.headless && !options.fresh && options.report.is_none());
    }

    #[test]
    fn demo_takes_all_its_options() {
        let options = demo(
            "steward demo --seed 7 --days 365 --speed max --headless --report r.json --dir d --evaluators 3 --ports 20000 --fresh --without hardware,bridge",
        );
        assert_eq!((options.seed, options.days, options.evaluators, options.ports), (7, 365, 3, 20_000));
        assert_eq!(options.speed, Speed::Max);
        assert_eq!(options.without, ["hardware", "bridge"]);
        assert!(options.headless && options.fresh);
    }

    #[test]
    fn speed_is_positive_and_bounded_or_max() {
        let table = [
            ("max", Some(Speed::Max)),
            ("0.5", Some(Speed::Times(0.5))),
            ("100000", Some(Speed::Times(100_000.0))),
            ("100001", None),
            ("0", None),
            ("-1", None),
            ("NaN", None),
            ("inf", None),
            ("fast", None),
        ];
        for (text, expected) in table {
            assert_eq!(text.parse::<Speed>().ok(), expected, "{text}");
        }
    }

    #[test]
    fn mistakes_are_refused() {
        let wrong = [
            "steward",
            "steward frobnicate",
            "steward demo --days 0",
            "steward demo --days 601",
            "steward demo --evaluators 0",
            "steward demo --ports 80",
            "steward demo --speed fast",
            "steward explain",
            "steward topics",
            "steward status --dir x --config y",
            "steward demo --report r.json",
            "steward import",
            "steward export",
            "steward export everything",
        ];
        for words in wrong {
            assert!(parse(words).is_err(), "{words}");
        }
    }

    #[test]
    fn every_command_has_examples_and_exit_codes() {
        use clap::CommandFactory;
        for command in Cli::command().get_subcommands().filter(|command| !command.is_hide_set()) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Example") && help.contains("Exit codes"), "{}", command.get_name());
        }
    }
}
