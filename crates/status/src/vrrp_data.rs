//! `keepalived.data` of the VRRP process.

use std::fmt::Write as _;

use types::VrrpVersion;
use vrrp::State;
use vrrp::config::{Authentication, Cast};

use crate::{Instance, Vrrp, command, item};

/// The text of SIGUSR1. Sections and keys are keepalived's; what it tells of its own inside (descriptors, buffers) is
/// left out, and what it does not tell (why an instance is in FAULT, who is master) is added.
pub fn data(vrrp: &Vrrp<'_>) -> String {
    let mut text = String::from("------< Global definitions >------\n");
    // Writing into a string cannot fail, here and below.
    let _ = writeln!(text, " Router ID = {}", vrrp.router_id);
    text.push_str("------< VRRP Topology >------\n");
    for instance in &vrrp.instances {
        topology(vrrp, instance, &mut text);
    }
    let groups: Vec<_> = vrrp.routers.groups().collect();
    if !groups.is_empty() {
        text.push_str("------< VRRP Sync groups >------\n");
    }
    for (group, scripts) in groups.iter().zip(&vrrp.groups) {
        let _ = writeln!(text, " VRRP Sync Group = {}, {}", group.config.name, state(group.state));
        text.push_str("   VRRP member instances :\n");
        for member in &group.config.members {
            let _ = writeln!(text, "     {member}");
        }
        write_scripts(scripts, &mut text);
    }
    let scripts: Vec<_> = vrrp.routers.scripts().collect();
    if !scripts.is_empty() {
        text.push_str("------< VRRP Scripts >------\n");
    }
    for script in scripts {
        let _ = writeln!(text, " VRRP Script = {}", script.config.name);
        let _ = writeln!(text, "   Command = {}", script.config.command);
        let _ = writeln!(text, "   Interval = {} sec", script.config.interval.as_secs_f64());
        let _ = writeln!(text, "   Timeout = {} sec", script.config.timeout.as_secs_f64());
        let _ = writeln!(text, "   Rise = {}", script.config.rise);
        let _ = writeln!(text, "   Fall = {}", script.config.fall);
        let _ = writeln!(text, "   Status = {}", result(script.result));
    }
    text
}

fn result(result: vrrp::view::ScriptResult) -> &'static str {
    match result {
        vrrp::view::ScriptResult::Unknown => "INIT",
        vrrp::view::ScriptResult::Up { .. } => "GOOD",
        vrrp::view::ScriptResult::Down { .. } => "BAD",
    }
}

fn state(state: State) -> &'static str {
    match state {
        State::Init => "INIT",
        State::Backup => "BACKUP",
        State::Master => "MASTER",
        State::Fault => "FAULT",
    }
}

fn enabled(on: bool) -> &'static str {
    if on { "enabled" } else { "disabled" }
}

