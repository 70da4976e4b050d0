//! `vrrp_instance` and `vrrp_sync_group`.

use std::fmt::Write;

use notify::VrrpScripts;
use types::{Family, VrrpVersion};
use vrrp::config::{
    AntiReplay, Authentication, Cast, ChecksumV3, HmacMode, InitialState, InstanceConfig, IpvlanMode, VirtualLinkKind,
};

use super::tracking::{lines, trackers};
use super::{Out, line, on_off, script, seconds, word};
use crate::configuration::{Configuration, InstancePart};

pub(super) fn write(out: &mut Out, configuration: &Configuration) {
    let part = &configuration.vrrp;
    for (instance, more) in part.brain.instances.iter().zip(&part.instances) {
        out.block(format!("vrrp_instance {}", word(&instance.name)), |out| one(out, instance, more));
    }
    for (group, more) in part.brain.sync_groups.iter().zip(&part.sync_groups) {
        out.block(format!("vrrp_sync_group {}", word(&group.name)), |out| {
            out.block("group", |out| group.members.iter().for_each(|member| out.line(word(member))));
            out.flag("sync_group_tracking_weight", group.tracking_weight);
            trackers(out, &group.trackers);
            out.line(format!("notify_priority_changes {}", on_off(group.notify_priority_changes)));
            scripts(out, &more.scripts);
            out.line(format!("smtp_alert {}", on_off(more.smtp_alert)));
        });
    }
}

fn one(out: &mut Out, instance: &InstanceConfig, more: &InstancePart) {
    out.flag("native_ipv6", instance.family == Family::Inet6);
    out.line(format!("version {}", instance.version));
    out.line(match instance.initial_state {
        InitialState::Master => "state MASTER",
        InitialState::Backup => "state BACKUP",
    });
    out.value("interface", instance.interface.as_ref());
    out.value("vrf", instance.vrf.as_ref());
    out.line(format!("virtual_router_id {}", instance.vrid));
    out.line(format!("priority {}", instance.priority));
    out.line(format!("advert_int {}", instance.interval));
    out.line(format!("down_timer_adverts {}", instance.down_timer_adverts));
    out.value("mcast_src_ip", instance.source);
    out.flag("track_src_ip", instance.track_source);
    out.flag("dont_track_primary", !instance.track_primary);
    link(out, instance);
    match &instance.cast {
        Cast::Multicast { group } => {
            out.line(format!("mcast_dst_ip {group}"));
            if instance.configuration_fault.as_deref() == Some("unicast without peers") {
                out.line("check_unicast_src");
                out.line("unicast_fault_no_peer");
            }
        }
        Cast::Unicast { peers, ttl, check_source } => {
            out.block("unicast_peer", |out| {
                for peer in peers {
                    let mut text = peer.address.to_string();
                    if peer.min_ttl.0 != 0 {
                        let _ = write!(text, " min_ttl {}", peer.min_ttl.0);
                    }
                    if peer.max_ttl.0 != 255 {
                        let _ = write!(text, " max_ttl {}", peer.max_ttl.0);
                    }
                    out.line(text);
                }
            });
            out.line(format!("unicast_ttl {}", ttl.0));
            out.flag("check_unicast_src", *check_source);
        }
    }
    lines(out, "virtual_ipaddress", &more.addresses, line::address);
    lines(out, "virtual_ipaddress_excluded", &more.excluded, line::address);
    let needed = instance.version == VrrpVersion::V3 || instance.strict;
    out.flag("no_virtual_ipaddress", more.addresses.is_empty() && needed && instance.configuration_fault.is_none());
    lines(out, "virtual_routes", &more.routes, line::route);
    lines(out, "virtual_rules", &more.rules, line::rule);
    out.line(if more.no_accept { "no_accept" } else { "accept" });
    out.flag("promote_secondaries", more.promote_secondaries);
    out.line(if instance.preempt { "preempt" } else { "nopreempt" });
    out.line(format!("preempt_delay {}", seconds(instance.preempt_delay)));
    for (keyword, on) in [
        ("strict_mode", instance.strict),
        ("skip_check_adv_addr", instance.skip_check_advert_addresses),
        ("lower_prio_no_advert", instance.lower_priority_no_advert),
        ("higher_prio_send_advert", instance.higher_priority_send_advert),
        ("owner_ignore_adverts", instance.owner_ignore_adverts),
        ("notify_priority_changes", instance.notify_priority_changes),
        ("smtp_alert", more.smtp_alert),
    ] {
        out.line(format!("{keyword} {}", on_off(on)));
    }
    out.value("timer_expired_backup", instance.timer_expired_backup);
    match instance.checksum {
        ChecksumV3::PseudoHeader => {}
        ChecksumV3::PseudoHeaderOnly => out.line("old_unicast_checksum never"),
        ChecksumV3::OldUnicast => out.line("old_unicast_checksum"),
        ChecksumV3::MessageOnly => out.line("v3_checksum_as_v2"),
    }
    authentication(out, &instance.authentication);
    let announce = &instance.announce;
    out.line(format!("garp_master_delay {}", announce.master_delay.as_secs()));
    out.line(format!("garp_master_repeat {}", announce.master_repeat));
    out.line(format!("garp_master_refresh {}", announce.master_refresh.as_secs()));
    out.line(format!("garp_master_refresh_repeat {}", announce.master_refresh_repeat));
    out.line(format!("garp_lower_prio_delay {}", announce.lower_priority_delay.as_secs()));
    out.line(format!("garp_lower_prio_repeat {}", announce.lower_priority_repeat));
    out.value(
        "garp_extra_if",
        (!announce.extra_interface_refresh.is_zero()).then_some(announce.extra_interface_refresh.as_secs()),
    );
    trackers(out, &instance.trackers);
    out.value("kernel_rx_buf_size", instance.receive_buffer);
    out.flag("notify_deleted", instance.notify_deleted && more.scripts.deleted.is_none());
    scripts(out, &more.scripts);
}

