//! `vrrp_instance`: as written. [`complete`] works out what it means once everything is read.

mod authentication;
mod complete;
mod links;
mod strict;

use std::net::IpAddr;
use std::time::Duration;

use types::{CentiSeconds, Family, IfName, Priority, Ttl, Vrid, VrrpVersion};
use vip::{Address, Route, Rule};
use vrrp::config::{InitialState, Peer};

use super::context::{Lower, printable};
use super::rule::FreePreferences;
use super::script::Runner;
use super::tracking::{Definitions, PlacedTracker, TrackKind};
use super::value::{parse_address, switch, unsigned};
use crate::diagnostic::Class;
use crate::source::Span;
use crate::tree::{Block, Line};
use notify::VrrpScripts;

pub(super) use authentication::{HmacWritten, PasswordWritten};
pub(super) use links::LinkWritten;

/// `vrrp_instance` as written; `None` where nothing was.
#[derive(Debug, Clone)]
pub(super) struct Written {
    pub(super) name: String,
    pub(super) span: Span,
    pub(super) family: Option<Family>,
    pub(super) version: Option<VrrpVersion>,
    pub(super) vrid: Option<Vrid>,
    pub(super) interface: Option<IfName>,
    pub(super) vrf: Option<IfName>,
    pub(super) link: Option<LinkWritten>,
    pub(super) vmac_addresses: bool,
    pub(super) transmit_base: bool,
    pub(super) state: Option<InitialState>,
    pub(super) priority: Option<Priority>,
    /// Microseconds.
    pub(super) interval: Option<u64>,
    pub(super) down_timer_adverts: Option<u8>,
    pub(super) group: Option<IpAddr>,
    pub(super) source: Option<IpAddr>,
    pub(super) track_source: bool,
    pub(super) track_primary: bool,
    pub(super) addresses: Vec<Address>,
    pub(super) excluded: Vec<Address>,
    pub(super) no_addresses: bool,
    pub(super) routes: Vec<Route>,
    pub(super) rules: Vec<Rule>,
    pub(super) no_accept: Option<bool>,
    pub(super) preempt: bool,
    pub(super) preempt_delay: Duration,
    pub(super) strict: Option<bool>,
    pub(super) skip_check: Option<bool>,
    pub(super) lower_no_advert: Option<bool>,
    pub(super) higher_send: Option<bool>,
    pub(super) owner_ignore: Option<bool>,
    pub(super) timer_expired: Option<Priority>,
    /// `old_unicast_checksum`: `Some(true)` for `never`.
    pub(super) old_checksum: Option<bool>,
    pub(super) checksum_as_v2: bool,
    pub(super) password: Option<PasswordWritten>,
    pub(super) hmac: Option<HmacWritten>,
    pub(super) master_delay: Option<Duration>,
    pub(super) master_repeat: Option<u32>,
    pub(super) master_refresh: Option<Duration>,
    pub(super) master_refresh_repeat: Option<u32>,
    pub(super) lower_delay: Option<Duration>,
    pub(super) lower_repeat: Option<u32>,
    pub(super) extra_interface: Option<Duration>,
    pub(super) trackers: Vec<PlacedTracker>,
    pub(super) notify_priority_changes: Option<bool>,
    pub(super) notify_deleted: bool,
    pub(super) scripts: VrrpScripts,
    /// Keywords of `scripts` that stood there.
    pub(super) notified: Vec<&'static str>,
    pub(super) smtp_alert: Option<bool>,
    /// A `unicast_*` keyword stood there.
    pub(super) unicast: bool,
    pub(super) peers: Vec<Peer>,
    pub(super) unicast_ttl: Ttl,
    pub(super) check_source: bool,
    pub(super) fault_no_peer: bool,
    pub(super) promote_secondaries: bool,
    pub(super) receive_buffer: Option<u32>,
}

