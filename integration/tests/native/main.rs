//! VRRP scenarios, native: every one runs on theirs and on ours.
#![cfg(test)]

mod addresses;
mod bfd;
mod classic;
mod differences;
mod election;
mod firewall;
mod holdings;
mod instance;
mod limits;
mod mixed;
mod processes;
mod reload;
mod takeover;
mod tracked_processes;
mod tracking;
mod virtual_links;
mod wire;
