//! Numbers that look random and are the same for the same context: SHA-256 over the context, the depth and a counter.

use sha2::{Digest, Sha256};

/// An endless row of numbers from 0 to below 1.
#[derive(Debug, Clone)]
pub struct Draws {
    seed: [u8; 32],
    next: u64,
}

impl Draws {
    /// The row that belongs to a context and a depth.
    #[must_use]
    pub fn of(context: &str, depth: usize) -> Draws {
        let depth = u64::try_from(depth).unwrap_or(u64::MAX);
        let hash = Sha256::new()
            .chain_update(b"steward-combinations")
            .chain_update(context.as_bytes())
            .chain_update(depth.to_le_bytes());
        Draws { seed: hash.finalize().into(), next: 0 }
    }
}

impl Iterator for Draws {
    type Item = f64;

    #[allow(clippy::as_conversions, clippy::cast_precision_loss)] // 53 bits are exact.
    fn next(&mut self) -> Option<f64> {
        let hash = Sha256::new().chain_update(self.seed).chain_update(self.next.to_le_bytes()).finalize();
        self.next = self.next.wrapping_add(1);
        let bytes: [u8; 8] = hash[..8].try_into().ok()?;
        Some((u64::from_le_bytes(bytes) >> 11) as f64 / (1_u64 << 53) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_context_and_depth_draw_the_same_numbers() {
        let row = |context, depth| Draws::of(context, depth).take(50).collect::<Vec<_>>();
        assert_eq!(row("a", 3), row("a", 3));
        assert_ne!(row("a", 3), row("a", 4));
        assert_ne!(row("a", 3), row("b", 3));
        assert!(row("a", 3).iter().all(|draw| (0.0..1.0).contains(draw)));
    }
}
