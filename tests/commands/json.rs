//! `--json`: what programs rely on.

use serde_json::Value;

use crate::bed::Bed;

/// The commands, on a system without anything below `root`.
const COMMANDS: [&str; 8] = [
    "status",
    "check tmp",
    "config show",
    "firstboot status",
    "firstboot detect",
    "firstboot sources",
    "firstboot plan --source user",
    "firstboot validate user",
];

fn bed() -> Bed {
    let settings = "checks:\n  web: {http: 'https://u:PASSWORD@h/x?tok=TOKEN', timeout: 20s, \
                    retry_for: 1min}\n  \
                    own: {command: [/bin/sh, -c, 'a ftp://h/y | b https://u:PASSWORD@h/x?TOKEN']}\n\
                    policy: {deadline: 7min, watchdog: 1min}\n";
    Bed::new(&[
        ("root/etc/os-release", ""),
        ("root/etc/health-checker/a.yaml", settings),
        ("user", "#cloud-config\n"),
    ])
}

#[test]
fn schema_comes_first() {
    let bed = bed();
    for arguments in COMMANDS {
        let told = bed.run(&format!("--root root {arguments} --json"));
        assert!(told.out.starts_with("{\n  \"schema\": 1,\n"), "{arguments}: {told:?}");
    }
}

#[test]
fn durations_are_there_in_milliseconds() {
    let told = bed().run("--root root config show --json");
    let shown: Value = serde_json::from_str(&told.out).unwrap();
    let web = &shown["checks"]["web"];
    assert_eq!((&web["timeout"], &web["timeout_ms"]), (&"20s".into(), &20_000.into()));
    assert_eq!((&web["retry_for"], &web["retry_for_ms"]), (&"1m".into(), &60_000.into()));
    let policy = &shown["policy"];
    assert_eq!((&policy["deadline"], &policy["deadline_ms"]), (&"7m".into(), &420_000.into()));
    assert_eq!((&policy["soak"], &policy["soak_ms"]), (&"0s".into(), &0.into()));
    assert_eq!(policy["firstboot_deadline_ms"], 3_600_000);
    assert_eq!((&policy["watchdog"], &policy["watchdog_ms"]), (&"1m".into(), &60_000.into()));
}

#[test]
fn a_boot_has_a_time() {
    let told = bed().run("--root root status --json");
    let shown: Value = serde_json::from_str(&told.out).unwrap();
    let started = shown["boot"]["started"].as_str().unwrap();
    assert!(started.ends_with('Z') && started.len() == "2026-01-02T03:04:05Z".len(), "{started}");
}

#[test]
fn addresses_of_checks_are_shown_without_their_secrets() {
    for format in ["", "--json"] {
        let told = bed().run(&format!("--root root config show {format}"));
        assert!(told.out.contains("https://h/x?…"), "{told:?}");
        assert!(told.out.contains("a ftp://h/y | b https://h/x?…"), "{told:?}");
        assert!(!told.out.contains("PASSWORD") && !told.out.contains("TOKEN"), "{told:?}");
    }
}
