//! What this machine answers when a configuration is checked against it.

use std::net::{IpAddr, ToSocketAddrs};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use conf::lower::{Fact, KeyFile, NameTable, ScriptFile, ScriptState, System};
use nix::unistd::{Gid, Group, Uid, User};
use notify::ScriptUser;

/// The machine that we run on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Machine;

/// Host name without its domain: default of `-i`.
pub(super) fn node_name() -> String {
    let name = host_name();
    name.split('.').next().unwrap_or_default().to_owned()
}

fn host_name() -> String {
    nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

impl System for Machine {
    fn host_name(&self) -> String {
        host_name()
    }

    fn interface_exists(&self, name: &str) -> Fact<bool> {
        Fact::Known(nix::net::if_::if_nametoindex(name).is_ok())
    }

    fn interface_mtu(&self, name: &str) -> Option<u32> {
        std::fs::read_to_string(Path::new("/sys/class/net").join(name).join("mtu")).ok()?.trim().parse().ok()
    }

    fn interface_networks(&self, name: &str) -> Vec<types::Prefix> {
        let addresses = nix::ifaddrs::getifaddrs().into_iter().flatten().filter(|one| one.interface_name == name);
        addresses.filter_map(|one| network(&one)).collect()
    }

    fn user(&self, name: &str, supplementary: bool) -> Fact<Option<ScriptUser>> {
        let found = User::from_name(name).ok().flatten().or_else(|| {
            let uid = name.parse().ok()?;
            User::from_uid(Uid::from_raw(uid)).ok().flatten()
        });
        Fact::Known(found.map(|user| {
            let groups = if supplementary { supplementary_groups(&user) } else { Vec::new() };
            ScriptUser { uid: user.uid.as_raw(), gid: user.gid.as_raw(), groups }
        }))
    }

    fn group(&self, name: &str) -> Fact<Option<u32>> {
        let found = Group::from_name(name).ok().flatten().or_else(|| {
            let gid = name.parse().ok()?;
            Group::from_gid(Gid::from_raw(gid)).ok().flatten()
        });
        Fact::Known(found.map(|group| group.gid.as_raw()))
    }

    fn script(&self, path: &str, user: &ScriptUser) -> Fact<ScriptFile> {
        Fact::Known(look_at_script(path, user))
    }

    fn resolve(&self, host: &str) -> Fact<Vec<IpAddr>> {
        let found = (host, 0).to_socket_addrs();
        Fact::Known(found.map(|addresses| addresses.map(|address| address.ip()).collect()).unwrap_or_default())
    }

    fn number(&self, table: NameTable, name: &str) -> Option<u32> {
        let file = match table {
            NameTable::Tables => "rt_tables",
            NameTable::Scopes => "rt_scopes",
            NameTable::Protocols => "rt_protos",
            NameTable::DsField => "rt_dsfield",
            NameTable::Realms => "rt_realms",
            NameTable::Groups => "group",
            NameTable::IpProtocols => return ip_protocol(name),
        };
        let (etc, usr) = (Path::new("/etc/iproute2"), Path::new("/usr/share/iproute2"));
        let main = if etc.join(file).exists() { etc.join(file) } else { usr.join(file) };
        let more = [usr, etc].into_iter().flat_map(|directory| {
            let entries = std::fs::read_dir(directory.join(format!("{file}.d"))).into_iter().flatten().flatten();
            entries
                .map(|entry| entry.path())
                .filter(|path| path.extension().is_some_and(|extension| extension == "conf"))
        });
        std::iter::once(main).chain(more).find_map(|path| find_number(&path, name))
    }

    fn key_file(&self, path: &str) -> Fact<Result<KeyFile, String>> {
        let read = || -> std::io::Result<KeyFile> {
            let metadata = std::fs::metadata(path)?;
            if !metadata.is_file() || metadata.len() > 4096 {
                return Err(std::io::Error::other("not a key file: at most 4096 octets in a regular file"));
            }
            let content = types::Secret::new(std::fs::read(path)?);
            Ok(KeyFile { content, readable_by_others: metadata.permissions().mode() & 0o077 != 0 })
        };
        Fact::Known(read().map_err(|refused| refused.to_string()))
    }

    fn watchable(&self, path: &str) -> Fact<bool> {
        Fact::Known(Path::new(path).parent().is_some_and(Path::is_dir))
    }
}

fn network(interface: &nix::ifaddrs::InterfaceAddress) -> Option<types::Prefix> {
    let (address, mask) = (interface.address.as_ref()?, interface.netmask.as_ref()?);
    let (address, length) = match (address.as_sockaddr_in(), address.as_sockaddr_in6()) {
        (Some(v4), _) => (IpAddr::V4(v4.ip()), u32::from(mask.as_sockaddr_in()?.ip()).count_ones()),
        (None, Some(v6)) => (IpAddr::V6(v6.ip()), u128::from(mask.as_sockaddr_in6()?.ip()).count_ones()),
        (None, None) => return None,
    };
    types::Prefix::new(address, length as u8).ok()
}

fn supplementary_groups(user: &User) -> Vec<u32> {
    std::ffi::CString::new(user.name.as_str())
        .ok()
        .and_then(|name| nix::unistd::getgrouplist(&name, user.gid).ok())
        .map(|groups| groups.into_iter().map(Gid::as_raw).collect())
        .unwrap_or_default()
}

fn look_at_script(path: &str, user: &ScriptUser) -> ScriptFile {
    let not_found = ScriptFile { state: ScriptState::NotFound, real_path: None };
    let found = if path.contains('/') { Some(PathBuf::from(path)) } else { search(path, user) };
    let Some(real) = found.and_then(|path| std::fs::canonicalize(path).ok()) else { return not_found };
    let Ok(metadata) = std::fs::metadata(&real) else { return not_found };
    let state = if !metadata.is_file() || !may_execute(&metadata, user) {
        ScriptState::NotExecutable
    } else if runs_as_root(user, &metadata) && !only_root_can_change(&real) {
        ScriptState::Insecure
    } else {
        ScriptState::Secure
    };
    ScriptFile { state, real_path: Some(real.to_string_lossy().into_owned()) }
}

fn search(name: &str, user: &ScriptUser) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_else(|_| "/usr/sbin:/usr/bin:/sbin:/bin".into());
    path.split(':')
        .filter(|directory| !directory.is_empty())
        .map(|directory| Path::new(directory).join(name))
        .find(|path| std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && may_execute(&metadata, user)))
}

