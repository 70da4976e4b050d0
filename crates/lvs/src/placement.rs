//! From states of servers to changes of the table.

use std::collections::HashMap;

use ipvs::{Destination, DestinationKey, Operation, ServiceEntry, ServiceKey, Table};
use types::Weight;

use crate::server::{self, Placed, Slot};
use crate::services::{destination_key, service};
use crate::{Action, Director};

impl Director {
    /// Puts a server where it should stand; what this changes in the table is added to `operations`.
    pub(crate) fn place(&mut self, number: usize, slot: Slot, operations: &mut Vec<Operation>) {
        let wanted = self.virtual_servers[number].wanted(&self.config.virtual_servers[number], slot);
        self.put(number, slot, wanted, operations);
    }

    /// Puts all servers of a virtual server where they should stand, those first that are added.
    pub(crate) fn place_all(&mut self, number: usize, operations: &mut Vec<Operation>) {
        let slots: Vec<Slot> =
            (0..self.virtual_servers[number].servers.len()).map(Slot::Server).chain([Slot::Sorry]).collect();
        let (config, state) = (&self.config.virtual_servers[number], &self.virtual_servers[number]);
        let (first, then): (Vec<Slot>, Vec<Slot>) =
            slots.into_iter().partition(|&slot| state.wanted(config, slot) > Some(Weight::ZERO));
        for slot in first.into_iter().chain(then) {
            self.place(number, slot, operations);
        }
    }

    fn put(&mut self, number: usize, slot: Slot, wanted: Option<Weight>, operations: &mut Vec<Operation>) {
        let old = self.virtual_servers[number].placed(slot);
        if old.map(|placed| placed.weight) == wanted {
            return;
        }
        let order = old.map_or_else(|| self.next_order(), |placed| placed.order);
        let new = wanted.map(|weight| Placed { weight, order });
        if !self.adopted {
            *self.virtual_servers[number].placed_mut(slot) = new;
            return;
        }
        let keys = self.keys(number, slot);
        let before: Vec<_> = keys.iter().map(|(service, key)| self.effective(number, slot, service, key)).collect();
        *self.virtual_servers[number].placed_mut(slot) = new;
        for ((service, key), before) in keys.into_iter().zip(before) {
            let after = self.effective(number, slot, &service, &key);
            operations.extend(change(service, key, before, after));
        }
    }

    /// Where a server stands: one place in each service of its virtual server.
    fn keys(&self, number: usize, slot: Slot) -> Vec<(ServiceKey, DestinationKey)> {
        let config = &self.config.virtual_servers[number];
        let (address, forwarding) = match slot {
            Slot::Server(server) => (config.real_servers[server].address, config.real_servers[server].forwarding),
            Slot::Sorry => match &config.sorry_server {
                Some(sorry) => (sorry.address, sorry.forwarding),
                None => return Vec::new(),
            },
        };
        let services = &self.virtual_servers[number].services;
        services.iter().map(|service| (*service, destination_key(service, address, forwarding))).collect()
    }

    /// What stands at one place, whoever asked for it. `slot` of `number` is what is being moved.
    ///
    /// A sorry server in use goes before a real server of the same address, and this before a sorry server that waits with weight 0; among virtual servers that share a service,
    /// the first of the file goes first.
    fn effective(&self, number: usize, slot: Slot, service: &ServiceKey, key: &DestinationKey) -> Option<Destination> {
        let alone = [number];
        let users: &[usize] = self.shared.get(service).map_or(&alone, |users| users);
        let mut waiting = None;
        for &user in users {
            let (config, state) = (&self.config.virtual_servers[user], &self.virtual_servers[user]);
            let sorry = config.sorry_server.as_ref().zip(state.sorry);
            let sorry = sorry
                .filter(|(sorry, _)| destination_key(service, sorry.address, sorry.forwarding) == *key)
                .map(|(sorry, placed)| server::sorry_destination(sorry, placed.weight));
            if sorry.as_ref().is_some_and(|sorry| sorry.weight > Weight::ZERO) {
                return sorry;
            }
            waiting = waiting.or(sorry);
            let real = match (user == number, slot) {
                (true, Slot::Server(server)) => Some(server),
                (true, Slot::Sorry) => state.twin,
                (false, _) => config
                    .real_servers
                    .iter()
                    .position(|real| destination_key(service, real.address, real.forwarding) == *key),
            };
            let stands = real.and_then(|real| {
                let placed = state.servers[real].placed?;
                Some(server::destination(&config.real_servers[real], placed.weight))
            });
            if stands.is_some() {
                return stands;
            }
        }
        waiting
    }

