//! Keeps in the kernel what its owners hold, at a cost that grows with what changes.
//!
//! The keeper follows the kernel twice: by the outcome of its own operations and by the monitor's messages. The monitor tells of our own removals
//! as well, later; each removal that the kernel acknowledged is therefore owed one such message, and only a removal that is not owed was somebody
//! else's. (The port id in a message would tell the same, but IPv6 addresses carry none.)

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use types::{IfIndex, IfName};

use crate::actual::{Actual, LinkState};
use crate::config::Rule;
use crate::firewall::FirewallOperation;
use crate::holdings::{Config, Holdings, Items};
use crate::operation::{AddressKey, Operation, Outcome, RouteSpec};
use crate::plan::{Desired, plan};
use crate::sysctl::Borrowed;
use crate::virtual_link::VirtualLink;

mod held;
mod links;
mod observe;
#[cfg(test)]
mod tests;

use held::Held;

/// Who holds something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// An instance, by its place in the configuration.
    Instance(u32),
    /// `static_ipaddress`, `static_routes`, `static_rules`.
    Static,
}

/// What the rest of the program must hear of an observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Consequence {
    /// An interface exists and is in this state.
    Link(LinkState),
    /// An interface is gone.
    LinkGone(IfIndex),
    /// An interface has an address that is none of an instance's.
    SourceAdded {
        /// Interface.
        interface: IfIndex,
        /// Address.
        address: IpAddr,
        /// Not yet proven unique.
        tentative: bool,
    },
    /// It is gone.
    SourceRemoved {
        /// Interface.
        interface: IfIndex,
        /// Address.
        address: IpAddr,
    },
    /// Something tracked that this instance holds was removed by somebody else. Told once for each batch of observations.
    Lost {
        /// Its place in the configuration.
        instance: u32,
    },
    /// A static item was removed by somebody else; an operation restores it.
    StaticRestored {
        /// What, in keepalived's words: `address 10.0.0.1/24`.
        what: String,
        /// `track_group`: whose instances go through BACKUP for it.
        track_group: Option<String>,
    },
    /// An owner holds something on an interface that does not exist; it is added when the interface appears.
    Missing {
        /// Whose.
        owner: Owner,
        /// The interface.
        interface: IfName,
    },
}

/// What is held, by whom, and what stands. See the module's documentation.
#[derive(Debug, Default)]
pub struct Keeper {
    config: Config,
    actual: Actual,
    /// What was known before the dump that is being read.
    before_dump: Option<Actual>,
    held: Held,
    /// Addresses of instances, whatever the interface: they are never sources of adverts.
    configured: BTreeSet<(IpAddr, u8)>,
    /// Removals of ours that the monitor will tell of.
    owed_addresses: BTreeMap<AddressKey, u32>,
    owed_routes: Vec<RouteSpec>,
    owed_rules: Vec<Arc<Rule>>,
    borrowed: Borrowed,
    /// Virtual links that have been set up, by the kernel's number.
    prepared: BTreeSet<IfIndex>,
    /// Links that the next configuration has in addition.
    coming: Vec<VirtualLink>,
    running: bool,
}

impl Keeper {
    /// Holds nothing yet. Observe a dump, then [`Keeper::start`].
    pub fn new(config: Config) -> Self {
        let configured = configured_addresses(&config);
        Self { config, configured, ..Self::default() }
    }

    /// What is known to stand.
    pub fn actual(&self) -> &Actual {
        &self.actual
    }

    /// Whether `instance` holds its addresses.
    pub fn holds(&self, instance: u32) -> bool {
        self.held.items(Owner::Instance(instance)).is_some()
    }

