//! `steward-broker --config steward.toml`: runs the broker of the stages until it is told to stop or fails.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use broker::{Handle, Health};
use clap::Parser;
use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{error, info};
use tracing_subscriber::EnvFilter;

/// The broker of the stages: MQTT 3.1.1 on this machine alone, in memory alone.
#[derive(Parser)]
#[command(name = "steward-broker", version)]
struct Arguments {
    /// Settings file.
    #[arg(long, default_value = "steward.toml")]
    config: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    start_log();
    match serve(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            let causes: Vec<String> = fault.chain().map(ToString::to_string).collect();
            error!("{}", causes.join("; because: "));
            ExitCode::FAILURE
        }
    }
}

/// `RUST_LOG` sets the level, but never for the library's server: at its levels it writes whole packets, passwords
/// included. What matters of it is logged by our own code.
fn start_log() {
    let chosen = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let capped = ["rumqttd=error", "rumqttd::server=off", "rumqttd::link=off", "rumqttc=warn"]
        .iter()
        .filter_map(|directive| directive.parse().ok())
        .fold(chosen, EnvFilter::add_directive);
    tracing_subscriber::fmt()
        .with_env_filter(capped)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .init();
}

fn serve(arguments: &Arguments) -> anyhow::Result<()> {
    let mut config = broker::config::load(&arguments.config)?;
    if let Some(watchdog) = sd_notify::watchdog_enabled() {
        config.limits = config.limits.fitted_to_watchdog(watchdog);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the system gave no event loop")?;
    runtime.block_on(async {
        // Before the start, so that a signal during the start is not lost.
        let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be caught")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be caught")?;
        let handle = broker::run(&config)?;
        tokio::select! {
            biased;
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            failure = report(&handle) => return Err(failure),
        }
        tell(&[NotifyState::Stopping]);
        info!("Stopped as asked; everything the broker held is gone and will be repeated by its owners.");
        Ok(())
    })
}

/// Passes each heartbeat on to the service manager; returns when the broker has failed.
async fn report(handle: &Handle) -> anyhow::Error {
    let mut health = handle.health();
    let mut ready = false;
    loop {
        let now = *health.borrow_and_update();
        match now {
            Health::Starting => {}
            Health::Healthy { .. } if ready => tell(&[NotifyState::Watchdog]),
            Health::Healthy { .. } => {
                ready = true;
                info!(addr = %handle.addr(), "Ready: the first heartbeat came back.");
                tell(&[NotifyState::Ready, NotifyState::Watchdog, NotifyState::Status("carrying messages")]);
            }
            Health::Failed(failure) => return failure.into(),
        }
        if health.changed().await.is_err() {
            return broker::Failure::ProbeEnded.into();
        }
    }
}

/// Without a service manager there is nobody to tell.
fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "The service manager could not be told.");
    }
}
