//! Takes an existing ledger over: whole or not at all, and a second time without effect.
//!
//! Trades must lie before the books began, and must add up to what was held then: they take the place of the
//! holding that was there at first, and its cost in EUR becomes known. Cash flows may be of any day: those before
//! the books are history, later ones explain cash that the broker's statement does not name.

use std::collections::{BTreeMap, BTreeSet};

use bus_client::Out;
use contracts::{Flow, FlowKind, Id, ImportLedger, JobRun, LedgerFile, Meta, Outcome, Received, Side};
use market::{Day, Isin, Timestamp};
use money::{Currency, Money, Quantity, Rate, Rounding, to_eur, value};

use tradernet::commands::flow_class::{FlowClass, FlowKind as Class};

use crate::actions::{Action, Change};
use crate::books::{Fill, Held, Origin, Traded};
use crate::csv::{self, FlowLine, TradeLine, What};
use crate::flows::Booked;
use crate::job_runs::{self, IMPORT};
use crate::limits::{IMPORT_BYTES_MAX, IMPORT_PARTS_MAX};
use crate::{Portfolio, Save};

/// The parts of an import that have come so far.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    import: String,
    texts: BTreeMap<u32, (LedgerFile, String)>,
    /// The work as it was said to have begun.
    run: Option<JobRun>,
}

impl Parts {
    /// Adds a part; true once all are there.
    fn add(&mut self, part: &ImportLedger) -> Result<bool, String> {
        if self.import != part.import {
            *self = Parts { import: part.import.clone(), ..Parts::default() };
        }
        if !(1..=part.parts).contains(&part.part) || part.parts > IMPORT_PARTS_MAX {
            return Err(format!("part {} of {} is none of 1 to {IMPORT_PARTS_MAX}", part.part, part.parts));
        }
        self.texts.insert(part.part, (part.file, part.text.clone()));
        let bytes: usize = self.texts.values().map(|(_, text)| text.len()).sum();
        if bytes > IMPORT_BYTES_MAX {
            *self = Parts::default();
            return Err(format!("the files have more than {IMPORT_BYTES_MAX} bytes; import them by year"));
        }
        Ok(u32::try_from(self.texts.len()).is_ok_and(|there| there == part.parts))
    }

    fn text(&self, file: LedgerFile) -> Option<String> {
        let parts: Vec<&str> =
            self.texts.values().filter(|(of, _)| *of == file).map(|(_, text)| text.as_str()).collect();
        (!parts.is_empty()).then(|| parts.concat())
    }
}

/// What an import would change.
#[derive(Debug, Default)]
struct Taken {
    fills: Vec<Fill>,
    actions: Vec<Action>,
    /// Holdings whose beginning is explained now, and what they became by it.
    explained: BTreeMap<Isin, Held>,
    flows: Vec<Booked>,
    /// Lines that were there already.
    known: usize,
}

impl Portfolio {
    pub(crate) fn import_ledger(
        &mut self,
        heard: Received<ImportLedger>,
        now: Timestamp,
        out: &mut Out<Self>,
    ) {
        let (Some(part), Some(command)) = (heard.body, heard.meta) else { return };
        let added = self.imports.add(&part);
        let begin = || job_runs::begun(IMPORT, "command", part.parts.into(), now);
        let mut run = self.imports.run.take().unwrap_or_else(begin);
        run.done = u64::try_from(self.imports.texts.len()).unwrap_or(u64::MAX);
        match added {
            Ok(false) => {
                out.say(run.clone());
                self.imports.run = Some(run);
                let text = format!("Part {} of {} is here.", part.part, part.parts);
                out.answer(Some(&command), Outcome::Done, None, text, serde_json::Value::Null);
            }
            Ok(true) => {
                let parts = std::mem::take(&mut self.imports);
                let imported = self.import_whole(&parts, part.dry_run, &command, now, out);
                out.say(job_runs::ended(run, imported.is_ok(), &imported.unwrap_or_else(|why| why), now));
            }
            Err(why) => {
                let why = refuse(&command, vec![why], out);
                out.say(job_runs::ended(run, false, &why, now));
            }
        }
    }

