//! Cholesky factor: the triangular root of a covariance matrix, and the linear systems it solves.
//!
//! Definition: A = L·Lᵀ with L lower triangular; A·x = b is solved by L·y = b and Lᵀ·x = y. Units:
//! those of A. A must be symmetric (only its lower triangle is read) and positive definite, otherwise
//! the refusal names the first row at which it is not. A matrix of no rows factors into nothing. Not
//! a number or infinity is not positive definite either. Matrices are row-major slices.

use crate::finite::all_finite;

/// Why a matrix has no factor or a system no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The slices are not as long as the size asks for.
    WrongShape,
    /// The matrix is not positive definite; the row at which that first shows.
    NotPositiveDefinite(usize),
    /// The arithmetic left the range of numbers.
    NotFinite,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::WrongShape => write!(f, "The matrix and the buffers differ in size."),
            Self::NotPositiveDefinite(row) => {
                write!(f, "The matrix is not positive definite at row {row}: repair it first.")
            }
            Self::NotFinite => write!(f, "The linear system has no finite solution."),
        }
    }
}

impl std::error::Error for Refusal {}

/// Replaces a symmetric matrix of `size`² values by its lower triangular factor.
///
/// # Errors
/// [`Refusal::WrongShape`] and [`Refusal::NotPositiveDefinite`]; the slice is then half done.
///
/// # Examples
/// ```
/// use formulas::cholesky::{factor, solve};
/// let mut matrix = [4.0, 2.0, 2.0, 5.0];
/// factor(&mut matrix, 2).unwrap();
/// assert_eq!(matrix, [2.0, 0.0, 1.0, 2.0]);
/// let mut right = [8.0, 8.0];
/// solve(&matrix, 2, &mut right).unwrap();
/// assert_eq!(right, [1.5, 1.0]);
/// ```
pub fn factor(matrix: &mut [f64], size: usize) -> Result<(), Refusal> {
    if size.checked_mul(size) != Some(matrix.len()) {
        return Err(Refusal::WrongShape);
    }
    for i in 0..size {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| matrix[i * size + k] * matrix[j * size + k]).sum();
            let rest = matrix[i * size + j] - known;
            matrix[i * size + j] = if i != j {
                rest / matrix[j * size + j]
            } else if rest > 0.0 && rest.is_finite() {
                rest.sqrt()
            } else {
                return Err(Refusal::NotPositiveDefinite(i));
            };
        }
        matrix[i * size + i + 1..(i + 1) * size].fill(0.0);
    }
    Ok(())
}

/// Replaces `right` by the solution of A·x = right, given the factor of A.
///
/// # Errors
/// [`Refusal::WrongShape`] and [`Refusal::NotFinite`].
pub fn solve(factor: &[f64], size: usize, right: &mut [f64]) -> Result<(), Refusal> {
    if size.checked_mul(size) != Some(factor.len()) || right.len() != size {
        return Err(Refusal::WrongShape);
    }
    for i in 0..size {
        let known: f64 = (0..i).map(|k| factor[i * size + k] * right[k]).sum();
        right[i] = (right[i] - known) / factor[i * size + i];
    }
    for i in (0..size).rev() {
        let known: f64 = (i + 1..size).map(|k| factor[k * size + i] * right[k]).sum();
        right[i] = (right[i] - known) / factor[i * size + i];
    }
    if all_finite(right) { Ok(()) } else { Err(Refusal::NotFinite) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_not_positive_definite() {
        for (matrix, row) in [
            ([0.0, 0.0, 0.0, 1.0], 0),
            ([-1.0, 0.0, 0.0, 1.0], 0),
            ([1.0, 2.0, 2.0, 1.0], 1),
            ([1.0, f64::NAN, f64::NAN, 1.0], 1),
            ([f64::INFINITY, 0.0, 0.0, 1.0], 0),
        ] {
            assert_eq!(factor(&mut matrix.clone(), 2), Err(Refusal::NotPositiveDefinite(row)));
        }
    }

    #[test]
    fn refuses_shapes_that_do_not_fit_and_accepts_none_at_all() {
        assert_eq!(factor(&mut [1.0; 3], 2), Err(Refusal::WrongShape));
        assert_eq!(solve(&[1.0], 1, &mut [1.0, 2.0]), Err(Refusal::WrongShape));
        assert_eq!(factor(&mut [], 0), Ok(()));
        assert_eq!(solve(&[0.0], 1, &mut [1.0]), Err(Refusal::NotFinite));
    }
}
