//! `steward score`: shows how good a security is, why, and what speaks against buying it.
//!
//! Reads the views `api_score` of the store `scores` and `api_bar`, `api_universe` of the store `market`; no bus is
//! needed.

use bus_client::{Config, Place, open_for_reading};
use contracts::{Finite, Regime, SecurityScore, SellScore};
use rusqlite::Connection;

use crate::{
    Fault,
    cli::ScoreOptions,
    figures,
    lines::{sparkline, wrapped},
    print,
};

/// Closes of the line: a quarter of trading.
const CLOSES: usize = 63;
/// Columns of the line in a table.
const WIDTH: usize = 10;

/// Runs the command; the exit code.
///
/// # Errors
/// When there is no such security, or nothing is scored yet.
pub fn run(options: &ScoreOptions) -> Result<u8, Fault> {
    let config = options.place.read()?;
    let scores = newest(&config, options.isin.as_deref())?;
    if options.json {
        match (&options.isin, scores.as_slice()) {
            (Some(_), [one]) => print::json(one),
            _ => print::json(&scores),
        }
        return Ok(0);
    }
    let market = store(&config, "market").ok();
    let lines = match &options.isin {
        Some(_) => scores.iter().flat_map(|one| page(one, market.as_ref())).collect(),
        None => {
            let mut lines = table(&scores, market.as_ref());
            lines.push(String::new());
            lines.extend(wrapped("", 2, &market_line(regime(&config).as_ref())));
            lines
        }
    };
    lines.iter().for_each(|line| print::data(line));
    Ok(0)
}

fn store(config: &Config, name: &str) -> Result<Connection, String> {
    let file = config.store_file(name);
    if !file.exists() {
        return Err(format!("{} does not exist", file.display()));
    }
    open_for_reading(&Place::File(file)).map_err(|error| error.to_string())
}

/// The newest statement of one or of every security, best first.
fn newest(config: &Config, isin: Option<&str>) -> Result<Vec<SecurityScore>, Fault> {
    let nothing =
        |why: String| Fault::Refused(format!("no score can be shown: {why}; is `steward-score` running?"));
    let rows = store(config, "scores").map_err(nothing)?;
    let bodies = |rows: &Connection| -> rusqlite::Result<Vec<String>> {
        let mut query = rows.prepare(
            "SELECT body FROM api_score s WHERE (?1 IS NULL OR isin = ?1)
             AND day = (SELECT max(day) FROM api_score n WHERE n.isin = s.isin) ORDER BY total DESC, isin",
        )?;
        query.query_map([isin], |row| row.get(0))?.collect()
    };
    let bodies = bodies(&rows).map_err(|error| nothing(error.to_string()))?;
    let scores: Vec<SecurityScore> =
        bodies.iter().filter_map(|body| serde_json::from_str(body).ok()).collect();
    match (scores.is_empty(), isin) {
        (false, _) => Ok(scores),
        (true, Some(isin)) => Err(Fault::Refused(format!(
            "no score of `{isin}` is known; `steward score` without a word lists all that are"
        ))),
        (true, None) => Err(nothing("nothing has been scored yet".into())),
    }
}

/// The regime said last.
fn regime(config: &Config) -> Option<Regime> {
    let rows = store(config, "scores").ok()?;
    let read = rows.query_row("SELECT body FROM api_regime ORDER BY day DESC LIMIT 1", [], |row| {
        row.get::<_, Option<String>>(0)
    });
    serde_json::from_str(&read.ok()??).ok()
}

/// The market in one sentence or two.
fn market_line(regime: Option<&Regime>) -> String {
    let Some(regime) = regime else { return "The market regime is not known yet.".into() };
    let mut line = format!("The market is {}", regime.label);
    if let Some(since) = regime.since {
        line.push_str(&format!(" since {since}"));
    }
    if let Some(score) = regime.score {
        line.push_str(&format!(", score {:+.2}", score.get()));
    }
    if !regime.regions.is_empty() {
        let of =
            |(region, distance): (&String, &Finite)| format!("{region} {:+.1} %", distance.get() * 100.0);
        let regions: Vec<String> = regime.regions.iter().map(of).collect();
        line.push_str(&format!("; against the 200-day average: {}", regions.join(", ")));
    }
    if let Some(until) = regime.until {
        line.push_str(&format!("; closes until {until}"));
    }
    line.push('.');
    if regime.high_volatility {
        line.push_str(" Prices are restless.");
    }
    if !regime.reasons.is_empty() {
        line.push_str(&format!(" Left out: {}.", regime.reasons.join("; ")));
    }
    line
}

fn name(market: Option<&Connection>, isin: &str) -> Option<String> {
    market?.query_row("SELECT name FROM api_universe WHERE isin = ?1", [isin], |row| row.get(0)).ok()
}

/// The last closes, oldest first.
fn closes(market: Option<&Connection>, isin: &str) -> Vec<f64> {
    let read = |rows: &Connection| -> rusqlite::Result<Vec<f64>> {
        let mut query =
            rows.prepare("SELECT close FROM api_bar WHERE isin = ?1 ORDER BY day DESC LIMIT ?2")?;
        query.query_map((isin, i64::try_from(CLOSES).unwrap_or(0)), |row| row.get(0))?.collect()
    };
    let mut closes = market.and_then(|rows| read(rows).ok()).unwrap_or_default();
    closes.reverse();
    closes
}

