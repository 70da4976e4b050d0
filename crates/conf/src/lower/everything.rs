//! The whole file: what stands at its top, in order, and what is settled after reading.

use lvs::{ProbeConfig, ScriptRef};
use vrrp::config::{AnnounceLimit, TrackTarget};

use super::context::Lower;
use super::instance::{Surroundings, Written};
use super::rule::FreePreferences;
use super::script::{Role, Runner};
use super::sync_group::GroupWritten;
use super::tracking::Definitions;
use super::virtual_server::Directors;
use crate::configuration::{CheckerPart, Configuration, Firewall, Linkbeat};
use crate::diagnostic::{Class, Diagnostic};
use crate::tree::{Line, Tree};

/// What is gathered while reading.
#[derive(Default)]
struct Gathered {
    definitions: Definitions,
    preferences: FreePreferences,
    instances: Vec<Written>,
    groups: Vec<GroupWritten>,
    directors: Directors,
    limits: Vec<AnnounceLimit>,
    garp_groups: usize,
    linkbeat_of_instances: Vec<types::IfName>,
}

impl<'t> Lower<'t> {
    /// Lowers the tree.
    pub(super) fn everything(&mut self, tree: &'t Tree) -> Configuration {
        self.globals(tree.lines());
        let mut configuration = Configuration::default();
        let mut gathered = Gathered::default();
        self.walk("(top)", tree.lines(), &mut |lower, line, keyword| {
            lower.top_line(line, keyword, &mut gathered, &mut configuration);
        });
        self.settle(gathered, &mut configuration);
        if self.missing_interface {
            // the VRRP process would stop here, before it looks at its scripts
            self.insecure_scripts[Runner::Vrrp as usize] = false;
            self.found.push(
                Diagnostic::new(
                    Class::BadInterface,
                    "no-such-interface",
                    "Non-existent interface specified in configuration",
                )
                .help("create it before the daemon starts, correct the name, or set dynamic_interfaces"),
            );
        }
        self.tell_insecure_scripts();
        configuration
    }

    fn top_line(
        &mut self,
        line: Line<'t>,
        keyword: &'static str,
        gathered: &mut Gathered,
        configuration: &mut Configuration,
    ) {
        let definitions = &mut gathered.definitions;
        let lines = || line.block().into_iter().flat_map(|block| block.lines()).filter(|line| !line.is_empty());
        match keyword {
            "vrrp_script" => self.vrrp_script(line, definitions),
            "track_file" => self.track_file(line, definitions),
            "vrrp_track_file" => {
                self.advise("old-spelling", line.keyword().span, "vrrp_track_file is the old spelling of track_file");
                self.track_file(line, definitions);
            }
            "vrrp_track_process" => self.track_process(line, definitions),
            "bfd_instance" => self.bfd_instance(line, definitions),
            "track_group" => self.track_group(line, &mut configuration.vrrp.track_groups),
            "garp_group" => {
                self.garp_group(line, &mut gathered.limits, gathered.garp_groups);
                gathered.garp_groups += 1;
            }
            "interface_up_down_delays" => self.link_delays(line, &mut configuration.vrrp.brain.link_delays),
            "linkbeat_interfaces" => self.linkbeat_interfaces(line, &mut configuration.vrrp.linkbeat),
            "static_ipaddress" => {
                for line in lines() {
                    if let Some(address) = self.address(line, true)
                        && self.known_track_group(line, address.track_group.as_deref(), configuration)
                    {
                        configuration.vrrp.static_addresses.push(address);
                    }
                }
            }
            "static_routes" => {
                for line in lines() {
                    if let Some(route) = self.route(line, true)
                        && self.known_track_group(line, route.track_group.as_deref(), configuration)
                    {
                        configuration.vrrp.static_routes.push(route);
                    }
                }
            }
            "static_rules" => {
                for line in lines() {
                    if let Some(rule) = self.rule(line, true, &mut gathered.preferences)
                        && self.known_track_group(line, rule.track_group.as_deref(), configuration)
                    {
                        configuration.vrrp.static_rules.push(rule);
                    }
                }
            }
            "vrrp_instance" => {
                let Some(name) = line.word(1) else { return };
                if gathered.instances.iter().any(|other| other.name == name.text) {
                    let end = line.block().and_then(|block| block.closing()).unwrap_or(line.span());
                    self.general(end, format!("vrrp instance {} already defined", name.text));
                    return;
                }
                let mut around = Surroundings {
                    definitions,
                    preferences: &mut gathered.preferences,
                    linkbeat: &mut gathered.linkbeat_of_instances,
                };
                gathered.instances.extend(self.instance(line, &mut around));
            }
            "vrrp_sync_group" => gathered.groups.extend(self.sync_group(line, definitions)),
            "SSL" => self.ssl(line, &mut gathered.directors),
            "virtual_server_group" => self.server_group(line, &mut gathered.directors),
            "virtual_server" => self.virtual_server(line, &mut gathered.directors, definitions),
            // global_defs and the settings beside it were read first
            _ => {}
        }
    }

