//! [`ClnError`]: why a call of the node did not return a result.

use std::boxed::Box;
use std::path::PathBuf;
use std::string::String;
use std::time::Duration;

use thiserror::Error;

use crate::codec::ParseError;

/// Why a call of the node did not return a result.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum ClnError {
    /// The socket cannot be opened. Nothing was sent.
    #[error("cannot connect to {}: {reason}", .socket.display())]
    Connect {
        /// The path of the socket.
        socket: PathBuf,
        /// What the operating system reports.
        reason: String,
    },
    /// The connection ended before the answer did. The call may have taken effect.
    #[error("{method}: the connection was lost: {reason}")]
    Lost {
        /// The method that was called.
        method: String,
        /// What the operating system reports.
        reason: String,
    },
    /// The answer did not come in time. The call may have taken effect, or may still take effect.
    #[error("{method}: no answer within {limit:?}")]
    NoAnswer {
        /// The method that was called.
        method: String,
        /// The limit.
        limit: Duration,
    },
    /// The answer is longer than [`Cln::answer_limit`](super::Cln::answer_limit).
    #[error("{method}: the answer has more than {limit} bytes")]
    TooLong {
        /// The method that was called.
        method: String,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The answer is not a JSON-RPC answer to the call, or lacks what it has to have.
    #[error("{method}: the answer is not understood: {reason}")]
    NotUnderstood {
        /// The method that was called.
        method: String,
        /// What is wrong.
        reason: String,
    },
    /// The node answered with an error.
    #[error("{method}: error {code}: {message}")]
    Refused {
        /// The method that was called.
        method: String,
        /// The code, as the manual page of the method lists it.
        code: i64,
        /// The sentence of the node.
        message: String,
    },
    /// The node returned a message that cannot be read.
    #[error("{method}: the node returned a message that cannot be read")]
    Message {
        /// The method that was called.
        method: String,
        /// What is wrong with the message.
        #[source]
        error: Box<ParseError>,
    },
    /// The node signed another message than the one it was given.
    #[error("{method}: the node returned a request with other fields than the one it was given")]
    OtherMessage {
        /// The method that was called.
        method: String,
    },
    /// The node forgets payments before recovery is done with them.
    #[error(
        "the node deletes {what} payments after {forgets} seconds, expected more than {needed} ({option})"
    )]
    Forgets {
        /// `succeeded` or `failed`.
        what: &'static str,
        /// The age at which the node deletes them, in seconds.
        forgets: u64,
        /// The time for which they are needed, in seconds.
        needed: u64,
        /// The option of the node that sets it.
        option: &'static str,
    },
    /// The node is too old.
    #[error("the node has version {version}, expected v24.11 or newer")]
    TooOld {
        /// The version that the node reports.
        version: String,
    },
}

impl ClnError {
    /// Whether `xpay` ends a payment with this error that it did not begin, if the node has no row of it.
    ///
    /// Any other code is no failure: 200 and 219 contradict that there is no row, and a plugin that died (-4) or a
    /// node that shuts down (-5) may have begun it.
    pub(super) fn ends_payment(&self) -> bool {
        match self {
            Self::Refused { code: -3, message, .. } => is_inactive_request(message),
            Self::Refused { code, .. } => ENDS_PAYMENT.contains(code),
            _ => false,
        }
    }
}

/// The unspecific error, destination's final no, no route, too expensive, expired, other payment error; and JSON-RPC's
/// own: no such method, bad parameters.
const ENDS_PAYMENT: &[i64] = &[-1, 203, 205, 206, 207, 209, 210, -32600, -32601, -32602];

/// Whether this is the node's refusal of a second invoice for a request that it holds: error 212, which `xpay` reports
/// inside error -3.
fn is_inactive_request(message: &str) -> bool {
    message.contains("injectpaymentonion error 212:")
}
