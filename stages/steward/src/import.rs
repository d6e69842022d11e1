//! `steward import`: brings an existing ledger to the stage that keeps the books, in parts that fit a message. The
//! stage takes it over whole or not at all.

use std::{fs, path::Path, time::Duration};

use contracts::{ImportLedger, LedgerFile, Outcome, Reply, TopicId};

use crate::{
    Fault,
    bus::{self, Bus},
    cli::ImportOptions,
    print,
};

/// Bytes of one part; the message around it is a little larger.
const PART_BYTES: usize = 48 * 1024;
/// The last part is answered when all of it has been examined.
const ANSWER_MAX: Duration = Duration::from_secs(60);

/// Imports the files; the exit code.
///
/// # Errors
/// When a file cannot be read, or nobody answers.
pub async fn run(options: &ImportOptions) -> Result<u8, Fault> {
    let config = options.place.read()?;
    let mut parts = Vec::new();
    let files = [(LedgerFile::Trades, &options.trades), (LedgerFile::CashFlows, &options.cash_flows)];
    for (file, path) in files.into_iter().filter_map(|(file, path)| Some((file, path.as_ref()?))) {
        parts.extend(split(&read(path)?).map_err(Fault::Refused)?.into_iter().map(|text| (file, text)));
    }
    let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
    let mut bus = Bus::connect(&config, bus::topics(&config, &[TopicId::Reply])).await?;
    let import = format!("{}-{}", bus_client::wall(), std::process::id());
    let mut last = None;
    for (part, (file, text)) in (1_u32..).zip(parts) {
        let ask = ImportLedger {
            actor: bus::NAME.into(),
            import: import.clone(),
            file,
            part,
            parts: count,
            text,
            dry_run: options.dry_run,
        };
        if count > 1 {
            print::note(&format!("Part {part} of {count} …"));
        }
        let wait = |seconds| print::note(&format!("The lines are being examined … {seconds} s"));
        let reply = bus.ask_within("portfolio", ask, ANSWER_MAX, wait).await?;
        let failed = reply.outcome != Outcome::Done;
        last = Some(reply);
        if failed {
            break;
        }
    }
    bus.close().await;
    let reply = last.ok_or_else(|| Fault::Refused("the files are empty; nothing was imported".into()))?;
    Ok(tell(options.json, &reply))
}

fn read(path: &Path) -> Result<String, Fault> {
    fs::read_to_string(path).map_err(|error| Fault::file(path, "read", error))
}

/// Whole lines, as many as fit one part.
fn split(text: &str) -> Result<Vec<String>, String> {
    let mut parts = vec![String::new()];
    for (at, line) in text.lines().enumerate() {
        if line.len() + 1 > PART_BYTES {
            return Err(format!("line {} has more than {PART_BYTES} bytes; nothing was imported", at + 1));
        }
        let part = match parts.last_mut() {
            Some(part) if part.len() + line.len() < PART_BYTES => part,
            _ => {
                parts.push(String::new());
                parts.last_mut().ok_or("no part is there")?
            }
        };
        part.push_str(line);
        part.push('\n');
    }
    Ok(parts)
}

fn tell(json: bool, reply: &Reply) -> u8 {
    let mistakes = reply.data["mistakes"].as_array().cloned().unwrap_or_default();
    if json {
        print::json(reply);
    } else if mistakes.is_empty() {
        print::data(&reply.text);
    } else {
        print::note("Nothing was imported:");
        mistakes.iter().filter_map(|one| one.as_str()).for_each(|one| print::note(&format!("  {one}")));
    }
    u8::from(reply.outcome != Outcome::Done)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn parts_hold_whole_lines_and_together_the_file() {
        let file: String = (0..10_000).map(|n| format!("line {n} of a long file\n")).collect();
        let parts = split(&file).unwrap();
        assert!(parts.len() > 1 && parts.iter().all(|part| part.len() <= PART_BYTES && part.ends_with('\n')));
        assert_eq!(parts.concat(), file);
        assert_eq!(split("one").unwrap(), ["one\n"]);
        assert!(split(&"x".repeat(PART_BYTES)).unwrap_err().contains("line 1"));
    }
}
