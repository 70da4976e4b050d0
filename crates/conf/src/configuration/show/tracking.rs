//! What can be tracked, and the small blocks about interfaces.

use vrrp::config::{ParameterMatch, TrackTarget, Tracker};

use super::{Out, line, quoted, seconds, user, word};
use crate::configuration::{Configuration, Linkbeat};

pub(super) fn write(out: &mut Out, configuration: &Configuration) {
    let part = &configuration.vrrp;
    for script in &part.brain.scripts {
        out.block(format!("vrrp_script {}", word(&script.name)), |out| {
            out.line(format!("script {}", quoted(&script.command)));
            out.line(format!("interval {}", seconds(script.interval)));
            out.line(format!("timeout {}", seconds(script.timeout)));
            out.line(format!("rise {}", script.rise));
            out.line(format!("fall {}", script.fall));
            out.value("user", part.scripts.get(&script.name).map(|command| user(&command.user)));
            out.flag("init_fail", script.init_fail);
        });
    }
    for file in &part.brain.files {
        out.block(format!("track_file {}", word(&file.name)), |out| {
            out.line(format!("file {}", word(&file.path)));
            if let Some(init) = &file.init {
                out.line(format!("init_file {}{}", init.value, if init.overwrite { " overwrite" } else { "" }));
            }
        });
    }
    for (name, path) in &configuration.checker.brain.files {
        if !part.brain.files.iter().any(|file| file.name == *name) {
            out.block(format!("track_file {}", word(name)), |out| out.line(format!("file {}", word(path))));
        }
    }
    for process in &part.brain.processes {
        out.block(format!("vrrp_track_process {}", word(&process.name)), |out| {
            let words: Vec<String> =
                std::iter::once(&process.process).chain(&process.parameters).map(|text| quoted(text)).collect();
            out.line(format!("process {}", words.join(" ")));
            match process.parameter_match {
                ParameterMatch::None => {}
                ParameterMatch::Exact => out.line("param_match"),
                ParameterMatch::Partial => out.line("param_match partial"),
                ParameterMatch::Initial => out.line("param_match initial"),
            }
            out.flag("full_command", process.full_command);
            out.value("quorum", (process.quorum > 0).then_some(process.quorum));
            out.value("quorum_max", process.quorum_max);
            out.value("fork_delay", (!process.fork_delay.is_zero()).then(|| seconds(process.fork_delay)));
            out.value(
                "terminate_delay",
                (!process.terminate_delay.is_zero()).then(|| seconds(process.terminate_delay)),
            );
        });
    }
    for session in &configuration.bfd {
        out.block(format!("bfd_instance {}", word(&session.name)), |out| {
            let milliseconds = |time: std::time::Duration| {
                let micros = time.as_micros();
                format!("{}.{:03}", micros / 1000, micros % 1000)
            };
            out.line(format!("neighbor_ip {}", session.neighbour));
            out.value("source_ip", session.source);
            out.line(format!("min_rx {}", milliseconds(session.min_rx)));
            out.line(format!("min_tx {}", milliseconds(session.min_tx)));
            out.line(format!("idle_tx {}", milliseconds(session.idle_tx)));
            out.line(format!("multiplier {}", session.multiplier));
            out.flag("passive", session.passive);
            out.line(format!("ttl {}", session.ttl.0));
            out.line(format!("max_hops {}", session.max_hops.map_or(-1, i32::from)));
            out.flag("multihop", session.multihop);
            out.flag("vrrp", session.vrrp);
            out.flag("checker", session.checker);
        });
    }
    for (name, members) in &part.track_groups {
        out.block(format!("track_group {}", word(name)), |out| {
            out.block("group", |out| members.iter().for_each(|member| out.line(word(member))));
        });
    }
    for limit in part.brain.announce_limits.iter().filter(|limit| !limit.interfaces.is_empty()) {
        out.block("garp_group", |out| {
            out.line(format!("garp_interval {}", seconds(limit.arp_interval)));
            out.line(format!("gna_interval {}", seconds(limit.neighbour_interval)));
            out.block("interfaces", |out| limit.interfaces.iter().for_each(|interface| out.line(interface.as_str())));
        });
    }
    if !part.brain.link_delays.is_empty() {
        out.block("interface_up_down_delays", |out| {
            for delay in &part.brain.link_delays {
                out.line(format!("{} {} {}", delay.interface, seconds(delay.down), seconds(delay.up)));
            }
        });
    }
    if !part.linkbeat.is_empty() {
        out.block("linkbeat_interfaces", |out| {
            for (interface, method) in &part.linkbeat {
                out.line(match method {
                    Linkbeat::Auto => interface.to_string(),
                    Linkbeat::Mii => format!("{interface} MII"),
                    Linkbeat::Ethtool => format!("{interface} ETHTOOL"),
                    Linkbeat::Ioctl => format!("{interface} IOCTL"),
                });
            }
        });
    }
    lines(out, "static_ipaddress", &part.static_addresses, line::address);
    lines(out, "static_routes", &part.static_routes, line::route);
    lines(out, "static_rules", &part.static_rules, line::rule);
}

/// A block with one line for each item, where there is any.
pub(super) fn lines<T>(out: &mut Out, keyword: &str, items: &[T], text: fn(&T) -> String) {
    if !items.is_empty() {
        out.block(keyword, |out| items.iter().for_each(|item| out.line(text(item))));
    }
}

/// `track_*` blocks, in the order of the trackers.
pub(super) fn trackers(out: &mut Out, trackers: &[Tracker]) {
    let keyword = |tracker: &Tracker| match tracker.target {
        TrackTarget::Interface(_) => "track_interface",
        TrackTarget::Script(_) => "track_script",
        TrackTarget::File(_) => "track_file",
        TrackTarget::Process(_) => "track_process",
        TrackTarget::Bfd(_) => "track_bfd",
    };
    for run in trackers.chunk_by(|left, right| keyword(left) == keyword(right)) {
        out.block(keyword(&run[0]), |out| {
            for tracker in run {
                let name = match &tracker.target {
                    TrackTarget::Interface(name) => name.as_str(),
                    TrackTarget::Script(name)
                    | TrackTarget::File(name)
                    | TrackTarget::Process(name)
                    | TrackTarget::Bfd(name) => name,
                };
                let reverse = if tracker.reverse { " reverse" } else { "" };
                out.line(format!("{} weight {}{reverse}", word(name), tracker.weight));
            }
        });
    }
}
