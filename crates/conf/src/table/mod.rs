//! The keyword table: the one truth about which words exist where, and what is said about them.
//!
//! The lowering asks it which keywords a block has; "did you mean", `explain`, the sections of the manual page and the table
//! of compatibility are made from it. A test compares it row by row with the reference list beside the tests.

mod explain;
mod row;
mod rows;
mod status;

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::OnceLock;

pub use explain::{compatibility_table, explain, man_section};
pub use row::{Area, Row};
pub use status::Status;

/// The keywords of one block.
#[derive(Debug)]
pub struct BlockWords {
    /// Path of the block: `virtual_server/real_server`.
    pub path: &'static str,
    words: HashMap<&'static str, Known, Quick>,
    order: Vec<&'static Row>,
}

impl BlockWords {
    /// The row of `keyword` in this block.
    pub fn get(&self, keyword: &str) -> Option<&'static Row> {
        self.words.get(keyword).map(|known| known.row)
    }

    /// The row of `keyword` with what may follow it.
    pub(crate) fn known(&self, keyword: &str) -> Option<Known> {
        self.words.get(keyword).copied()
    }

    /// The keywords, in the order of the manual.
    pub fn rows(&self) -> impl Iterator<Item = &'static Row> {
        self.order.iter().copied()
    }
}

/// A row with what its arguments say, worked out once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    pub(crate) row: &'static Row,
    pub(crate) takes_block: bool,
    pub(crate) takes_words: bool,
    pub(crate) needs_word: bool,
}

/// FNV-1a: the keys are a thousand short words that we chose, so nobody can make them collide.
#[derive(Debug, Clone, Copy)]
struct Fnv(u64);

type Quick = BuildHasherDefault<Fnv>;

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, octets: &[u8]) {
        for octet in octets {
            self.0 = (self.0 ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

struct Index {
    blocks: HashMap<&'static str, BlockWords, Quick>,
    order: Vec<&'static str>,
}

fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| {
        let mut blocks: HashMap<&'static str, BlockWords, Quick> = HashMap::default();
        let mut order = Vec::new();
        for section in rows::ALL.iter().copied().flatten() {
            for path in section.paths.iter().copied() {
                let block = blocks.entry(path).or_insert_with(|| {
                    order.push(path);
                    BlockWords { path, words: HashMap::default(), order: Vec::new() }
                });
                for row in section.rows {
                    let known = Known {
                        row,
                        takes_block: row.takes_block(),
                        takes_words: row.takes_words(),
                        needs_word: row.needs_word(),
                    };
                    block.words.insert(row.keyword, known);
                    block.order.push(row);
                }
            }
        }
        Index { blocks, order }
    })
}

/// The keywords of the block at `path`, where the language has such a block. `(top)` is the file itself.
pub fn block(path: &str) -> Option<&'static BlockWords> {
    index().blocks.get(path)
}

/// Every block, in the order of the manual.
pub fn blocks() -> impl Iterator<Item = &'static BlockWords> {
    let index = index();
    index.order.iter().filter_map(|path| index.blocks.get(path))
}

/// Every row with the path of a block in which it stands: as often as the word may stand somewhere.
pub fn rows() -> impl Iterator<Item = (&'static str, &'static Row)> {
    blocks().flat_map(|block| block.rows().map(|row| (block.path, row)))
}

/// The paths of the blocks that know `keyword`.
pub fn blocks_with(keyword: &str) -> Vec<&'static str> {
    blocks().filter(|block| block.get(keyword).is_some()).map(|block| block.path).collect()
}
