//! The mathematics of target weights: one mean-variance solve with bounds and groups, risk parity, the estimators; and,
//! where they are installed, the same by libraries nobody here wrote.

use std::{hint::black_box, path::Path, process::Command, time::Instant};

use allocation::{Bound, Group, Limits, frontier::Frontier, tail_loss::TailLoss};
use formulas::{
    covariance::sample_covariance,
    hrp::{correlations, risk_parity},
    ledoit_wolf::ledoit_wolf,
    linkage::Linkage,
};

use crate::Figures;

/// Days of returns.
const DAYS: usize = 252;

pub(crate) fn weights(figures: &mut Figures) {
    let sizes: &[usize] = if figures.small { &[5] } else { &[60, 200] };
    for n in sizes {
        one_size(figures, *n);
    }
    if !figures.small {
        others(figures);
    }
}

fn one_size(figures: &mut Figures, n: usize) {
    let rounds = if figures.small { 1 } else { 12 };
    let returns = market(n, 2 * DAYS);
    let (mut centred, mut covariance, mut sample, mut rho) =
        (vec![0.0; returns.len()], vec![0.0; n * n], vec![0.0; n * n], vec![0.0; n * n]);
    let year = &returns[..n * DAYS];
    let took = fastest(rounds, || ledoit_wolf(year, n, 252.0, &mut centred, &mut covariance).unwrap());
    // What the design promises is for 60 securities; for 200 it says so of one solve only.
    let promised = |aim: f64| (n <= 60).then_some(aim);
    let solve = if n <= 60 { 5.0 } else { 50.0 };
    figures.against(format!("Ledoit-Wolf n={n} T={DAYS}"), took, "ms", promised(0.5));
    ledoit_wolf(&returns, n, 252.0, &mut centred, &mut covariance).unwrap();
    sample_covariance(&returns, n, 252.0, &mut centred, &mut sample).unwrap();
    correlations(&sample, n, &mut rho).unwrap();
    let took = fastest(rounds, || risk_parity(&sample, &rho, n, Linkage::Single).unwrap());
    figures.against(format!("HRP n={n}"), took, "ms", promised(1.0));

    let expected: Vec<f64> = (0..n).map(|i| 0.02 + 0.16 * ((i * 37 % n) as f64 / n as f64)).collect();
    let limits = limits(n);
    let target = 0.10;
    let took = fastest(rounds, || {
        Frontier::new(&expected, &covariance, &limits)
            .and_then(|frontier| frontier.efficient_return(target))
            .unwrap()
    });
    figures.below(format!("mean-variance with bounds and groups n={n}"), took, "ms", solve);
    let took = fastest(rounds, || {
        Frontier::new(&expected, &covariance, &limits)
            .and_then(|frontier| frontier.efficient_risk(0.15))
            .unwrap()
    });
    figures.below(format!("highest return at a volatility n={n}"), took, "ms", solve);
    let took = fastest(rounds, || {
        Frontier::new(&expected, &covariance, &limits).and_then(|frontier| frontier.max_sharpe(0.02)).unwrap()
    });
    figures.below(format!("best ratio n={n}"), took, "ms", solve);
    if n <= 60 {
        let tail = TailLoss { days: year, returns: &expected, limits: &limits, confidence: 0.95 };
        figures.note(
            format!("least loss on the worst days n={n}"),
            fastest(rounds, || tail.least().unwrap()),
            "ms",
        );
    }
}

/// The same by others, if they are there.
fn others(figures: &mut Figures) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let program = root.join("target/debug/examples/answer");
    for script in ["tests/interop/weights.py", "tests/interop/figures.py"] {
        let mut python = Command::new(root.join("target/interop/venv/bin/python"));
        let Ok(output) = python.arg(root.join(script)).arg(&program).arg("--bench").output() else {
            println!("the libraries of {script}: not installed; `bash tests/interop/run` installs them");
            continue;
        };
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            println!(
                "the libraries of {script}: not installed ({})",
                why.lines().last().unwrap_or("no reason")
            );
        }
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let parts: Vec<&str> = line.split('\t').collect();
            if let [name, value, unit] = parts[..]
                && let Ok(value) = value.parse()
            {
                figures.note(name, value, if unit == "us" { "us" } else { "ms" });
            }
        }
    }
}

/// Milliseconds of the fastest of some rounds.
fn fastest<T>(rounds: u32, mut work: impl FnMut() -> T) -> f64 {
    let once = |work: &mut dyn FnMut() -> T| {
        let start = Instant::now();
        black_box(work());
        start.elapsed().as_secs_f64() * 1e3
    };
    (0..rounds.max(1)).map(|_| once(&mut work)).fold(f64::MAX, f64::min)
}

/// Daily returns with something in common, the same on every machine.
fn market(n: usize, days: usize) -> Vec<f64> {
    let mut state = 7_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
    };
    let mut returns = Vec::with_capacity(n * days);
    for _ in 0..days {
        let common = 0.02 * next();
        returns.extend((0..n).map(|i| common * (0.4 + (i % 7) as f64 / 5.0) + 0.04 * next()));
    }
    returns
}

/// 15 % a security, or what makes five fit; four countries and six industries.
fn limits(n: usize) -> Limits {
    let bounds = vec![Bound { lower: 0.0, upper: (3.0 / n as f64).max(0.15) }; n];
    let kind = |kinds: usize, cap: f64| {
        (0..kinds).map(move |kind| Group {
            name: format!("{kind} of {kinds}"),
            shares: (0..n).map(|i| f64::from(i % kinds == kind)).collect(),
            lower: 0.5 / kinds as f64,
            upper: cap,
        })
    };
    Limits { bounds, groups: kind(4, 0.35).chain(kind(6, 0.30)).collect(), budget: 1.0 }
}
