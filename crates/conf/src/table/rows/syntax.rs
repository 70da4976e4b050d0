//! Comments, quoting, definitions, conditions and repetition.

use super::super::row::{Area::*, Section, row};
#[allow(unused_imports)]
use super::super::status::*;

/// Rows in the order of the manual; a section whose words stand in several blocks names them all.
#[rustfmt::skip]
pub(super) const SECTIONS: &[Section] = &[
    Section {
        paths: &["(syntax)"],
        rows: &[
            row("#", "rest of line", "-", "2.2.7", Parser, HONOURED, "preprocessing", "Comment to end of line anywhere outside double quotes"),
            row("!", "rest of line", "-", "2.2.7", Parser, HONOURED, "preprocessing", "Comment to end of line anywhere outside double quotes; same as #"),
            row("\\# \\!", "inside a line", "-", "2.2.7", Parser, HONOURED, "preprocessing", "Backslash keeps a literal comment character instead of starting a comment"),
            row("\"…\"", "quoted word", "-", "2.2.7", Parser, HONOURED, "preprocessing", "Double quotes group words; no escapes inside, except for script-type (quoted) keywords"),
            row("'…' and \\ in script lines", "script words", "-", "2.2.7", Parser, HONOURED, "preprocessing", "Script keywords re-tokenise the line with single quotes, double quotes and backslash escapes (\\a \\b \\E \\f \\n \\r \\t \\v \\xHH \\ooo \\cX)"),
            row("{ }", "braces", "-", "2.2.7", Parser, HONOURED, "preprocessing", "Open/close block; may share a line with other text; surplus or missing ones are counted and reported"),
            row("line", "at most 1024 bytes", "-", "2.2.7", Parser, HONOURED, "preprocessing::line", "Longer lines are reported and ignored; NUL bytes cause the line to be ignored"),
            row("BOOL", "true|on|yes|false|off|no", "true when the argument is absent", "2.2.7", Parser, HONOURED, "preprocessing::bool", "Boolean argument type used by most switch keywords"),
            row("TIMER", "decimal seconds, up to 6 fraction digits", "-", "2.2.7", Parser, HONOURED, "preprocessing::timer", "Time argument type; surplus fraction digits are rounded with a warning"),
            row("@ID", "text …", "-", "2.2.7", Parser, HONOURED, "preprocessing", "Line is used only when the config id (-i option, else host name without domain) equals ID"),
            row("@^ID", "text …", "-", "2.2.7", Parser, HONOURED, "preprocessing", "Line is used only when the config id differs from ID"),
            row("$NAME=", "VALUE (rest of line)", "-", "2.2.7", Parser, HONOURED, "preprocessing", "Define/override a substitution; name is letter or underscore then alphanumerics; no blank before ="),
            row("$NAME= … \\", "VALUE ending in backslash, continued lines", "-", "2.2.7", Parser, HONOURED, "preprocessing", "Multi-line definition; each continued line ends with backslash and is replayed as its own line"),
            row("$NAME", "use", "-", "2.2.7", Parser, HONOURED, "preprocessing", "Replace by definition; must be followed by blank, comma, ) or line end; multi-line ones only at line end"),
            row("${NAME}", "use", "-", "2.2.7", Parser, HONOURED, "preprocessing", "Delimited form of substitution, usable in the middle of a word"),
            row("$_PWD", "none", "-", "2.2.7", Parser, HONOURED, "preprocessing", "Built-in: directory of the file being read"),
            row("$_INSTANCE", "none", "-", "2.2.7", Parser, HONOURED, "preprocessing", "Built-in: the config id"),
            row("${_RANDOM}", "[MIN] [MAX]", "0 32767", "2.2.7", Parser, HONOURED, "preprocessing", "Built-in: random integer in the range; seed with random_seed"),
            row("${_ENV}", "NAME", "-", "2.4.0", Parser, HONOURED, "preprocessing", "Built-in: value of an environment variable"),
            row("$_HASH", "none", "#", "2.2.7", Parser, HONOURED, "preprocessing", "Built-in: literal hash sign"),
            row("$_BANG", "none", "!", "2.2.7", Parser, HONOURED, "preprocessing", "Built-in: literal exclamation mark"),
            row("~SEQ", "(VAR, [START,] [STEP,] END) text", "START 1, STEP ±1", "2.2.7", Parser, HONOURED, "preprocessing", "Repeat text with $VAR taking each integer of the sequence; non-negative values, any base"),
            row("~SEQx", "(VAR, [START,] [STEP,] END) text", "START 1, STEP ±1", "2.2.7", Parser, HONOURED, "preprocessing", "As ~SEQ but $VAR is printed in hexadecimal"),
            row("~LST", "(VAR, V1, V2, …) text or ({A,B},{1,2},…) text", "-", "2.2.7", Parser, HONOURED, "preprocessing", "Repeat text for each value or tuple of values; missing members become blank, surplus is an error"),
        ],
    },
];
