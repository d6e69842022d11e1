//! `steward sync`: the brokerage account is read now, and what that brought is told.

use std::time::Duration;

use contracts::{Outcome, Reply, SyncNow};

use crate::{Fault, bus, cli::DataOptions, print};

/// A reading asks the broker five times and more, each politely after the other.
const READING_MAX: Duration = Duration::from_secs(120);

/// Reads the account; the exit code.
///
/// # Errors
/// When nobody answers.
pub async fn run(options: &DataOptions) -> Result<u8, Fault> {
    let config = options.place.read()?;
    let ask = SyncNow { actor: bus::NAME.into() };
    let waiting = |seconds| print::note(&format!("The account is being read … {seconds} s"));
    let reply = bus::ask_within(&config, "portfolio", ask, READING_MAX, waiting).await?;
    Ok(tell(options.json, &reply))
}

fn tell(json: bool, reply: &Reply) -> u8 {
    if json {
        print::json(reply);
    } else {
        print::data(&reply.text);
        for line in lines(reply) {
            print::data(&line);
        }
    }
    u8::from(reply.outcome != Outcome::Done)
}

/// What the books hold now, and what a person should look at.
fn lines(reply: &Reply) -> Vec<String> {
    let number = |name: &str| reply.data[name].as_u64().unwrap_or(0);
    let mut lines = vec![format!(
        "{} holdings, {} currencies, {} trades and {} cash flows in the books",
        number("holdings"),
        number("currencies"),
        number("fills"),
        number("flows")
    )];
    let list = |name: &str| reply.data[name].as_array().cloned().unwrap_or_default();
    let troubles = list("troubles");
    lines.extend(troubles.iter().filter_map(|one| one.as_str()).map(|one| format!("  look at this: {one}")));
    lines
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use contracts::Sample;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_reading_brought_is_told_in_lines() {
        let data = json!({"holdings": 2, "currencies": 3, "fills": 4, "flows": 5, "troubles": ["one"]});
        let reply = Reply { data, ..Reply::sample() };
        let said = lines(&reply);
        assert_eq!(said[0], "2 holdings, 3 currencies, 4 trades and 5 cash flows in the books");
        assert_eq!(said[1], "  look at this: one");
    }
}
