//! Nearest covariance without negative eigenvalues: repair of a matrix that rounding or gaps made
//! impossible.
//!
//! Definition: A = V·diag(λ)·Vᵀ with orthonormal V; repaired = V·diag(max(λ, 0))·Vᵀ. Units: those of
//! A. Range: symmetric, positive semi-definite up to rounding. No rows: nothing. A shape that does not
//! fit, not a number or infinity: `None`. A must be symmetric; its halves are averaged first.
//!
//! Cyclic Jacobi rotations: slow for hundreds of rows, exact and short for the sixty needed here.
//! Allocates its working space.

use crate::finite::all_finite;

/// Sweeps over all pairs; matrices of this size converge in fewer than ten.
const SWEEPS_MAX: usize = 60;
/// Off-diagonal squares, relative to all squares, at which a matrix counts as diagonal; the error left
/// in the eigenvalues is of the same order, far below a number's last digit.
const OFF_DIAGONAL_SHARE: f64 = 1e-28;

/// Computes the eigenvalues of a symmetric matrix, ascending.
///
/// # Examples
/// ```
/// let values = formulas::semidefinite::eigenvalues(&[1.0, 2.0, 2.0, 1.0], 2).unwrap();
/// assert!((values[0] + 1.0).abs() < 1e-12 && (values[1] - 3.0).abs() < 1e-12);
/// ```
pub fn eigenvalues(matrix: &[f64], size: usize) -> Option<Vec<f64>> {
    let (mut values, _) = decompose(matrix, size)?;
    values.sort_by(f64::total_cmp);
    Some(values)
}

/// Writes the repaired matrix into `out` and returns the norm of the change relative to the matrix.
///
/// # Examples
/// ```
/// // Eigenvalues −1 and 3: only 3·(1, 1)(1, 1)ᵀ/2 remains.
/// let mut out = [0.0; 4];
/// let change = formulas::semidefinite::repair(&[1.0, 2.0, 2.0, 1.0], 2, &mut out).unwrap();
/// assert!(out.iter().all(|value| (value - 1.5).abs() < 1e-12));
/// assert!(change > 0.3);
/// ```
pub fn repair(matrix: &[f64], size: usize, out: &mut [f64]) -> Option<f64> {
    let (values, vectors) = decompose(matrix, size)?;
    let out = out.get_mut(..matrix.len())?;
    for i in 0..size {
        for j in i..size {
            let part = |k: usize| vectors[i * size + k] * values[k].max(0.0) * vectors[j * size + k];
            out[i * size + j] = (0..size).map(part).sum();
            out[j * size + i] = out[i * size + j];
        }
    }
    let change = squares(matrix.iter().zip(out.iter()).map(|(before, after)| before - after)).sqrt();
    let whole = squares(matrix.iter().copied()).sqrt();
    let relative = if whole > 0.0 { change / whole } else { 0.0 };
    (all_finite(out) && relative.is_finite()).then_some(relative)
}

fn squares(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|value| value * value).sum()
}

/// Eigenvalues and, as columns, their vectors.
fn decompose(matrix: &[f64], size: usize) -> Option<(Vec<f64>, Vec<f64>)> {
    if size.checked_mul(size) != Some(matrix.len()) || !all_finite(matrix) {
        return None;
    }
    let mut work: Vec<f64> =
        (0..matrix.len()).map(|at| matrix[at] / 2.0 + matrix[at % size * size + at / size] / 2.0).collect();
    let mut vectors: Vec<f64> = (0..matrix.len()).map(|at| f64::from(at % size == at / size)).collect();
    let whole = squares(work.iter().copied());
    for _ in 0..SWEEPS_MAX {
        let off = squares((0..work.len()).filter(|at| at % size != at / size).map(|at| work[at]));
        if off <= OFF_DIAGONAL_SHARE * whole {
            let values: Vec<f64> = work.iter().step_by(size + 1).copied().collect();
            return (all_finite(&values) && all_finite(&vectors)).then_some((values, vectors));
        }
        for p in 0..size {
            for q in p + 1..size {
                rotate(&mut work, &mut vectors, size, p, q);
            }
        }
    }
    None
}

/// One Jacobi rotation: makes the entry (p, q) zero.
fn rotate(work: &mut [f64], vectors: &mut [f64], size: usize, p: usize, q: usize) {
    let off = work[p * size + q];
    if off.abs() < f64::MIN_POSITIVE {
        return;
    }
    let theta = (work[q * size + q] - work[p * size + p]) / (2.0 * off);
    let tangent = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let cosine = 1.0 / (tangent * tangent + 1.0).sqrt();
    let sine = tangent * cosine;
    for k in 0..size {
        turn(work, k * size + p, k * size + q, cosine, sine);
    }
    for k in 0..size {
        turn(work, p * size + k, q * size + k, cosine, sine);
        turn(vectors, k * size + p, k * size + q, cosine, sine);
    }
}

fn turn(values: &mut [f64], first: usize, second: usize, cosine: f64, sine: f64) {
    let (a, b) = (values[first], values[second]);
    values[first] = cosine * a - sine * b;
    values[second] = sine * a + cosine * b;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_a_possible_matrix_alone() {
        let matrix = [2.0, 0.5, 0.5, 1.0];
        let mut out = [0.0; 4];
        assert!(repair(&matrix, 2, &mut out).is_some_and(|change| change < 1e-14));
        assert!(matrix.iter().zip(out).all(|(a, b)| (a - b).abs() < 1e-14));
    }

    #[test]
    fn keeps_zeros_and_equal_diagonals() {
        let mut out = [1.0; 9];
        assert_eq!(repair(&[0.0; 9], 3, &mut out), Some(0.0));
        let equal = [1.0, 0.999, 0.999, 1.0];
        assert!(eigenvalues(&equal, 2).is_some_and(|values| (values[0] - 0.001).abs() < 1e-12));
    }

    #[test]
    fn refuses_wrong_shapes_and_values_that_are_not_numbers() {
        assert_eq!(eigenvalues(&[1.0; 3], 2), None);
        assert_eq!(eigenvalues(&[1.0, f64::NAN, f64::NAN, 1.0], 2), None);
        assert_eq!(repair(&[1.0, 0.0, 0.0, 1.0], 2, &mut [0.0; 3]), None);
        assert_eq!(eigenvalues(&[], 0), Some(Vec::new()));
    }
}
