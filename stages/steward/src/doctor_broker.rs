//! `steward doctor --broker`: the probes before going live. They only read; what would place an order is left to a
//! person and listed at the end.

use bus_client::{Config, wall};
use market::Day;
use money::Currency;
use serde::Deserialize;
use tradernet::{
    Connection, Exchange, Fault, Keys, Place, ReadCommand, ReadOnly, Socket, SocketAddress, SocketEvent,
    Subscriptions, Ticker,
    commands::{
        broker_report::{ReportDays, ReportInOuts},
        candles::GetDailyCandles,
        cash_flows::GetCashFlows,
        cross_rates::GetCrossRates,
        flow_class::FlowClass,
        health::CheckHealth,
        market_status::GetMarketStatus,
        open_orders::GetOrders,
        positions::{Account, GetPositions},
        quotes::GetQuotes,
        security_info::GetSecurityInfo,
        tickers::Tickers,
    },
};

use crate::doctor::Check;

/// Days of statement, report and candles that are looked at.
const LOOK_BACK_DAYS: i32 = 90;
/// Seconds by which a stamp is wrong on purpose.
const SKEWS_S: [i64; 3] = [-120, -30, 30];
/// Longest wait for the socket's first word.
const FIRST_WORD: std::time::Duration = std::time::Duration::from_secs(10);
/// A pair's middle further than this from the reference rate is suspicious, percent.
const RATE_PERCENT_MAX: f64 = 1.0;

/// What portfolio's section says about the broker; the other settings are its own.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reach {
    broker_url: String,
    public_key: String,
    private_key_file: std::path::PathBuf,
}

/// Runs every probe that only reads.
pub(crate) async fn probes(config: &Config) -> Vec<Check> {
    let reach: Reach = match config.settings("portfolio") {
        Ok(reach) => reach,
        Err(error) => return vec![Check::fail("broker", error.to_string(), "correct [stage.portfolio]")],
    };
    let broker = match connect(config, &reach, 0) {
        Ok(broker) => broker,
        Err(sentence) => {
            return vec![Check::fail("broker", sentence, "correct [stage.portfolio] and run this again")];
        }
    };
    let mut checks = Vec::new();
    let Some(account) = account(&broker, &mut checks).await else { return checks };
    checks.extend(stamps(config, &reach).await);
    checks.extend(orders(&broker).await);
    checks.extend(candles(&broker, &account).await);
    checks.extend(pair(&broker).await);
    checks.extend(flows(&broker).await);
    checks.extend(markets(&broker).await);
    checks.push(socket(config, &reach).await);
    checks.extend(by_hand());
    checks
}

fn keys(config: &Config, reach: &Reach) -> Result<Keys, String> {
    tradernet::keys(&reach.public_key, &config.dir.join(&reach.private_key_file))
        .map_err(|error| error.sentence())
}

fn connect(config: &Config, reach: &Reach, skew_s: i64) -> Result<ReadOnly<impl Exchange + use<>>, String> {
    let place = Place::parse(&reach.broker_url, config.environment.is_simulated())
        .map_err(|error| error.sentence())?;
    let exchange = place.exchange().map_err(|error| error.sentence())?;
    let clock = move || unix_s().saturating_add_signed(skew_s);
    Ok(ReadOnly::new(exchange, keys(config, reach)?, Box::new(clock)))
}

fn unix_s() -> u64 {
    u64::try_from(wall().ms() / 1_000).unwrap_or(0)
}

/// Asks once; a fault becomes a failed check.
async fn ask<C: ReadCommand, E: Exchange>(broker: &ReadOnly<E>, command: &C) -> Result<C::Reply, Check> {
    broker.ask(command).await.map_err(|fault| failed(C::NAME, &fault))
}

fn failed(name: &str, fault: &Fault) -> Check {
    let to_do = if fault.stops_trading() {
        "leave trading off; check key, address and clock"
    } else {
        "run this again in some minutes"
    };
    Check::fail(format!("broker {name}"), fault.to_string(), to_do)
}

/// Probe 1: does the key work, is the account loaded, what do the amounts look like.
async fn account<E: Exchange>(broker: &ReadOnly<E>, checks: &mut Vec<Check>) -> Option<Account> {
    if let Err(check) = ask(broker, &CheckHealth).await {
        checks.push(check);
        return None;
    }
    checks.push(Check::ok("broker key", "accepted"));
    let account = match ask(broker, &GetPositions).await {
        Ok(account) => account,
        Err(check) => {
            checks.push(check);
            return None;
        }
    };
    let shown = |money: Option<money::Money>| money.map_or("unknown".to_owned(), |m| m.to_string());
    let cash: Vec<String> = account
        .cash
        .iter()
        .map(|row| {
            format!("{} (to come {}, to go {})", row.available, shown(row.receivable), shown(row.payable))
        })
        .collect();
    let found = format!("{} positions; cash {}", account.positions.len(), cash.join(", "));
    checks.push(Check::warn(
        "broker account",
        found,
        "compare cash and unsettled amounts with the broker's own page",
    ));
    Some(account)
}

