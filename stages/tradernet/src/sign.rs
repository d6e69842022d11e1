//! Signature scheme V3: HMAC-SHA256 over the body bytes followed by the unix time in seconds.
//! The private key is used as text, lives in a zeroising box and has no readable form.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use crate::exchange::{Method, RawRequest, RequestKind};

/// Holds the key pair of one account; neither half is ever shown.
pub struct Keys {
    public: String,
    private: SecretString,
}

/// Says why a key pair is unusable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeysFault {
    /// The public key cannot stand in a header.
    #[error("the public key is empty or holds characters other than visible ASCII; check the key file")]
    Public,
    /// The private key is empty or has white space around it.
    #[error("the private key is empty or has white space around it; check the key file")]
    Private,
}

impl Keys {
    /// Takes a key pair after checking that it can be used at all.
    ///
    /// # Errors
    /// Refuses an empty key, a public key that no header can carry, and a private key with
    /// surrounding white space (a line end copied from a file would make every signature wrong).
    pub fn new(public: &str, private: SecretString) -> Result<Self, KeysFault> {
        if public.is_empty() || !public.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(KeysFault::Public);
        }
        let secret = private.expose_secret();
        if secret.is_empty() || secret.trim() != secret {
            return Err(KeysFault::Private);
        }
        Ok(Self { public: public.to_owned(), private })
    }

    /// Returns the lower-case hex signature of `body` at `unix_s`.
    pub fn signature(&self, body: &[u8], unix_s: u64) -> String {
        let key = self.private.expose_secret().as_bytes();
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        mac.update(body);
        mac.update(unix_s.to_string().as_bytes());
        hex(&mac.finalize().into_bytes())
    }

    /// Returns the public key as it may stand in a query.
    pub(crate) fn public_encoded(&self) -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let written = |byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
        self.public.bytes().map(written).collect()
    }

    /// Builds the signed request of `command`; the very bytes signed are the bytes sent.
    pub(crate) fn signed(&self, kind: RequestKind, command: &str, body: Vec<u8>, unix_s: u64) -> RawRequest {
        let signature = self.signature(&body, unix_s);
        RawRequest {
            kind,
            method: Method::Post,
            path: format!("/api/{command}"),
            headers: vec![
                ("Content-Type", "application/json".to_owned()),
                ("X-NtApi-PublicKey", self.public.clone()),
                ("X-NtApi-Timestamp", unix_s.to_string()),
                ("X-NtApi-Sig", signature),
            ],
            body,
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys([hidden])")
    }
}

/// Writes bytes as lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
        .map(char::from)
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const PRIVATE: &str = "sim-private-key-0001";

    fn keys() -> Keys {
        Keys::new("sim-public", SecretString::from(PRIVATE)).unwrap()
    }

    #[test]
    fn reproduces_the_documented_signatures() {
        let table = [
            ("{}", "39f659ced28967fce68f2c73930aa67c64e31400be3638acb15d55ca3364d175"),
            ("", "324143f99ed3c7b644720c8f56febb66fcc838f295f6a4d87476db598c8757be"),
            (r#"{"active_only":1}"#, "dae3f7222856270efcec81787fd1a2949cab4c270f82ed7e02a12e91b432fb16"),
            (
                r#"{"instr_name":"NRDW.US","action_id":1,"order_type_id":2,"qty":12,"limit_price":84.5,"expiration_id":1,"user_order_id":700000001}"#,
                "1ca790729cdfbab471df35a41d5014aef58706ff02083f1fcb004ecfb27bc470",
            ),
        ];
        for (body, expected) in table {
            assert_eq!(keys().signature(body.as_bytes(), 1_767_225_600), expected, "{body}");
        }
    }

    #[test]
    fn the_signed_bytes_are_the_sent_bytes() {
        let request = keys().signed(RequestKind::Read, "getPositionJson", b"{}".to_vec(), 1_767_225_600);
        assert_eq!(request.path, "/api/getPositionJson");
        assert_eq!(request.body, b"{}");
        let header = |name| request.headers.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str());
        assert_eq!(header("X-NtApi-PublicKey"), Some("sim-public"));
        assert_eq!(header("X-NtApi-Timestamp"), Some("1767225600"));
        assert_eq!(
            header("X-NtApi-Sig"),
            Some("39f659ced28967fce68f2c73930aa67c64e31400be3638acb15d55ca3364d175")
        );
    }

    #[test]
    fn shows_neither_key_nor_signature_when_debugged() {
        let request = keys().signed(RequestKind::Read, "getPositionJson", b"{}".to_vec(), 1_767_225_600);
        let shown = format!("{:?} {:?}", keys(), request);
        for secret in [PRIVATE, "sim-public", "39f659ced28967fce68f2c73930aa67c"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn refuses_keys_that_cannot_work() {
        let fault = |public, private: &str| Keys::new(public, SecretString::from(private)).err();
        assert_eq!(fault("", "x"), Some(KeysFault::Public));
        assert_eq!(fault("a b", "x"), Some(KeysFault::Public));
        assert_eq!(fault("a\n", "x"), Some(KeysFault::Public));
        assert_eq!(fault("a", ""), Some(KeysFault::Private));
        assert_eq!(fault("a", "x\n"), Some(KeysFault::Private));
        assert_eq!(fault("a", "x"), None);
    }
}
