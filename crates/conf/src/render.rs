//! Diagnostics for the terminal, for programs and for code review tools; the tree as text again.

mod human;
mod json;
mod sarif;
mod show;

pub use human::{Human, first_line, human};
pub use json::json;
pub use sarif::sarif;
pub use show::show;

use crate::diagnostic::{Diagnostics, Level};
use crate::source::Sources;

/// How `check` and `-t` print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// keepalived's line, then the text with the place marked, the consequence and the remedy.
    #[default]
    Human,
    /// Only keepalived's lines, for tools that know those.
    Lines,
    /// One JSON document: see [`json`].
    Json,
    /// SARIF 2.1.0: see [`sarif`].
    Sarif,
}

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "human" => Ok(Self::Human),
            "lines" => Ok(Self::Lines),
            "json" => Ok(Self::Json),
            "sarif" => Ok(Self::Sarif),
            other => Err(format!("format '{other}' is unknown: human, lines, json or sarif")),
        }
    }
}

/// Print in one of the formats; every format ends with a line feed unless it is empty.
pub fn render(format: Format, diagnostics: &Diagnostics, sources: &Sources) -> String {
    match format {
        Format::Human => human(diagnostics, sources, Human::default()),
        Format::Lines => {
            let lines = diagnostics.iter().map(|diagnostic| first_line(diagnostic, sources));
            lines.flat_map(|line| [line, "\n".to_owned()]).collect()
        }
        Format::Json => json(diagnostics, sources),
        Format::Sarif => sarif(diagnostics, sources),
    }
}

/// The exit status of `rkeepalived check`: 0 clean, 1 errors, and with `strict` also 1 for warnings and advice.
pub fn check_exit_code(diagnostics: &Diagnostics, strict: bool) -> u8 {
    let worst = diagnostics.iter().map(|diagnostic| diagnostic.class.level()).max();
    u8::from(worst == Some(Level::Error) || (strict && worst.is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Class, Diagnostic};
    use crate::preprocess::{Memory, Options, read};
    use crate::tree::Tree;

    fn found(files: Memory, complain: impl Fn(&Tree, &mut Diagnostics)) -> (Tree, Diagnostics) {
        let (tree, mut diagnostics) = read("/k/main.conf", &Options::default(), &mut files.clone());
        complain(&tree, &mut diagnostics);
        (tree, diagnostics)
    }

    /// Complains of the first word of each inner line.
    fn unknown(tree: &Tree, diagnostics: &mut Diagnostics) {
        for line in tree.lines().flat_map(|line| line.block()).flat_map(|block| block.lines()) {
            let keyword = line.keyword();
            diagnostics.push(
                Diagnostic::new(
                    Class::UnknownKeyword,
                    "unknown-keyword",
                    format!("Unknown keyword '{}'", keyword.text),
                )
                .at(keyword.span)
                .label("did you mean `priority`?")
                .consequence("the line is ignored")
                .help("it takes 1 to 255"),
            );
        }
    }

    #[test]
    fn people_see_the_place_the_consequence_and_the_remedy() {
        let (tree, diagnostics) = found(Memory::new().file("/k/main.conf", "v {\n\tprioritty 150 # ü\n}\n"), unknown);
        assert_eq!(
            render(Format::Human, &diagnostics, tree.sources()),
            "(Line 2) Unknown keyword 'prioritty'\n    2 | \tprioritty 150 # ü\n      | \t^~~~~~~~~ did you mean `priority`?\n      = the line is ignored\n      = help: it takes 1 to 255\n"
        );
        assert_eq!(diagnostics.exit_code(), 5);
        assert_eq!((check_exit_code(&diagnostics, false), check_exit_code(&diagnostics, true)), (1, 1));
    }

    #[test]
    fn people_see_through_includes_and_definitions() {
        let files = Memory::new()
            .file("/k/main.conf", "$A=x\n$M= \\\n pri ${A} \\\n end\ninclude sub/a.conf\n")
            .file("/k/sub/a.conf", "v {\n $M\n}");
        let (tree, diagnostics) = found(files, |tree, diagnostics| {
            let line = tree.lines().next().unwrap().block().unwrap().lines().next().unwrap();
            diagnostics.push(Diagnostic::new(Class::InvalidNumber, "number", "Bad").at(line.word(1).unwrap().span));
        });
        assert_eq!(
            render(Format::Human, &diagnostics, tree.sources()),
            concat!(
                "(sub/a.conf: Line 2) Bad\n",
                "     --> /k/main.conf:3:6\n",
                "    3 |  pri ${A} \\\n",
                "      |      ^~~~\n",
                "      = note: `${A}` was defined at /k/main.conf:1\n",
                "      = note: through `$M` at /k/sub/a.conf:2\n",
                "      = note: included at /k/main.conf:5\n",
            )
        );
    }

    #[test]
    fn secrets_and_control_characters_are_not_printed() {
        let text = "v {\n auth_pass\u{1b}[2J geheim\n auth_pass geheim\n}\n$P=geheim\nw {\n auth_pass $P\n}\n";
        let (tree, diagnostics) = found(Memory::new().file("/k/main.conf", text), unknown);
        for format in [Format::Human, Format::Lines, Format::Json, Format::Sarif] {
            let printed = render(format, &diagnostics, tree.sources());
            assert!(!printed.contains("auth_pass geheim") && !printed.contains('\u{1b}'), "{printed}");
        }
    }

    #[test]
    fn programs_get_json() {
        let (tree, diagnostics) = found(Memory::new().file("/k/main.conf", "v {\n prio 1\n}"), unknown);
        let json: serde_json::Value =
            serde_json::from_str(&render(Format::Json, &diagnostics, tree.sources())).unwrap();
        assert_eq!(json["exit_code"], 5);
        let entry = &json["diagnostics"][0];
        assert_eq!(entry["code"], "unknown-keyword");
        assert_eq!(entry["level"], "error");
        assert_eq!(entry["text"], "(Line 2) Unknown keyword 'prio'");
        assert_eq!(entry["place"], serde_json::json!({ "file": "/k/main.conf", "line": 2, "column": 2, "length": 4 }));
    }

    #[test]
    fn reviews_get_sarif() {
        let (tree, diagnostics) = found(Memory::new().file("/k/main.conf", "v {\n prio 1\n}"), unknown);
        let log: serde_json::Value =
            serde_json::from_str(&render(Format::Sarif, &diagnostics, tree.sources())).unwrap();
        assert_eq!(log["version"], "2.1.0");
        let run = &log["runs"][0];
        assert_eq!(run["tool"]["driver"]["rules"][0]["id"], "unknown-keyword");
        let result = &run["results"][0];
        assert_eq!((&result["ruleId"], &result["level"]), (&"unknown-keyword".into(), &"error".into()));
        let region = &result["locations"][0]["physicalLocation"];
        assert_eq!(region["artifactLocation"]["uri"], "file:///k/main.conf");
        assert_eq!(region["region"], serde_json::json!({ "startLine": 2, "startColumn": 2, "endColumn": 6 }));
    }

    #[test]
    fn advice_counts_only_when_strict() {
        let (_, diagnostics) = found(Memory::new().file("/k/main.conf", "a \\\n"), |_, _| {});
        assert_eq!(diagnostics.exit_code(), 0);
        assert_eq!((check_exit_code(&diagnostics, false), check_exit_code(&diagnostics, true)), (0, 1));
    }
}
