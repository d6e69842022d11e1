//! The broker's order states. An unknown one counts as active: believing an order finished that
//! still works would free its cash twice.

/// Says where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderStatus {
    /// 0: ignored by the broker.
    Ignored,
    /// 1: received.
    Received,
    /// 2: cancellation under way; may still fill.
    Cancelling,
    /// 10: working at the venue.
    Working,
    /// 11: sent to the venue.
    Sent,
    /// 12: partly filled, working.
    PartlyFilled,
    /// 20: partly executed; counts as active.
    PartlyExecuted,
    /// 21: executed.
    Executed,
    /// 30: rest cancelled after a partial fill.
    PartlyCancelled,
    /// 31: cancelled.
    Cancelled,
    /// 70: rejected.
    Rejected,
    /// 71: expired.
    Expired,
    /// 72: rest expired after a partial fill.
    PartlyExpired,
    /// 74: could not be sent to the venue.
    SendingFailed,
    /// 75: cancelling failed; the order still works.
    CancelFailed,
    /// Any other code, or none.
    Unknown(Option<i64>),
}

impl OrderStatus {
    /// Reads the broker's code.
    pub fn from_code(code: Option<i64>) -> Self {
        match code {
            Some(0) => Self::Ignored,
            Some(1) => Self::Received,
            Some(2) => Self::Cancelling,
            Some(10) => Self::Working,
            Some(11) => Self::Sent,
            Some(12) => Self::PartlyFilled,
            Some(20) => Self::PartlyExecuted,
            Some(21) => Self::Executed,
            Some(30) => Self::PartlyCancelled,
            Some(31) => Self::Cancelled,
            Some(70) => Self::Rejected,
            Some(71) => Self::Expired,
            Some(72) => Self::PartlyExpired,
            Some(74) => Self::SendingFailed,
            Some(75) => Self::CancelFailed,
            other => Self::Unknown(other),
        }
    }

    /// Tells whether the order can never fill again.
    pub fn is_final(self) -> bool {
        match self {
            Self::Ignored | Self::Executed | Self::PartlyCancelled | Self::Cancelled => true,
            Self::Rejected | Self::Expired | Self::PartlyExpired | Self::SendingFailed => true,
            Self::Received | Self::Cancelling | Self::Working | Self::Sent | Self::PartlyFilled => false,
            Self::PartlyExecuted | Self::CancelFailed | Self::Unknown(_) => false,
        }
    }

    /// Tells whether the order may still fill.
    pub fn is_active(self) -> bool {
        !self.is_final()
    }

    /// Tells whether a final state still needs the trades read before its cash is free.
    pub fn needs_trades_read(self) -> bool {
        self == Self::SendingFailed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_documented_final_codes_are_final() {
        let finals = [0, 21, 30, 31, 70, 71, 72, 74];
        for code in -5..200 {
            let status = OrderStatus::from_code(Some(code));
            assert_eq!(status.is_final(), finals.contains(&code), "{code}");
            assert_ne!(status.is_final(), status.is_active());
        }
        assert!(OrderStatus::from_code(None).is_active());
        assert!(OrderStatus::from_code(Some(74)).needs_trades_read());
    }
}
