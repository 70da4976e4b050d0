//! Agreement with keepalived 2.2.7 over configurations that people published: the same exit status of `-t`, or a reason.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test reads its own files")]

use std::collections::{BTreeMap, BTreeSet};

use rkeepalived_conf::lower::{Described, Options, ScriptFile, ScriptState};
use rkeepalived_conf::preprocess::Memory;

/// Files whose verdict differs, and why.
const DIFFERENCES: &[(&str, &str)] = &[
    (
        "017.conf",
        "keepalived ends itself with SIGTERM in the middle (a script whose user is not root); we finish and report",
    ),
    (
        "073.conf",
        "keepalived drops a MISC_CHECK whose program is absent and says nothing at -t: its server is served unchecked",
    ),
    ("079.conf", "keepalived leaves with 0 at a network namespace that does not exist, whatever it found before"),
    ("094.conf", "keepalived leaves with 0 at a network namespace that does not exist, whatever it found before"),
];

struct Expected {
    file: String,
    status: u8,
    messages: BTreeSet<String>,
}

fn directory() -> String {
    format!("{}/tests/corpus", env!("CARGO_MANIFEST_DIR"))
}

fn expected() -> Vec<Expected> {
    std::fs::read_to_string(format!("{}/EXPECTED.tsv", directory()))
        .unwrap()
        .lines()
        .skip(1)
        .map(|line| {
            let mut fields = line.split('\t');
            Expected {
                file: fields.next().unwrap().to_owned(),
                status: fields.next().unwrap().parse().unwrap(),
                messages: fields
                    .next()
                    .unwrap_or("")
                    .split("\\n")
                    .filter(|text| !text.is_empty())
                    .map(normal)
                    .collect(),
            }
        })
        .collect()
}

/// `(007.conf: Line 3) text` and `(Line 3) text` are one message.
fn normal(text: &str) -> String {
    match text.strip_prefix('(').and_then(|rest| rest.split_once(") ")) {
        Some((place, rest)) if place.contains("Line ") => {
            format!("{} {rest}", place.rsplit("Line ").next().unwrap())
        }
        _ => text.to_owned(),
    }
}

fn without_line(message: &str) -> &str {
    match message.split_once(' ') {
        Some((number, rest)) if number.bytes().all(|octet| octet.is_ascii_digit()) => rest,
        _ => message,
    }
}

/// The machine on which EXPECTED.tsv was made, as far as its messages tell.
fn machine(expected: &[Expected]) -> Described {
    let mut machine = Described { host_name: "lab".into(), ..Described::default() };
    for user in ["root", "nobody"] {
        machine.users.insert(user.into(), notify::ScriptUser::ROOT);
    }
    machine.hosts.insert("localhost".into(), vec!["127.0.0.1".parse().unwrap()]);
    for group in ["root", "nogroup"] {
        machine.groups.insert(group.into(), 0);
    }
    for message in expected.iter().flat_map(|expected| &expected.messages) {
        for (before, after) in [
            ("WARNING - interface ", " for "),
            ("unknown interface ", " specified"),
            (") tracked interface ", " doesn't exist"),
        ] {
            if let Some((_, rest)) = message.split_once(before)
                && let Some((name, _)) = rest.split_once(after)
            {
                machine.missing_interfaces.insert(name.to_owned());
            }
        }
    }
    machine
}

/// Commands of the corpus that exist on that machine.
const PRESENT: &[&str] = &[
    "killall",
    "pidof",
    "/usr/bin/killall",
    "/usr/bin/pkill",
    "/bin/pidof",
    "pkill",
    "pgrep",
    "curl",
    "/usr/bin/curl",
    "echo",
    "/sbin/service",
    "/usr/bin/python3",
    "/usr/sbin/ip",
];

struct Seen {
    status: u8,
    messages: BTreeSet<String>,
    not_yet: Vec<&'static str>,
}

fn read(file: &str, machine: &Described) -> Seen {
    let text = std::fs::read(format!("{}/{file}", directory())).unwrap();
    let mut loader = Memory::new().file(file, text);
    let mut options = Options::default();
    options.read.config_id = "lab".into();
    let outcome = rkeepalived_conf::parse(file, &options, &mut loader, machine);
    let kept: Vec<_> = outcome.diagnostics.iter().filter(|found| found.code != "not-honoured-yet").collect();
    let status = kept.iter().map(|found| found.class).max().map_or(0, rkeepalived_conf::diagnostic::Class::exit_code);
    let mut messages = BTreeSet::new();
    for found in kept.iter().filter(|found| found.class > rkeepalived_conf::diagnostic::Class::Advice) {
        let place = found.span.filter(|_| found.numbered).and_then(|span| outcome.sources().place(span));
        let prefix = place.map(|place| format!("{} ", place.line)).unwrap_or_default();
        messages.insert(format!("{prefix}{}", found.message));
        if let Some(label) = &found.label {
            messages.insert(format!("{prefix}{label}"));
        }
    }
    Seen { status, messages, not_yet: outcome.not_yet.iter().map(|(keyword, _)| *keyword).collect() }
}

#[test]
fn verdicts_agree_with_keepalived_or_differ_for_a_reason() {
    let expected = expected();
    let mut machine = machine(&expected);
    for command in PRESENT {
        machine
            .scripts
            .insert((*command).into(), ScriptFile { state: ScriptState::Secure, real_path: Some((*command).into()) });
    }
    let reasons: BTreeMap<&str, &str> = DIFFERENCES.iter().copied().collect();
    let (mut agreed, mut told, mut shared, mut shared_texts) = (0, 0, 0, 0);
    let mut wrong = Vec::new();
    let verbose = std::env::var_os("CORPUS_VERBOSE").is_some();
    for expected in &expected {
        let seen = read(&expected.file, &machine);
        told += expected.messages.len();
        shared += expected.messages.intersection(&seen.messages).count();
        // inside a definition we name the line that was written, keepalived the line of its last use
        let texts: BTreeSet<&str> = seen.messages.iter().map(|message| without_line(message)).collect();
        shared_texts += expected.messages.iter().filter(|message| texts.contains(without_line(message))).count();
        if verbose {
            let missing: Vec<_> = expected.messages.difference(&seen.messages).collect();
            let extra: Vec<_> = seen.messages.difference(&expected.messages).collect();
            println!(
                "{} theirs {} ours {} missing {missing:#?} extra {extra:#?} not yet {:?}",
                expected.file, expected.status, seen.status, seen.not_yet
            );
        }
        match (seen.status == expected.status, reasons.get(expected.file.as_str())) {
            (true, None) => agreed += 1,
            (false, Some(_)) => {}
            (true, Some(reason)) => wrong.push(format!("{}: agrees now, though listed: {reason}", expected.file)),
            (false, None) => wrong.push(format!("{}: theirs {}, ours {}", expected.file, expected.status, seen.status)),
        }
    }
    println!("{agreed} of {} verdicts agree, {} differ for a reason", expected.len(), reasons.len());
    println!(
        "{shared_texts} of {told} messages of theirs are ours too ({}%), {shared} with the same line",
        shared_texts * 100 / told
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(shared_texts * 100 >= told * 80, "fewer messages agree than before: {shared_texts} of {told}");
}
