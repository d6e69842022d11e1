//! Request limits of the simulated broker: token buckets on virtual time.

/// Tokens and refill of one class of commands.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    per_minute: i64,
    /// Thousandths of a token.
    milli_tokens: i64,
    filled_ms: i64,
}

impl Bucket {
    fn new(per_minute: i64) -> Self {
        Self { per_minute, milli_tokens: per_minute * 1000, filled_ms: i64::MIN }
    }

    fn take(&mut self, now: i64) -> bool {
        if self.filled_ms == i64::MIN {
            self.filled_ms = now;
        }
        let gained = (now - self.filled_ms).clamp(0, 60_000) * self.per_minute / 60;
        if gained > 0 {
            self.milli_tokens = (self.milli_tokens + gained).min(self.per_minute * 1000);
            self.filled_ms = now;
        }
        let allowed = self.milli_tokens >= 1000;
        if allowed {
            self.milli_tokens -= 1000;
        }
        allowed
    }
}

/// The buckets of the one key the simulator knows.
#[derive(Debug, Clone)]
pub(crate) struct Throttle {
    reads: Bucket,
    directory: Bucket,
    orders: Bucket,
    /// Refusals so far: their form alternates.
    refusals: u64,
}

impl Default for Throttle {
    fn default() -> Self {
        Self { reads: Bucket::new(60), directory: Bucket::new(10), orders: Bucket::new(20), refusals: 0 }
    }
}

/// Names the bucket a command is paid from.
pub(crate) fn class(command: &str) -> &'static str {
    match command {
        "putTradeOrder" | "delTradeOrder" | "putStopLoss" => "orders",
        "getAllSecurities" | "getReadyList" => "directory",
        _ => "reads",
    }
}

impl Throttle {
    /// Takes a token for a command; a refusal says whether it hides in a successful answer.
    pub(crate) fn take(&mut self, command: &str, now: i64) -> Result<(), bool> {
        let bucket = match class(command) {
            "orders" => &mut self.orders,
            "directory" => &mut self.directory,
            _ => &mut self.reads,
        };
        if bucket.take(now) {
            return Ok(());
        }
        self.refusals += 1;
        Err(self.refusals.is_multiple_of(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_21st_order_of_a_minute_is_refused_in_alternating_forms() {
        let mut throttle = Throttle::default();
        let mut refused = Vec::new();
        for _ in 0..23 {
            if let Err(in_body) = throttle.take("putTradeOrder", 1_000_000) {
                refused.push(in_body);
            }
        }
        assert_eq!(refused, [false, true, false]);
        assert_eq!(throttle.take("getHloc", 1_000_000), Ok(()));
        assert_eq!(throttle.take("putTradeOrder", 1_003_000), Ok(()));
        assert!(throttle.take("putTradeOrder", 1_003_000).is_err());
    }
}