    fn import_whole(
        &mut self,
        parts: &Parts,
        dry_run: bool,
        command: &Meta,
        now: Timestamp,
        out: &mut Out<Self>,
    ) -> Result<String, String> {
        let taken = match self.plan_import(parts, now) {
            Ok(taken) => taken,
            Err(mistakes) => return Err(refuse(command, mistakes, out)),
        };
        let data = serde_json::json!({
            "trades": taken.fills.len(), "splits": taken.actions.len(), "cash_flows": taken.flows.len(),
            "known": taken.known, "explained": taken.explained.len(), "dry_run": dry_run,
        });
        let counts = format!(
            "{} trades, {} splits and {} cash flows, {} lines were known already",
            taken.fills.len(),
            taken.actions.len(),
            taken.flows.len(),
            taken.known
        );
        if dry_run {
            let text = format!("Nothing was changed. The import would take over {counts}.");
            out.answer(Some(command), Outcome::Done, None, text.clone(), data);
            return Ok(text);
        }
        self.take_over(taken, out);
        out.decided(format!("An existing ledger was taken over: {counts}."));
        let text = format!("Taken over: {counts}.");
        out.answer(Some(command), Outcome::Done, None, text.clone(), data);
        self.read_soon(now);
        Ok(text)
    }

    fn plan_import(&self, parts: &Parts, now: Timestamp) -> Result<Taken, Vec<String>> {
        let Some(begun) = self.accounts.begun else {
            return Err(vec!["the account has not been read yet; run `steward sync` first".into()]);
        };
        let trades = parts.text(LedgerFile::Trades).map_or(Ok(Vec::new()), |text| csv::trades(&text));
        let flows = parts.text(LedgerFile::CashFlows).map_or(Ok(Vec::new()), |text| csv::flows(&text));
        let (trades, flows) = match (trades, flows) {
            (Ok(trades), Ok(flows)) => (trades, flows),
            (trades, flows) => {
                return Err(trades.err().into_iter().chain(flows.err()).flatten().collect());
            }
        };
        let mut taken = Taken::default();
        let mut by_isin: BTreeMap<Isin, Vec<&TradeLine>> = BTreeMap::new();
        for line in &trades {
            by_isin.entry(line.isin).or_default().push(line);
        }
        let mut mistakes = Vec::new();
        for (isin, mut lines) in by_isin {
            lines.sort_by_key(|line| line.day);
            if let Err(mistake) = self.plan_security(isin, &lines, begun, &mut taken) {
                mistakes.push(mistake);
            }
        }
        self.plan_flows(&flows, begun, now, &mut taken);
        if mistakes.is_empty() { Ok(taken) } else { Err(mistakes) }
    }

    /// All lines of one security: known, or new and adding up to what was held when the books began.
    fn plan_security(
        &self,
        isin: Isin,
        lines: &[&TradeLine],
        begun: Timestamp,
        taken: &mut Taken,
    ) -> Result<(), String> {
        let accounts = &self.accounts;
        let is_known = |line: &&&TradeLine| match line.what {
            What::Trade { .. } => accounts.csv_fills.contains(&id_of(line)),
            // A split came with the trades of its security.
            What::Split { .. } => accounts.csv_isins.contains(&isin),
        };
        let known = lines.iter().filter(is_known).count();
        if known == lines.len() {
            taken.known += known;
            return Ok(());
        }
        if known > 0 || accounts.csv_isins.contains(&isin) {
            return Err(format!(
                "trades, {isin}: it was imported before; further lines cannot be added to it"
            ));
        }
        let opening = accounts.openings.get(&isin);
        let first = opening.map_or_else(|| ccy_of(lines), |held| Some((held.ccy, held.ticker.clone())));
        let (ccy, ticker) = first.ok_or_else(|| format!("trades, {isin}: it was never bought"))?;
        let mut held = Held::nothing(&ticker, ccy);
        for line in lines {
            let at = noon(line.day);
            if at >= begun {
                let day = begun.day_utc();
                return Err(format!(
                    "trades, line {}, column `date`: {} is not before {day}, when the books began; the broker tells of later trades",
                    line.line, line.day
                ));
            }
            held = step(held, line, at, taken)?;
        }
        let was = opening.map_or(Quantity::ZERO, |held| held.qty);
        if held.qty != was {
            return Err(format!(
                "trades, {isin}: its lines add up to {}, but {was} were held when the books began; a line is missing or too many",
                held.qty
            ));
        }
        if opening.is_some() {
            taken.explained.insert(isin, held);
        }
        Ok(())
    }

