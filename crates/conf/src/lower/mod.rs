//! From the tree to the typed configuration: defaults filled in, inherited values worked out, names resolved, ranges proven.

mod address;
mod context;
mod everything;
mod global;
mod instance;
mod lint;
mod names;
mod route;
mod rule;
mod script;
mod sync_group;
mod system;
mod tracking;
mod value;
mod virtual_server;
mod words;

pub use system::{Described, Fact, KeyFile, NameTable, Offline, ScriptFile, ScriptState, System};

use context::Lower;

use crate::configuration::Configuration;
use crate::diagnostic::Diagnostics;
use crate::preprocess::{self, Loader};
use crate::source::Sources;
use crate::tree::Tree;

/// How a configuration is read.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// For reading the text: config id, seed of `${_RANDOM}`, include checks, limits.
    pub read: preprocess::Options,
}

/// What became of a configuration.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What it means; complete and usable even where parts were refused (those are as keepalived would have them).
    pub configuration: Configuration,
    /// What was found on the way, in order.
    pub diagnostics: Diagnostics,
    /// Texts and files, for rendering the diagnostics.
    pub tree: Tree,
    /// Keywords that were used and that the daemon does not honour yet, with the reason. At start each is logged loudly.
    pub not_yet: Vec<(&'static str, &'static str)>,
}

impl Outcome {
    /// The texts that the diagnostics point into.
    pub fn sources(&self) -> &Sources {
        self.tree.sources()
    }

    /// Exit status of `-t`: 0, 2, 4, 5 or 6 as keepalived's.
    pub fn exit_code(&self) -> u8 {
        self.diagnostics.exit_code()
    }
}

/// Read the file at `main_path` and everything it includes, and work out what it means. Never fails: see [`Outcome`].
pub fn parse(main_path: &str, options: &Options, loader: &mut dyn Loader, system: &dyn System) -> Outcome {
    let (tree, diagnostics) = preprocess::read(main_path, &options.read, loader);
    lower(tree, diagnostics, system)
}

/// Work out what a tree means; `diagnostics` are those of reading it.
pub fn lower(tree: Tree, diagnostics: Diagnostics, system: &dyn System) -> Outcome {
    let (configuration, diagnostics, not_yet) = {
        let mut lower = Lower::new(system, diagnostics);
        let configuration = lower.everything(&tree);
        (configuration, lower.found, lower.not_yet)
    };
    Outcome { configuration, diagnostics, tree, not_yet }
}
