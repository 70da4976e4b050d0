//! `ipvsadm -Lnc`: the connection table, which the kernel tells as text in `/proc/net/ip_vs_conn`.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::end;
use types::Port;

/// One connection, or a persistence template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// `TCP`, `UDP`, `SCTP`, or `IP` for a template of a firewall mark.
    pub protocol: String,
    /// The client; port 0 in a template.
    pub client: SocketAddr,
    /// The virtual service; a firewall mark stands in the address of a template.
    pub service: SocketAddr,
    /// The real server.
    pub destination: SocketAddr,
    /// `ESTABLISHED`, `FIN_WAIT`, …
    pub state: String,
    /// Seconds until it is forgotten.
    pub expires: u32,
    /// Persistence engine and its data.
    pub persistence: Option<(String, String)>,
}

/// Reads the kernel's text. What cannot be understood is left out and counted.
pub fn parse_connections(text: &str) -> (Vec<Connection>, usize) {
    let mut refused = 0;
    let lines = text.lines().filter(|line| !line.starts_with("Pro ") && !line.trim().is_empty());
    let connections = lines.filter_map(|line| {
        let connection = parse_connection(line);
        refused += usize::from(connection.is_none());
        connection
    });
    (connections.collect(), refused)
}

/// The listing with its headings, each line ended; connections in the kernel's order. `persistence` adds the data of
/// persistence engines (`--persistent-conn`).
pub fn list_connections(connections: &[Connection], persistence: bool) -> String {
    let mut text = String::from(
        "IPVS connection entries\npro expire state       source             virtual            destination",
    );
    text.push_str(if persistence { "        pe name          pe_data\n" } else { "\n" });
    for connection in connections {
        let (minutes, seconds) = (connection.expires / 60, connection.expires % 60);
        let show = |place: SocketAddr| end(place.ip(), Port(place.port()));
        let _ = write!(
            text,
            "{:<3} {minutes:02}:{seconds:02}  {:<11} {:<18} {:<18} ",
            connection.protocol,
            connection.state,
            show(connection.client),
            show(connection.service)
        );
        let destination = show(connection.destination);
        let _ = match connection.persistence.as_ref().filter(|_| persistence) {
            Some((engine, data)) => writeln!(text, "{destination:<18} {engine:<16} {data}"),
            None => writeln!(text, "{destination}"),
        };
    }
    text
}

/// `TCP 0A000002 10E1 0A000064 0050 0A00000B 0050 ESTABLISHED     117`
fn parse_connection(line: &str) -> Option<Connection> {
    let mut words = line.split_ascii_whitespace();
    let protocol = words.next()?.to_owned();
    let mut place = || Some(SocketAddr::new(address(words.next()?)?, u16::from_str_radix(words.next()?, 16).ok()?));
    let (client, service, destination) = (place()?, place()?, place()?);
    let (state, expires) = (words.next()?.to_owned(), words.next()?.parse().ok()?);
    let persistence = words.next().map(|engine| (engine.to_owned(), words.next().unwrap_or_default().to_owned()));
    Some(Connection { protocol, client, service, destination, state, expires, persistence })
}

/// `0A000002`, or an IPv6 address with all its digits.
fn address(word: &str) -> Option<IpAddr> {
    if word.len() == 8 && !word.contains(':') {
        return u32::from_str_radix(word, 16).ok().map(|bits| Ipv4Addr::from(bits).into());
    }
    let word = word.strip_prefix('[').and_then(|word| word.strip_suffix(']')).unwrap_or(word);
    word.parse::<Ipv6Addr>().ok().map(IpAddr::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_left_out_and_counted() {
        let text = "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n\
             TCP 0A000002 10E1 0A000064 0050 0A00000B 0050 ESTABLISHED     117\n\
             TCP 0A000002 10E1\n\
             \n\
             UDP 0A00000G 10E1 0A000064 0050 0A00000B 0050 UDP 1\n";
        let (connections, refused) = parse_connections(text);
        assert_eq!((connections.len(), refused), (1, 2));
        assert_eq!(connections[0].client, "10.0.0.2:4321".parse().unwrap());
    }

    /// Lines of the kernel and of ipvsadm 1.31, taken from one table under user-mode Linux.
    #[test]
    fn connections_look_as_in_ipvsadm() {
        let kernel = "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n\
             TCP 0A000064 B84C 0A000064 0051 7F000001 1F90 ESTABLISHED     893\n\
             TCP 2001:0db8:0000:0000:0000:0000:0000:0100 8104 2001:0db8:0000:0000:0000:0000:0000:0100 0050 \
             0000:0000:0000:0000:0000:0000:0000:0001 1F90 ESTABLISHED     893\n\
             TCP 0A000064 8556 0A000064 0050 7F000001 1F90 CLOSE             3\n\
             TCP 0A000000 0000 0A000064 0051 7F000001 1F90 ASSURED         293\n";
        let lines = "\
TCP 14:53  ESTABLISHED 10.0.0.100:47180   10.0.0.100:81      127.0.0.1:8080
TCP 14:53  ESTABLISHED [2001:db8::100]:33028 [2001:db8::100]:80 [::1]:8080
TCP 00:03  CLOSE       10.0.0.100:34134   10.0.0.100:80      127.0.0.1:8080
TCP 04:53  ASSURED     10.0.0.0:0         10.0.0.100:81      127.0.0.1:8080
";
        let (connections, refused) = parse_connections(kernel);
        assert_eq!(refused, 0);
        let heading =
            "IPVS connection entries\npro expire state       source             virtual            destination";
        assert_eq!(list_connections(&connections, false), format!("{heading}\n{lines}"));
        let data = format!("{heading}        pe name          pe_data\n{lines}");
        assert_eq!(list_connections(&connections, true), data);
    }

    #[test]
    fn any_cut_of_a_line_is_survived() {
        let line = "TCP 2001:0db8:0000:0000:0000:0000:0000:0002 10E1 2001:0db8:0000:0000:0000:0000:0000:0064 0050 \
             2001:0db8:0000:0000:0000:0000:0000:000b 0050 ESTABLISHED     117 sip abc";
        for length in 0..=line.len() {
            let _ = parse_connections(&line[..length]);
        }
        assert_eq!(parse_connections(line).0[0].persistence, Some(("sip".into(), "abc".into())));
    }
}
