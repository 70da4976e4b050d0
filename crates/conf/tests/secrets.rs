//! Passwords and keys reach no message, in no format, however wrong their lines are.

#![allow(clippy::unwrap_used, reason = "a test")]

use rkeepalived_conf::diagnostic::Diagnostics;
use rkeepalived_conf::lower::{Described, Options};
use rkeepalived_conf::preprocess::Memory;
use rkeepalived_conf::render::{Format, render};

#[test]
fn no_format_of_the_diagnostics_shows_a_secret() {
    let secret = "hush4711secret";
    let text = format!(
        "vrrp_instance V {{\n interface eth0\n virtual_router_id 1\n authentication {{\n auth_type PASS\n auth_pass {secret}\n autp_pass {secret}\n}}\n\
         auth_hmac {{\n key 1 {secret}\n key 300 {secret}{secret}{secret}\n key 2 hex:{secret}\n}}\n virtual_ipaddress {{\n 10.0.0.1\n}}\n}}\n\
         SSL {{\n password {secret}\n password {secret}\n}}\n"
    );
    let outcome =
        rkeepalived_conf::parse("k", &Options::default(), &mut Memory::new().file("k", text), &Described::default());
    let found: &Diagnostics = &outcome.diagnostics;
    assert!(found.len() >= 5);
    for format in [Format::Human, Format::Lines, Format::Json, Format::Sarif] {
        let shown = render(format, found, outcome.sources());
        for line in shown.lines().filter(|line| line.contains(secret)) {
            // a misspelt keyword is nobody's secret to us: the line is shown as it stands
            assert!(line.contains("autp_pass"), "{format:?}: {line}");
        }
    }
}