/// A share of so many steps.
fn steps(share: f64, most: u8) -> usize {
    // Between 0 and 255.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let step = (share.clamp(0.0, 1.0) * f64::from(most)).round() as usize;
    step
}

fn shown(value: Option<Finite>) -> String {
    value.map_or_else(|| "–".into(), |value| format!("{:.3}", value.get()))
}

fn bar(value: f64) -> String {
    let filled = steps(value, 20);
    format!("{}{}", "█".repeat(filled), "·".repeat(20 - filled))
}

fn table(scores: &[SecurityScore], market: Option<&Connection>) -> Vec<String> {
    let mut lines = vec![format!(
        "{:<14}{:<16}{:<11}{:>6}{:>7}{:>9}{:>8}  {}",
        "ISIN", "NAME", "PRICE", "TOTAL", "RANK", "QUALITY", "TIMING", "BUYABLE"
    )];
    for one in scores {
        let isin = one.isin.to_string();
        let short: String = name(market, &isin).unwrap_or_default().chars().take(15).collect();
        let buyable = if one.gates.buyable { "yes".into() } else { one.gates.objections.join(", ") };
        let line = format!(
            "{isin:<14}{short:<16}{:<11}{:>6}{:>7}{:>9}{:>8}  ",
            sparkline(&closes(market, &isin), WIDTH),
            shown(one.total),
            shown(one.priority),
            shown(one.quality),
            shown(one.timing),
        );
        lines.extend(wrapped(&line, 14, &buyable));
    }
    lines
}

fn page(one: &SecurityScore, market: Option<&Connection>) -> Vec<String> {
    let isin = one.isin.to_string();
    let mut lines = vec![
        format!("{isin}  {}", name(market, &isin).unwrap_or_default()),
        format!(
            "Scored {} UTC as `{}`, from {} daily bars until {}.",
            figures::second(one.at),
            one.profile.name(),
            one.bars,
            one.bars_until.map_or_else(|| "nobody knows when".into(), |day| day.to_string())
        ),
    ];
    let closes = closes(market, &isin);
    if !closes.is_empty() {
        lines.push(format!("\n{}  last {} closes", sparkline(&closes, CLOSES), closes.len()));
    }
    lines.push(String::new());
    let total = match one.total {
        Some(total) => format!(
            "TOTAL {:.3}  {}  {:.0} % of what counts is known; {} before it is drawn towards the middle",
            total.get(),
            bar(total.get()),
            one.coverage.get() * 100.0,
            shown(one.raw)
        ),
        None => format!("TOTAL none: {}", one.flags.join(", ")),
    };
    lines.extend(wrapped("", 2, &total));
    for (group, value) in &one.groups {
        lines.push(format!("\n  {group:<14}{:.3}  {}", value.get(), bar(value.get())));
        let prefix = format!("{group}.");
        let parts = one.parts.iter().filter_map(|(part, value)| Some((part.strip_prefix(&prefix)?, value)));
        lines.extend(parts.map(|(part, value)| format!("    {part:<22}{:.3}", value.get())));
    }
    lines.push(String::new());
    lines.extend(verdict(one).iter().flat_map(|sentence| wrapped("", 2, sentence)));
    lines.push("\nFigures:".into());
    lines.extend(one.inputs.iter().map(|(name, value)| format!("  {name:<24}{:.6}", value.get())));
    lines
}

/// What follows from it, in sentences.
pub(crate) fn verdict(one: &SecurityScore) -> Vec<String> {
    let mut lines = vec![
        if one.gates.buyable {
            "Nothing in the score speaks against buying.".into()
        } else {
            format!("Against buying: {}.", one.gates.objections.join(", "))
        },
        momentum(one),
        format!(
            "Quality {}, timing {}, fit {}; in the end state: return {:.3}, promise {:.3}, stability {:.3}.",
            shown(one.quality),
            shown(one.timing),
            shown(one.fit),
            one.end.total_return.get(),
            one.end.promise.get(),
            one.end.stability.get()
        ),
    ];
    lines.extend(one.priority.zip(one.total).map(|(priority, total)| {
        let preferred =
            if (priority.get() - total.get()).abs() > 1e-4 { " with your preference" } else { "" };
        format!("Ranked by {:.4}{preferred}.", priority.get())
    }));
    lines.extend(one.sell.iter().flat_map(holding));
    lines.extend(one.windfall.as_ref().map(|windfall| {
        format!(
            "Gain beyond the expected: {:.1} % ({}); {:.0} % of the holding would be sold for it.",
            windfall.excess.get() * 100.0,
            windfall.reason,
            windfall.sell.get() * 100.0
        )
    }));
    for (word, list) in [("Tags", &one.tags), ("Missing or unusual", &one.flags)] {
        if !list.is_empty() {
            lines.push(format!("{word}: {}.", list.join(", ")));
        }
    }
    lines
}

