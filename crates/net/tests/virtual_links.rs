//! Virtual MAC interfaces and the firewall against the kernel, in network namespaces of their own. Needs root; skips otherwise.

#![allow(clippy::unwrap_used, reason = "these are tests, their helpers too")]

#[allow(dead_code, reason = "the other files of tests use the rest")]
mod namespace;

use std::process::Command;

use namespace::{Shell, ip, run};
use types::{Family, IfName, MacAddr, Prefix};
use vip::{Address, Config, Consequence, FirewallConfig, Holdings, VirtualLink, VirtualLinkKind};

fn name(text: &str) -> IfName {
    text.parse().unwrap()
}

/// `nft` is not needed by the daemon; here it says what stands.
fn nft(words: &str) -> Option<String> {
    let output = Command::new("nft").args(words.split_whitespace()).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn address(text: &str) -> Address {
    let address: Prefix = text.parse().unwrap();
    Address {
        address,
        peer: None,
        interface: None,
        scope: 0,
        broadcast: None,
        label: None,
        home: false,
        no_dad: true,
        manage_temporary: false,
        no_prefix_route: false,
        autojoin: false,
        no_track: false,
        preferred_lifetime: None,
        use_vmac: false,
        track_group: None,
    }
}

fn instance(vrid: u8, family: Family, addresses: &[&str]) -> Holdings {
    let link = name(&format!("vrrp.{vrid}"));
    let mac = MacAddr::virtual_router(family, types::Vrid::new(vrid).unwrap());
    let virtual_link = VirtualLink {
        name: link.clone(),
        base: name("left"),
        family,
        kind: VirtualLinkKind::Macvlan { mac },
        group: None,
        notify_message: true,
        keep_ipv6: false,
        link_local: None,
        copies_link_local: true,
    };
    Holdings {
        name: format!("VI_{vrid}"),
        interface: Some(link),
        addresses: addresses.iter().map(|text| address(text)).collect(),
        links: vec![virtual_link],
        no_accept: true,
        ..Holdings::default()
    }
}

fn config() -> Config {
    let instances = vec![
        instance(51, Family::Inet, &["10.9.0.100/24"]),
        instance(52, Family::Inet6, &["fe80::99/64", "2001:db8::99/64"]),
    ];
    let firewall = FirewallConfig { table: "keepalived".to_owned(), priority: -1, counters: false };
    Config { instances, firewall: Some(firewall), ..Config::default() }
}

fn sysctl(path: &str) -> String {
    std::fs::read_to_string(format!("/proc/sys/{path}")).unwrap().trim().to_owned()
}

#[test]
fn virtual_links_and_tables_come_and_go_as_keepalived_has_them() {
    run(async || {
        ip("link set left group 7");
        std::fs::write("/proc/sys/net/ipv4/conf/all/rp_filter", "1").unwrap();
        let before = (sysctl("net/ipv4/conf/left/arp_ignore"), sysctl("net/ipv4/conf/left/arp_filter"));
        // A table of the same name from a former life.
        nft("add table ip keepalived");
        nft("add chain ip keepalived stale");
        let mut shell = Shell::start(config(), &[]);
        let up = |told: &Consequence| matches!(told, Consequence::Link(link) if link.name == name("vrrp.52") && link.running);
        shell.settle_until(up);
        assert_eq!(shell.refused, [""; 0]);
        let shown = ip("-d link show dev vrrp.51");
        for expected in ["macvlan mode private", "00:00:5e:00:01:33", "vrrp.51@left", "group 7", "UP"] {
            assert!(shown.contains(expected), "{expected}\n{shown}");
        }
        assert_eq!(sysctl("net/ipv6/conf/vrrp.51/disable_ipv6"), "1");
        for (setting, value) in [("arp_ignore", "1"), ("accept_local", "1"), ("rp_filter", "0")] {
            assert_eq!(sysctl(&format!("net/ipv4/conf/vrrp.51/{setting}")), value, "{setting}");
        }
        assert_eq!(sysctl("net/ipv4/conf/left/arp_ignore"), "1");
        assert_eq!(
            (sysctl("net/ipv4/conf/all/rp_filter"), sysctl("net/ipv4/conf/right/rp_filter")),
            ("0".into(), "1".into())
        );
        // The base's link-local address is copied once it is proven unique; the link makes none of its own.
        for _ in 0..2_000 {
            shell.settle();
            if ip("-6 addr show dev vrrp.52").contains("inet6") {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let shown = ip("-6 addr show dev vrrp.52");
        assert_eq!(shown.matches("inet6").count(), 1, "no address of its own making\n{shown}");
        assert!(shown.contains("scope link nodad deprecated"), "{shown}");

        shell.hold(0);
        shell.hold(1);
        assert_eq!(shell.refused, [""; 0]);
        assert!(ip("addr show dev vrrp.51").contains("10.9.0.100/24"));
        if let Some(rules) = nft("list ruleset") {
            println!("{rules}");
            for expected in [
                "elements = { 10.9.0.100 }",
                "elements = { 2001:db8::99 }",
                "elements = { fe80::99 . \"vrrp.52\" }",
                "elements = { \"vrrp.51\" : \"left\" }",
                "type filter hook output priority filter - 1; policy accept;",
                "type filter hook input priority filter - 1; policy accept;",
                "ip protocol igmp meta oifkind \"macvlan\" dup to ip daddr device oif map @vmac_map drop",
                "ip saddr @vips drop",
                "ip daddr @vips drop",
                "icmpv6 type mld2-listener-report meta oifkind \"macvlan\" dup to ip6 daddr device oif map @vmac_map drop",
                "icmpv6 type nd-router-solicit meta oifkind \"macvlan\" oif @vmac_set drop",
                "icmpv6 type @neighbor-discovery accept",
                "ip6 saddr fe80::/10 goto out_link_local",
                "ip6 daddr . iif @vips_link_local drop",
                "ip6 saddr . oif @vips_link_local drop",
            ] {
                assert!(rules.contains(expected), "{expected}\n{rules}");
            }
            assert!(!rules.contains("stale"), "{rules}");
        }
        shell.release(0);
        assert!(!nft("list ruleset").unwrap_or_default().contains("10.9.0.100"));

        // A process that comes after a crash adopts the links.
        let index = |name: &str| ip(&format!("-o link show dev {name}")).split(':').next().map(str::to_owned);
        let links = (index("vrrp.51"), index("vrrp.52"));
        let mut shell = Shell::start(config(), &[1]);
        shell.settle();
        assert_eq!((index("vrrp.51"), index("vrrp.52")), links);
        assert_eq!(shell.refused, [""; 0]);

        // One that somebody deletes is made again, and its addresses with it.
        ip("link del vrrp.52");
        shell.settle_until(up);
        shell.settle();
        assert!(ip("-6 addr show dev vrrp.52").contains("2001:db8::99/64"));

        let mut operations = Vec::new();
        shell.keeper.stop(&mut operations);
        shell.perform(operations);
        assert_eq!(shell.refused, [""; 0]);
        assert!(!ip("link show").contains("vrrp."));
        assert_eq!(nft("list ruleset").unwrap_or_default(), "");
        assert_eq!(before.1, "0");
    });
}
