//! The lab: the same scenario on Debian's keepalived and on rkeepalived, with real kernels, real wires and real clocks.
//!
//! ```text
//!   test process ── leash (a pipe) ──> init of host a   (own network, mounts, processes, host name)
//!        │                                 └── keepalived or rkeepalived, scripts …
//!        ├── leash ──> init of host b …
//!        └── leash ──> init of the switch: one bridge per segment, one port per plugged cable
//! ```
//!
//! A host lives as long as its leash: when the test ends, panics or is killed, the pipe closes, the host's init leaves, and the kernel
//! takes every process, interface and mount of that host with it. Nothing has a name outside, so any number of labs run side by side
//! and none can leave anything behind.
//!
//! What the lab refuses to do: it decides nothing about VRRP or IPVS and shares no code with the crates that it tests; its packet
//! parser is its own, so a mistake in ours cannot hide itself.
//!
//! A lab that cannot be built is a test that cannot run, so this library panics with the command that failed and what it printed.

mod answer;
pub mod bench;
mod capture;
mod daemon;
mod host;
pub mod init;
mod ipvs_table;
mod lab;
mod node;
mod notify;
mod ping;
mod presence;
pub mod systemd;
pub mod uml;
mod wait;

pub use answer::{Answer, HttpServer, NameServer, ask_tcp, ask_udp, hold_tcp, http_get, spread};
pub use capture::{Advert, Arp, Capture, Frame};
pub use daemon::{Daemon, helper_program, lab_directory, target_directory};
pub use host::Host;
pub use ipvs_table::{Destination, Service, ipvs_table};
pub use lab::Lab;
pub use node::Node;
pub use notify::Recorder;
pub use ping::Pinger;
pub use presence::{Presence, Tenure};
pub use wait::{remains, until};

/// Makes two tests of each scenario `fn(Daemon)`: `theirs::name` and `ours::name`.
#[macro_export]
macro_rules! on_theirs_and_ours {
    ($($(#[$attribute:meta])* $name:ident),+ $(,)?) => {
        mod theirs {
            $($(#[$attribute])* #[test] fn $name() { super::$name($crate::Daemon::Theirs); })+
        }
        mod ours {
            $($(#[$attribute])* #[test] fn $name() { super::$name($crate::Daemon::Ours); })+
        }
    };
}

/// Makes a test of each scenario `fn(Daemon, Daemon)` for both mixtures: the first argument is the one that is master at first.
#[macro_export]
macro_rules! on_mixed_pairs {
    ($($(#[$attribute:meta])* $name:ident),+ $(,)?) => {
        mod theirs_then_ours {
            $($(#[$attribute])* #[test] fn $name() { super::$name($crate::Daemon::Theirs, $crate::Daemon::Ours); })+
        }
        mod ours_then_theirs {
            $($(#[$attribute])* #[test] fn $name() { super::$name($crate::Daemon::Ours, $crate::Daemon::Theirs); })+
        }
    };
}
