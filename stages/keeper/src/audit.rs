//! The chain of changes: each row's hash covers its content and the row before it.

use market::Timestamp;

/// What the first row's hash rests on.
pub(crate) const START: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// One change by a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// The command that asked for it.
    pub id: String,
    /// When.
    pub ts: Timestamp,
    /// Who.
    pub actor: String,
    /// What kind of thing.
    pub entity: String,
    /// Which.
    pub entity_id: String,
    /// What of it.
    pub field: String,
    /// Before, as JSON; absent for the default.
    pub old: Option<String>,
    /// After, as JSON; absent for the default.
    pub new: Option<String>,
    /// Hash of the row before.
    pub previous_hash: String,
    /// Hash of this row.
    pub hash: String,
}

impl AuditRow {
    /// Closes the row onto the chain.
    #[must_use]
    pub fn closed(mut self, previous_hash: &str) -> AuditRow {
        self.previous_hash = previous_hash.to_string();
        self.hash = self.expected_hash();
        self
    }

    fn expected_hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        let ts = self.ts.ms().to_string();
        let (old, new) = (option(self.old.as_deref()), option(self.new.as_deref()));
        // Each part with its length, so that no two rows look alike.
        for part in [
            &self.previous_hash,
            &self.id,
            &ts,
            &self.actor,
            &self.entity,
            &self.entity_id,
            &self.field,
            &old,
            &new,
        ] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }
}

fn option(value: Option<&str>) -> String {
    value.map_or_else(|| "none".to_string(), |value| format!("some {value}"))
}

/// The first row that does not fit the one before it, counted from zero.
#[must_use]
pub fn first_broken(rows: &[AuditRow]) -> Option<usize> {
    let mut previous = START;
    for (place, row) in rows.iter().enumerate() {
        if row.previous_hash != previous || row.hash != row.expected_hash() {
            return Some(place);
        }
        previous = &row.hash;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain() -> Vec<AuditRow> {
        let mut rows: Vec<AuditRow> = Vec::new();
        for number in 0..3 {
            let row = AuditRow {
                id: format!("id{number}"),
                ts: Timestamp::from_ms(number),
                actor: "owner".into(),
                entity: "setting".into(),
                entity_id: "risk.max_per_day".into(),
                field: "value".into(),
                old: None,
                new: Some(number.to_string()),
                previous_hash: String::new(),
                hash: String::new(),
            };
            let previous = rows.last().map_or(START.to_string(), |row| row.hash.clone());
            rows.push(row.closed(&previous));
        }
        rows
    }

    #[test]
    fn an_untouched_chain_holds() {
        assert_eq!(first_broken(&chain()), None);
        assert_eq!(first_broken(&[]), None);
    }

    #[test]
    fn every_change_of_a_row_breaks_the_chain_there() {
        let changes: [fn(&mut AuditRow); 5] = [
            |row| row.actor = "somebody".into(),
            |row| row.new = None,
            |row| row.old = Some("none".into()),
            |row| row.ts = Timestamp::from_ms(99),
            |row| row.hash = START.into(),
        ];
        for change in changes {
            let mut rows = chain();
            change(&mut rows[1]);
            assert_eq!(first_broken(&rows), Some(1));
        }
    }

    #[test]
    fn a_removed_row_breaks_the_chain() {
        let mut rows = chain();
        rows.remove(1);
        assert_eq!(first_broken(&rows), Some(1));
    }
}
