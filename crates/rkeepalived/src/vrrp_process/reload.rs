//! A new configuration: instances that stay keep their state, and only what differs is touched.

use net::monitor::Monitor;

use super::{Process, clocks, holdings, listening_for, tracked_paths};
use crate::logging::{error, info};
use crate::notifier::Writer;
use crate::sampling::Sampler;
use crate::setup::{Part, Setup};
use crate::watched_files::WatchedFiles;

impl Process {
    pub(super) fn reload(&mut self, setup: Setup) {
        let Setup { global, part: Part::Vrrp { part, sync_daemon, .. }, options } = setup else { return };
        info!("Reloading");
        let mut operations = Vec::new();
        let some_to_come = self.keeper.expect_links(&holdings::config(&part), &mut operations);
        self.apply(operations);
        if some_to_come && let Err(refused) = self.await_virtual_links() {
            error!("{refused}");
        }
        let (now, utc) = clocks();
        let mut actions = Vec::new();
        let reconfigured = self.routers.reconfigure(now, utc, part.brain.clone(), &mut actions);
        // Removals speak of the old numbers, everything after them of the new ones.
        self.perform(reconfigured.removals);
        self.scripts.renumber(&reconfigured.scripts);
        self.notifier.reconfigure(Writer::Vrrp, &global, options.starts_fifo_reader);
        self.global = global;
        self.part = part;
        self.options = options;
        let held = holdings::config(&self.part);
        self.listen_for(&held);
        let mut operations = Vec::new();
        let consequences = self.keeper.reload(held, &mut operations);
        self.apply(operations);
        match WatchedFiles::new(tracked_paths(&self.part)) {
            Ok(files) => self.files = files,
            Err(refused) => error!("track files are no longer watched: {refused}"),
        }
        self.init_files();
        self.processes.reconfigure(&self.part.brain.processes, self.global.netlink_buffers[4]);
        self.sync_daemon.reconfigure(sync_daemon, &self.part, &self.routers);
        self.perform(actions);
        self.hear(consequences);
        self.read_files();
        self.count_processes();
        for refused in self.sockets.reconcile(&self.routers.sockets()) {
            error!("{refused}");
        }
        self.news = true;
        self.sampler = Sampler::new(&self.global);
        if self.global.fifo_write_states_on_reload {
            self.changes.write_states(&self.routers, &mut self.notifier);
        }
        info!("Reload finished in {} usec", sys::clock::now().since(now).as_micros());
    }

    /// Routes and rules are listened to only where some are held, because hosts with a million routes change many of them
    /// a second; a reload may bring the first ones.
    pub(super) fn listen_for(&mut self, held: &vip::Config) {
        let options = listening_for(held, &self.global);
        if options == self.listening_for {
            return;
        }
        match Monitor::open(options.clone()) {
            Ok(monitor) => {
                self.monitor = monitor;
                self.listening_for = options;
                if let Err(refused) = self.observe(true) {
                    error!("{refused}");
                }
            }
            Err(refused) => error!("changes of routes and rules by others are not noticed: {refused}"),
        }
    }
}
