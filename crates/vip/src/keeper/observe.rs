//! What the monitor's messages mean for what is held.

use types::{Family, IfIndex, IfName};

use super::{Consequence, Keeper, Owner};
use crate::actual::{Actual, LinkState, Observation, RouteState};
use crate::config::Rule;
use crate::holdings::Items;
use crate::operation::{AddressKey, Operation, RouteSpec};

impl Keeper {
    /// Takes in what the kernel told; appends what to do and what others must hear. Call it for each message of a batch with the same lists: an
    /// instance's loss is then told once.
    pub fn observe(
        &mut self,
        observation: &Observation,
        out: &mut Vec<Operation>,
        consequences: &mut Vec<Consequence>,
    ) {
        match observation {
            Observation::DumpBegins => {
                // A dump that was cut short by the next one keeps the older past.
                let past = std::mem::take(&mut self.actual);
                self.before_dump.get_or_insert(past);
                self.owed_addresses.clear();
                self.owed_routes.clear();
                self.owed_rules.clear();
            }
            Observation::DumpEnds => {
                let before = self.before_dump.take().unwrap_or_default();
                self.after_dump(&before, out, consequences);
            }
            Observation::Link(link) => self.link(link, out, consequences),
            Observation::LinkGone(index) => self.link_gone(*index, out, consequences),
            Observation::Address(address) => {
                self.actual.observe(observation);
                let key = &address.key;
                if !self.is_configured(key) {
                    let (interface, address, tentative) = (key.interface, key.local, address.tentative);
                    consequences.push(Consequence::SourceAdded { interface, address, tentative });
                    if !tentative {
                        self.address_for_virtual(key, out);
                    }
                }
            }
            Observation::AddressGone(key) => self.address_gone(key, out, consequences),
            Observation::Route(_) | Observation::Rule(_) => self.actual.observe(observation),
            Observation::RouteGone(route) => {
                self.actual.observe(observation);
                self.route_gone(route, out, consequences);
            }
            Observation::RuleGone(rule) => {
                self.actual.observe(observation);
                self.rule_gone(rule, out, consequences);
            }
        }
    }

    pub(super) fn is_configured(&self, key: &AddressKey) -> bool {
        self.configured.contains(&(key.local, key.length))
    }

    fn is_up(&self, interface: IfIndex) -> bool {
        self.actual.link(interface).is_some_and(|link| link.enabled)
    }

    fn link(&mut self, link: &LinkState, out: &mut Vec<Operation>, consequences: &mut Vec<Consequence>) {
        let known = self.actual.link(link.index).cloned();
        self.actual.observe(&Observation::Link(link.clone()));
        consequences.push(Consequence::Link(link.clone()));
        if self.before_dump.is_some() {
            return;
        }
        let renamed = known.as_ref().is_none_or(|known| known.name != link.name);
        let went_up = link.enabled && known.as_ref().is_none_or(|known| !known.enabled);
        if !link.enabled {
            self.actual.forget_routes_over(link.index);
        }
        if renamed {
            if let Some(known) = &known {
                self.resolve_again(&known.name, out, consequences);
            }
            self.resolve_again(&link.name, out, consequences);
        } else if went_up {
            self.restore_over(link.index, out);
        }
        self.link_for_virtual(link, went_up, out);
    }

    fn link_gone(&mut self, index: IfIndex, out: &mut Vec<Operation>, consequences: &mut Vec<Consequence>) {
        let known = self.actual.link(index).cloned();
        self.actual.observe(&Observation::LinkGone(index));
        self.owed_addresses.retain(|key, _| key.interface != index);
        self.prepared.remove(&index);
        consequences.push(Consequence::LinkGone(index));
        let Some(known) = known else { return };
        self.borrowed.forget_interface(known.name.as_str());
        // What was on it went with it; to remove it again would only be refused.
        let mut futile = Vec::new();
        self.resolve_again(&known.name, &mut futile, consequences);
        futile.retain(|operation| !matches!(operation, Operation::RemoveAddress(_) | Operation::RemoveRoute(_)));
        out.append(&mut futile);
        self.virtual_link_gone(&known.name, out);
    }

