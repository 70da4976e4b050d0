//! The kernel's IPVS table, by generic netlink: reads it, changes it in batches, and decides nothing.
//!
//! The kernel answers within the system call that asks, so the socket is used synchronously. Changes leave 128 at a time in one system call, and only refusals are answered
//! (plus one acknowledgement for each batch): two system calls for 128 servers.

mod error;
mod module;

use std::io;

use ipvs::codec::{self, Reply, Request, RequestFlags};
use ipvs::{Daemon, DaemonRole, Info, Operation, ServiceEntry, ServiceKey, ServiceListing, Table, Timeouts};
use netlink_sys::Socket;
use netlink_sys::protocols::NETLINK_GENERIC;
use types::Family;

pub use error::{IpvsError, Refusal, errno_text};

/// Changes that leave in one system call. Were all of them refused, the refusals would still fit into the socket's default receive buffer.
const BATCH: usize = 128;
/// Octets that one `recv` takes: the kernel's dumps come in pieces of at most 32 KiB.
const RECEIVE: usize = 64 * 1024;

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_MULTI: u16 = 2;

/// A socket to the kernel's IPVS.
#[derive(Debug)]
pub struct Ipvs {
    socket: Socket,
    family: u16,
    sequence: u32,
    outgoing: Vec<u8>,
    incoming: Vec<u8>,
}

/// One netlink message of an answer.
struct Message<'a> {
    kind: u16,
    flags: u16,
    sequence: u32,
    payload: &'a [u8],
}

impl Ipvs {
    /// Opens the socket and finds the family, loading the module `ip_vs` if need be. [`IpvsError::Missing`] may be tried again later: an administrator may load the module.
    pub fn open() -> Result<Self, IpvsError> {
        let wrap = |doing| move |source| IpvsError::Io { doing, source };
        let socket = Socket::new(NETLINK_GENERIC).map_err(wrap("opening a generic netlink socket"))?;
        // refusals need not carry the request back; kernels that cannot leave it out are understood as well
        let _ = socket.set_cap_ack(true);
        let _ = socket.set_rx_buf_sz(1 << 20);
        let mut ipvs =
            Self { socket, family: 0, sequence: 0, outgoing: Vec::new(), incoming: Vec::with_capacity(RECEIVE) };
        let family = match ipvs.find_family()? {
            Some(family) => Some(family),
            None => {
                let modprobe = module::load();
                match ipvs.find_family()? {
                    Some(family) => Some(family),
                    None => return Err(IpvsError::Missing { modprobe }),
                }
            }
        };
        ipvs.family = family.unwrap_or_default();
        Ok(ipvs)
    }

    /// What stands: services and destinations, these in the order in which they were added.
    pub fn read_table(&mut self) -> Result<Table, IpvsError> {
        let entries = self.list()?.into_iter().map(|listing| {
            let destinations = listing.destinations.into_iter().rev().map(|d| (d.key, d.destination)).collect();
            (listing.key, ServiceEntry { service: listing.service, destinations })
        });
        Ok(Table { services: entries.collect() })
    }

    /// What stands, with counters; services in the kernel's order, destinations from the last added to the first.
    pub fn list(&mut self) -> Result<Vec<ServiceListing>, IpvsError> {
        let mut services = Vec::new();
        self.ask("services", Request::Services, RequestFlags::Dump, Family::Inet, |reply| {
            if let Reply::Service(key, service, statistics) = reply {
                services.push(ServiceListing { key, service, statistics, destinations: Vec::new() });
            }
        })?;
        for listing in &mut services {
            let key = listing.key;
            let asked =
                self.ask("destinations", Request::Destinations(key), RequestFlags::Dump, key.family(), |reply| {
                    if let Reply::Destination(destination) = reply {
                        listing.destinations.push(destination);
                    }
                });
            match asked {
                // the service went away between the two questions
                Err(IpvsError::Io { source, .. }) if gone(&source) => {}
                asked => asked?,
            }
        }
        Ok(services)
    }

    /// Performs `operations` in their order, many in one system call, and tells which ones the kernel refused; the others are done.
    ///
    /// Adding what exists edits it, editing what does not exist adds it, and deleting what does not exist is done already: none of these is a refusal. Where a service is refused,
    /// its destinations are not reported as well.
    pub fn apply(&mut self, operations: &[Operation]) -> Result<Vec<Refusal>, IpvsError> {
        let mut refusals = self.send_batches(operations)?;
        let mut again: Vec<(usize, Operation)> = Vec::new();
        refusals.retain(|refusal| match settle(&refusal.operation, refusal.errno) {
            Settled::Done => false,
            Settled::Instead(operation) => {
                again.push((refusal.index, operation));
                false
            }
            Settled::Refused => true,
        });
        if !again.is_empty() {
            let (indices, second): (Vec<usize>, Vec<Operation>) = again.into_iter().unzip();
            for refusal in self.send_batches(&second)? {
                let index = indices[refusal.index];
                refusals.push(Refusal { index, ..refusal });
            }
            refusals.sort_by_key(|refusal| refusal.index);
        }
        let services: Vec<ServiceKey> = refusals
            .iter()
            .filter(|refusal| matches!(refusal.operation, Operation::AddService { .. }))
            .filter_map(|refusal| refusal.operation.service())
            .collect();
        refusals.retain(|refusal| {
            let of_refused = refusal.operation.service().is_some_and(|service| services.contains(&service));
            let is_service = matches!(refusal.operation, Operation::AddService { .. });
            is_service || refusal.errno != libc::ESRCH || !of_refused
        });
        Ok(refusals)
    }

