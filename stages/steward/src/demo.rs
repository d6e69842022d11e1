//! `steward demo`: the whole system in a simulated world.

use std::{fs, io::IsTerminal, path::Path, sync::Arc, time::Instant};

use bus_client::Config;

use crate::{
    DemoOptions, Fault, Log, Speed, demo_config, demo_folder,
    headless::{self, Ended},
    launch::{self, launch},
    lock,
    log_lines::Shown,
    ports::Ports,
    print,
    programs::{self, Programs, Selection},
    report::{self, Report, Run},
    supervisor::Supervisor,
    watch,
};

/// Where the programs' lines are kept, below the demo's folder.
const LOG_FILE: &str = "log/steward.log";

/// Runs a demo; the exit code.
///
/// # Errors
/// When it cannot start.
pub async fn run(options: &DemoOptions) -> Result<u8, Fault> {
    if options.scenario == "list" {
        for preset in simworld::presets() {
            print::data(&format!("{:<18}{}", preset.name, preset.shows));
        }
        return Ok(0);
    }
    let preset = demo_config::preset(&options.scenario)?;
    let programs = find(options)?;
    demo_folder::check(&options.dir, options.seed, preset.name, options.fresh)?;
    let _lock = lock::take(&options.dir)?;
    if options.fresh {
        demo_folder::empty(&options.dir)?;
    }
    let ports = Ports::from_base(options.ports);
    ports.ensure_free()?;
    let names = programs.names();
    let waits_for: Vec<String> = names.iter().filter(|name| *name != "simworld").cloned().collect();
    demo_config::write(&options.dir, &demo_config::text(options, waits_for)?)?;
    let config = Config::read(&options.dir.join("steward.toml"))?;

    let screen = !options.headless && std::io::stdout().is_terminal();
    let log = Arc::new(Log::shown(shown(options, screen)).kept_in(&options.dir.join(LOG_FILE))?);
    welcome(options, &programs, ports);
    let begun = Instant::now();
    let broker = launch::own_broker(&config.bus, &options.without)?;
    let mut supervisor = launch(options.dir.clone(), &programs, broker, log).await?;
    let ended = follow(options, &mut supervisor, &config, &names, begun, screen).await;
    let restarts = supervisor.restarts().clone();
    supervisor.stop().await;
    let Some(ended) = ended? else { return Ok(0) };
    let stopped = ended.stopped;
    let report = summary(options, ended, begun, restarts);
    if let Some(file) = &options.report {
        write_report(file, &report)?;
    }
    Ok(judge(&report, stopped, options.headless))
}

fn find(options: &DemoOptions) -> Result<Programs, Fault> {
    let executable = launch::own_executable()?;
    let folder = executable.parent().unwrap_or(Path::new("."));
    let selection =
        Selection { simulated: true, evaluators: options.evaluators, without: options.without.clone() };
    // The programs run in the demo's folder.
    programs::find(folder, Path::new("steward.toml"), &selection)
}

fn shown(options: &DemoOptions, screen: bool) -> Shown {
    match (screen, options.headless && !options.verbose) {
        (true, _) => Shown::Nothing,
        (false, true) => Shown::Trouble,
        (false, false) => Shown::All,
    }
}

fn welcome(options: &DemoOptions, programs: &Programs, ports: Ports) {
    print::note(&format!(
        "Demo in {}: world {}, {} days, speed {}; dashboard http://127.0.0.1:{}/ ; log {}",
        options.dir.display(),
        options.seed,
        options.days,
        speed(options),
        ports.bridge,
        options.dir.join(LOG_FILE).display()
    ));
    if options.dir.join("stores").exists() {
        print::note("It goes on where the last run in this folder stopped; --fresh begins anew.");
    }
    if !programs.missing.is_empty() {
        print::note(&format!("Not installed and left out: {}.", programs.missing.join(", ")));
    }
}

fn speed(options: &DemoOptions) -> String {
    match options.speed {
        Speed::Times(times) => times.to_string(),
        Speed::Max => "max".into(),
    }
}

/// `None` when a person left the live view.
async fn follow(
    options: &DemoOptions,
    supervisor: &mut Supervisor,
    config: &Config,
    names: &[String],
    begun: Instant,
    screen: bool,
) -> Result<Option<Ended>, Fault> {
    if !screen {
        return headless::follow(supervisor, config, names, begun, options.headless).await.map(Some);
    }
    watch::follow(config, Some(supervisor)).await?;
    Ok(None)
}

fn summary(
    options: &DemoOptions,
    ended: Ended,
    begun: Instant,
    restarts: std::collections::BTreeMap<String, u32>,
) -> Report {
    let run = Run {
        seed: options.seed,
        days: options.days,
        speed: speed(options),
        wall_s: begun.elapsed().as_secs_f64(),
        healthy_after_s: ended.healthy_after.map(|after| after.as_secs_f64()),
        restarts,
        truth: ended.truth,
        trouble: ended.trouble,
    };
    report::of(&ended.tally, run)
}

fn write_report(file: &Path, report: &Report) -> Result<(), Fault> {
    let text = serde_json::to_string_pretty(report)
        .map_err(|error| Fault::System(format!("the report cannot be written: {error}")))?;
    fs::write(file, text + "\n").map_err(|error| Fault::file(file, "written", error))
}

/// Says how it ended; the exit code.
fn judge(report: &Report, stopped: bool, headless: bool) -> u8 {
    if let Some(trouble) = &report.trouble {
        print::note(trouble);
        return 1;
    }
    if stopped {
        print::note("Stopped as asked.");
        return 0;
    }
    let broken = report::violations(&report.truth).unwrap_or_default();
    if headless && !report.all_held {
        let what = if broken.is_empty() { "nothing was checked".into() } else { broken.join("; ") };
        print::note(&format!("Something that must always hold does not: {what}"));
        return 1;
    }
    print::note(&format!(
        "The simulated time has ended: {} orders, {} fills, {:.1} s; everything that must hold held.",
        report.orders.len(),
        report.fills,
        report.wall_s
    ));
    0
}
