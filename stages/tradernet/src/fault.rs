//! Everything that can go wrong with a read, each with the answer to "may it be tried again?".

use std::time::Duration;

/// Pause after a refusal at the door (firewall, redirect): such blocks have lasted for hours.
pub const FORBIDDEN_PAUSE: Duration = Duration::from_secs(300);
/// Pause after throttling when the broker names none.
pub const THROTTLE_PAUSE: Duration = Duration::from_secs(60);

/// Says whether and when the same request may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Again within the ordinary steps (see [`crate::pacer::READ_RETRY_DELAYS_MS`]).
    Now,
    /// Again, but not before this much time has passed.
    Later(Duration),
    /// Not again without a person or a change of the request.
    Never,
    /// The request may have been obeyed: never again, ask the broker what happened.
    UnknownOutcome,
}

/// Classifies an error that the broker wrote into a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiErrorKind {
    /// Too many requests.
    RateLimited,
    /// A person must open a security session.
    NeedSecuritySession,
    /// Key, signature, user or address not accepted.
    Auth,
    /// The broker's own service is out of order for the moment.
    Unavailable,
    /// Any other refusal.
    Rejected,
}

/// Names what went wrong between a request and its decoded reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not one byte left.
    #[error("{command} was not sent ({reason}); check the network and try again")]
    NotSent {
        /// The command.
        command: &'static str,
        /// What stopped it.
        reason: String,
    },
    /// The request left and no whole reply came.
    #[error("{command} got no whole reply ({reason}); as a read it may be repeated")]
    NoAnswer {
        /// The command.
        command: &'static str,
        /// What was seen.
        reason: String,
    },
    /// The broker asked for fewer requests.
    #[error("{command} was throttled by the broker; wait before the next request of any kind")]
    RateLimited {
        /// The command.
        command: &'static str,
        /// The pause the broker named, if it did.
        retry_after: Option<Duration>,
    },
    /// Refused at the door; no proof of a bad key.
    #[error(
        "{command} was refused with status {status} ({content_type}); trading must stop, reads go on slowly"
    )]
    Forbidden {
        /// The command.
        command: &'static str,
        /// HTTP status.
        status: u16,
        /// Type of the body, to tell a firewall page from an API error.
        content_type: String,
        /// Redacted beginning of the body.
        excerpt: String,
    },
    /// The server pointed elsewhere; never followed.
    #[error(
        "{command} was redirected with status {status}; the host is wrong or a firewall stands before it"
    )]
    Redirected {
        /// The command.
        command: &'static str,
        /// HTTP status.
        status: u16,
    },
    /// The server or a gateway is out of order.
    #[error("{command} met a server out of order (status {status}); it may be repeated")]
    Transient {
        /// The command.
        command: &'static str,
        /// HTTP status.
        status: u16,
    },
    /// Key, signature, user or address not accepted.
    #[error(
        "{command} was not authorised (code {code:?}: {text}); check key, clock and address, trading must stop"
    )]
    Auth {
        /// The command.
        command: &'static str,
        /// The broker's code.
        code: Option<i64>,
        /// The broker's text, redacted.
        text: String,
    },
    /// A person must open a security session.
    #[error("{command} needs a security session ({text}); a person must open one at the broker")]
    NeedSecuritySession {
        /// The command.
        command: &'static str,
        /// The broker's text, redacted.
        text: String,
    },
    /// The broker said no.
    #[error("{command} was rejected (code {code:?}: {text})")]
    Rejected {
        /// The command.
        command: &'static str,
        /// The broker's code.
        code: Option<i64>,
        /// The broker's text, redacted.
        text: String,
        /// Tells a passing outage from a refusal.
        kind: ApiErrorKind,
    },
    /// A client error without a readable body.
    #[error("{command} was rejected with status {status} and no readable reason")]
    RejectedHttp {
        /// The command.
        command: &'static str,
        /// HTTP status.
        status: u16,
    },
    /// The reply is not what the command promises.
    #[error("the reply to {command} is unusable: {flaw}")]
    Malformed {
        /// The command.
        command: &'static str,
        /// Which field broke which rule.
        flaw: Flaw,
    },
}

impl Fault {
    /// Says whether and when the same request may be sent again.
    pub fn retry(&self) -> Retry {
        match self {
            Self::NotSent { .. } | Self::NoAnswer { .. } | Self::Transient { .. } => Retry::Now,
            Self::Malformed { .. } => Retry::Now,
            Self::Rejected { kind: ApiErrorKind::Unavailable, .. } => Retry::Now,
            Self::RateLimited { retry_after, .. } => Retry::Later(retry_after.unwrap_or(THROTTLE_PAUSE)),
            Self::Forbidden { .. } | Self::Redirected { .. } => Retry::Later(FORBIDDEN_PAUSE),
            Self::Auth { .. } | Self::NeedSecuritySession { .. } => Retry::Never,
            Self::Rejected { .. } | Self::RejectedHttp { .. } => Retry::Never,
        }
    }

    /// Tells whether nobody may trade until a person or time has cleared the cause.
    pub fn stops_trading(&self) -> bool {
        matches!(
            self,
            Self::Forbidden { .. }
                | Self::Redirected { .. }
                | Self::Auth { .. }
                | Self::NeedSecuritySession { .. }
        )
    }
}

/// Names the field of a reply that broke a rule, and the rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("field `{field}` {rule}")]
pub struct Flaw {
    /// The field's name in the API.
    pub field: &'static str,
    /// The rule it broke, as the rest of a sentence.
    pub rule: &'static str,
}

impl Flaw {
    pub(crate) fn new(field: &'static str, rule: &'static str) -> Self {
        Self { field, rule }
    }

    pub(crate) fn missing(field: &'static str) -> Self {
        Self::new(field, "is missing")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_says_whether_it_may_be_tried_again() {
        let command = "getPositionJson";
        let text = String::new;
        let rejected = |kind| Fault::Rejected { command, code: Some(14), text: text(), kind };
        let flaw = Flaw::missing("result.ps");
        let limited = |retry_after| Fault::RateLimited { command, retry_after };
        let table = [
            (Fault::NotSent { command, reason: text() }, Retry::Now),
            (Fault::NoAnswer { command, reason: text() }, Retry::Now),
            (Fault::Transient { command, status: 503 }, Retry::Now),
            (Fault::Malformed { command, flaw }, Retry::Now),
            (limited(None), Retry::Later(THROTTLE_PAUSE)),
            (limited(Some(Duration::from_secs(7))), Retry::Later(Duration::from_secs(7))),
            (Fault::Redirected { command, status: 302 }, Retry::Later(FORBIDDEN_PAUSE)),
            (Fault::Auth { command, code: Some(4), text: text() }, Retry::Never),
            (Fault::NeedSecuritySession { command, text: text() }, Retry::Never),
            (Fault::RejectedHttp { command, status: 404 }, Retry::Never),
            (rejected(ApiErrorKind::Rejected), Retry::Never),
            (rejected(ApiErrorKind::Unavailable), Retry::Now),
        ];
        for (fault, expected) in table {
            assert_eq!(fault.retry(), expected, "{fault}");
        }
    }
}
