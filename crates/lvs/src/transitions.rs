//! Checker, server, quorum: how a verdict travels upwards, and who is told.

use ipvs::Operation;
use types::Weight;

use crate::names::{ServerName, protocol};
use crate::probe::CheckerAt;
use crate::server::{Slot, quorum};
use crate::{Action, Director, Level, Mail, Notification};

/// What one event changes, kept until the table is changed: the table goes first, lines and messages after.
#[derive(Default)]
pub(crate) struct Effects {
    pub(crate) operations: Vec<Operation>,
    /// Lines, in keepalived's order.
    pub(crate) lines: Vec<Action>,
    /// Notifications and mails.
    pub(crate) messages: Vec<Action>,
}

impl Effects {
    pub(crate) fn log(&mut self, line: String) {
        self.lines.push(Action::Log(Level::Info, line));
    }
}

impl Director {
    pub(crate) fn carry_out(&mut self, effects: Effects, out: &mut Vec<Action>) {
        self.emit(effects.operations, out);
        out.extend(effects.lines);
        out.extend(effects.messages);
    }

    /// A checker says something new about its server. `told` is the mail's line.
    pub(crate) fn set_checker(&mut self, at: CheckerAt, up: bool, told: String, effects: &mut Effects) {
        let (number, real) = (at.virtual_server as usize, at.real_server as usize);
        let server = &mut self.virtual_servers[number].servers[real];
        let was_up = server.up();
        let checker = &mut server.checkers[at.checker as usize];
        match (checker.up, up) {
            (true, false) => server.failed += 1,
            (false, true) => server.failed -= 1,
            _ => {}
        }
        checker.up = up;
        let is_up = server.up();
        let mail = self.server_mail(number, real, told, was_up == is_up);
        if was_up != is_up {
            self.server_changed(number, real, effects);
        }
        effects.messages.extend(mail);
    }

    /// A server went up or down.
    fn server_changed(&mut self, number: usize, real: usize, effects: &mut Effects) {
        let up = self.virtual_servers[number].servers[real].up();
        self.recount(number, real, up);
        let inhibit = self.config.virtual_servers[number].real_servers[real].inhibit_on_failure;
        let (server, name) = (self.server_name(number, real), &self.virtual_servers[number].name);
        effects.log(match (up, inhibit) {
            (true, false) => format!("Adding service {server} to VS {name}"),
            (true, true) => format!("Enabling service {server} of VS {name}"),
            (false, false) => format!("Removing service {server} from VS {name}"),
            (false, true) => format!("Disabling service {server} of VS {name}"),
        });
        self.place(number, Slot::Server(real), &mut effects.operations);
        effects.messages.push(self.server_notification(number, real, up));
        self.update_quorum(number, effects);
    }

    fn recount(&mut self, number: usize, real: usize, up: bool) {
        let state = &mut self.virtual_servers[number];
        let weight = u64::from(state.servers[real].effective_weight().get());
        match up {
            true => {
                state.live += 1;
                state.live_weight += weight;
            }
            false => {
                state.live -= 1;
                state.live_weight -= weight;
            }
        }
    }

    /// The quorum is gained or lost, or stays.
    pub(crate) fn update_quorum(&mut self, number: usize, effects: &mut Effects) {
        let config = &self.config.virtual_servers[number];
        let state = &mut self.virtual_servers[number];
        let met = quorum(config, state.quorum_met, state.live, state.live_weight);
        if met == state.quorum_met {
            return;
        }
        state.quorum_met = met;
        let sum = self.quorum_sum(number, met);
        let name = &self.virtual_servers[number].name;
        let word = if met { "Gained" } else { "Lost" };
        effects.log(format!("{word} quorum {sum} for VS {name}"));
        self.swap_sorry(number, effects);
        effects.messages.push(self.quorum_notification(number, met));
        effects.messages.extend(self.quorum_mail(number, met, format!("=> {word} quorum {sum} <=")));
    }

