//! `steward halt` and `steward resume`: requests to the gate.

use contracts::{Halt, Outcome, Reply, Resume};

use crate::{Fault, bus, cli::WordOptions, print};

const GATE: &str = "risk-gate";

/// Stops all trading; the exit code.
///
/// # Errors
/// When nobody answers.
pub async fn halt(options: &WordOptions) -> Result<u8, Fault> {
    let text = options.text.clone().unwrap_or_else(|| "Halted at the command line.".into());
    let reply = ask(options, Halt { actor: bus::NAME.into(), reason: "owner".into(), text }).await?;
    Ok(tell(options, &reply, "Halted. Resume with: steward resume"))
}

/// Lets trading go on; the exit code.
///
/// # Errors
/// When nobody answers.
pub async fn resume(options: &WordOptions) -> Result<u8, Fault> {
    let Some(text) = options.text.clone() else {
        return Err(Fault::Refused(
            "resuming needs a reason that is kept; say what you looked at: steward resume 'Compared the books with the broker.'".into(),
        ));
    };
    let reply = ask(options, Resume { actor: person(), text }).await?;
    Ok(tell(options, &reply, "Trading goes on. Stop with: steward halt"))
}

/// Who sits at this command line, as far as the system says.
pub(crate) fn person() -> String {
    let user = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    user.map_or_else(|| bus::NAME.to_string(), |user| format!("{user} at the command line"))
}

async fn ask<B: contracts::Body>(options: &WordOptions, body: B) -> Result<Reply, Fault> {
    let config = options.place.read()?;
    bus::ask(&config, GATE, body).await
}

fn tell(options: &WordOptions, reply: &Reply, done: &str) -> u8 {
    if options.json {
        print::json(reply);
    } else if reply.outcome == Outcome::Done {
        print::data(done);
        print::note(&reply.text);
    } else {
        let code = reply.code.as_deref().map_or_else(String::new, |code| format!(" ({code})"));
        print::note(&format!("{} did not do it{code}: {}", reply.stage, reply.text));
    }
    u8::from(reply.outcome != Outcome::Done)
}
