//! Commands of the owner and their answers.

use bus_client::Out;
use contracts::{
    IngestRun, Meta, Outcome, PortfolioState, Received, SecurityAdd, SecurityDeactivate, SecurityUpdate,
    stage::ingest::Input,
};
use market::{Isin, Mic, Timestamp};
use serde_json::json;
use tradernet::{
    Ticker,
    commands::{find_ticker::Listing, securities::Security as Master},
};

use crate::history::Progress;
use crate::outside::Task;
use crate::owner::{self, Refused};
use crate::stage::Listed;
use crate::{Call, Failure, Ingest, Save, admission};

/// A security that is being added.
#[derive(Debug)]
pub(crate) struct Adding {
    command: Meta,
    identifier: String,
    mic: Option<Mic>,
}

impl Ingest {
    /// Takes a message.
    pub(crate) fn heard(&mut self, input: Input, now: Timestamp, out: &mut Out<Self>) {
        match input {
            Input::PortfolioState(heard) => self.portfolio(heard),
            Input::CommandIngestSecurityAdd(heard) => self.add(heard, out),
            Input::CommandIngestSecurityUpdate(heard) => {
                let Received { meta, body: Some(ask), .. } = heard else { return };
                let result = self.update(&ask, now, out);
                answer(meta.as_ref(), result, out);
            }
            Input::CommandIngestSecurityDeactivate(heard) => {
                let Received { meta, body: Some(ask), .. } = heard else { return };
                let result = self.deactivate(&ask, now, out);
                answer(meta.as_ref(), result, out);
            }
            Input::CommandIngestRun(heard) => {
                let Received { meta, body: Some(ask), .. } = heard else { return };
                let result = self.read_again(&ask, now);
                answer(meta.as_ref(), result, out);
            }
        }
    }

    fn portfolio(&mut self, heard: Received<PortfolioState>) {
        let held = |state: PortfolioState| {
            let positions = state.positions.into_iter();
            positions.filter(|position| !position.qty_e6.is_zero()).map(|position| position.isin).collect()
        };
        let cash = |state: &PortfolioState| {
            let balances = state.cash.iter().map(|cash| cash.amount).filter(|amount| !amount.is_zero());
            balances.map(|amount| amount.currency()).collect()
        };
        self.cash = heard.body.as_ref().map(cash).unwrap_or_default();
        self.held = heard.body.map(held);
    }

    fn update(
        &mut self,
        ask: &SecurityUpdate,
        now: Timestamp,
        out: &mut Out<Self>,
    ) -> Result<(String, serde_json::Value), Refused> {
        let has_data = self.bars.get(&ask.isin).is_some_and(|bars| bars.complete.is_some());
        let listed = self.universe.get_mut(&ask.isin).ok_or_else(|| unknown(&ask.isin))?;
        let mut new = owner::change(&listed.security, ask, has_data)?;
        for (field, value) in &ask.corrections {
            use contracts::Corrected as C;
            match (field, value) {
                (C::Name, None) => new.name.clone_from(&listed.told.name),
                (C::Country, None) => new.country.clone_from(&listed.told.country),
                (C::Industry, None) => new.industry.clone_from(&listed.told.industry),
                (C::ProductType, None) => new.product_type.clone_from(&listed.told.product_type),
                (C::YahooSymbol, None) => drop(self.symbols.remove(&ask.isin)),
                (C::YahooSymbol, Some(symbol)) => {
                    self.symbols.insert(ask.isin, symbol.trim().to_owned());
                    self.outside.hurry(&Task::Chart(ask.isin), now);
                    self.outside.hurry(&Task::Facts(ask.isin), now);
                }
                (_, Some(_)) => {}
            }
        }
        listed.security = new.clone();
        let text = format!("{} was changed.", new.ticker);
        let data = json!({"isin": new.isin, "allow_buy": new.allow_buy, "allow_sell": new.allow_sell});
        out.save(Save::Owner {
            security: Box::new(new),
            priority: ask.priority.map(contracts::Finite::get),
            corrections: ask.corrections.clone(),
            reason: None,
            at: now,
        });
        if ask.active == Some(true) {
            self.watch(ask.isin, now);
        }
        self.say_universe(out);
        out.decided(format!("{} changed {text}", ask.actor));
        Ok((text, data))
    }

