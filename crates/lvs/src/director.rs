//! The director: verdicts of checkers become a desired IPVS table, and it decides when each check runs.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use ipvs::{Foreign, ServiceKey};
use types::{Instant, Weight};

use crate::probe::{CheckerAt, Conclusion, Probe, ProbeKey};
use crate::schedule::{Schedule, Spread};
use crate::server::VirtualServer;
use crate::transitions::Effects;
use crate::{Action, CheckerConfig, Config, Event, Level, Outcome, ProbeConfig, ProbeId, Remembered, text};

/// How often the kernel's table is compared with what should stand there.
const COMPARE_INTERVAL: Duration = Duration::from_secs(60);
/// Pause before the first check of all, as keepalived has it; the warmup follows.
const FIRST_CHECK: Duration = Duration::from_secs(1);

/// Everything the checker process decides.
///
/// Feed it events, perform the actions in their order, and call [`Director::handle_timeout`] at [`Director::next_deadline`]. The cost of an event grows with what it changes, not
/// with what is configured.
#[derive(Debug)]
pub struct Director {
    pub(crate) config: Config,
    pub(crate) virtual_servers: Vec<VirtualServer>,
    pub(crate) probes: HashMap<ProbeId, Probe>,
    pub(crate) probe_ids: HashMap<ProbeKey, ProbeId>,
    pub(crate) next_probe: u64,
    pub(crate) schedule: Schedule,
    pub(crate) spread: Spread,
    /// Services that several virtual servers use, with these in the order of the file.
    pub(crate) shared: HashMap<ServiceKey, Vec<usize>>,
    /// Checkers of each `track_file` and BFD session.
    pub(crate) files: HashMap<String, Vec<CheckerAt>>,
    pub(crate) sessions: HashMap<String, Vec<CheckerAt>>,
    pub(crate) file_values: HashMap<String, i64>,
    pub(crate) session_states: HashMap<String, bool>,
    /// Addresses of the host, with the number of interfaces that have them.
    pub(crate) addresses: HashMap<IpAddr, u32>,
    pub(crate) scripts: Vec<String>,
    /// Services that the kernel refused; they are no sign of somebody else's hand.
    pub(crate) refused: std::collections::HashSet<ServiceKey>,
    pub(crate) order: u64,
    /// The table was read for the first time, so changes are told one by one.
    pub(crate) adopted: bool,
    pub(crate) reading: bool,
    pub(crate) changed_since_read: bool,
    compare_at: Instant,
    pub(crate) stopped: bool,
}

impl Director {
    /// Starts with `config`. `remembered` is what [`Director::remember`] said before a crash (or the default); `seed` spreads the first checks over their warmup.
    ///
    /// The kernel's table is adopted: [`Action::ReadTable`] comes first, and what it shows is compared with [`Director::desired`]. Until then no table operation is handed out.
    pub fn new(config: Config, now: Instant, remembered: &Remembered, seed: u64, out: &mut Vec<Action>) -> Self {
        let mut director = Self {
            config: Config::default(),
            virtual_servers: Vec::new(),
            probes: HashMap::new(),
            probe_ids: HashMap::new(),
            next_probe: 0,
            schedule: Schedule::default(),
            spread: Spread::new(seed),
            shared: HashMap::new(),
            files: HashMap::new(),
            sessions: HashMap::new(),
            file_values: HashMap::new(),
            session_states: HashMap::new(),
            addresses: HashMap::new(),
            scripts: Vec::new(),
            refused: Default::default(),
            order: 0,
            adopted: false,
            reading: true,
            changed_since_read: false,
            compare_at: now + COMPARE_INTERVAL,
            stopped: false,
        };
        director.start(now, config, remembered, out);
        director
    }

    /// The table's commands as they are written, by [`crate::ScriptRef`], for the lines of MISC_CHECK.
    pub fn name_scripts(&mut self, scripts: Vec<String>) {
        self.scripts = scripts;
    }

    /// Something happened.
    pub fn handle(&mut self, now: Instant, event: Event, out: &mut Vec<Action>) {
        if self.stopped {
            return;
        }
        match event {
            Event::Probe { probe, outcome } => self.probe_ended(now, probe, outcome, out),
            Event::File { name, value } => self.file_changed(&name, value.unwrap_or(0), out),
            Event::Bfd { name, up } => self.session_changed(&name, up, out),
            Event::AddressPresent(address) => {
                *self.addresses.entry(address).or_default() += 1;
                self.addresses_changed(now, out);
            }
            Event::AddressAbsent(address) => {
                if let Some(count) = self.addresses.get_mut(&address) {
                    *count -= 1;
                    if *count == 0 {
                        self.addresses.remove(&address);
                    }
                    self.addresses_changed(now, out);
                }
            }
            Event::Compare => self.compare(now, out),
            Event::KernelTable(table) => self.table_read(&table, out),
            Event::Refused(service) => {
                self.refused.insert(service);
            }
            Event::SetWeight { virtual_server, real_server, weight } => {
                self.set_weight(virtual_server, real_server, weight, out);
            }
            Event::Shutdown => self.stop(out),
        }
    }

