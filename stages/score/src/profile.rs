//! Profiles: which groups count for which kind of security, and how much.
//!
//! | Group | full | price | fund | commodity |
//! |---|---:|---:|---:|---:|
//! | long_term | 0.20 | 0.30 | 0.35 | 0.35 |
//! | fundamentals | 0.15 | – | – | – |
//! | stability | – | 0.20 | 0.15 | 0.15 |
//! | opportunity | 0.15 | 0.15 | 0.12 | – |
//! | dividends | 0.12 | 0.18 | 0.18 | – |
//! | short_term | 0.10 | 0.10 | 0.10 | 0.10 |
//! | opinion | 0.10 | – | – | – |
//!
//! A share of which only prices are known is judged by price; so is what nobody knows, which is never bought.

use contracts::Profile;

/// What a security is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Common share.
    Share,
    /// Fund.
    Fund,
    /// Commodity.
    Commodity,
    /// Nobody knows.
    Unknown,
}

/// Groups in the order of the weights.
pub const GROUPS: [&str; 7] =
    ["long_term", "fundamentals", "stability", "opportunity", "dividends", "short_term", "opinion"];

/// Weights of the old system, technicals and fit in their place; to reproduce figures only.
pub const REFERENCE_WEIGHTS: [(&str, f64); 8] = [
    ("long_term", 0.20),
    ("fundamentals", 0.15),
    ("opportunity", 0.15),
    ("dividends", 0.12),
    ("short_term", 0.10),
    ("technicals", 0.10),
    ("opinion", 0.10),
    ("diversification", 0.08),
];

/// The weights of a profile in the order of [`GROUPS`].
#[must_use]
pub fn weights(profile: Profile) -> [f64; 7] {
    match profile {
        Profile::Full => [0.20, 0.15, 0.0, 0.15, 0.12, 0.10, 0.10],
        Profile::Price => [0.30, 0.0, 0.20, 0.15, 0.18, 0.10, 0.0],
        Profile::Fund => [0.35, 0.0, 0.15, 0.12, 0.18, 0.10, 0.0],
        Profile::Commodity => [0.35, 0.0, 0.15, 0.0, 0.0, 0.10, 0.0],
    }
}

/// Reads the word of the universe, which sources spell differently.
#[must_use]
pub fn kind(word: &str) -> Kind {
    match word.to_ascii_lowercase().as_str() {
        "stock" | "share" | "equity" => Kind::Share,
        "etf" | "fund" | "mutualfund" => Kind::Fund,
        "etc" | "commodity" => Kind::Commodity,
        _ => Kind::Unknown,
    }
}

/// Chooses the profile; `has_business` says whether business figures are known.
#[must_use]
pub fn profile(kind: Kind, has_business: bool) -> Profile {
    match kind {
        Kind::Share if has_business => Profile::Full,
        Kind::Share | Kind::Unknown => Profile::Price,
        Kind::Fund => Profile::Fund,
        Kind::Commodity => Profile::Commodity,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_and_what_is_known_choose_the_profile() {
        for (word, known, expected) in [
            ("stock", true, Profile::Full),
            ("EQUITY", false, Profile::Price),
            ("etf", true, Profile::Fund),
            ("MUTUALFUND", false, Profile::Fund),
            ("ETC", true, Profile::Commodity),
            ("warrant", true, Profile::Price),
        ] {
            assert_eq!(profile(kind(word), known), expected, "{word}");
        }
    }
}
