//! `rkeepalived ipvs …`: the kernel's table at the terminal, in ipvsadm's words. It reads the kernel itself, so it works
//! beside any daemon and without one.

use std::io::Read;

use clap::{Args, Subcommand};
use ipvs::text::{self, Thresholds, View};
use ipvs::{Operation, ServiceListing, Timeouts};
use net::ipvs::{Ipvs, IpvsError};
use serde_json::{Value, json};

/// Where the kernel tells its connections.
const CONNECTIONS: &str = "/proc/net/ip_vs_conn";

/// Words of `rkeepalived ipvs`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Subcommand)]
enum Command {
    /// List virtual services and real servers, as `ipvsadm -Ln`
    List(List),
    /// Write the table as lines that `ipvs restore` and `ipvsadm -R` read, as `ipvsadm -Sn`
    Save {
        /// Write the connection thresholds too, which ipvsadm leaves out
        #[arg(long)]
        thresholds: bool,
    },
    /// Add to the table what the lines on standard input say; what stands already is changed
    Restore,
    /// Show the timeouts of connections, or set them (0 leaves one as it is)
    Timeouts {
        /// Of TCP, of TCP after a FIN, of UDP, in seconds
        #[arg(num_args = 3, value_names = ["TCP", "TCPFIN", "UDP"])]
        seconds: Option<Vec<u32>>,
    },
    /// Set all counters to zero
    Zero,
}

#[derive(Debug, Clone, Args)]
struct List {
    /// Numbers instead of names: always so
    #[arg(short = 'n', long)]
    numeric: bool,
    /// Connections instead of services
    #[arg(short = 'c', long = "connections", visible_alias = "connection", conflicts_with_all = ["stats", "rate", "thresholds", "tun_info"])]
    connections: bool,
    /// Connections, packets and octets
    #[arg(long, conflicts_with_all = ["rate", "thresholds", "persistent_conn", "tun_info"])]
    stats: bool,
    /// The same in each second
    #[arg(long, conflicts_with_all = ["thresholds", "persistent_conn", "tun_info"])]
    rate: bool,
    /// Connection thresholds
    #[arg(long, conflicts_with_all = ["persistent_conn", "tun_info"])]
    thresholds: bool,
    /// Persistent connections; with --connections, the data of persistence engines
    #[arg(long, conflicts_with = "tun_info")]
    persistent_conn: bool,
    /// Encapsulation of tunnels
    #[arg(long)]
    tun_info: bool,
    /// Exact numbers, however long
    #[arg(long)]
    exact: bool,
    /// In the kernel's order
    #[arg(long)]
    nosort: bool,
    /// As JSON, with everything
    #[arg(long)]
    json: bool,
}

/// Runs it; the result is the exit status.
pub(crate) fn run(arguments: &Arguments) -> i32 {
    match perform(&arguments.command) {
        Ok(text) => {
            print!("{text}");
            0
        }
        Err(told) => {
            eprintln!("{told}");
            1
        }
    }
}

