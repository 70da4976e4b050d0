//! The keyword table against the reference list, row by row.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test reads its own files")]

use std::collections::{BTreeMap, BTreeSet};

use rkeepalived_conf::table::{self, Area, Status};

/// path, keyword, arguments, default, since, meaning.
type Listed = (String, String, String, String, String, String);

fn reference() -> Vec<Listed> {
    let path = format!("{}/tests/keywords.tsv", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path)
        .unwrap()
        .lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let field = |index: usize| fields[index].to_owned();
            (field(0), field(1), field(2), field(3), field(4), field(6))
        })
        .collect()
}

#[test]
fn every_row_of_the_reference_list_is_a_row_of_the_table_and_no_other() {
    let reference = reference();
    let listed: BTreeSet<Listed> = reference.iter().cloned().collect();
    let ours: BTreeSet<Listed> = table::rows()
        .filter(|(_, row)| row.area != Area::Extension)
        .map(|(path, row)| {
            let text = |text: &str| text.to_owned();
            (text(path), text(row.keyword), text(row.arguments), text(row.default), text(row.since), text(row.meaning))
        })
        .collect();
    for row in &listed {
        assert!(ours.contains(row), "not in the table: {row:?}");
    }
    for row in &ours {
        assert!(listed.contains(row), "only in the table: {row:?}");
    }
    assert_eq!(reference.len(), listed.len(), "the reference list names a row twice");
    let honoured = table::rows().filter(|(_, row)| row.status == Status::Honoured).count();
    let waiting: BTreeMap<&str, usize> = table::rows().fold(BTreeMap::new(), |mut waiting, (_, row)| {
        if let Status::NotYet(reason) = row.status {
            *waiting.entry(reason).or_default() += 1;
        }
        waiting
    });
    println!("{} rows of the reference list, {honoured} honoured; not yet: {waiting:#?}", reference.len());
}

#[test]
fn every_row_says_what_it_lowers_to_or_which_word_it_means() {
    for (path, row) in table::rows() {
        assert!(!row.lowers_to.is_empty() || row.means.is_some(), "{path} {}", row.keyword);
        assert!(!row.meaning.is_empty(), "{path} {}", row.keyword);
    }
}

#[test]
fn a_spelling_means_a_word_that_exists() {
    for (path, row) in table::rows() {
        if let Some(means) = row.means {
            assert!(!table::blocks_with(means).is_empty(), "{path} {} means {means}", row.keyword);
        }
    }
}

#[test]
fn explain_knows_every_keyword_and_only_those() {
    for (_, row) in table::rows() {
        assert!(table::explain(row.keyword).is_some_and(|text| text.contains(row.keyword)), "{}", row.keyword);
    }
    assert_eq!(table::explain("vrrp_instanc"), None);
    let text = table::explain("virtual_router_id").unwrap();
    assert!(text.contains("1..255") && text.contains("vrrp_instance"), "{text}");
}

#[test]
fn the_generated_texts_have_a_line_for_every_row() {
    let rows = table::rows().count();
    assert_eq!(table::compatibility_table().lines().count(), rows + 2);
    assert_eq!(table::man_section().matches(".TP\n").count(), rows);
    for line in table::man_section().lines() {
        let macros = [".SH", ".SS", ".TP"];
        assert!(!line.starts_with('.') || macros.iter().any(|known| line.starts_with(known)), "{line}");
    }
}
