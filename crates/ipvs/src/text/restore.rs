//! `ipvsadm -R`: one line, one operation.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use types::{Family, FwMark, Port, Protocol, Weight};

use crate::{
    Destination, DestinationKey, Forwarding, Operation, PersistenceConfig, Service, ServiceFlags, ServiceKey, Tunnel,
    TunnelChecksum,
};

/// Why a line cannot be restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestoreError {
    /// It does not begin with `-A`, `-E`, `-D`, `-a`, `-e`, `-d` or `-C`.
    NoCommand {
        /// What it begins with.
        found: String,
    },
    /// An option that is unknown, or does not belong here.
    UnknownOption {
        /// The option.
        option: String,
    },
    /// An option lacks its value.
    MissingValue {
        /// The option.
        option: String,
    },
    /// A value that cannot be.
    Value {
        /// The option.
        option: String,
        /// What was found.
        found: String,
        /// What is accepted.
        accepted: &'static str,
    },
    /// Neither of `-t`, `-u`, `--sctp-service` and `-f`.
    NoService,
    /// A destination command without `-r`.
    NoDestination,
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCommand { found } => {
                write!(f, "'{found}' is no command: a line begins with -A, -E, -D, -a, -e, -d or -C")
            }
            Self::UnknownOption { option } => write!(f, "unknown option '{option}'"),
            Self::MissingValue { option } => write!(f, "option '{option}' needs a value"),
            Self::Value { option, found, accepted } => write!(f, "{option} '{found}': {accepted} is expected"),
            Self::NoService => f.write_str("no service: -t, -u, --sctp-service or -f is needed"),
            Self::NoDestination => f.write_str("no real server: -r is needed"),
        }
    }
}

impl std::error::Error for RestoreError {}

/// What the words of a line say.
struct Words {
    service: Option<Named>,
    ipv6: bool,
    scheduler: String,
    flags: ServiceFlags,
    timeout: Option<u32>,
    mask: Option<String>,
    engine: Option<String>,
    server: Option<(IpAddr, Option<u16>)>,
    forwarding: Forwarding,
    tunnel: String,
    tunnel_port: Option<u16>,
    checksum: TunnelChecksum,
    weight: Weight,
    upper_threshold: u32,
    lower_threshold: u32,
}

/// A service as the line names it.
enum Named {
    Address(Protocol, SocketAddr),
    Mark(u32),
}

/// Reads one line; none for an empty line or a comment.
pub fn parse_line(line: &str) -> Result<Option<Operation>, RestoreError> {
    let mut words = line.split_ascii_whitespace().peekable();
    let Some(command) = words.next().filter(|word| !word.starts_with('#')) else { return Ok(None) };
    let mut read = Words::default();
    while let Some(option) = words.next() {
        read.take(option, &mut words)?;
    }
    let operation = match command {
        "-C" | "--clear" => Operation::Flush,
        "-A" | "--add-service" => Operation::AddService { key: read.key()?, service: read.service()? },
        "-E" | "--edit-service" => Operation::EditService { key: read.key()?, service: read.service()? },
        "-D" | "--delete-service" => Operation::DeleteService { key: read.key()? },
        "-a" | "--add-server" => {
            let (service, key) = read.destination_key()?;
            Operation::AddDestination { service, key, destination: read.destination()? }
        }
        "-e" | "--edit-server" => {
            let (service, key) = read.destination_key()?;
            Operation::EditDestination { service, key, destination: read.destination()? }
        }
        "-d" | "--delete-server" => {
            let (service, key) = read.destination_key()?;
            Operation::DeleteDestination { service, key }
        }
        found => return Err(RestoreError::NoCommand { found: found.to_owned() }),
    };
    Ok(Some(operation))
}

impl Default for Words {
    fn default() -> Self {
        Self {
            service: None,
            ipv6: false,
            scheduler: String::from("wlc"),
            flags: ServiceFlags::default(),
            timeout: None,
            mask: None,
            engine: None,
            server: None,
            forwarding: Forwarding::DirectRoute,
            tunnel: String::from("ipip"),
            tunnel_port: None,
            checksum: TunnelChecksum::None,
            weight: Weight::ONE,
            upper_threshold: 0,
            lower_threshold: 0,
        }
    }
}

