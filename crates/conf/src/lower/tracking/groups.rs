//! Small blocks about interfaces and groups: `garp_group`, `track_group`, `interface_up_down_delays`, `linkbeat_interfaces`.

use std::time::Duration;

use types::IfName;
use vrrp::config::{AnnounceLimit, LinkDelay};

use crate::configuration::Linkbeat;
use crate::lower::context::{Lower, printable};
use crate::tree::Line;

impl<'t> Lower<'t> {
    /// `garp_group { … }`; `taken` are the interfaces of earlier groups.
    pub(in crate::lower) fn garp_group(&mut self, line: Line<'t>, limits: &mut Vec<AnnounceLimit>, number: usize) {
        let Some(block) = line.block() else { return };
        let mut limit =
            AnnounceLimit { interfaces: Vec::new(), arp_interval: Duration::ZERO, neighbour_interval: Duration::ZERO };
        self.walk("garp_group", block.lines(), &mut |lower, line, keyword| match (keyword, line.word(1)) {
            ("garp_interval" | "gna_interval", Some(word)) => {
                if let Some(gap) =
                    lower.timer(word, 0..=2_147_483_647, |text| format!("garp_group {keyword} '{text}' invalid"))
                {
                    if keyword == "garp_interval" {
                        limit.arp_interval = gap;
                    } else {
                        limit.neighbour_interval = gap;
                    }
                }
            }
            ("interface", Some(word)) => lower.garp_interface(word, limits, &mut limit),
            ("interfaces", _) => {
                let before = limit.interfaces.len();
                for line in line.block().into_iter().flat_map(|block| block.lines()) {
                    for word in line.words() {
                        lower.garp_interface(word, limits, &mut limit);
                    }
                }
                if limit.interfaces.len() == before {
                    lower.general(line.span(), "Warning - empty garp_group interfaces block");
                }
            }
            _ => {}
        });
        if limit.arp_interval.is_zero() && limit.neighbour_interval.is_zero() {
            let end = block.closing().unwrap_or(line.span());
            self.general(end, format!("garp group {number} does not have any delay set - removing"));
            return;
        }
        if !limit.interfaces.is_empty() {
            limits.push(limit);
        }
    }

    fn garp_interface(&mut self, word: crate::tree::Word<'t>, limits: &[AnnounceLimit], limit: &mut AnnounceLimit) {
        let Some(interface) = self
            .interface_told(word, |name| format!("WARNING - interface {name} specified for garp_group doesn't exist"))
        else {
            return;
        };
        let taken = limits.iter().any(|other| other.interfaces.contains(&interface));
        if taken || limit.interfaces.contains(&interface) {
            self.general(word.span, format!("garp_group already specified for {interface} - ignoring"));
            return;
        }
        limit.interfaces.push(interface);
    }

    /// `track_group NAME { group { … } }`.
    pub(in crate::lower) fn track_group(&mut self, line: Line<'t>, groups: &mut Vec<(String, Vec<String>)>) {
        let (Some(name), Some(block)) = (line.word(1), line.block()) else { return };
        if groups.iter().any(|(other, _)| other == name.text) {
            self.general(name.span, format!("track_group {} already defined - ignoring", printable(name.text)));
            return;
        }
        let mut members = Vec::new();
        self.walk("track_group", block.lines(), &mut |lower, line, _| {
            let before = members.len();
            for line in line.block().into_iter().flat_map(|block| block.lines()) {
                members.extend(line.words().map(|word| word.text.to_owned()));
            }
            if members.len() == before {
                lower.general(line.span(), format!("Warning - track group {} has empty group block", name.text));
            }
        });
        groups.push((name.text.to_owned(), members));
    }

    /// `interface_up_down_delays { IF DOWN [UP] … }`.
    pub(in crate::lower) fn link_delays(&mut self, line: Line<'t>, delays: &mut Vec<LinkDelay>) {
        for line in line.block().into_iter().flat_map(|block| block.lines()) {
            let name = line.keyword();
            let Some(interface) = self.interface_told(name, |name| {
                format!("WARNING - interface {name} specified for interface_up_down_delays doesn't exist")
            }) else {
                continue;
            };
            let Some(down) = line.word(1) else {
                self.general(name.span, format!("interface_up_down_delays {interface}: no delay specified - ignoring"));
                continue;
            };
            let told = |text: &str| format!("interface {interface} down/up delay '{text}' invalid - ignoring");
            let Some(down) = self.timer(down, 0..=255_000_000, told) else { continue };
            let up = match line.word(2) {
                None => Duration::ZERO,
                Some(up) => match self.timer(up, 0..=255_000_000, told) {
                    Some(up) => up,
                    None => continue,
                },
            };
            delays.retain(|delay| delay.interface != interface);
            delays.push(LinkDelay { interface, down, up });
        }
    }

    /// `linkbeat_interfaces { IF [MII|ETHTOOL|IOCTL] … }`.
    pub(in crate::lower) fn linkbeat_interfaces(&mut self, line: Line<'t>, interfaces: &mut Vec<(IfName, Linkbeat)>) {
        for line in line.block().into_iter().flat_map(|block| block.lines()) {
            let name = line.keyword();
            let Some(interface) =
                self.interface_told(name, |name| format!("unknown interface {name} specified for linkbeat interface"))
            else {
                continue;
            };
            let method = match line.word(1) {
                None => Linkbeat::Auto,
                Some(word) => match word.text {
                    "MII" => Linkbeat::Mii,
                    "ETHTOOL" => Linkbeat::Ethtool,
                    "IOCTL" => Linkbeat::Ioctl,
                    other => {
                        self.general(
                            word.span,
                            format!("Unknown linkbeat type {} for interface {interface} - ignoring", printable(other)),
                        );
                        Linkbeat::Auto
                    }
                },
            };
            interfaces.retain(|(other, _)| *other != interface);
            interfaces.push((interface, method));
        }
    }
}
