//! The targets: one function for each way in.

mod bfd;
mod checkers;
mod conf;
mod ipvs;
mod routers;
mod vrrp;

pub use self::bfd::{bfd, bfd_session};
pub use self::checkers::{datagram_reply, http_reply, smtp_reply};
pub use self::conf::{conf_command, conf_file};
pub use self::ipvs::ipvs_reply;
pub use self::routers::vrrp_routers;
pub use self::vrrp::{vrrp_header, vrrp_hmac, vrrp_v2, vrrp_v3, vrrp_v6};

/// A function that must not panic, and where to start.
#[derive(Debug)]
pub struct Target {
    /// Its name, also that of its directory in `corpus/`.
    pub name: &'static str,
    /// The function.
    pub run: fn(&[u8]),
    /// Inputs made by the code under test itself.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Words to put in (texts only).
    pub words: fn() -> Vec<&'static str>,
}

impl Target {
    /// The target of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.name == name)
    }
}

/// All targets.
pub static TARGETS: &[Target] = &[
    Target { name: "vrrp_v2", run: vrrp_v2, seeds: vrrp::seeds_v2, words: none },
    Target { name: "vrrp_v3", run: vrrp_v3, seeds: vrrp::seeds_v3, words: none },
    Target { name: "vrrp_v6", run: vrrp_v6, seeds: vrrp::seeds_v6, words: none },
    Target { name: "vrrp_header", run: vrrp_header, seeds: vrrp::seeds_header, words: none },
    Target { name: "vrrp_hmac", run: vrrp_hmac, seeds: vrrp::seeds_hmac, words: none },
    Target { name: "vrrp_routers", run: vrrp_routers, seeds: routers::seeds, words: none },
    Target { name: "bfd", run: bfd, seeds: bfd::seeds, words: none },
    Target { name: "bfd_session", run: bfd_session, seeds: bfd::conversations, words: none },
    Target { name: "ipvs_reply", run: ipvs_reply, seeds: ipvs::seeds, words: none },
    Target { name: "http_reply", run: http_reply, seeds: checkers::http_seeds, words: checkers::http_words },
    Target { name: "smtp_reply", run: smtp_reply, seeds: checkers::smtp_seeds, words: none },
    Target { name: "datagram_reply", run: datagram_reply, seeds: checkers::datagram_seeds, words: none },
    Target { name: "conf_file", run: conf_file, seeds: no_seeds, words: conf::keywords },
    Target { name: "conf_command", run: conf_command, seeds: no_seeds, words: none },
];

fn none() -> Vec<&'static str> {
    Vec::new()
}

fn no_seeds() -> Vec<Vec<u8>> {
    Vec::new()
}
