//! Bombs do not go off, and what is cut short is said to be.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::super::{Kind, Layers, Part, effective};
use super::{first, read};
use crate::firstboot::problem::Origin;

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn nested(depth: usize) -> String {
    let mut text = "\n#!/bin/sh\n".to_owned();
    for at in 0..depth {
        text = format!(
            "Content-Type: multipart/mixed; boundary=b{at}\n\n--b{at}\n{text}\n--b{at}--\n"
        );
    }
    format!("MIME-Version: 1.0\n{text}")
}

#[test]
fn bombs_do_not_go_off() {
    let message = |parts: &str| {
        format!("MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n{parts}--x--\n")
    };
    let include = |what: &str| format!("#include\nhttp://example.com/{what}\n").into_bytes();
    let archive = format!("#cloud-config-archive\n{}", "- '#!/bin/sh'\n".repeat(2_000));
    for (bytes, says, parts) in [
        (
            packed(&vec![0; 17 << 20]),
            "it is too large: what is unpacked or fetched may be 16 MiB",
            0,
        ),
        (packed(&packed(b"#!/bin/sh\n")), "it is packed by gzip here, where it is not unpacked", 0),
        (nested(8).into_bytes(), "", 1),
        (nested(9).into_bytes(), "multipart in multipart, deeper than 8 levels", 0),
        (nested(1_000).into_bytes(), "deeper than 8 levels", 0),
        (message(&"--x\n\n#!/bin/sh\n".repeat(2_000)).into_bytes(), "more than 1000 parts", 1_000),
        (message(&"--x\n\n".repeat(100_000)).into_bytes(), "this part is empty", 0),
        (message(&"--x\n".repeat(100_000)).into_bytes(), "", 0),
        (archive.into_bytes(), "more than 1000 parts: this one is left out", 1_000),
        (include("loop"), "included by what is included, 5 times", 0),
        (include("many"), "more than 100 includes", 99),
        (include("large"), "is too large", 0),
    ] {
        let begun = Instant::now();
        let (found, problems) = read(&bytes, None);
        let is_said = problems.is_empty() || problems.iter().any(|it| it.what.contains(says));
        assert!(is_said && problems.is_empty() == says.is_empty(), "{says}: {}", first(&problems));
        assert_eq!(found.len(), parts, "{says}");
        assert!(problems.len() <= 1_010, "{}", problems.len());
        assert!(begun.elapsed() < Duration::from_secs(20), "{says}");
    }
}

#[test]
fn several_small_bombs_are_one() {
    use base64::Engine;
    let bomb = base64::engine::general_purpose::STANDARD.encode(packed(&vec![b'#'; 9 << 20]));
    let part = format!(
        "--x\nContent-Type: application/gzip\nContent-Transfer-Encoding: base64\n\n{bomb}\n"
    );
    let message =
        format!("MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n{part}{part}");
    let (_, problems) = read(message.as_bytes(), None);
    assert!(problems.iter().any(|it| it.what.contains("part 2 is too large")), "{problems:?}");
}

#[test]
fn values_are_counted_over_all_parts() {
    let text = format!("a: [{}]", "1,".repeat(100_000));
    let part = |at: usize| Part {
        kind: Kind::CloudConfig,
        name: format!("p{at}"),
        source: Arc::from(format!("p{at}")),
        origin: Origin::default(),
        bytes: text.clone().into_bytes(),
        merge: Some("dict(recurse_list)+list(append)".to_owned()),
    };
    let parts = [part(0), part(1), part(2)];
    let all = effective(&Layers { user: &parts, ..Layers::default() });
    let says = "p2:1:1: error: more than 250000 values in all parts: this one is left out";
    assert_eq!(first(&all.problems), says);
}

#[test]
fn packed_data_may_have_members_and_padding() {
    let mut bytes = packed(b"#!/bin/sh\n");
    bytes.extend(packed(b"true\n"));
    bytes.extend([0; 512]);
    let (parts, problems) = read(&bytes, None);
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(parts[0].bytes, b"#!/bin/sh\ntrue\n");
    bytes.push(b'x');
    for damaged in [&bytes[..], &bytes[..20], b"\x1f\x8b"] {
        let (parts, problems) = read(damaged, None);
        assert!(parts.is_empty());
        let shown = first(&problems);
        assert!(shown.starts_with("user-data: error: it cannot be unpacked as gzip"), "{shown}");
    }
}