impl Written {
    fn new(name: &str, span: Span) -> Self {
        Self {
            name: name.to_owned(),
            span,
            family: None,
            version: None,
            vrid: None,
            interface: None,
            vrf: None,
            link: None,
            vmac_addresses: false,
            transmit_base: false,
            state: None,
            priority: None,
            interval: None,
            down_timer_adverts: None,
            group: None,
            source: None,
            track_source: false,
            track_primary: true,
            addresses: Vec::new(),
            excluded: Vec::new(),
            no_addresses: false,
            routes: Vec::new(),
            rules: Vec::new(),
            no_accept: None,
            preempt: true,
            preempt_delay: Duration::ZERO,
            strict: None,
            skip_check: None,
            lower_no_advert: None,
            higher_send: None,
            owner_ignore: None,
            timer_expired: None,
            old_checksum: None,
            checksum_as_v2: false,
            password: None,
            hmac: None,
            master_delay: None,
            master_repeat: None,
            master_refresh: None,
            master_refresh_repeat: None,
            lower_delay: None,
            lower_repeat: None,
            extra_interface: None,
            trackers: Vec::new(),
            notify_priority_changes: None,
            notify_deleted: false,
            scripts: VrrpScripts::default(),
            notified: Vec::new(),
            smtp_alert: None,
            unicast: false,
            peers: Vec::new(),
            unicast_ttl: Ttl::MAX,
            check_source: false,
            fault_no_peer: false,
            promote_secondaries: false,
            receive_buffer: None,
        }
    }
}

/// What the lines of an instance may name or add to.
pub(super) struct Surroundings<'a> {
    pub(super) definitions: &'a mut Definitions,
    pub(super) preferences: &'a mut FreePreferences,
    /// Deprecated `linkbeat_use_polling` of instances.
    pub(super) linkbeat: &'a mut Vec<IfName>,
}

impl<'t> Lower<'t> {
    /// `vrrp_instance NAME { … }`.
    pub(super) fn instance(&mut self, line: Line<'t>, around: &mut Surroundings<'_>) -> Option<Written> {
        let (name, block) = (line.word(1)?, line.block()?);
        let mut written = Written::new(name.text, line.span());
        self.walk("vrrp_instance", block.lines(), &mut |lower, line, keyword| {
            if lower.instance_announce(line, keyword, &mut written)
                || lower.instance_notify(line, keyword, &mut written)
                || lower.instance_switch(line, keyword, &mut written)
            {
                return;
            }
            lower.instance_line(line, keyword, &mut written, around);
        });
        if written.link.is_some() && !written.peers.is_empty() && !written.transmit_base {
            let end = block.closing().unwrap_or(line.span());
            self.general(end, format!("({}) unicast with use_vmac requires vmac_xmit_base - setting", written.name));
            written.transmit_base = true;
        }
        Some(written)
    }

