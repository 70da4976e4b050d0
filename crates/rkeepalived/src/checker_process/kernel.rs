//! The checker process's hold on IPVS. A kernel without it is told once, with the remedy, and asked again from time to
//! time; checks, scripts and everything else go on meanwhile (keepalived stops the whole daemon).

use std::time::Duration;

use ipvs::{Daemon, Operation, Table, Timeouts};
use net::ipvs::{Ipvs, Refusal};
use types::Instant;

use crate::logging::{error, info};

/// How often a missing IPVS is looked for.
const RETRY: Duration = Duration::from_secs(30);

/// IPVS, if there is one.
#[derive(Debug)]
pub(super) struct Kernel {
    ipvs: Option<Ipvs>,
    next_try: Option<Instant>,
    former_timeouts: Option<Timeouts>,
    keep_table: bool,
}

impl Kernel {
    /// Opens it, loading the module if need be.
    pub(super) fn open() -> Self {
        let mut kernel = Self { ipvs: None, next_try: None, former_timeouts: None, keep_table: false };
        match Ipvs::open() {
            Ok(ipvs) => kernel.ipvs = Some(ipvs),
            Err(refused) => {
                error!("{refused}");
                error!(
                    "virtual servers are checked but not programmed until the kernel offers IPVS: load it with `modprobe ip_vs` \
                     (it is looked for every {} s)",
                    RETRY.as_secs()
                );
                kernel.next_try = Some(sys::clock::now() + RETRY);
            }
        }
        kernel
    }

    /// When to look for a missing IPVS again.
    pub(super) fn next_try(&self) -> Option<Instant> {
        self.next_try
    }

    /// Looks for a missing IPVS when it is time; true when it was found.
    pub(super) fn try_again(&mut self, now: Instant) -> bool {
        if self.next_try.is_none_or(|at| at > now) {
            return false;
        }
        match Ipvs::open() {
            Ok(ipvs) => {
                info!("the kernel offers IPVS now");
                self.ipvs = Some(ipvs);
                self.next_try = None;
                true
            }
            Err(_) => {
                self.next_try = Some(now + RETRY);
                false
            }
        }
    }

    /// `-I`: the table stays as it is from now on.
    pub(super) fn keep_table(&mut self, keep: bool) {
        self.keep_table = keep;
    }

    /// What stands.
    pub(super) fn read_table(&mut self) -> Option<Table> {
        match self.ipvs.as_mut()?.read_table() {
            Ok(table) => Some(table),
            Err(refused) => {
                error!("{refused}");
                None
            }
        }
    }

    /// Changes the table; what is refused is told one by one and handed back.
    pub(super) fn apply(&mut self, operations: &[Operation]) -> Vec<Refusal> {
        if self.keep_table {
            return Vec::new();
        }
        let Some(ipvs) = &mut self.ipvs else { return Vec::new() };
        match ipvs.apply(operations) {
            Ok(refusals) => {
                for refusal in refusals.iter().take(50) {
                    error!("{refusal}");
                }
                if refusals.len() > 50 {
                    error!("and {} more IPVS commands were refused", refusals.len() - 50);
                }
                refusals
            }
            Err(refused) => {
                error!("{refused}");
                Vec::new()
            }
        }
    }

    /// `lvs_timeouts`.
    pub(super) fn set_timeouts(&mut self, timeouts: Timeouts) {
        let Some(ipvs) = &mut self.ipvs else { return };
        if self.former_timeouts.is_none() {
            self.former_timeouts = ipvs.timeouts().ok();
        }
        if let Err(refused) = ipvs.set_timeouts(timeouts) {
            error!("lvs_timeouts: {refused}");
        }
    }

    /// What stood before `lvs_timeouts`.
    pub(super) fn restore_timeouts(&mut self) {
        if let (Some(ipvs), Some(timeouts)) = (&mut self.ipvs, self.former_timeouts.take())
            && let Err(refused) = ipvs.set_timeouts(timeouts)
        {
            error!("lvs_timeouts: {refused}");
        }
    }

    /// Runs these synchronisation daemons and no others.
    pub(super) fn run_daemons(&mut self, wanted: &[Daemon]) {
        let Some(ipvs) = &mut self.ipvs else { return };
        let standing = ipvs.daemons().unwrap_or_default();
        for daemon in standing.iter().filter(|running| !wanted.iter().any(|daemon| daemon.is_met_by(running))) {
            if let Err(refused) = ipvs.stop_daemon(daemon.role) {
                error!("{refused}");
            }
        }
        for daemon in wanted.iter().filter(|daemon| !standing.iter().any(|running| daemon.is_met_by(running))) {
            if let Err(refused) = ipvs.start_daemon(daemon) {
                error!("{refused}");
            }
        }
    }
}
