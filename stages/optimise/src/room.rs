//! Whether a step takes a group out of its range: beyond it by more than what the projection may leave, and further beyond
//! it than the group stands now. What the market did to a group forces nothing; what a run does must not make it worse.

use allocation::{Bound, Group, Limits, project::project_onto};

/// A group may be off by this much before the nearest weights within the groups are looked for.
pub const GROUP_OFF: f64 = 0.01;
const ROUNDING: f64 = 1e-9;

/// The groups, each with its range widened to where it stands.
#[derive(Debug, Clone)]
pub struct Room {
    groups: Vec<Group>,
}

impl Room {
    /// Widens the ranges to what is held now.
    #[must_use]
    pub fn new(groups: &[Group], current: &[f64]) -> Room {
        let widen = |group: &Group| {
            let now = group.value(current);
            Group { lower: group.lower.min(now), upper: group.upper.max(now), ..group.clone() }
        };
        Room { groups: groups.iter().map(widen).collect() }
    }

    /// The groups that these weights take too far.
    pub fn left_by<'a>(&'a self, weights: &'a [f64]) -> impl Iterator<Item = &'a Group> {
        self.groups.iter().filter(|group| {
            let value = group.value(weights);
            value > group.upper + GROUP_OFF + ROUNDING || value < group.lower - GROUP_OFF - ROUNDING
        })
    }

    /// Forbids the members of the groups that were left to stay; everybody where none of them could. Every call forbids
    /// somebody, so this ends.
    pub fn forbid(&self, weights: &[f64], may_stay: &mut [bool]) {
        let members = |i: usize| self.left_by(weights).any(|group| group.shares[i] > 0.0);
        let named: Vec<usize> = (0..may_stay.len()).filter(|i| may_stay[*i] && members(*i)).collect();
        if named.is_empty() {
            may_stay.fill(false);
        }
        named.into_iter().for_each(|i| may_stay[i] = false);
    }

    /// The step if no group is left by it, else the nearest one of the same sum that leaves none, else no step.
    #[must_use]
    pub fn or_nearest(&self, step: Vec<f64>, bounds: &[Bound], without: &[f64]) -> Vec<f64> {
        if self.left_by(&step).next().is_none() {
            return step;
        }
        let budget = step.iter().sum();
        let limits = Limits { bounds: bounds.to_vec(), groups: self.groups.clone(), budget };
        project_onto(&step, &limits).unwrap_or_else(|_| without.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: Bound = Bound { lower: 0.0, upper: 1.0 };

    fn room(current: &[f64; 3]) -> Room {
        let group = Group { name: "EU".into(), shares: vec![1.0, 1.0, 0.0], lower: 0.2, upper: 0.5 };
        Room::new(&[group], current)
    }

    fn is_left(current: &[f64; 3], weights: &[f64; 3]) -> bool {
        room(current).left_by(weights).next().is_some()
    }

    #[test]
    fn a_group_is_left_beyond_its_range_and_beyond_where_it_stands() {
        let inside = [0.2, 0.2, 0.4];
        assert!(!is_left(&inside, &[0.3, 0.21, 0.4]) && is_left(&inside, &[0.3, 0.2101, 0.4]));
        assert!(!is_left(&inside, &[0.19, 0.0, 0.4]) && is_left(&inside, &[0.1899, 0.0, 0.4]));
        let (above, below) = ([0.4, 0.2, 0.4], [0.1, 0.0, 0.4]);
        assert!(!is_left(&above, &[0.4, 0.2, 0.0]) && is_left(&above, &[0.4, 0.22, 0.0]));
        assert!(!is_left(&below, &[0.09, 0.0, 0.0]) && is_left(&below, &[0.08, 0.0, 0.0]));
    }

    #[test]
    fn its_members_may_not_stay_then_and_everybody_else_may() {
        let (room, mut may_stay) = (room(&[0.2, 0.2, 0.4]), [true; 3]);
        room.forbid(&[0.4, 0.4, 0.2], &mut may_stay);
        assert_eq!(may_stay, [false, false, true]);
        room.forbid(&[0.4, 0.4, 0.2], &mut may_stay);
        assert_eq!(may_stay, [false; 3], "the members cannot help it: nobody stays");
    }

    #[test]
    fn a_step_that_leaves_a_group_becomes_the_nearest_that_does_not() {
        let room = room(&[0.2, 0.2, 0.4]);
        let near = room.or_nearest(vec![0.4, 0.2, 0.2], &[FREE; 3], &[0.0; 3]);
        assert!(
            near.iter().zip([0.35, 0.15, 0.3]).all(|(one, other)| (one - other).abs() < 1e-6),
            "{near:?}"
        );
        let full = [FREE, FREE, Bound { lower: 0.0, upper: 0.2 }];
        assert_eq!(room.or_nearest(vec![0.4, 0.2, 0.2], &full, &[0.1; 3]), [0.1; 3], "there is none");
    }
}
