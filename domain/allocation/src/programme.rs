//! One convex programme: what is to be small, and what must hold. The only place that talks to the solver.
//!
//! Definition: minimise ½·xᵀPx + qᵀx subject to rows a·x = b, rows a·x ≤ b, and at most one ball ‖Rx‖ ≤ r.
//! Clarabel is told to reach 1e-11; what it only reaches roughly is for the caller to verify.

use clarabel::algebra::CscMatrix;
use clarabel::solver::{
    DefaultSettingsBuilder, DefaultSolver, IPSolver, SolverStatus,
    SupportedConeT::{self, NonnegativeConeT, SecondOrderConeT, ZeroConeT},
};

use crate::refusal::Refusal;

const ITERATIONS_MAX: u32 = 200;
const SECONDS_MAX: f64 = 2.0;
/// What the solver aims at.
const ACCURACY: f64 = 1e-11;
/// What it may stop at when rounding allows no more.
const ACCURACY_REDUCED: f64 = 1e-8;

/// Coefficients by variable, and the right-hand side.
pub(crate) type Row = (Entries, f64);
/// Coefficients by variable.
pub(crate) type Entries = Vec<(usize, f64)>;

/// The programme while it is written down.
#[derive(Debug, Clone)]
pub(crate) struct Programme {
    linear: Vec<f64>,
    /// Upper triangle by column: for column j the values of rows 0..=j. Shorter than the variables allowed.
    quadratic: Vec<Vec<f64>>,
    equal: Vec<Row>,
    at_most: Vec<Row>,
    ball: Option<(Vec<Entries>, f64)>,
}

impl Programme {
    /// A programme of this many variables that wants nothing yet.
    pub(crate) fn new(variables: usize) -> Programme {
        Programme {
            linear: vec![0.0; variables],
            quadratic: Vec::new(),
            equal: Vec::new(),
            at_most: Vec::new(),
            ball: None,
        }
    }

    /// Sets q of one variable.
    pub(crate) fn cost(&mut self, variable: usize, cost: f64) {
        if let Some(slot) = self.linear.get_mut(variable) {
            *slot = cost;
        }
    }

    /// Sets P on the first `size` variables, from a row-major symmetric matrix times `factor`.
    pub(crate) fn square(&mut self, matrix: &[f64], size: usize, factor: f64) {
        let column = |j: usize| (0..=j).map(|i| factor * matrix[i * size + j]).collect();
        self.quadratic = (0..size).map(column).collect();
    }

    pub(crate) fn equal(&mut self, row: Row) {
        self.equal.push(row);
    }

    pub(crate) fn at_most(&mut self, row: Row) {
        self.at_most.push(row);
    }

    /// Demands ‖Rx‖ ≤ radius.
    pub(crate) fn within(&mut self, rows: Vec<Entries>, radius: f64) {
        self.ball = Some((rows, radius));
    }

    /// The best variables.
    ///
    /// # Errors
    /// [`Refusal::Infeasible`] when nothing holds all rows, [`Refusal::Numeric`] when the solver gives up.
    pub(crate) fn solve(&self) -> Result<Vec<f64>, Refusal> {
        let (rows, right, cones) = self.constraints();
        let settings = DefaultSettingsBuilder::default()
            .verbose(false)
            .max_iter(ITERATIONS_MAX)
            .time_limit(SECONDS_MAX)
            .max_threads(1)
            .tol_gap_abs(ACCURACY)
            .tol_gap_rel(ACCURACY)
            .tol_feas(ACCURACY)
            .reduced_tol_gap_abs(ACCURACY_REDUCED)
            .reduced_tol_gap_rel(ACCURACY_REDUCED)
            .reduced_tol_feas(ACCURACY_REDUCED)
            .build()
            .map_err(|_| Refusal::Numeric)?;
        let mut solver =
            DefaultSolver::new(&self.cost_matrix(), &self.linear, &rows, &right, &cones, settings)
                .map_err(|_| Refusal::InvalidInput)?;
        solver.solve();
        match solver.solution.status {
            SolverStatus::Solved | SolverStatus::AlmostSolved => Ok(solver.solution.x),
            SolverStatus::PrimalInfeasible | SolverStatus::AlmostPrimalInfeasible => Err(Refusal::Infeasible),
            _ => Err(Refusal::Numeric),
        }
    }

