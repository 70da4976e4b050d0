//! `virtual_server_group`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use lvs::{GroupConfig, GroupEntry};
use types::{Family, FwMark, Port, Prefix};

use super::Directors;
use crate::lower::context::{Lower, printable};
use crate::lower::value::{any_base, parse_address, unsigned};
use crate::tree::Line;

impl<'t> Lower<'t> {
    /// `virtual_server_group NAME { … }`.
    pub(in crate::lower) fn server_group(&mut self, line: Line<'t>, directors: &mut Directors) {
        let (Some(name), Some(block)) = (line.word(1), line.block()) else { return };
        let mut group = GroupConfig { name: name.text.to_owned(), entries: Vec::new() };
        for line in block.lines().filter(|line| !line.is_empty()) {
            group.entries.extend(self.group_entry(line));
        }
        let end = block.closing().unwrap_or(line.span());
        if group.entries.is_empty() {
            self.general(end, format!("virtual server group {} has no entries - removing", printable(name.text)));
            return;
        }
        let has = |family| {
            group
                .entries
                .iter()
                .any(|entry| matches!(entry, GroupEntry::Range { first, .. } if Family::of(*first) == family))
        };
        let unknown_mark = group.entries.iter().any(|entry| matches!(entry, GroupEntry::Mark { family: None, .. }));
        if has(Family::Inet) && has(Family::Inet6) && unknown_mark {
            self.general(
                end,
                format!(
                    "virtual server group {} cannot have IPv4, IPv6 and fwmark without family - removing",
                    printable(name.text)
                ),
            );
            return;
        }
        if directors.group_names.contains_key(name.text) {
            self.general(
                line.span(),
                format!("virtual server group {} already defined - ignoring", printable(name.text)),
            );
            return;
        }
        directors.group_names.insert(group.name.clone(), directors.groups.len());
        directors.groups.push(group);
    }

    fn group_entry(&mut self, line: Line<'t>) -> Option<GroupEntry> {
        let first = line.keyword();
        if first.text == "fwmark" {
            let Some(word) = line.word(1) else {
                self.general(first.span, "virtual server group fwmark missing");
                return None;
            };
            let mark = match any_base(word.text, 0..=u64::from(u32::MAX)) {
                Ok(mark) => FwMark(mark as u32),
                Err(why) => {
                    self.bad_number(
                        word.span,
                        why,
                        format!("virtual server group: fwmark '{}' invalid - skipping", printable(word.text)),
                    );
                    return None;
                }
            };
            let family = match line.word(2).map(|word| word.text) {
                None => None,
                Some("inet") => Some(Family::Inet),
                Some("inet6") => Some(Family::Inet6),
                Some(other) => {
                    self.general(
                        first.span,
                        format!("virtual server group: unknown fwmark option {}", printable(other)),
                    );
                    None
                }
            };
            return Some(GroupEntry::Mark { mark, family });
        }
        let port = match line.word(1) {
            None => Ok(0),
            Some(word) => unsigned(word.text, 1..=65_535),
        };
        let shown = line.word(1).map_or(String::new(), |word| printable(word.text));
        let port = match port {
            Ok(port) => Port(port as u16),
            Err(why) => {
                let message = format!(
                    "Invalid virtual server group port/address {} /port/{shown} - skipping",
                    printable(first.text)
                );
                self.bad_number(first.span, why, message);
                return None;
            }
        };
        match range(first.text) {
            Ok((first, last)) => Some(GroupEntry::Range { first, last, port }),
            Err(true) => {
                self.general(
                    first.span,
                    format!(
                        "Address range end is not greater than address range start - {} - skipping",
                        printable(first.text)
                    ),
                );
                None
            }
            Err(false) => {
                self.general(
                    first.span,
                    format!(
                        "Invalid virtual server group IP address {} /port/{shown} - skipping",
                        printable(first.text)
                    ),
                );
                None
            }
        }
    }
}

/// `IP`, `IP-LAST`, `IP-IP` or `IP/LENGTH`. `Err(true)` when the end does not come after the start.
fn range(text: &str) -> Result<(IpAddr, IpAddr), bool> {
    if let Some((start, end)) = text.split_once('-') {
        let first = parse_address(start).ok_or(false)?;
        let last = match parse_address(end) {
            Some(last) if last.is_ipv4() == first.is_ipv4() => last,
            Some(_) => return Err(false),
            None => match first {
                IpAddr::V4(address) => {
                    let mut octets = address.octets();
                    octets[3] = end.parse().map_err(|_| false)?;
                    IpAddr::V4(Ipv4Addr::from(octets))
                }
                IpAddr::V6(address) => {
                    let mut segments = address.segments();
                    segments[7] = u16::from_str_radix(end, 16).map_err(|_| false)?;
                    IpAddr::V6(Ipv6Addr::from(segments))
                }
            },
        };
        return if last > first { Ok((first, last)) } else { Err(true) };
    }
    if text.contains('/') {
        let prefix: Prefix = text.parse().map_err(|_| false)?;
        let network = prefix.network().address();
        let last = match network {
            IpAddr::V4(address) => {
                let host = u32::MAX.checked_shr(u32::from(prefix.length())).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from(u32::from(address) | host))
            }
            IpAddr::V6(address) => {
                let host = u128::MAX.checked_shr(u32::from(prefix.length())).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from(u128::from(address) | host))
            }
        };
        return Ok((network, last));
    }
    let address = parse_address(text).ok_or(false)?;
    Ok((address, address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_have_four_spellings() {
        let show = |text| range(text).map(|(first, last)| format!("{first} {last}"));
        assert_eq!(show("10.0.0.1").unwrap(), "10.0.0.1 10.0.0.1");
        assert_eq!(show("10.0.0.1-5").unwrap(), "10.0.0.1 10.0.0.5");
        assert_eq!(show("10.0.0.250-10.0.1.5").unwrap(), "10.0.0.250 10.0.1.5");
        assert_eq!(show("10.0.2.0/30").unwrap(), "10.0.2.0 10.0.2.3");
        assert_eq!(show("2001:db8::1-10").unwrap(), "2001:db8::1 2001:db8::10");
        assert_eq!(range("10.0.0.9-3"), Err(true));
        assert_eq!(range("10.0.0.300"), Err(false));
    }
}
