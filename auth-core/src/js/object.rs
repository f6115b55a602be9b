//! An object's members in JavaScript's order.
//!
//! Non-negative integer names come first, ascending, then the others as written; an assignment to a
//! name that is there keeps its place.

use std::collections::HashMap;

/// Members in JavaScript's order.
#[derive(Clone, Debug, PartialEq)]
pub struct Object<V>(Vec<(String, V)>);

impl<V> Default for Object<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<V> Object<V> {
    /// Sets a member as an assignment would.
    pub fn insert(&mut self, name: String, value: V) {
        if let Some(entry) = self.0.iter_mut().find(|(known, _)| *known == name) {
            entry.1 = value;
            return;
        }
        let at = match integer_name(&name) {
            None => self.0.len(),
            Some(index) => self
                .0
                .iter()
                .position(|(known, _)| integer_name(known).is_none_or(|other| other > index))
                .unwrap_or(self.0.len()),
        };
        self.0.insert(at, (name, value));
    }

    /// The member of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&V> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The members in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

impl<V> FromIterator<(String, V)> for Object<V> {
    /// The object that assigning the members one by one would give, in time that does not grow with
    /// the square of their number: the input may come from anyone.
    fn from_iter<I: IntoIterator<Item = (String, V)>>(members: I) -> Self {
        let members: Vec<(String, V)> = members.into_iter().collect();
        if is_in_order(&members) {
            return Self(members);
        }
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut list: Vec<(String, V)> = Vec::new();
        for (name, value) in members {
            match places.get(&name) {
                Some(&at) => list[at].1 = value,
                None => {
                    places.insert(name.clone(), list.len());
                    list.push((name, value));
                }
            }
        }
        // Stable: names that are no integers keep the order in which they were written.
        list.sort_by_key(|(name, _)| integer_name(name).map_or(u64::MAX, u64::from));
        Self(list)
    }
}

/// So many members are compared with each other.
pub(crate) const FEW: usize = 32;

/// Whether these are few members, of different names, none of them an integer: a token's claims, as a rule.
fn is_in_order<V>(members: &[(String, V)]) -> bool {
    let is_repeated = |at: usize| members[..at].iter().any(|(name, _)| *name == members[at].0);
    members.len() <= FEW && (0..members.len()).all(|at| integer_name(&members[at].0).is_none() && !is_repeated(at))
}

/// Whether JavaScript orders it as an array index.
pub(crate) fn is_integer_name(name: &str) -> bool {
    integer_name(name).is_some()
}

/// The value of a name that JavaScript orders as an array index: canonical decimal below 2^32 - 1.
fn integer_name(name: &str) -> Option<u32> {
    match name.as_bytes() {
        [b'0'] | [b'1'..=b'9', ..] => name.parse().ok().filter(|&index| index < u32::MAX),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(members: &[&str]) -> Vec<String> {
        let object: Object<()> = members.iter().map(|&name| (name.to_owned(), ())).collect();
        object.names().map(str::to_owned).collect()
    }

    #[test]
    fn integer_names_come_first_in_ascending_order() {
        assert_eq!(names(&["b", "10", "2", "a", "01"]), ["2", "10", "b", "a", "01"]);
        assert_eq!(names(&["4294967295", "4294967294"]), ["4294967294", "4294967295"]);
    }

    #[test]
    fn a_repeated_name_keeps_its_place_and_takes_the_last_value() {
        let object: Object<u8> = [("a", 1), ("b", 2), ("a", 3)]
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect();
        assert_eq!(object.iter().collect::<Vec<_>>(), [("a", &3), ("b", &2)]);
    }

    proptest! {
        #[test]
        fn collecting_is_the_same_as_inserting_one_by_one(members in proptest::collection::vec(("[ab0-3]{1,2}|[c-z]{2}", any::<u8>()), 0..50)) {
            let collected: Object<u8> = members.iter().cloned().collect();
            let mut inserted = Object::default();
            for (name, value) in members {
                inserted.insert(name, value);
            }
            prop_assert_eq!(collected, inserted);
        }
    }
}
