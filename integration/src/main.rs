//! The lab's program: the init of each host, the benchmarks, and a broom.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["init", name] => match integration::init::run(name) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("init of host {name}: {error}");
                ExitCode::FAILURE
            }
        },
        ["bench", names @ ..] => integration::bench::run(names),
        ["uml", program, rest @ ..] => ExitCode::from(integration::uml::run_inside(program, rest)),
        ["leash", program, rest @ ..] => ExitCode::from(integration::uml::run_leashed(program, rest)),
        ["prepare"] => {
            integration::systemd::prepare();
            ExitCode::SUCCESS
        }
        ["clean"] => {
            integration::init::clean();
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("usage: integration bench [NAME…] | uml PROGRAM [ARGUMENT…] | prepare | clean");
            ExitCode::from(2)
        }
    }
}