fn may_execute(metadata: &std::fs::Metadata, user: &ScriptUser) -> bool {
    let mode = metadata.permissions().mode();
    if user.uid == 0 {
        mode & 0o111 != 0
    } else if metadata.uid() == user.uid {
        mode & 0o100 != 0
    } else if metadata.gid() == user.gid || user.groups.contains(&metadata.gid()) {
        mode & 0o010 != 0
    } else {
        mode & 0o001 != 0
    }
}

fn runs_as_root(user: &ScriptUser, metadata: &std::fs::Metadata) -> bool {
    let mode = metadata.permissions().mode();
    user.uid == 0
        || user.gid == 0
        || (mode & 0o4000 != 0 && metadata.uid() == 0)
        || (mode & 0o2000 != 0 && metadata.gid() == 0)
}

/// Every component from `/` on is root's, and neither a group other than root's nor others may write it (a sticky
/// directory is fine).
fn only_root_can_change(path: &Path) -> bool {
    path.ancestors().all(|part| {
        std::fs::symlink_metadata(part).is_ok_and(|metadata| {
            let mode = metadata.permissions().mode();
            let sticky = metadata.is_dir() && mode & 0o1000 != 0;
            let written_by_group = mode & 0o020 != 0 && metadata.gid() != 0;
            metadata.uid() == 0 && (sticky || (mode & 0o002 == 0 && !written_by_group))
        })
    })
}

/// A line `NUMBER NAME` of an iproute2 file; the number may be hexadecimal.
fn find_number(path: &Path, wanted: &str) -> Option<u32> {
    std::fs::read_to_string(path).ok()?.lines().find_map(|line| {
        let mut words = line.split('#').next()?.split_whitespace();
        let (number, name) = (words.next()?, words.next()?);
        let parsed = match number.strip_prefix("0x") {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => number.parse().ok(),
        };
        parsed.filter(|_| name == wanted)
    })
}

/// A line `NAME NUMBER ALIASES…` of /etc/protocols.
fn ip_protocol(wanted: &str) -> Option<u32> {
    std::fs::read_to_string("/etc/protocols").ok()?.lines().find_map(|line| {
        let mut words = line.split('#').next()?.split_whitespace();
        let (name, number) = (words.next()?, words.next()?.parse().ok()?);
        (name == wanted || words.any(|alias| alias == wanted)).then_some(number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_of_root_must_be_changeable_by_root_alone() {
        let directory = tempfile::tempdir().unwrap();
        let script = directory.path().join("script");
        std::fs::write(&script, "#!/bin/sh\n").unwrap();
        let path = script.to_str().unwrap();
        assert_eq!(look_at_script(path, &ScriptUser::ROOT).state, ScriptState::NotExecutable);
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o757)).unwrap();
        assert_eq!(look_at_script(path, &ScriptUser::ROOT).state, ScriptState::Insecure);
        let somebody = ScriptUser { uid: 12345, gid: 12345, groups: Vec::new() };
        assert_eq!(look_at_script(path, &somebody).state, ScriptState::Secure);
        assert_eq!(look_at_script("/no/such/script", &somebody).state, ScriptState::NotFound);
    }
}
