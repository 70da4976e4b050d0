//! What the daemon tells about itself, in the layouts that tools read: keepalived's statistics, JSON and state dumps.
//!
//! The brains offer views of themselves; this crate only writes them down, so it stands above them and they know nothing
//! of it. It opens no file: the program decides where a dump goes.

pub mod checker;
mod item;
mod json;
pub mod metrics;
mod statistics;
mod vrrp_data;

use vrrp::Routers;
use vrrp::view::InstanceView;

pub use json::json;
pub use statistics::statistics;
pub use vrrp_data::data;

/// One instance with everything that dumps show of it.
#[derive(Debug, Clone)]
pub struct Instance<'a> {
    /// What the brain knows.
    pub view: InstanceView<'a>,
    /// `virtual_ipaddress`.
    pub addresses: &'a [vip::Address],
    /// `virtual_ipaddress_excluded`.
    pub excluded: &'a [vip::Address],
    /// `virtual_routes`.
    pub routes: &'a [vip::Route],
    /// `virtual_rules`.
    pub rules: &'a [vip::Rule],
    /// Its scripts.
    pub scripts: &'a notify::VrrpScripts,
    /// `smtp_alert`.
    pub smtp_alert: bool,
    /// `no_accept`.
    pub no_accept: bool,
    /// `promote_secondaries`.
    pub promote_secondaries: bool,
}

/// Everything that the VRRP process's dumps show.
#[derive(Debug)]
pub struct Vrrp<'a> {
    /// The brain, for groups and trackers.
    pub routers: &'a Routers,
    /// Its instances, in the order of the configuration.
    pub instances: Vec<Instance<'a>>,
    /// Scripts of the sync groups, in the order of the configuration.
    pub groups: Vec<&'a notify::VrrpScripts>,
    /// `router_id`.
    pub router_id: &'a str,
    /// `json_version`.
    pub json_version: u8,
}

/// A command as dumps show it: each word in single quotes.
fn command(script: &notify::Script) -> String {
    let words: Vec<String> = script.words.iter().map(|word| format!("'{word}'")).collect();
    words.join(" ")
}
