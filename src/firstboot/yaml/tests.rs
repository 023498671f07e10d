//! What `PyYAML` 6 makes of the same text, tried with it; and limits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Document, Node, Value, emit, load};
use crate::firstboot::problem::Problem;

fn read(text: &str) -> Result<Document, Problem> {
    load(text, &Arc::from("t"))
}

/// A short form that shows the type.
fn short(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Bool(it) => it.to_string(),
        Value::Int(it) => it.to_string(),
        Value::Float(it) => format!("{it:?}f"),
        Value::Str(it) => format!("{it:?}"),
        Value::Bytes(it) => format!("{it:?}"),
        Value::Seq(items) => {
            format!("[{}]", items.iter().map(short).collect::<Vec<_>>().join(","))
        }
        Value::Map(pairs) => {
            let pair = |(key, value): &(Node, Node)| format!("{}:{}", short(key), short(value));
            format!("{{{}}}", pairs.iter().map(pair).collect::<Vec<_>>().join(","))
        }
    }
}

#[test]
fn scalars_are_what_pyyaml_makes_of_them() {
    for (text, expected) in [
        ("0644", "420"),
        ("'0644'", "\"0644\""),
        ("644", "644"),
        ("0o644", "\"0o644\""),
        ("089", "\"089\""),
        ("0x1F", "31"),
        ("0b101", "5"),
        ("1_000", "1000"),
        ("-12", "-12"),
        ("+7", "7"),
        ("22:22", "1342"),
        ("01:02", "\"01:02\""),
        ("22:99", "\"22:99\""),
        ("1e3", "\"1e3\""),
        ("1.0e+3", "1000.0f"),
        ("1.5", "1.5f"),
        ("1.", "1.0f"),
        (".5", "0.5f"),
        ("1:30.5", "90.5f"),
        ("-.5", "\"-.5\""),
        ("+.5e+1", "\"+.5e+1\""),
        ("-0.5", "-0.5f"),
        ("0_", "0"),
        ("0_17", "15"),
        (".inf", "inff"),
        ("-.Inf", "-inff"),
        (".", "\".\""),
        ("-", "[null]"),
        ("1.2.3", "\"1.2.3\""),
        ("yes", "true"),
        ("Off", "false"),
        ("y", "\"y\""),
        ("\"yes\"", "\"yes\""),
        ("~", "null"),
        ("", "null"),
        ("Null", "null"),
        ("nULL", "\"nULL\""),
        ("2026-11-25", "\"2026-11-25\""),
        ("99999999999999999999", "\"99999999999999999999\""),
        ("!!str 0644", "\"0644\""),
        ("!!int '12'", "12"),
        ("!!float 0644", "644.0f"),
        ("!!float 1_0", "10.0f"),
        ("!!bool tRUE", "true"),
        ("!!binary aGk=", "[104, 105]"),
        ("! 12", "12"),
        ("! ''", "null"),
        ("[a, b: 1]", "[\"a\",{\"b\":1}]"),
        ("=", "\"=\""),
        // A last line without an end.
        ("a: |\n  x", "{\"a\":\"x\"}"),
        ("a: |+\n  x\n  y", "{\"a\":\"x\\ny\"}"),
        ("a: >-\n  x", "{\"a\":\"x\"}"),
        ("a: |\n  x\n", "{\"a\":\"x\\n\"}"),
        // A mark that is not at the beginning is a character.
        ("\u{feff}a: 1\n\u{feff}b: 2", "{\"a\":1,\"\\u{feff}b\":2}"),
    ] {
        assert_eq!(short(&read(text).unwrap().root), expected, "{text}");
    }
}

#[test]
fn merge_keys_and_duplicates() {
    for (text, expected) in [
        (
            "a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3",
            "{\"a\":{\"x\":1,\"y\":2},\"b\":{\"x\":1,\"y\":3}}",
        ),
        ("b: {y: 3, <<: {x: 1, y: 2}}", "{\"b\":{\"x\":1,\"y\":3}}"),
        ("<<: [{x: 1}, {x: 2, z: 3}]", "{\"x\":1,\"z\":3}"),
        ("'<<': 1", "{\"<<\":1}"),
        ("a: 1\nb: 2\na: 3", "{\"a\":3,\"b\":2}"),
    ] {
        assert_eq!(short(&read(text).unwrap().root), expected, "{text}");
    }
    let document = read("a: 1\nb: 2\na: 3\n").unwrap();
    assert_eq!(
        document.doubts[0].to_string(),
        "t:3:1: warning: \"a\" is here a second time: the last one counts, and line 1 is ignored"
    );
    assert!(read("<<: {a: 1}\na: 2").unwrap().doubts.is_empty());
}

