//! Lines into words.

mod script;

pub use script::{ScriptWord, script_words};
