use std::panic::{AssertUnwindSafe, catch_unwind};

use super::order::{Task, Work};
use super::run::{Worker, run_all};
use super::*;
use crate::firstboot::configuration::{Command, Script};

const LIMIT: Duration = Duration::from_secs(60);

/// Notes what is run; fails, or has its power cut, where it is told to.
#[derive(Default)]
struct Fake {
    ran: Vec<String>,
    fails: &'static str,
    cut_in: &'static str,
    shut_down_by: &'static str,
}

impl Worker for Fake {
    fn work(&mut self, task: &Task, _: Duration) -> Result<()> {
        assert_ne!(task.name, self.cut_in, "the power is cut");
        self.ran.push(task.name.clone());
        anyhow::ensure!(task.name != self.fails, "exit status 1");
        Ok(())
    }

    fn is_stopping(&mut self) -> bool {
        self.ran.last().is_some_and(|it| it == self.shut_down_by)
    }
}

fn script(name: &str, when: When) -> Script {
    Script { name: name.to_owned(), when, text: b"#!/bin/sh\n".to_vec(), prefix: Vec::new() }
}

fn later() -> Later {
    Later {
        instance_id: "i-1".into(),
        runcmd: vec![Command::Shell("true".into())],
        scripts: vec![
            script("o", When::Once),
            script("b", When::Boot),
            script("part-001", When::Instance),
        ],
        ..Later::default()
    }
}

/// Boots with this; what ran, and what is known to have failed.
fn boot(root: &Root, later: &Later, mut fake: Fake) -> (Vec<String>, Vec<Failure>) {
    let (marks, tasks) = (Marks::of(root, later), order::late(later, &[]));
    let cut = catch_unwind(AssertUnwindSafe(|| run_all(&tasks, &marks, LIMIT, &mut fake)));
    let mut failed = marks.failures().unwrap();
    if let Ok(ran) = cut {
        failed.extend(ran.failed.into_iter().filter(|it| it.name.contains("boot")));
    }
    (fake.ran, failed)
}

#[test]
fn each_runs_as_often_as_it_shall() {
    let dir = tempfile::tempdir().unwrap();
    let root = Root::new(dir.path());
    let all = ["per-once/o", "per-boot/b", "scripts/part-001", "runcmd"];
    let changed = Later { instance_id: "i-2".into(), ..later() };
    let applied = Later { application: "uuid".into(), ..later() };
    for (later, ran, why) in [
        (later(), &all[..], "the first boot"),
        (later(), &all[1..2], "the second"),
        (changed, &all[1..], "another instance"),
        (later(), &all[1..2], "the first instance again"),
        (applied, &all[1..], "applied anew"),
    ] {
        assert_eq!(boot(&root, &later, Fake::default()).0, ran, "{why}");
    }
}

#[test]
fn what_fails_stops_nothing_and_stays_known() {
    let dir = tempfile::tempdir().unwrap();
    let root = Root::new(dir.path());
    let failure = |name: &str| Failure { name: name.into(), reason: "exit status 1".into() };
    let (ran, failed) =
        boot(&root, &later(), Fake { fails: "scripts/part-001", ..Fake::default() });
    assert_eq!((ran.len(), failed), (4, vec![failure("scripts/part-001")]));
    // What fails at every boot is known for that boot.
    let (ran, failed) = boot(&root, &later(), Fake { fails: "per-boot/b", ..Fake::default() });
    assert_eq!(ran, ["per-boot/b"]);
    assert_eq!(failed, [failure("scripts/part-001"), failure("per-boot/b")]);
    let (_, failed) = boot(&root, &later(), Fake::default());
    assert_eq!(failed, [failure("scripts/part-001")]);
}

#[test]
fn a_power_cut_repeats_nothing_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let root = Root::new(dir.path());
    let (ran, _) = boot(&root, &later(), Fake { cut_in: "scripts/part-001", ..Fake::default() });
    assert_eq!(ran, ["per-once/o", "per-boot/b"]);
    let (ran, failed) = boot(&root, &later(), Fake::default());
    assert_eq!(ran, ["per-boot/b", "runcmd"]);
    let [failure] = &failed[..] else { panic!("{failed:?}") };
    assert_eq!(failure.name, "scripts/part-001");
    assert!(failure.reason.contains("went down while it ran"), "{}", failure.reason);
    // As it says: without its mark, it runs.
    let mark = failure.reason.split("unless ").nth(1).unwrap().split(' ').next().unwrap();
    files::remove(std::path::Path::new(mark)).unwrap();
    let (ran, failed) = boot(&root, &later(), Fake::default());
    assert_eq!((ran.len(), failed), (2, Vec::new()));
}

