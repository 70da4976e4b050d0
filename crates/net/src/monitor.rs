//! What the kernel tells of interfaces, addresses, routes and rules.
//!
//! Only the kernel is believed: any process may send to a netlink socket, so messages from a port other than 0 are passed over and counted. Messages that
//! did not fit the buffer (an overrun) are made good by a whole dump.

use std::io;
use std::os::fd::AsFd;

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use sys::Watched;
use vip::Observation;

use crate::decode;
use crate::netlink::{HEADER, NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_ERROR, READ, each_message, refusal};

/// Receive buffer where the configuration says nothing: some thousand address messages.
const RECEIVE_BUFFER: u32 = 2 << 20;
/// Datagrams read by one [`Monitor::drain`]: what is left wakes the loop again.
const DATAGRAMS: usize = 512;
/// Dumps that changed underneath are taken again this often.
const DUMP_TRIES: usize = 5;

const RTNLGRP_LINK: u32 = 1;
const RTNLGRP_IPV4_IFADDR: u32 = 5;
const RTNLGRP_IPV4_ROUTE: u32 = 7;
const RTNLGRP_IPV4_RULE: u32 = 8;
const RTNLGRP_IPV6_IFADDR: u32 = 9;
const RTNLGRP_IPV6_ROUTE: u32 = 11;
const RTNLGRP_IPV6_RULE: u32 = 19;

/// What to listen to. A router may have a million routes that are none of our business: where no route is configured none is listened to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonitorOptions {
    /// Whether routes matter.
    pub routes: bool,
    /// Whether policy rules matter.
    pub rules: bool,
    /// RTPROT_ numbers of the routes and rules that matter: 18, and those that the configuration names.
    pub protocols: Vec<u8>,
    /// Receive buffer in octets (`vrrp_netlink_monitor_rcv_bufs`); `None` for enough.
    pub receive_buffer: Option<u32>,
}

impl MonitorOptions {
    /// What this configuration needs.
    pub fn of(config: &vip::Config) -> Self {
        let holdings = || config.instances.iter().chain([&config.statics]);
        let routes = holdings().flat_map(|holdings| &holdings.routes).map(|route| route.protocol);
        let rules = holdings().flat_map(|holdings| &holdings.rules).map(|rule| rule.protocol);
        let mut protocols: Vec<u8> = routes.chain(rules).chain([vip::operation::PROTOCOL_KEEPALIVED]).collect();
        protocols.sort_unstable();
        protocols.dedup();
        Self {
            routes: holdings().any(|holdings| !holdings.routes.is_empty()),
            rules: holdings().any(|holdings| !holdings.rules.is_empty()),
            protocols,
            receive_buffer: None,
        }
    }
}

/// What the monitor has seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MonitorStatistics {
    /// Times that messages were lost and everything was dumped anew.
    pub overruns: u64,
    /// Messages that did not come from the kernel.
    pub foreign: u64,
}

/// The monitor's socket.
#[derive(Debug)]
pub struct Monitor {
    socket: Socket,
    watched: Watched,
    options: MonitorOptions,
    read: Vec<u8>,
    statistics: MonitorStatistics,
}

