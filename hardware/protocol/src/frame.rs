//! Requests, responses and notifications.

use thiserror::Error;

use crate::{REQUEST_MAX, Value, encode};

/// One message of the protocol.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    /// Wants an answer.
    Request {
        /// Chosen by the sender.
        id: u32,
        /// What is called.
        method: String,
        /// With what.
        params: Vec<Value>,
    },
    /// An answer.
    Response {
        /// Of the request.
        id: u32,
        /// What came of it.
        result: Result<Value, RpcError>,
    },
    /// Wants none.
    Notification {
        /// What happened.
        method: String,
        /// With what.
        params: Vec<Value>,
    },
}

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{text} (code {code:?})")]
pub struct RpcError {
    /// 1–6 from the router, 252–255 from the microcontroller; unknown for plain text of older routers.
    pub code: Option<i64>,
    /// In words.
    pub text: String,
}

/// A request that would jam the microcontroller.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the call of `{method}` has {bytes} bytes, at most {REQUEST_MAX} may be sent to the board")]
pub struct TooLong {
    /// What was to be called.
    pub method: String,
    /// How long it would be.
    pub bytes: usize,
}

impl Frame {
    /// As bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let items = match self {
            Frame::Request { id, method, params } => {
                vec![
                    Value::Int(0),
                    Value::Int((*id).into()),
                    method.as_str().into(),
                    Value::Array(params.clone()),
                ]
            }
            Frame::Response { id, result } => {
                let (error, result) = match result {
                    Ok(result) => (Value::Nil, result.clone()),
                    Err(error) => (error.value(), Value::Nil),
                };
                vec![Value::Int(1), Value::Int((*id).into()), error, result]
            }
            Frame::Notification { method, params } => {
                vec![Value::Int(2), method.as_str().into(), Value::Array(params.clone())]
            }
        };
        let mut out = Vec::new();
        encode::value(&mut out, &Value::Array(items));
        out
    }

    /// A request as bytes, if it is short enough for the microcontroller.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn request(id: u32, method: &str, params: Vec<Value>) -> Result<Vec<u8>, TooLong> {
        let bytes = Frame::Request { id, method: method.into(), params }.encode();
        if bytes.len() > REQUEST_MAX {
            return Err(TooLong { method: method.into(), bytes: bytes.len() });
        }
        Ok(bytes)
    }
}

impl RpcError {
    fn value(&self) -> Value {
        let text = Value::Text(self.text.clone());
        self.code.map_or(text.clone(), |code| Value::Array(vec![Value::Int(code), text]))
    }
}
