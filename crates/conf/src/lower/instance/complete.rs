//! What an instance means once everything is read: defaults, contradictions, limits.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::time::Duration;

use types::{Family, IfName, Priority, Vrid, VrrpVersion};
use vrrp::config::{
    AnnounceConfig, Announced, Authentication, Cast, ChecksumV3, InitialState, InstanceConfig, TrackTarget,
    VirtualLinkConfig,
};

use super::{Written, centiseconds};
use crate::configuration::InstancePart;
use crate::lower::context::Lower;
use crate::lower::global::ReceiveBuffer;

/// What instances share while they are completed.
#[derive(Debug, Default)]
pub(in crate::lower) struct Shared {
    names: HashSet<String>,
    /// Who holds a VRID on an interface.
    vrids: HashMap<(Option<IfName>, Family, Vrid), String>,
    claimed: crate::lower::lint::Claimed,
}

impl<'t> Lower<'t> {
    /// `None` where the instance cannot run; that has been told.
    pub(in crate::lower) fn complete_instance(
        &mut self,
        mut written: Written,
        shared: &mut Shared,
    ) -> Option<(InstanceConfig, InstancePart)> {
        let name = written.name.clone();
        let span = written.span;
        let Some(vrid) = written.vrid else {
            self.after(span, format!("({name}) the virtual router id must be set"));
            return None;
        };
        let interface = written.interface.clone().or_else(|| self.global.out.default_interface.clone());
        if interface.is_none() && (written.peers.is_empty() || written.source.is_none()) {
            self.after(span, format!("({name}) Unknown interface!"));
            return None;
        }
        let mut fault = None;
        let family = written.family.unwrap_or(Family::Inet);
        let mut version = written.version.unwrap_or(self.global.vrrp.version);
        if family == Family::Inet6 && version == VrrpVersion::V2 {
            if written.version == Some(VrrpVersion::V2) {
                self.after(span, format!("({name}) cannot use IPv6 with VRRP version 2; setting version 3"));
            }
            version = VrrpVersion::V3;
        }
        let strict = written.strict.unwrap_or(self.global.vrrp.strict);
        if written.addresses.is_empty() {
            if version == VrrpVersion::V2 && !strict {
                self.after(span, format!("({name}) No VIP specified; at least one is sensible"));
            } else if !written.no_addresses {
                self.after(span, format!("({name}) No VIP specified; at least one is required"));
                fault = Some("no virtual address".to_owned());
            }
        }
        if strict {
            self.apply_strict(&mut written, version);
            if family == Family::Inet6
                && let Some(first) = written.addresses.first()
                && let IpAddr::V6(address) = first.address.address()
                && !address.is_unicast_link_local()
            {
                self.after(span, format!("({name}) the first IPv6 VIP address must be link local"));
            }
        }
        if written.vmac_addresses {
            // every address on another interface gets a virtual link there
            for address in written.addresses.iter_mut().chain(&mut written.excluded) {
                address.use_vmac |= address.interface.is_some() && address.interface != interface;
            }
        }
        let (state, priority) = self.state_and_priority(&written);
        let owner = priority.is_owner();
        self.preemption(&mut written, state, owner);
        let interval = self.interval(&written, version);
        let cast = self.cast(&written, family, &mut fault);
        let authentication = self.instance_authentication(&written, version, interval.duration());
        let virtual_link = self.virtual_link(&mut written, family, vrid, shared, &mut fault);
        let address_links =
            self.address_links(&mut written, virtual_link.as_ref(), interface.as_ref(), vrid, &mut shared.names);
        self.duplicate_vrid(&written, interface.as_ref(), virtual_link.as_ref(), family, vrid, shared, &mut fault);
        self.limit_addresses(&mut written, family, interface.as_ref());
        self.instance_trackers(&mut written, interface.as_ref(), owner);
        let defaults = &self.global.vrrp;
        let usual = defaults.announce();
        let master_delay = written.master_delay.unwrap_or(usual.master_delay);
        let master_repeat = written.master_repeat.unwrap_or(usual.master_repeat);
        let announce = AnnounceConfig {
            master_delay,
            master_repeat,
            master_refresh: written.master_refresh.unwrap_or(usual.master_refresh),
            master_refresh_repeat: written.master_refresh_repeat.unwrap_or(usual.master_refresh_repeat),
            lower_priority_delay: written.lower_delay.or(defaults.lower_delay).unwrap_or(master_delay),
            lower_priority_repeat: written.lower_repeat.or(defaults.lower_repeat).unwrap_or(master_repeat),
            extra_interface_refresh: written.extra_interface.unwrap_or(usual.extra_interface_refresh),
        };
        let advertised: Vec<IpAddr> = written.addresses.iter().map(|address| address.address.address()).collect();
        let announced = written
            .addresses
            .iter()
            .chain(&written.excluded)
            .map(|address| Announced { address: address.address.address(), interface: address.interface.clone() })
            .collect();
        let mut address_interfaces: Vec<IfName> = Vec::new();
        for address in written.addresses.iter().chain(&written.excluded) {
            if let Some(device) = &address.interface
                && !address.no_track
                && Some(device) != interface.as_ref()
                && !address_interfaces.contains(device)
            {
                address_interfaces.push(device.clone());
            }
        }
        let receive_buffer = written.receive_buffer.or_else(|| self.receive_buffer(&advertised, interface.as_ref()));
        let defaults = &self.global.vrrp;
        let checksum = if written.checksum_as_v2 || defaults.checksum_as_v2 {
            ChecksumV3::MessageOnly
        } else {
            match written.old_checksum {
                None => ChecksumV3::PseudoHeader,
                Some(true) => ChecksumV3::PseudoHeaderOnly,
                Some(false) => ChecksumV3::OldUnicast,
            }
        };
        let config = InstanceConfig {
            family,
            version,
            vrid,
            vrf: written.vrf,
            virtual_link,
            initial_state: state,
            priority,
            interval,
            down_timer_adverts: written.down_timer_adverts.unwrap_or(defaults.down_timer_adverts),
            cast,
            source: written.source,
            track_source: written.track_source,
            track_primary: written.track_primary,
            advertised,
            announced,
            address_interfaces,
            preempt: written.preempt,
            preempt_delay: written.preempt_delay,
            strict,
            skip_check_advert_addresses: written.skip_check.unwrap_or(defaults.skip_check_addresses),
            lower_priority_no_advert: written.lower_no_advert.unwrap_or(defaults.lower_prio_no_advert),
            higher_priority_send_advert: written.higher_send.unwrap_or(defaults.higher_prio_send_advert),
            owner_ignore_adverts: written.owner_ignore.unwrap_or(defaults.owner_ignore_adverts),
            timer_expired_backup: written.timer_expired,
            checksum,
            authentication,
            announce,
            trackers: written.trackers.into_iter().map(|placed| placed.tracker).collect(),
            notify_priority_changes: written.notify_priority_changes.unwrap_or(defaults.notify_priority_changes),
            notify_deleted: written.notify_deleted,
            configuration_fault: fault,
            receive_buffer,
            interface,
            name,
        };
        let smtp = &self.global.smtp;
        let part = InstancePart {
            addresses: written.addresses,
            excluded: written.excluded,
            address_links,
            routes: written.routes,
            rules: written.rules,
            no_accept: written.no_accept.unwrap_or(false),
            promote_secondaries: written.promote_secondaries,
            scripts: written.scripts,
            smtp_alert: written.smtp_alert.or(smtp.alert_vrrp).or(smtp.alert).unwrap_or(false),
        };
        self.lint_instance(span, &config, &part, &mut shared.claimed);
        Some((config, part))
    }

