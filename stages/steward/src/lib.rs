//! The command line: starts and stops the others, shows what they say, asks, halts, explains.
//!
//! **Reads** every topic, as user `steward`, and the `api_*` views of the stores; **publishes** commands only;
//! **owns** no store. It decides nothing about money: `halt` and `resume` are requests to the gate.
//!
//! * Starting: [`supervisor`] tends the programs, [`restarts`] is its rule, [`become_child`] sees to it that no
//!   program outlives it; [`demo`] writes a configuration ([`demo_config`]) and runs a simulated world, `up` the
//!   real one.
//! * Showing: [`model`] is what was heard, [`view`] turns it into a screen, [`status`] into a table.
//! * Judging a run: [`tally`] counts what a demo did, [`report`] is its summary.
//! * Explaining: [`chain`] puts the numbers of one order into sentences, [`explain`] collects them.
//!
//! **Refuses** a second run in one folder, ports in use, and to start a simulated world in a real folder.
//! **Limits**: every wait has a deadline, every restart a pause, the log file a size.
//! **Deliberately does not** place orders, change stores, or talk to a broker. Data goes to standard output, everything
//! else to standard error. Exit codes: 0 done or healthy, 1 something is wrong, 2 wrong usage, 3 no answer.

pub mod become_child;
pub mod bus;
pub mod chain;
mod cli;
pub mod demo;
pub mod demo_config;
mod demo_folder;
mod doctor;
mod doctor_broker;
pub mod explain;
mod explain_security;
mod export;
mod fault;
pub mod figures;
mod golive;
mod halt;
mod headless;
mod held_since;
mod import;
mod launch;
mod lines;
pub mod lock;
mod log_lines;
pub mod model;
mod performance;
mod place;
mod plan;
pub mod plan_text;
pub mod planner;
pub mod ports;
mod print;
mod programs;
mod progress;
pub mod report;
pub mod restarts;
mod risk;
mod score;
pub mod settings;
mod settle;
pub mod status;
pub mod supervisor;
mod sync;
pub mod tally;
mod targets;
mod topics;
pub mod universe;
mod up;
pub mod view;
mod watch;

use std::process::ExitCode;

pub use cli::{Cli, Command, DemoOptions, Speed};
pub use fault::Fault;
pub use log_lines::{Log, Shown};

/// Runs one command and returns its exit code.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    if let Command::Child { parent, program, arguments } = &cli.command {
        print::note(&become_child::become_child(*parent, program, arguments).to_string());
        return ExitCode::FAILURE;
    }
    // One thread, and the main one: a child is told of its parent's death when the thread that started it dies.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(perform(cli.command)),
        Err(error) => Err(Fault::System(format!("the runtime cannot start: {error}"))),
    };
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(fault) => {
            print::note(&fault.to_string());
            ExitCode::from(fault.exit_code())
        }
    }
}

async fn perform(command: Command) -> Result<u8, Fault> {
    match command {
        Command::Demo(options) => demo::run(&options).await,
        Command::Up(options) => up::run(&options).await,
        Command::Status(options) => status::run(&options).await,
        Command::Watch(place) => watch::run(&place).await,
        Command::Topics { place, question } => topics::run(&place, &question).await,
        Command::Universe { place, question } => universe::run(&place, &question).await,
        Command::Halt(options) => halt::halt(&options).await,
        Command::Resume(options) => halt::resume(&options).await,
        Command::HeldSince(options) => held_since::run(&options).await,
        Command::Settle(options) => settle::run(&options).await,
        Command::Settings { place, question } => settings::run(&place, &question).await,
        Command::Plan(options) => plan::run(&options).await,
        Command::Planner { place, question } => planner::run(&place, &question).await,
        Command::Explain(options) => explain::run(&options).await,
        Command::Risk(options) => risk::run(&options).await,
        Command::Golive(options) => golive::run(&options).await,
        Command::Targets(options) => targets::run(&options).await,
        Command::Score(options) => score::run(&options),
        Command::Performance(options) => performance::run(&options),
        Command::Doctor(options) => doctor::run(&options).await,
        Command::Sync(options) => sync::run(&options).await,
        Command::Import(options) => import::run(&options).await,
        Command::Export(options) => export::run(&options),
        Command::Child { .. } => unreachable!("handled before the runtime starts"),
    }
}