    /// One service as it should stand.
    pub(crate) fn entry(&self, service_key: &ServiceKey, users: &[usize]) -> Option<ServiceEntry> {
        let first = &self.config.virtual_servers[*users.first()?];
        let mut found: HashMap<DestinationKey, (Rank, u64, Destination)> = HashMap::new();
        for &user in users {
            let (config, state) = (&self.config.virtual_servers[user], &self.virtual_servers[user]);
            let mut add = |key: DestinationKey, rank: Rank, placed: Placed, destination: Destination| {
                let entry = found.entry(key).or_insert_with(|| (rank, placed.order, destination.clone()));
                if rank < entry.0 {
                    *entry = (rank, entry.1, destination);
                }
                entry.1 = entry.1.min(placed.order);
            };
            if let Some((sorry, placed)) = config.sorry_server.as_ref().zip(state.sorry) {
                let key = destination_key(service_key, sorry.address, sorry.forwarding);
                let stage = if placed.weight > Weight::ZERO { 0 } else { 2 };
                let rank = if stage == 2 { Rank::Waiting(user) } else { Rank::Serving(user, stage) };
                add(key, rank, placed, server::sorry_destination(sorry, placed.weight));
            }
            for (real, server) in config.real_servers.iter().zip(&state.servers) {
                let Some(placed) = server.placed else { continue };
                let key = destination_key(service_key, real.address, real.forwarding);
                add(key, Rank::Serving(user, 1), placed, server::destination(real, placed.weight));
            }
        }
        let mut destinations: Vec<_> = found.into_iter().collect();
        destinations.sort_unstable_by_key(|(_, (_, order, _))| *order);
        let destinations = destinations.into_iter().map(|(key, (_, _, destination))| (key, destination)).collect();
        Some(ServiceEntry { service: service(first), destinations })
    }

    /// Users of every service, in the order of the file.
    pub(crate) fn users(&self) -> HashMap<ServiceKey, Vec<usize>> {
        let mut users: HashMap<ServiceKey, Vec<usize>> = HashMap::new();
        for (number, virtual_server) in self.virtual_servers.iter().enumerate() {
            for service in &virtual_server.services {
                users.entry(*service).or_default().push(number);
            }
        }
        users
    }

    pub(crate) fn table(&self) -> Table {
        let users = self.users();
        let entries = users.iter().filter_map(|(key, users)| Some((*key, self.entry(key, users)?)));
        Table { services: entries.collect() }
    }

    /// Hands operations over, unless the table has not been read yet: then the first comparison does it all.
    pub(crate) fn emit(&mut self, operations: Vec<Operation>, out: &mut Vec<Action>) {
        if self.adopted && !operations.is_empty() {
            self.changed_since_read = true;
            out.push(Action::Table(operations));
        }
    }

    fn next_order(&mut self) -> u64 {
        self.order += 1;
        self.order
    }
}

/// Who goes before whom at one place; the same as in [`Director::effective`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// By virtual server; a sorry server in use (0) before a real server (1).
    Serving(usize, u8),
    /// A sorry server that waits.
    Waiting(usize),
}

fn change(
    service: ServiceKey,
    key: DestinationKey,
    before: Option<Destination>,
    after: Option<Destination>,
) -> Option<Operation> {
    match (before, after) {
        (None, Some(destination)) => Some(Operation::AddDestination { service, key, destination }),
        (Some(_), None) => Some(Operation::DeleteDestination { service, key }),
        (Some(before), Some(destination)) if before != destination => {
            Some(Operation::EditDestination { service, key, destination })
        }
        _ => None,
    }
}
