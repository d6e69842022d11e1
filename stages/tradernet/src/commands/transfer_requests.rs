//! `getClientCpsHistory`: what the owner asked the broker's office for, withdrawals above all. It only explains
//! movements of money; how much moved is said by the statement.

use market::Day;
use money::{Currency, Money};

use crate::command::ReadCommand;
use crate::command::decoding::Decode;
use crate::fault::Flaw;
use crate::json::{Fields, Node, Shape};
use crate::pacer::PaceClass;
use crate::params::Params;
use crate::typed::{number_of, rows_of, text_of};

/// Rows asked for at once.
const ROWS: u32 = 100;

/// Asks for the requests of some days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetTransferRequests {
    /// First day.
    pub from: Day,
    /// Last day.
    pub till: Day,
}

/// How far the office has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestState {
    /// Not sent yet.
    Draft,
    /// Being carried out.
    Running,
    /// Refused.
    Rejected,
    /// Carried out.
    Done,
    /// Something else; never taken for done.
    Unknown(Option<i64>),
}

/// Holds one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferRequest {
    /// The broker's id.
    pub id: String,
    /// Kind of form: 181 is a withdrawal, 214 an exchange of currencies.
    pub kind: Option<i64>,
    /// How far it has come.
    pub state: RequestState,
    /// Name of the form.
    pub name: Option<String>,
    /// Day it was made.
    pub day: Option<Day>,
    /// Amount that was asked for, when the form says one.
    pub amount: Option<Money>,
}

impl Decode for GetTransferRequests {
    type Reply = Vec<TransferRequest>;

    fn params(&self) -> String {
        Params::new()
            .text("date_from", &self.from.to_string())
            .text("date_to", &self.till.to_string())
            .integer("limit", ROWS)
            .finish()
    }

    fn decode(&self, reply: Node<'_>) -> Result<Self::Reply, Flaw> {
        // A very old form is the bare list.
        let list = if reply.shape() == Shape::List { reply } else { reply.get("cps") };
        if list.shape() == Shape::Missing {
            return Err(Flaw::missing("cps"));
        }
        rows_of(list, "cps")?.into_iter().map(|row| request(&row.fields())).collect()
    }
}

impl ReadCommand for GetTransferRequests {
    const NAME: &'static str = "getClientCpsHistory";
    const PACE: PaceClass = PaceClass::History;
}

fn request(row: &Fields<'_>) -> Result<TransferRequest, Flaw> {
    let state = match row.integer_or_unknown("status_c") {
        Some(0) => RequestState::Draft,
        Some(1) => RequestState::Running,
        Some(2) => RequestState::Rejected,
        Some(3) => RequestState::Done,
        other => RequestState::Unknown(other),
    };
    let amount = row.get("params").embedded(|form| {
        let currency = text_of(form.get("currency")).and_then(|code| Currency::new(&code).ok())?;
        let e4 = number_of(form.get("totalMoneyOut"), "totalMoneyOut", 4).ok().flatten()?;
        Some(Money::from_e4(e4, currency))
    });
    Ok(TransferRequest {
        id: row.need_text("id")?,
        kind: row.integer_or_unknown("type_doc_id"),
        state,
        name: row.text("name"),
        day: row.day("date_crt"),
        amount,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<TransferRequest>, Flaw> {
        let day = Day::from_ymd(2026, 1, 1).unwrap();
        GetTransferRequests { from: day, till: day }.decode(Node::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn reads_the_documented_form_and_the_old_one() {
        let row = r#"{"id":88200017,"type_doc_id":181,"date_crt":"2026-01-20 10:15:02","status_c":3,"name":"Withdraw","params":"{\"totalMoneyOut\":\"250.00\",\"currency\":\"EUR\"}"}"#;
        for text in
            [format!(r#"{{"cps":[{row}],"total":1}}"#), format!("[{row}]"), format!(r#"{{"cps":{row}}}"#)]
        {
            let found = read(&text).unwrap();
            assert_eq!(
                (found.len(), found[0].state, found[0].kind),
                (1, RequestState::Done, Some(181)),
                "{text}"
            );
            assert_eq!(found[0].amount, Some(Money::from_e4(2_500_000, Currency::EUR)));
            assert_eq!(found[0].day, Day::from_ymd(2026, 1, 20).ok());
        }
        assert_eq!(read(r#"{"cps":[],"total":0}"#), Ok(vec![]));
        assert_eq!(read(r#"{"cps":null,"total":0}"#), Ok(vec![]));
    }

    #[test]
    fn an_unknown_state_is_not_done_and_a_missing_list_is_no_empty_one() {
        let found = read(r#"{"cps":[{"id":"1","status_c":7}]}"#).unwrap();
        assert_eq!((found[0].state, found[0].amount), (RequestState::Unknown(Some(7)), None));
        assert_eq!(read("{}"), Err(Flaw::missing("cps")));
        assert!(read(r#"{"cps":[{"status_c":1}]}"#).is_err(), "a request without an id");
    }
}
