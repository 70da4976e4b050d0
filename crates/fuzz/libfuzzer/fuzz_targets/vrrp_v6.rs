//! `vrrp_v6`, guided by coverage.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| rkeepalived_fuzz::targets::vrrp_v6(octets));
