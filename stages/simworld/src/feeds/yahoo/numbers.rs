//! How Yahoo writes numbers: plain, or wrapped with a text for people.

use super::Query;
use crate::core::fixed;
use crate::core::random::{Stream, draws};
use crate::core::world::World;
use crate::wire::Profile;
use crate::wire::json::{Json, object};

/// Scale of every number here.
pub(super) const SCALE: u32 = 6;

/// Writes numbers the way one request gets them.
pub(super) struct Numbers {
    formatted: bool,
    nasty: bool,
    seed: u64,
    at: i64,
}

impl Numbers {
    /// Reads from the request whether numbers are to be wrapped.
    pub(super) fn of(world: &World, query: &Query) -> Self {
        Self {
            formatted: query.text("formatted") == Some("true"),
            nasty: world.config.profile == Profile::Nasty,
            seed: world.config.seed,
            at: world.now,
        }
    }

    /// Writes a number with six decimals at most.
    pub(super) fn decimal(&self, place: &str, e6: i64) -> Json {
        self.wrapped(place, Json::Decimal(e6, SCALE), &fixed::text(e6, SCALE, 2))
    }

    /// Writes a float, rounded to six decimals.
    pub(super) fn float(&self, place: &str, value: f64) -> Json {
        self.decimal(place, (value * 1e6).round() as i64)
    }

    /// Writes a whole number.
    pub(super) fn int(&self, place: &str, value: i64) -> Json {
        self.wrapped(place, Json::Int(value), &value.to_string())
    }

    /// Writes what is not known; wrapped numbers say so with an empty object.
    pub(super) fn unknown(&self) -> Option<Json> {
        (self.formatted || self.nasty).then(|| Json::Object(Vec::new()))
    }

    fn wrapped(&self, place: &str, raw: Json, text: &str) -> Json {
        // Wrapped numbers have been seen without being asked for.
        let surprise = self.nasty && draws(self.seed, Stream::Fault, place, self.at).below(4) == 0;
        if self.formatted || surprise { object([("raw", raw), ("fmt", Json::text(text))]) } else { raw }
    }
}
