//! What goes wrong in a run, and how often: chosen by the seed, so that most runs have several faults at once and some
//! have none of a kind.

use bus_client::transport::local::Faults;
use serde_json::{Value, json};

use crate::dice::Dice;

/// How bad a run is.
#[derive(Debug, Clone)]
pub struct Weather {
    /// The bus.
    pub bus: Faults,
    /// Of 1 000 inputs of a stage, how often its process ends there.
    pub kills: u64,
    /// Of 1 000 inputs, how often the write that follows fails or is the last thing the process does.
    pub writes: u64,
    /// Of 1 000 steps, how often the bus forgets everything.
    pub bus_restarts: u64,
    /// Of 1 000 steps, how often a person, a button or the home halts.
    pub halts: u64,
    /// Of 1 000 steps, how often the clock jumps.
    pub clock_steps: u64,
    /// Of 1 000 steps, how often prices stop coming.
    pub silence: u64,
    /// Of 1 000 replies of the broker, how often one comes back late.
    pub late_replies: u64,
    /// Of 1 000 steps, how often a stage loses the bus and works on.
    pub cut_off: u64,
    /// Of 1 000 steps, how often the disk of a stage is full for a while.
    pub disk_full: u64,
    /// Of 1 000 steps, how often somebody on the bus claims to be the gate.
    pub intruder: u64,
    /// Rules of the simulated broker.
    pub broker: Vec<Value>,
    /// The broker's lists of orders cannot be read while the fate of an order is open.
    pub blind: bool,
    /// The broker repeats our number in its lists.
    pub echo: bool,
    /// Share of orders that come in parts, of 1 000.
    pub parts: u64,
    /// The broker's trades name their fees; else only its statement of the account does.
    pub fee_in_rows: bool,
}

impl Weather {
    /// The weather of a seed.
    pub fn of(dice: &mut Dice) -> Weather {
        let mut some = |most: u64| if dice.chance(500) { 1 + dice.roll(most) } else { 0 };
        let per_mille = |number: u64| u32::try_from(number).unwrap_or(0);
        let bus =
            Faults { drop: per_mille(some(60)), double: per_mille(some(120)), delay: per_mille(some(120)) };
        let (kills, writes) = (some(6), some(12));
        let (bus_restarts, halts, clock_steps) = (some(3), some(4), some(8));
        let (silence, intruder, parts) = (some(4), some(10), some(600));
        let (late_replies, cut_off, disk_full) = (some(100), some(4), some(3));
        let mut broker = broker(dice);
        let blind = dice.apart().chance(120);
        broker.extend(blind.then(lost_answers));
        Weather {
            bus,
            kills,
            writes,
            bus_restarts,
            halts,
            clock_steps,
            silence,
            late_replies,
            cut_off,
            disk_full,
            intruder,
            broker,
            blind,
            echo: !dice.chance(250),
            parts,
            fee_in_rows: !dice.chance(250),
        }
    }

    /// Nothing goes wrong any more.
    pub fn calm(&mut self) {
        self.bus = Faults::default();
        (self.kills, self.writes, self.bus_restarts, self.halts) = (0, 0, 0, 0);
        (self.clock_steps, self.silence, self.intruder) = (0, 0, 0);
        (self.late_replies, self.cut_off, self.disk_full) = (0, 0, 0);
    }
}

