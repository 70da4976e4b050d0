//! `vrrp_routers`, guided by coverage.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| rkeepalived_fuzz::targets::vrrp_routers(octets));
