//! `steward doctor`: looks at everything a person could get wrong, and says what to do.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use bus_client::{
    Config, Place, open_for_reading, password,
    transport::{Event, Transport, mqtt},
    wall,
};
use contracts::STAGES;
use market::Timestamp;
use serde::Serialize;

use crate::{
    Fault,
    cli::{DataOptions, DoctorOptions},
    doctor_broker, figures, launch, lock,
    model::Standing,
    print, status,
};

/// Longest wait for one stage's credentials to be taken.
const SIGN_IN_MAX: Duration = Duration::from_secs(2);
/// Less free space than this is too little.
const FREE_FAIL_BYTES: u64 = 200 * 1024 * 1024;
/// Less free space than this should be looked at.
const FREE_WARN_BYTES: u64 = 1024 * 1024 * 1024;
/// No clock that is right shows an earlier time.
const EARLIEST: Timestamp = Timestamp::from_ms(1_767_225_600_000);

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    Ok,
    Warn,
    Fail,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    check: String,
    verdict: Verdict,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_do: Option<String>,
}

impl Check {
    pub(crate) fn ok(check: impl Into<String>, found: impl Into<String>) -> Check {
        Check { check: check.into(), verdict: Verdict::Ok, found: found.into(), to_do: None }
    }
    pub(crate) fn warn(
        check: impl Into<String>,
        found: impl Into<String>,
        to_do: impl Into<String>,
    ) -> Check {
        Check { verdict: Verdict::Warn, to_do: Some(to_do.into()), ..Check::ok(check, found) }
    }
    pub(crate) fn fail(
        check: impl Into<String>,
        found: impl Into<String>,
        to_do: impl Into<String>,
    ) -> Check {
        Check { verdict: Verdict::Fail, to_do: Some(to_do.into()), ..Check::ok(check, found) }
    }
}

/// Runs the command; the exit code.
///
/// # Errors
/// Never: what is wrong is a failed check.
pub async fn run(options: &DoctorOptions) -> Result<u8, Fault> {
    let checks = match (options.broker, options.data.place.read()) {
        (true, Ok(config)) => doctor_broker::probes(&config).await,
        _ => examine(&options.data).await,
    };
    if options.data.json {
        print::json(&checks);
    } else {
        checks.iter().flat_map(lines).for_each(|line| print::data(&line));
    }
    Ok(u8::from(checks.iter().any(|check| check.verdict == Verdict::Fail)))
}

fn lines(check: &Check) -> Vec<String> {
    let word = match check.verdict {
        Verdict::Ok => "ok  ",
        Verdict::Warn => "warn",
        Verdict::Fail => "FAIL",
    };
    let mut lines = vec![format!("{word}  {:24} {}", check.check, check.found)];
    lines.extend(check.to_do.iter().map(|to_do| format!("      {:24} → {to_do}", "")));
    lines
}

async fn examine(options: &DataOptions) -> Vec<Check> {
    let file = options.place.file();
    let config = match options.place.read() {
        Ok(config) => config,
        Err(fault) => {
            return vec![Check::fail(
                "configuration",
                fault.to_string(),
                "correct the file or pass --config",
            )];
        }
    };
    let mut checks =
        vec![Check::ok("configuration", format!("{}, environment {}", file.display(), config.environment))];
    checks.extend(programs());
    checks.extend(secrets(&config.dir));
    checks.extend(stores(&config));
    checks.push(free_space(&config.dir));
    checks.push(system_clock(wall()));
    checks.extend(bus(&config).await);
    checks
}

fn programs() -> Vec<Check> {
    let Ok(executable) = launch::own_executable() else { return Vec::new() };
    let folder = executable.parent().unwrap_or(Path::new(".")).to_path_buf();
    let names = STAGES.iter().map(|stage| stage.name).filter(|name| *name != "steward").chain(["broker"]);
    let missing: Vec<String> =
        names.map(|name| format!("steward-{name}")).filter(|name| !folder.join(name).exists()).collect();
    if missing.is_empty() {
        return vec![Check::ok("programs", format!("all in {}", folder.display()))];
    }
    let found = format!("missing in {}: {}", folder.display(), missing.join(", "));
    vec![Check::warn("programs", found, "build or install the missing ones")]
}

/// Every file below `credentials` and `keys` must be readable by its owner alone.
fn secrets(dir: &Path) -> Vec<Check> {
    let mut checks = Vec::new();
    for name in ["credentials", "keys"] {
        let folder = dir.join(name);
        let files: Vec<PathBuf> =
            fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        if files.is_empty() {
            let to_do = "start once with `steward demo` or `steward up`; missing ones are made then";
            checks.push(Check::warn(name, format!("{} is empty or not there", folder.display()), to_do));
            continue;
        }
        let exposed: Vec<String> =
            files.iter().filter(|file| is_exposed(file)).map(|file| file.display().to_string()).collect();
        checks.push(match exposed.as_slice() {
            [] => Check::ok(name, format!("{} files, readable by their owner alone", files.len())),
            exposed => Check::fail(
                name,
                format!("others can read {}", exposed.join(", ")),
                "run `chmod 600` on each, and replace the secret: it may be known",
            ),
        });
    }
    checks
}

