//! How the simulated broker writes: three degrees of strangeness seen in the real one.

use serde::{Deserialize, Serialize};

use super::json::{Json, field};
use super::tricks::Tricks;
use crate::core::fixed;
use crate::core::random::{Stream, draws};

/// Degree of strangeness of every answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Numbers are numbers, lists are lists, every field is there.
    Clean,
    /// As the real broker answers on an ordinary day.
    LiveLike,
    /// Everything it has ever been seen to do, at once.
    Nasty,
}

/// Writes values for one answer; draws depend on the answer and the field only.
pub(crate) struct Style {
    pub(crate) profile: Profile,
    seed: u64,
    answer: u64,
    /// What a fault rule does to the content.
    pub(crate) tricks: Tricks,
}

impl Style {
    /// Opens the style of one answer.
    pub(crate) fn new(profile: Profile, seed: u64, answer: u64) -> Self {
        Self { profile, seed, answer, tricks: Tricks::none() }
    }

    /// Draws a number below `n` for one place of the answer; 0 unless the profile is nasty.
    fn pick(&self, place: &str, n: u64) -> u64 {
        if self.profile != Profile::Nasty {
            return 0;
        }
        draws(self.seed, Stream::Fault, place, format_args!("style/{}", self.answer)).below(n)
    }

    /// Writes an amount that the broker usually gives as a number.
    pub(crate) fn number(&self, place: &str, units: i64, scale: u32) -> Json {
        match (self.profile, self.pick(place, 3)) {
            (Profile::LiveLike, _) if units == 0 => Json::text(".00000000"),
            (_, 1) => Json::Text(fixed::text(units, scale, 2)),
            (_, 2) => Json::Text(fixed::text(units, scale, 8)),
            _ => Json::Decimal(units, scale),
        }
    }

    /// Writes a price of a quote, with a decimal comma where the broker has been seen to use it.
    pub(crate) fn quoted(&self, place: &str, units: i64, scale: u32) -> Json {
        match self.pick(place, 3) {
            1 => Json::Text(fixed::text(units, scale, 2).replace('.', ",")),
            2 => Json::Text(fixed::text(units, scale, 2)),
            _ => Json::Decimal(units, scale),
        }
    }

    /// Writes metadata: padded text, a number only in the clean profile.
    pub(crate) fn padded(&self, units: i64, scale: u32) -> Json {
        match self.profile {
            Profile::Clean => Json::Decimal(units, scale),
            _ => Json::Text(fixed::text(units, scale, 8)),
        }
    }

    /// Writes an integer, as text now and then.
    pub(crate) fn integer(&self, place: &str, value: i64) -> Json {
        if self.pick(place, 2) == 1 { Json::Text(value.to_string()) } else { Json::Int(value) }
    }

    /// Writes a name.
    pub(crate) fn name(&self, name: &str) -> Json {
        if self.profile == Profile::Nasty {
            Json::Text(format!("Акции {name}"))
        } else {
            Json::text(name)
        }
    }

    /// Writes a list that the broker leaves out when empty and unwraps when it has one row.
    pub(crate) fn rows(&self, key: &str, mut rows: Vec<Json>) -> Option<(String, Json)> {
        let strange = self.profile != Profile::Clean;
        match (rows.len(), self.profile) {
            (0, Profile::LiveLike) => None,
            (0, Profile::Nasty) => Some(field(key, Json::Null)),
            (1, _) if strange => Some(field(key, rows.remove(0))),
            _ => Some(field(key, Json::List(rows))),
        }
    }

    /// Writes an object or, sometimes, the same as text.
    pub(crate) fn embedded(&self, place: &str, object: Json) -> Json {
        if self.pick(place, 2) == 1 { Json::Text(object.write()) } else { object }
    }

    /// Adds what real answers carry and clients must ignore, and finishes the answer.
    pub(crate) fn finish(&self, mut answer: Json) -> String {
        if self.profile != Profile::Clean
            && let Json::Object(fields) = &mut answer
        {
            fields.push(field("__sim_extra", Json::Object(vec![field("rev", Json::Int(5_512_077))])));
        }
        if self.profile == Profile::Nasty {
            answer.reverse_keys();
        }
        answer.write()
    }
}
