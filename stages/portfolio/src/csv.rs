//! Lines of an existing ledger as CSV: `docs/import.md` names the columns. Every mistake is told with its line and
//! column, many at a time; a file with one mistake has no lines at all.

use std::collections::BTreeMap;

use contracts::FlowKind;
use market::{Day, Isin};
use money::{Currency, Money, Price, Quantity, Rate};
use sha2::{Digest, Sha256};

/// Mistakes told at once.
const MISTAKES_MAX: usize = 20;

/// A line of the file of trades.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TradeLine {
    pub(crate) line: usize,
    pub(crate) key: String,
    pub(crate) day: Day,
    pub(crate) isin: Isin,
    pub(crate) ticker: String,
    pub(crate) what: What,
}

/// What a line of the file of trades says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Trade { buys: bool, qty: Quantity, price: Price, ccy: Currency, fee: Option<Money>, rate: Option<Rate> },
    Split { before: i64, after: i64 },
}

/// A line of the file of cash flows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FlowLine {
    pub(crate) key: String,
    pub(crate) day: Day,
    pub(crate) kind: FlowKind,
    pub(crate) amount: Money,
    pub(crate) rate: Option<Rate>,
    pub(crate) isin: Option<Isin>,
    pub(crate) text: String,
}

/// Reads the file of trades.
///
/// # Errors
/// One sentence for each mistake.
pub(crate) fn trades(text: &str) -> Result<Vec<TradeLine>, Vec<String>> {
    let needed = ["date", "side", "isin", "quantity", "price", "currency"];
    read("trades", text, &needed, &["ticker", "fee", "eur_per_unit", "id"], trade)
}

/// Reads the file of cash flows.
///
/// # Errors
/// One sentence for each mistake.
pub(crate) fn flows(text: &str) -> Result<Vec<FlowLine>, Vec<String>> {
    let needed = ["date", "kind", "amount", "currency"];
    read("cash flows", text, &needed, &["eur_per_unit", "isin", "id", "description"], flow)
}

/// The cells of one line by column.
struct Cells<'a> {
    file: &'static str,
    line: usize,
    by_name: BTreeMap<&'a str, String>,
    key: String,
}

impl Cells<'_> {
    fn text(&self, column: &str) -> &str {
        self.by_name.get(column).map_or("", |cell| cell.trim())
    }

    fn wrong(&self, column: &str, rule: &str) -> String {
        format!("{}, line {}, column `{column}`: `{}` {rule}", self.file, self.line, self.text(column))
    }

    fn need<T>(&self, column: &str, rule: &str, read: impl Fn(&str) -> Option<T>) -> Result<T, String> {
        read(self.text(column)).ok_or_else(|| self.wrong(column, rule))
    }

    /// An empty cell is unknown; a wrong one is a mistake.
    fn maybe<T>(
        &self,
        column: &str,
        rule: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, String> {
        if self.text(column).is_empty() { Ok(None) } else { self.need(column, rule, read).map(Some) }
    }

    fn day(&self) -> Result<Day, String> {
        self.need("date", "is no day; write it as 2024-03-31", |text| text.parse().ok())
    }

    fn currency(&self) -> Result<Currency, String> {
        self.need("currency", "is no currency; write three capital letters", |text| Currency::new(text).ok())
    }

    fn rate(&self) -> Result<Option<Rate>, String> {
        self.maybe("eur_per_unit", "is no rate above zero", |text| text.parse().ok())
    }
}

fn trade(cells: &Cells<'_>) -> Result<TradeLine, String> {
    let isin = cells.need("isin", "is no ISIN", |text| text.parse().ok())?;
    let what = match cells.text("side").to_ascii_lowercase().as_str() {
        "split" => cells.need("quantity", "is no ratio; write four new units for one old as 4:1", split)?,
        side @ ("buy" | "sell") => {
            let ccy = cells.currency()?;
            let above_zero = |text: &str| text.parse().ok().filter(|qty: &Quantity| qty.is_positive());
            What::Trade {
                buys: side == "buy",
                qty: cells.need("quantity", "is no number above zero", above_zero)?,
                price: cells.need("price", "is no price", |text| text.parse().ok())?,
                ccy,
                fee: cells.maybe("fee", "is no amount", |text| amount(text, ccy))?,
                rate: cells.rate()?,
            }
        }
        _ => return Err(cells.wrong("side", "is neither buy, sell nor split")),
    };
    let (key, ticker) = (cells.key.clone(), cells.text("ticker").to_owned());
    Ok(TradeLine { line: cells.line, key, day: cells.day()?, isin, ticker, what })
}

