//! `use_vmac` and `use_ipvlan`.

use std::collections::HashSet;
use std::iter;

use types::{Family, IfName, MacAddr, Prefix, Vrid};
use vip::VirtualLink;
use vrrp::config::{IpvlanMode, VirtualLinkConfig, VirtualLinkKind};

use super::Written;
use crate::lower::context::{Lower, printable};
use crate::lower::names::interface_group;
use crate::lower::words::hardware_address;
use crate::tree::{Line, Word};

/// A virtual link as written.
#[derive(Debug, Clone)]
pub(in crate::lower) struct LinkWritten {
    name: Option<IfName>,
    /// Five octets leave the last to the VRID.
    mac: Option<Vec<u8>>,
    /// `Some` for an ipvlan.
    pub(in crate::lower) ipvlan: Option<(Option<Prefix>, IpvlanMode)>,
    notify_message: bool,
    group: Option<u32>,
}

impl LinkWritten {
    /// The link of an instance. `taken` tells names that other instances have.
    pub(in crate::lower) fn lower(
        &self,
        family: Family,
        vrid: Vrid,
        transmit_base: bool,
        prefix: &str,
        taken: &mut HashSet<String>,
    ) -> VirtualLinkConfig {
        let name = self.name.as_ref().map_or_else(|| free_name(prefix, family, vrid, taken), ToString::to_string);
        taken.insert(name.clone());
        let kind = match &self.ipvlan {
            Some((address, mode)) => VirtualLinkKind::Ipvlan { address: *address, mode: *mode },
            None => VirtualLinkKind::Macvlan { mac: self.mac_address(family, vrid) },
        };
        VirtualLinkConfig {
            name: interface_name(&name, vrid),
            kind,
            transmit_base,
            group: self.group,
            notify_message: self.notify_message,
        }
    }

    fn mac_address(&self, family: Family, vrid: Vrid) -> MacAddr {
        let mut mac = MacAddr::virtual_router(family, vrid);
        if let Some(octets) = &self.mac {
            mac.0[..octets.len().min(6)].copy_from_slice(&octets[..octets.len().min(6)]);
        }
        mac
    }
}

/// A name that no other virtual link has: `vrrp.51`, for IPv6 then `vrrp6.51`, then `vrrp1.51` and so on.
fn free_name(prefix: &str, family: Family, vrid: Vrid, taken: &HashSet<String>) -> String {
    let six = (family == Family::Inet6).then(|| format!("{prefix}6.{vrid}"));
    let numbered = (1..=taken.len() + 1).map(|number| format!("{prefix}{number}.{vrid}"));
    let mut names = iter::once(format!("{prefix}.{vrid}")).chain(six).chain(numbered);
    names.find(|name| !taken.contains(name)).unwrap_or_default()
}

fn interface_name(name: &str, vrid: Vrid) -> IfName {
    name.parse()
        .unwrap_or_else(|_| format!("vrrp.{vrid}").parse().expect("at most eight octets without blank, slash or colon"))
}

impl<'t> Lower<'t> {
    /// Addresses with `use_vmac` move to virtual links, one for each interface and family; the instance's own serves where it is the same.
    pub(super) fn address_links(
        &mut self,
        written: &mut Written,
        own: Option<&VirtualLinkConfig>,
        interface: Option<&IfName>,
        vrid: Vrid,
        taken: &mut HashSet<String>,
    ) -> Vec<VirtualLink> {
        let prefix = &self.global.out.vmac_prefixes.1;
        let instance_family = written.family.unwrap_or(Family::Inet);
        let mut links: Vec<VirtualLink> = Vec::new();
        for address in written.addresses.iter_mut().chain(&mut written.excluded).filter(|address| address.use_vmac) {
            let Some(base) = address.interface.as_ref().or(interface).cloned() else { continue };
            let family = address.address.family();
            let own = own.filter(|link| {
                let macvlan = matches!(link.kind, VirtualLinkKind::Macvlan { .. });
                macvlan && interface == Some(&base) && family == instance_family
            });
            if let Some(own) = own {
                address.interface = Some(own.name.clone());
                continue;
            }
            if let Some(link) = links.iter().find(|link| link.base == base && link.family == family) {
                address.interface = Some(link.name.clone());
                continue;
            }
            let name = free_name(prefix, family, vrid, taken);
            taken.insert(name.clone());
            let name = interface_name(&name, vrid);
            address.interface = Some(name.clone());
            links.push(VirtualLink {
                name,
                base,
                family,
                kind: vip::VirtualLinkKind::Macvlan { mac: MacAddr::virtual_router(family, vrid) },
                group: None,
                notify_message: false,
                keep_ipv6: false,
                link_local: None,
                copies_link_local: true,
            });
        }
        links
    }