    fn instance_line(
        &mut self,
        line: Line<'t>,
        keyword: &'static str,
        written: &mut Written,
        around: &mut Surroundings<'_>,
    ) {
        let name = written.name.clone();
        let word = line.word(1);
        if let Some(kind) = TrackKind::of(keyword) {
            self.trackers(kind, &name, line.block(), around.definitions, &mut written.trackers);
            return;
        }
        match (keyword, word) {
            ("use_vmac", _) => written.link = self.use_vmac(line, &name),
            ("use_ipvlan", _) => written.link = self.use_ipvlan(line, &name),
            ("unicast_peer", _) => {
                written.unicast = true;
                self.peers(line.block(), written);
            }
            ("old_unicast_checksum", word) => {
                written.unicast = true;
                written.old_checksum = Some(match word.map(|word| word.text) {
                    None => false,
                    Some("never") => true,
                    Some(other) => {
                        self.general(
                            line.span(),
                            format!("({name}) unknown old_unicast_checksum option {} - ignoring", printable(other)),
                        );
                        return;
                    }
                });
            }
            ("native_ipv6", _) => {
                if written.family == Some(Family::Inet) {
                    self.general(line.span(), format!("({name}) Cannot specify native_ipv6 with IPv4 addresses"));
                } else {
                    written.family = Some(Family::Inet6);
                }
            }
            ("state", Some(word)) => {
                written.state = Some(match word.text {
                    "MASTER" => InitialState::Master,
                    "BACKUP" => InitialState::Backup,
                    other => {
                        self.general(
                            word.span,
                            format!("({name}) unknown state '{}', defaulting to BACKUP", printable(other)),
                        );
                        InitialState::Backup
                    }
                });
            }
            ("interface", Some(word)) => {
                if let Some(interface) = self.interface(word, &format!("vrrp_instance {name}")) {
                    if interface.as_str() == "lo" {
                        self.general(
                            word.span,
                            format!("({name}) cannot use a loopback interface (lo) for vrrp - ignoring"),
                        );
                    } else {
                        written.interface = Some(interface);
                    }
                }
            }
            ("vrf", Some(word)) => {
                if written.interface.is_some() {
                    self.general(word.span, format!("({name}) Cannot specify VRF interface and interface - ignoring"));
                } else {
                    written.vrf = self.interface(word, &format!("vrf of vrrp_instance {name}"));
                }
            }
            ("mcast_src_ip" | "unicast_src_ip", Some(word)) => {
                let unicast = keyword == "unicast_src_ip";
                written.unicast |= unicast;
                let Some(address) = parse_address(word.text) else {
                    self.general(
                        word.span,
                        format!(
                            "Configuration error: VRRP instance[{name}] malformed src address[{}]. Skipping...",
                            printable(word.text)
                        ),
                    );
                    return;
                };
                if self.instance_family(written, address) {
                    written.source = Some(address);
                } else {
                    self.general(
                        word.span,
                        format!("Configuration error: VRRP instance[{name}] and src address[{address}] MUST be of the same family !!! Skipping..."),
                    );
                }
            }
            ("mcast_dst_ip", Some(word)) => match parse_address(word.text) {
                None => self.general(
                    word.span,
                    format!("({name}) malformed mcast dest address {}. Skipping...", printable(word.text)),
                ),
                Some(group) if !group.is_multicast() => {
                    self.general(word.span, format!("({name}) mcast_dst_ip {group} not multicast. Skipping..."));
                }
                Some(group) => {
                    if self.instance_family(written, group) {
                        written.group = Some(group);
                    } else {
                        self.general(
                            word.span,
                            format!("({name}) mcast_dst_ip {group} address family mismatch. Skipping..."),
                        );
                    }
                }
            },
            ("virtual_router_id", Some(word)) => {
                let found = self.count(word, 1..=255, |text| {
                    format!("({name}): VRID '{text}' not valid - must be between 1 & 255")
                });
                written.vrid = found.and_then(|vrid| Vrid::new(vrid as u8).ok()).or(written.vrid);
            }
            ("unicast_ttl", Some(word)) => {
                if let Some(ttl) = self
                    .count(word, 0..=255, |text| format!("({name}): TTL '{text}' not valid - must be between 0 & 255"))
                {
                    written.unicast_ttl = Ttl(ttl as u8);
                }
            }
            ("version", Some(word)) => {
                if let Some(version) = self.integer(word, 2..=3, |_| format!("({name}): Version must be either 2 or 3"))
                {
                    written.version = Some(if version == 3 { VrrpVersion::V3 } else { VrrpVersion::V2 });
                }
            }
            ("priority", Some(word)) => {
                let found = self.count(word, 1..=255, |_| {
                    format!("({name}) Priority not valid! must be between 1 & 255. Using default 100")
                });
                written.priority = Some(found.map_or(Priority::DEFAULT, |priority| Priority::new(priority as u8)));
            }
            ("advert_int", Some(word)) => {
                if let Some(interval) = self.timer(word, 10_000..=255_000_000, |text| {
                    format!("({name}) Advert interval ({text}) not valid! Must be > 0 - ignoring")
                }) {
                    written.interval = u64::try_from(interval.as_micros()).ok();
                }
            }
            ("virtual_ipaddress" | "virtual_ipaddress_excluded", _) => {
                self.instance_addresses(line.block(), keyword == "virtual_ipaddress", written);
            }
            ("virtual_routes", _) => {
                for line in line.block().into_iter().flat_map(|block| block.lines()).filter(|line| !line.is_empty()) {
                    written.routes.extend(self.route(line, false));
                }
            }
            ("virtual_rules", _) => {
                for line in line.block().into_iter().flat_map(|block| block.lines()).filter(|line| !line.is_empty()) {
                    written.rules.extend(self.rule(line, false, around.preferences));
                }
            }
            ("preempt_delay", Some(word)) => {
                if let Some(delay) = self.timer(word, 0..=1_000_000_000, |_| {
                    format!("({name}) Preempt_delay not valid! must be between 0-1000")
                }) {
                    written.preempt_delay = delay;
                }
            }
            ("debug", Some(word)) => {
                self.count(word, 0..=4, |text| format!("({name}) Debug value '{text}' not valid; must be between 0-4"));
            }
            ("lvs_sync_daemon_interface", Some(word)) => {
                let first = format!("({name}) Specifying lvs_sync_daemon_interface against a vrrp is deprecated.");
                self.error(Class::Deprecated, "deprecated", line.span(), first);
                let pad = " ".repeat((name.len() + 3).max(6));
                self.error(
                    Class::Deprecated,
                    "deprecated",
                    line.span(),
                    format!("{pad} Please use global lvs_sync_daemon"),
                );
                if let Some(daemon) = &self.global.sync_daemon {
                    let message = format!(
                        "({name}) lvs_sync_daemon_interface has already been specified as {} - ignoring",
                        daemon.interface
                    );
                    self.general(line.span(), message);
                } else if let Some(interface) = self.interface_name(word) {
                    self.global.sync_daemon = Some(lvs::SyncDaemonConfig {
                        interface,
                        instance: Some(name),
                        id: None,
                        max_len: None,
                        port: None,
                        ttl: None,
                        group: None,
                    });
                }
            }
            ("linkbeat_use_polling", _) => {
                self.error(
                    Class::Deprecated,
                    "deprecated",
                    line.span(),
                    format!(
                        "({name}) 'linkbeat_use_polling' in vrrp instance deprecated - use linkbeat_interfaces block"
                    ),
                );
                around.linkbeat.extend(written.interface.clone());
            }
            ("timer_expired_backup" | "thread_timer_expired", word) => {
                let priority = match word {
                    None => Some(254),
                    Some(word) => self.count(word, 1..=254, |text| {
                        format!("({name}) {keyword} priority '{text}' invalid - ignoring")
                    }),
                };
                written.timer_expired = priority.map(|priority| Priority::new(priority as u8));
            }
            ("kernel_rx_buf_size", Some(word)) => {
                written.receive_buffer = self
                    .count(word, 0..=i32::MAX as u64, |_| format!("({name}) invalid kernel_rx_buf_size specified"))
                    .map(|size| size as u32);
            }
            ("authentication", _) => {
                if let Some(block) = line.block() {
                    written.password = Some(self.authentication(block, &name));
                }
            }
            ("auth_hmac", _) => {
                if let Some(block) = line.block() {
                    written.hmac = Some(self.auth_hmac(block, line.span(), &name));
                }
            }
            _ => {}
        }
    }