fn split(text: &str) -> Option<What> {
    let (after, before) = text.split_once(':')?;
    let side = |text: &str| text.trim().parse::<i64>().ok().filter(|side| (1..=10_000).contains(side));
    let (before, after) = (side(before)?, side(after)?);
    (before != after).then_some(What::Split { before, after })
}

fn amount(text: &str, ccy: Currency) -> Option<Money> {
    money::parse_scaled(text, 4, "amount").ok().map(|e4| Money::from_e4(e4, ccy))
}

fn flow(cells: &Cells<'_>) -> Result<FlowLine, String> {
    let kind = match cells.text("kind").to_ascii_lowercase().as_str() {
        "deposit" => FlowKind::Deposit,
        "withdrawal" => FlowKind::Withdrawal,
        "dividend" => FlowKind::Dividend,
        "tax" => FlowKind::Tax,
        "fee" => FlowKind::Fee,
        "interest" => FlowKind::Interest,
        "corporate_action" => FlowKind::CorporateAction,
        "other" => FlowKind::Other,
        _ => return Err(cells.wrong("kind", "is no kind of cash flow; `docs/import.md` lists them")),
    };
    let ccy = cells.currency()?;
    let sum = cells.need("amount", "is no amount; write it signed, as -12.50", |text| amount(text, ccy))?;
    if (kind == FlowKind::Deposit && sum.is_negative()) || (kind == FlowKind::Withdrawal && sum.is_positive())
    {
        return Err(
            cells.wrong("amount", "has the wrong sign: what came in is positive, what went out negative")
        );
    }
    Ok(FlowLine {
        key: cells.key.clone(),
        day: cells.day()?,
        kind,
        amount: sum,
        rate: cells.rate()?,
        isin: cells.maybe("isin", "is no ISIN", |text| text.parse().ok())?,
        text: cells.text("description").to_owned(),
    })
}