impl Monitor {
    /// Subscribes. Must be called inside a runtime. [`Monitor::dump`] comes next, so that nothing falls in between.
    pub fn open(options: MonitorOptions) -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        socket.set_non_blocking(true)?;
        sys::socket_option::set_receive_buffer(socket.as_fd(), options.receive_buffer.unwrap_or(RECEIVE_BUFFER))?;
        let links = [RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR];
        let routes = [RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE];
        let rules = [RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE];
        let routes = routes.into_iter().filter(|_| options.routes);
        let rules = rules.into_iter().filter(|_| options.rules);
        for group in links.into_iter().chain(routes).chain(rules) {
            socket.add_membership(group)?;
        }
        let watched = Watched::readable_only(socket.as_fd().try_clone_to_owned()?)?;
        Ok(Self { socket, watched, options, read: vec![0; READ], statistics: MonitorStatistics::default() })
    }

    /// Returns when the kernel has told something. Cancelling loses nothing.
    pub async fn readable(&self) -> io::Result<()> {
        self.watched.readable().await
    }

    /// Hands over what was told, in order. After an overrun a whole dump is handed over, between [`Observation::DumpBegins`] and
    /// [`Observation::DumpEnds`].
    pub fn drain(&mut self, mut each: impl FnMut(Observation)) -> io::Result<()> {
        for _ in 0..DATAGRAMS {
            let mut rest = &mut self.read[..];
            let (length, from) = match self.socket.recv_from(&mut rest, 0) {
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {
                    self.statistics.overruns += 1;
                    // What still waits is older than the dump will be.
                    self.discard()?;
                    self.dump(&mut each)?;
                    continue;
                }
                Err(error) => return Err(error),
            };
            if from.port_number() != 0 {
                self.statistics.foreign += 1;
                continue;
            }
            each_message(&self.read[..length.min(READ)], |message| {
                let observed = decode::observation(message.message_type(), message.payload(), &self.options.protocols);
                observed.into_iter().for_each(&mut each);
            });
        }
        Ok(())
    }

    fn discard(&mut self) -> io::Result<()> {
        loop {
            let mut rest = &mut self.read[..];
            match self.socket.recv_from(&mut rest, 0) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Hands over everything that stands, between [`Observation::DumpBegins`] and [`Observation::DumpEnds`]. A thousand addresses take about a
    /// millisecond.
    ///
    /// Messages that arrive meanwhile are told afterwards by [`Monitor::drain`]; hearing something twice changes nothing.
    pub fn dump(&mut self, mut each: impl FnMut(Observation)) -> io::Result<()> {
        let mut dumper = Dumper::open()?;
        each(Observation::DumpBegins);
        let protocols = self.options.protocols.clone();
        let mut take = |request: DumpRequest| dumper.dump(request, &protocols, &mut self.read, &mut each);
        take(DumpRequest { kind: decode::RTM_GETLINK, header: vec![0; 16] })?;
        take(DumpRequest { kind: decode::RTM_GETADDR, header: vec![0; 8] })?;
        if self.options.rules {
            for family in [libc::AF_INET, libc::AF_INET6] {
                let mut header = vec![0; 12];
                header[0] = family as u8;
                take(DumpRequest { kind: decode::RTM_GETRULE, header })?;
            }
        }
        if self.options.routes {
            // The kernel filters by protocol, one at a time.
            for family in [libc::AF_INET, libc::AF_INET6] {
                for protocol in &protocols {
                    let mut header = vec![0; 12];
                    (header[0], header[5]) = (family as u8, *protocol);
                    take(DumpRequest { kind: decode::RTM_GETROUTE, header })?;
                }
            }
        }
        each(Observation::DumpEnds);
        Ok(())
    }

    /// What has been seen so far.
    pub fn statistics(&self) -> MonitorStatistics {
        self.statistics
    }
}

/// RTM_GET… and the header after netlink's own.
struct DumpRequest {
    kind: u16,
    header: Vec<u8>,
}

/// A socket for dumps alone, so that they do not mix with what the kernel tells by itself.
struct Dumper {
    socket: Socket,
    sequence: u32,
}

impl Dumper {
    fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        // Older kernels do not know strict checking; they dump everything, and the decoder filters.
        let _ = socket.set_netlink_get_strict_chk(true);
        Ok(Self { socket, sequence: 0 })
    }

    fn dump(
        &mut self,
        request: DumpRequest,
        protocols: &[u8],
        read: &mut [u8],
        each: &mut impl FnMut(Observation),
    ) -> io::Result<()> {
        for _ in 0..DUMP_TRIES {
            if self.dump_once(&request, protocols, read, each)? {
                break;
            }
        }
        Ok(())
    }

    /// Whether the dump is consistent.
    fn dump_once(
        &mut self,
        request: &DumpRequest,
        protocols: &[u8],
        read: &mut [u8],
        each: &mut impl FnMut(Observation),
    ) -> io::Result<bool> {
        self.sequence += 1;
        let mut message = Vec::with_capacity(HEADER + request.header.len());
        message.extend(((HEADER + request.header.len()) as u32).to_ne_bytes());
        message.extend(request.kind.to_ne_bytes());
        message.extend((NLM_F_REQUEST | NLM_F_DUMP).to_ne_bytes());
        message.extend(self.sequence.to_ne_bytes());
        message.extend(0u32.to_ne_bytes());
        message.extend(&request.header);
        self.socket.send(&message, 0)?;
        let (mut done, mut consistent, mut failure) = (false, true, None);
        while !done {
            // The kernel answers a dump while it is read: this does not wait for anybody else.
            let mut rest = &mut read[..];
            let length = match self.socket.recv(&mut rest, 0) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                received => received?,
            };
            if length == 0 {
                break;
            }
            each_message(&read[..length.min(READ)], |message| {
                consistent &= message.flags() & NLM_F_DUMP_INTR == 0;
                match message.message_type() {
                    NLMSG_DONE => done = true,
                    NLMSG_ERROR => {
                        done = true;
                        failure = refusal(message.flags(), message.payload());
                    }
                    kind => {
                        decode::observation(kind, message.payload(), protocols).into_iter().for_each(&mut *each);
                    }
                }
            });
        }
        match failure {
            // A family that this kernel lacks has nothing to tell.
            Some(refused) if ![libc::EOPNOTSUPP, libc::EAFNOSUPPORT].contains(&refused.errno) => {
                Err(io::Error::from_raw_os_error(refused.errno))
            }
            _ => Ok(consistent),
        }
    }
}