/// Everything that the simulated broker can do wrong, each with a chance of its own. Prices that are a few percent wrong
/// are left out: whoever has one source cannot tell them from a market that moves; `ingest` proves what more sources can.
fn broker(dice: &mut Dice) -> Vec<Value> {
    let [positions, today, history, trades] =
        ["getPositionJson", "getNotifyOrderJson", "getOrdersHistory", "getTradesHistory"];
    let (flows, quotes) = ("getUserCashFlows", "getStockQuotesJson");
    let (place, cancel) = ("putTradeOrder", "delTradeOrder");
    // Lists lag by less than the time after which an order that is not listed counts as never arrived.
    let lag = json!({"kind": "stale_list", "s": 20 + dice.roll(80)});
    let spike = dice.pick(&["10", "0.1", "100", "0", "-1"]).unwrap_or("10");
    let effects: Vec<(&str, &str, Value)> = vec![
        ("lost-before", place, json!({"kind": "timeout_before", "ms": 15_000})),
        ("lost-after", place, json!({"kind": "timeout_after", "ms": 15_000})),
        ("reset-after", place, json!({"kind": "reset_after"})),
        ("half-an-answer", place, json!({"kind": "truncate"})),
        ("garbage", place, json!({"kind": "malformed"})),
        ("ill", place, json!({"kind": "http", "status": 500, "processed": false})),
        ("gateway", place, json!({"kind": "http", "status": 502, "processed": false})),
        ("gateway-but-done", place, json!({"kind": "http", "status": 504, "processed": true})),
        ("wall", place, json!({"kind": "http_403_html"})),
        ("limited", place, json!({"kind": "rate_limit", "body": false, "retry_after": 5})),
        ("limited-in-the-body", place, json!({"kind": "rate_limit", "body": true, "retry_after": 5})),
        ("refused", place, json!({"kind": "error", "code": 12, "text": "Instrument is blocked for trading"})),
        ("refused-with-zero", place, json!({"kind": "error", "code": 0, "text": "Not enough money"})),
        ("slow", place, json!({"kind": "slow", "ms": 9_000})),
        ("rejected-late", place, json!({"kind": "reject_late", "status": 70, "after_ms": 400})),
        ("sending-failed-late", place, json!({"kind": "reject_late", "status": 74, "after_ms": 90_000})),
        ("part-then-dead", place, json!({"kind": "partial_then_dead"})),
        ("fills-while-cancelling", place, json!({"kind": "cancel_race"})),
        ("cancel-lost", cancel, json!({"kind": "timeout_before", "ms": 9_000})),
        ("cancel-lost-but-done", cancel, json!({"kind": "timeout_after", "ms": 9_000})),
        ("reading-ill", positions, json!({"kind": "http", "status": 503, "processed": false})),
        ("reading-garbage", today, json!({"kind": "malformed"})),
        ("reading-half", trades, json!({"kind": "truncate"})),
        ("reading-empty", positions, json!({"kind": "empty_ok"})),
        ("reading-limited", positions, json!({"kind": "rate_limit", "body": true, "retry_after": 5})),
        ("statement-ill", flows, json!({"kind": "http", "status": 500, "processed": false})),
        ("orders-lag", today, lag.clone()),
        ("history-lags", history, lag.clone()),
        ("trades-lag", trades, lag.clone()),
        ("positions-lag", positions, lag),
        ("cash-lags", positions, json!({"kind": "cash_lag", "s": 60})),
        ("no-echo", today, json!({"kind": "drop_echo"})),
        ("prices-ill", quotes, json!({"kind": "malformed"})),
        ("prices-spike", quotes, json!({"kind": "spike", "factor": spike})),
        ("all-slow", "*", json!({"kind": "slow", "ms": 700})),
    ];
    let mut rules = Vec::new();
    for (id, cmd, effect) in effects {
        if dice.chance(300) {
            #[allow(clippy::cast_precision_loss)]
            let prob = (20 + dice.roll(280)) as f64 / 1_000.0;
            rules.push(json!({
                "id": id, "target": "tn", "cmd": cmd, "ticker": "*", "when": {"prob": prob}, "effect": effect,
            }));
        }
    }
    rules
}

/// In a blind run placements lose their answers, so that there is something not to be seen: what is not seen must not count
/// as absent.
fn lost_answers() -> Value {
    json!({"id": "blind-to-answers", "target": "tn", "cmd": "putTradeOrder", "ticker": "*", "when": {"prob": 0.7},
        "effect": {"kind": "timeout_after", "ms": 15_000}})
}

/// The lists of orders cannot be read.
pub fn blindfold() -> Value {
    json!({"id": BLINDFOLD, "target": "tn", "cmd": "getNotifyOrderJson", "ticker": "*", "when": {"prob": 1.0},
        "effect": {"kind": "http", "status": 503, "processed": false}})
}

/// Its name.
pub const BLINDFOLD: &str = "blind";
