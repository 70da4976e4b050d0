//! `keepalived.stats`.

use std::fmt::Write as _;

use crate::Vrrp;

/// The text of SIGUSR2, in the layout of keepalived 2.4.
pub fn statistics(vrrp: &Vrrp<'_>) -> String {
    let mut text = String::new();
    for instance in &vrrp.instances {
        let counted = instance.view.statistics;
        // Writing into a string cannot fail.
        let _ = write!(
            text,
            "VRRP Instance: {}\n  Advertisements:\n    Received: {}\n    Sent: {}\n  Became master: {}\n  \
             Released master: {}\n  Packet Errors:\n    Length: {}\n    TTL: {}\n    Invalid Type: {}\n    \
             Advertisement Interval: {}\n    Address List: {}\n  Authentication Errors:\n    Invalid Type: {}\n    \
             Type Mismatch: {}\n    Failure: {}\n  Authentication Extension Errors:\n    Missing: {}\n    \
             Malformed: {}\n    Unknown Key: {}\n    Invalid HMAC: {}\n    Stale: {}\n    Replay: {}\n  \
             Priority Zero:\n    Received: {}\n    Sent: {}\n",
            instance.view.config.name,
            counted.advert_rcvd,
            counted.advert_sent,
            counted.become_master,
            counted.release_master,
            counted.packet_len_err,
            counted.ip_ttl_err,
            counted.invalid_type_rcvd,
            counted.advert_interval_err,
            counted.addr_list_err,
            counted.invalid_authtype,
            counted.authtype_mismatch,
            counted.auth_failure,
            counted.auth_ext_missing,
            counted.auth_ext_malformed,
            counted.auth_ext_unknown_key,
            counted.auth_ext_invalid_hmac,
            counted.auth_ext_stale,
            counted.auth_ext_replay,
            counted.pri_zero_rcvd,
            counted.pri_zero_sent,
        );
    }
    text
}
