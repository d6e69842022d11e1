//! The number under which an order is filed at the broker, derived from the order's own id.

use sha2::{Digest, Sha256};

/// Derives the broker-side number of an order: 2^52 plus the first 52 bits of SHA-256 of its id.
///
/// The number always has 16 digits and stays below 2^53, so it survives systems that keep numbers
/// as doubles. The same id gives the same number for ever.
pub fn user_order_id(order_id: &str) -> u64 {
    let digest = Sha256::digest(order_id.as_bytes());
    let first = digest.iter().take(8).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    (1 << 52) + (first >> 12)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn takes_the_first_52_bits_of_the_digest() {
        // SHA-256 of the empty text begins e3b0c44298fc1c14; of "abc" ba7816bf8f01cfea.
        assert_eq!(user_order_id(""), (1 << 52) + 0xe_3b0c_4429_8fc1);
        assert_eq!(user_order_id("abc"), (1 << 52) + 0xb_a781_6bf8_f01c);
    }

    proptest! {
        #[test]
        fn always_has_sixteen_digits_and_fits_a_double(order_id in "\\PC{0,40}") {
            let number = user_order_id(&order_id);
            prop_assert_eq!(number.to_string().len(), 16);
            prop_assert!(number < 1 << 53);
        }
    }
}
