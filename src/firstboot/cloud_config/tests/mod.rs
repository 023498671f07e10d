//! What is read, and what is said of what is wrong: a row each, one file a group of keys.

mod commands;
mod files;
mod host;
mod software;
mod ssh;
mod users;

use std::sync::Arc;

use super::{Defaults, KEYS, Support, read};
use crate::firstboot::configuration::Configuration;
use crate::firstboot::seed::Seed;
use crate::firstboot::yaml::load;

fn with_seed(text: &str, seed: &Seed) -> (Configuration, Vec<String>) {
    let document = load(text, &Arc::from("u")).unwrap();
    let defaults = Defaults::of("NAME=x\nID=\"opensuse-microos\"\n");
    let (configuration, problems) = read(&document.root, seed, &defaults);
    (configuration, problems.iter().map(ToString::to_string).collect())
}

fn read_text(text: &str) -> (Configuration, Vec<String>) {
    with_seed(text, &Seed::default())
}

/// What is read of a text with which nothing is wrong.
pub(super) fn clean(text: &str) -> Configuration {
    let (configuration, problems) = read_text(text);
    assert_eq!(problems, Vec::<String>::new(), "{text}");
    configuration
}

/// Each row: a cloud-config, and how one of the problems that are found in it begins.
pub(super) fn problems_begin(rows: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (text, expected) in rows {
        let (_, problems) = read_text(text);
        if !problems.iter().any(|it| it.starts_with(expected)) {
            wrong.push(format!("{text}: {expected}\n{problems:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn keys_that_are_not_taken_are_named() {
    problems_begin(&[
        ("[a]", "u:1:1: error: a cloud-config is a mapping"),
        ("apt: {}", "u:1:1: error: \"apt\" is not supported: this system has no apt"),
        (
            "user_s: []",
            "u:1:1: warning: there is no key \"user_s\", so it is ignored; did you mean \"users\"?",
        ),
        (
            "write-files: []",
            "u:1:1: warning: there is no key \"write-files\", so it is ignored; did you mean \"write_files\"?",
        ),
        ("frobnicate: 1", "u:1:1: warning: there is no key \"frobnicate\", so it is ignored"),
        ("output: {all: x}", "u:1:1: warning: \"output\" is ignored"),
    ]);
}

#[test]
fn wrong_types_at_every_key_are_told_and_nothing_panics() {
    for key in KEYS {
        for value in [
            "3",
            "yes",
            "x",
            "1.5",
            "[]",
            "{}",
            "[[[]]]",
            "[{}]",
            "{a: {b: c}}",
            "[1, yes, null]",
            "!!binary AAAA",
            "null",
        ] {
            drop(read_text(&format!("{}: {value}", key.name)));
        }
    }
}

#[test]
fn documentation_and_schema_have_the_same_keys() {
    let table = include_str!("../../../../docs/cloud-config.md");
    let schema = include_str!("../../../../data/cloud-config.schema.json");
    let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
    let mut in_schema: Vec<&str> =
        schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    for key in KEYS {
        let (word, why) = match key.support {
            Support::Full => ("yes", ""),
            Support::Part(how) => ("with differences", how),
            Support::Refused(why) => ("refused", why),
            Support::Ignored(why) => ("ignored", why),
        };
        let begin = format!("| `{}` | {word} | ", key.name);
        let row = table.lines().find(|line| line.starts_with(&begin));
        assert!(row.is_some_and(|row| row.ends_with(&format!("| {why} |"))), "{begin}… | {why} |");
        let is_applied = matches!(key.support, Support::Full | Support::Part(_));
        let at = in_schema.iter().position(|name| *name == key.name);
        assert_eq!(at.is_some(), is_applied, "{} in the schema", key.name);
        in_schema.retain(|name| *name != key.name);
    }
    assert_eq!(in_schema, [""; 0]);
    assert_eq!(table.matches("\n| `").count(), KEYS.len());
}

#[test]
fn however_much_is_wrong_what_is_said_is_bounded() {
    let list = |of: &str, count| format!("[{}]", vec![of; count].join(", "));
    let key = "k".repeat(1 << 20);
    for (text, errors, warnings) in [
        (format!("ssh_authorized_keys: {}", list("aaaa", 20_000)), 0, 20_000),
        (format!("runcmd: {}\n? {key}\n: 1", list("{}", 20_000)), 20_000, 1),
        (format!("? {key}\n: 1"), 0, 1),
        (format!("hostname: {key}"), 1, 0),
        (
            format!("users: [{{name: a, ? {key} : 1}}]\nwrite_files: [{{path: /x, owner: {key}}}]"),
            0,
            2,
        ),
    ] {
        let document = load(&text, &Arc::from("u")).unwrap();
        let (_, problems) = read(&document.root, &Seed::default(), &Defaults::of(""));
        let begin = &text[..20];
        assert_eq!((problems.errors(), problems.warnings()), (errors, warnings), "{begin}");
        let said: usize = problems.iter().map(|it| it.what.len()).sum();
        assert!(problems.len() <= 1000 && said < 200_000, "{begin}: {said} bytes");
        let first = problems.iter().filter(|it| it.is_error()).count();
        assert_eq!(first, errors.min(1000), "{begin}");
    }
}

#[test]
fn of_many_unknown_keys_a_known_one_is_looked_for_a_few_times_only() {
    let text: String = (0..200).map(|at| format!("hostnam{at}: x\n")).collect();
    let (_, problems) = read_text(&text);
    let hints = problems.iter().filter(|it| it.contains("did you mean")).count();
    assert_eq!((problems.len(), hints), (200, 50));
}