    /// An interface of this name has come, gone or changed its number: owners that mention it hold other items now.
    fn resolve_again(&mut self, name: &IfName, out: &mut Vec<Operation>, consequences: &mut Vec<Consequence>) {
        let mut owners: Vec<Owner> = self.held.owners().map(|(owner, _)| owner).collect();
        owners.retain(|owner| self.holdings(*owner).mentions(name));
        owners.sort();
        for owner in owners {
            let mut missing = Vec::new();
            let items = self.holdings(owner).resolve(&self.actual, &mut missing);
            let missing = missing.into_iter().filter(|interface| interface == name);
            consequences.extend(missing.map(|interface| Consequence::Missing { owner, interface }));
            self.held.transition([(owner, Some(items))], out);
        }
    }

    /// An interface came up: what the kernel dropped from it while it was down (IPv6 addresses, all routes) is added again.
    fn restore_over(&mut self, interface: IfIndex, out: &mut Vec<Operation>) {
        for (_, items) in self.owners_in_order() {
            let mut again = items.clone();
            again.retain(
                |spec| spec.key.interface == interface,
                |route| {
                    // A route without `dev` may have gone over any interface.
                    let any = route.interface.is_none() && route.nexthop_interfaces.iter().all(Option::is_none);
                    any || route.interface == Some(interface) || route.nexthop_interfaces.contains(&Some(interface))
                },
                |_| false,
            );
            again.additions(out);
        }
    }

    fn owners_in_order(&self) -> Vec<(Owner, &Items)> {
        let mut owners: Vec<_> = self.held.owners().collect();
        owners.sort_by_key(|(owner, _)| *owner);
        owners
    }

    fn address_gone(&mut self, key: &AddressKey, out: &mut Vec<Operation>, consequences: &mut Vec<Consequence>) {
        self.actual.observe(&Observation::AddressGone(*key));
        if !self.is_configured(key) {
            let (interface, address) = (key.interface, key.local);
            consequences.push(Consequence::SourceRemoved { interface, address });
        }
        if let Some(owed) = self.owed_addresses.get_mut(key) {
            *owed -= 1;
            if *owed == 0 {
                self.owed_addresses.remove(key);
            }
        } else if self.held.holds_address(key) && self.is_up(key.interface) {
            self.lost_address(key, out, consequences);
        }
        let last = key.local.is_ipv4() && self.actual.forget_routes_without_address(key.interface);
        self.restore_routes(key, last, out, consequences);
    }

    /// With an address the kernel drops, without a word, IPv4 routes that prefer it as source, and with the `last` one of an interface all routes over it.
    /// Those of an instance that has lost something come back when it holds again.
    fn restore_routes(&self, gone: &AddressKey, last: bool, out: &mut Vec<Operation>, told: &[Consequence]) {
        if !gone.local.is_ipv4() || !self.is_up(gone.interface) {
            return;
        }
        for (owner, items) in self.owners_in_order() {
            let lost = match owner {
                Owner::Instance(instance) => told.contains(&Consequence::Lost { instance }),
                Owner::Static => false,
            };
            let affected = |spec: &&RouteSpec| {
                let over =
                    spec.interface == Some(gone.interface) || spec.nexthop_interfaces.contains(&Some(gone.interface));
                let preferred = spec.route.preferred_source == Some(gone.local) && owner == Owner::Static;
                spec.route.family == Family::Inet && ((last && over) || preferred)
            };
            if !lost {
                out.extend(items.routes.iter().filter(affected).cloned().map(Operation::AddRoute));
            }
        }
    }

    fn lost_address(&self, key: &AddressKey, out: &mut Vec<Operation>, consequences: &mut Vec<Consequence>) {
        for (owner, items) in self.owners_in_order() {
            let Some(spec) = items.addresses.iter().find(|spec| spec.key == *key && !spec.no_track) else { continue };
            match owner {
                Owner::Instance(instance) => lost(instance, consequences),
                Owner::Static => {
                    out.push(Operation::AddAddress(spec.clone()));
                    let mut configured = self.config.statics.addresses.iter();
                    let address = configured.find(|address| address.bare() == (key.local, key.length));
                    consequences.push(Consequence::StaticRestored {
                        what: format!("address {}/{}", key.local, key.length),
                        track_group: address.and_then(|address| address.track_group.clone()),
                    });
                }
            }
        }
    }