    fn deactivate(
        &mut self,
        ask: &SecurityDeactivate,
        now: Timestamp,
        out: &mut Out<Self>,
    ) -> Result<(String, serde_json::Value), Refused> {
        let listed = self.universe.get_mut(&ask.isin).ok_or_else(|| unknown(&ask.isin))?;
        let ticker = listed.security.ticker.clone();
        if !ask.force {
            match &self.held {
                None => {
                    let text =
                        format!("nobody has said yet whether {ticker} is held; try again soon, or --force");
                    return Err(("unknown_holding", text));
                }
                Some(held) if held.contains(&ask.isin) => {
                    let text =
                        format!("{ticker} is held; sell it first (--force leaves it unwatched and unsold)");
                    return Err(("held", text));
                }
                Some(_) => {}
            }
        }
        listed.security.active = false;
        out.save(Save::Owner {
            security: Box::new(listed.security.clone()),
            priority: None,
            corrections: std::collections::BTreeMap::new(),
            reason: Some(ask.text.clone()),
            at: now,
        });
        self.outside.forget(&ask.isin);
        self.troubles.retain(|key, _| !key.contains(ask.isin.as_str()));
        self.say_universe(out);
        let text = format!("{ticker} is no longer watched; its history stays.");
        out.decided(text.clone());
        Ok((text, json!({"isin": ask.isin})))
    }

    fn read_again(
        &mut self,
        ask: &IngestRun,
        now: Timestamp,
    ) -> Result<(String, serde_json::Value), Refused> {
        let chosen: Vec<Isin> = match ask.isin {
            Some(isin) if !self.universe.contains_key(&isin) => return Err(unknown(&isin)),
            Some(isin) => vec![isin],
            None => self.universe.keys().copied().collect(),
        };
        for isin in &chosen {
            if let Some(bars) = self.bars.get_mut(isin) {
                (bars.again, bars.not_before, bars.given_up, bars.probed) = (true, None, None, None);
            }
            // The chart may be the series itself: then all of it is wanted.
            self.outside.renew(&Task::Chart(*isin), now);
            self.outside.hurry(&Task::Facts(*isin), now);
        }
        self.bars_at = now;
        Ok((format!("{} securities are read again.", chosen.len()), json!({"securities": chosen.len()})))
    }

    fn add(&mut self, heard: Received<SecurityAdd>, out: &mut Out<Self>) {
        let Received { meta: Some(command), body: Some(ask), .. } = heard else { return };
        let identifier = ask.identifier.trim().to_owned();
        let known = self.universe.values().find(|listed| {
            let security = &listed.security;
            security.isin.as_str().eq_ignore_ascii_case(&identifier)
                || security.ticker.eq_ignore_ascii_case(&identifier)
        });
        let refused: Option<Refused> = if identifier.is_empty() || identifier.chars().count() > 100 {
            Some(("identifier", "name an ISIN, a ticker or a name of at most 100 characters".into()))
        } else if is_mistyped(&identifier) {
            Some(("isin", format!("the check digit of {identifier} is wrong; compare it with its source")))
        } else if let Some(listed) = known {
            let text = if listed.security.active {
                format!("{} is in the universe already", listed.security.ticker)
            } else {
                format!(
                    "{} was taken out; `steward universe set {} --active on` brings it back",
                    listed.security.ticker, listed.security.isin
                )
            };
            Some(("exists", text))
        } else if self.adding.is_some() {
            Some(("busy", "another security is being added; try again in a moment".into()))
        } else {
            None
        };
        if let Some(refused) = refused {
            return answer(Some(&command), Err(refused), out);
        }
        out.call(Call::Find { text: identifier.clone() });
        self.adding = Some(Adding { command, identifier, mic: ask.mic });
    }

