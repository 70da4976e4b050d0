//! What must hold for any octets: for the fuzzers and the property tests.

use super::{Limits, Memory, Options, read};
use crate::render::{Format, render, show};
use crate::source::{octets, to_text};

/// Read octets as files and assert what must hold for whatever they say. `\x01` separates files: the first includes `a`, `b` and `c`.
///
/// # Panics
///
/// When the front end is wrong: reading what was shown gives something else, or a word has no place.
pub fn front(input: &[u8]) {
    let mut files = Memory::new().variable("HOME", "/root").variable("EVIL", "@other x { \" # \n include a");
    let names = ["main", "a", "b", "c"];
    for (name, text) in names.iter().zip(input.split(|octet| *octet == 1)) {
        assert_eq!(octets(&to_text(text.to_vec())).as_ref().is_empty(), text.is_empty());
        files = files.file(name, text);
    }
    let limits =
        Limits { text: 1 << 20, line: 4096, files: 64, made_lines: 2_000, expansion_depth: 16, ..Limits::default() };
    let options = Options { config_id: "main".to_owned(), limits, ..Options::default() };
    let (tree, diagnostics) = read("main", &options, &mut files);
    for line in tree.lines() {
        let mut open = vec![line];
        while let Some(line) = open.pop() {
            for word in line.words() {
                assert!(tree.sources().place(word.span).is_some(), "{word:?}");
                assert!(tree.sources().reported(word.span).is_some(), "{word:?}");
            }
            open.extend(line.block().into_iter().flat_map(|block| block.lines()));
        }
    }
    for format in [Format::Human, Format::Lines, Format::Json, Format::Sarif] {
        let _ = render(format, &diagnostics, tree.sources());
    }
    let shown = show(&tree);
    // What was lost after a quote is not shown, and may have been the partner of what is.
    if diagnostics.has("unmatched-quote") || shown.lines().any(|line| line.contains('"') && line.contains('\\')) {
        return;
    }
    let unlimited = Options { config_id: "main".to_owned(), ..Options::default() };
    let (again, _) = read("main", &unlimited, &mut Memory::new().file("main", &shown));
    assert_eq!(show(&again), shown);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::front;

    /// Inputs that failed once.
    #[test]
    fn inputs_that_failed_once_hold() {
        for input in ["$A=\ninc${A}lude x\n~${A}SEQ(I,1,2) x\nx\\${_HASH}y", "${_ENV EVIL}", "a\\", "x \\ {\n}"] {
            front(input.as_bytes());
        }
    }

    fn piece() -> impl Strategy<Value = String> {
        let fixed = [
            "{",
            "}",
            "\"",
            "'",
            "\\",
            "#",
            "!",
            "\\#",
            "\n",
            "\n",
            "\n",
            " ",
            "\t",
            "\r\n",
            "$A",
            "${A}",
            "$B",
            "$A=",
            "\n$A=",
            "\n$B= \\\n",
            "\\\n",
            "\n@main ",
            "@other ",
            "@^main ",
            "~SEQ(A,1,3) ",
            "~SEQx(B,9,12)",
            "~LST(A,x,y)",
            "~LST({A,B},{1,2},{3})",
            "include a\n",
            "\ninclude b\n",
            "includea nope\n",
            "\u{1}",
            "${_HASH}",
            "${_RANDOM 1 9}",
            "${_ENV EVIL}",
            "${_PWD}",
            "vrrp_instance",
            "global_defs {\n",
            "include_check +match\n",
            "random_seed 4\n",
            "word",
            "(",
            ")",
            ",",
            "é",
            "\0",
            "${",
            "auth_pass x",
        ];
        prop_oneof![8 => prop::sample::select(fixed.to_vec()).prop_map(str::to_owned), 1 => "[ -~]{0,6}"]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn whatever_is_written_reading_holds(pieces in prop::collection::vec(piece(), 0..60)) {
            front(pieces.concat().as_bytes());
        }

        #[test]
        fn whatever_octets_come_reading_holds(octets in prop::collection::vec(any::<u8>(), 0..300)) {
            front(&octets);
        }
    }
}
