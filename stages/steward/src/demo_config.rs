//! Writes the configuration of a demo. The universe and the keys are the simulator's own, so nothing is typed twice.

use std::{collections::BTreeMap, path::Path};

use money::Price;
use serde::Serialize;

use crate::{DemoOptions, Fault, Speed, ports::Ports};

/// Broad funds of the simulator that stand for the markets of their regions.
const INDICES: [(&str, &str); 2] = [("EU", "IE0099SM0016"), ("US", "US99S0121062")];
/// Seven years: long enough that one good year is no bubble.
const HISTORY_DAYS: u32 = 2_600;
/// How often prices and the account are read, virtual time.
const INTERVAL_S: u32 = 900;
/// A reading of the account is too old after this, virtual time: two may fail.
const STALE_AFTER_S: u32 = 3 * INTERVAL_S;
/// Orders reach the simulated broker.
const MODE: &str = "live";
/// Where the key of the simulated account lies, below the demo's folder.
pub(crate) const KEY_FILE: &str = "keys/broker";

/// `steward.toml`.
#[derive(Debug, Serialize)]
struct File {
    environment: String,
    dir: &'static str,
    bus: Bus,
    stage: Stages,
}

#[derive(Debug, Serialize)]
struct Bus {
    url: String,
    prefix: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    anonymous: bool,
}

#[derive(Debug, Serialize)]
struct Stages {
    simworld: Simworld,
    ingest: Ingest,
    score: Score,
    portfolio: Portfolio,
    execute: Account,
    #[serde(rename = "risk-gate")]
    risk_gate: RiskGate,
    bridge: Bridge,
}

#[derive(Debug, Serialize)]
struct Simworld {
    http: String,
    mode: &'static str,
    speed: f64,
    days: u32,
    start: &'static str,
    tickers: Vec<&'static str>,
    stages: Vec<String>,
    scenario: &'static str,
    profile: String,
}

#[derive(Debug, Clone, Serialize)]
struct Account {
    broker_url: String,
    public_key: &'static str,
    private_key_file: &'static str,
}

#[derive(Debug, Serialize)]
struct Ingest {
    #[serde(flatten)]
    account: Account,
    quote_interval_s: u32,
    market_status_interval_s: u32,
    history_days: u32,
    yahoo_url: String,
    ecb_url: String,
    frankfurter_url: String,
    openfigi_url: String,
    stooq_url: String,
    universe: Vec<Listing>,
}

#[derive(Debug, Serialize)]
struct Score {
    indices: BTreeMap<&'static str, &'static str>,
}

#[derive(Debug, Serialize)]
struct Portfolio {
    #[serde(flatten)]
    account: Account,
    sync_interval_s: u32,
    stale_after_s: u32,
    mode: &'static str,
}

#[derive(Debug, Serialize)]
struct RiskGate {
    mode: &'static str,
}

#[derive(Debug, Serialize)]
struct Bridge {
    listen: String,
}

/// One security as `ingest` takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listing {
    /// The broker's ticker.
    pub ticker: String,
    /// Key.
    pub isin: String,
    /// For people.
    pub name: String,
    /// Venue.
    pub mic: String,
    /// Trading currency.
    pub ccy: String,
    /// Two letters; absent for funds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Absent for funds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub industry: Option<String>,
    /// `stock` or `etf`.
    pub product_type: String,
    /// Smallest tradable step.
    pub lot: i64,
    /// Smallest price step.
    pub tick: String,
}

