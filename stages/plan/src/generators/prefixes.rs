//! The beginnings of sequences: of `a b c`, `a` and `a b`.

/// For each sequence longer than one its first 1, 2, … actions, at most `most` − 1 of them.
#[must_use]
pub fn prefixes<T: Clone>(sequences: &[Vec<T>], most: usize) -> Vec<Vec<T>> {
    let of = |sequence: &Vec<T>| {
        (1..sequence.len().min(most)).map(|end| sequence[..end].to_vec()).collect::<Vec<_>>()
    };
    sequences.iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_has_every_beginning_but_itself() {
        assert_eq!(prefixes(&[vec![1, 2, 3], vec![4]], 5), [vec![1], vec![1, 2]]);
        assert_eq!(prefixes(&[vec![1, 2, 3, 4]], 3), [vec![1], vec![1, 2]]);
    }
}