fn is_exposed(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o077 != 0)
}

fn stores(config: &Config) -> Vec<Check> {
    let environment = config.environment.to_string();
    STAGES
        .iter()
        .filter(|stage| stage.name != "simworld" || config.environment.is_simulated())
        .filter_map(|stage| Some((stage.name, stage.store?)))
        .map(|(stage, store)| store_check(stage, store, &config.store_file(store), &environment))
        .collect()
}

fn store_check(stage: &str, store: &str, file: &Path, environment: &str) -> Check {
    let name = format!("store {store}");
    if !file.exists() {
        return Check::warn(
            name,
            format!("{} is not there yet", file.display()),
            format!("{stage} makes it at its first start"),
        );
    }
    let restore = "stop everything and restore it from a backup";
    let read = || -> Result<(String, String, i64, String), String> {
        let rows = open_for_reading(&Place::File(file.into())).map_err(|error| error.to_string())?;
        let one = |sql: &str| {
            rows.query_row(sql, [], |row| row.get::<_, String>(0)).map_err(|error| error.to_string())
        };
        let schema =
            rows.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(|error| error.to_string())?;
        Ok((
            one("SELECT store FROM store_meta")?,
            one("SELECT environment FROM store_meta")?,
            schema,
            one("PRAGMA quick_check(1)")?,
        ))
    };
    match read() {
        Err(why) => Check::fail(name, format!("{} cannot be read: {why}", file.display()), restore),
        Ok((owner, ..)) if owner != store => Check::fail(
            name,
            format!("{} is the store `{owner}`", file.display()),
            "put the right file in its place",
        ),
        Ok((_, other, ..)) if other != environment => Check::fail(
            name,
            format!("{} belongs to environment `{other}`, not `{environment}`", file.display()),
            "use another `dir` for each environment",
        ),
        Ok((_, _, _, found)) if found != "ok" => Check::fail(name, format!("damaged: {found}"), restore),
        Ok((_, _, schema, _)) => {
            Check::ok(name, format!("sound, schema {schema}, environment {environment}"))
        }
    }
}

fn free_space(dir: &Path) -> Check {
    match rustix::fs::statvfs(dir) {
        Ok(disk) => judge_space(disk.f_bavail.saturating_mul(disk.f_frsize)),
        Err(error) => Check::warn(
            "disk",
            format!("the free space of {} is unknown: {error}", dir.display()),
            "check `dir` in steward.toml",
        ),
    }
}

fn judge_space(bytes: u64) -> Check {
    let found = format!("{} MB free", bytes / 1024 / 1024);
    match bytes {
        ..FREE_FAIL_BYTES => {
            Check::fail("disk", found, "make room now: stores that cannot be written stop everything")
        }
        FREE_FAIL_BYTES..FREE_WARN_BYTES => Check::warn("disk", found, "make room soon"),
        _ => Check::ok("disk", found),
    }
}

fn system_clock(now: Timestamp) -> Check {
    if now < EARLIEST {
        return Check::fail(
            "clock",
            format!("{} UTC cannot be right", figures::second(now)),
            "set the clock, and switch on time synchronisation",
        );
    }
    Check::ok("clock", format!("{} UTC", figures::second(now)))
}

async fn bus(config: &Config) -> Vec<Check> {
    let running = lock::is_taken(&config.dir);
    let mut refused = Vec::new();
    for stage in STAGES {
        match sign_in(config, stage.name).await {
            Ok(()) => {}
            Err(why) => refused.push(why),
        }
        if refused.len() == 1 && stage.name == STAGES[0].name {
            // When the first one cannot reach the broker, nobody can; one sentence is enough.
            let to_do = if running {
                "look at the log of the broker"
            } else {
                "start with `steward demo` or `steward up`"
            };
            return vec![Check::fail("bus", refused.remove(0), to_do)];
        }
    }
    let mut checks = vec![match refused.as_slice() {
        [] => Check::ok(
            "bus",
            format!("{} takes the credentials of all {} stages", config.bus.url, STAGES.len()),
        ),
        refused => {
            Check::fail("bus", refused.join("; "), "compare `dir`/credentials with the broker's own folder")
        }
    }];
    match status::listen(config).await {
        Ok(model) => checks.extend(stages(&status::of(&model, wall()))),
        Err(fault) => checks.push(Check::fail("stages", fault.to_string(), "look at the log of the broker")),
    }
    checks
}

