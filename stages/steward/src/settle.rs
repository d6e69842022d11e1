//! `steward settle`: a person says what became of an order that no list of the broker shows.

use contracts::{Outcome, SettleOrder};

use crate::{Fault, bus, cli::SettleOptions, halt::person, print};

const EXECUTE: &str = "execute";

/// Runs the command; the exit code.
///
/// # Errors
/// For an id that is none, or when nobody answers.
pub async fn run(options: &SettleOptions) -> Result<u8, Fault> {
    let order_id = options.order.parse().map_err(|_| {
        Fault::Refused(format!("`{}` is no id of an order; `steward status` names them", options.order))
    })?;
    let config = options.place.read()?;
    let asked = SettleOrder {
        actor: person(),
        order_id,
        broker_order_id: options.broker_order.clone(),
        text: options.text.clone(),
    };
    let reply = bus::ask(&config, EXECUTE, asked).await?;
    if options.json {
        print::json(&reply);
    } else {
        print::note(&reply.text);
    }
    Ok(u8::from(reply.outcome != Outcome::Done))
}
