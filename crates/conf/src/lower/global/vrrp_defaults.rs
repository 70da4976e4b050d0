//! What `vrrp_instance` blocks inherit.

use std::net::IpAddr;
use std::time::Duration;

use types::VrrpVersion;

use super::Globals;
use crate::lower::context::{Lower, printable};
use crate::lower::value::{TIMER_MAX, parse_address, switch};
use crate::tree::Line;

/// `vrrp_rx_bufs_policy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lower) enum ReceiveBuffer {
    Mtu,
    Advert,
    Octets(u32),
}

/// Defaults of `vrrp_instance`.
#[derive(Debug, Clone)]
pub(in crate::lower) struct VrrpDefaults {
    pub(in crate::lower) group4: IpAddr,
    pub(in crate::lower) group6: IpAddr,
    pub(in crate::lower) master_delay: Option<Duration>,
    pub(in crate::lower) master_repeat: Option<u32>,
    pub(in crate::lower) master_refresh: Option<Duration>,
    pub(in crate::lower) master_refresh_repeat: Option<u32>,
    pub(in crate::lower) lower_delay: Option<Duration>,
    pub(in crate::lower) lower_repeat: Option<u32>,
    pub(in crate::lower) min_garp: bool,
    pub(in crate::lower) extra_interface: Duration,
    pub(in crate::lower) down_timer_adverts: u8,
    pub(in crate::lower) arp_interval: Duration,
    pub(in crate::lower) neighbour_interval: Duration,
    pub(in crate::lower) lower_prio_no_advert: bool,
    pub(in crate::lower) higher_prio_send_advert: bool,
    pub(in crate::lower) owner_ignore_adverts: bool,
    pub(in crate::lower) version: VrrpVersion,
    pub(in crate::lower) checksum_as_v2: bool,
    pub(in crate::lower) check_unicast_source: bool,
    pub(in crate::lower) skip_check_addresses: bool,
    pub(in crate::lower) strict: bool,
    pub(in crate::lower) notify_priority_changes: bool,
    pub(in crate::lower) receive_buffer: Option<ReceiveBuffer>,
    pub(in crate::lower) receive_multiplier: u32,
    pub(in crate::lower) startup_delay: Duration,
    pub(in crate::lower) log_unknown_vrids: bool,
    pub(in crate::lower) nftables_priority: Option<i32>,
    pub(in crate::lower) nftables_by_index: bool,
    pub(in crate::lower) nftables_counters: bool,
    pub(in crate::lower) vmac_prefix: Option<String>,
    pub(in crate::lower) vmac_address_prefix: Option<String>,
}

impl Default for VrrpDefaults {
    fn default() -> Self {
        Self {
            group4: IpAddr::from([224, 0, 0, 18]),
            group6: IpAddr::from([0xff02, 0, 0, 0, 0, 0, 0, 0x12]),
            master_delay: None,
            master_repeat: None,
            master_refresh: None,
            master_refresh_repeat: None,
            lower_delay: None,
            lower_repeat: None,
            min_garp: false,
            extra_interface: Duration::ZERO,
            down_timer_adverts: 3,
            arp_interval: Duration::ZERO,
            neighbour_interval: Duration::ZERO,
            lower_prio_no_advert: false,
            higher_prio_send_advert: false,
            owner_ignore_adverts: false,
            version: VrrpVersion::V2,
            checksum_as_v2: false,
            check_unicast_source: false,
            skip_check_addresses: false,
            strict: false,
            notify_priority_changes: false,
            receive_buffer: None,
            receive_multiplier: 3,
            startup_delay: Duration::ZERO,
            log_unknown_vrids: false,
            nftables_priority: None,
            nftables_by_index: false,
            nftables_counters: false,
            vmac_prefix: None,
            vmac_address_prefix: None,
        }
    }
}

impl VrrpDefaults {
    /// The announcements of an instance that says nothing about them. `vrrp_min_garp` changes what is not written.
    pub(in crate::lower) fn announce(&self) -> vrrp::config::AnnounceConfig {
        let usual = vrrp::config::AnnounceConfig::default();
        let master_delay = self.master_delay.unwrap_or(if self.min_garp { Duration::ZERO } else { usual.master_delay });
        let master_repeat = self.master_repeat.unwrap_or(if self.min_garp { 1 } else { usual.master_repeat });
        vrrp::config::AnnounceConfig {
            master_delay,
            master_repeat,
            master_refresh: self.master_refresh.unwrap_or(usual.master_refresh),
            master_refresh_repeat: self.master_refresh_repeat.unwrap_or(usual.master_refresh_repeat),
            lower_priority_delay: self.lower_delay.unwrap_or(master_delay),
            lower_priority_repeat: self.lower_repeat.unwrap_or(master_repeat),
            extra_interface_refresh: self.extra_interface,
        }
    }
}

