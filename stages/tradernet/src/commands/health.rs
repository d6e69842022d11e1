//! `GetAllUserTexInfo`: whether the key works at all. The reply is personal and thrown away.

use crate::command::ReadCommand;
use crate::command::decoding::Decode;
use crate::fault::Flaw;
use crate::json::{Node, Shape};
use crate::pacer::PaceClass;

/// Asks whether the account answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckHealth;

impl Decode for CheckHealth {
    type Reply = ();

    fn params(&self) -> String {
        "{}".to_owned()
    }

    fn decode(&self, reply: Node<'_>) -> Result<(), Flaw> {
        if reply.shape() == Shape::Object { Ok(()) } else { Err(Flaw::new("body", "is not an object")) }
    }
}

impl ReadCommand for CheckHealth {
    const NAME: &'static str = "GetAllUserTexInfo";
    const PACE: PaceClass = PaceClass::Live;
}