    fn instance_switch(&mut self, line: Line<'t>, keyword: &'static str, written: &mut Written) -> bool {
        let name = &written.name;
        match keyword {
            "use_vmac_addr" => written.vmac_addresses = true,
            "vmac_xmit_base" => written.transmit_base = true,
            "unicast_fault_no_peer" => written.fault_no_peer = true,
            "check_unicast_src" => {
                written.unicast = true;
                written.check_source = true;
            }
            "dont_track_primary" => written.track_primary = false,
            "track_src_ip" => written.track_source = true,
            "no_virtual_ipaddress" => written.no_addresses = true,
            "promote_secondaries" => written.promote_secondaries = true,
            "v3_checksum_as_v2" => written.checksum_as_v2 = true,
            "accept" => written.no_accept = Some(false),
            "no_accept" => written.no_accept = Some(true),
            "preempt" => written.preempt = true,
            "nopreempt" => written.preempt = false,
            "skip_check_adv_addr"
            | "strict_mode"
            | "lower_prio_no_advert"
            | "higher_prio_send_advert"
            | "owner_ignore_adverts" => {
                let Some(value) = self.boolean(line, |text| format!("({name}) invalid {keyword} {text} specified"))
                else {
                    return true;
                };
                match keyword {
                    "skip_check_adv_addr" => written.skip_check = Some(value),
                    "strict_mode" => written.strict = Some(value),
                    "lower_prio_no_advert" => written.lower_no_advert = Some(value),
                    "higher_prio_send_advert" => written.higher_send = Some(value),
                    _ => written.owner_ignore = Some(value),
                }
            }
            "smtp_alert" => {
                if let Some(value) =
                    self.boolean(line, |text| format!("Invalid vrrp_instance smtp_alert parameter {text}"))
                {
                    written.smtp_alert = Some(value);
                }
            }
            "notify_priority_changes" => {
                if let Some(value) =
                    self.boolean(line, |text| format!("({name}) invalid notify_priority_changes {text} specified"))
                {
                    written.notify_priority_changes = Some(value);
                }
            }
            _ => return false,
        }
        true
    }

