//! `steward golive`: what is missing before orders may reach the real account, and, with the words that confirm it, the
//! switch itself. The switch is a setting of the keeper, which writes it into its audit.
//!
//! Nothing here makes an order possible: `execute` judges its three conditions itself, whatever was said here.

use bus_client::{Config, Environment, wall};
use contracts::{
    Breaker, Health, HealthState, Mode, OrderState, OrderStatus, Outcome, PortfolioState, Reconciliation,
    RiskHalt, RiskState, SetSetting, SettingsSnapshot, TRADING_MODE, TopicId, receive,
};
use serde::Serialize;

use crate::{
    Fault,
    bus::{self, Message},
    cli::GoliveOptions,
    print,
};

const TOPICS: [TopicId; 7] = [
    TopicId::SystemHealth,
    TopicId::SystemSettings,
    TopicId::RiskHalt,
    TopicId::RiskState,
    TopicId::PortfolioState,
    TopicId::PortfolioReconciliation,
    TopicId::OrderState,
];
const KEEPER: &str = "keeper";
/// Older readings of the account are no ground to go live on.
const ACCOUNT_AGE_MS: i64 = 300_000;
/// The clock of this machine and the stages' may differ by this.
const CLOCK_MS: i64 = 5_000;
/// Stages without which no order can be judged, placed and booked.
const NEEDED: [&str; 6] = ["ingest", "portfolio", "plan", "risk-gate", "execute", "keeper"];

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Line {
    check: &'static str,
    ok: bool,
    found: String,
    to_do: &'static str,
}

/// What was heard.
#[derive(Debug, Default)]
struct Heard {
    reached: bool,
    health: Vec<(Health, market::Timestamp)>,
    settings: Option<SettingsSnapshot>,
    halt: Option<RiskHalt>,
    risk: Option<RiskState>,
    account: Option<PortfolioState>,
    books: Vec<Reconciliation>,
    orders: Vec<OrderState>,
}

/// Runs the command; the exit code: 0 when nothing is missing, or the switch was made.
///
/// # Errors
/// When the keeper does not answer.
pub async fn run(options: &GoliveOptions) -> Result<u8, Fault> {
    let config = options.place.read()?;
    if options.research {
        return back(&config).await;
    }
    let heard = match bus::kept(&config, &TOPICS).await {
        Ok(messages) => understand(&messages),
        Err(fault) => {
            print::note(&fault.to_string());
            Heard::default()
        }
    };
    let list = lines(&config, &heard, wall());
    let missing = list.iter().filter(|line| !line.ok).count();
    if options.json {
        print::json(&list);
    } else {
        for line in &list {
            print::data(&format!(
                "{}  {:22} {}",
                if line.ok { "ok     " } else { "MISSING" },
                line.check,
                line.found
            ));
            if !line.ok {
                print::data(&format!("         {:22} → {}", "", line.to_do));
            }
        }
    }
    if missing > 0 {
        print::note(&format!("{missing} of {} are missing; nothing was changed.", list.len()));
        return Ok(1);
    }
    match &options.confirm {
        None => {
            print::note("Nothing is missing. Real money is at stake from: steward golive --confirm live");
            Ok(0)
        }
        Some(words) => switch(&config, words).await,
    }
}

async fn switch(config: &Config, words: &str) -> Result<u8, Fault> {
    let actor = crate::halt::person();
    let setting = TRADING_MODE.to_string();
    let asked = SetSetting { actor, setting, value: "live".into(), confirm: Some(words.to_string()) };
    let reply = bus::ask(config, KEEPER, asked).await?;
    print::note(&reply.text);
    Ok(u8::from(reply.outcome != Outcome::Done))
}

/// Back to paper, at once and without conditions; what still works at the broker is named.
async fn back(config: &Config) -> Result<u8, Fault> {
    let (actor, setting) = (crate::halt::person(), TRADING_MODE.to_string());
    let asked = SetSetting { actor, setting, value: "research".into(), confirm: None };
    let reply = bus::ask(config, KEEPER, asked).await?;
    print::note(&reply.text);
    let orders = bus::kept(config, &[TopicId::OrderState]).await.map(|messages| understand(&messages).orders);
    match orders {
        Ok(orders) => left_working(&orders).iter().for_each(|line| print::note(line)),
        Err(_) => print::note("What still works at the broker could not be asked; look at its page."),
    }
    Ok(u8::from(reply.outcome != Outcome::Done))
}

/// Orders with real money that are not over.
fn left_working(orders: &[OrderState]) -> Vec<String> {
    let working = orders.iter().filter(|order| order.mode == Mode::Live && !order.status.is_final());
    working
        .map(|order| {
            let side = if order.side == contracts::Side::Buy { "buy" } else { "sell" };
            format!(
                "STILL AT THE BROKER, with real money: {side} {} {} (order {}, {:?}). It is not cancelled; do that at the broker if it should not be filled.",
                order.qty_e6, order.isin, order.order_id, order.status
            )
        })
        .collect()
}