    fn plan_flows(&self, lines: &[FlowLine], begun: Timestamp, now: Timestamp, taken: &mut Taken) {
        // What the broker's own statement tells already is not told again.
        let mut told: BTreeMap<(Day, Currency, i64), usize> = BTreeMap::new();
        // A hold is no flow, so no line of a ledger is one.
        let is_flow = |booked: &&Booked| {
            !booked.key.starts_with("csv:") && Class::of(&booked.raw_type).class != FlowClass::Hold
        };
        for booked in self.accounts.flows.values().filter(is_flow) {
            let amount = booked.flow.amount;
            *told.entry((booked.flow.day, amount.currency(), amount.e4())).or_default() += 1;
        }
        for line in lines {
            let key = format!("csv:{}", line.key);
            let same =
                told.get_mut(&(line.day, line.amount.currency(), line.amount.e4())).filter(|left| **left > 0);
            if let Some(left) = same {
                *left -= 1;
                taken.known += 1;
            } else if self.accounts.flows.contains_key(&key) {
                taken.known += 1;
            } else {
                let seen = if line.day < begun.day_utc() { Timestamp::ZERO } else { now };
                taken.flows.push(booked(key, line, seen));
            }
        }
    }

    fn take_over(&mut self, taken: Taken, out: &mut Out<Self>) {
        let accounts = &mut self.accounts;
        for fill in taken.fills {
            accounts.csv_fills.insert(fill.fill_id);
            accounts.csv_isins.extend(fill.isin);
            out.save(Save::Fill(Box::new(fill)));
        }
        taken.actions.into_iter().for_each(|action| out.save(Save::Action(action)));
        for (isin, opening) in taken.explained {
            accounts.openings.remove(&isin);
            out.save(Save::OpeningGone(isin));
            if let Some(now) = accounts.books.get(&isin)
                && let Some(held) = since(&opening, now, &isin, &accounts.fills)
            {
                out.save(Save::Position(isin, held.clone()));
                accounts.books.insert(isin, held);
            }
        }
        for booked in taken.flows {
            out.save(Save::Flow(Box::new(booked.clone())));
            accounts.flows.insert(booked.key.clone(), booked);
        }
        self.join_dividends(out);
    }
}

/// The holding of today with the cost and the dates that follow from its explained beginning; `None` where something
/// else than trades has changed it since.
fn since(opening: &Held, now: &Held, isin: &Isin, fills: &BTreeMap<String, Fill>) -> Option<Held> {
    let mut later: Vec<&Fill> =
        fills.values().filter(|fill| fill.isin == Some(*isin) && !fill.in_opening).collect();
    later.sort_by_key(|fill| (fill.executed, fill.fill_id));
    let mut held = opening.clone();
    for fill in later {
        held = held.after(&Traded::from(fill)).ok()?;
    }
    (held.qty == now.qty).then(|| Held { ticker: now.ticker.clone(), avg: now.avg, ..held })
}