    /// Servers make room for the sorry server, or it for them. Whoever comes, comes first.
    pub(crate) fn swap_sorry(&mut self, number: usize, effects: &mut Effects) {
        let config = &self.config.virtual_servers[number];
        let Some(sorry) = &config.sorry_server else { return };
        let name = &self.virtual_servers[number].name;
        let server = ServerName { address: sorry.address, protocol: protocol(&config.target) };
        match (self.virtual_servers[number].quorum_met, sorry.inhibit) {
            (false, inhibit) => {
                let word = if inhibit { "Enabling" } else { "Adding" };
                effects.log(format!("{word} sorry server {server} to VS {name}"));
                effects.log(format!("Removing alive servers from the pool for VS {name}"));
            }
            (true, inhibit) => {
                let word = if inhibit { "Disabling" } else { "Removing" };
                effects.log(format!("Adding alive servers to the pool for VS {name}"));
                effects.log(format!("{word} sorry server {server} from VS {name}"));
            }
        }
        self.place_all(number, &mut effects.operations);
    }

    /// What its checkers (or somebody by hand) make of a server's weight.
    pub(crate) fn update_weight(&mut self, number: usize, real: usize, effects: &mut Effects) {
        let state = &mut self.virtual_servers[number];
        let server = &mut state.servers[real];
        let (old, new) = (server.weight, server.sum_weight());
        if old == new {
            return;
        }
        let before = u64::from(server.effective_weight().get());
        server.weight = new;
        let up = server.up();
        if up {
            state.live_weight = state.live_weight - before + u64::from(server.effective_weight().get());
        }
        let activity = if up { "active" } else { "inactive" };
        let (server, name) = (self.server_name(number, real), &self.virtual_servers[number].name);
        let (from, to) = (Weight::saturating(old), Weight::saturating(new));
        effects.log(format!("Changing weight from {from} to {to} for {activity} service {server} of VS {name}"));
        self.place(number, Slot::Server(real), &mut effects.operations);
        self.update_quorum(number, effects);
    }

    /// `Q+H=T <= W` or `Q-H=T > W`.
    pub(crate) fn quorum_sum(&self, number: usize, met: bool) -> String {
        let config = &self.config.virtual_servers[number];
        let (quorum, hysteresis) = (i64::from(config.quorum), i64::from(config.hysteresis));
        let weight = self.virtual_servers[number].live_weight;
        match met {
            true => format!("{quorum}+{hysteresis}={} <= {weight}", quorum + hysteresis),
            false => format!("{quorum}-{hysteresis}={} > {weight}", quorum - hysteresis),
        }
    }

    pub(crate) fn server_name(&self, number: usize, real: usize) -> ServerName {
        let config = &self.config.virtual_servers[number];
        ServerName { address: config.real_servers[real].address, protocol: protocol(&config.target) }
    }

    pub(crate) fn server_notification(&self, number: usize, real: usize, up: bool) -> Action {
        let config = &self.config.virtual_servers[number].real_servers[real];
        let name = &self.virtual_servers[number].name;
        Action::Notify(Notification {
            virtual_server: number,
            real_server: Some(real),
            up,
            script: if up { config.notify_up } else { config.notify_down },
            line: format!("RS {} {name} {}\n", self.server_name(number, real), direction(up)),
        })
    }

    pub(crate) fn quorum_notification(&self, number: usize, up: bool) -> Action {
        let config = &self.config.virtual_servers[number];
        Action::Notify(Notification {
            virtual_server: number,
            real_server: None,
            up,
            script: if up { config.quorum_up } else { config.quorum_down },
            line: format!("VS {} {}\n", self.virtual_servers[number].name, direction(up)),
        })
    }

    /// The mail about a server; its subject tells the state of the server as a whole.
    pub(crate) fn server_mail(&self, number: usize, real: usize, body: String, checker_only: bool) -> Option<Action> {
        if !self.config.virtual_servers[number].real_servers[real].smtp_alert {
            return None;
        }
        let state = &self.virtual_servers[number];
        let (server, up) = (self.server_name(number, real), direction(state.servers[real].up()));
        let subject = format!("Realserver {server} of virtual server {} - {up}", state.name);
        Some(Action::Mail(Mail { subject, body, checker_only }))
    }

    pub(crate) fn quorum_mail(&self, number: usize, up: bool, body: String) -> Option<Action> {
        if !self.config.virtual_servers[number].smtp_alert {
            return None;
        }
        let subject = format!("Virtualserver {} - {}", self.virtual_servers[number].name, direction(up));
        Some(Action::Mail(Mail { subject, body, checker_only: false }))
    }
}

pub(crate) fn direction(up: bool) -> &'static str {
    if up { "UP" } else { "DOWN" }
}