    /// Puts up the firewall, virtual links and static items; takes over what `masters` hold already and removes what other instances left behind
    /// in a former life. With `claim`, see [`Desired::claim`].
    pub fn start(&mut self, masters: &[u32], claim: bool, out: &mut Vec<Operation>) -> Vec<Consequence> {
        self.running = true;
        let mut consequences = Vec::new();
        self.install_firewall(out);
        self.ensure_links(out);
        let mut desired = Desired { claim, ..Desired::default() };
        // Addresses of the links themselves carry our number, too: they are wanted, and the plan adds them.
        out.retain(|operation| match operation {
            Operation::AddAddress(spec) => {
                desired.wanted.addresses.push(spec.clone());
                false
            }
            _ => true,
        });
        let instances = (0..self.config.instances.len() as u32).map(Owner::Instance);
        for owner in instances.chain([Owner::Static]) {
            let mut missing = Vec::new();
            let items = self.holdings(owner).resolve(&self.actual, &mut missing);
            let wanted = match owner {
                Owner::Instance(instance) => masters.contains(&instance),
                Owner::Static => true,
            };
            if !wanted {
                desired.unwanted.extend(items);
                continue;
            }
            consequences.extend(missing.into_iter().map(|interface| Consequence::Missing { owner, interface }));
            self.before_holding(owner, &items, out);
            desired.wanted.extend(items.clone());
            // The plan below brings up what is missing; the list of single operations is not needed.
            self.held.transition([(owner, Some(items))], &mut Vec::new());
        }
        out.extend(plan(&desired, &self.actual));
        consequences
    }

    /// The instance's addresses, routes and rules stand from now on. Returns interfaces that it lacks.
    pub fn hold(&mut self, instance: u32, out: &mut Vec<Operation>) -> Vec<IfName> {
        let owner = Owner::Instance(instance);
        let mut missing = Vec::new();
        if self.config.instances.get(instance as usize).is_none() || self.holds(instance) {
            return missing;
        }
        let items = self.holdings(owner).resolve(&self.actual, &mut missing);
        self.before_holding(owner, &items, out);
        self.held.transition([(owner, Some(items))], out);
        missing
    }

    /// What the instance holds and somebody took away is put back. Nothing where it holds nothing.
    pub fn restore(&mut self, instance: u32, out: &mut Vec<Operation>) {
        if let Some(items) = self.held.items(Owner::Instance(instance)) {
            out.extend(plan(&Desired { wanted: items.clone(), ..Desired::default() }, &self.actual));
        }
    }

    /// They no longer stand.
    pub fn release(&mut self, instance: u32, out: &mut Vec<Operation>) {
        let owner = Owner::Instance(instance);
        let Some(items) = self.held.items(owner).cloned() else { return };
        self.held.transition([(owner, None)], out);
        self.after_releasing(owner, &items, out);
    }

    /// Everything that is held is released, static items last; then virtual links, settings and firewall go (`links`: not when the process is to be
    /// replaced and adopts them).
    pub fn stop(&mut self, out: &mut Vec<Operation>) {
        for instance in (0..self.config.instances.len() as u32).rev() {
            self.release(instance, out);
        }
        self.held.transition([(Owner::Static, None)], out);
        let links: Vec<_> = self.config.instances.iter().flat_map(|holdings| holdings.links.clone()).collect();
        for link in links {
            self.delete_link(&link, out);
        }
        self.borrowed.release_all(out);
        self.uninstall_firewall(out);
        self.running = false;
    }