fn topology(vrrp: &Vrrp<'_>, instance: &Instance<'_>, text: &mut String) {
    let (view, config) = (&instance.view, instance.view.config);
    let _ = writeln!(text, " VRRP Instance = {}", config.name);
    let _ = writeln!(text, "   VRRP Version = {}", config.version);
    if let Some(group) = view.group
        && let Some(group) = vrrp.routers.groups().find(|candidate| candidate.id == group)
    {
        let _ = writeln!(text, "   Sync group = {}", group.config.name);
    }
    let _ = writeln!(text, "   State = {}", state(view.state));
    let _ = writeln!(text, "   Wantstate = {}", state(view.wanted_state));
    for fault in &view.faults {
        let _ = writeln!(text, "   Fault = {fault}");
    }
    let _ = writeln!(
        text,
        "   Last transition = {}.{:06}",
        view.last_transition.as_secs(),
        view.last_transition.subsec_micros()
    );
    if let Some((address, priority)) = view.master.filter(|_| view.state == State::Backup) {
        let _ = writeln!(text, "   Master router = {address}\n   Master priority = {priority}");
    }
    if let Some(interface) = &config.interface {
        let _ = writeln!(text, "   Interface = {interface}");
    }
    if let Some(link) = &config.virtual_link {
        let _ = writeln!(text, "   Virtual interface = {}", link.name);
    }
    if let Some(source) = view.source {
        let _ = writeln!(text, "   Using src_ip = {source}");
    }
    match &config.cast {
        Cast::Multicast { group } => _ = writeln!(text, "   Multicast address {group}"),
        Cast::Unicast { peers, .. } => {
            text.push_str("   Unicast Peer :\n");
            for peer in peers {
                let _ = writeln!(text, "     {}", peer.address);
            }
        }
    }
    let announce = &config.announce;
    let _ = writeln!(text, "   Gratuitous ARP delay = {}", announce.master_delay.as_secs());
    let _ = writeln!(text, "   Gratuitous ARP repeat = {}", announce.master_repeat);
    let _ = writeln!(text, "   Gratuitous ARP refresh = {}", announce.master_refresh.as_secs());
    let _ = writeln!(text, "   Gratuitous ARP refresh repeat = {}", announce.master_refresh_repeat);
    let _ = writeln!(text, "   Gratuitous ARP lower priority delay = {}", announce.lower_priority_delay.as_secs());
    let _ = writeln!(text, "   Gratuitous ARP lower priority repeat = {}", announce.lower_priority_repeat);
    let _ = writeln!(text, "   Down timer adverts = {}", config.down_timer_adverts);
    let _ = writeln!(text, "   Send advert after receive lower priority advert = {}", !config.lower_priority_no_advert);
    let _ =
        writeln!(text, "   Send advert after receive higher priority advert = {}", config.higher_priority_send_advert);
    let _ = writeln!(text, "   Virtual Router ID = {}", config.vrid);
    let _ = writeln!(text, "   Priority = {}", view.base_priority);
    let _ = writeln!(text, "   Effective priority = {}", view.effective_priority);
    let _ = match config.version {
        VrrpVersion::V2 => writeln!(text, "   Advert interval = {} sec", config.interval),
        VrrpVersion::V3 => writeln!(text, "   Advert interval = {} milli-sec", config.interval.duration().as_millis()),
    };
    if config.version == VrrpVersion::V3 && view.state == State::Backup {
        let _ = writeln!(text, "   Master advert interval = {} milli-sec", view.master_interval.duration().as_millis());
    }
    let _ = writeln!(text, "   Accept = {}", enabled(!instance.no_accept));
    let _ = writeln!(text, "   Preempt = {}", enabled(config.preempt));
    if !config.preempt_delay.is_zero() {
        let _ = writeln!(text, "   Preempt delay = {} secs", config.preempt_delay.as_secs());
    }
    let _ = writeln!(text, "   Promote_secondaries = {}", enabled(instance.promote_secondaries));
    match &config.authentication {
        Authentication::None => text.push_str("   Authentication type = none\n"),
        Authentication::Password(_) => {
            text.push_str("   Authentication type = SIMPLE_PASSWORD\n   Password = ********\n")
        }
        Authentication::AuthenticationHeader(_) => {
            text.push_str("   Authentication type = IPSEC_AH\n   Password = ********\n")
        }
        Authentication::Hmac(hmac) => {
            _ = writeln!(text, "   Authentication type = HMAC, active key {}", hmac.active_key)
        }
    }
    let interface = config.virtual_link.as_ref().map(|link| &link.name).or(config.interface.as_ref());
    for (title, addresses) in [("Virtual IP", instance.addresses), ("Virtual IP Excluded", instance.excluded)] {
        if addresses.is_empty() {
            continue;
        }
        let _ = match title {
            "Virtual IP" => writeln!(text, "   Virtual IP ({}):", addresses.len()),
            title => writeln!(text, "   {title} :"),
        };
        for address in addresses {
            let _ = writeln!(text, "     {}", item::address(address, interface, view.holding));
        }
    }
    for (title, lines) in [
        ("Virtual Routes", instance.routes.iter().map(item::route).collect::<Vec<_>>()),
        ("Virtual Rules", instance.rules.iter().map(item::rule).collect()),
    ] {
        if !lines.is_empty() {
            let _ = writeln!(text, "   {title} :");
        }
        for line in lines {
            let _ = writeln!(text, "     {line}");
        }
    }
    let _ = writeln!(text, "   Using smtp notification = {}", if instance.smtp_alert { "yes" } else { "no" });
    let _ = writeln!(text, "   Notify deleted = {}", if config.notify_deleted { "Deleted" } else { "Fault" });
    write_scripts(instance.scripts, text);
    let _ = writeln!(text, "   Notify priority changes = {}", config.notify_priority_changes);
}

fn write_scripts(scripts: &notify::VrrpScripts, text: &mut String) {
    for (title, script) in [
        ("Backup state transition script", &scripts.backup),
        ("Master state transition script", &scripts.master),
        ("Fault state transition script", &scripts.fault),
        ("Stop state transition script", &scripts.stop),
        ("Deleted state transition script", &scripts.deleted),
        ("Master rx lower pri script", &scripts.master_rx_lower_priority),
        ("Generic state transition script", &scripts.any),
    ] {
        if let Some(script) = script {
            let _ = writeln!(text, "   {title} = {}, uid:gid {}:{}", command(script), script.user.uid, script.user.gid);
        }
    }
}