    /// Without `priority` it is 255 for `state MASTER`, else 100; without `state` it follows from the priority.
    fn state_and_priority(&mut self, written: &Written) -> (InitialState, Priority) {
        let priority = written.priority.unwrap_or(match written.state {
            Some(InitialState::Master) => Priority::OWNER,
            _ => Priority::DEFAULT,
        });
        if written.priority.is_none() && written.state == Some(InitialState::Master) {
            self.advise_why(
                "master-without-priority",
                written.span,
                format!("({}) state MASTER without priority makes this the address owner, priority 255", written.name),
                "no other router can ever take over, and tracked weights do nothing",
                "write the priority that you mean, such as 150",
            );
        }
        let state = match written.state {
            Some(InitialState::Backup) if priority.is_owner() => InitialState::Master,
            Some(state) => state,
            None if priority.is_owner() => InitialState::Master,
            None => InitialState::Backup,
        };
        (state, priority)
    }

    fn preemption(&mut self, written: &mut Written, state: InitialState, owner: bool) {
        let (name, span) = (written.name.clone(), written.span);
        if !written.preempt && owner {
            self.after(span, format!("({name}) nopreempt is incompatible with priority 255. resetting nopreempt"));
            written.preempt = true;
        } else if !written.preempt && state == InitialState::Master {
            self.after(
                span,
                format!("({name}) Warning - nopreempt will not work with initial state MASTER - clearing"),
            );
            written.preempt = true;
        }
        if written.preempt_delay.is_zero() {
            return;
        }
        if !written.preempt {
            self.after(span, format!("({name}) preempt_delay is incompatible with nopreempt mode - resetting"));
            written.preempt_delay = Duration::ZERO;
        } else if state == InitialState::Master {
            self.after(
                span,
                format!("({name}) Warning - preempt delay will not work with initial state MASTER - clearing"),
            );
            written.preempt_delay = Duration::ZERO;
        }
    }

