//! Agglomerative clustering: which series belong together, and in what order they lie side by side.
//!
//! Definition: every item starts as a cluster; the two nearest clusters a, b (sizes n_a, n_b, at height h)
//! merge again and again. Distance of the merged cluster to k: single min(d_ak, d_bk); complete
//! max(d_ak, d_bk); average (n_a·d_ak + n_b·d_bk)/(n_a + n_b);
//! ward √(((n_a + n_k)·d_ak² + (n_b + n_k)·d_bk² − n_k·h²)/(n_a + n_b + n_k)). Items are clusters 0 to n − 1,
//! merge number k makes cluster n + k. Units: those of the distances. Range: heights ≥ 0. No items: `None`;
//! one item: no merges. A negative distance, a shape that does not fit, not a number or infinity: `None`.
//! Of equal distances the pair first in row-major order merges, so the result never depends on chance.
//!
//! Allocates its working copy: n² for the distances. Each row remembers its nearest neighbour, which makes a
//! merge cost about n instead of n².

use crate::finite::all_finite;

/// How far a merged cluster is from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Linkage {
    /// Distance of the nearest members.
    #[default]
    Single,
    /// Distance of the farthest members.
    Complete,
    /// Mean distance of all pairs of members.
    Average,
    /// Growth of the scatter within.
    Ward,
}

/// One merge of two clusters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Merge {
    /// The smaller cluster number.
    pub first: usize,
    /// The larger cluster number.
    pub second: usize,
    /// Distance at which they merged.
    pub distance: f64,
    /// Items in the new cluster.
    pub size: usize,
}

/// Lists the n − 1 merges of `items` things, nearest first.
///
/// `distances` is a symmetric row-major matrix; its diagonal is not read.
///
/// # Examples
/// ```
/// use formulas::linkage::{Linkage, merges};
/// // 0 and 1 are near each other, 2 is 0.5 from 1 and 0.6 from 0.
/// let distances = [0.0, 0.1, 0.6, 0.1, 0.0, 0.5, 0.6, 0.5, 0.0];
/// let single = merges(&distances, 3, Linkage::Single).unwrap();
/// assert_eq!((single[1].first, single[1].second, single[1].distance), (2, 3, 0.5));
/// assert_eq!(merges(&distances, 3, Linkage::Complete).unwrap()[1].distance, 0.6);
/// ```
#[must_use]
pub fn merges(distances: &[f64], items: usize, linkage: Linkage) -> Option<Vec<Merge>> {
    if items == 0 || items.checked_mul(items) != Some(distances.len()) {
        return None;
    }
    if !all_finite(distances) || distances.iter().any(|distance| *distance < 0.0) {
        return None;
    }
    let mut field = Field::new(distances, items);
    let merges: Vec<Merge> = (1..items).filter_map(|_| field.merge(linkage)).collect();
    (merges.len() + 1 == items && merges.iter().all(|merge| merge.distance.is_finite())).then_some(merges)
}

/// Orders the items depth-first from the last merge, the cluster with the smaller number first.
///
/// # Examples
/// ```
/// use formulas::linkage::{Linkage, leaf_order, merges};
/// let distances = [0.0, 0.6, 0.1, 0.6, 0.0, 0.5, 0.1, 0.5, 0.0];
/// let merged = merges(&distances, 3, Linkage::Single).unwrap();
/// assert_eq!(leaf_order(&merged), [1, 0, 2]);
/// ```
#[must_use]
pub fn leaf_order(merges: &[Merge]) -> Vec<usize> {
    let items = merges.len() + 1;
    let mut order = Vec::with_capacity(items);
    let mut open = vec![2 * items - 2];
    while let Some(cluster) = open.pop() {
        match cluster.checked_sub(items).and_then(|merge| merges.get(merge)) {
            // The first child is taken off the pile first.
            Some(merge) => open.extend([merge.second, merge.first]),
            None => order.push(cluster),
        }
    }
    order
}

/// The clusters that are left, each in the row of its first member.
struct Field {
    distances: Vec<f64>,
    items: usize,
    /// Rows that still stand for a cluster.
    alive: Vec<bool>,
    cluster: Vec<usize>,
    size: Vec<usize>,
    /// Per row the nearest row after it.
    nearest: Vec<Option<usize>>,
    merged: usize,
}

