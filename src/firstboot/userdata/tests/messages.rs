//! `messages/NAME.in`, taken apart, is `messages/NAME.out`.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::super::{Layers, effective};
use super::read;

/// Parts and problems as text, with what the merge adds.
fn shown(bytes: &[u8]) -> String {
    let (parts, problems) = read(bytes, None);
    let mut out = String::new();
    for part in &parts {
        let merge = part.merge.as_ref().map(|it| format!(", merged by {it}")).unwrap_or_default();
        writeln!(out, "{:?} {} at {}{merge}", part.kind, part.name, part.place()).unwrap();
        writeln!(out, "    {:?}", String::from_utf8_lossy(&part.program())).unwrap();
    }
    let merged = effective(&Layers { user: &parts, ..Layers::default() });
    for problem in problems.iter().chain(&merged.problems) {
        writeln!(out, "{problem}").unwrap();
    }
    out
}

#[test]
fn messages_are_taken_apart() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/firstboot/userdata/tests/messages");
    let mut count = 0;
    for entry in fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|it| it != "in") {
            continue;
        }
        count += 1;
        let shown = shown(&fs::read(&path).unwrap());
        let expected = fs::read_to_string(path.with_extension("out")).unwrap_or_default();
        assert_eq!(shown, expected, "{}", path.display());
    }
    assert!(count >= 16, "only {count} messages");
}
