//! Start and reload: one way from a configuration to states.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::SocketAddr;

use ipvs::{ServiceEntry, ServiceKey};
use types::Instant;

use crate::director::file_verdict;
use crate::names::virtual_server_names;
use crate::probe::{CheckerAt, Probe, ProbeKey};
use crate::server::{Checker, RealServer, Source, VirtualServer, quorum};
use crate::services::{destination_key, services};
use crate::stop::Gone;
use crate::transitions::Effects;
use crate::{
    Action, Config, Director, GroupConfig, ProbeConfig, ProbeId, RealServerConfig, Remembered, RememberedVirtualServer,
    Target, VirtualServerConfig,
};

/// What is known of a real server before it is made.
enum Past<'a> {
    /// Nothing.
    None,
    /// It was in the former configuration.
    Was(&'a RealServerConfig, &'a RealServer),
    /// A crash came between: up or down.
    Remembered { up: bool },
}

/// What the former configuration left.
struct Former {
    config: Config,
    virtual_servers: Vec<VirtualServer>,
    /// The former number of each new virtual server.
    matched: Vec<Option<usize>>,
}

impl Director {
    pub(crate) fn start(&mut self, now: Instant, config: Config, remembered: &Remembered, out: &mut Vec<Action>) {
        out.push(Action::ReadTable);
        if let Some((tcp, tcp_fin, udp)) = config.timeouts {
            out.push(Action::SetTimeouts(ipvs::Timeouts { tcp, tcp_fin, udp }));
        }
        self.sync_daemons(&Config::default(), &config, out);
        self.config = config;
        let old: Vec<&Target> = remembered.virtual_servers.iter().map(|known| &known.target).collect();
        let known = match_targets(&old, &self.config);
        let known: Vec<Option<&RememberedVirtualServer>> =
            known.into_iter().map(|old| old.map(|old| &remembered.virtual_servers[old])).collect();
        let former = Former { config: Config::default(), virtual_servers: Vec::new(), matched: Vec::new() };
        self.build(now, &former, &known, out);
        let mut effects = Effects::default();
        for (number, known) in known.into_iter().enumerate() {
            self.begin(number, known, &mut effects);
        }
        self.carry_out(effects, out);
    }

    /// A reload: states of servers that both configurations have are kept, kept checks go on undisturbed, and only what differs is changed in the table.
    pub fn reconfigure(&mut self, now: Instant, config: Config, out: &mut Vec<Action>) {
        if self.stopped {
            return;
        }
        match (self.config.timeouts, config.timeouts) {
            (old, new) if old == new => {}
            (_, Some((tcp, tcp_fin, udp))) => {
                out.push(Action::RestoreTimeouts);
                out.push(Action::SetTimeouts(ipvs::Timeouts { tcp, tcp_fin, udp }));
            }
            (_, None) => out.push(Action::RestoreTimeouts),
        }
        self.sync_daemons(&self.config, &config, out);
        self.refused.clear();

        let old: Vec<&Target> = self.config.virtual_servers.iter().map(|old| &old.target).collect();
        let matched = match_targets(&old, &config);
        let unchanged = self.unchanged(&config, &matched);
        let affected = self.affected(&config, &matched, &unchanged);
        let before = self.entries(&affected);

        let config = std::mem::replace(&mut self.config, config);
        let former = Former { config, virtual_servers: std::mem::take(&mut self.virtual_servers), matched };
        let mut effects = Effects::default();
        self.tell_removed(&former, &mut effects);
        self.build(now, &former, &[], out);
        self.drop_unused_probes(out);

        // states first, then one comparison of what stood with what is to stand
        let adopted = std::mem::replace(&mut self.adopted, false);
        for (number, unchanged) in unchanged.into_iter().enumerate() {
            match former.matched[number] {
                None => self.begin(number, None, &mut effects),
                Some(old) if !unchanged => {
                    self.go_on(number, &former.config.virtual_servers[old], &former.virtual_servers[old], &mut effects);
                }
                Some(_) => {}
            }
        }
        self.adopted = adopted;
        let after = self.entries(&affected);
        let mut keys: Vec<ServiceKey> = affected.into_iter().collect();
        keys.sort_unstable();
        for key in keys {
            ipvs::plan_service(key, after.get(&key), before.get(&key), &mut effects.operations);
        }
        self.carry_out(effects, out);
    }