    /// Goes over to a new configuration: instances of the same name stay as they are but for the difference.
    pub fn reload(&mut self, config: Config, out: &mut Vec<Operation>) -> Vec<Consequence> {
        let old = std::mem::replace(&mut self.config, config);
        self.coming.clear();
        self.configured = configured_addresses(&self.config);
        let by_name: BTreeMap<&str, usize> =
            old.instances.iter().enumerate().map(|(place, holdings)| (holdings.name.as_str(), place)).collect();

        // Firewall and sysctls of what changed are given back before and taken anew after, links in between.
        let mut released = Vec::new();
        for (place, holdings) in old.instances.iter().enumerate() {
            let owner = Owner::Instance(place as u32);
            if let Some(items) = self.held.items(owner).cloned() {
                released.push((place, items, holdings.clone()));
            }
        }
        let kept: BTreeSet<&str> = self
            .config
            .instances
            .iter()
            .flat_map(|holdings| &holdings.links)
            .filter(|link| old.instances.iter().any(|old| old.links.contains(link)))
            .map(|link| link.name.as_str())
            .collect();
        let former = old.instances.iter().flat_map(|holdings| &holdings.links);
        let gone: Vec<_> = former.filter(|link| !kept.contains(link.name.as_str())).cloned().collect();

        let (mut next, mut consequences) = (Vec::new(), Vec::new());
        for (place, holdings) in self.config.instances.iter().enumerate() {
            let owner = Owner::Instance(place as u32);
            let was = by_name.get(holdings.name.as_str());
            let was_held = was.is_some_and(|was| self.held.items(Owner::Instance(*was as u32)).is_some());
            if was_held {
                let mut missing = Vec::new();
                next.push((owner, Some(holdings.resolve(&self.actual, &mut missing))));
                consequences.extend(missing.into_iter().map(|interface| Consequence::Missing { owner, interface }));
            }
        }
        let mut missing = Vec::new();
        next.push((Owner::Static, Some(self.config.statics.resolve(&self.actual, &mut missing))));
        let owner = Owner::Static;
        consequences.extend(missing.into_iter().map(|interface| Consequence::Missing { owner, interface }));

        for (_, items, holdings) in &released {
            Self::give_back(&mut self.borrowed, &self.actual, holdings, items, &mut Vec::new());
        }
        if self.config.firewall != old.firewall {
            uninstall(&old, out);
            self.install_firewall(out);
            self.redirect_again(out);
        }
        let before: Vec<FirewallOperation> =
            released.iter().flat_map(|(_, items, holdings)| protections(&old, holdings, items, false)).collect();
        let after: Vec<FirewallOperation> = next
            .iter()
            .filter_map(|(owner, items)| Some((self.holdings(*owner), items.as_ref()?)))
            .flat_map(|(holdings, items)| protections(&self.config, holdings, items, true))
            .collect();
        out.extend(after.iter().cloned().map(Operation::Firewall));
        for (owner, items) in &next {
            if let (Owner::Instance(place), Some(items)) = (owner, items) {
                let holdings = self.config.instances[*place as usize].clone();
                Self::borrow(&mut self.borrowed, &self.actual, &holdings, items, out);
            }
        }
        self.held.replace_all(next, out);
        if self.config.firewall == old.firewall {
            let still = |operation: &FirewallOperation| after.iter().any(|wanted| wanted.same_element(operation));
            out.extend(before.into_iter().filter(|operation| !still(operation)).map(Operation::Firewall));
        }
        for link in gone {
            self.delete_link(&link, out);
        }
        self.ensure_links(out);
        consequences
    }

    /// What became of an operation. Refusals that mean "as it should be already" count as done.
    pub fn performed(&mut self, operation: &Operation, outcome: &Outcome, out: &mut Vec<Operation>) {
        let refused = match outcome {
            Outcome::Done => None,
            Outcome::Previous(previous) => {
                if let Operation::Sysctl { path, value } = operation {
                    self.borrowed.was(path, previous);
                    self.after_sysctl(path, value, previous, out);
                }
                return;
            }
            Outcome::Refused(refusal) => Some(refusal),
        };
        match refused {
            None => self.owe(operation),
            Some(refusal) if !operation.tolerates(refusal) => return,
            Some(_) => {}
        }
        self.actual.apply(operation);
    }

    fn owe(&mut self, operation: &Operation) {
        /// Nobody owes more than this; beyond it the monitor has stopped and will be dumped anew.
        const BOUND: usize = 65_536;
        match operation {
            Operation::RemoveAddress(key) if self.owed_addresses.len() < BOUND => {
                *self.owed_addresses.entry(*key).or_default() += 1;
            }
            Operation::RemoveRoute(spec) if self.owed_routes.len() < BOUND => self.owed_routes.push(spec.clone()),
            Operation::RemoveRule(rule) if self.owed_rules.len() < BOUND => self.owed_rules.push(rule.clone()),
            _ => {}
        }
    }

