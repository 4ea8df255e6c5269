//! Names and values with an index: a search does not compare all names.

use super::Pairs;
use std::ops::Deref;
use std::sync::OnceLock;

/// Names and values in order. The first search among many of them makes the index.
#[derive(Debug, Clone, Default)]
pub struct Indexed {
    pairs: Pairs,
    /// The places of the pairs, sorted by name, then place.
    order: OnceLock<Vec<u32>>,
}

/// Up to this number, names are compared one by one.
const FEW: usize = 16;

impl Indexed {
    /// Returns the values of `name`, in order.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let (few, found): (&[_], &[_]) =
            if self.pairs.len() <= FEW { (&self.pairs, &[]) } else { (&[], self.places(name)) };
        let found = found.iter().map(|place| &self.pairs[*place as usize]);
        few.iter().filter(move |(known, _)| known == name).chain(found).map(|(_, value)| value.as_str())
    }

    fn places(&self, name: &str) -> &[u32] {
        let key = |place: &u32| self.pairs[*place as usize].0.as_str();
        let order = self.order.get_or_init(|| {
            // A body or head has far fewer than 2^32 pairs.
            let mut order: Vec<u32> = (0..).take(self.pairs.len()).collect();
            order.sort_by_key(|place| key(place));
            order
        });
        let start = order.partition_point(|place| key(place) < name);
        let length = order[start..].partition_point(|place| key(place) == name);
        &order[start..start + length]
    }
}

impl From<Pairs> for Indexed {
    fn from(pairs: Pairs) -> Self {
        Indexed { pairs, order: OnceLock::new() }
    }
}

impl PartialEq for Indexed {
    fn eq(&self, other: &Self) -> bool {
        self.pairs == other.pairs
    }
}

impl Deref for Indexed {
    type Target = Pairs;

    fn deref(&self) -> &Pairs {
        &self.pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_names_are_found_with_all_their_values_in_order() {
        for count in [0, 1, FEW, FEW + 1, 1_000] {
            let pair = |number: usize| (format!("k{}", number % 7), number.to_string());
            let indexed = Indexed::from((0..count).map(pair).collect::<Pairs>());
            for name in ["k0", "k6", "k", "k7", ""] {
                let expected = indexed.iter().filter(|(known, _)| known == name).map(|(_, value)| value);
                assert!(indexed.values(name).eq(expected), "{count} {name}");
            }
        }
    }
}
