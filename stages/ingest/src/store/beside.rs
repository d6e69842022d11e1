//! What is written beside prices: doubtful bars, actions, figures, symbols, reference rates, indices, calendars.

use market::Isin;
use money::Price;
use rusqlite::{Transaction, params};

use super::{ANSWERED, ECB, Save, YAHOO};

/// Writes one change.
#[allow(clippy::too_many_lines)]
pub(super) fn apply(rows: &Transaction<'_>, save: Save) -> rusqlite::Result<()> {
    match save {
        Save::Quarantine { isin, source, bars, at } => {
            let security = id(rows, &isin)?;
            for (bar, reason) in bars {
                rows.prepare_cached(
                    "INSERT INTO price_quarantine VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
                     ON CONFLICT DO UPDATE SET open_e6 = excluded.open_e6, high_e6 = excluded.high_e6,
                         low_e6 = excluded.low_e6, close_e6 = excluded.close_e6, volume = excluded.volume,
                         reason = excluded.reason",
                )?
                .execute(params![
                    security,
                    bar.day.to_string(),
                    source.name(),
                    bar.open.e6(),
                    bar.high.e6(),
                    bar.low.e6(),
                    bar.close.e6(),
                    bar.volume.map(|volume| volume.e6() / 1_000_000),
                    reason,
                    at.ms()
                ])?;
            }
        }
        Save::Divide { isin, source, before, after, old } => {
            let security = id(rows, &isin)?;
            rows.execute(
                "UPDATE daily_price SET open_e6 = max(1, open_e6 * ?3 / ?4), high_e6 = max(1, high_e6 * ?3 / ?4),
                     low_e6 = max(1, low_e6 * ?3 / ?4), close_e6 = max(1, close_e6 * ?3 / ?4), quality = 'corrected'
                 WHERE security_id = ?1 AND day < ?2 AND source = ?5",
                params![security, before.to_string(), old, after, source.name()],
            )?;
            rows.execute(
                "UPDATE corporate_action SET applied = 1 WHERE security_id = ?1 AND kind = 'split' AND ex_day = ?2",
                params![security, before.to_string()],
            )?;
        }
        Save::Series { isin, source, at } => {
            rows.execute(
                "INSERT OR REPLACE INTO price_series (security_id, source, updated) VALUES (?1, ?2, ?3)",
                params![id(rows, &isin)?, source.name(), at.ms()],
            )?;
        }
        Save::Actions { isin, dividends, splits, source, at } => {
            let security = id(rows, &isin)?;
            for dividend in dividends {
                rows.prepare_cached(
                    "INSERT INTO corporate_action (security_id, kind, ex_day, amount_e6, unit_guessed, source, applied,
                         updated) VALUES (?1, 'dividend', ?2, ?3, ?4, ?5, 1, ?6)
                     ON CONFLICT DO UPDATE SET amount_e6 = excluded.amount_e6, unit_guessed = excluded.unit_guessed,
                         updated = excluded.updated",
                )?
                .execute(params![
                    security,
                    dividend.ex_day.to_string(),
                    dividend.amount.e6(),
                    dividend.unit_guessed,
                    source,
                    at.ms()
                ])?;
            }
            for split in splits {
                rows.prepare_cached(
                    "INSERT INTO corporate_action (security_id, kind, ex_day, ratio_num, ratio_den, source, applied,
                         updated) VALUES (?1, 'split', ?2, ?3, ?4, ?5, 1, ?6) ON CONFLICT DO NOTHING",
                )?
                .execute(params![
                    security,
                    split.day.to_string(),
                    split.after,
                    split.before,
                    source,
                    at.ms()
                ])?;
            }
        }
        Save::Figures { isin, figures, words, at } => {
            let security = id(rows, &isin)?;
            for (figure, value) in figures {
                rows.prepare_cached("INSERT OR REPLACE INTO fundamental VALUES (?1, ?2, ?3, ?4, ?5)")?
                    .execute(params![security, figure.name(), at.ms(), value, YAHOO])?;
            }
            for (field, value) in &words {
                rows.prepare_cached("INSERT OR REPLACE INTO security_fact VALUES (?1, ?2, ?3, ?4, ?5)")?
                    .execute(params![security, field, YAHOO, value, at.ms()])?;
            }
            let word = |name: &str| words.iter().find(|(field, _)| *field == name).map(|(_, value)| value);
            rows.execute(
                "UPDATE security SET country = coalesce(country, ?2), industry_raw = coalesce(industry_raw, ?3),
                     last_full_sync = ?4, sync_failures = 0 WHERE security_id = ?1",
                params![security, word("country_code"), word("industry"), at.ms()],
            )?;
        }
        Save::Symbol { isin, symbol, verified, method } => {
            let security = id(rows, &isin)?;
            rows.execute(
                "DELETE FROM symbol_alias WHERE security_id = ?1 AND source = ?2 AND symbol <> ?3",
                params![security, YAHOO, symbol],
            )?;
            rows.execute(
                "INSERT INTO symbol_alias (source, symbol, security_id, verified, method) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET security_id = excluded.security_id,
                     verified = coalesce(excluded.verified, verified), method = excluded.method",
                params![YAHOO, symbol, security, verified.map(market::Timestamp::ms), method],
            )?;
        }
        Save::BankRates { rates, at } => {
            for (day, rates) in &rates.days {
                for (ccy, rate) in rates {
                    rows.prepare_cached(
                        "INSERT INTO fx_rate VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
                    )?
                    .execute(params![
                        ccy.as_str(),
                        day.to_string(),
                        ECB,
                        rate.e9(),
                        at.ms()
                    ])?;
                }
            }
        }
        Save::BankRate { ccy, rate, as_of, at } => {
            rows.execute(
                "INSERT OR REPLACE INTO fx_latest VALUES (?1, ?2, ?3, ?4, ?5)",
                params![ccy.as_str(), rate.e9(), as_of.ms(), at.ms(), ECB],
            )?;
        }
        Save::Index { name, closes, at } => {
            for (day, close) in closes {
                rows.prepare_cached("INSERT OR REPLACE INTO index_price VALUES (?1, ?2, ?3, ?4, ?5)")?
                    .execute(params![
                        name,
                        day.to_string(),
                        close.e6() as f64 / Price::SCALE as f64,
                        YAHOO,
                        at.ms()
                    ])?;
            }
        }
        Save::Answered { key, at, until } => {
            rows.prepare_cached("INSERT OR REPLACE INTO response VALUES (?1, ?2, x'', NULL, ?3, ?4)")?
                .execute(params![ANSWERED, key, at.ms(), until.ms()])?;
        }
        Save::Renamed { from, to, at } => {
            rows.execute(
                "UPDATE security SET isin = ?2, previous_isin = ?1, updated = ?3 WHERE isin = ?1",
                params![from.as_str(), to.as_str(), at.ms()],
            )?;
        }
        Save::Calendar { mic, days, valid_until } => {
            for (day, open) in days {
                let closed = open == "[]";
                rows.prepare_cached("INSERT OR REPLACE INTO calendar_day VALUES (?1, ?2, ?3, ?4)")?
                    .execute(params![mic.as_str(), day.to_string(), open, closed])?;
            }
            rows.execute(
                "INSERT OR REPLACE INTO calendar_span VALUES (?1, ?2, ?3)",
                params![mic.as_str(), valid_until.to_string(), env!("CARGO_PKG_VERSION")],
            )?;
        }
        Save::Security(..)
        | Save::Quote(_)
        | Save::QuotesBefore(_)
        | Save::Rate { .. }
        | Save::Bars { .. }
        | Save::Owner { .. } => {}
    }
    Ok(())
}

fn id(rows: &Transaction<'_>, isin: &Isin) -> rusqlite::Result<i64> {
    rows.prepare_cached("SELECT security_id FROM security WHERE isin = ?1")?
        .query_row([isin.as_str()], |row| row.get(0))
}
