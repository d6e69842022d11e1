//! Unsigned reads: `GET /api?q=…` for the few commands that work without a key.

use crate::command::{PlainCommand, decode_read};
use crate::exchange::{Exchange, Method, RawRequest};
use crate::fault::Fault;
use crate::params::Params;

/// Reads public data without a key; may be delayed or limited.
pub struct Anonymous<E> {
    exchange: E,
}

impl<E: Exchange> Anonymous<E> {
    /// Binds a transport.
    pub fn new(exchange: E) -> Self {
        Self { exchange }
    }

    /// Sends one unsigned read, once.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn ask<C: PlainCommand>(&self, command: &C) -> Result<C::Reply, Fault> {
        let answer = self.exchange.send(encode_plain(command)).await;
        decode_read(command, answer)
    }
}

/// Writes the unsigned request of a read.
pub fn encode_plain<C: PlainCommand>(command: &C) -> RawRequest {
    let params = command.params();
    let query = Params::new().text("cmd", C::NAME);
    let query = if params == "{}" { query } else { query.raw("params", &params) };
    let path = format!("/api?q={}", percent_encoded(&query.finish()));
    RawRequest { kind: C::KIND, method: Method::Get, path, headers: Vec::new(), body: Vec::new() }
}

/// Encodes everything but letters, digits and `-._~`.
fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::market_status::GetMarketStatus;

    #[test]
    fn puts_the_command_into_the_query_without_any_header() {
        let request = encode_plain(&GetMarketStatus);
        assert_eq!(
            request.path,
            "/api?q=%7B%22cmd%22%3A%22getMarketStatus%22%2C%22params%22%3A%7B%22market%22%3A%22%2A%22%7D%7D"
        );
        assert!(request.headers.is_empty() && request.body.is_empty() && request.method == Method::Get);
    }
}