    fn interval(&mut self, written: &Written, version: VrrpVersion) -> types::CentiSeconds {
        let micros = written.interval.unwrap_or(1_000_000);
        let (name, span) = (&written.name, written.span);
        let shown = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
        match version {
            VrrpVersion::V2 if !micros.is_multiple_of(1_000_000) => {
                self.after(
                    span,
                    format!("({name}) VRRPv2 advertisement interval {shown}s must be an integer. rounding"),
                );
                centiseconds(((micros + 500_000) / 1_000_000).max(1) * 1_000_000)
            }
            VrrpVersion::V3 if micros > 40_950_000 => {
                let shown = format!("{}.{:02}", micros / 1_000_000, micros % 1_000_000 / 10_000);
                self.after(
                    span,
                    format!("({name}) VRRPv3 advertisement interval {shown}s is out of range. Must be less than 40.96s. Setting to 40.95s"),
                );
                types::CentiSeconds::MAX_V3
            }
            VrrpVersion::V3 if !micros.is_multiple_of(10_000) => {
                self.after(
                    span,
                    format!("({name}) VRRPv3 advertisement interval {shown}s must be in units of 10ms - rounding"),
                );
                centiseconds((micros + 5_000) / 10_000 * 10_000)
            }
            _ => centiseconds(micros),
        }
    }

    fn cast(&mut self, written: &Written, family: Family, fault: &mut Option<String>) -> Cast {
        if !written.peers.is_empty() {
            return Cast::Unicast {
                peers: written.peers.clone(),
                ttl: written.unicast_ttl,
                check_source: written.check_source || self.global.vrrp.check_unicast_source,
            };
        }
        if written.unicast {
            if written.fault_no_peer {
                *fault = Some("unicast without peers".into());
            } else {
                self.after(
                    written.span,
                    format!(
                        "({}) A unicast keyword has been specified without any unicast peers. Defaulting to multicast. This usage is deprecated - please update your configuration.",
                        written.name
                    ),
                );
            }
        }
        let group = written.group.unwrap_or(match family {
            Family::Inet => self.global.vrrp.group4,
            Family::Inet6 => self.global.vrrp.group6,
        });
        Cast::Multicast { group }
    }

    fn instance_authentication(
        &mut self,
        written: &Written,
        version: VrrpVersion,
        interval: Duration,
    ) -> Authentication {
        let (name, span) = (&written.name, written.span);
        if let Some(hmac) = &written.hmac {
            if written.password.is_some() {
                self.after(
                    span,
                    format!("({name}) authentication cannot be used with auth_hmac. Ignoring authentication."),
                );
            }
            return match hmac.lower(interval) {
                Some(hmac) => Authentication::Hmac(hmac),
                None => {
                    self.after(hmac.span, format!("({name}) auth_hmac has no usable active_key - disabling auth_hmac"));
                    Authentication::None
                }
            };
        }
        let Some(password) = &written.password else { return Authentication::None };
        if version == VrrpVersion::V3 && (password.header.is_some() || password.password.is_some()) {
            self.after(span, format!("({name}) VRRP version 3 does not support authentication. Ignoring."));
            return Authentication::None;
        }
        match (password.header, &password.password) {
            (None, _) => Authentication::None,
            (Some(_), None) => {
                self.after(span, format!("({name}) Authentication specified but no password given. Ignoring"));
                Authentication::None
            }
            (Some(false), Some(secret)) => Authentication::Password(secret.clone()),
            (Some(true), Some(secret)) => Authentication::AuthenticationHeader(secret.clone()),
        }
    }

