//! The keyword table: the one truth about which words exist where, and what is said about them.
//!
//! The lowering asks it which keywords a block has; "did you mean", `explain`, the sections of the manual page and the table
//! of compatibility are made from it. A test compares it row by row with the reference list beside the tests.

mod explain;
mod row;
mod rows;
mod status;

use std::collections::HashMap;
use std::sync::OnceLock;

pub use explain::{compatibility_table, explain, man_section};
pub use row::{Area, Row};
pub use status::Status;

/// The keywords of one block.
#[derive(Debug)]
pub struct BlockWords {
    /// Path of the block: `virtual_server/real_server`.
    pub path: &'static str,
    words: HashMap<&'static str, &'static Row>,
    order: Vec<&'static Row>,
}

impl BlockWords {
    /// The row of `keyword` in this block.
    pub fn get(&self, keyword: &str) -> Option<&'static Row> {
        self.words.get(keyword).copied()
    }

    /// The keywords, in the order of the manual.
    pub fn rows(&self) -> impl Iterator<Item = &'static Row> {
        self.order.iter().copied()
    }
}

struct Index {
    blocks: HashMap<&'static str, BlockWords>,
    order: Vec<&'static str>,
}

fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| {
        let mut blocks: HashMap<&'static str, BlockWords> = HashMap::new();
        let mut order = Vec::new();
        for section in rows::ALL.iter().copied().flatten() {
            for path in section.paths.iter().copied() {
                let block = blocks.entry(path).or_insert_with(|| {
                    order.push(path);
                    BlockWords { path, words: HashMap::new(), order: Vec::new() }
                });
                for row in section.rows {
                    block.words.insert(row.keyword, row);
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
