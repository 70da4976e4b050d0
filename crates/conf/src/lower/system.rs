//! What lowering has to ask the machine, behind one trait, so that this crate stays pure.
//!
//! The program answers from the kernel and the user database; tests answer from memory ([`Described`]); and
//! `rkeepalived check` answers [`Offline`]: "unknown", which is never a mistake of the file.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use notify::ScriptUser;

/// Facts about the machine that a configuration is checked against.
pub trait System {
    /// Fully qualified host name: default of `router_id`, of the HELO name and of the sender of mail.
    fn host_name(&self) -> String;

    /// Whether an interface of this name exists.
    fn interface_exists(&self, name: &str) -> Fact<bool>;

    /// The interface's MTU in octets, where known.
    fn interface_mtu(&self, name: &str) -> Option<u32>;

    /// Addresses with prefix lengths that the interface has now; empty where nobody knows.
    fn interface_networks(&self, _name: &str) -> Vec<types::Prefix> {
        Vec::new()
    }

    /// A user by name or number, with its primary group and, when `supplementary`, its other groups.
    fn user(&self, name: &str, supplementary: bool) -> Fact<Option<ScriptUser>>;

    /// A group by name or number.
    fn group(&self, name: &str) -> Fact<Option<u32>>;

    /// What running `path` as `user` would find. A name without `/` is searched in PATH.
    fn script(&self, path: &str, user: &ScriptUser) -> Fact<ScriptFile>;

    /// Addresses of a host name, in the resolver's order; empty when it does not resolve.
    fn resolve(&self, host: &str) -> Fact<Vec<IpAddr>>;

    /// The number that iproute2's files give `name` in `table`; the built-in names are known without asking.
    fn number(&self, table: NameTable, name: &str) -> Option<u32>;

    /// Content of a key file.
    fn key_file(&self, path: &str) -> Fact<Result<KeyFile, String>>;

    /// Whether the directory that holds a tracked file exists and can be watched.
    fn watchable(&self, path: &str) -> Fact<bool>;
}

/// An answer, or that nobody here can know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact<T> {
    /// The machine says so.
    Known(T),
    /// Checked elsewhere than where it will run: says nothing against the file.
    Unknown,
}

impl<T> Fact<T> {
    /// The answer, or `otherwise` where nobody knows.
    pub fn unwrap_or(self, otherwise: T) -> T {
        match self {
            Self::Known(value) => value,
            Self::Unknown => otherwise,
        }
    }
}

/// A script as the file system has it (behaviour: paths of scripts run by root must not be writable by others).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptFile {
    /// Whether a regular file was found that the user may execute.
    pub state: ScriptState,
    /// The real path after PATH search and links, when found.
    pub real_path: Option<String>,
}

/// What became of looking for a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScriptState {
    /// Runs, and nobody but root can change it.
    Secure,
    /// Runs, but a component of its path can be changed by someone other than root.
    Insecure,
    /// There, but the user may not execute it.
    NotExecutable,
    /// Nothing there.
    NotFound,
}

/// Content of a key file with the facts that decide whether to trust it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    /// The octets.
    pub content: types::Secret,
    /// Group or others may read it.
    pub readable_by_others: bool,
}

/// Which of iproute2's name files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameTable {
    /// `rt_tables`.
    Tables,
    /// `rt_scopes`.
    Scopes,
    /// `rt_protos`.
    Protocols,
    /// `rt_dsfield`.
    DsField,
    /// `rt_realms`.
    Realms,
    /// `group`.
    Groups,
    /// `/etc/protocols`.
    IpProtocols,
}

/// Knows nothing about the machine: for checking a file where it will not run.
#[derive(Debug, Clone, Default)]
pub struct Offline;

