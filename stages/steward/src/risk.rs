//! `steward risk`: every guard between the fund and its next order, what it found, and when it opens again.

use bus_client::Environment;
use contracts::{Breaker, Cooldown, Finite, Guard, RiskHalt, RiskState, TopicId, Universe, receive};
use market::Isin;
use serde_json::json;

use crate::{
    Fault,
    bus::{self, Message},
    cli::DataOptions,
    figures, print,
};

const TOPICS: [TopicId; 3] = [TopicId::RiskHalt, TopicId::RiskState, TopicId::MarketUniverse];

/// What was heard.
#[derive(Debug, Default)]
struct Heard {
    state: Option<RiskState>,
    halt: Option<RiskHalt>,
    universe: Option<Universe>,
    /// Whether the broker is a simulated one.
    simulated: bool,
}

/// Runs the command; the exit code: 0 when nothing stands in the way of an order.
///
/// # Errors
/// When the bus cannot be reached, or the gate has said nothing.
pub async fn run(options: &DataOptions) -> Result<u8, Fault> {
    let config = options.place.read()?;
    let mut heard = understand(&bus::kept(&config, &TOPICS).await?);
    heard.simulated = config.environment != Environment::Live;
    let Some(state) = &heard.state else {
        return Err(Fault::Refused("the gate has said nothing; look at `steward status`".into()));
    };
    if options.json {
        print::json(&json!({ "state": state, "halt": heard.halt }));
    } else {
        lines(state, &heard).iter().for_each(|line| print::data(line));
    }
    Ok(u8::from(state.guards.iter().any(|guard| !guard.free)))
}

fn understand(messages: &[Message]) -> Heard {
    let mut heard = Heard::default();
    for message in messages {
        let Some(address) = &message.address else { continue };
        let (key, payload) = (address.key.as_str(), message.payload.as_slice());
        match address.topic {
            TopicId::RiskState => heard.state = receive(key, payload).ok().and_then(|one| one.body),
            TopicId::RiskHalt => heard.halt = receive(key, payload).ok().and_then(|one| one.body),
            TopicId::MarketUniverse => heard.universe = receive(key, payload).ok().and_then(|one| one.body),
            _ => {}
        }
    }
    heard
}

fn lines(state: &RiskState, heard: &Heard) -> Vec<String> {
    let percent = |share: Option<Finite>| share.map_or_else(|| "unknown".into(), figures::percent);
    let mode = match state.mode {
        contracts::Mode::Live if heard.simulated => "live: orders go to the simulated broker, no real money",
        contracts::Mode::Live => "live: real money",
        contracts::Mode::Research => "research: on paper only",
    };
    let breaker = match state.breaker {
        Breaker::Normal => "normal",
        Breaker::SellsBlocked => "nothing is sold",
        Breaker::Halted => "nothing is traded",
        Breaker::Unknown => "cannot be judged",
    };
    let fall = state.drawdown.map_or_else(|| "unknown".into(), |fall| format!("{:.1} %", fall.get() * 100.0));
    let mut lines = vec![
        format!("Mode        {mode}"),
        format!("Today       {} since yesterday; the breaker says: {breaker}", percent(state.day_change)),
        format!("Drawdown    {fall} below the highest value of 90 days"),
        format!("Orders      {} today, {} in seven days", state.trades_today, state.trades_week),
        String::new(),
        format!("{:5} {:16} {:44} {:22} {}", "", "Guard", "Found", "Allowed", "Opens"),
    ];
    lines.extend(state.guards.iter().map(guard));
    if let Some(halt) = heard.halt.as_ref().filter(|halt| halt.halted) {
        lines.push(String::new());
        lines.push("Halted; only a person ends it: steward resume 'what you looked at'".into());
        let open = |one: &contracts::HaltEntry| {
            format!(
                "  since {} UTC by {} ({}): {}",
                figures::minute(one.since),
                one.actor,
                one.reason,
                one.text
            )
        };
        lines.extend(halt.halts.iter().map(open));
    }
    if !state.cooldowns.is_empty() {
        lines.push(String::new());
        lines.push(format!(
            "{:32} {:17} {:17} {}",
            "Resting after a trade", "Buy from", "Sell from", "Because of"
        ));
        lines.extend(state.cooldowns.iter().map(|one| cooldown(one, heard.universe.as_ref())));
    }
    lines
}

fn guard(guard: &Guard) -> String {
    let word = if guard.free { "free " } else { "WAIT " };
    let opens = match (guard.free, guard.until) {
        (true, _) => String::new(),
        (false, Some(until)) => format!("{} UTC", figures::minute(until)),
        (false, None) => "when that changes".into(),
    };
    format!("{word} {:16} {:44} {:22} {opens}", guard.guard, guard.found, guard.limit).trim_end().to_string()
}

fn cooldown(one: &Cooldown, universe: Option<&Universe>) -> String {
    let at = |when: Option<market::Timestamp>| when.map_or_else(|| "now".into(), figures::minute);
    let name = |isin: &Isin| {
        let known = universe.and_then(|universe| universe.find(isin));
        known.map_or_else(|| isin.to_string(), |known| known.name.chars().take(32).collect())
    };
    format!("{:32} {:17} {:17} {}", name(&one.isin), at(one.buy_from), at(one.sell_from), one.why)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::Sample;

    use super::*;

    fn text(state: &RiskState, halted: bool) -> String {
        let halt = RiskHalt { halted, ..RiskHalt::sample() };
        let heard =
            Heard { state: None, halt: Some(halt), universe: Some(Universe::sample()), ..Heard::default() };
        lines(state, &heard).join("\n")
    }

    #[test]
    fn only_a_real_account_means_real_money() {
        let live = RiskState { mode: contracts::Mode::Live, ..RiskState::sample() };
        assert!(lines(&live, &Heard::default())[0].ends_with("live: real money"));
        let simulated = Heard { simulated: true, ..Heard::default() };
        assert!(lines(&live, &simulated)[0].ends_with("no real money"));
    }

    #[test]
    fn a_guard_that_waits_says_when_it_opens() {
        let text = text(&RiskState::sample(), true);
        assert!(text.contains("WAIT  min_gap") && text.contains("2026-03-02 14:31 UTC"), "{text}");
        assert!(text.contains("3.1 % below the highest value"), "{text}");
        assert!(text.contains("by steward (owner): Before the holidays."), "{text}");
        assert!(text.contains("Rheinau Automation SE") && text.contains("buy_cooldown"), "{text}");
        assert!(text.lines().count() < 40, "it must fit on a screen");
    }

    #[test]
    fn what_is_unknown_is_called_so() {
        let state = RiskState { day_change: None, drawdown: None, guards: vec![], ..RiskState::sample() };
        let text = text(&state, false);
        assert_eq!(text.matches("unknown").count(), 2, "{text}");
        assert!(!text.contains("steward resume"), "{text}");
    }
}
