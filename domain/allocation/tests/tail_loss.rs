//! The programmes of the least loss on the worst days against `cvar.json`: losses to 1e-8, returns to 1e-7 where
//! they bind. The weights in the file are one example of several that are equally good.
#![allow(clippy::unwrap_used)]

mod support;
#[path = "../../formulas/tests/vectors_json/mod.rs"]
mod vectors_json;

use allocation::Limits;
use allocation::tail_loss::TailLoss;
use support::{bounds, matrix, number, numbers};
use vectors_json::cases;

const LOSS: f64 = 1e-8;
const RETURN: f64 = 1e-7;

#[test]
fn programmes_of_the_worst_days_equal_their_vectors() {
    for case in cases("optimization/cvar.json").iter().filter(|case| !case.input["runs"].is_null()) {
        let (returns, days) = (numbers(&case.input["mu"]), matrix(&case.input["returns"]));
        let limits = Limits { bounds: bounds(&case.input["bounds"]), groups: vec![], budget: 1.0 };
        let (runs, answers) =
            (case.input["runs"].as_array().unwrap(), case.expect["runs"].as_array().unwrap());
        assert_eq!(runs.len(), answers.len(), "{}", case.name);
        for (run, expect) in runs.iter().zip(answers) {
            let place = format!("{} {}", case.name, run["id"]);
            assert_eq!(run["id"], expect["id"], "{place}");
            let confidence = number(&run["beta"]);
            let tail = TailLoss { days: &days, returns: &returns, limits: &limits, confidence };
            let weights = match run["objective"].as_str().unwrap() {
                "min_cvar" => tail.least(),
                "efficient_return" => tail.with_return(number(&run["target_return"])),
                "efficient_risk" => tail.within_loss(number(&run["target_cvar"])),
                other => panic!("{place}: objective {other}"),
            };
            if let Some(kind) = expect["error"]["kind"].as_str() {
                assert_eq!(weights.map_err(|refusal| refusal.code()), Err(kind), "{place}");
                continue;
            }
            let weights = weights.unwrap_or_else(|refusal| panic!("{place}: {refusal}"));
            let loss = tail.loss_of(&weights).unwrap();
            let earned: f64 = weights.iter().zip(&returns).map(|(w, mu)| w * mu).sum();
            if let Some(expected) = expect["cvar"].as_f64() {
                assert!((loss - expected).abs() <= LOSS, "{place}: {loss} instead of {expected}");
            }
            if let Some(target) = run["target_return"].as_f64() {
                assert!(earned >= target - RETURN, "{place}: {earned}");
            }
            if run["objective"] == "efficient_risk" {
                let expected = number(&expect["return"]);
                assert!((earned - expected).abs() <= RETURN, "{place}: {earned} instead of {expected}");
                assert!(loss <= number(&run["target_cvar"]) + LOSS, "{place}: {loss}");
            }
        }
    }
}