/// One line more; what it adds to the books is collected.
fn step(held: Held, line: &TradeLine, at: Timestamp, taken: &mut Taken) -> Result<Held, String> {
    let wrong = |why: String| format!("trades, line {}: {why}", line.line);
    let id = id_of(line);
    match line.what {
        What::Split { before, after } => {
            let exact = i128::from(held.qty.e6()) * i128::from(after) / i128::from(before);
            let left = i64::try_from(exact).ok().and_then(|e6| Quantity::from_e6(e6).ok());
            let left = left.ok_or_else(|| wrong("its quantity is too large".into()))?;
            let next = held.split(before, after, left).map_err(|error| wrong(error.to_string()))?;
            let change = Change::Split { before, after };
            taken.actions.push(Action { id, isin: line.isin, change, at, held: held.qty, left, price: None });
            Ok(next)
        }
        What::Trade { buys, qty, price, ccy, fee, rate } => {
            if ccy != held.ccy {
                return Err(format!(
                    "trades, line {}, column `currency`: it is in {ccy}, the holding in {}",
                    line.line, held.ccy
                ));
            }
            let amount =
                value(price, qty, ccy, Rounding::HalfEven).map_err(|error| wrong(error.to_string()))?;
            let rate = if ccy == Currency::EUR { Some(Rate::ONE) } else { rate };
            let eur = rate.and_then(|rate| to_eur(amount, rate, Rounding::HalfEven).ok());
            let side = if buys { Side::Buy } else { Side::Sell };
            let next = held
                .after(&Traded { side, qty, price: Some(price), eur, at })
                .map_err(|error| wrong(error.to_string()))?;
            if next.qty.is_negative() {
                return Err(format!(
                    "trades, line {}, column `quantity`: {qty} are sold, but only {} were held",
                    line.line, held.qty
                ));
            }
            let ticker = if line.ticker.is_empty() { held.ticker.clone() } else { line.ticker.clone() };
            taken.fills.push(Fill {
                fill_id: id,
                trade_id: None,
                broker_order_id: None,
                order_id: None,
                isin: Some(line.isin),
                ticker,
                side,
                qty,
                price: Some(price),
                ccy: Some(ccy),
                amount: Some(amount),
                fee,
                rate,
                value_eur: eur,
                executed: at,
                booked: at,
                settle_day: None,
                origin: Origin::Csv,
                in_opening: true,
            });
            Ok(next)
        }
    }
}

fn id_of(line: &TradeLine) -> Id {
    Id::derive(noon(line.day), &["portfolio", "csv", &line.key])
}

fn noon(day: Day) -> Timestamp {
    Timestamp::from_ms(i64::from(day.epoch_days()).saturating_mul(86_400_000).saturating_add(43_200_000))
}

fn ccy_of(lines: &[&TradeLine]) -> Option<(Currency, String)> {
    lines.iter().find_map(|line| match line.what {
        What::Trade { ccy, .. } => Some((ccy, line.ticker.clone())),
        What::Split { .. } => None,
    })
}

fn booked(key: String, line: &FlowLine, seen: Timestamp) -> Booked {
    let (raw_type, external) = match line.kind {
        FlowKind::Deposit | FlowKind::Withdrawal => ("bank", true),
        FlowKind::Dividend => ("dividend", false),
        FlowKind::Tax => ("tax", false),
        FlowKind::Fee => ("commission", false),
        FlowKind::Interest => ("percents", false),
        FlowKind::CorporateAction => ("conversion", false),
        FlowKind::Other => ("system", false),
    };
    let rate = if line.amount.currency() == Currency::EUR { Some(Rate::ONE) } else { line.rate };
    let eur = |rate| -> Option<Money> { to_eur(line.amount, rate, Rounding::HalfEven).ok() };
    Booked {
        flow: Flow {
            id: Id::derive(noon(line.day), &["portfolio", "flow", &key]),
            kind: line.kind,
            day: line.day,
            amount: line.amount,
            amount_eur: rate.and_then(eur),
            isin: line.isin,
            text: line.text.chars().take(200).collect(),
        },
        key,
        raw_type: raw_type.into(),
        external,
        seen,
    }
}

/// Answers why nothing was imported, and gives that sentence.
fn refuse(command: &Meta, mistakes: Vec<String>, out: &mut Out<Portfolio>) -> String {
    let text = format!("Nothing was imported: {}.", mistakes.join("; "));
    let mistakes: BTreeSet<String> = mistakes.into_iter().collect();
    out.answer(
        Some(command),
        Outcome::Refused,
        Some("import"),
        text.clone(),
        serde_json::json!({ "mistakes": mistakes }),
    );
    text
}
