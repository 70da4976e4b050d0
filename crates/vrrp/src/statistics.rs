//! Counters of one instance, named as keepalived's JSON names them.

/// What one instance counted since it began or since [`Routers::clear_statistics`](crate::Routers::clear_statistics).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Valid adverts received.
    pub advert_rcvd: u64,
    /// Adverts sent, those of priority 0 included.
    pub advert_sent: u64,
    /// Times it became master.
    pub become_master: u64,
    /// Times it ceased to be master.
    pub release_master: u64,
    /// Length was wrong.
    pub packet_len_err: u64,
    /// v2: interval differs from ours; v3: interval 0.
    pub advert_interval_err: u64,
    /// TTL or hop limit was not 255.
    pub ip_ttl_err: u64,
    /// Type was not advertisement.
    pub invalid_type_rcvd: u64,
    /// Addresses, or the cast type, differ.
    pub addr_list_err: u64,
    /// Authentication type unknown.
    pub invalid_authtype: u64,
    /// Authentication type is not ours.
    pub authtype_mismatch: u64,
    /// Password, check value or sequence was wrong.
    pub auth_failure: u64,
    /// `auth_hmac`: no trailer.
    pub auth_ext_missing: u64,
    /// `auth_hmac`: malformed trailer.
    pub auth_ext_malformed: u64,
    /// `auth_hmac`: key id not ours.
    pub auth_ext_unknown_key: u64,
    /// `auth_hmac`: digest differs.
    pub auth_ext_invalid_hmac: u64,
    /// `auth_hmac`: outside the time window.
    pub auth_ext_stale: u64,
    /// `auth_hmac`: seen before.
    pub auth_ext_replay: u64,
    /// Adverts of priority 0 received.
    pub pri_zero_rcvd: u64,
    /// Adverts of priority 0 sent.
    pub pri_zero_sent: u64,
}

/// What belongs to no single instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GlobalStatistics {
    /// Checksum was wrong (SNMP `vrrpRouterChecksumErrors`).
    pub checksum_err: u64,
    /// Version was wrong (SNMP `vrrpRouterVersionErrors`).
    pub version_err: u64,
    /// VRID of no instance of ours (SNMP `vrrpRouterVrIdErrors`).
    pub vrid_err: u64,
}
