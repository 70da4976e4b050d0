//! The firewall's tables, by nf_tables' own netlink messages: no `nft` binary in the failover path.
//!
//! A table is made when the first element needs it, as keepalived does. All changes given together are one transaction; where the kernel refuses it,
//! each is tried alone, so that one of them cannot take the others along.

mod expression;
mod message;
mod skeleton;

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;

use netlink_sys::protocols::NETLINK_NETFILTER;
use types::{Family, IfIndex};
use vip::{FirewallConfig, FirewallOperation, Operation, Outcome, Refusal};

use self::message::{Attributes, Kind, Transaction};
use self::skeleton::{Requests, VIPS, VIPS_LINK_LOCAL, VMAC_MAP, VMAC_SET};
use crate::kernel::refusal_of;
use crate::netlink::{Channel, NLMSG_ERROR, refusal};

/// Operations of one transaction at most: its datagram must fit the socket's send buffer.
const TRANSACTION: usize = 256;

/// The nf_tables socket, opened when it is first needed, and what has been made of each table.
#[derive(Debug, Default)]
pub(crate) struct Firewall {
    channel: Option<Channel>,
    tables: BTreeMap<(String, Family), Table>,
}

#[derive(Debug, Clone)]
struct Table {
    config: FirewallConfig,
    created: bool,
    redirecting: bool,
}

/// Requests of one operation, for one table, in a transaction.
struct Writer<'a> {
    transaction: &'a mut Transaction,
    sequences: &'a mut Vec<(u32, usize)>,
    channel: &'a mut Channel,
    family: Family,
    place: usize,
}

impl Requests for Writer<'_> {
    fn request(&mut self, kind: Kind, first: bool, attributes: impl FnOnce(&mut Attributes<'_>)) {
        let sequence = self.channel.next_sequence();
        self.sequences.push((sequence, self.place));
        self.transaction.request(kind, first, sequence, self.family, attributes);
    }
}

impl Firewall {
    /// Performs a run of firewall operations.
    pub(crate) fn perform(&mut self, operations: &[Operation], outcomes: &mut [Outcome]) {
        for (operations, outcomes) in operations.chunks(TRANSACTION).zip(outcomes.chunks_mut(TRANSACTION)) {
            let Err(refusals) = self.transact(operations) else { continue };
            if let ([_], [outcome]) = (operations, &mut *outcomes) {
                *outcome = Outcome::Refused(refusals);
                continue;
            }
            for (operation, outcome) in operations.iter().zip(outcomes) {
                if let Err(refused) = self.transact(std::slice::from_ref(operation)) {
                    *outcome = Outcome::Refused(refused);
                }
            }
        }
    }

    /// All or nothing; the refusal is the first one.
    fn transact(&mut self, operations: &[Operation]) -> Result<(), Refusal> {
        let before = self.tables.clone();
        let done = self.send(operations);
        if done.is_err() {
            self.tables = before;
        }
        done
    }

    fn send(&mut self, operations: &[Operation]) -> Result<(), Refusal> {
        let Self { channel, tables } = self;
        let channel = match channel {
            Some(channel) => channel,
            None => channel.insert(Channel::open(NETLINK_NETFILTER).map_err(|error| refusal_of(&error))?),
        };
        let mut sequences = Vec::new();
        let mut transaction = Transaction::begin(channel.next_sequence());
        for (place, operation) in operations.iter().enumerate() {
            let Operation::Firewall(operation) = operation else { continue };
            let family = family_of(operation);
            let mut writer =
                Writer { transaction: &mut transaction, sequences: &mut sequences, channel, family, place };
            write(operation, tables, &mut writer)?;
        }
        let Some((last, _)) = sequences.last().copied() else { return Ok(()) };
        let datagram = transaction.end(channel.next_sequence());
        let (mut complete, mut first) = (false, None);
        let answered = channel.send(&datagram).and_then(|()| {
            channel.answers(|kind, flags, sequence, payload| {
                if kind == NLMSG_ERROR {
                    complete |= sequence == last;
                    first = first.take().or_else(|| refusal(flags, payload));
                }
            })
        });
        match (answered, first) {
            (_, Some(refused)) => Err(refused),
            (Err(error), None) => Err(refusal_of(&error)),
            (Ok(()), None) if complete => Ok(()),
            (Ok(()), None) => Err(refusal_of(&io::Error::from_raw_os_error(libc::ENOBUFS))),
        }
    }
}