    /// Timeouts that hold.
    pub fn timeouts(&mut self) -> Result<Timeouts, IpvsError> {
        let mut found = Timeouts::default();
        self.ask("timeouts", Request::Timeouts, RequestFlags::Acknowledge, Family::Inet, |reply| {
            if let Reply::Timeouts(timeouts) = reply {
                found = timeouts;
            }
        })?;
        Ok(found)
    }

    /// Sets timeouts; 0 leaves a value.
    pub fn set_timeouts(&mut self, timeouts: Timeouts) -> Result<(), IpvsError> {
        self.tell("setting timeouts", Request::SetTimeouts(timeouts))
    }

    /// Synchronisation daemons that run.
    pub fn daemons(&mut self) -> Result<Vec<Daemon>, IpvsError> {
        let mut daemons = Vec::new();
        self.ask("synchronisation daemons", Request::Daemons, RequestFlags::Dump, Family::Inet, |reply| {
            if let Reply::Daemon(daemon) = reply {
                daemons.push(daemon);
            }
        })?;
        Ok(daemons)
    }

    /// Starts a synchronisation daemon.
    pub fn start_daemon(&mut self, daemon: &Daemon) -> Result<(), IpvsError> {
        self.tell("starting the synchronisation daemon", Request::StartDaemon(daemon))
    }

    /// Stops a synchronisation daemon; one that does not run is no error.
    pub fn stop_daemon(&mut self, role: DaemonRole) -> Result<(), IpvsError> {
        match self.tell("stopping the synchronisation daemon", Request::StopDaemon(role)) {
            Err(IpvsError::Io { source, .. }) if gone(&source) => Ok(()),
            answer => answer,
        }
    }

    /// Sets the counters of one service, or of every service, to zero.
    pub fn zero(&mut self, service: Option<ServiceKey>) -> Result<(), IpvsError> {
        self.tell("setting counters to zero", service.map_or(Request::Zero, Request::ZeroService))
    }

    /// Version of the kernel's IPVS.
    pub fn info(&mut self) -> Result<Info, IpvsError> {
        let mut found = Info { version: (0, 0, 0), connection_table_size: 0 };
        self.ask("version", Request::Info, RequestFlags::Acknowledge, Family::Inet, |reply| {
            if let Reply::Info(info) = reply {
                found = info;
            }
        })?;
        Ok(found)
    }

    fn tell(&mut self, doing: &'static str, request: Request<'_>) -> Result<(), IpvsError> {
        self.ask(doing, request, RequestFlags::Acknowledge, Family::Inet, |_| {})
    }

    /// Sends one request and hands over the messages of its answer.
    fn ask(
        &mut self,
        doing: &'static str,
        request: Request<'_>,
        flags: RequestFlags,
        family: Family,
        mut take: impl FnMut(Reply),
    ) -> Result<(), IpvsError> {
        self.outgoing.clear();
        let sequence = self.next_sequence();
        codec::emit_request(&mut self.outgoing, request, self.family, flags, sequence);
        self.send(doing)?;
        let mut wrong = None;
        self.receive(doing, |message| {
            if message.sequence != sequence {
                return Ok(false);
            }
            match message.kind {
                NLMSG_ERROR => error_of(message.payload).map_or(Ok(true), Err),
                // the number in NLMSG_DONE is an error of the dump itself
                NLMSG_DONE => error_of(message.payload).map_or(Ok(true), Err),
                _ => {
                    match codec::parse_reply(message.payload, family) {
                        Ok(reply) => take(reply),
                        Err(error) => wrong = Some(error),
                    }
                    Ok(false)
                }
            }
        })?;
        match wrong {
            Some(error) => Err(IpvsError::Garbled { reading: doing, detail: error.to_string() }),
            None => Ok(()),
        }
    }

    /// The number of the family; none where the kernel does not know it.
    fn find_family(&mut self) -> Result<Option<u16>, IpvsError> {
        let doing = "asking for the IPVS family";
        self.outgoing.clear();
        let sequence = self.next_sequence();
        codec::emit_family_request(&mut self.outgoing, sequence);
        self.send(doing)?;
        let mut found = None;
        let answer = self.receive(doing, |message| {
            if message.sequence != sequence {
                return Ok(false);
            }
            if message.kind == NLMSG_ERROR {
                return error_of(message.payload).map_or(Ok(true), Err);
            }
            found = codec::parse_family_id(message.payload).ok();
            Ok(message.flags & NLM_F_MULTI != 0 && message.kind == NLMSG_DONE)
        });
        match answer {
            Err(IpvsError::Io { source, .. }) if source.raw_os_error() == Some(libc::ENOENT) => Ok(None),
            answer => answer.map(|()| found),
        }
    }

