//! `keepalived.json`, byte for byte in keepalived's order: readers with strict schemas exist.

use vrrp::config::{Authentication, TrackTarget};

use crate::{Instance, Vrrp, command, item};

/// The document of the JSON signal; empty without instances, as keepalived then writes none.
pub fn json(vrrp: &Vrrp<'_>) -> String {
    if vrrp.instances.is_empty() {
        return String::new();
    }
    let instances: Vec<String> = vrrp.instances.iter().map(|instance| one(vrrp, instance)).collect();
    let instances = instances.join(",");
    if vrrp.json_version < 2 {
        return format!("[{instances}]");
    }
    let processes: Vec<String> = vrrp.routers.processes().map(|process| tracked_process(&process)).collect();
    format!("{{\"vrrp\":[{instances}],\"track_process\":[{}]}}", processes.join(","))
}

/// Members of one object, in the order of adding.
#[derive(Default)]
struct Object(String);

impl Object {
    fn raw(&mut self, name: &str, value: impl std::fmt::Display) {
        use std::fmt::Write as _;
        let comma = if self.0.is_empty() { "" } else { "," };
        // Writing into a string cannot fail.
        let _ = write!(self.0, "{comma}\"{name}\":{value}");
    }

    fn text(&mut self, name: &str, value: &str) {
        self.raw(name, quoted(value));
    }

    fn list(&mut self, name: &str, values: impl IntoIterator<Item = String>) {
        let values: Vec<String> = values.into_iter().map(|value| quoted(&value)).collect();
        if !values.is_empty() {
            self.raw(name, format_args!("[{}]", values.join(",")));
        }
    }

    fn end(self) -> String {
        format!("{{{}}}", self.0)
    }
}