/// Signs in as a stage, under a name of its own so that the real one is left alone.
async fn sign_in(config: &Config, stage: &str) -> Result<(), String> {
    let access = mqtt::Access {
        url: config.bus.url.clone(),
        instance: format!("{stage}-doctor"),
        password: password(config, stage).map_err(|error| error.to_string())?,
        last_will: None,
    };
    let mut transport = mqtt::MqttTransport::start(&access)?;
    let mut why = format!("the broker at {} does not answer", config.bus.url);
    let there = async {
        loop {
            match transport.next().await {
                Event::Connected => return,
                Event::Lost(reason) => why = format!("{stage}: {reason}"),
                _ => {}
            }
        }
    };
    let there = tokio::time::timeout(SIGN_IN_MAX, there).await.is_ok();
    transport.close().await;
    if there { Ok(()) } else { Err(why) }
}

fn stages(status: &status::Status) -> Vec<Check> {
    let mut checks: Vec<Check> = status
        .stages
        .iter()
        .map(|stage| {
            let age = stage.age_ms.map_or_else(
                || "age unknown".to_string(),
                |age| format!("heard {} ago", figures::duration(age)),
            );
            let found = format!("{}, {age}", stage.state.word());
            let error = stage.last_error.clone().unwrap_or_else(|| "look at its log".into());
            match stage.state {
                Standing::Healthy => Check::ok(&stage.stage, found),
                Standing::Starting => Check::warn(&stage.stage, found, "wait a moment and look again"),
                Standing::Degraded => Check::warn(&stage.stage, found, error),
                Standing::Gone => Check::fail(&stage.stage, found, "start it, or look at its log"),
            }
        })
        .collect();
    match status.halted {
        Some(false) => checks.push(Check::ok("trading", "not halted")),
        Some(true) => checks.push(Check::warn(
            "trading",
            format!("halted by {}", status.halts.join("; ")),
            "`steward resume` when it is safe",
        )),
        None => checks.push(Check::fail(
            "trading",
            "the gate has not spoken, so nothing is traded",
            "look at the log of risk-gate",
        )),
    }
    checks
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use bus_client::Store;

    use super::*;

    #[test]
    fn an_exposed_secret_fails_and_a_private_one_passes() {
        let dir = tempfile::tempdir().unwrap();
        assert!(secrets(dir.path()).iter().all(|check| check.verdict == Verdict::Warn));
        for name in ["credentials/plan", "keys/broker"] {
            let file = dir.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, "x").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        }
        assert!(secrets(dir.path()).iter().all(|check| check.verdict == Verdict::Ok));
        fs::set_permissions(dir.path().join("keys/broker"), fs::Permissions::from_mode(0o640)).unwrap();
        let failed: Vec<_> =
            secrets(dir.path()).into_iter().filter(|check| check.verdict == Verdict::Fail).collect();
        assert_eq!(failed.len(), 1);
        assert!(failed[0].found.contains("keys/broker"));
    }

    #[test]
    fn a_store_is_sound_missing_damaged_or_foreign() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("keeper.db");
        let check = |environment: &str| store_check("keeper", "keeper", &file, environment);
        assert_eq!(check("sim:1").verdict, Verdict::Warn);
        drop(Store::open("keeper", &Place::File(file.clone()), "sim:1").unwrap());
        assert_eq!(check("sim:1").verdict, Verdict::Ok, "{:?}", check("sim:1"));
        assert!(check("live").found.contains("sim:1"));
        assert_eq!(store_check("risk-gate", "risk", &file, "sim:1").verdict, Verdict::Fail);
        fs::write(&file, "this is no database, it is a love letter to one").unwrap();
        assert_eq!(check("sim:1").verdict, Verdict::Fail);
    }

    #[test]
    fn space_is_judged_at_its_boundaries() {
        let table = [
            (0, Verdict::Fail),
            (FREE_FAIL_BYTES - 1, Verdict::Fail),
            (FREE_FAIL_BYTES, Verdict::Warn),
            (FREE_WARN_BYTES - 1, Verdict::Warn),
            (FREE_WARN_BYTES, Verdict::Ok),
        ];
        for (bytes, expected) in table {
            assert_eq!(judge_space(bytes).verdict, expected, "{bytes}");
        }
    }

    #[test]
    fn a_clock_before_its_time_fails() {
        assert_eq!(system_clock(Timestamp::ZERO).verdict, Verdict::Fail);
        assert_eq!(system_clock(EARLIEST).verdict, Verdict::Ok);
    }

    #[test]
    fn every_line_that_is_not_ok_says_what_to_do() {
        let text = lines(&Check::fail("disk", "full", "make room"));
        assert_eq!(text.len(), 2);
        assert!(text[1].contains("make room"));
        assert_eq!(lines(&Check::ok("disk", "fine")).len(), 1);
    }
}