    fn route_gone(&mut self, route: &RouteState, out: &mut Vec<Operation>, consequences: &mut Vec<Consequence>) {
        if let Some(place) = self.owed_routes.iter().position(|spec| spec.stands_as(route)) {
            self.owed_routes.swap_remove(place);
            return;
        }
        // An interface that is down keeps no routes.
        if route.interface.is_some_and(|interface| !self.is_up(interface)) {
            return;
        }
        for (owner, items) in self.owners_in_order() {
            let tracked = |spec: &&RouteSpec| spec.stands_as(route) && !spec.route.no_track;
            let Some(spec) = items.routes.iter().find(tracked) else { continue };
            // A twin of it may still stand.
            if self.actual.has_route(spec) {
                continue;
            }
            match owner {
                Owner::Instance(instance) => lost(instance, consequences),
                Owner::Static => {
                    out.push(Operation::AddRoute(spec.clone()));
                    let (what, track_group) = (format!("route {spec}"), spec.route.track_group.clone());
                    consequences.push(Consequence::StaticRestored { what, track_group });
                }
            }
        }
    }

    fn rule_gone(&mut self, rule: &Rule, out: &mut Vec<Operation>, consequences: &mut Vec<Consequence>) {
        if let Some(place) = self.owed_rules.iter().position(|owed| owed.as_the_kernel_tells() == *rule) {
            self.owed_rules.swap_remove(place);
            return;
        }
        for (owner, items) in self.owners_in_order() {
            let tracked = items.rules.iter().find(|held| !held.no_track && held.as_the_kernel_tells() == *rule);
            let Some(held) = tracked else { continue };
            match owner {
                Owner::Instance(instance) => lost(instance, consequences),
                Owner::Static => {
                    let operation = Operation::AddRule(held.clone());
                    let what = operation.to_string().trim_start_matches("add ").to_owned();
                    out.push(operation);
                    consequences.push(Consequence::StaticRestored { what, track_group: held.track_group.clone() });
                }
            }
        }
    }

    /// Compares what the dump brought with what was known and with what is held.
    fn after_dump(&mut self, before: &Actual, out: &mut Vec<Operation>, consequences: &mut Vec<Consequence>) {
        for link in before.links().filter(|link| self.actual.link(link.index).is_none()) {
            self.prepared.remove(&link.index);
            consequences.push(Consequence::LinkGone(link.index));
        }
        for (key, _) in before.addresses() {
            if !self.actual.has_address(key) && !self.is_configured(key) {
                let (interface, address) = (key.interface, key.local);
                consequences.push(Consequence::SourceRemoved { interface, address });
            }
        }
        if !self.running {
            return;
        }
        let same_name =
            |actual: &Actual, link: &LinkState| actual.link(link.index).is_some_and(|other| other.name == link.name);
        let come = self.actual.links().filter(|link| !same_name(before, link));
        let gone = before.links().filter(|link| !same_name(&self.actual, link));
        let names: Vec<IfName> = come.chain(gone).map(|link| link.name.clone()).collect();
        names.iter().for_each(|name| self.resolve_again(name, out, consequences));
        for (owner, items) in self.owners_in_order() {
            let mut missing = items.clone();
            missing.retain(
                |spec| !self.actual.has_address(&spec.key),
                |route| !self.actual.has_route(route),
                |rule| !self.actual.has_rule(rule),
            );
            match owner {
                Owner::Static => missing.additions(out),
                Owner::Instance(instance) => {
                    let tracked = missing.addresses.iter().any(|spec| !spec.no_track && self.is_up(spec.key.interface))
                        || missing.routes.iter().any(|spec| !spec.route.no_track)
                        || missing.rules.iter().any(|rule| !rule.no_track);
                    if tracked {
                        lost(instance, consequences);
                    }
                }
            }
        }
        self.ensure_links(out);
    }
}

fn lost(instance: u32, consequences: &mut Vec<Consequence>) {
    let told = Consequence::Lost { instance };
    if !consequences.contains(&told) {
        consequences.push(told);
    }
}
