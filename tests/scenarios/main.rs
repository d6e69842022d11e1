//! Whole-pipeline stories: a script of disturbances, all stages in one process under the virtual clock, and what came of
//! it as text that is compared with a file. `STEWARD_UPDATE=1` rewrites the files.
#![allow(clippy::unwrap_used, missing_docs)]

use std::{fmt::Write, fs, path::PathBuf};

use contracts::{
    OrderApproved, OrderRefused, OrderRequested, OrderState, PortfolioState, RiskHalt, TargetWeights,
};
use serde_json::json;
use simworld::{Effect, FaultRule, When};
use steward_tests::pipeline::Pipeline;

/// One line of a script: `seed N`, `evaluators N`, `run N days|hours`, `kill STAGE`, `start`, `restart bus`, `halt`, `resume`.
struct Story {
    pipeline: Pipeline,
    told: String,
}

impl Story {
    fn tell(script: &str) -> String {
        let mut lines =
            script.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut number = |word: &str| -> u64 {
            let line = lines.next().unwrap_or_default();
            line.strip_prefix(word)
                .and_then(|rest| rest.trim().parse().ok())
                .unwrap_or_else(|| panic!("`{word} N` expected, found `{line}`"))
        };
        let seed = number("seed");
        let evaluators = u32::try_from(number("evaluators")).unwrap();
        let mut story = Story { pipeline: Pipeline::new(seed, evaluators), told: String::new() };
        story.pipeline.recording = true;
        for line in lines {
            story.step(line);
        }
        story.end();
        story.told
    }

    fn step(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let _ = writeln!(self.told, "> {line}");
        match words.as_slice() {
            ["run", count, "days"] => self.pipeline.run_days(count.parse().unwrap()),
            ["run", count, "hours"] => {
                let end = self.pipeline.now().saturating_plus_ms(count.parse::<i64>().unwrap() * 3_600_000);
                self.pipeline.run_until(end);
            }
            ["kill", stage] => self.pipeline.kill(stage),
            ["start"] => self.pipeline.start_missing(),
            ["restart", "bus"] => self.pipeline.restart_bus(),
            ["halt"] => {
                self.command("halt", &json!({"actor": "scenario", "reason": "owner", "text": "A test."}))
            }
            ["resume"] => self.command("resume", &json!({"actor": "scenario", "text": "Looked at it."})),
            _ => panic!("`{line}` is no step"),
        }
        self.report();
    }

    fn command(&mut self, name: &str, body: &serde_json::Value) {
        let now = self.pipeline.now();
        let id = contracts::Id::derive(now, &["scenario", name]);
        let envelope = json!({"id": id, "key_version": 0, "at": now, "stage": "steward", "trace": id, "cause": null, "body": body});
        self.pipeline.bus.publish(&bus_client::Publication {
            topic: format!("steward/v1/command/risk-gate/{name}"),
            payload: steward_tests::encode(&envelope),
            retain: false,
            qos: 1,
        });
        self.pipeline.settle();
    }

    /// What there is to say after each step, without anything that is not the same in the same history.
    fn report(&mut self) {
        let state: Option<PortfolioState> = self.pipeline.statement("");
        let halt: Option<RiskHalt> = self.pipeline.statement("");
        let targets: Option<TargetWeights> = self.pipeline.statement("");
        let orders = self.pipeline.statements::<OrderState>();
        let _ = writeln!(
            self.told,
            "  {}  NAV {}  positions {}  targets {}  orders {}  halted {}",
            self.pipeline.now(),
            state.as_ref().and_then(|state| state.nav).map_or("unknown".into(), |nav| nav.to_string()),
            state.map_or(0, |state| state.positions.len()),
            targets.map_or(0, |targets| targets.weights.len()),
            orders.len(),
            halt.is_some_and(|halt| halt.halted),
        );
    }