    fn instance_notify(&mut self, line: Line<'t>, keyword: &'static str, written: &mut Written) -> bool {
        if keyword == "notify_deleted" {
            written.notify_deleted = true;
            if line.len() == 1 || line.word(1).is_some_and(|word| switch(word.text).is_some()) {
                return true;
            }
        }
        self.vrrp_notify(line, keyword, &written.name, &mut written.notified, &mut written.scripts)
    }

    /// The scripts of an instance or a group: the first of each kind holds.
    pub(super) fn vrrp_notify(
        &mut self,
        line: Line<'t>,
        keyword: &'static str,
        name: &str,
        notified: &mut Vec<&'static str>,
        scripts: &mut VrrpScripts,
    ) -> bool {
        let place = match keyword {
            "notify_master" => &mut scripts.master,
            "notify_backup" => &mut scripts.backup,
            "notify_fault" => &mut scripts.fault,
            "notify_stop" => &mut scripts.stop,
            "notify_deleted" => &mut scripts.deleted,
            "notify_master_rx_lower_pri" => &mut scripts.master_rx_lower_priority,
            "notify" => &mut scripts.any,
            _ => return false,
        };
        if notified.contains(&keyword) {
            let text = line.word(1).map_or("", |word| word.text);
            self.general(
                line.span(),
                format!("({name}) {keyword} script already specified - ignoring {}", printable(text)),
            );
        } else {
            notified.push(keyword);
            *place = self.script_line(line, Runner::Vrrp);
        }
        true
    }

    fn instance_announce(&mut self, line: Line<'t>, keyword: &'static str, written: &mut Written) -> bool {
        let name = &written.name;
        let prefix = format!("({name}): ");
        match (keyword, line.word(1)) {
            ("garp_master_delay" | "garp_lower_prio_delay", Some(word)) => {
                let delay = self
                    .count(word, 0..=4294, |text| format!("{prefix}{keyword} '{text}' invalid - ignoring"))
                    .map(Duration::from_secs);
                let place =
                    if keyword == "garp_master_delay" { &mut written.master_delay } else { &mut written.lower_delay };
                *place = delay.or(*place);
            }
            ("garp_master_refresh", Some(word)) => {
                let interval = self.count(word, 0..=u64::from(u32::MAX), |text| {
                    format!("{prefix}Invalid garp_master_refresh '{text}' - ignoring")
                });
                written.master_refresh = interval.map(Duration::from_secs).or(written.master_refresh);
            }
            ("garp_master_repeat" | "garp_master_refresh_repeat", Some(word)) => {
                let Some(count) = self.count(word, 0..=u64::from(u32::MAX), |text| {
                    format!("{prefix}{keyword} '{text}' invalid - ignoring")
                }) else {
                    return true;
                };
                if count == 0 {
                    self.general(word.span, format!("{prefix}{keyword} must be greater than 0, setting to 1"));
                }
                let place = if keyword == "garp_master_repeat" {
                    &mut written.master_repeat
                } else {
                    &mut written.master_refresh_repeat
                };
                *place = Some(count.max(1) as u32);
            }
            ("garp_lower_prio_repeat", Some(word)) => {
                let count = self.count(word, 0..=u64::from(u32::MAX), |text| {
                    format!("{prefix}Invalid garp_lower_prio_repeat '{text}'")
                });
                written.lower_repeat = count.map(|count| count as u32).or(written.lower_repeat);
            }
            ("down_timer_adverts", Some(word)) => {
                let count =
                    self.count(word, 1..=100, |text| format!("{prefix}Invalid down_timer_adverts [1:100] '{text}'"));
                written.down_timer_adverts = count.map(|count| count as u8).or(written.down_timer_adverts);
            }
            ("garp_extra_if" | "vmac_garp_intvl", _) => {
                written.extra_interface = self.extra_interface(line, keyword, &prefix, 0).or(written.extra_interface);
            }
            _ => return false,
        }
        true
    }

