//! `vrrp_v3`, guided by coverage.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| rkeepalived_fuzz::targets::vrrp_v3(octets));