/// Probe 2: how wrong a stamp may be.
async fn stamps(config: &Config, reach: &Reach) -> Vec<Check> {
    let mut checks = Vec::new();
    for skew in SKEWS_S {
        let name = format!("broker stamp {skew:+} s");
        let Ok(broker) = connect(config, reach, skew) else { continue };
        checks.push(match broker.ask(&CheckHealth).await {
            Ok(()) => Check::ok(name, "accepted"),
            Err(Fault::Auth { .. }) => {
                Check::warn(name, "refused", "keep the clock synchronised: this is the tolerance")
            }
            Err(fault) => failed("stamp", &fault),
        });
    }
    checks
}

/// Probe 3: the shape of the listings, and whether they repeat the caller's id.
async fn orders<E: Exchange>(broker: &ReadOnly<E>) -> Vec<Check> {
    let mut checks = Vec::new();
    for active_only in [true, false] {
        let name = if active_only { "broker open orders" } else { "broker today's orders" };
        match ask(broker, &GetOrders { active_only }).await {
            Err(check) => checks.push(check),
            Ok(orders) if !orders.unreadable.is_empty() => {
                let found =
                    format!("{} of {} rows cannot be read", orders.unreadable.len(), orders.rows.len());
                checks.push(Check::fail(name, found, "leave trading off: each counts as a pending order"));
            }
            Ok(orders) => {
                let echoed = orders.rows.iter().filter(|row| row.user_order_id.is_some()).count();
                checks.push(Check::ok(
                    name,
                    format!("{} rows, {echoed} with the caller's id", orders.rows.len()),
                ));
            }
        }
    }
    checks
}

/// Probe 6: candles of what is held; a jump that looks like a split shows whether history is re-based.
async fn candles<E: Exchange>(broker: &ReadOnly<E>, account: &Account) -> Vec<Check> {
    let Some(position) = account.positions.first() else {
        return vec![Check::ok("broker candles", "nothing is held, nothing was asked")];
    };
    let Some((from, to)) = days() else { return Vec::new() };
    let Ok(tickers) = Tickers::new(vec![position.ticker.clone()]) else { return Vec::new() };
    match ask(broker, &GetDailyCandles { tickers, from, to }).await {
        Err(check) => vec![check],
        Ok(found) => {
            let history = found.by_ticker.get(&position.ticker);
            let candles = history.map_or(&[][..], |history| &history.candles);
            let (first, last) = (candles.first(), candles.last());
            let span = first.zip(last).map_or("none".to_owned(), |(a, b)| format!("{} to {}", a.day, b.day));
            let dropped = history.map_or(0, |history| history.dropped);
            vec![Check::warn(
                "broker candles",
                format!("{}: {} candles, {span}, {dropped} unreadable", position.ticker, candles.len()),
                "compare the first and the last day with a chart; look at a security with a known split",
            )]
        }
    }
}

/// Probe 7: lot, step and price of a currency pair against the reference rate.
async fn pair<E: Exchange>(broker: &ReadOnly<E>) -> Vec<Check> {
    let Ok(ticker) = Ticker::parse("EUR/USD") else { return Vec::new() };
    let info = match ask(broker, &GetSecurityInfo { ticker: ticker.clone() }).await {
        Ok(info) => info,
        Err(check) => return vec![check],
    };
    let text = |value: Option<String>| value.unwrap_or("unknown".to_owned());
    let described = format!(
        "lot {}, step {}",
        text(info.lot.map(|lot| lot.to_string())),
        text(info.tick.map(|tick| tick.to_string()))
    );
    let mut checks = vec![Check::ok("broker EUR/USD", described)];
    let Ok(tickers) = Tickers::new(vec![ticker.clone()]) else { return checks };
    let quotes = ask(broker, &GetQuotes { tickers }).await;
    let rates = ask(broker, &GetCrossRates { currencies: vec![Currency::USD], day: None }).await;
    let (quotes, rates) = match (quotes, rates) {
        (Ok(quotes), Ok(rates)) => (quotes, rates),
        (Err(check), _) | (_, Err(check)) => {
            checks.push(check);
            return checks;
        }
    };
    let last =
        quotes.by_ticker.get(&ticker).and_then(|quote| quote.last).map(|price| price.e6() as f64 / 1e6);
    let reference = rates.eur_per_unit.get(&Currency::USD).map(|rate| 1e9 / rate.e9() as f64);
    checks.push(match last.zip(reference) {
        Some((last, reference)) if (last / reference - 1.0).abs() * 100.0 <= RATE_PERCENT_MAX => {
            Check::ok("broker rates", format!("pair {last:.4}, reference {reference:.4}"))
        }
        Some((last, reference)) => Check::fail(
            "broker rates",
            format!("pair {last:.4}, reference {reference:.4}"),
            "leave trading off: the direction of the pair or of the rate is not what Steward expects",
        ),
        None => {
            Check::warn("broker rates", "no price or no reference rate", "run this again in trading hours")
        }
    });
    checks
}