impl System for Offline {
    fn host_name(&self) -> String {
        "localhost".into()
    }
    fn interface_exists(&self, _name: &str) -> Fact<bool> {
        Fact::Unknown
    }
    fn interface_mtu(&self, _name: &str) -> Option<u32> {
        None
    }
    fn user(&self, _name: &str, _supplementary: bool) -> Fact<Option<ScriptUser>> {
        Fact::Unknown
    }
    fn group(&self, _name: &str) -> Fact<Option<u32>> {
        Fact::Unknown
    }
    fn script(&self, _path: &str, _user: &ScriptUser) -> Fact<ScriptFile> {
        Fact::Unknown
    }
    fn resolve(&self, _host: &str) -> Fact<Vec<IpAddr>> {
        Fact::Unknown
    }
    fn number(&self, _table: NameTable, _name: &str) -> Option<u32> {
        None
    }
    fn key_file(&self, _path: &str) -> Fact<Result<KeyFile, String>> {
        Fact::Unknown
    }
    fn watchable(&self, _path: &str) -> Fact<bool> {
        Fact::Unknown
    }
}

/// A machine described in memory: for tests, simulations and for checking a file against a machine elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Described {
    /// Fully qualified host name.
    pub host_name: String,
    /// Interfaces that exist, with their MTU; `None` makes every name exist.
    pub interfaces: Option<BTreeMap<String, u32>>,
    /// Interfaces that do not exist though `interfaces` is `None`.
    pub missing_interfaces: BTreeSet<String>,
    /// Users by name.
    pub users: BTreeMap<String, ScriptUser>,
    /// Groups by name.
    pub groups: BTreeMap<String, u32>,
    /// Scripts by the path or name that a configuration uses.
    pub scripts: BTreeMap<String, ScriptFile>,
    /// Host names that resolve.
    pub hosts: BTreeMap<String, Vec<IpAddr>>,
    /// iproute2 names beyond the built-in ones.
    pub numbers: BTreeMap<(NameTable, String), u32>,
    /// Key files.
    pub key_files: BTreeMap<String, KeyFile>,
}

impl System for Described {
    fn host_name(&self) -> String {
        self.host_name.clone()
    }
    fn interface_exists(&self, name: &str) -> Fact<bool> {
        Fact::Known(match &self.interfaces {
            Some(known) => known.contains_key(name),
            None => !self.missing_interfaces.contains(name),
        })
    }
    fn interface_mtu(&self, name: &str) -> Option<u32> {
        self.interfaces.as_ref().and_then(|known| known.get(name)).copied()
    }
    fn user(&self, name: &str, supplementary: bool) -> Fact<Option<ScriptUser>> {
        let found = self.users.get(name).cloned().or_else(|| {
            let uid = name.parse::<u32>().ok()?;
            self.users.values().find(|user| user.uid == uid).cloned()
        });
        Fact::Known(found.map(|mut user| {
            if !supplementary {
                user.groups.clear();
            }
            user
        }))
    }
    fn group(&self, name: &str) -> Fact<Option<u32>> {
        Fact::Known(self.groups.get(name).copied().or_else(|| name.parse().ok()))
    }
    fn script(&self, path: &str, _user: &ScriptUser) -> Fact<ScriptFile> {
        Fact::Known(
            self.scripts.get(path).cloned().unwrap_or(ScriptFile { state: ScriptState::NotFound, real_path: None }),
        )
    }
    fn resolve(&self, host: &str) -> Fact<Vec<IpAddr>> {
        Fact::Known(self.hosts.get(host).cloned().unwrap_or_default())
    }
    fn number(&self, table: NameTable, name: &str) -> Option<u32> {
        self.numbers.get(&(table, name.to_owned())).copied()
    }
    fn key_file(&self, path: &str) -> Fact<Result<KeyFile, String>> {
        Fact::Known(self.key_files.get(path).cloned().ok_or_else(|| "No such file or directory".into()))
    }
    fn watchable(&self, _path: &str) -> Fact<bool> {
        Fact::Known(true)
    }
}

/// First address of `host` with `port`.
pub(crate) fn resolve_first(system: &dyn System, host: &str, port: u16) -> Fact<Option<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Fact::Known(Some(SocketAddr::new(address, port)));
    }
    match system.resolve(host) {
        Fact::Known(addresses) => Fact::Known(addresses.first().map(|address| SocketAddr::new(*address, port))),
        Fact::Unknown => Fact::Unknown,
    }
}
