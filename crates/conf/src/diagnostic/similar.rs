//! What the user may have meant.

/// The name nearest to `written`, if it is near enough to be worth a guess.
///
/// Distance counts insertions, removals, changes and swaps of neighbours (optimal string alignment), case does not count; a third of
/// the letters may differ.
pub fn did_you_mean<'n>(written: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let allowed = match written.chars().count() {
        0..=2 => return None,
        3..=5 => 1,
        6..=8 => 2,
        _ => 3,
    };
    names
        .into_iter()
        .map(|name| (distance(written, name, allowed), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Distance of the two, or something above `most`.
fn distance(left: &str, right: &str, most: usize) -> usize {
    let left: Vec<char> = left.chars().flat_map(char::to_lowercase).take(64).collect();
    let right: Vec<char> = right.chars().flat_map(char::to_lowercase).take(64).collect();
    if left.len().abs_diff(right.len()) > most {
        return most + 1;
    }
    let mut before = vec![0; right.len() + 1];
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (row, letter) in left.iter().enumerate() {
        let mut here = vec![row + 1; right.len() + 1];
        for (column, other) in right.iter().enumerate() {
            let change = above[column] + usize::from(letter != other);
            here[column + 1] = change.min(above[column + 1] + 1).min(here[column] + 1);
            if row > 0 && column > 0 && *letter == right[column - 1] && left[row - 1] == *other {
                here[column + 1] = here[column + 1].min(before[column - 1] + 1);
            }
        }
        before = std::mem::replace(&mut above, here);
    }
    above[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_guessed_and_far_ones_are_not() {
        let names = ["priority", "preempt", "interface", "state", "virtual_ipaddress", "virtual_router_id"];
        for (written, guess) in [
            ("prioritty", Some("priority")),
            ("priotiry", Some("priority")),
            ("Priority", Some("priority")),
            ("sate", Some("state")),
            ("stat", Some("state")),
            ("virtual_ipadress", Some("virtual_ipaddress")),
            ("virutal_router_id", Some("virtual_router_id")),
            ("weight", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(did_you_mean(written, names), guess, "{written}");
        }
    }

    #[test]
    fn swapped_neighbours_are_one_mistake() {
        assert_eq!(distance("form", "from", 3), 1);
        assert_eq!(distance("ab", "ba", 3), 1);
        assert_eq!(distance("abc", "", 3), 3);
    }
}
