//! Who we are, and whose language we speak.

/// The release of keepalived whose configuration, command line and behaviour are taken over.
pub(crate) const KEEPALIVED: &str = "2.4.3";
/// Our own version.
pub(crate) const OURS: &str = env!("CARGO_PKG_VERSION");

/// What `-v` prints. Exporters read the version from the first line and look for `Keepalived vX.Y.Z`.
pub(crate) fn banner() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let distribution = std::fs::read_to_string("/etc/os-release")
        .ok()
        .and_then(|text| {
            text.lines()
                .find_map(|line| line.strip_prefix("PRETTY_NAME="))
                .map(|name| name.trim_matches('"').to_owned())
        })
        .unwrap_or_else(|| "unknown".into());
    format!(
        "Keepalived v{KEEPALIVED} (rkeepalived v{OURS})\n\n\
         rkeepalived v{OURS}, a drop-in replacement for keepalived; MIT OR Apache-2.0\n\n\
         Running on Linux {}\n\
         Distro: {distribution}\n\n\
         Config options:  NFTABLES LVS VRRP VRRP_AUTH VRRP_VMAC JSON BFD OLD_CHKSUM_COMPAT INIT=systemd\n",
        kernel.trim(),
    )
}
