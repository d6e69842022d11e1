//! How each stage is put together when all live in one process.

use std::{cell::RefCell, fmt::Write, fs, os::unix::fs::PermissionsExt, path::Path, rc::Rc};

use bus_client::{Config, Engine, NoEdge, Node};
use market::Timestamp;
use simworld::World;
use tradernet::Keys;

use crate::world::{InProcess, Silent, WALL_UNIX_S};

/// Every stage but the simulator, in the order in which a settling round visits them.
pub const STAGES: &[&str] = &[
    "keeper",
    "ingest",
    "portfolio",
    "score",
    "optimise",
    "plan",
    "evaluate",
    "risk-gate",
    "execute",
    "notify",
    "hardware",
    "bridge",
];

/// Opens one stage on the stores of a configuration.
///
/// # Panics
/// With the stage's own sentence when it cannot start.
#[must_use]
pub fn open(name: &str, config: &Config, world: &Rc<RefCell<World>>) -> Box<dyn Node> {
    macro_rules! engine {
        ($stage:ty) => {
            Engine::<$stage>::open(config, name, None, Timestamp::from_ms(WALL_UNIX_S * 1_000))
                .unwrap_or_else(|error| panic!("{error}"))
        };
    }
    let exchange = || InProcess(Rc::clone(world));
    match contracts::stage_of(name) {
        "keeper" => Box::new((engine!(keeper::Keeper), NoEdge)),
        "ingest" => Box::new((engine!(ingest::Ingest), ingest::IngestEdge::new(exchange(), keys(), wall()))),
        "portfolio" => Box::new((
            engine!(portfolio::Portfolio),
            portfolio::PortfolioEdge::new(exchange(), keys(), wall()),
        )),
        "score" => Box::new((engine!(score::Score), score::Market::new(config))),
        "optimise" => Box::new((engine!(optimise::Optimise), optimise::Bars::new(config))),
        "plan" => Box::new((engine!(plan::Plan), NoEdge)),
        "evaluate" => Box::new((engine!(evaluate::Evaluate), NoEdge)),
        "risk-gate" => Box::new((engine!(risk_gate::RiskGate), NoEdge)),
        "execute" => {
            Box::new((engine!(execute::Execute), execute::ExecuteEdge::new(exchange(), keys(), wall())))
        }
        "notify" => Box::new((engine!(notify::Notify), NoEdge)),
        "hardware" => Box::new((engine!(link::Hardware), Silent)),
        "bridge" => Box::new((engine!(bridge::Bridge), Silent)),
        other => panic!("`{other}` is no stage of one process; add it here"),
    }
}

fn keys() -> Keys {
    Keys::new(simworld::PUBLIC_KEY, simworld::PRIVATE_KEY.into()).expect("the simulator's own keys")
}

fn wall() -> tradernet::WallClock {
    let now = u64::try_from(WALL_UNIX_S).unwrap_or(0);
    Box::new(move || now)
}

/// The stages' settings for a simulated system in one process.
#[must_use]
pub fn settings(tickers: &[&str]) -> String {
    let account = "broker_url = \"http://127.0.0.1:9/tn\"\npublic_key = \"sim-public-key-0001\"\nprivate_key_file = \"keys/broker\"\n";
    let mut text = format!(
        "[stage.portfolio]\nsync_interval_s = 900\nstale_after_s = 2700\nmode = \"live\"\n{account}[stage.execute]\n{account}[stage.risk-gate]\nmode = \"live\"\n[stage.bridge]\nlisten = \"off\"\n[stage.ingest]\nquote_interval_s = 900\nmarket_status_interval_s = 900\nhistory_days = 2600\n{account}"
    );
    for one in simworld::listings().iter().filter(|one| tickers.contains(&one.ticker)) {
        let optional = |name: &str, value: Option<&str>| {
            value.map(|value| format!("{name} = {value:?}\n")).unwrap_or_default()
        };
        let _ = write!(
            text,
            "[[stage.ingest.universe]]\nticker = {:?}\nisin = {:?}\nname = {:?}\nmic = \"{}\"\nccy = {:?}\n{}{}product_type = {:?}\nlot = {}\ntick = \"{}\"\n",
            one.ticker,
            one.isin,
            one.name,
            one.mic,
            one.ccy,
            optional("country", one.country),
            optional("industry", one.industry),
            one.product_type,
            one.lot,
            money::Price::from_e6(one.tick_e6).expect("a tick is positive"),
        );
    }
    text
}

/// The broker key where the stages look for it.
///
/// # Panics
/// When the folder cannot be written.
pub fn write_secrets(folder: &Path) {
    let keys = folder.join("keys");
    fs::create_dir_all(&keys).expect("a folder for keys");
    let file = keys.join("broker");
    fs::write(&file, simworld::PRIVATE_KEY).expect("the broker key");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("a private file");
}
