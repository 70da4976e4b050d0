//! What is asked of the kernel.

use super::attribute::Writer;
use super::{FAMILY_NAME, FAMILY_VERSION, GENERIC_HEADER_LENGTH, NETLINK_HEADER_LENGTH, daemon, destination, service};
use crate::{Daemon, DaemonRole, Operation, ServiceKey, Timeouts};

const ATTRIBUTE_SERVICE: u16 = 1;
const ATTRIBUTE_DESTINATION: u16 = 2;
const ATTRIBUTE_DAEMON: u16 = 3;
const ATTRIBUTE_TIMEOUT_TCP: u16 = 4;
const ATTRIBUTE_TIMEOUT_TCP_FIN: u16 = 5;
const ATTRIBUTE_TIMEOUT_UDP: u16 = 6;

const NEW_SERVICE: u8 = 1;
const SET_SERVICE: u8 = 2;
const DEL_SERVICE: u8 = 3;
const GET_SERVICE: u8 = 4;
const NEW_DEST: u8 = 5;
const SET_DEST: u8 = 6;
const DEL_DEST: u8 = 7;
const GET_DEST: u8 = 8;
const NEW_DAEMON: u8 = 9;
const DEL_DAEMON: u8 = 10;
const GET_DAEMON: u8 = 11;
const SET_CONFIG: u8 = 12;
const GET_CONFIG: u8 = 13;
const GET_INFO: u8 = 15;
const ZERO: u8 = 16;
const FLUSH: u8 = 17;

/// `NLM_F_REQUEST`.
const FLAG_REQUEST: u16 = 1;
/// `NLM_F_ACK`.
const FLAG_ACK: u16 = 4;
/// `NLM_F_DUMP`.
const FLAG_DUMP: u16 = 0x300;

/// One request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request<'a> {
    /// Change the table.
    Change(&'a Operation),
    /// Tell all services.
    Services,
    /// Tell the destinations of a service.
    Destinations(ServiceKey),
    /// Tell the timeouts.
    Timeouts,
    /// Set the timeouts.
    SetTimeouts(Timeouts),
    /// Tell the synchronisation daemons.
    Daemons,
    /// Start one.
    StartDaemon(&'a Daemon),
    /// Stop one.
    StopDaemon(DaemonRole),
    /// Tell version and size.
    Info,
    /// Set the counters of all services to zero.
    Zero,
    /// Set the counters of one service to zero.
    ZeroService(ServiceKey),
}

/// How the kernel is to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestFlags {
    /// Only when it refuses (or with what was asked for).
    Quiet,
    /// In any case.
    Acknowledge,
    /// With as many messages as there are entries.
    Dump,
}

/// Appends `request` to `buffer` as a netlink message to the family with number `family`.
pub fn emit_request(buffer: &mut Vec<u8>, request: Request<'_>, family: u16, flags: RequestFlags, sequence: u32) {
    let start = begin(buffer, family, flags, sequence, command(&request));
    let mut out = Writer::new(buffer);
    match request {
        Request::Change(operation) => emit_operation(&mut out, operation),
        Request::Destinations(key) | Request::ZeroService(key) => {
            out.nest(ATTRIBUTE_SERVICE, |out| service::emit_key(out, &key));
        }
        Request::SetTimeouts(timeouts) => {
            out.u32(ATTRIBUTE_TIMEOUT_TCP, timeouts.tcp);
            out.u32(ATTRIBUTE_TIMEOUT_TCP_FIN, timeouts.tcp_fin);
            out.u32(ATTRIBUTE_TIMEOUT_UDP, timeouts.udp);
        }
        Request::StartDaemon(daemon) => out.nest(ATTRIBUTE_DAEMON, |out| daemon::emit(out, daemon)),
        Request::StopDaemon(role) => out.nest(ATTRIBUTE_DAEMON, |out| daemon::emit_role(out, role)),
        Request::Services | Request::Timeouts | Request::Daemons | Request::Info | Request::Zero => {}
    }
    finish(buffer, start);
}

/// Appends the question for the family's number, to the controller of generic netlink (number 16).
pub fn emit_family_request(buffer: &mut Vec<u8>, sequence: u32) {
    let start = begin(buffer, 16, RequestFlags::Acknowledge, sequence, 3);
    Writer::new(buffer).text(2, FAMILY_NAME);
    finish(buffer, start);
}

fn command(request: &Request<'_>) -> u8 {
    match request {
        Request::Change(operation) => match operation {
            Operation::Flush => FLUSH,
            Operation::AddService { .. } => NEW_SERVICE,
            Operation::EditService { .. } => SET_SERVICE,
            Operation::DeleteService { .. } => DEL_SERVICE,
            Operation::AddDestination { .. } => NEW_DEST,
            Operation::EditDestination { .. } => SET_DEST,
            Operation::DeleteDestination { .. } => DEL_DEST,
        },
        Request::Services => GET_SERVICE,
        Request::Destinations(_) => GET_DEST,
        Request::Timeouts => GET_CONFIG,
        Request::SetTimeouts(_) => SET_CONFIG,
        Request::Daemons => GET_DAEMON,
        Request::StartDaemon(_) => NEW_DAEMON,
        Request::StopDaemon(_) => DEL_DAEMON,
        Request::Info => GET_INFO,
        Request::Zero | Request::ZeroService(_) => ZERO,
    }
}

fn emit_operation(out: &mut Writer<'_>, operation: &Operation) {
    match operation {
        Operation::Flush => {}
        Operation::AddService { key, service } | Operation::EditService { key, service } => {
            out.nest(ATTRIBUTE_SERVICE, |out| service::emit(out, key, service));
        }
        Operation::DeleteService { key } => out.nest(ATTRIBUTE_SERVICE, |out| service::emit_key(out, key)),
        Operation::AddDestination { service, key, destination }
        | Operation::EditDestination { service, key, destination } => {
            out.nest(ATTRIBUTE_SERVICE, |out| service::emit_key(out, service));
            out.nest(ATTRIBUTE_DESTINATION, |out| destination::emit(out, key, destination));
        }
        Operation::DeleteDestination { service, key } => {
            out.nest(ATTRIBUTE_SERVICE, |out| service::emit_key(out, service));
            out.nest(ATTRIBUTE_DESTINATION, |out| destination::emit_key(out, key));
        }
    }
}

fn begin(buffer: &mut Vec<u8>, family: u16, flags: RequestFlags, sequence: u32, command: u8) -> usize {
    let start = buffer.len();
    let flags = match flags {
        RequestFlags::Quiet => FLAG_REQUEST,
        RequestFlags::Acknowledge => FLAG_REQUEST | FLAG_ACK,
        RequestFlags::Dump => FLAG_REQUEST | FLAG_DUMP,
    };
    buffer.extend_from_slice(&0u32.to_ne_bytes());
    buffer.extend_from_slice(&family.to_ne_bytes());
    buffer.extend_from_slice(&flags.to_ne_bytes());
    buffer.extend_from_slice(&sequence.to_ne_bytes());
    buffer.extend_from_slice(&0u32.to_ne_bytes());
    buffer.extend_from_slice(&[command, FAMILY_VERSION, 0, 0]);
    debug_assert_eq!(buffer.len() - start, NETLINK_HEADER_LENGTH + GENERIC_HEADER_LENGTH);
    start
}

fn finish(buffer: &mut [u8], start: usize) {
    let length = (buffer.len() - start) as u32;
    buffer[start..start + 4].copy_from_slice(&length.to_ne_bytes());
}