    fn known_track_group(&mut self, line: Line<'t>, group: Option<&str>, configuration: &Configuration) -> bool {
        match group {
            Some(name) if !configuration.vrrp.track_groups.iter().any(|(known, _)| known == name) => {
                self.general(line.span(), format!("track_group {name} not found"));
                false
            }
            _ => true,
        }
    }

    fn settle(&mut self, gathered: Gathered, configuration: &mut Configuration) {
        let Gathered { definitions, instances, groups, directors, limits, linkbeat_of_instances, .. } = gathered;
        let vrrp = &mut configuration.vrrp;
        let mut shared = Default::default();
        for written in instances {
            if let Some((config, part)) = self.complete_instance(written, &mut shared) {
                vrrp.brain.instances.push(config);
                vrrp.instances.push(part);
            }
        }
        for (config, part) in self.complete_groups(groups, &mut vrrp.brain.instances) {
            vrrp.brain.sync_groups.push(config);
            vrrp.sync_groups.push(part);
        }
        self.settle_definitions(definitions, configuration);
        let vrrp = &mut configuration.vrrp;
        let defaults = &self.global.vrrp;
        vrrp.brain.announce_limits = limits;
        if !defaults.arp_interval.is_zero() || !defaults.neighbour_interval.is_zero() {
            vrrp.brain.announce_limits.push(AnnounceLimit {
                interfaces: Vec::new(),
                arp_interval: defaults.arp_interval,
                neighbour_interval: defaults.neighbour_interval,
            });
        }
        vrrp.brain.startup_delay = defaults.startup_delay;
        vrrp.brain.log_unknown_vrids = defaults.log_unknown_vrids;
        vrrp.brain.dynamic_interfaces = self.global.dynamic_interfaces;
        vrrp.linkbeat_all = self.global.linkbeat_all;
        for interface in linkbeat_of_instances {
            if !vrrp.linkbeat.iter().any(|(known, _)| *known == interface) {
                vrrp.linkbeat.push((interface, Linkbeat::Auto));
            }
        }
        let needs_firewall = vrrp.brain.instances.iter().zip(&vrrp.instances).any(|(instance, part)| {
            instance.virtual_link.is_some()
                || !part.address_links.is_empty()
                || (part.no_accept && !instance.priority.is_owner())
        });
        vrrp.firewall = match (&self.global.firewall, needs_firewall) {
            (Some(firewall), _) => Some(firewall.clone()),
            (None, true) => Some(Firewall {
                table: "keepalived".into(),
                priority: defaults.nftables_priority.unwrap_or(-1),
                by_index: defaults.nftables_by_index,
                counters: defaults.nftables_counters,
            }),
            (None, false) => None,
        };
        self.settle_directors(directors, configuration);
        configuration.global = self.global.out.clone();
    }