    /// The time of [`Director::next_deadline`] has come; early or repeated calls change nothing.
    pub fn handle_timeout(&mut self, now: Instant, out: &mut Vec<Action>) {
        if self.stopped {
            return;
        }
        while let Some((at, id)) = self.schedule.peek().filter(|(at, _)| *at <= now) {
            self.schedule.pop();
            let Some(probe) = self.probes.get_mut(&id).filter(|probe| probe.due() == Some(at)) else { continue };
            let url = probe.start(now);
            out.push(Action::StartProbe { probe: id, config: probe.key.config.clone(), url });
        }
        if self.compare_at <= now {
            self.compare(now, out);
        }
    }

    /// When [`Director::handle_timeout`] is wanted. Now and then this is the moment of a check that a reload has dropped; the call then does nothing.
    pub fn next_deadline(&self) -> Option<Instant> {
        if self.stopped {
            return None;
        }
        let check = self.schedule.peek().map(|(at, _)| at);
        Some(check.map_or(self.compare_at, |at| at.min(self.compare_at)))
    }

    /// The table as it should stand; made when asked (its cost is that of the whole configuration).
    pub fn desired(&self) -> ipvs::Table {
        self.table()
    }

    /// The configuration that holds.
    pub fn config(&self) -> &Config {
        &self.config
    }

    fn compare(&mut self, now: Instant, out: &mut Vec<Action>) {
        self.compare_at = now + COMPARE_INTERVAL;
        self.reading = true;
        self.changed_since_read = false;
        out.push(Action::ReadTable);
    }

    /// The kernel's table: adopted the first time, mended when somebody else has changed it.
    fn table_read(&mut self, standing: &ipvs::Table, out: &mut Vec<Action>) {
        if !std::mem::take(&mut self.reading) {
            return;
        }
        if self.changed_since_read {
            // read before our last change was made: it tells of the past
            self.reading = true;
            self.changed_since_read = false;
            out.push(Action::ReadTable);
            return;
        }
        let first = !std::mem::replace(&mut self.adopted, true);
        let foreign = if first && self.config.flush { Foreign::Remove } else { Foreign::Keep };
        let operations = ipvs::plan(&self.table(), standing, foreign);
        let ours = operations
            .iter()
            .filter(|operation| operation.service().is_none_or(|service| !self.refused.contains(&service)));
        let count = ours.count();
        if !first && count > 0 {
            let text = format!("IPVS table is not as it should be ({count} changes by somebody else): putting it back");
            out.push(Action::Log(Level::Warning, text));
        }
        self.emit(operations, out);
        self.changed_since_read = false;
    }

    fn probe_ended(&mut self, now: Instant, id: ProbeId, outcome: Outcome, out: &mut Vec<Action>) {
        let Some(probe) = self.probes.get_mut(&id) else { return };
        let Some(conclusion) = probe.conclude(now, outcome) else { return };
        if conclusion == Conclusion::Continue {
            let url = probe.start(now);
            out.push(Action::StartProbe { probe: id, config: probe.key.config.clone(), url });
            return;
        }
        if let Some(at) = probe.due() {
            self.schedule.add(at, id);
        }
        let unheard = match &conclusion {
            Conclusion::StillUp { first } => !first && !probe.is_dynamic(),
            Conclusion::Retry(_) => !probe.key.log_all_failures,
            Conclusion::StillDown { first, .. } => !first && !probe.key.log_all_failures,
            _ => false,
        };
        if unheard {
            return;
        }
        let mut effects = Effects::default();
        let (config, users) = (probe.key.config.clone(), probe.users.clone());
        for at in users {
            self.probe_concluded(id, &config, at, &conclusion, &mut effects);
        }
        effects.lines.dedup();
        self.carry_out(effects, out);
    }

