//! How log lines, FIFO lines and mails call servers.

use std::fmt;
use std::net::SocketAddr;

use types::Protocol;

use crate::{Config, Target};

/// A real server (or sorry server): `[10.0.0.1]:tcp:80`.
pub(crate) struct ServerName {
    pub(crate) address: SocketAddr,
    /// None for servers of a firewall mark.
    pub(crate) protocol: Option<Protocol>,
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]:", self.address.ip())?;
        match self.protocol {
            Some(protocol) => write!(f, "{protocol}")?,
            None => f.write_str("none")?,
        }
        write!(f, ":{}", self.address.port())
    }
}

/// Names of all virtual servers: `[10.0.0.100]:tcp:80`, `FWM 5`, or `[GROUP]:n` where n counts the services of the group from 0.
pub(crate) fn virtual_server_names(config: &Config) -> Vec<Box<str>> {
    let mut of_group = std::collections::HashMap::<&str, u32>::new();
    let names = config.virtual_servers.iter().map(|virtual_server| match &virtual_server.target {
        Target::Address { address, protocol } => {
            ServerName { address: *address, protocol: Some(*protocol) }.to_string().into()
        }
        Target::Mark { mark, .. } => format!("FWM {mark}").into(),
        Target::Group { name, .. } => {
            let ordinal = of_group.entry(name).or_default();
            let text = format!("[{name}]:{ordinal}");
            *ordinal += 1;
            text.into()
        }
    });
    names.collect()
}

/// The protocol that server names of `target` show.
pub(crate) fn protocol(target: &Target) -> Option<Protocol> {
    match target {
        Target::Address { protocol, .. } | Target::Group { protocol, .. } => Some(*protocol),
        Target::Mark { .. } => None,
    }
}
