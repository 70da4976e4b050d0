//! SIGHUP: the files are read again, and each child gets what concerns it.

use std::time::Duration;

use super::Supervisor;
use crate::configuration::{self, Loaded};
use crate::ipc::ToChild;
use crate::logging::{error, info, warning};
use crate::setup::Role;

impl Supervisor<'_> {
    /// SIGHUP: reads the files again. A configuration with new errors changes nothing.
    pub(super) fn reload(&mut self) {
        info!("Reloading ...");
        if let Some(manager) = &self.service_manager {
            manager.reloading(sys::clock::now());
        }
        let marker = configuration::ReloadMarker::create(&self.global, &self.pid_files.parent);
        let loaded = configuration::load(self.cli);
        drop(marker);
        let refused = match loaded {
            Ok(loaded) => {
                configuration::tell(&loaded);
                let new: Vec<&String> =
                    loaded.errors.iter().filter(|error| !self.accepted_errors.contains(error)).collect();
                match new.first() {
                    None => {
                        self.accepted_errors.clone_from(&loaded.errors);
                        self.apply(loaded);
                        return;
                    }
                    Some(first) => format!("{} (and {} more)", first, new.len() - 1).replace(" (and 0 more)", ""),
                }
            }
            Err(refused) => refused.to_string(),
        };
        if let Some(log) = &self.global.reload_check_config {
            info!("New config failed validation, see {log} for details");
            if let Err(unwritten) = std::fs::write(log, format!("{refused}\n")) {
                warning!("cannot write {log}: {unwritten}");
            }
        }
        self.metrics.reloaded(false);
        error!("Reload refused, the running configuration stays: {refused}");
        if let Some(manager) = &self.service_manager {
            manager.ready();
            manager.status(&format!("Reload refused: {refused}"));
        }
    }

    pub(super) fn apply(&mut self, mut loaded: Loaded) {
        self.keep_what_cannot_change(&mut loaded.configuration.global);
        self.global = loaded.configuration.global.clone();
        let setups = self.setups_of(loaded.configuration);
        let mut waiting = Vec::new();
        for role in Role::ALL {
            match (setups.get(&role), &self.children[role as usize]) {
                (Some(setup), Some(_)) => {
                    waiting.push(role);
                    let message = ToChild::Reload(Box::new(setup.clone()));
                    self.tell(role, &message);
                }
                (None, Some(child)) => child.terminate(),
                (_, None) => {}
            }
        }
        self.metrics.reloaded(true);
        self.metrics.listen(self.global.metrics);
        self.setups = setups;
        self.reloading = Some(waiting);
        for role in Role::ALL {
            if self.setups.contains_key(&role)
                && self.children[role as usize].is_none()
                && !self.respawns.contains_key(&role)
            {
                // What cannot be started now is tried again as a dead child would be.
                if self.start(role).is_err() {
                    self.respawns.entry(role).or_default().schedule(sys::clock::now(), Duration::ZERO);
                }
            }
        }
        self.answered(Role::Bfd);
    }

    fn keep_what_cannot_change(&self, new: &mut conf::Global) {
        let keep = |what: &str, differs: bool| {
            if differs {
                warning!("Cannot change {what} at a reload - please restart keepalived");
            }
        };
        keep("network namespace", new.net_namespace != self.global.net_namespace);
        keep("IPVS network namespace", new.net_namespace_ipvs != self.global.net_namespace_ipvs);
        keep("instance name", new.instance_name != self.global.instance_name);
        new.net_namespace.clone_from(&self.global.net_namespace);
        new.net_namespace_ipvs.clone_from(&self.global.net_namespace_ipvs);
        new.instance_name.clone_from(&self.global.instance_name);
        new.use_pid_dir = self.global.use_pid_dir;
    }
}
