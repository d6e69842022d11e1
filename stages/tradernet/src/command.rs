//! What a command is: a name, parameters, and a decoder; and the list of all that exist.
//!
//! The trait is sealed, so no caller can invent a command: money transfers, log-ins and margin
//! orders cannot be expressed.

use crate::envelope::{open_read, read_transport};
use crate::exchange::{RawReply, RawRequest, RequestKind, TransportError};
use crate::fault::Fault;
use crate::pacer::PaceClass;
use crate::sign::Keys;

pub(crate) mod decoding {
    use crate::fault::Flaw;
    use crate::json::Node;

    /// Turns the JSON of a successful reply into the command's result; private on purpose.
    pub trait Decode {
        /// What a success says.
        type Reply;

        /// Writes the parameter object.
        fn params(&self) -> String;

        /// Reads the reply; anything short of the command's promise is a flaw.
        fn decode(&self, reply: Node<'_>) -> Result<Self::Reply, Flaw>;
    }
}

use decoding::Decode;

/// Marks a command that only reads, and may therefore be repeated.
pub trait ReadCommand: Decode {
    /// The command's name in the API.
    const NAME: &'static str;
    /// The allowance it is paid from.
    const PACE: PaceClass;
    /// Its time-out class.
    const KIND: RequestKind = RequestKind::Read;
}

/// Marks a read that also works without a key, see [`crate::Anonymous`].
pub trait PlainCommand: ReadCommand {}

/// Marks a command that changes the account's own notes, watch lists and price alerts: neither money nor an order. It is
/// sent once; after a failure the list is read before it is said again.
pub trait NoteCommand: Decode {
    /// The command's name in the API.
    const NAME: &'static str;
}

/// Writes the signed request of a change of the notes.
pub fn encode_note<C: NoteCommand>(command: &C, keys: &Keys, unix_s: u64) -> RawRequest {
    keys.signed(RequestKind::Read, C::NAME, command.params().into_bytes(), unix_s)
}

/// Reads what came back for a change of the notes.
///
/// # Errors
/// As [`decode_read`].
pub fn decode_note<C: NoteCommand>(
    command: &C,
    answer: Result<RawReply, TransportError>,
) -> Result<C::Reply, Fault> {
    understood(C::NAME, command, answer)
}

/// Writes the signed request of a read.
pub fn encode_read<C: ReadCommand>(command: &C, keys: &Keys, unix_s: u64) -> RawRequest {
    keys.signed(C::KIND, C::NAME, command.params().into_bytes(), unix_s)
}

/// Reads what came back for a read.
///
/// # Errors
/// Every way in which this is not a whole, successful, understood reply.
pub fn decode_read<C: ReadCommand>(
    command: &C,
    answer: Result<RawReply, TransportError>,
) -> Result<C::Reply, Fault> {
    understood(C::NAME, command, answer)
}

fn understood<C: Decode>(
    name: &'static str,
    command: &C,
    answer: Result<RawReply, TransportError>,
) -> Result<C::Reply, Fault> {
    let reply = answer.map_err(|error| read_transport(name, error))?;
    let node = open_read(name, &reply)?;
    command.decode(node).map_err(|flaw| Fault::Malformed { command: name, flaw })
}
