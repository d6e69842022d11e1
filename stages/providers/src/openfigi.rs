//! OpenFIGI: what an ISIN is called at its exchanges. It gives Bloomberg's tickers and names, no Yahoo symbols: the only
//! ticker at a known exchange can be turned into one by the exchange's suffix, see [`crate::symbol_by_code`].

use market::Isin;
use serde_json::{Value, json};

use crate::{
    answer::{Ask, DataFault, Service},
    fetch::{Request, Response},
    yahoo,
};

/// One ISIN at one exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FigiJob {
    /// Which.
    pub isin: Isin,
    /// OpenFIGI's code of the exchange; any when absent.
    pub exchange: Option<&'static str>,
}

/// Asks about up to five of them, as many as are allowed without a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FigiMapping {
    /// The jobs.
    pub jobs: Vec<FigiJob>,
}

/// One listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FigiRow {
    /// Ticker at the exchange.
    pub ticker: String,
    /// Name in capitals.
    pub name: String,
    /// OpenFIGI's code of the exchange.
    pub exchange: String,
    /// Kind of security in its words.
    pub kind: String,
}

impl Ask for FigiMapping {
    /// Listings per job, in the order of the jobs; empty when nothing is known.
    type Answer = Vec<Vec<FigiRow>>;
    const SERVICE: Service = Service::OpenFigi;

    fn request(&self) -> Request {
        let job = |job: &FigiJob| {
            let mut value = json!({"idType": "ID_ISIN", "idValue": job.isin.as_str()});
            if let Some(exchange) = job.exchange {
                value["exchCode"] = exchange.into();
            }
            value
        };
        let body = Value::Array(self.jobs.iter().map(job).collect()).to_string();
        Request { body: Some(body), ..Request::get(Service::OpenFigi, "/v3/mapping") }
    }

    fn read(&self, reply: &Response) -> Result<Self::Answer, DataFault> {
        if let Some(fault) = DataFault::of_status(reply) {
            return Err(fault);
        }
        let malformed = |why| DataFault::malformed(why, &reply.body);
        if reply.status != 200 {
            return Err(malformed(&format!("status {}", reply.status)));
        }
        let body = yahoo::json(reply)?;
        let answers = body.as_array().filter(|answers| answers.len() == self.jobs.len());
        let answers = answers.ok_or_else(|| malformed("there is not one answer for each job"))?;
        answers.iter().map(|answer| rows(answer).ok_or_else(|| malformed("an answer says nothing"))).collect()
    }
}

fn rows(answer: &Value) -> Option<Vec<FigiRow>> {
    if answer["warning"].is_string() {
        return Some(Vec::new());
    }
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or("").to_owned();
    let row = |row: &Value| FigiRow {
        ticker: text(row, "ticker"),
        name: text(row, "name"),
        exchange: text(row, "exchCode"),
        kind: text(row, "securityType"),
    };
    Some(answer["data"].as_array()?.iter().map(row).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn mapping() -> FigiMapping {
        let job = |isin: &str, exchange| FigiJob { isin: isin.parse().unwrap(), exchange };
        FigiMapping { jobs: vec![job("DE000SMX0015", Some("GR")), job("US99S0011099", None)] }
    }

    #[test]
    fn answers_stay_beside_their_jobs() {
        assert_eq!(
            mapping().request().body.unwrap(),
            r#"[{"exchCode":"GR","idType":"ID_ISIN","idValue":"DE000SMX0015"},{"idType":"ID_ISIN","idValue":"US99S0011099"}]"#
        );
        let body = r#"[{"data":[{"figi":"B","ticker":"RHNA","exchCode":"GR","name":"RHEINAU"}]},{"warning":"No identifier found."}]"#;
        let answer = mapping().read(&Response::new(200, body)).unwrap();
        assert_eq!((answer[0][0].ticker.as_str(), answer[1].len()), ("RHNA", 0));
    }

    #[test]
    fn too_few_answers_or_an_error_in_one_are_faults() {
        for body in [r#"[{"data":[]}]"#, r#"[{"data":[]},{"error":"x"}]"#, "{}", "[{"] {
            assert!(
                matches!(mapping().read(&Response::new(200, body)), Err(DataFault::Malformed(_))),
                "{body}"
            );
        }
    }
}