    /// Which new virtual servers are what they were, groups and weights set by hand included.
    fn unchanged(&self, new: &Config, matched: &[Option<usize>]) -> Vec<bool> {
        let group = |config: &Config, target: &Target| -> Option<GroupConfig> {
            let Target::Group { name, .. } = target else { return None };
            config.groups.iter().find(|group| group.name == *name).cloned()
        };
        let same = |(config, old): (&VirtualServerConfig, &Option<usize>)| {
            let Some(old) = *old else { return false };
            let weights_of_file = || {
                let weights = self.config.virtual_servers[old].real_servers.iter().map(|server| server.weight);
                weights.eq(self.virtual_servers[old].servers.iter().map(|server| server.base_weight))
            };
            self.config.virtual_servers[old] == *config
                && group(&self.config, &config.target) == group(new, &config.target)
                && weights_of_file()
        };
        new.virtual_servers.iter().zip(matched).map(same).collect()
    }

    /// Services that a reload may change: those of virtual servers that are new, gone or different.
    fn affected(&self, new: &Config, matched: &[Option<usize>], unchanged: &[bool]) -> HashSet<ServiceKey> {
        let mut affected = HashSet::new();
        let groups: HashMap<&str, _> = new.groups.iter().map(|group| (group.name.as_str(), group)).collect();
        let mut kept = vec![false; self.virtual_servers.len()];
        for ((config, old), unchanged) in new.virtual_servers.iter().zip(matched).zip(unchanged) {
            match (unchanged, old) {
                (true, Some(old)) => kept[*old] = true,
                _ => affected.extend(services(&config.target, &groups)),
            }
        }
        for (state, kept) in self.virtual_servers.iter().zip(kept) {
            if !kept {
                affected.extend(state.services.iter().copied());
            }
        }
        affected
    }

    fn entries(&self, keys: &HashSet<ServiceKey>) -> HashMap<ServiceKey, ServiceEntry> {
        let mut users: HashMap<ServiceKey, Vec<usize>> = HashMap::new();
        for (number, state) in self.virtual_servers.iter().enumerate() {
            for key in state.services.iter().filter(|key| keys.contains(key)) {
                users.entry(*key).or_default().push(number);
            }
        }
        users.into_iter().filter_map(|(key, users)| Some((key, self.entry(&key, &users)?))).collect()
    }

