//! What scripts, FIFOs, mails and the service manager hear of changes.

use std::collections::HashMap;

use notify::{Alert, FifoLine, Owner, Script, VrrpEvent, VrrpScripts};
use vip::{Actual, Observation};
use vrrp::{Notification, NotifiedState, Routers, State};

use crate::logging::{detail, info};
use crate::notifier::Notifier;

/// What was told last, where it matters.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// The daemon is stopping.
    pub(super) stopping: bool,
    mailed: HashMap<String, VrrpEvent>,
    send_errors: HashMap<String, u64>,
}

impl Changes {
    /// Runs the scripts, writes the line, sends the mail of a change: the state's own script first, then the generic
    /// one, then the FIFO.
    pub(super) fn tell(
        &mut self,
        notification: &Notification,
        part: &conf::VrrpPart,
        global: &conf::Global,
        notifier: &mut Notifier,
    ) {
        let now = sys::clock::now();
        match notification {
            Notification::Instance { instance, state, priority } => {
                let number = instance.0 as usize;
                let (Some(brain), Some(settings)) = (part.brain.instances.get(number), part.instances.get(number))
                else {
                    return;
                };
                let event = event(*state);
                let line = FifoLine::Instance { name: brain.name.clone(), event, priority: priority.get() };
                notifier.scripts(now, Owner::Instance(brain.name.clone()), commands(&settings.scripts, event, &line));
                notifier.line(&line);
                if settings.smtp_alert {
                    self.mail(false, &brain.name, event, global, notifier);
                }
            }
            Notification::Group { group, state } => {
                let number = group.0 as usize;
                let (Some(brain), Some(settings)) = (part.brain.sync_groups.get(number), part.sync_groups.get(number))
                else {
                    return;
                };
                let event = event(*state);
                let line = FifoLine::Group { name: brain.name.clone(), event };
                notifier.scripts(now, Owner::Group(brain.name.clone()), commands(&settings.scripts, event, &line));
                notifier.line(&line);
                if settings.smtp_alert {
                    self.mail(true, &brain.name, event, global, notifier);
                }
            }
            Notification::MasterReceivedLowerPriority { instance, priority } => {
                let number = instance.0 as usize;
                let (Some(brain), Some(settings)) = (part.brain.instances.get(number), part.instances.get(number))
                else {
                    return;
                };
                let event = VrrpEvent::MasterReceivedLowerPriority;
                let line = FifoLine::Instance { name: brain.name.clone(), event, priority: priority.get() };
                let script =
                    settings.scripts.master_rx_lower_priority.iter().map(|script| (script.clone(), Vec::new()));
                notifier.scripts(now, Owner::Instance(brain.name.clone()), script.collect());
                notifier.line(&line);
            }
            Notification::PriorityChanged { instance, state, priority } => {
                let Some(brain) = part.brain.instances.get(instance.0 as usize) else { return };
                let event = match state {
                    State::Master => VrrpEvent::MasterPriority,
                    State::Init | State::Backup | State::Fault => VrrpEvent::BackupPriority,
                };
                notifier.line(&FifoLine::Instance { name: brain.name.clone(), event, priority: priority.get() });
            }
        }
    }

    fn mail(&mut self, group: bool, name: &str, event: VrrpEvent, global: &conf::Global, notifier: &mut Notifier) {
        let key = format!("{group} {name}");
        let repeated = self.mailed.insert(key, event) == Some(event);
        let unwanted = event == VrrpEvent::Fault && global.mail.as_ref().is_some_and(|mail| mail.no_faults);
        if !repeated
            && !unwanted
            && let Some(alert) = Alert::vrrp(group, name, event)
        {
            notifier.mail(&alert);
        }
    }

