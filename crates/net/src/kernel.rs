//! Performs operations: many in one system call, with an outcome for each.

use std::fs;
use std::io;
use std::ops::Range;

use netlink_packet_core::NLM_F_ACK;
use vip::{Operation, Outcome, Refusal};

use crate::encode;
use crate::firewall::Firewall;
use crate::netlink::{Channel, NLMSG_ERROR, refusal};

/// Octets of requests in one datagram: the kernel copies it whole, and the refusals must fit the receive buffer.
const DATAGRAM: usize = 16 << 10;
/// ENOBUFS.
const ENOBUFS: i32 = 105;

/// The kernel's hands. Needs CAP_NET_ADMIN to be of use.
#[derive(Debug)]
pub struct Kernel {
    route: Channel,
    firewall: Firewall,
}

impl Kernel {
    /// Opens the request socket.
    pub fn open() -> io::Result<Self> {
        Ok(Self { route: Channel::open(netlink_sys::protocols::NETLINK_ROUTE)?, firewall: Firewall::default() })
    }

    /// Performs `operations` in their order, each whether or not others fail, and returns what became of each, in the same order.
    ///
    /// Never waits but for the kernel's own work: a thousand addresses take some 10 ms.
    pub fn perform(&mut self, operations: &[Operation]) -> Vec<Outcome> {
        let mut outcomes = vec![Outcome::Done; operations.len()];
        let mut next = 0;
        while next < operations.len() {
            let run = run_of(operations, next);
            match &operations[next] {
                Operation::Sysctl { path, value } => outcomes[next] = set_sysctl(path, value),
                Operation::Firewall(_) => self.firewall.perform(&operations[run.clone()], &mut outcomes[run.clone()]),
                _ => self.perform_route(&operations[run.clone()], &mut outcomes[run.clone()]),
            }
            next = run.end;
        }
        outcomes
    }

    fn perform_route(&mut self, operations: &[Operation], outcomes: &mut [Outcome]) {
        let mut datagram = Vec::with_capacity(DATAGRAM.min(operations.len() * 96));
        // Sequence numbers of each operation's requests in this datagram.
        let mut waiting: Vec<(u32, usize)> = Vec::new();
        let mut last_flags = 0;
        for (place, operation) in operations.iter().enumerate() {
            for request in encode::requests(operation) {
                let sequence = self.route.next_sequence();
                last_flags = encode::append(request, sequence, &mut datagram);
                waiting.push((sequence, place));
            }
            if datagram.len() >= DATAGRAM {
                self.exchange(&mut datagram, last_flags, &mut waiting, outcomes);
            }
        }
        if !datagram.is_empty() {
            self.exchange(&mut datagram, last_flags, &mut waiting, outcomes);
        }
    }

    fn exchange(
        &mut self,
        datagram: &mut Vec<u8>,
        last_flags: usize,
        waiting: &mut Vec<(u32, usize)>,
        outcomes: &mut [Outcome],
    ) {
        let flags = u16::from_ne_bytes([datagram[last_flags], datagram[last_flags + 1]]) | NLM_F_ACK;
        datagram[last_flags..last_flags + 2].copy_from_slice(&flags.to_ne_bytes());
        let last = waiting.last().map_or(0, |(sequence, _)| *sequence);
        let mut complete = false;
        let exchanged = self.route.send(datagram).and_then(|()| {
            self.route.answers(|kind, flags, sequence, payload| {
                complete |= sequence == last;
                if kind != NLMSG_ERROR {
                    return;
                }
                let place = waiting.binary_search_by_key(&sequence, |(sequence, _)| *sequence);
                let place = place.ok().map(|found| waiting[found].1);
                if let Some((place, refused)) = place.zip(refusal(flags, payload)) {
                    outcomes[place] = Outcome::Refused(refused);
                }
            })
        });
        let failure = match exchanged {
            Ok(()) if complete => None,
            Ok(()) => Some(Refusal { errno: ENOBUFS, text: Some("the kernel did not answer".to_owned()) }),
            Err(error) => Some(refusal_of(&error)),
        };
        if let Some(failure) = failure {
            // Which of them were performed is unknown: none counts as done. The monitor tells the truth.
            for (_, place) in waiting.iter() {
                if outcomes[*place] == Outcome::Done {
                    outcomes[*place] = Outcome::Refused(failure.clone());
                }
            }
        }
        datagram.clear();
        waiting.clear();
    }
}

/// The longest run from `start` that one mechanism can perform together.
fn run_of(operations: &[Operation], start: usize) -> Range<usize> {
    let mechanism = |operation: &Operation| match operation {
        Operation::Sysctl { .. } => 0,
        Operation::Firewall(_) => 1,
        _ => 2,
    };
    let first = mechanism(&operations[start]);
    if first == 0 {
        return start..start + 1;
    }
    let length = operations[start..].iter().take_while(|operation| mechanism(operation) == first).count();
    start..start + length
}

/// Writes below /proc/sys; what was there before is the outcome.
///
/// A value that is right already is written too: only then does the kernel stop giving the interface each new value of `default`.
fn set_sysctl(path: &str, value: &str) -> Outcome {
    if path.split('/').any(|part| part == "..") || path.starts_with('/') {
        return Outcome::Refused(Refusal { errno: libc::EINVAL, text: Some("not a path below /proc/sys".to_owned()) });
    }
    let file = format!("/proc/sys/{path}");
    let set = || {
        let previous = fs::read_to_string(&file)?.trim().to_owned();
        fs::write(&file, value)?;
        Ok(previous)
    };
    set().map_or_else(|error: io::Error| Outcome::Refused(refusal_of(&error)), Outcome::Previous)
}

pub(crate) fn refusal_of(error: &io::Error) -> Refusal {
    Refusal { errno: error.raw_os_error().unwrap_or(libc::EIO), text: None }
}
