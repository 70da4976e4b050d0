//! What differs between two configurations: what a reload would touch.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::Configuration;

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The block, as keepalived.conf calls it: `vrrp_instance VI_1`.
    pub block: String,
    /// What became of it.
    pub kind: ChangeKind,
}

/// What became of a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Fields of it differ: path, old value, new value. Secrets show as stars.
    Changed(Vec<(String, String, String)>),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ChangeKind::Added => write!(f, "+ {}", self.block),
            ChangeKind::Removed => write!(f, "- {}", self.block),
            ChangeKind::Changed(fields) => {
                write!(f, "~ {}", self.block)?;
                for (path, old, new) in fields {
                    write!(f, "\n    {path}: {old} -> {new}")?;
                }
                Ok(())
            }
        }
    }
}

/// What a reload from `old` to `new` would touch, block by block; empty when they mean the same.
pub fn diff(old: &Configuration, new: &Configuration) -> Vec<Change> {
    let (mut before, mut after) = (blocks(old), blocks(new));
    let mut changes = Vec::new();
    let names: Vec<String> =
        before.keys().chain(after.keys().filter(|name| !before.contains_key(*name))).cloned().collect();
    for block in names {
        let kind = match (before.remove(&block), after.remove(&block)) {
            (Some(old), Some(new)) if old == new => continue,
            (Some(old), Some(new)) => {
                let mut fields = Vec::new();
                compare("", &old, &new, false, &mut fields);
                ChangeKind::Changed(fields)
            }
            (Some(_), None) => ChangeKind::Removed,
            (None, _) => ChangeKind::Added,
        };
        changes.push(Change { block, kind });
    }
    changes
}

/// Every block with its content as a value.
fn blocks(configuration: &Configuration) -> BTreeMap<String, Value> {
    let mut blocks = BTreeMap::new();
    let mut add = |name: String, value: Value| {
        // a second service of the same identity gets a number
        let mut unique = name.clone();
        let mut number = 2;
        while blocks.contains_key(&unique) {
            unique = format!("{name} ({number})");
            number += 1;
        }
        blocks.insert(unique, value);
    };
    let brain = &configuration.vrrp.brain;
    add("global_defs".into(), value(&configuration.global));
    for (instance, part) in brain.instances.iter().zip(&configuration.vrrp.instances) {
        add(format!("vrrp_instance {}", instance.name), merge(value(instance), value(part)));
    }
    for (group, part) in brain.sync_groups.iter().zip(&configuration.vrrp.sync_groups) {
        add(format!("vrrp_sync_group {}", group.name), merge(value(group), value(part)));
    }
    for script in &brain.scripts {
        add(format!("vrrp_script {}", script.name), value(script));
    }
    for file in &brain.files {
        add(format!("track_file {}", file.name), value(file));
    }
    for process in &brain.processes {
        add(format!("vrrp_track_process {}", process.name), value(process));
    }
    for session in &configuration.bfd {
        add(format!("bfd_instance {}", session.name), value(session));
    }
    add("static_ipaddress".into(), value(&configuration.vrrp.static_addresses));
    add("static_routes".into(), value(&configuration.vrrp.static_routes));
    add("static_rules".into(), value(&configuration.vrrp.static_rules));
    let director = &configuration.checker.brain;
    for group in &director.groups {
        add(format!("virtual_server_group {}", group.name), value(group));
    }
    for server in &director.virtual_servers {
        let name = match &server.target {
            lvs::Target::Address { address, protocol } => {
                format!("virtual_server {} {} {protocol}", address.ip(), address.port())
            }
            lvs::Target::Mark { mark, family } => format!("virtual_server fwmark {mark} {family}"),
            lvs::Target::Group { name, protocol, .. } => format!("virtual_server group {name} {protocol}"),
        };
        let mut content = value(server);
        if let Some(servers) = content.as_object_mut().and_then(|fields| fields.remove("real_servers")) {
            let by_address: serde_json::Map<String, Value> = server
                .real_servers
                .iter()
                .map(|real| real.address.to_string())
                .zip(servers.as_array().cloned().unwrap_or_default())
                .collect();
            if let Some(fields) = content.as_object_mut() {
                fields.insert("real_server".into(), Value::Object(by_address));
            }
        }
        add(name, content);
    }
    let rest = serde_json::json!({
        "ssl": value(&director.ssl), "timeouts": value(&director.timeouts), "flush": director.flush,
        "flush_on_stop": value(&director.flush_on_stop), "sync_daemon": value(&director.sync_daemon),
        "nftables": value(&director.nftables), "firewall": value(&configuration.vrrp.firewall),
        "startup_delay": value(&brain.startup_delay), "dynamic_interfaces": brain.dynamic_interfaces,
        "log_unknown_vrids": brain.log_unknown_vrids, "link_delays": value(&brain.link_delays),
        "announce_limits": value(&brain.announce_limits), "linkbeat": value(&configuration.vrrp.linkbeat),
        "track_groups": value(&configuration.vrrp.track_groups), "init_notifies": director.init_notifies,
    });
    add("settings".into(), rest);
    blocks
}

fn value<T: Serialize>(content: &T) -> Value {
    serde_json::to_value(content).unwrap_or(Value::Null)
}

fn merge(mut left: Value, right: Value) -> Value {
    if let (Some(fields), Value::Object(more)) = (left.as_object_mut(), right) {
        fields.extend(more);
    }
    left
}

/// Names of fields whose values are secrets.
const SECRET: [&str; 5] = ["Password", "AuthenticationHeader", "keys", "password", "Hmac"];

fn compare(path: &str, old: &Value, new: &Value, secret: bool, fields: &mut Vec<(String, String, String)>) {
    match (old, new) {
        (old, new) if old == new => {}
        (Value::Object(before), Value::Object(after)) if !secret => {
            let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
            for name in names {
                let deeper = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let null = Value::Null;
                let (old, new) = (before.get(name).unwrap_or(&null), after.get(name).unwrap_or(&null));
                compare(&deeper, old, new, SECRET.contains(&name.as_str()), fields);
            }
        }
        _ if secret => fields.push((path.into(), "********".into(), "********".into())),
        (old, new) => fields.push((path.into(), shown(old), shown(new))),
    }
}

/// A value in one line, secrets inside it hidden.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "none".into(),
        Value::String(text) => text.clone(),
        Value::Object(fields) if fields.keys().any(|name| SECRET.contains(&name.as_str())) => "********".into(),
        other => other.to_string(),
    }
}