    fn cost_matrix(&self) -> CscMatrix<f64> {
        let columns = (0..self.linear.len()).map(|j| {
            let values = self.quadratic.get(j).map_or(&[][..], Vec::as_slice);
            values.iter().copied().enumerate().collect::<Vec<_>>()
        });
        compressed(self.linear.len(), columns.collect())
    }

    fn constraints(&self) -> (CscMatrix<f64>, Vec<f64>, Vec<SupportedConeT<f64>>) {
        let mut columns = vec![Vec::new(); self.linear.len()];
        let mut right = Vec::new();
        let mut add = |entries: &[(usize, f64)], sign: f64, value: f64| {
            for (variable, coefficient) in entries {
                columns[*variable].push((right.len(), sign * coefficient));
            }
            right.push(value);
        };
        for (entries, value) in self.equal.iter().chain(&self.at_most) {
            add(entries, 1.0, *value);
        }
        let mut cones = vec![ZeroConeT(self.equal.len()), NonnegativeConeT(self.at_most.len())];
        if let Some((rows, radius)) = &self.ball {
            // The first slack of the cone is the radius, the others are Rx.
            add(&[], 1.0, *radius);
            rows.iter().for_each(|entries| add(entries, -1.0, 0.0));
            cones.push(SecondOrderConeT(rows.len() + 1));
        }
        (compressed(right.len(), columns), right, cones)
    }
}

/// Columns of (row, value), rows ascending, as the solver wants them.
fn compressed(rows: usize, columns: Vec<Vec<(usize, f64)>>) -> CscMatrix<f64> {
    let count = columns.len();
    let mut starts = Vec::with_capacity(count + 1);
    let (mut numbers, mut values) = (Vec::new(), Vec::new());
    for column in columns {
        starts.push(numbers.len());
        numbers.extend(column.iter().map(|(row, _)| *row));
        values.extend(column.iter().map(|(_, value)| *value));
    }
    starts.push(numbers.len());
    CscMatrix::new(rows, count, starts, numbers, values)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_small_programme_has_its_known_answer() {
        // min x² + y² subject to x + y = 1: both a half.
        let mut programme = Programme::new(2);
        programme.square(&[2.0, 0.0, 0.0, 2.0], 2, 1.0);
        programme.equal((vec![(0, 1.0), (1, 1.0)], 1.0));
        let x = programme.solve().unwrap();
        assert!((x[0] - 0.5).abs() < 1e-9 && (x[1] - 0.5).abs() < 1e-9, "{x:?}");
    }

    #[test]
    fn rows_that_contradict_each_other_are_infeasible() {
        let mut programme = Programme::new(1);
        programme.at_most((vec![(0, 1.0)], 1.0));
        programme.at_most((vec![(0, -1.0)], -2.0));
        assert_eq!(programme.solve(), Err(Refusal::Infeasible));
    }

    #[test]
    fn a_ball_bounds_what_is_wanted() {
        // max x + y within the unit circle: both 1/√2.
        let mut programme = Programme::new(2);
        programme.cost(0, -1.0);
        programme.cost(1, -1.0);
        programme.within(vec![vec![(0, 1.0)], vec![(1, 1.0)]], 1.0);
        let x = programme.solve().unwrap();
        assert!((x[0] - 0.5_f64.sqrt()).abs() < 1e-8, "{x:?}");
    }

    #[test]
    fn a_wish_without_end_is_refused() {
        let mut programme = Programme::new(1);
        programme.cost(0, -1.0);
        programme.at_most((vec![(0, -1.0)], 0.0));
        assert_eq!(programme.solve(), Err(Refusal::Numeric));
    }
}
