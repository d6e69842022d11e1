//! Bytes to frames, in whatever pieces they come.

use thiserror::Error;

use crate::{DEPTH_MAX, Frame, MESSAGE_MAX, RpcError, Value};

/// The connection cannot be understood any more and must be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Broken {
    /// Not MessagePack, or a part of it that the router never uses.
    #[error("the router sent byte {0:#04x} where a value must begin; the connection is closed")]
    NoValue(u8),
    /// Text that is no UTF-8.
    #[error("the router sent text that is no UTF-8; the connection is closed")]
    NoText,
    /// A number beyond 63 bits.
    #[error("the router sent a number beyond 63 bits; the connection is closed")]
    TooWide,
    /// Nested too deeply.
    #[error("the router sent values nested deeper than {DEPTH_MAX}; the connection is closed")]
    TooDeep,
    /// Too much without an end.
    #[error("the router sent a message above {MESSAGE_MAX} bytes; the connection is closed")]
    TooLong,
}

/// MessagePack, but no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Skipped {
    /// Not a list.
    #[error("something that is no list was skipped")]
    NoList,
    /// A list that is none of the three kinds.
    #[error("a list that is neither request, response nor notification was skipped")]
    NoFrame,
}

/// One thing that was received.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// A message.
    Frame(Frame),
    /// Something else.
    Skipped(Skipped),
}

/// Keeps what has arrived until it is whole.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
}

impl Decoder {
    /// Takes bytes in.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next message, or `None` until more has arrived.
    ///
    /// # Errors
    /// [`Broken`]: the connection must be closed.
    pub fn next_item(&mut self) -> Result<Option<Item>, Broken> {
        let mut reader = Reader { bytes: &self.buffer, at: 0 };
        match reader.value(0) {
            Ok(value) => {
                let used = reader.at;
                self.buffer.drain(..used);
                Ok(Some(item(value)))
            }
            Err(Stop::Incomplete) if self.buffer.len() > MESSAGE_MAX => Err(Broken::TooLong),
            Err(Stop::Incomplete) => Ok(None),
            Err(Stop::Broken(broken)) => Err(broken),
        }
    }
}

