//! The fuzz driver for the stable toolchain; see the library for how to call it.

use std::process::ExitCode;
use std::time::Duration;

use rkeepalived_fuzz::{Effort, TARGETS, Target, run};

const USAGE: &str = "usage: rkeepalived-fuzz [--seconds N] [--seed S] [--input FILE] [TARGET…]";

fn main() -> ExitCode {
    match Arguments::parse(std::env::args().skip(1)).and_then(Arguments::perform) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

struct Arguments {
    seconds: u64,
    seed: u64,
    input: Option<String>,
    targets: Vec<&'static Target>,
}

impl Arguments {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Self { seconds: 10, seed: 1, input: None, targets: Vec::new() };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value\n{USAGE}"));
            let number = |text: String| text.parse::<u64>().map_err(|_| format!("'{text}' is not a number\n{USAGE}"));
            match word.as_str() {
                "--seconds" => arguments.seconds = number(value()?)?,
                "--seed" => arguments.seed = number(value()?)?,
                "--input" => arguments.input = Some(value()?),
                name => arguments.targets.push(Target::named(name).ok_or_else(|| {
                    let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
                    format!("unknown target '{name}', there are: {}\n{USAGE}", names.join(" "))
                })?),
            }
        }
        if arguments.targets.is_empty() {
            arguments.targets = TARGETS.iter().collect();
        }
        Ok(arguments)
    }

    fn perform(self) -> Result<(), String> {
        if let Some(path) = self.input {
            let [target] = self.targets.as_slice() else { return Err(format!("--input needs one target\n{USAGE}")) };
            let octets = std::fs::read(&path).map_err(|error| format!("{path}: {error}"))?;
            (target.run)(&octets);
            println!("{}: {path} passes", target.name);
            return Ok(());
        }
        let share = Duration::from_secs(self.seconds) / self.targets.len().max(1) as u32;
        for target in self.targets {
            println!("{}: seed {}, {:.1} s", target.name, self.seed, share.as_secs_f32());
            let runs = run(target, self.seed, Effort::Time(share)).map_err(|failure| failure.to_string())?;
            println!("{}: {runs} inputs passed", target.name);
        }
        Ok(())
    }
}