/// Few keys are compared, many are looked up.
#[test]
fn keys_are_told_apart_by_kind_and_value() {
    let many: String = (0..20).map(|at| format!("k{at}: x\n")).collect();
    for more in ["", &many] {
        for (keys, are_two) in [
            ("1: a\n\"1\": b\n", true),
            ("yes: a\n\"True\": b\n", true),
            ("~: a\n\"\": b\n", true),
            ("!!binary aGk=: a\n!!binary aG8=: b\n", true),
            ("!!binary aGk=: a\n!!binary aGk=: b\n", false),
            ("~: a\nnull: b\n", false),
            ("10: a\n0xa: b\n", false),
            ("yes: a\non: b\n", false),
        ] {
            let document = read(&format!("{more}{keys}")).unwrap();
            let Value::Map(pairs) = &document.root.value else { panic!("{keys}") };
            let expected = more.lines().count() + if are_two { 2 } else { 1 };
            assert_eq!(pairs.len(), expected, "{more}{keys}");
            assert_eq!(document.doubts.found(), usize::from(!are_two), "{more}{keys}");
            assert_eq!(pairs.last().unwrap().1.as_str(), Some("b"), "{more}{keys}");
        }
    }
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    for (text, expected) in [
        ("a: [1\nb: 2", "t:2:2: error: this is not YAML"),
        ("a: b: c", "t:1:5: error: this is not YAML"),
        ("a: *b", "t:1:4: error: this is not YAML"),
        ("a: 1\n---\nb: 2", "t:2:1: error: a second document"),
        ("a: \u{1}", "t:1:4: error: the character U+0001 cannot be in YAML"),
        ("x\n\0", "t:2:1: error: the character U+0000 cannot be in YAML"),
        ("ä: ö\nb: ü\u{7f}", "t:2:5: error: the character U+007F cannot be in YAML"),
        ("a: 1 # b\u{2028}c", "t:1:9: error: the character U+2028 ends a line in YAML 1.1"),
        ("[a]: 1", "t:1:1: error: a list or a mapping cannot be a key"),
        ("? {a: 1}\n: 2", "t:1:3: error: a list or a mapping cannot be a key"),
        ("&a [*a]", "t:1:5: error: it repeats a value that it is part of"),
        ("a: !mine x", "t:1:4: error: cloud-init knows no tag \"!mine\""),
        ("a: !str x", "t:1:4: error: cloud-init knows no tag \"!str\""),
        ("a: !<str> x", "t:1:4: error: cloud-init knows no tag \"!<str>\""),
        ("a: !!python/name:os.system x", "t:1:4: error: cloud-init knows no tag"),
        ("a: !!int x", "t:1:4: error: \"x\" is no whole number"),
        ("<<: 3", "t:1:1: error: << merges a mapping"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{text:?}: {error}");
    }
}

#[test]
fn bombs_do_not_go_off() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = format!("*a{}, ", level - 1).repeat(10);
        bomb = format!("{bomb}a{level}: &a{level} [{before}]\n");
    }
    let text = format!("a: &a {}\nb: [{}]", "x".repeat(1 << 20), "*a,".repeat(20));
    for (text, expected) in [
        (bomb, "more than 250000 values"),
        (text, "aliases repeat more than 4 mib"),
        ("[".repeat(100_000), "recursion limit"),
        ("- ".repeat(100_000), "recursion limit"),
        (format!("[{}]", "1,".repeat(300_000)), "more than 250000 values"),
        ("{".repeat(500), "recursion limit"),
    ] {
        let begun = Instant::now();
        let error = read(&text).unwrap_err().to_string();
        assert!(error.to_lowercase().contains(expected), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
}

#[test]
fn what_is_emitted_is_read_as_the_same() {
    let text = "a: yes\nb: 'yes'\nc: [1, '1', 1.5, 0644, [], {}, [[x]], {y: {z: []}}]\n\
        d: |\n  #!/bin/sh\n    indented\n\n  end\ne: \"\\t\\x01 \\u2028\"\nf: !!binary aGk=\n\
        g: 1.0e+20\n'on': null\nh: '22:22'\ni: |-\n  a\n  b\nj: \"a\\n\\n\"\nk: ' x'\nl: 'y'\n\
        m: 'a: b'\nn: '# x'\no: |2\n   x\n  y\np:\n- - a\n  - b\n- c: d\n  e: |\n    1\n    2\n";
    let root = read(text).unwrap().root;
    let emitted = emit(&root);
    assert_eq!(short(&read(&emitted).unwrap().root), short(&root), "{emitted}");
    assert!(emitted.contains("d: |\n  #!/bin/sh\n    indented\n\n  end\n"), "{emitted}");
}

#[test]
fn every_key_is_emitted_on_a_line_of_its_own() {
    let long = "k".repeat(2000);
    for (text, expected) in [
        ("? \"a\\nb\"\n: 1", "\"a\\nb\": 1\n"),
        ("? |\n  a\n  b\n: [1]", "\"a\\nb\\n\":\n  - 1\n"),
        ("x: {? \"a\\nb\" : {c: 1}}", "x:\n  \"a\\nb\":\n    c: 1\n"),
        // A key of more than 1024 characters is none without the question mark.
        (&format!("x:\n  ? {long}\n  : {{c: 1}}"), &format!("x:\n  ? {long}\n  :\n    c: 1\n")),
    ] {
        let root = read(text).unwrap().root;
        let emitted = emit(&root);
        assert_eq!(emitted, expected, "{text}");
        assert_eq!(short(&read(&emitted).unwrap().root), short(&root), "{emitted}");
    }
}