    pub(super) fn use_vmac(&mut self, line: Line<'t>, name: &str) -> Option<LinkWritten> {
        let mut link = LinkWritten { name: None, mac: None, ipvlan: None, notify_message: false, group: None };
        let mut words = line.arguments();
        while let Some(word) = words.next() {
            match word.text {
                "name" => link.name = words.next().and_then(|word| self.link_name(word, name)).or(link.name),
                "netlink_notify_msg" => link.notify_message = true,
                "group" => link.group = self.link_group(words.next(), name),
                text => match hardware_address(text) {
                    Some(octets) if octets[0] & 1 == 1 => {
                        self.general(
                            word.span,
                            format!("({name}) use_vmac MAC address {} is multicast - ignoring", printable(text)),
                        );
                    }
                    Some(octets) => link.mac = Some(octets),
                    None if link.name.is_none() => link.name = self.link_name(word, name),
                    None => self
                        .general(word.span, format!("({name}) unknown use_vmac option {} - ignoring", printable(text))),
                },
            }
        }
        Some(link)
    }

    pub(super) fn use_ipvlan(&mut self, line: Line<'t>, name: &str) -> Option<LinkWritten> {
        let mut link = LinkWritten { name: None, mac: None, ipvlan: None, notify_message: false, group: None };
        let (mut address, mut mode) = (None, IpvlanMode::Bridge);
        let mut words = line.arguments();
        while let Some(word) = words.next() {
            match word.text {
                "name" => link.name = words.next().and_then(|word| self.link_name(word, name)).or(link.name),
                "group" => link.group = self.link_group(words.next(), name),
                "bridge" => mode = IpvlanMode::Bridge,
                "private" => mode = IpvlanMode::Private,
                "vepa" => mode = IpvlanMode::Vepa,
                text if text.contains('.') && text.parse::<Prefix>().is_ok() || text.contains(':') => {
                    match self.prefix(word) {
                        Some(prefix) => address = Some(prefix),
                        None => self.general(
                            word.span,
                            format!("({name}) invalid ipvlan address {} - ignoring", printable(text)),
                        ),
                    }
                }
                _ if link.name.is_none() => link.name = self.link_name(word, name),
                text => self
                    .general(word.span, format!("({name}) unknown use_ipvlan option {} - ignoring", printable(text))),
            }
        }
        link.ipvlan = Some((address, mode));
        Some(link)
    }

    fn link_name(&mut self, word: Word<'t>, name: &str) -> Option<IfName> {
        match word.text.parse() {
            Ok(interface) => Some(interface),
            Err(_) => {
                self.general(
                    word.span,
                    format!(
                        "({name}) VMAC interface name '{}' too long or invalid characters - ignoring",
                        printable(word.text)
                    ),
                );
                None
            }
        }
    }

    fn link_group(&mut self, word: Option<Word<'t>>, name: &str) -> Option<u32> {
        let word = word?;
        let group = interface_group(self.system, word.text);
        if group.is_none() {
            self.general(word.span, format!("({name}) interface group {} not found - ignoring", printable(word.text)));
        }
        group
    }
}
