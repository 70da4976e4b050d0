//! Takeover of a thousand addresses: from the first advert to all in the kernel and to all announced.

use std::collections::HashSet;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use nix::sys::socket::sockopt::{RcvBufForce, ReceiveTimeout};
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, setsockopt, socket,
};
use nix::sys::time::TimeVal;

use super::processor_time::PROCESS;
use super::{Figures, instance, milliseconds, processor_time};
use crate::daemon::Daemon;
use crate::host::Host;
use crate::lab::Lab;
use crate::node::Node;
use crate::wait::until;

const COUNT: usize = 1000;

pub(crate) fn run(daemon: Daemon) -> Figures {
    let lab = Lab::new();
    let mut a = Node::new(lab.host("a", "10.0.0.1/16"), daemon);
    let mut b = Node::new(lab.host("b", "10.0.0.2/16"), daemon);
    let capture = lab.capture();
    let first = "10.0.1.1/32";
    let others: String = (1..COUNT).map(|n| format!("  10.0.{}.{}/32\n", 1 + n / 250, n % 250 + 1)).collect();
    let text = |priority| instance(priority, "0.1", &format!(" virtual_ipaddress_excluded {{\n{others} }}"), first);
    let limit = Duration::from_secs(60);
    a.start_on(&text(150));
    until("a holds all", limit, || (a.host().addresses().len() > COUNT).then_some(()));
    b.start_on(&text(100));
    b.wait_for_log("Entering BACKUP STATE");
    let added = AddedAddresses::watch(b.host());
    let name = PROCESS;
    let before = processor_time::of_daemon(b.host(), name);
    lab.partition(a.host());
    let start = until("b announces itself", limit, || capture.adverts_of("b").first().map(|advert| advert.at));
    let kernel = until("all are in the kernel", limit, || added.times().get(COUNT - 1).copied());
    let mut announced = SystemTime::UNIX_EPOCH;
    until("all are announced", limit, || {
        let mut seen = HashSet::new();
        let frames = capture.frames();
        let arps = frames.iter().filter(|frame| frame.from == "b").filter_map(|frame| frame.arp());
        for arp in arps.filter(|arp| arp.is_gratuitous()) {
            if seen.insert(arp.sender) {
                announced = arp.at;
            }
        }
        (seen.len() >= COUNT).then_some(())
    });
    let cost = processor_time::of_daemon(b.host(), name).saturating_sub(before);
    let after = |time: SystemTime| milliseconds(time.duration_since(start).unwrap_or_default());
    vec![
        ("1,000 addresses: first advert to all in the kernel", after(kernel)),
        ("1,000 addresses: first advert to all announced", after(announced)),
        ("1,000 addresses: processor time until then", milliseconds(cost)),
    ]
}

/// Times at which the kernel told of new addresses.
struct AddedAddresses {
    times: Arc<Mutex<Vec<SystemTime>>>,
    stop: Arc<AtomicBool>,
}

impl AddedAddresses {
    fn watch(host: &Host) -> Self {
        let times = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (told, ended) = (Arc::clone(&times), Arc::clone(&stop));
        let listening = Arc::new(AtomicBool::new(false));
        let ready = Arc::clone(&listening);
        host.in_network(move || {
            let Ok(socket) =
                socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkRoute)
            else {
                return;
            };
            // RTMGRP_IPV4_IFADDR
            let _ = bind(socket.as_raw_fd(), &NetlinkAddr::new(0, 0x10));
            let _ = setsockopt(&socket, RcvBufForce, &(4 << 20));
            let _ = setsockopt(&socket, ReceiveTimeout, &TimeVal::new(0, 50_000));
            ready.store(true, Ordering::Release);
            let mut buffer = vec![0; 65536];
            while !ended.load(Ordering::Relaxed) {
                let Ok(length) = recv(socket.as_raw_fd(), &mut buffer, MsgFlags::empty()) else { continue };
                let now = SystemTime::now();
                let count = new_addresses(buffer.get(..length).unwrap_or_default());
                told.lock().unwrap_or_else(PoisonError::into_inner).extend(std::iter::repeat_n(now, count));
            }
        });
        until("the kernel is listened to", Duration::from_secs(5), || listening.load(Ordering::Acquire).then_some(()));
        Self { times, stop }
    }

    fn times(&self) -> Vec<SystemTime> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for AddedAddresses {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Number of `RTM_NEWADDR` messages in what one read gave.
fn new_addresses(mut bytes: &[u8]) -> usize {
    const RTM_NEWADDR: u16 = 20;
    let mut count = 0;
    while let (Some(length), Some(kind)) = (bytes.first_chunk::<4>(), bytes.get(4..6)) {
        count += usize::from(kind == RTM_NEWADDR.to_ne_bytes());
        let length = (u32::from_ne_bytes(*length) as usize).next_multiple_of(4).max(16);
        bytes = bytes.get(length..).unwrap_or_default();
    }
    count
}