enum Stop {
    Incomplete,
    Broken(Broken),
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let piece = self.slice(N)?;
        piece.try_into().map_err(|_| Stop::Incomplete)
    }

    fn slice(&mut self, count: usize) -> Result<&[u8], Stop> {
        let end = self.at.checked_add(count).ok_or(Stop::Broken(Broken::TooLong))?;
        let piece = self.bytes.get(self.at..end).ok_or(if count > MESSAGE_MAX {
            Stop::Broken(Broken::TooLong)
        } else {
            Stop::Incomplete
        })?;
        self.at = end;
        Ok(piece)
    }

    /// A length in one, two or four bytes.
    fn length(&mut self, width: u8) -> Result<usize, Stop> {
        Ok(match width {
            0 => usize::from(u8::from_be_bytes(self.take()?)),
            1 => usize::from(u16::from_be_bytes(self.take()?)),
            _ => usize::try_from(u32::from_be_bytes(self.take()?)).unwrap_or(usize::MAX),
        })
    }

    fn value(&mut self, depth: usize) -> Result<Value, Stop> {
        if depth > DEPTH_MAX {
            return Err(Stop::Broken(Broken::TooDeep));
        }
        let [marker] = self.take()?;
        match marker {
            0x00..=0x7f => Ok(Value::Int(marker.into())),
            0x80..=0x8f => self.map(usize::from(marker & 0x0f), depth),
            0x90..=0x9f => self.array(usize::from(marker & 0x0f), depth),
            0xa0..=0xbf => self.text(usize::from(marker & 0x1f)),
            0xc0 => Ok(Value::Nil),
            0xc2 | 0xc3 => Ok(Value::Bool(marker == 0xc3)),
            0xc4..=0xc6 => {
                let count = self.length(marker - 0xc4)?;
                Ok(Value::Bytes(self.slice(count)?.to_vec()))
            }
            0xca => Ok(Value::Float(f32::from_be_bytes(self.take()?).into())),
            0xcb => Ok(Value::Float(f64::from_be_bytes(self.take()?))),
            0xcc..=0xd3 => self.int(marker),
            0xd9..=0xdb => {
                let count = self.length(marker - 0xd9)?;
                self.text(count)
            }
            0xdc | 0xdd => {
                let count = self.length(marker - 0xdc + 1)?;
                self.array(count, depth)
            }
            0xde | 0xdf => {
                let count = self.length(marker - 0xde + 1)?;
                self.map(count, depth)
            }
            0xe0..=0xff => Ok(Value::Int(i8::from_be_bytes([marker]).into())),
            other => Err(Stop::Broken(Broken::NoValue(other))),
        }
    }

    fn int(&mut self, marker: u8) -> Result<Value, Stop> {
        let number = match marker {
            0xcc => u8::from_be_bytes(self.take()?).into(),
            0xcd => u16::from_be_bytes(self.take()?).into(),
            0xce => u32::from_be_bytes(self.take()?).into(),
            0xcf => {
                i64::try_from(u64::from_be_bytes(self.take()?)).map_err(|_| Stop::Broken(Broken::TooWide))?
            }
            0xd0 => i8::from_be_bytes(self.take()?).into(),
            0xd1 => i16::from_be_bytes(self.take()?).into(),
            0xd2 => i32::from_be_bytes(self.take()?).into(),
            _ => i64::from_be_bytes(self.take()?),
        };
        Ok(Value::Int(number))
    }

    fn text(&mut self, count: usize) -> Result<Value, Stop> {
        let bytes = self.slice(count)?.to_vec();
        String::from_utf8(bytes).map(Value::Text).map_err(|_| Stop::Broken(Broken::NoText))
    }

    // Nothing is reserved for a promised count: each item takes at least one byte that must have arrived.
    fn array(&mut self, count: usize, depth: usize) -> Result<Value, Stop> {
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(self.value(depth + 1)?);
        }
        Ok(Value::Array(items))
    }

    fn map(&mut self, count: usize, depth: usize) -> Result<Value, Stop> {
        let mut pairs = Vec::new();
        for _ in 0..count {
            pairs.push((self.value(depth + 1)?, self.value(depth + 1)?));
        }
        Ok(Value::Map(pairs))
    }
}

fn item(value: Value) -> Item {
    let Value::Array(parts) = value else { return Item::Skipped(Skipped::NoList) };
    frame(parts).map_or(Item::Skipped(Skipped::NoFrame), Item::Frame)
}

fn frame(parts: Vec<Value>) -> Option<Frame> {
    let id = |value: &Value| value.as_int().and_then(|id| u32::try_from(id).ok());
    match parts.as_slice() {
        [Value::Int(0), number, Value::Text(method), Value::Array(params)] => {
            Some(Frame::Request { id: id(number)?, method: method.clone(), params: params.clone() })
        }
        [Value::Int(1), number, Value::Nil, result] => {
            Some(Frame::Response { id: id(number)?, result: Ok(result.clone()) })
        }
        [Value::Int(1), number, error, _] => {
            Some(Frame::Response { id: id(number)?, result: Err(error_of(error)) })
        }
        [Value::Int(2), Value::Text(method), Value::Array(params)] => {
            Some(Frame::Notification { method: method.clone(), params: params.clone() })
        }
        _ => None,
    }
}

/// A code and a text, plain text of older routers, or anything else as unknown.
fn error_of(value: &Value) -> RpcError {
    match value {
        Value::Array(parts) => match parts.as_slice() {
            [Value::Int(code), Value::Text(text)] => RpcError { code: Some(*code), text: text.clone() },
            _ => RpcError { code: None, text: "unknown error".into() },
        },
        Value::Text(text) => RpcError { code: None, text: text.clone() },
        _ => RpcError { code: None, text: "unknown error".into() },
    }
}