    /// What a probe's conclusion means for one of its users.
    fn probe_concluded(
        &mut self,
        id: ProbeId,
        config: &ProbeConfig,
        at: CheckerAt,
        conclusion: &Conclusion,
        effects: &mut Effects,
    ) {
        let Some(probe) = self.probes.get(&id) else { return };
        let (number, real) = (at.virtual_server as usize, at.real_server as usize);
        let server = self.server_name(number, real).to_string();
        let script = match config {
            ProbeConfig::Misc(misc) => self.scripts.get(misc.script.0 as usize).map_or("script", String::as_str),
            _ => "",
        };
        let subject = text::Subject { server: &server, virtual_server: &self.virtual_servers[number].name, script };
        let reason = probe.reason.as_deref().unwrap_or("");
        let retries = probe.failures;
        match conclusion {
            Conclusion::Continue => {}
            Conclusion::NotRun(reason) => {
                effects.lines.push(Action::Log(Level::Warning, text::not_run(config, &subject, reason)));
            }
            Conclusion::StillUp { first } => {
                if *first {
                    effects.log(text::succeeded(config, &subject));
                }
                self.take_probe_weight(id, at, effects);
            }
            Conclusion::Retry(_) => effects.log(text::attempt_failed(config, &subject, reason)),
            Conclusion::StillDown { first: true, .. } => {
                for line in text::failed(config, &subject, reason, 0) {
                    effects.log(line);
                }
                // the first result of a server that starts down is told though it changes nothing
                effects.messages.push(self.server_notification(number, real, false));
            }
            Conclusion::StillDown { first: false, .. } => {
                effects.log(text::attempt_failed(config, &subject, reason));
            }
            Conclusion::Up => {
                effects.log(text::succeeded(config, &subject));
                let told = text::mail_body(config, true, "");
                self.take_probe_weight(id, at, effects);
                self.set_checker(at, true, told, effects);
            }
            Conclusion::Down => {
                for line in text::failed(config, &subject, reason, retries) {
                    effects.log(line);
                }
                let told = text::mail_body(config, false, reason);
                self.set_checker(at, false, told, effects);
            }
        }
    }

    /// `misc_dynamic`: the script's weight replaces the file's, as a difference, so that several scripts add up.
    fn take_probe_weight(&mut self, id: ProbeId, at: CheckerAt, effects: &mut Effects) {
        let Some(probe) = self.probes.get(&id).filter(|probe| probe.is_dynamic()) else { return };
        let server = &mut self.virtual_servers[at.virtual_server as usize].servers[at.real_server as usize];
        let delta = probe.weight.map_or(0, |weight| i64::from(weight) - i64::from(server.base_weight.get()));
        let checker = &mut server.checkers[at.checker as usize];
        if checker.delta != delta {
            checker.delta = delta;
            self.update_weight(at.virtual_server as usize, at.real_server as usize, effects);
        }
    }

    fn file_changed(&mut self, name: &str, value: i64, out: &mut Vec<Action>) {
        self.file_values.insert(name.to_owned(), value);
        let mut effects = Effects::default();
        for at in self.files.get(name).cloned().unwrap_or_default() {
            let (up, delta) = file_verdict(&self.checker_config(at).probe, value);
            let (number, real) = (at.virtual_server as usize, at.real_server as usize);
            let checker = &mut self.virtual_servers[number].servers[real].checkers[at.checker as usize];
            let was_up = checker.up;
            if checker.delta != delta {
                checker.delta = delta;
                self.update_weight(number, real, &mut effects);
            }
            self.tell_checker(at, was_up, up, &format!("value {value} of {name}"), &mut effects);
        }
        self.carry_out(effects, out);
    }

    fn session_changed(&mut self, name: &str, up: bool, out: &mut Vec<Action>) {
        self.session_states.insert(name.to_owned(), up);
        let mut effects = Effects::default();
        for at in self.sessions.get(name).cloned().unwrap_or_default() {
            let (number, real) = (at.virtual_server as usize, at.real_server as usize);
            let was_up = self.virtual_servers[number].servers[real].checkers[at.checker as usize].up;
            self.tell_checker(at, was_up, up, "session is down", &mut effects);
        }
        self.carry_out(effects, out);
    }

    /// A checker without a probe says something new.
    fn tell_checker(&mut self, at: CheckerAt, was_up: bool, up: bool, reason: &str, effects: &mut Effects) {
        if was_up == up {
            return;
        }
        let (number, real) = (at.virtual_server as usize, at.real_server as usize);
        let server = self.server_name(number, real).to_string();
        let config = self.checker_config(at).probe.clone();
        let subject = text::Subject { server: &server, virtual_server: &self.virtual_servers[number].name, script: "" };
        match up {
            true => effects.log(text::succeeded(&config, &subject)),
            false => text::failed(&config, &subject, reason, 0).into_iter().for_each(|line| effects.log(line)),
        }
        let told = text::mail_body(&config, up, reason);
        self.set_checker(at, up, told, effects);
    }