    /// Makes the states of `self.config`, from the former ones where there are any.
    fn build(
        &mut self,
        now: Instant,
        former: &Former,
        remembered: &[Option<&RememberedVirtualServer>],
        out: &mut Vec<Action>,
    ) {
        for probe in self.probes.values_mut() {
            probe.users.clear();
        }
        self.files.clear();
        self.sessions.clear();
        let config = std::mem::take(&mut self.config);
        let names = virtual_server_names(&config);
        let groups: HashMap<&str, _> = config.groups.iter().map(|group| (group.name.as_str(), group)).collect();
        let mut fresh = Vec::new();
        for (number, (virtual_server, name)) in config.virtual_servers.iter().zip(names).enumerate() {
            let old = former.matched.get(number).copied().flatten();
            let old = old.map(|old| (&former.config.virtual_servers[old], &former.virtual_servers[old]));
            let known = remembered.get(number).copied().flatten();
            let services = services(&virtual_server.target, &groups);
            let state = self.build_virtual_server(number, virtual_server, name, services, old, known, &mut fresh);
            self.virtual_servers.push(state);
        }
        drop(groups);
        self.config = config;
        self.shared = self.users();
        self.shared.retain(|_, users| users.len() > 1);
        let shared: HashSet<usize> = self.shared.values().flatten().copied().collect();
        for (number, state) in self.virtual_servers.iter_mut().enumerate() {
            state.shared = shared.contains(&number);
        }
        for number in 0..self.virtual_servers.len() {
            self.virtual_servers[number].suspended = self.is_suspended(number);
        }
        for (id, number, real) in fresh {
            if self.virtual_servers[number].suspended {
                if let Some(probe) = self.probes.get_mut(&id) {
                    probe.suspend();
                }
                continue;
            }
            self.plan_first_run(now, id);
            out.push(self.activity(number, real, "Activating"));
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn build_virtual_server(
        &mut self,
        number: usize,
        config: &VirtualServerConfig,
        name: Box<str>,
        services: Vec<ServiceKey>,
        old: Option<(&VirtualServerConfig, &VirtualServer)>,
        known: Option<&RememberedVirtualServer>,
        fresh: &mut Vec<(ProbeId, usize, usize)>,
    ) -> VirtualServer {
        let by_address: HashMap<SocketAddr, usize> = old.map_or_else(HashMap::new, |(config, _)| {
            config.real_servers.iter().enumerate().map(|(number, server)| (server.address, number)).collect()
        });
        let owner = config.ha_suspend.then(|| config.target.clone());
        let mut servers = Vec::with_capacity(config.real_servers.len());
        for (real, server) in config.real_servers.iter().enumerate() {
            let was = old.zip(by_address.get(&server.address));
            let past = match (was, known) {
                (Some(((config, state), &was)), _) => Past::Was(&config.real_servers[was], &state.servers[was]),
                (None, Some(known)) if known.down.contains(&server.address) => Past::Remembered { up: false },
                (None, Some(known)) if known.up.contains(&server.address) => Past::Remembered { up: true },
                _ => Past::None,
            };
            servers.push(self.build_server((number, real), server, owner.as_ref(), &past, fresh));
        }
        let twin = config.sorry_server.as_ref().zip(services.first()).and_then(|(sorry, service)| {
            let key = destination_key(service, sorry.address, sorry.forwarding);
            config.real_servers.iter().position(|real| destination_key(service, real.address, real.forwarding) == key)
        });
        let mut state = VirtualServer {
            name,
            services,
            servers,
            sorry: old.and_then(|(_, state)| state.sorry),
            twin,
            shared: false,
            quorum_met: old.is_some_and(|(_, state)| state.quorum_met),
            live_weight: 0,
            live: 0,
            suspended: false,
        };
        state.count();
        state
    }

    fn build_server(
        &mut self,
        (number, real): (usize, usize),
        config: &RealServerConfig,
        owner: Option<&Target>,
        past: &Past<'_>,
        fresh: &mut Vec<(ProbeId, usize, usize)>,
    ) -> RealServer {
        let mut checkers = Vec::with_capacity(config.checkers.len());
        for (checker_number, checker) in config.checkers.iter().enumerate() {
            let at =
                CheckerAt { virtual_server: number as u32, real_server: real as u32, checker: checker_number as u32 };
            checkers.push(match &checker.probe {
                ProbeConfig::File { file, .. } => {
                    self.files.entry(file.clone()).or_default().push(at);
                    let value = self.file_values.get(file);
                    let (up, delta) = value.map_or((!checker.alpha, 0), |value| file_verdict(&checker.probe, *value));
                    Checker { source: Source::File, up, delta }
                }
                ProbeConfig::Bfd { name } => {
                    self.sessions.entry(name.clone()).or_default().push(at);
                    let up = self.session_states.get(name).copied().unwrap_or(!checker.alpha);
                    Checker { source: Source::Bfd, up, delta: 0 }
                }
                _ => {
                    let key = ProbeKey::new(config.address, checker, owner.cloned());
                    let id = self.probe_for(key, past, (number, real), fresh);
                    self.use_probe(id, at, config)
                }
            });
        }
        let mut server = RealServer {
            failed: checkers.iter().filter(|checker| !checker.up).count() as u32,
            weight: 0,
            base_weight: config.weight,
            placed: match past {
                Past::Was(_, server) => server.placed,
                Past::None | Past::Remembered { .. } => None,
            },
            checkers: checkers.into_boxed_slice(),
        };
        server.weight = server.sum_weight();
        server
    }

    /// The running check that answers the same question by the same rules, or a new one.
    fn probe_for(
        &mut self,
        key: ProbeKey,
        past: &Past<'_>,
        (number, real): (usize, usize),
        fresh: &mut Vec<(ProbeId, usize, usize)>,
    ) -> ProbeId {
        if let Some(&id) = self.probe_ids.get(&key) {
            return id;
        }
        self.next_probe += 1;
        let id = ProbeId(self.next_probe);
        let mut probe = Probe::new(key);
        match past {
            Past::None => {}
            Past::Remembered { up } => (probe.up, probe.has_run) = (*up, true),
            Past::Was(config, server) => self.inherit(&mut probe, config, server),
        }
        self.probe_ids.insert(probe.key.clone(), id);
        self.probes.insert(id, probe);
        fresh.push((id, number, real));
        id
    }

    /// A new check of a known server: the same question by other rules keeps its answer. Another question starts as failed when a check that has gone said so: nobody is sent to a
    /// server that was down until somebody has seen it up.
    fn inherit(&self, probe: &mut Probe, config: &RealServerConfig, server: &RealServer) {
        for (checker, state) in config.checkers.iter().zip(&server.checkers) {
            if checker.probe == *probe.key.config
                && let Source::Probe(id) = state.source
                && let Some(same) = self.probes.get(&id)
            {
                (probe.up, probe.has_run, probe.weight) = (same.up, same.has_run, same.weight);
                probe.reason.clone_from(&same.reason);
                return;
            }
        }
        if !server.up() {
            (probe.up, probe.has_run) = (false, true);
        }
    }

    fn use_probe(&mut self, id: ProbeId, at: CheckerAt, config: &RealServerConfig) -> Checker {
        let probe = self.probes.get_mut(&id).expect("the number was just found or given");
        probe.users.push(at);
        let delta = match (probe.is_dynamic(), probe.weight) {
            (true, Some(weight)) => i64::from(weight) - i64::from(config.weight.get()),
            _ => 0,
        };
        Checker { source: Source::Probe(id), up: probe.up, delta }
    }

    fn drop_unused_probes(&mut self, out: &mut Vec<Action>) {
        let (probe_ids, schedule) = (&mut self.probe_ids, &mut self.schedule);
        let before = self.probes.len();
        self.probes.retain(|id, probe| {
            if !probe.users.is_empty() {
                return true;
            }
            probe_ids.remove(&probe.key);
            if probe.is_running() {
                out.push(Action::AbortProbe(*id));
            }
            false
        });
        if self.probes.len() < before {
            schedule.retain(|_, id| self.probes.contains_key(&id));
        }
    }

    /// A virtual server that was not there before: its first quorum, told to everybody; or quietly the one of before a crash.
    fn begin(&mut self, number: usize, known: Option<&RememberedVirtualServer>, effects: &mut Effects) {
        let (config, state) = (&self.config.virtual_servers[number], &self.virtual_servers[number]);
        let from = known.is_some_and(|known| known.quorum_met);
        let met = quorum(config, from, state.live, state.live_weight);
        self.virtual_servers[number].quorum_met = met;
        if known.is_some_and(|known| known.quorum_met == met) {
            self.place_all(number, &mut effects.operations);
            return;
        }
        if self.config.init_notifies {
            let up = self.virtual_servers[number].servers.iter().enumerate().filter(|(_, server)| server.up());
            let up: Vec<usize> = up.map(|(real, _)| real).collect();
            effects.messages.extend(up.into_iter().map(|real| self.server_notification(number, real, true)));
        }
        let (sum, name) = (self.quorum_sum(number, met), &self.virtual_servers[number].name);
        effects.log(match met {
            true => format!("Gained quorum {sum} for VS {name}"),
            false => format!("Starting with quorum down {sum} for VS {name}"),
        });
        self.place_all(number, &mut effects.operations);
        if !met {
            self.swap_sorry(number, effects);
        }
        effects.messages.push(self.quorum_notification(number, met));
        let word = if met { "up" } else { "down" };
        effects.messages.extend(self.quorum_mail(number, met, format!("=> Starting with quorum {word} {sum} <=")));
    }

    /// A virtual server that was there before in another form.
    fn go_on(&mut self, number: usize, old_config: &VirtualServerConfig, old: &VirtualServer, effects: &mut Effects) {
        let by_address: HashMap<SocketAddr, usize> =
            old_config.real_servers.iter().enumerate().map(|(number, server)| (server.address, number)).collect();
        for real in 0..self.virtual_servers[number].servers.len() {
            let config = &self.config.virtual_servers[number].real_servers[real];
            let Some(&was) = by_address.get(&config.address) else { continue };
            let (before, now) = (&old.servers[was], &self.virtual_servers[number].servers[real]);
            let (server, name) = (self.server_name(number, real), &self.virtual_servers[number].name);
            if before.up() != now.up() {
                effects.log(match (now.up(), config.inhibit_on_failure) {
                    (true, true) => format!("Enabling service {server} of VS {name}"),
                    (true, false) => format!("Adding service {server} to VS {name}"),
                    (false, true) => format!("Disabling service {server} of VS {name}"),
                    (false, false) => format!("Removing service {server} from VS {name}"),
                });
                effects.messages.push(self.server_notification(number, real, now.up()));
            }
            if before.weight != now.weight {
                let activity = if now.up() { "active" } else { "inactive" };
                let (from, to) = (before.effective_weight(), now.effective_weight());
                effects
                    .log(format!("Changing weight from {from} to {to} for {activity} service {server} of VS {name}"));
            }
        }
        if self.config.virtual_servers[number].sorry_server.is_none() {
            self.virtual_servers[number].sorry = None;
        }
        self.update_quorum(number, effects);
        self.place_all(number, &mut effects.operations);
    }

    /// Servers and virtual servers that a reload has removed: always told.
    fn tell_removed(&self, former: &Former, effects: &mut Effects) {
        let mut kept: HashMap<usize, usize> = HashMap::new();
        for (number, old) in former.matched.iter().enumerate() {
            if let Some(old) = old {
                kept.insert(*old, number);
            }
        }
        for (old, (config, state)) in former.config.virtual_servers.iter().zip(&former.virtual_servers).enumerate() {
            let gone = Gone { number: old, config, state };
            match kept.get(&old) {
                None => {
                    gone.tell_servers(|_| true, effects);
                    effects.log(format!("Removing Virtual Server {}", state.name));
                    if state.quorum_met {
                        effects.messages.push(gone.quorum_notification());
                    }
                }
                Some(&number) => {
                    let new: HashSet<SocketAddr> =
                        self.config.virtual_servers[number].real_servers.iter().map(|server| server.address).collect();
                    gone.tell_servers(|address| !new.contains(&address), effects);
                }
            }
        }
    }

    /// Without an instance the daemons of both roles run here.
    fn sync_daemons(&self, old: &Config, new: &Config, out: &mut Vec<Action>) {
        let wanted = daemons(new);
        if daemons(old) != wanted {
            out.push(Action::SyncDaemons(wanted));
        }
    }
}

fn daemons(config: &Config) -> Vec<ipvs::Daemon> {
    let Some(daemon) = config.sync_daemon.as_ref().filter(|daemon| daemon.instance.is_none()) else {
        return Vec::new();
    };
    let roles = [ipvs::DaemonRole::Master, ipvs::DaemonRole::Backup];
    let daemon = |role| ipvs::Daemon {
        role,
        interface: daemon.interface.clone(),
        sync_id: daemon.id.unwrap_or(0),
        max_len: daemon.max_len,
        group: daemon.group,
        port: daemon.port,
        ttl: daemon.ttl,
    };
    roles.into_iter().map(daemon).collect()
}

/// The former number of each new virtual server: the same target, and the first of several with the first.
fn match_targets(old: &[&Target], new: &Config) -> Vec<Option<usize>> {
    let mut by_target: HashMap<&Target, VecDeque<usize>> = HashMap::new();
    for (number, target) in old.iter().enumerate() {
        by_target.entry(target).or_default().push_back(number);
    }
    let matched = new.virtual_servers.iter().map(|new| by_target.get_mut(&new.target).and_then(VecDeque::pop_front));
    matched.collect()
}
