//! The tables as keepalived makes them: chains, sets and rules, whose sets are empty at first.
//!
//! ```text
//! table ip keepalived                                table ip6 keepalived
//!   set vips                                           set vips, vips_link_local (address . interface)
//!   chain in   ip daddr @vips drop                     set neighbor-discovery { solicit, advert }
//!   chain out  ip saddr @vips drop                     chain in, out: neighbour discovery is accepted,
//!                                                        fe80::/10 goes to in_link_local, out_link_local, @vips is dropped
//! ```
//!
//! Where virtual MAC interfaces exist, rules at the head of `out` send their IGMP and MLD reports through the base interface instead (`vmac_map`) and
//! drop their router solicitations (`vmac_set`): a switch would otherwise learn that the virtual MAC is here while we are backup.

use types::Family;
use vip::FirewallConfig;

use super::expression::{Base, Expression, Meta, Verdict};
use super::message::{Attributes, Kind};

/// Types of set elements by nft's own numbers: without them `nft` could not print the sets.
const TYPE_IPV4: u32 = 7;
const TYPE_IPV6: u32 = 8;
const TYPE_INTERFACE: u32 = 20;
const TYPE_ICMPV6: u32 = 29;
/// A type of two parts has six bits for each.
const TYPE_IPV6_INTERFACE: u32 = TYPE_IPV6 << 6 | TYPE_INTERFACE;

/// nft's BYTEORDER_HOST_ENDIAN.
const HOST_ORDER: u32 = 1;

const SET_CONSTANT: u32 = 2;
const SET_MAP: u32 = 8;

pub(super) const VIPS: &str = "vips";
pub(super) const VIPS_LINK_LOCAL: &str = "vips_link_local";
pub(super) const VMAC_MAP: &str = "vmac_map";
pub(super) const VMAC_SET: &str = "vmac_set";
const NEIGHBOR_DISCOVERY: &str = "neighbor-discovery";
const OUT: &str = "out";
const IN: &str = "in";

/// NF_INET_LOCAL_IN, NF_INET_LOCAL_OUT.
const HOOK_IN: u32 = 1;
const HOOK_OUT: u32 = 3;

const ICMPV6: u8 = 58;
const IGMP: u8 = 2;
const ROUTER_SOLICITATION: u8 = 133;
const NEIGHBOUR_SOLICITATION: u8 = 135;
const NEIGHBOUR_ADVERTISEMENT: u8 = 136;
const MLD2_REPORT: u8 = 143;