/// The text of a demo's `steward.toml`; `waits_for` are the stages that stepped time waits for.
///
/// # Errors
/// When there is no such scenario, or a security of the demo is not in the simulator's table.
pub fn text(options: &DemoOptions, waits_for: Vec<String>) -> Result<String, Fault> {
    let preset = preset(&options.scenario)?;
    let listed: Vec<simworld::Listing> = simworld::listings()
        .into_iter()
        .filter(|one| preset.tickers.is_empty() || preset.tickers.contains(&one.ticker))
        .collect();
    let ports = Ports::from_base(options.ports);
    let (mode, speed) = match options.speed {
        Speed::Times(speed) => ("fast_closed", speed),
        Speed::Max => ("stepped", 1.0),
    };
    let provider = |name: &str| format!("http://127.0.0.1:{}/{name}", ports.simworld);
    let account =
        Account { broker_url: provider("tn"), public_key: simworld::PUBLIC_KEY, private_key_file: KEY_FILE };
    let file = File {
        environment: format!("sim:{}", options.seed),
        dir: ".",
        bus: Bus {
            url: options.bus.clone().unwrap_or_else(|| format!("mqtt://127.0.0.1:{}", ports.bus)),
            prefix: "steward",
            anonymous: options.bus.is_some(),
        },
        stage: Stages {
            simworld: Simworld {
                http: format!("127.0.0.1:{}", ports.simworld),
                mode,
                speed,
                days: options.days,
                start: preset.start,
                tickers: listed.iter().map(|listing| listing.ticker).collect(),
                stages: waits_for,
                scenario: preset.name,
                profile: options.profile.clone(),
            },
            ingest: Ingest {
                account: account.clone(),
                quote_interval_s: INTERVAL_S,
                market_status_interval_s: INTERVAL_S,
                history_days: HISTORY_DAYS,
                yahoo_url: provider("yh"),
                ecb_url: provider("ecb"),
                frankfurter_url: provider("ff"),
                openfigi_url: provider("figi"),
                stooq_url: provider("stooq"),
                universe: universe(&listed)?,
            },
            score: Score { indices: BTreeMap::from(INDICES) },
            portfolio: Portfolio {
                account: account.clone(),
                sync_interval_s: INTERVAL_S,
                stale_after_s: STALE_AFTER_S,
                mode: MODE,
            },
            execute: account,
            risk_gate: RiskGate { mode: MODE },
            bridge: Bridge { listen: format!("127.0.0.1:{}", ports.bridge) },
        },
    };
    let body = toml::to_string(&file)
        .map_err(|error| Fault::System(format!("the demo's configuration cannot be written: {error}")))?;
    Ok(format!("# Written by `steward demo`; overwritten at each start.\n{body}"))
}

/// The simulator's preset of this name.
///
/// # Errors
/// Names all that there are.
pub fn preset(name: &str) -> Result<simworld::Preset, Fault> {
    let all = simworld::presets();
    all.iter().find(|one| one.name == name).copied().ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|one| one.name).collect();
        Fault::Refused(format!("there is no scenario `{name}`; choose one of {}", names.join(", ")))
    })
}

/// The demo's securities.
///
/// # Errors
/// Names the one that has no valid price step.
pub fn universe(listed: &[simworld::Listing]) -> Result<Vec<Listing>, Fault> {
    let taken = listed.iter().map(|listing| {
        as_ingest_takes_it(listing).ok_or_else(|| {
            Fault::System(format!("{} has no valid price step in the simulator", listing.ticker))
        })
    });
    taken.collect()
}

fn as_ingest_takes_it(listing: &simworld::Listing) -> Option<Listing> {
    Some(Listing {
        ticker: listing.ticker.into(),
        isin: listing.isin.into(),
        name: listing.name.into(),
        mic: listing.mic.to_string(),
        ccy: listing.ccy.into(),
        country: listing.country.map(str::to_string),
        industry: listing.industry.map(str::to_string),
        product_type: listing.product_type.into(),
        lot: listing.lot,
        tick: Price::from_e6(listing.tick_e6).ok()?.to_string(),
    })
}