impl Field {
    fn new(distances: &[f64], items: usize) -> Field {
        let mut field = Field {
            distances: distances.to_vec(),
            items,
            alive: vec![true; items],
            cluster: (0..items).collect(),
            size: vec![1; items],
            nearest: vec![None; items],
            merged: 0,
        };
        (0..items).for_each(|row| field.look(row));
        field
    }

    fn distance(&self, row: usize, column: usize) -> f64 {
        self.distances[row * self.items + column]
    }

    /// Finds the nearest row after `row`.
    fn look(&mut self, row: usize) {
        let mut best: Option<usize> = None;
        for other in (row + 1..self.items).filter(|other| self.alive[*other]) {
            if best.is_none_or(|best| self.distance(row, other) < self.distance(row, best)) {
                best = Some(other);
            }
        }
        self.nearest[row] = best;
    }

    fn merge(&mut self, linkage: Linkage) -> Option<Merge> {
        let mut pair: Option<(usize, usize)> = None;
        for row in (0..self.items).filter(|row| self.alive[*row]) {
            let Some(near) = self.nearest[row] else { continue };
            if pair.is_none_or(|(a, b)| self.distance(row, near) < self.distance(a, b)) {
                pair = Some((row, near));
            }
        }
        let (a, b) = pair?;
        let height = self.distance(a, b);
        for k in (0..self.items).filter(|k| self.alive[*k] && *k != a && *k != b) {
            let new = self.merged_distance((a, b, k), height, linkage);
            self.distances[a * self.items + k] = new;
            self.distances[k * self.items + a] = new;
        }
        let ids = (self.cluster[a].min(self.cluster[b]), self.cluster[a].max(self.cluster[b]));
        self.alive[b] = false;
        self.size[a] += self.size[b];
        self.cluster[a] = self.items + self.merged;
        self.merged += 1;
        self.look_again(a, b);
        Some(Merge { first: ids.0, second: ids.1, distance: height, size: self.size[a] })
    }

    fn merged_distance(&self, (a, b, k): (usize, usize, usize), height: f64, linkage: Linkage) -> f64 {
        let (to_a, to_b) = (self.distance(a, k), self.distance(b, k));
        let (n_a, n_b, n_k) = (self.size[a] as f64, self.size[b] as f64, self.size[k] as f64);
        match linkage {
            Linkage::Single => to_a.min(to_b),
            Linkage::Complete => to_a.max(to_b),
            Linkage::Average => (n_a * to_a + n_b * to_b) / (n_a + n_b),
            Linkage::Ward => {
                let sum = (n_a + n_k) * to_a * to_a + (n_b + n_k) * to_b * to_b - n_k * height * height;
                (sum / (n_a + n_b + n_k)).max(0.0).sqrt()
            }
        }
    }

    /// Repairs what the merge of `a` and `b` (now gone) changed in the memory of the rows.
    fn look_again(&mut self, a: usize, b: usize) {
        self.look(a);
        for row in (0..b).filter(|row| *row != a) {
            if !self.alive[row] {
                continue;
            }
            let Some(near) = self.nearest[row] else { continue };
            if near == a || near == b {
                self.look(row);
            } else if row < a {
                let (new, old) = (self.distance(row, a), self.distance(row, near));
                if new < old || (new <= old && a < near) {
                    self.nearest[row] = Some(a);
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_no_matrix_of_distances() {
        assert_eq!(merges(&[], 0, Linkage::Single), None);
        assert_eq!(merges(&[0.0; 3], 2, Linkage::Single), None);
        assert_eq!(merges(&[0.0, -0.1, -0.1, 0.0], 2, Linkage::Single), None);
        assert_eq!(merges(&[0.0, f64::NAN, f64::NAN, 0.0], 2, Linkage::Single), None);
        assert_eq!(merges(&[0.0], 1, Linkage::Single), Some(Vec::new()));
        assert_eq!(leaf_order(&[]), [0]);
    }

    #[test]
    fn equal_distances_merge_in_row_major_order() {
        for linkage in [Linkage::Single, Linkage::Complete, Linkage::Average] {
            let merged = merges(&[1.0; 16], 4, linkage).unwrap();
            let pairs: Vec<_> = merged.iter().map(|merge| (merge.first, merge.second, merge.size)).collect();
            assert_eq!(pairs, [(0, 1, 2), (2, 4, 3), (3, 5, 4)], "{linkage:?}");
        }
    }
}
