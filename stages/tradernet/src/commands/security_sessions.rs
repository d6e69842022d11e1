//! `getSecuritySessions`: the open sessions of the account, for diagnosis only. With a key one of kind 14 is implied;
//! opening one by SMS is left to a person.

use crate::command::ReadCommand;
use crate::command::decoding::Decode;
use crate::fault::Flaw;
use crate::json::{Fields, Node, Shape};
use crate::pacer::PaceClass;
use crate::typed::rows_of;

/// Kind of a session that a key implies.
const BY_KEY: i64 = 14;

/// Asks for the sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetSecuritySessions;

/// Holds one session. When it ends is documented in two units and therefore not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecuritySession {
    /// The broker's id.
    pub id: Option<i64>,
    /// How it was opened.
    pub kind: Option<i64>,
}

impl SecuritySession {
    /// Tells whether the key opened it.
    pub fn is_by_key(&self) -> bool {
        self.kind == Some(BY_KEY)
    }
}

impl Decode for GetSecuritySessions {
    type Reply = Vec<SecuritySession>;

    fn params(&self) -> String {
        "{}".to_owned()
    }

    fn decode(&self, reply: Node<'_>) -> Result<Self::Reply, Flaw> {
        if reply.shape() != Shape::List {
            return Err(Flaw::new("body", "is not a list"));
        }
        let session = |row: Fields<'_>| SecuritySession {
            id: row.integer_or_unknown("id"),
            kind: row.integer_or_unknown("safety_type_id"),
        };
        Ok(rows_of(reply, "body")?.into_iter().map(|row| session(row.fields())).collect())
    }
}

impl ReadCommand for GetSecuritySessions {
    const NAME: &'static str = "getSecuritySessions";
    const PACE: PaceClass = PaceClass::Live;
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn none_is_allowed_and_a_key_shows() {
        let read = |text: &str| GetSecuritySessions.decode(Node::parse(text.as_bytes()).unwrap());
        assert_eq!(read("[]"), Ok(vec![]));
        let two =
            read(r#"[{"id":"7","safety_type_id":14,"expire":1767225600000},{"id":8,"safety_type_id":3}]"#);
        assert_eq!(two.unwrap().iter().map(SecuritySession::is_by_key).collect::<Vec<_>>(), [true, false]);
        assert!(read("{}").is_err());
    }
}