fn family_of(operation: &FirewallOperation) -> Family {
    match operation {
        FirewallOperation::Install { family, .. }
        | FirewallOperation::Uninstall { family, .. }
        | FirewallOperation::Redirect { family, .. }
        | FirewallOperation::Unredirect { family, .. } => *family,
        FirewallOperation::Protect { address, .. } | FirewallOperation::Unprotect { address, .. } => {
            Family::of(*address)
        }
    }
}

type Tables = BTreeMap<(String, Family), Table>;

fn write(operation: &FirewallOperation, tables: &mut Tables, to: &mut Writer<'_>) -> Result<(), Refusal> {
    let family = to.family;
    match operation {
        FirewallOperation::Install { config, .. } => {
            // To add what may exist and then delete it never fails.
            delete_table(&config.table, to);
            let table = Table { config: config.clone(), created: false, redirecting: false };
            tables.insert((config.table.clone(), family), table);
        }
        FirewallOperation::Uninstall { table, .. } => {
            if tables.remove(&(table.clone(), family)).is_some_and(|table| table.created) {
                delete_table(table, to);
            }
        }
        FirewallOperation::Protect { table, address, interface } => {
            created(tables, table, to)?;
            element(Kind::NewElement, table, *address, *interface, to);
        }
        FirewallOperation::Unprotect { table, address, interface } => {
            if tables.get(&(table.clone(), family)).is_some_and(|table| table.created) {
                element(Kind::DeleteElement, table, *address, *interface, to);
            }
        }
        FirewallOperation::Redirect { table, link, base, .. } => {
            let state = created(tables, table, to)?;
            if !state.redirecting {
                state.redirecting = true;
                skeleton::create_redirection(&state.config, family, to);
            }
            redirection(Kind::NewElement, table, *link, *base, to);
        }
        FirewallOperation::Unredirect { table, link, base, .. } => {
            if tables.get(&(table.clone(), family)).is_some_and(|table| table.redirecting) {
                redirection(Kind::DeleteElement, table, *link, *base, to);
            }
        }
    }
    Ok(())
}

fn delete_table(name: &str, to: &mut Writer<'_>) {
    to.request(Kind::NewTable, false, |table| {
        table.text(1, name).number(2, 0);
    });
    to.request(Kind::DeleteTable, false, |table| {
        table.text(1, name);
    });
}

/// The table, made now if it was not yet.
fn created<'t>(tables: &'t mut Tables, name: &str, to: &mut Writer<'_>) -> Result<&'t mut Table, Refusal> {
    let not_installed = || Refusal { errno: libc::ENOENT, text: Some("the table has not been installed".to_owned()) };
    let table = tables.get_mut(&(name.to_owned(), to.family)).ok_or_else(not_installed)?;
    if !table.created {
        table.created = true;
        skeleton::create(&table.config, to.family, to);
    }
    Ok(table)
}

fn element(kind: Kind, table: &str, address: IpAddr, interface: Option<IfIndex>, to: &mut Writer<'_>) {
    let mut key = match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let set = match interface {
        Some(interface) => {
            key.extend(interface.0.to_ne_bytes());
            VIPS_LINK_LOCAL
        }
        None => VIPS,
    };
    to.request(kind, false, |list| skeleton::elements(list, table, set, &[(&key, None)]));
}

fn redirection(kind: Kind, table: &str, link: IfIndex, base: IfIndex, to: &mut Writer<'_>) {
    let (link, base) = (link.0.to_ne_bytes(), base.0.to_ne_bytes());
    to.request(kind, false, |list| skeleton::elements(list, table, VMAC_MAP, &[(&link, Some(&base))]));
    if to.family == Family::Inet6 {
        to.request(kind, false, |list| skeleton::elements(list, table, VMAC_SET, &[(&link, None)]));
    }
}