    fn set_weight(&mut self, number: usize, real: usize, weight: Weight, out: &mut Vec<Action>) {
        let server = self.virtual_servers.get_mut(number).and_then(|state| state.servers.get_mut(real));
        let Some(server) = server else { return };
        server.base_weight = weight;
        let mut effects = Effects::default();
        self.update_weight(number, real, &mut effects);
        self.carry_out(effects, out);
    }

    /// `ha_suspend`: checks run only while one of the virtual server's addresses is on the host.
    fn addresses_changed(&mut self, now: Instant, out: &mut Vec<Action>) {
        for number in 0..self.virtual_servers.len() {
            if !self.config.virtual_servers[number].ha_suspend {
                continue;
            }
            let suspended = self.is_suspended(number);
            if suspended != self.virtual_servers[number].suspended {
                self.virtual_servers[number].suspended = suspended;
                self.suspend_or_activate(now, number, out);
            }
        }
    }

    /// Whether `ha_suspend` holds the checks back: the virtual server has addresses, and none of them is on the host.
    pub(crate) fn is_suspended(&self, number: usize) -> bool {
        if !self.config.virtual_servers[number].ha_suspend {
            return false;
        }
        let mut addresses = self.virtual_servers[number].services.iter().filter_map(|service| match service {
            ServiceKey::Address { address, .. } => Some(*address),
            ServiceKey::Mark { .. } => None,
        });
        let Some(first) = addresses.next() else { return false };
        !self.addresses.contains_key(&first) && !addresses.any(|address| self.addresses.contains_key(&address))
    }

    fn suspend_or_activate(&mut self, now: Instant, number: usize, out: &mut Vec<Action>) {
        let suspended = self.virtual_servers[number].suspended;
        for real in 0..self.virtual_servers[number].servers.len() {
            for checker in 0..self.virtual_servers[number].servers[real].checkers.len() {
                let source = self.virtual_servers[number].servers[real].checkers[checker].source;
                let crate::server::Source::Probe(id) = source else { continue };
                let Some(probe) = self.probes.get_mut(&id) else { continue };
                let word = if suspended { "Suspending" } else { "Activating" };
                if suspended {
                    if probe.is_running() {
                        out.push(Action::AbortProbe(id));
                    }
                    probe.suspend();
                } else {
                    // a director that has just got the address wants to know soon, but not about all servers at once
                    let at = now + self.spread.part_of(probe.key.delay_loop.min(FIRST_CHECK));
                    probe.enabled = true;
                    probe.wait_until(at);
                    self.schedule.add(at, id);
                }
                out.push(self.activity(number, real, word));
            }
        }
    }

    /// Plans the first run of a new check.
    pub(crate) fn plan_first_run(&mut self, now: Instant, id: ProbeId) {
        let Some(probe) = self.probes.get_mut(&id) else { return };
        let at = now + FIRST_CHECK + self.spread.part_of(probe.key.warmup);
        probe.wait_until(at);
        self.schedule.add(at, id);
    }

    /// `Activating healthchecker for service … for VS …`
    pub(crate) fn activity(&self, number: usize, real: usize, word: &str) -> Action {
        let (server, name) = (self.server_name(number, real), &self.virtual_servers[number].name);
        Action::Log(Level::Info, format!("{word} healthchecker for service {server} for VS {name}"))
    }

    pub(crate) fn checker_config(&self, at: CheckerAt) -> &CheckerConfig {
        let real = &self.config.virtual_servers[at.virtual_server as usize].real_servers[at.real_server as usize];
        &real.checkers[at.checker as usize]
    }
}

/// FILE_CHECK: whether the server is up, and what is added to its weight.
///
/// Weight 0 makes every value but 0 a failure (with `reverse`, 0 is the failure); else value × weight is added, and a sum of −2147483648 or less is a failure.
pub(crate) fn file_verdict(probe: &ProbeConfig, value: i64) -> (bool, i64) {
    let ProbeConfig::File { weight, reverse, .. } = probe else { return (true, 0) };
    if *weight == 0 {
        return ((value == 0) != *reverse, 0);
    }
    let product = value.saturating_mul(*weight);
    let added = if *reverse { product.saturating_neg() } else { product };
    (added > i64::from(i32::MIN), added.clamp(i64::from(i32::MIN), i64::from(i32::MAX)))
}
