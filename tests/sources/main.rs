//! `firstboot sources --facts`: a machine in a file, and what is told of it. A new case is a
//! new folder with `facts.json` and `expected`, whose last line is the exit status.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a test says by it that it failed, and may wait for the program"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn each_machine_is_told_of_as_expected() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sources");
    let root = tempfile::tempdir().unwrap();
    let mut cases = 0;
    for entry in fs::read_dir(&here).unwrap() {
        let case = entry.unwrap().path();
        if !case.is_dir() {
            continue;
        }
        cases += 1;
        let output = Command::new(env!("CARGO_BIN_EXE_health-checker"))
            .arg("--root")
            .arg(root.path())
            .args(["firstboot", "sources", "--facts"])
            .arg(case.join("facts.json"))
            .output()
            .unwrap();
        let told = format!(
            "{}{}exit status {}\n",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
            output.status.code().unwrap()
        );
        assert_eq!(told, fs::read_to_string(case.join("expected")).unwrap(), "{}", case.display());
    }
    assert!(cases >= 5);
}