fn perform(command: &Command) -> Result<String, String> {
    let told = |refused: IpvsError| refused.to_string();
    match command {
        Command::List(list) if list.connections => connections(list),
        Command::List(list) => {
            let mut kernel = Ipvs::open().map_err(told)?;
            let info = kernel.info().map_err(told)?;
            let listings = listings(&mut kernel, list.nosort)?;
            Ok(if list.json {
                let services: Vec<Value> = listings.iter().map(service).collect();
                let (major, minor, patch) = info.version;
                let size = info.connection_table_size;
                pretty(&json!({ "version": format!("{major}.{minor}.{patch}"), "size": size, "services": services }))
            } else {
                text::list(info, &listings, list.view())
            })
        }
        Command::Save { thresholds } => {
            let listings = listings(&mut Ipvs::open().map_err(told)?, false)?;
            Ok(text::save(&listings, if *thresholds { Thresholds::Keep } else { Thresholds::Omit }))
        }
        Command::Restore => {
            let mut lines = String::new();
            std::io::stdin().read_to_string(&mut lines).map_err(|refused| format!("standard input: {refused}"))?;
            let operations = operations(&lines)?;
            let refusals = Ipvs::open().map_err(told)?.apply(&operations).map_err(told)?;
            match refusals.as_slice() {
                [] => Ok(String::new()),
                refusals => Err(refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
            }
        }
        Command::Timeouts { seconds } => {
            let mut kernel = Ipvs::open().map_err(told)?;
            if let Some([tcp, tcp_fin, udp]) =
                seconds.as_deref().and_then(|seconds| <&[u32; 3]>::try_from(seconds).ok())
            {
                kernel.set_timeouts(Timeouts { tcp: *tcp, tcp_fin: *tcp_fin, udp: *udp }).map_err(told)?;
                return Ok(String::new());
            }
            let Timeouts { tcp, tcp_fin, udp } = kernel.timeouts().map_err(told)?;
            Ok(format!("Timeout (tcp tcpfin udp): {tcp} {tcp_fin} {udp}\n"))
        }
        Command::Zero => Ipvs::open().map_err(told)?.zero(None).map_err(told).map(|()| String::new()),
    }
}

impl List {
    fn view(&self) -> View {
        let exact = self.exact;
        match self {
            Self { stats: true, .. } => View::Statistics { exact },
            Self { rate: true, .. } => View::Rate { exact },
            Self { thresholds: true, .. } => View::Thresholds,
            Self { persistent_conn: true, .. } => View::Persistent,
            Self { tun_info: true, .. } => View::Tunnels,
            _ => View::Connections,
        }
    }
}

fn listings(kernel: &mut Ipvs, unsorted: bool) -> Result<Vec<ServiceListing>, String> {
    let mut listings = kernel.list().map_err(|refused| refused.to_string())?;
    if !unsorted {
        text::sort(&mut listings);
    }
    Ok(listings)
}

fn connections(list: &List) -> Result<String, String> {
    // Loads the module, and has the words for a kernel that lacks it.
    Ipvs::open().map_err(|refused| refused.to_string())?;
    let told = std::fs::read_to_string(CONNECTIONS).map_err(|refused| format!("{CONNECTIONS}: {refused}"))?;
    let (connections, refused) = text::parse_connections(&told);
    if refused > 0 {
        eprintln!("{refused} lines of {CONNECTIONS} make no sense to this version and are left out");
    }
    Ok(if list.json { pretty(&json!(connections)) } else { text::list_connections(&connections, list.persistent_conn) })
}

/// All lines are read before the first is performed: a mistake changes nothing.
fn operations(lines: &str) -> Result<Vec<Operation>, String> {
    let mut operations = Vec::new();
    let mut mistakes = Vec::new();
    for (number, line) in lines.lines().enumerate() {
        let line = line.trim_start();
        match text::parse_line(line.strip_prefix("ipvsadm ").unwrap_or(line)) {
            Ok(operation) => operations.extend(operation),
            Err(mistake) => mistakes.push(format!("line {}: {mistake}", number + 1)),
        }
    }
    if mistakes.is_empty() {
        return Ok(operations);
    }
    mistakes.push("nothing was changed".into());
    Err(mistakes.join("\n"))
}

fn service(listing: &ServiceListing) -> Value {
    let destinations: Vec<Value> = listing
        .destinations
        .iter()
        .map(|destination| {
            json!({
                "address": destination.key.address,
                "port": destination.key.port,
                "forwarding": destination.destination.forwarding,
                "weight": destination.destination.weight,
                "upper_threshold": destination.destination.upper_threshold,
                "lower_threshold": destination.destination.lower_threshold,
                "active_connections": destination.counters.active,
                "inactive_connections": destination.counters.inactive,
                "persistent_connections": destination.counters.persistent,
                "statistics": destination.counters.statistics,
            })
        })
        .collect();
    let mut value = match listing.key {
        ipvs::ServiceKey::Address { protocol, address, port } => {
            json!({ "protocol": protocol.to_string(), "address": address, "port": port })
        }
        ipvs::ServiceKey::Mark { family, mark } => json!({ "family": family, "mark": mark }),
    };
    if let Value::Object(members) = &mut value {
        members.insert("scheduler".into(), json!(listing.service.scheduler));
        members.insert("flags".into(), json!(listing.service.flags));
        members.insert("persistence".into(), json!(listing.service.persistence));
        members.insert("statistics".into(), json!(listing.statistics));
        members.insert("destinations".into(), Value::Array(destinations));
    }
    value
}

fn pretty(value: &Value) -> String {
    // A value of ours always has a text.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_told_with_its_line_before_anything_is_done() {
        let told = operations("ipvsadm -A -t 10.0.0.1:80 -s rr\n\n-a -t 10.0.0.1:80\n--frobnicate\n").unwrap_err();
        let lines: Vec<&str> = told.lines().collect();
        assert!(lines[0].starts_with("line 3: ") && lines[1].starts_with("line 4: "), "{told}");
        assert_eq!(lines[2], "nothing was changed");
        assert_eq!(operations("# a comment\nipvsadm -A -t 10.0.0.1:80 -s rr\n-C\n").unwrap().len(), 2);
    }
}
