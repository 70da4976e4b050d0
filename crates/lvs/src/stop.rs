//! What goes: servers that a reload removed, and everything at the end.

use std::collections::HashSet;
use std::net::SocketAddr;

use ipvs::Operation;

use crate::names::{ServerName, protocol};
use crate::server::VirtualServer;
use crate::transitions::{Effects, direction};
use crate::{Action, Director, FlushOnStop, Mail, Notification, VirtualServerConfig};

/// A virtual server of the former configuration.
pub(crate) struct Gone<'a> {
    pub(crate) number: usize,
    pub(crate) config: &'a VirtualServerConfig,
    pub(crate) state: &'a VirtualServer,
}

impl Gone<'_> {
    /// Its servers that `is_gone` names have been removed from the configuration.
    pub(crate) fn tell_servers(&self, is_gone: impl Fn(SocketAddr) -> bool, effects: &mut Effects) {
        let name = &self.state.name;
        for (real, (config, state)) in self.config.real_servers.iter().zip(&self.state.servers).enumerate() {
            if !is_gone(config.address) {
                continue;
            }
            let server = ServerName { address: config.address, protocol: protocol(&self.config.target) };
            effects.log(format!("service {server} no longer exist"));
            match (state.up(), state.placed.is_some()) {
                (true, _) => effects.log(format!("Removing service {server} from VS {name}")),
                (false, true) => effects.log(format!("Removing inhibited service {server} from VS {name}")),
                (false, false) => {}
            }
            if !state.up() {
                continue;
            }
            let line = format!("RS {server} {name} {}\n", direction(false));
            effects.messages.push(Action::Notify(Notification {
                virtual_server: self.number,
                real_server: Some(real),
                up: false,
                script: config.notify_down,
                line,
            }));
            if config.smtp_alert {
                let subject = format!("Realserver {server} of virtual server {name} - {}", direction(false));
                let body = String::from("=> Removing <=");
                effects.messages.push(Action::Mail(Mail { subject, body, checker_only: false }));
            }
        }
    }

    pub(crate) fn quorum_notification(&self) -> Action {
        Action::Notify(Notification {
            virtual_server: self.number,
            real_server: None,
            up: false,
            script: self.config.quorum_down,
            line: format!("VS {} {}\n", self.state.name, direction(false)),
        })
    }
}

impl Director {
    /// The daemon stops: checks end, the table is taken down, `omega` scripts run.
    pub(crate) fn stop(&mut self, out: &mut Vec<Action>) {
        let running = self.probes.iter().filter(|(_, probe)| probe.is_running());
        out.extend(running.map(|(id, _)| Action::AbortProbe(*id)));
        let mut effects = Effects { operations: self.taking_down(), ..Effects::default() };
        for number in 0..self.virtual_servers.len() {
            self.tell_stop(number, &mut effects);
        }
        self.carry_out(effects, out);
        if self.config.timeouts.is_some() {
            out.push(Action::RestoreTimeouts);
        }
        if self.config.sync_daemon.as_ref().is_some_and(|daemon| daemon.instance.is_none()) {
            out.push(Action::SyncDaemons(Vec::new()));
        }
        self.stopped = true;
    }

    /// A service takes its servers along, so these are not removed one by one.
    fn taking_down(&self) -> Vec<Operation> {
        if self.config.flush_on_stop == FlushOnStop::Everything {
            return vec![Operation::Flush];
        }
        let mut seen = HashSet::new();
        let keys = self.virtual_servers.iter().flat_map(|state| &state.services);
        keys.filter(|key| seen.insert(**key)).map(|key| Operation::DeleteService { key: *key }).collect()
    }

    fn tell_stop(&self, number: usize, effects: &mut Effects) {
        let (config, state) = (&self.config.virtual_servers[number], &self.virtual_servers[number]);
        let name = &state.name;
        for (real, server) in state.servers.iter().enumerate() {
            let text = self.server_name(number, real);
            match (server.up(), server.placed.is_some()) {
                (false, true) => effects.log(format!("Removing inhibited service {text} from VS {name}")),
                _ => effects.log(format!("Shutting down service {text} from VS {name}")),
            }
            if !config.omega || !server.up() {
                continue;
            }
            effects.messages.push(self.server_notification(number, real, false));
            if config.real_servers[real].smtp_alert {
                let subject = format!("Realserver {text} of virtual server {name} - {}", direction(false));
                let body = String::from("=> Shutting down <=");
                effects.messages.push(Action::Mail(Mail { subject, body, checker_only: false }));
            }
        }
        if config.omega && state.quorum_met {
            effects.messages.push(self.quorum_notification(number, false));
        }
    }
}
