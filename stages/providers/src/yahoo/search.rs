//! `v1/finance/search`: candidates for an ISIN or a name. The first hit is often at the wrong venue, so it is chosen by
//! the venue expected and never by its place.

use super::{get, json, number::text};
use crate::{
    answer::{Ask, DataFault, Service},
    fetch::{Request, Response},
};

/// Asks for candidates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// ISIN or name.
    pub text: String,
}

/// One candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Yahoo's symbol.
    pub symbol: String,
    /// Yahoo's code of the exchange.
    pub exchange: String,
    /// Name.
    pub name: String,
    /// EQUITY, ETF, MUTUALFUND and others.
    pub kind: String,
}

impl Ask for Search {
    type Answer = Vec<Candidate>;
    const SERVICE: Service = Service::Yahoo;

    fn request(&self) -> Request {
        get("/v1/finance/search", &[("q", &self.text), ("quotesCount", "8"), ("newsCount", "0")])
    }

    fn read(&self, reply: &Response) -> Result<Vec<Candidate>, DataFault> {
        if let Some(fault) = DataFault::of_status(reply) {
            return Err(fault);
        }
        let body = json(reply)?;
        let rows = body["quotes"].as_array();
        let rows = rows.ok_or_else(|| DataFault::malformed("there is no list of hits", &reply.body))?;
        let found = rows.iter().filter_map(|row| {
            Some(Candidate {
                symbol: text(&row["symbol"])?,
                exchange: text(&row["exchange"])?,
                name: text(&row["longname"]).or_else(|| text(&row["shortname"])).unwrap_or_default(),
                kind: text(&row["quoteType"])?,
            })
        });
        Ok(found.filter(|hit| matches!(hit.kind.as_str(), "EQUITY" | "ETF" | "MUTUALFUND")).collect())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_held_is_a_candidate() {
        let body = r#"{"quotes":[{"symbol":"RHNA.F","exchange":"FRA","quoteType":"EQUITY","shortname":"R"},
            {"symbol":"RHNA.DE","exchange":"GER","quoteType":"EQUITY","longname":"Rheinau"},
            {"symbol":"^R","exchange":"GER","quoteType":"INDEX"},{"index":"x"}],"count":3}"#;
        let found = Search { text: "DE000SMX0015".into() }.read(&Response::new(200, body)).unwrap();
        assert_eq!(found.iter().map(|hit| hit.symbol.as_str()).collect::<Vec<_>>(), ["RHNA.F", "RHNA.DE"]);
        let torn = Search { text: String::new() }.read(&Response::new(200, r#"{"count":0}"#));
        assert!(matches!(torn, Err(DataFault::Malformed(_))));
    }
}
