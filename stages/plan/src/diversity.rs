//! The best of a list that do not all come from the same corner.
//!
//! Candidates are grouped by country, else by industry, else by the first three letters of their name. Each group may give
//! its share, the group with the highest sum of priorities first; free places go to the best of the rest. What was chosen
//! is ordered by (1 − w) · priority + w · 1/(1 + 0.5 · others of its group chosen).
//!
//! Worked example: five places, ten candidates of two countries: at most two of each first, then the best of the rest.

/// One candidate of a list that is sorted by priority.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Which group it belongs to.
    pub cluster: String,
    /// As a share of the highest possible priority.
    pub priority: f64,
}

/// The name of a candidate's group.
#[must_use]
pub fn cluster(country: Option<&str>, industry: Option<&str>, name: &str) -> String {
    let known = |text: Option<&str>| text.map(str::to_string).filter(|text| !text.is_empty());
    known(country)
        .map(|country| format!("COUNTRY:{country}"))
        .or_else(|| known(industry).map(|industry| format!("INDUSTRY:{industry}")))
        .unwrap_or_else(|| format!("SYMBOL:{}", name.chars().take(3).collect::<String>()))
}

/// Places in the list of the chosen, best first. `weight` is 0 for priority alone and 1 for difference alone.
#[must_use]
pub fn select(list: &[Choice], count: usize, weight: f64) -> Vec<usize> {
    if count == 0 {
        return Vec::new();
    }
    if list.len() <= count {
        return (0..list.len()).collect();
    }
    let mut chosen = first_round(list, count);
    for place in 0..list.len() {
        if chosen.len() < count && !chosen.contains(&place) {
            chosen.push(place);
        }
    }
    let weight = weight.clamp(0.0, 1.0);
    let score = |place: &usize| {
        let others =
            chosen.iter().filter(|other| **other != *place && list[**other].cluster == list[*place].cluster);
        let bonus = 1.0 / (1.0 + 0.5 * others.map(|_| 1.0).sum::<f64>());
        (1.0 - weight) * list[*place].priority.max(0.0) + weight * bonus
    };
    let mut scored: Vec<(f64, usize)> = chosen.iter().map(|place| (score(place), *place)).collect();
    scored.sort_by(|one, other| other.0.total_cmp(&one.0));
    scored.into_iter().take(count).map(|(_, place)| place).collect()
}

/// Every group's share, the group with the highest sum first.
fn first_round(list: &[Choice], count: usize) -> Vec<usize> {
    let mut clusters: Vec<(&str, f64, Vec<usize>)> = Vec::new();
    for (place, choice) in list.iter().enumerate() {
        match clusters.iter_mut().find(|(name, _, _)| *name == choice.cluster) {
            Some((_, sum, places)) => {
                *sum += choice.priority;
                places.push(place);
            }
            None => clusters.push((&choice.cluster, choice.priority, vec![place])),
        }
    }
    let each = (count / clusters.len().max(1)).max(1);
    clusters.sort_by(|one, other| other.1.total_cmp(&one.1));
    let mut chosen = Vec::new();
    for (_, _, places) in clusters {
        if chosen.len() >= count {
            break;
        }
        chosen.extend(places.into_iter().take(each));
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(of: &[(&str, f64)]) -> Vec<Choice> {
        of.iter()
            .map(|(cluster, priority)| Choice { cluster: (*cluster).into(), priority: *priority })
            .collect()
    }

    #[test]
    fn a_short_list_stays_as_it_is() {
        let list = list(&[("a", 0.9), ("a", 0.8)]);
        assert_eq!(select(&list, 2, 0.3), [0, 1]);
        assert_eq!(select(&list, 0, 0.3), Vec::<usize>::new());
        assert_eq!(select(&[], 3, 0.3), Vec::<usize>::new());
    }

    #[test]
    fn no_group_takes_every_place_while_others_have_candidates() {
        let list = list(&[("a", 0.9), ("a", 0.8), ("a", 0.7), ("b", 0.2), ("c", 0.1)]);
        let mut chosen = select(&list, 3, 0.3);
        chosen.sort_unstable();
        assert_eq!(chosen, [0, 3, 4]);
    }

    #[test]
    fn free_places_go_to_the_best_of_the_rest() {
        let list = list(&[("a", 0.9), ("a", 0.8), ("a", 0.7), ("b", 0.2)]);
        let mut chosen = select(&list, 3, 0.0);
        chosen.sort_unstable();
        assert_eq!(chosen, [0, 1, 3]);
    }

    #[test]
    fn a_group_is_the_country_or_the_industry_or_the_beginning_of_the_name() {
        assert_eq!(cluster(Some("DE"), Some("Banks"), "ABCD"), "COUNTRY:DE");
        assert_eq!(cluster(None, Some("Banks"), "ABCD"), "INDUSTRY:Banks");
        assert_eq!(cluster(Some(""), None, "ABCD"), "SYMBOL:ABC");
    }
}
