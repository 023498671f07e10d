//! First lines that count, and those that nearly do.

use super::super::{Kind, Part};
use super::{first, read};

#[test]
fn the_first_line_says_what_it_is() {
    let jinja = |inner: Option<Kind>| Kind::JinjaTemplate(inner.map(Box::new));
    for (text, expected) in [
        ("#cloud-config", Kind::CloudConfig),
        ("#cloud-config\r\na: 1\r\n", Kind::CloudConfig),
        ("#Cloud-Config\na: 1", Kind::CloudConfig),
        ("\n\n \t#cloud-config\na: 1", Kind::CloudConfig),
        ("\u{a0}#cloud-config\na: 1", Kind::CloudConfig),
        ("#cloud-config # comment", Kind::CloudConfig),
        ("#cloud-configuration", Kind::CloudConfig),
        ("#cloud-config-archive\n- x", Kind::Archive),
        ("#cloud-config-jsonp\n[]", Kind::Jsonp),
        ("#cloud-boothook\ntrue", Kind::Boothook),
        ("#!/bin/sh", Kind::Script),
        ("#! /usr/bin/python3", Kind::Script),
        ("#include\nx", Kind::Include),
        ("#include-once\nx", Kind::IncludeOnce),
        ("#INCLUDE-ONCE http://x", Kind::IncludeOnce),
        ("#part-handler\n", Kind::PartHandler),
        ("## template: jinja\n#cloud-config\n", jinja(Some(Kind::CloudConfig))),
        ("## Template: Jinja\n\n#!/bin/sh\n", jinja(Some(Kind::Script))),
        ("## template: jinja\n{% if x %}", jinja(None)),
    ] {
        assert_eq!(Kind::of(text.as_bytes()), Some(expected), "{text:?}");
    }
    assert_eq!(Kind::of(b"#!/bin/sh\n\xff\xfe\0"), Some(Kind::Script));
}

#[test]
fn what_is_nearly_right_is_told_what_to_write() {
    let write_it = "which is not recognised: write \"#cloud-config\"";
    let no_bom = "save it as UTF-8 without BOM";
    for (bytes, line, says) in [
        (&b"# cloud-config\na: 1\n"[..], 1, write_it),
        (b"\n\n# cloud-config\na: 1\n", 3, write_it),
        (b"#cloud_config\na: 1\n", 1, write_it),
        (b"#CloudConfig\na: 1\n", 1, write_it),
        (b"##cloud-config\r\na: 1\r\n", 1, write_it),
        (b"cloud-config\na: 1\n", 1, write_it),
        (b"# !/bin/sh\necho\n", 1, "write \"#!\""),
        (b"##template: jinja\n#cloud-config\n", 1, "write \"## template: jinja\""),
        (b"## template:jinja\n#cloud-config\n", 1, "write \"## template: jinja\""),
        (b"# include http://x\n", 1, "write \"#include\""),
        (b"\xef\xbb\xbf#cloud-config\na: 1\n", 1, no_bom),
        (b"\xff\xfe#\0c\0", 1, no_bom),
        (b"---\n#cloud-config\na: 1\n", 1, "stands in line 2, and counts only as the first"),
        (b"# (c) me\n\n#cloud-config\n", 1, "stands in line 3, and counts only as the first"),
        (b"---\na: 1\n", 1, "write #cloud-config above it"),
        (b"%YAML 1.1\n---\na: 1\n", 1, "write #cloud-config above it"),
        (b"hostname: x\n", 1, "write #cloud-config above it"),
        (b"# mine\nhostname: x\n", 1, "write #cloud-config above it"),
        (b"{\"hostname\": \"x\"}", 1, "write #cloud-config above it"),
        (b"{\"ignition\": {}}", 1, "for Ignition"),
        (b"Content-Type: multipart/mixed; boundary=x\n\n", 1, "write \"MIME-Version: 1.0\""),
        (b"I2Nsb3VkLWNvbmZpZwo=\n", 1, "base64"),
        (b"\xfd7zXZ\0", 1, "packed by xz"),
        (b"secret words\n", 1, "cannot be told from its first line"),
    ] {
        let (parts, problems) = read(bytes, None);
        let shown = first(&problems);
        assert!(parts.is_empty() && problems.len() == 1 && problems[0].is_error(), "{shown}");
        assert!(shown.starts_with(&format!("user-data:{line}:1: error: ")), "{bytes:?}: {shown}");
        assert!(shown.contains(says) && !shown.contains("secret"), "{bytes:?}: {shown}");
    }
    let (parts, problems) = read(b"", None);
    assert!(parts.is_empty());
    assert_eq!(first(&problems), "user-data: warning: it is empty: nothing is configured by it");
}

