//! Decides who may connect, and gives the reason when not.

use crate::credentials::Passwords;

/// Longest client id.
const CLIENT_ID_LEN_MAX: usize = 64;

/// Why a connection is refused, in order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The client id has characters the broker library takes badly: it drops such a client after it has noted it,
    /// and panics when it comes back.
    #[error("the client id must have at most 64 letters, digits, dots, dashes and underscores")]
    ClientId,
    /// No such user.
    #[error("the user is not a stage")]
    User,
    /// Not this user's password.
    #[error("the password is wrong")]
    Password,
    /// The broker is full. A library that notices this itself panics when the client comes back.
    #[error("the broker has all the connections it may have")]
    Full,
}

/// Returns the reason to refuse a connection, or nothing. `connections` counts the open ones, this one included;
/// unknown where the system does not tell.
#[must_use]
pub fn refusal(
    client_id: &str,
    (user, password): (&str, &str),
    passwords: &Passwords,
    (connections, max): (Option<u64>, u64),
) -> Option<Refusal> {
    if !is_plain(client_id) {
        return Some(Refusal::ClientId);
    }
    if !passwords.knows(user) {
        return Some(Refusal::User);
    }
    if !passwords.admit(user, password) {
        return Some(Refusal::Password);
    }
    connections.is_some_and(|count| count > max).then_some(Refusal::Full)
}

/// The empty id is allowed: the library then makes one up.
fn is_plain(client_id: &str) -> bool {
    client_id.len() <= CLIENT_ID_LEN_MAX
        && client_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::credentials;

    #[test]
    fn refuses_by_precedence_and_admits_the_rest() {
        let dir = tempfile::tempdir().unwrap();
        let passwords = credentials::ensure(dir.path()).unwrap();
        let good = credentials::password(dir.path(), "plan").unwrap();
        let long = "x".repeat(65);
        let table = [
            ("plan", "plan", good.as_str(), Some(10), None),
            ("", "plan", &good, Some(1), None),
            ("evaluate-2.a_b", "plan", &good, None, None),
            (&long[..64], "plan", &good, Some(9), None),
            (&long, "plan", &good, Some(9), Some(Refusal::ClientId)),
            ("a/b", "nobody", "wrong", Some(11), Some(Refusal::ClientId)),
            ("a+", "plan", &good, Some(1), Some(Refusal::ClientId)),
            ("a#", "plan", &good, Some(1), Some(Refusal::ClientId)),
            ("$a", "plan", &good, Some(1), Some(Refusal::ClientId)),
            ("é", "plan", &good, Some(1), Some(Refusal::ClientId)),
            ("plan", "nobody", "wrong", Some(11), Some(Refusal::User)),
            ("plan", "plan", "wrong", Some(11), Some(Refusal::Password)),
            ("plan", "plan", &good, Some(11), Some(Refusal::Full)),
        ];
        for (client_id, user, password, connections, expected) in table {
            let found = refusal(client_id, (user, password), &passwords, (connections, 10));
            assert_eq!(found, expected, "{client_id} {user} {connections:?}");
        }
    }
}
