//! From a seed to a tree, as golden folders. A new case is a new folder:
//!
//! ```text
//!  seed/      what is on the drive
//!  root/      the system before; files that end in .empty are left out, for git's sake
//!  expected   what `validate` says, what `plan` shows, and the tree afterwards
//! ```
//!
//! With `BLESS=1` the program writes `expected` itself: to be read before it is committed.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a test says by it that it failed"
)]

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use health_checker::firstboot::apply::apply_and_say;
use health_checker::firstboot::cloud_config::Defaults;
use health_checker::firstboot::interpret::interpret;
use health_checker::firstboot::plan::{Moment, Run, plan_at, show};
use health_checker::firstboot::seed;
use health_checker::sys::tree::Tree;

#[test]
fn each_seed_makes_the_expected_tree() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configurations");
    let mut cases: Vec<PathBuf> = fs::read_dir(&here)
        .unwrap()
        .map(|it| it.unwrap().path())
        .filter(|it| it.is_dir())
        .collect();
    cases.sort();
    let mut wrong = Vec::new();
    for case in &cases {
        let got = told(case);
        let path = case.join("expected");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&path, &got).unwrap();
        } else if fs::read_to_string(&path).unwrap_or_default() != got {
            wrong.push(format!("{}:\n{got}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases.len() >= 4);
}

/// Everything that is said of a case, and what becomes of its tree.
fn told(case: &Path) -> String {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    copy(&case.join("root"), &root);
    let mut out = String::new();
    let seed = match seed::given(&case.join("seed")) {
        Ok(seed) => seed,
        Err(e) => return format!("{e:#}\n").replace(&case.display().to_string(), "."),
    };
    let os_release = fs::read_to_string(root.join("etc/os-release")).unwrap_or_default();
    let fetch = |url: &str| anyhow::bail!("{url} is not asked in a test");
    let interpreted = interpret(&seed, &Defaults::of(&os_release), &fetch);
    let tree = Tree::open(&root).unwrap();
    let moment = Moment { today: Some(20_000), salt: Box::new(|| Ok([7; 12])) };
    let (plan, problems) = plan_at(&interpreted.configuration, &tree, None, &moment);
    let all: Vec<_> = interpreted.problems.iter().chain(&problems).collect();
    out.push_str("== problems\n");
    for problem in &all {
        writeln!(out, "{problem}").unwrap();
    }
    if !all.iter().any(|it| it.is_error()) {
        out.push_str("== plan\n");
        out.push_str(&show(&plan, &tree));
        let run =
            |run: &Run| fs::write(root.join("ran"), run.command.join(" ")).map_err(Into::into);
        // A password at random is said to nobody here.
        apply_and_say(&plan, &tree, &run, &|_| Ok(())).unwrap();
        out.push_str("== tree\n");
        list(&root, &root, &mut out);
    }
    out.replace(&case.display().to_string(), ".")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::Permissions::from_mode(0o755)).unwrap();
    let Ok(entries) = fs::read_dir(from) else { return };
    for entry in entries.map(Result::unwrap) {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &target);
        } else if !entry.file_name().to_string_lossy().ends_with(".empty") {
            fs::copy(&path, &target).unwrap();
            let secret = entry.file_name().to_string_lossy().contains("shadow");
            let mode = if secret { 0o600 } else { 0o644 };
            fs::set_permissions(&target, fs::Permissions::from_mode(mode)).unwrap();
        }
    }
}

/// Paths, modes, owners and contents.
fn list(root: &Path, dir: &Path, out: &mut String) {
    let mut entries: Vec<_> = fs::read_dir(dir).unwrap().map(|it| it.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let metadata = fs::symlink_metadata(&path).unwrap();
        let name = path.strip_prefix(root).unwrap().display().to_string();
        let owner = format!("{}:{}", metadata.uid(), metadata.gid());
        let mode = metadata.mode() & 0o7777;
        if metadata.is_symlink() {
            writeln!(out, "/{name} -> {}", fs::read_link(&path).unwrap().display()).unwrap();
        } else if metadata.is_dir() {
            writeln!(out, "/{name}/ {mode:o} {owner}").unwrap();
            list(root, &path, out);
        } else {
            writeln!(out, "/{name} {mode:o} {owner}").unwrap();
            let bytes = fs::read(&path).unwrap();
            for line in String::from_utf8_lossy(&bytes).lines() {
                writeln!(out, "    {line}").unwrap();
            }
        }
    }
}
