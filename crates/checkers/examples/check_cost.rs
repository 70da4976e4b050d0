//! What a check costs: runs many against one server and tells the processor time of each.
//!
//! `check_cost tcp|http ADDRESS:PORT COUNT`. Beside it, `strace -c` counts the system calls.

use std::net::SocketAddr;
use std::time::Duration;

use lvs::{Endpoint, HttpConfig, HttpVersion, ProbeConfig, UrlConfig};
use rkeepalived_checkers::{Context, probe};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, address, count] = arguments.as_slice() else { return Err("tcp|http ADDRESS:PORT COUNT".into()) };
    let (destination, count): (SocketAddr, u32) = (address.parse()?, count.parse()?);
    let endpoint = Endpoint {
        destination,
        bind_address: None,
        bind_port: None,
        bind_interface: None,
        mark: types::FwMark(0),
        timeout: Duration::from_secs(5),
    };
    let url = UrlConfig {
        path: "/".into(),
        host: None,
        digest: None,
        status: vec![(200, 299)],
        regex: None,
        tls_compliant: false,
    };
    let config = match kind.as_str() {
        "tcp" => ProbeConfig::Tcp(endpoint),
        _ => ProbeConfig::Http(HttpConfig {
            endpoint,
            tls: kind == "https",
            version: HttpVersion::Http10,
            sni: None,
            fast_recovery: false,
            tls_compliant: false,
            urls: vec![url],
        }),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let succeeded = runtime.block_on(async {
        let context = Context::default();
        let mut succeeded = 0;
        for _ in 0..count {
            let report = probe(&config, 0, &context).await;
            succeeded += u32::from(report.is_some_and(|report| report.outcome == lvs::Outcome::Success));
        }
        succeeded
    });
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF)?;
    let microseconds = |time: nix::sys::time::TimeVal| time.tv_sec() * 1_000_000 + time.tv_usec();
    let used = microseconds(usage.user_time()) + microseconds(usage.system_time());
    println!("{succeeded} of {count} succeeded, {} us of processor time each", used / i64::from(count.max(1)));
    Ok(())
}
