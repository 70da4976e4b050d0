//! Who holds what, counted: an item stands while at least one owner holds it.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use super::Owner;
use crate::config::Rule;
use crate::holdings::Items;
use crate::operation::{AddressKey, AddressSpec, Operation, RouteSpec};

/// Items of all owners that hold theirs.
#[derive(Debug, Default)]
pub(super) struct Held {
    owners: HashMap<Owner, Items>,
    addresses: Count<AddressKey>,
    routes: Count<RouteSpec>,
    rules: Count<Arc<Rule>>,
}

#[derive(Debug)]
struct Count<T>(HashMap<T, u32>);

impl<T> Default for Count<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Hash + Eq + Clone> Count<T> {
    fn add(&mut self, item: &T) {
        match self.0.get_mut(item) {
            Some(count) => *count += 1,
            None => drop(self.0.insert(item.clone(), 1)),
        }
    }

    fn remove(&mut self, item: &T) {
        if let Some(count) = self.0.get_mut(item) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(item);
            }
        }
    }

    fn has(&self, item: &T) -> bool {
        self.0.contains_key(item)
    }
}

impl Held {
    pub(super) fn items(&self, owner: Owner) -> Option<&Items> {
        self.owners.get(&owner)
    }

    pub(super) fn owners(&self) -> impl Iterator<Item = (Owner, &Items)> {
        self.owners.iter().map(|(owner, items)| (*owner, items))
    }

    pub(super) fn holds_address(&self, key: &AddressKey) -> bool {
        self.addresses.has(key)
    }

    /// Gives each named owner its new items (`None`: nothing), and the operations of the difference: what nobody holds any more is removed, what
    /// nobody held before is added, what goes from one owner to another stays untouched.
    pub(super) fn transition(
        &mut self,
        changes: impl IntoIterator<Item = (Owner, Option<Items>)>,
        out: &mut Vec<Operation>,
    ) {
        let changes: Vec<_> = changes.into_iter().collect();
        let mut old = Items::default();
        changes.iter().filter_map(|(owner, _)| self.owners.remove(owner)).for_each(|items| old.extend(items));
        self.replace(old, changes, out);
    }

    /// As [`Held::transition`], for all owners at once: their places may have moved.
    pub(super) fn replace_all(&mut self, next: Vec<(Owner, Option<Items>)>, out: &mut Vec<Operation>) {
        let mut former: Vec<_> = std::mem::take(&mut self.owners).into_iter().collect();
        former.sort_by_key(|(owner, _)| *owner);
        let mut old = Items::default();
        former.into_iter().for_each(|(_, items)| old.extend(items));
        self.replace(old, next, out);
    }

    fn replace(&mut self, old: Items, next: Vec<(Owner, Option<Items>)>, out: &mut Vec<Operation>) {
        let mut new = Items::default();
        for (owner, items) in next {
            if let Some(items) = items {
                new.extend(items.clone());
                self.owners.insert(owner, items);
            }
        }
        self.difference(old, new, out);
    }

    fn difference(&mut self, old: Items, new: Items, out: &mut Vec<Operation>) {
        // The same address that must look different (label, scope…) is removed and added.
        let altered: Vec<AddressKey> = match (old.addresses.is_empty(), new.addresses.is_empty()) {
            (false, false) => {
                let former: HashMap<_, _> = old.addresses.iter().map(|spec| (spec.key, spec)).collect();
                let differs =
                    |spec: &&AddressSpec| former.get(&spec.key).is_some_and(|former| !former.looks_like(spec));
                new.addresses.iter().filter(differs).map(|spec| spec.key).collect()
            }
            _ => Vec::new(),
        };
        let mut missing = new.clone();
        missing.retain(
            |spec| altered.contains(&spec.key) || !self.addresses.has(&spec.key),
            |route| !self.routes.has(route),
            |rule| !self.rules.has(rule),
        );

        old.addresses.iter().for_each(|spec| self.addresses.remove(&spec.key));
        old.routes.iter().for_each(|route| self.routes.remove(route));
        old.rules.iter().for_each(|rule| self.rules.remove(rule));
        new.addresses.iter().for_each(|spec| self.addresses.add(&spec.key));
        new.routes.iter().for_each(|route| self.routes.add(route));
        new.rules.iter().for_each(|rule| self.rules.add(rule));

        let mut surplus = old;
        surplus.retain(
            |spec| altered.contains(&spec.key) || !self.addresses.has(&spec.key),
            |route| !self.routes.has(route),
            |rule| !self.rules.has(rule),
        );
        surplus.removals(out);
        missing.additions(out);
    }
}

impl AddressSpec {
    /// Whether the kernel would see no difference.
    fn looks_like(&self, other: &Self) -> bool {
        let plain = |spec: &Self| Self { no_track: false, ..spec.clone() };
        plain(self) == plain(other)
    }
}