fn understand(messages: &[Message]) -> Heard {
    let mut heard = Heard { reached: true, ..Heard::default() };
    for message in messages {
        let Some(address) = &message.address else { continue };
        let (key, payload) = (address.key.as_str(), message.payload.as_slice());
        macro_rules! body {
            () => {
                receive(key, payload).ok().and_then(|one| one.body)
            };
        }
        match address.topic {
            TopicId::SystemHealth => {
                let Ok(one) = receive::<Health>(key, payload) else { continue };
                heard.health.extend(one.body.zip(one.meta.map(|meta| meta.at)));
            }
            TopicId::SystemSettings => heard.settings = body!(),
            TopicId::RiskHalt => heard.halt = body!(),
            TopicId::RiskState => heard.risk = body!(),
            TopicId::PortfolioState => heard.account = body!(),
            TopicId::PortfolioReconciliation => heard.books.extend(body!()),
            TopicId::OrderState => heard.orders.extend(body!()),
            _ => {}
        }
    }
    heard
}

/// The list, in the order in which a person would work it off.
fn lines(config: &Config, heard: &Heard, now: market::Timestamp) -> Vec<Line> {
    let says =
        |stage: &str, key: &str, wanted: &str| config.value(stage, key).is_some_and(|value| value == wanted);
    let line = |check, ok, found: &str, to_do| Line { check, ok, found: found.into(), to_do };
    let word = |ok: bool| if ok { "yes" } else { "no" };
    let live = config.environment == Environment::Live;
    let gate = says("risk-gate", "mode", "live");
    let books = says("portfolio", "mode", "live");
    let allowed = says("execute", "allow_live", "true");
    let mut list = vec![
        line(
            "real world",
            live,
            &config.environment.to_string(),
            "use a configuration with environment = \"live\"",
        ),
        line(
            "gate may",
            gate,
            word(gate),
            "[stage.risk-gate] mode = \"live\" in steward.toml, then restart it",
        ),
        line(
            "books follow",
            books,
            word(books),
            "[stage.portfolio] mode = \"live\" in steward.toml, then restart it",
        ),
        line(
            "execute may",
            allowed,
            word(allowed),
            "[stage.execute] allow_live = true in steward.toml, then restart it",
        ),
    ];
    let key =
        config.dir.join(config.value("execute", "private_key_file").unwrap_or_else(|| "keys/broker".into()));
    list.push(line(
        "broker key",
        key.exists(),
        &key.display().to_string(),
        "put the trading key there, readable by its owner alone",
    ));
    list.push(line("bus", heard.reached, word(heard.reached), "start the stages with `steward up`"));
    let ill: Vec<String> = NEEDED
        .iter()
        .filter(|name| {
            !heard.health.iter().any(|(one, _)| one.stage == **name && one.state == HealthState::Healthy)
        })
        .map(|name| (*name).to_string())
        .collect();
    let found =
        if ill.is_empty() { "all healthy".into() } else { format!("not healthy: {}", ill.join(", ")) };
    list.push(line("stages", ill.is_empty(), &found, "look at `steward status` and at the log of each"));
    let skew = heard.health.iter().map(|(_, said)| now.since(*said)).min();
    let right = skew.is_some_and(|skew| (-CLOCK_MS..=60_000).contains(&skew));
    list.push(line(
        "clock",
        right,
        &skew.map_or_else(|| "unknown".into(), |ms| format!("{ms} ms from the stages'")),
        "synchronise the clock of this machine",
    ));
    let halted = heard.halt.as_ref().map(|halt| halt.halted);
    let found = match halted {
        Some(false) => "none",
        Some(true) => "trading is halted",
        None => "unknown",
    };
    list.push(line(
        "halts",
        halted == Some(false),
        found,
        "settle the cause, then `steward resume 'why it is safe'`",
    ));
    let breaker = heard.risk.as_ref().map(|risk| risk.breaker);
    let armed = matches!(breaker, Some(Breaker::Normal | Breaker::SellsBlocked));
    let found = breaker.map_or_else(|| "unknown".to_string(), |breaker| format!("{breaker:?}"));
    list.push(line("breaker", armed, &found, "wait for a whole valuation; look at `steward risk`"));
    let fresh = heard
        .account
        .as_ref()
        .is_some_and(|account| !account.stale && now.since(account.at) <= ACCOUNT_AGE_MS);
    let found = heard
        .account
        .as_ref()
        .map_or_else(|| "never read".to_string(), |account| format!("read at {}", account.at));
    list.push(line("account", fresh, &found, "check the broker's key and the connection"));
    let valued =
        heard.account.as_ref().is_some_and(|account| account.nav.is_some() && account.unvalued.is_empty());
    list.push(line(
        "prices",
        valued,
        if valued { "every holding has one" } else { "some are missing" },
        "wait for prices and rates; look at `steward status`",
    ));
    let differ: Vec<String> =
        heard.books.iter().filter(|one| !one.agrees).map(|one| one.currency.to_string()).collect();
    let clean = differ.is_empty() && !heard.books.is_empty();
    let found = if clean {
        "agree with the broker's".into()
    } else {
        format!("not compared, or differ: {}", differ.join(", "))
    };
    list.push(line("books", clean, &found, "look for a deposit, fee or trade that was not booked"));
    let open = heard
        .orders
        .iter()
        .filter(|order| matches!(order.status, OrderStatus::Unknown | OrderStatus::Sending))
        .count();
    list.push(line(
        "orders",
        open == 0,
        &format!("{open} of unknown fate"),
        "wait until the broker has been asked",
    ));
    let paper = heard
        .orders
        .iter()
        .filter(|order| order.mode == Mode::Research && order.status == OrderStatus::Filled)
        .count();
    list.push(line(
        "on paper",
        true,
        &format!("{paper} orders filled in the last day"),
        "watch research mode for some weeks first",
    ));
    let mode = heard.settings.as_ref().map(SettingsSnapshot::trading_mode);
    let found = if mode == Some(Mode::Live) { "live already" } else { "research" };
    list.push(line("setting", mode.is_some(), found, "start the keeper"));
    list
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    use contracts::Sample;
    use market::Timestamp;

    use super::*;

    const LIVE: &str = "environment = \"live\"\n[stage.risk-gate]\nmode = \"live\"\n[stage.portfolio]\nmode = \"live\"\n[stage.execute]\nallow_live = true\n";

    fn now() -> Timestamp {
        "2026-03-02T14:31:10Z".parse().unwrap()
    }

    fn good() -> Heard {
        let health = |stage: &&str| {
            (Health { stage: (*stage).into(), state: HealthState::Healthy, ..Health::sample() }, now())
        };
        Heard {
            reached: true,
            health: NEEDED.iter().map(health).collect(),
            settings: Some(SettingsSnapshot::sample()),
            halt: Some(RiskHalt { halted: false, halts: vec![], at: now() }),
            risk: Some(RiskState::sample()),
            account: Some(PortfolioState { at: now(), stale: false, ..PortfolioState::sample() }),
            books: vec![Reconciliation::sample()],
            orders: vec![],
        }
    }

    fn missing(toml: &str, dir: &Path, change: impl FnOnce(&mut Heard)) -> Vec<&'static str> {
        let config = Config::parse(toml, &dir.join("steward.toml")).unwrap();
        let mut heard = good();
        change(&mut heard);
        lines(&config, &heard, now()).into_iter().filter(|line| !line.ok).map(|line| line.check).collect()
    }

    fn with_key() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("keys")).unwrap();
        std::fs::write(dir.path().join("keys/broker"), "x").unwrap();
        dir
    }

    #[test]
    fn nothing_is_missing_when_everything_is_there() {
        assert_eq!(missing(LIVE, with_key().path(), |_| ()), Vec::<&str>::new());
    }

    #[test]
    fn going_back_names_only_live_orders_that_are_not_over() {
        let order = |mode, status| OrderState { mode, status, ..OrderState::sample() };
        let lines = left_working(&[
            order(Mode::Live, OrderStatus::Accepted),
            order(Mode::Live, OrderStatus::Unknown),
            order(Mode::Live, OrderStatus::Filled),
            order(Mode::Research, OrderStatus::Accepted),
        ]);
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].contains(&OrderState::sample().order_id.to_string()), "{lines:?}");
    }

    #[test]
    fn a_fresh_configuration_names_everything() {
        let dir = tempfile::tempdir().unwrap();
        let found = missing("environment = \"sim:1\"", dir.path(), |heard| *heard = Heard::default());
        for name in [
            "real world",
            "gate may",
            "books follow",
            "execute may",
            "broker key",
            "bus",
            "stages",
            "halts",
            "breaker",
            "account",
            "books",
            "setting",
        ] {
            assert!(found.contains(&name), "{name}: {found:?}");
        }
    }

    #[test]
    fn each_thing_that_is_wrong_is_named_alone() {
        type Change = fn(&mut Heard);
        let cases: [(&str, Change); 9] = [
            ("stages", |heard| heard.health[3].0.state = HealthState::Degraded),
            ("halts", |heard| heard.halt = Some(RiskHalt::sample())),
            ("breaker", |heard| heard.risk.as_mut().unwrap().breaker = Breaker::Unknown),
            ("account", |heard| heard.account.as_mut().unwrap().at = now().saturating_minus_ms(300_001)),
            ("prices", |heard| heard.account.as_mut().unwrap().unvalued = vec!["X".into()]),
            ("books", |heard| heard.books[0].agrees = false),
            ("books", |heard| heard.books.clear()),
            ("orders", |heard| {
                heard.orders = vec![OrderState { status: OrderStatus::Unknown, ..OrderState::sample() }]
            }),
            ("clock", |heard| {
                heard.health.iter_mut().for_each(|(_, said)| *said = now().saturating_plus_ms(5_001))
            }),
        ];
        let dir = with_key();
        for (name, change) in cases {
            assert_eq!(missing(LIVE, dir.path(), change), [name]);
        }
    }
}
