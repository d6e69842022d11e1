//! `steward export`: the books as CSV or JSON, read from the ledger while the system runs or rests.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use bus_client::{Place, open_for_reading};
use market::Timestamp;
use rusqlite::types::ValueRef;
use serde_json::{Map, Value};

use crate::{
    Fault,
    cli::{ExportOptions, Exported, Format},
    print,
};

/// Rows between two lines of progress.
const PROGRESS_ROWS: usize = 10_000;

/// Writes one part of the books; the exit code.
///
/// # Errors
/// When there are no books, or the file cannot be written.
pub fn run(options: &ExportOptions) -> Result<u8, Fault> {
    let config = options.place.read()?;
    let rows = open_for_reading(&Place::File(config.store_file("ledger")))?;
    match &options.out {
        None => write(&rows, options, &mut std::io::stdout().lock()).map(drop)?,
        Some(file) => {
            let written = to_file(&rows, options, file)?;
            print::note(&format!("{written} rows are in {}.", file.display()));
        }
    }
    Ok(0)
}

/// The old file stays until the new one is whole.
fn to_file(rows: &rusqlite::Connection, options: &ExportOptions, file: &Path) -> Result<usize, Fault> {
    let part = file.with_extension("part");
    let failed = |error: std::io::Error| Fault::file(&part, "written", error);
    let mut out = BufWriter::new(File::create(&part).map_err(failed)?);
    let written = write(rows, options, &mut out)?;
    out.flush().and_then(|()| out.get_ref().sync_all()).map_err(failed)?;
    std::fs::rename(&part, file).map_err(|error| Fault::file(file, "written", error))?;
    Ok(written)
}

fn view(what: Exported) -> (&'static str, &'static str) {
    match what {
        Exported::Trades => ("api_fill", "executed, fill_id"),
        Exported::CashFlows => ("api_cash_flow", "day, id"),
        Exported::Positions => ("api_position", "isin"),
        Exported::Cash => ("api_cash", "ccy"),
        Exported::Dividends => ("api_dividend", "pay_day, id"),
        Exported::CorporateActions => ("api_corporate_action", "at, id"),
        Exported::Nav => ("api_nav", "day"),
    }
}

fn write(rows: &rusqlite::Connection, options: &ExportOptions, out: &mut impl Write) -> Result<usize, Fault> {
    let (view, order) = view(options.what);
    let failed = |error: rusqlite::Error| Fault::System(format!("the books cannot be read: {error}"));
    let mut query = rows.prepare(&format!("SELECT * FROM {view} ORDER BY {order}")).map_err(failed)?;
    let names: Vec<String> = query.column_names().into_iter().map(str::to_owned).collect();
    let mut found = query.query([]).map_err(failed)?;
    let mut written = 0;
    let mut say = |line: String| match writeln!(out, "{line}") {
        // A reader that has gone away is no error.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Fault::System(format!("the export cannot be written: {error}"))),
        Ok(()) => Ok(true),
    };
    let csv = options.format == Format::Csv;
    if !say(if csv { names.join(",") } else { "[".into() })? {
        return Ok(0);
    }
    while let Some(row) = found.next().map_err(failed)? {
        let cells: Vec<Value> = names
            .iter()
            .enumerate()
            .map(|(place, name)| row.get_ref(place).map(|value| cell(name, value)))
            .collect::<Result<_, _>>()
            .map_err(failed)?;
        let line = if csv { csv_line(&cells) } else { json_line(&names, cells, written == 0) };
        if !say(line)? {
            return Ok(written);
        }
        written += 1;
        if written % PROGRESS_ROWS == 0 {
            print::note(&format!("{written} rows …"));
        }
    }
    if !csv {
        say("]".into())?;
    }
    Ok(written)
}

/// A value as people write it: decimals instead of scaled integers, instants instead of milliseconds.
fn cell(name: &str, value: ValueRef<'_>) -> Value {
    let ValueRef::Integer(number) = value else {
        return match value {
            ValueRef::Null | ValueRef::Blob(_) | ValueRef::Integer(_) => Value::Null,
            ValueRef::Real(number) => number.into(),
            ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned().into(),
        };
    };
    let digits = match name {
        "qty" | "price" | "avg_price" | "held" | "left" => 6,
        "rate" => 9,
        "executed" | "at" | "opened" | "last_buy" | "last_sell" | "ended" => {
            return Timestamp::from_ms(number).to_string().into();
        }
        "frozen" | "predates_ledger" | "external" | "stale" => return (number != 0).into(),
        "units_before" | "units_after" => return number.into(),
        _ => 4,
    };
    money::format_scaled(number, digits, if digits == 4 { 2 } else { 0 }).into()
}

fn csv_line(cells: &[Value]) -> String {
    let text = |cell: &Value| match cell {
        Value::Null => String::new(),
        Value::String(text) if text.contains([',', '"', '\n', '\r']) => {
            format!("\"{}\"", text.replace('"', "\"\""))
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    cells.iter().map(text).collect::<Vec<_>>().join(",")
}

fn json_line(names: &[String], cells: Vec<Value>, first: bool) -> String {
    let row: Map<String, Value> = names.iter().cloned().zip(cells).collect();
    let comma = if first { " " } else { "," };
    format!("{comma}{}", Value::Object(row))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn exported(what: Exported, format: Format) -> String {
        let rows = rusqlite::Connection::open_in_memory().unwrap();
        rows.execute_batch(
            "CREATE TABLE api_cash_flow (id, day, kind, external, amount, ccy, description);
             INSERT INTO api_cash_flow VALUES ('b', '2026-03-03', 'fee', 0, -12345, 'EUR', 'a \"fee\", small');
             INSERT INTO api_cash_flow VALUES ('a', '2026-03-02', 'deposit', 1, 1000000, 'EUR', NULL);
             CREATE TABLE api_position (isin, qty, avg_price, opened);
             INSERT INTO api_position VALUES ('X', 2500000, 1234567, 0);",
        )
        .unwrap();
        let options = ExportOptions { what, format, out: None, place: crate::cli::Place::default() };
        let mut out = Vec::new();
        write(&rows, &options, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn csv_has_a_heading_plain_decimals_and_quotes_where_needed() {
        assert_eq!(
            exported(Exported::CashFlows, Format::Csv),
            "id,day,kind,external,amount,ccy,description\na,2026-03-02,deposit,true,100.00,EUR,\nb,2026-03-03,fee,false,-1.2345,EUR,\"a \"\"fee\"\", small\"\n"
        );
        assert_eq!(
            exported(Exported::Positions, Format::Csv),
            "isin,qty,avg_price,opened\nX,2.5,1.234567,1970-01-01T00:00:00.000Z\n"
        );
    }

    #[test]
    fn json_is_one_list_of_rows() {
        let rows: Value = serde_json::from_str(&exported(Exported::CashFlows, Format::Json)).unwrap();
        assert_eq!(rows.as_array().unwrap().len(), 2);
        assert_eq!((rows[0]["amount"].as_str(), rows[0]["description"].is_null()), (Some("100.00"), true));
    }
}