    /// Only what something tracks is kept, and only scripts that may run.
    fn settle_definitions(&mut self, definitions: Definitions, configuration: &mut Configuration) {
        let brain = &configuration.vrrp.brain;
        let tracked: std::collections::HashSet<String> = brain
            .instances
            .iter()
            .flat_map(|instance| &instance.trackers)
            .chain(brain.sync_groups.iter().flat_map(|group| &group.trackers))
            .filter_map(|tracker| match &tracker.target {
                TrackTarget::Script(name) => Some(name.clone()),
                _ => None,
            })
            .collect();
        let mut disabled = std::collections::HashSet::new();
        for defined in definitions.scripts.list {
            let name = defined.value.config.name.clone();
            let script = self.script(
                &defined.value.config.command,
                defined.value.user,
                defined.span,
                Runner::Vrrp,
                Role::Track(&name),
            );
            match script {
                None => {
                    disabled.insert(name);
                }
                Some(_) if !tracked.contains(&name) => {
                    self.advise("unused", defined.span, format!("Warning - script {name} is not used"));
                }
                Some(script) => {
                    configuration.vrrp.scripts.insert(name, script);
                    configuration.vrrp.brain.scripts.push(defined.value.config);
                }
            }
        }
        if !disabled.is_empty() {
            let gone = |target: &TrackTarget| matches!(target, TrackTarget::Script(name) if disabled.contains(name));
            let brain = &mut configuration.vrrp.brain;
            for instance in &mut brain.instances {
                instance.trackers.retain(|tracker| !gone(&tracker.target));
            }
            for group in &mut brain.sync_groups {
                group.trackers.retain(|tracker| !gone(&tracker.target));
            }
        }
        let brain = &mut configuration.vrrp.brain;
        let tracked: std::collections::HashSet<String> = brain
            .instances
            .iter()
            .flat_map(|instance| &instance.trackers)
            .chain(brain.sync_groups.iter().flat_map(|group| &group.trackers))
            .filter_map(|tracker| match &tracker.target {
                TrackTarget::File(name) | TrackTarget::Process(name) | TrackTarget::Bfd(name) => Some(name.clone()),
                _ => None,
            })
            .collect();
        for defined in definitions.files.list {
            if tracked.contains(&defined.value.name) {
                brain.files.push(defined.value);
            }
        }
        for defined in definitions.processes.list {
            if tracked.contains(&defined.value.name) {
                brain.processes.push(defined.value);
            }
        }
        for defined in definitions.bfds.list {
            if tracked.contains(&defined.value.name) {
                brain.bfds.push(defined.value.name.clone());
            }
            configuration.bfd.push(defined.value);
        }
    }

    fn settle_directors(&mut self, mut directors: Directors, configuration: &mut Configuration) {
        let mut used = std::collections::HashSet::new();
        let mut spans = std::mem::take(&mut directors.spans).into_iter();
        let groups: std::collections::HashSet<&str> =
            directors.groups.iter().map(|group| group.name.as_str()).collect();
        // in place: another list of thousands of servers would be the peak of the memory
        directors.servers.retain(|server| {
            let span = spans.next().unwrap_or_default();
            let lvs::Target::Group { name, .. } = &server.target else { return true };
            if groups.contains(name.as_str()) {
                used.insert(name.clone());
                return true;
            }
            self.after(
                span,
                format!("Virtual server group {name} specified but not configured - ignoring virtual server {name}"),
            );
            false
        });
        drop(groups);
        directors.servers.shrink_to_fit();
        directors.groups.retain(|group| used.contains(&group.name));
        let brain = &mut configuration.checker.brain;
        brain.virtual_servers = directors.servers;
        brain.groups = directors.groups;
        brain.files = directors.files;
        brain.ssl = directors.ssl;
        brain.timeouts = self.global.timeouts;
        brain.flush = self.global.flush;
        brain.flush_on_stop = self.global.flush_on_stop;
        brain.sync_daemon = self.global.sync_daemon.clone();
        brain.init_notifies = self.global.init_notifies;
        brain.nftables = self.global.nftables_ipvs.clone();
        number_scripts(&mut configuration.checker, directors.scripts);
    }
}

/// Numbers the scripts in the order in which servers name them, so that equal meanings are equal values.
fn number_scripts(part: &mut CheckerPart, scripts: Vec<notify::Script>) {
    let mut scripts: Vec<Option<notify::Script>> = scripts.into_iter().map(Some).collect();
    let mut ordered = Vec::with_capacity(scripts.len());
    let mut number = |reference: &mut ScriptRef| {
        if let Some(script) = scripts.get_mut(reference.0 as usize).and_then(Option::take) {
            ordered.push(script);
            *reference = ScriptRef((ordered.len() - 1) as u32);
        }
    };
    for server in &mut part.brain.virtual_servers {
        server.quorum_up.iter_mut().chain(&mut server.quorum_down).for_each(&mut number);
        for real in &mut server.real_servers {
            real.notify_up.iter_mut().chain(&mut real.notify_down).for_each(&mut number);
            for checker in &mut real.checkers {
                if let ProbeConfig::Misc(misc) = &mut checker.probe {
                    number(&mut misc.script);
                }
            }
        }
    }
    part.scripts = ordered;
}