    fn end(&mut self) {
        let mut requests = self.pipeline.statements::<OrderRequested>().len();
        let mut decisions: Vec<String> = Vec::new();
        for (at, publication) in &self.pipeline.published {
            let Ok(address) = contracts::Address::parse("steward", &publication.topic) else { continue };
            if let Ok(Some(body)) =
                contracts::receive::<OrderRequested>(&address.key, &publication.payload).map(|one| one.body)
                && address.topic == contracts::TopicId::OrderRequested
            {
                requests += 1;
                decisions.push(format!(
                    "{at} requested {:?} {} {} at {}: {}",
                    body.side, body.qty_e6, body.isin, body.limit_price_e6, body.reason
                ));
            }
            if address.topic == contracts::TopicId::OrderApproved
                && let Ok(Some(body)) =
                    contracts::receive::<OrderApproved>(&address.key, &publication.payload)
                        .map(|one| one.body)
            {
                decisions.push(format!("{at} approved {} with {} checks", body.isin, body.checks.len()));
            }
            if address.topic == contracts::TopicId::OrderRefused
                && let Ok(Some(body)) =
                    contracts::receive::<OrderRefused>(&address.key, &publication.payload).map(|one| one.body)
            {
                decisions.push(format!("{at} refused {}: {}", body.isin, body.code));
            }
            if address.topic == contracts::TopicId::OrderState
                && let Ok(Some(body)) =
                    contracts::receive::<OrderState>(&address.key, &publication.payload).map(|one| one.body)
            {
                decisions.push(format!("{at} {} is {:?}, filled {}", body.isin, body.status, body.filled_e6));
            }
        }
        decisions.dedup();
        let _ = writeln!(self.told, "decisions:");
        for decision in &decisions {
            let _ = writeln!(self.told, "  {decision}");
        }
        assert!(requests > 0, "a story without a request proves nothing");
        for invariant in self.pipeline.world.borrow().invariants() {
            assert!(invariant.ok, "{invariant:?}");
        }
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

#[test]
fn every_story_ends_as_it_is_written() {
    let mut files: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "txt"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let told = Story::tell(&fs::read_to_string(&file).unwrap());
        let out = file.with_extension("out");
        if std::env::var_os("STEWARD_UPDATE").is_some() {
            fs::write(&out, &told).unwrap();
        }
        let expected = fs::read_to_string(&out).unwrap_or_default();
        assert!(
            expected == told,
            "{} ended differently; run `make update` and look at the difference:\n{told}",
            file.display()
        );
    }
}

#[test]
fn the_number_of_evaluators_changes_no_decision() {
    let story = |evaluators: u32| Story::tell(&format!("seed 7\nevaluators {evaluators}\nrun 2 days\n"));
    assert_eq!(story(1), story(4));
}

#[test]
fn no_order_rests_on_prices_that_stand_still() {
    let approved = |frozen: bool| {
        let mut pipeline = Pipeline::new(7, 1);
        pipeline.recording = true;
        if frozen {
            let (id, target, ticker) = ("frozen".into(), "tn".into(), "*".into());
            let (cmd, when, max) = ("getStockQuotesJson".into(), When::Prob(1.0), None);
            let rule = FaultRule { id, target, cmd, ticker, when, max, effect: Effect::StalePrice };
            pipeline.world.borrow_mut().put_fault(rule).unwrap();
        }
        // Whoever plans comes in when the first readings are three quarters of an hour old.
        pipeline.kill("plan");
        pipeline.run_until("2026-03-02T08:45:00Z".parse().unwrap());
        pipeline.start_missing();
        pipeline.run_until("2026-03-02T11:00:00Z".parse().unwrap());
        pipeline
            .published
            .iter()
            .filter(|(_, publication)| publication.topic.contains("/order/approved/"))
            .count()
    };
    assert!(approved(false) > 0, "on an ordinary morning there is something to do");
    assert_eq!(approved(true), 0);
}