fn read<T>(
    file: &'static str,
    text: &str,
    needed: &[&'static str],
    allowed: &[&'static str],
    line: impl Fn(&Cells<'_>) -> Result<T, String>,
) -> Result<Vec<T>, Vec<String>> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let Some((_, heading)) = lines.next() else { return Err(vec![format!("{file}: the file is empty")]) };
    let heading = cells(heading.trim_start_matches('\u{feff}'))
        .map_err(|why| vec![format!("{file}, line 1: {why}")])?;
    let names: Vec<&str> = heading.iter().map(|name| name.trim()).collect();
    let missing = needed.iter().filter(|name| !names.contains(name));
    let mut mistakes: Vec<String> =
        missing.map(|name| format!("{file}, line 1: the column `{name}` is missing")).collect();
    let known = |name: &&str| needed.contains(name) || allowed.contains(name);
    mistakes.extend(
        names
            .iter()
            .filter(|name| !known(name))
            .map(|name| format!("{file}, line 1: no column is called `{name}`")),
    );
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut all = Vec::new();
    for (at, text) in lines {
        let number = at + 1;
        let read = cells(text).and_then(|found| {
            if found.len() != names.len() {
                return Err(format!("it has {} cells, the heading {}", found.len(), names.len()));
            }
            Ok(found)
        });
        let found = match read {
            Ok(found) => found,
            Err(why) => {
                mistakes.push(format!("{file}, line {number}: {why}"));
                continue;
            }
        };
        let by_name: BTreeMap<&str, String> = names.iter().copied().zip(found).collect();
        let key = key(file, &by_name, &mut seen);
        match line(&Cells { file, line: number, by_name, key }) {
            Ok(line) => all.push(line),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    mistakes.truncate(MISTAKES_MAX);
    if mistakes.is_empty() { Ok(all) } else { Err(mistakes) }
}

/// What makes a line the same when the file is imported again: its id, or its content and how often that came before.
fn key(file: &str, cells: &BTreeMap<&str, String>, seen: &mut BTreeMap<String, usize>) -> String {
    let id = cells.get("id").map_or("", |id| id.trim());
    let content = if id.is_empty() {
        cells.iter().map(|(name, cell)| format!("{name}={}", cell.trim())).collect::<Vec<_>>().join("\u{1f}")
    } else {
        format!("id={id}")
    };
    let before = seen.entry(content.clone()).or_default();
    *before += 1;
    let digest = Sha256::digest(format!("{file}\u{1f}{content}\u{1f}{before}"));
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// The cells of a line; a cell in quotes may hold commas, and a doubled quote is one.
fn cells(line: &str) -> Result<Vec<String>, String> {
    let mut all = vec![String::new()];
    let mut quoted = false;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        let cell = all.last_mut().ok_or("it has no cells")?;
        match letter {
            '"' if quoted && letters.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => all.push(String::new()),
            other => cell.push(other),
        }
    }
    if quoted { Err("a quotation mark is not closed".into()) } else { Ok(all) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const HEAD: &str = "date,side,isin,quantity,price,currency,fee,eur_per_unit\n";
    const LINE: &str = "2024-03-01,buy,US99S0011099,12,84.45,USD,4.37,0.92\n";

    fn mistake(line: &str) -> String {
        trades(&format!("{HEAD}{LINE}{line}\n")).unwrap_err().remove(0)
    }

    #[test]
    fn a_line_is_read_with_all_it_says() {
        let read = trades(&format!("{HEAD}{LINE}\n2024-06-01,split,US99S0011099,4:1,,,,\n")).unwrap();
        let What::Trade { buys, qty, price, ccy, fee, rate } = read[0].what else { panic!("a trade") };
        assert_eq!((buys, qty.e6(), price.e6(), ccy), (true, 12_000_000, 84_450_000, Currency::USD));
        assert_eq!((fee.unwrap().e4(), rate.unwrap().e9()), (43_700, 920_000_000));
        assert_eq!((read[1].what, read[1].line), (What::Split { before: 1, after: 4 }, 4));
    }

    #[test]
    fn a_mistake_is_told_with_line_and_column() {
        for (line, expected) in [
            (
                "2024-13-01,buy,US99S0011099,1,1,USD,,",
                "trades, line 3, column `date`: `2024-13-01` is no day",
            ),
            ("2024-03-01,hold,US99S0011099,1,1,USD,,", "line 3, column `side`: `hold`"),
            ("2024-03-01,buy,US99S0011098,1,1,USD,,", "line 3, column `isin`"),
            ("2024-03-01,buy,US99S0011099,0,1,USD,,", "line 3, column `quantity`: `0`"),
            ("2024-03-01,buy,US99S0011099,-1,1,USD,,", "line 3, column `quantity`"),
            ("2024-03-01,buy,US99S0011099,1,x,USD,,", "line 3, column `price`"),
            ("2024-03-01,buy,US99S0011099,1,1,usd,,", "line 3, column `currency`"),
            ("2024-03-01,buy,US99S0011099,1,1,USD,x,", "line 3, column `fee`"),
            ("2024-03-01,buy,US99S0011099,1,1,USD,,0", "line 3, column `eur_per_unit`"),
            ("2024-03-01,split,US99S0011099,4,1,USD,,", "line 3, column `quantity`: `4` is no ratio"),
            ("2024-03-01,buy", "line 3: it has 2 cells, the heading 8"),
            ("\"2024-03-01,buy,US99S0011099,1,1,USD,,", "line 3: a quotation mark"),
        ] {
            assert!(mistake(line).contains(expected), "{line}: {}", mistake(line));
        }
        assert!(trades("").unwrap_err()[0].contains("empty"));
        assert!(trades("date,side\n").unwrap_err()[0].contains("`isin` is missing"));
        assert!(trades(&HEAD.replace("fee", "fees")).unwrap_err()[0].contains("`fees`"));
    }

    #[test]
    fn many_mistakes_are_told_at_once() {
        let two = format!("{HEAD}x,buy,US99S0011099,1,1,USD,,\ny,buy,US99S0011099,1,1,USD,,\n");
        assert_eq!(trades(&two).unwrap_err().len(), 2);
    }

    #[test]
    fn the_same_line_has_the_same_key_and_a_repeated_one_another() {
        let keys = |text: &str| trades(text).unwrap().into_iter().map(|line| line.key).collect::<Vec<_>>();
        let twice = keys(&format!("{HEAD}{LINE}{LINE}"));
        assert_ne!(twice[0], twice[1]);
        assert_eq!(keys(&format!("{HEAD}{LINE}"))[0], twice[0]);
    }

    #[test]
    fn flows_are_signed_and_of_a_known_kind() {
        let head = "date,kind,amount,currency,description\n";
        let read = flows(&format!("{head}2024-03-01,fee,-1.25,EUR,\"custody, \"\"March\"\"\"\n")).unwrap();
        assert_eq!((read[0].amount.e4(), read[0].text.as_str()), (-12_500, "custody, \"March\""));
        for line in ["2024-03-01,deposit,-1,EUR,", "2024-03-01,withdrawal,1,EUR,", "2024-03-01,gift,1,EUR,"] {
            assert!(flows(&format!("{head}{line}\n")).unwrap_err()[0].contains("line 2, column"), "{line}");
        }
    }
}