/// Quoted, with `/` escaped as keepalived does.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '/' => quoted.push_str("\\/"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Seconds without needless decimals.
fn seconds(duration: std::time::Duration) -> String {
    let text = format!("{:.6}", duration.as_secs_f64());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn one(vrrp: &Vrrp<'_>, instance: &Instance<'_>) -> String {
    let (view, config) = (&instance.view, instance.view.config);
    let number = u8::from;
    let mut data = Object::default();
    data.text("iname", &config.name);
    data.raw("dont_track_primary", number(!config.track_primary));
    data.raw("skip_check_adv_addr", number(config.skip_check_advert_addresses));
    data.raw("strict_mode", number(config.strict));
    data.text("vmac_ifname", config.virtual_link.as_ref().map_or("", |link| link.name.as_str()));
    if let Some(name) = config.virtual_link.as_ref().map(|link| &link.name).or(config.interface.as_ref()) {
        data.text("ifp_ifname", name.as_str());
    }
    data.raw("master_priority", view.master.map_or(0, |(_, priority)| priority.get()));
    data.raw(
        "last_transition",
        format_args!("{}.{:06}", view.last_transition.as_secs(), view.last_transition.subsec_micros()),
    );
    data.raw("garp_delay", seconds(config.announce.master_delay));
    data.raw("garp_refresh", config.announce.master_refresh.as_secs());
    data.raw("garp_rep", config.announce.master_repeat);
    data.raw("garp_refresh_rep", config.announce.master_refresh_repeat);
    data.raw("garp_lower_prio_delay", seconds(config.announce.lower_priority_delay));
    data.raw("garp_lower_prio_rep", config.announce.lower_priority_repeat);
    data.raw("lower_prio_no_advert", number(config.lower_priority_no_advert));
    data.raw("higher_prio_send_advert", number(config.higher_priority_send_advert));
    data.raw("vrid", config.vrid);
    data.raw("base_priority", view.base_priority);
    data.raw("effective_priority", view.effective_priority);
    data.raw("vipset", view.holding);
    data.raw("promote_secondaries", instance.promote_secondaries);
    data.raw("adver_int", seconds(config.interval.duration()));
    data.raw("master_adver_int", seconds(view.master_interval.duration()));
    data.raw("accept", number(!instance.no_accept));
    data.raw("nopreempt", !config.preempt);
    data.raw("preempt_delay", config.preempt_delay.as_secs());
    data.raw("state", view.state.number());
    data.raw("wantstate", view.wanted_state.number());
    data.raw("version", config.version);
    data.raw("smtp_alert", instance.smtp_alert);
    data.raw("notify_deleted", config.notify_deleted);
    let scripts = instance.scripts;
    for (name, script) in [
        ("script_backup", &scripts.backup),
        ("script_master", &scripts.master),
        ("script_fault", &scripts.fault),
        ("script_stop", &scripts.stop),
        ("script_deleted", &scripts.deleted),
        ("script", &scripts.any),
        ("script_master_rx_lower_pri", &scripts.master_rx_lower_priority),
    ] {
        if let Some(script) = script {
            data.text(name, &command(script));
        }
    }
    let interface = config.virtual_link.as_ref().map(|link| &link.name).or(config.interface.as_ref());
    let addresses = |addresses: &[vip::Address]| -> Vec<String> {
        addresses.iter().map(|address| item::address(address, interface, view.holding)).collect()
    };
    data.list("vips", addresses(instance.addresses));
    data.list("evips", addresses(instance.excluded));
    data.list("vroutes", instance.routes.iter().map(item::route));
    data.list("vrules", instance.rules.iter().map(item::rule));
    let tracked = |wanted: fn(&TrackTarget) -> Option<String>| -> Vec<String> {
        config.trackers.iter().filter_map(|tracker| wanted(&tracker.target)).collect()
    };
    data.list(
        "track_ifp",
        tracked(|target| match target {
            TrackTarget::Interface(name) => Some(name.to_string()),
            _ => None,
        }),
    );
    let commands = vrrp.routers.scripts().filter(|script| {
        config
            .trackers
            .iter()
            .any(|tracker| matches!(&tracker.target, TrackTarget::Script(name) if *name == script.config.name))
    });
    data.list("track_script", commands.map(|script| script.config.command.clone()));
    data.list(
        "track_process",
        tracked(|target| match target {
            TrackTarget::Process(name) => Some(name.clone()),
            _ => None,
        }),
    );
    let authentication = match &config.authentication {
        Authentication::Password(_) => 1,
        Authentication::AuthenticationHeader(_) => 2,
        Authentication::None | Authentication::Hmac(_) => 0,
    };
    data.raw("auth_type", authentication);
    if authentication != 0 {
        data.text("auth_data", "********");
    }
    format!("{{\"data\":{},\"stats\":{}}}", data.end(), counters(view.statistics))
}

fn counters(counted: &vrrp::Statistics) -> String {
    let mut stats = Object::default();
    for (name, value) in [
        ("advert_rcvd", counted.advert_rcvd),
        ("advert_sent", counted.advert_sent),
        ("become_master", counted.become_master),
        ("release_master", counted.release_master),
        ("packet_len_err", counted.packet_len_err),
        ("advert_interval_err", counted.advert_interval_err),
        ("ip_ttl_err", counted.ip_ttl_err),
        ("invalid_type_rcvd", counted.invalid_type_rcvd),
        ("addr_list_err", counted.addr_list_err),
        ("invalid_authtype", counted.invalid_authtype),
        ("authtype_mismatch", counted.authtype_mismatch),
        ("auth_failure", counted.auth_failure),
        ("auth_ext_missing", counted.auth_ext_missing),
        ("auth_ext_malformed", counted.auth_ext_malformed),
        ("auth_ext_unknown_key", counted.auth_ext_unknown_key),
        ("auth_ext_invalid_hmac", counted.auth_ext_invalid_hmac),
        ("auth_ext_stale", counted.auth_ext_stale),
        ("auth_ext_replay", counted.auth_ext_replay),
        ("pri_zero_rcvd", counted.pri_zero_rcvd),
        ("pri_zero_sent", counted.pri_zero_sent),
    ] {
        stats.raw(name, value);
    }
    stats.end()
}

fn tracked_process(process: &vrrp::view::ProcessView<'_>) -> String {
    use vrrp::config::ParameterMatch;
    let config = process.config;
    let mut object = Object::default();
    object.text("process", &config.process);
    if !config.parameters.is_empty() {
        object.text("parameters", &config.parameters.join(" "));
    }
    object.text(
        "param_match",
        match config.parameter_match {
            ParameterMatch::None => "none",
            ParameterMatch::Exact => "exact",
            ParameterMatch::Partial => "partial",
            ParameterMatch::Initial => "initial",
        },
    );
    object.raw("min_processes", config.quorum);
    if let Some(most) = config.quorum_max {
        object.raw("max_processes", most);
    }
    object.raw("current_processes", process.count.unwrap_or(0));
    object.raw("have_quorum", process.have_quorum);
    object.raw("terminate_delay", seconds(config.terminate_delay));
    object.raw("fork_delay", seconds(config.fork_delay));
    object.raw("fork_delay_timer_running", process.fork_delay_running);
    object.raw("terminate_delay_timer_running", process.terminate_delay_running);
    object.raw("full_command", config.full_command);
    object.end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_quotes_and_controls_are_escaped() {
        assert_eq!(quoted("'/usr/bin/echo' \"m\"\u{1}"), "\"'\\/usr\\/bin\\/echo' \\\"m\\\"\\u0001\"");
    }

    #[test]
    fn seconds_have_no_needless_decimals() {
        for (micros, text) in [(1_000_000, "1"), (10_000, "0.01"), (5_500_000, "5.5"), (0, "0")] {
            assert_eq!(seconds(std::time::Duration::from_micros(micros)), text);
        }
    }
}