#[test]
fn a_script_may_end_the_machines_run() {
    let dir = tempfile::tempdir().unwrap();
    let root = Root::new(dir.path());
    let fake = Fake { shut_down_by: "scripts/part-001", ..Fake::default() };
    assert_eq!(boot(&root, &later(), fake).0.len(), 3);
    assert_eq!(
        boot(&root, &later(), Fake::default()),
        (vec!["per-boot/b".into(), "runcmd".into()], Vec::new())
    );
}

#[test]
fn a_damaged_mark_repeats_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let root = Root::new(dir.path());
    boot(&root, &later(), Fake::default());
    files::replace(&root.join("/var/lib/health-checker/firstboot/once/per-once%2Fo"), b"{", 0o600)
        .unwrap();
    let (ran, failed) = boot(&root, &later(), Fake::default());
    assert_eq!(ran, ["per-boot/b"]);
    assert!(failed[0].reason.contains("whether it has run is unknown"), "{failed:?}");
}

#[test]
fn programs_run_and_leave_no_text_behind() {
    let dir = tempfile::tempdir().unwrap();
    let root = Root::new(dir.path());
    let later = Later { instance_id: "i 1".into(), ..Later::default() };
    let programs = Programs::new(&root, &later);
    let out = dir.path().join("out");
    let text =
        format!("#!/bin/sh\nstat -c %a ${{0%/*}} >{0}; echo $INSTANCE_ID >>{0}\n", out.display());
    programs.text("scripts/a", text.as_bytes(), &[], LIMIT).unwrap();
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "700\ni 1\n");
    for (text, says) in [
        ("#!/bin/sh\nexit 3\n", "exit status 3"),
        ("echo no\n", "line 1: no interpreter is named"),
        ("#!/bin/nonsense\n", "the interpreter /bin/nonsense cannot be started"),
        ("#!/bin/sh\r\n", "line 1"),
        ("#!/bin/sh\nkill -9 $$\n", "SIGKILL"),
    ] {
        let error = programs.text("a", text.as_bytes(), &[], LIMIT).unwrap_err();
        assert!(format!("{error:#}").contains(says), "{text:?}: {error:#}");
    }
    // After a prefix, whose last argument is the program's path.
    let prefix = ["env", "FROM=vendor"].map(str::to_owned);
    let text = format!("#!/bin/sh\necho $FROM $# >{}\n", out.display());
    programs.text("a", text.as_bytes(), &prefix, LIMIT).unwrap();
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "vendor 0\n");
    let error = programs.text("a", b"#!/bin/sh\n", &["/none".to_owned()], LIMIT).unwrap_err();
    assert!(
        error.to_string().starts_with("/none, the prefix of vendor_data, cannot be"),
        "{error}"
    );
    let hung = programs.text("a", b"#!/bin/sh\nsleep 100\n", &[], Duration::from_millis(50));
    assert!(hung.unwrap_err().to_string().contains("no end within"));
    assert_eq!(files::list(&root.join(handoff::DIR)).unwrap().len(), 0);
}

#[test]
fn the_stages_do_what_the_file_says_and_note_it() {
    let dir = tempfile::tempdir().unwrap();
    let root = Root::new(dir.path());
    assert!(boot_stage(&root, LIMIT).unwrap() && final_stage(&root, LIMIT).unwrap());
    let later = Later {
        bootcmd: vec![Command::Exec(vec!["false".into()])],
        scripts: Vec::new(),
        final_message: Some("up".into()),
        ..later()
    };
    files::replace(&root.join(FILE), &serde_json::to_vec(&later).unwrap(), 0o600).unwrap();
    assert!(!boot_stage(&root, LIMIT).unwrap());
    assert!(final_stage(&root, LIMIT).unwrap());
    let noted = Outcome::read(&root.join(store::DIR)).unwrap().unwrap();
    let report = noted.later.clone().unwrap();
    assert_eq!((noted.state, report.state), (State::None, Stand::Failed));
    assert_eq!(report.failed, [Failure { name: "bootcmd".into(), reason: "exit status 1".into() }]);
    // Nothing new is not written.
    assert!(final_stage(&root, LIMIT).unwrap());
    assert_eq!(Outcome::read(&root.join(store::DIR)).unwrap().unwrap(), noted);
    // What a power cut left of a text goes.
    let left = root.join("/var/lib/health-checker/firstboot/scripts-x");
    std::fs::create_dir(&left).unwrap();
    final_stage(&root, LIMIT).unwrap();
    assert!(!left.exists());
    assert!(matches!(order::late(&later, &[])[0].work, Work::Text { .. }));
    files::replace(&root.join(FILE), b"{", 0o600).unwrap();
    assert!(format!("{:#}", final_stage(&root, LIMIT).unwrap_err()).contains(FILE));
}
