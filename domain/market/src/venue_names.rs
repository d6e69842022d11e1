//! Which venue a data source means by a name.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::mic::Mic;

/// Why a name is not resolved.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NameError {
    /// No venue has this name.
    #[error("venue name {0:?} is unknown: add it to the calendar file or set the venue by hand")]
    Unknown(String),
    /// Several venues have this name and no country decides between them.
    #[error("venue name {name:?} may be {}: give the country or set the venue by hand", texts(candidates))]
    Ambiguous {
        /// The name.
        name: String,
        /// The venues that have it.
        candidates: Vec<Mic>,
    },
}

fn texts(candidates: &[Mic]) -> String {
    candidates.iter().map(Mic::as_str).collect::<Vec<_>>().join(" or ")
}

/// All names in lower case, each with its venues and their countries.
#[derive(Clone, Debug, Default)]
pub(crate) struct VenueNames(BTreeMap<String, Vec<(Mic, String)>>);

impl VenueNames {
    pub fn add(&mut self, name: &str, mic: Mic, country: &str) {
        let venues = self.0.entry(name.trim().to_ascii_lowercase()).or_default();
        if venues.iter().all(|(known, _)| *known != mic) {
            venues.push((mic, country.to_owned()));
        }
    }

    pub fn find(&self, name: &str, country: Option<&str>) -> Result<Mic, NameError> {
        let unknown = || NameError::Unknown(name.to_owned());
        let venues = self.0.get(&name.trim().to_ascii_lowercase()).ok_or_else(unknown)?;
        if let [(mic, _)] = venues.as_slice() {
            return Ok(*mic);
        }
        let mut matching = venues.iter().filter(|(_, home)| Some(home.as_str()) == country);
        match (matching.next(), matching.next()) {
            (Some((mic, _)), None) => Ok(*mic),
            _ => {
                let candidates = venues.iter().map(|(mic, _)| *mic).collect();
                Err(NameError::Ambiguous { name: name.to_owned(), candidates })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn names() -> VenueNames {
        let mut names = VenueNames::default();
        for (name, mic, country) in [("TSE", "XTKS", "JP"), ("TSE", "XTSE", "CA"), ("LSE", "XLON", "GB")] {
            names.add(name, mic.parse().unwrap(), country);
        }
        names
    }

    #[test]
    fn a_name_of_one_venue_needs_no_country() {
        for (name, country) in [("LSE", None), ("lse", None), (" LSE ", None), ("LSE", Some("DE"))] {
            assert_eq!(names().find(name, country).unwrap().as_str(), "XLON");
        }
    }

    #[test]
    fn a_name_of_two_venues_is_decided_by_the_country_or_refused() {
        assert_eq!(names().find("TSE", Some("JP")).unwrap().as_str(), "XTKS");
        assert_eq!(names().find("TSE", Some("CA")).unwrap().as_str(), "XTSE");
        for country in [None, Some("US"), Some("")] {
            let refusal = names().find("TSE", country).unwrap_err();
            assert!(refusal.to_string().contains("XTKS or XTSE"), "{refusal}");
        }
    }

    #[test]
    fn an_unknown_name_is_refused() {
        for name in ["", "NYSE", "Tokyo Stock Exchange"] {
            assert_eq!(names().find(name, Some("JP")), Err(NameError::Unknown(name.to_owned())));
        }
    }
}