    /// The broker's hits for what a person named.
    pub(crate) fn found(&mut self, result: Result<Vec<(Isin, Listing)>, Failure>, out: &mut Out<Self>) {
        let Some(adding) = &self.adding else { return };
        let meant = result
            .map_err(|failure| ("broker", format!("the broker could not be asked: {}", failure.text)))
            .and_then(|hits| owner::meant(&adding.identifier, adding.mic, &hits));
        match meant {
            Ok((isin, ticker)) => out.call(Call::Master { isin, ticker }),
            Err(refused) => self.finish(Err(refused), out),
        }
    }

    /// The broker's master data of the security.
    pub(crate) fn master_came(
        &mut self,
        isin: Isin,
        ticker: &Ticker,
        result: Result<Option<Master>, Failure>,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        if self.is_renamed_to(&isin) {
            return self.renamed(isin, ticker, result, now, out);
        }
        if self.adding.is_none() {
            return;
        }
        let result = result
            .map_err(|failure| ("broker", format!("the broker could not be asked: {}", failure.text)))
            .and_then(|master| {
                master.ok_or_else(|| ("not_found", format!("the broker has no data of {ticker}")))
            })
            .and_then(|master| owner::security_of(isin, ticker, &master, &self.calendars))
            .and_then(|security| {
                let mut all: Vec<_> = self.universe.values().map(|listed| listed.security.clone()).collect();
                all.push(security.clone());
                match admission::objection(&all, self.live) {
                    Some(why) => Err(("not_admitted", why)),
                    None => Ok(security),
                }
            });
        let answer = result.map(|security| {
            out.save(Save::Security(Box::new(security.clone()), now));
            let text = format!(
                "{} ({}) was added; its data are read now, buying and selling stay off until you allow them.",
                security.ticker, security.name
            );
            let data = json!({
                "isin": security.isin, "ticker": security.ticker, "name": security.name, "mic": security.mic,
                "currency": security.ccy, "product_type": security.product_type, "country": security.country,
            });
            let listed = Listed {
                told: security.clone(),
                ticker: ticker.clone(),
                known: crate::quotes::Known::default(),
                security,
            };
            self.universe.insert(isin, listed);
            self.bars.insert(isin, Progress::default());
            self.watch(isin, now);
            self.say_universe(out);
            out.decided(text.clone());
            (text, data)
        });
        self.finish(answer, out);
    }

    /// Everything about a security is due now.
    pub(crate) fn watch(&mut self, isin: Isin, now: Timestamp) {
        if let Some(listed) = self.universe.get(&isin) {
            self.venues.entry(listed.security.mic).or_insert(Timestamp::ZERO);
        }
        self.troubles.remove("universe");
        self.quotes_at = self.quotes_at.min(now);
        self.bars_at = self.bars_at.min(now);
        if !self.settings.yahoo_url.is_empty() {
            self.outside.expect(Task::Chart(isin), None);
            self.outside.expect(Task::Facts(isin), None);
            self.outside.expect(Task::Peg(isin), None);
        }
    }

    fn finish(&mut self, result: Result<(String, serde_json::Value), Refused>, out: &mut Out<Self>) {
        let Some(adding) = self.adding.take() else { return };
        answer(Some(&adding.command), result, out);
    }
}

/// Has the form of an ISIN and is none: then its check digit is wrong, and asking the broker would only confuse.
fn is_mistyped(identifier: &str) -> bool {
    let form = |(place, byte): (usize, u8)| match place {
        0 | 1 => byte.is_ascii_alphabetic(),
        11 => byte.is_ascii_digit(),
        _ => byte.is_ascii_alphanumeric(),
    };
    let looks_like_one = identifier.len() == 12 && identifier.bytes().enumerate().all(form);
    looks_like_one && identifier.to_uppercase().parse::<Isin>().is_err()
}

fn unknown(isin: &Isin) -> Refused {
    ("not_found", format!("{isin} is not in the universe; `steward universe list --all` shows what is"))
}

fn answer(
    command: Option<&Meta>,
    result: Result<(String, serde_json::Value), Refused>,
    out: &mut Out<Ingest>,
) {
    match result {
        Ok((text, data)) => out.answer(command, Outcome::Done, None, text, data),
        Err((code, text)) => {
            let outcome = if code == "broker" { Outcome::Failed } else { Outcome::Refused };
            out.answer(command, outcome, Some(code), text, serde_json::Value::Null);
        }
    }
}