/// Someone who takes requests for one table.
pub(super) trait Requests {
    fn request(&mut self, kind: Kind, first: bool, attributes: impl FnOnce(&mut Attributes<'_>));
}

/// The table, its chains, sets and rules.
pub(super) fn create(config: &FirewallConfig, family: Family, to: &mut impl Requests) {
    let table = config.table.as_str();
    to.request(Kind::NewTable, false, |table_| {
        table_.text(1, table).number(2, 0);
    });
    base_chain(config, OUT, HOOK_OUT, to);
    base_chain(config, IN, HOOK_IN, to);
    match family {
        Family::Inet => {
            set(table, VIPS, Key(TYPE_IPV4, 4), 0, None, to);
            // Source at octet 12 of the header, destination at 16.
            rule(config, IN, false, dropped(vec![network(16, 4)], VIPS), to);
            rule(config, OUT, false, dropped(vec![network(12, 4)], VIPS), to);
        }
        Family::Inet6 => create_v6(config, to),
    }
}

fn create_v6(config: &FirewallConfig, to: &mut impl Requests) {
    let table = config.table.as_str();
    set(table, VIPS, Key(TYPE_IPV6, 16), 0, None, to);
    set(table, NEIGHBOR_DISCOVERY, Key(TYPE_ICMPV6, 1), SET_CONSTANT, None, to);
    let kinds = [&[NEIGHBOUR_SOLICITATION][..], &[NEIGHBOUR_ADVERTISEMENT]];
    to.request(Kind::NewElement, false, |list| {
        elements(list, table, NEIGHBOR_DISCOVERY, &kinds.map(|kind| (kind, None)))
    });
    set(table, VIPS_LINK_LOCAL, Key(TYPE_IPV6_INTERFACE, 20), 0, None, to);
    // Source at octet 8 of the header, destination at 24.
    let sides = [(IN, "in_link_local", 24, Meta::InputInterface), (OUT, "out_link_local", 8, Meta::OutputInterface)];
    for (chain, link_local, offset, interface) in sides {
        to.request(Kind::NewChain, false, |new| {
            new.text(1, table).text(3, link_local);
        });
        let lookup = vec![network(offset, 16), Expression::Meta { key: interface, register: 2 }];
        rule(config, link_local, false, dropped(lookup, VIPS_LINK_LOCAL), to);

        let mut discovery = icmpv6();
        discovery.push(Expression::InSet { set: NEIGHBOR_DISCOVERY, register: 1 });
        discovery.push(Expression::Verdict(Verdict::Accept));
        rule(config, chain, false, discovery, to);
        let mut ten_bits = vec![0; 16];
        ten_bits[..2].copy_from_slice(&[0xff, 0xc0]);
        let mut fe80 = vec![0; 16];
        fe80[..2].copy_from_slice(&[0xfe, 0x80]);
        let local = vec![
            network(offset, 16),
            Expression::Mask { register: 1, mask: ten_bits },
            Expression::Compare { register: 1, value: fe80 },
            Expression::Verdict(Verdict::Goto(link_local)),
        ];
        rule(config, chain, false, local, to);
        rule(config, chain, false, dropped(vec![network(offset, 16)], VIPS), to);
    }
}

/// Sets and rules of virtual MAC interfaces, at the head of `out`.
pub(super) fn create_redirection(config: &FirewallConfig, family: Family, to: &mut impl Requests) {
    let table = config.table.as_str();
    let interface = Key(TYPE_INTERFACE, 4);
    set(table, VMAC_MAP, Key(TYPE_INTERFACE, 4), SET_MAP, Some(interface), to);
    let kind = || {
        let mut name = b"macvlan".to_vec();
        name.resize(16, 0);
        [
            Expression::Meta { key: Meta::OutputKind, register: 2 },
            Expression::Compare { register: 2, value: name },
            Expression::Meta { key: Meta::OutputInterface, register: 2 },
        ]
    };
    let redirect = |mut report: Vec<Expression>, destination: Expression| {
        report.push(destination);
        report.extend(kind());
        report.push(Expression::Map { map: VMAC_MAP, register: 2 });
        report.push(Expression::Duplicate { address: 1, device: 2 });
        report.push(Expression::Verdict(Verdict::Drop));
        report
    };
    match family {
        Family::Inet => {
            let igmp = vec![network(9, 1), Expression::Compare { register: 1, value: vec![IGMP] }];
            rule(config, OUT, true, redirect(igmp, network(16, 4)), to);
        }
        Family::Inet6 => {
            set(table, VMAC_SET, Key(TYPE_INTERFACE, 4), 0, None, to);
            let mut solicitation = icmpv6();
            solicitation.push(Expression::Compare { register: 1, value: vec![ROUTER_SOLICITATION] });
            solicitation.extend(kind());
            solicitation.push(Expression::InSet { set: VMAC_SET, register: 2 });
            solicitation.push(Expression::Verdict(Verdict::Drop));
            rule(config, OUT, true, solicitation, to);
            let mut report = icmpv6();
            report.push(Expression::Compare { register: 1, value: vec![MLD2_REPORT] });
            rule(config, OUT, true, redirect(report, network(24, 16)), to);
        }
    }
}

/// Elements of a set, with their data where it is a map.
pub(super) fn elements(list: &mut Attributes<'_>, table: &str, set: &str, keys: &[(&[u8], Option<&[u8]>)]) {
    list.text(1, table).text(2, set).nested(3, |list| {
        for (key, data) in keys {
            list.nested(1, |element| {
                element.nested(1, |inner| {
                    inner.octets(1, key);
                });
                if let Some(data) = data {
                    element.nested(2, |inner| {
                        inner.octets(1, data);
                    });
                }
            });
        }
    });
}

/// Type and length of a set's keys or data.
struct Key(u32, u32);

fn set(table: &str, name: &str, key: Key, flags: u32, data: Option<Key>, to: &mut impl Requests) {
    to.request(Kind::NewSet, false, |set| {
        set.text(1, table).text(2, name).number(3, flags).number(4, key.0).number(5, key.1);
        if let Some(data) = &data {
            set.number(6, data.0).number(7, data.1);
        }
        // The id is for rules of the same transaction; ours name the set.
        set.number(10, 1);
        // `nft` asks here in which order the octets of keys and data are; interface numbers are in the host's.
        let mut order = Vec::new();
        for (which, part) in [Some(&key), data.as_ref()].into_iter().enumerate() {
            if part.is_some_and(|part| part.0 == TYPE_INTERFACE) {
                order.extend([which as u8, 4]);
                order.extend(HOST_ORDER.to_ne_bytes());
            }
        }
        if !order.is_empty() {
            set.octets(13, &order);
        }
    });
}

fn base_chain(config: &FirewallConfig, name: &str, hook: u32, to: &mut impl Requests) {
    /// NF_ACCEPT.
    const ACCEPT: u32 = 1;
    to.request(Kind::NewChain, false, |chain| {
        chain.text(1, &config.table).text(3, name);
        chain.nested(4, |inner| {
            inner.number(1, hook).number(2, config.priority as u32);
        });
        chain.number(5, ACCEPT).text(7, "filter");
    });
}

fn rule(config: &FirewallConfig, chain: &str, first: bool, expressions: Vec<Expression>, to: &mut impl Requests) {
    to.request(Kind::NewRule, first, |rule| {
        rule.text(1, &config.table).text(2, chain).nested(4, |list| {
            for expression in &expressions {
                if config.counters && matches!(expression, Expression::Verdict(_)) {
                    Expression::Counter.write(list);
                }
                expression.write(list);
            }
        });
    });
}

/// Register 1 takes octets of the IP header.
fn network(offset: u32, length: u32) -> Expression {
    Expression::Payload { base: Base::Network, offset, length, register: 1 }
}

/// The packet is ICMPv6; register 1 takes its type.
fn icmpv6() -> Vec<Expression> {
    vec![
        Expression::Meta { key: Meta::TransportProtocol, register: 1 },
        Expression::Compare { register: 1, value: vec![ICMPV6] },
        Expression::Payload { base: Base::Transport, offset: 0, length: 1, register: 1 },
    ]
}

/// What is in `set` is dropped.
fn dropped(mut load: Vec<Expression>, set: &'static str) -> Vec<Expression> {
    load.push(Expression::InSet { set, register: 1 });
    load.push(Expression::Verdict(Verdict::Drop));
    load
}