#[test]
fn white_space_before_a_program_keeps_it_from_being_started() {
    let mime = b"Content-Type: text/x-shellscript\nMIME-Version: 1.0\n\n\n#!/bin/sh\n";
    for (bytes, is_told) in [
        (&b"\n#!/bin/sh\ntrue\n"[..], true),
        (b" \t#!/bin/sh\n", true),
        (b"\xc2\xa0#!/bin/sh\n", true),
        (mime, true),
        (b"#!/bin/sh\n", false),
        (b"\n#cloud-config\n{}\n", false),
        // It is cut off together with the first word.
        (b"#cloud-boothook\n\n#!/bin/sh\n", false),
    ] {
        let (parts, problems) = read(bytes, None);
        assert_eq!((parts.len(), problems.len()), (1, usize::from(is_told)), "{problems:?}");
        let told = first(&problems);
        assert!(!is_told || told.contains("warning: white space stands before #!"), "{told}");
    }
}

fn only(bytes: &[u8]) -> Part {
    let (mut parts, problems) = read(bytes, None);
    assert!(problems.is_empty() && parts.len() == 1, "{problems:?}");
    parts.remove(0)
}

#[test]
fn programs_have_the_line_ends_of_unix_and_no_marks() {
    for (bytes, program) in [
        (&b"#!/bin/sh\r\ntrue\r\n"[..], &b"#!/bin/sh\ntrue\n"[..]),
        (b"#!/bin/sh\necho a\r\n", b"#!/bin/sh\necho a\r\n"),
        (b"#cloud-boothook\n#!/bin/sh\n", b"#!/bin/sh\n"),
        (b"#Cloud-Boothook\r\n#!/bin/sh\r\n", b"#!/bin/sh\n"),
        (b"#cloud-boothook\ntrue\n", b"true\n"),
    ] {
        assert_eq!(only(bytes).program(), program);
    }
}

#[test]
fn a_rendered_template_is_what_its_text_says() {
    let template = only(b"## template: jinja\n#cloud-config\na: {{ x }}\n");
    let part = template.rendered("#cloud-config\na: [\n".to_owned()).unwrap();
    assert_eq!((&part.kind, part.place().line), (&Kind::CloudConfig, 2));
    for (text, says) in [
        ("# cloud-config\n", "what the template makes is not recognised: the first line is"),
        ("## template: jinja\n#!/bin/sh", "the template makes another template"),
    ] {
        let error = template.rendered(text.to_owned()).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn what_is_no_text_is_named_with_its_place() {
    let error = only(b"#cloud-config\na: 1\nb: \xff\n").text().unwrap_err().to_string();
    assert!(error.starts_with("user-data:3:4: error: this is not UTF-8"), "{error}");
}

#[test]
fn parts_for_another_machine_are_left_out() {
    let message = b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\
        Launch-Index: 1\n\n#cloud-config\na: 1\n--x\n\n#cloud-config\nlaunch-index: 2\n--x\n\
        Launch-Index: 0\n\n#cloud-config\nlaunch-index: 3\n--x\n\n#!/bin/sh\n--x--\n";
    let names = |index| {
        let (parts, problems) = read(message, index);
        let kept = parts.iter().map(|it| it.place().line).collect::<Vec<_>>();
        (kept, first(&problems))
    };
    assert_eq!(names(None).0, [7, 11, 16, 20]);
    let (kept, problem) = names(Some(0));
    assert_eq!(kept, [16, 19 + 1]);
    let says = "user-data:7:1: warning: left out: it is for launch-index 1, and this machine is 0";
    assert_eq!(problem, says);
    assert_eq!(names(Some(2)).0, [11, 20]);
}

#[test]
fn a_part_for_no_machine_is_for_all_of_them_and_said() {
    let message = b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\
        Launch-Index: first\n\n#cloud-config\na: 1\n--x--\n";
    for (text, line) in [(&message[..], 7), (b"#cloud-config\nlaunch-index: first\n", 1)] {
        for index in [None, Some(0)] {
            let (parts, problems) = read(text, index);
            let says = format!(
                "user-data:{line}:1: warning: launch-index \"first\" is no whole number, so this \
                 part is for every machine"
            );
            assert_eq!((parts.len(), first(&problems)), (1, says));
        }
    }
}
