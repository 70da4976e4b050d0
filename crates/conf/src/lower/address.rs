//! Address lines: `virtual_ipaddress`, `virtual_ipaddress_excluded`, `static_ipaddress`.

use std::net::{IpAddr, Ipv4Addr};

use types::{Family, Prefix};
use vip::Address;

use super::context::{Lower, printable};
use super::names::scope;
use super::value::{parse_address, unsigned};
use crate::tree::Line;

impl<'t> Lower<'t> {
    /// One address line. `static_line` allows `track_group` and forbids `use_vmac`.
    pub(super) fn address(&mut self, line: Line<'t>, static_line: bool) -> Option<Address> {
        let first = line.keyword();
        let Some(prefix) = self.prefix(first) else {
            self.general(first.span, format!("VRRP parsed invalid IP {}. skipping IP...", printable(first.text)));
            return None;
        };
        let written = printable(first.text);
        let six = prefix.family() == Family::Inet6;
        let mut address = Address {
            address: prefix,
            peer: None,
            interface: None,
            scope: 0,
            broadcast: None,
            label: None,
            home: false,
            no_dad: six,
            manage_temporary: false,
            no_prefix_route: false,
            autojoin: false,
            no_track: false,
            preferred_lifetime: if six && prefix.is_host() { Some(0) } else { None },
            use_vmac: false,
            track_group: None,
        };
        let mut keep = true;
        let mut words = line.arguments();
        while let Some(word) = words.next() {
            let option = word.text;
            let flag = match option {
                "home" => Some(&mut address.home),
                "mngtmpaddr" => Some(&mut address.manage_temporary),
                "noprefixroute" => Some(&mut address.no_prefix_route),
                "autojoin" => Some(&mut address.autojoin),
                "no_track" => Some(&mut address.no_track),
                "use_vmac" if !static_line => Some(&mut address.use_vmac),
                _ => None,
            };
            if let Some(flag) = flag {
                *flag = true;
                continue;
            }
            if option == "-nodad" {
                address.no_dad = false;
                continue;
            }
            let known = matches!(option, "dev" | "scope" | "broadcast" | "brd" | "label" | "peer" | "preferred_lft")
                || (option == "track_group" && static_line);
            if !known {
                self.general(
                    word.span,
                    format!("Unknown configuration entry '{}' for ip address - ignoring", printable(option)),
                );
                continue;
            }
            let Some(value) = words.next() else {
                self.general(word.span, format!("No {option} parameter specified for {written}"));
                keep = option != "dev" && keep;
                break;
            };
            match option {
                "dev" => {
                    address.interface = self.interface(value, &format!("ip address {written}"));
                    keep &= address.interface.is_some();
                }
                "scope" => match scope(self.system, value.text) {
                    Some(number) if six => {
                        self.general(value.span, format!("Cannot specify scope for IPv6 addresses ({written}) - ignoring scope"));
                        let _ = number;
                    }
                    Some(number) => address.scope = number,
                    None => self.general(value.span, format!("Invalid scope '{}' specified for {written} - ignoring", printable(value.text))),
                },
                "broadcast" | "brd" => match (self.broadcast(value.text, prefix), six) {
                    (_, true) => self.general(value.span, format!("VRRP is trying to assign a broadcast {} to the IPv6 address {written} !!? WTF... skipping VIP...", printable(value.text))),
                    (Ok(broadcast), false) => address.broadcast = Some(broadcast),
                    (Err(message), false) => {
                        self.general(value.span, message);
                        keep = false;
                    }
                },
                "label" if six => {
                    self.general(value.span, format!("Cannot specify label for IPv6 addresses ({written}) - ignoring label"));
                }
                "label" if value.text.len() > 15 => {
                    self.general(
                        value.span,
                        format!("Address label {} is longer than maximum length 15 - removing address", printable(value.text)),
                    );
                    keep = false;
                }
                "label" => address.label = Some(value.text.to_owned()),
                "peer" => match self.prefix(value) {
                    Some(peer) if peer.family() == prefix.family() => {
                        if first.text.contains('/') {
                            self.general(first.span, format!("Cannot specify address prefix when specifying peer address - ignoring {written}"));
                        }
                        address.address = Prefix::host(prefix.address());
                        address.peer = Some(peer);
                    }
                    _ => {
                        self.general(value.span, format!("Invalid peer address {}", printable(value.text)));
                        keep = false;
                    }
                },
                "preferred_lft" => {
                    address.preferred_lifetime = if value.text == "forever" {
                        None
                    } else {
                        match unsigned(value.text, 0..=u64::from(u32::MAX)) {
                            Ok(seconds) => Some(seconds as u32),
                            Err(why) => {
                                let message = format!("Invalid preferred_lft {} for {written} - ignoring", printable(value.text));
                                self.bad_number(value.span, why, message);
                                address.preferred_lifetime
                            }
                        }
                    };
                }
                "track_group" => address.track_group = Some(value.text.to_owned()),
                _ => {}
            }
        }
        keep.then_some(address)
    }

    fn broadcast(&self, text: &str, prefix: Prefix) -> Result<Ipv4Addr, String> {
        let IpAddr::V4(address) = prefix.address() else {
            return Err(String::new());
        };
        if text == "+" || text == "-" {
            if prefix.length() > 30 {
                return Err(format!("Address prefix length {} too long for broadcast", prefix.length()));
            }
            let host = u32::MAX.checked_shr(u32::from(prefix.length())).unwrap_or(0);
            let bits = u32::from(address);
            return Ok(Ipv4Addr::from(if text == "+" { bits | host } else { bits & !host }));
        }
        match parse_address(text) {
            Some(IpAddr::V4(broadcast)) => Ok(broadcast),
            _ => Err(format!("VRRP is trying to assign invalid broadcast {}. skipping VIP...", printable(text))),
        }
    }
}