/// Which way the price goes, as purchases in a dip look at it.
fn momentum(one: &SecurityScore) -> String {
    let gates = &one.gates;
    let way = match (gates.freefall, gates.turn) {
        (true, _) => "The price falls faster than usual: nothing is bought into it",
        (false, true) => "The price has turned upwards",
        (false, false) => "The price has not turned upwards",
    };
    gates.dip.map_or_else(|| format!("{way}."), |dip| format!("{way}; dip {:.3}.", dip.get()))
}

/// What is said of a holding.
fn holding(sell: &SellScore) -> Vec<String> {
    let profit = sell
        .profit
        .map_or_else(|| "an unknown gain".into(), |profit| format!("{:+.1} %", profit.get() * 100.0));
    let days = sell.days_held.map_or_else(|| "nobody knows how long".into(), |days| format!("{days} days"));
    let mut lines = vec![format!("Held for {days} with {profit}.")];
    lines.push(match &sell.blocked {
        Some(why) => format!("Selling is blocked for now: {why}."),
        None => {
            let parts: Vec<String> = sell
                .parts
                .iter()
                .map(|(name, part)| format!("{} {:.3}", name.replace('_', " "), part.get()))
                .collect();
            format!("Sell score {:.3}: {}.", sell.score.get(), parts.join(", "))
        }
    });
    if sell.review {
        lines.push(
            "It has lost more than your limit and fails the quality gate: look whether the reason to hold it still stands.".into(),
        );
    }
    lines
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::Sample;

    use super::*;

    fn filled(dir: &std::path::Path) -> Config {
        std::fs::create_dir_all(dir.join("stores")).unwrap();
        let config = Config::parse("environment = \"sim:1\"", &dir.join("steward.toml")).unwrap();
        let rows = Connection::open(config.store_file("scores")).unwrap();
        rows.execute_batch("CREATE TABLE api_score (isin, day, total, body)").unwrap();
        for (day, total) in [("2026-03-02", 0.4), ("2026-03-03", 0.62)] {
            let one = SecurityScore { total: Finite::new(total), ..SecurityScore::sample() };
            let body = serde_json::to_string(&one).unwrap();
            rows.execute(
                "INSERT INTO api_score VALUES (?1, ?2, ?3, ?4)",
                (one.isin.as_str(), day, total, body),
            )
            .unwrap();
        }
        config
    }

    #[test]
    fn the_newest_day_is_shown_with_parts_figures_and_objections() {
        let dir = tempfile::tempdir().unwrap();
        let config = filled(dir.path());
        let isin = SecurityScore::sample().isin.to_string();
        let scores = newest(&config, Some(&isin)).unwrap();
        let text = page(&scores[0], None).join("\n");
        for expected in
            ["TOTAL 0.620", "below_52w_high", "rsi_14", "Nothing in the score speaks against buying."]
        {
            assert!(text.contains(expected), "{expected} in {text}");
        }
        assert_eq!(table(&newest(&config, None).unwrap(), None).len(), 2);
    }

    #[test]
    fn the_market_is_said_with_its_regions_and_what_dropped_out() {
        let line = market_line(Some(&Regime::sample()));
        for part in ["is sideways since", "score +0.10", "EU +1.2 %", "Left out: no index is named for ASIA"]
        {
            assert!(line.contains(part), "{part} in {line}");
        }
        let unknown = Regime {
            label: "unknown".into(),
            score: None,
            since: None,
            until: None,
            regions: Default::default(),
            ..Regime::sample()
        };
        assert!(market_line(Some(&unknown)).starts_with("The market is unknown. Left out"));
        assert!(market_line(None).contains("not known yet"));
    }

    #[test]
    fn a_holding_is_told_with_its_parts_or_what_blocks_it_and_what_needs_a_look() {
        let one = SecurityScore::sample();
        let text = verdict(&one).join("\n");
        for part in [
            "Held for 400 days with +12.0 %",
            "underperformance 0.100",
            "turned upwards; dip 0.200",
            "Ranked by 0.6200",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        let blocked = SellScore {
            blocked: Some("min_hold".into()),
            review: true,
            profit: None,
            days_held: None,
            ..one.sell.clone().unwrap()
        };
        let text = holding(&blocked).join("\n");
        for part in
            ["nobody knows how long with an unknown gain", "blocked for now: min_hold", "still stands"]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
        let lines = table(&[SecurityScore::sample()], None);
        assert!(lines.iter().all(|line| line.chars().count() <= crate::lines::COLUMNS), "{lines:?}");
    }

    #[test]
    fn an_unknown_security_and_an_empty_system_are_sentences() {
        let dir = tempfile::tempdir().unwrap();
        let sentence = newest(&filled(dir.path()), Some("DE0000000000")).unwrap_err().to_string();
        assert!(sentence.contains("DE0000000000"), "{sentence}");
        let empty = tempfile::tempdir().unwrap();
        let config = Config::parse("environment = \"sim:1\"", &empty.path().join("steward.toml")).unwrap();
        assert!(newest(&config, None).unwrap_err().to_string().contains("steward-score"));
    }
}
