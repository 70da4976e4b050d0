//! Text in, text out. Each table says what Debian's keepalived 2.2.7 did with the same text, unless it says that we differ.

use super::{Limits, LoadError, Memory, Options, read};
use crate::diagnostic::Diagnostics;
use crate::render::{Format, render, show};
use crate::tree::Tree;

fn options() -> Options {
    Options { config_id: "main".to_owned(), ..Options::default() }
}

fn read_text(text: &str) -> (Tree, Diagnostics) {
    read("/etc/k.conf", &options(), &mut Memory::new().file("/etc/k.conf", text))
}

/// What the text comes to, in one line; then keepalived's lines about it.
fn flat(tree: &Tree) -> String {
    show(tree).split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

fn lines(tree: &Tree, diagnostics: &Diagnostics) -> Vec<String> {
    render(Format::Lines, diagnostics, tree.sources()).lines().map(str::to_owned).collect()
}

#[track_caller]
fn check(text: &str, shown: &str, told: &[&str]) {
    let (tree, diagnostics) = read_text(text);
    assert_eq!(
        (flat(&tree).as_str(), lines(&tree, &diagnostics)),
        (shown, told.iter().map(|l| (*l).to_owned()).collect()),
        "{text}"
    );
}

#[test]
fn blocks_may_stand_on_one_line_or_on_many() {
    for (text, shown) in [
        ("a { b c }", "a { b c }"),
        ("a\n{\nb c\n}\n", "a { b c }"),
        ("a\n\n  # comment\n {\nb\n}", "a { b }"),
        ("a { b { c } d } e", "a { b { c } d } e"),
        ("a{b}c", "a { b } c"),
        ("a \"{\" b {\n}", "a \"{\" b { }"),
        ("\r\na {\r\n b\r\n}\r\n", "a { b }"),
        ("", ""),
        ("\n\n \t\n", ""),
        ("a # b {\n! c\nd", "a d"),
        (r"a \#b \!c", r"a \#b \!c"),
    ] {
        check(text, shown, &[]);
    }
}

#[test]
fn braces_are_counted() {
    check("a {\n b {\n", "a { b {", &["There are 2 missing '}'s or extra '{'s"]);
    check("a }\nb\n}", "a } b }", &["(Line 1) Extra '}' found", "(Line 3) Extra '}' found"]);
    check("a { {\nb\n}\n}", "a { { b } }", &[]);
}

#[test]
fn a_quote_without_partner_loses_the_rest_of_its_line() {
    check("a b \"c }\nd", "a b d", &["(Line 1) Unmatched quote: 'a b \"c }'"]);
    check("auth_pass \"secret", "auth_pass", &["(Line 1) Unmatched quote: 'auth_pass ***'"]);
}

#[test]
fn definitions_are_replaced_where_keepalived_replaces_them() {
    for (text, shown) in [
        ("$A=10\nx $A", "x 10"),
        ("$A=10\nx$A ${A}b", "x10 10b"),
        ("$A=10\nx$A_ y", "x$A_ y"),
        ("$A=10\nx$A,b x$A)b x($A)", "x10,b x10)b x(10)"),
        ("$B= x  y  # comment\n${B}", "x y"),
        ("$C=\na${C}b\n$C\n c", "ab c"),
        ("$D=\"q r\" s\n$D", "\"q r\" s"),
        ("$E =5", "$E =5"),
        ("$1X=4\n$1X", "$1X=4 $1X"),
        ("$UNDEF \"${UNDEF}\"", "$UNDEF \"${UNDEF}\""),
        ("$A=1\n$B=${A}x\n${B}y\n$A=2\n${B}z", "1xy 2xz"),
        ("  $F=f\n$F", "f"),
        ("$A=10\n$$A \\$A", "$10 \\10"),
        ("$A=10\n\"${A}b\"", "\"10b\""),
        ("$BR=x { y\n$BR\n}", "x { y }"),
        ("a { $X=5\n b$X } c$X", "a { b5 } c5"),
        ("$Q=\"\na ${Q}b c${Q}", "a \"b c\""),
        ("$N=A {\nvrrp_instance $N\n}", "vrrp_instance A { }"),
    ] {
        let (tree, _) = read_text(text);
        assert_eq!(flat(&tree), shown, "{text}");
    }
}

#[test]
fn names_that_are_not_delimited_stay_and_are_told() {
    check("$A=10\nx$A.b", "x$A.b", &["(Line 2) '$A' is not replaced here"]);
    check("$A=10\nx \"$A\"", "x \"$A\"", &["(Line 2) '$A' is not replaced here"]);
}

#[test]
fn definitions_of_several_lines_are_replayed_line_by_line() {
    for (text, shown) in [
        ("$M= \\\na \\\n@main b \\\n@other c \\\nd\n$M", "a b d"),
        ("$M= \\\na \\\nb\nx $M", "x a b"),
        ("$M=a \\\nb\n$M", "a b"),
        ("$M= \\\na \\\n# comment\nb \\\nc\n$M", "a b c"),
        ("$M= \\\na # c \\\nb\n$M", "a b"),
        ("$M= \\\na { \\\n} # hi\n$M", "a { }"),
        ("$M= \\\na \\\nb\n$N= \\\n $M \\\n c \\\n $V=3 \\\n d$V\n\n$N", "a b c d3"),
        ("$M= \\\na${I} \\\n~SEQ(J,1,2) b${I}${J}\n~SEQ(I,1,2) $M", "a1 b11 b12 a2 b21 b22"),
        ("$M= \\\na \\\nb\nc { $M\n}", "c { a b }"),
        // A definition of one continued line is as good as one of one line.
        ("$M= \\\na\nx ${M} y", "x a y"),
    ] {
        check(text, shown, &[]);
    }
    // An empty line ends it.
    check("$M= \\\na \\\n\nb\n$M", "b a", &[]);
    check("$M= \\\na \\\nb\n$M c", "$M c", &["(Line 4) Multi-line definition 'M' must end the line"]);
}

#[test]
fn conditions_choose_lines() {
    for (text, shown) in [
        ("@main a\n@other b\n@^main c\n@^other d", "a d"),
        ("@ma a\n@ b\n@main\n@mainx c\n@main\td", "d"),
        ("  @main a {\n @other b\n}", "a { }"),
        ("a { @main b\n @other c }\n}", "a { b }"),
        ("a { b } @other c }", "a { b }"),
        ("$IF=@main\n$IF a\n$NO=@other\n$NO b", "a"),
        ("@main $A=1\n@other $A=2\nx$A", "x1"),
        ("@rkeepalived a\n@^rkeepalived b", "a"),
        ("@main ~SEQ(I,1,2) a${I}\n~SEQ(I,1,2) @main b${I}\n~SEQ(I,1,2) @other c${I}", "a1 a2 b1 b2"),
    ] {
        check(text, shown, &[]);
    }
}

#[test]
fn sequences_count() {
    for (text, shown) in [
        ("~SEQ(I,0,3) a${I}", "a0 a1 a2 a3"),
        ("~SEQ(I, 3 ) a${I}", "a1 a2 a3"),
        ("~SEQ(I,5,-2,0) a${I}", "a5 a3 a1"),
        ("~SEQx(I,8,4,0x20) a${I} b$I", "a8 b8 ac bc a10 b10 a14 b14 a18 b18 a1c b1c a20 b20"),
        ("~SEQ(I,1,2) ~SEQ(J,1,2) a${I}_${J}", "a1_1 a1_2 a2_1 a2_2"),
        ("~SEQ(I,3,1) a${I}", "a3 a2 a1"),
        ("~SEQ(I,-1,1) a${I}", "a-1 a0 a1"),
        ("~SEQ(I,010) a${I}", "a1 a2 a3 a4 a5 a6 a7 a8"),
        ("~SEQ(I,-3) a${I}", "a-1 a-2 a-3"),
        ("~SEQ(I,0) a${I}", "a1 a0"),
        ("~SEQ(I,0,0) a${I}", "a0"),
        ("~SEQ(I,5,5,5) a${I}", "a5"),
        ("a ~SEQ(I,1,2) b", "a ~SEQ(I,1,2) b"),
        ("~SEQ(I,1,2)a${I}", "a1 a2"),
        ("~SEQ (I,1,2) a${I}", "a1 a2"),
        ("~SEQ(I,1,2)", ""),
        ("~SEQ(I,1,2) $Z=q${I}\nx${Z}", "xq2"),
        ("$I=5\n~SEQ(I,1,2) a${I}\nb${I}", "a1 a2 b2"),
        ("$N=2\n~SEQ(I,1,$N) a${I}\n~SEQ(J,${N}) b${J}", "a1 a2 b1 b2"),
        ("$S=~SEQ(I,1,2)\n$S a${I}", "a1 a2"),
        ("~SEQ(I,1,2) a { b }", "a { b } a { b }"),
        ("v { ~SEQ(I,1,2) a${I}\n}", "v { a1 a2 }"),
    ] {
        check(text, shown, &[]);
    }
    for text in [
        "~SEQ(I,1,0,5) a",
        "~SEQ(I,1,-1,5) a",
        "~SEQ(I) a",
        "~SEQ(I,1,2",
        "~SEQ(I,1,x) a",
        "~SEQ(I,1,2,3,4) a",
        "~SEQ(I,1.5) a",
    ] {
        check(text, "", &[&format!("(Line 1) Invalid ~SEQ specification '{text}'")]);
    }
    // keepalived takes a name that it then cannot replace.
    check("~SEQ(1I,1,2) a", "", &["(Line 1) Invalid ~SEQ specification '~SEQ(1I,1,2) a'"]);
    check("~SEQx(I,-2,2) a", "", &["(Line 1) Invalid ~SEQ specification '~SEQx(I,-2,2) a'"]);
}

#[test]
fn lists_go_through_their_values() {
    for (text, shown) in [
        ("~LST(K,a,b) x${K}", "xa xb"),
        ("~LST({K,L},{a,b},{c,d}) x${K}-${L}", "xa-b xc-d"),
        ("~LST({K,L},{a},{c,d}) x${K}-${L}", "xa- xc-d"),
        ("~LST({IP, IP1}, {10,1},{20,4}) 192.168.${IP}.${IP1}", "192.168.10.1 192.168.20.4"),
        ("~LST(K,a,,b) x${K}.", "xa. x. xb."),
        ("~LST( K , a ) x${K}", "xa"),
        ("$N=2\n~LST(K,$N,b) x${K}", "x2 xb"),
    ] {
        check(text, shown, &[]);
    }
    for text in ["~LST(K,a,\"c d\") x", "~LST({K,L},{a,b,e}) x", "~LST(K) x"] {
        check(text, "", &[&format!("(Line 1) Invalid ~LST specification '{text}'")]);
    }
}

#[test]
fn built_in_names_have_their_values() {
    let mut files = Memory::new()
        .file("/etc/k.conf", "a${_INSTANCE} ${_PWD}/x \"${_HASH}\" ${_RANDOM 5 5} $_BANG\ninclude d/e.conf\nb${_PWD} ${_ENV HOME} ${_RANDOM 9 9}")
        .file("/etc/d/e.conf", "c${_PWD}")
        .variable("HOME", "/root");
    let (tree, diagnostics) = read("/etc/k.conf", &options(), &mut files);
    assert_eq!(flat(&tree), r##"amain /etc/x "#" 5 \! c/etc/d b/etc /root 9"##);
    assert!(diagnostics.is_empty());
    check("$_FOO=3\nx${_FOO}\n$_PWD=y\n${_PWD}", "x3 y", &[]);
    check("x${_ENV NOT_SET}y", "xy", &["(Line 1) Environment variable 'NOT_SET' is not set"]);
}

#[test]
fn random_numbers_repeat_with_their_seed() {
    let numbers = |text: &str| flat(&read_text(text).0);
    let seeded = "global_defs {\nrandom_seed 7\n}\na${_RANDOM} ${_RANDOM 1 6}";
    assert_eq!(numbers(seeded), numbers(seeded));
    assert_ne!(numbers(seeded), numbers(&seeded.replace('7', "8")));
}

#[test]
fn undefined_names_in_braces_stay_one_word() {
    // keepalived takes the brace for one that opens a block.
    check("$ABC=1\na x${ABX}y {\n}", "a x${ABX}y { }", &["(Line 2) Unexpected '{' - ignoring"]);
}

#[test]
fn definitions_that_refer_to_themselves_end() {
    // keepalived hangs.
    for text in
        ["$X=$X\nx$X", "$X=${X}\n$X", "$X=a${Y}\n$Y=${X}\nb$X", "$M= \\\na \\\n$M\n$M", "$M=a \\\n~SEQ(I,1,9) $M\n$M"]
    {
        let (tree, diagnostics) = read_text(text);
        assert!(diagnostics.has("endless-definition"), "{text}: {}", show(&tree));
    }
}

#[test]
fn growth_is_bounded() {
    let bomb: String = (1..60).map(|n| format!("$A{n}=${{A{m}}}${{A{m}}}\n", m = n - 1)).collect();
    let (_, diagnostics) = read_text(&format!("$A0=\n{bomb}x${{A59}}"));
    assert!(diagnostics.has("line-too-long"));
    let bomb: String = (1..60).map(|n| format!("$B{n}= \\\n$B{m} \\\n$B{m}\n", m = n - 1)).collect();
    let limits = Limits { made_lines: 10_000, ..Limits::default() };
    let text = format!("$B0=x\n{bomb}$B59");
    let options = Options { limits, ..options() };
    let (tree, diagnostics) = read("k", &options, &mut Memory::new().file("k", &text));
    assert!(diagnostics.has("too-big"));
    assert!(tree.line_count() <= 10_000);
    let (_, diagnostics) = read("k", &options, &mut Memory::new().file("k", "~SEQ(I,99999999999999999) x"));
    assert!(diagnostics.has("too-many-repetitions"));
}

#[test]
fn deep_blocks_are_bounded() {
    let deep = "a {\n".repeat(10_000) + &"}\n".repeat(10_000) + "b";
    let (tree, diagnostics) = read_text(&deep);
    assert_eq!(diagnostics.len(), 1);
    assert_eq!(tree.lines().count(), 2);
}

#[test]
fn lines_have_limits() {
    let long = |length: usize| format!("a {}\nb", "x".repeat(length));
    check(&long(1000), &flat(&read_text(&long(1000)).0), &[]);
    let (_, diagnostics) = read_text(&long(2000));
    assert!(diagnostics.has("long-line"));
    assert_eq!(diagnostics.exit_code(), 0);
    check(&long(70_000), "b", &["(Line 1) Line of 70002 octets is too long - ignoring"]);
    check("a\0b\nc", "c", &["(Line 1) Line contains a NUL octet - ignoring"]);
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_word() {
    check("\u{feff}a {\n}", "a { }", &["(Line 1) The file starts with a byte order mark"]);
}

#[test]
fn files_include_files_from_their_own_directory() {
    let mut files = Memory::new()
        .file("/k/main.conf", "a\ninclude sub/b*.conf\nz { include one.conf\n} include one.conf # comment\n")
        .file("/k/sub/b1.conf", "b1\ninclude c.conf\n")
        .file("/k/sub/b2.conf", "b2 {")
        .file("/k/sub/c.conf", "c")
        .file("/k/one.conf", "one\n}");
    let (tree, diagnostics) = read("/k/main.conf", &options(), &mut files);
    assert_eq!(flat(&tree), "a b1 c b2 { z { one } } one }");
    assert_eq!(lines(&tree, &diagnostics), ["(one.conf: Line 2) Extra '}' found"]);
    let names: Vec<_> = tree.sources().files().map(|(_, name, path)| (name.to_owned(), path.to_owned())).collect();
    assert_eq!(names[2], ("c.conf".to_owned(), "/k/sub/c.conf".to_owned()));
}

#[test]
fn include_lines_take_conditions_definitions_and_repetitions() {
    let mut files = Memory::new()
        .file("k", "$X=o\ninclude ${X}ne\n@main include two\n@other include three\n~SEQ(I,1,2) include n${I}\n$INC=include one\n$INC\na { include one }")
        .file("one", "1")
        .file("two", "2")
        .file("n1", "n1")
        .file("n2", "n2");
    let (tree, diagnostics) = read("k", &options(), &mut files);
    // keepalived would look for a file named `one }`.
    assert_eq!(flat(&tree), "1 2 n1 n2 1 a { 1 }");
    assert!(diagnostics.is_empty());
}

/// The exit status is 6 where keepalived's was.
#[test]
fn include_checks_demand_files() {
    let missing = "(Line 1) Config files missing 'nope'.";
    let skipped = "(Line 1) Configuration file 'x' is not a regular non-executable file - skipping";
    let directory = "(Line 1) Configuration file 'd/' is a directory - skipping";
    let some = "(Line 1) Some config files missing: \"{nope,two}\".";
    let no_match = "(Line 1) No config files matched 'nope*'.";
    for (text, told, status) in [
        ("include nope", &[missing][..], 0),
        ("include nope*", &[], 0),
        ("include x", &[skipped], 0),
        ("include d", &[directory], 0),
        ("include {nope,two}", &[some], 0),
        ("include {nope*,two}", &[], 0),
        ("includer nope", &[missing], 0),
        ("includer nope*", &[], 0),
        ("includer x", &[skipped], 6),
        ("includer d", &[directory], 6),
        ("includem nope", &[missing], 6),
        ("includem nope*", &[], 0),
        ("includem {nope,two}", &[some], 0),
        ("includew nope*", &[no_match], 6),
        ("includew nope", &[missing], 6),
        ("includew {nope*,two}", &[], 0),
        ("includeb {nope,two}", &[some], 6),
        ("includeb {nope*,two}", &[], 0),
        ("includeb nope", &[missing], 0),
        ("includea nope", &[missing], 6),
        ("include a b", &["(Line 1) Config files missing 'a b'."], 0),
        ("include {a,b", &["(Line 1) Config files missing '{a,b'."], 0),
        ("include none/*.conf", &["(Line 1) Config files missing 'none/*.conf'."], 0),
        ("includem none/*.conf", &["(Line 1) Config files missing 'none/*.conf'."], 6),
        ("includeb none/*.conf", &["(Line 1) Config files missing 'none/*.conf'."], 0),
        ("includeb {none/*.conf,nope}", &["(Line 1) Config files missing '{none/*.conf,nope}'."], 6),
        ("include d/*.conf", &[], 0),
        ("include two\nb", &[], 0),
        ("includex y", &[], 0),
        ("include", &[], 0),
    ] {
        let mut files = Memory::new().file("k", text).file("two", "2").broken("x", LoadError::NotPlain).file("d/e", "");
        let (tree, diagnostics) = read("k", &options(), &mut files);
        let lines: Vec<String> = lines(&tree, &diagnostics).iter().map(|line| line.replace("(k: ", "(")).collect();
        assert_eq!(
            (lines, diagnostics.exit_code()),
            (told.iter().map(|l| (*l).to_owned()).collect(), status),
            "{text}"
        );
    }
}

#[test]
fn include_check_holds_in_its_file_and_those_below() {
    for (text, status) in [
        ("global_defs {\ninclude_check\n}\ninclude nope*", 6),
        ("global_defs {\ninclude_check match\n}\ninclude nope", 6),
        ("global_defs {\ninclude_check +match -match\n}\ninclude nope", 0),
        ("global_defs {\ninclude_check -match\n}\ninclude nope", 0),
        // Not in global_defs: for the keyword table to complain of.
        ("include_check\ninclude nope", 0),
        ("include sub\ninclude nope", 0),
        ("global_defs {\ninclude_check\n}\ninclude other", 6),
        ("global_defs {\ninclude_check foo\n}", 5),
    ] {
        let mut files =
            Memory::new().file("k", text).file("sub", "global_defs {\ninclude_check\n}").file("other", "include nope");
        let (_, diagnostics) = read("k", &options(), &mut files);
        assert_eq!(diagnostics.exit_code(), status, "{text}");
    }
    let all = Options { all_checks: true, ..options() };
    let (_, diagnostics) = read("k", &all, &mut Memory::new().file("k", "include nope"));
    assert_eq!(diagnostics.exit_code(), 6);
}

#[test]
fn files_that_include_themselves_end() {
    // keepalived goes on until it has no descriptors left.
    let mut files = Memory::new().file("k", "include k\na").file("b", "include c").file("c", "include b\nc");
    let (tree, diagnostics) = read("k", &options(), &mut files);
    assert_eq!(flat(&tree), "a");
    assert_eq!(
        lines(&tree, &diagnostics),
        ["(Line 1) Configuration file 'k' open problem (it is being read already) - skipping"]
    );
    let (tree, diagnostics) = read("b", &options(), &mut files);
    assert_eq!(flat(&tree), "c");
    assert!(diagnostics.has("endless-include"));
}

#[test]
fn the_first_file_may_be_absent_or_several() {
    let (tree, diagnostics) = read("nope", &options(), &mut Memory::new());
    assert_eq!(lines(&tree, &diagnostics), ["Config files missing 'nope'."]);
    assert_eq!((diagnostics.exit_code(), diagnostics.has("no-configuration")), (0, true));
    let mut files = Memory::new().file("d/a.conf", "a").file("d/b.conf", "b }");
    let (tree, diagnostics) = read("d/*.conf", &options(), &mut files);
    assert_eq!(flat(&tree), "a b }");
    assert_eq!(
        lines(&tree, &diagnostics),
        [
            "WARNING, multiple configuration file matches of d/*.conf, starting with d/a.conf",
            "(d/b.conf: Line 1) Extra '}' found"
        ]
    );
}

#[test]
fn line_numbers_are_those_of_the_use() {
    // keepalived counts the line where the definition is used.
    let (tree, diagnostics) = read_text("$M= \\\na } \\\nb\n\n$M\n~SEQ(I,1,2) }");
    assert_eq!(
        lines(&tree, &diagnostics),
        ["(Line 5) Extra '}' found", "(Line 6) Extra '}' found", "(Line 6) Extra '}' found"]
    );
}

#[test]
fn words_lead_back_to_what_was_written() {
    let (tree, _) = read_text("$P=300\n$M= \\\n  priority $P \\\n@no x\nv {\n $M\n priority ${P}x\n}");
    let block = tree.lines().next().unwrap().block().unwrap();
    let places: Vec<_> = block
        .lines()
        .flat_map(|line| line.words().map(|word| (word.text, word.span)).collect::<Vec<_>>())
        .map(|(text, span)| {
            let place = tree.sources().place(span).unwrap();
            (
                text,
                place.line,
                place.column,
                place.length,
                tree.sources().reported(span).unwrap().1,
                tree.sources().chain(span).len(),
            )
        })
        .collect();
    assert_eq!(
        places,
        [("priority", 3, 3, 8, 6, 1), ("300", 3, 12, 2, 6, 2), ("priority", 7, 2, 8, 7, 0), ("300x", 7, 11, 4, 7, 1)]
    );
}

#[test]
fn a_backslash_at_the_end_is_told() {
    check("a \\\nb", "a \\ b", &["(Line 1) A backslash does not continue this line"]);
}

#[test]
fn shown_text_reads_as_the_same_text() {
    for text in [
        "a \"b # c\" d\\#e {\n f ${_HASH} \"\" 'x {y}' }\ng",
        "a {\n{ b }\n} }\nc\n{ d }",
        "script \"/x \\\"a b\\\"\" 'c # d' e\\\\ f",
        "a { b { c",
    ] {
        let once = show(&read_text(text).0);
        assert_eq!(show(&read_text(&once).0), once, "{text}");
    }
}
