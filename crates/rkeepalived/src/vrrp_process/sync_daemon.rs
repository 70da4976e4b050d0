//! The IPVS connection synchronisation daemon whose role follows an instance.

use ipvs::{Daemon, DaemonRole};
use lvs::SyncDaemonConfig;
use net::ipvs::Ipvs;
use vrrp::{InstanceId, Notification, NotifiedState, Routers, State};

use crate::logging::error;

/// `lvs_sync_daemon IFACE inst NAME`; does nothing where none is configured.
#[derive(Debug)]
pub(super) struct SyncDaemon {
    config: Option<SyncDaemonConfig>,
    instance: Option<InstanceId>,
    default_id: u8,
    ipvs: Option<Ipvs>,
}

impl SyncDaemon {
    /// Opens IPVS now, because loading its module may take long and must not happen during a takeover.
    pub(super) fn new(config: Option<SyncDaemonConfig>, part: &conf::VrrpPart) -> Self {
        let mut daemon = Self { config, instance: None, default_id: 0, ipvs: None };
        daemon.find(part);
        daemon
    }

    fn find(&mut self, part: &conf::VrrpPart) {
        let wanted = self.config.as_ref().and_then(|config| config.instance.as_deref());
        let found =
            wanted.and_then(|name| part.brain.instances.iter().enumerate().find(|(_, instance)| instance.name == name));
        self.instance = found.map(|(number, _)| InstanceId(number as u32));
        self.default_id = found.map_or(0, |(_, instance)| instance.vrid.get());
        if self.instance.is_some() && self.ipvs.is_none() {
            match Ipvs::open() {
                Ok(ipvs) => self.ipvs = Some(ipvs),
                Err(refused) => error!("lvs_sync_daemon: {refused}"),
            }
        }
    }

    /// Another configuration: the role of now is taken again where something differs.
    pub(super) fn reconfigure(&mut self, config: Option<SyncDaemonConfig>, part: &conf::VrrpPart, routers: &Routers) {
        let changed = config != self.config;
        if changed {
            self.stop();
        }
        self.config = config;
        self.find(part);
        if changed && let Some(view) = self.instance.and_then(|instance| routers.instance(instance)) {
            self.be(if view.state == State::Master { DaemonRole::Master } else { DaemonRole::Backup });
        }
    }

    /// Takes the role that goes with a new state.
    pub(super) fn follow(&mut self, notification: &Notification) {
        let Notification::Instance { instance, state, .. } = notification else { return };
        if self.instance != Some(*instance) {
            return;
        }
        match state {
            NotifiedState::Master => self.be(DaemonRole::Master),
            NotifiedState::Backup | NotifiedState::Fault => self.be(DaemonRole::Backup),
            NotifiedState::Stop | NotifiedState::Deleted => self.stop(),
        }
    }

    fn be(&mut self, role: DaemonRole) {
        let (Some(ipvs), Some(config)) = (&mut self.ipvs, &self.config) else { return };
        let daemon = Daemon {
            role,
            interface: config.interface.clone(),
            sync_id: config.id.unwrap_or(self.default_id),
            max_len: config.max_len,
            group: config.group,
            port: config.port,
            ttl: config.ttl,
        };
        let other = match role {
            DaemonRole::Master => DaemonRole::Backup,
            DaemonRole::Backup => DaemonRole::Master,
        };
        for done in [ipvs.stop_daemon(other), ipvs.stop_daemon(role), ipvs.start_daemon(&daemon)] {
            if let Err(refused) = done {
                error!("lvs_sync_daemon: {refused}");
            }
        }
    }

    /// Runs in neither role.
    pub(super) fn stop(&mut self) {
        let Some(ipvs) = &mut self.ipvs else { return };
        for role in [DaemonRole::Master, DaemonRole::Backup] {
            if let Err(refused) = ipvs.stop_daemon(role) {
                error!("lvs_sync_daemon: {refused}");
            }
        }
    }
}
