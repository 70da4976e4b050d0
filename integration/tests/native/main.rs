//! VRRP scenarios, native: every one runs on theirs and on ours.
#![cfg(test)]

mod addresses;
mod classic;
mod differences;
mod election;
mod instance;
mod mixed;
mod processes;
mod reload;
mod takeover;
mod tracked_processes;
mod tracking;
mod wire;