    fn holdings(&self, owner: Owner) -> &Holdings {
        match owner {
            Owner::Instance(instance) => &self.config.instances[instance as usize],
            Owner::Static => &self.config.statics,
        }
    }

    fn before_holding(&mut self, owner: Owner, items: &Items, out: &mut Vec<Operation>) {
        let Owner::Instance(instance) = owner else { return };
        let holdings = &self.config.instances[instance as usize];
        out.extend(protections(&self.config, holdings, items, true).map(Operation::Firewall));
        Self::borrow(&mut self.borrowed, &self.actual, holdings, items, out);
    }

    fn after_releasing(&mut self, owner: Owner, items: &Items, out: &mut Vec<Operation>) {
        let Owner::Instance(instance) = owner else { return };
        let holdings = &self.config.instances[instance as usize];
        Self::give_back(&mut self.borrowed, &self.actual, holdings, items, out);
        out.extend(protections(&self.config, holdings, items, false).map(Operation::Firewall));
    }

    fn borrow(borrowed: &mut Borrowed, actual: &Actual, holdings: &Holdings, items: &Items, out: &mut Vec<Operation>) {
        promoted(actual, holdings, items).for_each(|path| borrowed.acquire(path, "1", out));
    }

    fn give_back(
        borrowed: &mut Borrowed,
        actual: &Actual,
        holdings: &Holdings,
        items: &Items,
        out: &mut Vec<Operation>,
    ) {
        promoted(actual, holdings, items).for_each(|path| borrowed.release(&path, out));
    }

    fn install_firewall(&self, out: &mut Vec<Operation>) {
        let Some(config) = &self.config.firewall else { return };
        for family in [types::Family::Inet, types::Family::Inet6] {
            let config = config.clone();
            out.push(Operation::Firewall(FirewallOperation::Install { config, family }));
        }
    }

    fn uninstall_firewall(&self, out: &mut Vec<Operation>) {
        uninstall(&self.config, out);
    }
}

fn uninstall(config: &Config, out: &mut Vec<Operation>) {
    let Some(firewall) = &config.firewall else { return };
    for family in [types::Family::Inet, types::Family::Inet6] {
        let table = firewall.table.clone();
        out.push(Operation::Firewall(FirewallOperation::Uninstall { table, family }));
    }
}

/// Settings below /proc/sys that `promote_secondaries` needs, one for each interface with IPv4 addresses.
fn promoted<'a>(
    actual: &'a Actual,
    holdings: &'a Holdings,
    items: &'a Items,
) -> impl Iterator<Item = String> + use<'a> {
    let inet = items.addresses.iter().filter(|spec| holdings.promote_secondaries && spec.key.local.is_ipv4());
    let interfaces: BTreeSet<IfIndex> = inet.map(|spec| spec.key.interface).collect();
    let names = interfaces.into_iter().filter_map(|index| Some(&actual.link(index)?.name));
    names.map(|name| format!("net/ipv4/conf/{name}/promote_secondaries"))
}

/// Elements of the firewall's sets for one owner's addresses.
fn protections<'a>(
    config: &'a Config,
    holdings: &'a Holdings,
    items: &'a Items,
    protect: bool,
) -> impl Iterator<Item = FirewallOperation> + use<'a> {
    let table = config.firewall.as_ref().filter(|_| holdings.no_accept).map(|firewall| firewall.table.clone());
    table.into_iter().flat_map(move |table| {
        items.addresses.iter().map(move |spec| {
            let (table, address) = (table.clone(), spec.key.local);
            let link_local = matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local());
            let interface = link_local.then_some(spec.key.interface);
            match protect {
                true => FirewallOperation::Protect { table, address, interface },
                false => FirewallOperation::Unprotect { table, address, interface },
            }
        })
    })
}

fn configured_addresses(config: &Config) -> BTreeSet<(IpAddr, u8)> {
    config.instances.iter().flat_map(|holdings| &holdings.addresses).map(|address| address.bare()).collect()
}
