//! The cookie and the crumb that must come with it.
//!
//! A cookie carries the second in which it was handed out, and the crumb follows from the cookie: nothing has to be
//! remembered, so a restart forgets nobody.

use sha2::{Digest, Sha256};

use super::Query;
use super::web;
use crate::core::world::World;
use crate::{RawReply, RawRequest};

/// A crumb is good for two hours unless a knob says otherwise.
const CRUMB_LIFE_S: i64 = 7_200;
/// The letters of a crumb, as real ones have them.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./";
const CRUMB_CHARS: usize = 11;

impl World {
    /// Answers the cookie host: an error page, which is normal, and a cookie.
    pub(super) fn hand_out_cookie(&self) -> RawReply {
        let mut reply = web::html(404, "<html><body>Not Found</body></html>");
        let value = format!("A3=sim-{}; Path=/; HttpOnly", self.now.div_euclid(1000));
        reply.headers.push(("Set-Cookie".into(), value));
        reply
    }

    /// Hands out the crumb of the cookie that came along.
    pub(super) fn hand_out_crumb(&self, request: &RawRequest) -> RawReply {
        match self.fresh_cookie(request) {
            Some(cookie) => web::text(200, &self.crumb_of(&cookie)),
            None => super::refused(401, "finance", "Unauthorized", "Invalid Cookie"),
        }
    }

    /// Tells whether cookie and crumb belong together and are fresh.
    pub(super) fn crumb_holds(&self, request: &RawRequest, query: &Query) -> bool {
        self.fresh_cookie(request)
            .is_some_and(|cookie| query.text("crumb") == Some(self.crumb_of(&cookie).as_str()))
    }

    fn fresh_cookie(&self, request: &RawRequest) -> Option<String> {
        let cookies = request.header("Cookie")?;
        let value = cookies.split(';').find_map(|part| part.trim().strip_prefix("A3="))?;
        let handed_out: i64 = value.strip_prefix("sim-")?.parse().ok()?;
        let age = self.now.div_euclid(1000) - handed_out;
        let life = self.knobs.yahoo_crumb_life_s.unwrap_or(CRUMB_LIFE_S);
        (0..=life).contains(&age).then(|| value.to_owned())
    }

    fn crumb_of(&self, cookie: &str) -> String {
        let digest = Sha256::digest(format!("crumb|{}|{cookie}", self.config.seed));
        digest.iter().take(CRUMB_CHARS).map(|byte| char::from(LETTERS[usize::from(byte % 64)])).collect()
    }
}
