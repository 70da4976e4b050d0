//! Who held an address, and when: each host's addresses looked at every 10 ms by a thread in its network.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use crate::host::{Host, local_addresses};

/// Records the tenures of one address on a set of hosts.
pub struct Presence {
    tenures: Arc<Mutex<Vec<Tenure>>>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// A time during which a host held the address.
#[derive(Debug, Clone)]
pub struct Tenure {
    /// The holder.
    pub host: String,
    /// First look that found it.
    pub from: Instant,
    /// First look that did not find it any more; none while it lasts.
    pub until: Option<Instant>,
}

impl Presence {
    /// Starts to watch `address` on `hosts`.
    #[track_caller]
    pub fn watch<'a>(address: IpAddr, hosts: impl IntoIterator<Item = &'a Host>) -> Self {
        let tenures = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let threads =
            hosts.into_iter().map(|host| watch(address, host, Arc::clone(&tenures), Arc::clone(&stop))).collect();
        Self { tenures, stop, threads }
    }

    /// All tenures so far, by their beginning.
    pub fn tenures(&self) -> Vec<Tenure> {
        let mut tenures = self.tenures.lock().unwrap_or_else(PoisonError::into_inner).clone();
        tenures.sort_by_key(|tenure| tenure.from);
        tenures
    }

    /// The hosts that hold the address now.
    pub fn holders(&self) -> Vec<String> {
        self.tenures().into_iter().filter(|tenure| tenure.until.is_none()).map(|tenure| tenure.host).collect()
    }

    /// The longest time during which two hosts held the address at once.
    pub fn longest_overlap(&self) -> Duration {
        let tenures = self.tenures();
        let now = Instant::now();
        let mut longest = Duration::ZERO;
        for (index, first) in tenures.iter().enumerate() {
            for second in tenures.iter().skip(index + 1).filter(|second| second.host != first.host) {
                let from = first.from.max(second.from);
                let until = first.until.unwrap_or(now).min(second.until.unwrap_or(now));
                longest = longest.max(until.saturating_duration_since(from));
            }
        }
        longest
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

#[track_caller]
fn watch(address: IpAddr, host: &Host, tenures: Arc<Mutex<Vec<Tenure>>>, stop: Arc<AtomicBool>) -> JoinHandle<()> {
    let name = host.name().to_owned();
    host.in_network(move || {
        let mut held = false;
        while !stop.load(Ordering::Relaxed) {
            let holds = local_addresses().contains(&address);
            let now = Instant::now();
            if holds != held {
                let mut tenures = tenures.lock().unwrap_or_else(PoisonError::into_inner);
                if holds {
                    tenures.push(Tenure { host: name.clone(), from: now, until: None });
                } else if let Some(tenure) = tenures.iter_mut().rev().find(|tenure| tenure.host == name) {
                    tenure.until = Some(now);
                }
            }
            held = holds;
            sleep(Duration::from_millis(10));
        }
    })
}
