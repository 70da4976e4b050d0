//! Lines into words: the grammar that needs no knowledge of keywords.
//!
//! Words are separated by blanks and by double quotes: `a"b c"d` is three words (observed). `{` and `}` separate words and stand
//! alone, also in the middle of one. A comment runs from `#` or `!` to the end of the line; a backslash before either takes it literally.
//! Two things keepalived refuses are understood, because nobody could have meant anything else: `\"` inside double quotes does not
//! close them, and braces inside `'…'` are text.

mod script;
mod split;

pub use script::{Command, ScriptWord, script_words, split_command};
pub(crate) use split::{Token, Tokens, comment_marks, comment_start, is_blank, word_end};