/// Writes the configuration and the key of the simulated account.
///
/// # Errors
/// When a file cannot be written.
pub fn write(dir: &Path, text: &str) -> Result<(), Fault> {
    use std::{fs, io::Write, os::unix::fs::OpenOptionsExt};
    let file = dir.join("steward.toml");
    fs::write(&file, text).map_err(|error| Fault::file(&file, "written", error))?;
    let key = dir.join(KEY_FILE);
    let folder = key.parent().unwrap_or(dir);
    fs::DirBuilder::new()
        .recursive(true)
        .create(folder)
        .and_then(|()| fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700)))
        .map_err(|error| Fault::file(folder, "created", error))?;
    // Removed first, so that the rights of an older file cannot remain.
    drop(fs::remove_file(&key));
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&key)
        .and_then(|mut handle| writeln!(handle, "{}", simworld::PRIVATE_KEY))
        .map_err(|error| Fault::file(&key, "written", error))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use bus_client::{Config, Environment};
    use clap::Parser;

    use super::*;
    use crate::{Cli, Command};

    fn options(words: &str) -> DemoOptions {
        match Cli::parse_from(words.split(' ')).command {
            Command::Demo(options) => options,
            other => panic!("{other:?}"),
        }
    }

    fn table(words: &str) -> toml::Table {
        text(&options(words), vec!["ingest".into(), "evaluate-1".into()]).unwrap().parse().unwrap()
    }

    #[test]
    fn stages_can_read_what_is_written() {
        let text = text(&options("steward demo --seed 7 --ports 20000"), vec!["ingest".into()]).unwrap();
        let config = Config::parse(&text, Path::new("demo/steward.toml")).unwrap();
        assert_eq!(config.environment, Environment::Sim(7));
        assert_eq!(config.bus.url, "mqtt://127.0.0.1:20000");
        assert_eq!(config.dir, Path::new("demo/."));
    }

    #[test]
    fn another_broker_is_used_as_it_is() {
        let text = text(&options("steward demo --bus mqtt://127.0.0.1:1885"), vec!["ingest".into()]).unwrap();
        let config = Config::parse(&text, Path::new("demo/steward.toml")).unwrap();
        assert_eq!((config.bus.url.as_str(), config.bus.anonymous), ("mqtt://127.0.0.1:1885", true));
    }

    #[test]
    fn speed_decides_how_time_moves() {
        let simworld = |words| table(words)["stage"]["simworld"].clone();
        let scaled = simworld("steward demo");
        assert_eq!(
            (scaled["mode"].as_str(), scaled["speed"].as_float()),
            (Some("fast_closed"), Some(1_800.0))
        );
        let stepped = simworld("steward demo --speed max --days 365");
        assert_eq!((stepped["mode"].as_str(), stepped["days"].as_integer()), (Some("stepped"), Some(365)));
        assert_eq!(stepped["stages"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn a_scenario_brings_its_start_and_its_securities_and_an_unknown_one_is_a_sentence() {
        let simworld = |words| table(words)["stage"]["simworld"].clone();
        let usual = simworld("steward demo");
        assert_eq!(
            (usual["scenario"].as_str(), usual["profile"].as_str()),
            (Some("default"), Some("live_like"))
        );
        let split = simworld("steward demo --scenario split_day --profile nasty");
        assert_eq!(split["start"].as_str(), Some("2025-08-11T08:00:00Z"));
        assert_eq!(
            (split["scenario"].as_str(), split["profile"].as_str()),
            (Some("split_day"), Some("nasty"))
        );
        let hong_kong = table("steward demo --scenario hk_day");
        assert_eq!(hong_kong["stage"]["ingest"]["universe"].as_array().unwrap().len(), 6);
        let sentence = text(&options("steward demo --scenario nope"), vec![]).unwrap_err().to_string();
        assert!(sentence.contains("`nope`") && sentence.contains("hk_day"), "{sentence}");
    }

    #[test]
    fn the_universe_is_the_simulators() {
        let universe = universe(&simworld::listings()).unwrap();
        assert_eq!(universe.len(), simworld::listings().len());
        for (region, isin) in INDICES {
            assert!(universe.iter().any(|listing| listing.isin == isin), "{region}");
        }
        let find = |ticker: &str| universe.iter().find(|listing| listing.ticker == ticker).unwrap().clone();
        let jade = find("JADEP.9911.AS");
        assert_eq!((jade.lot, jade.ccy.as_str(), jade.mic.as_str()), (500, "HKD", "XHKG"));
        assert_eq!(find("AURX.EU").product_type, "etf");
        assert_eq!(find("AURX.EU").country, None);
        assert_eq!(find("RHNA.EU").product_type, "stock");
        for listing in &universe {
            listing.isin.parse::<market::Isin>().unwrap();
            listing.ccy.parse::<money::Currency>().unwrap();
        }
    }

    #[test]
    fn the_key_is_private_even_where_an_older_one_was_not() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "x").unwrap();
        let key = dir.path().join(KEY_FILE);
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
        write(dir.path(), "x").unwrap();
        assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_to_string(&key).unwrap().trim(), simworld::PRIVATE_KEY);
    }
}
