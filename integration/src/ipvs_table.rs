//! The kernel's IPVS table as `ipvsadm` tells it: a third party between the daemons and the tests.

use std::collections::BTreeMap;

use crate::host::Host;

/// One virtual service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Service {
    /// `-s`.
    pub scheduler: String,
    /// The other words of the service: `-p 50`, `-o`, `-b sh-port` …, joined by blanks.
    pub options: String,
    /// Real servers by `ADDRESS:PORT`.
    pub destinations: BTreeMap<String, Destination>,
}

/// One real server of a service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Destination {
    /// `-m` NAT, `-g` direct routing, `-i` tunnel.
    pub forwarding: String,
    /// `-w`.
    pub weight: u32,
    /// The other words: `-x 10`, `--tun-type gue` …, joined by blanks.
    pub options: String,
}

/// The table of `host`, by `-t ADDRESS:PORT`, `-u ADDRESS:PORT` or `-f MARK`.
#[track_caller]
pub fn ipvs_table(host: &Host) -> BTreeMap<String, Service> {
    parse(&host.shell("ipvsadm -Sn"))
}

fn parse(saved: &str) -> BTreeMap<String, Service> {
    let mut table = BTreeMap::<String, Service>::new();
    for line in saved.lines() {
        let mut words = line.split_whitespace();
        let (Some(action), Some(kind), Some(address)) = (words.next(), words.next(), words.next()) else { continue };
        let service = table.entry(format!("{kind} {address}")).or_default();
        let rest: Vec<&str> = words.collect();
        match action {
            "-A" => {
                service.scheduler = after(&rest, "-s").unwrap_or_default().to_owned();
                service.options = without(&rest, &["-s"]);
            }
            "-a" => {
                let forwarding = rest.iter().find(|word| ["-m", "-g", "-i"].contains(*word));
                let destination = Destination {
                    forwarding: forwarding.copied().unwrap_or_default().to_owned(),
                    weight: after(&rest, "-w").and_then(|weight| weight.parse().ok()).unwrap_or_default(),
                    options: without(&rest, &["-r", "-w"]),
                };
                if let Some(server) = after(&rest, "-r") {
                    service.destinations.insert(server.to_owned(), destination);
                }
            }
            _ => {}
        }
    }
    table
}

/// The word after `flag`.
fn after<'a>(words: &[&'a str], flag: &str) -> Option<&'a str> {
    let position = words.iter().position(|word| *word == flag)?;
    words.get(position + 1).copied()
}

/// What is left without the pairs of `flags` and the forwarding method.
fn without(words: &[&str], flags: &[&str]) -> String {
    let mut left = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if flags.contains(word) {
            words.next();
        } else if !["-m", "-g", "-i"].contains(word) {
            left.push(*word);
        }
    }
    left.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_table_is_read() {
        let table = parse(
            "-A -t 10.0.0.100:80 -s wrr -p 50\n-a -t 10.0.0.100:80 -r 10.0.0.3:80 -g -w 2\n-A -f 1 -s rr\n-a -f 1 -r 10.0.0.3:0 -i -w 1 --tun-type ipip\n",
        );
        let service = &table["-t 10.0.0.100:80"];
        assert_eq!((service.scheduler.as_str(), service.options.as_str()), ("wrr", "-p 50"));
        assert_eq!(service.destinations["10.0.0.3:80"].weight, 2);
        assert_eq!(table["-f 1"].destinations["10.0.0.3:0"].options, "--tun-type ipip");
    }
}