impl Words {
    fn take<'a>(
        &mut self,
        option: &str,
        words: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>,
    ) -> Result<(), RestoreError> {
        let refuse = |found: &str, accepted| RestoreError::Value {
            option: option.to_owned(),
            found: found.to_owned(),
            accepted,
        };
        match option {
            "-6" | "--ipv6" => self.ipv6 = true,
            "-o" | "--ops" => self.flags.one_packet = true,
            "-m" | "--masquerading" => self.forwarding = Forwarding::Masquerade,
            "-g" | "--gatewaying" => self.forwarding = Forwarding::DirectRoute,
            "-i" | "--ipip" => self.forwarding = Forwarding::Tunnel(Tunnel::Ipip),
            "--tun-nocsum" => self.checksum = TunnelChecksum::None,
            "--tun-csum" => self.checksum = TunnelChecksum::Full,
            "--tun-remcsum" => self.checksum = TunnelChecksum::Remote,
            // its value may be left out
            "-p" | "--persistent" => {
                self.timeout = Some(match words.next_if(|word| !word.starts_with('-')) {
                    Some(seconds) => seconds.parse().map_err(|_| refuse(seconds, "a number of seconds"))?,
                    None => 360,
                });
            }
            _ => {
                let known = [
                    "-t",
                    "--tcp-service",
                    "-u",
                    "--udp-service",
                    "--sctp-service",
                    "-f",
                    "--fwmark-service",
                    "-s",
                    "--scheduler",
                    "-M",
                    "--netmask",
                    "--pe",
                    "-b",
                    "--sched-flags",
                    "-r",
                    "--real-server",
                    "-w",
                    "--weight",
                    "-x",
                    "--u-threshold",
                    "-y",
                    "--l-threshold",
                    "--tun-type",
                    "--tun-port",
                ];
                if !known.contains(&option) {
                    return Err(RestoreError::UnknownOption { option: option.to_owned() });
                }
                let value = words.next().ok_or_else(|| RestoreError::MissingValue { option: option.to_owned() })?;
                self.take_value(option, value)?;
            }
        }
        Ok(())
    }

    fn take_value(&mut self, option: &str, value: &str) -> Result<(), RestoreError> {
        let refuse = |accepted| RestoreError::Value { option: option.to_owned(), found: value.to_owned(), accepted };
        let number = || value.parse::<u32>().map_err(|_| refuse("a number"));
        let address = || value.parse::<SocketAddr>().map_err(|_| refuse("ADDRESS:PORT in numbers"));
        match option {
            "-t" | "--tcp-service" => self.service = Some(Named::Address(Protocol::Tcp, address()?)),
            "-u" | "--udp-service" => self.service = Some(Named::Address(Protocol::Udp, address()?)),
            "--sctp-service" => self.service = Some(Named::Address(Protocol::Sctp, address()?)),
            "-f" | "--fwmark-service" => self.service = Some(Named::Mark(number()?)),
            "-s" | "--scheduler" => self.scheduler = value.to_owned(),
            "-M" | "--netmask" => self.mask = Some(value.to_owned()),
            "--pe" => self.engine = Some(value.to_owned()),
            "-b" | "--sched-flags" => {
                for flag in value.split(',') {
                    match flag {
                        "flag-1" | "sh-fallback" | "mh-fallback" => self.flags.scheduler_1 = true,
                        "flag-2" | "sh-port" | "mh-port" => self.flags.scheduler_2 = true,
                        "flag-3" => self.flags.scheduler_3 = true,
                        _ => return Err(refuse("flag-1, flag-2, flag-3, or sh-, mh-fallback and -port")),
                    }
                }
            }
            "-r" | "--real-server" => {
                let server = match value.parse::<SocketAddr>() {
                    Ok(address) => (address.ip(), Some(address.port())),
                    Err(_) => {
                        let bare = value.trim_start_matches('[').trim_end_matches(']');
                        (bare.parse().map_err(|_| refuse("ADDRESS or ADDRESS:PORT in numbers"))?, None)
                    }
                };
                self.server = Some(server);
            }
            "-w" | "--weight" => {
                self.weight = Weight::new(number()?).map_err(|_| refuse("0 to 2147483647"))?;
            }
            "-x" | "--u-threshold" => self.upper_threshold = number()?,
            "-y" | "--l-threshold" => self.lower_threshold = number()?,
            "--tun-type" => self.tunnel = value.to_owned(),
            _ => self.tunnel_port = Some(value.parse().map_err(|_| refuse("a port"))?),
        }
        Ok(())
    }

    fn key(&self) -> Result<ServiceKey, RestoreError> {
        match &self.service {
            Some(Named::Address(protocol, address)) => {
                Ok(ServiceKey::Address { protocol: *protocol, address: address.ip(), port: Port(address.port()) })
            }
            Some(Named::Mark(mark)) => {
                let family = if self.ipv6 { Family::Inet6 } else { Family::Inet };
                Ok(ServiceKey::Mark { family, mark: FwMark(*mark) })
            }
            None => Err(RestoreError::NoService),
        }
    }

    fn service(&self) -> Result<Service, RestoreError> {
        let family = self.key()?.family();
        let persistence = match self.timeout {
            None => None,
            Some(timeout) => {
                Some(PersistenceConfig { timeout, granularity: self.granularity(family)?, engine: self.engine.clone() })
            }
        };
        Ok(Service { scheduler: self.scheduler.clone(), flags: self.flags, persistence })
    }

    fn granularity(&self, family: Family) -> Result<u8, RestoreError> {
        let Some(mask) = &self.mask else { return Ok(family.max_prefix_len()) };
        let refuse = |accepted| RestoreError::Value { option: "-M".to_owned(), found: mask.clone(), accepted };
        match family {
            Family::Inet => {
                let bits = mask.parse::<Ipv4Addr>().map(u32::from).map_err(|_| refuse("a netmask"))?;
                match bits.leading_ones() + bits.trailing_zeros().min(32 - bits.leading_ones()) {
                    32 => Ok(bits.leading_ones() as u8),
                    _ => Err(refuse("a netmask without gaps")),
                }
            }
            Family::Inet6 => {
                let length = mask.parse::<u8>().ok().filter(|length| (1..=128).contains(length));
                length.ok_or_else(|| refuse("a prefix length, 1 to 128"))
            }
        }
    }

    fn destination_key(&self) -> Result<(ServiceKey, DestinationKey), RestoreError> {
        let service = self.key()?;
        let (address, port) = self.server.ok_or(RestoreError::NoDestination)?;
        let of_service = match service {
            ServiceKey::Address { port, .. } => port.0,
            ServiceKey::Mark { .. } => 0,
        };
        Ok((service, DestinationKey { address, port: Port(port.unwrap_or(of_service)) }))
    }

    fn destination(&self) -> Result<Destination, RestoreError> {
        let forwarding = match (self.forwarding, self.tunnel.as_str(), self.tunnel_port) {
            (Forwarding::Tunnel(_), "ipip", _) => Forwarding::Tunnel(Tunnel::Ipip),
            (Forwarding::Tunnel(_), "gue", Some(port)) => {
                Forwarding::Tunnel(Tunnel::Gue { port: Port(port), checksum: self.checksum })
            }
            (Forwarding::Tunnel(_), "gue", None) => {
                return Err(RestoreError::MissingValue { option: String::from("--tun-port") });
            }
            (Forwarding::Tunnel(_), "gre", _) => Forwarding::Tunnel(Tunnel::Gre { checksum: self.checksum }),
            (Forwarding::Tunnel(_), found, _) => {
                return Err(RestoreError::Value {
                    option: String::from("--tun-type"),
                    found: found.to_owned(),
                    accepted: "ipip, gue or gre",
                });
            }
            (method, _, _) => method,
        };
        Ok(Destination {
            forwarding,
            weight: self.weight,
            upper_threshold: self.upper_threshold,
            lower_threshold: self.lower_threshold,
        })
    }
}