    /// The first address decides the family; later ones must agree.
    fn instance_family(&self, written: &mut Written, address: IpAddr) -> bool {
        let family = Family::of(address);
        *written.family.get_or_insert(family) == family
    }

    fn instance_addresses(&mut self, block: Option<Block<'t>>, advertised: bool, written: &mut Written) {
        for line in block.into_iter().flat_map(|block| block.lines()).filter(|line| !line.is_empty()) {
            let Some(address) = self.address(line, false) else { continue };
            if !advertised {
                written.excluded.push(address);
            } else if self.instance_family(written, address.address.address()) {
                written.addresses.push(address);
            } else {
                self.general(
                    line.span(),
                    format!(
                        "({}): address family must match VRRP instance [{}] - ignoring",
                        written.name,
                        printable(line.keyword().text)
                    ),
                );
            }
        }
    }

    fn peers(&mut self, block: Option<Block<'t>>, written: &mut Written) {
        for line in block.into_iter().flat_map(|block| block.lines()).filter(|line| !line.is_empty()) {
            let word = line.keyword();
            let Some(address) = parse_address(word.text) else {
                self.general(
                    word.span,
                    format!(
                        "Configuration error: VRRP instance[{}] malformed unicast peer address[{}]. Skipping...",
                        written.name,
                        printable(word.text)
                    ),
                );
                continue;
            };
            if !self.instance_family(written, address) {
                self.general(
                    word.span,
                    format!(
                        "Configuration error: VRRP instance[{}] and unicast peer address[{address}] MUST be of the same family !!! Skipping...",
                        written.name
                    ),
                );
                continue;
            }
            let mut peer = Peer { address, min_ttl: Ttl(0), max_ttl: Ttl::MAX };
            let mut words = line.arguments();
            while let Some(option) = words.next() {
                if !["min_ttl", "max_ttl"].contains(&option.text) {
                    self.general(
                        option.span,
                        format!("({}) unknown unicast_peer option {} - ignoring", written.name, printable(option.text)),
                    );
                    continue;
                }
                let Some(value) = words.next() else {
                    self.general(option.span, format!("({}) no value specified for {}", written.name, option.text));
                    break;
                };
                match unsigned(value.text, 0..=255) {
                    Ok(ttl) => {
                        written.check_source = true;
                        *(if option.text == "min_ttl" { &mut peer.min_ttl } else { &mut peer.max_ttl }) =
                            Ttl(ttl as u8);
                    }
                    Err(why) => self.bad_number(value.span, why, ""),
                }
            }
            if written.peers.iter().any(|other| other.address == address) {
                self.advise(
                    "duplicate-peer",
                    word.span,
                    format!("({}) unicast peer {address} stands twice", written.name),
                );
                continue;
            }
            written.peers.push(peer);
        }
    }
}

/// The advertisement interval in hundredths of a second; the caller knows that it fits.
pub(super) fn centiseconds(micros: u64) -> CentiSeconds {
    let value = u16::try_from(micros / 10_000).unwrap_or(u16::MAX).clamp(1, 25_500);
    CentiSeconds::new(value).unwrap_or(CentiSeconds::SECOND)
}