    /// Sends all operations; refusals come back in order.
    fn send_batches(&mut self, operations: &[Operation]) -> Result<Vec<Refusal>, IpvsError> {
        let doing = "changing the table";
        let mut refusals = Vec::new();
        for (number, batch) in operations.chunks(BATCH).enumerate() {
            self.outgoing.clear();
            let first = self.sequence.wrapping_add(1);
            for (index, operation) in batch.iter().enumerate() {
                let flags = if index + 1 == batch.len() { RequestFlags::Acknowledge } else { RequestFlags::Quiet };
                let sequence = self.next_sequence();
                codec::emit_request(&mut self.outgoing, Request::Change(operation), self.family, flags, sequence);
            }
            let last = self.sequence;
            self.send(doing)?;
            self.receive(doing, |message| {
                let position = message.sequence.wrapping_sub(first) as usize;
                if message.kind != NLMSG_ERROR || position >= batch.len() {
                    return Ok(false);
                }
                if let Some(error) = error_of(message.payload) {
                    refusals.push(Refusal {
                        index: number * BATCH + position,
                        operation: batch[position].clone(),
                        errno: error.raw_os_error().unwrap_or_default(),
                    });
                }
                Ok(message.sequence == last)
            })?;
        }
        Ok(refusals)
    }

    fn send(&mut self, doing: &'static str) -> Result<(), IpvsError> {
        loop {
            match self.socket.send(&self.outgoing, 0) {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(IpvsError::Io { doing, source }),
            }
        }
    }

    /// Receives until `handle` says that the answer is complete or has failed.
    fn receive(
        &mut self,
        doing: &'static str,
        mut handle: impl FnMut(Message<'_>) -> Result<bool, io::Error>,
    ) -> Result<(), IpvsError> {
        let wrap = |source| IpvsError::Io { doing, source };
        loop {
            self.incoming.clear();
            self.incoming.reserve(RECEIVE);
            match self.socket.recv(&mut self.incoming, 0) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => return Err(wrap(source)),
            }
            let mut rest: &[u8] = &self.incoming;
            let mut complete = false;
            while let Some((message, after)) = split_message(rest) {
                complete |= handle(message).map_err(wrap)?;
                rest = after;
            }
            if complete {
                return Ok(());
            }
        }
    }

    fn next_sequence(&mut self) -> u32 {
        self.sequence = self.sequence.wrapping_add(1);
        self.sequence
    }
}

/// What becomes of an operation that the kernel did not perform.
enum Settled {
    /// It was done already.
    Done,
    /// This is to be done instead.
    Instead(Operation),
    /// It is refused.
    Refused,
}

fn settle(operation: &Operation, errno: i32) -> Settled {
    match (operation.clone(), errno) {
        (Operation::AddService { key, service }, libc::EEXIST) => {
            Settled::Instead(Operation::EditService { key, service })
        }
        (Operation::EditService { key, service }, libc::ESRCH) => {
            Settled::Instead(Operation::AddService { key, service })
        }
        (Operation::AddDestination { service, key, destination }, libc::EEXIST) => {
            Settled::Instead(Operation::EditDestination { service, key, destination })
        }
        (Operation::EditDestination { service, key, destination }, libc::ENOENT) => {
            Settled::Instead(Operation::AddDestination { service, key, destination })
        }
        (Operation::DeleteService { .. } | Operation::DeleteDestination { .. }, libc::ENOENT | libc::ESRCH) => {
            Settled::Done
        }
        _ => Settled::Refused,
    }
}

/// "No such service" (ESRCH, ENOENT), as an answer that means that it has gone.
fn gone(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ESRCH | libc::ENOENT))
}

/// The first message in `octets` and what follows it; none when nothing whole is left.
fn split_message(octets: &[u8]) -> Option<(Message<'_>, &[u8])> {
    let header: &[u8; codec::NETLINK_HEADER_LENGTH] = octets.get(..codec::NETLINK_HEADER_LENGTH)?.try_into().ok()?;
    let [l0, l1, l2, l3, k0, k1, f0, f1, s0, s1, s2, s3, ..] = *header;
    let length = u32::from_ne_bytes([l0, l1, l2, l3]) as usize;
    let payload = octets.get(codec::NETLINK_HEADER_LENGTH..length)?;
    let after = octets.get(length.next_multiple_of(4)..).unwrap_or_default();
    let message = Message {
        kind: u16::from_ne_bytes([k0, k1]),
        flags: u16::from_ne_bytes([f0, f1]),
        sequence: u32::from_ne_bytes([s0, s1, s2, s3]),
        payload,
    };
    Some((message, after))
}

/// The error in NLMSG_ERROR or NLMSG_DONE; none for an acknowledgement.
fn error_of(payload: &[u8]) -> Option<io::Error> {
    let number = payload.get(..4)?.try_into().map(i32::from_ne_bytes).ok()?;
    (number < 0).then(|| io::Error::from_raw_os_error(-number))
}