impl Globals {
    pub(super) fn finish_vrrp_defaults(&mut self) {
        if let Some(prefix) = &self.vrrp.vmac_prefix {
            self.out.vmac_prefixes = (prefix.clone(), prefix.clone());
        }
        if let Some(prefix) = &self.vrrp.vmac_address_prefix {
            self.out.vmac_prefixes.1 = prefix.clone();
        }
    }
}

impl<'t> Lower<'t> {
    /// Whether the keyword was one of these.
    pub(super) fn vrrp_default_line(&mut self, line: Line<'t>, keyword: &'static str) -> bool {
        let word = line.word(1);
        match (keyword, word) {
            ("vrrp_mcast_group4" | "vrrp_mcast_group6", Some(word)) => {
                let four = keyword.ends_with('4');
                match parse_address(word.text) {
                    Some(group) if group.is_ipv4() == four && group.is_multicast() => {
                        if four {
                            self.global.vrrp.group4 = group;
                        } else {
                            self.global.vrrp.group6 = group;
                        }
                    }
                    Some(group) if group.is_ipv4() == four => {
                        self.general(word.span, format!("{keyword} address {group} is not multicast. Skipping"));
                    }
                    _ => self.general(word.span, format!("Can't parse {keyword} [{}]. Skipping", printable(word.text))),
                }
            }
            ("vrrp_garp_master_delay" | "vrrp_garp_lower_prio_delay", Some(word)) => {
                if let Some(seconds) = self.count(word, 0..=4294, |t| format!("{keyword} '{t}' invalid - ignoring")) {
                    let delay = Some(Duration::from_secs(seconds));
                    if keyword == "vrrp_garp_master_delay" {
                        self.global.vrrp.master_delay = delay;
                    } else {
                        self.global.vrrp.lower_delay = delay;
                    }
                }
            }
            ("vrrp_garp_master_repeat" | "vrrp_garp_master_refresh_repeat", Some(word)) => {
                if let Some(count) =
                    self.count(word, 0..=u64::from(u32::MAX), |t| format!("{keyword} '{t}' invalid - ignoring"))
                {
                    if count == 0 {
                        self.general(word.span, format!("{keyword} must be greater than 0, setting to 1"));
                    }
                    let count = Some(count.max(1) as u32);
                    if keyword == "vrrp_garp_master_repeat" {
                        self.global.vrrp.master_repeat = count;
                    } else {
                        self.global.vrrp.master_refresh_repeat = count;
                    }
                }
            }
            ("vrrp_garp_master_refresh", Some(word)) => {
                self.global.vrrp.master_refresh = self
                    .count(word, 0..=u64::from(u32::MAX), |t| {
                        format!("Invalid vrrp_garp_master_refresh '{t}' - ignoring")
                    })
                    .map(Duration::from_secs);
            }
            ("vrrp_garp_lower_prio_repeat", Some(word)) => {
                self.global.vrrp.lower_repeat = self
                    .count(word, 0..=u64::from(u32::MAX), |t| format!("Invalid vrrp_garp_lower_prio_repeat '{t}'"))
                    .map(|count| count as u32);
            }
            ("vrrp_down_timer_adverts", Some(word)) => {
                if let Some(count) =
                    self.count(word, 1..=100, |t| format!("Invalid vrrp_down_timer_adverts [1:100] '{t}'"))
                {
                    self.global.vrrp.down_timer_adverts = count as u8;
                }
            }
            ("vrrp_garp_interval", Some(word)) => {
                if let Some(gap) = self.timer(word, 1..=TIMER_MAX, |t| format!("vrrp_garp_interval '{t}' is invalid")) {
                    self.global.vrrp.arp_interval = gap;
                }
            }
            ("vrrp_gna_interval", Some(word)) => {
                if let Some(gap) = self.timer(word, 1..=TIMER_MAX, |t| format!("vrrp_gna_interval '{t}' is invalid")) {
                    self.global.vrrp.neighbour_interval = gap;
                }
            }
            ("vrrp_garp_extra_if" | "vrrp_vmac_garp_intvl", _) => {
                if let Some(interval) = self.extra_interface(line, keyword, "", 1) {
                    self.global.vrrp.extra_interface = interval;
                }
            }
            ("vrrp_version", Some(word)) => {
                if let Some(version) = self.integer(word, 2..=3, |_| "VRRP Error: Version must be either 2 or 3".into())
                {
                    self.global.vrrp.version = if version == 3 { VrrpVersion::V3 } else { VrrpVersion::V2 };
                }
            }
            ("v3_checksum_as_v2", _) => self.global.vrrp.checksum_as_v2 = true,
            ("vrrp_check_unicast_src", _) => self.global.vrrp.check_unicast_source = true,
            ("log_unknown_vrids", _) => self.global.vrrp.log_unknown_vrids = true,
            ("vrrp_rx_bufs_policy", Some(word)) => {
                self.global.vrrp.receive_buffer = match word.text.to_ascii_uppercase().as_str() {
                    "MTU" => Some(ReceiveBuffer::Mtu),
                    "ADVERT" => Some(ReceiveBuffer::Advert),
                    _ => self
                        .count(word, 0..=u64::from(u32::MAX), |t| format!("Invalid vrrp_rx_bufs_policy {t}"))
                        .map(|octets| ReceiveBuffer::Octets(octets as u32)),
                };
            }
            ("vrrp_rx_bufs_multiplier", Some(word)) => {
                if let Some(count) =
                    self.count(word, 1..=u64::from(u32::MAX), |t| format!("Invalid vrrp_rx_bufs_multiplier {t}"))
                {
                    self.global.vrrp.receive_multiplier = count as u32;
                }
            }
            ("vrrp_startup_delay" | "vrrp_delay_after_boot", Some(word)) => {
                if let Some(delay) = self.timer(word, 1_000..=TIMER_MAX, |t| format!("{keyword} '{t}' is invalid")) {
                    if keyword == "vrrp_startup_delay" {
                        self.global.vrrp.startup_delay = delay;
                    } else {
                        self.global.out.delay_after_boot = delay;
                    }
                }
            }
            ("vmac_prefix", word) => self.global.vrrp.vmac_prefix = word.map(|word| word.text.to_owned()),
            ("vmac_addr_prefix", word) => self.global.vrrp.vmac_address_prefix = word.map(|word| word.text.to_owned()),
            (
                "vrrp_min_garp"
                | "vrrp_lower_prio_no_advert"
                | "vrrp_higher_prio_send_advert"
                | "vrrp_notify_priority_changes"
                | "vrrp_skip_check_adv_addr"
                | "vrrp_strict"
                | "vrrp_owner_ignore_adverts",
                word,
            ) => {
                // an unknown word after the last three is passed over by keepalived, which takes the switch for set
                let lenient = matches!(keyword, "vrrp_skip_check_adv_addr" | "vrrp_strict");
                let value = match word.map(|word| (word, switch(word.text))) {
                    None => true,
                    Some((_, Some(value))) => value,
                    Some((word, None)) => {
                        if lenient {
                            self.advise(
                                "unknown-switch",
                                word.span,
                                format!("'{}' is neither on nor off; {keyword} counts as on", printable(word.text)),
                            );
                            true
                        } else {
                            let text = if keyword == "vrrp_notify_priority_changes" {
                                format!("Invalid value '{}' for global {keyword} specified", printable(word.text))
                            } else {
                                format!("Invalid value for {keyword} specified")
                            };
                            self.general(word.span, text);
                            return true;
                        }
                    }
                };
                let defaults = &mut self.global.vrrp;
                match keyword {
                    "vrrp_min_garp" => defaults.min_garp = value,
                    "vrrp_lower_prio_no_advert" => defaults.lower_prio_no_advert = value,
                    "vrrp_higher_prio_send_advert" => defaults.higher_prio_send_advert = value,
                    "vrrp_notify_priority_changes" => defaults.notify_priority_changes = value,
                    "vrrp_skip_check_adv_addr" => defaults.skip_check_addresses = value,
                    "vrrp_owner_ignore_adverts" => defaults.owner_ignore_adverts = value,
                    _ => defaults.strict = value,
                }
            }
            _ => return false,
        }
        true
    }

    /// `[all] SECONDS` of the gratuitous ARPs from virtual links.
    pub(in crate::lower) fn extra_interface(
        &mut self,
        line: Line<'t>,
        keyword: &str,
        prefix: &str,
        least: u64,
    ) -> Option<Duration> {
        if let Some((_, newer)) = [("vrrp_vmac_garp_intvl", "vrrp_garp_extra_if"), ("vmac_garp_intvl", "garp_extra_if")]
            .into_iter()
            .find(|(old, _)| *old == keyword)
        {
            self.error(
                crate::diagnostic::Class::Deprecated,
                "deprecated",
                line.keyword().span,
                format!("Keyword \"{keyword}\" is deprecated - please use \"{newer}\""),
            );
        }
        let Some(word) = line.arguments().find(|word| word.text != "all") else {
            self.general(line.span(), format!("{prefix}{keyword} specified without time - ignoring"));
            return None;
        };
        self.count(word, least..=86_400, |t| format!("{prefix}{keyword} '{t}' invalid - ignoring"))
            .map(Duration::from_secs)
    }
}