    fn virtual_link(
        &mut self,
        written: &mut Written,
        family: Family,
        vrid: Vrid,
        shared: &mut Shared,
        fault: &mut Option<String>,
    ) -> Option<VirtualLinkConfig> {
        let link = written.link.clone()?;
        let (name, span) = (written.name.clone(), written.span);
        if written.promote_secondaries && link.ipvlan.is_none() {
            self.after(span, format!("({name}) promote_secondaries is automatically set for vmacs - ignoring"));
            written.promote_secondaries = false;
        }
        if let Some((None, _)) = link.ipvlan
            && family == Family::Inet
        {
            self.after(
                span,
                format!("({name}) IPv4 ipvlan requires a source ip address to be configured. setting instance to fault state"),
            );
            *fault = Some("ipvlan without address".into());
        }
        let prefix = self.global.out.vmac_prefixes.0.clone();
        Some(link.lower(family, vrid, written.transmit_base, &prefix, &mut shared.names))
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one identity")]
    fn duplicate_vrid(
        &mut self,
        written: &Written,
        interface: Option<&IfName>,
        link: Option<&VirtualLinkConfig>,
        family: Family,
        vrid: Vrid,
        shared: &mut Shared,
        fault: &mut Option<String>,
    ) {
        let Some(interface) = interface else { return };
        if !written.peers.is_empty() && link.is_none() {
            return;
        }
        match shared.vrids.entry((Some(interface.clone()), family, vrid)) {
            std::collections::hash_map::Entry::Occupied(other) => {
                let message = format!(
                    "{} and {} both use VRID {vrid} with {family} on interface {interface}",
                    other.get(),
                    written.name
                );
                *fault = Some(message.clone());
                self.after(written.span, message);
            }
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(written.name.clone());
            }
        }
    }

    /// An advert carries at most 255 addresses and must fit the interface's MTU; the rest become excluded addresses.
    fn limit_addresses(&mut self, written: &mut Written, family: Family, interface: Option<&IfName>) {
        let mtu =
            interface.and_then(|interface| self.system.interface_mtu(interface.as_str())).unwrap_or(1500) as usize;
        let trailer = if written.hmac.is_some() { 28 } else { 0 };
        let (headers, size) = match family {
            Family::Inet => (20 + 8 + 8 + 24 + trailer, 4),
            Family::Inet6 => (40 + 8 + trailer, 16),
        };
        let most = (mtu.saturating_sub(headers) / size).min(255);
        if written.addresses.len() > most {
            self.after(
                written.span,
                format!(
                    "({}) Number of VIPs ({}) exceeds space available in packet (max {most} addresses) - excess moved to eVIPs",
                    written.name,
                    written.addresses.len()
                ),
            );
            let surplus = written.addresses.split_off(most);
            written.excluded.splice(0..0, surplus);
        }
    }

    fn instance_trackers(&mut self, written: &mut Written, interface: Option<&IfName>, owner: bool) {
        let name = written.name.clone();
        let mut kept = Vec::with_capacity(written.trackers.len());
        for placed in std::mem::take(&mut written.trackers) {
            let weighted = placed.tracker.weight.get() != 0;
            match &placed.tracker.target {
                TrackTarget::Interface(tracked) if Some(tracked) == interface => {
                    self.after(placed.span, format!("({name}) Ignoring track_interface {tracked} since own interface"));
                }
                TrackTarget::Script(script) if owner && weighted => {
                    self.advise(
                        "weight-of-owner",
                        placed.span,
                        format!("({name}) ignoring tracked script {script} with weights due to address_owner"),
                    );
                }
                _ => kept.push(placed),
            }
        }
        written.trackers = kept;
    }

    fn receive_buffer(&self, advertised: &[IpAddr], interface: Option<&IfName>) -> Option<u32> {
        let multiplier = self.global.vrrp.receive_multiplier;
        match self.global.vrrp.receive_buffer? {
            ReceiveBuffer::Octets(octets) => Some(octets),
            ReceiveBuffer::Mtu => interface
                .and_then(|interface| self.system.interface_mtu(interface.as_str()))
                .map(|mtu| mtu.saturating_mul(multiplier)),
            ReceiveBuffer::Advert => {
                let octets: usize = advertised.iter().map(|address| Family::of(*address).address_len()).sum();
                Some((octets as u32 + 60).saturating_mul(multiplier))
            }
        }
    }
}
