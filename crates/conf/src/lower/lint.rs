//! What parses but surely was not meant. Advice never changes the exit status of `-t`, except under `check --strict`.

use std::collections::HashMap;
use std::net::IpAddr;

use types::IfName;
use vrrp::config::{InstanceConfig, TrackTarget};

use super::context::Lower;
use crate::configuration::InstancePart;
use crate::source::Span;

/// Who announced an address first.
#[derive(Debug, Default)]
pub(super) struct Claimed(HashMap<(IpAddr, Option<IfName>), String>);

impl<'t> Lower<'t> {
    /// Looks over one finished instance.
    pub(super) fn lint_instance(
        &mut self,
        span: Span,
        instance: &InstanceConfig,
        part: &InstancePart,
        claimed: &mut Claimed,
    ) {
        self.lint_weights(span, instance);
        self.lint_addresses(span, instance, part, claimed);
        if let vrrp::config::Cast::Unicast { peers, .. } = &instance.cast {
            for peer in peers {
                if Some(peer.address) == instance.source {
                    self.advise_why(
                        "peer-is-self",
                        span,
                        format!(
                            "({}) unicast peer {} is this router's own source address",
                            instance.name, peer.address
                        ),
                        "its own adverts come back to it",
                        "name only the other routers in unicast_peer",
                    );
                }
            }
        }
    }

    fn lint_weights(&mut self, span: Span, instance: &InstanceConfig) {
        let base = i64::from(instance.priority.get());
        for tracker in &instance.trackers {
            let weight = i64::from(tracker.weight.get());
            if weight == 0 || matches!(tracker.target, TrackTarget::File(_)) {
                continue;
            }
            let name = super::tracking::target_name(&tracker.target);
            if instance.priority.is_owner() || instance.priority.with_weights(weight) == instance.priority {
                self.advise_why(
                    "weight-without-effect",
                    span,
                    format!("({}) weight {weight} of {name} can never change the priority {base}", instance.name),
                    "the tracked result decides nothing",
                    "choose a priority and a weight that stay within 1 to 254 together",
                );
            } else if weight.abs() < 10 {
                let other = i64::from(instance.priority.with_weights(weight).get());
                self.advise_why(
                    "small-weight",
                    span,
                    format!("({}) weight {weight} of {name} moves the priority between {base} and {other} only", instance.name),
                    format!("a router whose priority is not within {} of this one's never takes over", weight.abs()),
                    "make the weight larger than the gap between the routers' priorities, or leave it out so that a failure is a fault",
                );
            }
        }
    }

    fn lint_addresses(&mut self, span: Span, instance: &InstanceConfig, part: &InstancePart, claimed: &mut Claimed) {
        for address in part.addresses.iter().chain(&part.excluded) {
            let ip = address.address.address();
            let interface = address.interface.clone().or_else(|| instance.interface.clone());
            match claimed.0.get(&(ip, interface.clone())) {
                Some(other) if *other == instance.name => {
                    self.advise("duplicate-address", span, format!("({}) address {ip} stands twice", instance.name));
                }
                Some(other) => {
                    let message = format!("address {ip} belongs to both {other} and {}", instance.name);
                    self.advise_why(
                        "address-of-two",
                        span,
                        message,
                        "whichever gives it up takes it from the other",
                        "let one instance have it",
                    );
                }
                None => {
                    let networks = interface
                        .as_ref()
                        .map(|name| self.system.interface_networks(name.as_str()))
                        .unwrap_or_default();
                    let family = address.address.family();
                    let near = networks.iter().any(|network| network.contains(ip));
                    if address.address.is_host() && !near && networks.iter().any(|network| network.family() == family) {
                        self.advise_why(
                            "address-outside-network",
                            span,
                            format!(
                                "({}) address {} lies in no network of its interface",
                                instance.name, address.address
                            ),
                            "neighbours may not find it without a route",
                            "check the address, or write its prefix length",
                        );
                    }
                    claimed.0.insert((ip, interface), instance.name.clone());
                }
            }
        }
    }
}