fn link(out: &mut Out, instance: &InstanceConfig) {
    let Some(link) = &instance.virtual_link else { return };
    let group = link.group.map_or(String::new(), |group| format!(" group {group}"));
    match &link.kind {
        VirtualLinkKind::Macvlan { mac } => {
            let notify = if link.notify_message { " netlink_notify_msg" } else { "" };
            out.line(format!("use_vmac name {} {mac}{notify}{group}", link.name));
        }
        VirtualLinkKind::Ipvlan { address, mode } => {
            let address = address.map_or(String::new(), |address| format!(" {address}"));
            let mode = match mode {
                IpvlanMode::Bridge => "bridge",
                IpvlanMode::Private => "private",
                IpvlanMode::Vepa => "vepa",
            };
            out.line(format!("use_ipvlan name {}{address} {mode}{group}", link.name));
        }
    }
    out.flag("vmac_xmit_base", link.transmit_base);
}

fn authentication(out: &mut Out, authentication: &Authentication) {
    let password = |out: &mut Out, kind: &str, secret: &types::Secret| {
        out.block("authentication", |out| {
            out.line(format!("auth_type {kind}"));
            out.line(format!("auth_pass {}", word(&String::from_utf8_lossy(secret.expose()))));
        });
    };
    match authentication {
        Authentication::None => {}
        Authentication::Password(secret) => password(out, "PASS", secret),
        Authentication::AuthenticationHeader(secret) => password(out, "AH", secret),
        Authentication::Hmac(hmac) => out.block("auth_hmac", |out| {
            for (id, key) in &hmac.keys {
                let mut digits = String::new();
                for octet in key.expose() {
                    let _ = write!(digits, "{octet:02x}");
                }
                out.line(format!("key {id} hex:{digits}"));
            }
            out.line(format!("active_key {}", hmac.active_key));
            out.line(format!("time_window {}", hmac.time_window.as_secs()));
            out.line(match hmac.anti_replay {
                AntiReplay::Time => "anti_replay time",
                AntiReplay::Monotonic => "anti_replay monotonic",
            });
            out.line(match hmac.mode {
                HmacMode::Enforce => "mode enforce",
                HmacMode::Permissive => "mode permissive",
                HmacMode::ReceiveOnly => "mode receive-only",
            });
        }),
    }
}

fn scripts(out: &mut Out, scripts: &VrrpScripts) {
    script(out, "notify_master", scripts.master.as_ref());
    script(out, "notify_backup", scripts.backup.as_ref());
    script(out, "notify_fault", scripts.fault.as_ref());
    script(out, "notify_stop", scripts.stop.as_ref());
    script(out, "notify_deleted", scripts.deleted.as_ref());
    script(out, "notify_master_rx_lower_pri", scripts.master_rx_lower_priority.as_ref());
    script(out, "notify", scripts.any.as_ref());
}