    /// `-a`: an address that appears or goes.
    pub(super) fn tell_address(&self, observation: &Observation, actual: &Actual) {
        let name = |index| actual.link(index).map_or_else(|| format!("#{index}"), |link| link.name.to_string());
        match observation {
            Observation::Address(address) => {
                let key = &address.key;
                info!("Netlink reflector reports IP {} added to {}", key.local, name(key.interface));
            }
            Observation::AddressGone(key) => {
                info!("Netlink reflector reports IP {} removed from {}", key.local, name(key.interface));
            }
            _ => {}
        }
    }

    /// An advert that did not leave: told once until another one is refused for another reason.
    pub(super) fn tell_send_error(&mut self, refused: &net::raw::SendError) {
        let text = format!("cannot send an advert to {}: {}", refused.destination, refused.source);
        let count = self.send_errors.entry(text.clone()).or_default();
        *count += 1;
        if *count == 1 {
            crate::logging::error!("{text}");
        } else if count.is_power_of_two() {
            detail(&format!("{text} ({count} times)"));
        }
        if self.send_errors.len() > 256 {
            self.send_errors.clear();
        }
    }

    /// `fifo_write_vrrp_states_on_reload`.
    pub(super) fn write_states(&self, routers: &Routers, notifier: &mut Notifier) {
        for instance in routers.instances() {
            let Some(event) = state_event(instance.state) else { continue };
            let priority = instance.effective_priority.get();
            notifier.line(&FifoLine::Instance { name: instance.config.name.clone(), event, priority });
        }
        for group in routers.groups() {
            let Some(event) = state_event(group.state) else { continue };
            notifier.line(&FifoLine::Group { name: group.config.name.clone(), event });
        }
    }
}

fn state_event(state: State) -> Option<VrrpEvent> {
    match state {
        State::Init => None,
        State::Backup => Some(VrrpEvent::Backup),
        State::Master => Some(VrrpEvent::Master),
        State::Fault => Some(VrrpEvent::Fault),
    }
}

fn event(state: NotifiedState) -> VrrpEvent {
    match state {
        NotifiedState::Master => VrrpEvent::Master,
        NotifiedState::Backup => VrrpEvent::Backup,
        NotifiedState::Fault => VrrpEvent::Fault,
        NotifiedState::Stop => VrrpEvent::Stop,
        NotifiedState::Deleted => VrrpEvent::Deleted,
    }
}

/// The state's own script without words, the generic one with the line's.
fn commands(scripts: &VrrpScripts, event: VrrpEvent, line: &FifoLine) -> Vec<(Script, Vec<String>)> {
    let own = match event {
        VrrpEvent::Master => &scripts.master,
        VrrpEvent::Backup => &scripts.backup,
        VrrpEvent::Fault => &scripts.fault,
        VrrpEvent::Stop => &scripts.stop,
        VrrpEvent::Deleted => &scripts.deleted,
        VrrpEvent::MasterReceivedLowerPriority | VrrpEvent::MasterPriority | VrrpEvent::BackupPriority => &None,
    };
    let own = own.iter().map(|script| (script.clone(), Vec::new()));
    own.chain(scripts.any.iter().map(|script| (script.clone(), line.script_words()))).collect()
}

/// `VI_1 MASTER, VI_2 BACKUP`, or counts where there are many.
pub(super) fn status_line(routers: &Routers) -> String {
    let word = |state| match state {
        State::Init => "INIT",
        State::Backup => "BACKUP",
        State::Master => "MASTER",
        State::Fault => "FAULT",
    };
    let all: Vec<_> = routers.instances().map(|instance| (instance.config.name.as_str(), instance.state)).collect();
    if all.len() <= 8 {
        let each: Vec<String> = all.iter().map(|(name, state)| format!("{name} {}", word(*state))).collect();
        return each.join(", ");
    }
    let counts = [State::Master, State::Backup, State::Fault, State::Init].into_iter().filter_map(|state| {
        let count = all.iter().filter(|(_, other)| *other == state).count();
        (count > 0).then(|| format!("{count} {}", word(state)))
    });
    format!("{} instances: {}", all.len(), counts.collect::<Vec<_>>().join(", "))
}
