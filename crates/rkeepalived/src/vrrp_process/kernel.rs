//! Between the keeper and the kernel: what is observed goes in, operations come out and are performed.

use vip::{Consequence, Observation, Operation, Outcome};
use vrrp::{Event, InstanceId};

use super::{Process, holdings};
use crate::logging::{error, info, warning};

impl Process {
    /// Reads what the kernel tells, and passes on what follows from it.
    pub(super) fn observe(&mut self, whole: bool) -> Result<(), String> {
        let (mut operations, mut consequences) = (Vec::new(), Vec::new());
        let (keeper, changes, tell) = (&mut self.keeper, &self.changes, self.options.address_monitoring);
        let each = |observation: Observation| {
            if tell {
                changes.tell_address(&observation, keeper.actual());
            }
            keeper.observe(&observation, &mut operations, &mut consequences);
        };
        let read = if whole { self.monitor.dump(each) } else { self.monitor.drain(each) };
        read.map_err(|refused| format!("cannot read the kernel's changes: {refused}"))?;
        self.apply(operations);
        self.hear(consequences);
        Ok(())
    }

    pub(super) fn hear(&mut self, consequences: Vec<Consequence>) {
        for consequence in consequences {
            match consequence {
                Consequence::Link(link) => self.tell(Event::Link(holdings::link(&link))),
                Consequence::LinkGone(interface) => self.tell(Event::LinkGone(interface)),
                Consequence::SourceAdded { interface, address, tentative } => {
                    self.tell(Event::SourceAdded { interface, address, tentative });
                }
                Consequence::SourceRemoved { interface, address } => {
                    self.tell(Event::SourceRemoved { interface, address });
                }
                Consequence::Lost { instance } => self.tell(Event::HoldingLost { instance: InstanceId(instance) }),
                Consequence::StaticRestored { what, .. } => info!("Restoring deleted static {what}"),
                Consequence::Missing { owner, interface } => {
                    let name = match owner {
                        vip::Owner::Instance(instance) => self
                            .part
                            .brain
                            .instances
                            .get(instance as usize)
                            .map_or("?", |instance| instance.name.as_str()),
                        vip::Owner::Static => "static",
                    };
                    warning!(
                        "({name}) interface {interface} does not exist: what belongs on it is added when it appears"
                    );
                }
            }
        }
    }

    /// Hands operations to the kernel until nothing follows from them.
    pub(super) fn apply(&mut self, mut operations: Vec<Operation>) {
        while !operations.is_empty() {
            let mut more = Vec::new();
            let outcomes = self.kernel.perform(&operations);
            for (operation, outcome) in operations.iter().zip(&outcomes) {
                if matches!(outcome, Outcome::Done) {
                    self.tell_link(operation);
                }
                if let Outcome::Refused(refusal) = outcome
                    && !operation.tolerates(refusal)
                {
                    let remedy = operation.remedy(refusal).map_or(String::new(), |remedy| format!("; {remedy}"));
                    error!("cannot {operation}: {refusal}{remedy}");
                }
                self.keeper.performed(operation, outcome, &mut more);
            }
            operations = more;
        }
    }

    /// keepalived's lines about virtual links.
    fn tell_link(&self, operation: &Operation) {
        let (name, creating) = match operation {
            Operation::CreateLink { link, .. } => (&link.name, true),
            Operation::DeleteLink { name, .. } => (name, false),
            _ => return,
        };
        let owner = self.part.brain.instances.iter().zip(&self.part.instances).find(|(brain, part)| {
            brain.virtual_link.as_ref().is_some_and(|link| link.name == *name)
                || part.address_links.iter().any(|link| link.name == *name)
        });
        let Some((owner, _)) = owner else { return };
        match creating {
            true => info!("({}): Success creating VMAC interface {name}", owner.name),
            false => info!("({}) Success removing VMAC interface {name}", owner.name),
        }
    }
}
