//! `steward held-since`: a person dates a holding that is older than the books, so that holds and cooldowns can end.

use contracts::{HeldSince, Outcome};

use crate::{Fault, bus, cli::HeldSinceOptions, halt::person, print};

/// Runs the command; the exit code.
///
/// # Errors
/// For what is no ISIN or no date, or when nobody answers.
pub async fn run(options: &HeldSinceOptions) -> Result<u8, Fault> {
    let isin = options.isin.parse().map_err(|_| {
        Fault::Refused(format!("`{}` is no ISIN; `steward universe list` shows them", options.isin))
    })?;
    let since = options
        .since
        .parse()
        .map_err(|_| Fault::Refused(format!("`{}` is no date; write it as 2019-05-01", options.since)))?;
    let config = options.place.read()?;
    let asked = HeldSince { actor: person(), isin, since, text: options.text.clone() };
    let reply = bus::ask(&config, "portfolio", asked).await?;
    if options.json {
        print::json(&reply);
    } else {
        print::note(&reply.text);
    }
    Ok(u8::from(reply.outcome != Outcome::Done))
}
