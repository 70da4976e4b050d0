//! Runs a target over mutated inputs and keeps the input that broke it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::mutate::Mutator;
use crate::targets::Target;

/// An input that takes longer than this has hung the target.
const HANG: Duration = Duration::from_secs(20);

/// How long to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// So many inputs.
    Inputs(u64),
    /// So long.
    Time(Duration),
}

/// An input broke a target.
#[derive(Debug)]
pub struct Failure {
    /// Which target.
    pub target: &'static str,
    /// Seed of the run.
    pub seed: u64,
    /// Where the input was written; the error if it could not be.
    pub input: std::io::Result<PathBuf>,
    /// What the panic said.
    pub message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, seed, input, message } = self;
        writeln!(f, "{target}: an input broke it (seed {seed}): {message}")?;
        match input {
            Ok(path) => write!(f, "try again: cargo run -p rkeepalived-fuzz -- --input {} {target}", path.display()),
            Err(error) => write!(f, "the input could not be written: {error}"),
        }
    }
}

impl std::error::Error for Failure {}

/// Gives `target` its corpus as it is, then mutations of it. Returns how many inputs passed.
pub fn run(target: &'static Target, seed: u64, effort: Effort) -> Result<u64, Failure> {
    let (corpus, words) = (corpus(target), (target.words)());
    let watch = Watch::start(target, seed);
    let mut mutator = Mutator::new(seed);
    let start = Instant::now();
    let mut runs = 0;
    loop {
        let done = match effort {
            Effort::Inputs(inputs) => runs >= inputs.max(corpus.len() as u64),
            Effort::Time(time) => start.elapsed() >= time,
        };
        if done {
            return Ok(runs);
        }
        let input = match corpus.get(runs as usize) {
            Some(input) => input.clone(),
            None => mutator.input(&corpus, &words),
        };
        watch.begin(&input);
        let outcome = catch_unwind(AssertUnwindSafe(|| (target.run)(&input)));
        watch.end();
        if let Err(panic) = outcome {
            let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            let message = text.unwrap_or("panic without text").to_owned();
            return Err(Failure { target: target.name, seed, input: keep(target, &input), message });
        }
        runs += 1;
    }
}

/// The committed inputs of a target, in the order of their names, and those it makes itself.
fn corpus(target: &Target) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name);
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let mut corpus: Vec<Vec<u8>> = paths.iter().filter_map(|path| std::fs::read(path).ok()).collect();
    corpus.extend((target.seeds)());
    corpus.retain(|input| !input.is_empty());
    corpus
}

/// Writes an input into the directory for temporary files, named by what is in it.
fn keep(target: &Target, input: &[u8]) -> std::io::Result<PathBuf> {
    let name = input
        .iter()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, octet| (hash ^ u64::from(*octet)).wrapping_mul(0x0000_0100_0000_01b3));
    let path = std::env::temp_dir().join(format!("rkeepalived-fuzz-{}-{name:016x}", target.name));
    std::fs::write(&path, input)?;
    Ok(path)
}

/// Ends the process when one input takes too long: nothing else gets out of an endless loop.
#[derive(Debug, Clone)]
struct Watch(Arc<Mutex<Watched>>);

#[derive(Debug, Default)]
struct Watched {
    running: Option<(Instant, Vec<u8>)>,
}

impl Watch {
    fn start(target: &'static Target, seed: u64) -> Self {
        let watched = Arc::new(Mutex::new(Watched::default()));
        let weak = Arc::downgrade(&watched);
        std::thread::spawn(move || {
            while let Some(watched) = weak.upgrade() {
                let watched = watched.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some((_, input)) = watched.running.as_ref().filter(|(since, _)| since.elapsed() > HANG) {
                    let message = format!("no end after {} s", HANG.as_secs());
                    eprintln!("{}", Failure { target: target.name, seed, input: keep(target, input), message });
                    std::process::abort();
                }
                drop(watched);
                std::thread::sleep(Duration::from_millis(200));
            }
        });
        Self(watched)
    }

    fn begin(&self, input: &[u8]) {
        self.lock().running = Some((Instant::now(), input.to_vec()));
    }

    fn end(&self) {
        self.lock().running = None;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Watched> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::TARGETS;

    /// A few thousand inputs for each target in every test run; longer ones by hand.
    #[test]
    fn every_target_survives_its_corpus_and_some_mutations_of_it() {
        for target in TARGETS {
            if let Err(failure) = run(target, 1, Effort::Inputs(3_000)) {
                panic!("{failure}");
            }
        }
    }

    #[test]
    fn every_target_has_something_to_start_from() {
        for target in TARGETS {
            assert!(!corpus(target).is_empty(), "{}", target.name);
        }
    }
}
