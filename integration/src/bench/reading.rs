//! `-t` on 110,000 lines.

use std::fmt::Write;

use super::{Figures, milliseconds, processor_time};
use crate::daemon::{Daemon, lab_directory};

pub(crate) fn run(daemon: Daemon) -> Figures {
    let path = lab_directory().join(format!("large-{}.conf", std::process::id()));
    let text = configuration();
    let lines = text.lines().count();
    if std::fs::write(&path, text).is_err() {
        return Figures::new();
    }
    let program = daemon.program().display().to_string();
    let result = processor_time::of_run(&[&program, "-t", "-f", &path.display().to_string()]);
    let _ = std::fs::remove_file(&path);
    let (time, memory) = result.unwrap_or_default();
    let name: &'static str =
        if lines == 110_000 { "-t on 110,000 lines: processor time" } else { "-t: processor time" };
    vec![(name, milliseconds(time)), ("-t on 110,000 lines: peak memory", format!("{:.1} MiB", memory as f64 / 1024.0))]
}

/// 5,000 virtual servers with four real servers each, 22 lines a service.
fn configuration() -> String {
    let mut text = String::new();
    for service in 0..5000 {
        let (high, low) = (service / 250, service % 250 + 1);
        let _ = write!(
            text,
            "virtual_server 10.{high}.{low}.1 80 {{\n lb_algo rr\n lb_kind NAT\n protocol TCP\n delay_loop 6\n"
        );
        for server in 1..=4 {
            let _ = write!(
                text,
                " real_server 10.{}.{low}.{server} 80 {{\n  weight 1\n  TCP_CHECK {{ }}\n }}\n",
                100 + high
            );
        }
        text += "}\n";
    }
    text
}
