//! From files to the tree: includes, conditions, definitions, repetitions.
//!
//! The order in which a line is worked on, as observed: its comment goes; `$NAME=` makes a definition; a definition that starts the
//! line is replaced; `@ID` decides whether the line is used; `~SEQ` and `~LST` repeat the rest of it; `include` reads files;
//! what remains is replaced and split into words. What follows a brace on the same line is worked on as a line of its own.

mod definitions;
pub mod fuzz;
mod glob;
mod include;
mod loader;
mod random;
mod reader;
mod repetition;
#[cfg(test)]
mod tests;

pub use glob::{alternatives, matches};
pub(crate) use include::is_include;
pub use loader::{LoadError, Loader, Memory};

use crate::diagnostic::Diagnostics;
use crate::tree::Tree;

/// What the text is read with.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `-i`; else the host name without its domain. Compared with `@ID` lines and the value of `$_INSTANCE`.
    pub config_id: String,
    /// Seed of `${_RANDOM}` unless the file sets `random_seed`.
    pub random_seed: u64,
    /// `-e`: every include check holds from the start.
    pub all_checks: bool,
    /// How much one configuration may grow to.
    pub limits: Limits,
}

/// Bounds against files that would never end. All are far beyond what people write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Octets of all files and all made text together.
    pub text: u32,
    /// Octets of one line before and after replacement. keepalived ignores lines of more than 1024.
    pub line: u32,
    /// Files read.
    pub files: u32,
    /// Lines that definitions and repetitions may make.
    pub made_lines: u32,
    /// Includes within includes.
    pub include_depth: u32,
    /// Blocks within blocks.
    pub block_depth: u32,
    /// Definitions and repetitions within each other.
    pub expansion_depth: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            text: 512 << 20,
            line: 64 << 10,
            files: 65_536,
            made_lines: 8_000_000,
            include_depth: 64,
            block_depth: 256,
            expansion_depth: 64,
        }
    }
}

/// Read a file, or the files that a pattern matches, and all they include into a tree.
///
/// Never fails: what cannot be read is told in the diagnostics (code `no-configuration` if it was the first file) and the rest is read on.
pub fn read(path: &str, options: &Options, loader: &mut dyn Loader) -> (Tree, Diagnostics) {
    reader::Reader::new(options, loader).read(path)
}
