//! `vrrp_v2`, guided by coverage.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| rkeepalived_fuzz::targets::vrrp_v2(octets));