/// Probe 8: the statement against the report.
async fn flows<E: Exchange>(broker: &ReadOnly<E>) -> Vec<Check> {
    let Some((from, till)) = days() else { return Vec::new() };
    let page = match ask(broker, &GetCashFlows { since: Some(from), page: 0 }).await {
        Ok(page) => page,
        Err(check) => return vec![check],
    };
    let unknown: Vec<&str> = page
        .rows
        .iter()
        .filter(|flow| flow.kind.class == FlowClass::Other)
        .map(|flow| flow.type_code.as_str())
        .collect();
    let mut checks = vec![if unknown.is_empty() {
        Check::ok(
            "broker statement",
            format!("{} lines in {LOOK_BACK_DAYS} days, last page {}", page.rows.len(), page.is_last()),
        )
    } else {
        Check::warn(
            "broker statement",
            format!("unknown kinds: {}", unknown.join(", ")),
            "report them; they count as other",
        )
    }];
    if let Some(first) = page.unreadable.first() {
        let found =
            format!("{} lines cannot be read, the first because {}", page.unreadable.len(), first.flaw);
        checks.push(Check::warn("broker statement lines", found, "report them; they are not booked"));
    }
    match ask(broker, &ReportInOuts(ReportDays { from, till })).await {
        Err(check) => checks.push(check),
        Ok(rows) => {
            let reported: Vec<(Day, money::Money)> = rows.iter().map(|row| (row.day, row.amount)).collect();
            let missing = reported.iter().filter(|(day, amount)| {
                !page.rows.iter().any(|flow| flow.day == *day && flow.amount == *amount)
            });
            checks.push(match missing.count() {
                0 => Check::ok(
                    "broker report",
                    format!("{} deposits and withdrawals, all in the statement", reported.len()),
                ),
                n => Check::warn(
                    "broker report",
                    format!("{n} are not in the statement's first page"),
                    "compare dates and signs by eye",
                ),
            });
        }
    }
    checks
}

/// Probe 9: opening hours with id, difference and holidays.
async fn markets<E: Exchange>(broker: &ReadOnly<E>) -> Vec<Check> {
    let status = match ask(broker, &GetMarketStatus).await {
        Ok(status) => status,
        Err(check) => return vec![check],
    };
    let row = |code: &str| status.markets.iter().find(|market| market.code == code);
    let check = |code: &str| {
        let name = format!("broker market {code}");
        let Some(market) = row(code) else {
            return Check::warn(name, "not listed", "its venues count as closed");
        };
        let found = format!(
            "id {:?}, {:?}, {:?} minutes behind Moscow, {} special days",
            market.market_id,
            market.state,
            market.moscow_ahead_min,
            market.special_days.len()
        );
        if market.moscow_ahead_min.is_none() || market.open_s.is_none() {
            return Check::warn(name, found, "hours cannot be read; the built-in calendar decides alone");
        }
        Check::ok(name, found)
    };
    ["FIX", "EU", "HKEX", "MONEY"].map(check).to_vec()
}

/// Whether the socket knows the key: without that its account topics are worthless.
async fn socket(config: &Config, reach: &Reach) -> Check {
    let name = "broker socket";
    let address = match SocketAddress::beside(&reach.broker_url) {
        Ok(address) => address,
        Err(fault) => {
            return Check::fail(name, fault.to_string(), "correct `broker_url` in [stage.portfolio]");
        }
    };
    let keys = match keys(config, reach) {
        Ok(keys) => keys,
        Err(sentence) => return Check::fail(name, sentence, "correct [stage.portfolio]"),
    };
    let first = async {
        let mut connection = Connection::open(&address, &keys, unix_s()).await?;
        let mut socket = Socket::new(Subscriptions::default());
        socket.opened();
        loop {
            match socket.heard(&connection.hear().await?) {
                SocketEvent::Ignored => {}
                event => return Ok(event),
            }
        }
    };
    let to_do = "nothing is lost: everything works by polling";
    match tokio::time::timeout(FIRST_WORD, first).await {
        Ok(Ok(SocketEvent::Known)) => Check::ok(name, "knows the key"),
        Ok(Ok(event)) => Check::warn(name, format!("does not know the key ({event:?})"), to_do),
        Ok(Err::<_, tradernet::SocketLost>(lost)) => Check::warn(name, lost.to_string(), to_do),
        Err(_) => Check::warn(name, "says nothing", to_do),
    }
}

/// What only a person may try, with the smallest amounts.
fn by_hand() -> Vec<Check> {
    [
        (
            "one limit order far from the market, read back, cancelled",
            "status codes, zone of `date`, the caller's id",
        ),
        ("the same caller's id twice, far from the market, both cancelled", "whether two orders arise"),
        ("one smallest currency exchange", "lot, fee, direction of both amounts"),
    ]
    .map(|(what, learns)| {
        Check::warn(
            "by hand",
            format!("{what}: {learns}"),
            "on the broker's page, before `mode = \"live\"`; never sell more than is held",
        )
    })
    .to_vec()
}

fn days() -> Option<(Day, Day)> {
    let today = i32::try_from(wall().ms() / 86_400_000).ok()?;
    Some((Day::from_epoch_days(today - LOOK_BACK_DAYS)?, Day::from_epoch_days(today)?))
}
